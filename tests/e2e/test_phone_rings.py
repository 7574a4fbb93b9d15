"""A new user's path, as the README has it: from the site to the phone that rings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
import pytest

from script.demo import answer_step, wait_for_zones, zones_of
from script.hass_process import (
    DOMAIN,
    REPOSITORY,
    HomeAssistantProcess,
    WebSocketApi,
)
from script.simulator import Simulator, free_port

pytestmark = [
    pytest.mark.usefixtures("loopback"),
    pytest.mark.slow,
    pytest.mark.timeout(180),
]

BLUEPRINTS = REPOSITORY / "blueprints/automation" / DOMAIN
SHEET = "zone,name,area\n17,Boiler room,Cellar\n"
PHONE = "notify.persistent_notification"
"""A notify action that every Home Assistant has; a phone's is called the same way."""

RING_SECONDS = 10.0
"""Longest wait for the notify action; how quick an alarm is, other tests say."""


@asynccontextmanager
async def blueprints_on_the_web() -> AsyncIterator[str]:
    """Serve this repository's blueprints, and yield the address of the folder."""
    app = web.Application()
    app.router.add_static("/", BLUEPRINTS)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def name_zones(server: HomeAssistantProcess, entry_id: str) -> None:
    """Paste the sheet into Configure, look at what would change, and apply it."""
    flows = "/api/config/config_entries/options/flow"
    page = await server._request("POST", flows, {"handler": entry_id})
    for step in (
        {"next_step_id": "zone_sheet"},
        {"sheet": SHEET},
        {"sheet_action": "apply"},
    ):
        page = await server._request("POST", f"{flows}/{page['flow_id']}", step)
    assert page["reason"] == "sheet_applied"


async def import_blueprint(api: WebSocketApi, url: str) -> str:
    """Import a blueprint by its address, and return where it was put."""
    found = await api.call("blueprint/import", url=url)
    assert found["validation_errors"] is None
    path = f"{found['suggested_filename']}.yaml"
    await api.call(
        "blueprint/save",
        domain="automation",
        path=path,
        yaml=found["raw_data"],
        source_url=url,
    )
    return path


async def next_ring(api: WebSocketApi) -> dict[str, Any]:
    """Return what the phone is told next."""
    while True:
        call = (await api.next_event())["data"]
        if f"{call['domain']}.{call['service']}" == PHONE:
            told: dict[str, Any] = call["service_data"]
            return told


async def test_from_the_site_to_the_phone(tmp_path: Path) -> None:
    """Add the site, name its zones, import the blueprint, and zone 17 goes off."""
    simulator = Simulator()
    async with (
        simulator.running("--nodes", "4"),
        blueprints_on_the_web() as blueprints,
        HomeAssistantProcess(tmp_path, port=free_port()) as server,
    ):
        await server.onboard()
        entry_id = await server.add_site(
            {
                "name": "Works",
                "addresses": "127.0.0.2-127.0.0.5",
                "port": simulator.port,
            },
            answer_step,
        )
        await name_zones(server, entry_id)
        async with server.websocket() as api, server.websocket() as phone:
            assert await wait_for_zones(api, await zones_of(api)) == 20
            path = await import_blueprint(api, f"{blueprints}/notify_on_alarm.yaml")
            await server._request(
                "POST",
                "/api/config/automation/config/fire_alarm",
                {
                    "alias": "Fire alarm",
                    "use_blueprint": {"path": path, "input": {"contacts": [PHONE]}},
                },
            )
            await phone.call("subscribe_events", event_type="call_service")
            await simulator.command("alarm", "17")
            told = await asyncio.wait_for(next_ring(phone), RING_SECONDS)
            assert told["title"] == "FIRE ALARM"
            assert told["message"] == "Boiler room, Cellar (Works), alarm no. 1"
            (button,) = told["data"]["actions"]
            assert button["title"] == "Acknowledge"
            assert [
                note["message"]
                for note in await api.call("persistent_notification/get")
            ] == [told["message"]]
            # As the app does when somebody presses the button. Nothing else rang
            # meanwhile, and everybody is told who it was.
            await api.call(
                "fire_event",
                event_type="mobile_app_notification_action",
                event_data={"action": button["action"]},
            )
            told = await asyncio.wait_for(next_ring(phone), RING_SECONDS)
            assert told["message"] == "Acknowledged by Demo (Works)."
