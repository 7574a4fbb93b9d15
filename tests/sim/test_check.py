"""`python -m sim check` tells nodes that speak the protocol from those that do not."""

import asyncio
from typing import Any

from aiohttp import web
import pytest
from yarl import URL

from sim.check import check, lines, parse_url
from sim.clients import CLIENT_SLOTS
from sim.errors import SimError
from sim.faults import Fault
from sim.fleet import SimulatedFleet
from sim.layout import Layout
from sim.panel import Lamp, Switch

from .conftest import CAPTURE, Connect


def fleet_of(**options: Any) -> SimulatedFleet:
    """Return a small fleet that is quick enough for tests."""
    return SimulatedFleet(port=0, **({"cycle_seconds": 0.05, "count": 3} | options))


async def test_a_good_node() -> None:
    async with fleet_of(layout=Layout.BRIDGE) as fleet:
        fleet.module_offline(2)
        fleet.led(Lamp.DRILL, Switch.ON)
        report = await check(URL(fleet.urls[0]), 0.6)
    assert report.ok
    assert report.problems == report.hints == []
    facts = report.to_json()
    assert facts["modules"] == [1, 2, 3]
    assert facts["offline_modules"] == [2]
    assert facts["decoded"] == facts["messages"] > 5
    assert 0.03 < facts["cadence_seconds"] < 0.1
    assert facts["ping_seconds"] < 0.3
    assert facts["first_frame_seconds"] < 0.3
    assert {"ac", "dc", "drill", "trouble"} == set(facts["lamps"])
    assert (facts["clients"], facts["malformed_segments"]) == (1, 0)
    text = "\n".join(lines(report))
    assert "speaks the protocol" in text
    assert "modules      1-3 (3)" in text


async def test_the_real_capture() -> None:
    async with fleet_of(replay=(CAPTURE.read_bytes(),)) as fleet:
        report = await check(URL(fleet.urls[0]), 0.4)
    assert report.ok
    assert len(report.modules) == 63
    assert len(report.offline_modules) == 30
    assert any("client slots are taken" in hint for hint in report.hints)
    assert "1, 14-18, 22" in "\n".join(lines(report))


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (Fault.REFUSE, "connection refused"),
        (Fault.RESET, "dropped before the handshake"),
        (Fault.FULL_SLOTS, f"all {CLIENT_SLOTS} client slots"),
        (Fault.SILENT, "silent for 0.3 s"),
    ],
)
async def test_faulty_nodes(fault: Fault, problem: str) -> None:
    async with fleet_of() as fleet:
        fleet.node(1).fault(fault)
        report = await check(URL(fleet.urls[0]), 0.3)
    assert not report.ok
    assert problem in report.problems[0]
    assert "does NOT speak" in lines(report)[0]


async def test_a_node_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.check.CONNECT_SECONDS", 0.3)
    async with fleet_of() as fleet:
        fleet.node(1).fault(Fault.HALF_OPEN)
        report = await check(URL(fleet.urls[0]), 0.3)
    assert "no answer within 0.3 s" in report.problems[0]


@pytest.mark.parametrize("fault", [Fault.NO_PONG, Fault.WRONG_PONG])
async def test_an_unanswered_ping_is_a_hint_only(fault: Fault) -> None:
    async with fleet_of() as fleet:
        fleet.node(1).fault(fault)
        report = await check(URL(fleet.urls[0]), 0.3)
    assert report.ok
    assert "ping was not answered" in report.hints[0]


async def test_full_clients_and_a_reboot_are_hints(connect: Connect) -> None:
    async with fleet_of() as fleet:
        for _ in range(CLIENT_SLOTS - 1):
            await connect(fleet.urls[0])
        node = fleet.node(1)
        node.set_uptime(1_000_000)
        asyncio.get_running_loop().call_later(0.2, node.set_uptime, 0)
        report = await check(URL(fleet.urls[0]), 0.4)
    assert report.ok
    assert any("client slots are taken" in hint for hint in report.hints)
    assert any("uptime went backwards" in hint for hint in report.hints)


async def test_a_node_that_hangs_up_after_frames_is_fine_with_a_hint() -> None:
    async with fleet_of() as fleet:
        asyncio.get_running_loop().call_later(
            0.3, fleet.node(1).close_clients, 1001, "bye"
        )
        report = await check(URL(fleet.urls[0]), 1)
    assert report.ok
    assert any("close code 1001" in hint for hint in report.hints)


async def serve(handler: Any) -> tuple[web.AppRunner, URL]:
    """Start some other server; return it with its URL."""
    app = web.Application()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    return runner, URL(f"ws://{host}:{port}")


async def test_a_web_server_is_told_by_its_answer() -> None:
    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="hello")

    runner, url = await serve(page)
    report = await check(url, 0.3)
    await runner.cleanup()
    assert "HTTP 200 instead of 101" in report.problems[0]


async def test_another_websocket_is_told_by_its_messages() -> None:
    async def chat(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("good day")
        await socket.receive()
        return socket

    runner, url = await serve(chat)
    report = await check(url, 0.3)
    await runner.cleanup()
    assert not report.ok
    assert "none was panel data" in report.problems[0]
    assert report.refused.total() == 1


async def test_an_unknown_host_name() -> None:
    report = await check(URL("ws://no-such-host.invalid:81"), 0.3)
    assert not report.ok
    assert report.problems


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("ws://192.168.0.2", "ws://192.168.0.2:81"),
        ("192.168.0.2:8181", "ws://192.168.0.2:8181"),
        ("wss://panel:4443/", "wss://panel:4443/"),
    ],
)
def test_the_port_is_81_unless_given(text: str, url: str) -> None:
    assert str(parse_url(text)) == url


@pytest.mark.parametrize("text", ["", "http://1.2.3.4", "ws://", "ws://1:99999"])
def test_what_is_no_url_is_named(text: str) -> None:
    with pytest.raises(SimError, match="url .*must be like ws://"):
        parse_url(text)
