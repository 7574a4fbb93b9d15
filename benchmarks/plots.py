"""The figures as pictures for the documentation."""

from collections.abc import Mapping, Sequence
import math
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from .scenario import Figures
from .table import GROWTH_SIZES, NAMES, ROWS, Rounds, cell, shown

# Text stays text, so that the files are small; fonts are those of the reader.
mpl.rcParams["svg.fonttype"] = "none"
mpl.rcParams["svg.hashsalt"] = "benchmarks"
mpl.rcParams["font.family"] = ["DejaVu Sans", "sans-serif"]

COLOURS: Final = {
    "floor": "#8c8c8c",
    "ours": "#d62728",
    "plain": "#e8a33d",
    "mqtt": "#4c78a8",
}
"""Ours stands out; the others tell apart without colours by their place."""

PANELS: Final = (
    ("steady_1.cpu_us", "CPU per frame\n63 nodes × 1/s, µs"),
    ("steady_10.cpu_us", "CPU per frame\n63 nodes × 10/s, µs"),
    ("alarm.p99_ms", "alarm during 63 × 10/s\np99 to the state, ms"),
    ("storm.last_ms", "storm of 315 alarms\nlast one shown, ms"),
    ("storm.turn_max_ms", "storm of 315 alarms\nlongest turn of the loop, ms"),
    ("memory.uss_mb", "memory per node\nMB"),
)


def draw_comparison(rounds: Rounds, file: Path) -> None:
    """Draw one panel per figure, one bar per contestant, on a scale of its own."""
    figure, axes = plt.subplots(2, 3, figsize=(9, 5.4), layout="constrained")
    rows = {row.key: row for row in ROWS}
    for axis, (key, title) in zip(axes.flat, PANELS, strict=True):
        cells = {name: cell(rounds, name, rows[key]) for name in COLOURS}
        values = {name: one.value for name, one in cells.items() if one is not None}
        _bars(axis, values)
        axis.set_title(title, fontsize=9)
    figure.savefig(file, format="svg", metadata={"Date": None})
    plt.close(figure)


def draw_growth(growth: Mapping[str, Figures], file: Path) -> None:
    """Draw processor time per second over the number of nodes, both axes linear."""
    figure, axis = plt.subplots(figsize=(6, 3.6), layout="constrained")
    for name in ("floor", "ours"):
        shares = [
            nodes * growth[name][f"growth_{nodes}.cpu_us"] / 1e4
            for nodes in GROWTH_SIZES
        ]
        axis.plot(
            GROWTH_SIZES, shares, marker="o", color=COLOURS[name], label=NAMES[name]
        )
        axis.annotate(
            f"{shares[-1]:.1f} %",
            (GROWTH_SIZES[-1], shares[-1]),
            xytext=(8, 2 if name == "ours" else -10),
            textcoords="offset points",
            fontsize=8,
        )
    _tidy(axis)
    axis.set_xlabel("nodes, one frame per second each")
    axis.set_ylabel("share of one core, %")
    axis.set_ylim(bottom=0)
    axis.set_xlim(0, 1.12 * GROWTH_SIZES[-1])
    axis.legend(frameon=False, fontsize=8)
    figure.savefig(file, format="svg", metadata={"Date": None})
    plt.close(figure)


def _bars(axis: Axes, values: dict[str, float]) -> None:
    """Draw horizontal bars with their values; a giant does not flatten the others."""
    names = list(values)
    limit = 1.25 * _limit(list(values.values()))
    lengths = [min(value, limit) for value in values.values()]
    axis.barh(names, lengths, color=[COLOURS[name] for name in names], height=0.62)
    for place, (value, length) in enumerate(zip(values.values(), lengths, strict=True)):
        cut = " »" if value > limit else ""
        inside = length > 0.7 * limit
        axis.annotate(
            f"{shown(value)}{cut}",
            (length, place),
            xytext=(-4 if inside else 4, 0),
            textcoords="offset points",
            ha="right" if inside else "left",
            va="center",
            fontsize=8,
            color="white" if inside else "black",
        )
    axis.set_yticks(range(len(names)), [NAMES[name] for name in names], fontsize=8)
    axis.invert_yaxis()
    axis.set_xlim(0, limit)
    _tidy(axis)


def _limit(values: Sequence[float]) -> float:
    """Return the end of a scale on which the second largest is still to be seen."""
    ordered = sorted(filter(math.isfinite, values)) or [1.0]
    return min(ordered[-1], 2.5 * ordered[-2]) if len(ordered) > 1 else ordered[-1]


def _tidy(axis: Axes) -> None:
    """Take away what carries no information."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)
