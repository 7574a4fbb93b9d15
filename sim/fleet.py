"""The simulated fleet: one truth, up to 63 ESP32s that tell of it.

Use it as an async context manager; every method below may be called while it
runs, from the event loop it runs in.
"""

import asyncio
from collections.abc import Callable, Collection, Set as AbstractSet
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address
from types import TracebackType
from typing import Final, Self

from .encode import Dialect
from .errors import SimError
from .faults import Fault
from .layout import Layout, Numbering, plan
from .meter import Meter
from .node import Node
from .panel import (
    DEFAULT_HEADER,
    ZONES_PER_MODULE,
    Lamp,
    Module,
    Panel,
    Site,
    Switch,
    module_of,
)
from .status import FleetSnapshot, module_snapshot, node_snapshot
from .voice import NodeSettings

DEFAULT_PORT: Final = 8181
DEFAULT_FIRST_ADDRESS: Final = "127.0.0.2"
DEFAULT_MODULES: Final = 63

_FREE_PORT_ATTEMPTS: Final = 20
_COMMANDS_SHOWN: Final = 5


class Disaster(StrEnum):
    """What happens to the whole site at once, as the command line takes it."""

    POWER_CUT = "power-cut"
    AP_FLAP = "ap-flap"


class SimulatedFleet:
    """All simulated ESP32s of one site."""

    def __init__(
        self,
        layout: Layout = Layout.DISTRIBUTED,
        *,
        count: int = DEFAULT_MODULES,
        port: int = DEFAULT_PORT,
        first_address: str = DEFAULT_FIRST_ADDRESS,
        numbering: Numbering = Numbering.SITE,
        dialect: Dialect = Dialect.CAPTURED,
        cycle_seconds: float = 1.0,
        absent: Collection[int] = (),
        replay: tuple[bytes, ...] = (),
        obey_commands: bool = False,
        automatic_bells: bool = True,
        latching: bool = False,
        header: int = DEFAULT_HEADER,
    ) -> None:
        """Plan the fleet; nothing listens before `start`.

        `count` is the number of modules of the site (1-63), which in the
        distributed layout is the number of nodes. Node n listens on the
        (n-1)-th address after `first_address`, all of them on `port` (0: any
        port free on all). `cycle_seconds` is 0.05-60. `absent` names nodes
        that do not listen until `node(n).up()`. With `replay` a single node
        sends these messages, unchanged, one per cycle. `latching` keeps the
        Alarm lamp on until `reset`. `header` (0-255) opens the master word.

        Raises:
            SimError: an argument is out of range; the text names it.

        """
        if not 0.05 <= cycle_seconds <= 60:
            raise SimError(f"cycle {cycle_seconds:g} s: must be 0.05-60")
        if not 0 <= port <= 65_535:
            raise SimError(f"port {port}: must be 1-65535, or 0 for any free one")
        self.layout = Layout.BRIDGE if replay else layout
        self.dialect = dialect
        self.cycle_seconds = cycle_seconds
        self.site = Site(automatic_bells=automatic_bells)
        self.meter = Meter()
        self._port = port
        self._replaying = bool(replay)
        self._began = 0.0
        settings = NodeSettings(dialect, cycle_seconds, obey_commands, replay)
        plans = plan(self.layout, count, numbering)
        hosts = _hosts(first_address, len(plans))
        if strangers := sorted(set(absent) - set(range(1, len(plans) + 1))):
            raise SimError(f"absent {strangers[0]}: the nodes are 1-{len(plans)}")
        self.nodes = tuple(
            Node(
                number,
                host,
                Panel(
                    self.site,
                    one.modules,
                    offset=one.offset,
                    header=header,
                    latching=latching,
                ),
                settings,
                self.meter,
                absent=number in absent,
            )
            for number, (host, one) in enumerate(zip(hosts, plans, strict=True), 1)
        )
        for node in self.nodes:
            node.join(self.nodes)

    async def __aenter__(self) -> Self:
        """Start all nodes."""
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop all nodes."""
        await self.stop()

    async def start(self) -> None:
        """Let every node listen that is not absent.

        Raises:
            SimError: an address or the port cannot be listened on.

        """
        self._began = self.meter.clock()
        for attempt in range(1, _FREE_PORT_ATTEMPTS + 1):
            port = self._port
            try:
                for node in self.nodes:
                    node.start(port)
                    port = port or node.port
            except SimError:
                await self.stop()
                if self._port or attempt == _FREE_PORT_ATTEMPTS:
                    raise
            else:
                self._port = port
                return

    async def stop(self) -> None:
        """End all connections; afterwards no socket, task or timer is left."""
        await asyncio.gather(*(node.stop() for node in self.nodes))

    @property
    def port(self) -> int:
        """The port of all nodes, known after `start`."""
        return self._port

    @property
    def urls(self) -> tuple[str, ...]:
        """The WebSocket URL of every node, absent ones included."""
        return tuple(node.url for node in self.nodes)

    @property
    def clients(self) -> int:
        """How many WebSockets are open at all nodes together."""
        return sum(node.clients for node in self.nodes)

    def node(self, number: int) -> Node:
        """Return node `number`, counted from 1."""
        if not 1 <= number <= len(self.nodes):
            raise SimError(f"node {number}: the nodes are 1-{len(self.nodes)}")
        return self.nodes[number - 1]

    def nodes_with(self, module: int) -> tuple[Node, ...]:
        """Return the nodes that carry `module` (1-63), absent ones included."""
        self.site.module(module)
        return tuple(node for node in self.nodes if module in node.panel.modules)

    # The truth.

    def alarm(self, *zones: int, on: bool = True) -> None:
        """Put zones (1-315) in alarm; with `on=False` take only the alarm away."""
        self._each(zones, lambda zone: self.site.set_alarm(zone, on))

    def trouble(self, *zones: int, on: bool = True) -> None:
        """Give zones (1-315) a trouble, or take it away."""
        self._each(zones, lambda zone: self.site.set_trouble(zone, on))

    def clear(self, *zones: int) -> None:
        """Make zones (1-315) normal: neither alarm nor trouble."""

        def calm(zone: int) -> None:
            self.site.set_alarm(zone, False)
            self.site.set_trouble(zone, False)

        self._each(zones, calm)

    def clear_all(self) -> None:
        """Make every zone normal: neither alarm nor trouble."""
        self.clear(*self.site.zones(lambda module: module.alarm | module.trouble))

    def bell(self, module: int, switch: Switch) -> None:
        """Force the bell of `module` (1-63) on or off, or leave it to the panel."""
        self._carried(module).bell = switch
        self._changed({module})

    def module_offline(self, module: int, on: bool = True) -> None:
        """Let `module` (1-63) stop answering its panel, or answer again."""
        self._carried(module).offline = on
        self._changed({module})

    def bit5(self, module: int, on: bool = True) -> None:
        """Set the undocumented bit 0x20 of the trouble byte of `module` (1-63)."""
        self._carried(module).bit5 = on
        self._changed({module})

    def led(self, lamp: Lamp, switch: Switch, node: int | None = None) -> None:
        """Force a lamp on one node or on all, or give it back to the panel's rules."""
        self._refuse_in_replay()
        for one in self.nodes if node is None else (self.node(node),):
            one.panel.set_lamp(lamp, switch)
            one.hurry()

    def reset(self) -> None:
        """Press the reset key of every panel: latches drop, bells begin anew."""
        self._refuse_in_replay()
        for node in self.nodes:
            node.panel.reset()
            node.hurry()

    # Site-wide disasters.

    def strike(self, disaster: Disaster, seconds: float) -> None:
        """Let a disaster hit all nodes that are there, for so long."""
        fault = _FAULT_OF_DISASTER[disaster]
        for node in self.nodes:
            if not node.absent:
                node.fault(fault, for_seconds=seconds)

    def ap_flap(self, seconds: float) -> None:
        """Let all nodes fall silent for so long, without any socket closing."""
        self.strike(Disaster.AP_FLAP, seconds)

    def power_cut(self, seconds: float) -> None:
        """Let all nodes vanish for so long and boot afresh after that."""
        self.strike(Disaster.POWER_CUT, seconds)

    def status(self) -> FleetSnapshot:
        """Return everything `python -m sim status` shows."""
        carried = sorted({m for node in self.nodes for m in node.panel.modules})
        return FleetSnapshot(
            layout="replay" if self._replaying else self.layout,
            dialect=self.dialect,
            first_host=self.nodes[0].host,
            last_host=self.nodes[-1].host,
            port=self.port,
            cycle_seconds=self.cycle_seconds,
            running_seconds=self.meter.clock() - self._began,
            replaying=self._replaying,
            frames_per_second=self.meter.frames_per_second(),
            frames_sent=self.meter.frames_sent,
            handshakes=self.meter.handshakes_total,
            dropped=self.meter.dropped,
            modules=tuple(
                module_snapshot(module, self.nodes_with(module)) for module in carried
            ),
            nodes=tuple(map(node_snapshot, self.nodes)),
            commands=tuple((one.node, one.text) for one in list(self.meter.received))[
                -_COMMANDS_SHOWN:
            ],
        )

    def _each(self, zones: Collection[int], change: Callable[[int], None]) -> None:
        """Change the truth of some zones: all of them, or none if one is wrong."""
        modules = {module_of(zone) for zone in zones}
        for module in modules:
            self._carried(module)
        for zone in zones:
            change(zone)
        self._changed(modules)

    def _carried(self, number: int) -> Module:
        """Return the truth at a module that this fleet has."""
        self._refuse_in_replay()
        module = self.site.module(number)
        if not self.nodes_with(number):
            modules = max(node.panel.modules[-1] for node in self.nodes)
            raise SimError(
                f"module {number}: this fleet has modules 1-{modules} "
                f"(zones 1-{modules * ZONES_PER_MODULE})"
            )
        return module

    def _changed(self, modules: AbstractSet[int]) -> None:
        """Tell the nodes that carry one of these modules."""
        for node in self.nodes:
            if not modules.isdisjoint(node.panel.modules):
                node.panel.observe()
                node.hurry()

    def _refuse_in_replay(self) -> None:
        """Raise when there is no truth that could be changed."""
        if self._replaying:
            raise SimError("replay: captured frames cannot be changed; start without")


_FAULT_OF_DISASTER: Final = {
    Disaster.POWER_CUT: Fault.POWER_LOSS,
    Disaster.AP_FLAP: Fault.HALF_OPEN,
}


def _hosts(first_address: str, count: int) -> list[str]:
    """Return so many IPv4 addresses in a row."""
    try:
        first = IPv4Address(first_address)
        return [str(first + place) for place in range(count)]
    except AddressValueError:
        raise SimError(
            f"first address {first_address}: must be an IPv4 address like 127.0.0.2"
        ) from None
