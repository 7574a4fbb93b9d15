"""What the answers of a scan mean: which node carries which modules of the site.

Pure functions. Firmwares differ (PROTOCOL 0): one ESP32 per module, each
calling it by its site address or each calling it 01; one ESP32 that lists all
modules; or both. A node that is known already keeps its number and, while it
is silent, its modules, so that a power cut during a scan changes nobody's
entities.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from .identity import UNNUMBERED, numbered
from .models import MODULES_PER_SITE, DeviceAddress, NodeConfig
from .scan import Probe, ScanResult

_COMMON_MODULE: Final = 1
"""What a firmware without own addressing calls its module, on every node."""

_CLEARLY_MOST: Final = 0.75
"""More than this share shows how a site is numbered; one wrong node hides nothing."""


class Layout(StrEnum):
    """How modules are spread over nodes."""

    DISTRIBUTED = "distributed"
    """Each node carries one module."""
    BRIDGE = "bridge"
    """Each node carries several, read off the panel's bus."""
    MIXED = "mixed"
    """Some carry one, some several."""
    UNKNOWN = "unknown"
    """Nobody answered."""


class Numbering(StrEnum):
    """Where the site address of a node's only module comes from."""

    REPORTED = "reported"
    """The node's own word."""
    POSITION = "position"
    """The place of its address in the list."""


class LeftOut(StrEnum):
    """Why an address got no node."""

    SILENT = "silent"
    """It did not answer, and silent ones are not wanted."""
    UNKNOWN_MODULE = "unknown_module"
    """It did not answer, and the others do not tell which module it carries."""
    BEYOND_LIMIT = "beyond_limit"
    """Its module would be none of 1-63."""
    TAKEN = "taken"
    """It did not answer, and its module belongs to another address."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Several nodes call the same module (1-63) their only one."""

    module: int
    addresses: tuple[DeviceAddress, ...]


@dataclass(frozen=True, slots=True)
class SitePlan:
    """The nodes of a site as a scan suggests them, and what is odd about them.

    `answers` are the scan's, with a standby's in the place of a silent
    primary's. `nodes` are in order of their numbers; the addresses of
    `silent` are among them without having answered. `swapped` are primary
    addresses whose standby reports other modules than they do.
    """

    answers: ScanResult
    nodes: tuple[NodeConfig, ...]
    layout: Layout
    numbering: Numbering
    silent: tuple[DeviceAddress, ...] = ()
    left_out: Mapping[DeviceAddress, LeftOut] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()
    swapped: tuple[DeviceAddress, ...] = ()

    @property
    def modules(self) -> tuple[int, ...]:
        """All modules of the site, in order."""
        return tuple(sorted({m for node in self.nodes for m in node.modules}))


def plan_site(
    result: ScanResult,
    places: Mapping[DeviceAddress, int],
    *,
    standby: ScanResult | None = None,
    known: Sequence[NodeConfig] = (),
    numbering: Numbering | None = None,
    add_silent: bool = True,
) -> SitePlan:
    """Return the nodes that the answers suggest.

    `places` has every address of `result` (see `identity`). The probes of
    `standby` back those of `result` one by one. `known` are the nodes of the
    site so far. Without `numbering` the answers decide. `add_silent` makes
    nodes of new addresses that did not answer, where the others show which
    module they must carry.
    """
    answers = _with_standby(result, standby)
    if numbering is None:
        numbering = _numbering_of(answers.found, places, known)
    nodes: dict[DeviceAddress, NodeConfig] = {}
    left_out: dict[DeviceAddress, LeftOut] = {}
    for probe in answers.found:
        node = _found_node(probe, places[probe.address], numbering)
        if probe.modules and not node.modules:
            left_out[probe.address] = LeftOut.BEYOND_LIMIT
        else:
            nodes[probe.address] = node
    conflicts = _conflicts_of(nodes.values())
    expected = _Expectation(answers.found, nodes, places, numbering)
    silent = [probe.address for probe in answers.probes if not probe.is_found]
    _keep_known(silent, known, nodes, left_out)
    for address in silent:
        if address in nodes or address in left_out:
            continue
        if not add_silent:
            left_out[address] = LeftOut.SILENT
            continue
        verdict = expected.node_at(address, nodes.values())
        if isinstance(verdict, LeftOut):
            left_out[address] = verdict
        else:
            nodes[address] = verdict
    _assign_unanswering_modules(answers.found, nodes, places, numbering)
    return SitePlan(
        answers=answers,
        nodes=numbered(_backed(nodes, result, standby), places, known),
        layout=_layout_of(answers.found),
        numbering=numbering,
        silent=tuple(address for address in silent if address in nodes),
        left_out=left_out,
        conflicts=conflicts,
        swapped=_swapped(result, standby),
    )


