"""How occurrences begin, go on and end, by the edges of the truth.

Everything in here writes into the journal and returns the events to tell of
it; who is told, and when, is the book's business.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from .impairment import ImpairmentKind, Impairments
from .journal import Journal
from .models import EdgeKind, LatchMode, Led, ZoneEdge, ZoneState
from .occurrence import BY_PANEL, BY_RECONFIGURATION, Occurrence, OccurrenceKind
from .telling import EventKind, SiteEvent
from .truth import SiteTruth

_KINDS: Final = {
    EdgeKind.ALARM: OccurrenceKind.ALARM,
    EdgeKind.ALARM_RESTORED: OccurrenceKind.ALARM,
    EdgeKind.TROUBLE: OccurrenceKind.TROUBLE,
    EdgeKind.TROUBLE_RESTORED: OccurrenceKind.TROUBLE,
}


class Lifecycle:
    """Turns edges into occurrences, each as what it is: fire, test, disabled."""

    def __init__(
        self,
        truth: SiteTruth,
        journal: Journal,
        impairments: Impairments,
        *,
        now: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        """Write into `journal`; `now` is monotonic, `wall` since the epoch."""
        self._truth = truth
        self._journal = journal
        self._impairments = impairments
        self._now = now
        self._wall = wall

    def take_edge(
        self, edge: ZoneEdge, lamps_before: Mapping[int, frozenset[Led]]
    ) -> Iterator[SiteEvent]:
        """Begin or end an occurrence, and yield what is to be told of it.

        `lamps_before` are the lit lamps by node, as they were before the edge.
        """
        kind = _KINDS[edge.kind]
        latency = max(0.0, self._now() - edge.at)
        at = self._wall() - latency
        standing = self._journal.standing_of(kind, edge.zone)
        if edge.kind in (EdgeKind.ALARM, EdgeKind.TROUBLE):
            if standing is None:
                yield self._begin(
                    Occurrence(
                        kind=kind,
                        zone=edge.zone,
                        source=edge.source,
                        raised_at=at,
                        found_on_resync=edge.resync,
                        drill=edge.drill,
                        latency=latency,
                        latch=self._truth.latch,
                    )
                )
        elif standing is not None:
            lamps = lamps_before.get(edge.source, frozenset())
            ended = self._journal.put(self._ended(standing, edge, at, lamps))
            if ended.is_fire or kind is OccurrenceKind.TROUBLE:
                yield event_of(EventKind(edge.kind), ended, at, is_found=edge.resync)

    def follow_inputs(self, zones: Mapping[int, ZoneState], at: float) -> bool:
        """Note whether the inputs of zones in alarm are active.

        Silence says nothing about them. Returns whether anything was new.
        """
        is_new = False
        for zone, state in zones.items():
            if not state.alarm or not state.available or state.held:
                continue
            standing = self._journal.standing_of(OccurrenceKind.ALARM, zone)
            if standing is not None and state.live is not (
                standing.restored_at is None
            ):
                restored_at = None if state.live else at
                self._journal.put(replace(standing, restored_at=restored_at))
                is_new = True
        return is_new

    def reconsider(self, zone: int, at: float, by: str | None) -> Iterator[SiteEvent]:
        """End an alarm that is not what it was any more, and begin what it is.

        To be called when a test or disablement of `zone` began or ended.
        """
        standing = self._journal.standing_of(OccurrenceKind.ALARM, zone)
        if standing is None:
            return
        if (standing.test, standing.disabled) != self._nature_of(zone):
            yield self._begin_anew(standing, at, by, standing.latch)

    def release(self, zones: Iterable[int], at: float, by: str) -> Iterator[SiteEvent]:
        """Begin the alarms of `zones` anew that were Home Assistant's to reset.

        To be called when somebody reset them and their inputs are still active.
        """
        latch = self._truth.latch
        for zone in zones:
            standing = self._journal.standing_of(OccurrenceKind.ALARM, zone)
            if (
                standing is not None
                and (standing.latch or latch) is LatchMode.HOME_ASSISTANT
            ):
                yield self._begin_anew(standing, at, by, latch)

    def _begin_anew(
        self, standing: Occurrence, at: float, by: str | None, latch: LatchMode | None
    ) -> SiteEvent:
        """End an alarm and begin another one of the same zone; return its event.

        `latch` is how the new one stays shown.
        """
        self._journal.put(replace(standing, ended_at=at, reset_at=at, reset_by=by))
        return self._begin(
            Occurrence(
                kind=OccurrenceKind.ALARM,
                zone=standing.zone,
                source=standing.source,
                raised_at=at,
                restored_at=standing.restored_at,
                drill=standing.drill,
                latch=latch,
            )
        )

    def show_again(self, occurrence: Occurrence) -> None:
        """Have the truth show what stood before a restart, if it has the zone."""
        zone = occurrence.zone
        if occurrence.kind is OccurrenceKind.ALARM:
            self._truth.restore_alarm(
                zone,
                self._now(),
                witness=occurrence.source,
                latch=occurrence.latch,
            )
        else:
            self._truth.restore_trouble(zone, self._now())

    def end_vanished(self, at: float) -> list[int]:
        """End what stands in zones that the site no longer has; return these."""
        vanished = [
            one for one in self._journal.standing() if one.zone not in self._truth.zones
        ]
        for one in vanished:
            self._journal.put(
                replace(one, ended_at=at, reset_at=at, reset_by=BY_RECONFIGURATION)
            )
        return [one.zone for one in vanished]

    def _begin(self, occurrence: Occurrence) -> SiteEvent:
        """Put what begins into the log, as what it is, and return its event."""
        test, disabled = self._nature_of(occurrence.zone)
        one = self._journal.begin(replace(occurrence, test=test, disabled=disabled))
        if one.kind is OccurrenceKind.TROUBLE:
            kind = EventKind.TROUBLE
        elif test:
            kind = EventKind.WALK_TEST
        elif disabled:
            kind = EventKind.DISABLED_ZONE_ALARM
        else:
            kind = EventKind.ALARM
        return event_of(kind, one, one.raised_at, is_found=one.found_on_resync)

    def _nature_of(self, zone: int) -> tuple[bool, bool]:
        """Return whether `zone` is in test, and whether it is disabled."""
        return (
            self._impairments.has(ImpairmentKind.TEST, zone),
            self._impairments.has(ImpairmentKind.DISABLED, zone),
        )

    def _ended(
        self,
        standing: Occurrence,
        edge: ZoneEdge,
        at: float,
        lamps_before: frozenset[Led],
    ) -> Occurrence:
        """Return an occurrence as it is when its zone is no longer shown."""
        ended = replace(standing, ended_at=at)
        zone = self._truth.zones.get(edge.zone)
        if standing.restored_at is None and zone is not None and zone.available:
            return replace(ended, restored_at=at)
        if edge.source not in self._truth.nodes:
            return ended
        lamps_now = self._truth.leds(edge.source) or ()
        is_panel_reset = Led.ALARM in lamps_before and Led.ALARM not in lamps_now
        if is_panel_reset and standing.reset_at is None:
            return replace(ended, reset_at=at, reset_by=BY_PANEL)
        return ended


def found_untold(kind: EventKind, occurrence: Occurrence) -> SiteEvent:
    """Return an event that nobody had been told of before a restart."""
    is_end = kind in (EventKind.ALARM_RESTORED, EventKind.TROUBLE_RESTORED)
    at = occurrence.ended_at if is_end else None
    return event_of(kind, occurrence, at or occurrence.raised_at, is_found=True)


def event_of(
    kind: EventKind, occurrence: Occurrence, at: float, *, is_found: bool
) -> SiteEvent:
    """Return the event of an occurrence; `at` is seconds since the epoch."""
    return SiteEvent(
        kind=kind,
        at=at,
        occurrence=occurrence,
        found_on_resync=is_found,
        drill=occurrence.drill,
    )
