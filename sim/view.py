"""The fleet as a picture in the terminal: 63 modules of five zones each.

Every state has a letter of its own beside its colour, and the picture fits in
80 columns.
"""

from collections import Counter
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from .panel import ZONES_PER_MODULE, Lamp
from .status import FleetSnapshot, ModuleSnapshot, NodeSnapshot

MODULES_PER_ROW: Final = 7
FAULTS_SHOWN: Final = 2
"""Nodes out of order that get a line each: all fits in 24 rows."""

_ALARM: Final = ("A", "bold white on red")
_BOTH: Final = ("B", "bold white on red")
_TROUBLE: Final = ("T", "black on yellow")
_NORMAL: Final = ("·", "green")
_OFFLINE: Final = ("-", "bright_black")
_UNREACHABLE: Final = ("?", "magenta")
_BELL: Final = ("b", "bold red")
_BIT5: Final = ("5", "yellow")

_CLIENT: Final = ("o", "green")
_NO_CLIENT: Final = (".", "bright_black")
_FAULTY: Final = ("x", "bold magenta")
_ABSENT: Final = ("_", "bright_black")

_LEGEND: Final = (
    (_NORMAL, "normal"),
    (_ALARM, "alarm"),
    (_TROUBLE, "trouble"),
    (_BOTH, "both"),
    (_OFFLINE, "offline"),
    (_UNREACHABLE, "node away"),
    (_BELL, "bell"),
    (_BIT5, "bit 5"),
)
_NODE_LEGEND: Final = (
    (_CLIENT, "has a client"),
    (_NO_CLIENT, "no client"),
    (_FAULTY, "faulty"),
    (_ABSENT, "absent"),
)


def picture(snapshot: FleetSnapshot) -> RenderableType:
    """Return the whole picture."""
    parts: list[Text] = [_headline(snapshot), Text("")]
    if snapshot.replaying:
        parts.append(Text("Captured frames are served as they are, each cycle one."))
    else:
        parts += [*_zone_rows(snapshot.modules), _legend(_LEGEND), Text("")]
        parts += _summary(snapshot)
    parts += [Text(""), *_node_rows(snapshot.nodes), _legend(_NODE_LEGEND)]
    parts += _faults(snapshot.nodes)
    parts += [
        Text(f"client of node {n} says {text[:50]}") for n, text in snapshot.commands
    ]
    for part in parts:
        part.no_wrap, part.overflow = True, "ellipsis"
    return Group(*parts)


def _headline(snapshot: FleetSnapshot) -> Text:
    """Return what is running, where, and how busy it is."""
    clients = sum(node.clients for node in snapshot.nodes)
    minutes, seconds = divmod(int(snapshot.running_seconds), 60)
    hosts = snapshot.first_host
    if snapshot.last_host != snapshot.first_host:
        hosts += f"-{snapshot.last_host}"
    text = Text()
    text.append(f"{snapshot.layout}", style="bold")
    nodes = "1 node" if len(snapshot.nodes) == 1 else f"{len(snapshot.nodes)} nodes"
    text.append(f"  {nodes} on {hosts}:{snapshot.port}")
    text.append(f"  {snapshot.dialect}, up {minutes}:{seconds:02d}\n")
    text.append(
        f"{clients} clients, {snapshot.frames_per_second:.1f} frames/s, "
        f"{snapshot.frames_sent} frames, {snapshot.handshakes} handshakes, "
        f"{snapshot.dropped} dropped"
    )
    return text


def _zone_rows(modules: tuple[ModuleSnapshot, ...]) -> list[Text]:
    """Return the grid, seven modules a row."""
    rows = []
    for start in range(0, len(modules), MODULES_PER_ROW):
        row = Text()
        for module in modules[start : start + MODULES_PER_ROW]:
            row.append(f"{module.module:02d} ", style="bold")
            for mark, style in _zone_marks(module):
                row.append(mark, style=style)
            row.append(*(_BELL if module.bell else (" ", "")))
            row.append(*(_BIT5 if module.bit5 else (" ", "")))
            row.append(" ")
        rows.append(row)
    return rows


def _zone_marks(module: ModuleSnapshot) -> list[tuple[str, str]]:
    """Return one mark for each of a module's five zones."""
    if not module.reported:
        return [_UNREACHABLE] * ZONES_PER_MODULE
    if module.offline:
        return [_OFFLINE] * ZONES_PER_MODULE
    marks = []
    for position in range(ZONES_PER_MODULE):
        alarm = module.alarm >> position & 1
        trouble = module.trouble >> position & 1
        marks.append(
            _BOTH
            if alarm and trouble
            else _ALARM
            if alarm
            else _TROUBLE
            if trouble
            else _NORMAL
        )
    return marks


def _zones(modules: tuple[ModuleSnapshot, ...], kind: str) -> list[int]:
    """Return the zones whose bit is set in the mask of this name."""
    return [
        (module.module - 1) * ZONES_PER_MODULE + position + 1
        for module in modules
        for position in range(ZONES_PER_MODULE)
        if getattr(module, kind) >> position & 1
    ]


def _summary(snapshot: FleetSnapshot) -> list[Text]:
    """Return the zones by number and the lamps by how many panels show them."""
    lines = []
    for kind, (_, style) in (("alarm", _ALARM), ("trouble", _TROUBLE)):
        zones = _zones(snapshot.modules, kind)
        line = Text()
        line.append(f"{len(zones):3d} zones in {kind:7}", style=style if zones else "")
        line.append("  " + " ".join(map(str, zones)))
        lines.append(line)
    offline = [str(one.module) for one in snapshot.modules if one.offline]
    lines.append(Text(f"{len(offline):3d} modules offline  {' '.join(offline)}"))
    lit = Counter(lamp for node in snapshot.nodes for lamp in node.lamps)
    lamps = Text("lamps lit")
    for lamp in Lamp:
        if lamp is Lamp.BACKLIGHT and not lit[lamp]:
            continue
        lamps.append(f"  {lamp} ")
        lamps.append(str(lit[lamp]), style="bold" if lit[lamp] else "bright_black")
    lines.append(lamps)
    return lines


def _node_rows(nodes: tuple[NodeSnapshot, ...]) -> list[Text]:
    """Return one mark per node, in tens."""
    text = Text("nodes ")
    for place, node in enumerate(nodes):
        if place and place % 10 == 0:
            text.append(" ")
        if "absent" in node.faults:
            text.append(*_ABSENT)
        elif node.faults:
            text.append(*_FAULTY)
        else:
            text.append(*(_CLIENT if node.clients else _NO_CLIENT))
    return [text]


def _faults(nodes: tuple[NodeSnapshot, ...]) -> list[Text]:
    """Return a line for each of the first nodes that are out of order."""
    faulty = [node for node in nodes if node.faults]
    lines = [
        Text(f"node {node.node} ({node.host}): {', '.join(node.faults)}")
        for node in faulty[:FAULTS_SHOWN]
    ]
    if len(faulty) > FAULTS_SHOWN:
        lines.append(
            Text(f"... and {len(faulty) - FAULTS_SHOWN} more nodes out of order")
        )
    return lines


def _legend(marks: tuple[tuple[tuple[str, str], str], ...]) -> Text:
    """Return what each mark means."""
    text = Text()
    for (mark, style), meaning in marks:
        text.append(mark, style=style)
        text.append(f" {meaning}  ", style="dim")
    text.rstrip()
    return text
