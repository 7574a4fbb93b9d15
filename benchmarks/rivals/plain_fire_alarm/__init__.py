"""The plain design: what one writes first, and what most push integrations are.

One task per ESP32 reads its WebSocket. Each message is parsed in an executor job
of its own, and the one coordinator of the site then notifies all its entities,
each of which writes its state.
"""

import asyncio
import json
from typing import Final

import aiohttp
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from benchmarks.cycle import zones_in

from .coordinator import PlainCoordinator

RECONNECT_SECONDS: Final = 5.0

type PlainConfigEntry = ConfigEntry[PlainCoordinator]

_PARSER: Final = json.JSONDecoder(strict=False)


def parse(raw: str) -> dict[int, bool]:
    """Return whether each zone of a message is in alarm."""
    return zones_in(_PARSER.decode(raw)["data"])


async def async_setup_entry(hass: HomeAssistant, entry: PlainConfigEntry) -> bool:
    """Connect to all nodes."""
    coordinator = entry.runtime_data = PlainCoordinator(hass, entry)
    await hass.config_entries.async_forward_entry_setups(
        entry, [Platform.BINARY_SENSOR]
    )
    for url in entry.data["urls"]:
        entry.async_create_background_task(
            hass, keep(hass, coordinator, url), f"plain fire alarm {url}"
        )
    return True


async def async_unload_entry(hass: HomeAssistant, entry: PlainConfigEntry) -> bool:
    """Unload the entities; the tasks are cancelled by Home Assistant."""
    return await hass.config_entries.async_unload_platforms(
        entry, [Platform.BINARY_SENSOR]
    )


async def keep(hass: HomeAssistant, coordinator: PlainCoordinator, url: str) -> None:
    """Keep one link, for ever."""
    session = async_get_clientsession(hass)
    while True:
        try:
            async with session.ws_connect(url, heartbeat=30) as socket:
                await listen(hass, coordinator, socket)
        except aiohttp.ClientError, OSError:
            pass
        await asyncio.sleep(RECONNECT_SECONDS)


async def listen(
    hass: HomeAssistant,
    coordinator: PlainCoordinator,
    socket: aiohttp.ClientWebSocketResponse,
) -> None:
    """Take in messages until the link ends."""
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            zones = await hass.async_add_executor_job(parse, message.data)
            coordinator.frames += 1
            coordinator.async_set_updated_data(coordinator.data | zones)
