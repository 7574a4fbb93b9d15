"""A real Home Assistant process as what is soaked, seen from outside.

In real time only: it is set up through its dialogues, and watched through its
WebSocket API and the operating system.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
import tempfile
from typing import Final

from script.demo import answer_step, wait_for_zones, zones_of
from script.hass_process import DOMAIN, HomeAssistantProcess, WebSocketApi
from script.simulator import free_port
from sim.fleet import SimulatedFleet

from .oracle import Oracle
from .samples import MIB, Gauges, open_files, rss_bytes, threads

HANDSHAKES_AT_SETUP: Final = 2
"""One of the scan, one of the link."""


class House:
    """What a Home Assistant process tells and shows of the site."""

    def __init__(
        self, pid: int, fleet: SimulatedFleet, zones: dict[int, str], oracle: Oracle
    ) -> None:
        """Watch the process `pid`; `zones` are the entity ids by zone (1-315)."""
        self._pid = pid
        self._fleet = fleet
        self._zones = zones
        self._oracle = oracle
        self._on: set[str] = set()

    @property
    def frames(self) -> int:
        """How many messages were sent to it."""
        return self._fleet.meter.frames_sent

    @property
    def reconnects(self) -> list[int]:
        """How often each node's link came back, fewest first."""
        counts = Counter(knock.node for knock in self._fleet.meter.handshakes)
        nodes = self._fleet.nodes
        return sorted(
            max(0, counts[node.number] - HANDSHAKES_AT_SETUP) for node in nodes
        )

    def is_in_alarm(self, zone: int) -> bool:
        """Tell whether `zone` (1-315) is shown in alarm."""
        return self._zones[zone] in self._on

    def is_up(self, number: int) -> bool:
        """Tell whether a node has a client."""
        return self._fleet.node(number).clients > 0

    def gauges(self) -> Gauges:
        """Return what to measure of the process."""
        return {
            "memory (RSS), MiB": lambda: rss_bytes(self._pid) / MIB,
            "file descriptors": lambda: open_files(self._pid),
            "threads": lambda: threads(self._pid),
        }

    async def listen(self, api: WebSocketApi) -> None:
        """Follow events and states for ever."""
        while True:
            event = await api.next_event()
            data = event["data"]
            if event["event_type"] == "state_changed":
                is_on = (data["new_state"] or {}).get("state") == "on"
                change = self._on.add if is_on else self._on.discard
                change(data["entity_id"])
            elif data["type"] == "alarm":
                self._oracle.hear_alarm(data["zone"])
            elif data["type"] == "alarm_restored":
                self._oracle.hear_end(data["zone"])


@asynccontextmanager
async def living(fleet: SimulatedFleet, oracle: Oracle) -> AsyncIterator[House]:
    """Run a Home Assistant that is set up for the fleet."""
    with tempfile.TemporaryDirectory() as folder:
        async with HomeAssistantProcess(Path(folder), port=free_port()) as server:
            await server.onboard()
            first, last = fleet.nodes[0].host, fleet.nodes[-1].host
            site = {"name": "Soak", "addresses": f"{first}-{last}", "port": fleet.port}
            await server.add_site(site, answer_step)
            async with server.websocket() as api:
                zones = await zones_of(api)
                await wait_for_zones(api, zones)
                house = House(server.pid, fleet, zones, oracle)
                await api.call("subscribe_events", event_type="state_changed")
                await api.call("subscribe_events", event_type=f"{DOMAIN}_event")
                ear = asyncio.create_task(house.listen(api))
                try:
                    yield house
                finally:
                    ear.cancel()
                    with suppress(asyncio.CancelledError):
                        await ear
