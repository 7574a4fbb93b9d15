"""The tables in docs/ say what is so: every fault, every promise, every scenario."""

from pathlib import Path
import re

import pytest

from benchmarks import faults
from benchmarks.adversary import HAZARDS, Outcome, Promise, concerns
from benchmarks.faults import BROKEN, KEPT, matrix
from sim.faults import Fault
from sim.listing import fault_table
from sim.scenario_schema import ACTIONS

ROOT = Path(__file__).parents[2]
SIMULATOR = (ROOT / "docs" / "simulator.md").read_text()
FAULTS = (ROOT / "docs" / "faults.md").read_text()


def between(text: str, begin: str, end: str) -> str:
    """Return what stands between two lines."""
    return text.partition(begin)[2].partition(end)[0].strip()


def rows(table: str) -> list[list[str]]:
    """Return the cells of a Markdown table, its head first."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [cells[0], *cells[2:]]


def test_the_table_of_faults_is_that_of_the_simulator() -> None:
    """`python -m sim faults --markdown` prints it."""
    begin = "<!-- faults: from python -m sim faults --markdown -->"
    assert between(SIMULATOR, begin, "<!-- end of the faults -->") == fault_table()


def test_the_matrix_covers_every_fault_and_promise() -> None:
    """`python -m benchmarks.faults --write` renews it."""
    text = between(FAULTS, faults.BEGIN, faults.END)
    head, *lines = rows(text)
    assert head == ["fault", *Promise, *faults.FIGURES]
    assert [line[0] for line in lines] == [f"`{hazard}`" for hazard in HAZARDS]
    for hazard, line in zip(HAZARDS, lines, strict=True):
        cells = dict(zip(head, line, strict=True))
        for promise in Promise:
            expected = KEPT if concerns(promise, hazard) else "-"
            assert cells[promise] == expected, (hazard, promise)
        assert int(cells["alarms"]) >= 3
        assert cells["lost"] == cells["doubled"] == "0"
    assert re.search(rf"^{len(HAZARDS)} faults tried, \d+ alarms raised, 0 lost", text)
    assert re.search(r"^\d{4}-\d\d-\d\d, version \S+, \d+ cores", text, re.MULTILINE)


def test_every_promise_is_explained() -> None:
    head, *lines = rows(FAULTS.partition("<!-- matrix")[0])
    assert head == ["promise", "holds when"]
    assert [line[0] for line in lines] == list(Promise)


def test_a_broken_promise_shows_in_the_matrix() -> None:
    outcome = Outcome(Fault.SILENT, raised=3, lost=1)
    outcome.breaks(Promise.TOLD_ONCE, "told {}")
    outcome.breaks(Promise.TOLD_ONCE, "and again")
    _, line = rows(matrix([outcome]))
    assert line[:3] == ["`silent`", BROKEN, KEPT]
    assert "3 alarms raised, 1 lost, 0 doubled" in matrix([outcome])
    assert outcome.broken == {Promise.TOLD_ONCE: "told {}"}


def test_the_matrix_is_written_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "faults.md"
    page.write_text(f"before\n{faults.BEGIN}\nold\n{faults.END}\nafter\n")
    monkeypatch.setattr(faults, "PAGE", page)
    faults.write("new")
    assert page.read_text() == f"before\n{faults.BEGIN}\n\nnew\n\n{faults.END}\nafter\n"


def test_every_action_and_every_ready_scenario_is_described() -> None:
    for action in ACTIONS:
        assert f"`{action}`" in SIMULATOR, action
    for path in (ROOT / "sim" / "scenarios").glob("*.yaml"):
        assert f"`{path.name}`" in SIMULATOR, path.name


def test_the_readme_leads_to_both() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "(docs/simulator.md)" in readme
    assert "(docs/faults.md)" in readme
