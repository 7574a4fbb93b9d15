"""Every fault that the simulator can play, against everything that is promised."""

import asyncio
from functools import partial

import pytest

from benchmarks.adversary import (
    HAZARDS,
    Hazard,
    Promise,
    try_hazard,
)
from benchmarks.engine import catching_errors
from custom_components.esp32_fire_alarm.fleet import link, pool
from custom_components.esp32_fire_alarm.fleet.aggregator import MessageAggregator
from custom_components.esp32_fire_alarm.fleet.inbox import Inbox
from custom_components.esp32_fire_alarm.fleet.link import DeviceLink
from custom_components.esp32_fire_alarm.fleet.timing import (
    CLOSE_SECONDS,
    CONNECT_SECONDS,
    Supervision,
)
from sim.faults import Fault
from tests.fleet.rig import FakeClock

pytestmark = pytest.mark.usefixtures("loopback")

STEP_SECONDS = 0.5
REAL_STEP_SECONDS = 0.02
SHORT = Supervision(heartbeat_seconds=5, silence_seconds=5, hold_seconds=10)
"""Detection within 8.5 s and given up within 18.5 s, to save time."""


class QuickPace:
    """The test's clock goes 20 times as fast as the simulator's."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.scale = 0.05

    async def step(self) -> None:
        """Let half a second pass, and frames come in."""
        await self.clock.advance(STEP_SECONDS)
        await asyncio.sleep(REAL_STEP_SECONDS)


@pytest.fixture
def pace(monkeypatch: pytest.MonkeyPatch) -> QuickPace:
    """A quick pace, kept by the timeouts of sockets too."""
    pace = QuickPace()
    monkeypatch.setattr(link, "CLOSE_SECONDS", CLOSE_SECONDS * pace.scale)
    quick = partial(link.open_socket, timeout_seconds=CONNECT_SECONDS * pace.scale)
    monkeypatch.setattr(pool, "open_socket", quick)
    return pace


@pytest.mark.parametrize("hazard", HAZARDS)
async def test_promises_are_kept(hazard: Hazard, pace: QuickPace) -> None:
    with catching_errors() as catcher:
        outcome = await try_hazard(hazard, pace, supervision=SHORT, cycle_seconds=0.05)
    print(outcome)
    assert outcome.broken == {}
    assert catcher.errors == []


@pytest.mark.parametrize(
    ("hazard", "promise"),
    [
        (Fault.HALF_OPEN, Promise.NEVER_CLEAR),
        (Fault.OLD_FRAMES, Promise.TOLD_ONCE),
        (Fault.GARBAGE, Promise.SHOWN),
    ],
)
async def test_a_trial_finds_what_is_broken(
    hazard: Hazard, promise: Promise, pace: QuickPace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without what keeps a promise, its trial says so."""
    if hazard is Fault.HALF_OPEN:
        monkeypatch.setattr(DeviceLink, "tick", _never_cut)
    elif hazard is Fault.OLD_FRAMES:
        monkeypatch.setattr(Inbox, "refuses", lambda self, raw, now: False)
    else:
        feed = MessageAggregator.feed
        monkeypatch.setattr(
            MessageAggregator, "feed", lambda *args: feed(*args) or True
        )
    outcome = await try_hazard(hazard, pace, supervision=SHORT, cycle_seconds=0.05)
    assert promise in outcome.broken


def _never_cut(link: DeviceLink) -> None:
    """Find every link alive."""
