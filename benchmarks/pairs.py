"""Our frames beside the floor's, in turns: `python -m benchmarks.pairs`.

What a frame costs depends on what else the machine does, and that changes from
minute to minute, so contestants that run one after the other do not meet the same
machine. Here both run all the time and are measured by turns, some seconds each.
"""

import argparse
import asyncio
from dataclasses import replace
import statistics
import sys
from typing import Final

from . import machine
from .peer import running
from .scenario import FULL, QUICK, Length, session

RATES_HZ: Final = (1.0, 10.0)

type Pairs = list[tuple[float, float]]


async def measure(turns: int, length: Length) -> dict[float, Pairs]:
    """Return what a frame cost the floor and us, in us of processor time, by rate."""
    async with (
        session("floor", length) as floor,
        session("ours", length) as ours,
        running("load") as load_of_floor,
        running("load") as load_of_ours,
    ):
        contestants = ((floor, load_of_floor), (ours, load_of_ours))
        for one, load in contestants:
            await one.connect(length.nodes, load)
        pairs: dict[float, Pairs] = {}
        for hz in RATES_HZ:
            for _ in range(turns):
                costs = []
                for one, load in contestants:
                    await one.steady("turn", hz)
                    # Who is not being measured only keeps its links.
                    await load.ask("pace", hz=1.0)
                    costs.append(one.figures["turn.cpu_us"])
                pairs.setdefault(hz, []).append((costs[0], costs[1]))
        return pairs


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


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pairs")
    parser.add_argument("--turns", type=int, default=7, help="more is steadier")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each turn")
    parser.add_argument("--quick", action="store_true", help="only show that it works")
    options = parser.parse_args()
    length = QUICK if options.quick else replace(FULL, steady=options.seconds)
    turns = 1 if options.quick else options.turns
    print(f"{machine.describe()}\n")
    print(table(asyncio.run(measure(turns, length))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
