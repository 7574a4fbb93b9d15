"""A hostile node at the other end of a link: no memory, no time, no other address."""

import asyncio
from collections.abc import AsyncIterator
import socket
import tracemalloc
import zlib

import aiohttp
import pytest

from custom_components.esp32_fire_alarm.fleet import pool
from custom_components.esp32_fire_alarm.fleet.frame import MAX_FRAME_BYTES
from custom_components.esp32_fire_alarm.fleet.health import LinkState, NodeRecord
from custom_components.esp32_fire_alarm.fleet.link import (
    DeviceLink,
    LinkError,
    LinkFault,
    only_here,
    open_socket,
)
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.fleet.scan import scan
from custom_components.esp32_fire_alarm.fleet.timing import Supervision, SystemClock
from sim.faults import Fault
from sim.fleet import SimulatedFleet
from tests.fleet.rig import FakeClock, Rig, configs_of, connect_all, running, until

from .hostile import (
    COMPRESSED,
    FINAL,
    PING,
    TEXT,
    Script,
    after_handshake,
    hostile,
    read_request,
    upgrade,
    ws_frame,
)

pytestmark = [pytest.mark.usefixtures("loopback"), pytest.mark.timeout(60)]

MIB = 2**20
FOR_EVER = 3600.0
FRAME = b'{"data":"51DF <STX>010000 <STX><ETX>"}'


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(trace_configs=[only_here()]) as one:
        yield one


async def listen_to(
    session: aiohttp.ClientSession, address: DeviceAddress
) -> tuple[LinkFault, list[bytes], int]:
    """Listen to a node until the link ends: why, what came, and the memory it took."""
    heard: list[bytes] = []

    def hear(raw: bytes) -> bool:
        heard.append(raw)
        return True

    socket = await open_socket(session, address)
    link = DeviceLink(
        socket,
        on_frame=hear,
        pulse=NodeRecord(),
        now=SystemClock().now,
        supervision=Supervision(),
    )
    tracemalloc.start()
    fault, _ = await link.listen()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await link.close()
    return fault, heard, peak


async def flood(
    writer: asyncio.StreamWriter, first: bytes, chunk: bytes, mebibytes: int
) -> None:
    """Send so much of the same."""
    writer.write(first)
    for _ in range(mebibytes * MIB // len(chunk)):
        writer.write(chunk)
        await writer.drain()


def bomb() -> bytes:
    """Return 64 MiB of nothing, deflated as WebSocket's extension does."""
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(bytes(64 * MIB)) + packer.flush(zlib.Z_SYNC_FLUSH)
    return packed[:-4]


def of_a_claimed_length(length: int) -> Script:
    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = ws_frame(FINAL | TEXT, claims=length)
        await flood(writer, head, bytes(65_536), 16)

    return after_handshake(script)


def in_endless_fragments() -> Script:
    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await flood(writer, ws_frame(TEXT, b"{"), ws_frame(0, bytes(1000)), 16)

    return after_handshake(script)


def of_empty_fragments() -> Script:
    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await flood(writer, ws_frame(TEXT, b"{"), ws_frame(0, b"") * 1000, 2)
        writer.write(ws_frame(FINAL, b"}"))
        writer.write_eof()

    return after_handshake(script)


def compressed(*headers: str) -> Script:
    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ws_frame(FINAL | COMPRESSED | TEXT, bomb()))
        await asyncio.sleep(FOR_EVER)

    return after_handshake(script, *headers)


@pytest.mark.parametrize(
    "script",
    [
        of_a_claimed_length(MAX_FRAME_BYTES + 1),
        of_a_claimed_length(2**40),
        of_a_claimed_length(2**63 - 1),
        in_endless_fragments(),
        compressed(),
        compressed("Sec-WebSocket-Extensions: permessage-deflate"),
    ],
    ids=["too long", "a tebibyte", "the longest", "fragments", "bomb", "offered bomb"],
)
async def test_giants_end_the_link_and_take_no_memory(
    session: aiohttp.ClientSession, script: Script
) -> None:
    async with hostile(script) as address:
        fault, heard, peak = await listen_to(session, address)
    assert fault in (LinkFault.PROTOCOL_ERROR, LinkFault.CLOSED_BY_NODE)
    assert heard == []
    assert peak < 2 * MIB


async def test_empty_fragments_take_no_memory(session: aiohttp.ClientSession) -> None:
    async with hostile(of_empty_fragments()) as address:
        _, _, peak = await listen_to(session, address)
    assert peak < 2 * MIB


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\n" + b"X: 1\r\n" * 1_000_000,
        b"HTTP/1.1 101 " + b"a" * 8 * MIB,
        b"HTTP/1.1 101 Switching Protocols\r\nX: " + b"a" * 8 * MIB,
        b"HTTP/1.1 101 Switching Protocols\r\n" + b"a" * 8 * MIB,
        b"\x00" * MIB,
        b"HTTP/9.9 nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"a" * MIB,
        upgrade(b"another key"),
    ],
    ids=["headers", "reason", "value", "name", "zeros", "version", "body", "key"],
)
async def test_a_handshake_without_end_or_sense(
    session: aiohttp.ClientSession, answer: bytes
) -> None:
    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await read_request(reader)
        writer.write(answer)
        await asyncio.sleep(FOR_EVER)

    async with hostile(script) as address:
        tracemalloc.start()
        with pytest.raises(LinkError) as error:
            await open_socket(session, address, timeout_seconds=5)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert error.value.fault in (LinkFault.HANDSHAKE_REFUSED, LinkFault.SLOTS_FULL)
    assert str(error.value).isprintable()
    assert len(str(error.value)) <= 120
    # The server of this test holds what it sends in the same process.
    assert peak < 2 * MIB + 3 * len(answer)


