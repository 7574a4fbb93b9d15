"""An alarm book over restarts and crashes: nothing lost, nothing told twice."""

import pytest

from custom_components.esp32_fire_alarm.fleet.memory import (
    MemoryFaultError,
    read_memory,
)
from custom_components.esp32_fire_alarm.fleet.models import LatchMode
from custom_components.esp32_fire_alarm.fleet.occurrence import (
    BY_PANEL,
    BY_RECONFIGURATION,
)
from custom_components.esp32_fire_alarm.fleet.telling import EventKind, SiteEvent
from custom_components.esp32_fire_alarm.fleet.truth import CARRY_SECONDS

from .booked_site import (
    ALARM_LED,
    EPOCH,
    BookedSite,
    kinds,
    node,
    zones,
)

ALARM = EventKind.ALARM
RESTORED = EventKind.ALARM_RESTORED


def test_an_alarm_from_before_a_restart_is_the_same() -> None:
    site = BookedSite(node(1, 1), node(2, 2))
    site.say(2, "020001")
    site.say(1, "010001")
    site.book.acknowledge({1}, "Ann")
    before = site.book.standing()
    again = site.restart()
    assert again.book.standing() == before
    assert again.truth.summary().in_alarm == (6, 1)
    again.wait(3600)
    assert again.fire
    assert zones(again.say(1, "010001")) == []
    assert zones(again.say(1, "010003")) == [2]
    assert again.book.standing()[-1].order == 3
    assert zones(again.say(1, "010002"), RESTORED) == [1]


def test_an_alarm_that_arose_during_a_restart() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010001")
    again = site.restart()
    (event,) = again.say(1, "010003")
    assert (zones([event]), event.found_on_resync) == ([2], True)
    assert event.occurrence is not None
    assert event.occurrence.order == 2


def test_an_alarm_that_ended_during_a_restart() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010101")
    again = site.restart()
    alarm, trouble = again.say(1, "010000")
    assert (alarm.kind, alarm.found_on_resync) == (RESTORED, True)
    assert (trouble.kind, trouble.found_on_resync) == (EventKind.TROUBLE_RESTORED, True)
    assert not again.book.standing()


def test_a_trouble_from_before_a_restart_is_the_same() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010100")
    again = site.restart()
    assert again.say(1, "010100") == []
    assert kinds(again.say(1, "010000")) == [EventKind.TROUBLE_RESTORED]


def test_the_panels_latch_survives_a_restart() -> None:
    """The input is normal, but the panel's lamp says that the alarm stands."""
    site = BookedSite(node(1, 1))
    site.say(1, "010001", master=ALARM_LED)
    site.say(1, "010000", master=ALARM_LED)
    again = site.restart()
    assert again.say(1, "010000", master=ALARM_LED) == []
    assert again.truth.zones[1].alarm
    assert kinds(again.say(1, "010000")) == [RESTORED, EventKind.PANEL_STATUS]
    (one,) = again.book.occurrences()
    assert one.reset_by == BY_PANEL


def test_a_silent_modules_alarm_survives_a_restart_until_the_panels_reset() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010001", master=ALARM_LED)
    again = site.restart()
    assert again.say(1, "01", master=ALARM_LED) == []
    assert zones(again.say(1, "01"), RESTORED) == [1]


def test_a_stand_in_whose_panel_latches_does_not_clear() -> None:
    site = BookedSite(node(1, 1), node(2, 1, 2))
    site.say(1, "010001", master=ALARM_LED)
    site.say(1, "010000", master=ALARM_LED)
    site.lose(1)
    site.say(2, "010000", "020000", master=ALARM_LED)
    site.wait(3600)
    assert site.truth.zones[1].alarm
    site.say(2, "010000", "020000")
    assert zones(site.wait(CARRY_SECONDS), RESTORED) == [1]


def test_after_a_restart_a_stand_in_cannot_clear_what_it_never_saw() -> None:
    site = BookedSite(node(1, 1), node(2, 1, 2))
    site.say(1, "010001")
    again = site.restart()
    again.say(2, "010000", "020000")
    assert again.truth.zones[1].alarm
    again.say(1, "010001")
    assert zones(again.events) == zones(again.events, RESTORED) == []


def test_an_alarm_of_a_module_that_nobody_configured() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000", "030001")
    again = site.restart()
    assert again.truth.zones[11].alarm
    assert again.say(1, "010000", "030001") == []
    assert zones(again.say(1, "010000", "030000"), RESTORED) == [11]


