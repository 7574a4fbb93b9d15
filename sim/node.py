"""One simulated ESP32: a listening socket, five client slots, a frame a second."""

import asyncio
from dataclasses import dataclass
import json
import logging
import math
from typing import Final

from .connection import Connection
from .encode import Dialect, encode_message
from .errors import SimError
from .faults import FAULTS, Effects, Fault, combine
from .heap import Heap
from .listener import Listener
from .meter import Meter
from .panel import Lamp, Panel

CLIENT_SLOTS: Final = 5
"""The firmware's library takes five clients; a sixth is dropped at once."""

CHANGE_PUSH_SECONDS: Final = 0.2
"""A polling cycle ends early on a change: the next frame comes at most so late."""

UPTIME_WRAP_MS: Final = 2**32
_SHORTEST_TICK_SECONDS: Final = 0.005
_LISTEN_RETRY_SECONDS: Final = 1.0
_GOLDEN_RATIO: Final = 0.618034

_LOGGER: Final = logging.getLogger(__name__)

_LAMP_OF_COMMAND: Final = {"d": Lamp.DRILL, "s": Lamp.SILENCED}


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """What all nodes of a fleet have in common.

    `cycle_seconds` is the time between two frames (0.05-60). With
    `obey_commands` the panel acts on the commands r, d and s. `replay`, when
    not empty, is sent message by message instead of the truth.
    """

    dialect: Dialect = Dialect.CAPTURED
    cycle_seconds: float = 1.0
    obey_commands: bool = False
    replay: tuple[bytes, ...] = ()


