"""Every other event once, and alarms under odd conditions."""

from typing import Any

from homeassistant.components import persistent_notification
from homeassistant.components.recorder.db_schema import MAX_EVENT_DATA_BYTES
from homeassistant.const import (
    STATE_OFF,
    STATE_ON,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    entity_registry as er,
)
from homeassistant.helpers.json import json_bytes
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.esp32_fire_alarm.alarm_options import (
    CONF_GROUP_DELAY_SECONDS,
    CONF_GROUP_NAME,
    CONF_GROUP_ZONES,
    CONF_GROUPS,
    CONF_LATCH,
)
from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.events import EVENT_FIRE_ALARM
from custom_components.esp32_fire_alarm.fleet.models import LatchMode
from custom_components.esp32_fire_alarm.fleet.telling import EventKind, SiteEvent
from sim.fleet import SimulatedFleet

from .running_site import (
    ALARM_LED,
    ALL_MODULES,
    LeapingClock,
    all_clear,
    bridge,
    frame,
    node,
    set_up,
    until,
)
from .told import HOLD_SECONDS, Told

pytestmark = pytest.mark.usefixtures("loopback")


async def test_what_is_told_of_nodes_bells_and_lamps(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    told = Told(site)
    await site.feed(1, frame("010020"))
    await site.feed(1, frame("010020", master="41DD"))
    await site.lose(1)
    clock.ahead_seconds += HOLD_SECONDS + 1
    await site.tick()
    await site.feed(1, frame("010020", master="41DD"))
    bell, lamps, lost, returned = told.take()
    assert (bell["module"], bell["on"], bell["node"]) == (1, True, 1)
    assert (lamps["went_on"], lamps["went_off"]) == (["silenced"], [])
    assert lamps["lit"] == ["dc", "silenced"]
    assert (lost["type"], lost["modules"]) == (EventKind.NODE_LOST, [1])
    assert lost["reason"]
    assert returned["type"] == EventKind.NODE_RETURNED
    assert {one["device_name"] for one in (bell, lamps, lost, returned)} == {"Node 1"}


async def test_a_walk_test_is_no_fire(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    told = Told(site)
    book = site.engine.book
    until_at = book._wall() + 3600
    book.start_test({1}, "Ann", until_at)
    await site.feed(1, frame("010001", master=ALARM_LED))
    assert site.zone(1).state == STATE_ON
    assert site.is_on("fire_alarm") == STATE_OFF
    assert told.kinds()[:2] == [EventKind.WALK_TEST_STARTED, EventKind.WALK_TEST]
    started = told.take()[0]
    assert (started["zones"], started["by"]) == ([1], "Ann")
    assert started["until"].startswith("2")
    await site.feed(1, frame("010000"))
    book.disable([2], "Ann", "wet detector")
    await site.feed(1, frame("010002"))
    assert site.is_on("fire_alarm") == STATE_OFF
    assert told.zones(EventKind.DISABLED_ZONE_ALARM) == [2]
    assert told.zones() == []
    book.enable([2], "Ann")
    assert site.is_on("fire_alarm") == STATE_ON
    assert told.zones() == [2]


async def test_a_walk_test_that_runs_out_leaves_its_report(
    hass: HomeAssistant,
) -> None:
    """In an event, and for people where they look for what happened meanwhile."""
    site = await set_up(hass, node(1))
    await site.feed_all()
    er.async_get(hass).async_update_entity(
        site.entity_id("binary_sensor", "zone_1"), name="Lobby | east"
    )
    book = site.engine.book
    book.start_test({1, 2, 4, 5}, "Ann", book._wall() + 2)
    await site.feed(1, frame("010009", master=ALARM_LED), frame("010000"))
    told = async_capture_events(hass, EVENT_FIRE_ALARM)
    await until(lambda: not book.ignored, 5)
    await hass.async_block_till_done()
    event = next(one for one in told if one.data["type"] == "walk_test_ended")
    assert event.data["by"] is None
    assert event.data["zones"] == [1, 2, 4, 5]
    report = event.data["report"]
    assert [one["zone"] for one in report if one["set_off_at"]] == [1, 4]
    assert all(0 <= one["latency_ms"] < 1000 for one in report if one["set_off_at"])
    assert "report" not in site.state("event", "site_events").attributes
    (note,) = persistent_notification._async_get_or_create_notifications(hass).values()
    assert note["title"] == "Tower: the walk test is over"
    lines = note["message"].splitlines()
    assert lines[0] == "Its time ran out. 2 of 4 zones were set off. Tester: Ann."
    assert lines[4].startswith("| 1 | Lobby / east | 2")
    assert lines[4].endswith(" ms |")
    assert lines[5].startswith("| 4 | Zone 4 | 2")
    assert lines[-1] == "**Not set off:** 2, 5"


async def test_a_walk_test_that_somebody_ends_leaves_no_note(
    hass: HomeAssistant,
) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    book = site.engine.book
    book.start_test({1}, "Ann", book._wall() + 3600)
    book.stop_test(None, "Ann")
    await hass.async_block_till_done()
    assert not persistent_notification._async_get_or_create_notifications(hass)


async def test_the_report_of_a_whole_site_fits_into_the_recorder(
    hass: HomeAssistant,
) -> None:
    site = await set_up(hass, bridge())
    await site.feed(1, all_clear(range(1, 64)))
    book = site.engine.book
    book.start_test(range(1, 316), "Ann", book._wall() + 3600)
    await site.feed(1, frame(*(f"{n:02d}001F" for n in range(1, 64))))
    told = async_capture_events(hass, EVENT_FIRE_ALARM)
    book.stop_test(None, "Ann")
    await hass.async_block_till_done()
    ended = next(one for one in told if one.data["type"] == "walk_test_ended")
    assert len(ended.data["report"]) == 315
    size = len(json_bytes(ended.data))
    print(f"report of 315 zones: {size} bytes")
    assert size < MAX_EVENT_DATA_BYTES


async def test_a_confirmed_alarm(hass: HomeAssistant, clock: LeapingClock) -> None:
    group = {
        CONF_GROUP_NAME: "Kitchen",
        CONF_GROUP_ZONES: [1, 6],
        CONF_GROUP_DELAY_SECONDS: 30,
    }
    site = await set_up(hass, node(1), node(2), options={CONF_GROUPS: [group]})
    await site.feed_all()
    told = Told(site)
    await site.feed(1, frame("010001"))
    assert told.kinds() == [EventKind.ALARM]
    clock.ahead_seconds += 30
    site.engine.book.tick()
    confirmed = told.take()[-1]
    assert confirmed["type"] == EventKind.CONFIRMED_ALARM
    assert (confirmed["group"], confirmed["zones"]) == ("Kitchen", [1])
    assert confirmed["zone_names"] == ["Zone 1"]


async def test_a_latch_of_home_assistant(hass: HomeAssistant) -> None:
    options = {CONF_LATCH: LatchMode.HOME_ASSISTANT}
    site = await set_up(hass, node(1), options=options)
    await site.feed_all()
    told = Told(site)
    await site.feed(1, frame("010001"))
    await site.feed(1, frame("010000"))
    assert site.zone(1).state == STATE_ON
    assert site.engine.book.reset(None, "Ann") == ()
    await site.settle()
    assert site.zone(1).state == STATE_OFF
    assert told.kinds() == [
        EventKind.ALARM,
        EventKind.ALARM_RESTORED,
        EventKind.RESET,
    ]


async def test_a_listener_that_fails_is_the_only_one(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    told = Told(site)
    heard: list[SiteEvent] = []

    def fail(event: SiteEvent) -> None:
        raise RuntimeError("no")

    stop_failing = site.engine.async_listen_events(fail)
    stop_listening = site.engine.async_listen_events(heard.append)
    await site.feed(1, frame("010001"))
    assert told.zones() == [1]
    assert [event.kind for event in heard] == [EventKind.ALARM]
    stop_failing()
    stop_listening()
    await site.feed(1, frame("010000"))
    assert len(heard) == 1


async def test_an_alarm_without_names_is_told_all_the_same(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    told = Told(site)
    monkeypatch.setattr(er, "async_get_effective_area_id", None)
    await site.feed(1, frame("010001"))
    (payload,) = told.take()
    assert (payload["zone"], payload["zone_name"]) == (1, "Zone 1")
    assert payload["area_name"] is None


async def test_a_zone_without_an_entity_has_a_name_in_the_servers_language(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    hass.config.language = "id"
    site = await set_up(hass, node(1))
    registry = er.async_get(hass)
    shown = registry.entities[site.entity_id("binary_sensor", "zone_1")].original_name
    await site.feed_all()
    told = Told(site)
    monkeypatch.setattr(registry, "async_get_entity_id", lambda *_: None)
    await site.feed(1, frame("010001"))
    (payload,) = told.take()
    assert payload["zone_name"] == shown == "Zona 1"


async def test_an_alarm_over_a_real_socket(hass: HomeAssistant) -> None:
    async with SimulatedFleet(count=3, port=0, latching=True) as fleet:
        nodes = [node(number, port=fleet.port) for number in (1, 2, 3)]
        fleet.alarm(11)
        site = await set_up(hass, *nodes)
        told = Told(site)
        await until(lambda: site.engine.summary.zones_supervised == 15, 5)
        fleet.alarm(1)
        await until(lambda: 1 in told.zones(), 2)
        fleet.clear(1, 11)
        fleet.reset()
        await until(lambda: set(told.zones(EventKind.ALARM_RESTORED)) == {1, 11}, 5)
        assert sorted(told.zones()) in ([1], [1, 11])
        assert not site.engine.book.standing()
        occurrences = site.engine.book.occurrences()
        assert sorted(one.zone for one in occurrences) == [1, 11]
        await site.remove()


async def test_all_63_modules_of_the_site_have_a_place(hass: HomeAssistant) -> None:
    """Describing costs little even where modules are children of a bridge."""
    site = await set_up(hass, bridge())
    await site.feed_all()
    told = Told(site)
    await site.feed(1, frame(*(f"{module:02d}0001" for module in ALL_MODULES)))
    names = {one["device_name"] for one in told.take()}
    assert names == {f"Module {module}" for module in ALL_MODULES}


async def test_removing_the_site_removes_its_log(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    site = await set_up(hass, node(1))
    await site.feed(1, frame("010001"))
    key = f"{DOMAIN}.{site.entry.entry_id}"
    assert key in hass_storage
    await hass.config_entries.async_remove(site.entry.entry_id)
    assert key not in hass_storage
