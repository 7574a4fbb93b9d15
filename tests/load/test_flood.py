"""One node sends 2,000 messages a second; everybody's edges arrive all the same.

Counts only: how long things take is measured by `python -m benchmarks.flood`.
"""

import asyncio
from collections.abc import Iterable
import gc
import tracemalloc

import aiohttp
import pytest

from custom_components.esp32_fire_alarm.fleet.health import NodeRecord
from custom_components.esp32_fire_alarm.fleet.inbox import MAX_WAITING
from custom_components.esp32_fire_alarm.fleet.link import (
    FRAMES_BEFORE_YIELDING,
    SECONDS_BEFORE_YIELDING,
    DeviceLink,
    LinkFault,
)
from custom_components.esp32_fire_alarm.fleet.models import EdgeKind, ZoneEdge
from custom_components.esp32_fire_alarm.fleet.timing import Supervision, SystemClock
from sim.faults import Fault
from sim.fleet import SimulatedFleet
from tests.fleet.fed_site import FedSite, message, node
from tests.fleet.rig import configs_of, running, until

FLOOD_PER_SECOND = 2000
BURST = 20
"""Messages that the flooding node sends at once."""

CYCLE_SECONDS = 0.05
CHANGE_SECONDS = 0.12
"""A panel shows what is true at the end of its cycle: a change that is to be on
the wire has to last longer than one."""

LONGEST_SECONDS = 20.0
"""Longest real wait; on a busy machine a storm of a second takes more than one."""

ALARM_KINDS = (EdgeKind.ALARM, EdgeKind.ALARM_RESTORED)


def alarm_edges(edges: Iterable[ZoneEdge], zone: int) -> list[EdgeKind]:
    """Return the alarm edges of one zone, in order."""
    return [e.kind for e in edges if e.zone == zone and e.kind in ALARM_KINDS]


@pytest.mark.usefixtures("loopback")
async def test_an_alarm_of_the_flooding_node_is_not_lost() -> None:
    """It repeats itself 2,000 times a second; every change in it is told."""
    zones = (1, 2, 6, 11)
    async with (
        SimulatedFleet(count=3, port=0, cycle_seconds=CYCLE_SECONDS) as fleet,
        running(configs_of(fleet), clock=SystemClock()) as rig,
    ):
        await until(lambda: rig.connected == 3)
        fleet.node(1).fault(Fault.FLOOD, value=FLOOD_PER_SECOND)
        sent = fleet.node(1).frames_sent
        for _ in range(10):
            for zone in zones:
                fleet.alarm(zone)
            await asyncio.sleep(CHANGE_SECONDS)
            for zone in zones:
                fleet.clear(zone)
            await asyncio.sleep(CHANGE_SECONDS)
        await until(
            lambda: all(len(alarm_edges(rig.edges, zone)) >= 20 for zone in zones),
            LONGEST_SECONDS,
        )
        assert fleet.node(1).frames_sent - sent > FLOOD_PER_SECOND / 2
        for zone in zones:
            assert alarm_edges(rig.edges, zone) == [*ALARM_KINDS] * 10
        assert rig.health.record(1).throttled_at is not None
        assert rig.health.record(2).throttled_at is None


