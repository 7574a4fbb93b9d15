"""What a hostile node says: it costs little, stays one line, and is named."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle, islice
import json
import logging
import tracemalloc

import pytest

from custom_components.esp32_fire_alarm.fleet.aggregator import MessageAggregator
from custom_components.esp32_fire_alarm.fleet.frame import (
    MAX_FRAME_BYTES,
    FrameError,
    decode,
)
from custom_components.esp32_fire_alarm.fleet.glance import fingerprint, may_alarm
from custom_components.esp32_fire_alarm.fleet.health import MODE_LENGTH, HealthMonitor
from custom_components.esp32_fire_alarm.fleet.models import (
    DeviceAddress,
    NodeConfig,
    SiteUpdate,
)
from custom_components.esp32_fire_alarm.fleet.plain import MAX_PLAIN
from custom_components.esp32_fire_alarm.fleet.truth import SiteTruth

SLEEVE = "\x1b[2K\x1b[31m\r\nCRITICAL Fire!\u202e<img src=x onerror='alert(1)'>"
"""What a log, a terminal and a browser must not make anything of."""

ESCAPED_SLEEVE = json.dumps(SLEEVE)[1:-1].encode()
"""The same within a JSON text."""


def filled(head: bytes, unit: bytes, tail: bytes = b"") -> bytes:
    """Return the longest message of one repeated piece."""
    times = (MAX_FRAME_BYTES - len(head) - len(tail)) // len(unit)
    return head + unit * times + tail


def nested(key: str) -> bytes:
    """Return valid JSON, as deep as a message may be long."""
    depth = 32_000
    return f'{{"{key}":{"[" * depth}{"]" * depth}}}'.encode()


DEAR = {
    "open brackets": filled(b"", b"["),
    "open objects": filled(b"", b'{"a":'),
    "deep data": nested("data"),
    "deep type": nested("type"),
    "deep messageType": nested("messageType"),
    "whole number": filled(b'{"timestamp":', b"9", b',"data":"<STX>01"}'),
    "exponent": filled(b'{"timestamp":1e', b"9", b"}"),
    "escapes": filled(b'{"data":"', b"\\u0002", b'"}'),
    "open escapes": filled(b'{"data":"', b"\\"),
    "keys": filled(b"{", b'"data"'),
    "keys and blanks": filled(b"{", b'"data" '),
    "blanks": filled(b'{"data"', b" "),
    "open strings": filled(b"{", b'"data":"'),
    "markers": filled(b'{"data":"51DF', b"<STX>", b'"}'),
    "half markers": filled(b'{"data":"51DF<STX>01', b"<"),
    "confirmations": filled(b'{"data":"51DF<STX>010000', b"<STX>$85", b'"}'),
    "one module": filled(b'{"data":"51DF', b"<STX>010000", b'"}'),
    "fields": filled(b'{"data":"51DF<STX>010000', b"|A:B", b'"}'),
    "oldest spelling": filled(b"51DF", b" 010000"),
    "bad bytes": filled(b'{"data":"51DF<STX>', b"\xff", b'"}'),
    "envelope": b"{" + b'"a" : - ,' * 50 + b'"data":"51DF<STX>010000"}',
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("raw", DEAR.values(), ids=DEAR)
def test_no_message_is_dear(raw: bytes) -> None:
    """A hundred of the longest: what grows with the square would take minutes."""
    for _ in range(100):
        may_alarm(fingerprint(raw))
        with suppress(FrameError):
            decode(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"messageType":"%s"}' % ESCAPED_SLEEVE,
        f'{{"messageType":"{SLEEVE}"}}'.encode(),
        b"{" + b" " * 60_000 + b"}",
        SLEEVE.encode(),
    ],
    ids=["escaped", "raw", "blank", "no JSON"],
)
def test_a_refusal_is_one_plain_line(raw: bytes) -> None:
    with pytest.raises(FrameError) as error:
        decode(raw)
    assert str(error.value).isprintable()
    assert len(str(error.value)) <= MAX_PLAIN


class Ear:
    """One node's way into the engine, with a clock in the test's hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.updates: list[SiteUpdate] = []
        configs = [
            NodeConfig(number, DeviceAddress(f"127.0.0.{number + 1}"), (number,))
            for number in (1, 2)
        ]
        self.health = HealthMonitor(lambda: self.now, lambda: self.now)
        self.truth = SiteTruth(
            configs, hold_seconds=45, now=self.now, rank=self.health.rank
        )
        self.aggregator = MessageAggregator(
            self.truth,
            self.health,
            now=lambda: self.now,
            on_update=self.updates.append,
        )

    def hear(self, raw: bytes) -> None:
        self.now += 0.1
        self.aggregator.feed(1, raw)
        if not int(self.now * 10) % 5:
            self.aggregator.tick()
        self.updates.clear()


def rubbish() -> Iterator[bytes]:
    """Yield long messages, no two alike: rubbish, alarms of any module, endless words."""
    for number, dear in enumerate(cycle(DEAR.values())):
        mark = f"{number:08d}".encode()
        yield dear[:-8] + mark
        module, zones = number % 63 + 1, number % 32
        yield (
            f'{{"timestamp":{number},"data":"51CF<STX>{module:02d}{zones:02X}'
            f'{number % 256:02X}|MODE:{number}|X{number}:{number}"}}'
        ).encode()
        yield b"<STX>" + mark * 8000


async def test_memory_stays_as_it_is_whatever_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing more is kept of six hundred messages than of three hundred."""
    ear = Ear()
    # What is caught of the log would be kept.
    caplog.set_level(logging.INFO, "custom_components.esp32_fire_alarm")
    messages = rubbish()
    for raw in islice(messages, 300):
        ear.hear(raw)
    tracemalloc.start()
    for raw in islice(messages, 300):
        ear.hear(raw)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The last messages themselves take the place of those before them.
    assert kept < 40 * MAX_FRAME_BYTES


async def test_only_the_firmware_mode_is_shown_and_only_as_a_word() -> None:
    ear = Ear()
    for raw, mode in (
        (b"Offline", "Offline"),
        (b"  Hybrid 2 ", "Hybrid 2"),
        (ESCAPED_SLEEVE, "2K31mCRITICAL Fireimg srcx onerror"),
        ("\u202e<>".encode(), None),
        (b"x" * 500, "x" * MODE_LENGTH),
    ):
        ear.now += 60
        ear.aggregator.tick()
        ear.hear(b'{"data":"51DF <STX>010000|MODE:%s"}' % raw)
        assert ear.health.assess(1).mode == mode


async def test_debug_lines_cannot_be_forged(caplog: pytest.LogCaptureFixture) -> None:
    ear = Ear()
    caplog.set_level(logging.DEBUG)
    ear.hear(b'{"messageType":"%s"}' % ESCAPED_SLEEVE)
    (record,) = (one for one in caplog.records if "messageType" in one.getMessage())
    assert record.getMessage().isprintable()
