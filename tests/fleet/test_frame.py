"""Decoding: every documented frame, every kind of damage, no invented states."""

from collections.abc import Callable
import contextlib
import json
from pathlib import Path
import sys
from typing import Any

from hypothesis import example, given, settings, strategies as st
import pytest

from custom_components.esp32_fire_alarm.fleet.frame import (
    MAX_FRAME_BYTES,
    FrameError,
    FrameFault,
    decode,
)
from custom_components.esp32_fire_alarm.fleet.models import (
    DeviceFrame,
    Led,
    ModuleState,
    zone_number,
)

FIXTURES = Path(__file__).parents[1] / "fixtures"
CAPTURE = (FIXTURES / "real_capture.bin").read_bytes()
FRAMES: list[dict[str, Any]] = json.loads((FIXTURES / "frames.json").read_text())


def zones_of(frame: DeviceFrame, mask: str) -> list[int]:
    """Return the zones whose bit is set in the named mask of their module."""
    return [
        zone_number(module, position + 1)
        for module, state in frame.modules.items()
        for position in range(5)
        if getattr(state, mask) >> position & 1
    ]


def meaning_of(frame: DeviceFrame) -> dict[str, Any]:
    """Return a frame in the words of frames.json."""
    alarm = zones_of(frame, "alarm")
    modules = frame.modules.items()
    meaning: dict[str, Any] = {
        "alarm": alarm,
        "trouble": [z for z in zones_of(frame, "trouble") if z not in alarm],
        "offline_modules": [m for m, state in modules if not state.online],
        "online_modules": [m for m, state in modules if state.online],
        "bell_modules": [m for m, state in modules if state.bell],
        "trouble_bit5_modules": [m for m, state in modules if state.bit5],
        "confirmations": [list(pair) for pair in frame.confirmations],
        "master": None,
    }
    if frame.panel is not None:
        meaning["master"] = {
            "header": f"{frame.panel.header:02X}",
            "status": f"{frame.panel.status:02X}",
            "on": list(frame.panel.lit),
        }
        if frame.panel.checksum:
            meaning["master"]["dummy_checksum"] = frame.panel.checksum
    return meaning


def message(data: str, **envelope: object) -> bytes:
    """Return a JSON message with properly escaped data."""
    return json.dumps({"data": data, **envelope}).encode()


def as_sent(data: str) -> bytes:
    """Return a message as ArduinoJson writes it: control bytes raw."""
    return b'{"timestamp":1,"data":"' + data.encode() + b'","clients":1}'


