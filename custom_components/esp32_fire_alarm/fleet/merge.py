"""What the truth works with while it merges: a module's view, changes, alarms.

Passing values and nothing more; the rules are in `truth`.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from .models import (
    EdgeKind,
    LatchMode,
    ModuleStatus,
    SiteUpdate,
    Takeover,
    ZoneEdge,
    ZoneState,
)


@dataclass(slots=True)
class StandingAlarm:
    """Why a zone is shown in alarm.

    `criers` report it now, `witnesses` reported it. `denier` is an active source that never did and
    says "clear" since `denied_since`. `from_before` marks an alarm known from
    before a restart, whose witnesses are forgotten. `released` tells that
    somebody is resetting it. It stays shown by the `latch` it began with, also
    when another one holds for new alarms. Times are monotonic seconds.
    """

    since: float
    latch: LatchMode
    witnesses: set[int] = field(default_factory=set)
    criers: set[int] = field(default_factory=set)
    from_before: bool = False
    released: bool = False
    denier: int | None = None
    denied_since: float = 0.0

    def hear(self, criers: set[int]) -> None:
        """Note who reports the alarm now.

        When somebody begins to, nobody who does not is a witness of that: what
        he says may be older.
        """
        if not criers <= self.criers:
            self.witnesses.clear()
        if criers:
            self.denier = None
        self.witnesses |= criers
        self.criers = criers

    def may_be_cleared_by(
        self, source: int, now: float, *, carry_seconds: float
    ) -> bool:
        """Tell whether the active source's word is enough to end the alarm.

        It is if it knew of the alarm; else it must insist for `carry_seconds`.
        """
        if self.from_before or source in self.witnesses:
            return True
        if source != self.denier:
            self.denier, self.denied_since = source, now
        return now - self.denied_since >= carry_seconds


@dataclass(slots=True)
class Changes:
    """An update under construction, and the occasion of it."""

    now: float
    reporter: int | None = None
    resync: bool = False
    zones: dict[int, ZoneState] = field(default_factory=dict)
    modules: dict[int, ModuleStatus] = field(default_factory=dict)
    nodes: set[int] = field(default_factory=set)
    edges: list[ZoneEdge] = field(default_factory=list)
    takeovers: list[Takeover] = field(default_factory=list)

    def add_edge(self, kind: EdgeKind, zone: int, view: ModuleView) -> None:
        """Note one edge of a zone with the node whose word it was."""
        source = self.reporter
        if source is None:
            source = view.status.source or view.status.owner
        self.edges.append(
            ZoneEdge(kind, zone, source, self.now, self.resync, view.drill)
        )

    def freeze(self) -> SiteUpdate:
        """Return the finished update, alarm edges before all others."""
        self.edges.sort(key=lambda edge: edge.kind is not EdgeKind.ALARM)
        return SiteUpdate(
            self.zones,
            self.modules,
            frozenset(self.nodes),
            tuple(self.edges),
            tuple(self.takeovers),
        )


class ModuleView(NamedTuple):
    """One module as all its sources show it together; masks are five bits wide.

    `alarm` are the zones that anybody reports, latched or `live`, which are those
    whose input is active. `trouble` is None while there is no active source to
    tell. `latching` are the nodes whose panel keeps alarms whose inputs are normal
    again. `reports` has, of every node with an alarm, what is latched and what is
    active.
    """

    status: ModuleStatus
    held: bool
    alarm: int
    live: int
    trouble: int | None
    latching: set[int]
    reports: dict[int, tuple[int, int]]
    drill: bool
    panel_reset_at: float

    def criers(self, mask: int, latch: LatchMode) -> set[int]:
        """Return who has a zone in alarm, if an alarm stays shown by `latch`."""
        is_latched = latch is not LatchMode.NONE
        return {
            node
            for node, (latched, live) in self.reports.items()
            if (latched if is_latched else live) & mask
        }
