"""A scan over real sockets: who answers, why others do not, and nobody is hurt."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
import pytest

from custom_components.esp32_fire_alarm.fleet import addresses
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress
from custom_components.esp32_fire_alarm.fleet.scan import (
    Probe,
    ScanFault,
    ScanLimits,
    ScanResult,
    scan,
)
from sim.faults import Fault
from sim.fleet import SimulatedFleet
from sim.layout import Layout

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
type Serve = Callable[[Handler], Awaitable[DeviceAddress]]

HASTY = ScanLimits(connect_seconds=0.7, frame_seconds=1.0)
NODE_1 = rb'{"timestamp":1,"data":"41DF <STX>010000 <STX><ETX>","clients":2}'
CAPTURE = Path(__file__).parent.parent / "fixtures" / "real_capture.bin"

pytestmark = pytest.mark.usefixtures("loopback")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session as Home Assistant would."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Return a function that lets a handler answer at an address of its own."""
    servers: list[TestServer] = []

    async def start(handler: Handler) -> DeviceAddress:
        app = web.Application()
        app.router.add_get("/{tail:.*}", handler)
        server = TestServer(app, host="127.0.0.1")
        await server.start_server()
        servers.append(server)
        assert server.port is not None
        return DeviceAddress("127.0.0.1", server.port)

    yield start
    for server in servers:
        await server.close()


def saying(*messages: bytes, then_hang_up: bool = False) -> Handler:
    """Return a WebSocket server that says something and waits, or hangs up."""

    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for message in messages:
            await socket.send_frame(message, aiohttp.WSMsgType.TEXT)
        if not then_hang_up:
            await socket.receive()
        await socket.close()
        return socket

    return handle


def places(fleet: SimulatedFleet) -> list[DeviceAddress]:
    """Return the addresses of a fleet, absent nodes included."""
    return [DeviceAddress(node.host, fleet.port) for node in fleet.nodes]


async def ask(session: aiohttp.ClientSession, *asked: DeviceAddress) -> list[Probe]:
    """Scan with little patience."""
    return list((await scan(session, asked, limits=HASTY)).probes)


async def test_finds_the_whole_fleet_and_leaves_it_as_it_was(
    session: aiohttp.ClientSession,
) -> None:
    """63 nodes with a module each, one connection to each, all closed again."""
    progress: list[float] = []
    async with SimulatedFleet(port=0, first_address="127.0.1.2") as fleet:
        result = await scan(session, places(fleet), on_progress=progress.append)
        assert [probe.address for probe in result.probes] == places(fleet)
        assert [probe.modules for probe in result.found] == [
            (module,) for module in range(1, 64)
        ]
        assert fleet.meter.handshakes_total == 63
        assert fleet.clients == 0
    assert not result.missing
    assert result.probes[0].clients == 1
    assert result.probes[0].panel is not None
    assert progress == sorted(progress)
    assert len(progress) == 63
    assert progress[-1] == 1


async def test_asks_no_more_at_once_than_it_may(
    session: aiohttp.ClientSession,
) -> None:
    """A weak access point gets at most so many connects at a time."""
    async with SimulatedFleet(
        count=12, port=0, first_address="127.0.2.2", cycle_seconds=0.2
    ) as fleet:
        at_once = []

        def look(_: float) -> None:
            at_once.append(sum(node.slots_taken for node in fleet.nodes))

        result = await scan(
            session, places(fleet), on_progress=look, limits=ScanLimits(in_flight=4)
        )
    assert len(result.found) == 12
    assert max(at_once) <= 4


async def test_a_bridge_lists_all_and_tells_who_is_online(
    session: aiohttp.ClientSession,
) -> None:
    """Modules that do not answer their panel are listed, not online."""
    async with SimulatedFleet(
        Layout.BRIDGE, port=0, first_address="127.0.3.2"
    ) as fleet:
        fleet.module_offline(7)
        (probe,) = (await scan(session, places(fleet))).probes
    assert probe.listed == tuple(range(1, 64))
    assert probe.online == tuple(m for m in range(1, 64) if m != 7)


