"""One client's connection to a simulated ESP32, down to the single byte.

The WebSocket rules come from websockets' sans-I/O `ServerProtocol`; reading,
writing, delaying and withholding are ours, so that every fault can be played.
"""

import asyncio
from collections.abc import Callable
import contextlib
import logging
import socket
import struct
from typing import Final, Protocol, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from .effects import Accept, Effects, Pong
from .outbox import MAX_UNSENT_BYTES, Outbox

MAX_INBOUND_BYTES: Final = 15 * 1024
"""Longest message the firmware's library takes; more closes with code 1009."""

_LOGGER: Final = logging.getLogger("sim.websocket")
# On debug level websockets prints each frame as text, which raises for bad UTF-8.
_LOGGER.setLevel(logging.WARNING)

_SUBPROTOCOL: Final = "arduino"
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
_PONG_HEAD: Final = 0x80 | Opcode.PONG
_WRONG_PONG: Final = bytes([_PONG_HEAD, 5]) + b"wrong"
_TEXT_HEAD: Final = 0x80 | Opcode.TEXT
_CLOSE_HEAD: Final = 0x80 | Opcode.CLOSE
_UNSENDABLE_CODES: Final = (1004, 1005, 1006)
"""Close codes that the standard keeps off the wire, and broken servers send."""

_ELSEWHERE: Final = "http://192.0.2.1/"
"""Where a redirect sends clients: an address for documentation, nobody's."""


class Host(Protocol):
    """What a connection needs from the node it belongs to."""

    @property
    def effects(self) -> Effects:
        """The faults in force right now."""

    def admit(self, connection: Connection) -> bool:
        """Take the connection into a client slot, or say that all are taken."""

    def opened(self, connection: Connection) -> None:
        """Note that the WebSocket handshake is done."""

    def received(self, text: str) -> None:
        """Note a message of the client."""

    def pinged(self) -> None:
        """Note a WebSocket ping of the client."""

    def gone(self, connection: Connection) -> None:
        """Note that the TCP connection is over."""


