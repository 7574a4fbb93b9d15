"""The pool on real sockets: every way a node can fail, and the way back from it."""

import asyncio
from collections.abc import AsyncIterator
import itertools

import pytest

from custom_components.esp32_fire_alarm.fleet.health import (
    HealthReason,
    LinkState,
    Verdict,
)
from custom_components.esp32_fire_alarm.fleet.link import LinkFault
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.fleet.timing import (
    MIN_ATTEMPT_GAP_SECONDS,
    SLOTS_FULL_GAP_SECONDS,
    Supervision,
)
from sim.faults import Fault
from sim.fleet import SimulatedFleet
from sim.layout import Layout

from .rig import FakeClock, Rig, configs_of, connect_all, running, until

pytestmark = pytest.mark.usefixtures("loopback")

FAST = 0.05
"""A frame cycle in real seconds, so that nothing has to be waited for."""


@pytest.fixture
async def fleet() -> AsyncIterator[SimulatedFleet]:
    """Three nodes, each with one module."""
    async with SimulatedFleet(count=3, port=0, cycle_seconds=FAST) as fleet:
        yield fleet


@pytest.fixture
async def rig(fleet: SimulatedFleet, clock: FakeClock) -> AsyncIterator[Rig]:
    """The engine, connected to all three."""
    async with running(configs_of(fleet), clock=clock) as rig:
        await connect_all(rig, clock, 3)
        yield rig


async def comes_back(rig: Rig, clock: FakeClock, seconds: float = 70.0) -> None:
    """Let time pass until all three nodes are heard again."""
    for _ in range(int(seconds / 0.5)):
        if rig.connected == 3:
            return
        await clock.advance(0.5)
        await asyncio.sleep(0.002)
    await until(lambda: rig.connected == 3)


async def test_a_healthy_fleet(
    rig: Rig, clock: FakeClock, fleet: SimulatedFleet
) -> None:
    """All connected with exactly one slot each; telemetry and round trip known."""
    await clock.advance(0.5)
    health = rig.health.assess(1)
    assert health.verdict is Verdict.HEALTHY
    assert health.reason is HealthReason.OK
    assert health.clients == 1
    assert health.free_heap is not None
    assert [node.clients for node in fleet.nodes] == [1, 1, 1]
    assert rig.truth.summary().zones_supervised == 15


async def test_closing_gives_every_slot_back(
    fleet: SimulatedFleet, clock: FakeClock
) -> None:
    """When the engine stops, no node keeps a client."""
    async with running(configs_of(fleet), clock=clock) as rig:
        await connect_all(rig, clock, 3)
    await until(lambda: fleet.clients == 0)


@pytest.mark.parametrize(
    ("fault", "reasons"),
    [
        (Fault.REFUSE, {LinkFault.REFUSED}),
        (Fault.RESET, {LinkFault.SLOTS_FULL}),
    ],
)
async def test_a_lost_node_is_lost_alone_and_comes_back(
    rig: Rig,
    clock: FakeClock,
    fleet: SimulatedFleet,
    fault: Fault,
    reasons: set[LinkFault],
) -> None:
    """The loss is noticed at once, the others go on, the node returns."""
    fleet.node(2).fault(fault)
    await until(lambda: rig.connected == 2)
    assert rig.truth.zones[6].held
    for _ in range(8):
        await clock.advance(1)
    assert rig.health.assess(2).reason in reasons
    assert rig.health.assess(2).verdict is not Verdict.HEALTHY
    assert rig.truth.zones[1].available
    assert not rig.truth.zones[1].held
    fleet.node(2).heal()
    await comes_back(rig, clock)
    assert rig.truth.zones[6].available
    assert rig.health.assess(2).reconnects_24h >= 1


async def test_a_half_open_link_is_noticed_within_10_seconds(
    rig: Rig, clock: FakeClock, fleet: SimulatedFleet
) -> None:
    """Pings bring nothing back: cut, held, and unavailable within 61 s."""
    fleet.ap_flap(3600)
    began = clock.now()
    while rig.connected:
        await clock.advance(0.5)
        assert clock.now() - began <= 10.5
    assert {rig.health.record(n).fault for n in (1, 2, 3)} <= {
        LinkFault.HALF_OPEN,
        LinkFault.SILENT,
    }
    while rig.truth.zones[1].available:
        await clock.advance(0.5)
        assert clock.now() - began <= 61
    assert rig.truth.summary().trouble


