"""A whole site gone and back: quick, but no storm."""

import asyncio
from collections import Counter
from dataclasses import replace
import itertools
from random import Random
import time

import pytest

from custom_components.esp32_fire_alarm.const import (
    HEARTBEAT_BOUNDS,
    HOLD_BOUNDS,
    MAX_FAULT_SECONDS,
    SILENCE_BOUNDS,
)
from custom_components.esp32_fire_alarm.fleet.health import LinkState
from custom_components.esp32_fire_alarm.fleet.timing import (
    MAX_CONNECTS_IN_FLIGHT,
    MIN_ATTEMPT_GAP_SECONDS,
    Supervision,
)
from sim.faults import Fault
from sim.fleet import SimulatedFleet

from .rig import FakeClock, Rig, configs_of, connect_all, running, until

pytestmark = pytest.mark.usefixtures("loopback")

NODES = 63
OUTAGE_SECONDS = 300
BACK_SECONDS = 30


def attempts(rig: Rig, since: float) -> dict[int, list[float]]:
    """Return when each node was tried after `since`."""
    return {
        node: [
            change.at
            for change in record.timeline
            if change.state is LinkState.CONNECTING and change.at >= since
        ]
        for node, record in rig.health.records.items()
    }


def print_timeline(title: str, times: list[float], began: float) -> None:
    """Show attempts per second over time."""
    print(f"\n{title}: {len(times)} attempts")
    for second, count in sorted(Counter(int(at - began) for at in times).items()):
        print(f"{second:5d} s  {'#' * count} {count}")


async def returns(rig: Rig, clock: FakeClock, limit_seconds: float) -> float:
    """Let time pass until all nodes are heard; return how long it took."""
    began = clock.now()
    while rig.connected < NODES:
        assert clock.now() - began <= limit_seconds, f"{rig.connected} are back"
        await clock.advance(0.1)
        await asyncio.sleep(0.004)
    return clock.now() - began


async def test_a_power_cut_of_the_whole_site(
    clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """All 63 are back within 30 s, with never more than eight handshakes at once."""
    async with (
        SimulatedFleet(port=0, cycle_seconds=0.2) as fleet,
        running(configs_of(fleet), clock=clock, chance=Random(63).random) as rig,  # noqa: S311
    ):
        await connect_all(rig, clock, NODES)
        for node in fleet.nodes:
            node.fault(Fault.REFUSE)
        cut = clock.now()
        await until(lambda: rig.connected == 0)
        await clock.advance(OUTAGE_SECONDS)
        assert rig.truth.summary().zones_supervised == 0
        for node in fleet.nodes:
            node.heal()
        back = clock.now()
        seconds = await returns(rig, clock, BACK_SECONDS)
        tried = attempts(rig, cut)
        with capsys.disabled():
            print_timeline(
                f"Power back after {OUTAGE_SECONDS} s, all heard after {seconds:.1f} s",
                [at for times in tried.values() for at in times if at >= back],
                back,
            )
        assert fleet.meter.opening_max <= MAX_CONNECTS_IN_FLIGHT
        assert rig.truth.summary().zones_supervised == 315
        for times in tried.values():
            gaps = [later - at for at, later in itertools.pairwise(times)]
            assert not gaps or min(gaps) >= MIN_ATTEMPT_GAP_SECONDS - 1e-6


async def test_an_access_point_flap(
    clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """All 63 half-open at once: held, never clear, and all back without a storm."""
    async with (
        SimulatedFleet(port=0, cycle_seconds=0.2) as fleet,
        running(
            configs_of(fleet), clock=clock, supervision=Supervision(hold_seconds=60)
        ) as rig,
    ):
        await connect_all(rig, clock, NODES)
        fleet.alarm(17)
        await until(lambda: rig.truth.zones[17].alarm)
        for node in fleet.nodes:
            node.fault(Fault.HALF_OPEN)
        began = clock.now()
        while rig.connected:
            await clock.advance(0.5)
            assert clock.now() - began <= 16
        assert all(zone.held for zone in rig.truth.zones.values())
        assert rig.truth.zones[17].alarm
        for node in fleet.nodes:
            node.heal()
        back = clock.now()
        seconds = await returns(rig, clock, BACK_SECONDS)
        with capsys.disabled():
            print_timeline(
                f"Access point back, all heard after {seconds:.1f} s",
                [at for times in attempts(rig, back).values() for at in times],
                back,
            )
        assert fleet.meter.opening_max <= MAX_CONNECTS_IN_FLIGHT
        assert rig.alarms() == [17]
        assert all(zone.available for zone in rig.truth.zones.values())


async def test_63_half_open_links_are_closed_within_3_seconds(
    clock: FakeClock,
) -> None:
    """Peers that answer nothing any more do not hold up a shutdown."""
    async with SimulatedFleet(port=0, cycle_seconds=0.3) as fleet:
        async with running(configs_of(fleet), clock=clock) as rig:
            await connect_all(rig, clock, NODES)
            assert fleet.clients == NODES
            for node in fleet.nodes:
                node.fault(Fault.HALF_OPEN)
            began = time.monotonic()
        assert time.monotonic() - began < 3
        for node in fleet.nodes:
            node.heal()
        await until(lambda: fleet.clients == 0)


EVERY_KNOB_AT_ITS_MOST = Supervision(
    heartbeat_seconds=HEARTBEAT_BOUNDS[1],
    silence_seconds=SILENCE_BOUNDS[1],
    hold_seconds=HOLD_BOUNDS[1],
)


@pytest.mark.parametrize(
    ("supervision", "limit_seconds"),
    [
        (Supervision(), 61),
        (Supervision(pings=False), 61),
        (EVERY_KNOB_AT_ITS_MOST, MAX_FAULT_SECONDS),
        (replace(EVERY_KNOB_AT_ITS_MOST, pings=False), MAX_FAULT_SECONDS),
        (replace(EVERY_KNOB_AT_ITS_MOST, hold_seconds=0), 31),
    ],
)
async def test_no_options_let_a_lost_node_go_unreported(
    clock: FakeClock, supervision: Supervision, limit_seconds: float
) -> None:
    """From the last frame to trouble: 61 s by default, 100 s whatever is chosen."""
    assert supervision.worst_case_seconds <= limit_seconds
    async with (
        SimulatedFleet(count=1, port=0, cycle_seconds=0.05) as fleet,
        running(configs_of(fleet), clock=clock, supervision=supervision) as rig,
    ):
        await connect_all(rig, clock, 1)
        fleet.ap_flap(3600)
        await asyncio.sleep(0.1)
        began = clock.now()
        while not rig.truth.summary().trouble:
            await clock.advance(0.5)
            assert clock.now() - began <= limit_seconds
        assert not rig.truth.zones[1].available


async def test_a_reboot_is_counted_with_the_first_frame_after_it(
    clock: FakeClock,
) -> None:
    """No telemetry is due yet; the uptime is looked at all the same."""
    async with (
        SimulatedFleet(count=2, port=0, cycle_seconds=0.2) as fleet,
        running(configs_of(fleet), clock=clock) as rig,
    ):
        for node in fleet.nodes:
            node.set_uptime(86_400_000)
        await connect_all(rig, clock, 2)
        fleet.node(1).fault(Fault.REBOOT, for_seconds=0.05)
        fleet.node(2).close_clients(1001)
        await until(lambda: rig.connected == 0)
        await until(lambda: fleet.node(1).is_reachable)
        await connect_all(rig, clock, 2)
        assert [rig.health.record(n).reboots for n in (1, 2)] == [1, 0]
