"""One WebSocket message of one ESP32: from bytes to meaning.

Pure functions, no I/O, no clock, no state but a bounded cache. Whatever does
not fit the grammar (PROTOCOL 0 and 2) is counted as malformed and left out; it
is never guessed into an alarm or an all-clear. `decode` raises nothing but
`FrameError`.
"""

from enum import StrEnum
from functools import lru_cache
import json
import re
from typing import Final

from .models import (
    MODULES_PER_SITE,
    DeviceFrame,
    Led,
    ModuleState,
    PanelStatus,
    suffix_fields,
)
from .plain import plain

MAX_FRAME_BYTES: Final = 64 * 1024
"""Longest message looked at. A real 63-module frame is about 850 bytes."""

LED_BITS: Final[tuple[tuple[int, Led], ...]] = (
    (0x01, Led.DISABLED),
    (0x02, Led.SILENCED),
    (0x04, Led.DRILL),
    (0x08, Led.TROUBLE),
    (0x10, Led.ALARM),
    (0x20, Led.DC),
    (0x40, Led.AC),
    (0x80, Led.BACKLIGHT),
)
"""Master status byte, active low: a bit at 0 means that the LED is lit (PROTOCOL 2.4)."""

ZONE_BITS: Final = 0x1F
"""Zones 1-5 of a module in both the trouble and the alarm byte (PROTOCOL 2.5)."""

BELL_BIT: Final = 0x20
"""Bell commanded, in the alarm byte."""

TROUBLE_BIT5: Final = 0x20
"""Undocumented bit of the trouble byte; probably the module's bell circuit."""

SEPARATOR: Final = "<STX>"
# As captured a marker and a byte stand together: one separator, so it comes first.
_SPELLINGS_OF_SEPARATOR: Final = ("<STX>\x02", "\x02", "\x03", "<STST>", "<ETX>")
_CONTROL_BYTES: Final = bytes(set(range(32)) - {2, 3}) + b"\x7f"
_CONTROL_CHARACTERS: Final = dict.fromkeys((*range(32), 127))

_NON_ZONE_TYPES: Final = frozenset(
    {
        "esp_command",
        "control_signal",
        "bell_confirmation",
        "system_status",
        "connection_status",
        "acknowledgment",
    }
)
_NON_ZONE_COMMANDS: Final = frozenset("rdsa")

_MASTER: Final = re.compile(r"([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})(.*)", re.DOTALL)
_CHECKSUM: Final = re.compile(r"[0-9A-Fa-f]{4}")
_SEGMENT_LENGTHS: Final = (2, 6)
_MASTER_KEY_LENGTH: Final = 9
"""Master word, checksum and one more character, which tells that it is none."""
_CONFIRMATIONS: Final = frozenset({"$84", "$85"})
_SALVAGE: Final = re.compile(r'"data"\s*:\s*"((?:[^"\\]|\\.)*)("?)', re.DOTALL)
_CUT_MARKER: Final = re.compile(r"<[SETX]{0,3}$")

_JSON: Final = json.JSONDecoder(strict=False)
_MAX_NUMBER: Final = 2**53


class FrameFault(StrEnum):
    """Why a message says nothing about zones."""

    EMPTY = "empty"
    NOT_PANEL_DATA = "not_panel_data"
    MALFORMED = "malformed"
    OVERSIZED = "oversized"


class FrameError(Exception):
    """A message that carries no zone data; `reason` says which kind it is."""

    def __init__(self, reason: FrameFault, text: str) -> None:
        """Keep the reason for counters and the text for people."""
        super().__init__(plain(text))
        self.reason = reason


def decode(raw: bytes) -> DeviceFrame:
    """Return the meaning of one WebSocket message, text or binary, as it came.

    Raises:
        FrameError: the message is empty, too long (over 64 KiB), no zone data,
            or so damaged that neither a master word nor any module is readable.

    """
    if len(raw) > MAX_FRAME_BYTES:
        raise FrameError(
            FrameFault.OVERSIZED, f"{len(raw)} bytes, limit {MAX_FRAME_BYTES}"
        )
    text = _text_of(raw)
    if not text:
        raise FrameError(FrameFault.EMPTY, "empty message")
    envelope, data, is_cut = _open_envelope(text)
    cycle, bar, suffix = data.partition("|")
    if is_cut:
        # A number at the very end may have lost its last digits.
        suffix = ""
    panel, modules, confirmations, malformed = _parse_cycle(
        cycle, is_cut=is_cut and not bar
    )
    uptime = _number(envelope.get("timestamp"))
    if uptime is None and "TS" in suffix:
        uptime = _uptime_of(suffix)
    return DeviceFrame(
        panel=panel,
        modules=modules,
        confirmations=confirmations,
        malformed=malformed,
        uptime_ms=uptime,
        clients=_number(envelope.get("clients")),
        free_heap=_number(envelope.get("freeHeap")),
        suffix=suffix,
    )


