"""A site in a running Home Assistant, and a hand on what its nodes say."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
import time
from typing import Any

from homeassistant.const import (
    EVENT_STATE_CHANGED,
    EVENT_STATE_REPORTED,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
)
from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.fleet.timing import SystemClock
from custom_components.esp32_fire_alarm.site import FireAlarmSite
from custom_components.esp32_fire_alarm.topology import nodes_to_entry

REAL_CAPTURE = (Path(__file__).parent / "fixtures/real_capture.bin").read_bytes()
ALL_MODULES = tuple(range(1, 64))
SITE_ID = "site_under_test"

QUIET = "41DF"
ALARM_LED = "41CF"
TROUBLE_LED = "41D7"

CLOSED_PORT = 1
"""Nothing listens there: the links stay down, and frames are fed by hand."""


class LeapingClock(SystemClock):
    """The real time, but for the leaps that a test makes it take."""

    def __init__(self) -> None:
        """Start at the real time."""
        self.ahead_seconds = 0.0

    def now(self) -> float:
        """Return monotonic seconds, leaps included."""
        return time.monotonic() + self.ahead_seconds


def node(
    number: int,
    *modules: int,
    port: int = CLOSED_PORT,
    standby: DeviceAddress | None = None,
) -> NodeConfig:
    """Return a node on a loopback address of its own; its module is its number."""
    address = DeviceAddress(f"127.0.0.{number + 1}", port)
    return NodeConfig(number, address, modules or (number,), standby=standby)


def distributed(port: int = CLOSED_PORT) -> list[NodeConfig]:
    """Return 63 nodes with a module each."""
    return [node(number, port=port) for number in ALL_MODULES]


def bridge(port: int = CLOSED_PORT) -> NodeConfig:
    """Return one node with 63 modules."""
    return node(1, *ALL_MODULES, port=port)


def frame(*segments: str, master: str = QUIET, **telemetry: int) -> bytes:
    """Return a message as the firmware sends it; telemetry goes into the envelope."""
    data = " ".join((master, *(f"<STX>\x02{one}" for one in segments), "<STX><ETX>"))
    fields = {"timestamp": 1000, "clients": 1, "freeHeap": 200_000} | telemetry
    rest = "".join(f',"{key}":{value}' for key, value in fields.items())
    return f'{{"data":"{data}|FB:SKIP|TS:1|MODE:Offline"{rest}}}'.encode()


def all_clear(modules: Iterable[int]) -> bytes:
    """Return a frame in which all modules answer and nothing is wrong."""
    return frame(*(f"{module:02d}0000" for module in modules))


class RunningSite:
    """A config entry that is set up, seen through states and registries."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry) -> None:
        """Look at `entry`."""
        self.hass = hass
        self.entry = entry

    @property
    def engine(self) -> FireAlarmSite:
        """What runs behind the entities."""
        site: FireAlarmSite = self.entry.runtime_data
        return site

    async def settle(self) -> None:
        """Let everything happen that is due; nodes are told one per loop turn."""
        for _ in range(2 * len(self.engine.configs) + 2):
            await asyncio.sleep(0)
        while self.engine._notifier.is_busy:
            await asyncio.sleep(0)
        while self.engine.desk._bus.waiting:
            await asyncio.sleep(0.001)
        await self.hass.async_block_till_done()

    async def feed(self, number: int, *raws: bytes) -> None:
        """Let a node send these messages, one after the other."""
        for raw in raws:
            self.engine.aggregator.feed(number, raw)
            await self.settle()

    async def wait_for_refusals(self) -> None:
        """Wait until every node was tried once, so that health moves no more."""
        healths = [f"node_{number}_health" for number in self.engine.configs]
        await until(lambda: {self.value(key) for key in healths} == {"lost"}, 8)

    async def feed_all(self) -> None:
        """Let every node say that all its modules are well."""
        for config in self.engine.configs.values():
            self.engine.aggregator.feed(config.node, all_clear(config.modules))
        await self.settle()

    async def publish_health(self) -> None:
        """Let the half minute end after which figures are shown anew."""
        for coordinator in self.engine.coordinators.values():
            if coordinator.async_take_health(is_due=True):
                coordinator.async_update_listeners()
        await self.settle()

    async def change_nodes(self, *nodes: NodeConfig) -> None:
        """Configure other nodes while the site does not run, and set it up again."""
        await self.remove()
        self._configure(nodes)
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()

    async def rearrange(self, *nodes: NodeConfig) -> None:
        """Configure other nodes while the site runs."""
        self._configure(nodes)
        await self.hass.async_block_till_done()

    def _configure(self, nodes: Iterable[NodeConfig]) -> None:
        """Store other nodes with the entry."""
        self.hass.config_entries.async_update_entry(
            self.entry, data={**self.entry.data, "nodes": nodes_to_entry(nodes)}
        )

    async def remove(self) -> None:
        """Unload the site while its nodes are still there."""
        assert await self.hass.config_entries.async_unload(self.entry.entry_id)

    async def lose(self, number: int) -> None:
        """Cut a node's link."""
        self.engine.aggregator.lose(number)
        await self.settle()

    async def tick(self) -> None:
        """Let the fleet look at its clock."""
        self.engine.aggregator.tick()
        await self.settle()

    def entity_id(self, platform: str, key: str) -> str:
        """Return the id of the entity whose unique id ends in `key`."""
        found = er.async_get(self.hass).async_get_entity_id(
            platform, DOMAIN, f"{self.entry.unique_id}_{key}"
        )
        assert found is not None, key
        return found

    def state(self, platform: str, key: str) -> State:
        """Return the state of an entity."""
        state = self.hass.states.get(self.entity_id(platform, key))
        assert state is not None, key
        return state

    def count_entities(self) -> tuple[int, int]:
        """Return how many sensors of both kinds are enabled, and how many there are."""
        entries = [
            entry
            for entry in er.async_entries_for_config_entry(
                er.async_get(self.hass), self.entry.entry_id
            )
            if entry.domain in ("binary_sensor", "sensor")
        ]
        return sum(not entry.disabled for entry in entries), len(entries)

    def is_on(self, key: str) -> str:
        """Return the state of a binary sensor."""
        return self.state("binary_sensor", key).state

    def value(self, key: str) -> str:
        """Return the state of a sensor."""
        return self.state("sensor", key).state

    def zone(self, zone: int) -> State:
        """Return the state of a zone."""
        return self.state("binary_sensor", f"zone_{zone}")

    def zones(self, state: str) -> list[int]:
        """Return the zones in a state."""
        return [
            zone for zone in self.engine.truth.zones if self.zone(zone).state == state
        ]

    def census(self) -> tuple[int, int, int]:
        """Return how many zones are on, off and unavailable."""
        on, off, gone = (
            len(self.zones(state)) for state in (STATE_ON, STATE_OFF, STATE_UNAVAILABLE)
        )
        return on, off, gone

    def has(self, zone: int, attribute: str) -> bool:
        """Return an attribute of a zone that is true or false."""
        value = self.zone(zone).attributes[attribute]
        assert isinstance(value, bool)
        return value


