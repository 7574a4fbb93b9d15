"""What the aggregator does, in numbers: rates, counts, batches, latency.

Counting costs an addition here and there; everything else is worked out when
somebody asks. All memory is bounded, whatever the nodes send.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import log2
from typing import Final

from .health import NodeRecord

RATE_SECONDS: Final = 10.0
"""Rates are averages over the last so many seconds."""

_SAMPLE_SECONDS: Final = 1.0

LATENCY_SECONDS: Final = 300.0
"""Latencies are those of the last so many seconds."""

_SLICE_SECONDS: Final = 10.0
_SLICES: Final = round(LATENCY_SECONDS / _SLICE_SECONDS)

_STEPS_PER_OCTAVE: Final = 8
_SHORTEST_SECONDS: Final = 1e-6
_OCTAVES: Final = 27
_BINS: Final = _OCTAVES * _STEPS_PER_OCTAVE + 1
"""Logarithmic bins from 1 us to 134 s, each 9 % wide: what is read is at most
4.5 % off."""


@dataclass(frozen=True, slots=True)
class SiteMetrics:
    """What a site's messages cost and how fast they are, at one moment.

    Rates are averages over 10 s, latencies those of the last 5 min in seconds,
    None if there were none: from a message's arrival at its link until every
    listener was told. All else counts since the start: `identical` repeated
    what was known, `decoded` had to be read, `malformed` could not be (whole
    messages or segments), `ignored` were about something else, `throttled`
    had to wait for their node's turn. `batches` are drains of waiting messages
    of which `jobs` ran in the executor; `inbox_depth` is what waits now.
    """

    frames_per_second: float
    bytes_per_second: float
    frames: int
    bytes: int
    identical: int
    decoded: int
    malformed: int
    ignored: int
    throttled: int
    batches: int
    batched: int
    largest_batch: int
    jobs: int
    inbox_depth: int
    latency_p50: float | None
    latency_p95: float | None
    latency_p99: float | None


class LatencyLog:
    """The distribution of a duration over the last five minutes.

    Thirty histograms of ten seconds each; adding is one logarithm.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._slices: deque[tuple[float, list[int]]] = deque(maxlen=_SLICES)

    def add(self, seconds: float, now: float) -> None:
        """Note one duration that ended `now` (monotonic seconds)."""
        if not self._slices or now - self._slices[-1][0] >= _SLICE_SECONDS:
            self._slices.append((now, [0] * _BINS))
        octaves = log2(max(seconds, _SHORTEST_SECONDS) / _SHORTEST_SECONDS)
        self._slices[-1][1][min(round(octaves * _STEPS_PER_OCTAVE), _BINS - 1)] += 1

    def percentiles(
        self, shares: Iterable[float], now: float
    ) -> Iterator[float | None]:
        """Yield, for each share (0-1), the duration not exceeded by so many."""
        recent = [bins for began, bins in self._slices if now - began < LATENCY_SECONDS]
        counts = [sum(column) for column in zip(*recent, strict=True)]
        total = sum(counts)
        for share in shares:
            seen = 0
            for place, count in enumerate(counts):
                seen += count
                if count and seen >= share * total:
                    yield _SHORTEST_SECONDS * 2 ** (place / _STEPS_PER_OCTAVE)
                    break
            else:
                yield None


class MetricsLog:
    """Counts what the aggregator does; the nodes' records count the rest."""

    def __init__(self, records: dict[int, NodeRecord]) -> None:
        """Read messages, bytes and refusals from `records`, by node."""
        self._records = records
        self._samples: deque[tuple[float, int, int]] = deque()
        self.latency = LatencyLog()
        self.decoded = 0
        self.batches = 0
        self.batched = 0
        self.largest_batch = 0
        self.jobs = 0

    def note_batch(self, messages: int) -> None:
        """Count a drain of so many waiting messages."""
        self.batches += 1
        self.batched += messages
        self.largest_batch = max(self.largest_batch, messages)

    def sample(self, now: float) -> None:
        """Note the totals, to be called many times in `RATE_SECONDS`."""
        if self._samples and now - self._samples[-1][0] < _SAMPLE_SECONDS:
            return
        self._samples.append((now, self._total("frames"), self._total("bytes")))
        while len(self._samples) > 1 and now - self._samples[1][0] >= RATE_SECONDS:
            self._samples.popleft()

    def snapshot(self, now: float, *, inbox_depth: int) -> SiteMetrics:
        """Return everything as it is now."""
        frames, volume = self._total("frames"), self._total("bytes")
        frame_rate = byte_rate = 0.0
        if self._samples and (elapsed := now - self._samples[0][0]) > 0:
            frame_rate = (frames - self._samples[0][1]) / elapsed
            byte_rate = (volume - self._samples[0][2]) / elapsed
        p50, p95, p99 = self.latency.percentiles((0.5, 0.95, 0.99), now)
        return SiteMetrics(
            frames_per_second=frame_rate,
            bytes_per_second=byte_rate,
            frames=frames,
            bytes=volume,
            identical=self._total("identical"),
            decoded=self.decoded,
            malformed=self._total("malformed"),
            ignored=self._total("ignored"),
            throttled=self._total("throttled"),
            batches=self.batches,
            batched=self.batched,
            largest_batch=self.largest_batch,
            jobs=self.jobs,
            inbox_depth=inbox_depth,
            latency_p50=p50,
            latency_p95=p95,
            latency_p99=p99,
        )

    def _total(self, counter: str) -> int:
        """Return the sum of one counter over all nodes."""
        return sum(getattr(record, counter) for record in self._records.values())
