"""One truth: alarms kept, all-clears earned, silence never clear."""

from custom_components.esp32_fire_alarm.fleet.models import (
    EdgeKind,
    Led,
    ZoneState,
)
from custom_components.esp32_fire_alarm.fleet.word import (
    MISSED_FRAMES,
    TROUBLE_LED_FRAMES,
)

from .truth_site import ALARM_LED, HOLD_SECONDS, Site, kinds, node

TROUBLE_LED = "41D7"


DRILL_AND_ALARM = "41CB"


def test_before_the_first_frame_nothing_is_available() -> None:
    """A configured zone is unavailable until its node speaks; trouble after the hold."""
    site = Site(node(1, 1))
    assert site.zone(1) == ZoneState(1)
    assert not site.truth.summary().trouble
    site.wait(HOLD_SECONDS)
    assert site.truth.summary().trouble
    assert site.truth.is_given_up(1)
    assert not site.zone(1).available


def test_alarm_and_restore() -> None:
    """One edge each, the state in between."""
    site = Site(node(1, 1))
    site.say(1, "010000")
    assert site.zone(2) == ZoneState(2, available=True)
    update = site.say(1, "010002", master=ALARM_LED)
    assert kinds(update) == [(EdgeKind.ALARM, 2)]
    assert update.zones.keys() == {2}
    assert not update.edges[0].resync
    assert site.truth.summary().in_alarm == (2,)
    assert site.truth.summary().fire
    assert kinds(site.say(1, "010000")) == [(EdgeKind.ALARM_RESTORED, 2)]
    assert not site.truth.summary().fire


def test_an_unchanged_frame_changes_nothing() -> None:
    """The same frame again gives an empty update."""
    site = Site(node(1, 1))
    site.say(1, "010301")
    assert not site.say(1, "010301")


def test_alarm_found_on_connect_is_marked() -> None:
    """An alarm in the first frame is an alarm, found on resync."""
    site = Site(node(1, 1))
    update = site.say(1, "010001")
    assert kinds(update) == [(EdgeKind.ALARM, 1)]
    assert update.edges[0].resync


def test_alarms_come_before_troubles() -> None:
    """Edges are ordered alarms first, each kind by zone."""
    site = Site(node(1, 1, 2))
    site.say(1, "010000", "020000")
    assert kinds(site.say(1, "010300", "020102")) == [
        (EdgeKind.ALARM, 7),
        (EdgeKind.TROUBLE, 1),
        (EdgeKind.TROUBLE, 2),
        (EdgeKind.TROUBLE, 6),
    ]


def test_panel_latch_keeps_the_alarm() -> None:
    """While the Alarm LED is lit a zone stays in alarm though its bit is gone."""
    site = Site(node(1, 1))
    site.say(1, "010001", master=ALARM_LED)
    assert not site.say(1, "010000", master=ALARM_LED).edges
    assert site.zone(1).alarm
    assert not site.zone(1).live
    assert kinds(site.say(1, "010000")) == [(EdgeKind.ALARM_RESTORED, 1)]


def test_a_frame_without_master_word_keeps_the_latch() -> None:
    """What cannot be read does not reset a panel."""
    site = Site(node(1, 1))
    site.say(1, "010001", master=ALARM_LED)
    assert not site.say(1, "010000", master="").edges
    assert site.zone(1).alarm


def test_alarm_during_a_drill_is_told_with_the_drill() -> None:
    """A drill does not hide an alarm; the edge says that it was one."""
    site = Site(node(1, 1))
    update = site.say(1, "010001", master=DRILL_AND_ALARM)
    assert update.edges[0].drill


def test_loss_holds_then_makes_unavailable() -> None:
    """A lost link holds the last state for the hold, then nothing is known."""
    site = Site(node(1, 1))
    site.say(1, "010100")
    assert site.lose(1).nodes == {1}
    assert site.zone(2) == ZoneState(2, available=True, held=True)
    assert site.truth.leds(1) is not None
    assert not site.wait(HOLD_SECONDS - 1)
    update = site.wait(1)
    assert site.zone(2) == ZoneState(2)
    assert site.zone(1) == ZoneState(1, trouble=True)
    assert update.nodes == {1}
    assert site.truth.leds(1) is None
    assert site.truth.summary().zones_supervised == 0
    assert not site.lose(1)