SPELLINGS: dict[str, Callable[[str], bytes]] = {
    "escaped": message,
    "raw control bytes": as_sent,
    "no JSON": str.encode,
    "JSON string": lambda data: json.dumps(data).encode(),
    "corrupt marker": lambda data: message(data.replace("<STX>", "<STST>", 1)),
    "control byte alone": lambda data: as_sent(
        data.replace("<STX>\x02", "\x02").replace("<STX>", "\x02")
    ),
    "no blanks": lambda data: as_sent(data.replace(" ", "")),
    "suffix": lambda data: as_sent(data.partition("|")[0] + "|FB:OK|TS:7|MODE:Online"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("known", FRAMES, ids=lambda known: str(known["name"]))
def test_known_frames_mean_what_they_should(
    known: dict[str, Any], spelling: str
) -> None:
    """Every documented frame, in every spelling, has its documented meaning."""
    frame = decode(SPELLINGS[spelling](known["data"]))
    assert meaning_of(frame) == known["expected"]
    assert frame.malformed == 0


def test_the_real_capture() -> None:
    """The one real capture, byte for byte, as one WebSocket message carried it."""
    frame = decode(CAPTURE)
    meaning = meaning_of(frame)
    assert len(meaning["trouble"]) == 75
    assert len(meaning["offline_modules"]) == 30
    assert len(meaning["online_modules"]) == 33
    assert meaning["alarm"] == []
    assert (frame.uptime_ms, frame.clients, frame.free_heap) == (5080561, 5, 225576)
    assert (frame.firebase, frame.mode) == ("SKIP", "Offline")
    assert frame.malformed == 0


ONLINE = ModuleState(online=True)


@pytest.mark.parametrize(
    ("data", "modules", "malformed"),
    [
        pytest.param("41DF <STX>010000 <STX>02000", {1: ONLINE}, 1, id="five digits"),
        pytest.param("41DF <STX>010000 <STX>0200000", {1: ONLINE}, 1, id="seven"),
        pytest.param("41DF <STX>010000 <STX>02GG01", {1: ONLINE}, 1, id="no hex"),
        pytest.param("41DF <STX>010000 <STX>1A0001", {1: ONLINE}, 1, id="hex address"),
        pytest.param("41DF <STX>010000 <STX>000001", {1: ONLINE}, 1, id="address 0"),
        pytest.param("41DF <STX>010000 <STX>640001", {1: ONLINE}, 1, id="address 64"),
        pytest.param("41DF <STX>010000 <STX>٠٢٠٠٠١", {1: ONLINE}, 1, id="other digits"),
        pytest.param("41DF <STX>$85 <STX>010000", {1: ONLINE}, 1, id="nobody confirms"),
        pytest.param(
            "41DF <STX>010000 <STX>$86", {1: ONLINE}, 1, id="odd confirmation"
        ),
        pytest.param("NORMAL <STX>01", {1: ModuleState(online=False)}, 1, id="word"),
        pytest.param("<STX>010000", {1: ONLINE}, 1, id="no master word"),
        pytest.param("41DF", None, 0, id="only a master word, not even a marker"),
        pytest.param("41DF <STX><ETX>", {}, 0, id="nobody answered"),
        pytest.param(
            "40DF 010000 02", {1: ONLINE, 2: ModuleState(online=False)}, 0, id="oldest"
        ),
        pytest.param("40DF 010000 some words", None, 0, id="not quite the oldest"),
        pytest.param(
            "41DF<STX>010001<STX>010000",
            {1: ModuleState(online=True, alarm=1)},
            1,
            id="contradiction keeps the alarm",
        ),
        pytest.param(
            "41DF<STX>010000<STX>01",
            {1: ModuleState(online=False)},
            1,
            id="contradiction never becomes clear",
        ),
        pytest.param(
            "41df <STX>01001f", {1: ModuleState(True, 31)}, 0, id="lower case"
        ),
        pytest.param("41DF?? <STX>010000", {1: ONLINE}, 0, id="whatever follows"),
    ],
)
def test_what_does_not_fit_the_grammar(
    data: str, modules: dict[int, ModuleState] | None, malformed: int
) -> None:
    """Bad segments are counted and left out; the well-formed rest counts."""
    if modules is None:
        with pytest.raises(FrameError):
            decode(message(data))
        return
    frame = decode(message(data))
    assert frame.modules == modules
    assert frame.malformed == malformed


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", FrameFault.EMPTY),
        (b"  \r\n", FrameFault.EMPTY),
        (b"{}", FrameFault.EMPTY),
        (b"[]", FrameFault.EMPTY),
        (b'""', FrameFault.EMPTY),
        (b"null", FrameFault.EMPTY),
        (b'{"data":""}', FrameFault.EMPTY),
        (b'{"data":"\\u0000 "}', FrameFault.EMPTY),
        (b"ping", FrameFault.NOT_PANEL_DATA),
        (b"r", FrameFault.NOT_PANEL_DATA),
        (b"cmd:reset", FrameFault.NOT_PANEL_DATA),
        (b"4038", FrameFault.NOT_PANEL_DATA),
        (b"true", FrameFault.NOT_PANEL_DATA),
        (b'{"type":"pong"}', FrameFault.NOT_PANEL_DATA),
        (b'[{"data":"41DF<STX>010001"}]', FrameFault.NOT_PANEL_DATA),
        (
            b'{"messageType":"systemStatus","data":{"wifiConnected":true}}',
            FrameFault.NOT_PANEL_DATA,
        ),
        (
            b'{"messageType":"acknowledgment","data":"41DF<STX>010001"}',
            FrameFault.NOT_PANEL_DATA,
        ),
        (b'{"type":"system_status","data":"41DF<STX>01"}', FrameFault.NOT_PANEL_DATA),
        (b'{"command":"r","data":"41DF<STX>01"}', FrameFault.NOT_PANEL_DATA),
        (b'{"data":7}', FrameFault.NOT_PANEL_DATA),
        (b'{"data":"<STX>zz<STX>"}', FrameFault.MALFORMED),
        (b'{"messageType":"x","data":"41DF<STX>010001', FrameFault.MALFORMED),
        (b"{nonsense", FrameFault.MALFORMED),
        (b"[" * 60_000, FrameFault.MALFORMED),
        (b"\xff\xfe\xfd", FrameFault.NOT_PANEL_DATA),
        (b"x" * (MAX_FRAME_BYTES + 1), FrameFault.OVERSIZED),
    ],
)
def test_messages_without_zone_data(raw: bytes, reason: FrameFault) -> None:
    """Other messages are refused with the reason that counters need."""
    with pytest.raises(FrameError) as caught:
        decode(raw)
    assert caught.value.reason is reason
    assert str(caught.value)


def test_bad_utf8_costs_one_segment() -> None:
    """A byte that is no UTF-8 spoils its own segment only."""
    frame = decode(b'{"data":"41DF <STX>\x0201\xff001 <STX>\x02020001"}')
    assert frame.modules == {2: ModuleState(online=True, alarm=1)}
    assert frame.malformed == 1


def test_confirmation_as_one_raw_byte() -> None:
    """`$` and the raw byte 0x85 confirm the bell as `$85` does."""
    frame = decode(b'{"data":"41DF <STX>\x02010021 <STX>\x02$\x85"}')
    assert frame.confirmations == ((1, "$85"),)
    assert frame.malformed == 0


@pytest.mark.parametrize("length", range(len(CAPTURE)))
def test_a_cut_frame_says_nothing_wrong(length: int) -> None:
    """However early the capture ends, what is read of it is true."""
    whole = decode(CAPTURE).modules
    try:
        frame = decode(CAPTURE[:length])
    except FrameError:
        return
    assert frame.modules.items() <= whole.items()
    assert frame.uptime_ms in (None, 5080561)


