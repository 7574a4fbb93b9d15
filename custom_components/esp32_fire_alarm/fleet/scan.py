"""Who answers at which address, and which modules it carries.

Asks each address once: connect, hear one good frame, hang up cleanly, so that
the ESP32 has its client slot back. What the answers mean for the site is
`plan`'s business.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import aiohttp

from .addresses import is_local
from .frame import FrameError, decode
from .link import LinkError, Socket, close_socket, only_here, open_socket
from .models import DeviceAddress, DeviceFrame, PanelStatus

CONNECT_SECONDS: Final = 3.0
"""For TCP and the upgrade together; a node on a healthy network needs under 0.5 s."""

FRAME_SECONDS: Final = 4.0
"""Until the first good frame; a node sends about one per second."""

MAX_IN_FLIGHT: Final = 32
"""Addresses asked at once, so that a scan is no storm on a weak access point."""

_TEXT_OR_BINARY: Final = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
_PINGS: Final = (aiohttp.WSMsgType.PING, aiohttp.WSMsgType.PONG)


class ScanFault(StrEnum):
    """Why an address gave no modules.

    The first six are what `open_socket` says, under its names.
    """

    REFUSED = "refused"
    """Nothing listens on the port."""
    TIMED_OUT = "timed_out"
    """No connection in time."""
    UNREACHABLE = "unreachable"
    """No way there: nobody has the address, or no route."""
    NAME_NOT_FOUND = "name_not_found"
    """The host name leads nowhere."""
    SLOTS_FULL = "slots_full"
    """Hung up before the handshake, as a node does whose client slots are taken."""
    HANDSHAKE_REFUSED = "handshake_refused"
    """Something answers, but refuses a WebSocket."""
    PUBLIC = "public"
    """The host name leads out of the local networks."""
    CLOSED_BY_NODE = "closed_by_node"
    """Hung up before it said anything."""
    SILENT = "silent"
    """Accepted the connection and said nothing."""
    NOT_OUR_DATA = "not_our_data"
    """Said something, but no fire alarm data."""
    NO_MODULES = "no_modules"
    """Sends fire alarm data that names no module."""


@dataclass(frozen=True, slots=True)
class ScanLimits:
    """How patient a scan is: seconds per step, and addresses asked at once."""

    connect_seconds: float = CONNECT_SECONDS
    frame_seconds: float = FRAME_SECONDS
    in_flight: int = MAX_IN_FLIGHT


@dataclass(frozen=True, slots=True)
class Probe:
    """What one address said.

    Without a `fault`, `listed` are all modules (1-63, as on the wire) of its
    frames and `online` those of them that answer. `clients` is how many
    connections the node counted, ours included. `via` is the standby address
    that answered in the place of `address`.
    """

    address: DeviceAddress
    fault: ScanFault | None = None
    listed: tuple[int, ...] = ()
    online: tuple[int, ...] = ()
    panel: PanelStatus | None = None
    clients: int | None = None
    via: DeviceAddress | None = None

    @property
    def is_found(self) -> bool:
        """Tell whether a node with modules answered."""
        return self.fault is None

    @property
    def modules(self) -> tuple[int, ...]:
        """The modules the node surely carries, as on the wire.

        Those online; or else its one and only. A node that lists many modules,
        none of which answers, reads a silent bus: nothing is sure then.
        """
        if not self.online and len(self.listed) == 1:
            return self.listed
        return self.online


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What all the addresses said, in the order they were asked about."""

    probes: tuple[Probe, ...]

    @property
    def found(self) -> tuple[Probe, ...]:
        """The addresses where a node with modules answered."""
        return tuple(probe for probe in self.probes if probe.is_found)

    @property
    def missing(self) -> Mapping[ScanFault, tuple[DeviceAddress, ...]]:
        """The other addresses, by what went wrong."""
        by_fault: dict[ScanFault, list[DeviceAddress]] = {}
        for probe in self.probes:
            if probe.fault is not None:
                by_fault.setdefault(probe.fault, []).append(probe.address)
        return {
            fault: tuple(by_fault[fault]) for fault in ScanFault if fault in by_fault
        }


