"""`python -m sim`: start a fleet, or talk to the one that runs."""

import argparse
import asyncio
from collections.abc import Sequence
import contextlib
from functools import partial
import json
import signal
import sys
import time
from typing import Any, Final

from .commands import Request
from .control import (
    DEFAULT_CONTROL_HOST,
    DEFAULT_CONTROL_PORT,
    ControlServer,
    call,
)
from .errors import SimError
from .fleet import SimulatedFleet
from .listing import fault_lines, fault_table
from .panel import ZONES_PER_MODULE, Switch
from .parser import RUN, parse
from .replay import load_messages
from .status import FleetSnapshot

EXIT_FAILED: Final = 1
EXIT_BAD_INPUT: Final = 2
EXIT_INTERRUPTED: Final = 130

STATUS_REFRESH_SECONDS: Final = 0.5
STATUS_LONGEST_SECONDS: Final = 86_400
"""A forgotten live picture ends after a day."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code: 0, 1 (failed) or 2 (bad input)."""
    args = parse(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(args)
    except SimError as err:
        return _complain(args.do, str(err), EXIT_BAD_INPUT)
    except ConnectionError as err:
        return _complain(args.do, str(err), EXIT_FAILED)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _complain(command: str, text: str, code: int) -> int:
    """Print one line about what went wrong and return the exit code."""
    print(f"python -m sim {command}: {text}", file=sys.stderr)
    return code


def _dispatch(args: argparse.Namespace) -> int:
    """Run the command that was asked for."""
    if args.do == RUN:
        fleet = _fleet(args)
        try:
            asyncio.run(_run(fleet, args))
        except SimError as err:
            return _complain(args.do, str(err), EXIT_FAILED)
        return 0
    if args.do == "decode":
        # Imported here, like `check`: the fleet itself runs without the integration.
        from .decoding import decode_file  # noqa: PLC0415

        return decode_file(args.file)
    if args.do == "check":
        from .check import check_url  # noqa: PLC0415

        return check_url(args.url, args.seconds, as_json=args.json)
    if args.do == "faults":
        print(fault_table() if args.markdown else "\n".join(fault_lines()))
        return 0
    if args.do == "soak":
        from .soak.command import run_soak  # noqa: PLC0415

        return run_soak(args)
    if args.do == "scenario":
        # Imported here: what reads YAML must not come before Home Assistant where
        # other commands load the integration.
        from .player import check_files  # noqa: PLC0415

        return check_files(args.files)
    if args.do == "status":
        return _status(args)
    answer = call(args.control, _request(args))
    if "error" in answer:
        return _complain(args.do, answer["error"], EXIT_BAD_INPUT)
    print(answer["say"])
    return 0


def _fleet(args: argparse.Namespace) -> SimulatedFleet:
    """Return the fleet that the options of `run` describe, or its scenario does."""
    if args.scenario is not None:
        from .scenario import load_scenario  # noqa: PLC0415 - see `scenario`

        args.scenario = load_scenario(args.scenario)
        args.layout, args.nodes = args.scenario.layout, args.scenario.nodes
    fleet = SimulatedFleet(
        args.layout,
        count=args.nodes,
        port=args.port,
        first_address=args.first_address,
        numbering=args.numbering,
        dialect=args.dialect,
        cycle_seconds=args.cycle,
        absent=args.absent,
        replay=load_messages(args.replay) if args.replay else (),
        obey_commands=args.obey,
        latching=args.latching,
    )
    if args.scenario is not None:
        from .player import check  # noqa: PLC0415 - see `scenario`

        check(args.scenario, fleet)
    return fleet


async def _run(fleet: SimulatedFleet, args: argparse.Namespace) -> None:
    """Run the fleet until a signal, `stop`, the time asked for or the last step."""
    from .player import Player  # noqa: PLC0415 - see `scenario`

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Whoever started it with nohup wants it to outlive the terminal.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            loop.add_signal_handler(number, ended.set)
    player = Player(fleet, partial(print, flush=True))
    control = ControlServer(fleet, args.control, ended.set, player.obey)
    try:
        await fleet.start()
        await control.start()
        print(_welcome(fleet, args), flush=True)
        if args.scenario is not None:
            print(player.play(args.scenario), flush=True)
            playing = loop.create_task(player.wait())
            playing.add_done_callback(lambda _: ended.set())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), args.run_seconds)
    finally:
        await player.stop()
        await control.stop()
        await fleet.stop()


