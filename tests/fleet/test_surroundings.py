"""Nodes, sources, bells and lamps: told when they change, and only then."""

from custom_components.esp32_fire_alarm.fleet.gather import UpdateGatherer
from custom_components.esp32_fire_alarm.fleet.models import LatchMode, Led
from custom_components.esp32_fire_alarm.fleet.occurrence import BY_RECONFIGURATION
from custom_components.esp32_fire_alarm.fleet.telling import (
    EventKind,
)

from .booked_site import (
    ALARM_LED,
    HOLD_SECONDS,
    TROUBLE_LED,
    BookedSite,
    frame,
    kinds,
    node,
)

ALARM = EventKind.ALARM


def test_a_node_is_lost_when_it_is_given_up() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    for _ in range(5):
        assert site.lose(1) == []
        assert site.wait(HOLD_SECONDS - 1) == []
        assert site.say(1, "010000") == []
    site.lose(1)
    (event,) = site.wait(HOLD_SECONDS)
    assert (event.kind, event.node) == (EventKind.NODE_LOST, 1)
    assert site.wait(3600) == []
    assert kinds(site.say(1, "010000")) == [EventKind.NODE_RETURNED]


def test_a_node_that_never_came_is_lost_too() -> None:
    site = BookedSite(node(1, 1))
    assert kinds(site.wait(HOLD_SECONDS)) == [EventKind.NODE_LOST]
    again = site.restart()
    assert again.wait(HOLD_SECONDS) == []
    assert kinds(again.say(1, "010000")) == [EventKind.NODE_RETURNED]


def test_an_owner_that_comes_later_than_its_stand_in_is_no_failover() -> None:
    site = BookedSite(node(1, 1), node(2, 1, 2))
    site.say(2, "010000", "020000")
    assert site.truth.modules[1].source == 2
    assert site.say(1, "010000") == []
    assert site.truth.modules[1].source == 1
    assert kinds(site.say(1, "01")) == [EventKind.FAILOVER]
    assert kinds(site.say(1, "010000")) == [EventKind.FAILOVER]


def test_modules_that_move_together_are_one_failover() -> None:
    site = BookedSite(node(1, 1, 2, 3), node(2, 1, 2, 3, 4))
    site.say(1, "010000", "020000", "030000")
    site.say(2, "010000", "020000", "030000", "040000")
    (event,) = site.lose(1)
    assert (event.kind, event.modules) == (EventKind.FAILOVER, (1, 2, 3))


def test_a_bell_rings_and_falls_silent() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    (event,) = site.say(1, "010020")
    assert (event.kind, event.is_on, event.modules) == (EventKind.BELL, True, (1,))
    assert not event.found_on_resync
    assert site.say(1, "01") == []
    assert site.say(1, "010020") == []
    again = site.restart()
    assert again.say(1, "010020") == []
    (event,) = again.say(1, "010000")
    assert (event.kind, event.is_on) == (EventKind.BELL, False)


def test_a_bell_found_ringing() -> None:
    (event,) = BookedSite(node(1, 1)).say(1, "010020")
    assert event.found_on_resync


def test_the_panels_lamps() -> None:
    site = BookedSite(node(1, 1))
    assert site.say(1, "010000") == []
    (event,) = site.say(1, "010000", master=TROUBLE_LED)
    assert (event.kind, event.node) == (EventKind.PANEL_STATUS, 1)
    assert event.went_on == (Led.TROUBLE,)
    assert event.went_off == ()
    assert event.lit == (Led.DC, Led.TROUBLE)
    again = site.restart()
    assert again.say(1, "010000", master=TROUBLE_LED) == []
    again = again.restart()
    (event,) = again.say(1, "010000", master=ALARM_LED)
    assert event.found_on_resync
    assert (event.went_on, event.went_off) == ((Led.ALARM,), (Led.TROUBLE,))


def test_an_alarm_lamp_is_told_only_where_no_zone_tells_more() -> None:
    """The alarm is told; that its panel lights a lamp for it is the same news."""
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    assert kinds(site.say(1, "010001", master=ALARM_LED)) == [EventKind.ALARM]
    assert kinds(site.say(1, "010000")) == [EventKind.ALARM_RESTORED]
    (lit,) = site.say(1, "010000", master=ALARM_LED)
    assert lit.went_on == (Led.ALARM,)
    assert kinds(site.say(1, "010001", master=ALARM_LED)) == [EventKind.ALARM]
    restored, out = site.say(1, "010000")
    assert restored.kind is EventKind.ALARM_RESTORED
    assert out.went_off == (Led.ALARM,), "what was told lit is told out"


def test_a_lamp_that_lights_up_with_no_new_alarm_is_told() -> None:
    """The panel was reset, its alarm stands here, and the lamp lights up anew.

    Whether it is for the zone that stands or for another one, nobody knows.
    """
    site = BookedSite(node(1, 1))
    site.truth.latch = LatchMode.HOME_ASSISTANT
    site.say(1, "010000")
    assert kinds(site.say(1, "010001", master=ALARM_LED)) == [EventKind.ALARM]
    for segment in ("010000", "010001"):
        (out,) = site.say(1, segment)
        assert site.truth.zones[1].alarm
        assert out.went_off == (Led.ALARM,)
        (lit,) = site.say(1, segment, master=ALARM_LED)
        assert lit.went_on == (Led.ALARM,)


def test_a_lamp_that_is_lit_for_a_zone_nobody_is_told_of() -> None:
    """An alarm of a disabled zone is no fire; the lamp may be for more than that."""
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    site.book.disable({1}, "Ann", "painting")
    told, lit = site.say(1, "010001", master=ALARM_LED)
    assert told.kind is EventKind.DISABLED_ZONE_ALARM
    assert lit.went_on == (Led.ALARM,)


def test_what_is_taken_out_of_the_site_is_let_go() -> None:
    """A node goes, with all that stood in its zones; nothing else notices."""
    site = BookedSite(node(1, 1), node(2, 2))
    site.say(1, "010001")
    site.say(2, "020121", master=ALARM_LED)
    site.lose(2)
    site.wait(HOLD_SECONDS)
    site.truth.apply_nodes([node(1, 1)], site.now)
    (event,) = site.wait(1)
    assert (event.kind, event.zones, event.by) == (
        EventKind.RESET,
        (6,),
        BY_RECONFIGURATION,
    )
    assert [one.zone for one in site.book.standing()] == [1]
    memory = site.book.memory()
    assert (memory.lost, memory.bells, set(memory.lamps)) == ((), (), {1})
    site.truth.apply_nodes([node(1, 1), node(2, 2)], site.now)
    assert site.say(2, "020000") == []


def test_the_last_words_of_a_node_that_is_taken_out() -> None:
    """They were merged with its going into one update."""
    site = BookedSite(node(1, 1), node(2, 2))
    site.say(1, "010000")
    site.say(2, "020002", master=ALARM_LED)
    steps = UpdateGatherer()
    for words in ("020003", "020000", "020004"):
        steps.add(site.truth.apply(2, frame(words), site.now))
    steps.add(site.truth.apply_nodes([node(1, 1)], site.now))
    site.book.take(steps.finish())
    assert not site.book.standing()
    assert not site.fire
