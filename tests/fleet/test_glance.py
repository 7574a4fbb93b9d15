"""A glance at a message: what it may conclude, and what it must never miss."""

import json
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings, strategies as st
import pytest

from custom_components.esp32_fire_alarm.fleet.frame import FrameError, decode
from custom_components.esp32_fire_alarm.fleet.glance import (
    MAX_CALM_BYTES,
    Likeness,
    fingerprint,
    may_alarm,
)
from custom_components.esp32_fire_alarm.fleet.models import DeviceFrame, Led
from sim.encode import Dialect, encode_message
from sim.panel import ModulePicture, Picture

FIXTURES = Path(__file__).parents[1] / "fixtures"
CAPTURE = (FIXTURES / "real_capture.bin").read_bytes()
FRAMES: list[dict[str, Any]] = json.loads((FIXTURES / "frames.json").read_text())


def decoded(raw: bytes) -> DeviceFrame | None:
    """Return the frame, or None where there is none."""
    try:
        return decode(raw)
    except FrameError:
        return None


def meaning(raw: bytes) -> object:
    """Return what a message says of zones, telemetry left out."""
    frame = decoded(raw)
    return frame and (frame.panel, frame.modules, frame.confirmations)


def shows_alarm(raw: bytes) -> bool:
    """Tell whether the decoder finds an alarm."""
    frame = decoded(raw)
    return frame is not None and (
        any(state.alarm for state in frame.modules.values())
        or (frame.panel is not None and Led.ALARM in frame.panel.lit)
    )


PICTURES = st.builds(
    Picture,
    st.integers(0, 255),
    st.integers(0, 255),
    st.lists(
        st.builds(
            ModulePicture,
            st.integers(1, 63),
            st.booleans(),
            st.integers(0, 255),
            st.integers(0, 255) | st.just(0),
            st.sampled_from([None, "$85", "$84"]),
        ),
        max_size=63,
    ).map(tuple),
)
"""Cycles as a panel may send them, most of them with an alarm somewhere."""


# The message as a whole.


@pytest.mark.parametrize("dialect", Dialect)
@given(picture=PICTURES, uptime=st.integers(0, 2**32 - 1))
def test_telemetry_makes_no_difference(
    dialect: Dialect, picture: Picture, uptime: int
) -> None:
    """Uptime, heap, clients and suffix differ in every message; it is the same one."""
    one = encode_message(picture, uptime_ms=1, clients=1, free_heap=1, dialect=dialect)
    other = encode_message(
        picture, uptime_ms=uptime, clients=5, free_heap=225_576, dialect=dialect
    )
    assert fingerprint(one) == fingerprint(other)
    assert meaning(one) == meaning(other)


def test_any_segment_makes_a_difference() -> None:
    """A changed digit of the cycle is a changed message."""
    one = b'{"timestamp":1,"data":"41DF <STX>\x02010000|TS:1","clients":1}'
    assert fingerprint(one) != fingerprint(one.replace(b"010000", b"010001"))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b'{"time": 1, "data": "41DF<STX>010000"}', id="blanks"),
        pytest.param(b'{"data":"41DF<STX>010000","rssi":-61.5}', id="decimals"),
        pytest.param(b'{"data":"41DF<STX>010000","mode":"Hybrid"}', id="words"),
        pytest.param(b'{"ok":true,"data":"41DF<STX>010000"}\r\n', id="literals"),
    ],
)
def test_envelopes_of_other_firmwares_are_understood(raw: bytes) -> None:
    """More keys, other spacing: still only the cycle counts."""
    assert fingerprint(raw) == b'"41DF<STX>010000'


@pytest.mark.parametrize(
    "raw",
    [
        rb'{"data":"41DF<STX>010000\"<STX>010001"}',
        rb'{"data":"41DF<STX>01000\u0030"}',
        b'{"data":"41DF<STX>010000',
        b'{"data":"41DF<STX>010000"',
        b'{"data":"',
        b'{"messageType":"x","data":"41DF<STX>010000"}',
        b'{"type":"system_status","data":"41DF<STX>010000"}',
        b'{"data":"41DF<STX>010000","data":"41DF<STX>010001"}',
        b'{"data":"41DF<STX>010000","da\x00ta":"41DF<STX>010001"}',
        rb'{"data":"41DF<STX>010000","d\u0061ta":"41DF<STX>010001"}',
        b'{"data":"41DF<STX>010000","more":{"data":"41DF<STX>010001"}}',
        b'{"data":"41DF 010000|<STX>"}',
        b'{"data":"41DF<STX>010000","note":"' + 600 * b"x" + b'"}',
        b"41DF<STX>010000",
        b'0100{"data":"41DF<STX>010000"}',
        b"",
    ],
)
def test_the_unusual_is_the_same_only_if_it_is_equal(raw: bytes) -> None:
    """Where the end or the meaning of the data is in doubt, every byte counts."""
    assert fingerprint(raw) == raw


