"""The triggers: exactly one run per occurrence, of what was chosen."""

from datetime import timedelta
import json
from pathlib import Path
import time
from typing import Any

from homeassistant.const import STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.trigger import async_get_all_descriptions
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.esp32_fire_alarm import trigger
from custom_components.esp32_fire_alarm.const import DOMAIN

from .automated import Runs, automate
from .running_site import (
    ALARM_LED,
    QUIET,
    LeapingClock,
    RunningSite,
    bridge,
    frame,
    node,
    set_up,
)

pytestmark = pytest.mark.usefixtures("loopback")

FIRE = f"{DOMAIN}.fire_alarm"
GROUP = {"name": "Hall", "zones": [1, 2, 6], "delay_seconds": 60}


async def on(hass: HomeAssistant, key: str, **config: Any) -> Runs:
    """Set up an automation on one of our triggers."""
    return await automate(hass, {"trigger": f"{DOMAIN}.{key}", **config})


def zone_id(site: RunningSite, zone: int) -> str:
    """Return a zone's entity."""
    return site.entity_id("binary_sensor", f"zone_{zone}")


def hub(site: RunningSite) -> str:
    """Return the site's device."""
    return dr.async_get_device_id_by_identifier(
        site.hass, site.engine.identifier, config_entry_id=site.entry.entry_id
    )


async def alarm(site: RunningSite, module: int, mask: int) -> None:
    """Let a node of one module report alarms."""
    master = ALARM_LED if mask else QUIET
    await site.feed(module, frame(f"{module:02d}00{mask:02X}", master=master))


# Once, whatever happens.


async def test_a_fire_runs_it_once_and_tells_everything(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(2))
    runs = await on(hass, "fire_alarm")
    await site.feed_all()
    assert await runs.take() == []
    await alarm(site, 1, 2)
    (run,) = await runs.take()
    assert run["platform"] == FIRE
    assert run["zone"] == 2
    assert run["zone_name"] == "Zone 2"
    assert run["site"] == "Tower"
    assert run["entity_id"] == zone_id(site, 2)
    assert run["device_name"] == "Node 1"
    assert run["first"] is True
    assert run["found_on_resync"] is False
    assert run["description"] == "alarm at Tower"
    await alarm(site, 1, 2)
    await alarm(site, 1, 0)
    assert await runs.take() == []
    await alarm(site, 1, 2)
    assert len(await runs.take()) == 1, "the next fire"


async def test_a_flapping_link_runs_it_once(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1))
    runs = await on(hass, "fire_alarm")
    await site.feed_all()
    await alarm(site, 1, 2)
    for _ in range(3):
        await site.lose(1)
        clock.ahead_seconds += 60
        await site.tick()
        await alarm(site, 1, 2)
    assert await runs.zones() == [2]


async def test_a_fire_found_on_connecting_runs_it(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1))
    runs = await on(hass, "fire_alarm")
    await site.feed_all()
    await site.lose(1)
    clock.ahead_seconds += 60
    await site.tick()
    assert site.zone(2).state == STATE_UNAVAILABLE
    await alarm(site, 1, 2)
    (run,) = await runs.take()
    assert (run["zone"], run["found_on_resync"]) == (2, True)


async def test_a_fire_found_after_a_restart_runs_it_and_an_old_one_does_not(
    hass: HomeAssistant,
) -> None:
    runs = await on(hass, "fire_alarm")
    site = await set_up(hass, node(1))
    await site.feed_all()
    await alarm(site, 1, 2)
    assert await runs.zones() == [2]
    await hass.config_entries.async_reload(site.entry.entry_id)
    assert site.zone(2).state == STATE_ON
    await alarm(site, 1, 2)
    assert await runs.zones() == []
    await hass.config_entries.async_unload(site.entry.entry_id)
    await hass.config_entries.async_setup(site.entry.entry_id)
    await alarm(site, 1, 6)
    (run,) = await runs.take()
    assert (run["zone"], run["found_on_resync"]) == (3, True)


async def test_an_alarm_in_a_walk_test_or_of_a_disabled_zone_does_not(
    hass: HomeAssistant,
) -> None:
    site = await set_up(hass, node(1))
    runs = await on(hass, "fire_alarm")
    await site.feed_all()
    site.engine.book.disable([1], "Ana", "Works")
    site.engine.book.start_test([2], "Ana", time.time() + 60)
    await alarm(site, 1, 3)
    assert await runs.take() == []
    site.engine.book.enable([1], "Ana")
    assert await runs.zones() == [1], "from now on it is a fire"


async def test_a_removed_automation_runs_no_more(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    runs = await on(hass, "fire_alarm", target={"entity_id": zone_id(site, 2)})
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.under_test"}, blocking=True
    )
    await site.feed_all()
    await alarm(site, 1, 2)
    assert await runs.take() == []


