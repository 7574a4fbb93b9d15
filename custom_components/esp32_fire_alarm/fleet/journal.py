"""The log of the last 1,000 occurrences, which of them stand, and their order.

A standing occurrence never falls out of the log: a site has at most 630 of
them, an alarm and a trouble for each zone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Final
from uuid import uuid4

from .occurrence import Occurrence, OccurrenceKind

OCCURRENCES_KEPT: Final = 1000
"""Listed panels keep 500 to 999."""

QUIET_KEPT: Final = OCCURRENCES_KEPT // 2
"""Room that troubles and tests may take, so that they never crowd out the fires."""


class Journal:
    """Keeps occurrences in the order in which they were raised."""

    def __init__(self) -> None:
        """Start empty."""
        self.order = 0
        self.fires: dict[int, None] = {}
        """The zones (1-315) on fire, in the order in which that began."""
        self._entries: dict[str, Occurrence] = {}
        self._standing: dict[tuple[OccurrenceKind, int], str] = {}
        self._quiet_over = 0
        """How many of the entries are over and were no fire."""

    def __iter__(self) -> Iterator[Occurrence]:
        """Yield all occurrences, oldest first."""
        yield from self._entries.values()

    def get(self, occurrence_id: str) -> Occurrence | None:
        """Return the occurrence with this id, unless it fell out of the log."""
        return self._entries.get(occurrence_id)

    def standing_of(self, kind: OccurrenceKind, zone: int) -> Occurrence | None:
        """Return what `zone` (1-315) is in at the moment."""
        found = self._standing.get((kind, zone))
        return None if found is None else self._entries[found]

    def standing(self) -> tuple[Occurrence, ...]:
        """Return everything that stands, in the order in which it was raised."""
        return tuple(self._entries[found] for found in self._standing.values())

    def begin(self, occurrence: Occurrence) -> Occurrence:
        """Add an occurrence that begins; a fire gets its place in the order.

        Returns it with its id and order.
        """
        order = None
        if occurrence.is_fire:
            self.order = order = self.order + 1 if self.fires else 1
        return self.put(replace(occurrence, id=uuid4().hex, order=order))

    def put(self, occurrence: Occurrence) -> Occurrence:
        """Add an occurrence as it is, or put it in the place of its former self."""
        if (before := self._entries.get(occurrence.id)) is not None:
            self._quiet_over -= _is_quiet_over(before)
        self._quiet_over += _is_quiet_over(occurrence)
        self._entries[occurrence.id] = occurrence
        key = (occurrence.kind, occurrence.zone)
        if occurrence.is_standing:
            self._standing[key] = occurrence.id
            if occurrence.is_fire:
                self.fires[occurrence.zone] = None
        elif self._standing.get(key) == occurrence.id:
            del self._standing[key]
            if occurrence.is_fire:
                del self.fires[occurrence.zone]
        return occurrence

    def restore(self, occurrences: Iterable[Occurrence], order: int) -> None:
        """Take up the log of before a restart."""
        for one in occurrences:
            self.put(one)
        self.order = order

    def trim(self) -> None:
        """Forget the oldest of what is over, as far as there is no room.

        Each alarm waits for this, so only as much of the log is looked at as is
        forgotten.
        """
        excess = len(self._entries) - OCCURRENCES_KEPT
        if excess <= 0:
            return
        crowding = min(excess, max(0, self._quiet_over - QUIET_KEPT))
        quiet = (one for one in self if _is_quiet_over(one))
        victims = {one.id: one for one in islice(quiet, crowding)}
        over = (one for one in self if not one.is_standing and one.id not in victims)
        victims |= {one.id: one for one in islice(over, excess - crowding)}
        for victim in victims.values():
            self._quiet_over -= _is_quiet_over(victim)
            del self._entries[victim.id]


def _is_quiet_over(occurrence: Occurrence) -> bool:
    """Tell whether an occurrence is over and was no fire."""
    return not (occurrence.is_standing or occurrence.is_fire)
