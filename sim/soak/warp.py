"""An event loop whose time passes as fast as there is nothing to do.

Timers fire in their order without anybody waiting for them, and connections
are pairs of queues in memory, with a TCP connection's manners: order is kept,
a reader may pause, an end comes as a farewell or as a reset. A day of 63 nodes
passes in minutes, and twice alike for the same seed.
"""

import asyncio
from collections import deque
from collections.abc import Callable
import errno
import selectors
from typing import Any, Final, cast, override

import aiohttp
from aiohttp.client_proto import ResponseHandler

SOCKET_BUFFER_BYTES: Final = 64 * 1024
"""What an operating system takes from a writer before anybody has read it."""

_IDLE_SECONDS: Final = 0.05
"""Longest real wait when no timer is set, so that signals are noticed."""


class _WarpSelector(selectors.DefaultSelector):
    """Lets time leap instead of waiting for it."""

    leap: Callable[[float], None]

    @override
    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            return super().select(_IDLE_SECONDS)
        ready = super().select(0)
        if not ready and timeout > 0:
            self.leap(timeout)
        return ready


class WarpLoop(asyncio.SelectorEventLoop):
    """An event loop with a time and a network of its own."""

    def __init__(self) -> None:
        """Start at 0 s, with nobody on the network."""
        selector = _WarpSelector()
        selector.leap = self._leap
        self._warped = 0.0
        self._listening: dict[tuple[str, int], Callable[[], asyncio.Protocol]] = {}
        super().__init__(selector)

    @override
    def time(self) -> float:
        """Return the seconds that have passed in here."""
        return self._warped

    def _leap(self, seconds: float) -> None:
        """Let time pass."""
        self._warped += seconds

    @override
    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.Protocol],
        *_: Any,
        sock: Any,
        **__: Any,
    ) -> MemoryServer:
        """Serve on this loop's network at the address a socket is bound to."""
        place = sock.getsockname()[:2]
        self._listening[place] = protocol_factory
        return MemoryServer(lambda: self._listening.pop(place, None))

    def connect(self, host: str, port: int, client: asyncio.Protocol) -> None:
        """Connect a client's protocol to whoever serves there.

        Raises:
            ConnectionRefusedError: nobody does.

        """
        if (factory := self._listening.get((host, port))) is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        server = factory()
        near, far = MemoryTransport(self, client), MemoryTransport(self, server)
        near.peer, far.peer = far, near
        client.connection_made(near)
        server.connection_made(far)


class MemoryServer:
    """What the loop hands out for a listening address."""

    def __init__(self, stop: Callable[[], object]) -> None:
        """Listen until `stop` is called."""
        self._stop = stop

    async def start_serving(self) -> None:
        """Do nothing: it serves already."""

    def close(self) -> None:
        """Refuse connections from now on."""
        self._stop()

    async def wait_closed(self) -> None:
        """Return at once: connections end by themselves."""


class MemoryTransport(asyncio.Transport):
    """One end of a connection; what it writes arrives at its peer's protocol."""

    peer: MemoryTransport

    def __init__(
        self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol
    ) -> None:
        """Carry bytes to `protocol`; `peer` has to be set before anything else."""
        super().__init__()
        self._loop = loop
        self._protocol: asyncio.BaseProtocol = protocol
        self._inbox: deque[bytes | None] = deque()
        """What came and is not read yet; None is the peer's farewell."""
        self._is_paused = False
        self._is_closing = False
        self.is_gone = False
        self._is_due = False

    # What protocols ask of a transport.

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._is_closing or not data:
            return
        if self.peer.is_gone:
            self.lose(BrokenPipeError(errno.EPIPE, "Broken pipe"))
        else:
            self.peer.take(bytes(data))

    @override
    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    @override
    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            if not self.peer.is_gone:
                self.peer.take(None)
            self.lose(None)

    @override
    def abort(self) -> None:
        self.peer.lose(ConnectionResetError(errno.ECONNRESET, "Connection reset"))
        self.lose(None)

    @override
    def is_closing(self) -> bool:
        return self._is_closing

    @override
    def pause_reading(self) -> None:
        self._is_paused = True

    @override
    def resume_reading(self) -> None:
        self._is_paused = False
        self._deliver_soon()

    @override
    def is_reading(self) -> bool:
        return not self._is_paused

    @override
    def get_write_buffer_size(self) -> int:
        return max(0, self.peer.unread_bytes - SOCKET_BUFFER_BYTES)

    @override
    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    @override
    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    # The way of the bytes.

    @property
    def unread_bytes(self) -> int:
        """How much came that is not read yet."""
        return sum(len(chunk) for chunk in self._inbox if chunk is not None)

    def take(self, chunk: bytes | None) -> None:
        """Take in what the peer sent."""
        self._inbox.append(chunk)
        self._deliver_soon()

    def _deliver_soon(self) -> None:
        """Let the loop's next turn hand over what can be."""
        if not self._is_due and self._inbox and not self._is_paused:
            self._is_due = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        """Hand over what came, as long as it is read."""
        self._is_due = False
        protocol = cast(asyncio.Protocol, self._protocol)
        while self._inbox and not (self._is_paused or self._is_closing):
            chunk = self._inbox.popleft()
            if chunk is not None:
                protocol.data_received(chunk)
            elif not protocol.eof_received():
                self.close()

    def lose(self, error: Exception | None) -> None:
        """End this side of the connection."""
        if self.is_gone:
            return
        self.is_gone = self._is_closing = True
        self._inbox.clear()
        self._loop.call_soon(self._protocol.connection_lost, error)


class MemoryConnector(aiohttp.BaseConnector):
    """Lets an aiohttp session connect over a `WarpLoop`'s network."""

    @override
    async def _create_connection(
        self, req: Any, traces: list[Any], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        """Return a connected protocol, or fail as a refused socket would."""
        loop = cast(WarpLoop, self._loop)
        protocol: ResponseHandler = self._factory()
        try:
            loop.connect(req.url.host, req.url.port, protocol)
        except ConnectionRefusedError as err:
            raise aiohttp.ClientConnectorError(req.connection_key, err) from err
        return protocol
