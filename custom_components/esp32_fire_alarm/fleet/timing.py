"""Every number of seconds the pool lives by, in one place.

The sources are field experience with ESP32 servers (five client slots, heap
leaks per reconnect) and the deadlines of EN 54-2: 10 s for an alarm, 100 s for
a fault. See ARCHITECTURE.md.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import time
from typing import Final, Protocol

CONNECT_SECONDS: Final = 10.0
"""Longest time for TCP connect and WebSocket upgrade together."""

CLOSE_SECONDS: Final = 2.0
"""Longest wait for a peer's close frame; 63 closes run at the same time."""

MAX_CONNECTS_IN_FLIGHT: Final = 8
CONNECT_SPACING_SECONDS: Final = (0.05, 0.1)
"""Gap between two connect starts, drawn evenly; kind to access points."""

MIN_ATTEMPT_GAP_SECONDS: Final = 3.0
"""Least time between two attempts at one node: its server frees memory slowly."""

BACKOFF_FIRST_SECONDS: Final = 1.0
BACKOFF_FACTOR: Final = 1.8
BACKOFF_CAP_SECONDS: Final = 60.0
"""Delay before retry n is drawn evenly from 0 to min(cap, first * factor**n)."""

STABLE_SECONDS: Final = 60.0
"""A link this old has proved itself: the backoff starts over."""

SLOTS_FULL_GAP_SECONDS: Final = 15.0
"""Least time between two attempts at a node that has no client slot free."""

WAKE_SHARE: Final = 0.25
"""With this share of the site down, the return of one node wakes the others."""

WAKE_GAP_SECONDS: Final = 30.0
"""Least time between two such wake-ups: a flapping node must not drive the rest."""

STANDBY_CHECK_SECONDS: Final = 900.0
"""Period in which an unused standby address has to prove that it lives."""

PRIMARY_CHECK_SECONDS: Final = 60.0
"""Period in which an abandoned primary address is looked at again."""

FAIL_BACK_SECONDS: Final = 300.0
"""A primary that answered every check for this long is used again."""

TICK_SECONDS: Final = 0.5
"""Period of the one timer that watches all links."""

ROUND_TRIP_SECONDS: Final = 60.0
"""Period in which a node that talks is pinged, to measure the way there and back.
Its frames prove more often than any ping that it lives."""

QUIET_SECONDS: Final = 5.0
"""A link without a frame for this long is shown as silent, not yet cut."""

LONG_AGO: Final = float("-inf")
"""Before anything happened, in monotonic seconds."""


class Clock(Protocol):
    """Where the fleet gets its time from; tests bring their own."""

    def now(self) -> float:
        """Return monotonic seconds."""

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""


class Handle(Protocol):
    """Something that was planned."""

    def cancel(self) -> None:
        """Forget it."""


class Scheduler(Protocol):
    """Who calls back: an event loop, or a test."""

    def call_soon(self, callback: Callable[[], object], /) -> Handle:
        """Call back in the next turn."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Handle:
        """Call back after `delay` seconds."""


class SystemClock:
    """Monotonic time and the event loop's own sleep."""

    # No method of its own: it is asked several times for every frame.
    now = staticmethod(time.monotonic)

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Supervision:
    """How closely a site's links are watched; the options of one site.

    `heartbeat_seconds` (5-20) is how long a link may bring nothing at all: after
    half of it the node is pinged, after all of it the link is half-open.
    `silence_seconds` (5-30) is how long a node may send no frame.
    `hold_seconds` (0-60) is how long zones keep their last state after a loss.
    `pings` off is for firmwares that break on control frames: only the age of
    data counts. The bounds keep every combination within 100 s (EN 54-2).
    """

    heartbeat_seconds: float = 10.0
    silence_seconds: float = 15.0
    hold_seconds: float = 45.0
    pings: bool = True

    @property
    def worst_case_seconds(self) -> float:
        """Longest time from a node's last frame to its zones being given up."""
        half_open = self.heartbeat_seconds if self.pings else 0.0
        detection = max(self.silence_seconds, half_open)
        return detection + self.hold_seconds + 2 * TICK_SECONDS
