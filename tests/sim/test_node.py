"""One simulated ESP32 on a real socket: slots, handshake, cadence, telemetry."""

import asyncio
from itertools import pairwise
import json
from statistics import median
from typing import Any

import aiohttp
import pytest

from custom_components.esp32_fire_alarm.fleet.frame import decode
from sim.clients import CLIENT_SLOTS
from sim.fleet import SimulatedFleet
from sim.node import CHANGE_PUSH_SECONDS
from sim.panel import Lamp, Switch

from .conftest import PATIENCE_SECONDS, Connect, end_of, frame_with, next_frame, until


def lone_node(**options: Any) -> SimulatedFleet:
    """Return a fleet of one node that is quick enough for tests."""
    return SimulatedFleet(count=1, port=0, **({"cycle_seconds": 0.05} | options))


async def test_a_sixth_client_is_dropped_before_the_handshake(connect: Connect) -> None:
    async with lone_node() as fleet:
        (url,) = fleet.urls
        sockets = [await connect(url) for _ in range(CLIENT_SLOTS)]
        with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
            await connect(url)
        assert fleet.meter.dropped >= 1  # aiohttp tries a second time by itself
        await frame_with(sockets[0], b'"clients":5')
        await sockets[0].close()
        await until(lambda: fleet.node(1).slots_taken == CLIENT_SLOTS - 1)
        sockets.append(await connect(url))
        assert fleet.clients == CLIENT_SLOTS


async def test_a_connection_without_handshake_takes_a_slot_too(
    connect: Connect,
) -> None:
    async with lone_node() as fleet:
        streams = [
            await asyncio.open_connection(fleet.node(1).host, fleet.port)
            for _ in range(CLIENT_SLOTS)
        ]
        await until(lambda: fleet.node(1).slots_taken == CLIENT_SLOTS)
        assert fleet.meter.opening == fleet.meter.opening_max == CLIENT_SLOTS
        with pytest.raises(aiohttp.ClientError):
            await connect(fleet.urls[0])
        for _, writer in streams:
            writer.close()
            await writer.wait_closed()
        await until(lambda: fleet.node(1).slots_taken == 0)
        assert fleet.meter.opening == 0


async def test_one_ping_comes_right_after_the_handshake(connect: Connect) -> None:
    async with lone_node(cycle_seconds=0.5) as fleet:
        socket = await connect(fleet.urls[0], autoping=False)
        assert (await socket.receive(PATIENCE_SECONDS)).type is aiohttp.WSMsgType.PING
        assert (await socket.receive()).type is aiohttp.WSMsgType.TEXT


async def test_pings_are_answered_with_their_payload(connect: Connect) -> None:
    async with lone_node(cycle_seconds=0.5) as fleet:
        socket = await connect(fleet.urls[0], autoping=False)
        await socket.receive(PATIENCE_SECONDS)
        await socket.ping(b"hello")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"hello")
        assert fleet.meter.pings_received == 1


