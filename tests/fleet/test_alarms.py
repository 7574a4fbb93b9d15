"""The life of an alarm: raised and told once, kept, restored, acknowledged, reset."""

from custom_components.esp32_fire_alarm.fleet.gather import UpdateGatherer
from custom_components.esp32_fire_alarm.fleet.models import LatchMode
from custom_components.esp32_fire_alarm.fleet.occurrence import (
    BY_PANEL,
)
from custom_components.esp32_fire_alarm.fleet.telling import (
    EventKind,
)
from custom_components.esp32_fire_alarm.fleet.word import OWNER_STABLE_SECONDS

from .booked_site import (
    ALARM_LED,
    DRILL_AND_ALARM,
    DRILL_LED,
    EPOCH,
    HOLD_SECONDS,
    BookedSite,
    frame,
    kinds,
    node,
    zones,
)

ALARM = EventKind.ALARM
RESTORED = EventKind.ALARM_RESTORED


# Raised, told, restored.


def test_an_alarm_is_told_once_and_so_is_its_end() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    (event,) = site.say(1, "010002")
    assert (event.kind, event.at) == (ALARM, EPOCH + site.now)
    assert event.occurrence is not None
    assert event.occurrence.zone == 2
    assert event.occurrence.module == 1
    assert event.occurrence.is_first
    assert not event.found_on_resync
    assert site.say(1, "010002") == []
    (event,) = site.say(1, "010000")
    assert event.kind is RESTORED
    (one,) = site.book.occurrences()
    assert event.occurrence == one
    assert one.ended_at == one.restored_at == EPOCH + site.now
    assert one.reset_by is None
    assert not site.book.standing()
    assert not site.fire


def test_an_alarm_found_at_connect_is_told_as_found() -> None:
    site = BookedSite(node(1, 1))
    (event,) = site.say(1, "010001")
    assert (event.kind, event.found_on_resync) == (ALARM, True)


def test_a_flapping_link_tells_an_alarm_once() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    site.say(1, "010001")
    for seconds in (1, 10, HOLD_SECONDS + 1, 3600):
        site.lose(1)
        site.wait(seconds)
        assert site.fire
        site.say(1, "010001")
    assert zones(site.events) == [1]
    assert zones(site.events, RESTORED) == []
    assert zones(site.say(1, "010000"), RESTORED) == [1]


def test_a_failover_during_the_alarm_tells_nothing_of_it() -> None:
    site = BookedSite(node(1, 1), node(2, 1, 2))
    site.say(1, "010000")
    site.say(2, "010000", "020000")
    site.say(1, "010001")
    site.say(2, "010001", "020000")
    (event,) = site.lose(1)
    assert event.kind is EventKind.FAILOVER
    assert (event.node_before, event.node, event.modules) == (1, 2, (1,))
    assert kinds(site.wait(HOLD_SECONDS)) == [EventKind.NODE_LOST]
    assert kinds(site.say(1, "010001")) == [EventKind.NODE_RETURNED]
    (event,) = site.wait(OWNER_STABLE_SECONDS)
    assert (event.kind, event.node) == (EventKind.FAILOVER, 1)
    assert zones(site.events) == [1]


def test_one_alarm_from_two_sources_is_one() -> None:
    site = BookedSite(node(1, 1), node(2, 1, 2))
    site.say(1, "010000")
    site.say(2, "010000", "020000")
    (event,) = site.say(2, "010001", "020000")
    assert event.occurrence is not None
    assert event.occurrence.source == 2
    assert site.say(1, "010001") == []
    assert site.say(1, "010000") == []
    assert kinds(site.say(2, "010000", "020000")) == [RESTORED]


def test_an_alarm_that_comes_and_goes_in_one_update() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    steps = UpdateGatherer()
    for alarm in ("010001", "010000", "010001", "010000"):
        steps.add(site.truth.apply(1, frame(alarm), site.now))
    site.book.take(steps.finish())
    assert kinds(site.events) == [ALARM, RESTORED, ALARM, RESTORED]
    assert len({event.occurrence.id for event in site.events if event.occurrence}) == 2


