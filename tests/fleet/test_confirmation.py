"""Two-zone confirmation: sure by a second zone or by time, never in the way."""

from dataclasses import replace

from custom_components.esp32_fire_alarm.fleet.confirmation import (
    FIRST_KEPT_SECONDS,
    ConfirmationGroup,
)
from custom_components.esp32_fire_alarm.fleet.telling import (
    EventKind,
)

from .booked_site import (
    DRILL_AND_ALARM,
    BookedSite,
    kinds,
    node,
)

ALARM = EventKind.ALARM


GROUP = ConfirmationGroup("Kitchen", frozenset({1, 2, 6}))


def test_a_second_zone_confirms() -> None:
    site = BookedSite(node(1, 1), node(2, 2), groups=[GROUP])
    site.say(1, "010000")
    site.say(2, "020000")
    assert kinds(site.say(1, "010005")) == [ALARM, ALARM]
    alarm, confirmed = site.say(2, "020001")
    assert (alarm.kind, confirmed.kind) == (ALARM, EventKind.CONFIRMED_ALARM)
    assert (confirmed.group, confirmed.zones) == ("Kitchen", (1, 6))
    assert kinds(site.say(1, "010007")) == [ALARM]
    assert site.wait(600) == []


def test_two_zones_at_once_confirm_at_once() -> None:
    site = BookedSite(node(1, 1), groups=[GROUP])
    site.say(1, "010000")
    assert kinds(site.say(1, "010003")) == [ALARM, ALARM, EventKind.CONFIRMED_ALARM]


def test_a_single_alarm_is_confirmed_after_a_while() -> None:
    site = BookedSite(node(1, 1), groups=[GROUP])
    site.say(1, "010000")
    assert kinds(site.say(1, "010001", master=DRILL_AND_ALARM))[:1] == [ALARM]
    assert site.wait(59) == []
    (event,) = site.wait(1)
    assert (event.kind, event.zones) == (EventKind.CONFIRMED_ALARM, (1,))
    assert event.drill
    assert site.saves[-1]


def test_an_alarm_that_is_over_is_not_confirmed_by_time() -> None:
    site = BookedSite(node(1, 1), groups=[GROUP])
    site.say(1, "010000")
    site.say(1, "010001")
    site.say(1, "010000")
    assert site.wait(600) == []


def test_a_first_alarm_counts_for_five_minutes() -> None:
    site = BookedSite(node(1, 1), groups=[GROUP])
    site.say(1, "010000")
    site.say(1, "010001")
    site.say(1, "010000")
    site.wait(FIRST_KEPT_SECONDS - 10)
    assert kinds(site.say(1, "010002")) == [ALARM, EventKind.CONFIRMED_ALARM]
    site.say(1, "010000")
    site.say(1, "010001")
    site.say(1, "010000")
    site.wait(FIRST_KEPT_SECONDS)
    assert kinds(site.say(1, "010002")) == [ALARM]


def test_a_group_can_be_confirmed_again() -> None:
    site = BookedSite(node(1, 1), groups=[GROUP])
    site.say(1, "010000")
    for _ in range(3):
        assert EventKind.CONFIRMED_ALARM in kinds(site.say(1, "010003"))
        site.say(1, "010000")


def test_tests_and_disabled_zones_confirm_nothing() -> None:
    site = BookedSite(node(1, 1), groups=[GROUP])
    site.say(1, "010000")
    site.book.start_test({2}, "Ann", site.wall + 3600)
    site.say(1, "010003")
    assert EventKind.CONFIRMED_ALARM not in kinds(site.events)
    site.book.stop_test(None, "Ann")
    assert kinds(site.events[-2:]) == [ALARM, EventKind.CONFIRMED_ALARM]


def test_without_delay_the_first_alarm_is_enough() -> None:
    site = BookedSite(node(1, 1), groups=[replace(GROUP, delay_seconds=0)])
    site.say(1, "010000")
    assert kinds(site.say(1, "010001")) == [ALARM, EventKind.CONFIRMED_ALARM]


def test_a_confirmation_survives_a_restart() -> None:
    site = BookedSite(node(1, 1), groups=[GROUP])
    site.say(1, "010003")
    again = site.restart()
    again.say(1, "010003")
    assert again.wait(600) == []


def test_the_wait_for_confirmation_begins_anew_after_a_restart() -> None:
    site = BookedSite(node(1, 1), groups=[GROUP])
    site.say(1, "010001")
    again = site.restart(down_seconds=600)
    assert kinds(again.wait(59)) == [EventKind.NODE_LOST]
    assert kinds(again.wait(1)) == [EventKind.CONFIRMED_ALARM]