# Of what was chosen.


async def test_targets(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(2), node(3))
    await site.feed_all()
    hall = ar.async_get(hass).async_create("Hall").id
    entities = er.async_get(hass)
    entities.async_update_entity(zone_id(site, 2), area_id=hall)
    entities.async_update_entity(zone_id(site, 6), area_id=hall)
    entities.async_update_entity(zone_id(site, 6), hidden_by=er.RegistryEntryHider.USER)
    targets: dict[str, dict[str, Any]] = {
        "zone": {"entity_id": [zone_id(site, 1)]},
        "area": {"area_id": hall},
        "node": {"device_id": site.engine.device_ids[1]},
        "site": {"device_id": hub(site)},
        "nothing left": {"entity_id": [], "area_id": []},
        "nothing of ours": {"entity_id": "light.kitchen"},
    }
    runs = await automate(
        hass,
        *(
            {"trigger": FIRE, "id": name, "target": target}
            for name, target in targets.items()
        ),
    )
    ran: dict[str, list[int]] = {name: [] for name in targets}
    for module in (1, 2, 3):
        await alarm(site, module, 3)
        for run in await runs.take():
            ran[run["id"]].append(run["zone"])
    everything = [1, 2, 6, 7, 11, 12]
    assert ran == {
        "zone": [1],
        "area": [2, 6],
        "node": [1, 2],
        "site": everything,
        "nothing left": everything,
        "nothing of ours": [],
    }


async def test_a_target_follows_the_registries(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    hall = ar.async_get(hass).async_create("Hall").id
    runs = await on(hass, "fire_alarm", target={"area_id": hall})
    await alarm(site, 1, 1)
    assert await runs.zones() == []
    er.async_get(hass).async_update_entity(zone_id(site, 2), area_id=hall)
    await alarm(site, 1, 7)
    assert await runs.zones() == [2]


async def test_a_module_that_turns_up_is_in_the_target(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    runs = await on(hass, "fire_alarm", target={"device_id": hub(site)})
    await alarm(site, 1, 1)
    await site.feed(1, frame("010001", "020001", master=ALARM_LED))
    assert await runs.zones() == [1, 6]


async def test_the_first_alarm_only(hass: HomeAssistant) -> None:
    site = await set_up(hass, bridge())
    await site.feed_all()
    options = {"behavior": "first"}
    runs = await automate(
        hass,
        {"trigger": FIRE, "id": "site", "options": options},
        {
            "trigger": FIRE,
            "id": "zones",
            "options": options,
            "target": {"entity_id": [zone_id(site, 6), zone_id(site, 7)]},
        },
    )
    burning = ["010003", "020003"]
    await site.feed(1, frame(*burning, master=ALARM_LED))
    await site.feed(1, frame(*burning, "030001", master=ALARM_LED))
    assert [(run["id"], run["zone"]) for run in await runs.take()] == [
        ("site", 1),
        ("zones", 6),
    ]
    await site.feed(1, frame("010000", "020000", "030000"))
    await site.feed(1, frame("020002", master=ALARM_LED))
    assert {(run["id"], run["zone"]) for run in await runs.take()} == {
        ("site", 7),
        ("zones", 7),
    }


async def test_the_first_alarm_that_nobody_acknowledged(hass: HomeAssistant) -> None:
    site = await set_up(hass, bridge())
    await site.feed_all()
    runs = await on(hass, "fire_alarm", options={"behavior": "first_unacknowledged"})
    burning: list[str] = []
    for module, expected in ((1, [1]), (2, []), (3, [11]), (4, [])):
        burning.append(f"{module:02d}0001")
        await site.feed(1, frame(*burning, master=ALARM_LED))
        assert await runs.zones() == expected
        if module == 2:
            site.engine.book.acknowledge(None, "Ana")


async def test_the_newest_alarm_of_a_storm(hass: HomeAssistant) -> None:
    site = await set_up(hass, bridge())
    runs = await on(hass, "fire_alarm")
    await site.feed_all()
    await site.feed(1, frame("010007", master=ALARM_LED))
    newest = [(run["zone"], run["newest"]) for run in await runs.take()]
    assert newest == [(1, False), (2, False), (3, True)]


async def test_every_alarm_of_a_full_storm(hass: HomeAssistant) -> None:
    site = await set_up(hass, bridge())
    runs = await on(hass, "fire_alarm", target={"device_id": hub(site)})
    await site.feed_all()
    segments = (f"{module:02d}001F" for module in range(1, 64))
    await site.feed(1, frame(*segments, master=ALARM_LED))
    assert await runs.zones() == list(range(1, 316))


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
