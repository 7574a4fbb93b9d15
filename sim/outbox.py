"""What waits before it is written: late, in small slices, or a few bytes a second."""

import asyncio
from collections import deque
from collections.abc import Callable
import random
from typing import Final

from .effects import Effects

MAX_UNSENT_BYTES: Final = 64 * 1024
"""A client that lets more than this pile up is dropped, as the library does."""

SLICE_GAP_SECONDS: Final = 0.001
"""Between two slices, so that each is a TCP segment of its own."""

_TRICKLE_SECONDS: Final = 0.05
_TIMER_SLACK_SECONDS: Final = 0.001
"""Event loop timers may fire a hair early."""


class Outbox:
    """Chunks of one connection on their way out, in order."""

    def __init__(
        self,
        *,
        effects: Callable[[], Effects],
        write: Callable[[bytes], None],
        overflow: Callable[[], None],
    ) -> None:
        """Write with `write`; `overflow` is called when too much piles up."""
        self._effects = effects
        self._write = write
        self._overflow = overflow
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """Return how many bytes wait."""
        return self._bytes

    def post(self, chunk: bytes) -> None:
        """Write now, or when the faults in force let it; an empty chunk is the end."""
        effects = self._effects()
        wait = effects.latency_seconds
        if effects.jitter_seconds:
            wait += random.uniform(0, effects.jitter_seconds)  # noqa: S311 - no secret
        size, gap = _pace(effects)
        if not self._waiting and not wait and not gap and not effects.frozen:
            self._write(chunk)
            return
        due = self._loop.time() + wait
        for start in range(0, len(chunk) or 1, size or len(chunk) or 1):
            piece = chunk[start : start + size] if size else chunk
            if self._waiting:
                due = max(due, self._waiting[-1][0] + gap)
            self._waiting.append((due, piece))
        self._bytes += len(chunk)
        if self._bytes > MAX_UNSENT_BYTES + len(chunk):
            self._overflow()
        else:
            self._plan()

    def deliver(self) -> None:
        """Write everything whose time has come."""
        while self._waiting and not self._effects().frozen:
            if self._waiting[0][0] > self._loop.time() + _TIMER_SLACK_SECONDS:
                break
            _, piece = self._waiting.popleft()
            self._bytes -= len(piece)
            self._write(piece)
        self._plan()

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        self._bytes = 0
        self._plan()

    def _plan(self) -> None:
        """Come back when the next piece is due; frozen, `deliver` is called later."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and not self._effects().frozen:
            self._timer = self._loop.call_at(self._waiting[0][0], self.deliver)


def _pace(effects: Effects) -> tuple[int, float]:
    """Return the size of a slice in bytes (0: whole) and the seconds between two."""
    rate, size = effects.bytes_per_second, effects.slice_bytes
    if rate:
        size = size or max(1, int(rate * _TRICKLE_SECONDS))
        return size, size / rate
    return size, SLICE_GAP_SECONDS if size else 0.0
