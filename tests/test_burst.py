"""A burst of events: told at once, on the bus a little later, whatever happens."""

import asyncio
from copy import deepcopy
from typing import Any
from unittest.mock import patch

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant, callback
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.events import EVENT_FIRE_ALARM
from custom_components.esp32_fire_alarm.fleet.memory import Untold
from custom_components.esp32_fire_alarm.fleet.telling import EventKind, SiteEvent
from custom_components.esp32_fire_alarm.site import FireAlarmSite

from .running_site import (
    ALARM_LED,
    ALL_MODULES,
    RunningSite,
    bridge,
    frame,
    node,
    set_up,
)
from .told import Told

pytestmark = pytest.mark.usefixtures("loopback")

EVERYTHING = list(range(1, 316))
STORM = frame(*(f"{module:02d}001F" for module in ALL_MODULES), master=ALARM_LED)


async def set_on_fire(hass: HomeAssistant) -> tuple[RunningSite, Told]:
    """Return a site of which everything has just gone into alarm, all in one turn."""
    site = await set_up(hass, bridge())
    await site.feed_all()
    told = Told(site)
    site.engine.aggregator.feed(1, STORM)
    assert told.zones() == EVERYTHING
    assert len(told.on_bus) < 315
    return site, told


async def start(site: RunningSite) -> None:
    """Set the site up again, and let its node say that everything burns."""
    assert await site.hass.config_entries.async_setup(site.entry.entry_id)
    await site.hass.async_block_till_done()
    await site.feed(1, STORM)


def zones(events: list[Event[Any]]) -> list[int]:
    """Return the zones of events."""
    return [event.data["zone"] for event in events]


async def test_a_site_unloaded_in_a_storm(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """All is on the bus before; nothing is told again."""
    site, told = await set_on_fire(hass)
    await site.remove()
    assert zones(told.on_bus) == EVERYTHING
    on_bus = async_capture_events(hass, EVENT_FIRE_ALARM)
    await start(site)
    assert on_bus == []


async def test_a_crash_in_a_storm(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """Whoever listens on the bus hears each alarm once, before or after it."""
    site, told = await set_on_fire(hass)
    key = f"{DOMAIN}.{site.entry.entry_id}"

    def untold() -> list[str]:
        """Return which alarms nobody heard, if one believes the file."""
        return [one["id"] for one in hass_storage[key]["data"]["untold"]]

    async with asyncio.timeout(5):
        while not 0 < len(untold()) < 200:
            await asyncio.sleep(0)
    # The power goes now.
    crashed, heard = deepcopy(hass_storage[key]), told.on_bus.copy()
    assert {event.data["occurrence_id"] for event in heard}.isdisjoint(untold())
    assert len(heard) + len(untold()) == 315
    await site.settle()
    assert untold() == []
    await site.remove()
    hass_storage[key] = crashed
    on_bus = async_capture_events(hass, EVENT_FIRE_ALARM)
    await start(site)
    assert zones(heard + on_bus) == EVERYTHING
    assert all(event.data["found_on_resync"] for event in on_bus)


async def test_an_alarm_that_is_being_told_is_not_told_yet(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """Nor is what comes after it, if what people do makes it be written right then."""
    site = await set_up(hass, node(1))
    await site.feed_all()
    told = Told(site)
    written: list[list[EventKind]] = []

    def act(event: SiteEvent) -> None:
        if event.kind is EventKind.ALARM:
            site.engine.book.acknowledge(None, "Ann")
            written.append([one.kind for one in site.engine.desk.async_memory().untold])

    site.engine.async_listen_events(act)
    await site.feed(1, frame("010003", master=ALARM_LED))
    assert told.kinds() == ["alarm", "alarm", "acknowledged"]
    assert written == [[EventKind.ALARM] * 2, [EventKind.ALARM]]
    assert site.engine.desk.async_memory().untold == ()


async def test_what_waits_is_remembered_once(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """Also when an alarm puts all troubles before it on the bus, and somebody acts."""
    site = await set_up(hass, bridge())
    await site.feed_all()
    remembered: list[tuple[Untold, ...]] = []

    @callback
    def note(_: Event) -> None:
        remembered.append(site.engine.desk.async_memory().untold)

    hass.bus.async_listen(EVENT_FIRE_ALARM, note)
    troubles = [f"{module:02d}0100" for module in ALL_MODULES]
    site.engine.aggregator.feed(1, frame(*troubles))
    await asyncio.sleep(0)
    site.engine.aggregator.feed(1, frame("010101", *troubles[1:]))
    await site.settle()
    assert max(map(len, remembered)) > 40
    alarm_waits = [
        untold for untold in remembered if untold and untold[-1].kind is EventKind.ALARM
    ]
    assert len(alarm_waits) > 40
    assert all(len(set(untold)) == len(untold) for untold in alarm_waits)


async def test_a_setup_that_fails_in_a_storm(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """What the first try told is on the bus, and not told again by the second."""
    site = await set_up(hass, bridge())
    await site.feed_all()
    await site.remove()
    on_bus = async_capture_events(hass, EVENT_FIRE_ALARM)

    def fail(one: FireAlarmSite) -> None:
        one.aggregator.feed(1, STORM)
        raise RuntimeError("no wall today")

    path = "custom_components.esp32_fire_alarm.async_open_feed"
    with patch(path, side_effect=fail):
        assert not await hass.config_entries.async_setup(site.entry.entry_id)
    await hass.async_block_till_done()
    assert zones(on_bus) == EVERYTHING
    on_bus.clear()
    assert await hass.config_entries.async_reload(site.entry.entry_id)
    await site.feed(1, STORM)
    assert on_bus == []


async def test_home_assistant_stops_in_a_storm(hass: HomeAssistant) -> None:
    """All is on the bus as long as anybody listens."""
    _, told = await set_on_fire(hass)
    heard: list[int] = []

    @callback
    def note(_: Event) -> None:
        heard.extend(zones(told.on_bus))

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, note)
    await hass.async_stop()
    assert heard == EVERYTHING
