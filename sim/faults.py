"""What can be wrong with a simulated ESP32, as one table.

A fault is a row: a sentence, at most one parameter, and the `Effects` it has.
The node obeys the combined effects of its active faults and knows no fault by
name, so a new fault is a new row, or one more field of `Effects`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final

from .errors import SimError


class Fault(StrEnum):
    """The name of a fault, as the command line takes it."""

    REFUSE = "refuse"
    RESET = "reset"
    HALF_OPEN = "half_open"
    SILENT = "silent"
    SLOW_HANDSHAKE = "slow_handshake"
    FULL_SLOTS = "full_slots"
    WRONG_PONG = "wrong_pong"
    NO_PONG = "no_pong"
    REBOOT = "reboot"
    POWER_LOSS = "power_loss"
    FLOOD = "flood"
    LATENCY = "latency"
    BAD_UTF8 = "bad_utf8"


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
    """What the active faults together do to a node.

    `resets_sockets` acts once, when the fault begins; `reboots` acts when it
    ends. `frozen` means that nothing is read or written, while the operating
    system keeps the sockets. `frames_per_second` is 0 when not forced.
    """

    listens: bool = True
    accept: Accept = Accept.SERVE
    resets_sockets: bool = False
    frozen: bool = False
    sends_frames: bool = True
    pong: Pong = Pong.ECHO
    handshake_delay_seconds: float = 0.0
    latency_seconds: float = 0.0
    frames_per_second: float = 0.0
    reboots: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """The number a fault takes: its name with unit, default and allowed range."""

    name: str
    default: float
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One row of the table.

    `effects` gets the parameter's value. `default_seconds` is how long the
    fault lasts when nobody says; None means until healed. A fault with
    `spoil` happens to one frame and is over.
    """

    what: str
    effects: Callable[[float], Effects] = lambda _value: Effects()
    parameter: Parameter | None = None
    default_seconds: float | None = None
    spoil: Callable[[bytes], bytes] | None = None

    def value(self, given: float | None) -> float:
        """Return the parameter to use, or raise `SimError` when out of range."""
        if (parameter := self.parameter) is None:
            if given is not None:
                raise SimError(f"value {given:g}: this fault takes no value")
            return 0.0
        value = parameter.default if given is None else given
        if not parameter.minimum <= value <= parameter.maximum:
            raise SimError(
                f"{parameter.name} {value:g}: must be "
                f"{parameter.minimum:g}-{parameter.maximum:g}"
            )
        return value


def _with_bad_utf8(message: bytes) -> bytes:
    """Return the message with a confirmation as one raw byte, which is not UTF-8."""
    return message.replace(b"<STX>", b"<STX>$\x85<STX>", 1)


FAULTS: Final[Mapping[Fault, FaultKind]] = MappingProxyType(
    {
        Fault.REFUSE: FaultKind(
            "nothing listens, open sockets are reset",
            lambda _: Effects(listens=False, resets_sockets=True),
        ),
        Fault.RESET: FaultKind(
            "every connection is answered with a TCP reset",
            lambda _: Effects(accept=Accept.RESET, resets_sockets=True),
        ),
        Fault.HALF_OPEN: FaultKind(
            "keeps all sockets, but reads and writes nothing any more",
            lambda _: Effects(frozen=True),
        ),
        Fault.SILENT: FaultKind(
            "accepts and answers pings, but sends no frame",
            lambda _: Effects(sends_frames=False),
        ),
        Fault.SLOW_HANDSHAKE: FaultKind(
            "answers the WebSocket handshake late",
            lambda value: Effects(handshake_delay_seconds=value),
            Parameter("delay_seconds", 3.0, 0.0, 120.0),
        ),
        Fault.FULL_SLOTS: FaultKind(
            "drops every new connection, as with all client slots taken",
            lambda _: Effects(accept=Accept.DROP),
        ),
        Fault.WRONG_PONG: FaultKind(
            "answers pings with another payload",
            lambda _: Effects(pong=Pong.WRONG),
        ),
        Fault.NO_PONG: FaultKind(
            "does not answer pings",
            lambda _: Effects(pong=Pong.NONE),
        ),
        Fault.REBOOT: FaultKind(
            "resets all sockets, is away for a while, counts its uptime from 0",
            lambda _: Effects(listens=False, resets_sockets=True, reboots=True),
            default_seconds=5.0,
        ),
        Fault.POWER_LOSS: FaultKind(
            "falls silent without a farewell; back with uptime 0 and resets",
            lambda _: Effects(listens=False, frozen=True, reboots=True),
            default_seconds=10.0,
        ),
        Fault.FLOOD: FaultKind(
            "sends far too many frames",
            lambda value: Effects(frames_per_second=value),
            Parameter("frames_per_second", 200.0, 1.0, 10_000.0),
        ),
        Fault.LATENCY: FaultKind(
            "everything it sends arrives late",
            lambda value: Effects(latency_seconds=value),
            Parameter("latency_seconds", 0.5, 0.0, 60.0),
        ),
        Fault.BAD_UTF8: FaultKind(
            "sends one frame that is not UTF-8",
            spoil=_with_bad_utf8,
        ),
    }
)


def combine(effects: Iterable[Effects]) -> Effects:
    """Return the worst of all effects, field by field."""
    every = tuple(effects)
    if not every:
        return Effects()
    return Effects(
        listens=all(one.listens for one in every),
        accept=max(one.accept for one in every),
        resets_sockets=any(one.resets_sockets for one in every),
        frozen=any(one.frozen for one in every),
        sends_frames=all(one.sends_frames for one in every),
        pong=max(one.pong for one in every),
        handshake_delay_seconds=max(one.handshake_delay_seconds for one in every),
        latency_seconds=max(one.latency_seconds for one in every),
        frames_per_second=max(one.frames_per_second for one in every),
        reboots=any(one.reboots for one in every),
    )
