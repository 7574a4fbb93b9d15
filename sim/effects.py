"""What a fault does to a node: one frozen record, and how several add up.

The node and its connections obey these fields and know no fault by name.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Final

type Spoil = Callable[[bytes], bytes]
"""Makes a damaged message of a good one."""


class Accept(IntEnum):
    """What becomes of a new TCP connection; the highest wins."""

    SERVE = 0
    DROP = 1
    RESET = 2


class Pong(IntEnum):
    """How a WebSocket ping is answered; the highest wins."""

    ECHO = 0
    WRONG = 1
    NONE = 2


@dataclass(frozen=True, slots=True)
class Effects:
    """What the active faults together do to a node; the defaults are a sound one.

    Once, when the fault begins: `resets_sockets`, `cuts_frame` (half a frame
    goes out), `close_code` (which new connections get too), `uptime_ms` (what
    the clock jumps to). Once, when it ends: `reboots`, `resets_after`.
    `frozen` means that nothing is read or written, while the operating system
    keeps the sockets. Times ending in `_every_seconds` are periods.
    """

    # Connecting.
    listens: bool = True
    accept: Accept = Accept.SERVE
    answers_handshake: bool = True
    handshake_delay_seconds: float = 0.0
    http_status: int = 0
    close_code: int = 0

    # Life and death.
    resets_sockets: bool = False
    resets_after: bool = False
    frozen: bool = False
    cuts_frame: bool = False
    reboots: bool = False
    reboot_every_seconds: float = 0.0
    uptime_ms: int | None = None

    # Frames and the way they leave.
    sends_frames: bool = True
    frames_per_second: float = 0.0
    latency_seconds: float = 0.0
    jitter_seconds: float = 0.0
    bytes_per_second: float = 0.0
    slice_bytes: int = 0
    fragment_bytes: int = 0
    spoil: Spoil | None = None
    binary: bool = False
    old_frames: int = 0

    # Control frames.
    pong: Pong = Pong.ECHO
    pings_per_second: float = 0.0

    # What it says: `speaks_for` is the node that answers in its place,
    # `takes_turns_every_seconds` how often the next node does, and the flapping
    # is in frames between two changes.
    speaks_for: int | None = None
    takes_turns_every_seconds: float = 0.0
    module_flap_frames: int = 0
    chatter_frames: int = 0


NOTHING: Final = Effects()

_LEAST_IS_WORST: Final = frozenset(
    {
        "reboot_every_seconds",
        "bytes_per_second",
        "slice_bytes",
        "fragment_bytes",
        "takes_turns_every_seconds",
        "module_flap_frames",
        "chatter_frames",
    }
)


def combine(effects: Iterable[Effects]) -> Effects:
    """Return the worst of all effects, field by field; where none is, the last one."""
    every = tuple(effects)
    return Effects(
        **{
            one.name: _worst(one.name, [getattr(effect, one.name) for effect in every])
            for one in fields(Effects)
        }
    )


def _worst(name: str, values: list[Any]) -> Any:
    """Return what several values of one field add up to."""
    sound = getattr(NOTHING, name)
    given = [value for value in values if value != sound]
    if not given:
        return sound
    if sound is None:
        return given[-1]
    # Of a yes or no the one that is not sound is all there is.
    return min(given) if name in _LEAST_IS_WORST else max(given)