def test_a_string_that_lost_its_end_is_not_taken_for_a_cycle() -> None:
    """It means nothing, so nothing of it may look calm."""
    assert decoded(b'"41DF <STX>') is None
    assert may_alarm(fingerprint(b'"41DF <STX>'))


SCRAPS = st.sampled_from(
    [
        *(b'"data":"', b'"data" : "', b'"', b",", b"{", b"}", b"\\", b"|", b" "),
        *(b"41DF", b"41CF", b"<STX>", b"\x02", b"\\u0002", b"<ETX>", b"<STST>"),
        *(b"010000", b"010001", b"02", b"\\u0030", b"\x00", b"\xff", b"$85"),
        *(b'"timestamp":7', b'"messageType":"x"', b'"type":"pong"', b"TS:7"),
    ]
)
MESSAGES = st.lists(SCRAPS, max_size=14).map(b"".join)
ENVELOPES = st.sampled_from(
    [
        b'{"data":"%s"}',
        b'{"data":"%s","data":"%s"}',
        b'{"timestamp":7,"data":"%s|TS:7","clients":1}',
        b'{"data" : "%s","data":"%s"}',
        b'"%s"',
        b"%s",
    ]
)
CYCLES = st.lists(
    st.sampled_from(
        [
            *(b"<STX>", b"<STX>\x02", b"\x02", b"\\u0002", b" ", b"<ETX>", b"|TS:1"),
            *(b"010000", b"010001", b"02", b"03003f", b"$85", b"0\x01400", b"01"),
            *(b"\xc2\xa0", b"\x85", b"<", b"STX>", b"E", b"\\u0031", b"\\"),
        ]
    ),
    max_size=10,
).map(b"".join)


@st.composite
def odd_messages(draw: st.DrawFn) -> bytes:
    """Return a message of usual and unusual parts."""
    envelope = draw(ENVELOPES)
    cycles = tuple(
        draw(st.sampled_from([b"41DF", b"41CF", b"41df0140", b""])) + draw(CYCLES)
        for _ in range(envelope.count(b"%s"))
    )
    return envelope % cycles


@settings(max_examples=2000)
@given(st.lists(odd_messages() | MESSAGES, min_size=2, max_size=6))
def test_equal_fingerprints_mean_equal_messages(raws: list[bytes]) -> None:
    """Whatever is sent, a repetition says the same as what it repeats."""
    known: dict[bytes, object] = {}
    for raw in raws:
        if (said := meaning(raw)) is not None:
            assert known.setdefault(fingerprint(raw), said) == said


# What looks like the message before it.

STEADY = b'{"timestamp":1234,"data":"41DF <STX>\x02010000|TS:1234","clients":1}'


def likeness_of(raw: bytes) -> Likeness:
    """Return what a message looks like whose cycle can be told from the rest."""
    likeness = Likeness.of(raw)
    assert likeness is not None
    return likeness


def test_what_steady_nodes_send_is_recognized_at_once() -> None:
    """Other digits around the same cycle."""
    likeness = likeness_of(STEADY)
    assert likeness.fits(STEADY.replace(b"1234", b"1239"))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(STEADY.replace(b"010000", b"010001"), id="alarm"),
        pytest.param(STEADY.replace(b"41DF", b"41CF"), id="alarm-led"),
        pytest.param(STEADY.replace(b'34,"data":"', b'3,"data":"9'), id="digit-before"),
        pytest.param(
            STEADY.replace(b"0|TS:1234", b"00|TS:123"), id="digit-behind-the-cycle"
        ),
        pytest.param(
            STEADY.replace(b"timestamp", b"messageType")[:-2] + b"}", id="other-kind"
        ),
        pytest.param(STEADY.replace(b"1234", b"12345"), id="longer"),
        pytest.param(STEADY.replace(b'34,"data"', b'3,"data2"'), id="other-key"),
        pytest.param(STEADY.replace(b'34,"data":', b'3,"data":2'), id="no-string"),
        pytest.param(b"7" + STEADY.replace(b"34,", b"3,"), id="no-envelope"),
        pytest.param(b" " * len(STEADY), id="blanks"),
    ],
)
def test_nothing_else_is_recognized(other: bytes) -> None:
    """Where it is the same for all that, somebody has to look closer."""
    assert not likeness_of(STEADY).fits(other)


def test_the_same_text_before_the_cycle_is_not_taken_for_it() -> None:
    """What would fit there may have another cycle."""
    raw = b'{"a":"41 01","data":"41 01|TS:7"}'
    likeness = likeness_of(raw)
    assert likeness.fits(raw)
    assert not likeness.fits(b'{"a":"41 01","data":"42 02|TS:7"}')


@pytest.mark.parametrize("raw", [b"", b'"41DF<STX>', b'{"data":"41DF<STX>010000'])
def test_without_an_envelope_nothing_is_known_of_the_next_message(raw: bytes) -> None:
    """Every byte counts there."""
    assert Likeness.of(raw) is None


