"""What people write into a sheet of zones, in English and Indonesian, and what it means."""

from collections.abc import Mapping
from enum import StrEnum
import re
from typing import Final


class ZoneKind(StrEnum):
    """What watches a zone."""

    SMOKE = "smoke"
    HEAT = "heat"
    MANUAL_CALL_POINT = "manual_call_point"
    GAS = "gas"


class Column(StrEnum):
    """A column of the sheet, under the heading it has in an export."""

    ZONE = "zone"
    NAME = "name"
    AREA = "area"
    DEVICE_CLASS = "device_class"
    ENABLED = "enabled"


# Control characters, and halves of characters that no file can hold.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_PUNCTUATION: Final = re.compile(r"[-_.:*]")

_HEADINGS: Final[Mapping[Column, str]] = {
    Column.ZONE: "zone, zone number, zone no, number, no, zona, nomor zona, no zona, nomor",
    Column.NAME: "name, zone name, nama, nama zona",
    Column.AREA: "area, room, area name, ruang, ruangan, nama area",
    Column.DEVICE_CLASS: (
        "device class, class, kind, type, detector, "
        "kelas perangkat, kelas, jenis, tipe, detektor, jenis detektor"
    ),
    Column.ENABLED: "enabled, active, in use, aktif, diaktifkan, dipakai",
}
_KINDS: Final[Mapping[ZoneKind, str]] = {
    ZoneKind.SMOKE: "smoke, asap",
    ZoneKind.HEAT: "heat, panas",
    ZoneKind.MANUAL_CALL_POINT: (
        "manual call point, call point, mcp, titik panggil manual, tombol manual"
    ),
    ZoneKind.GAS: "gas",
}
_ENABLED: Final[Mapping[bool, str]] = {
    True: "yes, true, on, 1, enabled, ya, aktif, benar",
    False: "no, false, off, 0, disabled, tidak, nonaktif, salah",
}


def clean(text: str) -> str:
    """Return a text as a cell holds it: in one line, without blanks to spare."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def column_of(heading: str) -> Column | None:
    """Return the column that a heading means."""
    return _COLUMN_OF.get(_folded(heading))


def kind_of(word: str) -> ZoneKind | None:
    """Return what watches a zone according to a cell."""
    return _KIND_OF.get(_folded(word))


def truth_of(word: str) -> bool | None:
    """Return what a word for yes or no means."""
    return _TRUTH_OF.get(_folded(word))


def _folded(text: str) -> str:
    """Return a word in small letters, its parts separated by one blank."""
    return clean(_PUNCTUATION.sub(" ", text.casefold()))


def _inverted[Meaning](words: Mapping[Meaning, str]) -> dict[str, Meaning]:
    """Return what each of the words means."""
    return {
        word: meaning for meaning, line in words.items() for word in line.split(", ")
    }


_COLUMN_OF: Final = _inverted(_HEADINGS)
_KIND_OF: Final = _inverted(_KINDS)
_TRUTH_OF: Final = _inverted(_ENABLED)
