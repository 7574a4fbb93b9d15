"""Zones as a spreadsheet: text in, rows and errors out, and back without a loss.

Pure text work on the csv module. What the rows mean for Home Assistant's
registries is `zone_names`' business.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
import csv
from dataclasses import dataclass
from enum import StrEnum
import io
import re
from typing import Any, Final

from .fleet.models import ZONES_PER_SITE
from .sheet_words import Column, ZoneKind, clean, column_of, kind_of, truth_of

MAX_CHARACTERS: Final = 200_000
"""Longest sheet; 315 zones with long names are about 30,000."""

MAX_LINES: Final = 1000
MAX_TEXT: Final = 255
"""Longest name of a zone or an area, in characters."""

COMMA: Final = ","
TAB: Final = "\t"
"""What spreadsheets spread over cells when it is pasted."""

_SHOWN: Final = 40
# Spreadsheets take a cell that begins like this for a formula, and run it.
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_GUARD: Final = "'"
_GUARDED: Final = (*_FORMULA, _GUARD)
_BLANK: Final = " ,;\t"
_QUOTED_OR_SEPARATOR: Final = re.compile(r'"(?:[^"]|"")*"|([,;\t])')
_ZONE: Final = re.compile(r"(?:zon[ea])?\s*0*([1-9][0-9]{0,2})", re.IGNORECASE)
_NUMBER: Final = re.compile(r"(?:zon[ea])?\s*-?[0-9]+", re.IGNORECASE)
_OLD_APP: Final = re.compile(r"#([0-9]{1,3})#")
_OLD_APP_DEFAULT: Final = re.compile(r"zon[ea]\s*0*([0-9]+)", re.IGNORECASE)


class SheetFault(StrEnum):
    """What is wrong with a sheet or a cell of it."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    TOO_MANY_LINES = "too_many_lines"
    QUOTES = "quotes"
    NO_ZONE_COLUMN = "no_zone_column"
    COLUMN_TWICE = "column_twice"
    SURPLUS_CELL = "surplus_cell"
    ZONE_MISSING = "zone_missing"
    ZONE_INVALID = "zone_invalid"
    ZONE_TWICE = "zone_twice"
    KIND_UNKNOWN = "kind_unknown"
    ENABLED_UNKNOWN = "enabled_unknown"
    TEXT_TOO_LONG = "text_too_long"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """What a sheet says of one zone, 1-315; None where it says nothing.

    A `name` of "" is the zone's default name, an `area` of "" none at all.
    """

    zone: int
    name: str | None = None
    area: str | None = None
    kind: ZoneKind | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class SheetError:
    """Something to correct.

    `line` counts from 1, or is 0 if the whole sheet is meant; `value` is the
    beginning of the text found there. `first_line` is where the same zone
    comes first.
    """

    line: int
    fault: SheetFault
    column: Column | None = None
    value: str = ""
    first_line: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as read: its rows in order, and all its errors.

    `ignored` are the headings of columns that mean nothing here.
    """

    rows: tuple[SheetRow, ...] = ()
    errors: tuple[SheetError, ...] = ()
    ignored: tuple[str, ...] = ()


def decode_sheet(data: bytes) -> str | None:
    """Return the text of a file, or None if it is none but, say, a workbook.

    Spreadsheets save in UTF-8, UTF-16 or the Windows code page.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def parse_sheet(text: str) -> Sheet:
    """Return what a text says of zones; it never raises.

    Cells are separated by tabs, semicolons or commas, whichever comes first. A
    first line of headings is optional: without it the columns are zone, name,
    area, device class and enabled. Blank lines do not matter. The old app's
    `#001#NAME, #002#NAME` is understood too.
    """
    text = text.removeprefix("\ufeff")
    reading = _Reading()
    if len(text) > MAX_CHARACTERS:
        reading.complain(0, SheetFault.TOO_LONG)
    elif _OLD_APP.match(text.lstrip()):
        _read_old_app(text, reading)
    else:
        _read_lines(text, reading)
    return reading.sheet()


def read_rows(rows: Iterable[Mapping[str, Any]]) -> Sheet:
    """Return what a list of mappings says, whose keys are headings.

    Counts as a sheet whose first line is the first mapping.
    """
    reading = _Reading()
    for line, row in enumerate(rows, start=1):
        if line > MAX_LINES:
            reading.complain(line, SheetFault.TOO_MANY_LINES)
            break
        columns = reading.read_headings(line, list(row))
        cells = [clean("" if value is None else str(value)) for value in row.values()]
        reading.add(line, cells, columns)
    return reading.sheet()