def _welcome(fleet: SimulatedFleet, args: argparse.Namespace) -> str:
    """Return what is served and what to try."""
    first, last = fleet.nodes[0], fleet.nodes[-1]
    nodes = "1 node" if first is last else f"{len(fleet.nodes)} nodes"
    urls = first.url if first is last else f"{first.url} to {last.url}"
    if args.replay:
        what = f"serving {args.replay} byte for byte"
        tries = ["status", f"check {first.url}"]
    else:
        modules = max(node.panel.modules[-1] for node in fleet.nodes)
        zones = modules * ZONES_PER_MODULE
        modules_text = "1 module" if modules == 1 else f"{modules} modules"
        what = f"{modules_text}, {zones} zones, layout {fleet.layout}"
        zone = min(17, zones)
        tries = [f"alarm {zone}", f"clear {zone}", "node 1 fault half_open", "status"]
    if args.absent:
        what += f", absent: node {', '.join(map(str, args.absent))}"
    is_default = args.control == (DEFAULT_CONTROL_HOST, DEFAULT_CONTROL_PORT)
    control = "" if is_default else " --control {}:{}".format(*args.control)
    return "\n".join(
        [
            f"Simulated fleet: {nodes}, {what}",
            f"  {urls}, a frame every {fleet.cycle_seconds:g} s each",
            "Try in another terminal (--help lists all):",
            *(f"  python -m sim {one}{control}" for one in tries),
            "Ctrl-C ends it.",
        ]
    )


def _request(args: argparse.Namespace) -> Request:
    """Return what to ask of the running fleet."""
    request: dict[str, Any] = {
        key: value for key, value in vars(args).items() if key != "control"
    }
    if "zones" in request:
        groups = request["zones"]
        request["zones"] = (
            "all" if "all" in groups else [zone for group in groups for zone in group]
        )
    if args.do == "play":
        return _play_request(args)
    if args.do == "trouble":
        request["on"] = not args.off
    elif args.do == "bit5":
        request["on"] = args.state == Switch.ON
    elif args.do in ("offline", "online"):
        request |= {"do": "offline", "on": args.do == "offline"}
    return request


def _play_request(args: argparse.Namespace) -> Request:
    """Return the request that plays a file, which is read and checked here first."""
    if args.end:
        return {"do": "play", "end": True}
    from .scenario import load_scenario  # noqa: PLC0415 - see `scenario`

    load_scenario(args.file)
    return {"do": "play", "name": str(args.file), "text": args.file.read_text("utf-8")}


def _status(args: argparse.Namespace) -> int:
    """Show the running fleet: once, as JSON, or live until Ctrl-C."""
    snapshot = _snapshot(args)
    if args.json:
        print(json.dumps(snapshot.to_json()))
        return 0
    # Imported here, so that everything else runs without rich.
    from rich.console import Console  # noqa: PLC0415
    from rich.live import Live  # noqa: PLC0415

    from .view import picture  # noqa: PLC0415

    console = Console()
    if args.once or not console.is_terminal:
        console.print(picture(snapshot))
        return 0
    ends_at = time.monotonic() + STATUS_LONGEST_SECONDS
    with Live(picture(snapshot), console=console, screen=True) as live:
        while time.monotonic() < ends_at:
            time.sleep(STATUS_REFRESH_SECONDS)
            live.update(picture(_snapshot(args)), refresh=True)
    return 0


def _snapshot(args: argparse.Namespace) -> FleetSnapshot:
    """Ask the running fleet how it is."""
    answer = call(args.control, {"do": "status"})
    try:
        return FleetSnapshot.from_json(answer["status"])
    except (KeyError, TypeError, ValueError) as err:
        raise ConnectionError("control: that is no simulated fleet") from err
