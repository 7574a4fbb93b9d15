"""Zones as people type them: `17, 20-25`."""

from collections.abc import Collection
import re
from typing import Final

from .fleet.models import ZONES_PER_SITE
from .words import number_ranges

MAX_CHARACTERS: Final = 2000
"""All 315 zones, one by one, with their commas and blanks, have fewer."""

_RANGE: Final = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
_DASH: Final = re.compile(r"\s*[-\u2010-\u2015\u2212]\s*")
_GAP: Final = re.compile(r"[\s,;]+")
_SHOWN_CHARACTERS: Final = 40


class ZonesError(ValueError):
    """A text that names no zones; `key` says why, `item` is what is wrong."""

    def __init__(self, key: str, item: str = "") -> None:
        """Keep what a form shows."""
        super().__init__(key)
        self.key = key
        self.item = item[:_SHOWN_CHARACTERS]


def parse_zones(text: str, known: Collection[int]) -> frozenset[int]:
    """Return the zones (1-315) that a text names, all of them `known`.

    Numbers and ranges, apart by commas, semicolons, blanks or line breaks; a
    zone that is named twice is one.

    Raises:
        ZonesError: it is too long, names something else, a range that runs
            backwards, or zones that nobody knows.

    """
    if len(text) > MAX_CHARACTERS:
        raise ZonesError("zones_too_long")
    zones: set[int] = set()
    for item in _GAP.split(_DASH.sub("-", text).strip(" \t\r\n,;")):
        if (match := _RANGE.fullmatch(item)) is None:
            raise ZonesError("zones_syntax", item)
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ZonesError("zones_reversed", item)
        if first < 1 or last > ZONES_PER_SITE:
            raise ZonesError("zones_unknown", item)
        zones.update(range(first, last + 1))
    if unknown := sorted(zones.difference(known)):
        raise ZonesError("zones_unknown", number_ranges(unknown))
    return frozenset(zones)
