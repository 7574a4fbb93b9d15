"""Walk tests and disabled zones: never silent, never forgotten, never a fire."""

import pytest

from custom_components.esp32_fire_alarm.fleet.impairment import (
    MAX_TEST_SECONDS,
    ImpairmentKind,
    Refusal,
    RefusedError,
)
from custom_components.esp32_fire_alarm.fleet.telling import (
    EventKind,
)

from .booked_site import (
    ALARM_LED,
    BookedSite,
    kinds,
    node,
    zones,
)

ALARM = EventKind.ALARM


def test_a_zone_in_test_is_told_as_a_test() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    site.book.start_test({1, 2}, "Ann", site.wall + 3600)
    assert site.times_impaired == 1
    started = site.events[-1]
    assert (started.kind, started.zones) == (EventKind.WALK_TEST_STARTED, (1, 2))
    (event, lamps) = site.say(1, "010001", master=ALARM_LED)
    assert (event.kind, lamps.kind) == (EventKind.WALK_TEST, EventKind.PANEL_STATUS)
    assert event.occurrence is not None
    assert event.occurrence.test
    assert event.occurrence.order is None
    assert site.truth.zones[1].alarm
    assert not site.fire
    assert site.truth.summary(site.book.ignored).in_alarm == ()
    (alarm,) = site.say(1, "010005", master=ALARM_LED)
    assert (alarm.kind, zones([alarm])) == (ALARM, [3])
    assert alarm.occurrence is not None
    assert alarm.occurrence.is_first
    assert site.fire


def test_the_report_of_a_walk_test() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    began_at = site.wall
    site.book.start_test({1, 2}, "Ann", site.wall + 3600)
    site.say(1, "010001")
    activated_at = site.wall
    site.say(1, "010000")
    site.say(1, "010001")
    site.say(1, "010000")
    running = site.book.walk_test()
    one, two = site.book.stop_test(None, "Bob")
    assert running == (one, two)
    assert (one.zone, one.by, one.since) == (1, "Ann", began_at)
    assert (one.activations, one.activated_at) == (2, activated_at)
    assert one.latency == 0
    assert (two.activations, two.activated_at, two.latency) == (0, None, None)
    ended = site.events[-1]
    assert (ended.kind, ended.zones, ended.by) == (
        EventKind.WALK_TEST_ENDED,
        (1, 2),
        "Bob",
    )
    assert zones(site.events) == []
    assert site.book.stop_test(None, "Bob") == ()
    assert zones(site.say(1, "010001")) == [1]


def test_a_zone_still_in_alarm_at_the_end_of_its_test_is_a_fire() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    site.book.start_test({1}, "Ann", site.wall + 60)
    site.say(1, "010001")
    ended, alarm = site.wait(60)
    assert (ended.kind, ended.by) == (EventKind.WALK_TEST_ENDED, None)
    assert alarm.kind is ALARM
    assert site.fire
    assert not site.book.impairments()
    test, fire = site.book.occurrences()
    assert (test.test, test.is_standing) == (True, False)
    assert (fire.is_fire, fire.is_first, fire.is_standing) == (True, True, True)


def test_what_a_walk_test_may_not_do() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010001")
    day = MAX_TEST_SECONDS
    for chosen, until, reason, meant in (
        ({1, 2}, 60.0, Refusal.ZONE_IN_ALARM, (1,)),
        ({2, 6}, 60.0, Refusal.UNKNOWN_ZONE, (6,)),
        ({2}, 0.0, Refusal.UNTIL_NOT_IN_FUTURE, (2,)),
        ({2}, day + 1, Refusal.TEST_TOO_LONG, (2,)),
    ):
        with pytest.raises(RefusedError, match=reason) as refused:
            site.book.start_test(chosen, "Ann", site.wall + until)
        assert (refused.value.reason, refused.value.zones) == (reason, meant)
    site.book.start_test((), "Ann", site.wall + 60)
    assert not site.book.impairments()


def test_a_disabled_zone_is_never_silent() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    site.book.disable([1], "Ann", "wet detector", site.wall + 600)
    (entry,) = site.book.impairments()
    assert (entry.zone, entry.kind) == (1, ImpairmentKind.DISABLED)
    assert (entry.by, entry.why, entry.until) == (
        "Ann",
        "wet detector",
        site.wall + 600,
    )
    disabled = site.events[-1]
    assert (disabled.kind, disabled.by, disabled.why, disabled.until) == (
        EventKind.DISABLED,
        "Ann",
        "wet detector",
        entry.until,
    )
    (event,) = site.say(1, "010101")[:1]
    assert event.kind is EventKind.DISABLED_ZONE_ALARM
    assert (one := site.alarm_of(1)) is not None
    assert one.disabled
    assert (one := site.trouble_of(1)) is not None
    assert one.disabled
    assert EventKind.TROUBLE in kinds(site.events)
    assert site.truth.zones[1].alarm
    assert not site.fire
    enabled, alarm = site.wait(600)
    assert (enabled.kind, enabled.by) == (EventKind.ENABLED, None)
    assert alarm.kind is ALARM
    assert site.fire


def test_a_disabled_zone_that_is_calm_again_tells_nothing() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    site.book.disable([1], "Ann", "")
    site.say(1, "010001")
    assert site.say(1, "010000") == []
    assert site.book.enable([1], "Bob")
    assert not site.book.enable([1], "Bob")
    assert site.events[-1].by == "Bob"
    assert not site.fire


def test_disabling_a_zone_in_alarm() -> None:
    site = BookedSite(node(1, 1), node(2, 2))
    site.say(1, "010001")
    site.say(2, "020000")
    site.book.disable([1], "Ann", "wet detector")
    assert kinds(site.events[-2:]) == [
        EventKind.DISABLED,
        EventKind.DISABLED_ZONE_ALARM,
    ]
    assert site.truth.zones[1].alarm
    assert not site.fire
    assert zones(site.say(2, "020001")) == [6]
    assert site.book.standing()[-1].is_first
    site.book.enable([1], "Ann")
    assert site.events[-1].kind is ALARM
    assert [one.order for one in site.book.standing()] == [1, 2]


def test_what_cannot_be_disabled() -> None:
    site = BookedSite(node(1, 1))
    with pytest.raises(RefusedError, match=Refusal.UNKNOWN_ZONE):
        site.book.disable([6], "Ann", "")
    with pytest.raises(RefusedError, match=Refusal.UNTIL_NOT_IN_FUTURE):
        site.book.disable([1], "Ann", "", site.wall)


def test_an_alarm_lamp_without_a_zone_is_a_fire_even_in_a_test() -> None:
    site = BookedSite(node(1, 1), node(2, 2))
    site.say(1, "010000")
    site.book.start_test({1}, "Ann", site.wall + 60)
    site.say(1, "010001", master=ALARM_LED)
    assert not site.fire
    site.say(2, "02XX01", master=ALARM_LED)
    assert site.fire