class Node:
    """A simulated ESP32 on one address; its faults can be switched at any time."""

    def __init__(
        self,
        number: int,
        host: str,
        panel: Panel,
        settings: NodeSettings,
        meter: Meter,
        *,
        absent: bool = False,
    ) -> None:
        """Prepare the node; `number` is its place in the fleet, from 1.

        An absent node does not listen until `up` is called.
        """
        self.number = number
        self.host = host
        self.panel = panel
        self.absent = absent
        self.frames_sent = 0
        self._settings = settings
        self._meter = meter
        self._faults: dict[Fault, Effects] = {}
        self._endings: dict[Fault, asyncio.TimerHandle] = {}
        self._effects = Effects()
        self._connections: set[Connection] = set()
        self._slots: set[Connection] = set()
        self._opening: set[Connection] = set()
        self._listener = Listener(host, lambda: Connection(self))
        self._retry: asyncio.TimerHandle | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._cycle = 0
        self._booted_at = 0.0
        self._heap = Heap(number)
        self._running = False

    # What tests and `status` look at.

    @property
    def effects(self) -> Effects:
        """The combined effects of the active faults."""
        return self._effects

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults that are active now."""
        return tuple(self._faults)

    @property
    def is_reachable(self) -> bool:
        """Whether a client can get a frame from it, as far as faults go."""
        effects = self._effects
        return (
            not self.absent
            and effects.listens
            and not effects.frozen
            and effects.sends_frames
        )

    @property
    def clients(self) -> int:
        """How many clients have an open WebSocket."""
        return sum(connection.is_open for connection in self._slots)

    @property
    def slots_taken(self) -> int:
        """How many of the client slots are taken, handshake done or not."""
        return len(self._slots)

    @property
    def url(self) -> str:
        """The WebSocket URL of this node."""
        return f"ws://{self.host}:{self.port}/"

    @property
    def uptime_ms(self) -> int:
        """Milliseconds since the simulated boot; wraps at 2**32."""
        return int((self._loop_time() - self._booted_at) * 1000) % UPTIME_WRAP_MS

    @property
    def free_heap(self) -> int:
        """Free RAM in bytes; less with every client, and never quite steady."""
        return self._heap.free_bytes(len(self._slots))

    # Life.

    def start(self, port: int) -> None:
        """Boot: listen on `port` (1-65535, or 0 for any free one) and begin to poll.

        Raises:
            SimError: the address cannot be listened on.

        """
        self._listener.port = port
        if not self.absent:
            self._listener.open()
        self._booted_at = self._loop_time()
        self._running = True
        phase = self.number * _GOLDEN_RATIO % 1 * self._settings.cycle_seconds
        self._schedule(phase)

    @property
    def port(self) -> int:
        """The port it listens on, known after `start`."""
        return self._listener.port

    async def stop(self) -> None:
        """End all connections, stop listening and leave no timer or task behind."""
        self._running = False
        for timer in (self._tick, self._retry, *self._endings.values()):
            if timer is not None:
                timer.cancel()
        self._endings.clear()
        for connection in tuple(self._connections):
            connection.reset()
        await self._listener.wait_closed()
        # Connections that were reset tell of their end in the loop's next turn.
        await asyncio.sleep(0)

    def up(self) -> None:
        """Put the node in place and in order: no fault at all is left."""
        self.absent = False
        self.heal()

    def down(self) -> None:
        """Unplug the node's network: the same as the fault `refuse`."""
        self.fault(Fault.REFUSE)

    def set_uptime(self, uptime_ms: int) -> None:
        """Pretend that the node booted so many milliseconds (0 to 2**32-1) ago."""
        self._booted_at = self._loop_time() - uptime_ms / 1000

    # Faults.

    def fault(
        self,
        fault: Fault,
        value: float | None = None,
        *,
        for_seconds: float | None = None,
    ) -> None:
        """Begin a fault; `value` is the one parameter some of them take.

        It ends after `for_seconds`, or after the fault's own default, or with
        `heal`.

        Raises:
            SimError: the value or the time is out of range.

        """
        kind = FAULTS[fault]
        number = kind.value(value)
        lasts = kind.default_seconds if for_seconds is None else for_seconds
        if lasts is not None and not 0 < lasts <= 86_400:
            raise SimError(f"for {lasts:g} s: must be more than 0, at most 86400")
        if kind.spoil is not None:
            self.send_raw(kind.spoil(self._message()))
            return
        self._end_timer(fault)
        self._faults[fault] = effects = kind.effects(number)
        self._apply(resets=effects.resets_sockets)
        if lasts is not None:
            loop = asyncio.get_running_loop()
            self._endings[fault] = loop.call_later(lasts, self.heal, fault)

    def heal(self, fault: Fault | None = None) -> None:
        """End one fault, or all of them."""
        ending = tuple(self._faults) if fault is None else (fault,)
        reboots = False
        for one in ending:
            self._end_timer(one)
            if (effects := self._faults.pop(one, None)) is not None:
                reboots |= effects.reboots
        if reboots:
            self._booted_at = self._loop_time()
            self._cycle = 0
        self._apply(resets=reboots)

    def _end_timer(self, fault: Fault) -> None:
        """Forget the timer that would have ended a fault."""
        if (timer := self._endings.pop(fault, None)) is not None:
            timer.cancel()

    def _apply(self, *, resets: bool = False) -> None:
        """Bring sockets and listening in line with the active faults."""
        if not self._running:
            return
        was_frozen = self._effects.frozen
        self._effects = combine(self._faults.values())
        if resets:
            for connection in tuple(self._connections):
                connection.reset()
        if self._effects.frozen and not was_frozen:
            for connection in tuple(self._connections):
                connection.freeze()
        elif was_frozen and not self._effects.frozen:
            for connection in tuple(self._connections):
                connection.thaw()
        self._listen_or_not()
        if self._tick is not None:
            self._schedule(min(self._period(), self._until_tick()))

    def _listen_or_not(self) -> None:
        """Listen unless a fault forbids it; try again if the port was taken over."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self.absent or not self._effects.listens:
            self._listener.close()
            return
        try:
            self._listener.open()
        except SimError as err:
            _LOGGER.warning("node %d is still away: %s", self.number, err)
            self._retry = asyncio.get_running_loop().call_later(
                _LISTEN_RETRY_SECONDS, self._listen_or_not
            )

    # What connections report.

    def admit(self, connection: Connection) -> bool:
        """Give the connection a slot, unless all five are taken."""
        self._connections.add(connection)
        takes_slot = not connection.knocked_while_frozen
        admitted = takes_slot and len(self._slots) < CLIENT_SLOTS
        self._meter.connected(self.number, admitted=admitted)
        if admitted:
            self._slots.add(connection)
            self._opening.add(connection)
        elif takes_slot:
            self._meter.dropped += 1
        return admitted or not takes_slot

    def opened(self, connection: Connection) -> None:
        """Count a finished handshake."""
        self._opening.discard(connection)
        self._meter.handshaken(self.number)

    def gone(self, connection: Connection) -> None:
        """Free the slot of a connection that is over."""
        self._connections.discard(connection)
        self._slots.discard(connection)
        if connection in self._opening:
            self._opening.discard(connection)
            self._meter.gave_up()

    def pinged(self) -> None:
        """Count a WebSocket ping of a client."""
        self._meter.pings_received += 1

    def received(self, text: str) -> None:
        """Keep what a client sent, and act on a panel command if told to obey."""
        self._meter.heard(self.number, text)
        if not self._settings.obey_commands:
            return
        command = _command_in(text)
        if command == "r":
            self.panel.reset()
        elif command in _LAMP_OF_COMMAND:
            self.panel.toggle_lamp(_LAMP_OF_COMMAND[command])
        else:
            return
        self.hurry()

    # Frames.

    def hurry(self) -> None:
        """Send the next frame soon, because the truth has changed."""
        if self._tick is not None:
            self._schedule(min(CHANGE_PUSH_SECONDS, self._until_tick()))

    def send_raw(
        self, payload: bytes, *, binary: bool = False, fragments: int = 1
    ) -> int:
        """Send one message, whatever it contains; return how many clients got it."""
        sent = sum(
            connection.send_message(payload, binary=binary, fragments=fragments)
            for connection in tuple(self._slots)
        )
        self.frames_sent += sent
        self._meter.sent(sent)
        return sent

    def send_wire(self, raw: bytes) -> None:
        """Put bytes on every client's TCP stream, outside of any WebSocket frame."""
        for connection in tuple(self._slots):
            connection.send_wire(raw)

    def close_clients(self, code: int, reason: str = "") -> None:
        """Close every WebSocket with this code (1000-4999), as the firmware might."""
        for connection in tuple(self._slots):
            connection.close(code, reason)

    def _message(self) -> bytes:
        """Return the message of this cycle."""
        if replay := self._settings.replay:
            return replay[self._cycle % len(replay)]
        return encode_message(
            self.panel.picture(self._cycle),
            uptime_ms=self.uptime_ms,
            clients=self.clients,
            free_heap=self.free_heap,
            dialect=self._settings.dialect,
        )

    def _period(self) -> float:
        """Return the seconds between two ticks."""
        if self._effects.frames_per_second:
            return max(1 / self._effects.frames_per_second, _SHORTEST_TICK_SECONDS)
        return self._settings.cycle_seconds

    def _until_tick(self) -> float:
        """Return the seconds until the next tick."""
        if self._tick is None:
            return 0.0
        return max(0.0, self._tick.when() - self._loop_time())

    def _schedule(self, delay_seconds: float) -> None:
        """Plan the next tick, and only that one."""
        if self._tick is not None:
            self._tick.cancel()
        self._tick = asyncio.get_running_loop().call_later(delay_seconds, self._on_tick)

    def _on_tick(self) -> None:
        """Finish a polling cycle: send what it found to every client."""
        period = self._period()
        self._schedule(period)
        self._heap.step()
        forced = self._effects.frames_per_second
        for _ in range(math.ceil(forced * period) if forced else 1):
            if self.clients and self._effects.sends_frames and not self._effects.frozen:
                self.send_raw(self._message())
            self._cycle += 1

    @staticmethod
    def _loop_time() -> float:
        """Return the event loop's clock in seconds."""
        return asyncio.get_running_loop().time()


def _command_in(text: str) -> str:
    """Return the panel command letter in a client's message, or nothing."""
    try:
        message = json.loads(text)
    except ValueError, RecursionError:
        return text.strip()
    if isinstance(message, dict) and isinstance(message.get("command"), str):
        return str(message["command"])
    return ""
