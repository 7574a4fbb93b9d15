"""The conditions: what is in alarm or trouble, and what nobody has seen."""

import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.condition import (
    async_from_config,
    async_get_all_descriptions,
    async_validate_condition_config,
)
from homeassistant.setup import async_setup_component
import pytest
import voluptuous as vol

from custom_components import esp32_fire_alarm
from custom_components.esp32_fire_alarm import condition
from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.site import FireAlarmConfigEntry

from .automated import automate
from .running_site import (
    ALARM_LED,
    LeapingClock,
    RunningSite,
    frame,
    node,
    set_up,
)

pytestmark = pytest.mark.usefixtures("loopback")


async def holds(hass: HomeAssistant, key: str, **config: Any) -> bool:
    """Return whether one of our conditions holds."""
    complete = {"condition": f"{DOMAIN}.{key}", **config}
    checked = await async_validate_condition_config(hass, complete)
    checker = await async_from_config(hass, checked)
    try:
        return checker.async_check() is True
    finally:
        checker.async_unload()


def zones(site: RunningSite, *numbers: int) -> dict[str, Any]:
    """Return the target of some zones."""
    ids = [site.entity_id("binary_sensor", f"zone_{number}") for number in numbers]
    return {"entity_id": ids}


async def test_zones_in_alarm(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    assert not await holds(hass, "zone_in_alarm", target=zones(site, 2, 6))
    await site.feed(1, frame("010002", master=ALARM_LED))
    assert await holds(hass, "zone_in_alarm", target=zones(site, 2, 6))
    every = {"behavior": "all"}
    both = zones(site, 2, 6)
    assert not await holds(hass, "zone_in_alarm", target=both, options=every)
    await site.feed(2, frame("020001", master=ALARM_LED))
    assert await holds(hass, "zone_in_alarm", target=both, options=every)
    site.engine.book.disable([6], "Ana", "Works")
    assert not await holds(hass, "zone_in_alarm", target=both, options=every)
    er.async_get(hass).async_remove(both["entity_id"][0])
    whole = {"device_id": site.engine.device_ids[1]}
    assert await holds(hass, "zone_in_alarm", target=whole), "entity or not"
    nothing = {"entity_id": "light.kitchen"}
    assert not await holds(hass, "zone_in_alarm", target=nothing, options=every)


async def test_an_automation_of_the_first_zone_knows_of_the_fire(
    hass: HomeAssistant,
) -> None:
    """Home Assistant asks the condition in the very moment in which the zone is on."""
    site = await set_up(hass, node(1))
    await site.feed_all()
    zone = site.entity_id("binary_sensor", "zone_2")
    runs = await automate(
        hass,
        {"trigger": "state", "entity_id": zone, "to": "on"},
        conditions=[{"condition": f"{DOMAIN}.site_in_alarm"}],
    )
    await site.feed(1, frame("010002", master=ALARM_LED))
    assert len(await runs.take()) == 1


async def test_a_site_in_alarm_and_in_trouble(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    tower = await set_up(hass, node(1))
    annex = await set_up(hass, node(2, 1), title="Annex", site_id="annex")
    of_tower, of_annex = zones(tower, 1), zones(annex, 1)
    await tower.feed_all()
    await annex.feed_all()
    for key in ("site_in_alarm", "site_in_trouble"):
        assert not await holds(hass, key)
    await annex.feed(2, frame("010001", master=ALARM_LED))
    assert await holds(hass, "site_in_alarm")
    assert await holds(hass, "site_in_alarm", target=of_annex)
    assert not await holds(hass, "site_in_alarm", target=of_tower)
    await tower.lose(1)
    assert not await holds(hass, "site_in_trouble")
    clock.ahead_seconds += 60
    await tower.tick()
    for key in ("site_in_trouble", "node_lost"):
        assert await holds(hass, key)
        assert await holds(hass, key, target=of_tower)
        assert not await holds(hass, key, target=of_annex)


async def test_an_alarm_that_nobody_has_seen(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    key = "alarm_unacknowledged"
    assert not await holds(hass, key)
    await site.feed(1, frame("010402", master=ALARM_LED))
    assert await holds(hass, key)
    assert await holds(hass, key, target=zones(site, 2))
    assert not await holds(hass, key, target=zones(site, 3)), "a trouble is no alarm"
    site.engine.book.acknowledge([2], "Ana")
    assert not await holds(hass, key)


async def test_they_hold_when_an_alarm_is_told_while_a_site_is_set_up(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = await automate(
        hass,
        {"trigger": f"{DOMAIN}.fire_alarm"},
        conditions=[
            {"condition": f"{DOMAIN}.alarm_unacknowledged"},
            {"condition": f"{DOMAIN}.site_in_alarm"},
        ],
    )

    def feed(_: HomeAssistant, entry: FireAlarmConfigEntry) -> None:
        assert entry.state is ConfigEntryState.SETUP_IN_PROGRESS
        alarm = frame("010002", master=ALARM_LED)
        entry.runtime_data.aggregator.feed(1, alarm)

    monkeypatch.setattr(esp32_fire_alarm, "async_clear_away", feed)
    await set_up(hass, node(1))
    assert await runs.zones() == [2]


@pytest.mark.parametrize(
    ("key", "config"),
    [
        ("zone_in_alarm", {}),
        ("zone_in_alarm", {"target": {"entity_id": "a.b"}, "options": {"behavior": 1}}),
        ("site_in_alarm", {"options": {"behavior": "any"}}),
        ("site_on_fire", {}),
    ],
)
async def test_a_wrong_configuration_is_refused(
    hass: HomeAssistant, key: str, config: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await holds(hass, key, **config)


async def test_every_condition_has_words_and_an_icon(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    assert await async_setup_component(hass, "automation", {})
    described = await async_get_all_descriptions(hass)
    ours = {key.split(".")[1] for key in described if key.startswith(f"{DOMAIN}.")}
    assert ours == condition.CONDITIONS.keys()
    root = Path(condition.__file__).parent
    icons = json.loads((root / "icons.json").read_text())["conditions"]
    assert icons.keys() == ours
    for language in ("en", "id"):
        path = root / f"translations/{language}.json"
        words = json.loads(path.read_text(encoding="utf-8"))["conditions"]
        assert words.keys() == ours
        for key in ours:
            fields = (described[f"{DOMAIN}.{key}"] or {}).get("fields", {})
            assert words[key].get("fields", {}).keys() == fields.keys()
