"""What a message's bytes tell at a glance, before anybody decodes them.

Two questions, each answered without the decoder and always to the safe side:
does this message repeat what the last one said of zones, and could there be an
alarm in it? Where the bytes leave a doubt, the answer is "new" and "yes".
"""

from functools import lru_cache
import re
from typing import Final

MAX_CALM_BYTES: Final = 4096
"""Longest message that can be found calm; a 63-module frame has 850-2,400 bytes.
Only calm messages ever wait, so this bounds what waits."""

_MAX_ENVELOPE_BYTES: Final = 512
"""Longest envelope (all but the cycle) worth remembering the shape of."""

_KEY: Final = b'"data"'
_DATA: Final = b'"data":"'
_SPACED_DATA: Final = b'"data": "'
_DIGITS: Final = b"0123456789"

# The shape of an envelope: its digits are taken out. Keys that make the same
# data mean something else, and a second `data`, are in no known shape.
_VALUE: Final = rb'(?:-?\.?|true|false|null|"[\w .:/-]*")'
_PAIR: Final = rb'"(?!(?:data|messageType|type|command)")\w+" ?: ?' + _VALUE
_HEAD: Final = re.compile(rb"\{ ?(?:" + _PAIR + rb", ?)*" + rb'"data": ?"')
_TAIL: Final = re.compile(rb'(?:\|[\w |:./-]*)?"(?:, ?' + _PAIR + rb")* ?\}\s*")

_ESCAPED_SEPARATOR: Final = re.compile(rb"\\u000[23]")

# A calm cycle, cut at its markers: a master word with the Alarm LED off (status
# bit 0x10 set, active low), then segments without alarm bits and without a bell.
_MARKER: Final = b"<STX>"
_CALM_MASTER: Final = re.compile(
    rb'"?[0-9A-Fa-f]{2}[13579BDFbdf][0-9A-Fa-f](?:[0-9A-Fa-f]{4})? ?'
)
_CALM_SEGMENT: Final = re.compile(
    rb"(?:[\x02\x03]|\\u000[23])?"
    rb"(?:[0-9]{2}(?:[0-9A-Fa-f]{2}[048Cc]0)?|\$8[45]|<ETX>)? ?(?:<ETX>)?"
)
_MAX_SEGMENT_BYTES: Final = 24


def fingerprint(raw: bytes) -> bytes:
    """Return the part of a message that decides what `decode` says of zones.

    Two readable messages with equal fingerprints differ in telemetry only
    (uptime, heap, clients, the suffix), so the second needs no decode. It is
    the cycle if all around it has a harmless shape, else the whole.
    """
    if raw.startswith(b'"'):
        # No envelope; a string, or what is left of one, must not look like the
        # cycle of one, which begins with its quote.
        return b'"' + raw
    if (place := _find_cycle(raw)) is None:
        return raw
    return raw[place]


def _find_cycle(raw: bytes) -> slice | None:
    """Return where the cycle is, if all around it has a harmless shape.

    It begins with its quote, which keeps it apart from a message that is nothing
    but this cycle, and ends before the quote or bar behind it.
    """
    if not raw.startswith(b"{"):
        return None
    key = _DATA
    start = raw.find(key)
    if start < 0:
        key = _SPACED_DATA
        start = raw.find(key)
        if start < 0:
            return None
    start += len(key)
    end = raw.find(b'"', start)
    bar = raw.find(b"|", start, end)
    if bar >= 0:
        end = bar
    if start + len(raw) - end > _MAX_ENVELOPE_BYTES or not _is_harmless(
        raw[:start].translate(None, _DIGITS), raw[end:].translate(None, _DIGITS)
    ):
        return None
    mark = raw[start - 1 : end]
    if b"\\" in mark and b"\\" in _ESCAPED_SEPARATOR.sub(b"", mark):
        return None
    return slice(start - 1, end)


class Likeness:
    """What a message looks like that repeats another one.

    Steady nodes send the same with other digits around it. To compare that is
    several times cheaper than to find out where the cycle is, and as certain:
    the cycle is in the same place under the same key, byte by byte, and the rest
    of the envelope is the same but for its digits.
    """

    __slots__ = ("_cycle", "_end", "_head", "_length", "_start", "_tail")

    def __init__(self, raw: bytes, place: slice) -> None:
        """Take a message and where its cycle is."""
        self._length = len(raw)
        # With its key, and with the character behind it, which ends the cycle.
        self._start = raw.rindex(_KEY, 0, place.start)
        self._end = place.stop + 1
        self._cycle = raw[self._start : self._end]
        # One for all nodes, so that it is at hand when the next of them speaks.
        self._head = _shared(raw[: self._start].translate(None, _DIGITS))
        self._tail = _shared(raw[self._end :].translate(None, _DIGITS))

    @classmethod
    def of(cls, raw: bytes) -> Likeness | None:
        """Return what a message looks like, unless every byte of it counts."""
        place = _find_cycle(raw)
        return None if place is None else cls(raw, place)

    def fits(self, raw: bytes) -> bool:
        """Tell whether a message is like this, and so has the same fingerprint."""
        return (
            len(raw) == self._length
            and raw.startswith(b"{")
            and raw[self._start : self._end] == self._cycle
            and raw[: self._start].translate(None, _DIGITS) == self._head
            and raw[self._end :].translate(None, _DIGITS) == self._tail
        )


def may_alarm(mark: bytes) -> bool:
    """Tell whether a message with this fingerprint could carry an alarm.

    True for all but a cycle in a spelling that firmwares use, in which no
    module has an alarm or bell bit and the Alarm LED is off. So a "no" is a
    proof, and `decode` of such a message never finds an alarm.
    """
    if len(mark) > MAX_CALM_BYTES:
        return True
    master, *segments = mark.split(_MARKER)
    return (
        not segments
        # Looking at the lengths first keeps long rubbish out of the caches.
        or len(master) > _MAX_SEGMENT_BYTES
        or not _is_calm_master(master)
        or max(map(len, segments)) > _MAX_SEGMENT_BYTES
        or not all(map(_is_calm, segments))
    )


@lru_cache(maxsize=256)
def _is_calm_master(master: bytes) -> bool:
    """Tell whether what stands before the first marker has the Alarm LED off."""
    return _CALM_MASTER.fullmatch(master) is not None


@lru_cache(maxsize=4096)
def _is_calm(segment: bytes) -> bool:
    """Tell whether what stands behind a marker certainly holds no alarm."""
    return _CALM_SEGMENT.fullmatch(segment) is not None


@lru_cache(maxsize=256)
def _shared(shape: bytes) -> bytes:
    """Return the one copy of a shape that all who have it share."""
    return shape


@lru_cache(maxsize=256)
def _is_harmless(head: bytes, tail: bytes) -> bool:
    """Tell whether an envelope of this shape cannot change what its data means.

    A fleet sends a handful of shapes, so this is a look into the cache.
    """
    return bool(_HEAD.fullmatch(head) and _TAIL.fullmatch(tail))
