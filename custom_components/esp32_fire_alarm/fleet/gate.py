"""The one door through which all connects of a site go."""

import asyncio
from collections.abc import Callable

from .timing import CONNECT_SPACING_SECONDS, MAX_CONNECTS_IN_FLIGHT, Clock


class ConnectGate:
    """Lets at most eight connects run at once, their starts 50-100 ms apart."""

    def __init__(self, clock: Clock, chance: Callable[[], float]) -> None:
        """Start open; `chance` returns 0-1."""
        self._clock = clock
        self._chance = chance
        self._slots = asyncio.Semaphore(MAX_CONNECTS_IN_FLIGHT)
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> None:
        """Wait for a slot, then for the gap to the start before."""
        await self._slots.acquire()
        try:
            async with self._turn:
                least, most = CONNECT_SPACING_SECONDS
                await self._clock.sleep(least + self._chance() * (most - least))
        except BaseException:
            self._slots.release()
            raise

    async def __aexit__(self, *exc_info: object) -> None:
        """Give the slot to the next one."""
        self._slots.release()
