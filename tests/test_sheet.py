"""The sheet of zones as text: read in many spellings, written so that it reads the same."""

import csv
import io

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.esp32_fire_alarm.sheet import (
    COMMA,
    MAX_CHARACTERS,
    MAX_LINES,
    MAX_TEXT,
    TAB,
    SheetError,
    SheetFault,
    SheetRow,
    decode_sheet,
    format_sheet,
    parse_sheet,
    read_rows,
)
from custom_components.esp32_fire_alarm.sheet_words import Column, ZoneKind, clean

EVERYTHING = (
    SheetRow(1, "Kitchen", "Ground floor", ZoneKind.HEAT, True),
    SheetRow(17, 'Store 5", left', "", ZoneKind.SMOKE, False),
    SheetRow(315, "", "Boiler; room", ZoneKind.GAS, True),
)
SAME_IN_MANY_WORDS = (
    SheetRow(1, "Dapur", "Lantai 1", ZoneKind.HEAT, True),
    SheetRow(2, "Lobi", "", ZoneKind.MANUAL_CALL_POINT, False),
)

texts = st.text(max_size=60).map(clean)
full_rows = st.lists(
    st.builds(
        SheetRow,
        st.integers(1, 315),
        texts,
        texts,
        st.sampled_from(ZoneKind),
        st.booleans(),
    ),
    unique_by=lambda row: row.zone,
    min_size=1,
    max_size=40,
).map(tuple)
separators = st.sampled_from([COMMA, TAB, ";"])


def one_error(text: str) -> SheetError:
    """Return the only error of a text."""
    (error,) = parse_sheet(text).errors
    return error


# There and back.


@given(full_rows, separators)
def test_an_export_reads_as_it_was(rows: tuple[SheetRow, ...], separator: str) -> None:
    text = format_sheet(rows, separator)
    sheet = parse_sheet(text)
    assert sheet.rows == rows
    assert not sheet.errors
    assert not sheet.ignored
    assert format_sheet(sheet.rows, separator) == text


@given(full_rows, separators)
def test_an_export_survives_a_spreadsheet(
    rows: tuple[SheetRow, ...], separator: str
) -> None:
    """Whoever reads cells and writes them with other quotes and line ends."""
    cells = csv.reader(io.StringIO(format_sheet(rows, COMMA), newline=""))
    saved = io.StringIO()
    csv.writer(
        saved, delimiter=separator, lineterminator="\r\n", quoting=csv.QUOTE_ALL
    ).writerows(cells)
    assert parse_sheet(f"\ufeff{saved.getvalue()}").rows == rows


@given(texts)
def test_no_cell_is_a_formula(text: str) -> None:
    exported = format_sheet([SheetRow(1, text, text, ZoneKind.SMOKE, True)])
    for line in csv.reader(io.StringIO(exported, newline="")):
        for cell in line:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))


@pytest.mark.parametrize(
    "text", ["=1+1", "-5", "'", "''", "'=1", "'Tis", "@home", "+62 21", "＝A1"]
)
def test_a_formula_is_neutralised_and_restored(text: str) -> None:
    exported = format_sheet([SheetRow(1, text, text, ZoneKind.SMOKE, True)])
    (row,) = parse_sheet(exported).rows
    assert row.name == row.area == text


@given(st.text(max_size=200))
@settings(max_examples=300)
def test_any_text_is_read_without_raising(text: str) -> None:
    """Whatever it says: rows or errors, and each of these is somewhere."""
    sheet = parse_sheet(text)
    assert sheet.rows or sheet.errors
    for row in sheet.rows:
        assert 1 <= row.zone <= 315
        assert row.name == clean(row.name or "") or row.name is None
    for error in sheet.errors:
        assert 0 <= error.line <= text.count("\n") + text.count("\r") + 1


@given(
    st.lists(st.text(alphabet='1237#,;\t"\n\r zoneamh=', max_size=12), max_size=20).map(
        "\n".join
    )
)
@settings(max_examples=300)
def test_almost_a_sheet_is_read_without_raising(text: str) -> None:
    sheet = parse_sheet(text)
    assert sheet.rows or sheet.errors


# Spellings.


