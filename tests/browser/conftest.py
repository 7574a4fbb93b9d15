"""What tests in a browser share: one site, one browser, one page of a wall tablet."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from playwright.async_api import ConsoleMessage, Page, TimeoutError, expect
import pytest
import pytest_asyncio
import pytest_socket

from script.browser import TABLET, logged_in, open_wall
from script.hass_process import DOMAIN
from script.wall_stage import Stage, stage

HOLD_SECONDS = 3
"""So short that a test can see the end of it."""

ZONES = range(1, 316)

PATIENCE_MS = 10_000
"""How long to wait for what should come at once: machines may be busy."""

expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of the one site in one process, if there are several."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and "site" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("wall"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Run the site for all tests: to start it takes longer than all of them."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8"], allow_unix_socket=True)
    pytest_socket.enable_socket()
    async with stage(tmp_path_factory.mktemp("wall")) as running:
        await change_options(running, hold_seconds=HOLD_SECONDS)
        yield running


class Console:
    """What a page complained about."""

    def __init__(self, page: Page) -> None:
        """Listen."""
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        """Keep an error."""
        if message.type == "error":
            self.complaints.append(message.text)

    def take(self) -> list[str]:
        """Return the complaints since the last call."""
        complaints, self.complaints = self.complaints, []
        return complaints


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tablet(site: Stage) -> AsyncIterator[Page]:
    """Show the wall on a tablet, as an administrator."""
    async with logged_in(site.browser, site.server, TABLET) as page:
        await open_wall(page, site.server)
        yield page


@pytest_asyncio.fixture(loop_scope="session")
async def wall(site: Stage, tablet: Page, loopback: None) -> AsyncIterator[Page]:
    """Give a test the tablet with a wall on which all is well, before and after.

    And let it complain of nothing.
    """
    await put_in_order(site, tablet)
    console = Console(tablet)
    yield tablet
    await put_in_order(site, tablet)
    assert console.take() == []


async def put_in_order(site: Stage, page: Page) -> None:
    """Wait for a wall that is all clear, whatever a test before left unfinished."""
    await page.keyboard.press("Escape")
    await site.simulator.ask("clear", *ZONES)
    for node in range(1, 64):
        await site.simulator.ask("node", node=node, action="up")
    async with site.server.websocket() as api:
        for service in ("stop_walk_test", "enable_zone"):
            await api.call(
                "call_service",
                domain="esp32_fire_alarm",
                service=service,
                target={"entity_id": list(site.zones.values())},
            )
    await show_view(page, "wall")
    try:
        await page.locator('.cell[data-state="clear"]').nth(len(ZONES) - 1).wait_for()
    except TimeoutError:
        pytest.fail(f"the wall is not all clear: {await what_is_not_clear(page)}")


async def what_is_not_clear(page: Page) -> list[str]:
    """Return what the cells say of themselves that are not clear, or the banner."""
    cells = page.locator('.cell:not([data-state="clear"])')
    said = await cells.evaluate_all("(all) => all.map((cell) => cell.ariaLabel)")
    shown = await page.locator(".cell").count()
    return [
        f"{shown} cells",
        *said[:10],
        *await page.locator(".head").all_inner_texts(),
    ]


def cell(page: Page, zone: int) -> Any:
    """Return a zone's cell on the wall."""
    return page.locator(".cell").filter(has=page.locator(f'text="{zone}"'))


async def show_view(page: Page, view: str) -> None:
    """Choose a tab: wall, health or log."""
    await page.locator(f'[role="tab"][data-view="{view}"]').click()


async def change_options(running: Stage, **changes: object) -> None:
    """Change settings of the site in the form that the user has for it."""
    flows = "/api/config/config_entries/options/flow"
    request = running.server._request
    menu = await request("POST", flows, {"handler": running.entry_id})
    here = f"{flows}/{menu['flow_id']}"
    form = await request("POST", here, {"next_step_id": "settings"})
    done = await request("POST", here, answers(form["data_schema"], changes))
    assert done["type"] == "create_entry", done


async def until_set_up(running: Stage) -> None:
    """Wait until the site runs, which new options have set up anew."""
    async with running.server.websocket() as api, asyncio.timeout(30):
        while True:
            entries = await api.call("config_entries/get", domain=DOMAIN)
            if [entry["state"] for entry in entries] == ["loaded"]:
                return
            await asyncio.sleep(0.1)


def answers(fields: list[dict[str, Any]], changes: dict[str, object]) -> dict[str, Any]:
    """Return what a form proposes, with these changes."""
    return {
        field["name"]: answers(field["schema"], changes)
        if field.get("type") == "expandable"
        else changes.get(field["name"], field.get("default"))
        for field in fields
        if field.get("type") == "expandable"
        or field["name"] in changes
        or field.get("default") is not None
    }
