"""The log as a table that spreadsheets read."""

from collections.abc import Iterable, Mapping
import csv
from datetime import UTC, datetime
import io
from typing import Final

from .occurrence import Occurrence

_COLUMNS: Final = (
    "id",
    "kind",
    "zone",
    "name",
    "module",
    "source",
    "order",
    "raised",
    "restored",
    "ended",
    "acknowledged",
    "acknowledged_by",
    "reset",
    "reset_by",
    "found_on_resync",
    "drill",
    "test",
    "disabled",
    "latency_ms",
)

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would calculate what begins with one of these."""


def export_csv(
    occurrences: Iterable[Occurrence], names: Mapping[int, str] | None = None
) -> str:
    """Return occurrences as CSV with a heading line; times are UTC, ISO 8601.

    `names` are those of the zones by number (1-315). Text that a spreadsheet
    would take for a formula gets an apostrophe in front.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for one in occurrences:
        writer.writerow(
            (
                one.id,
                one.kind,
                one.zone,
                _harmless((names or {}).get(one.zone)),
                one.module,
                one.source,
                one.order,
                _readable(one.raised_at),
                _readable(one.restored_at),
                _readable(one.ended_at),
                _readable(one.acknowledged_at),
                _harmless(one.acknowledged_by),
                _readable(one.reset_at),
                _harmless(one.reset_by),
                one.found_on_resync,
                one.drill,
                one.test,
                one.disabled,
                None if one.latency is None else round(one.latency * 1000, 3),
            )
        )
    return out.getvalue()


def _readable(at: float | None) -> str:
    """Return seconds since the epoch as text, nothing as nothing."""
    if at is None:
        return ""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _harmless(text: str | None) -> str:
    """Return text that a spreadsheet shows as it is."""
    if text is None:
        return ""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
