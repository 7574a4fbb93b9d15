"""What is true at the simulated site, and how one panel sees it.

`Site` is the shared truth of 63 modules with five zones each. A `Panel` is
the view of one ESP32 on some of those modules, with lamps of its own. No
bytes and no sockets in here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
import time
from types import MappingProxyType
from typing import Final

from .errors import SimError

MODULES_PER_SITE: Final = 63
ZONES_PER_MODULE: Final = 5
ZONES_PER_SITE: Final = MODULES_PER_SITE * ZONES_PER_MODULE

BELL_COMMAND_SECONDS: Final = 1.0
"""From the first fire on a module until its bell is commanded ("pre-alarm")."""

BELL_CONFIRM_SECONDS: Final = 2.0
"""From the first fire on a module until the module confirms its bell with `$85`."""

BELL_RUN_ON_SECONDS: Final = 2.0
"""How long an automatic bell rings on after the last fire of its module is gone."""

BELL_ON_CONFIRMATION: Final = "$85"
BELL_OFF_CONFIRMATION: Final = "$84"

_BELL_BIT: Final = 0x20
_TROUBLE_BIT5: Final = 0x20

DEFAULT_HEADER: Final = 0x51
"""First byte of the master word, as captured; its meaning is not known."""


class Lamp(StrEnum):
    """A lamp on the panel's front."""

    AC = "ac"
    DC = "dc"
    ALARM = "alarm"
    TROUBLE = "trouble"
    DRILL = "drill"
    SILENCED = "silenced"
    DISABLED = "disabled"
    BACKLIGHT = "backlight"


LAMP_MASKS: Final[Mapping[Lamp, int]] = MappingProxyType(
    {
        Lamp.BACKLIGHT: 0x80,
        Lamp.AC: 0x40,
        Lamp.DC: 0x20,
        Lamp.ALARM: 0x10,
        Lamp.TROUBLE: 0x08,
        Lamp.DRILL: 0x04,
        Lamp.SILENCED: 0x02,
        Lamp.DISABLED: 0x01,
    }
)
"""Place of each lamp in the master status byte, where 0 means lit."""

_LIT_BY_ITSELF: Final = frozenset({Lamp.AC, Lamp.DC})


class Switch(StrEnum):
    """Who decides on a lamp or bell: the panel's own rules or the user."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class ModulePicture:
    """One module as a frame shows it.

    `address` is the number on the wire (1-63). `trouble` and `alarm` are the
    whole bytes (0-255); both are 0 while the module is offline.
    """

    address: int
    online: bool
    trouble: int = 0
    alarm: int = 0
    confirmation: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """One polling cycle of one panel: header and status byte (0-255), modules."""

    header: int
    status: int
    modules: tuple[ModulePicture, ...]


@dataclass(slots=True)
class Module:
    """The truth at one module; `alarm` and `trouble` are five-bit zone masks.

    `fire_began` and `fire_ended` are seconds on the site's clock.
    """

    alarm: int = 0
    trouble: int = 0
    offline: bool = False
    bit5: bool = False
    bell: Switch = Switch.AUTO
    fire_began: float | None = None
    fire_ended: float | None = None


def module_of(zone: int) -> int:
    """Return the module (1-63) that carries `zone` (1-315)."""
    if not 1 <= zone <= ZONES_PER_SITE:
        raise SimError(f"zone {zone}: must be 1-{ZONES_PER_SITE}")
    return (zone - 1) // ZONES_PER_MODULE + 1


def _mask_of(zone: int) -> int:
    """Return the bit of `zone` (1-315) within its module."""
    return 1 << (zone - 1) % ZONES_PER_MODULE


class Site:
    """The truth of all zones and modules, whoever reports it."""

    def __init__(
        self,
        *,
        automatic_bells: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start quiet: every module online and normal.

        `clock` returns seconds and never goes back. With `automatic_bells`
        off, a bell rings only when it is told to.
        """
        self.automatic_bells = automatic_bells
        self.clock = clock
        self._modules = {n: Module() for n in range(1, MODULES_PER_SITE + 1)}

    def module(self, number: int) -> Module:
        """Return the truth at module `number` (1-63)."""
        if (module := self._modules.get(number)) is None:
            raise SimError(f"module {number}: must be 1-{MODULES_PER_SITE}")
        return module

    def set_alarm(self, zone: int, on: bool) -> None:
        """Put `zone` (1-315) in alarm, or take the fire away."""
        module = self.module(module_of(zone))
        before = module.alarm
        module.alarm = before | _mask_of(zone) if on else before & ~_mask_of(zone)
        if module.alarm and not before:
            module.fire_began, module.fire_ended = self.clock(), None
        elif before and not module.alarm:
            module.fire_ended = self.clock()

    def set_trouble(self, zone: int, on: bool) -> None:
        """Give `zone` (1-315) a trouble, or take it away."""
        module = self.module(module_of(zone))
        mask = _mask_of(zone)
        module.trouble = module.trouble | mask if on else module.trouble & ~mask

    def zones(self, mask_of_module: Callable[[Module], int]) -> list[int]:
        """Return the zones (1-315, ascending) whose bit is set in the given mask."""
        return [
            (number - 1) * ZONES_PER_MODULE + position + 1
            for number, module in self._modules.items()
            for position in range(ZONES_PER_MODULE)
            if mask_of_module(module) >> position & 1
        ]

    def restart_bells(self, modules: Iterable[int]) -> None:
        """Let the bells of `modules` begin again from pre-alarm, or fall silent."""
        for module in map(self.module, modules):
            module.fire_began = self.clock() if module.alarm else None
            module.fire_ended = None

    def bell_state(self, module: Module, *, silenced: bool) -> tuple[bool, str | None]:
        """Return whether the bell is commanded and what the module confirms.

        Life of a bell: fire alone; commanded; confirmed with `$85` as long as
        the fire lasts; fire gone but still ringing; off. `$84` means that the
        bell is off although there is a fire.
        """
        now = self.clock()
        if module.bell is Switch.ON:
            return True, BELL_ON_CONFIRMATION if module.alarm else None
        if module.bell is Switch.OFF or silenced:
            return False, BELL_OFF_CONFIRMATION if module.alarm else None
        if not self.automatic_bells or module.fire_began is None:
            return False, None
        if module.alarm:
            burns_for = now - module.fire_began
            return (
                burns_for >= BELL_COMMAND_SECONDS,
                BELL_ON_CONFIRMATION if burns_for >= BELL_CONFIRM_SECONDS else None,
            )
        if module.fire_ended is None:
            return False, None
        rang = module.fire_ended - module.fire_began >= BELL_COMMAND_SECONDS
        return rang and now - module.fire_ended < BELL_RUN_ON_SECONDS, None