class Connection(asyncio.Protocol):
    """A TCP connection that may become a WebSocket."""

    def __init__(self, host: Host) -> None:
        """Wait for the operating system to hand over the socket."""
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._protocol = ServerProtocol(max_size=MAX_INBOUND_BYTES, logger=_LOGGER)
        self._transport: asyncio.Transport | None = None
        self._fragments: list[bytes] = []
        self._outbox = Outbox(
            effects=lambda: host.effects, write=self._write, overflow=self.reset
        )
        self._timers: set[asyncio.TimerHandle] = set()
        self.knocked_while_frozen = False

    @property
    def is_open(self) -> bool:
        """Whether frames can be sent: handshake done, no close under way."""
        return self._transport is not None and self._protocol.state is OPEN

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a slot, or be turned away before the handshake."""
        self._transport = cast(asyncio.Transport, transport)
        effects = self._host.effects
        self.knocked_while_frozen = effects.frozen
        if effects.frozen:
            self._transport.pause_reading()
        admitted = self._host.admit(self)
        if effects.accept is Accept.RESET:
            self.reset()
        elif effects.accept is Accept.DROP or not admitted:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Feed the protocol and act on what it understood."""
        self._protocol.receive_data(data)
        self._act()

    def eof_received(self) -> bool:
        """Let the transport close: nobody is left to talk to."""
        self._protocol.receive_eof()
        self._act()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Free the slot."""
        self._transport = None
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._outbox.clear()
        self._host.gone(self)

    def send_message(
        self, payload: bytes, *, binary: bool = False, fragments: int = 1
    ) -> bool:
        """Send one message in so many fragments; return whether it was possible.

        One that can send a few bytes a second only leaves out what it cannot.
        """
        effects = self._host.effects
        if not self.is_open or (effects.bytes_per_second and len(self._outbox)):
            return False
        send = self._protocol.send_binary if binary else self._protocol.send_text
        size = effects.fragment_bytes or max(1, -(-len(payload) // fragments))
        pieces = [payload[i : i + size] for i in range(0, len(payload), size)] or [b""]
        send(pieces[0], fin=len(pieces) == 1)
        for piece in pieces[1:]:
            if effects.fragment_bytes:
                self._protocol.send_ping(b"")
            self._protocol.send_continuation(piece, fin=piece is pieces[-1])
        self._flush()
        return True

    def send_half(self, payload: bytes) -> None:
        """Send the first half of a text message, as if the power had gone by then."""
        if self.is_open and 1 < len(payload) < 2**16:
            head = bytes([_TEXT_HEAD, 126]) + len(payload).to_bytes(2)
            self._post(head + payload[: len(payload) // 2])

    def send_ping(self, payload: bytes) -> None:
        """Send a ping of up to 125 bytes."""
        if self.is_open:
            self._protocol.send_ping(payload)
            self._flush()

    def send_wire(self, raw: bytes) -> None:
        """Put bytes on the TCP stream as they are, whatever WebSocket says."""
        if self._transport is not None:
            self._post(raw)

    def close(self, code: int, reason: str = "") -> None:
        """Begin the closing handshake from the server's side."""
        if not self.is_open:
            return
        if code in _UNSENDABLE_CODES:
            self._post(bytes([_CLOSE_HEAD, 2]) + code.to_bytes(2))
        else:
            self._protocol.send_close(code, reason)
            self._flush()

    def reset(self) -> None:
        """End the TCP connection with a reset instead of a farewell."""
        if self._transport is None:
            return
        if (sock := self._transport.get_extra_info("socket")) is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    def freeze(self) -> None:
        """Stop reading; the node stops writing by itself."""
        if self._transport is not None:
            self._transport.pause_reading()

    def thaw(self) -> None:
        """Read on, or reset a connection that was made to a dead node.

        Behind a dead access point no connection could have been made at all;
        here the operating system had accepted it already.
        """
        if self.knocked_while_frozen:
            self.reset()
        elif self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
            self._outbox.deliver()

    def _act(self) -> None:
        """Answer and report what the protocol has understood."""
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._answer_later(event)
            elif not isinstance(event, Frame):
                continue
            elif event.opcode is Opcode.PING:
                self._host.pinged()
            elif event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._fragments.append(bytes(event.data))
                if event.fin:
                    whole, self._fragments = b"".join(self._fragments), []
                    self._host.received(whole.decode("utf-8", "replace"))
        self._flush()

    def _answer_later(self, request: Request) -> None:
        """Answer the handshake as the faults have it: late, otherwise, or never."""
        effects = self._host.effects
        if effects.http_status:
            self._refuse(effects.http_status)
        elif effects.handshake_delay_seconds > 0:
            self._call_later(
                effects.handshake_delay_seconds, lambda: self._answer(request)
            )
        elif effects.answers_handshake:
            self._answer(request)

    def _refuse(self, status: int) -> None:
        """Answer like a web server that knows no WebSockets."""
        where = f"Location: {_ELSEWHERE}\r\n" if 300 <= status < 400 else ""
        self._post(
            f"HTTP/1.1 {status} Not a panel\r\n{where}"
            "Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        self._post(b"")

    def _answer(self, request: Request) -> None:
        """Accept or refuse the handshake, as the firmware's library would.

        Whatever subprotocol is asked for, it answers with its own name, and a
        first ping follows at once.
        """
        response = self._protocol.accept(request)
        accepted = response.status_code == 101
        if accepted and "Sec-WebSocket-Protocol" in request.headers:
            response.headers["Sec-WebSocket-Protocol"] = _SUBPROTOCOL
        self._protocol.send_response(response)
        if accepted:
            self._protocol.send_ping(b"")
            self._host.opened(self)
        self._flush()

    def _flush(self) -> None:
        """Send what the protocol wants to send, pongs as the faults have it."""
        pong = self._host.effects.pong
        for chunk in self._protocol.data_to_send():
            if chunk[:1] == bytes([_PONG_HEAD]) and pong is not Pong.ECHO:
                if pong is Pong.WRONG:
                    self._post(_WRONG_PONG)
            else:
                self._post(chunk)

    def _post(self, chunk: bytes) -> None:
        """Send bytes as the faults let them through; none at all end the connection."""
        self._outbox.post(chunk)

    def _write(self, chunk: bytes) -> None:
        """Hand bytes to the operating system, or drop a client that reads nothing."""
        if self._transport is None or self._transport.is_closing():
            return
        if not chunk:
            self._transport.close()
            return
        self._transport.write(chunk)
        unsent = self._transport.get_write_buffer_size()
        if unsent > MAX_UNSENT_BYTES + len(chunk):
            self.reset()

    def _call_later(self, delay_seconds: float, act: Callable[[], None]) -> None:
        """Run `act` later, unless the connection is over by then."""

        def run() -> None:
            self._timers.discard(timer)
            act()

        timer = self._loop.call_later(delay_seconds, run)
        self._timers.add(timer)
