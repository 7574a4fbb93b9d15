"""Layouts at full size over real sockets, and the shared truth behind them."""

import asyncio

import aiohttp
import pytest

from custom_components.esp32_fire_alarm.fleet.frame import decode
from custom_components.esp32_fire_alarm.fleet.models import DeviceFrame
from sim.encode import Dialect
from sim.errors import SimError
from sim.fleet import SimulatedFleet
from sim.layout import Layout, Numbering
from sim.panel import Lamp, Switch

from .conftest import Connect, end_of, frame_with, next_frame, until


async def first_frames(fleet: SimulatedFleet, connect: Connect) -> list[DeviceFrame]:
    """Return what every node of the fleet says, in the nodes' order."""

    async def one(url: str) -> DeviceFrame:
        return decode(await next_frame(await connect(url)))

    return await asyncio.gather(*map(one, fleet.urls))


async def test_distributed_at_full_size(connect: Connect) -> None:
    async with SimulatedFleet(port=0, cycle_seconds=0.5) as fleet:
        fleet.alarm(17)
        frames = await first_frames(fleet, connect)
        assert [sorted(frame.modules) for frame in frames] == [
            [module] for module in range(1, 64)
        ]
        alarms = {n for n, frame in enumerate(frames, 1) if frame.modules[n].alarm}
        assert alarms == {4}
        assert [node.host for node in fleet.nodes][::62] == ["127.0.0.2", "127.0.0.64"]
        assert fleet.clients == len(fleet.meter.handshakes) == 63


async def test_nodes_that_number_their_only_module_01(connect: Connect) -> None:
    async with SimulatedFleet(
        count=3, port=0, cycle_seconds=0.1, numbering=Numbering.LOCAL
    ) as fleet:
        fleet.alarm(11)
        frames = await first_frames(fleet, connect)
        assert [sorted(frame.modules) for frame in frames] == [[1]] * 3
        assert [frame.modules[1].alarm for frame in frames] == [0, 0, 1]


async def test_bridge_at_full_size(connect: Connect) -> None:
    async with SimulatedFleet(Layout.BRIDGE, port=0, cycle_seconds=0.1) as fleet:
        fleet.alarm(1, 315)
        (frame,) = await first_frames(fleet, connect)
        assert sorted(frame.modules) == list(range(1, 64))
        assert {n for n, state in frame.modules.items() if state.alarm} == {1, 63}


async def test_mixed_at_full_size_tells_one_truth_twice(connect: Connect) -> None:
    async with SimulatedFleet(Layout.MIXED, port=0, cycle_seconds=0.2) as fleet:
        fleet.alarm(17)
        fleet.trouble(300)
        frames = await first_frames(fleet, connect)
        assert len(frames) == 33
        assert [sorted(frame.modules) for frame in frames[:31]] == [
            [module] for module in range(1, 32)
        ]
        assert sorted(frames[31].modules) == list(range(32, 64))
        assert sorted(frames[32].modules) == list(range(1, 64))
        assert frames[3].modules[4].alarm == frames[32].modules[4].alarm == 0x02
        assert frames[31].modules[60].trouble == frames[32].modules[60].trouble == 0x10


@pytest.mark.parametrize("absent", [{1}, {1, 2}, {1, 2, 3}])
async def test_absent_nodes_come_up_on_the_port_of_all(
    connect: Connect, absent: set[int]
) -> None:
    async with SimulatedFleet(
        count=3, port=0, cycle_seconds=0.1, absent=absent
    ) as fleet:
        for number in absent:
            with pytest.raises(aiohttp.ClientConnectorError):
                await connect(fleet.node(number).url)
            fleet.node(number).up()
        assert {node.port for node in fleet.nodes} == {fleet.port}
        assert fleet.port > 0
        for url in fleet.urls:
            assert decode(await next_frame(await connect(url))).modules


async def test_an_absent_node_refuses_until_it_comes(connect: Connect) -> None:
    async with SimulatedFleet(count=3, port=0, cycle_seconds=0.1, absent={2}) as fleet:
        with pytest.raises(aiohttp.ClientConnectorError):
            await connect(fleet.urls[1])
        assert decode(await next_frame(await connect(fleet.urls[2]))).modules
        fleet.node(2).up()
        assert decode(await next_frame(await connect(fleet.urls[1]))).modules


async def test_every_node_keeps_its_own_lamps(connect: Connect) -> None:
    async with SimulatedFleet(count=2, port=0, cycle_seconds=0.1) as fleet:
        fleet.led(Lamp.DRILL, Switch.ON, node=2)
        one, two = await first_frames(fleet, connect)
        assert one.panel and two.panel
        assert "drill" not in one.panel.lit
        assert "drill" in two.panel.lit


async def test_clear_takes_alarm_and_trouble(connect: Connect) -> None:
    async with SimulatedFleet(count=1, port=0, automatic_bells=False) as fleet:
        socket = await connect(fleet.urls[0])
        fleet.alarm(1, 2)
        fleet.trouble(1)
        await frame_with(socket, b"010103")
        fleet.clear(1)
        await frame_with(socket, b"010002")
        fleet.alarm(2, on=False)
        fleet.trouble(2)
        await frame_with(socket, b"010200")
        fleet.clear_all()
        await frame_with(socket, b"010000")


