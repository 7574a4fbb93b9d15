"""The engine room of a site, run for a simulated fleet without Home Assistant."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
import logging
import time
from typing import Any, override

import aiohttp

from custom_components.esp32_fire_alarm.fleet.aggregator import MessageAggregator
from custom_components.esp32_fire_alarm.fleet.alarms import AlarmBook, BookCallbacks
from custom_components.esp32_fire_alarm.fleet.health import HealthMonitor
from custom_components.esp32_fire_alarm.fleet.link import only_here
from custom_components.esp32_fire_alarm.fleet.models import (
    DeviceAddress,
    NodeConfig,
    SiteUpdate,
)
from custom_components.esp32_fire_alarm.fleet.pool import ConnectionPool
from custom_components.esp32_fire_alarm.fleet.telling import EventKind, SiteEvent
from custom_components.esp32_fire_alarm.fleet.timing import Clock, Supervision
from custom_components.esp32_fire_alarm.fleet.truth import SiteTruth
from sim.fleet import SimulatedFleet


class Engine:
    """The engine room of a site, and what it told."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        configs: list[NodeConfig],
        clock: Clock,
        supervision: Supervision,
    ) -> None:
        """Wire the rooms as a site does."""
        self.told: Counter[int] = Counter()
        self.told_at: dict[int, float] = {}
        self._now = clock.now
        self.watch: Callable[[], None] = lambda: None
        self.health = HealthMonitor(clock.now, time.time)
        self.truth = SiteTruth(
            configs,
            hold_seconds=supervision.hold_seconds,
            now=clock.now(),
            rank=self.health.rank,
        )
        self.aggregator = MessageAggregator(
            self.truth, self.health, now=clock.now, on_update=self._take
        )
        self.book = AlarmBook(
            self.truth,
            now=clock.now,
            wall=time.time,
            callbacks=BookCallbacks(
                on_event=self._hear,
                on_update=self.aggregator.pass_on,
                on_impaired=lambda: None,
                on_save=lambda _: None,
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
            on_tick=self._tick,
        )

    def is_sound(self, zones: range) -> bool:
        """Tell whether what is shown of these zones is fresh."""
        states = [self.truth.zones[zone] for zone in zones]
        return all(state.available and not state.held for state in states)

    def _hear(self, event: SiteEvent) -> None:
        """Count how often the alarm of each zone was told, and when first."""
        if event.kind is EventKind.ALARM and event.occurrence is not None:
            self.told[event.occurrence.zone] += 1
            self.told_at.setdefault(event.occurrence.zone, self._now())

    def _take(self, update: SiteUpdate) -> None:
        self.book.take(update)
        self.watch()

    def _tick(self) -> None:
        self.aggregator.tick()
        self.book.tick()


class ErrorCatcher(logging.Handler):
    """Keeps what went wrong without anybody's asking."""

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__(logging.ERROR)
        self.errors: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.errors.append(record.getMessage())

    def handle_loop_error(
        self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]
    ) -> None:
        """Keep an exception that nobody caught."""
        self.errors.append(f"{context['message']}: {context.get('exception')!r}")


@contextmanager
def catching_errors() -> Iterator[ErrorCatcher]:
    """Catch what the integration logs as an error and what nobody caught."""
    catcher = ErrorCatcher()
    logger = logging.getLogger("custom_components.esp32_fire_alarm")
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    logger.addHandler(catcher)
    loop.set_exception_handler(catcher.handle_loop_error)
    try:
        yield catcher
    finally:
        logger.removeHandler(catcher)
        loop.set_exception_handler(before)


@asynccontextmanager
async def engine_of(
    fleet: SimulatedFleet, clock: Clock, supervision: Supervision
) -> AsyncIterator[Engine]:
    """Run the engine for a fleet; on leaving every link is closed."""
    configs = [
        NodeConfig(
            node.number, DeviceAddress(node.host, fleet.port), node.panel.modules
        )
        for node in fleet.nodes
    ]
    async with aiohttp.ClientSession(trace_configs=[only_here()]) as session:
        engine = Engine(session, configs, clock, supervision)
        task = asyncio.create_task(engine.pool.run())
        try:
            yield engine
        finally:
            engine.watch = lambda: None
            task.cancel()
            await asyncio.wait([task])
            engine.aggregator.close()
