"""The command line of a soak."""

import argparse
import secrets

from sim.errors import SimError

from .report import markdown
from .run import Plan, soak

_SEEDS = 1_000_000


def run_soak(args: argparse.Namespace) -> int:
    """Run what was asked for; return 0 if nothing was lost, doubled or leaked."""
    if args.accelerated and args.home_assistant:
        raise SimError("accelerated: a Home Assistant takes its own time")
    plan = Plan(
        seconds=args.run_seconds,
        nodes=args.nodes,
        seed=secrets.randbelow(_SEEDS) if args.seed is None else args.seed,
        is_warped=args.accelerated,
        is_traced=not (args.untraced or args.home_assistant),
        is_house=args.home_assistant,
    )
    print(f"seed {plan.seed}", flush=True)
    result = soak(plan)
    text = markdown(result)
    print(f"\n{text}")
    if args.report is not None:
        with args.report.open("a") as file:
            file.write(f"\n{text}")
    return 0 if result.has_passed else 1
