"""Whether every node is the one that its address is taken for.

Compares what the nodes report with what they were configured to carry. Knows
nothing of sockets or time; who calls it decides how long is long enough. A
module that is merely offline is still listed, so it never counts as missing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from .findings import Finding, FindingKey, FindingKind
from .models import NodeConfig
from .paths import Path
from .scan import Probe

FRAMES_TO_BELIEVE: Final = 5
"""So many more frames must bear a suspicion out; one bad frame accuses nobody."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What one node says of itself.

    `listed` are the modules (site addresses, 1-63) that its frames list now,
    empty while it is not heard; `path` is the address in use and `frames`
    counts its messages. `mac` is the hardware address it is known by.
    """

    config: NodeConfig
    listed: frozenset[int]
    path: Path
    frames: int
    mac: str | None = None

    @property
    def is_own(self) -> bool:
        """Tell whether it lists any module that it was configured to carry."""
        return not self.listed.isdisjoint(self.config.modules)

    @property
    def is_foreign(self) -> bool:
        """Tell whether it was configured to carry modules and lists only others."""
        return bool(self.listed and self.config.modules) and not self.is_own


class Witness:
    """Looks at all statements together, again and again."""

    def __init__(self) -> None:
        """Start without any suspicion."""
        self._frames_before: dict[FindingKey, dict[int, int]] = {}

    def look(
        self,
        statements: Mapping[int, Statement],
        found: Iterable[Probe] = (),
        neighbours: Mapping[str, str] = MappingProxyType({}),
    ) -> list[Finding]:
        """Return what several frames of all concerned bear out.

        `found` are answers from addresses that belong to no node, `neighbours`
        hardware addresses by IP address.
        """
        suspicions = list(_suspect(statements))
        before, self._frames_before = self._frames_before, {}
        believed = []
        for finding in suspicions:
            frames = {
                node: statements[node].frames
                for node in finding.nodes
                if statements[node].listed
            }
            first = before.get(finding.key, frames)
            if first.keys() != frames.keys():
                first = frames
            self._frames_before[finding.key] = first
            if all(frames[n] - first[n] >= FRAMES_TO_BELIEVE for n in frames):
                believed.append(finding)
        explained = {node for finding in suspicions for node in finding.nodes}
        lost = {
            node: one
            for node, one in statements.items()
            if not one.listed and node not in explained
        }
        return believed + list(_recognize(lost, found, neighbours))


def _suspect(statements: Mapping[int, Statement]) -> Iterator[Finding]:
    """Yield what the present frames say is wrong, each node accused once."""
    foreign = {n: one for n, one in statements.items() if one.is_foreign}
    for module, nodes in _claims(statements).items():
        strangers = foreign.keys() & set(nodes)
        if strangers and len(nodes) > 1:
            yield Finding(
                FindingKey(FindingKind.DUPLICATE_MODULE, module=module),
                nodes,
                modules=(module,),
            )
            for node in strangers:
                del foreign[node]
    homes = {node: _home_of(node, statements) for node in foreign}
    visitors = Counter(homes.values())
    for node, home in homes.items():
        if home is not None and homes.get(home) == node:
            if node < home:
                pair = (node, home)
                yield Finding(FindingKey(FindingKind.SWAPPED_NODES, pair), pair)
        elif home is not None and visitors[home] == 1 and not statements[home].is_own:
            yield Finding(
                FindingKey(FindingKind.NODE_MOVED, (home,)),
                (home, node),
                modules=statements[home].config.modules,
                address=statements[node].config.address,
            )
        else:
            yield Finding(
                FindingKey(FindingKind.FOREIGN_NODE, (node,)),
                (node,),
                modules=tuple(sorted(foreign[node].listed)),
            )


def _claims(statements: Mapping[int, Statement]) -> dict[int, tuple[int, ...]]:
    """Return who lists a module and no other one, by module.

    Who lists several reads them off a bus, and may well stand in for another.
    """
    claims: dict[int, tuple[int, ...]] = {}
    for node, statement in sorted(statements.items()):
        if len(statement.listed) == 1:
            (module,) = statement.listed
            claims[module] = (*claims.get(module, ()), node)
    return claims


def _home_of(node: int, statements: Mapping[int, Statement]) -> int | None:
    """Return the one other node whose modules `node` reports at its primary address."""
    here = statements[node]
    if here.path is not Path.PRIMARY:
        return None
    homes = [
        other
        for other, there in statements.items()
        if other != node and _fits(there.config.modules, here.listed)
    ]
    return homes[0] if len(homes) == 1 else None


def _recognize(
    lost: Mapping[int, Statement],
    found: Iterable[Probe],
    neighbours: Mapping[str, str],
) -> Iterator[Finding]:
    """Yield the lost nodes that one free address, and no other, looks like."""
    matches = [
        (node, probe.address)
        for probe in found
        for node, statement in lost.items()
        if _looks_like(statement, probe, neighbours.get(probe.address.host))
    ]
    for node, address in matches:
        if sum(node == n or address == a for n, a in matches) == 1:
            yield Finding(
                FindingKey(FindingKind.NODE_MOVED, (node,)),
                (node,),
                modules=lost[node].config.modules,
                address=address,
            )


def _looks_like(statement: Statement, probe: Probe, mac: str | None) -> bool:
    """Tell whether a node may be what answered; where `mac` is known, that decides."""
    if None not in (mac, statement.mac):
        return mac == statement.mac
    return _fits(_on_the_wire(statement.config), frozenset(probe.listed))


def _on_the_wire(config: NodeConfig) -> tuple[int, ...]:
    """Return a node's modules as its own frames call them."""
    return tuple(module - config.offset for module in config.modules)


def _fits(modules: tuple[int, ...], listed: frozenset[int]) -> bool:
    """Tell whether a node with these modules could send such frames.

    A node that reads several off a bus also lists addresses without a module.
    """
    if len(modules) > 1:
        return listed.issuperset(modules)
    return bool(modules) and listed == set(modules)