async def test_a_handshake_that_drips_is_bounded_in_time(
    session: aiohttp.ClientSession,
) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n")
        while True:
            writer.write(b"X: 1\r\n")
            await asyncio.sleep(0.05)

    async with hostile(drip) as address:
        with pytest.raises(LinkError) as error:
            await open_socket(session, address, timeout_seconds=0.5)
    assert error.value.fault is LinkFault.TIMED_OUT


# Who neither reads nor says goodbye.


async def talk_on(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a frame ten times a second, whatever the client says."""
    while True:
        writer.write(ws_frame(FINAL | TEXT, FRAME))
        await asyncio.sleep(0.1)


async def test_who_does_not_say_goodbye_is_left(
    session: aiohttp.ClientSession,
) -> None:
    """Nobody waits for the farewell of a node that talks on: no scan, no unload."""
    async with hostile(after_handshake(talk_on)) as address:
        async with asyncio.timeout(30):
            result = await scan(session, [address])
        assert result.probes[0].modules == (1,)
        async with asyncio.timeout(30):
            async with running(
                [NodeConfig(1, address, (1,))], clock=SystemClock()
            ) as rig:
                await until(lambda: rig.connected, 10)


class DeafNode:
    """Never reads, and asks for pongs when told to."""

    def __init__(self) -> None:
        self.asks = asyncio.Event()

    async def play(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport = writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.pause_reading()
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        while True:
            await self.asks.wait()
            writer.write(ws_frame(FINAL | PING, bytes(125)))
            await writer.drain()


def faults_of(rig: Rig, node: int) -> set[LinkFault | None]:
    """Return what ended the links of a node so far."""
    return {change.fault for change in rig.health.record(node).timeline}


async def test_who_never_reads_holds_up_nobody() -> None:
    """Pongs pile up until nothing can be sent: all others stay watched."""
    clock, deaf = FakeClock(), DeafNode()
    async with (
        SimulatedFleet(count=2, port=0, cycle_seconds=0.05) as fleet,
        hostile(after_handshake(deaf.play)) as address,
        running([*configs_of(fleet), NodeConfig(3, address, (3,))], clock=clock) as rig,
    ):
        await connect_all(rig, clock, 2)
        await until(lambda: rig.pool._nodes[3].link is not None)
        link = rig.pool._nodes[3].link
        assert link is not None
        raw = link._socket.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        deaf.asks.set()
        await until(lambda: link._sending is not None and not link._sending.done(), 20)
        deaf.asks.clear()
        fleet.node(1).fault(Fault.HALF_OPEN)
        for _ in range(40):
            await clock.advance(0.5)
            await asyncio.sleep(0.01)
        assert faults_of(rig, 1) & {LinkFault.HALF_OPEN, LinkFault.SILENT}
        assert faults_of(rig, 3) & {LinkFault.HALF_OPEN, LinkFault.SILENT}
        assert rig.state(2) is LinkState.CONNECTED
        # What was never read does not keep the socket, and the node is tried again.
        await until(lambda: raw.fileno() == -1, 10)
        for _ in range(200):
            await clock.advance(0.5)
            if rig.health.record(3).connects > 1:
                break
        assert rig.health.record(3).connects > 1


# Nobody but the configured addresses.


async def test_a_redirect_ends_the_attempt(session: aiohttp.ClientSession) -> None:
    knocks: list[str] = []

    async def elsewhere(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        knocks.append("knock")

    async with hostile(elsewhere) as target:

        async def redirect(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await read_request(reader)
            where = f"Location: http://{target}/\r\n".encode()
            writer.write(
                b"HTTP/1.1 302 Found\r\n" + where + b"Content-Length: 0\r\n\r\n"
            )

        async with hostile(redirect) as address:
            with pytest.raises(LinkError) as error:
                await open_socket(session, address)
    assert error.value.fault is LinkFault.HANDSHAKE_REFUSED
    assert knocks == []


async def test_no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:1")
    async with (
        SimulatedFleet(count=1, port=0) as fleet,
        running(configs_of(fleet), clock=SystemClock()) as rig,
    ):
        await until(lambda: rig.connected, 10)


async def test_a_name_that_leads_out_of_the_house(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever answers for a name may answer anything: it is not listened to."""
    monkeypatch.setattr(pool, "is_local", lambda host: host != "127.0.0.2")
    async with (
        SimulatedFleet(count=2, port=0) as fleet,
        running(configs_of(fleet), clock=SystemClock()) as rig,
    ):
        await until(lambda: rig.connected, 10)
        await until(lambda: rig.health.record(1).fault, 10)
        assert rig.health.record(1).fault is LinkFault.UNREACHABLE
        assert rig.health.record(1).frames == 0
        await until(lambda: rig.state(2) is LinkState.CONNECTED)
        await until(lambda: fleet.node(1).clients == 0)