@pytest.mark.parametrize(
    "text",
    [
        "zone,name,area,device class,enabled\n1,Dapur,Lantai 1,heat,yes\n2,Lobi,,mcp,no",
        (
            "zona;nama;ruang;jenis;aktif\r\n1;Dapur;Lantai 1;panas;ya\r\n"
            "2;Lobi;;titik panggil manual;tidak\r\n"
        ),
        (
            "No.\tNama zona\tRuangan\tTipe\tDipakai\n1\tDapur\tLantai 1\tPANAS\tBenar\n"
            "2\tLobi\t\tManual-Call-Point\tSalah"
        ),
        "1,Dapur,Lantai 1,heat,1\n2,Lobi,,manual_call_point,0",
        "\n;;;;\nZone 001;  Dapur ;Lantai   1;Heat;TRUE;;\n\nzona 2;Lobi;;MCP;off;\n",
        (
            'Enabled, "Zone Number", Floor, Area, Device_Class, Name\n'
            'on, 1, 3, "Lantai 1", heat, "Dapur"\nno, 002, 4, , mcp, Lobi'
        ),
        (
            '"zone","name","area","kind","active"\n"1","Dapur","Lantai\r\n1","heat","yes"\n'
            '"2","Lobi","","call point","no"'
        ),
    ],
)
def test_many_spellings_of_the_same(text: str) -> None:
    sheet = parse_sheet(text)
    assert not sheet.errors
    assert sheet.rows == SAME_IN_MANY_WORDS


def test_unknown_columns_are_named() -> None:
    """A misspelt heading should not go unseen."""
    sheet = parse_sheet("zone,nmae,area,,floor\n1,Kitchen,Hall,,2")
    assert sheet.ignored == ("nmae", "floor")
    assert sheet.rows == (SheetRow(1, None, "Hall"),)


def test_what_is_not_there_says_nothing() -> None:
    """A missing column or cell leaves things as they are; a blank name does not."""
    assert parse_sheet("zone,name\n1,\n2").rows == (SheetRow(1, ""), SheetRow(2))
    assert parse_sheet("1,Kitchen,,,").rows == (SheetRow(1, "Kitchen", ""),)
    assert parse_sheet("zone\n7").rows == (SheetRow(7),)


def test_the_old_app() -> None:
    sheet = parse_sheet(
        "\n #001#RUANG SERVER, LT 2, #02#Gudang,\n#17#ZONA 17, #016#Zone 17,#3##,#300#,"
    )
    assert not sheet.errors
    assert sheet.rows == (
        SheetRow(1, "RUANG SERVER, LT 2"),
        SheetRow(2, "Gudang"),
        SheetRow(17, ""),
        SheetRow(16, "Zone 17"),
        SheetRow(3, "#"),
        SheetRow(300, ""),
    )
    again = parse_sheet("#001#A, #000#B,\n#001#C, #001#D")
    assert again.rows == (SheetRow(1, "A"),)
    assert again.errors == (
        SheetError(1, SheetFault.ZONE_INVALID, Column.ZONE, "000"),
        SheetError(2, SheetFault.ZONE_TWICE, Column.ZONE, "001", first_line=1),
        SheetError(2, SheetFault.ZONE_TWICE, Column.ZONE, "001", first_line=1),
    )


def test_rows_instead_of_text() -> None:
    """As YAML has them, with numbers and truth values."""
    sheet = read_rows(
        [
            {
                "zone": 1,
                "name": "Dapur",
                "area": "Lantai 1",
                "device_class": "heat",
                "enabled": True,
            },
            {
                "zona": "2",
                "nama": "Lobi",
                "area": None,
                "jenis": "mcp",
                "aktif": False,
                "lantai": 3,
            },
        ]
    )
    assert sheet.rows == SAME_IN_MANY_WORDS
    assert sheet.ignored == ("lantai",)
    assert not sheet.errors


