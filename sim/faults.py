"""What can be wrong with a simulated ESP32, as one table.

A fault is a row: a sentence for people, at most one parameter, and the
`Effects` it has. The node obeys the combined effects of its active faults and
knows no fault by name, so a new fault is a new row, or one more field of
`Effects`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from .effects import Accept, Effects, Pong
from .errors import SimError
from .spoil import garbage, nested, padded_to, truncated_to, with_bad_utf8

UPTIME_WRAP_MS: Final = 2**32
"""`millis()` of the ESP32 starts over after 49.7 days."""

OLD_FRAMES_KEPT: Final = 30


class Fault(StrEnum):
    """The name of a fault, as the command line takes it."""

    # Nobody gets in.
    REFUSE = "refuse"
    RESET = "reset"
    ACCEPT_ONLY = "accept_only"
    SLOW_HANDSHAKE = "slow_handshake"
    HTTP_STATUS = "http_status"
    FULL_SLOTS = "full_slots"
    # The link dies, loudly or in silence.
    CLOSE = "close"
    HALF_OPEN = "half_open"
    SILENT = "silent"
    WRONG_PONG = "wrong_pong"
    NO_PONG = "no_pong"
    PING_FLOOD = "ping_flood"
    # The ESP32 itself.
    REBOOT = "reboot"
    REBOOT_LOOP = "reboot_loop"
    POWER_LOSS = "power_loss"
    BROWNOUT = "brownout"
    CLOCK_WRAP = "clock_wrap"
    # A bad network.
    LATENCY = "latency"
    JITTER = "jitter"
    SLOW_SENDER = "slow_sender"
    SLICED = "sliced"
    FRAGMENTED = "fragmented"
    # Bad messages.
    BAD_UTF8 = "bad_utf8"
    OVERSIZED = "oversized"
    TRUNCATED = "truncated"
    DEEP_JSON = "deep_json"
    BINARY = "binary"
    GARBAGE = "garbage"
    FLOOD = "flood"
    # Good messages that say the wrong thing.
    OLD_FRAMES = "old_frames"
    DUPLICATE_ADDRESS = "duplicate_address"
    SWAPPED = "swapped"
    MODULE_FLAP = "module_flap"
    CHATTER = "chatter"


@dataclass(frozen=True, slots=True)
class Parameter:
    """The number a fault takes: its name, unit, default and allowed range."""

    name: str
    unit: str
    default: float
    minimum: float
    maximum: float
    whole: bool = False

    @property
    def text(self) -> str:
        """The default and the range, for a list."""
        return f"{self.default:g} {self.unit} ({self.minimum:g}-{self.maximum:g})"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One row of the table.

    `effects` gets the parameter's value. `default_seconds` is how long the
    fault lasts when nobody says; None means until healed. What happens `once`
    strikes one frame or one moment, unless a time is given.
    """

    what: str
    effects: Callable[[float], Effects]
    parameter: Parameter | None = None
    default_seconds: float | None = None
    once: bool = False

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
        if parameter.whole and not value.is_integer():
            raise SimError(f"{parameter.name} {value:g}: must be a whole number")
        return value