async def set_up(
    hass: HomeAssistant,
    *nodes: NodeConfig,
    title: str = "Tower",
    site_id: str = SITE_ID,
    options: Mapping[str, Any] | None = None,
) -> RunningSite:
    """Set up a site with these nodes."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=title,
        unique_id=site_id,
        data={
            "addresses": "",
            "port": CLOSED_PORT,
            "standby": "",
            "nodes": nodes_to_entry(nodes),
        },
        options=options or {},
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return RunningSite(hass, entry)


class WriteCounter:
    """Counts state writes of sensors, also those that wrote the same again."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin to count."""
        self.changed: list[str] = []
        self.reported: list[str] = []
        hass.bus.async_listen(
            EVENT_STATE_CHANGED, self._note_change, event_filter=self._accept
        )
        hass.bus.async_listen(
            EVENT_STATE_REPORTED, self._note_report, event_filter=self._accept
        )

    def take(self) -> list[str]:
        """Return the entities written to since the last call."""
        written = self.changed + self.reported
        self.changed, self.reported = [], []
        return written

    @callback
    def _note_change(self, event: Event[Any]) -> None:
        self.changed.append(event.data["entity_id"])

    @callback
    def _note_report(self, event: Event[Any]) -> None:
        self.reported.append(event.data["entity_id"])

    @callback
    def _accept(self, data: Mapping[str, Any]) -> bool:
        domain = data["entity_id"].partition(".")[0]
        return domain in ("binary_sensor", "sensor")


async def until(condition: Callable[[], object], seconds: float) -> None:
    """Wait until the condition holds, or fail after so many seconds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)
