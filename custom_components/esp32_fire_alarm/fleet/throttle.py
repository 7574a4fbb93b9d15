"""How much one node may ask for: a token bucket.

What has no token waits; nothing is dropped here, and new alarms never ask.
"""

from dataclasses import dataclass
from typing import Final

TOKENS_PER_SECOND: Final = 20.0
"""Sustained rate of non-alarm work per node; an ESP32 tops out near 15 frames/s."""

TOKENS_AT_ONCE: Final = 50.0
"""Burst after a quiet time, such as a module bus that comes back."""

SECONDS_PER_TOKEN: Final = 1 / TOKENS_PER_SECOND

_NEARLY_ONE: Final = 0.999
"""What is left of a token when rounding and a timer's resolution had their share."""


@dataclass(slots=True)
class TokenBucket:
    """Tokens that come back with time. `at` is monotonic seconds."""

    at: float
    tokens: float = TOKENS_AT_ONCE

    def take(self, now: float) -> bool:
        """Take one token if there is one."""
        earned = (now - self.at) * TOKENS_PER_SECOND
        self.tokens = min(TOKENS_AT_ONCE, self.tokens + earned)
        self.at = now
        if self.tokens < _NEARLY_ONE:
            return False
        self.tokens -= 1
        return True
