"""From what a panel shows to the bytes of one WebSocket message.

The captured dialect is byte for byte that of the one real capture. Nothing
of the integration's decoder is used here.
"""

from enum import StrEnum
from typing import Final

from .panel import ModulePicture, Picture

_STX: Final = "<STX>"
_ETX: Final = "<ETX>"
_RAW_STX: Final = "\x02"
_ESCAPED_STX: Final = "\\u0002"


class Dialect(StrEnum):
    """How the same cycle is spelled on the wire."""

    CAPTURED = "captured"
    """The real capture: blanks, a raw byte 0x02 behind each marker, a suffix."""

    COMPACT = "compact"
    """A test server: no blanks, no raw byte, a checksum in an 8-character prefix."""

    ESCAPED = "escaped"
    """As captured, but valid JSON: `\\u0002` instead of the raw byte."""

    LEGACY = "legacy"
    """Older firmware: bare markers and an end marker, no suffix."""


def encode_data(picture: Picture, uptime_ms: int, dialect: Dialect) -> str:
    """Return the `data` text of one cycle, as it stands between the JSON quotes."""
    prefix = f"{picture.header:02X}{picture.status:02X}"
    segments = [text for module in picture.modules for text in _segments(module)]
    if dialect is Dialect.COMPACT:
        body = "".join(_STX + segment for segment in segments)
        return f"{prefix}{sum(body.encode()) & 0xFFFF:04X}{body}"
    if dialect is Dialect.LEGACY:
        return prefix + "".join(_STX + segment for segment in segments) + _ETX
    mark = _STX + (_ESCAPED_STX if dialect is Dialect.ESCAPED else _RAW_STX)
    cycle = " ".join([prefix, *(mark + segment for segment in segments), _STX + _ETX])
    return f"{cycle}|FB:SKIP|TS:{uptime_ms}|MODE:Offline"


def encode_message(
    picture: Picture,
    *,
    uptime_ms: int,
    clients: int,
    free_heap: int,
    dialect: Dialect = Dialect.CAPTURED,
) -> bytes:
    """Return one whole message: the JSON envelope with the cycle in it.

    `uptime_ms` is 0 to 2**32 - 1, `free_heap` is in bytes.
    """
    data = encode_data(picture, uptime_ms, dialect)
    return (
        f'{{"timestamp":{uptime_ms},"data":"{data}",'
        f'"clients":{clients},"freeHeap":{free_heap}}}'
    ).encode()


def _segments(module: ModulePicture) -> list[str]:
    """Return the segment of a module and that of its bell confirmation, if any."""
    if not module.online:
        return [f"{module.address:02d}"]
    segment = f"{module.address:02d}{module.trouble:02X}{module.alarm:02X}"
    return [segment, module.confirmation] if module.confirmation else [segment]
