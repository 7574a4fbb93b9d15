"""Raises alarms, knows which are owed, and counts what is lost or told twice."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from typing import Final, Protocol

from sim.fleet import SimulatedFleet
from sim.panel import ZONES_PER_MODULE

LATE_SECONDS: Final = 900.0
"""An alarm not told by then is lost: no run of bad luck on one node lasts so long."""

BURNING_SECONDS: Final = (5.0, 60.0)
CALM_SECONDS: Final = (5.0, 60.0)
COMPLAINTS_KEPT: Final = 20


class Stage(Enum):
    """How far an alarm has come."""

    CALM = auto()
    RAISED = auto()
    TOLD = auto()
    CLEARED = auto()


@dataclass(slots=True)
class Watch:
    """The one zone of a node that is looked at now; times are the loop's seconds."""

    zone: int
    stage: Stage = Stage.CALM
    since: float = 0.0
    until: float = 0.0
    is_undisturbed: bool = False


class Shown(Protocol):
    """What is shown of the zones."""

    def is_in_alarm(self, zone: int) -> bool:
        """Tell whether `zone` (1-315) is shown in alarm."""


class Oracle:
    """One alarm at a time on every node, at random places and times.

    So that it is certain what is owed: a zone burns until its alarm is told,
    and stays calm until its end is told.
    """

    def __init__(
        self,
        fleets: list[SimulatedFleet],
        chance: Random,
        *,
        now: Callable[[], float],
        is_sound: Callable[[int], bool],
    ) -> None:
        """Start calm; `is_sound` tells whether nothing disturbs a node."""
        self._fleets = fleets
        self._chance = chance
        self._now = now
        self._is_sound = is_sound
        self._watches = {node.number: Watch(0) for node in fleets[0].nodes}
        self.alarms = 0
        self.ends = 0
        self.wrong: Counter[str] = Counter()
        self.complaints: list[str] = []
        self.worst_seconds = 0.0
        """From the input to the telling, at nodes that nothing disturbed."""

    @property
    def is_calm(self) -> bool:
        """Tell whether nothing is owed."""
        return all(one.stage is Stage.CALM for one in self._watches.values())

    def step(self, shown: Shown, *, begins: bool = True) -> None:
        """Let time do its work; with `begins` off, all comes to its end."""
        now = self._now()
        for number, one in self._watches.items():
            one.is_undisturbed = one.is_undisturbed and self._is_sound(number)
            match one.stage:
                case Stage.CALM if begins and now >= one.until:
                    self._raise(number, one, now)
                case Stage.TOLD if not shown.is_in_alarm(one.zone):
                    self._complain("shown clear while it burns", one)
                    self._go(one, Stage.CALM, now, CALM_SECONDS)
                case Stage.TOLD if now >= one.until or not begins:
                    self._clear(one)
                    self._go(one, Stage.CLEARED, now)
                case Stage.RAISED | Stage.CLEARED if now - one.since > LATE_SECONDS:
                    what = "lost" if one.stage is Stage.RAISED else "end lost"
                    self._complain(what, one)
                    self._clear(one)
                    self._go(one, Stage.CALM, now, CALM_SECONDS)

    def hear_alarm(self, zone: int) -> None:
        """Take note of an alarm that is told."""
        one = self._of(zone)
        if one is None or one.stage is not Stage.RAISED:
            self._complain("doubled or invented", one, zone)
            return
        self.alarms += 1
        now = self._now()
        if one.is_undisturbed:
            self.worst_seconds = max(self.worst_seconds, now - one.since)
        self._go(one, Stage.TOLD, now, BURNING_SECONDS)

    def hear_end(self, zone: int) -> None:
        """Take note of the end of an alarm that is told."""
        one = self._of(zone)
        if one is None or one.stage is not Stage.CLEARED:
            self._complain("end doubled or invented", one, zone)
            return
        self.ends += 1
        self._go(one, Stage.CALM, self._now(), CALM_SECONDS)

    def give_up(self) -> None:
        """Count what is still owed when all waiting is over."""
        for one in self._watches.values():
            if one.stage is not Stage.CALM:
                self._complain(f"still {one.stage.name.lower()} at the end", one)

    def _raise(self, number: int, one: Watch, now: float) -> None:
        """Put a zone of a node in alarm."""
        module = self._chance.choice(self._fleets[0].node(number).panel.modules)
        place = self._chance.randrange(ZONES_PER_MODULE)
        one.zone = (module - 1) * ZONES_PER_MODULE + place + 1
        one.is_undisturbed = self._is_sound(number)
        for fleet in self._fleets:
            fleet.alarm(one.zone)
        self._go(one, Stage.RAISED, now)

    def _of(self, zone: int) -> Watch | None:
        """Return the watch that a zone is under now."""
        return next((w for w in self._watches.values() if w.zone == zone), None)

    def _clear(self, one: Watch) -> None:
        """Make a zone normal, behind the primary and the standby addresses."""
        for fleet in self._fleets:
            fleet.clear(one.zone)

    def _go(
        self,
        one: Watch,
        stage: Stage,
        now: float,
        lasts: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Go on to a stage, for a random time."""
        one.stage, one.since = stage, now
        one.until = now + self._chance.uniform(*lasts)

    def _complain(self, what: str, one: Watch | None, zone: int = 0) -> None:
        """Count something that must not be."""
        self.wrong[what] += 1
        if len(self.complaints) < COMPLAINTS_KEPT:
            number = zone if one is None else one.zone
            stage = "unwatched" if one is None else one.stage.name.lower()
            self.complaints.append(
                f"{self._now():.1f} s: zone {number}, {stage}: {what}"
            )
