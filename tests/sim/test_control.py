"""The control socket and the words it answers with."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
import json
from typing import Any

import pytest

from sim.control import ControlServer, call
from sim.errors import SimError
from sim.fleet import SimulatedFleet
from sim.panel import Lamp
from sim.status import FleetSnapshot

from .conftest import PATIENCE_SECONDS


@pytest.fixture
async def fleet() -> AsyncIterator[SimulatedFleet]:
    async with SimulatedFleet(count=4, port=0, absent={3}) as fleet:
        yield fleet


@pytest.fixture
async def stopped() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def control(
    fleet: SimulatedFleet, stopped: asyncio.Event
) -> AsyncIterator[ControlServer]:
    server = ControlServer(fleet, ("127.0.0.1", 0), stopped.set)
    await server.start()
    yield server
    await server.stop()


def ask(control: ControlServer, **request: Any) -> dict[str, Any]:
    """Return the answer to a request."""
    return control.answer(json.dumps(request).encode())


async def test_one_client_may_ask_many_things(
    control: ControlServer, fleet: SimulatedFleet, stopped: asyncio.Event
) -> None:
    reader, writer = await asyncio.open_connection(control.host, control.port)
    writer.write(b'{"do":"alarm","zones":[17]}\n{"do":"stop"}\n')
    assert json.loads(await reader.readline()) == {
        "say": "zone 17 in alarm on module 4, node 4 (127.0.0.5)"
    }
    assert json.loads(await reader.readline()) == {"say": "the fleet ends"}
    assert stopped.is_set()
    assert fleet.site.zones(lambda module: module.alarm) == [17]
    writer.close()


async def test_the_client_function(control: ControlServer) -> None:
    address = (control.host, control.port)
    answer = await asyncio.to_thread(call, address, {"do": "reset"})
    assert answer == {"say": "every panel is reset"}
    await control.stop()
    with pytest.raises(ConnectionError, match=f"control .*{control.port}: no simul"):
        await asyncio.to_thread(call, address, {"do": "reset"})


async def test_a_line_without_end_is_hung_up_on(control: ControlServer) -> None:
    reader, writer = await asyncio.open_connection(control.host, control.port)
    writer.write(b"x" * 200_000)
    async with asyncio.timeout(PATIENCE_SECONDS):
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
    writer.close()


async def test_the_status_survives_the_journey(
    control: ControlServer, fleet: SimulatedFleet
) -> None:
    fleet.alarm(1)
    answer = json.loads(json.dumps(ask(control, do="status")))
    snapshot = FleetSnapshot.from_json(answer["status"])
    assert [module.alarm for module in snapshot.modules] == [1, 0, 0, 0]
    assert [module.reported for module in snapshot.modules] == [True, True, False, True]
    assert snapshot.nodes[2].faults == ("absent",)
    assert "alarm" in snapshot.nodes[0].lamps


@pytest.mark.parametrize(
    ("request_", "say"),
    [
        ({"do": "alarm", "zones": [1, 6]}, "zones 1, 6 in alarm on 2 modules"),
        (
            {"do": "alarm", "zones": list(range(1, 21))},
            "zones 1, 2, 3, 4 ... 20 (20 in all) in alarm on 4 modules",
        ),
        (
            {"do": "alarm", "zones": [11]},
            (
                "zone 11 in alarm on module 3, node 3 (127.0.0.4); "
                "not reachable now, so nobody sees it"
            ),
        ),
        (
            {"do": "trouble", "zones": [1], "on": False},
            "zone 1 without trouble on module 1, node 1 (127.0.0.2)",
        ),
        ({"do": "clear", "zones": "all"}, "all zones normal"),
        (
            {"do": "clear", "zones": [1]},
            "zone 1 normal on module 1, node 1 (127.0.0.2)",
        ),
        (
            {"do": "bell", "module": 1, "state": "on"},
            "bell on: on module 1, node 1 (127.0.0.2)",
        ),
        (
            {"do": "bit5", "module": 1, "on": True},
            "trouble bit 5 on: on module 1, node 1 (127.0.0.2)",
        ),
        ({"do": "offline", "modules": [1, 2]}, "modules 1, 2 offline"),
        ({"do": "offline", "modules": [1], "on": False}, "module 1 online"),
        (
            {"do": "led", "name": "drill", "state": "on"},
            "lamp drill on on every node",
        ),
        (
            {"do": "led", "name": "ac", "state": "off", "node": 2},
            "lamp ac off on node 2",
        ),
        ({"do": "node", "node": 1, "action": "down"}, "node 1 (127.0.0.2) is down"),
        ({"do": "node", "node": 3, "action": "up"}, "node 3 (127.0.0.4) is up"),
        (
            {"do": "node", "node": 1, "action": "fault", "fault": "no_pong"},
            "node 1 (127.0.0.2), no_pong: old firmware: does not answer pings; until it is put up",
        ),
        (
            {
                "do": "node",
                "node": 1,
                "action": "fault",
                "fault": "flood",
                "value": 50,
                "seconds": 1.5,
            },
            "node 1 (127.0.0.2), flood: sends far too many frames; for 1.5 s",
        ),
        (
            {"do": "node", "node": 1, "action": "fault", "fault": "bad_utf8"},
            (
                "node 1 (127.0.0.2), bad_utf8: a raw byte in the text: "
                "a frame that is not UTF-8; once"
            ),
        ),
        (
            {"do": "power-cut", "seconds": 1},
            "power cut: all nodes are gone for 1 s, then boot",
        ),
        (
            {"do": "ap-flap", "seconds": 1},
            "access point away: all nodes are silent for 1 s",
        ),
        ({"do": "reset"}, "every panel is reset"),
    ],
)
async def test_what_it_says(
    control: ControlServer, request_: dict[str, Any], say: str
) -> None:
    assert ask(control, **request_) == {"say": say}


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({}, "do None: must be one of alarm, trouble"),
        ({"do": ["alarm"]}, "do ['alarm']: must be one of"),
        ({"do": "alarm"}, "zones: must be a list of whole numbers"),
        ({"do": "alarm", "zones": []}, "zones: none given"),
        ({"do": "alarm", "zones": [True]}, "zones: must be a list"),
        ({"do": "alarm", "zones": [316]}, "zone 316: must be 1-315"),
        ({"do": "alarm", "zones": [21]}, "module 5: this fleet has modules 1-4"),
        ({"do": "bell", "module": "x"}, "module x: must be a whole number"),
        ({"do": "bell", "module": 1, "state": "x"}, "state x: must be one of auto"),
        ({"do": "led", "name": None}, "name none given: must be one of ac, dc"),
        ({"do": "node", "node": 5, "action": "up"}, "node 5: the nodes are 1-4"),
        ({"do": "node", "node": 1, "action": "x"}, "action x: must be one of"),
        ({"do": "node", "node": 1, "action": "fault"}, "fault none given: must be"),
        (
            {"do": "node", "node": 3, "action": "fault", "fault": "silent"},
            "node 3: absent; put it up first",
        ),
        ({"do": "power-cut"}, "seconds: none given"),
        ({"do": "power-cut", "seconds": "x"}, "seconds x: must be a number"),
        ({"do": "ap-flap", "seconds": 0}, "for 0 s: must be more than 0"),
    ],
)
async def test_what_it_refuses(
    control: ControlServer, request_: dict[str, Any], error: str
) -> None:
    assert ask(control, **request_)["error"].startswith(error)


@pytest.mark.parametrize(
    "line", [b"nonsense\n", b"[1]\n", b"\xff\n", b"[" * 60_000, b"\n"]
)
async def test_rubbish_is_answered(control: ControlServer, line: bytes) -> None:
    assert control.answer(line)["error"].startswith("the request is no JSON")


async def test_a_lamp_reaches_its_panel(
    control: ControlServer, fleet: SimulatedFleet
) -> None:
    ask(control, do="led", name="drill", state="on", node=2)
    assert [Lamp.DRILL in node.panel.lit() for node in fleet.nodes] == [
        False,
        True,
        False,
        False,
    ]


def test_it_listens_on_this_machine_only(fleet: SimulatedFleet) -> None:
    with pytest.raises(SimError, match="control 10.0.0.1: must be a loopback"):
        ControlServer(fleet, ("10.0.0.1", 8180), lambda: None)


async def test_a_taken_control_port_is_named(
    control: ControlServer, fleet: SimulatedFleet
) -> None:
    other = ControlServer(fleet, (control.host, control.port), lambda: None)
    with pytest.raises(SimError, match="control port .*--control"):
        await other.start()
    await other.stop()
