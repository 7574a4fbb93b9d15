"""The integration's engine room without Home Assistant: links to alarm book."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from random import Random
import time
import tracemalloc
from typing import Any, Final

import aiohttp

from custom_components.esp32_fire_alarm.fleet.aggregator import MessageAggregator
from custom_components.esp32_fire_alarm.fleet.alarms import AlarmBook, BookCallbacks
from custom_components.esp32_fire_alarm.fleet.health import (
    RECONNECTS_KEPT,
    HealthMonitor,
    LinkState,
)
from custom_components.esp32_fire_alarm.fleet.journal import OCCURRENCES_KEPT
from custom_components.esp32_fire_alarm.fleet.link import only_here
from custom_components.esp32_fire_alarm.fleet.models import (
    DeviceAddress,
    NodeConfig,
    SiteUpdate,
)
from custom_components.esp32_fire_alarm.fleet.occurrence import OccurrenceKind
from custom_components.esp32_fire_alarm.fleet.pool import ConnectionPool
from custom_components.esp32_fire_alarm.fleet.telling import EventKind, SiteEvent
from custom_components.esp32_fire_alarm.fleet.timing import Supervision
from custom_components.esp32_fire_alarm.fleet.truth import SiteTruth
from sim.fleet import SimulatedFleet

from .oracle import Oracle
from .samples import MIB, Gauges, objects, open_files, rss_bytes, traced_bytes
from .warp import MemoryConnector, WarpLoop

STANDBY_EVERY: Final = 3
"""Every third node has a standby address."""


_UP: Final = (LinkState.CONNECTED, LinkState.STANDBY)
_EMPTY: Final = ("untold", "impairments", "confirmed", "lost", "bells")
"""What an alarm book also remembers, and has nothing of."""


class LoopClock:
    """The running loop's time, whether it is real or not."""

    def __init__(self) -> None:
        """Follow the running loop; the wall clock starts with it, as of today."""
        self._loop = asyncio.get_running_loop()
        self._epoch = time.time() - self._loop.time()

    def now(self) -> float:
        """Return monotonic seconds."""
        return self._loop.time()

    def wall(self) -> float:
        """Return seconds since the epoch."""
        return self._epoch + self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        await asyncio.sleep(seconds)


