"""Makes the pictures of the wall in docs/images: `python -m script.wall_screenshots`.

A real Home Assistant with the simulated fleet, in a state that has something of
everything: alarms, trouble, a lost node, a walk test and a disabled zone.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
import sys
import tempfile
from typing import Final

from playwright.async_api import Page

from script.browser import PHONE, TABLET, logged_in, open_wall
from script.hass_process import DOMAIN, REPOSITORY, HomeAssistantError
from script.wall_stage import Stage, stage

FOLDER: Final = REPOSITORY / "docs" / "images"
MAX_BYTES: Final = 150_000
ALARMS: Final = (126, 127, 140)
TROUBLES: Final = (33, 201)
LOST_NODE: Final = 50
DISABLED_ZONE: Final = 75
TESTED_ZONES: Final = range(91, 96)
PLOT_SECONDS: Final = 20.0
"""How long to let the plots grow."""


async def as_it_is(page: Page) -> None:
    """Show the page as it opens."""


async def by_area(page: Page) -> None:
    """Arrange the wall by area."""
    await page.get_by_role("button", name="By area").click()


async def first_alarm(page: Page) -> None:
    """Open the dialog of the first zone in alarm."""
    await page.locator(".cell[data-first]").click()
    await page.locator("dialog.zone .latest li").first.wait_for()


async def plots(page: Page) -> None:
    """Wait until the plots show something."""
    await asyncio.sleep(PLOT_SECONDS)


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: of which page, on which screen, and what is done before."""

    name: str
    size: tuple[int, int]
    view: str = "wall"
    dark: bool = False
    language: str = "en"
    prepare: Callable[[Page], Awaitable[None]] = as_it_is


CALM: Final = (Picture("tablet_normal", TABLET),)
ALARMED: Final = (
    Picture("tablet_alarm", TABLET),
    Picture("tablet_alarm_dark", TABLET, dark=True),
    Picture("tablet_areas", TABLET, prepare=by_area),
    Picture("tablet_zone", TABLET, prepare=first_alarm),
    Picture("tablet_health", TABLET, view="health", prepare=plots),
    Picture("tablet_log", TABLET, view="log"),
    Picture("phone_alarm", PHONE),
    Picture("phone_alarm_dark", PHONE, dark=True, language="id"),
)


async def take(running: Stage, picture: Picture) -> None:
    """Take a picture and keep it.

    Raises:
        HomeAssistantError: the file is larger than a repository should carry.

    """
    async with logged_in(
        running.browser,
        running.server,
        picture.size,
        language=picture.language,
        dark=picture.dark,
    ) as page:
        view = f"/{running.entry_id}/{picture.view}"
        await open_wall(page, running.server, view)
        await picture.prepare(page)
        await asyncio.sleep(0.5)
        path = FOLDER / f"wall_{picture.name}.png"
        await page.screenshot(path=path)
    size = path.stat().st_size
    print(f"{path.relative_to(REPOSITORY)}: {size // 1024} KiB")
    if size > MAX_BYTES:
        raise HomeAssistantError(f"{path.name} has more than {MAX_BYTES} bytes")


async def disturb(running: Stage) -> None:
    """Let there be something of everything, the alarms in this order."""
    ask = running.simulator.ask
    for zone in ALARMS:
        await ask("alarm", zone)
        await asyncio.sleep(1.5)
    await ask("trouble", *TROUBLES)
    async with running.server.websocket() as api:
        await api.call(
            "call_service",
            domain=DOMAIN,
            service="disable_zone",
            service_data={"reason": "Ceiling works", "duration": {"hours": 4}},
            target={"entity_id": running.zones[DISABLED_ZONE]},
        )
        await api.call(
            "call_service",
            domain=DOMAIN,
            service="start_walk_test",
            service_data={"duration": {"hours": 1}},
            target={"entity_id": [running.zones[zone] for zone in TESTED_ZONES]},
        )
    await ask("node", node=LOST_NODE, action="down")


async def run() -> None:
    """Set up and take all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with stage(Path(folder)) as running:
            for picture in CALM:
                await take(running, picture)
            await disturb(running)
            for picture in ALARMED:
                await take(running, picture)


def main() -> int:
    """Run, and say what went wrong."""
    try:
        asyncio.run(run())
    except HomeAssistantError as err:
        print(f"wall_screenshots: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
