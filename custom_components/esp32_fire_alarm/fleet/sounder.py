"""Whether Home Assistant should make a noise about a fire, or was told to be quiet.

Silence is neither acknowledge nor reset: the alarm stands, only the noise is
off. It never lasts: the next alarm ends it, and so does its time. It is not
remembered over a restart, which is the safe side.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .models import Led
from .telling import EventKind, SiteEvent

SILENCE_SECONDS: Final = 1800.0
"""How long a silence lasts unless somebody says otherwise."""

MAX_SILENCE_SECONDS: Final = 14_400.0
"""A silenced alarm sounds again after four hours at the latest."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Who silenced a fire alarm, and until when (seconds since the epoch)."""

    by: str
    until: float


class Sounder:
    """The noise of one site; `silence` is what keeps it quiet, if anything."""

    def __init__(self, *, wall: Callable[[], float]) -> None:
        """Start loud; `wall` tells seconds since the epoch."""
        self.silence: Silence | None = None
        self._wall = wall

    def hush(self, by: str, seconds: float = SILENCE_SECONDS) -> Silence:
        """Keep quiet for so long (at most `MAX_SILENCE_SECONDS`)."""
        self.silence = Silence(by, self._wall() + min(seconds, MAX_SILENCE_SECONDS))
        return self.silence

    def hear(self, event: SiteEvent) -> bool:
        """Take notice of an event; return whether it ended a silence.

        Only a new alarm does: of a zone, or of a panel that lights its lamp.
        """
        is_new = event.kind is EventKind.ALARM or Led.ALARM in event.went_on
        return is_new and self._end()

    def look(self, *, fire: bool) -> bool:
        """End a silence whose time or `fire` is over; return whether there was one."""
        if self.silence is None or (fire and self._wall() < self.silence.until):
            return False
        return self._end()

    def _end(self) -> bool:
        """Be ready to sound again; return whether it was silent."""
        was_silent = self.silence is not None
        self.silence = None
        return was_silent