def format_sheet(rows: Iterable[SheetRow], separator: str = COMMA) -> str:
    """Return rows that say everything as a text `parse_sheet` reads the same.

    Texts that a spreadsheet would run as a formula get an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(Column)
    writer.writerows(
        (
            row.zone,
            _guarded(row.name or ""),
            _guarded(row.area or ""),
            row.kind or "",
            "" if row.enabled is None else "yes" if row.enabled else "no",
        )
        for row in rows
    )
    return text.getvalue()


class _Reading:
    """What was read so far."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._rows: list[SheetRow] = []
        self._errors: list[SheetError] = []
        self._ignored: dict[str, None] = {}
        self._line_of: dict[int, int] = {}

    def sheet(self) -> Sheet:
        """Return the outcome; errors in the order of lines."""
        if not self._rows and not self._errors:
            self.complain(0, SheetFault.EMPTY)
        errors = sorted(self._errors, key=lambda error: error.line)
        return Sheet(tuple(self._rows), tuple(errors), tuple(self._ignored))

    def complain(
        self,
        line: int,
        fault: SheetFault,
        column: Column | None = None,
        value: str = "",
        first_line: int = 0,
    ) -> None:
        """Note something to correct."""
        self._errors.append(SheetError(line, fault, column, value[:_SHOWN], first_line))

    def read_headings(
        self, line: int, headings: Sequence[str]
    ) -> Sequence[Column | None]:
        """Return the columns that headings mean; what means none will be ignored."""
        columns = [column_of(heading) for heading in headings]
        for position, (column, heading) in enumerate(
            zip(columns, headings, strict=True)
        ):
            if column is not None and column in columns[:position]:
                self.complain(line, SheetFault.COLUMN_TWICE, column, heading)
            if column is None and heading:
                self._ignored[heading] = None
        return columns

    def add(
        self, line: int, cells: Sequence[str], columns: Sequence[Column | None]
    ) -> None:
        """Take in a line; if anything is wrong with it, only its errors."""
        known = len(self._errors)
        given = {
            column: cell
            for column, cell in zip(columns, cells, strict=False)
            if column is not None
        }
        if any(surplus := cells[len(columns) :]):
            self.complain(line, SheetFault.SURPLUS_CELL, value=" ".join(surplus))
        row = SheetRow(
            self._read_zone(line, given.get(Column.ZONE, "")),
            self._read_text(line, Column.NAME, given.get(Column.NAME)),
            self._read_text(line, Column.AREA, given.get(Column.AREA)),
            self._read_kind(line, given.get(Column.DEVICE_CLASS, "")),
            self._read_enabled(line, given.get(Column.ENABLED, "")),
        )
        if len(self._errors) == known:
            self._rows.append(row)

    def _read_zone(self, line: int, cell: str) -> int:
        """Return the zone, or 0 if it is none."""
        if not cell:
            self.complain(line, SheetFault.ZONE_MISSING, Column.ZONE)
            return 0
        match = _ZONE.fullmatch(cell)
        if match is None or (zone := int(match[1])) > ZONES_PER_SITE:
            self.complain(line, SheetFault.ZONE_INVALID, Column.ZONE, cell)
            return 0
        if first := self._line_of.get(zone):
            self.complain(line, SheetFault.ZONE_TWICE, Column.ZONE, cell, first)
        self._line_of.setdefault(zone, line)
        return zone

    def _read_text(self, line: int, column: Column, cell: str | None) -> str | None:
        """Return a name, or None if there is no such cell."""
        if cell is None:
            return None
        text = _unguarded(cell)
        if len(text) > MAX_TEXT:
            self.complain(line, SheetFault.TEXT_TOO_LONG, column, text)
        return text

    def _read_kind(self, line: int, cell: str) -> ZoneKind | None:
        """Return what watches the zone, or None if that is not said."""
        kind = kind_of(cell)
        if cell and kind is None:
            self.complain(line, SheetFault.KIND_UNKNOWN, Column.DEVICE_CLASS, cell)
        return kind

    def _read_enabled(self, line: int, cell: str) -> bool | None:
        """Return whether the zone is in use, or None if that is not said."""
        enabled = truth_of(cell)
        if cell and enabled is None:
            self.complain(line, SheetFault.ENABLED_UNKNOWN, Column.ENABLED, cell)
        return enabled


def _read_lines(text: str, reading: _Reading) -> None:
    """Read a text of lines and cells."""
    columns: Sequence[Column | None] = ()
    for line, cells in _records(text, reading):
        if line > MAX_LINES:
            reading.complain(line, SheetFault.TOO_MANY_LINES)
            return
        if not any(cells):
            continue
        if columns or _NUMBER.fullmatch(cells[0]):
            columns = columns or tuple(Column)
            reading.add(line, cells, columns)
        elif Column.ZONE in map(column_of, cells):
            columns = reading.read_headings(line, cells)
        else:
            # No telling what the cells of all the lines below are.
            reading.complain(line, SheetFault.NO_ZONE_COLUMN, value=" ".join(cells))
            return


def _records(text: str, reading: _Reading) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of each line, and complain of those that are none."""
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=_separator_of(text),
        skipinitialspace=True,
        strict=True,
    )
    while True:
        line = reader.line_num + 1
        try:
            yield line, [clean(cell) for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            reading.complain(line, SheetFault.QUOTES)


def _separator_of(text: str) -> str:
    """Return what separates cells: what comes behind the first one."""
    lines = (line for line in text.splitlines() if line.strip(_BLANK))
    found = (match[1] for match in _QUOTED_OR_SEPARATOR.finditer(next(lines, "")))
    return next(filter(None, found), COMMA)


def _read_old_app(text: str, reading: _Reading) -> None:
    """Read the old app's one long line; it knows names only."""
    before, *parts = _OLD_APP.split(text)
    line = 1 + before.count("\n")
    for number, name in zip(parts[::2], parts[1::2], strict=True):
        shown = clean(name).rstrip(", ")
        default = _OLD_APP_DEFAULT.fullmatch(shown)
        if default and int(default[1]) == int(number):
            shown = ""
        reading.add(line, [number, shown], (Column.ZONE, Column.NAME))
        line += name.count("\n")


def _guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return _GUARD + text if text.startswith(_GUARDED) else text


def _unguarded(text: str) -> str:
    """Return the text that `_guarded` made this of."""
    return text[1:] if text.startswith(_GUARD) and text[1:2] in _GUARDED else text
