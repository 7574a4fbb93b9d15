"""Scenarios: what may stand in a file, what is said of a wrong one, how they play."""

from pathlib import Path

import pytest

from sim.errors import SimError
from sim.faults import Fault
from sim.fleet import SimulatedFleet
from sim.player import Player, check
from sim.scenario import (
    MAX_FILE_BYTES,
    Moment,
    Scenario,
    load_scenario,
    parse_scenario,
)
from sim.scenario_schema import ACTIONS

from .conftest import Connect, end_of, frame_with, until

READY = sorted((Path(__file__).parents[2] / "sim" / "scenarios").glob("*.yaml"))


def scenario(*steps: str, head: str = "name: Test") -> Scenario:
    """Return a scenario of these steps."""
    lines = "\n".join(f"  - {{ {step} }}" for step in steps)
    return parse_scenario(f"{head}\nsteps:\n{lines}\n", "test.yaml")


def times(moments: tuple[Moment, ...]) -> list[tuple[float, bool]]:
    """Return when what begins and ends."""
    return [(moment.at, moment.ends) for moment in moments]


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_every_ready_scenario_is_right(path: Path) -> None:
    ready = load_scenario(path)
    assert ready.about
    assert 0 < ready.seconds <= 900
    check(ready, SimulatedFleet(ready.layout, count=ready.nodes))


def test_the_ready_ones_use_every_action() -> None:
    used = {step.do for path in READY for step in load_scenario(path).steps}
    assert used >= {"alarm", "trouble", "clear", "fault", "cure", "absent", "offline"}
    assert used >= {"power-cut", "ap-flap", "say"}
    assert used <= ACTIONS.keys()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3", 3), ("1.5 s", 1.5), ("200 ms", 0.2), ("2 min", 120), ("1h", 3600), ("0", 0)],
)
def test_times(text: str, seconds: float) -> None:
    assert scenario(f"at: {text}, do: reset").steps[0].at == seconds


@pytest.mark.parametrize(
    ("text", "zones"),
    [
        ("17", (17,)),
        ('"3-5"', (3, 4, 5)),
        ("3 - 5", (3, 4, 5)),
        ('"1, 4-5, 4"', (1, 4, 5)),
        ("[315, 1-2]", (315, 1, 2)),
    ],
)
def test_ranges(text: str, zones: tuple[int, ...]) -> None:
    assert (
        scenario(f"at: 0, do: alarm, zones: {text}").steps[0].options["zones"] == zones
    )


