"""The other triggers: exactly one run per occurrence, and how all are described."""

from datetime import timedelta
import json
from pathlib import Path
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.trigger import async_get_all_descriptions
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.esp32_fire_alarm import trigger
from custom_components.esp32_fire_alarm.const import DOMAIN

from .automated import automate
from .running_site import (
    LeapingClock,
    frame,
    node,
    set_up,
)
from .triggered import alarm, on, zone_id

pytestmark = pytest.mark.usefixtures("loopback")


GROUP = {"name": "Hall", "zones": [1, 2, 6], "delay_seconds": 60}


# The other kinds.


async def test_confirmed_restored_and_acknowledged(hass: HomeAssistant) -> None:
    site = await set_up(
        hass, node(1), node(2), options={"confirmation_groups": [GROUP]}
    )
    await site.feed_all()
    runs = await automate(
        hass,
        *(
            {
                "trigger": f"{DOMAIN}.{key}",
                "id": key,
                "target": {"device_id": site.engine.device_ids[number]},
            }
            for key, number in (
                ("confirmed_alarm", 2),
                ("acknowledged", 1),
                ("alarm_restored", 1),
            )
        ),
    )
    await alarm(site, 1, 1)
    assert await runs.take() == []
    await alarm(site, 2, 1)
    (run,) = await runs.take()
    assert (run["id"], run["zones"]) == ("confirmed_alarm", [1, 6])
    assert run["zone_names"] == ["Zone 1", "Zone 6"]
    site.engine.book.acknowledge([6], "Ana")
    assert await runs.take() == []
    site.engine.book.acknowledge([1], "Ana")
    (run,) = await runs.take()
    assert (run["id"], run["by"]) == ("acknowledged", "Ana")
    await alarm(site, 2, 0)
    await alarm(site, 1, 0)
    assert [run["id"] for run in await runs.take()] == ["alarm_restored"]


async def test_trouble_comes_and_goes(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    runs = await automate(
        hass,
        {"trigger": f"{DOMAIN}.trouble", "id": "trouble"},
        {"trigger": f"{DOMAIN}.trouble_restored", "id": "over"},
    )
    await site.feed(1, frame("010400"))
    await site.feed(1, frame("010000"))
    assert [(run["id"], run["zone"]) for run in await runs.take()] == [
        ("trouble", 3),
        ("over", 3),
    ]


async def test_a_lost_node_concerns_its_zones(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    targets: dict[str, dict[str, Any]] = {
        "any": {},
        "its zone": {"target": {"entity_id": zone_id(site, 3)}},
        "itself": {
            "target": {
                "entity_id": site.entity_id("binary_sensor", "node_1_connection")
            }
        },
        "another": {"target": {"device_id": site.engine.device_ids[2]}},
    }
    runs = await automate(
        hass,
        *(
            {"trigger": f"{DOMAIN}.{key}", "id": f"{key} {name}", **target}
            for key in ("node_lost", "node_returned")
            for name, target in targets.items()
        ),
    )
    await site.lose(1)
    assert await runs.take() == []
    clock.ahead_seconds += 60
    await site.feed(2, frame("020000"))
    await site.tick()
    lost = await runs.take()
    assert [run["id"] for run in lost] == [
        "node_lost any",
        "node_lost its zone",
        "node_lost itself",
    ]
    assert lost[0]["modules"] == [1]
    await site.feed(1, frame("010000"))
    assert [run["id"] for run in await runs.take()] == [
        "node_returned any",
        "node_returned its zone",
        "node_returned itself",
    ]


async def test_nodes_lost_together(hass: HomeAssistant, clock: LeapingClock) -> None:
    site = await set_up(hass, node(1), node(2), node(3))
    await site.feed_all()
    runs = await automate(
        hass,
        {"trigger": f"{DOMAIN}.node_lost", "id": "each"},
        {
            "trigger": f"{DOMAIN}.node_lost",
            "id": "together",
            "options": {"gather": {"seconds": 10}},
        },
    )
    for number in (1, 2):
        await site.lose(number)
        clock.ahead_seconds += 46
        await site.feed(3, frame("030000", clients=number))
        await site.tick()
    assert [(run["id"], run["nodes"]) for run in await runs.take()] == [
        ("each", [1]),
        ("each", [2]),
    ]
    await site.feed(1, frame("010000"))
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=11))
    (run,) = await runs.take()
    assert (run["id"], run["nodes"], run["lost_nodes"]) == ("together", [1, 2], [2])
    await site.lose(3)
    clock.ahead_seconds += 46
    await site.tick()
    assert [run["id"] for run in await runs.take()] == ["each"]
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.under_test"}, blocking=True
    )
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=22))
    assert await runs.take() == []


async def test_gathering_has_a_limit(hass: HomeAssistant) -> None:
    await on(hass, "node_lost", options={"gather": {"seconds": 61}})
    state = hass.states.get("automation.under_test")
    assert state is None or state.state == STATE_UNAVAILABLE


# How they are described.


@pytest.mark.parametrize(
    "config",
    [
        {"options": {"behavior": "last"}},
        {"options": {"behaviour": "first"}},
        {"target": {"entity": "x"}},
        {"zone": 5},
    ],
)
async def test_a_wrong_configuration_is_refused(
    hass: HomeAssistant, config: dict[str, Any]
) -> None:
    await on(hass, "fire_alarm", **config)
    state = hass.states.get("automation.under_test")
    assert state is None or state.state == STATE_UNAVAILABLE


async def test_every_trigger_has_words_and_an_icon(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    assert await async_setup_component(hass, "automation", {})
    described = await async_get_all_descriptions(hass)
    ours = {key.split(".")[1] for key in described if key.startswith(f"{DOMAIN}.")}
    assert ours == trigger.TRIGGERS.keys()
    root = Path(trigger.__file__).parent
    icons = json.loads((root / "icons.json").read_text())["triggers"]
    assert icons.keys() == ours
    for language in ("en", "id"):
        path = root / f"translations/{language}.json"
        words = json.loads(path.read_text(encoding="utf-8"))["triggers"]
        assert words.keys() == ours
        for key in ours:
            fields = (described[f"{DOMAIN}.{key}"] or {}).get("fields", {})
            assert words[key].get("fields", {}).keys() == fields.keys()
