"""One truth out of many sources: alarms kept, all-clears earned, silence never clear."""

from dataclasses import replace

import pytest

from custom_components.esp32_fire_alarm.fleet.frame import decode
from custom_components.esp32_fire_alarm.fleet.models import (
    DeviceAddress,
    EdgeKind,
    Led,
    NodeConfig,
    SiteUpdate,
    Takeover,
    ZoneState,
)
from custom_components.esp32_fire_alarm.fleet.ownership import (
    assign_owners,
    pick_stand_in,
)
from custom_components.esp32_fire_alarm.fleet.truth import CARRY_SECONDS, SiteTruth
from custom_components.esp32_fire_alarm.fleet.word import (
    MISSED_FRAMES,
    OWNER_STABLE_SECONDS,
    TROUBLE_LED_FRAMES,
)

HOLD_SECONDS = 45.0
QUIET = "41DF"
ALARM_LED = "41CF"
TROUBLE_LED = "41D7"
DRILL_AND_ALARM = "41CB"


def node(number: int, *modules: int, offset: int = 0) -> NodeConfig:
    """Return a node that carries the modules."""
    return NodeConfig(
        number, DeviceAddress(f"127.0.0.{number + 1}"), modules, offset=offset
    )


class Site:
    """A truth with a hand on its clock and the frames in short."""

    def __init__(self, *nodes: NodeConfig) -> None:
        self.now = 1000.0
        self.truth = SiteTruth(nodes, hold_seconds=HOLD_SECONDS, now=self.now)

    def say(self, number: int, *segments: str, master: str = QUIET) -> SiteUpdate:
        """Let a node send one frame, one second later."""
        self.now += 1
        frame = decode("".join((master, *(f"<STX>{s}" for s in segments))).encode())
        return self.truth.apply(number, frame, self.now)

    def lose(self, number: int) -> SiteUpdate:
        """Cut a node's link."""
        return self.truth.lose(number, self.now)

    def wait(self, seconds: float) -> SiteUpdate:
        """Let time pass."""
        self.now += seconds
        return self.truth.tick(self.now)

    def zone(self, number: int) -> ZoneState:
        """Return a zone."""
        return self.truth.zones[number]


def kinds(update: SiteUpdate) -> list[tuple[EdgeKind, int]]:
    """Return the edges of an update in short."""
    return [(edge.kind, edge.zone) for edge in update.edges]


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


def test_alarm_is_believed_from_any_source() -> None:
    """A node that is not the active source may raise an alarm, once."""
    site = Site(node(1, 1), node(2, 1, 2))
    site.say(1, "010000")
    site.say(2, "010000", "020000")
    assert site.truth.modules[1].source == 1
    update = site.say(2, "010001", "020000")
    assert kinds(update) == [(EdgeKind.ALARM, 1)]
    assert update.edges[0].source == 2
    assert not site.say(1, "010001").edges


def test_all_clear_needs_every_source() -> None:
    """As long as one fresh source reports the alarm it stands."""
    site = Site(node(1, 1), node(2, 1, 2))
    site.say(1, "010001")
    site.say(2, "010001", "020000")
    assert not site.say(1, "010000").edges
    assert kinds(site.say(2, "010000", "020000")) == [(EdgeKind.ALARM_RESTORED, 1)]


def test_trouble_is_the_active_sources_word() -> None:
    """A trouble that only another node reports is not believed."""
    site = Site(node(1, 1), node(2, 1, 2))
    site.say(1, "010000")
    site.say(2, "010100", "020000")
    assert not site.zone(1).trouble
    assert kinds(site.say(1, "010100")) == [(EdgeKind.TROUBLE, 1)]


def test_a_stand_in_takes_over_without_a_glitch() -> None:
    """Losing the owner during an alarm changes the source and nothing else."""
    site = Site(node(1, 1), node(2, 1, 2))
    site.say(1, "010002")
    site.say(2, "010002", "020000")
    before = site.zone(2)
    update = site.lose(1)
    assert update.takeovers == (Takeover(1, 1, 2),)
    assert not update.edges
    assert not update.zones
    assert site.zone(2) == before
    assert site.truth.active_modules(2) == 2
    assert kinds(site.say(2, "010000", "020000")) == [(EdgeKind.ALARM_RESTORED, 2)]


def test_the_owner_comes_back_when_it_is_stable() -> None:
    """A returned owner waits for a minute before its word counts again."""
    site = Site(node(1, 1), node(2, 1, 2))
    site.say(1, "010000")
    site.say(2, "010000", "020000")
    site.lose(1)
    assert not site.say(1, "010000").takeovers
    assert site.truth.modules[1].source == 2
    assert not site.wait(OWNER_STABLE_SECONDS - 1).takeovers
    assert site.wait(1).takeovers == (Takeover(1, 2, 1),)
    assert not site.wait(1)


def test_a_stand_in_that_never_saw_the_alarm_must_insist() -> None:
    """The clear of a node that missed the alarm counts after 45 s, not at once."""
    site = Site(node(1, 1), node(2, 1, 2))
    site.say(2, "010000", "020000")
    site.say(1, "010001")
    site.lose(1)
    site.say(2, "010000", "020000")
    assert site.zone(1).alarm
    assert not site.wait(CARRY_SECONDS - 2).edges
    assert kinds(site.wait(2)) == [(EdgeKind.ALARM_RESTORED, 1)]


