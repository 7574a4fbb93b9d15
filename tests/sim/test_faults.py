"""Every fault, seen from a client's side."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from custom_components.esp32_fire_alarm.fleet.frame import decode
from sim.effects import NOTHING, Effects, combine
from sim.errors import SimError
from sim.faults import FAULTS, Fault
from sim.fleet import SimulatedFleet
from sim.node import Node

from .conftest import PATIENCE_SECONDS, Connect, Socket, end_of, next_frame, until


@pytest.fixture
async def fleet() -> AsyncIterator[SimulatedFleet]:
    async with SimulatedFleet(count=1, port=0, cycle_seconds=0.05) as fleet:
        yield fleet


@pytest.fixture
def node(fleet: SimulatedFleet) -> Node:
    return fleet.node(1)


async def falls_silent(socket: Socket, seconds: float = 0.2) -> bool:
    """Tell whether, within a second, nothing comes for so many seconds."""
    try:
        async with asyncio.timeout(1):
            while True:
                try:
                    async with asyncio.timeout(seconds):
                        await socket.receive()
                except TimeoutError:
                    return True
    except TimeoutError:
        return False


async def drained(connect: Connect, node: Node) -> Socket:
    """Return an open socket whose first frame was read."""
    socket = await connect(node.url, autoping=False)
    await socket.receive()
    await next_frame(socket)
    return socket


async def pong(socket: Socket) -> bytes | None:
    """Send a ping and return what its pong says, or None when there is none."""
    await socket.ping(b"are you there")
    try:
        async with asyncio.timeout(0.3):
            while True:
                message = await socket.receive()
                if message.type is aiohttp.WSMsgType.PONG:
                    return bytes(message.data)
    except TimeoutError:
        return None


async def test_refuse(connect: Connect, node: Node) -> None:
    socket = await connect(node.url)
    node.fault(Fault.REFUSE)
    await end_of(socket)
    assert socket.close_code == 1006
    with pytest.raises(aiohttp.ClientConnectorError):
        await connect(node.url)
    node.heal()
    await next_frame(await connect(node.url))


async def test_reset(connect: Connect, node: Node) -> None:
    socket = await connect(node.url)
    node.fault(Fault.RESET)
    await end_of(socket)
    assert socket.close_code == 1006
    with pytest.raises(aiohttp.ClientOSError):
        await connect(node.url)
    node.heal()
    await next_frame(await connect(node.url))


async def test_half_open_keeps_the_socket_and_says_nothing(
    connect: Connect, node: Node
) -> None:
    socket = await drained(connect, node)
    node.fault(Fault.HALF_OPEN)
    assert await falls_silent(socket)
    assert await pong(socket) is None
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await connect(node.url)
    assert node.slots_taken == 1
    node.heal()
    await until(lambda: node.clients == 1)
    kinds = {(await socket.receive(PATIENCE_SECONDS)).type for _ in range(4)}
    assert kinds == {aiohttp.WSMsgType.PONG, aiohttp.WSMsgType.TEXT}


async def test_half_open_resets_who_knocked_in_vain(
    connect: Connect, node: Node
) -> None:
    node.fault(Fault.HALF_OPEN, for_seconds=0.1)
    reader, writer = await asyncio.open_connection(node.host, node.port)
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
    writer.close()
    assert node.faults == ()
    await next_frame(await connect(node.url))


async def test_half_open_keeps_the_slot_of_a_client_that_left(node: Node) -> None:
    _, writer = await asyncio.open_connection(node.host, node.port)
    await until(lambda: node.slots_taken == 1)
    node.fault(Fault.HALF_OPEN)
    writer.close()
    await asyncio.sleep(0.05)
    assert node.slots_taken == 1
    node.heal()
    await until(lambda: node.slots_taken == 0)


async def test_silent_answers_pings_but_sends_no_frame(
    connect: Connect, node: Node
) -> None:
    node.fault(Fault.SILENT)
    socket = await connect(node.url, autoping=False)
    await socket.receive()
    assert await falls_silent(socket)
    assert await pong(socket) == b"are you there"
    node.heal()
    await next_frame(socket)


async def test_slow_handshake(connect: Connect, node: Node) -> None:
    node.fault(Fault.SLOW_HANDSHAKE, 0.3)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await next_frame(await connect(node.url))
    assert 0.3 <= loop.time() - began < 3


async def test_a_client_that_gives_up_a_slow_handshake_frees_its_slot(
    connect: Connect, fleet: SimulatedFleet, node: Node
) -> None:
    node.fault(Fault.SLOW_HANDSHAKE, 60)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await connect(node.url)
    await until(lambda: node.slots_taken == 0)
    assert fleet.meter.opening == 0


async def test_full_slots(connect: Connect, node: Node) -> None:
    socket = await connect(node.url)
    node.fault(Fault.FULL_SLOTS)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await connect(node.url)
    await next_frame(socket)


async def test_wrong_pong_and_no_pong(connect: Connect, node: Node) -> None:
    socket = await drained(connect, node)
    node.fault(Fault.WRONG_PONG)
    assert await pong(socket) == b"wrong"
    node.fault(Fault.NO_PONG)
    assert await pong(socket) is None
    node.heal()
    assert await pong(socket) == b"are you there"


async def test_reboot(connect: Connect, node: Node) -> None:
    node.set_uptime(1_000_000)
    socket = await connect(node.url)
    node.fault(Fault.REBOOT, for_seconds=0.2)
    await end_of(socket)
    assert socket.close_code == 1006
    with pytest.raises(aiohttp.ClientConnectorError):
        await connect(node.url)
    await until(lambda: not node.faults)
    uptime = decode(await next_frame(await connect(node.url))).uptime_ms
    assert uptime is not None and uptime < 100_000


async def test_power_loss_falls_silent_then_boots(connect: Connect, node: Node) -> None:
    node.set_uptime(1_000_000)
    socket = await drained(connect, node)
    node.fault(Fault.POWER_LOSS, for_seconds=0.5)
    assert await falls_silent(socket)
    with pytest.raises(aiohttp.ClientConnectorError):
        await connect(node.url)
    await end_of(socket)
    assert socket.close_code == 1006
    assert node.uptime_ms < 100_000
    await next_frame(await connect(node.url))


async def test_flood(connect: Connect, node: Node) -> None:
    socket = await connect(node.url)
    node.fault(Fault.FLOOD, 1000)
    before = node.frames_sent
    async with asyncio.timeout(PATIENCE_SECONDS):
        while node.frames_sent < before + 200:
            await next_frame(socket)
    node.heal()
    after = node.frames_sent
    await asyncio.sleep(0.2)
    assert node.frames_sent < after + 10


async def test_latency_delays_everything_and_keeps_the_order(
    connect: Connect, node: Node
) -> None:
    socket = await connect(node.url)
    node.fault(Fault.LATENCY, 0.3)
    assert await falls_silent(socket, 0.15)
    frames = [decode(await next_frame(socket)).uptime_ms or 0 for _ in range(4)]
    assert node.uptime_ms - frames[-1] >= 250
    node.heal()
    frames += [decode(await next_frame(socket)).uptime_ms or 0 for _ in range(8)]
    assert frames == sorted(frames)


async def test_bad_utf8_spoils_one_frame(connect: Connect, node: Node) -> None:
    socket = await connect(node.url)
    await next_frame(socket)
    node.fault(Fault.BAD_UTF8)
    spoiled = await next_frame(socket)
    with pytest.raises(UnicodeDecodeError):
        spoiled.decode()
    assert (await next_frame(socket)).decode()
    assert node.faults == ()


async def test_an_access_point_flap_leaves_every_socket_alive(connect: Connect) -> None:
    async with SimulatedFleet(count=3, port=0, cycle_seconds=0.05) as fleet:
        sockets = [await drained(connect, node) for node in fleet.nodes]
        fleet.ap_flap(0.4)
        assert all(await asyncio.gather(*map(falls_silent, sockets)))
        await until(lambda: not any(node.faults for node in fleet.nodes))
        for socket in sockets:
            await next_frame(socket)
        assert len(fleet.meter.handshakes) == 3


async def test_a_power_cut_reboots_all_but_the_absent(connect: Connect) -> None:
    async with SimulatedFleet(count=3, port=0, cycle_seconds=0.05, absent={3}) as fleet:
        for node in fleet.nodes:
            node.set_uptime(1_000_000)
        fleet.power_cut(0.2)
        await until(lambda: not any(node.faults for node in fleet.nodes))
        assert [node.uptime_ms < 100_000 for node in fleet.nodes] == [True, True, False]
        with pytest.raises(aiohttp.ClientConnectorError):
            await connect(fleet.urls[2])


async def test_faults_add_up_and_heal_one_by_one(connect: Connect, node: Node) -> None:
    node.fault(Fault.SILENT)
    node.fault(Fault.NO_PONG, for_seconds=0.4)
    assert node.faults == (Fault.SILENT, Fault.NO_PONG)
    socket = await connect(node.url, autoping=False)
    await socket.receive()
    assert await pong(socket) is None
    await until(lambda: node.faults == (Fault.SILENT,))
    assert await pong(socket) == b"are you there"


async def test_a_fault_begun_again_lasts_anew(node: Node) -> None:
    node.fault(Fault.SILENT, for_seconds=0.2)
    node.fault(Fault.SILENT, for_seconds=60)
    await asyncio.sleep(0.3)
    assert node.faults == (Fault.SILENT,)


async def test_a_node_whose_port_was_taken_meanwhile_comes_back(
    connect: Connect, node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    node.fault(Fault.REFUSE)
    squatter = await asyncio.start_server(lambda *_: None, node.host, node.port)
    node.heal()
    assert "still away" in caplog.text
    squatter.close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                await next_frame(await connect(node.url))
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
            else:
                return


@pytest.mark.parametrize(
    ("fault", "value", "text"),
    [
        (Fault.SILENT, 1.0, "takes no value"),
        (Fault.FLOOD, 0.0, "frames_per_second 0: must be 1-10000"),
        (Fault.LATENCY, 61.0, "latency_seconds 61: must be 0-60"),
        (Fault.SLOW_HANDSHAKE, float("nan"), "delay_seconds nan: must be 0-120"),
    ],
)
async def test_a_bad_parameter_is_named(
    node: Node, fault: Fault, value: float, text: str
) -> None:
    with pytest.raises(SimError, match=text):
        node.fault(fault, value)
    assert node.faults == ()


@pytest.mark.parametrize("seconds", [0.0, -1.0, 100_000.0, float("nan")])
async def test_a_bad_duration_is_named(node: Node, seconds: float) -> None:
    with pytest.raises(SimError, match="must be more than 0"):
        node.fault(Fault.SILENT, for_seconds=seconds)


def test_every_fault_has_its_row_and_does_something() -> None:
    assert set(FAULTS) == set(Fault)
    for kind in FAULTS.values():
        assert kind.effects(kind.value(None)) != NOTHING


def test_nothing_wrong_is_nothing_wrong() -> None:
    assert combine([]) == combine([Effects()]) == Effects()


def test_several_faults_add_up_to_the_worst_of_each() -> None:
    one = Effects(latency_seconds=1, slice_bytes=7, listens=False, uptime_ms=1)
    other = Effects(latency_seconds=2, slice_bytes=3, sends_frames=False, uptime_ms=5)
    assert combine([one, other, NOTHING]) == Effects(
        latency_seconds=2, slice_bytes=3, listens=False, sends_frames=False, uptime_ms=5
    )
