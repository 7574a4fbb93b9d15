"""Damage done to a message on its way out: pure functions, bytes in, bytes out."""

import random
from typing import Final

from .effects import Spoil

_DATA: Final = b'"data":"'
_GARBAGE_BYTES: Final = 300


def with_bad_utf8(message: bytes) -> bytes:
    """Return the message with a confirmation as one raw byte, which is not UTF-8."""
    return message.replace(b"<STX>", b"<STX>$\x85<STX>", 1)


def garbage(_message: bytes) -> bytes:
    """Return bytes that mean nothing, other ones each time."""
    return random.randbytes(_GARBAGE_BYTES)  # noqa: S311 - no secret


def truncated_to(percent: float) -> Spoil:
    """Return what keeps so much of a message's panel text, and nothing behind it."""

    def cut(message: bytes) -> bytes:
        key = message.find(_DATA)
        start = key + len(_DATA) if key >= 0 else 0
        end = message.find(b'"', start) if key >= 0 else len(message)
        return message[: start + int((end - start) * percent / 100)]

    return cut


def padded_to(kibibytes: float) -> Spoil:
    """Return what makes a message so long with blanks before its last character."""

    def pad(message: bytes) -> bytes:
        missing = int(kibibytes * 1024) - len(message)
        return message[:-1] + b" " * max(0, missing) + message[-1:]

    return pad


def nested(levels: float) -> Spoil:
    """Return what answers with JSON of so many lists in one another."""

    def nest(_message: bytes) -> bytes:
        return b'{"data":' + b"[" * int(levels) + b"]" * int(levels) + b"}"

    return nest
