"""Frames: the decoder, the glance before it, and what they must agree on."""

import json
from pathlib import Path
from random import Random

from custom_components.esp32_fire_alarm.fleet.frame import FrameError, decode
from custom_components.esp32_fire_alarm.fleet.glance import (
    Likeness,
    fingerprint,
    may_alarm,
)
from custom_components.esp32_fire_alarm.fleet.models import DeviceFrame, Led
from sim.encode import Dialect, encode_message
from sim.panel import ModulePicture, Picture

from .mutate import Mutator
from .reference import Meaning, Module, read

FIXTURES = Path(__file__).parents[2] / "fixtures"
MAX_REMEMBERED = 20_000
OTHER_DIGITS = bytes.maketrans(b"0123456789", b"1234567890")
WORDS = [
    *(b"<STX>", b"<ETX>", b"<STST>", b"\x02", b"\x03", b"<STX>\x02", b"|", b" ", b"\n"),
    *(b"$85", b"$84", b"$\x85", b"$\x84", b"$", b"\xff", b"\x00", b"\x7f", b"\xc2\xa0"),
    *(b"010000", b"010001", b"01", b"630020", b"64", b"0A0000", b"010000010001"),
    *(b"51DD", b"51CD", b"51cf0000", b"5", b"0", b"1", b"f", b"F", b"G", b"\\", b'"'),
    *(b"\\u0002", b"\\u0003", b"\\u0030", b"\\n", b'\\"', b"{", b"}", b"[", b"]", b","),
    *(b'"data":"', b'"data": "', b'"data":', b'{"data":"', b'"}', b'"messageType":1,'),
    *(b'"type":"system_status",', b'"command":"r",', b'"type":"x",', b"null", b"1e999"),
    *("\uff10\uff11".encode(), "\u0661".encode(), "\u2028".encode(), b"\xef\xbb\xbf"),
]


class FrameFuzz:
    """Every property of one message, and of two with the same fingerprint."""

    name = "frame"

    def __init__(self, seed: int) -> None:
        """Begin with the documented frames and pictures of simulated panels."""
        self._random = Random(seed)  # noqa: S311 - repeatable, not secret
        self._mutator = Mutator(_corpus(self._random), WORDS, self._random, 3000)
        self._meanings: dict[bytes, Meaning] = {}
        self._pair: bytes | None = None
        self._last: tuple[Likeness, Meaning | None] | None = None

    def make(self) -> bytes:
        """Return a message; now and then one that repeats the last, other telemetry."""
        if self._pair is not None and self._random.random() < 0.2:
            head, found, tail = self._pair.partition(b'"data"')
            self._pair = None
            if self._random.random() < 0.5:
                return head.translate(OTHER_DIGITS) + found + self._twist(tail)
            number = b"%d" % self._random.randrange(10**6)
            return head.replace(b"1", number) + found + tail
        self._pair = self._mutator.make()
        return self._pair

    def _twist(self, tail: bytes) -> bytes:
        """Return what is behind the key with at most one other byte in it."""
        place = self._random.randrange(2 * len(tail) + 2)
        return tail[:place] + self._random.randbytes(1) + tail[place + 1 :]

    def check(self, raw: bytes) -> None:
        """Hold one message against everything that is promised."""
        expected = read(raw)
        frame = decoded(raw)
        mark = fingerprint(raw)
        meaning = None if frame is None else meaning_of(frame)
        if self._last is not None and self._last[0].fits(raw):
            assert meaning == self._last[1], f"taken for another that is {self._last}"
        likeness = Likeness.of(raw)
        self._last = None if likeness is None else (likeness, meaning)
        assert len(mark) <= len(raw) + 1
        calm = not may_alarm(mark)
        if frame is None:
            assert expected is None, f"refused, but means {expected}"
            assert not calm, "found calm, but means nothing"
            return
        assert meaning is not None
        assert meaning == expected, f"decoded {meaning}, means {expected}"
        assert len(frame.modules) <= 63
        assert not (calm and shows_alarm(frame)), "an alarm was overlooked"
        before = self._meanings.setdefault(mark, meaning)
        assert before == meaning, f"the same fingerprint {mark!r} once meant {before}"
        if len(self._meanings) > MAX_REMEMBERED:
            self._meanings.clear()


def decoded(raw: bytes) -> DeviceFrame | None:
    """Return the frame, or None for a message that was refused."""
    try:
        return decode(raw)
    except FrameError:
        return None


def meaning_of(frame: DeviceFrame) -> Meaning:
    """Return a decoded frame in the words of the reference."""
    return Meaning(
        header=None if frame.panel is None else frame.panel.header,
        status=None if frame.panel is None else frame.panel.status,
        modules={
            address: Module(
                state.online, state.alarm, state.trouble, state.bell, state.bit5
            )
            for address, state in frame.modules.items()
        },
        confirmations=list(frame.confirmations),
        malformed=frame.malformed,
    )


def shows_alarm(frame: DeviceFrame) -> bool:
    """Tell whether a frame has an alarm of a zone or the panel's Alarm LED."""
    return any(state.alarm for state in frame.modules.values()) or (
        frame.panel is not None and Led.ALARM in frame.panel.lit
    )


def _corpus(random: Random) -> list[bytes]:
    """Return the documented frames in all envelopes, and simulated ones."""
    corpus = [(FIXTURES / "real_capture.bin").read_bytes()]
    for one in json.loads((FIXTURES / "frames.json").read_text()):
        data, envelope = one["data"], one["envelope"]
        corpus += [
            data.encode(),
            json.dumps({"data": data, **envelope}).encode(),
            b'{"timestamp":1,"data":"' + data.encode() + b'","clients":1}',
            json.dumps(data).encode(),
        ]
    for dialect in Dialect:
        for count in (1, 1, 1, 2, 5, 63):
            picture = Picture(
                random.randrange(256),
                random.choice((0xDF, 0xCF, 0xD7, random.randrange(256))),
                tuple(_module(random, address) for address in range(1, count + 1)),
            )
            corpus.append(
                encode_message(
                    picture, uptime_ms=11, clients=1, free_heap=99, dialect=dialect
                )
            )
    return corpus


def _module(random: Random, address: int) -> ModulePicture:
    """Return a module as a simulated panel may show it."""
    if random.random() < 0.2:
        return ModulePicture(address, online=False)
    return ModulePicture(
        address,
        online=True,
        trouble=random.choice((0, 0, random.randrange(256))),
        alarm=random.choice((0, 0, 0, random.randrange(256))),
        confirmation=random.choice((None, None, "$85", "$84")),
    )
