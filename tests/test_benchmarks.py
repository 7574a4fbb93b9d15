"""The benchmarks run, and count right. What they measure is not judged here."""

import math
import subprocess
import sys

import pytest

from benchmarks.guard import TOLERANCE, least, too_slow
from benchmarks.load import Load
from benchmarks.pairs import alarm_table, table
from benchmarks.plan import plan, zones_of
from benchmarks.scenario import Alarms, percentile, waits_ms
from benchmarks.table import Cell, Row, cell, markdown, shown
from script.hass_process import REPOSITORY


def try_out(module: str) -> str:
    """Return what a benchmark prints that only shows that it works."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--quick"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_all_that_needs_no_broker_meets_the_fleet_in_a_real_home_assistant() -> None:
    table = try_out("benchmarks")
    assert "bare floor" in table
    assert "this integration" in table
    assert "plain design" in table
    (missed,) = (line for line in table.splitlines() if "alarms not shown" in line)
    assert missed.split("|")[2:5] == [" 0 ", " 0 ", " 0 "]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_floor_and_integration_are_measured_by_turns() -> None:
    printed = try_out("benchmarks.pairs")
    rows = [line.split("|")[1].strip() for line in printed.splitlines() if "|" in line]
    assert rows[2:4] == ["1/s", "10/s"]
    assert rows[6:] == ["bare floor", "this integration", "one state written"]
    assert printed.endswith("Alarms not shown: 0.\n")


def test_the_ratio_is_that_of_neighbours() -> None:
    lines = table({1.0: [(10.0, 11.0), (100.0, 90.0), (50.0, 60.0)]}).splitlines()
    assert lines[-1] == "| 1/s | 50 µs | 60 µs | 1.10x | 0.90-1.20x |"


def test_a_thousand_nodes_are_sites_of_63_on_addresses_of_their_own() -> None:
    nodes = plan("distributed", 1000)
    assert len({one.host for one in nodes}) == 1000
    assert {one.host.split(".")[0] for one in nodes} == {"127"}
    assert [one.site for one in nodes].count(0) == 63
    assert nodes[-1].site == 15
    assert zones_of(nodes[62]) == range(311, 316)


def test_a_latency_is_from_the_alarm_to_its_own_zone() -> None:
    waits = waits_ms(
        [(1, 1_000_000), (6, 2_000_000), (11, 3_000_000)],
        [(6, 1_500_000), (1, 3_000_000), (6, 3_000_000), (6, 9_000_000)],
    )
    assert sorted(waits) == [1.0, 2.0]


def test_an_alarm_that_is_never_shown_is_not_taken_for_the_next_of_its_zone() -> None:
    waits = waits_ms(
        [(1, 1_000_000), (1, 5_000_000)],
        [(1, 6_000_000), (1, 6_500_000)],
    )
    assert waits == [1.0]


@pytest.mark.usefixtures("loopback")
async def test_every_alarm_is_of_another_zone() -> None:
    load = Load()
    await load.open("distributed", 2)
    raised = await load.alarms(11, 0.0)
    await load.cut()
    assert [zone for zone, _ in raised] == [1, 6, 2, 7, 3, 8, 4, 9, 5, 10, 1]


def test_alarms_are_noted_with_what_a_state_costs() -> None:
    slow = Alarms([3.0, 1.0, 2.0], [0.2, 0.1], missing=1)
    assert slow.figures() == {
        "alarm.p50_ms": 2.0,
        "alarm.p99_ms": 3.0,
        "alarm.write_ms": 0.2,
        "alarm.missing": 1,
    }
    assert Alarms([], [], missing=2).figures() == {"alarm.missing": 2}


def test_the_alarms_of_all_turns_are_put_together() -> None:
    floor = Alarms([0.2] * 50, [], 0), Alarms([0.2] * 49 + [0.4], [], 1)
    ours = (
        Alarms([0.5] * 100, [0.1] * 60, 2),
        Alarms([0.5] * 50 + [0.9] * 50, [0.1] * 40, 0),
    )
    lines = alarm_table({"floor": [*floor], "ours": [*ours]}).splitlines()
    assert lines[2] == "| bare floor | 100 | 0.20 ms | 0.20 ms |"
    assert lines[3] == "| this integration | 200 | 0.50 ms | 0.90 ms |"
    assert lines[-1] == (
        "p99 less one state written: 4.00x the floor's. Alarms not shown: 3."
    )


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(number) for number in range(1, 101)]
    assert percentile(values, 0.99) == 99.0
    assert percentile(values, 0.5) == 50.0
    assert percentile([7.0], 0.99) == 7.0


def test_ratios_are_taken_within_a_round() -> None:
    # The second round was twice as slow for all: the ratio is the same.
    rounds = {
        "floor": [{"cpu": 10.0}, {"cpu": 20.0}],
        "ours": [{"cpu": 11.0}, {"cpu": 22.0}],
    }
    row = Row("cpu", "CPU", "µs")
    assert cell(rounds, "ours", row) == Cell(16.5, 1.1)
    assert cell(rounds, "floor", row) == Cell(15.0, None)
    assert cell(rounds, "mqtt", row) is None
    assert markdown(rounds, ("floor", "ours"), [row]).splitlines()[-1] == (
        "| CPU, µs | 15.0 | 16.5 (1.10x) |"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.123, "0.12"), (12.34, "12.3"), (123.4, "123"), (math.inf, "never")],
)
def test_a_figure_has_the_digits_that_mean_something(value: float, text: str) -> None:
    assert shown(value) == text


def test_a_step_that_got_slower_or_was_never_agreed_to_fails() -> None:
    agreed = {"decode": 10.0, "merge": 10.0}
    measured = {"decode": 10.0 * TOLERANCE, "merge": 10.1 * TOLERANCE, "book": 1.0}
    assert too_slow(measured, agreed).keys() == {"merge", "book"}


def test_noise_of_one_run_is_not_held_against_a_step() -> None:
    assert least({"decode": 20.0, "merge": 9.0}, {"decode": 10.0, "merge": 9.5}) == {
        "decode": 10.0,
        "merge": 9.0,
    }
