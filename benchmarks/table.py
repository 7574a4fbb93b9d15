"""From the figures of all rounds to one table: medians, and ratios within a round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import math
import statistics
from typing import Final

from .scenario import Figures

NAMES: Final = {
    "floor": "bare floor",
    "ours": "this integration",
    "plain": "plain design",
    "mqtt": "MQTT",
    "single": "single link",
}

COMPARISON: Final = ("floor", "ours", "plain", "mqtt")

GROWTH_SIZES: Final = (63, 250, 1000)
"""Nodes of the fleets with which growth is measured; 63 are one site."""

type Rounds = Mapping[str, Sequence[Figures]]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of all contestants; `reference` is what the ratios are to."""

    key: str
    title: str
    unit: str
    reference: str = "floor"


ROWS: Final = (
    Row("steady_1.cpu_us", "CPU per frame, 63 nodes x 1/s", "µs"),
    Row("steady_10.cpu_us", "CPU per frame, 63 nodes x 10/s", "µs"),
    Row("steady_10.handled_share", "frames handled in time, 63 x 10/s", "share"),
    Row("bridge.cpu_us", "CPU per cycle, 1 node with 63 modules x 5/s", "µs"),
    Row("storm.cpu_us", "CPU per change of a zone, storm", "µs", "mqtt"),
    Row("alarm.p50_ms", "alarm during 63 x 10/s, median", "ms"),
    Row("alarm.p99_ms", "alarm during 63 x 10/s, p99", "ms"),
    Row("alarm.write_ms", "one state written meanwhile, p99", "ms", "mqtt"),
    Row("alarm.missing", "alarms not shown within 2 s of the last", "number"),
    Row("alarm.stall_p99_ms", "event loop held up meanwhile, p99", "ms"),
    Row("alarm.stall_max_ms", "event loop held up meanwhile, longest", "ms"),
    Row("alarm.turn_max_ms", "own work in one turn meanwhile, longest", "ms"),
    Row("storm.first_ms", "storm of 315 alarms, first shown", "ms"),
    Row("storm.last_ms", "storm of 315 alarms, last shown", "ms"),
    Row("storm.stall_max_ms", "event loop held up meanwhile, longest", "ms"),
    Row("storm.turn_max_ms", "own work in one turn meanwhile, longest", "ms"),
    Row("cut.return_s", "power cut, all nodes back after", "s"),
    Row("cut.stall_max_ms", "event loop held up meanwhile, longest", "ms"),
    Row("cut.turn_max_ms", "own work in one turn meanwhile, longest", "ms"),
    Row("garbage.full_ms", "a full garbage collection, longest", "ms", "mqtt"),
    Row("memory.uss_mb", "memory per node (USS)", "MB", "mqtt"),
    Row("memory.rss_mb", "memory per node (RSS)", "MB", "mqtt"),
    Row("steady_10.bytes", "bytes per frame, distributed", "B"),
    Row("bridge.bytes", "bytes per cycle, bridge", "B"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """The median of a figure over the rounds, and of its ratio to the reference."""

    value: float
    ratio: float | None

    def __str__(self) -> str:
        """Return both, the ratio in brackets."""
        text = shown(self.value)
        return text if self.ratio is None else f"{text} ({shown(self.ratio)}x)"


def cell(rounds: Rounds, name: str, row: Row) -> Cell | None:
    """Return a cell, or None if the contestant has no such figure."""
    values = [
        figures[row.key] for figures in rounds.get(name, ()) if row.key in figures
    ]
    if not values:
        return None
    ratios = [
        mine[row.key] / others[row.key]
        for mine, others in zip(
            rounds[name], rounds.get(row.reference, ()), strict=False
        )
        if mine.get(row.key) is not None and others.get(row.key)
    ]
    ratio = statistics.median(ratios) if ratios and name != row.reference else None
    return Cell(statistics.median(values), ratio)


def shown(value: float) -> str:
    """Return a number with as many digits as mean something."""
    if math.isinf(value):
        return "never"
    if value == 0 or value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def median(rounds: Rounds, name: str, key: str) -> float:
    """Return the median of a figure over the rounds."""
    return statistics.median(figures[key] for figures in rounds[name])


def of_one_site(rounds: Rounds, name: str) -> Figures:
    """Return what the rounds say of a fleet of 63, named as in the growth."""
    nodes = GROWTH_SIZES[0]
    return {
        f"growth_{nodes}.cpu_us": median(rounds, name, "steady_1.cpu_us"),
        f"growth_{nodes}.uss_mb": median(rounds, name, "memory.uss_mb"),
    }


def ratio_of(rounds: Rounds, key: str, mine: str, other: str) -> float:
    """Return the median over the rounds of one figure's ratio to another's."""
    return statistics.median(
        ours[key] / theirs[key]
        for ours, theirs in zip(rounds[mine], rounds[other], strict=True)
    )


def markdown(rounds: Rounds, contestants: Sequence[str], rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table, one column per contestant."""
    names = [name for name in contestants if name in rounds]
    lines = [
        "| | " + " | ".join(NAMES[name] for name in names) + " |",
        "|---|" + "---:|" * len(names),
    ]
    for row in rows:
        cells = [cell(rounds, name, row) for name in names]
        texts = ("" if one is None else str(one) for one in cells)
        lines.append(f"| {row.title}, {row.unit} | " + " | ".join(texts) + " |")
    return "\n".join(lines)