class Panel:
    """One ESP32's view: the modules it carries and the lamps of its master word."""

    def __init__(
        self,
        site: Site,
        modules: Iterable[int],
        *,
        offset: int = 0,
        header: int = DEFAULT_HEADER,
        latching: bool = False,
    ) -> None:
        """Show `modules` (site numbers 1-63), each under its number minus `offset`.

        With `latching` the Alarm lamp, once lit, waits for `reset`; without,
        it goes out by itself when the last fire is gone.
        """
        self.site = site
        self.modules = tuple(modules)
        self.offset = offset
        self.header = header
        self.latching = latching
        self._switches: dict[Lamp, Switch] = {}
        self._alarm_lit = False

    def set_lamp(self, lamp: Lamp, switch: Switch) -> None:
        """Force a lamp on or off, or give it back to the panel's own rules."""
        self._switches[lamp] = switch

    def toggle_lamp(self, lamp: Lamp) -> None:
        """Turn a lamp that no rule drives (drill, silenced, disabled) on or off."""
        self.set_lamp(lamp, Switch.OFF if self._is_lit(lamp) else Switch.ON)

    def observe(self) -> None:
        """Take notice of a change at the site, so that no short alarm is missed.

        An alarm of a module that went offline since keeps the lamp lit, but
        an offline module cannot light it.
        """
        modules = [self.site.module(number) for number in self.modules]
        if any(module.alarm and not module.offline for module in modules):
            self._alarm_lit = True
        elif not self.latching and not any(module.alarm for module in modules):
            self._alarm_lit = False

    def reset(self) -> None:
        """Do what the panel's reset key does: drop the latches, then look again."""
        self._alarm_lit = False
        self._switches.pop(Lamp.SILENCED, None)
        self.site.restart_bells(self.modules)
        self.observe()

    def lit(self) -> frozenset[Lamp]:
        """Return the lamps that are on; a blinking one counts as on."""
        return frozenset(lamp for lamp in Lamp if self._is_lit(lamp))

    def picture(self, frame_number: int) -> Picture:
        """Return what the frame with this running number (from 0) shows.

        The Trouble lamp blinks: it is lit in every other frame only.
        """
        lit = self.lit()
        if frame_number % 2:
            lit -= {Lamp.TROUBLE}
        status = 0xFF
        for lamp in lit:
            status &= ~LAMP_MASKS[lamp]
        silenced = Lamp.SILENCED in lit
        return Picture(
            self.header,
            status,
            tuple(self._module_picture(number, silenced) for number in self.modules),
        )

    def _is_lit(self, lamp: Lamp) -> bool:
        """Tell whether a lamp is on, by the user's or by the panel's own rule."""
        if (switch := self._switches.get(lamp, Switch.AUTO)) is not Switch.AUTO:
            return switch is Switch.ON
        if lamp is Lamp.ALARM:
            return self._alarm_lit
        if lamp is Lamp.TROUBLE:
            return any(
                module.offline or module.bit5 or module.trouble
                for module in map(self.site.module, self.modules)
            )
        return lamp in _LIT_BY_ITSELF

    def _module_picture(self, number: int, silenced: bool) -> ModulePicture:
        """Return one module as this panel polls it."""
        module = self.site.module(number)
        address = number - self.offset
        if module.offline:
            return ModulePicture(address, online=False)
        bell, confirmation = self.site.bell_state(module, silenced=silenced)
        return ModulePicture(
            address,
            online=True,
            trouble=module.trouble | (_TROUBLE_BIT5 if module.bit5 else 0),
            alarm=module.alarm | (_BELL_BIT if bell else 0),
            confirmation=confirmation,
        )
