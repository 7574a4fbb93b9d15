"""The soak: it finds what it is there to find, and is the same for the same seed."""

import asyncio
from collections.abc import Callable
import os
from pathlib import Path
from random import Random
import subprocess
import sys
from typing import Any, override

import pytest

from script.hass_process import REPOSITORY, WebSocketApi
from sim.cli import main
from sim.faults import Fault
from sim.fleet import SimulatedFleet
from sim.soak.house import House
from sim.soak.oracle import LATE_SECONDS, Oracle
from sim.soak.report import markdown
from sim.soak.run import Plan, soak
from sim.soak.samples import Samples
from sim.soak.warp import MemoryTransport, WarpLoop
from sim.soak.weather import FAULTS, LYING_FAULTS

pytestmark = pytest.mark.usefixtures("loopback")

SHORT = Plan(seconds=400, nodes=6, seed=5, is_warped=True, is_traced=False, samples=12)


def quiet(_: str) -> None:
    """Say nothing."""


def test_minutes_pass_in_seconds_and_the_same_twice() -> None:
    one, other = soak(SHORT, quiet), soak(SHORT, quiet)
    assert one.wrong == {}
    assert one.alarms == one.ends > 20
    assert sum(one.reconnects) > 10
    assert one.frames > 1000
    assert (one.frames, one.reconnects, one.alarms, one.struck) == (
        *(other.frames, other.reconnects, other.alarms, other.struck),
    )
    assert one.took_seconds < one.seconds
    assert "| alarms told / their ends told |" in markdown(one)


def test_in_real_time_over_real_sockets() -> None:
    plan = Plan(seconds=3, nodes=4, seed=1, samples=8, gap_seconds=1e9)
    result = soak(plan, quiet)
    assert result.wrong == {}
    assert result.alarms >= 4
    assert {trend.name for trend in result.trends} == {
        *("memory (RSS), MiB", "memory (traced), MiB", "objects"),
        *("tasks", "timers", "file descriptors"),
    }


def test_the_command_says_how_it_went(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = tmp_path / "report.md"
    command = ["soak", "--accelerated", "--for", "120", "--nodes", "3", "--seed", "9"]
    command += ["--untraced", "--report", str(report)]
    main(command)
    assert "seed 9" in capsys.readouterr().out
    assert "| lost, doubled, invented or shown clear | 0 |" in report.read_text()
    hear_alarm = Oracle.hear_alarm

    def hear_twice(self: Oracle, zone: int) -> None:
        hear_alarm(self, zone)
        hear_alarm(self, zone)

    monkeypatch.setattr(Oracle, "hear_alarm", hear_twice)
    assert main(command) == 1
    assert "doubled or invented" in report.read_text()


def test_every_fault_that_does_not_lie_takes_part() -> None:
    assert {*FAULTS} == {fault for fault in Fault if fault not in LYING_FAULTS}
    assert Fault.HALF_OPEN in FAULTS


def test_the_simulator_alone_does_not_import_the_integration() -> None:
    code = "import sim.cli, sys; sys.exit(any('fire_alarm' in m for m in sys.modules))"
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)


def test_a_home_assistant_cannot_be_accelerated(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["soak", "--accelerated", "--home-assistant"]) == 2
    assert "takes its own time" in capsys.readouterr().err


async def test_what_a_home_assistant_tells_and_shows(site: Site) -> None:
    """As its WebSocket API words it; the process itself is the long form's."""
    zone = site.raise_one()
    entity = f"binary_sensor.zone_{zone}"
    house = House(os.getpid(), site.fleet, {zone: entity}, site.oracle)

    def told(kind: str) -> dict[str, Any]:
        return {"event_type": "fire_alarm", "data": {"type": kind, "zone": zone}}

    def changed(state: str | None) -> dict[str, Any]:
        new = None if state is None else {"state": state}
        data = {"entity_id": entity, "new_state": new}
        return {"event_type": "state_changed", "data": data}

    shown = []
    for event in (changed("on"), told("alarm"), changed("off"), changed(None)):
        with pytest.raises(EndOfEventsError):
            await house.listen(Events(event))
        shown.append(house.is_in_alarm(zone))
    assert shown == [True, True, False, False]
    assert site.oracle.alarms == 1
    assert house.gauges()["memory (RSS), MiB"]() > 1
    assert house.gauges()["threads"]() >= 1
    assert (house.frames, house.reconnects, house.is_up(1)) == (0, [0], False)


class EndOfEventsError(Exception):
    """There is nothing more to hear."""


