"""A real Home Assistant in this process, and the integrations that compete in it.

It is started by the code behind the command `hass`, with the configuration
below: recorder on SQLite, history and logbook as most people have them. Only
what the measurements need is looked at from outside: the moment in which a
zone's state is in the state machine.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
import re
import socket
import time
from types import MappingProxyType
from typing import Any, Final, override

from homeassistant import bootstrap
from homeassistant.components.http.config import async_get_and_load_store
from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.const import (
    EVENT_STATE_CHANGED,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
)
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import get_instance
from homeassistant.runner import RuntimeConfig

from .plan import ZONES_PER_MODULE, NodePlan

CONFIGURATION: Final = """\
homeassistant:
  name: Benchmark
recorder:
history:
logbook:
automation: []
http:
  server_host: 127.0.0.1
  server_port: {port}
logger:
  default: error
  logs:
    # What a machine without sound and pictures lacks.
    haffmpeg: fatal
    homeassistant.components.camera.img_util: fatal
"""

SETTLE_SECONDS: Final = 2.0
"""After its start Home Assistant is left alone for so long."""

ENTITY_SECONDS: Final = 120.0
"""Longest wait for the entities of all zones."""

_ZONE: Final = re.compile(r"zone_(\d+)$")
_PROBE: Final = "binary_sensor.benchmark_probe"
_RIVALS: Final = Path(__file__).parent / "rivals"


class Home:
    """Home Assistant, ready to be given an integration."""

    domain: str

    def __init__(self, folder: Path) -> None:
        """Use `folder` for its configuration and database."""
        self._folder = folder
        self._entries: list[ConfigEntry[Any]] = []
        self._zones: dict[str, int] = {}
        self.hass: HomeAssistant | None = None
        self.arrivals: list[tuple[int, int]] = []
        self._came_back_ns: list[int] = []

    @property
    def frames(self) -> int | None:
        """How many messages were handled so far, if that is known."""
        return None

    async def start(self) -> None:
        """Start Home Assistant without any of the contestants."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        (self._folder / "configuration.yaml").write_text(
            CONFIGURATION.format(port=port)
        )
        hass = await bootstrap.async_setup_hass(
            RuntimeConfig(config_dir=str(self._folder), skip_pip=True)
        )
        assert hass is not None
        assert not hass.config.recovery_mode
        self.hass = hass
        await hass.async_start()
        # Unconfirmed, what the YAML says of http would restart Home Assistant in
        # five minutes, which in this process ends it.
        await (await async_get_and_load_store(hass)).async_promote_pending()
        await hass.async_block_till_done()
        await self.settle()
        await asyncio.sleep(SETTLE_SECONDS)

    async def connect(self, plans: list[NodePlan], port: int) -> None:
        """Set up the integration and wait until all zones have an entity."""
        assert self.hass is not None
        await self._set_up(plans, port)
        wanted = sum(len(one.modules) for one in plans) * ZONES_PER_MODULE
        async with asyncio.timeout(ENTITY_SECONDS):
            while len(zones := self._find_zones()) < wanted:
                await asyncio.sleep(0.1)
        if not self._zones:
            self.hass.bus.async_listen(EVENT_STATE_CHANGED, self._note)
        self._zones = zones

    async def settle(self) -> None:
        """Let the recorder write what it has: it does so every five seconds."""
        assert self.hass is not None
        await self.hass.async_block_till_done()
        await get_instance(self.hass).async_block_till_done()

    async def disconnect(self) -> None:
        """Remove what was set up."""
        assert self.hass is not None
        for entry in self._entries:
            await self.hass.config_entries.async_remove(entry.entry_id)
        self._entries.clear()

    async def recovered_at(self) -> list[int]:
        """Return the moments in which zones became available, and forget them."""
        moments, self._came_back_ns = self._came_back_ns, []
        return moments

    async def write_states(self, count: int, gap: float) -> list[float]:
        """Write a state of nobody's now and then; return how long each took, in ms."""
        assert self.hass is not None
        waits: list[float] = []
        for number in range(count):
            await asyncio.sleep(gap)
            began = time.perf_counter()
            self.hass.states.async_set(_PROBE, STATE_OFF if number % 2 else STATE_ON)
            waits.append((time.perf_counter() - began) * 1e3)
        return waits

    def info(self) -> dict[str, Any]:
        """Return how many entities there are."""
        assert self.hass is not None
        return {"entities": len(self.hass.states.async_entity_ids())}

    async def _set_up(self, plans: list[NodePlan], port: int) -> None:
        """Set up the integration for these nodes."""
        raise NotImplementedError

    async def _add(self, title: str, data: Mapping[str, Any]) -> None:
        """Set up one config entry."""
        assert self.hass is not None
        entry: ConfigEntry[Any] = ConfigEntry(
            domain=self.domain,
            title=title,
            data=data,
            options={},
            version=1,
            minor_version=1,
            source=SOURCE_USER,
            unique_id=f"bench_{title}",
            discovery_keys=MappingProxyType({}),
            subentries_data=(),
        )
        await self.hass.config_entries.async_add(entry)
        self._entries.append(entry)

    def _find_zones(self) -> dict[str, int]:
        """Return the zones by the ids of their entities."""
        assert self.hass is not None
        entries = er.async_get(self.hass).entities.get_entries_for_config_entry_id
        found: dict[str, int] = {}
        for config in self._entries:
            for one in entries(config.entry_id):
                if one.domain == "binary_sensor" and (
                    match := _ZONE.search(one.unique_id)
                ):
                    found[one.entity_id] = int(match[1])
        return found

    @callback
    def _note(self, event: Event[EventStateChangedData]) -> None:
        """Note when a zone went into alarm or became available."""
        new, old = event.data["new_state"], event.data["old_state"]
        zone = self._zones.get(event.data["entity_id"])
        if zone is None or new is None:
            return
        if new.state == STATE_ON and (old is None or old.state != STATE_ON):
            self.arrivals.append((zone, time.monotonic_ns()))
        if old is not None and old.state == STATE_UNAVAILABLE != new.state:
            self._came_back_ns.append(time.monotonic_ns())


