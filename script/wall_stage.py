"""A furnished building on the wall: simulated fleet, Home Assistant, names, browser.

What tests in a browser, screenshots and the benchmark of the wall stand on.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.async_api import Browser

from script.browser import chromium
from script.demo import answer_step, furnish, wait_for_zones, zones_of
from script.hass_process import HomeAssistantError, HomeAssistantProcess
from script.simulator import Simulator, free_port

ADDRESSES: Final = "127.0.0.2-127.0.0.64"
TITLE: Final = "Harbour offices"


@dataclass(frozen=True, slots=True)
class Stage:
    """What runs, and the entity id of each zone (1-315)."""

    server: HomeAssistantProcess
    simulator: Simulator
    browser: Browser
    entry_id: str
    zones: dict[int, str]


@asynccontextmanager
async def stage(
    folder: Path, *arguments: str, addresses: str = ADDRESSES
) -> AsyncIterator[Stage]:
    """Run a site of 315 zones, all of them well, in a Home Assistant in `folder`.

    `arguments` are for the simulated fleet, whose nodes are at `addresses`.

    Raises:
        HomeAssistantError: not all zones became available.

    """
    simulator = Simulator()
    async with (
        chromium() as browser,
        simulator.running(*arguments),
        HomeAssistantProcess(folder, port=free_port()) as server,
    ):
        await server.onboard()
        entry_id = await server.add_site(
            {"name": TITLE, "addresses": addresses, "port": simulator.port},
            answer_step,
        )
        async with server.websocket() as api:
            zones = await zones_of(api)
            if await wait_for_zones(api, zones) < len(zones):
                raise HomeAssistantError("not all zones became available")
            await furnish(api)
            # Names may have become part of new entity ids.
            zones = await zones_of(api)
        yield Stage(server, simulator, browser, entry_id, zones)
