"""The alarm's trigger: exactly one run per occurrence, of what was chosen."""

import time
from typing import Any, cast
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.trigger import TriggerActionRunner, TriggerConfig
import pytest

from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.trigger import FireAlarmTrigger

from .automated import automate
from .running_site import (
    ALARM_LED,
    LeapingClock,
    RunningSite,
    bridge,
    frame,
    node,
    set_up,
)
from .triggered import alarm, on, zone_id

pytestmark = pytest.mark.usefixtures("loopback")


FIRE = f"{DOMAIN}.fire_alarm"


def hub(site: RunningSite) -> str:
    """Return the site's device."""
    return dr.async_get_device_id_by_identifier(
        site.hass, site.engine.identifier, config_entry_id=site.entry.entry_id
    )


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


async def test_one_that_another_one_turns_off_and_on_again_runs_once(
    hass: HomeAssistant,
) -> None:
    """Also if that happens with the first event of all."""
    site = await set_up(hass, node(1))
    await site.feed_all()
    detached: list[None] = []
    runs = {1: 0, 2: 0}

    async def attach(number: int, act: CALLBACK_TYPE) -> CALLBACK_TYPE:
        @callback
        def run(payload: Any, *_: Any) -> None:
            runs[number] += 1
            act()

        trigger = FireAlarmTrigger(hass, TriggerConfig(FIRE, {}))
        return await trigger.async_attach_runner(cast(TriggerActionRunner, run))

    def detach_second() -> None:
        if not detached:
            detached.append(second())

    await attach(1, detach_second)
    second = await attach(2, lambda: None)
    await alarm(site, 1, 1)
    assert runs == {1: 1, 2: 0}
    await attach(2, lambda: None)
    await alarm(site, 1, 3)
    assert runs == {1: 2, 2: 1}


async def test_a_site_that_could_not_be_unloaded_runs_it(hass: HomeAssistant) -> None:
    """Its links are up and its alarms are shown, so they are also acted upon."""
    site = await set_up(hass, node(1))
    runs = await on(hass, "fire_alarm")
    await site.feed_all()
    with patch.object(
        hass.config_entries, "async_unload_platforms", return_value=False
    ):
        assert not await hass.config_entries.async_unload(site.entry.entry_id)
    assert site.entry.state is ConfigEntryState.FAILED_UNLOAD
    await alarm(site, 1, 2)
    assert await runs.zones() == [2]


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