def test_repetitions_and_ends_are_in_order() -> None:
    made = scenario(
        "at: 1, do: alarm, zones: 1, for: 15, repeat: 3, every: 10",
        "at: 12, do: reset",
    )
    assert times(made.moments) == [
        (1, False),
        (11, False),
        (12, False),
        (16, True),
        (21, False),
        (26, True),
        (36, True),
    ]
    assert made.seconds == 36


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        ("at: 1, do: party", "steps[1].do: party: must be one of alarm, trouble"),
        ("do: reset", "steps[1].at: missing; add it"),
        ("at: 1", "steps[1].do: NoneType: must be one of"),
        ("at: -1, do: reset", "steps[1].at: -1: must be a time up to 24 h"),
        ("at: 25 h, do: reset", "steps[1].at: 25 h: must be a time up to 24 h"),
        ("at: .nan, do: reset", "steps[1].at: nan: must be a time"),
        ("at: true, do: reset", "steps[1].at: True: must be a time"),
        ("at: 1, do: alarm, zones: 316", "zones: 316: must be zones of 1-315"),
        ("at: 1, do: alarm, zones: 5-3", "zones: 5-3: must be zones of 1-315"),
        ("at: 1, do: alarm, zones: []", "zones: must name 1-315 zones"),
        ("at: 1, do: alarm, zones: all", "zones: all: must be zones of 1-315"),
        ("at: 1, do: alarm, zones: 1, for: 0", "for: 0: must be more than 0 s"),
        ("at: 1, do: alarm, nodes: 1", "nodes: not known here; take it out"),
        ("at: 1, do: fault, nodes: 1, fault: x", "fault: x: must be one of refuse"),
        ("at: 1, do: fault, nodes: 1, fault: flood, value: 0", "value: frames_per_sec"),
        ("at: 1, do: fault, nodes: 1, fault: silent, value: 1", "takes no value"),
        ("at: 1, do: fault, nodes: 1, fault: flood, value: x", "x: must be a number"),
        ("at: 1, do: power-cut", "steps[1].for: missing; add it"),
        ("at: 1, do: reset, repeat: 3", "repeat and every go together"),
        ("at: 1, do: reset, repeat: 1, every: 1", "repeat: 1: must be a whole number"),
        ("at: 1, do: led, name: ac, state: maybe", "state: maybe: must be one of auto"),
        ("at: 1, do: say, text: ''", "text: : must be a text of 1-200 characters"),
        ("at: 1, at: 2, do: reset", "line 3: at comes twice"),
        ("at: 1, do: alarm, zones: [[[[[[[1]]]]]]]", "too many lists in one another"),
        ("at: 80000, do: reset, repeat: 9, every: 1 h", "must end within 24 h"),
    ],
)
def test_what_is_wrong_is_named_with_its_cure(step: str, complaint: str) -> None:
    with pytest.raises(SimError) as caught:
        scenario(step)
    assert complaint in str(caught.value)
    assert str(caught.value).startswith("test.yaml")


def test_everything_that_is_wrong_is_named_at_once_with_its_line() -> None:
    with pytest.raises(SimError) as caught:
        scenario("at: x, do: reset", "at: 1, do: reset", "at: 2, do: party")
    first, second = str(caught.value).splitlines()
    assert first.startswith("test.yaml:3: steps[1].at: x: ")
    assert second.startswith("test.yaml:5: steps[3].do: party: ")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "empty"),
        ("[1, 2]", "must be keys with values"),
        ("name: [unclosed", "test.yaml:1: this is no YAML"),
        ("name: a\nsteps: 3", "test.yaml:2: steps: must be a list of 1-500 steps"),
        ("name: &a x\nsteps: *a", "references (*) are not taken"),
        ("name: !!python/object:os.system x", "this is no YAML"),
        ("steps: [{at: 1, do: reset}]", "name: missing"),
        ("name: x\nfleet: {nodes: 64}\nsteps: [{at: 1, do: reset}]", "nodes: 64: must"),
        ("name: x\nfleet: {layout: odd}\nsteps: [{at: 1, do: reset}]", "layout: odd"),
        ("x: " + "y" * MAX_FILE_BYTES, "longer than 32 KiB"),
        ("a: 2020-99-99", "this is no YAML"),
        ("\x00", "this is no YAML"),
    ],
)
def test_what_is_no_scenario_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(SimError) as caught:
        parse_scenario(text, "test.yaml")
    assert complaint in str(caught.value)


def test_a_bomb_is_not_built() -> None:
    """Ten thousand repetitions in a few bytes."""
    step = "at: 0, do: alarm, zones: 1, for: 1, repeat: 1000, every: 1"
    with pytest.raises(SimError, match="more than 10000 things happen"):
        scenario(*[step] * 6)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(SimError, match="No such file"):
        load_scenario(Path("/nowhere/at/all.yaml"))


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        ("at: 1, do: alarm, zones: 11", "line 3: module 3: no node of this fleet"),
        ("at: 1, do: offline, modules: 3", "line 3: module 3"),
        ("at: 1, do: cure, nodes: 3", "line 3: node 3: the nodes are 1-2"),
        ("at: 1, do: fault, nodes: 1, fault: swapped, value: 3", "node 3: must be"),
    ],
)
async def test_a_fleet_that_is_too_small_is_told_before_anything_happens(
    step: str, complaint: str
) -> None:
    async with SimulatedFleet(count=2, port=0) as fleet:
        with pytest.raises(SimError, match=complaint):
            Player(fleet, print).play(scenario(step))


