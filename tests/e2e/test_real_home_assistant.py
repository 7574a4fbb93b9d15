"""The main job: a simulated fleet, a real `hass` process, and what a user gets."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from script.demo import answer_step, wait_for_zones, zones_of
from script.hass_process import (
    HomeAssistantError,
    HomeAssistantProcess,
    WebSocketApi,
)
from script.simulator import Simulator, free_port

pytestmark = [
    pytest.mark.usefixtures("loopback"),
    pytest.mark.slow,
    pytest.mark.timeout(180),
]

CAPTURE = Path(__file__).parents[1] / "fixtures" / "real_capture.bin"
PROMISE_SECONDS = 1.0
"""From the command that raises the alarm to the state in Home Assistant."""


@asynccontextmanager
async def site(
    folder: Path, simulator: Simulator, addresses: str
) -> AsyncIterator[tuple[HomeAssistantProcess, WebSocketApi, dict[int, str]]]:
    """Run Home Assistant with the site set up through its config flow."""
    async with HomeAssistantProcess(folder, port=free_port()) as server:
        await server.onboard()
        await server.add_site(
            {"name": "Works", "addresses": addresses, "port": simulator.port},
            answer_step,
        )
        async with server.websocket() as api:
            yield server, api, await zones_of(api)


async def states_of(api: WebSocketApi, zones: dict[int, str]) -> dict[int, Any]:
    """Return the state object of every zone."""
    states = {state["entity_id"]: state for state in await api.call("get_states")}
    return {zone: states[entity_id] for zone, entity_id in zones.items()}


async def next_zone_change(
    api: WebSocketApi, zones: dict[int, str]
) -> tuple[int, str, str]:
    """Return zone, old and new state of the next change of any zone."""
    numbers = {entity_id: zone for zone, entity_id in zones.items()}
    while True:
        data = (await api.next_event())["data"]
        if (zone := numbers.get(data["entity_id"])) is not None:
            return zone, data["old_state"]["state"], data["new_state"]["state"]


async def test_zone_17_and_nothing_else(tmp_path: Path) -> None:
    """315 zones; `sim alarm 17` turns exactly zone 17 on, and clear turns it off."""
    simulator = Simulator()
    async with (
        simulator.running(),
        site(tmp_path, simulator, "127.0.0.2-127.0.0.64") as (_, api, zones),
    ):
        assert list(zones) == list(range(1, 316))
        assert await wait_for_zones(api, zones) == 315
        await api.call("subscribe_events", event_type="state_changed")
        await simulator.command("alarm", "17")
        change = await asyncio.wait_for(next_zone_change(api, zones), PROMISE_SECONDS)
        assert change == (17, "off", "on")
        states = await states_of(api, zones)
        assert [z for z, state in states.items() if state["state"] != "off"] == [17]
        await simulator.command("clear", "17")
        change = await asyncio.wait_for(next_zone_change(api, zones), PROMISE_SECONDS)
        assert change == (17, "on", "off")


async def test_the_real_capture_goes_all_the_way(tmp_path: Path) -> None:
    """One node replays the captured frame: 165 zones known, 75 of them in trouble."""
    simulator = Simulator()
    async with (
        simulator.running("--replay", str(CAPTURE)),
        site(tmp_path, simulator, "127.0.0.2") as (_, api, zones),
    ):
        known = {zone: entity for zone, entity in zones.items() if zone in range(6, 46)}
        await wait_for_zones(api, known)
        states = await states_of(api, zones)
        assert Counter(state["state"] for state in states.values()) == {
            "off": 165,
            "unavailable": 150,
        }
        troubles = [
            zone
            for zone, state in states.items()
            if state["attributes"].get("trouble") and state["state"] != "unavailable"
        ]
        assert len(troubles) == 75


async def test_one_of_63_absent_at_setup(tmp_path: Path) -> None:
    """310 zones work; the five of the absent node are there, and unavailable."""
    simulator = Simulator()
    async with (
        simulator.running("--absent", "7"),
        site(tmp_path, simulator, "127.0.0.2-127.0.0.64") as (server, api, zones),
    ):
        assert len(zones) == 315
        there = {zone: e for zone, e in zones.items() if zone not in range(31, 36)}
        assert await wait_for_zones(api, there) == 310
        states = await states_of(api, zones)
        absent = [z for z, state in states.items() if state["state"] == "unavailable"]
        assert absent == list(range(31, 36))
        # A restart of Home Assistant changes nothing of that.
        await server.stop()
        await server.start()
        await server.log_in()
        async with server.websocket() as again:
            assert await wait_for_zones(again, there) == 310


async def test_a_bad_address_is_named(tmp_path: Path) -> None:
    """The config flow says which piece of the input is wrong."""
    async with HomeAssistantProcess(tmp_path, port=free_port()) as server:
        await server.onboard()
        with pytest.raises(HomeAssistantError, match="addresses"):
            await server.add_site(
                {"name": "Works", "addresses": "127.0.0.9-127.0.0.2", "port": 81},
                answer_step,
            )