def _text_of(raw: bytes) -> str:
    """Return the message as text without stray control bytes.

    The confirmation may travel as `$` and one raw byte 0x85, which is not
    UTF-8 (PROTOCOL 2.2); any other bad byte becomes a replacement character
    and costs its segment only.
    """
    tidy = raw.translate(None, _CONTROL_BYTES)
    if not tidy.isascii():
        tidy = tidy.replace(b"$\x85", b"$85").replace(b"$\x84", b"$84")
    return tidy.decode("utf-8", "replace").strip()


def _open_envelope(text: str) -> tuple[dict[str, object], str, bool]:
    """Return the JSON object, its `data` string and whether that string was cut off.

    Text that is not JSON is its own data if it looks like panel data.
    """
    try:
        message, end = _JSON.raw_decode(text)
    except ValueError, RecursionError:
        end = -1
    if end != len(text):
        # No JSON, or more than that.
        if text[0] not in '{["':
            return {}, _panel_data(text), False
        return _salvage(text)
    if isinstance(message, str):
        return {}, _panel_data(message), False
    if not message and not isinstance(message, (int, float)):
        raise FrameError(FrameFault.EMPTY, f"empty message {text}")
    if not isinstance(message, dict):
        raise FrameError(FrameFault.NOT_PANEL_DATA, "JSON, but not an object")
    _refuse_other_kinds(message)
    data = message.get("data")
    if not isinstance(data, str):
        raise FrameError(FrameFault.NOT_PANEL_DATA, "no text under the key data")
    return message, _panel_data(data), False


def _refuse_other_kinds(message: dict[str, object]) -> None:
    """Raise for the known objects that are about something else than zones."""
    kind, command = message.get("type"), message.get("command")
    if "messageType" in message:
        # Only text is shown: what else a node nests takes long to be written out.
        other = message["messageType"]
        name = other if isinstance(other, str) else type(other).__name__
        raise FrameError(FrameFault.NOT_PANEL_DATA, f"messageType {name:.40}")
    if isinstance(kind, str) and kind in _NON_ZONE_TYPES:
        raise FrameError(FrameFault.NOT_PANEL_DATA, f"type {kind}")
    if isinstance(command, str) and command in _NON_ZONE_COMMANDS:
        raise FrameError(FrameFault.NOT_PANEL_DATA, f"echo of command {command}")


def _salvage(text: str) -> tuple[dict[str, object], str, bool]:
    """Find the data string in JSON that does not parse, whole or cut off."""
    found = _SALVAGE.search(text)
    if found is None or '"messageType"' in text:
        raise FrameError(FrameFault.MALFORMED, "neither JSON nor panel data")
    data = found[1].replace("\\u0002", SEPARATOR).replace("\\u0003", SEPARATOR)
    return {}, _panel_data(data), not found[2]


def _panel_data(data: str) -> str:
    """Return `data` with every spelling of the separator made the same one.

    Raises:
        FrameError: the text is blank or has nothing of a panel cycle in it.

    """
    for spelling in _SPELLINGS_OF_SEPARATOR:
        data = data.replace(spelling, SEPARATOR)
    if not data.isprintable():
        data = data.translate(_CONTROL_CHARACTERS)
    if SEPARATOR in data:
        return data
    if not data.strip():
        raise FrameError(FrameFault.EMPTY, "empty data")
    return _with_separators(data)


def _with_separators(data: str) -> str:
    """Return a cycle in the oldest spelling, blanks for separators, in today's.

    Only a text that is nothing but a master word and well-formed segments is
    taken for one (PROTOCOL 2.8); all else is somebody's other message.
    """
    cycle, bar, suffix = data.partition("|")
    master, *segments = cycle.split() or [""]
    if (
        not segments
        or len(master) not in (4, 8)
        or not _MASTER.fullmatch(master)
        or not all(_split_segment(s) or s in _CONFIRMATIONS for s in segments)
    ):
        raise FrameError(FrameFault.NOT_PANEL_DATA, "no panel data in the text")
    return SEPARATOR.join((master, *segments)) + SEPARATOR + bar + suffix