class Events(WebSocketApi):
    """Events that were prepared."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self._events = iter(events)

    @override
    async def next_event(self) -> dict[str, Any]:
        for event in self._events:
            return event
        raise EndOfEventsError


# What it finds.


@pytest.mark.parametrize(
    ("gauge", "is_leak"),
    [
        (lambda hour: 500 + 20 * hour, True),
        (lambda hour: 500 + hour % 2, False),
        (lambda hour: 500 - 20 * hour, False),
        (lambda hour: min(500, 100 * hour), False),
    ],
    ids=["leak", "noise", "shrinking", "filling up first"],
)
def test_a_leak_is_told_from_noise(
    gauge: Callable[[int], float], is_leak: bool
) -> None:
    hour = 0
    samples = Samples({"tasks": lambda: gauge(hour)})
    for hour in range(24):
        samples.take(hour * 3600)
    (trend,) = samples.trends()
    assert trend.is_leak is is_leak


class Site:
    """An oracle with a clock and a picture in the test's hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.alarms: set[int] = set()
        self.fleet = SimulatedFleet(count=1)
        self.oracle = Oracle(
            [self.fleet],
            Random(1),  # noqa: S311
            now=lambda: self.now,
            is_sound=lambda _: True,
        )

    def is_in_alarm(self, zone: int) -> bool:
        return zone in self.alarms

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.oracle.step(self)

    def raise_one(self) -> int:
        self.wait(1)
        (zone,) = self.fleet.site.zones(lambda module: module.alarm)
        return zone

    def tell(self, zone: int) -> None:
        self.alarms.add(zone)
        self.oracle.hear_alarm(zone)


@pytest.fixture
def site() -> Site:
    return Site()


def test_an_alarm_that_is_told_in_time(site: Site) -> None:
    zone = site.raise_one()
    site.now += 0.25
    site.tell(zone)
    site.wait(100)
    assert site.fleet.site.zones(lambda module: module.alarm) == []
    site.oracle.hear_end(zone)
    assert site.oracle.is_calm
    assert (site.oracle.alarms, site.oracle.ends) == (1, 1)
    assert site.oracle.worst_seconds == 0.25
    assert site.oracle.wrong == {}


def test_an_alarm_that_is_lost(site: Site) -> None:
    site.raise_one()
    site.wait(LATE_SECONDS + 1)
    assert site.oracle.wrong == {"lost": 1}


def test_an_alarm_that_is_told_twice(site: Site) -> None:
    zone = site.raise_one()
    site.tell(zone)
    site.tell(zone)
    assert site.oracle.wrong == {"doubled or invented": 1}


def test_an_alarm_of_a_quiet_zone(site: Site) -> None:
    site.tell(site.raise_one() % 5 + 1)
    assert site.oracle.wrong == {"doubled or invented": 1}


def test_a_false_clear(site: Site) -> None:
    zone = site.raise_one()
    site.tell(zone)
    site.alarms.clear()
    site.wait(1)
    assert site.oracle.wrong == {"shown clear while it burns": 1}


def test_an_end_that_is_told_while_it_burns(site: Site) -> None:
    zone = site.raise_one()
    site.tell(zone)
    site.oracle.hear_end(zone)
    assert site.oracle.wrong == {"end doubled or invented": 1}


def test_what_is_owed_at_the_end(site: Site) -> None:
    site.raise_one()
    site.oracle.give_up()
    assert site.oracle.wrong == {"still raised at the end": 1}


# Time and network of its own.


class Peer(asyncio.Protocol):
    """Remembers what happened to its end of a connection."""

    transport: MemoryTransport

    def __init__(self) -> None:
        self.heard = b""
        self.end: list[Exception | None] = []

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, MemoryTransport)
        self.transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self.heard += data

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.end.append(exc)


@pytest.fixture
def ends() -> tuple[WarpLoop, Peer, Peer]:
    loop = WarpLoop()
    near, far = Peer(), Peer()
    here, there = MemoryTransport(loop, near), MemoryTransport(loop, far)
    here.peer, there.peer = there, here
    near.connection_made(here)
    far.connection_made(there)
    return loop, near, far


type Ends = tuple[WarpLoop, Peer, Peer]


def turn(loop: WarpLoop) -> None:
    """Let everything happen that is due."""
    for _ in range(3):
        loop.run_until_complete(asyncio.sleep(0))


def test_an_hour_passes_at_once(ends: Ends) -> None:
    loop, _, _ = ends
    loop.run_until_complete(asyncio.sleep(3600))
    assert loop.time() == pytest.approx(3600)
    loop.close()


def test_bytes_arrive_in_order_and_wait_for_a_paused_reader(ends: Ends) -> None:
    loop, near, far = ends
    far.transport.pause_reading()
    near.transport.write(b"one ")
    near.transport.write(b"two")
    turn(loop)
    assert far.heard == b""
    near.transport.write(bytes(70_000))
    assert near.transport.get_write_buffer_size() > 0
    far.transport.resume_reading()
    turn(loop)
    assert far.heard.startswith(b"one two")
    assert near.transport.get_write_buffer_size() == 0
    loop.close()


def test_a_farewell_comes_after_all_bytes(ends: Ends) -> None:
    loop, near, far = ends
    near.transport.write(b"bye")
    near.transport.close()
    turn(loop)
    assert (far.heard, far.end, near.end) == (b"bye", [None], [None])
    loop.close()


def test_a_reset_takes_what_is_under_way(ends: Ends) -> None:
    loop, near, far = ends
    near.transport.write(b"lost")
    near.transport.abort()
    turn(loop)
    assert far.heard == b""
    assert isinstance(far.end[0], ConnectionResetError)
    assert near.end == [None]
    loop.close()