async def test_a_scenario_plays_and_ends_by_itself(connect: Connect) -> None:
    told: list[str] = []
    async with SimulatedFleet(count=2, port=0, cycle_seconds=0.05) as fleet:
        player = Player(fleet, told.append)
        socket = await connect(fleet.node(1).url)
        said = player.play(
            scenario(
                "at: 0, do: alarm, zones: 1-2, for: 400 ms",
                "at: 100 ms, do: fault, nodes: all, fault: latency, for: 200 ms",
                "at: 300 ms, do: absent, nodes: 2, for: 200 ms",
                "at: 200 ms, do: say, text: Look",
            )
        )
        assert said == "Test: 4 steps, 0.5 s"
        await frame_with(socket, b"010003")
        await until(lambda: fleet.node(1).faults == (Fault.LATENCY,))
        await until(lambda: fleet.node(2).faults == (Fault.REFUSE,))
        await frame_with(socket, b"010000")
        await player.wait()
        assert not player.is_playing
        await until(lambda: not fleet.node(2).faults)
    assert "Look" in told[3]
    assert told[-1].endswith("Test: over")
    assert any("zones 1, 2 not in alarm any more" in line for line in told)


async def test_every_action_plays() -> None:
    """Each of them, with everything it may be given, changes a fleet or says why not."""
    steps = {
        "alarm": "zones: 1-5, for: 10 ms",
        "trouble": "zones: 6, for: 10 ms",
        "clear": "zones: all",
        "fault": "nodes: [1, 2], fault: garbage, for: 10 ms",
        "cure": "nodes: all",
        "absent": "nodes: 3, for: 10 ms",
        "offline": "modules: 2, for: 10 ms",
        "online": "modules: 2",
        "bell": "modules: 1-3, state: on",
        "led": "name: drill, state: on",
        "power-cut": "for: 10 ms",
        "ap-flap": "for: 10 ms",
        "reset": "",
        "say": "text: x",
    }
    assert steps.keys() == ACTIONS.keys()
    told: list[str] = []
    async with SimulatedFleet(count=3, port=0, cycle_seconds=0.05) as fleet:
        player = Player(fleet, told.append)
        player.play(
            scenario(*(f"at: 0, do: {do}, {rest}" for do, rest in steps.items()))
        )
        await player.wait()
        assert len(told) >= len(steps)
        await until(lambda: not any(node.faults for node in fleet.nodes))


async def test_one_at_a_time_and_ended_when_asked() -> None:
    long = scenario("at: 0, do: alarm, zones: 1", "at: 1 h, do: clear, zones: 1")
    async with SimulatedFleet(count=1, port=0) as fleet:
        player = Player(fleet, lambda _: None)
        with pytest.raises(SimError, match="nothing is playing"):
            player.end()
        player.play(long)
        with pytest.raises(SimError, match="Test is playing"):
            player.play(long)
        await until(lambda: fleet.site.module(1).alarm)
        assert player.end() == "Test: ended; what it has done stays"
        await player.wait()
        assert fleet.site.module(1).alarm == 1
        player.play(long)
        await player.stop()
        assert not player.is_playing


async def test_a_repeated_close(connect: Connect) -> None:
    async with SimulatedFleet(count=1, port=0, cycle_seconds=0.05) as fleet:
        player = Player(fleet, lambda _: None)
        first, second = [await connect(fleet.node(1).url) for _ in range(2)]
        player.play(
            scenario(
                "at: 0, do: fault, nodes: 1, fault: close, value: 1012, "
                "repeat: 2, every: 200 ms"
            )
        )
        await end_of(first)
        await end_of(second)
        assert first.close_code == second.close_code == 1012
        third = await connect(fleet.node(1).url)
        await end_of(third)
        await player.wait()
