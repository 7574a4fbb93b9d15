"""What the health of the nodes says that somebody should do something about.

Only what people can cure. Where many nodes have the same trouble it is one
finding, not sixty: then a network or a range of addresses is at fault.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set as AbstractSet
from typing import Final

from .findings import Finding, FindingKey, FindingKind
from .health import UNSTABLE_RECONNECTS, HealthMonitor
from .link import LinkFault

LOST_LONG_SECONDS: Final = 86_400.0
"""A node that was not heard for so long may be gone for good."""

STEADY_RECONNECTS: Final = UNSTABLE_RECONNECTS // 2
"""Fewer reconnects than this in 24 h, and an unstable link is a good one again."""

MANY_NODES: Final = 5
"""More nodes than this with the same trouble are one finding."""


class Checkup:
    """Looks over all nodes, again and again."""

    def __init__(self, health: HealthMonitor, now: Callable[[], float]) -> None:
        """Take `now`, which tells monotonic seconds."""
        self._health = health
        self._now = now
        self._unstable: set[int] = set()

    def look(
        self, nodes: AbstractSet[int], lost_since: Mapping[int, float]
    ) -> Iterator[Finding]:
        """Yield what is wrong with these nodes.

        `lost_since` has the nodes that are not heard, on the clock of `now`.
        """
        heard = nodes - lost_since.keys()
        yield from _sum_up(FindingKind.STANDBY_DEAD, filter(self._is_bare, nodes))
        yield from _sum_up(
            FindingKind.SLOTS_FULL,
            (
                node
                for node in nodes
                if node not in heard
                and self._health.record(node).fault is LinkFault.SLOTS_FULL
            ),
        )
        # While nobody at all is heard it is the network that is gone.
        long_ago = self._now() - LOST_LONG_SECONDS
        yield from _sum_up(
            FindingKind.NODE_LOST,
            (node for node, at in lost_since.items() if heard and at <= long_ago),
        )
        self._unstable = {node for node in nodes if self._is_unstable(node)}
        yield from _sum_up(FindingKind.UNSTABLE_LINK, self._unstable)

    def _is_bare(self, node: int) -> bool:
        """Tell whether nothing would take over from the node's primary address."""
        return self._health.record(node).standby_alive is False

    def _is_unstable(self, node: int) -> bool:
        """Tell whether a link breaks often; one that did must become quite steady."""
        limit = STEADY_RECONNECTS if node in self._unstable else UNSTABLE_RECONNECTS
        return self._health.reconnects_24h(node) >= limit


def _sum_up(kind: FindingKind, nodes: Iterable[int]) -> Iterator[Finding]:
    """Yield one finding per node, or one about all of them."""
    concerned = tuple(sorted(nodes))
    if len(concerned) > MANY_NODES:
        yield Finding(FindingKey(kind), concerned)
    else:
        for node in concerned:
            yield Finding(FindingKey(kind, (node,)), (node,))
