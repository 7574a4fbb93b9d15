"""Who is connected to a simulated ESP32: five slots, and what is done to all."""

from typing import Final

from .connection import Connection
from .meter import Meter

CLIENT_SLOTS: Final = 5
"""The firmware's library takes five clients; a sixth is dropped at once."""


class Clients:
    """All connections of one node, from the TCP handshake to the end."""

    def __init__(self, node: int, meter: Meter) -> None:
        """Start with none; `meter` counts them for `node`."""
        self._node = node
        self._meter = meter
        self._connections: set[Connection] = set()
        self._slots: set[Connection] = set()
        self._opening: set[Connection] = set()
        self._frozen = False

    @property
    def open(self) -> int:
        """How many have an open WebSocket."""
        return sum(connection.is_open for connection in self._slots)

    @property
    def slots_taken(self) -> int:
        """How many slots are taken, handshake done or not."""
        return len(self._slots)

    def admit(self, connection: Connection) -> bool:
        """Give the connection a slot, unless all five are taken."""
        self._connections.add(connection)
        takes_slot = not connection.knocked_while_frozen
        admitted = takes_slot and len(self._slots) < CLIENT_SLOTS
        self._meter.connected(self._node, admitted=admitted)
        if admitted:
            self._slots.add(connection)
            self._opening.add(connection)
        elif takes_slot:
            self._meter.dropped += 1
        return admitted or not takes_slot

    def opened(self, connection: Connection) -> None:
        """Count a finished handshake."""
        self._opening.discard(connection)
        self._meter.handshaken(self._node)

    def gone(self, connection: Connection) -> None:
        """Free the slot of a connection that is over."""
        self._connections.discard(connection)
        self._slots.discard(connection)
        if connection in self._opening:
            self._opening.discard(connection)
            self._meter.gave_up()

    def send(self, payload: bytes, *, binary: bool, fragments: int) -> int:
        """Send one message to all; return how many got it."""
        return sum(
            connection.send_message(payload, binary=binary, fragments=fragments)
            for connection in tuple(self._slots)
        )

    def send_half(self, payload: bytes) -> None:
        """Send the first half of a message to all."""
        for connection in tuple(self._slots):
            connection.send_half(payload)

    def send_wire(self, raw: bytes) -> None:
        """Put bytes on every TCP stream, outside of any WebSocket frame."""
        for connection in tuple(self._slots):
            connection.send_wire(raw)

    def ping(self, payload: bytes) -> None:
        """Send a ping of up to 125 bytes to all."""
        for connection in tuple(self._slots):
            connection.send_ping(payload)

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake with all."""
        for connection in tuple(self._slots):
            connection.close(code, reason)

    def reset(self) -> None:
        """End every TCP connection with a reset."""
        for connection in tuple(self._connections):
            connection.reset()

    def freeze(self) -> None:
        """Read nothing any more, if not frozen already."""
        if not self._frozen:
            self._frozen = True
            for connection in tuple(self._connections):
                connection.freeze()

    def thaw(self) -> None:
        """Read on, if frozen."""
        if self._frozen:
            self._frozen = False
            for connection in tuple(self._connections):
                connection.thaw()
