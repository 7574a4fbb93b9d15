"""A screen on a wall that nobody touches: what it does when its server is in trouble."""

from collections.abc import Callable
import json
import signal
from typing import Any

from playwright.async_api import Page, WebSocketRoute, expect
import pytest

from script.browser import PHONE, READY_SECONDS, logged_in, open_wall
from script.hass_process import WebSocketApi
from script.wall_stage import Stage

from .conftest import HOLD_SECONDS, cell, change_options, show_view, until_set_up

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="session"),
]

STALE_MS = 12000
"""Longest wait for a wall to notice that it hears nothing; it takes 6.5 s."""


async def test_silence_is_not_shown_as_live(site: Stage, wall: Page) -> None:
    """A server that hangs: the wall says since when it knows nothing, and comes back."""
    process = site.server._process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    try:
        banner = wall.locator(".stale")
        await expect(banner).to_contain_text("Not live", timeout=STALE_MS)
        await expect(banner).to_contain_text("Nothing was heard since")
        await expect(wall.locator(".age")).to_contain_text("Not live")
        await expect(wall.locator(".age")).to_have_attribute("data-live", "false")
    finally:
        process.send_signal(signal.SIGCONT)
    await expect(wall.locator(".age")).to_contain_text("Live", timeout=STALE_MS)
    await expect(wall.locator(".stale")).to_be_hidden()


async def test_a_browser_that_loses_its_connection(site: Stage, wall: Page) -> None:
    """It says so, and what happened meanwhile is shown without loading the page."""
    links = Links()
    async with logged_in(site.browser, site.server) as page:
        await page.route_web_socket("**/api/websocket", links.connect)
        await open_wall(page, site.server)
        await page.evaluate("window.isTheSamePage = true")
        await links.cut()
        await expect(page.locator(".stale")).to_contain_text(
            "The connection to Home Assistant is lost", timeout=STALE_MS
        )
        await site.simulator.ask("alarm", 44)
        links.is_cut = False
        await expect(page.locator(".age")).to_contain_text("Live", timeout=STALE_MS)
        await expect(cell(page, 44)).to_have_attribute("data-state", "alarm")
        assert await page.evaluate("window.isTheSamePage")


class Links:
    """The WebSockets of a page, which can be cut and kept from coming back."""

    def __init__(self) -> None:
        """Let them pass."""
        self.is_cut = False
        self._open: list[WebSocketRoute] = []

    async def connect(self, route: WebSocketRoute) -> None:
        """Pass a new one on, or close it."""
        if self.is_cut:
            await route.close()
            return
        route.connect_to_server()
        self._open.append(route)

    async def cut(self) -> None:
        """Close all of them."""
        self.is_cut = True
        for route in self._open:
            await route.close()


async def test_a_site_that_is_set_up_anew(site: Stage, wall: Page) -> None:
    """New options reload the site; an alarm of that time is there afterwards."""
    await change_options(site, hold_seconds=HOLD_SECONDS + 1)
    await site.simulator.ask("alarm", 21)
    await expect(wall.locator(".age")).to_contain_text("Live", timeout=STALE_MS)
    await expect(cell(wall, 21)).to_have_attribute("data-state", "alarm")
    await expect(wall.locator(".facts")).to_contain_text("315/315", timeout=30000)
    await change_options(site, hold_seconds=HOLD_SECONDS)
    # What the wall shows until then may be from before.
    await until_set_up(site)
    await expect(wall.locator(".facts")).to_contain_text("315/315", timeout=30000)


async def test_who_may_only_look(site: Stage, wall: Page) -> None:
    """A user with no right to control sees all of it and can do nothing."""
    await site.simulator.ask("alarm", 8)
    await expect(cell(wall, 8)).to_have_attribute("data-state", "alarm")
    async with site.server.websocket() as api:
        token = await visitor(site, api)
    async with logged_in(site.browser, site.server, PHONE, token=token) as page:
        await open_wall(page, site.server)
        await expect(page.locator("h1")).to_have_text("ALARM 1 zone")
        await expect(page.locator(".head .acts button:visible")).to_have_count(0)
        await cell(page, 8).click()
        acts = page.locator("dialog.zone .acts button")
        await expect(acts).to_have_text(["History"])


async def visitor(site: Stage, api: WebSocketApi) -> str:
    """Create a user who may only look, and return an access token of hers."""
    created = await api.call(
        "config/auth/create", name="Guest", group_ids=["system-read-only"]
    )
    await api.call(
        "config/auth_provider/homeassistant/create",
        user_id=created["user"]["id"],
        username="guest",
        password="guest",
    )
    server = site.server
    login = {
        "client_id": server.url,
        "handler": ["homeassistant", None],
        "redirect_uri": server.url,
    }
    flow = await server._request("POST", "/auth/login_flow", login)
    done = await server._request(
        "POST",
        f"/auth/login_flow/{flow['flow_id']}",
        {"client_id": server.url, "username": "guest", "password": "guest"},
    )
    ours = server.token
    await server._take_token(done["result"])
    token, server._token = server.token, ours
    return token


async def test_a_page_of_an_older_release(site: Stage, wall: Page) -> None:
    """It never shows what it may not understand: it loads itself anew, once."""
    async with logged_in(site.browser, site.server) as page:
        loads: list[str] = []
        page.on("load", lambda _: loads.append("load"))
        await page.route_web_socket("**/api/websocket", pretend_another_build)
        await page.goto(f"{site.server.url}/esp32-fire-alarm")
        message = page.get_by_text("The fire alarm integration was updated.")
        await message.wait_for(timeout=READY_SECONDS * 1000)
        await expect(message).to_be_visible()
        assert len(loads) == 2
        assert await page.locator(".cell").count() == 0


def pretend_another_build(route: WebSocketRoute) -> None:
    """Let the server seem to have other files of ours than the page."""
    server = route.connect_to_server()

    def alter(text: str | bytes) -> None:
        said = json.loads(text)
        for message in said if isinstance(said, list) else [said]:
            event = message.get("event")
            if isinstance(event, dict) and "build" in event:
                event["build"] = "another"
        route.send(json.dumps(said))

    forward: Callable[[Any], None] = server.send
    route.on_message(forward)
    server.on_message(alter)


async def test_home_assistant_restarts(
    site: Stage, tablet: Page, loopback: None
) -> None:
    """The wall says that it is cut off, and shows the truth as soon as it can.

    Home Assistant takes its page off the screen while it starts, for it does not
    know it yet, and leaves that blank.
    """
    age = tablet.locator(".age")
    await site.server.stop()
    await expect(tablet.locator(".stale")).to_contain_text(
        "The connection to Home Assistant is lost", timeout=STALE_MS
    )
    await site.simulator.ask("alarm", 33)
    await site.server.start()
    await site.server.log_in()
    await expect(age).to_contain_text("Live", timeout=READY_SECONDS * 1000)
    await expect(cell(tablet, 33)).to_have_attribute(
        "data-state", "alarm", timeout=READY_SECONDS * 1000
    )
    await show_view(tablet, "log")
    await expect(tablet.locator("tbody tr").first).to_contain_text("Alarm")
    await site.simulator.ask("clear", 33)
    await show_view(tablet, "wall")
