"""A headless Chromium that is logged in to a Home Assistant of ours.

For tests in a browser, screenshots and the benchmark of the wall.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from typing import Any, Final

from playwright.async_api import Browser, Page, async_playwright

from script.hass_process import REPOSITORY, HomeAssistantError, HomeAssistantProcess

FLAGS: Final = (
    "--no-sandbox",  # Chromium refuses to run as root with one
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
TOKEN_SECONDS: Final = 1800
TABLET: Final = (1280, 800)
PHONE: Final = (390, 844)
READY_SECONDS: Final = 30.0
"""Longest wait for Home Assistant's user interface to load."""


async def find_chromium() -> str:
    """Return the path of a Chromium; Debian's is installed if need be."""
    process = await asyncio.create_subprocess_exec(
        str(REPOSITORY / "script" / "chromium"), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    if process.returncode:
        raise HomeAssistantError("there is no Chromium, see above")
    return printed.decode().splitlines()[-1]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run a browser."""
    path = await find_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=list(FLAGS)
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def logged_in(
    browser: Browser,
    server: HomeAssistantProcess,
    size: tuple[int, int] = TABLET,
    *,
    language: str = "en",
    dark: bool = False,
    token: str | None = None,
    **options: Any,
) -> AsyncIterator[Page]:
    """Open a page of its own session, as the demo user or whose `token` it is.

    `options` are more of Playwright's for a browser context.
    """
    width, height = size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        timezone_id="Asia/Jakarta",
        **options,
    )
    tokens = {
        "access_token": token or server.token,
        "token_type": "Bearer",
        "refresh_token": "",
        "expires_in": TOKEN_SECONDS,
        "expires": 4102444800000,
        "hassUrl": server.url,
        "clientId": f"{server.url}/",
    }
    storage = {
        "hassTokens": json.dumps(tokens),
        "selectedLanguage": json.dumps(language),
        "dockedSidebar": json.dumps("auto"),
    }
    await context.add_init_script(
        f"for (const [key, value] of Object.entries({json.dumps(storage)}))"
        " localStorage.setItem(key, value);"
    )
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def open_wall(page: Page, server: HomeAssistantProcess, view: str = "") -> None:
    """Show the wall and wait until it is live; `view` is a path below it."""
    await page.goto(f"{server.url}/esp32-fire-alarm{view}")
    await page.locator('.age[data-live="true"]').wait_for(timeout=READY_SECONDS * 1000)