def _uptime_of(suffix: str) -> int | None:
    """Return the uptime in ms that a suffix tells, if it does."""
    digits = suffix_fields(suffix).get("TS", "")
    is_number = digits.isascii() and digits.isdigit() and len(digits) < 16
    return int(digits) if is_number else None


def _number(value: object) -> int | None:
    """Return a JSON whole number that can be a counter, else None."""
    if type(value) is int and 0 <= value < _MAX_NUMBER:
        return value
    return None


def _parse_cycle(
    cycle: str, *, is_cut: bool
) -> tuple[
    PanelStatus | None, dict[int, ModuleState], tuple[tuple[int, str], ...], int
]:
    """Read one polling cycle: master word, then segments."""
    if is_cut:
        cycle = _drop_cut_end(cycle)
    prefix, *segments = cycle.split(SEPARATOR)
    panel = _read_master(prefix.strip()[:_MASTER_KEY_LENGTH])
    malformed = 0 if panel else 1
    modules: dict[int, ModuleState] = {}
    confirmations: list[tuple[int, str]] = []
    previous: int | None = None
    for segment in segments:
        segment = segment.strip()
        if not segment:
            continue
        # Looking at the length first keeps long rubbish out of the cache.
        read = _read_segment(segment) if len(segment) in _SEGMENT_LENGTHS else None
        if read is not None:
            previous, state = read
            if (earlier := modules.get(previous)) is not None and earlier != state:
                malformed += 1
                state = _worse_of(earlier, state)
            modules[previous] = state
        elif segment in _CONFIRMATIONS and previous is not None:
            confirmations.append((previous, segment))
        else:
            malformed += 1
            previous = None
    if panel is None and not modules:
        raise FrameError(FrameFault.MALFORMED, "no master word and no module readable")
    return panel, modules, tuple(confirmations), malformed


def _drop_cut_end(cycle: str) -> str:
    """Return a cut-off cycle without the segment that may have lost its end.

    A started marker or a full-length segment shows that nothing was lost.
    """
    if marker := _CUT_MARKER.search(cycle):
        return cycle[: marker.start()]
    head, separator, last = cycle.rpartition(SEPARATOR)
    if not separator:
        return ""
    return cycle if len(last.strip()) == 6 else head + separator + "?"


@lru_cache(maxsize=256)
def _read_master(prefix: str) -> PanelStatus | None:
    """Return the master word: status is characters 3-4, whatever follows."""
    if (word := _MASTER.fullmatch(prefix)) is None:
        return None
    status = int(word[2], 16)
    return PanelStatus(
        header=int(word[1], 16),
        status=status,
        lit=tuple(led for mask, led in LED_BITS if not status & mask),
        checksum=word[3].upper() if _CHECKSUM.fullmatch(word[3]) else None,
    )


def _split_segment(segment: str) -> tuple[int, bytes] | None:
    """Return the address (0-99) and two bytes or none, if it is all made of digits."""
    address, digits = segment[:2], segment[2:]
    if len(segment) not in _SEGMENT_LENGTHS or not (
        address.isascii() and address.isdigit()
    ):
        return None
    try:
        zones = bytes.fromhex(digits)
    except ValueError:
        return None
    # Blanks do not count as digits.
    return (int(address), zones) if 2 * len(zones) == len(digits) else None


@lru_cache(maxsize=4096)
def _read_segment(segment: str) -> tuple[int, ModuleState] | None:
    """Return address and state of a well-formed segment, else None.

    The cache is what makes a 63-module frame cheap: the same few hundred
    segments come again and again. It is bounded, whatever a device sends.
    """
    if (parts := _split_segment(segment)) is None:
        return None
    address, zones = parts
    if not 1 <= address <= MODULES_PER_SITE:
        return None
    if not zones:
        return address, ModuleState(online=False)
    trouble, alarm = zones
    return address, ModuleState(
        online=True,
        alarm=alarm & ZONE_BITS,
        trouble=trouble & ZONE_BITS,
        bell=bool(alarm & BELL_BIT),
        bit5=bool(trouble & TROUBLE_BIT5),
    )


def _worse_of(one: ModuleState, other: ModuleState) -> ModuleState:
    """Return what two contradicting segments of one address allow to say.

    Every alarm and trouble bit that was on the wire stays; without an alarm,
    one "offline" is enough to say nothing better.
    """
    alarm = one.alarm | other.alarm
    if not alarm and not (one.online and other.online):
        return ModuleState(online=False)
    return ModuleState(
        online=True,
        alarm=alarm,
        trouble=one.trouble | other.trouble,
        bell=one.bell or other.bell,
        bit5=one.bit5 or other.bit5,
    )
