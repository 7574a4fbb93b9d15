"""What the logbook says of every event, in words."""

from collections.abc import Callable
from typing import Any

from homeassistant.core import Event, HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.esp32_fire_alarm import logbook
from custom_components.esp32_fire_alarm.alarm_options import (
    CONF_GROUP_NAME,
    CONF_GROUP_ZONES,
    CONF_GROUPS,
)
from custom_components.esp32_fire_alarm.events import EVENT_FIRE_ALARM
from custom_components.esp32_fire_alarm.fleet.impairment import ImpairmentKind
from custom_components.esp32_fire_alarm.fleet.telling import EventKind

from .running_site import ALARM_LED, LeapingClock, RunningSite, frame, node, set_up

pytestmark = pytest.mark.usefixtures("loopback")

type Describe = Callable[[Event[Any]], dict[str, str]]


@pytest.fixture
def describe(hass: HomeAssistant) -> Describe:
    """Return who puts the bus event into words."""
    found: dict[str, Describe] = {}
    logbook.async_describe_events(
        hass, lambda domain, event_type, how: found.update({event_type: how})
    )
    return found[EVENT_FIRE_ALARM]


async def sentences(
    site: RunningSite, describe: Describe, events: list[Event[Any]]
) -> list[str]:
    """Return what the logbook would say of the events so far."""
    await site.settle()
    entries = [describe(event) for event in events]
    events.clear()
    return [f"{entry['name']} {entry['message']}" for entry in entries]


async def test_the_life_of_alarms_in_words(
    hass: HomeAssistant, describe: Describe, clock: LeapingClock
) -> None:
    group = {CONF_GROUP_NAME: "Kitchen", CONF_GROUP_ZONES: [1, 2]}
    site = await set_up(hass, node(1), options={CONF_GROUPS: [group]})
    book = site.engine.book
    events = async_capture_events(hass, EVENT_FIRE_ALARM)
    await site.feed(1, frame("010001"))
    await site.feed(1, frame("010103", master="41CB"))
    book.acknowledge(None, "Ann")
    await site.feed(1, frame("010000"))
    assert await sentences(site, describe, events) == [
        "Zone 1 (Node 1) went into alarm: first alarm of the site (found on connecting)",
        "Zone 2 (Node 1) went into alarm: alarm no. 2 of the site, during a drill",
        "Tower, Kitchen alarm is confirmed: Zone 1, Zone 2",
        "Zone 1 (Node 1) is in trouble",
        "Node 1 shows another panel status: drill lit up",
        "Tower alarms and troubles of zones 1-2 acknowledged by Ann",
        "Zone 1 (Node 1) is no longer in alarm",
        "Zone 2 (Node 1) is no longer in alarm",
        "Zone 1 (Node 1) is no longer in trouble",
        "Node 1 shows another panel status: drill went out",
    ]


async def test_nodes_and_bells_in_words(
    hass: HomeAssistant, describe: Describe, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1), node(33, 1, 2, 3))
    await site.feed_all()
    events = async_capture_events(hass, EVENT_FIRE_ALARM)
    await site.feed(1, frame("010020"))
    await site.feed(1, frame("010000"))
    await site.lose(1)
    await site.lose(33)
    clock.ahead_seconds += 60
    await site.tick()
    await site.feed(1, frame("010000"))
    await site.feed(33, frame("010000", "020000", "030000"))
    said = await sentences(site, describe, events)
    assert said[:3] == [
        "Node 1 bell of module 1 rings",
        "Node 1 bell of module 1 fell silent",
        "Node 33 speaks for module 1 now, instead of node 1",
    ]
    assert said[3].startswith("Node 1 is lost (")
    assert said[3].endswith("), with module 1")
    assert said[4].endswith("), with modules 2-3")
    assert said[5:] == ["Node 1 is back", "Node 33 is back"]


async def test_impairments_in_words(hass: HomeAssistant, describe: Describe) -> None:
    site = await set_up(hass, node(1, 1, 2))
    await site.feed_all()
    book = site.engine.book
    events = async_capture_events(hass, EVENT_FIRE_ALARM)
    until = dt_util.utcnow().timestamp() + 3600
    book.start_test({1, 2, 4}, "Ann", until)
    book.disable([5], "Ann", "wet detector", until)
    book.disable([3, *range(6, 11)], "Ann", "")
    await site.feed(1, frame("010011", "020000", master=ALARM_LED))
    await site.feed(1, frame("010000", "020000"))
    book.stop_test(None, "Bob")
    book.enable([5], "Bob")
    book._put_back(ImpairmentKind.DISABLED, [3])
    local = dt_util.as_local(dt_util.utc_from_timestamp(until))
    assert await sentences(site, describe, events) == [
        "Tower walk test of zones 1-2, 4 started by Ann",
        f"Tower zone 5 disabled by Ann until {local:%Y-%m-%d %H:%M}: wet detector",
        "Tower zones 3, 6-10 disabled by Ann",
        "Zone 1 (Module 1) was set off in its walk test",
        "Zone 5 (Module 1) went into alarm, but is disabled",
        "Node 1 shows another panel status: alarm lit up",
        "Node 1 shows another panel status: alarm went out",
        "Tower walk test of zones 1-2, 4 ended by Bob: 1 of 3 set off",
        "Tower zone 5 enabled again by Bob",
        "Tower zone 3 enabled again, as their time was over",
    ]


async def test_an_event_of_another_version(
    hass: HomeAssistant, describe: Describe
) -> None:
    for data in ({"type": "flood"}, {"type": "alarm"}, {}):
        entry = describe(Event(EVENT_FIRE_ALARM, data))
        assert entry["name"] == "Fire alarm"
        assert entry["message"] == str(data.get("type"))


def test_every_kind_has_a_sentence() -> None:
    assert logbook._SENTENCES.keys() == set(EventKind)
