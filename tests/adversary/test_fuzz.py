"""The short form of `script/fuzz`, the same inputs every time, and that it can fail."""

import sys

import pytest

from custom_components.esp32_fire_alarm.fleet import frame as frame_module, glance
from custom_components.esp32_fire_alarm.fleet.frame import FrameError, FrameFault

from .fuzz import TARGETS, frames, run, texts
from .fuzz.__main__ import main

SEED = 5
EXAMPLES = {"frame": 4000, "addresses": 500, "sheet": 2500, "scenario": 250}


@pytest.mark.parametrize("name", TARGETS)
def test_hostile_inputs(name: str) -> None:
    result = run(name, SEED, examples=EXAMPLES[name])
    assert result.failure is None, repr(result.failing)
    assert result.examples == EXAMPLES[name]


def test_the_same_seed_makes_the_same_inputs() -> None:
    for name, target in TARGETS.items():
        one, other = target(7), target(7)
        assert [one.make() for _ in range(50)] == [other.make() for _ in range(50)], (
            name
        )


def test_a_decoder_that_loses_a_bit_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_module, "ZONE_BITS", 0x0F)
    frame_module._read_segment.cache_clear()
    result = run("frame", SEED, examples=4000)
    frame_module._read_segment.cache_clear()
    assert result.failure is not None
    assert "decoded" in result.failure


def test_a_decoder_that_raises_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def fragile(raw: bytes) -> object:
        if b"\xff" in raw:
            raise UnicodeError("cannot read that")
        raise FrameError(FrameFault.EMPTY, "")

    monkeypatch.setattr(frames, "decode", fragile)
    monkeypatch.setattr(frames, "read", lambda raw: None)
    monkeypatch.setattr(frames, "may_alarm", lambda mark: True)
    result = run("frame", SEED, examples=4000)
    assert result.failure == "UnicodeError: cannot read that"


def test_a_glance_that_overlooks_an_alarm_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lit = frame_module.decode(LIT)
    monkeypatch.setattr(frames, "may_alarm", lambda mark: False)
    monkeypatch.setattr(frames, "decoded", lambda raw: lit)
    monkeypatch.setattr(frames, "read", lambda raw: frames.meaning_of(lit))
    result = run("frame", SEED, examples=10)
    assert result.failure == "AssertionError: an alarm was overlooked"


LIT = b"51CF<STX>010001"


def test_a_fingerprint_that_is_too_coarse_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frames, "fingerprint", lambda raw: raw[:8])
    monkeypatch.setattr(frames, "may_alarm", lambda mark: True)
    result = run("frame", SEED, examples=4000)
    assert result.failure is not None
    assert "the same fingerprint" in result.failure


def test_a_likeness_that_is_too_coarse_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(glance.Likeness, "fits", lambda self, raw: True)
    result = run("frame", SEED, examples=4000)
    assert result.failure is not None
    assert "taken for another" in result.failure


def test_a_time_limit_ends_it() -> None:
    assert run("frame", SEED, examples=10**9, seconds=0.2).examples > 10


def test_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["script/fuzz", "addresses", "--examples", "50", "--seed", "3"]
    monkeypatch.setattr(sys, "argv", arguments)
    assert main() == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == "seed 3"
    assert second.split()[:3] == ["addresses", "50", "inputs"]
    monkeypatch.setattr(texts, "is_local", lambda host: False)
    assert main() == 1
    assert "AssertionError" in capsys.readouterr().out


def test_what_is_calm_is_decoded_without_an_alarm_in_every_documented_frame() -> None:
    """The corpus itself, unmutated."""
    target = frames.FrameFuzz(SEED)
    for raw in target._mutator._corpus:
        target.check(raw)
        assert len(glance.fingerprint(raw)) <= len(raw) + 1
