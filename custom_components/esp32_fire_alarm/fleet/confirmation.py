"""Two-zone confirmation: a group's alarm counts as confirmed when it is sure.

That is when a second zone of the group goes into alarm, or when the first one
still stands after a while. The plain alarm is told at once either way: only
outputs that must not follow a single detector wait for this (EN 54-2,
type C).
"""

from collections.abc import Collection, Iterable, Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

DEFAULT_DELAY_SECONDS: Final = 60.0
MAX_DELAY_SECONDS: Final = 600.0
"""No output may be delayed longer than ten minutes (EN 54-2)."""

FIRST_KEPT_SECONDS: Final = 300.0
"""A first alarm counts for so long, even if it is over by then (EN 54-2)."""


@dataclass(frozen=True, slots=True)
class ConfirmationGroup:
    """Zones (1-315) that confirm each other.

    A single alarm is taken as confirmed after `delay_seconds` (0-600).
    """

    name: str
    zones: frozenset[int]
    delay_seconds: float = DEFAULT_DELAY_SECONDS


@dataclass(slots=True)
class _Watch:
    """What is remembered of a group: which zone went into alarm when."""

    group: ConfirmationGroup
    alarms: dict[int, float] = field(default_factory=dict)
    is_confirmed: bool = False


class Confirmation:
    """Watches all groups of a site; times are monotonic seconds."""

    def __init__(self) -> None:
        """Start without groups."""
        self._watches: list[_Watch] = []

    @property
    def confirmed(self) -> tuple[str, ...]:
        """The names of the groups whose alarm is confirmed."""
        return tuple(one.group.name for one in self._watches if one.is_confirmed)

    def regroup(
        self, groups: Iterable[ConfirmationGroup], standing: Collection[int], now: float
    ) -> None:
        """Watch these groups from now on.

        A group that keeps its name, or its zones under another name, stays
        confirmed if it is, and its zones stay in alarm since when they are. Of
        the `standing` alarms, those that are new to their group count from now.
        """
        watches = []
        for group in groups:
            before = self._former(group)
            known = before.alarms if before else {}
            mine = {
                zone: known.get(zone, now)
                for zone in (*known, *standing)
                if zone in group.zones
            }
            is_confirmed = before is not None and before.is_confirmed and bool(mine)
            watches.append(_Watch(group, mine, is_confirmed))
        self._watches = watches

    def _former(self, group: ConfirmationGroup) -> _Watch | None:
        """Return what was watched as this group until now, if anything was."""
        for watch in self._watches:
            if watch.group.name == group.name:
                return watch
        return next((w for w in self._watches if w.group.zones == group.zones), None)

    def restore(
        self, confirmed: Iterable[str], standing: Iterable[int], now: float
    ) -> None:
        """Take up again after a restart.

        The delay of what is not confirmed yet begins anew: the first frame may
        tell that the alarm is long over.
        """
        names = set(confirmed)
        for zone in standing:
            self.note_alarm(zone, now)
        for watch in self._watches:
            watch.is_confirmed = bool(watch.alarms) and watch.group.name in names

    def note_alarm(self, zone: int, now: float) -> None:
        """Note that `zone` (1-315) went into alarm."""
        for watch in self._watches:
            if zone in watch.group.zones:
                watch.alarms[zone] = now

    def due(
        self, standing: AbstractSet[int], now: float
    ) -> list[tuple[ConfirmationGroup, tuple[int, ...]]]:
        """Return the groups confirmed just now, with their zones, first first.

        `standing` are the zones in alarm at the moment.
        """
        return [
            (watch.group, tuple(watch.alarms))
            for watch in self._watches
            if watch.alarms and self._becomes_confirmed(watch, standing, now)
        ]

    @staticmethod
    def _becomes_confirmed(
        watch: _Watch, standing: AbstractSet[int], now: float
    ) -> bool:
        """Forget what is past, and tell whether the rest is enough just now."""
        if watch.is_confirmed and standing.isdisjoint(watch.alarms):
            watch.alarms.clear()
            watch.is_confirmed = False
            return False
        watch.alarms = {
            zone: at
            for zone, at in watch.alarms.items()
            if zone in standing or now - at < FIRST_KEPT_SECONDS
        }
        if watch.is_confirmed:
            return False
        watch.is_confirmed = len(watch.alarms) > 1 or any(
            zone in standing and now - at >= watch.group.delay_seconds
            for zone, at in watch.alarms.items()
        )
        return watch.is_confirmed
