"""What may stand in a scenario file, as one schema, with messages for people."""

from collections.abc import Callable, Iterable, Mapping
import math
import re
from types import MappingProxyType
from typing import Any, Final

import voluptuous as vol

from .errors import SimError
from .faults import FAULTS, Fault
from .layout import Layout
from .panel import MODULES_PER_SITE, ZONES_PER_SITE, Lamp, Switch

MAX_STEPS: Final = 500
MAX_REPEAT: Final = 1000
LONGEST_SECONDS: Final = 86_400.0
MAX_TEXT: Final = 200

ALL: Final = "all"

_TIME: Final = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*(ms|s|min|h)?")
_UNIT_SECONDS: Final = {"ms": 0.001, "s": 1.0, None: 1.0, "min": 60.0, "h": 3600.0}
_RANGE: Final = re.compile(r"([0-9]{1,4})(?:\s*-\s*([0-9]{1,4}))?")


def seconds(value: object) -> float:
    """Return the seconds in "12 s", "1.5 min", "200 ms" or a plain number."""
    number: float | None = None
    if isinstance(value, str) and (match := _TIME.fullmatch(value.strip())):
        number = float(match[1]) * _UNIT_SECONDS[match[2]]
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
    if number is None or not 0 <= number <= LONGEST_SECONDS:
        raise vol.Invalid(
            f"{_shown(value)}: must be a time up to 24 h, like 12 s, 1.5 min or 200 ms"
        )
    return number


def lasting(value: object) -> float:
    """Return seconds, more than 0."""
    if not (number := seconds(value)):
        raise vol.Invalid(f"{_shown(value)}: must be more than 0 s")
    return number


def numbers(what: str, highest: int) -> Callable[[object], tuple[int, ...]]:
    """Return what reads 17, "3-6", "1, 5-7" or a list of these."""

    def read(value: object) -> tuple[int, ...]:
        pieces = value if isinstance(value, list) else [value]
        found: dict[int, None] = {}
        if not pieces or len(pieces) > highest:
            raise vol.Invalid(f"must name 1-{highest} {what}s, like 3 or 3-6")
        for piece in pieces:
            for part in str(piece).split(","):
                found |= dict.fromkeys(one_range(part.strip()))
        return tuple(found)

    def one_range(part: str) -> range:
        match = _RANGE.fullmatch(part)
        first = int(match[1]) if match else 0
        last = int(match[2] or first) if match else 0
        if not 1 <= first <= last <= highest:
            raise vol.Invalid(
                f"{_shown(part)}: must be {what}s of 1-{highest}, like 3 or 3-6"
            )
        return range(first, last + 1)

    return read


def whole(lowest: int, highest: int) -> Callable[[object], int]:
    """Return what takes a whole number in a range."""

    def read(value: object) -> int:
        if type(value) is not int or not lowest <= value <= highest:
            raise vol.Invalid(
                f"{_shown(value)}: must be a whole number, {lowest}-{highest}"
            )
        return value

    return read


def finite(value: object) -> float:
    """Return a number."""
    if type(value) not in (int, float) or not math.isfinite(float(str(value))):
        raise vol.Invalid(f"{_shown(value)}: must be a number")
    return float(str(value))


def text(value: object) -> str:
    """Return a short text."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise vol.Invalid(f"{_shown(value)}: must be a text of 1-{MAX_TEXT} characters")
    return value


def one_of(choices: Iterable[str]) -> Callable[[object], str]:
    """Return what takes one of an enum's values."""

    def read(value: object) -> str:
        # YAML reads on and off as true and false.
        word = {True: "on", False: "off"}.get(value) if type(value) is bool else value
        if word not in list(choices):
            raise vol.Invalid(f"{_shown(value)}: must be one of {', '.join(choices)}")
        return str(word)

    return read


def _or_all(reader: Callable[[object], tuple[int, ...]]) -> Callable[[object], Any]:
    """Return what also takes the word "all"."""
    return lambda value: ALL if value == ALL else reader(value)


