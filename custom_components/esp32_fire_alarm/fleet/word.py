"""One node's own word: its panel lamps and modules, before any merging.

Keeps what frames say over time: the panel's latch, the blinking Trouble LED,
modules that stopped being listed. Knows nothing of other nodes.
"""

from dataclasses import dataclass, field
from typing import Final

from .models import DeviceFrame, Led, ModuleState, NodeConfig
from .timing import LONG_AGO

MISSED_FRAMES: Final = 3
"""A module not listed in this many frames in a row is not reporting."""

TROUBLE_LED_FRAMES: Final = 4
"""The Trouble LED blinks: it is off after this many frames in a row without it."""

OWNER_STABLE_SECONDS: Final = 60.0
"""A node that was lost gets its modules back after this long without a break."""


@dataclass(slots=True)
class ModuleWord:
    """What one node says of one module.

    `latched` are the zones (five-bit mask) that went into alarm and stay so
    while the node's Alarm LED is lit; `missed` counts frames without the module.
    `reset_at` is when the Alarm LED last went out in a frame that lists it: the
    lamps of a frame without it may be those of another panel.
    """

    state: ModuleState
    latched: int = 0
    missed: int = 0
    reset_at: float = LONG_AGO


@dataclass(slots=True)
class NodeWord:
    """What one node says of itself and of its modules.

    `fresh` tells that its frames are coming in; `lost_at` is set while its
    last word is held (lost, not yet given up). Times are monotonic seconds.
    """

    config: NodeConfig
    lost_at: float | None
    fresh: bool = False
    fresh_since: float = 0.0
    was_lost: bool = False
    leds: frozenset[Led] | None = None
    modules: dict[int, ModuleWord] = field(default_factory=dict)
    _frames_without_trouble_led: int = 0
    _counts_missed: bool = False

    @property
    def believed(self) -> bool:
        """Tell whether its last word still stands."""
        return self.fresh or self.lost_at is not None

    @property
    def settling(self) -> bool:
        """Tell whether even a repetition of its last frame can change something."""
        return (
            not self.fresh
            or self._frames_without_trouble_led > 0
            or self._counts_missed
        )

    @property
    def latches_now(self) -> bool:
        """Tell whether its panel keeps alarms whose inputs are normal again."""
        return Led.ALARM in (self.leds or ())

    def settled(self, now: float) -> bool:
        """Tell whether a loss, if there was one, is long enough ago."""
        return not self.was_lost or now - self.fresh_since >= OWNER_STABLE_SECONDS

    def speaks_for(self, module: int) -> bool:
        """Tell whether its frames list the module (site address) at the moment."""
        word = self.modules.get(module)
        return self.fresh and word is not None and word.missed < MISSED_FRAMES

    def arrive(self, now: float) -> bool:
        """Note that frames come in; return whether they did not before.

        What was said on the link before is no word of this one.
        """
        if self.fresh:
            return False
        for word in self.modules.values():
            word.missed = MISSED_FRAMES
        self.fresh = True
        self.fresh_since = now
        self.lost_at = None
        return True

    def leave(self, now: float) -> bool:
        """Note that the link is gone; return whether it was there before."""
        if not self.fresh:
            return False
        self.fresh = False
        self.was_lost = True
        self.lost_at = now
        return True

    def read_leds(self, frame: DeviceFrame, now: float) -> bool:
        """Take over the panel lamps; return whether they changed.

        A frame without a readable master word changes nothing.
        """
        if frame.panel is None:
            return False
        before = self.leds or frozenset()
        lit = frozenset(frame.panel.lit)
        if Led.TROUBLE in lit or Led.TROUBLE not in before:
            self._frames_without_trouble_led = 0
        else:
            self._frames_without_trouble_led += 1
            if self._frames_without_trouble_led < TROUBLE_LED_FRAMES:
                lit |= {Led.TROUBLE}
            else:
                self._frames_without_trouble_led = 0
        if Led.ALARM in before and Led.ALARM not in lit:
            for address in frame.modules:
                if word := self.modules.get(address + self.config.offset):
                    word.reset_at = now
        changed = self.leds != lit
        self.leds = lit
        return changed

    def read_module(self, module: int, state: ModuleState) -> bool:
        """Take over one listed module; return whether its word changed.

        While the Alarm LED is lit, a zone that went into alarm stays in alarm
        (the panel's own latch rule), so lamps are read first.
        """
        word = self.modules.get(module)
        if word is None:
            self.modules[module] = ModuleWord(state, latched=state.alarm)
            return True
        latched = state.alarm
        if self.latches_now:
            latched |= word.latched
        changed = (
            word.state != state
            or word.latched != latched
            or word.missed >= MISSED_FRAMES
        )
        word.state, word.latched, word.missed = state, latched, 0
        return changed

    def count_missed(self, frame: DeviceFrame) -> list[int]:
        """Count modules the frame leaves out; return those now missing for good."""
        gone: list[int] = []
        self._counts_missed = False
        for module, word in self.modules.items():
            listed = module - self.config.offset in frame.modules
            if listed or word.missed >= MISSED_FRAMES:
                continue
            word.missed += 1
            if word.missed == MISSED_FRAMES:
                gone.append(module)
            else:
                self._counts_missed = True
        return gone
