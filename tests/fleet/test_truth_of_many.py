"""One truth out of many sources: any alarm, one all-clear, loads spread evenly."""

from dataclasses import replace

import pytest

from custom_components.esp32_fire_alarm.fleet.models import (
    EdgeKind,
    Takeover,
)
from custom_components.esp32_fire_alarm.fleet.ownership import (
    assign_owners,
    pick_stand_in,
)
from custom_components.esp32_fire_alarm.fleet.truth import CARRY_SECONDS
from custom_components.esp32_fire_alarm.fleet.word import (
    OWNER_STABLE_SECONDS,
)

from .truth_site import ALARM_LED, HOLD_SECONDS, Site, kinds, node


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