def _shown(value: object) -> str:
    """Return the beginning of a value."""
    shown = str(value) if isinstance(value, (str, int, float)) else type(value).__name__
    return shown if len(shown) <= 40 else shown[:40] + "..."


_ZONES: Final = numbers("zone", ZONES_PER_SITE)
_MODULES: Final = numbers("module", MODULES_PER_SITE)
_NODES: Final = numbers("node", MODULES_PER_SITE + 1)

_FOR: Final = {vol.Optional("for"): lasting}

ACTIONS: Final[Mapping[str, Mapping[Any, Any]]] = MappingProxyType(
    {
        "alarm": {vol.Required("zones"): _ZONES, **_FOR},
        "trouble": {vol.Required("zones"): _ZONES, **_FOR},
        "clear": {vol.Required("zones"): _or_all(_ZONES)},
        "fault": {
            vol.Required("nodes"): _or_all(_NODES),
            vol.Required("fault"): one_of(Fault),
            vol.Optional("value"): finite,
            **_FOR,
        },
        "cure": {vol.Required("nodes"): _or_all(_NODES)},
        "absent": {vol.Required("nodes"): _or_all(_NODES), **_FOR},
        "offline": {vol.Required("modules"): _MODULES, **_FOR},
        "online": {vol.Required("modules"): _MODULES},
        "bell": {
            vol.Required("modules"): _MODULES,
            vol.Required("state"): one_of(Switch),
        },
        "led": {
            vol.Required("name"): one_of(Lamp),
            vol.Required("state"): one_of(Switch),
        },
        "power-cut": {vol.Required("for"): lasting},
        "ap-flap": {vol.Required("for"): lasting},
        "reset": {},
        "say": {vol.Required("text"): text},
    }
)
"""What a step may do, and which keys it takes for that."""

_STEP: Final = {
    vol.Required("at"): seconds,
    vol.Required("do"): object,
    vol.Optional("repeat"): whole(2, MAX_REPEAT),
    vol.Optional("every"): lasting,
}
_SCHEMAS: Final = {
    name: vol.Schema({**_STEP, **keys}) for name, keys in ACTIONS.items()
}


def step(value: object) -> dict[str, Any]:
    """Return one step with everything in it read."""
    if not isinstance(value, dict):
        raise vol.Invalid("must be a step, like {at: 5 s, do: alarm, zones: 17}")
    do = value.get("do")
    if not isinstance(do, str) or do not in ACTIONS:
        raise vol.Invalid(
            f"{_shown(do)}: must be one of {', '.join(ACTIONS)}", path=["do"]
        )
    read: dict[str, Any] = _SCHEMAS[do](value)
    if ("repeat" in read) is not ("every" in read):
        raise vol.Invalid("repeat and every go together, like repeat: 5, every: 10 s")
    if do == "fault":
        try:
            FAULTS[Fault(read["fault"])].value(read.get("value"))
        except SimError as err:
            raise vol.Invalid(str(err), path=["value"]) from err
    return read


def steps(value: object) -> list[dict[str, Any]]:
    """Return all steps, or raise with everything that is wrong with them."""
    if not isinstance(value, list) or not 0 < len(value) <= MAX_STEPS:
        raise vol.Invalid(f"must be a list of 1-{MAX_STEPS} steps")
    read: list[dict[str, Any]] = []
    errors: list[vol.Invalid] = []
    for place, one in enumerate(value):
        try:
            read.append(step(one))
        except vol.MultipleInvalid as err:
            for each in err.errors:
                each.prepend([place])
                errors.append(each)
        except vol.Invalid as err:
            err.prepend([place])
            errors.append(err)
    if errors:
        raise vol.MultipleInvalid(errors)
    return read


SCENARIO: Final = vol.Schema(
    {
        vol.Required("name"): text,
        vol.Optional("about"): text,
        vol.Optional("fleet"): {
            vol.Optional("nodes"): whole(1, MODULES_PER_SITE),
            vol.Optional("layout"): one_of(Layout),
        },
        vol.Required("steps"): steps,
    }
)
