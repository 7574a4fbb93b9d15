"""The command line's grammar; it also says what is wrong, in one line."""

import argparse
from collections.abc import Sequence
import contextlib
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import Final, NoReturn, override

from .control import DEFAULT_CONTROL_HOST, DEFAULT_CONTROL_PORT
from .encode import Dialect
from .faults import Fault
from .fleet import DEFAULT_FIRST_ADDRESS, DEFAULT_MODULES, DEFAULT_PORT
from .layout import Layout, Numbering
from .listing import fault_lines
from .panel import MODULES_PER_SITE, ZONES_PER_SITE, Lamp, Switch

RUN: Final = "run"
_FAULT_HELP: Final = (
    "faults of `node N fault NAME [VALUE]`, value with default and range:\n"
    + "\n".join(fault_lines())
)


class _Parser(argparse.ArgumentParser):
    """Answers bad input with one line instead of a page."""

    @override
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of `python -m sim`."""
    parser = _Parser(
        prog="python -m sim",
        description="A simulated fleet of fire alarm ESP32s. Without a command: run.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="`faults` lists everything that can be wrong with a node.",
    )
    commands = parser.add_subparsers(dest="do", required=True, metavar="COMMAND")
    _add_run(commands.add_parser(RUN, help="start the fleet (the default)"))
    _add_offline_tools(commands)

    remote = _Parser(add_help=False)
    _add_control(remote, "the running fleet's control socket")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[remote])

    one = command("alarm", "put zones in alarm")
    one.add_argument("zones", nargs="+", type=_zones, metavar="ZONE")
    one = command("trouble", "give zones a trouble")
    one.add_argument("zones", nargs="+", type=_zones, metavar="ZONE")
    one.add_argument("--off", action="store_true", help="take it away")
    one = command("clear", "make zones normal again")
    one.add_argument("zones", nargs="+", type=_zones_or_all, metavar="ZONE|all")
    one = command("bell", "force a module's bell, or leave it to the panel")
    one.add_argument("module", type=_module, metavar="MODULE")
    one.add_argument("state", choices=list(Switch))
    one = command("bit5", "set the undocumented trouble bit of a module")
    one.add_argument("module", type=_module, metavar="MODULE")
    one.add_argument("state", choices=[Switch.ON, Switch.OFF])
    for name, text in (
        ("offline", "let modules stop answering their panel"),
        ("online", "let modules answer again"),
    ):
        one = command(name, text)
        one.add_argument("modules", nargs="+", type=_module, metavar="MODULE")
    one = command("led", "force a panel lamp, or give it back to the panel")
    one.add_argument("name", choices=list(Lamp))
    one.add_argument("state", choices=list(Switch))
    one.add_argument("--node", type=int, help="on this node only (default: all)")
    _add_node(command("node", "unplug, plug in or break one node"))
    for name, text in (
        ("power-cut", "all nodes vanish, then boot"),
        ("ap-flap", "all nodes fall silent, sockets stay open"),
    ):
        one = command(name, text)
        one.add_argument("seconds", type=_seconds, metavar="SECONDS")
    one = command("play", "play a scenario on the running fleet")
    what = one.add_mutually_exclusive_group(required=True)
    what.add_argument("file", nargs="?", type=Path, metavar="FILE")
    what.add_argument("--end", action="store_true", help="end the one that plays")
    command("reset", "press the reset key of every panel")
    one = command("status", "show the fleet, live")
    one.add_argument("--once", action="store_true", help="one picture, then end")
    one.add_argument("--json", action="store_true", help="one snapshot as JSON")
    command("stop", "end the running fleet")
    return parser


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the parsed command line; what does not name a command is `run`."""
    parser = build_parser()
    if not argv or (argv[0].startswith("-") and argv[0] not in ("-h", "--help")):
        argv = [RUN, *argv]
    return parser.parse_args(argv)


def _add_run(run: argparse.ArgumentParser) -> None:
    """Add the options of `run`."""
    run.add_argument(
        "--layout",
        choices=list(Layout),
        default=Layout.DISTRIBUTED,
        help="which node carries which modules (default: %(default)s)",
    )
    run.add_argument(
        "--nodes",
        type=_module,
        default=DEFAULT_MODULES,
        help="modules of the site, in the distributed layout one node each (1-63)",
    )
    run.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="default: %(default)s"
    )
    run.add_argument(
        "--first-address",
        type=_address,
        default=DEFAULT_FIRST_ADDRESS,
        help="of node 1; the others follow (default: %(default)s)",
    )
    run.add_argument(
        "--absent",
        type=_node_list,
        default=[],
        metavar="7,9",
        help="nodes that are not there",
    )
    run.add_argument(
        "--numbering",
        choices=list(Numbering),
        default=Numbering.SITE,
        help="local: every node calls its first module 01",
    )
    run.add_argument(
        "--dialect",
        choices=list(Dialect),
        default=Dialect.CAPTURED,
        help="spelling of the frames (default: %(default)s)",
    )
    run.add_argument(
        "--cycle",
        type=_seconds,
        default=1.0,
        metavar="SECONDS",
        help="between two frames of a node (0.05-60, default: 1)",
    )
    run.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="serve captured messages instead, byte for byte, on one node",
    )
    run.add_argument(
        "--scenario",
        type=Path,
        metavar="FILE",
        help="play a scenario, with the fleet it was written for, then end",
    )
    run.add_argument(
        "--latching",
        action="store_true",
        help="the Alarm lamp stays lit until `reset`",
    )
    run.add_argument(
        "--obey", action="store_true", help="act on panel commands of clients"
    )
    run.add_argument(
        "--for", type=_seconds, dest="run_seconds", metavar="SECONDS", help="then end"
    )
    _add_control(run, "where to listen for commands")


