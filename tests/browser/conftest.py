"""What tests in a browser share: one site, one browser, one page of a wall tablet."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from playwright.async_api import ConsoleMessage, Page, expect
import pytest
import pytest_asyncio
import pytest_socket

from script.browser import TABLET, logged_in, open_wall
from script.wall_stage import Stage, stage

HOLD_SECONDS = 3
"""So short that a test can see the end of it."""


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
    console = Console(tablet)
    yield tablet
    await tablet.keyboard.press("Escape")
    await site.simulator.ask("clear", *range(1, 316))
    await show_view(tablet, "wall")
    await tablet.locator('.cell[data-state="clear"]').nth(314).wait_for()
    assert console.take() == []


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
