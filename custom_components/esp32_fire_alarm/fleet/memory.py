"""What an alarm book remembers over a restart, checked as it is read.

What is read may be years old, edited by hand or damaged: either all of it is
sound, or none of it is used.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import NoneType
from typing import Any, Final, get_args, get_type_hints

from .impairment import Impairment
from .models import MODULES_PER_SITE, ZONES_PER_SITE, Led
from .occurrence import Occurrence
from .telling import EventKind

_LATEST: Final = 1e11
"""No time is later than this, in seconds since the epoch (year 5138)."""


class MemoryFaultError(ValueError):
    """What was stored is no alarm book."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """An event of an occurrence that nobody had been told of."""

    id: str
    kind: EventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class BookMemory:
    """Everything that has to survive.

    `order` is that of the latest fire alarm. `confirmed` are names of groups,
    `lost` nodes, `bells` modules (1-63), `lamps` the lit ones by node.
    """

    occurrences: tuple[Occurrence, ...]
    order: int
    untold: tuple[Untold, ...]
    impairments: tuple[Impairment, ...]
    confirmed: tuple[str, ...]
    lost: tuple[int, ...]
    bells: tuple[int, ...]
    lamps: Mapping[int, frozenset[Led]]

    def to_json(self) -> dict[str, Any]:
        """Return it in JSON's types and dataclasses, which orjson writes as objects."""
        return {
            "occurrences": self.occurrences,
            "order": self.order,
            "untold": self.untold,
            "impairments": self.impairments,
            "confirmed": self.confirmed,
            "lost": self.lost,
            "bells": self.bells,
            "lamps": {str(node): sorted(lit) for node, lit in self.lamps.items()},
        }


def read_memory(stored: object) -> BookMemory:
    """Return what was stored.

    Raises:
        MemoryFaultError: it is damaged.

    """
    try:
        memory = _read_memory(stored)
    except (TypeError, ValueError, KeyError, AttributeError) as err:
        raise MemoryFaultError(str(err)) from err
    _check(memory)
    return memory


def _read_memory(stored: Any) -> BookMemory:
    """Return what was stored, or raise whatever comes."""
    return BookMemory(
        occurrences=_all(_object_of(Occurrence), stored["occurrences"]),
        order=_value(stored["order"], int),
        untold=_all(_object_of(Untold), stored["untold"]),
        impairments=_all(_object_of(Impairment), stored["impairments"]),
        confirmed=_all(lambda one: _value(one, str), stored["confirmed"]),
        lost=_all(lambda one: _value(one, int), stored["lost"]),
        bells=_all(lambda one: _value(one, int), stored["bells"]),
        lamps={
            int(node): frozenset(Led(led) for led in lit)
            for node, lit in stored["lamps"].items()
        },
    )


def _check(memory: BookMemory) -> None:
    """Raise `MemoryFaultError` for values that cannot be."""
    standing = [(one.kind, one.zone) for one in memory.occurrences if one.is_standing]
    if len(standing) != len(set(standing)):
        raise MemoryFaultError("a zone stands in alarm or trouble twice")
    zones = {one.zone for one in memory.occurrences}
    zones |= {one.zone for one in memory.impairments}
    if not zones <= set(range(1, ZONES_PER_SITE + 1)):
        raise MemoryFaultError("there is no such zone")
    if not set(memory.bells) <= set(range(1, MODULES_PER_SITE + 1)):
        raise MemoryFaultError("there is no such module")


def _all[T](read: Callable[[object], T], stored: Iterable[object]) -> tuple[T, ...]:
    """Return every item of a list as `read` reads it."""
    if not isinstance(stored, list):
        raise TypeError("not a list")
    return tuple(map(read, stored))


def _object_of[T](cls: type[T]) -> Callable[[object], T]:
    """Return a function that reads a dataclass; what it does not know is left out."""
    hints = get_type_hints(cls)

    def read(stored: Any) -> T:
        return cls(
            **{
                name: _value(stored[name], hint)
                for name, hint in hints.items()
                if name in stored
            }
        )

    return read


def _value(value: Any, hint: Any) -> Any:
    """Return a value if it is of a type that the hint allows."""
    options = get_args(hint) or (hint,)
    if value is None and NoneType in options:
        return None
    for option in options:
        if isinstance(option, type) and issubclass(option, StrEnum):
            return option(value)
        if option is float and isinstance(value, int | float):
            if isinstance(value, bool) or not 0 <= value <= _LATEST:
                break
            return float(value)
        if type(value) is option:
            return value
    raise TypeError(f"{value!r} is no {hint}")