async def test_the_real_capture(session: aiohttp.ClientSession) -> None:
    """33 modules of the captured site are online, 63 are listed."""
    async with SimulatedFleet(
        replay=(CAPTURE.read_bytes(),), port=0, first_address="127.0.3.9"
    ) as fleet:
        (probe,) = (await scan(session, places(fleet))).probes
    assert len(probe.listed) == 63
    assert len(probe.online) == 33
    assert probe.clients == 5


async def test_every_way_not_to_answer(session: aiohttp.ClientSession) -> None:
    """Each fault is told apart, and none of them keeps the others from answering."""
    faults = {
        2: (Fault.REFUSE, ScanFault.REFUSED),
        3: (Fault.FULL_SLOTS, ScanFault.SLOTS_FULL),
        4: (Fault.SILENT, ScanFault.SILENT),
        5: (Fault.HALF_OPEN, ScanFault.TIMED_OUT),
        6: (Fault.SLOW_HANDSHAKE, ScanFault.TIMED_OUT),
    }
    async with SimulatedFleet(
        count=7, port=0, first_address="127.0.4.2", cycle_seconds=0.2
    ) as fleet:
        for number, (fault, _) in faults.items():
            fleet.node(number).fault(fault)
        result = await scan(session, places(fleet), limits=HASTY)
    assert [probe.modules for probe in result.found] == [(1,), (7,)]
    assert {probe.fault for probe in result.found} == {None}
    for number, (_, expected) in faults.items():
        assert result.probes[number - 1].fault is expected, number
    assert result.missing == {
        ScanFault.REFUSED: (places(fleet)[1],),
        ScanFault.TIMED_OUT: (places(fleet)[4], places(fleet)[5]),
        ScanFault.SLOTS_FULL: (places(fleet)[2],),
        ScanFault.SILENT: (places(fleet)[3],),
    }


async def test_a_reset_is_somebody_who_refuses(session: aiohttp.ClientSession) -> None:
    """Not an absent device, and nothing that could stop the scan."""
    async with SimulatedFleet(count=1, port=0, first_address="127.0.4.9") as fleet:
        fleet.node(1).fault(Fault.RESET)
        (probe,) = await ask(session, *places(fleet))
    assert probe.fault in {ScanFault.SLOTS_FULL, ScanFault.HANDSHAKE_REFUSED}


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (saying(b'{"hello": "world"}'), ScanFault.NOT_OUR_DATA),
        (saying(b"{}"), ScanFault.NOT_OUR_DATA),
        (saying(b"x" * 70_000), ScanFault.NOT_OUR_DATA),
        (saying(b'{"data":"41DF <STX><ETX>"}'), ScanFault.NO_MODULES),
        (saying(then_hang_up=True), ScanFault.CLOSED_BY_NODE),
        (saying(b"{}", then_hang_up=True), ScanFault.NOT_OUR_DATA),
        (saying(), ScanFault.SILENT),
    ],
)
async def test_servers_that_are_no_panel(
    session: aiohttp.ClientSession, serve: Serve, handler: Handler, expected: ScanFault
) -> None:
    """What speaks WebSocket and is no node of ours."""
    (probe,) = await ask(session, await serve(handler))
    assert probe.fault is expected
    assert not probe.is_found


@pytest.mark.parametrize(
    ("status", "expected"),
    [(404, ScanFault.HANDSHAKE_REFUSED), (503, ScanFault.SLOTS_FULL)],
)
async def test_web_servers(
    session: aiohttp.ClientSession, serve: Serve, status: int, expected: ScanFault
) -> None:
    """What speaks HTTP only, and what has no room."""

    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    (probe,) = await ask(session, await serve(handle))
    assert probe.fault is expected


