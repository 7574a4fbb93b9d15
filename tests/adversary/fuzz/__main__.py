"""`script/fuzz`: so many inputs for so long, from a seed that is printed."""

import argparse
import gc
from random import SystemRandom
import sys
import time

from . import TARGETS, run

SLOWEST_SECONDS = 1.0
"""Processor time; what takes longer holds up an alarm."""


def main() -> int:
    """Fuzz, print one line per target, and return 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="script/fuzz", description=__doc__)
    parser.add_argument(
        "target", nargs="*", choices=[*TARGETS, []], help="default: all of them"
    )
    parser.add_argument(
        "--examples", type=int, default=100_000, help="of each target (default: 100000)"
    )
    parser.add_argument("--seconds", type=float, help="end a target after so long")
    parser.add_argument("--seed", type=int, help="default: another one each time")
    args = parser.parse_args()
    seed = SystemRandom().randrange(2**32) if args.seed is None else args.seed
    print(f"seed {seed}", flush=True)
    # What was imported is no garbage; looking through it takes longer than any input.
    gc.freeze()
    is_sound = True
    for name in args.target or TARGETS:
        began = time.monotonic()
        result = run(name, seed, examples=args.examples, seconds=args.seconds)
        seconds = time.monotonic() - began
        print(
            f"{name:10} {result.examples:9d} inputs in {seconds:7.0f} s, "
            f"slowest {result.slowest_seconds * 1000:.1f} ms",
            flush=True,
        )
        if result.failure is not None:
            is_sound = False
            print(f"  input {result.failing!r}\n  {result.failure}")
        elif result.slowest_seconds > SLOWEST_SECONDS:
            is_sound = False
            print(f"  too slow: {result.slowest!r}")
    return 0 if is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
