"""Something that a node does again and again while a fault asks for it."""

import asyncio
from collections.abc import Callable


class Beat:
    """Calls back with a period that can be changed, or ended with 0."""

    def __init__(self, act: Callable[[], None]) -> None:
        """Prepare to call `act`."""
        self._act = act
        self._period = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def keep(self, period_seconds: float) -> None:
        """Call back this often from now on; the same period goes on undisturbed."""
        if period_seconds != self._period:
            self._period = period_seconds
            self._plan()

    def stop(self) -> None:
        """Call back no more."""
        self.keep(0)

    def _plan(self) -> None:
        """Plan the next call."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._period:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._period, self._strike)

    def _strike(self) -> None:
        """Call back; what that changes may change the period."""
        self._plan()
        self._act()
