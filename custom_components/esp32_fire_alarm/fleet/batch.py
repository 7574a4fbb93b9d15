"""Decoding many waiting messages in one go, fit for another thread.

A pure function over frozen values: it knows no clock, no truth and no node
but by number, so it may run in an executor while the loop goes on.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .frame import FrameError, FrameFault, decode
from .models import DeviceFrame, Led

JOB_BYTES: Final = 128 * 1024
"""Waiting messages of this size together are decoded by an executor job.

A job makes nothing faster: both threads share the interpreter, and the event
loop waits up to 5 ms (`sys.getswitchinterval`) until the other lets go. So a
job pays only where decoding takes longer than that. `python -m
benchmarks.aggregation`, longest time for which the loop was held up, ratio of
job to no job: 64 KiB (512 one-module or 63 63-module messages) 1.2 and 1.1,
121 KiB (1,024 and 128 messages) 0.8 and 1.1, 464 KiB (512 63-module messages)
0.4, 928 KiB 0.2. Below 8 KiB the hop alone takes as long as the work.
"""

JOB_SECONDS: Final = 1.0
"""An executor that has not answered by then is busy; the work is done here."""

MESSAGES_PER_TURN: Final = 256
"""About as many are merged in one turn of the event loop at most."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The waiting messages of one node by fingerprint, oldest first.

    `sequence` is the bundle's own number: what comes back under another than
    its inbox has now was overtaken and is thrown away.
    """

    node: int
    sequence: int
    messages: tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """What a bundle says, in the same order, and why some of it says nothing."""

    node: int
    sequence: int
    frames: tuple[tuple[bytes, DeviceFrame], ...]
    faults: tuple[FrameFault, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """Bundles being decoded elsewhere since `began_at` (monotonic seconds)."""

    bundles: list[Bundle]
    began_at: float


type JobRunner = Callable[
    [Callable[[list[Bundle]], list[Digest]], list[Bundle]],
    asyncio.Future[list[Digest]],
]
"""Runs a pure function elsewhere, as `hass.async_add_executor_job` does."""


def digest(bundle: Bundle) -> Digest:
    """Decode the messages of one node."""
    frames: list[tuple[bytes, DeviceFrame]] = []
    faults: list[FrameFault] = []
    for mark, raw in bundle.messages:
        try:
            frames.append((mark, decode(raw)))
        except FrameError as err:
            faults.append(err.reason)
    return Digest(bundle.node, bundle.sequence, tuple(frames), tuple(faults))


def digest_all(bundles: list[Bundle]) -> list[Digest]:
    """Decode the messages of many nodes; alarms first, then troubles, then the rest."""
    digests = list(map(digest, bundles))
    if len(digests) > 1:
        digests.sort(key=_urgency)
    return digests


def _urgency(one: Digest) -> int:
    """Return 0 for an alarm, 1 for a trouble, 2 for all else."""
    frames = [frame for _, frame in one.frames]
    states = [state for frame in frames for state in frame.modules.values()]
    if any(state.alarm for state in states):
        return 0
    has_trouble = any(state.trouble or not state.online for state in states)
    lamps = (frame.panel.lit for frame in frames if frame.panel is not None)
    return 1 if has_trouble or any(Led.TROUBLE in lit for lit in lamps) else 2