async def test_a_damaged_frame_is_followed_by_another_look(
    session: aiohttp.ClientSession, serve: Serve
) -> None:
    """What the first frame lost, the second may have."""
    damaged = b'{"data":"41DF <STX>010000 <STX>0?0000 <STX>03 <STX><ETX>"}'
    better = b'{"data":"41DF <STX>010000 <STX>020000 <STX>03 <STX><ETX>"}'
    (probe,) = await ask(session, await serve(saying(b"{}", damaged, better)))
    assert probe.listed == (1, 2, 3)
    assert probe.online == (1, 2)


async def test_an_always_damaged_frame_is_better_than_none(
    session: aiohttp.ClientSession, serve: Serve
) -> None:
    """When the time is up, what was readable counts."""
    damaged = b'{"data":"41DF <STX>010000 <STX>0?0000 <STX><ETX>"}'
    (probe,) = await ask(session, await serve(saying(damaged)))
    assert probe.is_found
    assert probe.modules == (1,)


async def test_pings_of_the_server_are_no_farewell(
    session: aiohttp.ClientSession, serve: Serve
) -> None:
    """The usual firmware pings right after the handshake."""

    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.ping()
        await socket.send_frame(NODE_1, aiohttp.WSMsgType.TEXT)
        await socket.receive()
        return socket

    (probe,) = await ask(session, await serve(handle))
    assert probe.modules == (1,)


async def test_nobody_is_sent_elsewhere(
    session: aiohttp.ClientSession, serve: Serve
) -> None:
    """A redirect is not followed: only asked addresses are contacted."""
    visitors: list[str] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        visitors.append(request.path)
        return web.Response()

    target = await serve(elsewhere)

    async def redirect(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(f"http://{target}/moved")

    (probe,) = await ask(session, await serve(redirect))
    assert probe.fault is ScanFault.HANDSHAKE_REFUSED
    assert not visitors


async def test_no_proxy_and_no_cookie(
    session: aiohttp.ClientSession, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the environment nor the session's memory gets between."""
    for name in ("http_proxy", "HTTP_PROXY", "ws_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    cookies: list[str] = []
    greet = saying(NODE_1)

    async def handle(request: web.Request) -> web.StreamResponse:
        cookies.extend(request.cookies)
        return await greet(request)

    session.cookie_jar.update_cookies({"secret": "x"})
    (probe,) = await ask(session, await serve(handle))
    assert probe.modules == (1,)
    assert not cookies


class _Names(AbstractResolver):
    """Knows one name."""

    async def resolve(
        self, host: str, port: int = 0, family: int = 0
    ) -> list[ResolveResult]:
        """Return loopback for it."""
        if host != "node.local":
            raise OSError("unknown")
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=2,
                proto=0,
                flags=0,
            )
        ]

    async def close(self) -> None:
        """Have nothing to close."""


async def test_host_names(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may lead anywhere; what is not local is left at once."""
    port = (await serve(saying(NODE_1))).port
    connector = aiohttp.TCPConnector(resolver=_Names(), use_dns_cache=False)
    async with aiohttp.ClientSession(connector=connector) as session:
        known = DeviceAddress("node.local", port)
        probes = await ask(session, known, DeviceAddress("nobody.local", port))
        assert probes[0].modules == (1,)
        assert probes[1].fault is ScanFault.NAME_NOT_FOUND
        # As if loopback were a public network.
        monkeypatch.setattr(addresses, "LOCAL_NETWORKS", addresses.LOCAL_NETWORKS[:4])
        (probe,) = await ask(session, known)
        assert probe.fault is ScanFault.PUBLIC


async def test_a_cancelled_scan_hangs_up(session: aiohttp.ClientSession) -> None:
    """Closing the setup dialogue in the middle gives every slot back."""
    async with SimulatedFleet(count=3, port=0, first_address="127.0.5.2") as fleet:
        for node in fleet.nodes:
            node.fault(Fault.SILENT)
        task = asyncio.create_task(scan(session, places(fleet)))
        async with asyncio.timeout(2):
            while fleet.clients < 3:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            while fleet.clients:
                await asyncio.sleep(0.01)


async def test_nothing_to_ask(session: aiohttp.ClientSession) -> None:
    """An empty list has an empty answer."""
    assert await scan(session, ()) == ScanResult(())
