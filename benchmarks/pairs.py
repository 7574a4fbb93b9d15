"""Our frames and alarms beside the floor's, in turns: `python -m benchmarks.pairs`.

What a frame costs depends on what else the machine does, and that changes from
minute to minute, so contestants that run one after the other do not meet the same
machine. Here both run all the time and are measured by turns, some seconds each.
The alarms of all turns are put together: of a hundred, chance picks the slowest.
"""

import argparse
import asyncio
from dataclasses import replace
import statistics
import sys
from typing import Final

from . import machine
from .document import alarm_over_floor
from .peer import running
from .scenario import FULL, QUICK, Alarms, Length, percentile, session

RATES_HZ: Final = (1.0, 10.0)

type Pairs = list[tuple[float, float]]
type Turns = dict[str, list[Alarms]]


async def measure(turns: int, length: Length) -> tuple[dict[float, Pairs], Turns]:
    """Return what frames cost the floor and us, by rate, and their alarms by turns.

    Costs are us of processor time.
    """
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
        alarms: Turns = {}
        for _ in range(turns):
            for one, load in contestants:
                turn = await one.alarms_during_load(RATES_HZ[-1])
                await load.ask("pace", hz=1.0)
                alarms.setdefault(one.name, []).append(turn)
        return pairs, alarms


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


def alarm_table(turns: Turns) -> str:
    """Return how long the alarms of all turns took, as a Markdown table."""
    floor, ours = (Alarms.together(turns[name]) for name in ("floor", "ours"))
    rows = {
        "bare floor": floor.waits,
        "this integration": ours.waits,
        "one state written": ours.writes,
    }
    lines = ["| alarms during 10/s | number | median | p99 |", "|---|---:|---:|---:|"]
    lines += (
        f"| {name} | {len(waits)} | {statistics.median(waits):.2f} ms "
        f"| {percentile(waits, 0.99):.2f} ms |"
        for name, waits in rows.items()
    )
    ratio = alarm_over_floor({"floor": [floor.figures()], "ours": [ours.figures()]})
    return "\n".join(lines) + (
        f"\n\np99 less one state written: {ratio:.2f}x the floor's. "
        f"Alarms not shown: {floor.missing + ours.missing}."
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
    pairs, alarms = asyncio.run(measure(turns, length))
    print(f"{table(pairs)}\n\n{alarm_table(alarms)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
