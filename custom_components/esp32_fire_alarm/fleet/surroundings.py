"""What happens around the zones: nodes, sources, bells, panel lamps.

Compares each update with what was last told, also before a restart, so that
nothing is told twice.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .models import Led, ModuleStatus, SiteUpdate
from .telling import EventKind, SiteEvent
from .truth import SiteTruth


@dataclass(slots=True)
class Surroundings:
    """What was last told of nodes (by number), bells (by module, 1-63) and lamps.

    An Alarm lamp that lights up with an alarm that is told of its node says nothing
    new, nor does it when it goes out with the end of one; both are left out.
    """

    lost: set[int] = field(default_factory=set)
    bells: set[int] = field(default_factory=set)
    lamps: dict[int, frozenset[Led]] = field(default_factory=dict)
    _heard: set[int] = field(default_factory=set)
    _lit_for_zones: set[int] = field(default_factory=set)

    def take(
        self,
        update: SiteUpdate,
        truth: SiteTruth,
        at: float,
        alarms: Iterable[SiteEvent],
    ) -> Iterator[SiteEvent]:
        """Yield what an update changed; `at` is seconds since the epoch.

        `alarms` is what is told of the update's alarms just before.
        """
        nodes = sorted(update.nodes & truth.nodes)
        found = {node for node in nodes if truth.is_fresh(node)} - self._heard
        for node in nodes:
            yield from self._of_link(node, truth, at)
        yield from _failovers(update, at)
        for status in update.modules.values():
            yield from self._of_bell(status, truth, at, found)
        told = {
            (event.kind, event.occurrence.source)
            for event in alarms
            if event.occurrence is not None
        }
        for node in nodes:
            yield from self._of_lamps(node, truth, at, found, told)

    def forget_strangers(self, truth: SiteTruth) -> None:
        """Forget nodes and modules that the site no longer has."""
        self.lost &= truth.nodes
        self._heard &= truth.nodes
        self._lit_for_zones &= truth.nodes
        self.bells &= truth.modules.keys()
        for node in self.lamps.keys() - truth.nodes:
            del self.lamps[node]

    def _of_link(self, node: int, truth: SiteTruth, at: float) -> Iterator[SiteEvent]:
        """Yield a node's loss once it is given up, and its return."""
        if truth.is_fresh(node):
            self._heard.add(node)
            if node in self.lost:
                self.lost.discard(node)
                yield SiteEvent(kind=EventKind.NODE_RETURNED, at=at, node=node)
            return
        self._heard.discard(node)
        if truth.is_given_up(node) and node not in self.lost:
            self.lost.add(node)
            yield SiteEvent(kind=EventKind.NODE_LOST, at=at, node=node)

    def _of_bell(
        self, status: ModuleStatus, truth: SiteTruth, at: float, found: set[int]
    ) -> Iterator[SiteEvent]:
        """Yield a change of a bell, if its module is there to tell."""
        module, source = status.module, status.source
        if source is None or status.bell is (module in self.bells):
            return
        self.bells ^= {module}
        yield SiteEvent(
            kind=EventKind.BELL,
            at=at,
            node=source,
            modules=(module,),
            is_on=status.bell,
            found_on_resync=source in found,
            drill=Led.DRILL in (truth.leds(source) or ()),
        )

    def _of_lamps(
        self,
        node: int,
        truth: SiteTruth,
        at: float,
        found: set[int],
        told: set[tuple[EventKind, int]],
    ) -> Iterator[SiteEvent]:
        """Yield a change of a panel's lamps; the first sight of them is none."""
        leds = truth.leds(node)
        if leds is None:
            return
        lit = leds - {Led.BACKLIGHT}
        changed = lit ^ self.lamps.get(node, lit)
        self.lamps[node] = lit
        if Led.ALARM in changed and self._is_no_news(
            node, told, is_lit=Led.ALARM in lit
        ):
            changed -= {Led.ALARM}
        if changed:
            yield SiteEvent(
                kind=EventKind.PANEL_STATUS,
                at=at,
                node=node,
                lit=tuple(sorted(lit)),
                went_on=tuple(sorted(changed & lit)),
                went_off=tuple(sorted(changed - lit)),
                found_on_resync=node in found,
                drill=Led.DRILL in lit,
            )

    def _is_no_news(
        self, node: int, told: set[tuple[EventKind, int]], *, is_lit: bool
    ) -> bool:
        """Tell whether the Alarm lamp changed with an alarm that is told just now.

        A lamp that changes with none may be all that is seen of an alarm.
        """
        if is_lit:
            if (EventKind.ALARM, node) in told:
                self._lit_for_zones.add(node)
                return True
            return False
        was_lit_for_zones = node in self._lit_for_zones
        self._lit_for_zones.discard(node)
        return was_lit_for_zones and (EventKind.ALARM_RESTORED, node) in told


def _failovers(update: SiteUpdate, at: float) -> Iterator[SiteEvent]:
    """Yield one event for all modules that go from one node to another at once."""
    moved: dict[tuple[int, int], list[int]] = {}
    for takeover in update.takeovers:
        moved.setdefault((takeover.before, takeover.after), []).append(takeover.module)
    for (before, after), modules in moved.items():
        yield SiteEvent(
            kind=EventKind.FAILOVER,
            at=at,
            node=after,
            node_before=before,
            modules=tuple(sorted(modules)),
        )