def _with_standby(result: ScanResult, standby: ScanResult | None) -> ScanResult:
    """Return the answers, with the standby's where only the standby answered."""
    if standby is None:
        return result
    return ScanResult(
        tuple(
            replace(backup, address=probe.address, via=backup.address)
            if backup.is_found and not probe.is_found
            else probe
            for probe, backup in zip(result.probes, standby.probes, strict=True)
        )
    )


def _swapped(
    result: ScanResult, standby: ScanResult | None
) -> tuple[DeviceAddress, ...]:
    """Return the primaries whose standby answers with other modules."""
    return tuple(
        probe.address
        for probe, backup in zip(
            result.probes, standby.probes if standby else (), strict=standby is not None
        )
        if probe.modules and backup.modules and probe.modules != backup.modules
    )


def _numbering_of(
    found: Sequence[Probe],
    places: Mapping[DeviceAddress, int],
    known: Sequence[NodeConfig],
) -> Numbering:
    """Tell whether the nodes' own word can be what the site calls the modules.

    It cannot where nearly everybody says 01. One answer alone shows that too
    if its address is not the first.
    """
    if any(node.offset for node in known):
        return Numbering.POSITION
    common = [probe for probe in found if probe.modules == (_COMMON_MODULE,)]
    if len(common) > 1 and len(common) > _CLEARLY_MOST * len(found):
        return Numbering.POSITION
    if len(found) == len(common) == 1:
        (probe,) = common
        if len(probe.listed) == 1 and places[probe.address] > 1:
            return Numbering.POSITION
    return Numbering.REPORTED


def _found_node(probe: Probe, place: int, numbering: Numbering) -> NodeConfig:
    """Return the node behind an answer, with the modules it surely carries."""
    offset = 0
    if _is_numbered_by_place(probe, numbering):
        offset = place - probe.modules[0]
    return NodeConfig(
        node=UNNUMBERED,
        address=probe.address,
        modules=tuple(
            module + offset
            for module in probe.modules
            if 1 <= module + offset <= MODULES_PER_SITE
        ),
        offset=offset,
    )


def _is_numbered_by_place(probe: Probe, numbering: Numbering) -> bool:
    """Tell whether the place of a node decides what its module is called."""
    return numbering is Numbering.POSITION and len(probe.modules) == 1


def _conflicts_of(nodes: Iterable[NodeConfig]) -> tuple[Conflict, ...]:
    """Return the modules that several nodes call their only one.

    A node of many modules that reports one of them too shares it; that is how
    a bridge and a module's own ESP32 stand in for each other.
    """
    claims: dict[int, list[DeviceAddress]] = {}
    for node in nodes:
        if len(node.modules) == 1:
            claims.setdefault(node.modules[0], []).append(node.address)
    return tuple(
        Conflict(module, tuple(addresses))
        for module, addresses in sorted(claims.items())
        if len(addresses) > 1
    )