def test_alarms_are_numbered_from_the_first() -> None:
    site = BookedSite(node(1, 1), node(2, 2))
    site.say(1, "010000")
    site.say(2, "020010")
    site.say(1, "010003")
    orders = [(one.zone, one.order) for one in site.book.standing()]
    assert orders == [(10, 1), (1, 2), (2, 3)]
    site.say(2, "020000")
    site.say(2, "020001")
    assert site.alarm_of(6) is not None
    assert site.book.standing()[-1].order == 4
    site.say(1, "010000")
    site.say(2, "020000")
    (event,) = site.say(1, "010004")
    assert event.occurrence is not None
    assert event.occurrence.order == 1


def test_a_full_storm_is_told_in_order() -> None:
    modules = tuple(range(1, 64))
    site = BookedSite(node(1, *modules))
    site.say(1, *(f"{module:02d}0000" for module in modules))
    events = site.say(1, *(f"{module:02d}1F1F" for module in modules))
    assert zones(events) == list(range(1, 316))
    assert set(kinds(events[:315])) == {ALARM}
    assert zones(events, EventKind.TROUBLE) == list(range(1, 316))
    orders = [event.occurrence.order for event in events[:315] if event.occurrence]
    assert orders == list(range(1, 316))
    assert site.saves[-1]


def test_troubles_have_a_life_of_their_own() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    (event,) = site.say(1, "010100")
    assert event.kind is EventKind.TROUBLE
    assert event.occurrence is not None
    assert event.occurrence.order is None
    site.lose(1)
    site.wait(3600)
    assert site.trouble_of(1)
    assert kinds(site.say(1, "010100")) == [EventKind.NODE_RETURNED]
    assert kinds(site.say(1, "010000")) == [EventKind.TROUBLE_RESTORED]


# The latch.


def test_the_panels_latch_keeps_input_and_display_apart() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    site.say(1, "010001", master=ALARM_LED)
    raised_at = site.wall
    assert site.say(1, "010000", master=ALARM_LED) == []
    one = site.alarm_of(1)
    assert one is not None
    assert (one.raised_at, one.restored_at) == (raised_at, site.wall)
    site.say(1, "010001", master=ALARM_LED)
    assert (one := site.alarm_of(1)) is not None
    assert one.restored_at is None
    site.say(1, "010000", master=ALARM_LED)
    restored_at = site.wall
    assert kinds(site.say(1, "010000")) == [RESTORED]
    (one,) = site.book.occurrences()
    assert one.restored_at == restored_at
    assert (one.reset_at, one.reset_by) == (site.wall, BY_PANEL)


def test_silence_says_nothing_about_the_input() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010001", master=ALARM_LED)
    site.lose(1)
    site.wait(3600)
    assert (one := site.alarm_of(1)) is not None
    assert one.restored_at is None
    site.say(1, "01", master=ALARM_LED)
    assert zones(site.say(1, "01"), RESTORED) == [1]
    (one,) = site.book.occurrences()
    assert one.restored_at is None
    assert one.reset_by == BY_PANEL


def test_without_a_latch_only_the_input_counts() -> None:
    site = BookedSite(node(1, 1), latch=LatchMode.NONE)
    site.say(1, "010001", master=ALARM_LED)
    assert zones(site.say(1, "010000", master=ALARM_LED), RESTORED) == [1]
    (one,) = site.book.occurrences()
    assert one.reset_by is None


def test_a_latch_of_home_assistant_waits_for_its_reset() -> None:
    site = BookedSite(node(1, 1), latch=LatchMode.HOME_ASSISTANT)
    site.say(1, "010001", master=ALARM_LED)
    site.say(1, "010000")
    site.wait(1)
    assert site.truth.zones[1].alarm
    assert site.fire
    assert zones(site.events, RESTORED) == []
    assert site.book.reset(None, "Ann") == ()
    assert kinds(site.events[-2:]) == [RESTORED, EventKind.RESET]
    assert site.alarm_of(1) is None
    (one,) = site.book.occurrences()
    assert one.restored_at is not None
    assert (one.reset_at, one.reset_by) == (site.wall, "Ann")
    assert one.reset_at is not None
    assert one.restored_at < one.reset_at


