"""The result of a soak, for people and for docs/endurance.md."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
import json
from pathlib import Path
import platform
from typing import Final

from .samples import Trend

_MANIFEST: Final = (
    Path(__file__)
    .parents[2]
    .joinpath("custom_components", "esp32_fire_alarm", "manifest.json")
)


@dataclass(slots=True)
class Result:
    """What came of a soak; times are seconds, of the loop unless `took_seconds`.

    `reconnects` are those of every node, fewest first. `wrong` counts what must
    not be by kind, `struck` the troubles by name.
    """

    seed: int
    nodes: int
    is_warped: bool
    is_house: bool
    seconds: float
    frames: int
    reconnects: list[int]
    alarms: int
    ends: int
    worst_seconds: float
    wrong: dict[str, int]
    complaints: list[str]
    struck: dict[str, int]
    trends: list[Trend]
    took_seconds: float = field(default=0.0)

    @property
    def leaks(self) -> list[Trend]:
        """The quantities that grew by more than noise explains."""
        return [trend for trend in self.trends if trend.is_leak]

    @property
    def has_passed(self) -> bool:
        """Tell whether nothing was lost, told twice, or leaked."""
        return not self.wrong and not self.leaks


def markdown(result: Result) -> str:
    """Return a section for docs/endurance.md."""
    return "\n".join(_lines(result)) + "\n"


def _span(seconds: float) -> str:
    """Return a time in the unit that people would say it in."""
    return f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds / 60:g} min"


def _lines(result: Result) -> Iterator[str]:
    version = json.loads(_MANIFEST.read_text())["version"]
    form = "accelerated" if result.is_warped else "real time"
    form += ", a Home Assistant process" if result.is_house else ""
    verdict = "passed" if result.has_passed else "FAILED"
    yield (
        f"### {datetime.now(UTC):%Y-%m-%d}, version {version}: "
        f"{_span(result.seconds)} {form}: {verdict}"
    )
    yield ""
    yield (
        f"Seed {result.seed}, {result.nodes} nodes, Python {platform.python_version()} "
        f"on {platform.system()} {platform.machine()}, took "
        f"{result.took_seconds / 60:.1f} min."
    )
    yield ""
    yield "| what | figure |"
    yield "|---|---|"
    yield f"| frames | {result.frames:,} |"
    yield (
        f"| reconnects per node | {result.reconnects[0]:,} to "
        f"{result.reconnects[-1]:,}, {sum(result.reconnects):,} in all |"
    )
    yield f"| troubles | {sum(result.struck.values()):,} of {len(result.struck)} kinds |"
    yield f"| alarms told / their ends told | {result.alarms:,} / {result.ends:,} |"
    yield f"| lost, doubled, invented or shown clear | {sum(result.wrong.values())} |"
    if not result.is_house:
        # From outside nobody sees which link is disturbed.
        yield f"| worst alarm at an undisturbed node | {result.worst_seconds:.3f} s |"
    yield ""
    yield "| quantity | first | last | 2nd half: mean | slope per hour | growth | allowed |"
    yield "|---|---|---|---|---|---|---|"
    for one in result.trends:
        note = " **leak**" if one.is_leak else ""
        yield (
            f"| {one.name} | {one.first:,.1f} | {one.last:,.1f} | {one.mean:,.1f} | "
            f"{one.per_hour:+,.3f} | {one.growth:+,.2f}{note} | "
            f"{one.allowed:,.2f} ± {one.noise:,.2f} |"
        )
    if result.complaints:
        yield ""
        yield from (f"- {complaint}" for complaint in result.complaints)
