"""Standby addresses: taken in time, proved while unused, given back when it is safe."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from custom_components.esp32_fire_alarm.fleet.health import HealthReason, LinkState
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.fleet.paths import (
    Path,
    PathChooser,
    backoff_seconds,
)
from custom_components.esp32_fire_alarm.fleet.timing import (
    BACKOFF_CAP_SECONDS,
    FAIL_BACK_SECONDS,
    PRIMARY_CHECK_SECONDS,
    SLOTS_FULL_GAP_SECONDS,
    STABLE_SECONDS,
    STANDBY_CHECK_SECONDS,
    Supervision,
)
from sim.faults import Fault
from sim.fleet import SimulatedFleet

from .rig import FakeClock, Rig, configs_of, connect_all, running, until

FAST = 0.05

PATIENT = Supervision(silence_seconds=1e9, pings=False)
"""Silence does not count where a quarter of an hour has to pass quickly."""


@dataclass
class Pair:
    """A node and its standby."""

    primary: SimulatedFleet
    standby: SimulatedFleet

    @property
    def configs(self) -> list[NodeConfig]:
        """The site that has both."""
        return configs_of(self.primary, self.standby)

    def alarm(self, zone: int) -> None:
        """Raise an alarm that both see: they hang on one panel."""
        self.primary.alarm(zone)
        self.standby.alarm(zone)


@pytest.fixture
async def pair(loopback: None) -> AsyncIterator[Pair]:
    """One node with a standby on another address."""
    async with (
        SimulatedFleet(count=1, port=0, cycle_seconds=FAST) as primary,
        SimulatedFleet(
            count=1, port=0, cycle_seconds=FAST, first_address="127.0.1.2"
        ) as standby,
    ):
        yield Pair(primary, standby)


async def pass_time(clock: FakeClock, seconds: float) -> None:
    """Let time pass slowly enough for frames to come in meanwhile."""
    for _ in range(int(seconds / 2)):
        await clock.advance(2)
        await asyncio.sleep(0.003)


async def reaches(rig: Rig, clock: FakeClock, state: LinkState) -> float:
    """Let time pass until node 1 is in this state; return how long it took."""
    began = clock.now()
    for _ in range(200):
        if rig.state(1) is state:
            break
        await clock.advance(0.5)
        await asyncio.sleep(0.005)
    assert rig.state(1) is state
    return clock.now() - began


async def test_primary_dead_at_the_very_start(pair: Pair, clock: FakeClock) -> None:
    """One retry, then the standby; no success was ever needed."""
    pair.primary.node(1).fault(Fault.REFUSE)
    async with running(pair.configs, clock=clock) as rig:
        seconds = await reaches(rig, clock, LinkState.STANDBY)
        assert seconds < 10
        assert rig.truth.zones[1].available
        assert rig.health.assess(1).path is Path.STANDBY
        assert rig.health.assess(1).reason is HealthReason.ON_STANDBY
        assert rig.pool.paths() == {1: Path.STANDBY}


async def test_takeover_during_an_alarm_tells_it_once(
    pair: Pair, clock: FakeClock
) -> None:
    """The zone stays in alarm while the link moves to the standby; one event."""
    async with running(pair.configs, clock=clock) as rig:
        await connect_all(rig, clock, 1)
        pair.alarm(3)
        await until(lambda: rig.truth.zones[3].alarm)
        pair.primary.node(1).fault(Fault.REFUSE)
        await until(lambda: not rig.connected)
        assert rig.truth.zones[3].alarm
        await reaches(rig, clock, LinkState.STANDBY)
        assert rig.truth.zones[3].alarm
        assert rig.alarms() == [3]


async def test_fail_back_after_five_stable_minutes(
    pair: Pair, clock: FakeClock
) -> None:
    """The primary must answer every check for 5 min; then it moves without a gap."""
    pair.primary.node(1).fault(Fault.REFUSE)
    async with running(pair.configs, clock=clock, supervision=PATIENT) as rig:
        await reaches(rig, clock, LinkState.STANDBY)
        pair.primary.node(1).heal()
        began = clock.now()
        await pass_time(clock, FAIL_BACK_SECONDS / 2)
        # One bad check and the five minutes begin anew.
        pair.primary.node(1).fault(Fault.REFUSE)
        await pass_time(clock, PRIMARY_CHECK_SECONDS + 10)
        pair.primary.node(1).heal()
        healed = clock.now()
        rig.updates.clear()
        while rig.state(1) is not LinkState.CONNECTED:
            await pass_time(clock, 4)
            assert rig.connected == 1
            assert clock.now() - began < 1000
        assert clock.now() - healed >= FAIL_BACK_SECONDS
        assert rig.health.assess(1).path is Path.PRIMARY
        assert not any(update.zones for update in rig.updates)
        await until(lambda: pair.standby.clients == 0)
        assert pair.primary.clients == 1


async def test_a_fail_back_does_not_give_a_silent_panel_more_time(
    pair: Pair, clock: FakeClock
) -> None:
    """The panel dies while the link moves: its silence began before that."""
    pair.primary.node(1).fault(Fault.REFUSE)
    async with running(pair.configs, clock=clock) as rig:
        await reaches(rig, clock, LinkState.STANDBY)
        pair.primary.node(1).heal()
        for fleet in (pair.primary, pair.standby):
            fleet.node(1).fault(Fault.SILENT)
        await asyncio.sleep(0.1)
        began = clock.now()
        await pass_time(clock, 10)
        moving = asyncio.create_task(rig.pool._fail_back(1))
        while not moving.done():
            await clock.advance(0.1)
        assert rig.pool.paths() == {1: Path.PRIMARY}
        while rig.truth.is_fresh(1):
            await clock.advance(0.5)
            assert clock.now() - began <= Supervision().silence_seconds + 1


async def test_a_dead_standby_is_found_before_it_is_needed(
    pair: Pair, clock: FakeClock
) -> None:
    """The unused standby is asked soon after the start and every 15 min."""
    async with running(pair.configs, clock=clock, supervision=PATIENT) as rig:
        await connect_all(rig, clock, 1)
        await pass_time(clock, 40)
        await until(lambda: rig.health.assess(1).standby_alive is True)
        assert pair.standby.clients == 0
        pair.standby.node(1).fault(Fault.REFUSE)
        await clock.advance(STANDBY_CHECK_SECONDS + 10)
        await until(lambda: rig.health.assess(1).standby_alive is False)
        await reaches(rig, clock, LinkState.CONNECTED)
        assert rig.health.assess(1).reason is HealthReason.STANDBY_DEAD
        assert rig.connected == 1
        pair.standby.node(1).heal()
        await clock.advance(STANDBY_CHECK_SECONDS + 10)
        await until(lambda: rig.health.assess(1).standby_alive is True)
        assert rig.health.record(1).connects == 1


async def test_both_dead_then_one_returns(pair: Pair, clock: FakeClock) -> None:
    """With both dead both are tried for ever; whichever returns is taken."""
    async with running(pair.configs, clock=clock) as rig:
        await connect_all(rig, clock, 1)
        for fleet in (pair.primary, pair.standby):
            fleet.node(1).fault(Fault.REFUSE)
        await until(lambda: not rig.connected)
        await pass_time(clock, 120)
        tried = {change.address for change in rig.health.record(1).timeline}
        assert len(tried) == 2
        assert rig.truth.summary().trouble
        assert not rig.truth.zones[1].available
        pair.standby.node(1).heal()
        # At the most one backoff on each address.
        assert await reaches(rig, clock, LinkState.STANDBY) <= 2 * BACKOFF_CAP_SECONDS


async def test_the_working_path_survives_a_restart(
    pair: Pair, clock: FakeClock
) -> None:
    """A pool that is told where the link was goes there first."""
    pair.primary.node(1).fault(Fault.REFUSE)
    async with running(pair.configs, clock=clock, paths={1: Path.STANDBY}) as rig:
        assert await reaches(rig, clock, LinkState.STANDBY) < 5
        assert not any(
            "127.0.0.2" in change.address for change in rig.health.record(1).timeline
        )


CONFIG = NodeConfig(1, DeviceAddress("127.0.0.2"), standby=DeviceAddress("127.0.1.2"))


def test_backoff_grows_to_its_cap() -> None:
    """Full jitter: anything from 0 to the limit, which grows by 1.8 to 60 s."""
    limits = [backoff_seconds(n, 1.0) for n in range(1, 10)]
    assert limits[:3] == pytest.approx([1.0, 1.8, 3.24])
    assert limits[-1] == BACKOFF_CAP_SECONDS
    assert backoff_seconds(10_000, 1.0) == BACKOFF_CAP_SECONDS
    assert backoff_seconds(7, 0.0) == 0


def test_one_retry_then_the_other_address() -> None:
    """Primary, primary, standby, standby, primary: and the standby at once."""
    chooser = PathChooser(CONFIG, chance=lambda: 1.0)
    seen = []
    for _ in range(6):
        seen.append(chooser.path)
        chooser.attempt(0.0)
        chooser.fail()
    assert seen == [
        *2 * [Path.PRIMARY],
        *2 * [Path.STANDBY],
        *2 * [Path.PRIMARY],
    ]
    assert chooser.path is Path.STANDBY
    assert chooser.delay_seconds(100.0) == 0


def test_a_stable_link_starts_the_backoff_over() -> None:
    """After a minute of link the next failure is the first."""
    chooser = PathChooser(CONFIG, chance=lambda: 1.0)
    for _ in range(10):
        chooser.fail()
    chooser.end(0.0, STABLE_SECONDS)
    assert chooser.delay_seconds(1000.0) == 1.0


def test_full_slots_wait_longer() -> None:
    """The gap after full slots is 15 s, whatever the backoff says."""
    chooser = PathChooser(NodeConfig(1, DeviceAddress("127.0.0.2")), chance=lambda: 0.0)
    chooser.attempt(0.0)
    chooser.fail(slots_full=True)
    assert chooser.delay_seconds(0.0) == SLOTS_FULL_GAP_SECONDS


def test_no_standby_means_primary_for_ever() -> None:
    """Without a second address nothing switches, even if one was remembered."""
    chooser = PathChooser(
        NodeConfig(1, DeviceAddress("127.0.0.2")),
        chance=lambda: 0.0,
        path=Path.STANDBY,
    )
    for _ in range(5):
        chooser.fail()
    assert chooser.path is Path.PRIMARY
    assert chooser.unused is None
