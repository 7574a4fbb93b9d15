"""What a message costs, and from when on an executor job pays.

`python -m benchmarks.aggregation`: first the way of one message through the
aggregator, each step as a ratio to the floor (a JSON parse of the same bytes);
then batches of 1 to 256 waiting messages, decoded on the event loop or in an
executor job: time until the result is there, and for how long the loop could
do nothing else meanwhile. The latter set `JOB_BYTES` in `fleet/batch.py`.
"""

import argparse
import asyncio
from collections.abc import Callable
import json
import platform
import statistics
import sys
import time
from typing import Final

from custom_components.esp32_fire_alarm.fleet.aggregator import MessageAggregator
from custom_components.esp32_fire_alarm.fleet.batch import (
    JOB_BYTES,
    Bundle,
    digest_all,
)
from custom_components.esp32_fire_alarm.fleet.frame import decode
from custom_components.esp32_fire_alarm.fleet.glance import fingerprint, may_alarm
from custom_components.esp32_fire_alarm.fleet.health import HealthMonitor
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.fleet.truth import SiteTruth
from sim.encode import encode_message
from sim.panel import ModulePicture, Picture

BATCHES: Final = (1, 4, 16, 32, 63, 128, 256, 512, 1024)
SHAPES: Final = {"one module": 1, "63 modules": 63}
QUIET: Final = 0xDF
ALARM_LED_ON: Final = 0xCF

PROBE_SECONDS: Final = 0.0005
"""Period of the timer whose delay shows for how long the event loop was held up."""

SETTLE_SECONDS: Final = 0.003

type Work = Callable[[], object]


def raw_message(modules: int, *, trouble: int = 0, alarm: int = 0) -> bytes:
    """Return a message in the captured dialect; the bits are those of module 1."""
    pictures = [ModulePicture(n, True, trouble=n % 4) for n in range(1, modules + 1)]
    pictures[0] = ModulePicture(1, True, trouble=trouble, alarm=alarm)
    status = ALARM_LED_ON if alarm else QUIET
    return encode_message(
        Picture(0x51, status, tuple(pictures)),
        uptime_ms=5_080_561,
        clients=5,
        free_heap=225_576,
    )


def microseconds(work: Work, *, times: int, runs: int) -> float:
    """Return the best average duration of `work` over some runs of so many times."""
    best = float("inf")
    for _ in range(runs):
        began = time.perf_counter()
        for _ in range(times):
            work()
        best = min(best, time.perf_counter() - began)
    return best / times * 1e6


class Scheduler:
    """An event loop that goes on when it is told to."""

    def __init__(self) -> None:
        """Start with nothing planned."""
        self.soon: list[Callable[[], object]] = []

    def call_soon(self, callback: Callable[[], object], /) -> asyncio.Handle:
        """Plan a call."""
        self.soon.append(callback)
        return asyncio.Handle(callback, [], _ANY_LOOP)

    def call_later(
        self, delay: float, callback: Callable[[], object], /
    ) -> asyncio.Handle:
        """Plan nothing: no node is throttled here."""
        return asyncio.Handle(callback, [], _ANY_LOOP)

    def turn(self) -> None:
        """Do what is planned."""
        ready, self.soon = self.soon, []
        for callback in ready:
            callback()


_ANY_LOOP: Final = asyncio.new_event_loop()


def print_message_costs(runs: int) -> None:
    """Print what one message costs, step by step and all in all."""
    print(f"{'one message':34}" + "".join(f"{shape:>22}" for shape in SHAPES))
    columns = [message_costs(modules, runs) for modules in SHAPES.values()]
    floor = "floor: json.JSONDecoder.decode"
    for step in columns[0]:
        cells = (
            f"{column[step]:10.2f} us {column[step] / column[floor]:6.2f} x"
            for column in columns
        )
        print(f"{step:34}" + "".join(f"{cell:>22}" for cell in cells))


