"""The control socket: JSON lines over TCP, so that other terminals can act.

One request is one line, an object with `do` and its arguments; the answer is
one line with `say`, `status` or `error`. It listens on loopback only: there is
no password.
"""

import asyncio
from collections.abc import Callable
import contextlib
from ipaddress import IPv4Address
import json
import socket
from typing import Any, Final

from .commands import Request, obey
from .errors import SimError
from .fleet import SimulatedFleet
from .listener import listen_failure

DEFAULT_CONTROL_HOST: Final = "127.0.0.1"
DEFAULT_CONTROL_PORT: Final = 8180

_MAX_LINE_BYTES: Final = 128 * 1024
_CALL_TIMEOUT_SECONDS: Final = 5.0


class ControlServer:
    """Lets clients on this machine change and look at a running fleet."""

    def __init__(
        self,
        fleet: SimulatedFleet,
        address: tuple[str, int],
        stop: Callable[[], None],
        play: Callable[[Request], str] | None = None,
    ) -> None:
        """Serve `fleet` on a loopback IPv4 address and port (0: any free one).

        `stop` is called when a client asks for the end; `play` gets requests
        to play a scenario and answers with a line.
        """
        self.host, self.port = address
        if not IPv4Address(self.host).is_loopback:
            raise SimError(
                f"control {self.host}: must be a loopback address like 127.0.0.1, "
                "there is no password"
            )
        self._fleet = fleet
        self._stop = stop
        self._play = play
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen.

        Raises:
            SimError: the address cannot be listened on.

        """
        try:
            self._server = await asyncio.start_server(
                self._talk, self.host, self.port, limit=_MAX_LINE_BYTES
            )
        except OSError as err:
            raise SimError(
                f"control {listen_failure(self.host, self.port, err, '--control')}"
            ) from err
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up on everyone and stop listening."""
        if self._server is None:
            return
        self._server.close()
        for writer in tuple(self._writers):
            writer.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._server.wait_closed(), 1)

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one client, line by line, until it hangs up."""
        self._writers.add(writer)
        try:
            with contextlib.suppress(ConnectionError, ValueError):
                while line := await reader.readline():
                    answer = self.answer(line)
                    writer.write(json.dumps(answer).encode() + b"\n")
                    await writer.drain()
        finally:
            self._writers.discard(writer)
            writer.close()

    def answer(self, line: bytes) -> dict[str, Any]:
        """Do what one line asks for and return the answer."""
        try:
            request = json.loads(line)
        except ValueError, RecursionError:
            return {"error": "the request is no JSON"}
        if not isinstance(request, dict):
            return {"error": "the request is no JSON object"}
        if request.get("do") == "status":
            return {"status": self._fleet.status().to_json()}
        if request.get("do") == "stop":
            self._stop()
            return {"say": "the fleet ends"}
        try:
            if request.get("do") == "play" and self._play is not None:
                return {"say": self._play(request)}
            return {"say": obey(self._fleet, request)}
        except SimError as err:
            return {"error": str(err)}


def call(address: tuple[str, int], request: Request) -> dict[str, Any]:
    """Send one request to a running fleet and return its answer.

    Raises:
        ConnectionError: no fleet answers there; the text is for people.

    """
    host, port = address
    try:
        with socket.create_connection(address, _CALL_TIMEOUT_SECONDS) as sock:
            sock.sendall(json.dumps(request).encode() + b"\n")
            with sock.makefile("rb") as stream:
                answer = json.loads(stream.readline())
    except (OSError, ValueError) as err:
        raise ConnectionError(
            f"control {host}:{port}: no simulated fleet answers; start one with "
            "python -m sim, or name its control socket with --control"
        ) from err
    if not isinstance(answer, dict):
        raise ConnectionError(f"control {host}:{port}: that is no simulated fleet")
    return answer