def test_a_stand_in_that_comes_late_must_insist_as_well() -> None:
    """The wait counts from the stand-in's first word, not from the loss."""
    site = Site(node(1, 1), node(2, 1, 2))
    site.say(1, "010001")
    site.lose(1)
    site.wait(600)
    site.say(2, "010000", "020000")
    assert site.zone(1).alarm
    site.lose(2)
    site.wait(600)
    assert site.zone(1).alarm
    site.say(2, "010000", "020000")
    assert site.zone(1).alarm
    site.wait(CARRY_SECONDS)
    assert not site.zone(1).alarm


def test_an_online_source_beats_an_owner_that_calls_the_module_offline() -> None:
    """One node's missing answer does not hide what another one hears."""
    site = Site(node(1, 1), node(2, 1, 2))
    site.say(1, "010000")
    site.say(2, "010000", "020000")
    assert site.say(1, "01").takeovers == (Takeover(1, 1, 2),)
    assert site.zone(1).available


def test_a_stranger_is_believed_in_alarm_only() -> None:
    """A node that should not carry the module cannot clear it or stand in for it."""
    site = Site(node(1, 1), node(2, 2))
    site.say(1, "010001")
    site.say(2, "020000", "010000")
    site.lose(1)
    site.wait(3600)
    assert site.zone(1).alarm
    assert site.truth.modules[1].source is None
    assert not site.zone(2).available
    assert kinds(site.say(2, "020000", "010002")) == [(EdgeKind.ALARM, 2)]
    assert not site.zone(2).available


def test_alarm_known_from_before_a_restart() -> None:
    """A restored alarm stands until the first word of an active source."""
    site = Site(node(1, 1))
    assert site.truth.restore_alarm(3, site.now).zones[3].alarm
    assert not site.truth.restore_alarm(3, site.now)
    assert not site.truth.restore_alarm(99, site.now)
    site.wait(600)
    assert site.zone(3).alarm
    assert kinds(site.say(1, "010000")) == [(EdgeKind.ALARM_RESTORED, 3)]


def test_a_restored_alarm_that_still_stands_is_not_new() -> None:
    """The node's first frame confirms it without another edge."""
    site = Site(node(1, 1))
    site.truth.restore_alarm(3, site.now)
    assert not site.say(1, "010004").edges


def test_a_lit_alarm_lamp_is_fire_without_a_zone() -> None:
    """A panel in alarm whose zone cannot be read still is a site in alarm."""
    site = Site(node(1, 1))
    site.say(1, "010000", "02XX01", master=ALARM_LED)
    assert site.truth.summary().fire
    assert site.truth.summary().in_alarm == ()


def test_first_alarm_first() -> None:
    """The summary keeps the order in which zones went into alarm."""
    site = Site(node(1, 1), node(2, 2))
    site.say(1, "010000")
    site.say(2, "020010")
    site.say(1, "010001")
    assert site.truth.summary().in_alarm == (10, 1)


def test_owners_are_specific_and_evenly_spread() -> None:
    """Single-module nodes own theirs; two bridges share the rest evenly."""
    single = node(1, 5)
    bridges = [node(2, *range(1, 64)), node(3, *range(1, 64))]
    owners = assign_owners([single, *bridges])
    assert owners[5] == 1
    counts = [list(owners.values()).count(number) for number in (2, 3)]
    assert counts == [31, 31]
    assert list(owners) == list(range(1, 64))


def test_the_stand_in_is_healthy_then_least_loaded() -> None:
    """Health comes before load, load before order."""
    assert pick_stand_in([1, 2, 3], {1: 5, 2: 1}, lambda n: n == 3) == 2
    assert pick_stand_in([1, 2], {1: 0, 2: 0}, lambda n: 0) == 1
    with pytest.raises(ValueError):
        pick_stand_in([], {}, lambda n: 0)


def test_loads_stay_even_when_a_bridge_is_lost() -> None:
    """The modules of a lost bridge go to the other two in equal shares."""
    everything = tuple(range(1, 61))
    site = Site(*(replace(node(n), modules=everything) for n in (1, 2, 3)))
    segments = [f"{module:02d}0000" for module in everything]
    for number in (1, 2, 3):
        site.say(number, *segments)
    site.say(1, *segments)
    assert [site.truth.active_modules(n) for n in (1, 2, 3)] == [20, 20, 20]
    site.lose(1)
    assert [site.truth.active_modules(n) for n in (1, 2, 3)] == [0, 30, 30]


def test_shares_even_out_when_a_bridge_returns() -> None:
    """What an absent bridge left behind is shared anew, once, by stable nodes."""
    everything = tuple(range(1, 61))
    site = Site(*(replace(node(n), modules=everything) for n in (1, 2, 3)))
    segments = [f"{module:02d}0000" for module in everything]
    for number in (1, 2, 3):
        site.say(number, *segments)
    site.lose(1)
    site.lose(2)
    site.wait(HOLD_SECONDS)
    assert [site.truth.active_modules(n) for n in (1, 2, 3)] == [0, 0, 60]
    assert site.truth.summary().modules_stood_in == 40
    site.say(2, *segments)
    assert not site.wait(OWNER_STABLE_SECONDS - 1).takeovers
    moved = site.wait(1).takeovers
    assert [site.truth.active_modules(n) for n in (1, 2, 3)] == [0, 30, 30]
    assert len({one.module for one in moved}) == len(moved) == 30
    for _ in range(10):
        assert not site.wait(1).takeovers
    assert site.truth.summary().modules_stood_in == 20