def test_a_cut_marker_shows_that_the_segment_is_whole() -> None:
    """A started marker after a short segment proves that it lost nothing."""
    frame = decode(b'{"data":"41DF <STX>01 <ST')
    assert frame.modules == {1: ModuleState(online=False)}
    assert decode(b'{"data":"41DF <STX>01').modules == {}
    assert decode(b'{"data":"41DF <STX>010001').modules == {1: ModuleState(True, 1)}
    with pytest.raises(FrameError):
        decode(b'{"data":"41D')


@pytest.mark.parametrize(
    ("envelope", "uptime"),
    [
        ({"timestamp": 12}, 12),
        ({"timestamp": True}, 7),
        ({"timestamp": -1}, 7),
        ({"timestamp": 1e300}, 7),
        ({"timestamp": 10**400}, 7),
        ({}, 7),
    ],
)
def test_uptime_from_the_envelope_or_the_suffix(
    envelope: dict[str, object], uptime: int
) -> None:
    """A number that cannot be a counter is none; the suffix stands in."""
    assert decode(message("41DF<STX>01|TS:7", **envelope)).uptime_ms == uptime


def test_odd_suffixes() -> None:
    """Unknown and broken suffix fields change nothing."""
    frame = decode(message("41DF<STX>01|TS:²|MODE|X:1|MODE: Hybrid"))
    assert frame.uptime_ms is None
    assert frame.mode == "Hybrid"


@pytest.mark.parametrize(
    "segment",
    [
        *("01+001", "01-001", "0100+1", "01_0_1", "010_01", "010x01", "01 0 1"),
        *("010 01", "01  01", "0100 1", "01\u00a0001", "01\uff10\uff1001", "010O01"),
        *("+10001", "1_0001", "\u0661\u06620001", "\u00b2\u00b30001", "0x0001"),
    ],
)
def test_what_only_resembles_digits_is_no_segment(segment: str) -> None:
    """It is counted, and says nothing of its module."""
    frame = decode(message(f"41DF<STX>020000 <STX>{segment} <STX>030001 "))
    assert frame.modules == {2: ModuleState(True), 3: ModuleState(True, alarm=1)}
    assert frame.malformed == 1


def test_lamps_are_active_low() -> None:
    """A bit at 0 means a lit LED, in ascending order of bits."""
    frame = decode(message("4000<STX>"))
    assert frame.panel is not None
    assert frame.panel.lit == tuple(Led)
    assert decode(message("40FF<STX>")).panel.lit == ()  # type: ignore[union-attr]


SEGMENTS = st.one_of(
    st.from_regex(r"[0-9]{2}([0-9A-Fa-f]{4})?", fullmatch=True),
    st.sampled_from(["$85", "$84", "", "0", "01000", "0100001"]),
    st.text(max_size=8),
)


@settings(max_examples=500)
@given(st.lists(SEGMENTS, max_size=70), st.sampled_from(["41DF ", "", "51CD", "zz"]))
def test_no_alarm_and_no_clear_is_invented(segments: list[str], master: str) -> None:
    """A module's state is the one that a well-formed segment of it spells."""
    raw = message(master + "".join(f"<STX>{segment} " for segment in segments))
    try:
        frame = decode(raw)
    except FrameError:
        return
    joined = " ".join(segments)
    for module, state in frame.modules.items():
        assert f"{module:02d}" in joined
        spelled = [s for s in segments if s.strip().startswith(f"{module:02d}")]
        if state.alarm:
            assert any(len(s.strip()) == 6 for s in spelled)
        if state.online and not state.alarm and not state.trouble:
            assert any(len(s.strip()) == 6 for s in spelled)


@settings(max_examples=1000)
@given(st.binary(max_size=2000))
@example(b'{"data":"\\ud800<STX>010001"}')
@example(b"1" * 5000)
@example(b'{"data":"41DF<STX>01|TS:' + b"9" * 5000 + b'"}')
def test_any_bytes_raise_nothing_but_frame_error(raw: bytes) -> None:
    """Whatever arrives is decoded or refused."""
    with contextlib.suppress(FrameError):
        decode(raw)


@settings(max_examples=500)
@given(
    st.integers(0, len(CAPTURE) - 1),
    st.binary(max_size=6),
    st.integers(0, len(CAPTURE)),
)
def test_a_damaged_capture_never_raises(start: int, noise: bytes, skip: int) -> None:
    """Bytes overwritten, inserted or left out anywhere in a real frame."""
    raw = CAPTURE[:start] + noise + CAPTURE[start + skip :]
    with contextlib.suppress(FrameError):
        decode(raw)


def test_the_cache_stays_bounded() -> None:
    """Long rubbish never enters the segment cache."""
    frame_module = sys.modules[decode.__module__]
    for number in range(200):
        with pytest.raises(FrameError):
            decode(message(f"<STX>{'9' * 5000}{number}"))
    info = frame_module._read_segment.cache_info()
    assert info.currsize <= info.maxsize == 4096
