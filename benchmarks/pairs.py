"""Our frames and alarms beside the floor's, in turns: `python -m benchmarks.pairs`.

What a frame costs depends on what else the machine does, and that changes from
minute to minute, so contestants that run one after the other do not meet the same
machine. Here both run all the time and are measured by turns, some seconds each.
The alarms of all turns are put together: of a hundred, chance picks the slowest.
"""

import argparse
import asyncio
from dataclasses import dataclass, field, replace
import statistics
import sys
from typing import Final

from . import machine
from .peer import running
from .scenario import FULL, QUICK, Length, percentile, session

RATES_HZ: Final = (1.0, 10.0)

type Pairs = list[tuple[float, float]]


@dataclass(slots=True)
class Measured:
    """What was measured: us of processor time per frame, and latencies in ms."""

    costs: dict[float, Pairs] = field(default_factory=dict)
    floor_waits: list[float] = field(default_factory=list)
    our_waits: list[float] = field(default_factory=list)
    our_writes: list[float] = field(default_factory=list)
    missing: int = 0


async def measure(turns: int, length: Length) -> Measured:
    """Return what frames cost the floor and us, and how long alarms took."""
    measured = Measured()
    async with (
        session("floor", length) as floor,
        session("ours", length) as ours,
        running("load") as load_of_floor,
        running("load") as load_of_ours,
    ):
        contestants = ((floor, load_of_floor), (ours, load_of_ours))
        for one, load in contestants:
            await one.connect(length.nodes, load)
        for hz in RATES_HZ:
            for _ in range(turns):
                costs = []
                for one, load in contestants:
                    await one.steady("turn", hz)
                    # Who is not being measured only keeps its links.
                    await load.ask("pace", hz=1.0)
                    costs.append(one.figures["turn.cpu_us"])
                measured.costs.setdefault(hz, []).append((costs[0], costs[1]))
        for _ in range(turns):
            for one, load in contestants:
                alarms = await one.alarms_during_load(RATES_HZ[-1])
                await load.ask("pace", hz=1.0)
                measured.missing += alarms.missing
                if one is ours:
                    measured.our_waits += alarms.waits
                    measured.our_writes += alarms.writes
                else:
                    measured.floor_waits += alarms.waits
    return measured


def table(pairs: dict[float, Pairs]) -> str:
    """Return medians and the range of the ratios as a Markdown table."""
    lines = [
        "| 63 nodes, each | bare floor | this integration | ratio, median | all ratios |",
        "|---|---:|---:|---:|---:|",
    ]
    for hz, costs in pairs.items():
        ratios = sorted(ours / floor for floor, ours in costs)
        floor, ours = (statistics.median(values) for values in zip(*costs, strict=True))
        lines.append(
            f"| {hz:g}/s | {floor:.0f} µs | {ours:.0f} µs "
            f"| {statistics.median(ratios):.2f}x | {ratios[0]:.2f}-{ratios[-1]:.2f}x |"
        )
    return "\n".join(lines)


def alarm_table(measured: Measured) -> str:
    """Return how long alarms took during load as a Markdown table."""
    rows = {
        "bare floor": measured.floor_waits,
        "this integration": measured.our_waits,
        "one state written": measured.our_writes,
    }
    lines = ["| alarms during 10/s | number | median | p99 |", "|---|---:|---:|---:|"]
    p99 = {}
    for name, waits in rows.items():
        p99[name] = percentile(waits, 0.99)
        lines.append(
            f"| {name} | {len(waits)} | {statistics.median(waits):.2f} ms "
            f"| {p99[name]:.2f} ms |"
        )
    net = p99["this integration"] - p99["one state written"]
    return "\n".join(lines) + (
        f"\n\np99 less one state written: {net / p99['bare floor']:.2f}x the floor's. "
        f"Alarms not shown: {measured.missing}."
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pairs")
    parser.add_argument("--turns", type=int, default=7, help="more is steadier")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each turn")
    parser.add_argument("--alarms", type=int, default=60, help="in each turn")
    parser.add_argument("--quick", action="store_true", help="only show that it works")
    options = parser.parse_args()
    length = replace(FULL, steady=options.seconds, alarms=options.alarms)
    if options.quick:
        length = QUICK
    turns = 1 if options.quick else options.turns
    print(f"{machine.describe()}\n")
    measured = asyncio.run(measure(turns, length))
    print(f"{table(measured.costs)}\n\n{alarm_table(measured)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