def test_an_alarm_of_a_zone_that_is_no_longer_there() -> None:
    site = BookedSite(node(1, 1), node(2, 2))
    site.say(2, "020101")
    again = site.restart(node(1, 1))
    assert not again.book.standing()
    assert {one.reset_by for one in again.book.occurrences()} == {BY_RECONFIGURATION}
    assert not again.fire


def test_tests_and_disablements_survive_a_restart() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    site.book.start_test({1}, "Ann", site.wall + 600)
    site.book.disable([2], "Ann", "wet")
    before = site.book.impairments()
    again = site.restart()
    assert again.book.impairments() == before
    assert again.book.ignored == {1, 2}
    assert kinds(again.say(1, "010003")) == [
        EventKind.WALK_TEST,
        EventKind.DISABLED_ZONE_ALARM,
    ]
    later = again.restart(down_seconds=3600)
    assert kinds(later.wait(0)) == [EventKind.WALK_TEST_ENDED, ALARM]


def test_a_latch_of_home_assistant_survives_a_restart() -> None:
    site = BookedSite(node(1, 1), latch=LatchMode.HOME_ASSISTANT)
    site.say(1, "010001")
    again = site.restart()
    assert again.say(1, "010000") == []
    assert again.fire
    again.book.reset(None, "Ann")
    assert not again.fire


def test_nothing_is_told_before_anybody_can_hear_it() -> None:
    site = BookedSite(node(1, 1), is_heard=False)
    assert site.say(1, "010001") == []
    assert site.say(1, "010000") == []
    assert site.say(1, "010002") == []
    assert site.fire
    site.book.start_telling()
    assert kinds(site.events) == [ALARM, RESTORED, ALARM]
    assert zones(site.events) == [1, 2]
    site.book.start_telling()
    assert len(site.events) == 3


def test_a_crash_while_an_alarm_is_acted_on() -> None:
    """What was written as it was acknowledged still has to tell of the others."""
    site = BookedSite(node(1, 1))

    def acknowledge(event: SiteEvent) -> None:
        if event.kind is ALARM:
            site.book.acknowledge(None, "Ann")
            crashes.append(site.stored(after_crash=True))

    crashes: list[object] = []
    site.answer = acknowledge
    site.say(1, "010007")
    again = BookedSite(node(1, 1), stored=crashes[0], now=site.now + 10)
    assert zones(site.events) == [1, 2, 3]
    assert zones(again.events) == [2, 3]


def test_what_nobody_heard_before_a_crash_is_told_after_it() -> None:
    site = BookedSite(node(1, 1), is_heard=False)
    site.say(1, "010001")
    site.say(1, "010000")
    site.say(1, "010002")
    again = site.restart(is_heard=False)
    again.say(1, "010002")
    again.book.start_telling()
    assert kinds(again.events) == [ALARM, RESTORED, ALARM]
    assert all(event.found_on_resync for event in again.events)
    assert [event.at for event in again.events] == [
        EPOCH + at for at in (1001, 1002, 1003)
    ]
    third = again.restart()
    assert third.events == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: [],
        lambda _: {"data": 1},
        lambda m: m | {"order": "1"},
        lambda m: m | {"order": True},
        lambda m: m | {"occurrences": {"a": 1}},
        lambda m: m | {"occurrences": m["occurrences"] * 2},
        lambda m: m | {"occurrences": [m["occurrences"][0] | {"zone": 316}]},
        lambda m: m | {"occurrences": [m["occurrences"][0] | {"kind": "flood"}]},
        lambda m: m | {"occurrences": [m["occurrences"][0] | {"raised_at": 1e300}]},
        lambda m: m | {"occurrences": [m["occurrences"][0] | {"raised_at": True}]},
        lambda m: m | {"occurrences": [{"zone": 1}]},
        lambda m: m | {"bells": [64]},
        lambda m: m | {"lost": [None]},
        lambda m: m | {"lamps": {"x": []}},
        lambda m: m | {"lamps": {"1": ["sun"]}},
        lambda m: {key: value for key, value in m.items() if key != "untold"},
    ],
)
def test_a_damaged_memory_is_refused_as_a_whole(spoil: object) -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010001")
    assert callable(spoil)
    damaged = spoil(site.stored())
    again = BookedSite(node(1, 1))
    with pytest.raises(MemoryFaultError):
        again.book.restore(damaged)
    assert not again.book.occurrences()
    assert not again.fire


def test_a_memory_of_a_newer_version_is_read_as_far_as_it_is_known() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010001")
    stored = site.stored()
    assert isinstance(stored, dict)
    stored["colour"] = "red"
    stored["occurrences"][0]["colour"] = "red"
    assert read_memory(stored).occurrences == site.book.occurrences()
