"""One alarm or trouble of one zone, from being raised to being over.

What happens to an occurrence makes a new value with the same id. When its
nature changes (the zone's walk test ends and the zone still is in alarm), it
is over and another one begins.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .models import LatchMode, module_of_zone

BY_PANEL: Final = "panel"
"""Who reset an alarm when the panel's Alarm LED going out ended it."""

BY_RECONFIGURATION: Final = "reconfiguration"
"""Who reset an alarm when its zone was taken out of the site."""


class OccurrenceKind(StrEnum):
    """What a zone may be in."""

    ALARM = "alarm"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One zone in alarm, or in trouble, once.

    Times are seconds since the epoch. `restored_at` is when the input itself
    was normal again (None while it is active, or silent), `ended_at` when the
    zone was no longer shown: a latch keeps the two apart. `order` counts the
    fire alarms since the site was last free of them, 1 = first; it is None for
    everything else. `source` is the node (1-1024) whose word it was. `drill`:
    the panel was in a drill. `test` and `disabled`: the zone was, so that it
    was recorded but is no fire. `latency` is seconds from the frame's being
    read to its being told. `latch` is how an alarm stays shown; None if
    that was never written down: then as alarms do that begin now.
    """

    kind: OccurrenceKind
    zone: int
    source: int
    raised_at: float
    id: str = ""
    order: int | None = None
    found_on_resync: bool = False
    drill: bool = False
    test: bool = False
    disabled: bool = False
    latency: float | None = None
    latch: LatchMode | None = None
    restored_at: float | None = None
    ended_at: float | None = None
    acknowledged_at: float | None = None
    acknowledged_by: str | None = None
    reset_at: float | None = None
    reset_by: str | None = None

    @property
    def module(self) -> int:
        """The module (1-63) that carries the zone."""
        return module_of_zone(self.zone)

    @property
    def is_standing(self) -> bool:
        """Tell whether the zone is still shown so."""
        return self.ended_at is None

    @property
    def is_fire(self) -> bool:
        """Tell whether this counts as a fire; an alarm in a drill does."""
        return self.kind is OccurrenceKind.ALARM and not self.test and not self.disabled

    @property
    def is_first(self) -> bool:
        """Tell whether this was the first alarm of a site without any."""
        return self.order == 1
