"""What was merged but not told yet, and the telling of it.

One for all nodes, so that what is told comes in the order in which it was
merged, whoever had to wait for it.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from .gather import UpdateGatherer
from .metrics import LatencyLog
from .models import EdgeKind, SiteUpdate
from .timing import LONG_AGO

ALARM_REPEAT_SECONDS: Final = 1.0
"""An alarm of a zone that was told within this time is a repetition: it is told
too, but where its node has no token left, together with what follows it."""

_LATENCIES_NOTED: Final = 1024


class HandOver:
    """Keeps updates until they are told; all times are monotonic seconds."""

    def __init__(
        self,
        on_update: Callable[[SiteUpdate], None],
        latency: LatencyLog,
        now: Callable[[], float],
    ) -> None:
        """Start with nothing to tell; `latency` learns how long telling took."""
        self._on_update = on_update
        self._latency = latency
        self._now = now
        self._untold = UpdateGatherer()
        self._arrivals: deque[float] = deque(maxlen=_LATENCIES_NOTED)
        self._alarm_told_at: dict[int, float] = {}

    def __bool__(self) -> bool:
        """Tell whether there is something to tell."""
        return bool(self._untold)

    @property
    def is_full(self) -> bool:
        """Tell whether it must be told now to stay bounded."""
        return self._untold.is_full

    def add(self, update: SiteUpdate, *, arrived_at: float | None = None) -> None:
        """Keep an update; `arrived_at` is when its message came, if one did."""
        if update:
            self._untold.add(update)
            if arrived_at is not None:
                self._arrivals.append(arrived_at)

    def raises_alarm(self, update: SiteUpdate, now: float) -> bool:
        """Tell whether an update has an alarm that was not told just now."""
        zones = [edge.zone for edge in update.edges if edge.kind is EdgeKind.ALARM]
        if not zones:
            return False
        told_at = self._alarm_told_at
        oldest = min(told_at.get(zone, LONG_AGO) for zone in zones)
        if now - oldest < ALARM_REPEAT_SECONDS:
            return False
        told_at.update(dict.fromkeys(zones, now))
        return True

    def tell_at_once(self, update: SiteUpdate, *, arrived_at: float) -> None:
        """Tell of an update whose message just came, after what was not told yet."""
        if self._untold:
            self.add(update, arrived_at=arrived_at)
            self.tell()
            return
        # Nothing to put together: an alarm is on its way with fewer steps.
        self._pass_on(update, (arrived_at,))

    def tell(self) -> None:
        """Tell of everything that was not told yet, as one update."""
        if not self._untold:
            return
        untold, self._untold = self._untold, UpdateGatherer()
        arrivals, self._arrivals = self._arrivals, deque(maxlen=_LATENCIES_NOTED)
        self._pass_on(untold.finish(), arrivals)

    def _pass_on(self, update: SiteUpdate, arrivals: Iterable[float]) -> None:
        """Tell, and note how long that took for each message in it."""
        self._on_update(update)
        now = self._now()
        for arrived_at in arrivals:
            self._latency.add(now - arrived_at, now)
