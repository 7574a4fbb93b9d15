"""What the fleet has seen and done, for tests, the control socket and `status`."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
import time
from typing import Final

KEPT_EVENTS: Final = 10_000
"""How many handshakes and connections are remembered."""

KEPT_MESSAGES: Final = 1_000
"""How many messages of clients are remembered, of at most 15 KiB each."""

RATE_WINDOW_SECONDS: Final = 5
"""Over how many whole seconds the frame rate is averaged."""


@dataclass(frozen=True, slots=True)
class Knock:
    """A TCP connection or a finished handshake: when (monotonic seconds), where."""

    at: float
    node: int


@dataclass(frozen=True, slots=True)
class Received:
    """A message of a client: when (monotonic seconds), at which node, its text."""

    at: float
    node: int
    text: str


@dataclass(slots=True)
class Meter:
    """Counters of the whole fleet since its start.

    `opening` is the number of TCP connections whose handshake is not done yet,
    `opening_max` the highest it ever was; `dropped` counts connections turned
    away for want of a client slot.
    """

    clock: Callable[[], float] = time.monotonic
    connections: deque[Knock] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    handshakes: deque[Knock] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    received: deque[Received] = field(
        default_factory=lambda: deque(maxlen=KEPT_MESSAGES)
    )
    handshakes_total: int = 0
    opening: int = 0
    opening_max: int = 0
    dropped: int = 0
    frames_sent: int = 0
    pings_received: int = 0
    _per_second: dict[int, int] = field(default_factory=dict)

    def connected(self, node: int, *, admitted: bool) -> None:
        """Count a TCP connection; one that got a client slot owes a handshake."""
        self.connections.append(Knock(self.clock(), node))
        if admitted:
            self.opening += 1
            self.opening_max = max(self.opening_max, self.opening)

    def handshaken(self, node: int) -> None:
        """Count a finished WebSocket handshake."""
        self.handshakes.append(Knock(self.clock(), node))
        self.handshakes_total += 1
        self.opening -= 1

    def gave_up(self) -> None:
        """Count a connection that ended before its handshake was done."""
        self.opening -= 1

    def sent(self, frames: int) -> None:
        """Count frames handed to clients."""
        self.frames_sent += frames
        second = int(self.clock())
        self._per_second[second] = self._per_second.get(second, 0) + frames
        if len(self._per_second) > 2 * RATE_WINDOW_SECONDS:
            for old in [
                s for s in self._per_second if s < second - RATE_WINDOW_SECONDS
            ]:
                del self._per_second[old]

    def heard(self, node: int, text: str) -> None:
        """Keep a message that a client sent."""
        self.received.append(Received(self.clock(), node, text))

    def frames_per_second(self) -> float:
        """Return the average of the last few whole seconds, this one left out."""
        now = int(self.clock())
        window = range(now - RATE_WINDOW_SECONDS, now)
        return sum(self._per_second.get(s, 0) for s in window) / RATE_WINDOW_SECONDS