class Ours(Home):
    """This integration, one config entry per 63 nodes."""

    domain = "esp32_fire_alarm"

    @property
    @override
    def frames(self) -> int:
        return sum(
            record.frames
            for entry in self._entries
            for record in entry.runtime_data.health.records.values()
        )

    @override
    async def _set_up(self, plans: list[NodePlan], port: int) -> None:
        for site in sorted({one.site for one in plans}):
            nodes = [
                {
                    "node": one.node,
                    "host": one.host,
                    "port": port,
                    "modules": list(one.modules),
                    "offset": 0,
                    "standby_host": None,
                    "standby_port": None,
                }
                for one in plans
                if one.site == site
            ]
            data = {"addresses": "", "port": port, "standby": "", "nodes": nodes}
            await self._add(f"site {site}", data)


class Plain(Home):
    """The plain design; see `rivals/plain_fire_alarm`."""

    domain = "plain_fire_alarm"

    @override
    async def start(self) -> None:
        # The integration is no part of the product, so it lives elsewhere.
        import custom_components  # noqa: PLC0415

        custom_components.__path__.append(str(_RIVALS))
        await super().start()

    @property
    @override
    def frames(self) -> int:
        return sum(entry.runtime_data.frames for entry in self._entries)

    @override
    async def _set_up(self, plans: list[NodePlan], port: int) -> None:
        for site in sorted({one.site for one in plans}):
            nodes = [one for one in plans if one.site == site]
            data = {
                "site": site,
                "urls": [f"ws://{one.host}:{port}/" for one in nodes],
                "modules": sum(len(one.modules) for one in nodes),
            }
            await self._add(f"site {site}", data)


class Mqtt(Home):
    """Home Assistant's own mqtt integration, told of the zones by discovery."""

    domain = "mqtt"

    @override
    async def _set_up(self, plans: list[NodePlan], port: int) -> None:
        """Set up the connection to the broker on `port`, as a user does."""
        assert self.hass is not None
        flows = self.hass.config_entries.flow
        form = await flows.async_init("mqtt", context={"source": SOURCE_USER})
        done = await flows.async_configure(
            form["flow_id"],
            {
                "broker": "127.0.0.1",
                "port": port,
                "other_settings": {"set_client_cert": False, "set_ca_cert": "off"},
            },
        )
        assert done["type"] is FlowResultType.CREATE_ENTRY, done
        self._entries.append(done["result"])
