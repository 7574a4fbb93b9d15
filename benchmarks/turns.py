"""For how long is the event loop held up when very much happens at once?

`python -m benchmarks.turns`: a site of 315 zones in a Home Assistant of this
process, in both layouts. Links are lost and come back, holds end, everything
goes into alarm and is restored. What is measured is the longest single turn of
the event loop meanwhile: so long an alarm of another node might have to wait.
"""

import argparse
import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
import sys
import time
from typing import Any, Final, override
from unittest.mock import patch

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, callback

from custom_components.esp32_fire_alarm import site as site_module
from custom_components.esp32_fire_alarm.fleet.link import FRAMES_BEFORE_YIELDING
from custom_components.esp32_fire_alarm.fleet.pool import ConnectionPool
from tests.running_site import (
    ALARM_LED,
    LeapingClock,
    RunningSite,
    all_clear,
    bridge,
    distributed,
    frame,
    set_up,
)

from .inside import running_hass, tidy_up

LIMIT_MS: Final = 50.0
LISTENERS: Final = 10
"""Listeners to every state, as recorder, logbook and browsers are."""

HOLD_SECONDS: Final = 60.0
FLOOD_FRAMES: Final = 2000
LAYOUTS: Final = {"63 nodes": distributed, "one bridge": lambda: [bridge()]}


@dataclass(slots=True)
class Turns:
    """What happened in the turns of the event loop since the last look."""

    longest_seconds: float = 0.0
    busy: int = 0
    writes: int = 0
    most_writes: int = 0
    _writes_before: int = field(default=0)
    _ended_at: float = field(default_factory=time.thread_time)

    async def watch(self) -> None:
        """Take the time of every turn."""
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            self.longest_seconds = max(self.longest_seconds, now - self._ended_at)
            written = self.writes - self._writes_before
            self.most_writes = max(self.most_writes, written)
            self.busy += written > 0
            self._writes_before = self.writes
            self._ended_at = time.thread_time()

    def start_over(self) -> None:
        """Forget what was."""
        self.longest_seconds = 0.0
        self.busy = self.writes = self.most_writes = self._writes_before = 0

    @callback
    def note_write(self, event: Event[Any]) -> None:
        """Count a state that was written."""
        self.writes += 1


class StillPool(ConnectionPool):
    """A pool that opens nothing: what the nodes say and do comes by hand."""

    def __init__(self, *args: Any, **calls: Any) -> None:
        """Keep what to call."""
        super().__init__(*args, **calls)
        self.on_frame: Callable[[int, bytes], bool] = calls["on_frame"]
        self.on_down: Callable[[int], None] = calls["on_down"]
        self.on_tick: Callable[[], None] = calls["on_tick"]

    @override
    async def run(self) -> None:
        """Do nothing."""
        await asyncio.Event().wait()


class Site:
    """A site that runs, and what can happen to all of it in one turn."""

    def __init__(self, running: RunningSite, clock: LeapingClock) -> None:
        """Take over a site that is set up."""
        assert isinstance(running.engine.pool, StillPool)
        self._running = running
        self._pool = running.engine.pool
        self._configs = running.engine.configs
        self._clock = clock
        self._flooding: asyncio.Task[None] | None = None

    def all_clear(self) -> None:
        """Every node says that all is well."""
        for config in self._configs.values():
            self._pool.on_frame(config.node, all_clear(config.modules))

    def all_in_alarm(self) -> None:
        """Every node says that all its zones are in alarm."""
        for config in self._configs.values():
            segments = (f"{module:02d}001F" for module in config.modules)
            self._pool.on_frame(config.node, frame(*segments, master=ALARM_LED))

    def lose_all(self) -> None:
        """Every link is lost."""
        for node in self._configs:
            self._pool.on_down(node)

    def end_holds(self) -> None:
        """The holds of all nodes end in one look at the clock."""
        self._clock.ahead_seconds += HOLD_SECONDS
        self._pool.on_tick()

    def flood(self) -> None:
        """One node sends as much as its link hands on without letting others run."""
        self._flooding = asyncio.create_task(self._flood())

    async def _flood(self) -> None:
        """Send a second's worth of a flood, every message unlike the last."""
        for number in range(FLOOD_FRAMES):
            trouble, alarm = number % 63 + 1, int(number % 100 == 0)
            self._pool.on_frame(1, frame(f"01{trouble:02X}{alarm:02X}"))
            if number % FRAMES_BEFORE_YIELDING == 0:
                await asyncio.sleep(0)

    async def settle(self) -> None:
        """Let everything happen that is due."""
        if self._flooding is not None:
            await self._flooding
        for _ in range(3):
            await self._running.settle()
            await asyncio.sleep(0.05)


async def measure(layout: str) -> list[tuple[str, Turns]]:
    """Return what each thing that happened cost."""
    results = []
    clock = LeapingClock()
    async with running_hass() as hass:
        with (
            patch.object(site_module, "ConnectionPool", StillPool),
            patch.object(site_module, "SystemClock", lambda: clock),
        ):
            running = await set_up(hass, *LAYOUTS[layout]())
            site = Site(running, clock)
            turns = Turns()
            hass.bus.async_listen(EVENT_STATE_CHANGED, turns.note_write)
            for _ in range(LISTENERS - 1):
                hass.bus.async_listen(EVENT_STATE_CHANGED, _hear)
            watching = asyncio.create_task(turns.watch())
            happenings: dict[str, Callable[[], None]] = {
                "first frames": site.all_clear,
                "all links lost": site.lose_all,
                "all back in time": site.all_clear,
                "all lost again": site.lose_all,
                "all holds end": site.end_holds,
                "all return": site.all_clear,
                "all in alarm": site.all_in_alarm,
                "lost in alarm": site.lose_all,
                "holds end in alarm": site.end_holds,
                "return in alarm": site.all_in_alarm,
                "all restored": site.all_clear,
                "one node floods": site.flood,
            }
            for name, happen in happenings.items():
                await site.settle()
                tidy_up()
                turns.start_over()
                happen()
                await site.settle()
                results.append((name, Turns(*_figures(turns))))
            watching.cancel()
            await running.remove()
    return results


@callback
def _hear(event: Event[Any]) -> None:
    """Do nothing, as most do with most states."""


def _figures(turns: Turns) -> tuple[float, int, int, int]:
    """Return what was measured."""
    return turns.longest_seconds, turns.busy, turns.writes, turns.most_writes


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns")
    parser.add_argument("--runs", type=int, default=3, help="the best of so many")
    runs = parser.parse_args().runs
    print(
        f"{'layout':12}{'what happens':20}{'states':>8}{'turns':>7}"
        f"{'most in one':>13}{'longest turn':>14}{'of 50 ms':>10}"
    )
    for layout in LAYOUTS:
        measured = [asyncio.run(measure(layout)) for _ in range(runs)]
        for steps in zip(*measured, strict=True):
            name, turns = min(steps, key=lambda step: step[1].longest_seconds)
            longest_ms = turns.longest_seconds * 1000
            print(
                f"{layout:12}{name:20}{turns.writes:8}{turns.busy:7}"
                f"{turns.most_writes:13}{longest_ms:11.1f} ms"
                f"{longest_ms / LIMIT_MS:10.2f}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