async def test_a_silent_node_is_noticed_within_15_seconds(
    rig: Rig, clock: FakeClock, fleet: SimulatedFleet
) -> None:
    """It answers pings but sends nothing: shown as silent, then cut."""
    fleet.node(2).fault(Fault.SILENT)
    await asyncio.sleep(2 * FAST)
    began = clock.now()
    seen = set()
    while rig.truth.is_fresh(2):
        seen.add(rig.state(2))
        await clock.advance(0.5)
        await asyncio.sleep(1.2 * FAST)
        assert clock.now() - began <= 15
    assert LinkState.SILENT in seen
    assert rig.health.record(2).fault is LinkFault.SILENT


async def test_a_node_that_accepts_and_never_speaks(
    fleet: SimulatedFleet, clock: FakeClock
) -> None:
    """Connected is not heard: its zones are never available, and it is retried."""
    fleet.node(2).fault(Fault.SILENT)
    async with running(configs_of(fleet), clock=clock) as rig:
        await connect_all(rig, clock, 2)
        for _ in range(40):
            await clock.advance(0.5)
            await asyncio.sleep(0.02)
        assert rig.health.record(2).fault is LinkFault.SILENT
        assert rig.health.record(2).connects >= 1
        assert not rig.truth.zones[6].available


@pytest.mark.parametrize("fault", [Fault.GARBAGE, Fault.DEEP_JSON])
async def test_a_node_that_says_nothing_of_zones_is_silent(
    rig: Rig, clock: FakeClock, fleet: SimulatedFleet, fault: Fault
) -> None:
    """Whatever else it sends: nobody knows its zones, so they are not shown normal."""
    fleet.node(2).fault(fault, for_seconds=3600)
    await asyncio.sleep(2 * FAST)
    began = clock.now()
    while rig.truth.zones[6].available:
        await clock.advance(0.5)
        await asyncio.sleep(FAST / 4)
        assert clock.now() - began <= 61
    assert rig.health.record(2).fault is LinkFault.SILENT
    assert rig.health.record(2).malformed + rig.health.record(2).ignored > 0
    assert rig.health.record(1).connects == rig.health.record(3).connects == 1
    fleet.node(2).heal()
    await comes_back(rig, clock)
    assert rig.truth.zones[6].available


@pytest.mark.parametrize("fault", [Fault.NO_PONG, Fault.WRONG_PONG])
async def test_without_pongs_data_keeps_the_link(
    rig: Rig, clock: FakeClock, fleet: SimulatedFleet, fault: Fault
) -> None:
    """A firmware with broken pongs is no dead node while frames come."""
    fleet.node(2).fault(fault)
    for _ in range(40):
        await clock.advance(0.5)
        await asyncio.sleep(FAST / 2)
    assert rig.connected == 3
    assert rig.health.record(2).connects == 1


async def test_data_age_only_sends_no_control_frames(
    fleet: SimulatedFleet, clock: FakeClock
) -> None:
    """With pings off neither pings nor pongs are sent; silence still counts."""
    supervision = Supervision(pings=False)
    async with running(configs_of(fleet), clock=clock, supervision=supervision) as rig:
        await connect_all(rig, clock, 3)
        await clock.advance(1)
        assert rig.health.assess(1).round_trip_seconds is None
        fleet.ap_flap(3600)
        await clock.advance(15)
        assert rig.connected == 0


async def test_who_talks_is_asked_once_a_minute_and_who_is_quiet_at_once(
    rig: Rig, clock: FakeClock, fleet: SimulatedFleet
) -> None:
    """Frames prove more than pings; a round trip is measured all the same."""
    meter = fleet.meter
    await until(lambda: meter.pings_received == 3)
    for _ in range(58):
        await clock.advance(1)
        await asyncio.sleep(1.5 * FAST)
    assert meter.pings_received == 3
    for _ in range(4):
        await clock.advance(1)
        await asyncio.sleep(1.5 * FAST)
    assert meter.pings_received == 6
    assert rig.health.record(2).round_trip_seconds is not None
    fleet.node(2).fault(Fault.SILENT)
    await asyncio.sleep(2 * FAST)
    for _ in range(10):
        await clock.advance(0.5)
        await asyncio.sleep(1.5 * FAST)
    assert meter.pings_received == 7
    assert rig.truth.is_fresh(2)


async def test_full_slots_are_tried_gently_and_named(
    rig: Rig, clock: FakeClock, fleet: SimulatedFleet
) -> None:
    """Somebody else holds the slots: degraded, not lost, and rarely asked."""
    fleet.node(2).fault(Fault.FULL_SLOTS)
    fleet.node(2).close_clients(1001)
    await until(lambda: rig.connected == 2)
    for _ in range(120):
        await clock.advance(0.5)
    knocks = [knock for knock in fleet.meter.connections if knock.node == 2]
    assert rig.health.assess(2).reason is LinkFault.SLOTS_FULL
    assert rig.health.assess(2).verdict is Verdict.DEGRADED
    # The first connect, then the gentle ones.
    assert 2 <= len(knocks) <= 2 + 60 / SLOTS_FULL_GAP_SECONDS
    fleet.node(2).heal()
    await comes_back(rig, clock)


