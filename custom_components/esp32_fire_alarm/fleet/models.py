"""What the rooms of the fleet hand to each other.

Passing values only, no behaviour beyond reading them: frozen dataclasses, and
named tuples for what every alarm is made of, which are quicker to make and to
compare. Nothing here may open a socket, keep time or know Home Assistant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

MODULES_PER_SITE: Final = 63
"""Highest module address on one panel bus (PROTOCOL 2.5: decimal 01-63)."""

ZONES_PER_MODULE: Final = 5
ZONES_PER_SITE: Final = MODULES_PER_SITE * ZONES_PER_MODULE

DEFAULT_PORT: Final = 81
"""Port of the ESP32's WebSocket server as shipped (PROTOCOL 1)."""


def zone_number(module: int, position: int) -> int:
    """Return the site-wide zone number, 1-315, of zone `position` (1-5) of `module`."""
    return (module - 1) * ZONES_PER_MODULE + position


def module_of_zone(zone: int) -> int:
    """Return the module, 1-63, that carries site-wide `zone` (1-315)."""
    return (zone - 1) // ZONES_PER_MODULE + 1


def position_of_zone(zone: int) -> int:
    """Return the place, 1-5, of site-wide `zone` (1-315) on its module."""
    return (zone - 1) % ZONES_PER_MODULE + 1


def zones_of_module(module: int) -> range:
    """Return the five site-wide zone numbers of `module` (1-63)."""
    first = zone_number(module, 1)
    return range(first, first + ZONES_PER_MODULE)


@dataclass(frozen=True, slots=True, order=True)
class DeviceAddress:
    """Where one ESP32 listens.

    `host` is an IPv4 or IPv6 address without brackets, or a host name;
    `port` is 1-65535.
    """

    host: str
    port: int = DEFAULT_PORT

    @property
    def url(self) -> str:
        """The WebSocket URL; the firmware serves no path but `/`."""
        return f"ws://{self}/"

    def __str__(self) -> str:
        """Return `host:port`, with brackets round an IPv6 address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Led(StrEnum):
    """A lamp on the panel's front, as the master status byte reports it."""

    DISABLED = "disabled"
    SILENCED = "silenced"
    DRILL = "drill"
    TROUBLE = "trouble"
    ALARM = "alarm"
    DC = "dc"
    AC = "ac"
    BACKLIGHT = "backlight(b7)"


@dataclass(frozen=True, slots=True)
class PanelStatus:
    """The master word in front of a frame.

    `header` and `status` are bytes (0-255); the meaning of the header is not
    known. `checksum` is the second half of an 8-character prefix, which only
    test servers send and nobody verifies.
    """

    header: int
    status: int
    lit: tuple[Led, ...]
    checksum: str | None = None


class ModuleState(NamedTuple):
    """One module as one device reports it.

    `alarm` and `trouble` are five-bit masks, bit 0 = first zone of the module.
    An offline module (its address came without bytes) has both at 0, which
    says nothing about its zones. `bell` is the commanded bell (CC bit 0x20);
    `bit5` is BB bit 0x20, whose meaning no document confirms.
    """

    online: bool
    alarm: int = 0
    trouble: int = 0
    bell: bool = False
    bit5: bool = False


def suffix_fields(suffix: str) -> dict[str, str]:
    """Return the fields of a suffix, such as FB, TS and MODE."""
    fields = (part.partition(":") for part in suffix.split("|"))
    return {key.strip(): value.strip() for key, colon, value in fields if colon}


