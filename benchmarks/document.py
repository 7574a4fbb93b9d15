"""Writes what was measured into the documentation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
import json
from pathlib import Path
import statistics
from typing import Final

from . import machine
from .guard import RATIOS
from .peer import REPOSITORY
from .scenario import ALARM_GAP_SECONDS, FULL, Figures
from .table import (
    COMPARISON,
    GROWTH_SIZES,
    ROWS,
    Rounds,
    Row,
    cell,
    markdown,
    median,
    ratio_of,
    shown,
)

PAGE: Final = REPOSITORY / "docs" / "benchmarks.md"
IMAGES: Final = REPOSITORY / "docs" / "images"
README: Final = REPOSITORY / "README.md"

README_KEYS: Final = (
    "steady_1.cpu_us",
    "steady_10.cpu_us",
    "alarm.p99_ms",
    "storm.last_ms",
    "memory.uss_mb",
)
BEGIN: Final = "<!-- benchmark: written by script/benchmark -->"
END: Final = "<!-- end of benchmark -->"

TEMPLATE: Final = Path(__file__).parent / "page.md"


@dataclass(frozen=True, slots=True)
class Aim:
    """Something that this integration should hold, and how well it does."""

    text: str
    measured: Callable[[Rounds], float]
    limit: float
    unit: str = "x"
    is_least: bool = False

    def line(self, rounds: Rounds) -> str:
        """Return a line of the table of aims."""
        value = self.measured(rounds)
        is_held = value >= self.limit if self.is_least else value <= self.limit
        bound = "at least" if self.is_least else "at most"
        return (
            f"| {self.text} | {bound} {self.limit:g} {self.unit} "
            f"| {shown(value)} {self.unit} | {'yes' if is_held else '**no**'} |"
        )


def _over(key: str, mine: str, other: str) -> Callable[[Rounds], float]:
    """Return what measures one contestant's figure as a ratio to another's."""
    return lambda rounds: ratio_of(rounds, key, mine, other)


def alarm_over_floor(rounds: Rounds) -> float:
    """Return the median over the rounds of an alarm's p99, in those of the floor.

    The floor writes no state, so one is taken away.
    """
    return statistics.median(
        (ours["alarm.p99_ms"] - ours["alarm.write_ms"]) / floor["alarm.p99_ms"]
        for ours, floor in zip(rounds["ours"], rounds["floor"], strict=True)
    )


def _own(key: str) -> Callable[[Rounds], float]:
    """Return what measures our own figure."""
    return lambda rounds: median(rounds, "ours", key)


AIMS: Final = (
    Aim(
        "CPU per frame against the floor, 1/s",
        _over("steady_1.cpu_us", "ours", "floor"),
        1.1,
    ),
    Aim(
        "CPU per frame against the floor, 10/s",
        _over("steady_10.cpu_us", "ours", "floor"),
        1.1,
    ),
    Aim(
        "plain design's CPU per frame against ours, 1/s",
        _over("steady_1.cpu_us", "plain", "ours"),
        5,
        is_least=True,
    ),
    Aim(
        "MQTT's CPU per frame against ours, 1/s",
        _over("steady_1.cpu_us", "mqtt", "ours"),
        3,
        is_least=True,
    ),
    Aim(
        "MQTT's CPU per frame against ours, 10/s",
        _over("steady_10.cpu_us", "mqtt", "ours"),
        3,
        is_least=True,
    ),
    Aim(
        "alarm during load, p99 less one state write, against the floor's",
        alarm_over_floor,
        2,
    ),
    Aim(
        "alarm during load, p99 against MQTT's",
        _over("alarm.p99_ms", "ours", "mqtt"),
        1,
    ),
    Aim(
        "storm of 315 alarms, event loop held up", _own("storm.stall_max_ms"), 50, "ms"
    ),
    Aim("memory per node", _own("memory.uss_mb"), 1, "MB"),
)


def write(rounds: Rounds, growth: Mapping[str, Figures]) -> None:
    """Renew the page, its pictures and the table in the README."""
    from . import plots  # noqa: PLC0415 - needs what script/benchmark installs

    IMAGES.mkdir(parents=True, exist_ok=True)
    plots.draw_comparison(rounds, IMAGES / "benchmark_comparison.svg")
    plots.draw_growth(growth, IMAGES / "benchmark_growth.svg")
    entities = {
        f"entities_{name}": f"{figures[0]['info.entities']:.0f}"
        for name, figures in rounds.items()
        if figures and "info.entities" in figures[0]
    }
    per_frame = _of_size(growth["ours"], GROWTH_SIZES[-1])["cpu_us"]
    page = TEMPLATE.read_text().format(
        machine=machine.describe(),
        day=datetime.now(UTC).strftime("%d %B %Y"),
        rounds=len(rounds["ours"]),
        comparison=markdown(rounds, COMPARISON, ROWS),
        aims="\n".join(aim.line(rounds) for aim in AIMS),
        broker=shown(median(rounds, "mqtt", "steady_10.broker_cpu_us")),
        single=single_link(rounds),
        growth=growth_table(growth),
        cpu_1000=shown(per_frame),
        full=f"{round(1e6 / per_frame, -2):,.0f}",
        steps=steps_table(),
        alarms=FULL.alarms,
        gap_ms=ALARM_GAP_SECONDS * 1e3,
        **entities,
    )
    PAGE.write_text(page)
    put_into_readme(rounds)


def put_into_readme(rounds: Rounds) -> None:
    """Renew the short table between the marks in the README."""
    text = README.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = [row for row in ROWS if row.key in README_KEYS]
    README.write_text(
        f"{before}{BEGIN}\n\n{markdown(rounds, COMPARISON, rows)}\n\n{END}{after}"
    )


def single_link(rounds: Rounds) -> str:
    """Return what one link of one app costs next to one of ours."""
    row = Row("steady_10.cpu_us", "", "µs")
    single, ours = cell(rounds, "single", row), cell(rounds, "ours", row)
    assert single is not None
    assert ours is not None
    ratio = ratio_of(rounds, row.key, "ours", "single")
    return (
        f"{shown(single.value)} µs per frame at 10 frames a second; one of our 63 "
        f"links costs {shown(ours.value)} µs per frame ({shown(ratio)}x)"
    )


def steps_table() -> str:
    """Return what single steps may cost, as a Markdown table."""
    ratios: dict[str, float] = json.loads(RATIOS.read_text())
    steps: dict[str, dict[str, float]] = {}
    for name, ratio in ratios.items():
        step, _, shape = name.partition(", ")
        steps.setdefault(step.replace("_", " "), {})[shape] = ratio
    shapes = ("one module", "63 modules")
    lines = ["| step | frame of one module | frame of 63 modules |", "|---|---:|---:|"]
    for step, of_shape in steps.items():
        cells = (
            f"{shown(of_shape[shape])}x" if shape in of_shape else ""
            for shape in shapes
        )
        lines.append(f"| {step} | {' | '.join(cells)} |")
    return "\n".join(lines)


def growth_table(growth: Mapping[str, Figures]) -> str:
    """Return what larger fleets cost, as a Markdown table."""
    heads = (
        "nodes",
        "CPU per frame, floor",
        "CPU per frame, ours",
        "ratio",
        "memory per node, ours",
        "own work in one turn, longest, ours",
    )
    lines = [f"| {' | '.join(heads)} |", "|---:" * len(heads) + "|"]
    for nodes in GROWTH_SIZES:
        ours, floor = (_of_size(growth[name], nodes) for name in ("ours", "floor"))
        turn = f"{shown(ours['turn_max_ms'])} ms" if "turn_max_ms" in ours else ""
        lines.append(
            f"| {nodes} | {shown(floor['cpu_us'])} µs | {shown(ours['cpu_us'])} µs "
            f"| {shown(ours['cpu_us'] / floor['cpu_us'])}x "
            f"| {shown(ours['uss_mb'])} MB | {turn} |"
        )
    return "\n".join(lines)


def _of_size(figures: Figures, nodes: int) -> Figures:
    """Return the figures of one size of the fleet."""
    prefix = f"growth_{nodes}."
    return {
        key.removeprefix(prefix): value
        for key, value in figures.items()
        if key.startswith(prefix)
    }