def test_a_zone_in_alarm_stays_so_through_any_loss() -> None:
    """No hold ends an alarm; the first frame of the returned node does."""
    site = Site(node(1, 1))
    site.say(1, "010001")
    site.lose(1)
    site.wait(3600)
    assert site.zone(1).alarm
    assert site.truth.summary().fire
    assert not site.say(1, "010001").edges
    assert kinds(site.say(1, "010000")) == [(EdgeKind.ALARM_RESTORED, 1)]


def test_an_offline_module_is_unavailable_at_once() -> None:
    """An address without bytes says that the module does not answer."""
    site = Site(node(1, 1, 2))
    site.say(1, "010000", "020000")
    update = site.say(1, "010000", "02")
    assert update.modules[2].online is False
    assert site.zone(6) == ZoneState(6)
    assert site.zone(1).available
    assert site.truth.summary().modules_offline == 1


def test_an_offline_module_does_not_clear_its_alarm() -> None:
    """Only a panel reset or the module itself ends the alarm of a silent module."""
    site = Site(node(1, 1))
    site.say(1, "010001", master=ALARM_LED)
    site.say(1, "01", master=ALARM_LED)
    assert site.zone(1).alarm
    assert kinds(site.say(1, "01")) == [(EdgeKind.ALARM_RESTORED, 1)]
    assert not site.zone(1).available


def test_an_offline_module_without_lamp_keeps_its_alarm() -> None:
    """If the Alarm LED never lit, its being off proves nothing."""
    site = Site(node(1, 1))
    site.say(1, "010001")
    site.say(1, "01")
    site.say(1, "01")
    assert site.zone(1).alarm
    assert kinds(site.say(1, "010000")) == [(EdgeKind.ALARM_RESTORED, 1)]


def test_a_module_no_longer_listed() -> None:
    """Left out of three frames it is not reporting; one frame is no reason."""
    site = Site(node(1, 1, 2))
    site.say(1, "010000", "020000")
    for _ in range(MISSED_FRAMES - 1):
        assert not site.say(1, "010000")
        assert site.truth.is_settling(1)
    site.say(1, "010000")
    assert not site.truth.is_settling(1)
    assert site.zone(6) == ZoneState(6)
    site.say(1, "010000", "020000")
    assert site.zone(6).available


def test_a_counted_gap_starts_over_when_the_module_returns() -> None:
    """Only frames in a row count."""
    site = Site(node(1, 1, 2))
    for _ in range(5):
        site.say(1, "010000")
        site.say(1, "010000")
        site.say(1, "010000", "020000")
        assert site.zone(6).available


def test_the_trouble_lamp_blinks() -> None:
    """On at once; off only after four frames in a row without it."""
    site = Site(node(1, 1))
    site.say(1, "010000")
    assert site.say(1, "010000", master=TROUBLE_LED).nodes == {1}
    for _ in range(3):
        for _ in range(TROUBLE_LED_FRAMES - 1):
            assert not site.say(1, "010000")
            assert site.truth.is_settling(1)
        assert not site.say(1, "010000", master=TROUBLE_LED)
    for _ in range(TROUBLE_LED_FRAMES):
        assert Led.TROUBLE in (site.truth.leds(1) or ())
        site.say(1, "010000")
    assert Led.TROUBLE not in (site.truth.leds(1) or ())
    assert not site.truth.is_settling(1)


def test_the_offset_gives_the_site_address() -> None:
    """A firmware that calls its only module 01 is placed by its offset."""
    site = Site(node(7, 7, offset=6))
    assert kinds(site.say(7, "010001")) == [(EdgeKind.ALARM, 31)]
    site.say(7, "010000", "600000")
    assert site.truth.modules.keys() == {7}


def test_a_module_found_later_joins() -> None:
    """A module that answers for the first time becomes known; an empty place not."""
    site = Site(node(1, 1))
    update = site.say(1, "010000", "02", "030001")
    assert site.truth.modules.keys() == {1, 3}
    assert update.modules[3].owner == 1
    assert kinds(update) == [(EdgeKind.ALARM, 11)]