def message_costs(modules: int, runs: int) -> dict[str, float]:
    """Return the microseconds of every step for messages of so many modules."""
    quiet = raw_message(modules)
    other = raw_message(modules, trouble=1)
    alarm = raw_message(modules, alarm=1)
    mark = fingerprint(quiet)
    text = quiet.decode()
    parser = json.JSONDecoder(strict=False)
    frame = decode(quiet)
    now = time.monotonic()
    truth = SiteTruth(
        [NodeConfig(1, DeviceAddress("127.0.0.2"), tuple(range(1, modules + 1)))],
        hold_seconds=45,
        now=now,
    )
    scheduler = Scheduler()
    ticks = 0.0

    def clock() -> float:
        # A second per message, so that no node is ever throttled.
        nonlocal ticks
        ticks += 1.0
        return ticks

    aggregator = MessageAggregator(
        truth,
        HealthMonitor(clock, clock),
        now=clock,
        on_update=lambda update: None,
        scheduler=scheduler,
    )
    aggregator.feed(1, quiet)
    unknown = [raw_message(modules, trouble=trouble) for trouble in range(1, 32)]

    def calm() -> None:
        for raw in unknown:
            aggregator.feed(1, raw)
            scheduler.turn()

    def toggle(raw: bytes) -> Callable[[], None]:
        def both() -> None:
            aggregator.feed(1, raw)
            scheduler.turn()
            aggregator.feed(1, quiet)
            scheduler.turn()

        return both

    def timed(work: Work, times: int) -> float:
        return microseconds(work, times=times, runs=runs)

    return {
        "floor: json.JSONDecoder.decode": timed(lambda: parser.decode(text), 2000),
        "fingerprint": timed(lambda: fingerprint(quiet), 5000),
        "may_alarm": timed(lambda: may_alarm(mark), 3000),
        "decode": timed(lambda: decode(quiet), 1000),
        "truth.apply, nothing changed": timed(lambda: truth.apply(1, frame, now), 1000),
        "feed: repetition": timed(lambda: aggregator.feed(1, quiet), 5000),
        "feed: known (lamp blinks)": timed(toggle(other), 300) / 2,
        "feed: new trouble, drained": timed(calm, 20) / len(unknown),
        "feed: alarm and its end": timed(toggle(alarm), 300) / 2,
    }


async def print_batches(runs: int) -> None:
    """Print for each size of a batch whether an executor job pays."""
    print(
        f"\n{'waiting messages':24}{'bytes':>9}"
        f"{'here':>11}{'job':>11}{'job/here':>10}"
        f"{'held: here':>13}{'held: job':>12}{'job/here':>10}"
    )
    for shape, modules in SHAPES.items():
        raw = raw_message(modules)
        for count in BATCHES:
            bundles = [Bundle(n, n, ((b"", raw),)) for n in range(1, count + 1)]
            here, held_here = await measured(bundles, runs, in_job=False)
            job, held_job = await measured(bundles, runs, in_job=True)
            mark = " <- job" if count * len(raw) >= JOB_BYTES else ""
            print(
                f"{count:5} of {shape:15}{count * len(raw):9}"
                f"{here * 1e3:8.2f} ms{job * 1e3:8.2f} ms{job / here:10.2f}"
                f"{held_here * 1e3:10.2f} ms{held_job * 1e3:9.2f} ms"
                f"{held_job / held_here:10.2f}{mark}"
            )


async def measured(
    bundles: list[Bundle], runs: int, *, in_job: bool
) -> tuple[float, float]:
    """Return medians of time to the result and of the loop's longest delay.

    Both in seconds; the delay is that of a timer with a period of 0.5 ms.
    """
    spans: list[float] = []
    delays: list[float] = []
    for _ in range(runs):
        probe = Probe()
        await asyncio.sleep(SETTLE_SECONDS)
        probe.longest = 0.0
        began = time.perf_counter()
        if in_job:
            await asyncio.get_running_loop().run_in_executor(None, digest_all, bundles)
        else:
            digest_all(bundles)
        spans.append(time.perf_counter() - began)
        await asyncio.sleep(SETTLE_SECONDS)
        delays.append(probe.longest)
        probe.timer.cancel()
    return statistics.median(spans), statistics.median(delays)


class Probe:
    """A timer that notes how late it is; the event loop was held up for so long."""

    def __init__(self) -> None:
        """Start at once."""
        self.longest = 0.0
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()
        self.timer = self._loop.call_at(self._due, self._go_off)

    def _go_off(self) -> None:
        """Note the delay and plan the next time."""
        self.longest = max(self.longest, self._loop.time() - self._due)
        self._due = self._loop.time() + PROBE_SECONDS
        self.timer = self._loop.call_at(self._due, self._go_off)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="more is steadier")
    runs = parser.parse_args().runs
    print(
        f"Python {platform.python_version()}, {platform.machine()}, "
        f"GIL handed on after {sys.getswitchinterval() * 1e3:g} ms\n"
    )
    print_message_costs(runs)
    asyncio.run(print_batches(runs))


if __name__ == "__main__":
    main()
