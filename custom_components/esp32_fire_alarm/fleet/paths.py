"""Which address of a node comes next, and when it may be tried.

The whole of a node's retry policy in one object without I/O: full-jitter
backoff, one retry of an address before the other one, gentle with full slots.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from .models import DeviceAddress, NodeConfig
from .timing import (
    BACKOFF_CAP_SECONDS,
    BACKOFF_FACTOR,
    BACKOFF_FIRST_SECONDS,
    MIN_ATTEMPT_GAP_SECONDS,
    SLOTS_FULL_GAP_SECONDS,
    STABLE_SECONDS,
)

ATTEMPTS_PER_PATH: Final = 2
"""One try and one retry, then the other address, if there is one."""

_MAX_EXPONENT: Final = 32
"""Past this the backoff is at its cap anyway; keeps the power from overflowing."""


class Path(StrEnum):
    """Which of a node's addresses is in use."""

    PRIMARY = "primary"
    STANDBY = "standby"

    @property
    def other(self) -> Path:
        """The other one."""
        return Path.PRIMARY if self is Path.STANDBY else Path.STANDBY


def backoff_seconds(failures: int, chance: float) -> float:
    """Return the delay before the next attempt after `failures` (1 or more) in a row.

    Full jitter: the share `chance` (0-1) of a limit that grows to 60 s.
    """
    exponent = min(failures - 1, _MAX_EXPONENT)
    return chance * min(
        BACKOFF_CAP_SECONDS, BACKOFF_FIRST_SECONDS * BACKOFF_FACTOR**exponent
    )


class PathChooser:
    """A node's addresses and what happened on them. Times are monotonic seconds."""

    def __init__(
        self,
        config: NodeConfig,
        *,
        chance: Callable[[], float],
        path: Path = Path.PRIMARY,
    ) -> None:
        """Start on `path`; `chance` returns 0-1."""
        self._addresses: dict[Path, DeviceAddress | None] = {
            Path.PRIMARY: config.address,
            Path.STANDBY: config.standby,
        }
        self._chance = chance
        self._failures = 0
        self._failures_on_path = 0
        self._attempted_at: dict[Path, float] = {}
        self._gap_seconds = MIN_ATTEMPT_GAP_SECONDS
        self.path = path if self._addresses[path] else Path.PRIMARY

    def readdress(self, config: NodeConfig) -> bool:
        """Take over the node's new addresses, if the one in use is among them.

        Returns whether it is; if not, nothing is changed.
        """
        addresses = {Path.PRIMARY: config.address, Path.STANDBY: config.standby}
        for path, address in addresses.items():
            if address == self.address:
                self.path, self._addresses = path, addresses
                return True
        return False

    @property
    def address(self) -> DeviceAddress:
        """The address to use now."""
        address = self._addresses[self.path]
        assert address is not None
        return address

    @property
    def unused(self) -> DeviceAddress | None:
        """The address not in use, if the node has two."""
        return self._addresses[self.path.other]

    def attempt(self, now: float) -> None:
        """Note that the present address is being tried."""
        self._attempted_at[self.path] = now

    def fail(self, *, slots_full: bool = False) -> None:
        """Count a failed attempt or a lost link; turn to the other address in time."""
        self._failures += 1
        self._failures_on_path += 1
        self._gap_seconds = (
            SLOTS_FULL_GAP_SECONDS if slots_full else MIN_ATTEMPT_GAP_SECONDS
        )
        if self.unused is not None and self._failures_on_path >= ATTEMPTS_PER_PATH:
            self.switch()

    def forgive(self) -> None:
        """Begin the backoff anew: there is reason to hope."""
        self._failures = min(self._failures, 1)

    def switch(self) -> None:
        """Turn to the other address."""
        self.path = self.path.other
        self._failures_on_path = 0

    def end(self, opened_at: float, now: float) -> None:
        """Note the end of a link: one that had lasted starts the backoff over."""
        if now - opened_at >= STABLE_SECONDS:
            self._failures = self._failures_on_path = 0
        self.fail()

    def delay_seconds(self, now: float) -> float:
        """Return how long to wait before the next attempt.

        The first attempt at a standby after the primary failed does not wait:
        it is another server.
        """
        if not self._failures:
            return 0.0
        is_fresh_start = self.path is Path.STANDBY and not self._failures_on_path
        backoff = (
            0.0 if is_fresh_start else backoff_seconds(self._failures, self._chance())
        )
        return max(backoff, self.gap_left_seconds(now))

    def gap_left_seconds(self, now: float) -> float:
        """Return how much of the least gap at the present address is left."""
        attempted_at = self._attempted_at.get(self.path)
        if attempted_at is None:
            return 0.0
        return max(0.0, self._gap_seconds - (now - attempted_at))
