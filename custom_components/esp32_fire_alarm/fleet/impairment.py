"""Zones that are taken out on purpose: disabled, or in a walk test.

Each with who, why and until when. They stay visible in the list of impairments
and end by themselves when their time is over.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .occurrence import Occurrence

MAX_TEST_SECONDS: Final = 86_400.0
"""A walk test that nobody ends is over after a day at the latest."""


class ImpairmentKind(StrEnum):
    """In which way a zone is taken out."""

    DISABLED = "disabled"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Impairment:
    """One zone (1-315) taken out by somebody.

    Times are seconds since the epoch; without `until` it lasts until it is
    ended, which only a disablement may.
    """

    zone: int
    kind: ImpairmentKind
    by: str
    since: float
    until: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkTestResult:
    """What a walk test found out about one zone.

    Without `activated_at` the zone was never set off. `latency` is seconds
    from the frame's being read to its being told.
    """

    zone: int
    by: str
    since: float
    ended_at: float
    activations: int
    activated_at: float | None
    latency: float | None


class Refusal(StrEnum):
    """Why a zone is not taken out."""

    UNKNOWN_ZONE = "unknown_zone"
    ZONE_IN_ALARM = "zone_in_alarm"
    UNTIL_NOT_IN_FUTURE = "until_not_in_future"
    TEST_TOO_LONG = "test_too_long"


class RefusedError(Exception):
    """Zones cannot be taken out; `reason` says why, `zones` which are meant."""

    def __init__(self, reason: Refusal, zones: Iterable[int] = ()) -> None:
        """Keep the reason for translation."""
        self.reason = reason
        self.zones = tuple(sorted(zones))
        super().__init__(f"{reason}: {self.zones}")


def refuse(zones: Collection[int], reason: Refusal) -> None:
    """Raise `RefusedError` if there are any such zones."""
    if zones:
        raise RefusedError(reason, zones)


class Impairments:
    """All zones that are taken out at the moment."""

    def __init__(self) -> None:
        """Start with none."""
        self.zones: frozenset[int] = frozenset()
        self._entries: dict[tuple[ImpairmentKind, int], Impairment] = {}

    def all(self) -> tuple[Impairment, ...]:
        """Return all of them, in the order in which they began."""
        return tuple(self._entries.values())

    def has(self, kind: ImpairmentKind, zone: int) -> bool:
        """Tell whether `zone` (1-315) is taken out in this way."""
        return (kind, zone) in self._entries

    def of_kind(self, kind: ImpairmentKind) -> list[Impairment]:
        """Return the zones that are taken out in this way."""
        return [one for one in self._entries.values() if one.kind is kind]

    def put(self, *impairments: Impairment) -> None:
        """Take zones out; a former entry of the same kind is replaced."""
        self._entries |= {(one.kind, one.zone): one for one in impairments}
        self._count()

    def remove(self, kind: ImpairmentKind, zones: Collection[int]) -> list[Impairment]:
        """Put zones back, and return their entries."""
        found = [
            self._entries.pop((kind, zone))
            for zone in zones
            if (kind, zone) in self._entries
        ]
        self._count()
        return found

    def expired(self, now: float) -> list[Impairment]:
        """Return those whose time is over at `now`, seconds since the epoch."""
        return [
            one
            for one in self._entries.values()
            if one.until is not None and now >= one.until
        ]

    def _count(self) -> None:
        """Renew the set of all zones that are taken out."""
        self.zones = frozenset(zone for _, zone in self._entries)


def report_test(
    ended: Iterable[Impairment], occurrences: Iterable[Occurrence], now: float
) -> tuple[WalkTestResult, ...]:
    """Return what walk tests that end now found out, by zone.

    `occurrences` is the log, which knows the activations.
    """
    tests = sorted(ended, key=lambda one: one.zone)
    activations = [one for one in occurrences if one.test]
    results = []
    for test in tests:
        mine = [
            one
            for one in activations
            if one.zone == test.zone and one.raised_at >= test.since
        ]
        results.append(
            WalkTestResult(
                zone=test.zone,
                by=test.by,
                since=test.since,
                ended_at=now,
                activations=len(mine),
                activated_at=mine[0].raised_at if mine else None,
                latency=mine[0].latency if mine else None,
            )
        )
    return tuple(results)