def _add_offline_tools(commands: argparse._SubParsersAction[_Parser]) -> None:
    """Add the commands that need no running fleet."""
    text = "list everything that can be wrong with a node"
    faults = commands.add_parser("faults", help=text, description=text)
    faults.add_argument(
        "--markdown", action="store_true", help="as in the documentation"
    )
    text = "look whether a scenario is right, without playing it"
    scenario = commands.add_parser("scenario", help=text, description=text)
    scenario.add_argument("action", choices=["check"])
    scenario.add_argument("files", nargs="+", type=Path, metavar="FILE")
    text = "print the meaning of one raw WebSocket message as JSON"
    decode = commands.add_parser("decode", help=text, description=text)
    decode.add_argument("file", metavar="FILE|-")
    text = "tell whether a node, real or not, speaks the protocol"
    check = commands.add_parser("check", help=text, description=text)
    check.add_argument("url", metavar="ws://HOST[:PORT]")
    check.add_argument(
        "--seconds", type=_seconds, default=10.0, help="watch so long (default: 10)"
    )
    check.add_argument("--json", action="store_true", help="print JSON")
    _add_soak(commands.add_parser("soak", help="tell whether the integration lasts"))


def _add_soak(soak: argparse.ArgumentParser) -> None:
    """Add the options of `soak`."""
    soak.description = (
        "Run a fleet with random troubles and alarms under the integration, and "
        "look for what is lost, told twice or never given back. Exit code 1 if "
        "there is any."
    )
    soak.add_argument(
        "--for",
        type=_seconds,
        default=600.0,
        dest="run_seconds",
        metavar="SECONDS",
        help="so long, up to a day (default: 600)",
    )
    soak.add_argument(
        "--accelerated",
        action="store_true",
        help="in a time and on a network of its own: a day passes in minutes",
    )
    soak.add_argument(
        "--home-assistant",
        action="store_true",
        help="under a real Home Assistant process instead of the engine alone",
    )
    soak.add_argument(
        "--nodes", type=_module, default=DEFAULT_MODULES, help="1-63 (default: 63)"
    )
    soak.add_argument("--seed", type=int, help="to have the same again (accelerated)")
    soak.add_argument(
        "--untraced",
        action="store_true",
        help="do not trace Python's memory, which takes about half of the time",
    )
    soak.add_argument(
        "--report", type=Path, metavar="FILE", help="append the result as Markdown"
    )


def _add_node(node: argparse.ArgumentParser) -> None:
    """Add the arguments of `node`."""
    node.formatter_class = argparse.RawDescriptionHelpFormatter
    node.epilog = _FAULT_HELP
    node.add_argument("node", type=int, metavar="N")
    node.add_argument("action", choices=["down", "up", "fault"])
    node.add_argument("fault", nargs="?", choices=list(Fault), metavar="NAME")
    node.add_argument("value", nargs="?", type=float, metavar="VALUE")
    node.add_argument("--for", type=_seconds, dest="seconds", metavar="SECONDS")


def _add_control(parser: argparse.ArgumentParser, text: str) -> None:
    """Add --control."""
    parser.add_argument(
        "--control",
        type=_control,
        default=(DEFAULT_CONTROL_HOST, DEFAULT_CONTROL_PORT),
        metavar="HOST:PORT",
        help=f"{text} (default: {DEFAULT_CONTROL_HOST}:{DEFAULT_CONTROL_PORT})",
    )


def _whole(text: str, lowest: int, highest: int) -> int:
    """Return a whole number in a range."""
    if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
        raise argparse.ArgumentTypeError(f"{text}: must be {lowest}-{highest}")
    return int(text)


def _module(text: str) -> int:
    return _whole(text, 1, MODULES_PER_SITE)


def _port(text: str) -> int:
    return _whole(text, 1, 65_535)


def _zones(text: str) -> list[int]:
    """Return the zones in "17" or "17-20"."""
    first, dash, last = text.partition("-")
    start = _whole(first, 1, ZONES_PER_SITE)
    end = _whole(last, 1, ZONES_PER_SITE) if dash else start
    if end < start:
        raise argparse.ArgumentTypeError(f"{text}: the first must be the lower one")
    return list(range(start, end + 1))


def _zones_or_all(text: str) -> list[int] | str:
    return "all" if text == "all" else _zones(text)


def _node_list(text: str) -> list[int]:
    return [_whole(part.strip(), 1, MODULES_PER_SITE) for part in text.split(",")]


def _seconds(text: str) -> float:
    """Return a time of up to one day."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text}: must be seconds, up to 86400")
    return seconds


def _address(text: str) -> str:
    """Return an IPv4 address."""
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise argparse.ArgumentTypeError(
            f"{text}: must be an IPv4 address like {DEFAULT_FIRST_ADDRESS}"
        ) from None


def _control(text: str) -> tuple[str, int]:
    """Return host and port of a control socket on this machine."""
    host, _, port = text.rpartition(":")
    with contextlib.suppress(AddressValueError):
        address = IPv4Address("127.0.0.1" if host in ("", "localhost") else host)
        if address.is_loopback:
            return str(address), _port(port)
    raise argparse.ArgumentTypeError(
        f"{text}: must be a loopback address like 127.0.0.1:8180"
    )