@pytest.mark.parametrize("asked", [(), ("ESP32-FireAlarm",), ("a", "b")])
async def test_whatever_subprotocol_is_asked_for_it_says_arduino(
    asked: tuple[str, ...],
) -> None:
    async with lone_node() as fleet:
        reader, writer = await asyncio.open_connection(fleet.node(1).host, fleet.port)
        wish = f"Sec-WebSocket-Protocol: {', '.join(asked)}\r\n" if asked else ""
        writer.write(
            "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{wish}"
            "Sec-WebSocket-Extensions: permessage-deflate\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)
        assert answer.startswith(b"HTTP/1.1 101")
        assert (b"Sec-WebSocket-Protocol: arduino" in answer) is bool(asked)
        assert b"deflate" not in answer
        writer.close()


async def test_a_plain_http_request_is_no_handshake() -> None:
    async with lone_node() as fleet, aiohttp.ClientSession() as session:
        url = fleet.urls[0].replace("ws://", "http://")
        async with session.get(url) as response:
            assert response.status == 426
        await until(lambda: fleet.node(1).slots_taken == 0)


async def test_a_change_shows_before_the_cycle_is_over(connect: Connect) -> None:
    async with lone_node(cycle_seconds=30) as fleet:
        socket = await connect(fleet.urls[0])
        loop = asyncio.get_running_loop()
        changed = loop.time()
        fleet.alarm(3)
        await frame_with(socket, b"010004")
        assert loop.time() - changed < CHANGE_PUSH_SECONDS + 2  # of a cycle of 30


async def test_frames_come_at_the_pace_of_the_cycle(connect: Connect) -> None:
    async with lone_node(cycle_seconds=0.1) as fleet:
        socket = await connect(fleet.urls[0])
        uptimes = [decode(await next_frame(socket)).uptime_ms for _ in range(6)]
    assert 80 <= median(b - a for a, b in pairwise(uptimes) if a and b) <= 200


async def test_uptime_wraps_at_32_bits(connect: Connect) -> None:
    async with lone_node() as fleet:
        socket = await connect(fleet.urls[0])
        fleet.node(1).set_uptime(2**32 - 60)
        uptimes = [json.loads(await next_frame(socket), strict=False)["timestamp"]]
        while uptimes[-1] > 1000:
            frame = await next_frame(socket)
            uptimes.append(json.loads(frame, strict=False)["timestamp"])
        assert uptimes[-1] < 200


async def test_free_heap_wanders_and_shrinks_with_clients(connect: Connect) -> None:
    async with lone_node() as fleet:
        node = fleet.node(1)
        alone = node.free_heap
        socket = await connect(fleet.urls[0])
        heaps = {decode(await next_frame(socket)).free_heap for _ in range(8)}
        assert len(heaps) > 3
        assert all(heap and heap < alone for heap in heaps)


async def test_what_clients_send_is_kept_and_not_obeyed(connect: Connect) -> None:
    async with lone_node() as fleet:
        socket = await connect(fleet.urls[0])
        for text in ('{"command":"d","type":"control_command"}', "s", "{broken"):
            await socket.send_str(text)
        await until(lambda: len(fleet.meter.received) == 3)
        assert [(one.node, one.text) for one in fleet.meter.received][1:] == [
            (1, "s"),
            (1, "{broken"),
        ]
        assert fleet.node(1).panel.lit() == {Lamp.AC, Lamp.DC}


async def test_commands_are_obeyed_when_told_so(connect: Connect) -> None:
    async with lone_node(obey_commands=True, latching=True) as fleet:
        panel = fleet.node(1).panel
        socket = await connect(fleet.urls[0])
        await socket.send_str('{"command":"d"}')
        await until(lambda: Lamp.DRILL in panel.lit())
        await socket.send_str("d")
        await until(lambda: Lamp.DRILL not in panel.lit())
        await socket.send_str("s")
        await until(lambda: Lamp.SILENCED in panel.lit())
        fleet.alarm(1)
        fleet.clear(1)
        await socket.send_str("a")
        await socket.send_str('{"type":"ping"}')
        assert Lamp.ALARM in panel.lit()
        await socket.send_str('{"command":"r"}')
        await until(lambda: not panel.lit() & {Lamp.ALARM, Lamp.SILENCED})


async def test_a_message_too_long_for_the_firmware_closes(connect: Connect) -> None:
    async with lone_node() as fleet:
        socket = await connect(fleet.urls[0])
        await socket.send_str("x" * 16 * 1024)
        await end_of(socket)
        assert socket.close_code == 1009


async def test_a_client_that_reads_nothing_is_dropped(connect: Connect) -> None:
    async with lone_node(cycle_seconds=30) as fleet:
        await connect(fleet.urls[0], max_msg_size=0)
        for _ in range(400):
            fleet.node(1).send_raw(b"x" * 60_000)
            if not fleet.node(1).slots_taken:
                break
            await asyncio.sleep(0)
        assert fleet.node(1).slots_taken == 0


async def test_anything_can_be_sent_in_any_shape(connect: Connect) -> None:
    async with lone_node(cycle_seconds=30) as fleet:
        node = fleet.node(1)
        socket = await connect(fleet.urls[0])
        node.send_raw(b"\xff\x02{}")
        assert await next_frame(socket) == b"\xff\x02{}"
        node.send_raw(b'{"data":"41DF <STX><ETX>"}', fragments=4)
        assert await next_frame(socket) == b'{"data":"41DF <STX><ETX>"}'
        node.send_raw(b"\x00\x01", binary=True)
        message = await socket.receive(PATIENCE_SECONDS)
        assert (message.type, message.data) == (aiohttp.WSMsgType.BINARY, b"\x00\x01")
        node.send_wire(b"\xf1\x00")  # reserved bits: no WebSocket frame at all
        assert (await socket.receive(PATIENCE_SECONDS)).type is aiohttp.WSMsgType.ERROR


async def test_the_node_can_say_goodbye(connect: Connect) -> None:
    async with lone_node(cycle_seconds=30) as fleet:
        socket = await connect(fleet.urls[0])
        fleet.node(1).close_clients(1012, "restart")
        message = await socket.receive(PATIENCE_SECONDS)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1012)
        await until(lambda: fleet.clients == 0)


async def test_lamps_can_be_forced(connect: Connect) -> None:
    async with lone_node(cycle_seconds=30) as fleet:
        socket = await connect(fleet.urls[0])
        fleet.led(Lamp.AC, Switch.OFF)
        await frame_with(socket, b'"51DF ')
