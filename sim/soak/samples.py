"""What a process holds, how that changes, and whether it is a leak."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
import gc
import math
import os
from pathlib import Path
import tracemalloc
from types import MappingProxyType
from typing import Final

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


def rss_bytes(process: int | str = "self") -> int:
    """Return the resident memory of a process."""
    fields = Path(f"/proc/{process}/statm").read_text().split()
    return int(fields[1]) * _PAGE_BYTES


def open_files(process: int | str = "self") -> int:
    """Return the number of a process's file descriptors."""
    return sum(1 for _ in Path(f"/proc/{process}/fd").iterdir())


def threads(process: int | str = "self") -> int:
    """Return the number of a process's threads."""
    return sum(1 for _ in Path(f"/proc/{process}/task").iterdir())


def traced_bytes() -> int:
    """Return what Python itself has allocated, once tracing has begun."""
    return tracemalloc.get_traced_memory()[0]


def objects() -> int:
    """Return the number of objects that the garbage collector knows."""
    return len(gc.get_objects())


MIB: Final = 2**20

type Gauges = Mapping[str, Callable[[], float]]
"""What to measure, by name; every name has an allowance."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a quantity may grow by over the second half: a share, and a number."""

    share: float
    least: float


ALLOWED: Final[Mapping[str, Allowance]] = MappingProxyType(
    {
        "memory (RSS), MiB": Allowance(0.02, 1.0),
        "memory (traced), MiB": Allowance(0.02, 0.5),
        "objects": Allowance(0.01, 1000),
        "tasks": Allowance(0.02, 3),
        "timers": Allowance(0.03, 6),
        "file descriptors": Allowance(0.01, 2),
        "threads": Allowance(0.02, 2),
    }
)
"""Far below one object per reconnect, of which a day has more than 63,000."""

NOISE: Final = 3.0
"""A growth of so many standard errors may be chance."""


@dataclass(frozen=True, slots=True)
class Trend:
    """One quantity over a run.

    `mean` and `growth` are those of the second half, the latter what the line
    of least squares rises by, `noise` what it might by chance.
    """

    name: str
    first: float
    last: float
    mean: float
    growth: float
    noise: float
    per_hour: float
    allowed: float

    @property
    def is_leak(self) -> bool:
        """Tell whether it grows by more than noise explains."""
        return self.growth > self.allowed + self.noise


class Samples:
    """Figures taken from time to time; `gauges` return one each, by name."""

    def __init__(self, gauges: Gauges) -> None:
        """Start without samples."""
        self._gauges = gauges
        self._times: list[float] = []
        self._values: dict[str, list[float]] = {name: [] for name in gauges}

    def __len__(self) -> int:
        """Return how many samples there are."""
        return len(self._times)

    def take(self, at_seconds: float) -> None:
        """Take a sample of everything."""
        gc.collect()
        self._times.append(at_seconds)
        for name, gauge in self._gauges.items():
            self._values[name].append(gauge())

    def trends(self) -> list[Trend]:
        """Return how every quantity went; needs six samples at least."""
        return [self._trend(name) for name in self._gauges]

    def _trend(self, name: str) -> Trend:
        values, half = self._values[name], len(self._times) // 2
        times = self._times[half:]
        late = values[half:]
        slope, error = slope_of(times, late)
        lasted = times[-1] - times[0]
        mean = sum(late) / len(late)
        allowance = ALLOWED[name]
        return Trend(
            name,
            first=values[0],
            last=values[-1],
            mean=mean,
            growth=slope * lasted,
            noise=NOISE * error * lasted,
            per_hour=slope * 3600,
            allowed=max(allowance.share * mean, allowance.least),
        )


def slope_of(times: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Return slope and standard error of the least squares line; three points or more."""
    mean_time = sum(times) / len(times)
    mean_value = sum(values) / len(values)
    spread = sum((time - mean_time) ** 2 for time in times)
    points = tuple(zip(times, values, strict=True))
    slope = sum((t - mean_time) * (v - mean_value) for t, v in points) / spread
    missed = sum((v - mean_value - slope * (t - mean_time)) ** 2 for t, v in points)
    return slope, math.sqrt(missed / (len(points) - 2) / spread)
