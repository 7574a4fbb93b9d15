"""One simulated ESP32: a listening socket, five client slots, a frame a second."""

import asyncio
from collections.abc import Sequence
import json
import logging
import math
from typing import Final

from .active import ActiveFaults, duration
from .beat import Beat
from .clients import Clients
from .connection import Connection
from .effects import Effects
from .errors import SimError
from .faults import FAULTS, Fault
from .listener import Listener
from .meter import Meter
from .panel import Lamp, Panel
from .voice import NodeSettings, Voice

CHANGE_PUSH_SECONDS: Final = 0.2
"""A polling cycle ends early on a change: the next frame comes at most so late."""

LONGEST_BOOT_SECONDS: Final = 3.0
"""How long a node in a reboot loop is away each time, or half its period."""

_SHORTEST_TICK_SECONDS: Final = 0.005
_LONGEST_PING: Final = b"." * 125
_LISTEN_RETRY_SECONDS: Final = 1.0
_GOLDEN_RATIO: Final = 0.618034

_LOGGER: Final = logging.getLogger(__name__)

_LAMP_OF_COMMAND: Final = {"d": Lamp.DRILL, "s": Lamp.SILENCED}


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
        self._faults = ActiveFaults(self.heal)
        self._voice = Voice(number, panel, settings)
        self._reboots = Beat(self._reboot_once_more)
        self._turns = Beat(self._take_turns)
        self._pings = Beat(self._flood_with_pings)
        self._clients = Clients(number, meter)
        self._listener = Listener(host, lambda: Connection(self))
        self._retry: asyncio.TimerHandle | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._running = False

    def join(self, neighbours: Sequence[Node]) -> None:
        """Become one of a fleet, in the order of their numbers."""
        self._voice.join([node._voice for node in neighbours])  # noqa: SLF001 - ours

    # What tests and `status` look at.

    @property
    def effects(self) -> Effects:
        """The combined effects of the active faults."""
        return self._faults.effects

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults that are active now."""
        return self._faults.names

    @property
    def is_reachable(self) -> bool:
        """Whether a client can get a frame from it, as far as faults go."""
        effects = self.effects
        return (
            not self.absent
            and effects.listens
            and effects.answers_handshake
            and not effects.frozen
            and effects.sends_frames
        )

    @property
    def clients(self) -> int:
        """How many clients have an open WebSocket."""
        return self._clients.open

    @property
    def slots_taken(self) -> int:
        """How many of the client slots are taken, handshake done or not."""
        return self._clients.slots_taken

    @property
    def url(self) -> str:
        """The WebSocket URL of this node."""
        return f"ws://{self.host}:{self.port}/"

    @property
    def uptime_ms(self) -> int:
        """Milliseconds since the simulated boot; wraps at 2**32."""
        return self._voice.uptime_ms

    @property
    def free_heap(self) -> int:
        """Free RAM in bytes; less with every client, and never quite steady."""
        return self._voice.free_heap(self.slots_taken)

    # Life.

    def start(self, port: int) -> None:
        """Boot: listen on `port` (1-65535, or 0 for any free one) and begin to poll.

        Raises:
            SimError: the address cannot be listened on.

        """
        self._listener.port = port
        if not self.absent or not port:
            self._listener.open()
        if self.absent:
            # It only found a port for all.
            self._listener.close()
        self._voice.boot()
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
        for timer in (self._tick, self._retry):
            if timer is not None:
                timer.cancel()
        for beat in (self._reboots, self._turns, self._pings):
            beat.stop()
        self._faults.stop()
        self._clients.reset()
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
        self._voice.uptime_ms = uptime_ms

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
        `heal`. One that strikes once does so unless a time is given.

        Raises:
            SimError: the value or the time is out of range.

        """
        kind = FAULTS[fault]
        effects = kind.effects(kind.value(value))
        lasts = duration(fault, for_seconds)
        self.refuse_impossible(effects)
        if effects.cuts_frame:
            self._clients.send_half(self._message())
        is_lasting = not kind.once or lasts is not None
        if is_lasting:
            self._faults.begin(fault, effects, lasts)
            self._apply(resets=effects.resets_sockets)
        if effects.uptime_ms is not None:
            self.set_uptime(effects.uptime_ms)
        if effects.close_code:
            self.close_clients(effects.close_code)
        if effects.spoil is not None and not is_lasting:
            self.send_raw(effects.spoil(self._message()), binary=effects.binary)

    def refuse_impossible(self, effects: Effects) -> None:
        """Raise `SimError` where another node should answer and there is none."""
        if effects.speaks_for is not None or effects.takes_turns_every_seconds:
            self._voice.other(effects)

    def heal(self, fault: Fault | None = None) -> None:
        """End one fault, or all of them."""
        ended = self._faults.end(fault)
        if ended.reboots:
            self._voice.boot()
        self._apply(resets=ended.reboots or ended.resets_after)

    def _apply(self, *, resets: bool = False) -> None:
        """Bring sockets, listening and rhythm in line with the active faults."""
        if not self._running:
            return
        effects = self.effects
        if resets:
            self._clients.reset()
        if effects.frozen:
            self._clients.freeze()
        else:
            self._clients.thaw()
        self._listen_or_not()
        self._reboots.keep(effects.reboot_every_seconds)
        self._turns.keep(effects.takes_turns_every_seconds)
        self._voice.is_others_turn &= effects.takes_turns_every_seconds > 0
        self._pings.keep(_tick_seconds(effects.pings_per_second))
        if self._tick is not None:
            self._schedule(min(self._period(), self._until_tick()))

    def _reboot_once_more(self) -> None:
        """Boot, as a node in a loop does."""
        away = min(self.effects.reboot_every_seconds / 2, LONGEST_BOOT_SECONDS)
        self.fault(Fault.REBOOT, for_seconds=away)

    def _take_turns(self) -> None:
        """Let the network find the other of two nodes with one address."""
        self._voice.is_others_turn = not self._voice.is_others_turn
        self._clients.reset()

    def _flood_with_pings(self) -> None:
        """Send the pings that are due."""
        rate = self.effects.pings_per_second
        for _ in range(math.ceil(rate * _tick_seconds(rate))):
            self._clients.ping(_LONGEST_PING)

    def _listen_or_not(self) -> None:
        """Listen unless a fault forbids it; try again if the port was taken over."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self.absent or not self.effects.listens:
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
        return self._clients.admit(connection)

    def opened(self, connection: Connection) -> None:
        """Greet a new client as the faults have it."""
        self._clients.opened(connection)
        for message in self._voice.before(self.effects.old_frames):
            connection.send_message(message)
        if self.effects.close_code:
            connection.close(self.effects.close_code)

    def gone(self, connection: Connection) -> None:
        """Free the slot of a connection that is over."""
        self._clients.gone(connection)

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
        sent = self._clients.send(payload, binary=binary, fragments=fragments)
        self.frames_sent += sent
        self._meter.sent(sent)
        return sent

    def send_wire(self, raw: bytes) -> None:
        """Put bytes on every client's TCP stream, outside of any WebSocket frame."""
        self._clients.send_wire(raw)

    def close_clients(self, code: int, reason: str = "") -> None:
        """Close every WebSocket with this code (1000-4999), as the firmware might."""
        self._clients.close(code, reason)

    def _message(self) -> bytes:
        """Return the message of this cycle, undamaged."""
        return self._voice.message(self.effects, self.clients, self.slots_taken)

    def _period(self) -> float:
        """Return the seconds between two ticks."""
        return _tick_seconds(self.effects.frames_per_second) or (
            self._settings.cycle_seconds
        )

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
        self._voice.stir()
        effects = self.effects
        forced = effects.frames_per_second
        for _ in range(math.ceil(forced * period) if forced else 1):
            if self.clients and effects.sends_frames and not effects.frozen:
                message = self._voice.say(effects, self.clients, self.slots_taken)
                self.send_raw(message, binary=effects.binary)
            self._voice.step()

    @staticmethod
    def _loop_time() -> float:
        """Return the event loop's clock in seconds."""
        return asyncio.get_running_loop().time()


def _tick_seconds(per_second: float) -> float:
    """Return the period of a timer that serves this rate, or 0 for none."""
    return max(1 / per_second, _SHORTEST_TICK_SECONDS) if per_second else 0.0


def _command_in(text: str) -> str:
    """Return the panel command letter in a client's message, or nothing."""
    try:
        message = json.loads(text)
    except ValueError, RecursionError:
        return text.strip()
    if isinstance(message, dict) and isinstance(message.get("command"), str):
        return str(message["command"])
    return ""
