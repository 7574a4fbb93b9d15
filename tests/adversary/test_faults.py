"""Every fault that the simulator can play, against everything that is promised."""

import asyncio
from functools import partial

import pytest

from benchmarks.adversary import HAZARDS, Hazard, try_hazard
from custom_components.esp32_fire_alarm.fleet import link, pool
from custom_components.esp32_fire_alarm.fleet.timing import (
    CLOSE_SECONDS,
    CONNECT_SECONDS,
    Supervision,
)
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
    outcome = await try_hazard(hazard, pace, supervision=SHORT, cycle_seconds=0.05)
    print(outcome)
    assert outcome.broken == {}
