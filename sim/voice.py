"""What one ESP32 says: a message per cycle, true or as its faults distort it.

No sockets in here.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from .effects import Effects
from .encode import Dialect, encode_message
from .errors import SimError
from .faults import OLD_FRAMES_KEPT, UPTIME_WRAP_MS
from .heap import Heap
from .panel import LAMP_MASKS, Lamp, ModulePicture, Panel, Picture

_FIRST_ZONE: Final = 0x01


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


class Voice:
    """The messages of one node, and what they tell of the ESP32 itself."""

    def __init__(self, number: int, panel: Panel, settings: NodeSettings) -> None:
        """Speak for `panel`; `number` is the node's place in the fleet, from 1."""
        self._number = number
        self._panel = panel
        self._settings = settings
        self._fleet: Sequence[Voice] = (self,)
        self._booted_at = 0.0
        self._cycle = 0
        self._heap = Heap(number)
        self._said: deque[bytes] = deque(maxlen=OLD_FRAMES_KEPT)
        self.is_others_turn = False

    @property
    def uptime_ms(self) -> int:
        """Milliseconds since the simulated boot; wraps at 2**32."""
        return int((_now() - self._booted_at) * 1000) % UPTIME_WRAP_MS

    @uptime_ms.setter
    def uptime_ms(self, uptime_ms: int) -> None:
        """Pretend that the boot was so long ago."""
        self._booted_at = _now() - uptime_ms / 1000

    def join(self, fleet: Sequence[Voice]) -> None:
        """Become one of a fleet, in the order of numbers."""
        self._fleet = fleet

    def boot(self) -> None:
        """Begin anew."""
        self._booted_at = _now()
        self._cycle = 0

    def step(self) -> None:
        """Let a polling cycle pass."""
        self._cycle += 1

    def free_heap(self, slots_taken: int) -> int:
        """Return the free RAM in bytes; less with every client, never quite steady."""
        return self._heap.free_bytes(slots_taken)

    def stir(self) -> None:
        """Let the free RAM wander."""
        self._heap.step()

    def before(self, count: int) -> list[bytes]:
        """Return the last messages that were said, oldest first."""
        return list(self._said)[-count:] if count else []

    def say(self, effects: Effects, clients: int, slots_taken: int) -> bytes:
        """Return the message of this cycle, damaged if a fault damages it."""
        message = self.message(effects, clients, slots_taken)
        self._said.append(message)
        return message if effects.spoil is None else effects.spoil(message)

    def message(self, effects: Effects, clients: int, slots_taken: int) -> bytes:
        """Return the message of this cycle, undamaged."""
        if replay := self._settings.replay:
            return replay[self._cycle % len(replay)]
        is_other = effects.speaks_for is not None or self.is_others_turn
        speaker = self.other(effects) if is_other else self
        picture = speaker._panel.picture(self._cycle)  # noqa: SLF001 - one of us
        return encode_message(
            distorted(picture, effects, self._cycle),
            uptime_ms=speaker.uptime_ms,
            clients=clients,
            free_heap=self.free_heap(slots_taken),
            dialect=self._settings.dialect,
        )

    def other(self, effects: Effects) -> Voice:
        """Return who answers in this one's place.

        Raises:
            SimError: the fleet has no other.

        """
        count = len(self._fleet)
        number = effects.speaks_for or self._number % count + 1
        if number > count or number == self._number:
            raise SimError(
                f"node {number}: must be another one, this fleet has 1-{count}"
            )
        return self._fleet[number - 1]


def distorted(picture: Picture, effects: Effects, frame_number: int) -> Picture:
    """Return what the frame with this running number (from 0) shows under faults.

    A chattering zone lights the Alarm lamp while it is in alarm: a panel that
    latched would hold it.
    """
    modules = picture.modules
    status = picture.status
    if _is_off_turn(frame_number, effects.module_flap_frames):
        modules = tuple(ModulePicture(one.address, online=False) for one in modules)
    elif modules and _is_off_turn(frame_number, effects.chatter_frames):
        first, *others = modules
        if first.online:
            first = replace(first, alarm=first.alarm | _FIRST_ZONE)
            status &= ~LAMP_MASKS[Lamp.ALARM]
        modules = (first, *others)
    return replace(picture, modules=modules, status=status)


def _is_off_turn(frame_number: int, frames: int) -> bool:
    """Tell whether it is the second of two turns of so many frames each."""
    return frames > 0 and bool(frame_number // frames % 2)


def _now() -> float:
    """Return the event loop's clock in seconds."""
    return asyncio.get_running_loop().time()
