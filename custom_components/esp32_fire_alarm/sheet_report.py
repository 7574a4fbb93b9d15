"""What is wrong with a sheet of zones, and what it would change, in plain words."""

from collections.abc import Iterable, Iterator
from typing import Final

from .sheet import MAX_CHARACTERS, MAX_LINES, MAX_TEXT, Sheet, SheetError
from .sheet_words import Column
from .words import Words, bullets, code, number_ranges
from .zone_names import SheetPlan, ZoneChange

MAX_SHOWN: Final = 40
"""Lines of a list in a dialogue; the rest is counted."""


def say_error(words: Words, error: SheetError) -> str:
    """Return one error: where, what, and how to mend it."""
    text = words.say(
        "sheet_fault",
        error.fault,
        value=code(error.value),
        first_line=error.first_line,
        max_characters=MAX_CHARACTERS,
        max_lines=MAX_LINES,
        max_text=MAX_TEXT,
    )
    if not error.line:
        return text
    if error.column is None:
        return words.say("sheet_report", "line", line=error.line, text=text)
    column = words.say("sheet_column", error.column)
    return words.say(
        "sheet_report", "line_and_column", line=error.line, column=column, text=text
    )


def say_errors(words: Words, sheet: Sheet) -> str:
    """Return all errors of a sheet as Markdown."""
    lines = (say_error(words, error) for error in sheet.errors)
    return bullets(words.say("sheet_report", "errors"), _shortened(words, lines))


def say_plan(words: Words, plan: SheetPlan, sheet: Sheet) -> str:
    """Return what a sheet would change, as Markdown."""
    return "\n\n".join(_paragraphs(words, plan, sheet))


def _paragraphs(words: Words, plan: SheetPlan, sheet: Sheet) -> Iterator[str]:
    """Yield the summary, the warnings and the list of changes."""
    counts = {
        "names": sum(change.after.name is not None for change in plan.changes),
        "areas": sum(change.after.area is not None for change in plan.changes),
        "kinds": sum(change.after.kind is not None for change in plan.changes),
        "devices": len(plan.areas_of),
    }
    summary = [
        words.say("sheet_report", key, count=count)
        for key, count in counts.items()
        if count
    ]
    if plan.new_areas:
        names = ", ".join(_shortened(words, map(code, plan.new_areas)))
        summary.append(
            words.say(
                "sheet_report", "new_areas", count=len(plan.new_areas), names=names
            )
        )
    if summary:
        yield bullets(words.say("sheet_report", "summary"), summary)
    for key, zones in (
        ("disabled", plan.zones_enabled(enabled=False)),
        ("enabled", plan.zones_enabled(enabled=True)),
        ("no_smoke", plan.zones_not_smoke),
        ("locked", plan.locked),
        ("left_out", plan.left_out),
    ):
        if zones:
            yield words.say("sheet_report", key, zones=number_ranges(sorted(zones)))
    if sheet.ignored:
        names = ", ".join(map(code, sheet.ignored))
        yield words.say("sheet_report", "ignored", names=names)
    if plan.changes:
        lines = (_say_change(words, change) for change in plan.changes)
        yield bullets(words.say("sheet_report", "zones"), _shortened(words, lines))


def _say_change(words: Words, change: ZoneChange) -> str:
    """Return what would change of one zone."""
    before, after = change.before, change.after
    parts: list[str] = []
    if after.name is not None:
        default = words.say("sheet_report", "default_name")
        parts.append(f"{_shown(before.name, default)} → {_shown(after.name, default)}")
    if after.area is not None:
        none = words.say("sheet_report", "no_area")
        parts.append(
            f"{words.say('sheet_column', Column.AREA)} "
            f"{_shown(before.area, none)} → {_shown(after.area, none)}"
        )
    if before.kind is not None and after.kind is not None:
        parts.append(
            f"{words.say('zone_kind', before.kind)} → "
            f"{words.say('zone_kind', after.kind)}"
        )
    if after.enabled is not None:
        parts.append(
            words.say("sheet_report", "is_enabled" if after.enabled else "is_disabled")
        )
    return f"{after.zone}: {', '.join(parts)}"


def _shown(text: str | None, nothing: str) -> str:
    """Return a text of the sheet, or the words for none."""
    return code(text) if text else nothing


def _shortened(words: Words, lines: Iterable[str]) -> Iterator[str]:
    """Yield as many lines as anybody reads, and how many more there are."""
    more = 0
    for number, line in enumerate(lines, start=1):
        if number <= MAX_SHOWN:
            yield line
        else:
            more += 1
    if more:
        yield words.say("sheet_report", "more", count=more)