@pytest.mark.usefixtures("loopback")
async def test_every_edge_of_a_storm_arrives_over_the_wire() -> None:
    """2,000 different messages a second, each with another alarm in it."""
    async with (
        SimulatedFleet(count=2, port=0, cycle_seconds=CYCLE_SECONDS) as fleet,
        running(configs_of(fleet), clock=SystemClock()) as rig,
    ):
        await until(lambda: rig.connected == 2)
        fleet.node(1).fault(Fault.SILENT)
        before = rig.health.record(1).frames
        sent = 0
        for round_number in range(FLOOD_PER_SECOND // BURST):
            for _ in range(BURST):
                fleet.node(1).send_raw(message(f"0100{1 << sent % 5:02X}"))
                sent += 1
            if round_number % 40 == 0:
                fleet.alarm(6)
            elif round_number % 40 == 20:
                fleet.clear(6)
            await asyncio.sleep(BURST / FLOOD_PER_SECOND)
        fleet.clear(6)
        # A last calm word, so that every alarm before it has ended.
        fleet.node(1).send_raw(message("010000"))
        await until(
            lambda: (
                rig.health.record(1).frames - before > sent
                and not rig.truth.summary().in_alarm
            ),
            LONGEST_SECONDS,
        )
        await until(lambda: len(alarm_edges(rig.edges, 5)) == 800, LONGEST_SECONDS)
        for zone in range(1, 6):
            assert alarm_edges(rig.edges, zone) == [*ALARM_KINDS] * (sent // 5)
        assert alarm_edges(rig.edges, 6) == [*ALARM_KINDS] * 3
        storm = [e.zone for e in rig.edges if e.kind is EdgeKind.ALARM and e.zone < 6]
        assert storm == [1 + number % 5 for number in range(sent)]


@pytest.mark.parametrize("is_alarm", [False, True])
def test_memory_stays_flat(is_alarm: bool) -> None:
    """Whatever a node sends for a minute, nothing grows but counters."""
    site = FedSite(node(1, *range(1, 64)))
    site.aggregator.feed(1, message("010000"))
    sizes: list[int] = []
    tracemalloc.start()
    try:
        for second in range(6):
            for count in range(FLOOD_PER_SECOND):
                bits = (second * FLOOD_PER_SECOND + count) % 4095 + 1
                trouble, alarm = bits & 31, bits >> 5 & 31 if is_alarm else 0
                modules = (
                    f"{m:02d}{trouble:02X}{alarm:02X}" for m in (1, bits % 62 + 2)
                )
                site.aggregator.feed(1, message(*modules, uptime=count))
                depth = site.aggregator._inboxes[1].waiting
                assert len(depth) <= MAX_WAITING
                site.loop.pass_time(1 / FLOOD_PER_SECOND)
            site.aggregator.tick()
            site.updates.clear()
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    # Caches fill at first; after that every second ends where it began.
    assert max(sizes[3:]) - min(sizes[3:]) < 100_000


class EndlessSocket:
    """A socket that always has a message more."""

    def __init__(self, messages: int) -> None:
        self.left = messages
        self.close_code: int | None = None

    async def receive(self) -> aiohttp.WSMessage:
        """Return the next message without waiting for anything."""
        self.left -= 1
        if self.left < 0:
            return aiohttp.WSMessage(aiohttp.WSMsgType.CLOSED, None, None)
        return aiohttp.WSMessage(aiohttp.WSMsgType.BINARY, b"", None)


@pytest.mark.parametrize(
    ("seconds_each", "in_a_row"),
    [(0.0, FRAMES_BEFORE_YIELDING), (SECONDS_BEFORE_YIELDING / 3.9, 4)],
)
async def test_a_flooding_link_lets_others_run(
    seconds_each: float, in_a_row: int
) -> None:
    """After so many messages or so much time, whichever comes first."""
    now = 0.0
    heard_per_turn = [0]

    def on_frame(raw: bytes) -> bool:
        nonlocal now
        now += seconds_each
        heard_per_turn[-1] += 1
        return True

    async def others() -> None:
        while True:
            heard_per_turn.append(0)
            await asyncio.sleep(0)

    link = DeviceLink(
        EndlessSocket(200),  # type: ignore[arg-type]
        on_frame=on_frame,
        pulse=NodeRecord(),
        now=lambda: now,
        supervision=Supervision(),
    )
    task = asyncio.create_task(others())
    fault, _ = await link.listen()
    task.cancel()
    assert fault is LinkFault.CONNECTION_LOST
    assert sum(heard_per_turn) == 200
    assert max(heard_per_turn) == in_a_row