@settings(max_examples=2000)
@given(
    raw=odd_messages() | MESSAGES,
    digits=st.lists(st.sampled_from(b"0123456789"), min_size=4, max_size=40),
    place=st.integers(0, 200),
    goal=st.integers(0, 200),
    byte=st.integers(0, 255),
)
def test_what_is_recognized_has_the_same_fingerprint(
    raw: bytes, digits: list[int], place: int, goal: int, byte: int
) -> None:
    """Whatever digits and whichever byte are changed or moved in a message."""
    likeness = Likeness.of(raw)
    if likeness is None:
        return
    mark = fingerprint(raw)
    changed = bytearray(raw)
    for at, old in enumerate(changed):
        if digits and old in b"0123456789":
            changed[at] = digits.pop()
    moved = bytearray(raw)
    if place < len(moved):
        moved.insert(goal, moved.pop(place))
    for other in (
        *(bytes(changed), bytes(moved)),
        raw[:place] + bytes([byte]) + raw[place + 1 :],
    ):
        if likeness.fits(other):
            assert fingerprint(other) == mark


# The alarm.


def test_what_a_quiet_site_sends_is_calm() -> None:
    """The capture, with 75 troubles in it, and every frame without an alarm."""
    assert not may_alarm(fingerprint(CAPTURE))
    calm = [known for known in FRAMES if not known["expected"]["alarm"]]
    assert len(calm) >= 5
    for known in calm:
        raw = b'{"timestamp":7,"data":"' + known["data"].encode() + b'"}'
        assert may_alarm(fingerprint(raw)) == (
            shows_alarm(raw)
            or bool(known["expected"]["bell_modules"])
            or known["expected"]["master"] is None
            or "<STX>" not in known["data"]
        ), known["name"]


@pytest.mark.parametrize("dialect", Dialect)
@given(trouble=st.integers(0, 255), online=st.booleans())
def test_troubles_are_calm_in_every_dialect(
    dialect: Dialect, trouble: int, online: bool
) -> None:
    """Neither a trouble nor an offline module nor a confirmation is an alarm."""
    modules = tuple(
        ModulePicture(address, online, trouble, 0, "$85") for address in range(1, 64)
    )
    raw = encode_message(
        Picture(0x51, 0xDF, modules),
        uptime_ms=1,
        clients=1,
        free_heap=1,
        dialect=dialect,
    )
    assert not may_alarm(fingerprint(raw))


@pytest.mark.parametrize("dialect", Dialect)
@given(picture=PICTURES)
def test_no_alarm_is_missed_in_any_dialect(dialect: Dialect, picture: Picture) -> None:
    """Whenever the decoder finds an alarm, the glance said that there may be one."""
    raw = encode_message(picture, uptime_ms=1, clients=1, free_heap=1, dialect=dialect)
    if shows_alarm(raw):
        assert may_alarm(fingerprint(raw))


@settings(max_examples=3000)
@given(odd_messages() | MESSAGES)
@example(b'{"data":"41DF <STX>\x02010001"}')
@example(rb'{"data":"41DF <STX>\u000201000\u0031"}')
@example(b'{"data":"41DF <STX>\x02\xc2\xa0010001"}')
@example(b"41DF 010001")
@example(b'{"data":"41DF <S\x01TX>010001"}')
@example(b'{"data":"41DF \x02010001"}')
@example(b'{"data":"41CF <STX>"}')
@example(b'630020{"timestamp":1,"data":"41DF<STX>010000","clients":1}')
def test_no_alarm_is_missed_in_any_spelling(raw: bytes) -> None:
    """The same for whatever else the decoder makes an alarm of."""
    if shows_alarm(raw):
        assert may_alarm(fingerprint(raw))


@settings(max_examples=1000)
@given(
    st.integers(0, len(CAPTURE) - 1),
    st.sampled_from([b"1", b"C", b"\x00", b"\xff", b"<", b"<STX>", b"\\", b'"', b" "]),
    st.integers(0, 2),
)
def test_no_alarm_is_missed_in_a_damaged_capture(
    start: int, noise: bytes, skip: int
) -> None:
    """A byte overwritten, inserted or left out anywhere in a real frame."""
    raw = CAPTURE[:start] + noise + CAPTURE[start + skip :]
    if shows_alarm(raw):
        assert may_alarm(fingerprint(raw))


def test_only_short_messages_are_calm() -> None:
    """What may wait is bounded, so what is longer does not wait."""
    segment = b"<STX>\x02010000 "
    cycle = b"41DF" + segment * ((MAX_CALM_BYTES - 4) // len(segment))
    assert len(cycle) <= MAX_CALM_BYTES
    assert not may_alarm(cycle)
    assert may_alarm(cycle + segment)
    assert may_alarm(b"41DF <STX>" + b"0" * 1000)