async def test_modules_bells_and_bit5_reach_the_wire(connect: Connect) -> None:
    async with SimulatedFleet(Layout.BRIDGE, count=3, port=0) as fleet:
        socket = await connect(fleet.urls[0])
        fleet.module_offline(1)
        fleet.bell(2, Switch.ON)
        fleet.bit5(3)
        await frame_with(socket, b"<STX>\x0201 <STX>\x02020020 <STX>\x02032000 ")
        fleet.module_offline(1, False)
        fleet.bell(2, Switch.AUTO)
        fleet.bit5(3, False)
        await frame_with(socket, b"010000 <STX>\x02020000 <STX>\x02030000 ")


@pytest.mark.parametrize("dialect", Dialect)
async def test_dialects_reach_the_wire(connect: Connect, dialect: Dialect) -> None:
    async with SimulatedFleet(
        count=1, port=0, cycle_seconds=0.1, dialect=dialect
    ) as fleet:
        fleet.alarm(5)
        frame = decode(await next_frame(await connect(fleet.urls[0])))
        assert frame.modules[1].alarm == 0x10
        assert frame.panel
        assert (frame.panel.checksum is not None) is (dialect is Dialect.COMPACT)


async def test_reset_of_a_latching_fleet(connect: Connect) -> None:
    async with SimulatedFleet(count=1, port=0, latching=True) as fleet:
        fleet.alarm(1)
        fleet.clear(1)
        assert Lamp.ALARM in fleet.node(1).panel.lit()
        fleet.reset()
        assert Lamp.ALARM not in fleet.node(1).panel.lit()


async def test_handshakes_are_counted_with_their_times(connect: Connect) -> None:
    async with SimulatedFleet(count=4, port=0) as fleet:
        await asyncio.gather(*map(connect, fleet.urls))
        times = [knock.at for knock in fleet.meter.handshakes]
        assert sorted(times) == times
        assert {knock.node for knock in fleet.meter.handshakes} == {1, 2, 3, 4}
        assert 1 <= fleet.meter.opening_max <= 4
        assert fleet.meter.opening == 0


async def test_frames_are_counted(connect: Connect) -> None:
    async with SimulatedFleet(count=1, port=0, cycle_seconds=0.05) as fleet:
        socket = await connect(fleet.urls[0])
        for _ in range(3):
            await next_frame(socket)
        status = fleet.status()
        assert status.frames_sent == status.nodes[0].frames_sent >= 3


async def test_the_end_leaves_nothing_behind(connect: Connect) -> None:
    tasks = asyncio.all_tasks()
    fleet = SimulatedFleet(count=2, port=0, cycle_seconds=0.1)
    async with fleet:
        socket = await connect(fleet.urls[0])
        await next_frame(socket)
        fleet.power_cut(60)
    await end_of(socket)
    await until(lambda: asyncio.all_tasks() <= tasks)
    with pytest.raises(aiohttp.ClientConnectorError):
        await connect(fleet.urls[0])


async def test_a_taken_port_is_named(connect: Connect) -> None:
    async with SimulatedFleet(count=2, port=0) as fleet:
        other = SimulatedFleet(count=3, port=fleet.port)
        with pytest.raises(SimError, match=f"port {fleet.port}: .*127.0.0.2"):
            await other.start()
        late = SimulatedFleet(count=1, port=fleet.port, first_address="127.0.0.4")
        async with late:
            other = SimulatedFleet(count=2, port=fleet.port, first_address="127.0.0.5")
            async with other:
                assert len({*fleet.urls, *late.urls, *other.urls}) == 5


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"count": 0}, "nodes 0: layout distributed takes 1-63"),
        ({"count": 64}, "nodes 64: layout distributed takes 1-63"),
        ({"layout": Layout.MIXED, "count": 1}, "nodes 1: layout mixed takes 2-63"),
        ({"port": 65_536}, "port 65536: must be 1-65535"),
        ({"cycle_seconds": 0.01}, "cycle 0.01 s: must be 0.05-60"),
        ({"absent": {64}}, "absent 64: the nodes are 1-63"),
        ({"first_address": "nonsense"}, "first address nonsense: must be an IPv4"),
        ({"first_address": "255.255.255.250"}, "first address 255.255.255.250"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, object], text: str) -> None:
    with pytest.raises(SimError, match=text):
        SimulatedFleet(**arguments)  # type: ignore[arg-type]


async def test_bad_changes_are_named_and_change_nothing() -> None:
    async with SimulatedFleet(count=2, port=0) as fleet:
        for change, text in (
            (lambda: fleet.alarm(1, 316), "zone 316: must be 1-315"),
            (
                lambda: fleet.trouble(1, 11),
                "module 3: this fleet has modules 1-2 .zones 1-10.",
            ),
            (lambda: fleet.bell(64, Switch.ON), "module 64: must be 1-63"),
            (lambda: fleet.node(3), "node 3: the nodes are 1-2"),
        ):
            with pytest.raises(SimError, match=text):
                change()
        assert fleet.site.zones(lambda module: module.alarm | module.trouble) == []