class Engine:
    """Pool, aggregator, truth and alarm book of one site, wired as the site does."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        configs: Iterable[NodeConfig],
        chance: Random,
        on_event: Callable[[SiteEvent], None],
    ) -> None:
        """Build the rooms; `on_event` gets everything that is told."""
        configs = tuple(configs)
        self._clock = clock = LoopClock()
        supervision = Supervision()
        loop = asyncio.get_running_loop()
        self.health = HealthMonitor(clock.now, clock.wall)
        self.truth = SiteTruth(
            configs,
            hold_seconds=supervision.hold_seconds,
            now=clock.now(),
            rank=self.health.rank,
        )

        def run_job(job: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
            return loop.run_in_executor(None, job, *args)

        self.aggregator = MessageAggregator(
            self.truth,
            self.health,
            now=clock.now,
            on_update=self._on_update,
            # A thread takes real time, of which a warped loop has none.
            run_job=None if isinstance(loop, WarpLoop) else run_job,
        )
        self.saves = 0
        self.book = AlarmBook(
            self.truth,
            now=clock.now,
            wall=clock.wall,
            callbacks=BookCallbacks(
                on_event=on_event,
                on_update=self.aggregator.pass_on,
                on_impaired=lambda: None,
                on_save=self._on_save,
            ),
        )
        self.book.start_telling()
        self.pool = ConnectionPool(
            session,
            configs,
            clock=clock,
            health=self.health,
            supervision=supervision,
            on_frame=self.aggregator.feed,
            on_down=self.aggregator.lose,
            on_tick=self._on_tick,
            chance=chance.random,
        )

    def fill(self) -> None:
        """Fill every memory that is bounded, as years would.

        Otherwise it would look like a leak for the first hours.
        """
        now = self._clock.now()
        for number in self.truth.nodes:
            times = self.health.record(number).reconnects_at
            times.extend(now - 1 / n for n in range(1, RECONNECTS_KEPT + 1))
        at = self._clock.wall()
        self.book.restore(
            {
                "occurrences": [
                    {
                        "kind": OccurrenceKind.ALARM.value,
                        "zone": 1,
                        "source": 1,
                        "id": f"old {n}",
                        "raised_at": at,
                        "ended_at": at,
                    }
                    for n in range(OCCURRENCES_KEPT)
                ],
                "order": 0,
                "lamps": {},
                **{key: [] for key in _EMPTY},
            }
        )

    @property
    def frames(self) -> int:
        """How many messages came in."""
        return sum(record.frames for record in self.health.records.values())

    @property
    def reconnects(self) -> list[int]:
        """How often each node's link came back, fewest first."""
        records = self.health.records.values()
        return sorted(max(0, record.connects - 1) for record in records)

    def is_in_alarm(self, zone: int) -> bool:
        """Tell whether `zone` (1-315) is shown in alarm."""
        return self.truth.zones[zone].alarm

    def is_up(self, number: int) -> bool:
        """Tell whether a node's frames come in."""
        return self.health.record(number).state in _UP

    def gauges(self) -> Gauges:
        """Return what to measure of this process."""
        loop = asyncio.get_running_loop()

        def timers() -> int:
            """Count the timers that were not given up."""
            planned: list[asyncio.TimerHandle] = loop._scheduled  # type: ignore[attr-defined] # noqa: SLF001
            return sum(not timer.cancelled() for timer in planned)

        gauges: dict[str, Callable[[], float]] = {
            "memory (RSS), MiB": lambda: rss_bytes() / MIB,
            "objects": objects,
            "tasks": lambda: len(asyncio.all_tasks(loop)),
            "timers": timers,
            "file descriptors": open_files,
        }
        if tracemalloc.is_tracing():
            gauges["memory (traced), MiB"] = lambda: traced_bytes() / MIB
        return gauges

    def _on_update(self, update: SiteUpdate) -> None:
        self.book.take(update)

    def _on_tick(self) -> None:
        self.aggregator.tick()
        self.book.tick()

    def _on_save(self, is_urgent: bool) -> None:
        """Make of the memory what would be written, as a save does."""
        self.saves += 1
        if is_urgent:
            self.book.memory().to_json()


def has_standby(number: int) -> bool:
    """Tell whether a node (1-63) has a standby address."""
    return number % STANDBY_EVERY == 0


def configs_of(fleet: SimulatedFleet, standby: SimulatedFleet) -> list[NodeConfig]:
    """Return the nodes as an installer would configure them."""
    return [
        NodeConfig(
            node.number,
            DeviceAddress(node.host, fleet.port),
            tuple(node.panel.modules),
            standby=DeviceAddress(standby.node(node.number).host, standby.port)
            if has_standby(node.number)
            else None,
        )
        for node in fleet.nodes
    ]


@asynccontextmanager
async def running(
    configs: Iterable[NodeConfig], chance: Random, oracle: Oracle
) -> AsyncIterator[Engine]:
    """Run the engine on the running loop's network; every link is closed at the end."""

    def hear(event: SiteEvent) -> None:
        if event.occurrence is None:
            return
        if event.kind is EventKind.ALARM:
            oracle.hear_alarm(event.occurrence.zone)
        elif event.kind is EventKind.ALARM_RESTORED:
            oracle.hear_end(event.occurrence.zone)

    is_warped = isinstance(asyncio.get_running_loop(), WarpLoop)
    connector = MemoryConnector() if is_warped else None
    async with aiohttp.ClientSession(
        connector=connector, trace_configs=[only_here()]
    ) as session:
        engine = Engine(session, configs, chance, hear)
        engine.fill()
        task = asyncio.create_task(engine.pool.run())
        try:
            yield engine
        finally:
            task.cancel()
            await asyncio.wait([task])
            engine.aggregator.close()
