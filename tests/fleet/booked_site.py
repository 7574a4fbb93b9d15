"""A site's truth and alarm book, with a hand on clocks, frames and restarts."""

from collections.abc import Callable, Collection
from typing import Self

import orjson

from custom_components.esp32_fire_alarm.fleet.alarms import AlarmBook, BookCallbacks
from custom_components.esp32_fire_alarm.fleet.confirmation import ConfirmationGroup
from custom_components.esp32_fire_alarm.fleet.frame import decode
from custom_components.esp32_fire_alarm.fleet.models import (
    DeviceAddress,
    DeviceFrame,
    LatchMode,
    NodeConfig,
    SiteUpdate,
)
from custom_components.esp32_fire_alarm.fleet.occurrence import (
    Occurrence,
    OccurrenceKind,
)
from custom_components.esp32_fire_alarm.fleet.telling import EventKind, SiteEvent
from custom_components.esp32_fire_alarm.fleet.truth import SiteTruth

HOLD_SECONDS = 45.0
EPOCH = 1_790_000_000.0
"""What the wall clock shows when the monotonic clock shows 0."""

QUIET = "41DF"
ALARM_LED = "41CF"
TROUBLE_LED = "41D7"
DRILL_LED = "41DB"
DRILL_AND_ALARM = "41CB"


def node(number: int, *modules: int) -> NodeConfig:
    """Return a node that carries the modules."""
    return NodeConfig(number, DeviceAddress(f"127.0.0.{number + 1}"), modules)


class BookedSite:
    """Truth and book of one run of the software; a restart makes another one."""

    def __init__(
        self,
        *nodes: NodeConfig,
        latch: LatchMode = LatchMode.PANEL,
        groups: Collection[ConfirmationGroup] = (),
        now: float = 1000.0,
        stored: object = None,
        is_heard: bool = True,
    ) -> None:
        """Start, with a memory in JSON's types if there is one."""
        self.now = now
        self.nodes = nodes
        self.latch = latch
        self.groups = groups
        self.events: list[SiteEvent] = []
        self.answer: Callable[[SiteEvent], None] = lambda _: None
        self.saves: list[bool] = []
        self.times_impaired = 0
        self.truth = SiteTruth(nodes, hold_seconds=HOLD_SECONDS, now=now, latch=latch)
        self.book = AlarmBook(
            self.truth,
            now=lambda: self.now,
            wall=lambda: self.wall,
            callbacks=BookCallbacks(
                on_event=self._hear,
                on_update=self.book_update,
                on_impaired=self._note_impaired,
                on_save=self._note_save,
            ),
        )
        self.book.regroup(groups)
        if stored is not None:
            self.book.restore(stored)
        self.on_disk = self.book.memory()
        if is_heard:
            self.book.start_telling()

    @property
    def wall(self) -> float:
        """Seconds since the epoch."""
        return EPOCH + self.now

    def book_update(self, update: SiteUpdate) -> None:
        """Take in an update."""
        self.book.take(update)

    def _hear(self, event: SiteEvent) -> None:
        self.events.append(event)
        self.answer(event)

    def _note_impaired(self) -> None:
        self.times_impaired += 1

    def _note_save(self, is_urgent: bool) -> None:
        self.saves.append(is_urgent)
        if is_urgent:
            self.on_disk = self.book.memory()

    def say(self, number: int, *segments: str, master: str = QUIET) -> list[SiteEvent]:
        """Let a node send one frame, one second later; return what is told."""
        self.now += 1
        return self._told(
            self.truth.apply(number, frame(*segments, master=master), self.now)
        )

    def lose(self, number: int) -> list[SiteEvent]:
        """Cut a node's link."""
        return self._told(self.truth.lose(number, self.now))

    def wait(self, seconds: float) -> list[SiteEvent]:
        """Let time pass, and both look at the clock once."""
        self.now += seconds
        seen = len(self.events)
        self.book.take(self.truth.tick(self.now))
        self.book.tick()
        return self.events[seen:]

    def _told(self, update: SiteUpdate) -> list[SiteEvent]:
        seen = len(self.events)
        self.book.take(update)
        return self.events[seen:]

    def stored(self, *, after_crash: bool = False) -> object:
        """Return the memory as a file would give it back.

        After a crash that is what was urgent.
        """
        memory = self.on_disk if after_crash else self.book.memory()
        return orjson.loads(orjson.dumps(memory.to_json()))

    def restart(
        self,
        *nodes: NodeConfig,
        down_seconds: float = 10.0,
        is_heard: bool = True,
        after_crash: bool = False,
    ) -> Self:
        """Return the site after a restart, with other nodes if some are given."""
        return type(self)(
            *(nodes or self.nodes),
            latch=self.latch,
            groups=self.groups,
            now=self.now + down_seconds,
            stored=self.stored(after_crash=after_crash),
            is_heard=is_heard,
        )

    def alarm_of(self, zone: int) -> Occurrence | None:
        """Return the alarm that stands in a zone."""
        return self._standing(OccurrenceKind.ALARM, zone)

    def trouble_of(self, zone: int) -> Occurrence | None:
        """Return the trouble that stands in a zone."""
        return self._standing(OccurrenceKind.TROUBLE, zone)

    def _standing(self, kind: OccurrenceKind, zone: int) -> Occurrence | None:
        return next(
            (
                one
                for one in self.book.standing()
                if one.kind is kind and one.zone == zone
            ),
            None,
        )

    @property
    def fire(self) -> bool:
        """Whether the site is on fire."""
        return self.truth.summary(self.book.ignored).fire


def frame(*segments: str, master: str = QUIET) -> DeviceFrame:
    """Return a decoded frame."""
    return decode("".join((master, *(f"<STX>{one}" for one in segments))).encode())


def kinds(events: list[SiteEvent]) -> list[EventKind]:
    """Return what events are about."""
    return [event.kind for event in events]


def zones(events: list[SiteEvent], kind: EventKind = EventKind.ALARM) -> list[int]:
    """Return the zones of all events of a kind."""
    return [
        event.occurrence.zone
        for event in events
        if event.kind is kind and event.occurrence is not None
    ]
