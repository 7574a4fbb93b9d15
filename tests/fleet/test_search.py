"""Lost nodes are looked for at free addresses, rarely and on real sockets."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from custom_components.esp32_fire_alarm.fleet.link import only_here
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress
from custom_components.esp32_fire_alarm.fleet.search import (
    FIRST_SEARCH_SECONDS,
    SEARCH_AGAIN_SECONDS,
    LostNodeSearch,
)
from sim.fleet import SimulatedFleet

from .rig import FakeClock

pytestmark = pytest.mark.usefixtures("loopback")


class Searching:
    """A search among three nodes, two addresses of which are free."""

    def __init__(
        self, session: aiohttp.ClientSession, clock: FakeClock, fleet: SimulatedFleet
    ) -> None:
        """Begin with nobody lost."""
        self.fleet = fleet
        self.lost: dict[int, float] = {}
        self.free = {DeviceAddress(f"127.0.0.{n}", fleet.port) for n in (3, 4, 5)}
        self.search = LostNodeSearch(
            session, clock=clock, lost=lambda: self.lost, free=lambda: self.free
        )

    @property
    def asked(self) -> int:
        """How often anybody was asked."""
        return len(self.fleet.meter.connections)

    async def after(self, seconds: float, clock: FakeClock) -> int:
        """Let time pass for all; return how often anybody was asked in it."""
        before = self.asked
        self.lost = {node: age + seconds for node, age in self.lost.items()}
        await clock.advance(seconds)
        await self.search.search_if_due()
        return self.asked - before


@pytest.fixture
async def searching(clock: FakeClock) -> AsyncIterator[Searching]:
    """Two nodes at free addresses; the third free address is nobody's."""
    async with (
        SimulatedFleet(count=3, port=0, cycle_seconds=0.05) as fleet,
        aiohttp.ClientSession(trace_configs=[only_here()]) as session,
    ):
        yield Searching(session, clock, fleet)


async def test_first_after_five_minutes_then_every_hour(
    searching: Searching, clock: FakeClock
) -> None:
    assert await searching.after(0, clock) == 0
    searching.lost = {2: 0.0}
    assert await searching.after(FIRST_SEARCH_SECONDS - 1, clock) == 0
    assert await searching.after(1, clock) == 2
    assert {(str(one.address), one.listed) for one in searching.search.found} == {
        (f"127.0.0.3:{searching.fleet.port}", (2,)),
        (f"127.0.0.4:{searching.fleet.port}", (3,)),
    }
    assert searching.fleet.clients == 0
    assert await searching.after(SEARCH_AGAIN_SECONDS - 1, clock) == 0
    assert await searching.after(1, clock) == 2


async def test_another_lost_node_is_searched_for_soon(
    searching: Searching, clock: FakeClock
) -> None:
    searching.lost = {2: FIRST_SEARCH_SECONDS}
    assert await searching.after(0, clock) == 2
    searching.lost[3] = FIRST_SEARCH_SECONDS
    assert await searching.after(FIRST_SEARCH_SECONDS - 1, clock) == 0
    assert await searching.after(1, clock) == 2
    assert await searching.after(FIRST_SEARCH_SECONDS, clock) == 0


async def test_who_returned_is_forgotten(
    searching: Searching, clock: FakeClock
) -> None:
    searching.lost = {2: FIRST_SEARCH_SECONDS}
    await searching.after(0, clock)
    assert searching.search.found
    searching.lost = {}
    assert await searching.after(30, clock) == 0
    assert not searching.search.found
    # Lost again: five minutes again.
    searching.lost = {2: 0.0}
    assert await searching.after(FIRST_SEARCH_SECONDS, clock) == 2


async def test_nothing_to_ask(searching: Searching, clock: FakeClock) -> None:
    searching.free = set()
    searching.lost = {2: FIRST_SEARCH_SECONDS}
    assert await searching.after(0, clock) == 0
    assert not searching.search.found
