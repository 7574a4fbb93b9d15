"""The floor: read each message and parse its JSON, without Home Assistant.

Nobody who looks into every message can be cheaper with aiohttp. The single link
does the same for one node, and unpacks its zones one by one, as an app does that
is connected to one ESP32.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import json
import time
from typing import Any, Final

import aiohttp

from .cycle import zones_in
from .plan import NodePlan

_PARSER: Final = json.JSONDecoder(strict=False)
"""Not strict, because the firmware sends raw control characters in strings."""

RECONNECT_SECONDS: Final = 0.5

ALARM_LED_ON: Final = "CF"
"""The master word's status byte while there is an alarm."""


class Floor:
    """One task per node: read, parse, next."""

    def __init__(self, *, unpack: bool = False) -> None:
        """Start without links; with `unpack` look at every zone of every frame."""
        self.frames = 0
        self.arrivals: list[tuple[int, int]] = []
        self._unpack: Callable[[str], object] | None = zones_in if unpack else None
        self._tasks: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Make the session that all links share."""
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(connector=connector)

    async def connect(self, plans: list[NodePlan], port: int) -> None:
        """Connect to all nodes in the background."""
        self._tasks = [asyncio.create_task(self._keep(one, port)) for one in plans]

    async def settle(self) -> None:
        """Nothing is left to do."""

    async def disconnect(self) -> None:
        """End all links."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _keep(self, one: NodePlan, port: int) -> None:
        """Keep one link, for ever."""
        assert self._session is not None
        while True:
            with suppress(aiohttp.ClientError, OSError):
                async with self._session.ws_connect(
                    f"ws://{one.host}:{port}/"
                ) as socket:
                    await self._listen(socket)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Take in messages until the link ends."""
        async for message in socket:
            cycle: str = _PARSER.decode(message.data)["data"]
            self.frames += 1
            if self._unpack is not None:
                self._unpack(cycle)
            if cycle[2:4] == ALARM_LED_ON:
                self._note_alarms(cycle, time.monotonic_ns())

    def _note_alarms(self, cycle: str, now_ns: int) -> None:
        """Note when the zones in alarm were known."""
        self.arrivals += [
            (zone, now_ns) for zone, is_alarm in zones_in(cycle).items() if is_alarm
        ]

    async def recovered_at(self) -> list[int]:
        """Return nothing: the load knows when the last client was back."""
        return []

    async def write_states(self, count: int, gap: float) -> list[float]:
        """Return nothing: there are no states."""
        return []

    def info(self) -> dict[str, Any]:
        """Return what else is worth knowing."""
        return {}