# Errors.


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", SheetError(0, SheetFault.EMPTY)),
        ("\ufeff \r\n,,,\n", SheetError(0, SheetFault.EMPTY)),
        ("\u2028", SheetError(0, SheetFault.EMPTY)),
        ("zone,name\n,,\n", SheetError(0, SheetFault.EMPTY)),
        ("1" * (MAX_CHARACTERS + 1), SheetError(0, SheetFault.TOO_LONG)),
        (
            "name,area\nKitchen,Hall",
            SheetError(1, SheetFault.NO_ZONE_COLUMN, value="name area"),
        ),
        (
            "\nzone,name,zona\n1,A,2",
            SheetError(2, SheetFault.COLUMN_TWICE, Column.ZONE, "zona"),
        ),
        ("zone,name\n,Kitchen", SheetError(2, SheetFault.ZONE_MISSING, Column.ZONE)),
        ("0,A", SheetError(1, SheetFault.ZONE_INVALID, Column.ZONE, "0")),
        ("316,A", SheetError(1, SheetFault.ZONE_INVALID, Column.ZONE, "316")),
        ("-1,A", SheetError(1, SheetFault.ZONE_INVALID, Column.ZONE, "-1")),
        ("1,A\n1.5,B", SheetError(2, SheetFault.ZONE_INVALID, Column.ZONE, "1.5")),
        ("1,A\n١,B", SheetError(2, SheetFault.ZONE_INVALID, Column.ZONE, "١")),
        (
            "1,A\n2,B\n01,C",
            SheetError(3, SheetFault.ZONE_TWICE, Column.ZONE, "01", first_line=1),
        ),
        (
            "1,A,,laser",
            SheetError(1, SheetFault.KIND_UNKNOWN, Column.DEVICE_CLASS, "laser"),
        ),
        (
            "1,A,,,perhaps",
            SheetError(1, SheetFault.ENABLED_UNKNOWN, Column.ENABLED, "perhaps"),
        ),
        (
            f"1,{'A' * (MAX_TEXT + 1)}",
            SheetError(1, SheetFault.TEXT_TOO_LONG, Column.NAME, "A" * 40),
        ),
        (
            f"1,A,{'B' * (MAX_TEXT + 1)}",
            SheetError(1, SheetFault.TEXT_TOO_LONG, Column.AREA, "B" * 40),
        ),
        (
            "zone,name\n1,Kitchen, left,of the hall",
            SheetError(2, SheetFault.SURPLUS_CELL, value="left of the hall"),
        ),
        ('1,A\n2,"B\n3,C', SheetError(2, SheetFault.QUOTES)),
        ('1,A\n2,"B" C\n3,D', SheetError(2, SheetFault.QUOTES)),
    ],
)
def test_errors_are_where_they_are(text: str, error: SheetError) -> None:
    assert one_error(text) == error


def test_all_errors_at_once() -> None:
    """One look at the list, not one round per error; and no good line suffers."""
    sheet = parse_sheet(
        'zone,name,kind,enabled\n1,A,smoke,yes\n2,"B" x,,\n,C,laser,maybe\n400,D\n5,E'
    )
    assert sheet.rows == (
        SheetRow(1, "A", None, ZoneKind.SMOKE, True),
        SheetRow(5, "E"),
    )
    assert [(error.line, error.fault) for error in sheet.errors] == [
        (3, SheetFault.QUOTES),
        (4, SheetFault.ZONE_MISSING),
        (4, SheetFault.KIND_UNKNOWN),
        (4, SheetFault.ENABLED_UNKNOWN),
        (5, SheetFault.ZONE_INVALID),
    ]


def test_too_many_lines() -> None:
    error = one_error("1,A\n" + "\n" * MAX_LINES + "2,B\n3,C")
    assert error == SheetError(MAX_LINES + 1, SheetFault.TOO_MANY_LINES)
    rows = [{"zone": "", "name": "A"}] * (MAX_LINES + 1)
    sheet = read_rows(rows)
    assert len(sheet.errors) == MAX_LINES + 1
    assert sheet.errors[-1] == SheetError(MAX_LINES + 1, SheetFault.TOO_MANY_LINES)


def test_no_rows() -> None:
    assert read_rows([]).errors == (SheetError(0, SheetFault.EMPTY),)


# Files.


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_of_spreadsheets(encoding: str) -> None:
    text = format_sheet(EVERYTHING, TAB).replace("Kitchen", "Küche – Dapur")
    decoded = decode_sheet(text.encode(encoding))
    assert decoded == text
    assert parse_sheet(decoded).rows[0].name == "Küche – Dapur"


def test_files_that_are_something_else() -> None:
    assert decode_sheet("Küche".encode("cp1252")) == "Küche"
    assert decode_sheet(b"PK\x03\x04\x14\x00\x06\x00") is None
