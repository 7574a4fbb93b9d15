"""What a new list of nodes changes about a site, for people to read."""

from collections.abc import Iterable
from dataclasses import dataclass

from .models import NodeConfig


@dataclass(frozen=True, slots=True)
class Difference:
    """Two lists of nodes compared, each part in order of node numbers.

    `moved` and `changed` are pairs of before and after: at another address, or
    at the same one with other modules, another offset or standby address.
    """

    new: tuple[NodeConfig, ...] = ()
    missing: tuple[NodeConfig, ...] = ()
    moved: tuple[tuple[NodeConfig, NodeConfig], ...] = ()
    changed: tuple[tuple[NodeConfig, NodeConfig], ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is any difference."""
        return bool(self.new or self.missing or self.moved or self.changed)


def compare(before: Iterable[NodeConfig], after: Iterable[NodeConfig]) -> Difference:
    """Return how the nodes of a site differ from those it had; numbers identify them."""
    old = {node.node: node for node in before}
    now = {node.node: node for node in after}
    both = [(old[number], now[number]) for number in sorted(old.keys() & now.keys())]
    return Difference(
        new=tuple(now[number] for number in sorted(now.keys() - old.keys())),
        missing=tuple(old[number] for number in sorted(old.keys() - now.keys())),
        moved=tuple(pair for pair in both if pair[0].address != pair[1].address),
        changed=tuple(
            (one, other)
            for one, other in both
            if one != other and one.address == other.address
        ),
    )
