"""A browser that watches a site over Home Assistant's WebSocket API."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from homeassistant.components.websocket_api.const import TYPE_RESULT
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket

from custom_components.esp32_fire_alarm import feed
from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.wire import ZoneBit
from tests.running_site import RunningSite

AVAILABLE = int(ZoneBit.AVAILABLE)
ALARM = int(ZoneBit.ALARM | ZoneBit.LIVE | ZoneBit.AVAILABLE)
ANSWER_SECONDS = 2.0
QUIET_SECONDS = 0.4
"""Longer than changes are gathered."""


class Browser:
    """One connection to Home Assistant's WebSocket API."""

    def __init__(self, socket: MockHAClientWebSocket, entry_id: str) -> None:
        self._socket = socket
        self._entry_id = entry_id

    async def ask(self, command: str, **fields: Any) -> Any:
        """Send a command and return its answer, error or result."""
        await self.send(command, **fields)
        answer = await self.receive()
        assert answer["type"] == TYPE_RESULT
        return answer["result"] if answer["success"] else answer["error"]["code"]

    async def send(self, command: str, **fields: Any) -> None:
        """Send a command about the site."""
        about = {"entry_id": self._entry_id, **fields}
        await self._socket.send_json_auto_id({"type": f"{DOMAIN}/{command}", **about})

    async def watch(self, command: str = "subscribe_site") -> Any:
        """Subscribe and return the first event."""
        assert await self.ask(command) is None
        return await self.event()

    async def receive(self) -> Any:
        """Return the next message."""
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self._socket.receive_json()

    async def event(self) -> Any:
        """Return what the next event says."""
        message = await self.receive()
        assert message["type"] == "event"
        return message["event"]

    async def hears_nothing(self) -> bool:
        """Tell whether nothing comes for a while."""
        try:
            async with asyncio.timeout(QUIET_SECONDS):
                await self._socket.receive_json()
        except TimeoutError:
            return True
        return False


type Open = Callable[[RunningSite], Awaitable[Browser]]


async def pulse(hass: HomeAssistant) -> None:
    """Let the time of the next pulse come."""
    soon = dt_util.utcnow() + timedelta(seconds=feed.PULSE_SECONDS)
    async_fire_time_changed(hass, soon)
    await hass.async_block_till_done()
