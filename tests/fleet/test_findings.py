"""What is wrong is raised once, cleared once, and does not flicker."""

from dataclasses import replace

import pytest

from custom_components.esp32_fire_alarm.fleet.checkup import (
    LOST_LONG_SECONDS,
    MANY_NODES,
    STEADY_RECONNECTS,
    Checkup,
)
from custom_components.esp32_fire_alarm.fleet.findings import (
    STEADY_SECONDS,
    Finding,
    FindingBook,
    FindingKey,
    FindingKind,
)
from custom_components.esp32_fire_alarm.fleet.health import (
    DAY_SECONDS,
    UNSTABLE_RECONNECTS,
    HealthMonitor,
)
from custom_components.esp32_fire_alarm.fleet.link import LinkFault
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress

from .rig import FakeClock

FULL = Finding(FindingKey(FindingKind.SLOTS_FULL, (3,)), (3,))
SWAPPED = Finding(FindingKey(FindingKind.SWAPPED_NODES, (1, 2)), (1, 2))
MANY = Finding(FindingKey(FindingKind.UNSTABLE_LINK), (1, 2, 3, 4, 5, 6))
NOTHING: tuple[list[Finding], list[FindingKey]] = ([], [])


def test_raised_after_a_minute_cleared_after_another() -> None:
    book = FindingBook()
    assert book.update([FULL], 0) == NOTHING
    assert book.update([FULL], STEADY_SECONDS - 1) == NOTHING
    assert not book.raised
    assert book.update([FULL], STEADY_SECONDS) == ([FULL], [])
    assert book.update([FULL], STEADY_SECONDS + 5) == NOTHING
    assert book.raised == (FULL,)
    assert book.update([], 2 * STEADY_SECONDS) == NOTHING
    assert book.update([], 2 * STEADY_SECONDS + 5) == ([], [FULL.key])
    assert book.update([], 3 * STEADY_SECONDS) == NOTHING


def test_what_flickers_is_not_raised_and_what_is_raised_does_not_flicker() -> None:
    book = FindingBook()
    changes = [
        book.update([FULL] if second % 20 else [], float(second))
        for second in range(0, 600, 5)
    ]
    assert changes == [NOTHING] * len(changes)
    for second in range(600, 670, 5):
        book.update([FULL], float(second))
    assert book.raised == (FULL,)
    changes = [
        book.update([] if second % 20 else [FULL], float(second))
        for second in range(670, 1200, 5)
    ]
    assert changes == [NOTHING] * len(changes)


def test_what_changes_is_shown_anew() -> None:
    book = FindingBook()
    book.update([FULL], 0)
    book.update([FULL], 60)
    other = replace(FULL, address=DeviceAddress("10.0.0.9"))
    assert book.update([other], 65) == ([other], [])
    assert book.update([other], 70) == NOTHING


def test_findings_about_changed_nodes_are_dropped_at_once() -> None:
    """What is about many nodes is looked at anew whoever changed."""
    book = FindingBook()
    for now in (0, 60):
        book.update([FULL, SWAPPED, MANY], now)
    assert book.drop({9}) == [MANY.key]
    assert book.drop({2, 3}) == [FULL.key, SWAPPED.key]
    assert not book.raised
    book.update([FULL], 70)
    assert book.drop({3}) == []


def test_keys_make_identifiers() -> None:
    assert str(FULL.key) == "slots_full_3"
    assert str(SWAPPED.key) == "swapped_nodes_1_2"
    assert str(MANY.key) == "unstable_link"
    assert (
        str(FindingKey(FindingKind.DUPLICATE_MODULE, module=7)) == "duplicate_module_7"
    )


class Ward:
    """Nodes under observation."""

    def __init__(self, clock: FakeClock, count: int = 3) -> None:
        """Begin with healthy nodes that are all heard."""
        self.clock = clock
        self.nodes = set(range(1, count + 1))
        self.lost: dict[int, float] = {}
        self.health = HealthMonitor(clock.now, clock.now)
        self.checkup = Checkup(self.health, clock.now)

    def look(self) -> list[str]:
        """Return what is found, by key."""
        return [str(one.key) for one in self.checkup.look(self.nodes, self.lost)]


@pytest.fixture
def ward(clock: FakeClock) -> Ward:
    """Three nodes."""
    return Ward(clock)


def test_a_dead_standby(ward: Ward) -> None:
    assert ward.look() == []
    ward.health.note_standby(2, is_alive=False)
    assert ward.look() == ["standby_dead_2"]
    ward.health.note_standby(2, is_alive=True)
    assert ward.look() == []


def test_full_slots_matter_only_while_there_is_no_link(ward: Ward) -> None:
    ward.health.record(1).fault = LinkFault.SLOTS_FULL
    assert ward.look() == []
    ward.lost = {1: ward.clock.now(), 2: ward.clock.now()}
    assert ward.look() == ["slots_full_1"]


def test_lost_for_a_day_while_others_are_heard(ward: Ward) -> None:
    now = ward.clock.now()
    ward.lost = {1: now - LOST_LONG_SECONDS, 2: now - LOST_LONG_SECONDS + 1}
    assert ward.look() == ["node_lost_1"]
    # The whole network is gone: that is not the nodes' fault.
    ward.lost[3] = now
    assert ward.look() == []


async def test_an_unstable_link_must_become_quite_steady(ward: Ward) -> None:
    times = ward.health.record(3).reconnects_at
    for _ in range(UNSTABLE_RECONNECTS - 1):
        times.append(ward.clock.now())
    assert ward.look() == []
    await ward.clock.advance(DAY_SECONDS / 2)
    times.append(ward.clock.now())
    assert ward.look() == ["unstable_link_3"]
    for _ in range(STEADY_RECONNECTS - 1):
        times.append(ward.clock.now())
    await ward.clock.advance(DAY_SECONDS / 2 + 1)
    assert ward.health.reconnects_24h(3) == STEADY_RECONNECTS
    assert ward.look() == ["unstable_link_3"]
    await ward.clock.advance(DAY_SECONDS / 2)
    assert ward.look() == []


def test_many_with_the_same_trouble_are_one_finding(clock: FakeClock) -> None:
    ward = Ward(clock, 20)
    for node in range(1, MANY_NODES + 1):
        ward.health.note_standby(node, is_alive=False)
    assert len(ward.look()) == MANY_NODES
    ward.health.note_standby(20, is_alive=False)
    (only,) = ward.checkup.look(ward.nodes, {})
    assert str(only.key) == "standby_dead"
    assert only.nodes == (1, 2, 3, 4, 5, 20)
