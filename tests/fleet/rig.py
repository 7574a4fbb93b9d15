"""A fleet's engine on the simulator's sockets, with a clock in the test's hand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
import heapq
import itertools

import aiohttp

from custom_components.esp32_fire_alarm.fleet.aggregator import MessageAggregator
from custom_components.esp32_fire_alarm.fleet.health import HealthMonitor, LinkState
from custom_components.esp32_fire_alarm.fleet.link import only_here
from custom_components.esp32_fire_alarm.fleet.models import (
    DeviceAddress,
    EdgeKind,
    NodeConfig,
    SiteUpdate,
    ZoneEdge,
)
from custom_components.esp32_fire_alarm.fleet.paths import Path
from custom_components.esp32_fire_alarm.fleet.pool import ConnectionPool
from custom_components.esp32_fire_alarm.fleet.timing import Clock, Supervision
from custom_components.esp32_fire_alarm.fleet.truth import SiteTruth
from sim.fleet import SimulatedFleet

REAL_SECONDS = 2.0
"""Longest real wait for something that happens on sockets."""


class FakeClock:
    """Time that passes when told to; sleepers wake in the order of their turns."""

    def __init__(self) -> None:
        self._now = 10_000.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        """Return the time."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the time is told to have come."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self._now + seconds
        heapq.heappush(self._sleepers, (due, next(self._order), turn))
        await turn

    async def advance(self, seconds: float) -> None:
        """Let so much time pass, and let everything happen that is due in it."""
        target = self._now + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            due, _, turn = heapq.heappop(self._sleepers)
            self._now = max(self._now, due)
            if not turn.done():
                turn.set_result(None)
                await settle()
        self._now = target
        await settle()


async def settle() -> None:
    """Let tasks that are ready run, sockets on loopback included."""
    for _ in range(6):
        await asyncio.sleep(0)
    await asyncio.sleep(0.001)


async def until(condition: Callable[[], object], seconds: float = REAL_SECONDS) -> None:
    """Wait in real time until the condition holds, or fail."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


class Rig:
    """Pool, aggregator, truth and health of one site, and what came out of them."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        configs: list[NodeConfig],
        *,
        clock: Clock,
        supervision: Supervision,
        paths: Mapping[int, Path] | None,
        chance: Callable[[], float],
    ) -> None:
        self.clock = clock
        self.updates: list[SiteUpdate] = []
        self.health = HealthMonitor(clock.now, clock.now)
        self.truth = SiteTruth(
            configs,
            hold_seconds=supervision.hold_seconds,
            now=clock.now(),
            rank=self.health.rank,
        )
        self.aggregator = MessageAggregator(
            self.truth, self.health, now=clock.now, on_update=self.updates.append
        )
        self.pool = ConnectionPool(
            session,
            configs,
            clock=clock,
            health=self.health,
            supervision=supervision,
            on_frame=self.aggregator.feed,
            on_down=self.aggregator.lose,
            on_tick=self.aggregator.tick,
            paths=paths,
            chance=chance,
        )

    @property
    def connected(self) -> int:
        """How many nodes are heard."""
        return self.truth.summary().nodes_connected

    @property
    def edges(self) -> list[ZoneEdge]:
        """Every edge so far."""
        return [edge for update in self.updates for edge in update.edges]

    def alarms(self) -> list[int]:
        """The zones of all alarm edges so far."""
        return [edge.zone for edge in self.edges if edge.kind is EdgeKind.ALARM]

    def state(self, node: int) -> LinkState:
        """The state of a node's link."""
        return self.health.record(node).state


def configs_of(
    fleet: SimulatedFleet, standby: SimulatedFleet | None = None
) -> list[NodeConfig]:
    """Return what an installer would configure for the fleet."""
    return [
        NodeConfig(
            node.number,
            DeviceAddress(node.host, fleet.port),
            tuple(node.panel.modules),
            standby=None
            if standby is None
            else DeviceAddress(standby.node(node.number).host, standby.port),
        )
        for node in fleet.nodes
    ]


@asynccontextmanager
async def running(
    configs: list[NodeConfig],
    *,
    clock: Clock | None = None,
    supervision: Supervision = Supervision(),
    paths: Mapping[int, Path] | None = None,
    chance: Callable[[], float] = lambda: 1.0,
) -> AsyncIterator[Rig]:
    """Run the engine for these nodes; on leaving every link is closed."""
    async with aiohttp.ClientSession(trace_configs=[only_here()]) as session:
        rig = Rig(
            session,
            configs,
            clock=clock or FakeClock(),
            supervision=supervision,
            paths=paths,
            chance=chance,
        )
        task = asyncio.create_task(rig.pool.run())
        try:
            yield rig
        finally:
            task.cancel()
            await asyncio.wait([task])
            rig.aggregator.close()


async def connect_all(rig: Rig, clock: FakeClock, count: int) -> None:
    """Let time pass until so many nodes are heard; 100 ms a node at the most."""
    for _ in range(3 * count + 20):
        if rig.connected >= count:
            break
        await clock.advance(0.1)
        await asyncio.sleep(0.005)
    await until(lambda: rig.connected >= count)
    await clock.advance(0.5)