FAULTS: Final[Mapping[Fault, FaultKind]] = MappingProxyType(
    {
        Fault.REFUSE: FaultKind(
            "unplugged: nothing listens, open sockets are reset",
            lambda _: Effects(listens=False, resets_sockets=True),
        ),
        Fault.RESET: FaultKind(
            "its server has crashed: every connection is answered with a TCP reset",
            lambda _: Effects(accept=Accept.RESET, resets_sockets=True),
        ),
        Fault.ACCEPT_ONLY: FaultKind(
            "its server hangs: accepts connections and then never says a word",
            lambda _: Effects(answers_handshake=False, resets_sockets=True),
        ),
        Fault.SLOW_HANDSHAKE: FaultKind(
            "weak WiFi or a busy ESP32: answers the WebSocket handshake late",
            lambda value: Effects(handshake_delay_seconds=value),
            Parameter("delay_seconds", "s", 3.0, 0.0, 120.0),
        ),
        Fault.HTTP_STATUS: FaultKind(
            "a web server where the panel should be: answers the handshake with "
            "this status (301: sends elsewhere)",
            lambda value: Effects(http_status=int(value), resets_sockets=True),
            Parameter("status", "HTTP", 503, 200, 599, whole=True),
        ),
        Fault.FULL_SLOTS: FaultKind(
            "five other apps are connected: every new connection is dropped",
            lambda _: Effects(accept=Accept.DROP),
        ),
        Fault.CLOSE: FaultKind(
            "says goodbye to its clients with this WebSocket close code",
            lambda value: Effects(close_code=int(value)),
            Parameter("code", "RFC 6455", 1001, 1000, 1012, whole=True),
            once=True,
        ),
        Fault.HALF_OPEN: FaultKind(
            "cable or access point gone: keeps all sockets, but reads and writes "
            "nothing any more",
            lambda _: Effects(frozen=True),
        ),
        Fault.SILENT: FaultKind(
            "the panel does not talk to it: answers pings, but sends no frame",
            lambda _: Effects(sends_frames=False),
        ),
        Fault.WRONG_PONG: FaultKind(
            "odd firmware: answers pings with another payload",
            lambda _: Effects(pong=Pong.WRONG),
        ),
        Fault.NO_PONG: FaultKind(
            "old firmware: does not answer pings",
            lambda _: Effects(pong=Pong.NONE),
        ),
        Fault.PING_FLOOD: FaultKind(
            "mad firmware: sends far too many pings",
            lambda value: Effects(pings_per_second=value),
            Parameter("pings_per_second", "pings/s", 200.0, 1.0, 5000.0),
        ),
        Fault.REBOOT: FaultKind(
            "resets all sockets, is away for a while, counts its uptime from 0",
            lambda _: Effects(listens=False, resets_sockets=True, reboots=True),
            default_seconds=5.0,
        ),
        Fault.REBOOT_LOOP: FaultKind(
            "boots again and again, this often",
            lambda value: Effects(reboot_every_seconds=value),
            Parameter("every_seconds", "s", 10.0, 0.2, 3600.0),
        ),
        Fault.POWER_LOSS: FaultKind(
            "falls silent without a farewell; back with uptime 0 and resets",
            lambda _: Effects(listens=False, frozen=True, reboots=True),
            default_seconds=10.0,
        ),
        Fault.BROWNOUT: FaultKind(
            "its voltage sinks: stops in the middle of a frame, hangs, then boots",
            lambda _: Effects(cuts_frame=True, frozen=True, reboots=True),
            default_seconds=3.0,
        ),
        Fault.CLOCK_WRAP: FaultKind(
            "its uptime starts over after 49.7 days; this long from now",
            lambda value: Effects(uptime_ms=UPTIME_WRAP_MS - int(value * 1000)),
            Parameter("ahead_seconds", "s", 10.0, 0.001, 3600.0),
            once=True,
        ),
        Fault.LATENCY: FaultKind(
            "a long way: everything it sends arrives late",
            lambda value: Effects(latency_seconds=value),
            Parameter("latency_seconds", "s", 0.5, 0.0, 60.0),
        ),
        Fault.JITTER: FaultKind(
            "an uneven way: everything it sends is late by up to so much, at random",
            lambda value: Effects(jitter_seconds=value),
            Parameter("jitter_seconds", "s", 1.0, 0.0, 60.0),
        ),
        Fault.SLOW_SENDER: FaultKind(
            "very weak WiFi: so few bytes a second; frames are left out meanwhile",
            lambda value: Effects(bytes_per_second=value),
            Parameter("bytes_per_second", "bytes/s", 100.0, 10.0, 100_000.0),
        ),
        Fault.SLICED: FaultKind(
            "cuts all it sends into TCP segments of so many bytes",
            lambda value: Effects(slice_bytes=int(value)),
            Parameter("slice_bytes", "bytes", 7, 1, 1000, whole=True),
        ),
        Fault.FRAGMENTED: FaultKind(
            "sends messages in WebSocket fragments of so many bytes, pings in between",
            lambda value: Effects(fragment_bytes=int(value)),
            Parameter("fragment_bytes", "bytes", 16, 1, 1000, whole=True),
        ),
        Fault.BAD_UTF8: FaultKind(
            "a raw byte in the text: a frame that is not UTF-8",
            lambda _: Effects(spoil=with_bad_utf8),
            once=True,
        ),
        Fault.OVERSIZED: FaultKind(
            "a frame that is far too long",
            lambda value: Effects(spoil=padded_to(value)),
            Parameter("size_kib", "KiB", 100, 1, 1024, whole=True),
            once=True,
        ),
        Fault.TRUNCATED: FaultKind(
            "a frame of which only so much of the panel's text arrives",
            lambda value: Effects(spoil=truncated_to(value)),
            Parameter("kept_percent", "%", 20.0, 0.0, 100.0),
            once=True,
        ),
        Fault.DEEP_JSON: FaultKind(
            "hostile JSON: so many lists in one another",
            lambda value: Effects(spoil=nested(value)),
            Parameter("levels", "levels", 5000, 1, 30_000, whole=True),
            once=True,
        ),
        Fault.BINARY: FaultKind(
            "sends its frames as binary messages",
            lambda _: Effects(binary=True),
        ),
        Fault.GARBAGE: FaultKind(
            "noise: random bytes instead of a frame",
            lambda _: Effects(spoil=garbage, binary=True),
            once=True,
        ),
        Fault.FLOOD: FaultKind(
            "sends far too many frames",
            lambda value: Effects(frames_per_second=value),
            Parameter("frames_per_second", "frames/s", 200.0, 1.0, 10_000.0),
        ),
        Fault.OLD_FRAMES: FaultKind(
            "a late buffer: after each reconnect first sends so many frames from before",
            lambda value: Effects(old_frames=int(value), resets_sockets=True),
            Parameter("frames", "frames", 20, 1, OLD_FRAMES_KEPT, whole=True),
        ),
        Fault.DUPLICATE_ADDRESS: FaultKind(
            "the next node has the same address: they take turns, this long each",
            lambda value: Effects(
                takes_turns_every_seconds=value, resets_sockets=True, resets_after=True
            ),
            Parameter("turn_seconds", "s", 5.0, 0.1, 3600.0),
        ),
        Fault.SWAPPED: FaultKind(
            "another node was put on its address (0: the next one)",
            lambda value: Effects(
                speaks_for=int(value), resets_sockets=True, reboots=True
            ),
            Parameter("node", "node", 0, 0, 63, whole=True),
        ),
        Fault.MODULE_FLAP: FaultKind(
            "loose bus wire: its modules answer and do not, so many frames each",
            lambda value: Effects(module_flap_frames=int(value)),
            Parameter("frames", "frames", 3, 1, 1000, whole=True),
        ),
        Fault.CHATTER: FaultKind(
            "bouncing contact: its first zone goes in and out of alarm, so many "
            "frames each",
            lambda value: Effects(chatter_frames=int(value)),
            Parameter("frames", "frames", 2, 1, 1000, whole=True),
        ),
    }
)
