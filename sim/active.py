"""Which faults a node has now, and when each of them ends by itself."""

import asyncio
from collections.abc import Callable
from typing import Final

from .effects import NOTHING, Effects, combine
from .errors import SimError
from .faults import FAULTS, Fault

LONGEST_SECONDS: Final = 86_400.0


class ActiveFaults:
    """The faults of one node; `on_end` is called with one whose time is over."""

    def __init__(self, on_end: Callable[[Fault], None]) -> None:
        """Start in order."""
        self._on_end = on_end
        self._faults: dict[Fault, Effects] = {}
        self._endings: dict[Fault, asyncio.TimerHandle] = {}
        self.effects = NOTHING

    @property
    def names(self) -> tuple[Fault, ...]:
        """The faults that are active now, oldest first."""
        return tuple(self._faults)

    def begin(self, fault: Fault, effects: Effects, seconds: float | None) -> None:
        """Begin a fault, or begin it anew; without a time it lasts until ended."""
        self._forget_ending(fault)
        self._faults[fault] = effects
        self.effects = combine(self._faults.values())
        if seconds is not None:
            loop = asyncio.get_running_loop()
            self._endings[fault] = loop.call_later(seconds, self._on_end, fault)

    def end(self, fault: Fault | None) -> Effects:
        """End one fault, or all of them; return what ended."""
        ending = tuple(self._faults) if fault is None else (fault,)
        ended: list[Effects] = []
        for one in ending:
            self._forget_ending(one)
            if (effects := self._faults.pop(one, None)) is not None:
                ended.append(effects)
        self.effects = combine(self._faults.values())
        return combine(ended)

    def stop(self) -> None:
        """End nothing by itself any more."""
        for fault in tuple(self._endings):
            self._forget_ending(fault)

    def _forget_ending(self, fault: Fault) -> None:
        """Forget the timer that would have ended a fault."""
        if (timer := self._endings.pop(fault, None)) is not None:
            timer.cancel()


def duration(fault: Fault, given: float | None) -> float | None:
    """Return for how many seconds a fault lasts; None until it is ended.

    Raises:
        SimError: the time is out of range.

    """
    lasts = FAULTS[fault].default_seconds if given is None else given
    if lasts is not None and not 0 < lasts <= LONGEST_SECONDS:
        raise SimError(f"for {lasts:g} s: must be more than 0, at most 86400")
    return lasts
