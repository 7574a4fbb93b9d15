"""Scenario files: one refusal in our own words, or a scenario that is bounded."""

from pathlib import Path
from random import Random

from sim.errors import SimError
from sim.scenario import MAX_MOMENTS, parse_scenario
from sim.scenario_schema import LONGEST_SECONDS, MAX_STEPS

from .mutate import Mutator

SCENARIOS = Path(__file__).parents[3] / "sim" / "scenarios"
WORDS = [
    *("\n", " ", ":", "-", "{", "}", "[", "]", ",", "#", "'", '"', "|", ">", "\t", "?"),
    *("&a ", "*a", "!!python/name:os.system ", "!!binary ", "<<: ", "---\n", "...\n"),
    *("at: ", "do: ", "for: ", "repeat: ", "every: ", "zones: ", "nodes: ", "value: "),
    *("alarm", "fault", "all", "half_open", "null", "true", "~", "0", "-1", "1e9"),
    *(
        ".inf",
        ".nan",
        "0x7f",
        "1_000",
        "99999999999",
        "24 h",
        "1 ms",
        "2020-01-01",
        "\x00",
    ),
    *("\ud800", "\ufeff", "\u2028", "[" * 40, "{" * 40, "1-315", "5-3", "name: x\n"),
]


class ScenarioFuzz:
    """Never another error than ours, and never more than was promised."""

    name = "scenario"

    def __init__(self, seed: int) -> None:
        """Begin with the ready ones."""
        corpus = [path.read_text("utf-8") for path in sorted(SCENARIOS.glob("*.yaml"))]
        random = Random(seed)  # noqa: S311 - repeatable, not secret
        self._mutator = Mutator(corpus, WORDS, random, 4000)

    def make(self) -> str:
        """Return a text."""
        return self._mutator.make()

    def check(self, text: str) -> None:
        """Read it."""
        try:
            scenario = parse_scenario(text, "fuzz.yaml")
        except SimError as err:
            message = str(err)
            assert message.startswith("fuzz.yaml")
            assert len(message.splitlines()) <= 11
            assert len(message) < 11 * 1000
            return
        assert 0 < len(scenario.steps) <= MAX_STEPS
        assert 0 < len(scenario.moments) <= MAX_MOMENTS
        assert 0 <= scenario.seconds <= LONGEST_SECONDS
        times = [moment.at for moment in scenario.moments]
        assert times == sorted(times)
