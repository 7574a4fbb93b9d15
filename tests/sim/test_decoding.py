"""`python -m sim decode` says what frames.json expects."""

import json
from pathlib import Path
from typing import Any

import pytest

from sim.decoding import decode_file, meaning_of

from .conftest import CAPTURE, FRAMES

KEYS = [
    "alarm",
    "trouble",
    "offline_modules",
    "bell_modules",
    "trouble_bit5_modules",
    "online_modules",
    "confirmations",
    "master",
]


def wire(frame: dict[str, Any]) -> bytes:
    """Return a frame as the panel sends it: control characters unescaped."""
    body = json.dumps({"data": frame["data"], **frame["envelope"]})
    return body.replace("\\u0002", "\x02").encode()


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame["name"])
def test_all_frames(frame: dict[str, Any]) -> None:
    meaning = meaning_of(wire(frame))
    assert {key: meaning[key] for key in KEYS} == frame["expected"]
    assert meaning["malformed"] == 0
    for key, value in frame["envelope"].items():
        assert meaning["envelope"][key] == value


def test_the_capture_as_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert decode_file(str(CAPTURE)) == 0
    meaning = json.loads(capsys.readouterr().out)
    assert {key: meaning[key] for key in KEYS} == FRAMES[0]["expected"]
    assert meaning["envelope"] == {
        "timestamp": 5_080_561,
        "clients": 5,
        "freeHeap": 225_576,
        "FB": "SKIP",
        "MODE": "Offline",
    }


def test_a_zone_in_alarm_is_not_listed_in_trouble_too() -> None:
    meaning = meaning_of(b"41DF <STX>010301 <STX><ETX>")
    assert (meaning["alarm"], meaning["trouble"]) == ([1], [2])


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"messageType":"x"}', b"\x00\xff"])
def test_what_is_no_frame_has_the_same_keys_and_a_reason(
    raw: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "frame"
    file.write_bytes(raw)
    assert decode_file(str(file)) == 1
    meaning = json.loads(capsys.readouterr().out)
    assert list(meaning) == [*KEYS, "envelope", "malformed", "error"]
    assert set(meaning["error"]) == {"reason", "text"}
    assert not any(meaning[key] for key in KEYS)
