"""Millions of hostile inputs for everything that reads what others wrote."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import time
from typing import Any, Protocol

from .frames import FrameFuzz
from .scenarios import ScenarioFuzz
from .texts import AddressFuzz, SheetFuzz


class Target(Protocol):
    """Something that reads, with what must hold for whatever it reads."""

    name: str

    def make(self) -> Any:
        """Return another input."""

    def check(self, made: Any, /) -> None:
        """Raise when something that must hold does not."""


TARGETS: Mapping[str, Callable[[int], Target]] = {
    target.name: target for target in (FrameFuzz, AddressFuzz, SheetFuzz, ScenarioFuzz)
}


@dataclass
class Result:
    """How many inputs were tried, the slowest of them, and what was found."""

    examples: int = 0
    slowest_seconds: float = 0.0
    slowest: Any = None
    failing: Any = None
    failure: str | None = None


def run(name: str, seed: int, *, examples: int, seconds: float | None = None) -> Result:
    """Try so many inputs, or for so long; end at the first that breaks a rule."""
    target = TARGETS[name](seed)
    result = Result()
    ends_at = None if seconds is None else time.monotonic() + seconds
    while result.examples < examples:
        made = target.make()
        start = time.process_time()
        try:
            target.check(made)
        except Exception as err:  # noqa: BLE001 - whatever it is, it was found
            result.failing, result.failure = made, f"{type(err).__name__}: {err}"
            return result
        took = time.process_time() - start
        result.examples += 1
        if took > result.slowest_seconds:
            result.slowest_seconds, result.slowest = took, made
        if ends_at is not None and time.monotonic() > ends_at:
            break
    return result
