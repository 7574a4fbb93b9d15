"""The table of faults for people, in the terminal and in the documentation."""

from .faults import FAULTS


def fault_lines() -> list[str]:
    """Return one line per fault: its name, its value with range, what it is."""
    return [
        f"  {name:18} {kind.parameter.text if kind.parameter else '':33} {kind.what}"
        for name, kind in FAULTS.items()
    ]


def fault_table() -> str:
    """Return all faults as a Markdown table."""
    rows = [
        (
            f"`{name}`",
            kind.what,
            kind.parameter.text if kind.parameter else "",
            _lasts(kind.default_seconds, once=kind.once),
        )
        for name, kind in FAULTS.items()
    ]
    head = ("fault", "what it is", "value: default (range)", "lasts")
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _lasts(seconds: float | None, *, once: bool) -> str:
    """Return how long a fault lasts when nobody says."""
    if once:
        return "once"
    return "until put up" if seconds is None else f"{seconds:g} s"
