"""A listening socket that can be closed and opened again at once."""

import asyncio
from collections.abc import Callable
import contextlib
import errno
import socket
from typing import Final

from .errors import SimError

_BACKLOG: Final = 64
_STOP_SECONDS: Final = 2.0


class Listener:
    """Accepts TCP connections on one IPv4 address while it is open."""

    def __init__(self, host: str, factory: Callable[[], asyncio.Protocol]) -> None:
        """Prepare to hand each connection to a protocol made by `factory`."""
        self.host = host
        self.port = 0
        self._factory = factory
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Listen from this very moment on; without a port, take any free one.

        Raises:
            SimError: the address cannot be listened on.

        """
        if self._socket is not None:
            return
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setblocking(False)
            listener.bind((self.host, self.port))
            listener.listen(_BACKLOG)
        except OSError as err:
            listener.close()
            raise SimError(listen_failure(self.host, self.port, err, "--port")) from err
        self._socket = listener
        self.port = listener.getsockname()[1]
        self._serving = asyncio.get_running_loop().create_task(self._serve(listener))

    def close(self) -> None:
        """Refuse connections from this very moment on."""
        if self._serving is not None:
            self._serving.cancel()
            self._serving = None
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def wait_closed(self) -> None:
        """Close, and wait until every accepted connection is over (at most 2 s)."""
        server = self._server
        self.close()
        if server is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(server.wait_closed(), _STOP_SECONDS)

    async def _serve(self, listener: socket.socket) -> None:
        """Let the event loop accept on a socket that listens already."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._factory, sock=listener, start_serving=False
        )
        await self._server.start_serving()


def listen_failure(host: str, port: int, error: OSError, option: str) -> str:
    """Return one line that says why nothing can listen there and which option helps."""
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port}: something listens on {host} already; take another port "
            f"with {option}, or end the other fleet with python -m sim stop"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"address {host}: not an address of this machine; "
            "take addresses of 127.0.0.0/8 with --first-address"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {port}: not allowed to listen there; take one above 1023 with {option}"
    return f"cannot listen on {host}:{port}: {error.strerror}"
