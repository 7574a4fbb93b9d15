"""Every fault against every promise, in real time; writes the matrix in docs/faults.md.

`python -m benchmarks.faults` tries each fault that the simulator can play on a
fleet of its own, several at once, with the timings that sites have by default.
`--write` renews the table in the documentation.
"""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
import json
import os
from pathlib import Path
import platform
import sys
from typing import Final

from custom_components.esp32_fire_alarm.fleet.timing import Supervision, SystemClock

from .adversary import (
    HAZARDS,
    Hazard,
    Outcome,
    Promise,
    concerns,
    try_hazard,
)
from .engine import catching_errors

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "faults.md"
MANIFEST: Final = ROOT / "custom_components" / "esp32_fire_alarm" / "manifest.json"
BEGIN: Final = "<!-- matrix: written by python -m benchmarks.faults --write -->"
END: Final = "<!-- end of the matrix -->"

STEP_SECONDS: Final = 0.1
KEPT: Final = "yes"
BROKEN: Final = "**NO**"

FIGURES: Final = (
    "alarms",
    "lost",
    "doubled",
    "alarm told after",
    "loss shown after",
    "unavailable after",
    "back after",
    "reconnects",
)


class RealPace:
    """Time as it is."""

    def __init__(self) -> None:
        """Take the clock that sites have."""
        self.clock = SystemClock()
        self.scale = 1.0

    async def step(self) -> None:
        """Let a tenth of a second pass."""
        await asyncio.sleep(STEP_SECONDS)


async def try_all(hazards: Sequence[Hazard], at_once: int) -> list[Outcome]:
    """Try all hazards, so many at the same time."""
    turn = asyncio.Semaphore(at_once)

    async def try_one(hazard: Hazard) -> Outcome:
        async with turn:
            outcome = await try_hazard(
                hazard, RealPace(), supervision=Supervision(), cycle_seconds=1.0
            )
            print(f"{hazard:18} {outcome.broken or 'kept'}", flush=True)
            return outcome

    with catching_errors() as catcher:
        outcomes = await asyncio.gather(*map(try_one, hazards))
    for error in catcher.errors:
        print(f"error: {error}")
        for outcome in outcomes:
            outcome.breaks(Promise.BOUNDED, error)
    return outcomes


def matrix(outcomes: Sequence[Outcome]) -> str:
    """Return the matrix as Markdown, with its date, version and machine."""
    version = json.loads(MANIFEST.read_text())["version"]
    now = datetime.now(UTC)
    head = ("fault", *Promise, *FIGURES)
    lines = [head, ("---",) * len(head), *map(_row, outcomes)]
    raised = sum(one.raised for one in outcomes)
    delays = [one.told_after_seconds for one in outcomes]
    losses = [one.lost_after_seconds or 0.0 for one in outcomes]
    ends = [one.given_up_after_seconds or 0.0 for one in outcomes]
    figures = (
        f"{len(outcomes)} faults tried, {raised} alarms raised, "
        f"{sum(one.lost for one in outcomes)} lost, "
        f"{sum(one.doubled for one in outcomes)} doubled; worst time from alarm to "
        f"event {max(delays):.1f} s where the node is heard, from fault to held zones "
        f"{max(losses):.1f} s, to unavailable ones {max(ends):.1f} s."
    )
    made = (
        f"{now:%Y-%m-%d}, version {version}, {os.cpu_count()} cores "
        f"{platform.machine()}, Python {platform.python_version()}."
    )
    table = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([figures, "", made, "", *table])


def _row(outcome: Outcome) -> tuple[str, ...]:
    """Return one fault's line."""
    return (
        f"`{outcome.hazard}`",
        *(_cell(outcome, promise) for promise in Promise),
        *map(str, (outcome.raised, outcome.lost, outcome.doubled)),
        f"{outcome.told_after_seconds:.1f} s",
        _seconds(outcome.lost_after_seconds),
        _seconds(outcome.given_up_after_seconds),
        _seconds(outcome.back_after_seconds),
        str(outcome.reconnects),
    )


def _cell(outcome: Outcome, promise: Promise) -> str:
    """Return what became of a promise."""
    if promise in outcome.broken:
        return BROKEN
    return KEPT if concerns(promise, outcome.hazard) else "-"


def _seconds(value: float | None) -> str:
    """Return a time, or a dash where nothing was lost."""
    return "-" if value is None else f"{value:.1f} s"


def write(text: str) -> None:
    """Put the matrix in its place in the documentation."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def main() -> int:
    """Try, print, and return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults")
    parser.add_argument("fault", nargs="*", help="default: all of them")
    parser.add_argument("--at-once", type=int, default=12, help="default: 12")
    parser.add_argument("--write", action="store_true", help="renew docs/faults.md")
    args = parser.parse_args()
    hazards = [one for one in HAZARDS if not args.fault or one in args.fault]
    outcomes = asyncio.run(try_all(hazards, args.at_once))
    text = matrix(outcomes)
    print(text)
    for outcome in outcomes:
        for promise, why in outcome.broken.items():
            print(f"{outcome.hazard}: {promise}: {why}")
    if args.write:
        write(text)
    return 1 if any(outcome.broken for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
