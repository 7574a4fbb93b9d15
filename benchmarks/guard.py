"""Holds what single steps cost to what they cost when somebody last agreed to it.

`python -m benchmarks.guard` runs the benchmarks in `micro/` and compares each
step's ratio to the floor (a JSON parse of the same bytes, in the same run) with
the one in `micro/ratios.json`. It fails if one is more than half as much again.
Ratios move far less from machine to machine than times do. `--renew` writes what
was measured as what is agreed to.
"""

import argparse
import json
import os
from pathlib import Path
import re
import subprocess
import sys
import tempfile
from typing import Final

from .peer import REPOSITORY

TOLERANCE: Final = 1.5
"""A step may cost this many times its agreed ratio; noise stays well below."""

ATTEMPTS: Final = 3
"""A step that is too slow in each of so many runs really is."""

RATIOS: Final = Path(__file__).parent / "micro" / "ratios.json"
DEFAULT_SHAPE: Final = "one_module"
FLOOR: Final = "floor"

COMMAND: Final = (
    *(sys.executable, "-m", "pytest", "benchmarks/micro/bench_steps.py"),
    *("-q", "-p", "no:cacheprovider", "--codspeed", "--codspeed-mode", "walltime"),
    *("--codspeed-max-time", "0.4", "--codspeed-warmup-time", "0.1"),
)

_NAME: Final = re.compile(r"test_(\w+)(?:\[(\w+)\])?")

type Ratios = dict[str, float]


def measure() -> Ratios:
    """Run the benchmarks; return each step's ratio to the floor of its shape.

    Raises:
        subprocess.CalledProcessError: one of them failed.

    """
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        subprocess.run(
            COMMAND,
            cwd=REPOSITORY,
            env=os.environ | {"CODSPEED_PROFILE_FOLDER": folder},
            stdout=sys.stderr,
            check=True,
        )
        (file,) = Path(folder).rglob("*.json")
        results = json.loads(file.read_text())["benchmarks"]
    nanoseconds: dict[tuple[str, str], float] = {}
    for result in results:
        match = _NAME.fullmatch(result["name"])
        assert match is not None, result["name"]
        key = (match[1], match[2] or DEFAULT_SHAPE)
        nanoseconds[key] = result["stats"]["median_ns"]
    return {
        f"{step}, {shape.replace('_', ' ')}": time / nanoseconds[FLOOR, shape]
        for (step, shape), time in nanoseconds.items()
        if step != FLOOR
    }


def too_slow(measured: Ratios, agreed: Ratios) -> dict[str, float]:
    """Return how many times their agreed ratio those steps cost that fail.

    A step that was never agreed to fails too.
    """
    return {
        step: ratio / agreed.get(step, 0.0) if step in agreed else float("inf")
        for step, ratio in measured.items()
        if step not in agreed or ratio > TOLERANCE * agreed[step]
    }


def least(*runs: Ratios) -> Ratios:
    """Return the least ratio of every step: what is more was the machine's doing."""
    return {step: min(run[step] for run in runs) for step in runs[0]}


def guard() -> int:
    """Compare and print; return the exit code."""
    agreed: Ratios = json.loads(RATIOS.read_text())
    best = measure()
    for _ in range(ATTEMPTS - 1):
        if too_slow(best, agreed):
            best = least(best, measure())
    failed = too_slow(best, agreed)
    print(f"{'step':40}{'agreed':>10}{'measured':>10}")
    for step, ratio in best.items():
        mark = "  <- too slow" if step in failed else ""
        print(f"{step:40}{agreed.get(step, 0.0):9.1f}x{ratio:9.1f}x{mark}")
    if gone := sorted(agreed.keys() - best.keys()):
        print(f"no longer measured: {', '.join(gone)}")
    return 1 if failed or gone else 0


def main() -> int:
    """Guard, or renew what is agreed to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard")
    parser.add_argument(
        "--renew", action="store_true", help="agree to what it costs now"
    )
    if not parser.parse_args().renew:
        return guard()
    ratios = least(*(measure() for _ in range(ATTEMPTS)))
    rounded = {step: round(ratio, 2) for step, ratio in ratios.items()}
    RATIOS.write_text(json.dumps(rounded, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
