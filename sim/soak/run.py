"""Runs a soak: fleet, engine, weather and oracle together, and says how it went."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
import sys
import time
import tracemalloc
from typing import Final, Protocol

from sim.fleet import SimulatedFleet
from sim.meter import KEPT_EVENTS, Knock

from .engine import configs_of, has_standby, running
from .house import living
from .oracle import Oracle, Shown
from .report import Result
from .samples import Gauges, Samples
from .warp import WarpLoop
from .weather import GAP_SECONDS, Weather

STEP_SECONDS: Final = 1.0
"""Longest period in which weather and oracle act."""

SAMPLES: Final = 144

CALM_SECONDS: Final = 600.0
"""Longest wait at the end for everything that is owed; most of it a backoff."""

STANDBY_ADDRESS: Final = "127.0.1.2"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: so many nodes (1-63) for so many seconds, by this seed.

    `is_warped`: in a time and on a network of its own, as fast as it goes.
    `is_house`: a Home Assistant process instead of the engine, in real time.
    `gap_seconds` is how long a node is left alone on average.
    """

    seconds: float
    nodes: int = 63
    seed: int = 0
    is_warped: bool = False
    is_traced: bool = True
    is_house: bool = False
    samples: int = SAMPLES
    gap_seconds: float = GAP_SECONDS


def soak(plan: Plan, say: Callable[[str], None] = print) -> Result:
    """Run a soak to its end and return what came of it."""
    if plan.is_traced:
        tracemalloc.start()
    began = time.monotonic()
    factory = WarpLoop if plan.is_warped else None
    try:
        with asyncio.Runner(loop_factory=factory) as runner:
            result = runner.run(_soak(plan, say))
    finally:
        if plan.is_traced:
            tracemalloc.stop()
    result.took_seconds = time.monotonic() - began
    return result


async def _soak(plan: Plan, say: Callable[[str], None]) -> Result:
    """Run a soak on the running loop."""
    loop = asyncio.get_running_loop()
    chance = Random(plan.seed)  # noqa: S311
    async with (
        SimulatedFleet(count=plan.nodes, port=0) as fleet,
        SimulatedFleet(
            count=plan.nodes,
            port=0,
            first_address=STANDBY_ADDRESS,
            absent=[n for n in range(1, plan.nodes + 1) if not has_standby(n)],
        ) as standby,
    ):
        fleets = [fleet, standby]
        for one in fleets:
            one.site.clock = one.meter.clock = loop.time
            for knocks in (one.meter.connections, one.meter.handshakes):
                # Else the simulator's own memory would fill up for half a day.
                knocks.extend(Knock(loop.time(), 0) for _ in range(KEPT_EVENTS))
        soaker = _Soaker(plan, fleets, chance, say)
        subject = (
            living(fleet, soaker.oracle)
            if plan.is_house
            else running(configs_of(fleet, standby), chance, soaker.oracle)
        )
        async with subject as soaker.subject:
            await soaker.run()
            return soaker.result()


class Subject(Shown, Protocol):
    """What is soaked: the engine in this process, or a Home Assistant."""

    @property
    def frames(self) -> int:
        """How many messages it got."""

    @property
    def reconnects(self) -> list[int]:
        """How often links came back, the fewest first."""

    def is_up(self, number: int) -> bool:
        """Tell whether a node is connected."""

    def gauges(self) -> Gauges:
        """Return what to measure of it."""


class _Soaker:
    """One soak under way."""

    subject: Subject

    def __init__(
        self,
        plan: Plan,
        fleets: list[SimulatedFleet],
        chance: Random,
        say: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._fleets = fleets
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._weather = Weather(fleets, chance, plan.gap_seconds)
        self.oracle = Oracle(
            fleets, chance, now=self._loop.time, is_sound=self._is_sound
        )
        self._samples = Samples({})

    async def run(self) -> None:
        """Let it rain, then wait until all that is owed is told."""
        self._samples = Samples(self.subject.gauges())
        began = self._loop.time()
        ends_at = began + self._plan.seconds
        between = self._plan.seconds / self._plan.samples
        step = min(STEP_SECONDS, between)
        due_at = began
        while (now := self._loop.time()) < ends_at:
            if now >= due_at:
                due_at += between
                self._samples.take(now - began)
                self._report_progress(now - began)
            self._weather.step(now, step)
            self.oracle.step(self.subject)
            await asyncio.sleep(step)
        self._weather.clear_up()
        calm_at = self._loop.time() + CALM_SECONDS
        while self._loop.time() < calm_at and not self.oracle.is_calm:
            self.oracle.step(self.subject, begins=False)
            await asyncio.sleep(STEP_SECONDS)
        self.oracle.give_up()

    def result(self) -> Result:
        """Return what came of it."""
        return Result(
            seed=self._plan.seed,
            nodes=self._plan.nodes,
            is_warped=self._plan.is_warped,
            is_house=self._plan.is_house,
            seconds=self._plan.seconds,
            frames=self.subject.frames,
            reconnects=self.subject.reconnects,
            alarms=self.oracle.alarms,
            ends=self.oracle.ends,
            worst_seconds=self.oracle.worst_seconds,
            wrong=dict(self.oracle.wrong),
            complaints=self.oracle.complaints,
            struck=dict(self._weather.struck),
            trends=self._samples.trends(),
        )

    def _is_sound(self, number: int) -> bool:
        """Tell whether a node is up and nothing disturbs it."""
        return self.subject.is_up(number) and not any(
            fleet.node(number).faults for fleet in self._fleets
        )

    def _report_progress(self, seconds: float) -> None:
        """Say every tenth of the way how it goes."""
        taken = len(self._samples) - 1
        if taken % max(1, self._plan.samples // 10) == 0:
            rss = self.subject.gauges()["memory (RSS), MiB"]()
            self._say(
                f"{seconds / 3600:.2f} h: {self.subject.frames} frames, "
                f"{sum(self.subject.reconnects)} reconnects, "
                f"{self.oracle.alarms} alarms, {rss:.1f} MiB, "
                f"{sum(self.oracle.wrong.values())} wrong"
            )
            sys.stdout.flush()
