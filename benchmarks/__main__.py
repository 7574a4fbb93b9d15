"""All contestants through all scenarios: `python -m benchmarks`.

In each round every contestant meets the same fleet, one after the other, so that
whatever else the machine does hits all of them alike. `--quick` shows in a few
seconds that it works, with what script/setup installs; its figures mean nothing.
Otherwise docs/benchmarks.md and the table in the README are renewed.
"""

import argparse
import asyncio
from collections import defaultdict
import sys
import time
from typing import Final

from . import document, machine
from .scenario import FULL, QUICK, Figures, growth, single_link, whole_round
from .table import (
    COMPARISON,
    GROWTH_SIZES,
    NAMES,
    ROWS,
    Rounds,
    markdown,
    of_one_site,
)

WITHOUT_BROKER: Final = ("floor", "ours", "plain")


async def measure(rounds: int) -> dict[str, list[Figures]]:
    """Return the figures of every contestant, by round."""
    results: dict[str, list[Figures]] = defaultdict(list)
    for number in range(rounds):
        # Nobody is always the first.
        shift = number % len(COMPARISON)
        for name in COMPARISON[shift:] + COMPARISON[:shift]:
            began = time.monotonic()
            results[name].append(await whole_round(name, FULL))
            note(f"round {number + 1}: {name}", began)
        began = time.monotonic()
        results["single"].append(await single_link(FULL))
        note(f"round {number + 1}: single", began)
    return results


async def try_out() -> dict[str, list[Figures]]:
    """Take all that need no broker through everything at once, with a small fleet."""
    figures = await asyncio.gather(
        *(whole_round(name, QUICK) for name in WITHOUT_BROKER)
    )
    return {name: [one] for name, one in zip(WITHOUT_BROKER, figures, strict=True)}


async def measure_growth(rounds: Rounds) -> dict[str, Figures]:
    """Return the figures of fleets up to far beyond one site, once per size.

    Those of one site are known from the `rounds`.
    """
    results: dict[str, Figures] = {}
    for name in ("floor", "ours"):
        figures = results[name] = of_one_site(rounds, name)
        for nodes in GROWTH_SIZES[1:]:
            began = time.monotonic()
            figures |= await growth(name, nodes, FULL)
            note(f"{nodes} nodes: {name}", began)
    return results


def note(what: str, began: float) -> None:
    """Say how far we are."""
    print(f"benchmark: {what}, {time.monotonic() - began:.0f} s", file=sys.stderr)


def main() -> int:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only show that it works")
    parser.add_argument("--rounds", type=int, default=3, help="more is steadier")
    options = parser.parse_args()
    if options.quick:
        rounds: Rounds = asyncio.run(try_out())
    else:
        rounds = asyncio.run(measure(options.rounds))
        document.write(rounds, asyncio.run(measure_growth(rounds)))
    print(f"{machine.describe()}\n")
    print(markdown(rounds, tuple(NAMES), ROWS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