async def scan(
    session: aiohttp.ClientSession,
    addresses: Sequence[DeviceAddress],
    *,
    on_progress: Callable[[float], None] = lambda _: None,
    limits: ScanLimits = ScanLimits(),
) -> ScanResult:
    """Ask every address who it is; whatever the network does becomes a `ScanFault`.

    Only the connector of `session` is used: no cookies, no proxy of the
    environment, no redirects, so that nobody but the given addresses is
    contacted. `on_progress` gets the share that is done, above 0 to 1.
    """
    probes: dict[int, Probe] = {}
    todo = iter(enumerate(addresses))
    async with aiohttp.ClientSession(
        connector=session.connector,
        connector_owner=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[only_here()],
    ) as own_session:

        async def work(todo: Iterator[tuple[int, DeviceAddress]]) -> None:
            for index, address in todo:
                probes[index] = await _probe(own_session, address, limits)
                on_progress(len(probes) / len(addresses))

        async with asyncio.TaskGroup() as workers:
            for _ in range(min(limits.in_flight, len(addresses))):
                workers.create_task(work(todo))
    return ScanResult(tuple(probes[index] for index in sorted(probes)))


async def _probe(
    session: aiohttp.ClientSession, address: DeviceAddress, limits: ScanLimits
) -> Probe:
    """Ask one address."""
    try:
        socket = await open_socket(
            session, address, timeout_seconds=limits.connect_seconds
        )
    except LinkError as err:
        return Probe(address, ScanFault(err.fault))
    try:
        peer = socket.get_extra_info("peername")
        if peer is not None and not is_local(peer[0]):
            return Probe(address, ScanFault.PUBLIC)
        return await _listen(socket, address, limits.frame_seconds)
    finally:
        await close_socket(socket)


@dataclass(slots=True)
class _Heard:
    """What a node said so far."""

    listed: set[int] = field(default_factory=set)
    online: set[int] = field(default_factory=set)
    frame: DeviceFrame | None = None
    rubbish: bool = False

    def add(self, raw: bytes) -> bool:
        """Take in one message; tell whether it left nothing to ask."""
        try:
            frame = self.frame = decode(raw)
        except FrameError:
            self.rubbish = True
            return False
        self.listed.update(frame.modules)
        self.online.update(
            module for module, state in frame.modules.items() if state.online
        )
        return bool(frame.modules) and not frame.malformed

    def as_probe(self, address: DeviceAddress, silence: ScanFault) -> Probe:
        """Return the verdict; `silence` is what to call it if nothing was said."""
        if self.frame is None:
            return Probe(address, ScanFault.NOT_OUR_DATA if self.rubbish else silence)
        return Probe(
            address,
            fault=None if self.listed else ScanFault.NO_MODULES,
            listed=tuple(sorted(self.listed)),
            online=tuple(sorted(self.online)),
            panel=self.frame.panel,
            clients=self.frame.clients,
        )


async def _listen(socket: Socket, address: DeviceAddress, seconds: float) -> Probe:
    """Hear frames until an undamaged one came, the time is up or the node hangs up.

    A damaged frame may lack a module, so that one more is worth its second.
    """
    heard = _Heard()
    silence = ScanFault.CLOSED_BY_NODE
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await socket.receive()
                if message.type in _TEXT_OR_BINARY:
                    if heard.add(message.data):
                        break
                elif message.type not in _PINGS:
                    # An error is a message too long or against the rules of WebSocket.
                    heard.rubbish |= message.type is aiohttp.WSMsgType.ERROR
                    break
    except TimeoutError:
        silence = ScanFault.SILENT
    return heard.as_probe(address, silence)
