"""Other nodes for a running site: the others' links, alarms and words stay."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from custom_components.esp32_fire_alarm.fleet.health import LinkState
from custom_components.esp32_fire_alarm.fleet.models import (
    DeviceAddress,
    NodeConfig,
    SiteUpdate,
)
from custom_components.esp32_fire_alarm.fleet.paths import Path
from custom_components.esp32_fire_alarm.fleet.rearrange import rearrange
from custom_components.esp32_fire_alarm.fleet.timing import Supervision
from sim.faults import Fault
from sim.fleet import SimulatedFleet
from sim.layout import Layout, Numbering

from .rig import FakeClock, Rig, configs_of, connect_all, running, settle, until

pytestmark = pytest.mark.usefixtures("loopback")

FAST = 0.05


@pytest.fixture
async def fleet() -> AsyncIterator[SimulatedFleet]:
    """Six nodes with a module each, of which a site may use some."""
    async with SimulatedFleet(count=6, port=0, cycle_seconds=FAST) as fleet:
        yield fleet


def handshakes(fleet: SimulatedFleet) -> list[int]:
    """Return how often each node was connected to."""
    return [
        sum(knock.node == node.number for knock in fleet.meter.connections)
        for node in fleet.nodes
    ]


def change(rig: Rig, before: list[NodeConfig], *after: NodeConfig) -> SiteUpdate:
    """Have other nodes, as a site does."""
    update = rearrange(
        {config.node: config for config in before},
        {config.node: config for config in after},
        pool=rig.pool,
        aggregator=rig.aggregator,
        truth=rig.truth,
        now=rig.clock.now(),
    )
    rig.updates.append(update)
    return update


async def comes_to(rig: Rig, clock: FakeClock, count: int) -> None:
    """Let time pass until so many nodes are heard."""
    for _ in range(100):
        if rig.connected == count:
            return
        await clock.advance(0.1)
        await asyncio.sleep(0.005)
    raise AssertionError(f"{rig.connected} nodes are heard, not {count}")


async def test_a_moved_node_reconnects_alone(
    fleet: SimulatedFleet, clock: FakeClock
) -> None:
    """Node 2 goes to another address; the links of 1 and 3 are the same as before."""
    site = configs_of(fleet)[:3]
    fleet.node(5).panel.modules = fleet.node(2).panel.modules
    async with running(site, clock=clock) as rig:
        await connect_all(rig, clock, 3)
        fleet.alarm(1, 8)
        await until(lambda: sorted(rig.alarms()) == [1, 8])
        moved = replace(site[1], address=DeviceAddress("127.0.0.6", fleet.port))
        change(rig, site, site[0], moved, site[2])
        # Held, not cleared, while the new link is opened.
        assert rig.truth.zones[8].alarm
        assert rig.truth.zones[6].held
        await comes_to(rig, clock, 3)
        assert handshakes(fleet) == [1, 1, 1, 0, 1, 0]
        assert [node.clients for node in fleet.nodes] == [1, 0, 1, 0, 1, 0]
        assert rig.truth.zones[8].alarm
        assert sorted(rig.alarms()) == [1, 8]
        assert not [edge for edge in rig.edges if edge.kind.endswith("restored")]
        assert rig.health.record(2).timeline[-1].address == f"127.0.0.6:{fleet.port}"


async def test_nodes_are_added_and_removed(
    fleet: SimulatedFleet, clock: FakeClock
) -> None:
    """One comes, one goes, two stay; what is gone leaves nothing behind."""
    every = configs_of(fleet)
    async with running(every[:3], clock=clock) as rig:
        await connect_all(rig, clock, 3)
        fleet.alarm(6, 11)
        await until(lambda: len(rig.alarms()) == 2)
        update = change(rig, every[:3], every[0], every[2], every[3])
        assert update.modules.keys() == {4}
        assert update.nodes == {4}
        assert not update.edges
        assert set(rig.truth.modules) == {1, 3, 4}
        assert set(rig.truth.zones) == {*range(1, 6), *range(11, 21)}
        assert set(rig.health.records) == {1, 3, 4}
        assert rig.truth.summary().in_alarm == (11,)
        assert rig.truth.summary().nodes_total == 3
        await comes_to(rig, clock, 3)
        await until(lambda: fleet.node(2).clients == 0)
        assert handshakes(fleet) == [1, 1, 1, 1, 0, 0]
        assert rig.truth.zones[16].available
        # Back again, as if for the first time.
        change(rig, [every[0], every[2], every[3]], *every[:4])
        await comes_to(rig, clock, 4)
        assert rig.truth.zones[6].alarm


async def test_two_nodes_exchange_their_addresses(
    fleet: SimulatedFleet, clock: FakeClock
) -> None:
    """The old links are closed before the new ones are opened: one slot per node."""
    site = configs_of(fleet)[:3]
    one, two, three = site
    crossed = [
        replace(one, address=two.address),
        replace(two, address=one.address),
        three,
    ]
    async with running(crossed, clock=clock) as rig:
        await connect_all(rig, clock, 3)
        await clock.advance(1)
        assert not rig.truth.zones[1].available
        assert rig.truth.listed_modules(1) == {2: True}
        most = 0

        def watch() -> bool:
            nonlocal most
            most = max(most, *(node.slots_taken for node in fleet.nodes))
            return rig.truth.zones[1].available and rig.truth.zones[6].available

        change(rig, crossed, *site)
        for _ in range(200):
            if watch():
                break
            await clock.advance(0.1)
            await asyncio.sleep(0.005)
        assert watch()
        assert most == 1
        assert handshakes(fleet) == [2, 2, 1, 0, 0, 0]


async def test_a_new_standby_leaves_the_link_alone(
    fleet: SimulatedFleet, clock: FakeClock
) -> None:
    """It is checked soon, and what was known of the old one is forgotten."""
    primary, old, new = (DeviceAddress(f"127.0.0.{n}", fleet.port) for n in (2, 3, 4))
    config = NodeConfig(1, primary, (1,), standby=old)
    # Silence does not count here, so that time may pass without frames.
    patient = Supervision(silence_seconds=1e9, pings=False)
    async with running([config], clock=clock, supervision=patient) as rig:
        await connect_all(rig, clock, 1)
        await clock.advance(31)
        await until(lambda: rig.health.record(1).standby_alive is True)
        fleet.node(3).fault(Fault.REFUSE)
        after = replace(config, standby=new)
        change(rig, [config], after)
        assert rig.health.record(1).standby_alive is None
        await clock.advance(6)
        await until(lambda: rig.health.record(1).standby_alive is False)
        change(rig, [after], replace(config, standby=None))
        await clock.advance(20)
        assert rig.health.record(1).standby_alive is None
        assert handshakes(fleet)[0] == 1


async def test_the_address_in_use_becomes_the_standby(
    fleet: SimulatedFleet, clock: FakeClock
) -> None:
    """Primary and standby change places: the link stays and is known as the other."""
    one, two = (DeviceAddress(f"127.0.0.{n}", fleet.port) for n in (2, 3))
    config = NodeConfig(1, one, (1,), standby=two)
    async with running([config], clock=clock) as rig:
        await connect_all(rig, clock, 1)
        change(rig, [config], NodeConfig(1, two, (1,), standby=one))
        assert rig.pool.paths() == {1: Path.STANDBY}
        await clock.advance(0.5)
        assert rig.state(1) is LinkState.STANDBY
        assert rig.health.record(1).standby_alive is True
        assert handshakes(fleet)[:2] == [1, 0]


async def test_a_renumbered_node_begins_anew_on_its_old_link(
    clock: FakeClock,
) -> None:
    """Its module is another one now; the same frames are read once more."""
    async with SimulatedFleet(
        count=2, port=0, cycle_seconds=FAST, numbering=Numbering.LOCAL
    ) as fleet:
        first, second = (
            NodeConfig(
                node,
                DeviceAddress(f"127.0.0.{node + 1}", fleet.port),
                (node,),
                node - 1,
            )
            for node in (1, 2)
        )
        async with running([first, second], clock=clock) as rig:
            await connect_all(rig, clock, 2)
            renumbered = replace(second, modules=(7,), offset=6)
            change(rig, [first, second], first, renumbered)
            assert set(rig.truth.modules) == {1, 7}
            assert not rig.truth.zones[31].available
            await until(lambda: rig.truth.zones[31].available)
            assert handshakes(fleet) == [1, 1]


async def test_a_module_passes_to_another_owner(clock: FakeClock) -> None:
    """A bridge takes over from a removed node without a gap and without an event."""
    async with (
        SimulatedFleet(Layout.BRIDGE, count=3, port=0, cycle_seconds=FAST) as bridge,
        SimulatedFleet(
            count=3, port=0, first_address="127.0.1.2", cycle_seconds=FAST
        ) as alone,
    ):
        reader = NodeConfig(9, DeviceAddress("127.0.0.2", bridge.port), (1, 2, 3))
        own = configs_of(alone)[0]
        async with running([own, reader], clock=clock) as rig:
            await connect_all(rig, clock, 2)
            assert rig.truth.modules[1].source == 1
            assert rig.truth.active_modules(9) == 2
            rig.updates.clear()
            change(rig, [own, reader], reader)
            assert rig.truth.modules[1].owner == 9
            assert rig.truth.modules[1].source == 9
            assert rig.truth.active_modules(9) == 3
            assert rig.truth.zones[1].available
            assert not any(update.takeovers for update in rig.updates)
            change(rig, [reader], own, reader)
            assert rig.truth.modules[1].owner == 1
            await comes_to(rig, clock, 2)
            await until(lambda: rig.truth.modules[1].source == 1)
            assert not any(update.takeovers for update in rig.updates)


async def test_a_module_nobody_asked_for_stays_with_who_reports_it(
    clock: FakeClock,
) -> None:
    """It came by itself; it goes when its only reporter goes."""
    async with SimulatedFleet(
        Layout.BRIDGE, count=3, port=0, cycle_seconds=FAST
    ) as bridge:
        reader = NodeConfig(1, DeviceAddress("127.0.0.2", bridge.port), (1, 2))
        other = NodeConfig(2, DeviceAddress("127.0.0.9", 1), (9,))
        async with running([reader, other], clock=clock) as rig:
            await connect_all(rig, clock, 1)
            assert rig.truth.modules[3].owner == 1
            change(rig, [reader, other], reader)
            assert set(rig.truth.modules) == {1, 2, 3}
            assert rig.truth.zones[11].available
            change(rig, [reader], other)
            assert set(rig.truth.modules) == {9}


async def test_an_alarm_outlives_its_only_witness(clock: FakeClock) -> None:
    """Somebody else carries the module too: it must insist that all is clear."""
    async with SimulatedFleet(
        Layout.BRIDGE, count=2, port=0, cycle_seconds=FAST
    ) as bridge:
        witness = NodeConfig(1, DeviceAddress("127.0.0.9", 1), (1,))
        reader = NodeConfig(2, DeviceAddress("127.0.0.2", bridge.port), (1, 2))
        async with running([witness, reader], clock=clock) as rig:
            await connect_all(rig, clock, 1)
            rig.truth.restore_alarm(3, clock.now(), witness=1)
            change(rig, [witness, reader], reader)
            await clock.advance(1)
            assert rig.truth.zones[3].alarm
            for _ in range(100):
                await clock.advance(0.5)
                await asyncio.sleep(FAST / 10)
            assert not rig.truth.zones[3].alarm


async def test_before_the_start_and_after_the_end(
    fleet: SimulatedFleet, clock: FakeClock
) -> None:
    """A pool that does not run takes over other nodes for later."""
    site = configs_of(fleet)
    async with running(site[:1], clock=clock) as rig:
        change(rig, site[:1], *site[:2])
        await connect_all(rig, clock, 2)
        await settle()
    change(rig, site[:2], site[2])
    await until(lambda: fleet.clients == 0)
    assert set(rig.pool.paths()) == {3}
