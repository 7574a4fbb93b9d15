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


def test_other_groups_confirm_nothing_twice() -> None:
    """Renamed, or with more zones, it is the group that was confirmed."""
    site = BookedSite(node(1, 1), groups=[GROUP])
    site.say(1, "010003")
    for group in (
        replace(GROUP, name="Canteen"),
        ConfirmationGroup("Canteen", frozenset({1, 2, 6, 7})),
        ConfirmationGroup("Canteen", frozenset({2, 7}), delay_seconds=0),
    ):
        site.book.regroup([group])
        assert site.wait(600) == []
    assert site.saves[-1]
    assert site.on_disk.confirmed == ("Canteen",)


def test_other_groups_do_not_begin_the_wait_anew() -> None:
    site = BookedSite(node(1, 1), groups=[GROUP])
    site.say(1, "010001")
    site.wait(40)
    site.book.regroup([replace(GROUP, zones=frozenset({1, 7}))])
    assert site.wait(19) == []
    assert kinds(site.wait(1)) == [EventKind.CONFIRMED_ALARM]


def test_a_new_group_counts_what_stands() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010001")
    site.wait(600)
    site.book.regroup([GROUP])
    assert site.wait(59) == []
    assert kinds(site.wait(1)) == [EventKind.CONFIRMED_ALARM]
    site.book.regroup([])
    site.book.regroup([ConfirmationGroup("Hall", frozenset({1, 2}), delay_seconds=5)])
    assert site.wait(4) == []
    site.say(1, "010003")
    assert site.events[-1].group == "Hall"


def test_a_confirmed_group_that_loses_its_alarms_can_be_confirmed_again() -> None:
    """No output may stay out because the zones were others before."""
    site = BookedSite(node(1, 1), node(2, 2), groups=[GROUP])
    site.say(1, "010003")
    site.book.regroup([replace(GROUP, zones=frozenset({6, 7}))])
    assert site.wait(20) == []
    assert kinds(site.say(2, "020003"))[-1] is EventKind.CONFIRMED_ALARM


def test_a_confirmation_without_alarm_is_not_taken_up_again() -> None:
    site = BookedSite(node(1, 1), groups=[GROUP])
    site.say(1, "010003")
    stored = site.stored()
    assert isinstance(stored, dict)
    for one in stored["occurrences"]:
        one["ended_at"] = one["raised_at"] + 1
    again = BookedSite(node(1, 1), groups=[GROUP], now=2000, stored=stored)
    assert kinds(again.say(1, "010003"))[-1] is EventKind.CONFIRMED_ALARM