async def test_no_node_is_tried_twice_within_three_seconds(
    rig: Rig, clock: FakeClock, fleet: SimulatedFleet
) -> None:
    """However it fails, a node has three seconds between two attempts."""
    attempts: list[float] = []
    record = rig.health.record(2)
    fleet.node(2).fault(Fault.REFUSE)
    for _ in range(240):
        await clock.advance(0.5)
        attempts += [
            change.at
            for change in record.timeline
            if change.state is LinkState.CONNECTING and change.at not in attempts
        ]
    gaps = [later - earlier for earlier, later in itertools.pairwise(attempts)]
    assert len(attempts) >= 4
    assert min(gaps) >= MIN_ATTEMPT_GAP_SECONDS


async def test_a_name_that_does_not_exist(clock: FakeClock) -> None:
    """Nothing raises; the reason is known; it is tried again."""
    config = NodeConfig(1, DeviceAddress("no-such-node.invalid", 81), (1,))
    async with running([config], clock=clock) as rig:
        await clock.advance(0.2)
        await until(lambda: rig.health.record(1).fault is not None, 5)
        assert rig.health.record(1).fault in (
            LinkFault.NAME_NOT_FOUND,
            LinkFault.UNREACHABLE,
        )


async def test_a_reboot_is_counted_once(
    rig: Rig, clock: FakeClock, fleet: SimulatedFleet
) -> None:
    """The uptime starts over: one reboot, one reconnect."""
    fleet.node(2).fault(Fault.REBOOT, for_seconds=0.1)
    await until(lambda: rig.connected == 2)
    await comes_back(rig, clock)
    await clock.advance(31)
    assert rig.health.record(2).reconnects_at


async def test_bad_frames_are_counted_and_survived(
    rig: Rig, clock: FakeClock, fleet: SimulatedFleet
) -> None:
    """Rubbish costs a count, not the link."""
    fleet.node(2).send_raw(b"{nonsense")
    fleet.node(2).send_raw(b"\xff\xfe")
    await until(lambda: rig.health.record(2).malformed == 1)
    assert rig.connected == 3
    assert rig.health.assess(2).reason is HealthReason.MALFORMED


@pytest.mark.parametrize(
    ("layout", "nodes"),
    [(Layout.DISTRIBUTED, 63), (Layout.BRIDGE, 1), (Layout.MIXED, 33)],
)
async def test_a_full_site(clock: FakeClock, layout: Layout, nodes: int) -> None:
    """315 zones over real sockets: all supervised; one alarm is one zone's."""
    async with (
        SimulatedFleet(layout, port=0, cycle_seconds=0.3) as fleet,
        running(configs_of(fleet), clock=clock) as rig,
    ):
        await connect_all(rig, clock, nodes)
        assert rig.truth.summary().zones_supervised == 315
        fleet.alarm(17)
        await until(lambda: rig.truth.zones[17].alarm)
        await asyncio.sleep(0.4)
        assert rig.alarms() == [17]
        assert rig.truth.summary().in_alarm == (17,)
        fleet.clear(17)
        await until(lambda: not rig.truth.zones[17].alarm)


async def test_one_absent_node_hinders_nobody(clock: FakeClock) -> None:
    """62 of 63 work; the five zones of the absent one are unavailable."""
    async with (
        SimulatedFleet(port=0, absent={7}, cycle_seconds=0.3) as fleet,
        running(configs_of(fleet), clock=clock) as rig,
    ):
        await connect_all(rig, clock, 62)
        assert rig.truth.summary().zones_supervised == 310
        assert not any(rig.truth.zones[zone].available for zone in range(31, 36))


async def test_a_slow_handshake_holds_up_nobody(
    clock: FakeClock, fleet: SimulatedFleet
) -> None:
    """The others are heard long before; the slow one follows, with one attempt."""
    fleet.node(2).fault(Fault.SLOW_HANDSHAKE, 0.8)
    async with running(configs_of(fleet), clock=clock) as rig:
        await connect_all(rig, clock, 2)
        assert not rig.truth.is_fresh(2)
        assert rig.state(2) is LinkState.CONNECTING
        await until(lambda: rig.connected == 3)
        knocks = [knock for knock in fleet.meter.connections if knock.node == 2]
        assert len(knocks) == 1