def _keep_known(
    silent: Iterable[DeviceAddress],
    known: Iterable[NodeConfig],
    nodes: dict[DeviceAddress, NodeConfig],
    left_out: dict[DeviceAddress, LeftOut],
) -> None:
    """Keep silent known nodes as they are, unless theirs turned up elsewhere."""
    before = {node.address: node for node in known}
    moved = {node.modules for node in nodes.values() if node.address not in before}
    for address in silent:
        node = before.get(address)
        if node is None:
            continue
        if len(node.modules) == 1 and node.modules in moved:
            left_out[address] = LeftOut.TAKEN
        else:
            nodes[address] = node


class _Expectation:
    """Which module a silent address should carry, to judge by the others."""

    def __init__(
        self,
        found: Sequence[Probe],
        nodes: Mapping[DeviceAddress, NodeConfig],
        places: Mapping[DeviceAddress, int],
        numbering: Numbering,
    ) -> None:
        """Look whether place and module go in step where one answered."""
        steps = Counter(
            node.modules[0] - places[address]
            for address, node in nodes.items()
            if len(node.modules) == 1
        )
        self._places = places
        self._step: int | None = None
        self._wire: int | None = None
        if numbering is Numbering.POSITION:
            wires = {probe.modules[0] for probe in found if len(probe.modules) == 1}
            self._wire = wires.pop() if len(wires) == 1 else _COMMON_MODULE
            self._step = 0
        elif not found:
            self._step = 0
        for step, votes in steps.most_common(1):
            is_clear = votes > 1 or step == 0
            if is_clear and votes > _CLEARLY_MOST * steps.total():
                self._step = step

    def node_at(
        self, address: DeviceAddress, others: Iterable[NodeConfig]
    ) -> NodeConfig | LeftOut:
        """Return the node to expect at a silent address, or why there is none."""
        if self._step is None:
            return LeftOut.UNKNOWN_MODULE
        module = self._places[address] + self._step
        if not 1 <= module <= MODULES_PER_SITE:
            return LeftOut.BEYOND_LIMIT
        if any(node.modules == (module,) for node in others):
            return LeftOut.TAKEN
        offset = 0 if self._wire is None else module - self._wire
        return NodeConfig(UNNUMBERED, address, (module,), offset)


def _assign_unanswering_modules(
    found: Iterable[Probe],
    nodes: dict[DeviceAddress, NodeConfig],
    places: Mapping[DeviceAddress, int],
    numbering: Numbering,
) -> None:
    """Give modules that are listed but nowhere online to who lists the fewest."""
    listers = sorted(
        (
            probe
            for probe in found
            if probe.address in nodes and not _is_numbered_by_place(probe, numbering)
        ),
        key=lambda probe: (len(probe.listed), places[probe.address]),
    )
    carried = {module for node in nodes.values() for module in node.modules}
    for probe in listers:
        node = nodes[probe.address]
        # A second reader of a silent bus would be left with nothing at all.
        extra = set(probe.listed) - carried or set(() if node.modules else probe.listed)
        carried |= extra
        modules = tuple(sorted({*node.modules, *extra}))
        nodes[probe.address] = replace(node, modules=modules)


def _layout_of(found: Sequence[Probe]) -> Layout:
    """Return how modules are spread over the nodes that answered."""
    if not found:
        return Layout.UNKNOWN
    if len(found) == 1:
        is_bridge = {len(found[0].listed) > 1}
    else:
        is_bridge = {len(probe.modules) != 1 for probe in found}
    if is_bridge == {True}:
        return Layout.BRIDGE
    return Layout.MIXED if True in is_bridge else Layout.DISTRIBUTED


def _backed(
    nodes: Mapping[DeviceAddress, NodeConfig],
    result: ScanResult,
    standby: ScanResult | None,
) -> dict[DeviceAddress, NodeConfig]:
    """Return the nodes, in the order of the list, with their standby addresses."""
    backups = standby.probes if standby else [None] * len(result.probes)
    return {
        probe.address: replace(
            nodes[probe.address], standby=backup.address if backup else None
        )
        for probe, backup in zip(result.probes, backups, strict=True)
        if probe.address in nodes
    }