class DeviceFrame(NamedTuple):
    """The meaning of one WebSocket message of one ESP32.

    `modules` maps the address on the wire (1-63) to its state; an address
    whose segment was unreadable is absent and counted in `malformed`.
    `uptime_ms` counts from the ESP32's boot and wraps at 2**32. `suffix` is what
    stands behind the first bar of the data, such as `FB:SKIP|MODE:Offline`.
    """

    panel: PanelStatus | None
    modules: Mapping[int, ModuleState]
    confirmations: tuple[tuple[int, str], ...] = ()
    malformed: int = 0
    uptime_ms: int | None = None
    clients: int | None = None
    free_heap: int | None = None
    suffix: str = ""

    @property
    def firebase(self) -> str | None:
        """What the ESP32 says of its cloud."""
        return suffix_fields(self.suffix).get("FB")

    @property
    def mode(self) -> str | None:
        """How the ESP32 says that it runs."""
        return suffix_fields(self.suffix).get("MODE")


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """One ESP32 of the site as the installer configured it.

    `node` is its place in the fleet (1-1024), stable for as long as the site
    exists. A module's site address is its address on the wire plus `offset`.
    `modules` are the site addresses (1-63) the node is known to carry.
    """

    node: int
    address: DeviceAddress
    modules: tuple[int, ...] = ()
    offset: int = 0
    standby: DeviceAddress | None = None


class ZoneState(NamedTuple):
    """What the site says of one zone, 1-315.

    `alarm` is the shown value, latched by the panel's Alarm LED; `live` is
    the input as the devices report it now. When `available` is false nothing
    but a standing alarm may be believed. `held` means that the last state is
    shown although its link is lost.
    """

    zone: int
    alarm: bool = False
    live: bool = False
    trouble: bool = False
    available: bool = False
    held: bool = False


class ModuleStatus(NamedTuple):
    """What the site says of one module, 1-63.

    `online` is None while no device says anything about it. `source` is the
    node whose all-clear is believed at the moment, `owner` the node that
    should be.
    """

    module: int
    owner: int
    source: int | None = None
    online: bool | None = None
    bell: bool = False
    bit5: bool = False

    @property
    def is_stood_in(self) -> bool:
        """Tell whether another node than its owner speaks for the module."""
        return self.source not in (None, self.owner)


class LatchMode(StrEnum):
    """How long a zone that went into alarm stays shown in alarm."""

    PANEL = "panel"
    """Until the panel's Alarm LED goes out, like on the panel itself."""
    HOME_ASSISTANT = "home_assistant"
    """Until somebody resets it in Home Assistant, whatever the panel does."""
    NONE = "none"
    """As long as its input is active."""


class EdgeKind(StrEnum):
    """A change that people want to be told of."""

    ALARM = "alarm"
    ALARM_RESTORED = "alarm_restored"
    TROUBLE = "trouble"
    TROUBLE_RESTORED = "trouble_restored"


class ZoneEdge(NamedTuple):
    """One zone changed: what, whose word it was, and when.

    `at` is seconds on the fleet's monotonic clock. `resync` tells that the
    change was found when a link came (back) up, not seen to happen.
    """

    kind: EdgeKind
    zone: int
    source: int
    at: float
    resync: bool = False
    drill: bool = False


@dataclass(frozen=True, slots=True)
class Takeover:
    """Another node's word now counts for a module (DESIGN decision 5)."""

    module: int
    before: int
    after: int


class SiteUpdate(NamedTuple):
    """One step of the site: only what changed, alarm edges first.

    `nodes` names the nodes whose panel lamps or freshness changed.
    """

    zones: Mapping[int, ZoneState] = MappingProxyType({})
    modules: Mapping[int, ModuleStatus] = MappingProxyType({})
    nodes: frozenset[int] = frozenset()
    edges: tuple[ZoneEdge, ...] = ()
    takeovers: tuple[Takeover, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything changed at all."""
        return bool(
            self.zones or self.modules or self.nodes or self.edges or self.takeovers
        )


@dataclass(frozen=True, slots=True)
class SiteSummary:
    """The whole site in a few numbers.

    `in_alarm` is in the order in which the zones went into alarm, first first.
    `fire` also covers a panel whose Alarm LED is lit without a readable zone.
    """

    fire: bool
    trouble: bool
    in_alarm: tuple[int, ...]
    in_trouble: int
    modules_offline: int
    modules_stood_in: int
    nodes_connected: int
    nodes_total: int
    zones_supervised: int
    zones_total: int
