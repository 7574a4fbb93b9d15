"""What counts as one alarm: raised, told once, restored, acknowledged, reset.

The truth says what the zones are in; the book turns its edges into occurrences
and tells each of them once. It never hides an alarm: one in a drill is told as
an alarm in a drill, one of a zone in test or disabled is recorded and told as
what it is, and becomes a fire the moment the test or the disablement ends.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final

from .confirmation import Confirmation, ConfirmationGroup
from .impairment import (
    MAX_TEST_SECONDS,
    Impairment,
    ImpairmentKind,
    Impairments,
    Refusal,
    WalkTestResult,
    refuse,
    report_test,
)
from .journal import Journal
from .lifecycle import Lifecycle, found_untold
from .memory import BookMemory, Untold, read_memory
from .models import EdgeKind, SiteUpdate
from .occurrence import BY_RECONFIGURATION, Occurrence, OccurrenceKind
from .surroundings import Surroundings
from .telling import EventKind, SiteEvent, Teller, act_of
from .truth import SiteTruth

_ALARM: Final = OccurrenceKind.ALARM
_DISABLED: Final = ImpairmentKind.DISABLED
_TEST: Final = ImpairmentKind.TEST


@dataclass(frozen=True, slots=True, kw_only=True)
class BookCallbacks:
    """Whom the book tells; all are called on the event loop and must not raise.

    `on_event` gets what happened. `on_update` takes what a reset changed in the
    truth and hands it to everybody, the book included. `on_impaired` is called
    when other zones count as fire than before, `on_save` when there is more to
    remember; with True at once, for an alarm or an act is in it.
    """

    on_event: Callable[[SiteEvent], None]
    on_update: Callable[[SiteUpdate], None]
    on_impaired: Callable[[], None]
    on_save: Callable[[bool], None]


class AlarmBook:
    """The life of every alarm and trouble of a site.

    Feed it with every update of the truth, after all states are renewed.
    """

    def __init__(
        self,
        truth: SiteTruth,
        *,
        now: Callable[[], float],
        wall: Callable[[], float],
        callbacks: BookCallbacks,
    ) -> None:
        """Start empty and silent.

        `now` is the monotonic clock of the truth's updates, `wall` tells
        seconds since the epoch.
        """
        self._truth = truth
        self._now = now
        self._wall = wall
        self._callbacks = callbacks
        self._journal = Journal()
        self._impairments = Impairments()
        self._confirmation = Confirmation()
        self._surroundings = Surroundings()
        self._teller = Teller(callbacks.on_event)
        self._present: tuple[frozenset[int], frozenset[int]] | None = None
        self._life = Lifecycle(
            truth, self._journal, self._impairments, now=now, wall=wall
        )

    # Reading.

    @property
    def ignored(self) -> frozenset[int]:
        """The zones (1-315) whose alarms are no fire: in test, or disabled."""
        return self._impairments.zones

    def occurrences(self) -> tuple[Occurrence, ...]:
        """Return the log, at most 1,000 occurrences, oldest first."""
        return tuple(self._journal)

    def standing(self) -> tuple[Occurrence, ...]:
        """Return what zones are in now, in the order in which it was raised."""
        return self._journal.standing()

    def impairments(self) -> tuple[Impairment, ...]:
        """Return the zones that are disabled or in test, the longest so first."""
        return self._impairments.all()

    def walk_test(self) -> tuple[WalkTestResult, ...]:
        """Return what the walk tests that run found out so far, by zone."""
        running = self._impairments.of_kind(_TEST)
        return report_test(running, self._journal, self._wall())

    def regroup(self, groups: Iterable[ConfirmationGroup]) -> None:
        """Have these groups of zones that confirm each other, and no others."""
        confirmed = self._confirmation.confirmed
        self._confirmation.regroup(groups, self._journal.fires, self._now())
        if confirmed != self._confirmation.confirmed:
            self._callbacks.on_save(True)

    # Feeding.

    def start_telling(self) -> None:
        """Tell what waits, and everything else at once from now on."""
        is_waiting = bool(self._teller.waiting)
        self._teller.open()
        if is_waiting:
            self._callbacks.on_save(True)

    def take(self, update: SiteUpdate) -> None:
        """Take in what changed at the site, and tell of it, alarms first."""
        at = self._wall()
        alarms: list[SiteEvent] = []
        troubles: list[SiteEvent] = []
        is_urgent = False
        for edge in update.edges:
            events = self._life.take_edge(edge, self._surroundings.lamps)
            if edge.kind in (EdgeKind.ALARM, EdgeKind.ALARM_RESTORED):
                alarms += events
                is_urgent = True
            else:
                troubles += events
        is_new = self._life.follow_inputs(update.zones, at)
        self._note_alarms(alarms)
        around = self._follow_site(at)
        confirmed = self._confirm(at)
        around += self._surroundings.take(update, self._truth, at, alarms)
        self._tell([*alarms, *confirmed, *troubles, *around])
        self._journal.trim()
        if is_new or update.edges or around:
            self._callbacks.on_save(is_urgent)

    def tick(self) -> None:
        """End what time ends: tests, disablements, the wait for a second zone."""
        at = self._wall()
        expired = self._impairments.expired(at)
        for kind in dict.fromkeys(one.kind for one in expired):
            self._put_back(kind, [one.zone for one in expired if one.kind is kind])
        if events := [*self._follow_site(at), *self._confirm(at)]:
            self._tell(events)
            self._callbacks.on_save(True)

    # What people do.

    def acknowledge(
        self, zones: Collection[int] | None, by: str
    ) -> tuple[Occurrence, ...]:
        """Note that somebody saw what stands in `zones`, or anywhere.

        Returns what was not acknowledged before.
        """
        at = self._wall()
        seen = tuple(
            self._journal.put(replace(one, acknowledged_at=at, acknowledged_by=by))
            for one in self._journal.standing()
            if one.acknowledged_at is None and (zones is None or one.zone in zones)
        )
        if seen:
            self._tell([act_of(EventKind.ACKNOWLEDGED, (s.zone for s in seen), at, by)])
            self._callbacks.on_save(True)
        return seen

    def reset(self, zones: Collection[int] | None, by: str) -> tuple[int, ...]:
        """Reset the alarms of `zones`, or all; return the zones still in alarm.

        Where the latch is Home Assistant's, an input that is still active is an
        alarm anew. Otherwise only alarms that nobody reports any more end, as
        of a node that is gone for good: the panel keeps its own.
        """
        at = self._wall()
        chosen = {
            one.zone: one
            for one in self._journal.standing()
            if one.kind is _ALARM and (zones is None or one.zone in zones)
        }
        update = self._truth.reset(chosen, self._now())
        done = chosen.keys() & {edge.zone for edge in update.edges}
        still = tuple(zone for zone in chosen if zone not in done)
        for zone in done:
            self._journal.put(replace(chosen[zone], reset_at=at, reset_by=by))
        if update:
            self._callbacks.on_update(update)
        events = list(self._life.release(still, at, by))
        self._note_alarms(events)
        done |= {event.occurrence.zone for event in events if event.occurrence}
        if done:
            self._tell([act_of(EventKind.RESET, done, at, by), *events])
            self._callbacks.on_save(True)
        return still

    def disable(
        self, zones: Collection[int], by: str, why: str, until: float | None = None
    ) -> None:
        """Take `zones` (1-315) out until they are enabled or, at the latest, `until`.

        Their alarms, also those that stand, are recorded and told as those of
        disabled zones. `until` is seconds since the epoch.

        Raises:
            RefusedError: there is no such zone, or `until` is past.

        """
        at = self._wall()
        refuse(set(zones) - self._truth.zones.keys(), Refusal.UNKNOWN_ZONE)
        if until is not None and until <= at:
            refuse(zones, Refusal.UNTIL_NOT_IN_FUTURE)
        self._take_out(EventKind.DISABLED, _DISABLED, zones, at, by, until, why)

    def enable(self, zones: Collection[int], by: str) -> bool:
        """Put disabled zones back; return whether any was disabled.

        Those that are in alarm are a fire from now on.
        """
        return bool(self._put_back(_DISABLED, zones, by))

    def start_test(self, zones: Collection[int], by: str, until: float) -> None:
        """Put `zones` (1-315) in walk test until `until`, a day at the most.

        Raises:
            RefusedError: there is no such zone, a zone is in alarm, or `until`
                is past or too far off.

        """
        at = self._wall()
        chosen = set(zones)
        refuse(chosen - self._truth.zones.keys(), Refusal.UNKNOWN_ZONE)
        refuse(chosen & self._journal.fires.keys(), Refusal.ZONE_IN_ALARM)
        if until <= at:
            refuse(chosen, Refusal.UNTIL_NOT_IN_FUTURE)
        if until - at > MAX_TEST_SECONDS:
            refuse(chosen, Refusal.TEST_TOO_LONG)
        self._take_out(EventKind.WALK_TEST_STARTED, _TEST, chosen, at, by, until)

    def stop_test(
        self, zones: Collection[int] | None, by: str
    ) -> tuple[WalkTestResult, ...]:
        """End the walk test of `zones`, or all, and return what it found out.

        A zone still shown in alarm is a fire from now on: reset the panel first.
        """
        running = [one.zone for one in self._impairments.of_kind(_TEST)]
        chosen = [zone for zone in running if zones is None or zone in zones]
        ended = self._put_back(_TEST, chosen, by)
        return report_test(ended, self._journal, self._wall())

    # Surviving a restart.

    def memory(self) -> BookMemory:
        """Return everything that has to survive."""
        return BookMemory(
            occurrences=tuple(self._journal),
            order=self._journal.order,
            untold=tuple(
                Untold(id=event.occurrence.id, kind=event.kind)
                for event in self._teller.waiting
                if event.occurrence is not None
            ),
            impairments=self._impairments.all(),
            confirmed=self._confirmation.confirmed,
            lost=tuple(self._surroundings.lost),
            bells=tuple(self._surroundings.bells),
            lamps=dict(self._surroundings.lamps),
        )

    def restore(self, stored: object) -> None:
        """Take up where `stored`, a memory in JSON's types, left off.

        To be called on an empty book, before the first frame: what stands is
        shown by the truth until a frame says otherwise.

        Raises:
            MemoryFaultError: it is damaged; nothing was taken up.

        """
        memory = read_memory(stored)
        self._journal.restore(memory.occurrences, memory.order)
        self._journal.trim()
        self._impairments.put(*memory.impairments)
        self._surroundings.lost = set(memory.lost)
        self._surroundings.bells = set(memory.bells)
        self._surroundings.lamps = dict(memory.lamps)
        for standing in self._journal.standing():
            self._life.show_again(standing)
        self._tell(self._follow_site(self._wall()))
        self._confirmation.restore(memory.confirmed, self._journal.fires, self._now())
        for untold in memory.untold:
            if (one := self._journal.get(untold.id)) is not None:
                self._teller.put(found_untold(untold.kind, one))

    # How it is done.

    def _follow_site(self, at: float) -> list[SiteEvent]:
        """Let go of zones and nodes taken out of the site; return what that is told as."""
        present = (frozenset(self._truth.nodes), frozenset(self._truth.modules))
        if present == self._present:
            return []
        self._present = present
        self._surroundings.forget_strangers(self._truth)
        vanished = self._life.end_vanished(at)
        if not vanished:
            return []
        return [act_of(EventKind.RESET, vanished, at, BY_RECONFIGURATION)]

    def _tell(self, events: Iterable[SiteEvent]) -> None:
        """Tell of events in this order."""
        self._teller.put(*events)

    def _note_alarms(self, events: Iterable[SiteEvent]) -> None:
        """Let fire alarms count towards the confirmation of their groups."""
        for event in events:
            if event.kind is EventKind.ALARM and event.occurrence is not None:
                self._confirmation.note_alarm(event.occurrence.zone, self._now())

    def _confirm(self, at: float) -> list[SiteEvent]:
        """Return the events of groups whose alarm is confirmed just now."""
        fires = self._journal.fires
        events = []
        for group, zones in self._confirmation.due(fires.keys(), self._now()):
            standing = [self._journal.standing_of(_ALARM, zone) for zone in zones]
            events.append(
                SiteEvent(
                    kind=EventKind.CONFIRMED_ALARM,
                    at=at,
                    zones=zones,
                    group=group.name,
                    drill=any(one is not None and one.drill for one in standing),
                )
            )
        return events

    def _take_out(
        self,
        act: EventKind,
        kind: ImpairmentKind,
        zones: Collection[int],
        at: float,
        by: str,
        until: float | None,
        why: str = "",
    ) -> None:
        """Take zones out, which is told as one act however many they are."""
        if zones:
            self._impairments.put(
                *(
                    Impairment(
                        zone=zone, kind=kind, by=by, since=at, until=until, why=why
                    )
                    for zone in sorted(zones)
                )
            )
            self._reconsider(act_of(act, zones, at, by, why=why or None, until=until))

    def _put_back(
        self, kind: ImpairmentKind, zones: Collection[int], by: str | None = None
    ) -> list[Impairment]:
        """Put zones back, by somebody or because their time is over."""
        ended = self._impairments.remove(kind, zones)
        if ended:
            at, is_test = self._wall(), kind is _TEST
            act = EventKind.WALK_TEST_ENDED if is_test else EventKind.ENABLED
            report = report_test(ended, self._journal, at) if is_test else ()
            self._reconsider(
                act_of(act, (one.zone for one in ended), at, by, report=report)
            )
        return ended

    def _reconsider(self, act: SiteEvent) -> None:
        """Tell of an act that may have made the alarms of its zones something else."""
        events = [act]
        for zone in act.zones:
            events += self._life.reconsider(zone, act.at, act.by)
        self._note_alarms(events)
        self._callbacks.on_impaired()
        self._tell([*events, *self._confirm(act.at)])
        self._callbacks.on_save(True)
