"""What was heard last before a link was lost, so that nothing older counts after it.

Some servers send their buffer to whoever connects next. Such frames say what
was true before: they would end an alarm that stands, and tell it again.
"""

from dataclasses import dataclass
from typing import Final

from .frame import FrameError, decode
from .paths import Path

DOUBT_SECONDS: Final = 3.0
"""After a new link's first frame nothing is doubted for longer: other hardware on
the same address may have a smaller uptime and must be heard."""

MARGIN_SECONDS: Final = 30.0
"""How late the last frame may have been when it came: the longest silence allowed."""


@dataclass(slots=True)
class LastWord:
    """The uptime a node had when it was heard last, and when and where that was.

    `heard_at` and `doubted_at`, the time of the new link's first frame, are
    monotonic seconds.
    """

    uptime_ms: int
    heard_at: float
    path: Path
    doubted_at: float | None = None

    def is_newer_than(self, uptime_ms: int, now: float) -> bool:
        """Tell whether a frame with this uptime is certainly older.

        After a boot, or a wrap, the uptime cannot be more than the time since
        the last word.
        """
        if self.doubted_at is None:
            self.doubted_at = now
        longest_since_boot_ms = (now - self.heard_at + MARGIN_SECONDS) * 1000
        return (
            now - self.doubted_at < DOUBT_SECONDS
            and longest_since_boot_ms < uptime_ms < self.uptime_ms
        )


def uptime_of(raw: bytes) -> int | None:
    """Return the uptime in ms that a message tells, if it is one of zones."""
    try:
        return decode(raw).uptime_ms
    except FrameError:
        return None
