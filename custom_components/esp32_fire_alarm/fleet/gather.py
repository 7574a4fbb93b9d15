"""Several steps of the site made into one update, and no edge of it lost.

Listeners are told of what changed since they were told last. Alarm edges are
all kept; a trouble that came and went more than once in between is told as
having done so once.
"""

from collections.abc import Iterable
from typing import Final

from .models import (
    EdgeKind,
    ModuleStatus,
    SiteUpdate,
    Takeover,
    ZoneEdge,
    ZoneState,
)

MAX_GATHERED: Final = 1024
"""More edges and takeovers than this are told at once, whatever the rate."""

_ALARM_KINDS: Final = frozenset({EdgeKind.ALARM, EdgeKind.ALARM_RESTORED})


class UpdateGatherer:
    """Collects updates until they are told as one; made anew for every telling."""

    def __init__(self) -> None:
        """Start with nothing to tell."""
        self._only: SiteUpdate | None = None
        self._are_several = False
        self._zones: dict[int, ZoneState] = {}
        self._modules: dict[int, ModuleStatus] = {}
        self._nodes: set[int] = set()
        self._edges: list[ZoneEdge] = []
        self._takeovers: list[Takeover] = []

    def __bool__(self) -> bool:
        """Tell whether there is anything to tell."""
        return self._are_several or self._only is not None

    @property
    def is_full(self) -> bool:
        """Tell whether it must be told now to stay bounded."""
        return len(self._edges) + len(self._takeovers) >= MAX_GATHERED

    def add(self, update: SiteUpdate) -> None:
        """Take in the next step of the site."""
        if not update:
            return
        if not self:
            self._only = update
            return
        if self._only is not None:
            only, self._only = self._only, None
            self._are_several = True
            self._merge(only)
        self._merge(update)

    def finish(self) -> SiteUpdate:
        """Return everything that was added as one update."""
        if self._only is not None:
            return self._only
        return SiteUpdate(
            self._zones,
            self._modules,
            frozenset(self._nodes),
            tuple(_alarms_first(_troubles_told_once(self._edges))),
            tuple(self._takeovers),
        )

    def _merge(self, update: SiteUpdate) -> None:
        """Put one more step behind those already there."""
        self._zones |= update.zones
        self._modules |= update.modules
        self._nodes |= update.nodes
        self._edges += update.edges
        self._takeovers += update.takeovers


def _troubles_told_once(edges: Iterable[ZoneEdge]) -> list[ZoneEdge]:
    """Return the edges with at most one coming and going of each zone's trouble.

    A zone's trouble edges alternate, so an odd number of them is one change,
    an even number is there and back again.
    """
    kept = list(edges)
    troubles: dict[int, list[ZoneEdge]] = {}
    for edge in kept:
        if edge.kind not in _ALARM_KINDS:
            troubles.setdefault(edge.zone, []).append(edge)
    surplus = {
        id(edge)
        for changes in troubles.values()
        for edge in changes[2 - len(changes) % 2 :]
    }
    return [edge for edge in kept if id(edge) not in surplus]


def _alarms_first(edges: Iterable[ZoneEdge]) -> list[ZoneEdge]:
    """Return the edges with alarms first, all alarms in the order they came in.

    A restore goes with the rest, unless its zone went into alarm again: it
    cannot come after that, so it goes just before it.
    """
    first: list[ZoneEdge] = []
    rest: dict[int, ZoneEdge] = {}
    restored: dict[int, int] = {}
    for place, edge in enumerate(edges):
        if edge.kind is EdgeKind.ALARM:
            if (before := restored.pop(edge.zone, None)) is not None:
                first.append(rest.pop(before))
            first.append(edge)
        else:
            if edge.kind is EdgeKind.ALARM_RESTORED:
                restored[edge.zone] = place
            rest[place] = edge
    return [*first, *rest.values()]