def test_a_reset_with_the_input_active_is_an_alarm_anew() -> None:
    site = BookedSite(node(1, 1), latch=LatchMode.HOME_ASSISTANT)
    site.say(1, "010003")
    site.book.acknowledge(None, "Ann")
    site.say(1, "010001")
    assert site.book.reset(None, "Ann") == (1,)
    assert site.truth.zones[1].alarm
    assert not site.truth.zones[2].alarm
    reset, alarm = site.events[-2:]
    assert (reset.kind, reset.zones, reset.by) == (EventKind.RESET, (1, 2), "Ann")
    assert alarm.kind is ALARM
    assert (one := site.alarm_of(1)) is not None
    assert one.acknowledged_at is None
    assert one.order == 1
    assert len(site.book.occurrences()) == 3


def test_a_reset_does_not_overrule_the_panel() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010001", master=ALARM_LED)
    assert site.book.reset({1, 2}, "Ann") == (1,)
    site.say(1, "010000", master=ALARM_LED)
    assert site.book.reset(None, "Ann") == (1,)
    assert EventKind.RESET not in kinds(site.events)
    assert site.fire


def test_a_reset_ends_the_alarm_of_a_node_that_is_gone_for_good() -> None:
    site = BookedSite(node(1, 1), node(2, 2))
    site.say(1, "010001")
    site.say(2, "020000")
    site.lose(1)
    assert site.book.reset(None, "Ann") == (1,)
    site.wait(HOLD_SECONDS)
    assert site.book.reset(None, "Ann") == ()
    assert kinds(site.events[-2:]) == [RESTORED, EventKind.RESET]
    assert not site.truth.zones[1].alarm
    assert not site.truth.zones[1].available
    (one,) = site.book.occurrences()
    assert (one.restored_at, one.reset_by) == (None, "Ann")
    assert zones(site.say(1, "010001")) == [1]


def test_a_reset_may_end_what_a_stand_in_denies() -> None:
    site = BookedSite(node(1, 1), node(2, 1, 2))
    site.say(2, "010000", "020000")
    site.say(1, "010001")
    site.lose(1)
    assert site.alarm_of(1)
    assert site.book.reset({1}, "Ann") == ()
    assert site.alarm_of(1) is None


def test_nothing_to_reset() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010100")
    assert site.book.reset(None, "Ann") == ()
    assert EventKind.RESET not in kinds(site.events)


# Acknowledging.


def test_acknowledging_once_says_who() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010103")
    seen = site.book.acknowledge({2}, "Ann")
    assert [(one.zone, one.acknowledged_by) for one in seen] == [(2, "Ann")]
    seen = site.book.acknowledge(None, "Bob")
    assert [(one.zone, one.kind) for one in seen] == [(1, "alarm"), (1, "trouble")]
    assert site.book.acknowledge(None, "Bob") == ()
    acts = [event for event in site.events if event.kind is EventKind.ACKNOWLEDGED]
    assert [(act.zones, act.by) for act in acts] == [((2,), "Ann"), ((1,), "Bob")]
    assert site.fire


# Drills.


def test_a_drill_is_no_fire() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    events = site.say(1, "010020", master=DRILL_LED)
    assert kinds(events) == [EventKind.BELL, EventKind.PANEL_STATUS]
    assert all(event.drill for event in events)
    assert not site.fire
    assert not site.book.occurrences()


def test_a_fire_in_a_drill_is_told_as_such() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010020", master=DRILL_LED)
    event = site.say(1, "010021", master=DRILL_AND_ALARM)[0]
    assert (event.kind, event.drill) == (ALARM, True)
    assert event.occurrence is not None
    assert event.occurrence.is_fire
    assert site.fire
