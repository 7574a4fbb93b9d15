"""The rarer faults, seen from a client's side."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from custom_components.esp32_fire_alarm.fleet.frame import FrameError, decode
from custom_components.esp32_fire_alarm.fleet.models import DeviceFrame, Led
from sim.errors import SimError
from sim.faults import FAULTS, Fault
from sim.fleet import SimulatedFleet
from sim.node import Node
from sim.outbox import MAX_UNSENT_BYTES

from .conftest import PATIENCE_SECONDS, Connect, Socket, end_of, next_frame, until


@pytest.fixture
async def fleet() -> AsyncIterator[SimulatedFleet]:
    async with SimulatedFleet(count=2, port=0, cycle_seconds=0.05) as fleet:
        yield fleet


@pytest.fixture
def node(fleet: SimulatedFleet) -> Node:
    return fleet.node(1)


async def frames(socket: Socket, count: int) -> list[DeviceFrame]:
    """Return what the next so many messages mean."""
    return [decode(await next_frame(socket)) for _ in range(count)]


async def read_until_reset(reader: asyncio.StreamReader) -> bytes:
    """Return everything that comes before the connection is reset."""
    came = b""
    async with asyncio.timeout(PATIENCE_SECONDS):
        try:
            while chunk := await reader.read(4096):
                came += chunk
        except ConnectionResetError:
            return came
    raise AssertionError("a farewell instead of a reset")


async def test_accept_only(connect: Connect, node: Node) -> None:
    socket = await connect(node.url)
    node.fault(Fault.ACCEPT_ONLY)
    await end_of(socket)
    reader, writer = await asyncio.open_connection(node.host, node.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.3)
    writer.close()
    node.heal()
    await next_frame(await connect(node.url))


@pytest.mark.parametrize("status", [200, 301, 404, 503, 599])
async def test_http_status(connect: Connect, node: Node, status: int) -> None:
    node.fault(Fault.HTTP_STATUS, status)
    reader, writer = await asyncio.open_connection(node.host, node.port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Version: 13\r\n\r\n"
    )
    answer = await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert (b"Location: http://192.0.2.1/" in answer) is (status == 301)


@pytest.mark.parametrize("code", range(1000, 1013))
async def test_close(connect: Connect, node: Node, code: int) -> None:
    socket = await connect(node.url, autoclose=False, autoping=False)
    node.fault(Fault.CLOSE, code)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (message := await socket.receive()).type in (
            aiohttp.WSMsgType.TEXT,
            aiohttp.WSMsgType.PING,
        ):
            pass
    if message.type is aiohttp.WSMsgType.CLOSE:
        assert message.data == code
    else:
        # Codes that may not travel, as strict clients see them.
        assert message.type is aiohttp.WSMsgType.ERROR
        assert str(code) in str(message.data)
    await next_frame(await connect(node.url))


async def test_close_for_a_time_sends_everyone_away(
    connect: Connect, node: Node
) -> None:
    node.fault(Fault.CLOSE, 1012, for_seconds=60)
    socket = await connect(node.url)
    await end_of(socket)
    assert socket.close_code == 1012


async def test_ping_flood(connect: Connect, node: Node) -> None:
    socket = await connect(node.url, autoping=False)
    node.fault(Fault.PING_FLOOD, 1000)
    pings = 0
    async with asyncio.timeout(PATIENCE_SECONDS):
        while pings < 200:
            message = await socket.receive()
            pings += message.type is aiohttp.WSMsgType.PING
    assert len(message.data) in (0, 125)


async def test_reboot_loop(connect: Connect, node: Node) -> None:
    node.set_uptime(1_000_000)
    node.fault(Fault.REBOOT_LOOP, 0.4)
    for _ in range(2):
        await until(lambda: Fault.REBOOT in node.faults)
        await until(lambda: Fault.REBOOT not in node.faults)
        assert node.uptime_ms < 10_000
        await end_of(await connect(node.url))
    node.heal()
    await next_frame(await connect(node.url))


async def test_brownout_stops_in_the_middle_of_a_frame(
    connect: Connect, node: Node
) -> None:
    reader, writer = await asyncio.open_connection(node.host, node.port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Version: 13\r\n\r\n"
    )
    await until(lambda: node.clients == 1)
    node.fault(Fault.BROWNOUT, for_seconds=0.3)
    sent = await read_until_reset(reader)
    writer.close()
    assert b"}" not in sent.rpartition(b'{"timestamp"')[2]
    assert node.uptime_ms < 10_000


async def test_clock_wrap(connect: Connect, node: Node) -> None:
    socket = await connect(node.url)
    node.fault(Fault.CLOCK_WRAP, 0.3)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (decode(await next_frame(socket)).uptime_ms or 0) < 2**32 - 300:
            pass
        while (decode(await next_frame(socket)).uptime_ms or 0) > 10_000:
            pass
    assert not node.faults


async def test_jitter_keeps_the_order(connect: Connect, node: Node) -> None:
    socket = await connect(node.url)
    node.fault(Fault.JITTER, 0.2)
    uptimes: list[int] = []
    lags: list[int] = []
    for _ in range(20):
        (frame,) = await frames(socket, 1)
        uptimes.append(frame.uptime_ms or 0)
        lags.append(node.uptime_ms - uptimes[-1])
    assert uptimes == sorted(uptimes)
    assert max(lags) >= 40


async def test_slow_sender_leaves_frames_out(connect: Connect, node: Node) -> None:
    socket = await connect(node.url)
    node.fault(Fault.SLOW_SENDER, 500)
    slow = await frames(socket, 4)
    uptimes = [frame.uptime_ms or 0 for frame in slow]
    assert uptimes[-1] - uptimes[-2] >= 100, "one frame takes a quarter of a second"
    assert all(frame.modules for frame in slow)


@pytest.mark.parametrize(
    ("fault", "value"), [(Fault.SLICED, 1), (Fault.FRAGMENTED, 1), (Fault.BINARY, None)]
)
async def test_odd_but_right_ways_to_send(
    connect: Connect, fleet: SimulatedFleet, node: Node, fault: Fault, value: int | None
) -> None:
    fleet.alarm(3)
    node.fault(fault, value)
    socket = await connect(node.url)
    async with asyncio.timeout(PATIENCE_SECONDS):
        message = await socket.receive()
    expected = aiohttp.WSMsgType.BINARY if fault is Fault.BINARY else 1
    assert message.type == expected
    assert decode(bytes(message.data)).modules[1].alarm == 0x04


@pytest.mark.parametrize(
    ("fault", "value"),
    [(Fault.TRUNCATED, 0), (Fault.DEEP_JSON, 30_000), (Fault.GARBAGE, None)],
)
@pytest.mark.parametrize("for_seconds", [None, 60])
async def test_messages_without_meaning(
    connect: Connect,
    node: Node,
    fault: Fault,
    value: int | None,
    for_seconds: int | None,
) -> None:
    """Once, or every frame for a time."""
    socket = await connect(node.url)
    await next_frame(socket)
    node.fault(fault, value, for_seconds=for_seconds)
    for turn in range(3):
        async with asyncio.timeout(PATIENCE_SECONDS):
            raw = bytes((await socket.receive()).data)
        if turn == 0 or for_seconds:
            with pytest.raises(FrameError):
                decode(raw)
        else:
            assert decode(raw).modules


async def test_truncated_keeps_a_part(connect: Connect, node: Node) -> None:
    socket = await connect(node.url)
    whole = await next_frame(socket)
    node.fault(Fault.TRUNCATED, 50)
    part = await next_frame(socket)
    assert len(part) < len(whole) - 30
    assert not part.endswith(b"}")


async def test_oversized_is_longer_than_what_the_firmware_can_hold(
    connect: Connect, node: Node
) -> None:
    socket = await connect(node.url)
    node.fault(Fault.OVERSIZED, 1024)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(raw := await next_frame(socket)) < MAX_UNSENT_BYTES:
            pass
    assert len(raw) == 1024 * 1024
    await next_frame(socket)


async def test_old_frames_after_a_reconnect(
    connect: Connect, fleet: SimulatedFleet, node: Node
) -> None:
    socket = await connect(node.url)
    await frames(socket, 3)
    fleet.alarm(1)
    while not (await frames(socket, 1))[0].modules[1].alarm:
        pass
    node.fault(Fault.OLD_FRAMES, 30)
    await end_of(socket)
    again = await frames(await connect(node.url), 5)
    assert again[0].modules[1].alarm == 0, "from before the alarm"
    assert (again[0].uptime_ms or 0) < node.uptime_ms - 100


async def test_duplicate_address(
    connect: Connect, fleet: SimulatedFleet, node: Node
) -> None:
    node.fault(Fault.DUPLICATE_ADDRESS, 0.4)
    heard: set[int] = set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while heard != {1, 2}:
            socket = await connect(node.url)
            heard |= set((await frames(socket, 1))[0].modules)
            await end_of(socket)
    node.heal()
    (frame,) = await frames(await connect(node.url), 1)
    assert set(frame.modules) == {1}


async def test_swapped(connect: Connect, fleet: SimulatedFleet, node: Node) -> None:
    fleet.alarm(6)
    socket = await connect(node.url)
    node.fault(Fault.SWAPPED)
    await end_of(socket)
    socket = await connect(node.url)
    (frame,) = await frames(socket, 1)
    assert {m: state.alarm for m, state in frame.modules.items()} == {2: 1}
    node.heal()
    await end_of(socket)
    (frame,) = await frames(await connect(node.url), 1)
    assert set(frame.modules) == {1}


@pytest.mark.parametrize("number", [1, 3])
async def test_swapped_with_nobody(node: Node, number: int) -> None:
    with pytest.raises(SimError, match=f"node {number}: must be another one"):
        node.fault(Fault.SWAPPED, number)
    assert node.faults == ()


async def test_a_fleet_of_one_has_nobody_to_swap_with() -> None:
    async with SimulatedFleet(count=1, port=0) as fleet:
        for fault in (Fault.SWAPPED, Fault.DUPLICATE_ADDRESS):
            with pytest.raises(SimError, match="must be another one"):
                fleet.node(1).fault(fault)


async def test_module_flap(connect: Connect, node: Node) -> None:
    socket = await connect(node.url)
    node.fault(Fault.MODULE_FLAP, 2)
    online = [frame.modules[1].online for frame in await frames(socket, 9)]
    turns = "".join("+" if one else "-" for one in online)
    assert "--++--" in turns or "++--++" in turns


async def test_chatter(connect: Connect, node: Node) -> None:
    socket = await connect(node.url)
    node.fault(Fault.CHATTER, 1)
    seen = await frames(socket, 6)
    alarms = [bool(frame.modules[1].alarm) for frame in seen]
    assert sorted(alarms) == [False] * 3 + [True] * 3
    for frame, is_alarm in zip(seen, alarms, strict=True):
        assert frame.panel is not None
        assert (Led.ALARM in frame.panel.lit) is is_alarm


@pytest.mark.parametrize("fault", [f for f in Fault if FAULTS[f].parameter])
async def test_the_ends_of_every_range(node: Node, fault: Fault) -> None:
    parameter = FAULTS[fault].parameter
    assert parameter is not None
    assert parameter.minimum <= parameter.default <= parameter.maximum
    for value in (parameter.minimum - 1, parameter.maximum + 1, float("nan")):
        with pytest.raises(SimError, match=parameter.name):
            node.fault(fault, value)
    if parameter.whole:
        with pytest.raises(SimError, match="must be a whole number"):
            node.fault(fault, parameter.minimum + 0.5)
    assert node.faults == ()
