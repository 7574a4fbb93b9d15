"""A site set up, named, moved and removed as a person does it: in the browser.

Run through `script/screenshots`, it takes the README's pictures. The same walk
is a test, so that the pictures show what there is.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import sys
import tempfile
from typing import Any, Final, NamedTuple

from playwright.async_api import Locator, Page, expect

from script import demo_site
from script.browser import chromium, logged_in
from script.demo import SIMULATOR_PORT, wait_for_zones, zones_of
from script.hass_process import DOMAIN, REPOSITORY, HomeAssistantProcess
from script.simulator import Simulator, free_port

PICTURES: Final = REPOSITORY / "docs" / "images"
WINDOW: Final = (900, 1100)
"""Every page of the dialogue fits in without scrolling."""

SITE: Final = "Warehouse"
FIRST: Final = "127.0.0.2-127.0.0.64"
REVERSED: Final = "127.0.0.64-127.0.0.2"
MOVED: Final = "127.0.0.2-127.0.0.12, 127.0.1.13, 127.0.0.14-127.0.0.64"

ABSENT_NODE: Final = 7
"""It has no power: 127.0.0.8."""

MUTE_NODE: Final = 40
"""It accepts connections and says nothing, which a scan waits for: 127.0.0.41."""

MOVED_NODE: Final = 12
"""It gets a new address: 127.0.0.13, then 127.0.1.13."""

MOVED_ZONES: Final = range(56, 61)
"""What the node that moves watches over."""

PATIENCE_SECONDS: Final = 30.0
"""Longest wait for anything to show; a scan with a silent node takes about five."""


class Zone(NamedTuple):
    """What must not change about a zone when its node moves."""

    entity_id: str
    name: str | None


class Walk:
    """One person in front of one browser; every step checks what it sees.

    `pictures` is the folder for what the pages look like; none for a test.
    """

    def __init__(
        self,
        page: Page,
        server: HomeAssistantProcess,
        simulator: Simulator,
        pictures: Path | None,
    ) -> None:
        """Sit down."""
        self._page = page
        self._server = server
        self._simulator = simulator
        self._pictures = pictures
        # What is slotted into a dialog is no descendant of it, but of these.
        self._flow = page.locator("dialog-data-entry-flow")
        self._row = page.locator("ha-config-entry-row")
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        expect.set_options(timeout=PATIENCE_SECONDS * 1000)

    async def add_site(self) -> None:
        """Type a range the wrong way round, mend it, scan, and save the site."""
        await self._page.goto(f"{self._server.url}/config/integrations/dashboard")
        await self._page.get_by_role("button", name="Add integration").click()
        brands = self._page.locator("dialog-add-integration")
        await brands.get_by_placeholder("Search").fill("fire alarm")
        await brands.get_by_text("ESP32 Fire Alarm").click()
        await self._see("Fire alarm site", "Where do the ESP32s of this site listen?")
        await self._fill("Name", SITE)
        await self._fill("Addresses", REVERSED)
        await self._flow.get_by_role("spinbutton", name="Port").fill(
            str(self._simulator.port)
        )
        await self._press("Scan")
        await self._see("Fire alarm site", f"{REVERSED} runs backwards.")
        await self._picture("error")

        await self._fill("Addresses", FIRST)
        await self._picture("addresses")
        await self._press("Scan")
        await self._see("Looking for ESP32s", "Asking 63 addresses")
        await self._picture("scan")
        await self._see(
            "Scan result",
            "61 of 63 addresses answered. The site has 63 modules, which are 315 zones.",
            "Layout: distributed.",
            "127.0.0.2-127.0.0.64 → 1-63",
            "127.0.0.8: Nothing listens on this port.",
            "127.0.0.41: Accepted the connection, but sent nothing.",
        )
        await self._picture("result")
        await self._press("Continue")
        # Home Assistant asks for the names of 64 devices; a sheet does that better.
        await self._see("Name and assign")
        await self._press("Skip and finish")
        await expect(self._page.get_by_role("dialog")).to_have_count(0)

    async def look_at_site(self) -> None:
        """Find the site on the integration's page, with all of its devices."""
        await self._page.goto(
            f"{self._server.url}/config/integrations/integration/{DOMAIN}"
        )
        await expect(self._row).to_have_count(1)
        await expect(self._row).to_contain_text(SITE)
        await expect(self._page.get_by_role("link", name="64 devices")).to_be_visible()
        await self._picture("site", self._page.locator("hass-subpage"))

    async def name_zones(self) -> None:
        """Upload a sheet, look at what would change, and apply it."""
        await self._configure("Zone names and areas")
        await self._see("Zone names and areas", "One line for each zone")
        await self._picture("sheet")
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            file.write(demo_site.sheet().encode())
            file.flush()
            await self._flow.locator("input[type=file]").set_input_files(file.name)
            await self._press("Check")
            await self._see(
                "What would change",
                "Names: 315",
                "17: default name → A2 corridor east",
            )
        await self._picture("preview")
        await self._press("Continue")
        await self._see("315 zones were changed.")
        await self._press("Close")

    async def change_options(self) -> None:
        """Let zones of a lost node be held for a shorter time."""
        await self._configure("Settings")
        await self._see("Settings", "a lost ESP32 is reported after 61 seconds")
        await self._picture("settings")
        hold = self._flow.locator("ha-selector-number").filter(has_text="Hold time")
        await hold.get_by_role("spinbutton").fill("30")
        await self._press("Submit")
        await self._see("Options successfully saved.")
        await self._press("Finish")
        await self._configure("Settings")
        await self._see("a lost ESP32 is reported after 46 seconds")
        await self._flow.get_by_role("button", name="Close").click()

    async def move_node(self) -> None:
        """Reconfigure the site for a node that got a new address."""
        await self._choose("Reconfigure")
        await self._see("Change the site", "Entities, names and history")
        await self._fill("Addresses", MOVED)
        await self._picture("reconfigure")
        await self._press("Scan")
        await self._see(
            "Scan result",
            "61 of 63 addresses answered.",
            "Moved: 127.0.0.13 (module 12), now 127.0.1.13 (module 12)",
        )
        await self._picture("moved")
        await self._press("Continue")
        await self._see("Reconfiguration was successful")
        await self._press("Close")

    async def download_diagnostics(self) -> dict[str, Any]:
        """Save the file that a maintainer asks for, and return what is in it."""
        async with self._page.expect_download() as download:
            await self._choose("Download diagnostics")
        file = await download.value
        text = Path(await file.path()).read_text("utf-8")
        assert DOMAIN in file.suggested_filename, file.suggested_filename
        assert file.suggested_filename.endswith(".json")
        found: dict[str, Any] = json.loads(text)["data"]
        return found

    async def remove_site(self) -> None:
        """Delete the site; nothing of it stays."""
        await self._choose("Delete")
        sure = self._page.locator("dialog-box")
        await expect(sure).to_contain_text(f"Delete {SITE}?")
        await self._picture("remove")
        await sure.get_by_role("button", name="Delete").click()
        await expect(self._row).to_have_count(0)

    # What the steps are made of.

    async def _configure(self, item: str) -> None:
        """Open the site's options and choose an item of their menu."""
        await self._row.get_by_role("button", name="Configure").click()
        await self._see("Options")
        await self._picture("options")
        await self._flow.get_by_text(item, exact=True).click()

    async def _choose(self, item: str) -> None:
        """Choose an item of the site's three-dot menu."""
        await self._row.get_by_role("button", name="Menu").first.click()
        await self._row.get_by_role("menuitem", name=item).click()

    async def _fill(self, label: str, text: str) -> None:
        """Fill in a text field of the dialogue."""
        await self._flow.get_by_role("textbox", name=label).first.fill(text)

    async def _press(self, button: str) -> None:
        """Press a button below the dialogue."""
        below = self._flow.locator("ha-dialog-footer")
        await below.get_by_role("button", name=button).click()

    async def _see(self, *texts: str) -> None:
        """Wait until the dialogue shows all of these."""
        for text in texts:
            await expect(self._flow).to_contain_text(text)

    async def _picture(self, name: str, what: Locator | None = None) -> None:
        """Keep what the dialogue, or another part of the page, looks like."""
        if self._pictures is not None:
            await (what or self._page.get_by_role("dialog")).screenshot(
                path=self._pictures / f"setup_{name}.png", animations="disabled"
            )


@asynccontextmanager
async def _moved_node(port: int) -> AsyncIterator[None]:
    """Run the node that moved where it is now, on the same port as all others."""
    others = ",".join(str(node) for node in range(1, MOVED_NODE))
    arguments = ("--nodes", str(MOVED_NODE), "--first-address", "127.0.1.2")
    async with Simulator(port).running(*arguments, "--absent", others):
        yield


async def _zones_to_keep(server: HomeAssistantProcess) -> dict[int, Zone]:
    """Wait for all zones that can be there; return what a move must not change."""
    # A connection for each look: Home Assistant closes one on which nobody reads.
    async with server.websocket() as api:
        entity_ids = await zones_of(api)
        assert list(entity_ids) == list(range(1, 316))
        there = {
            zone: entity_id
            for zone, entity_id in entity_ids.items()
            if (zone - 1) // 5 + 1 not in (ABSENT_NODE, MUTE_NODE)
        }
        assert await wait_for_zones(api, there) == len(there) == 305
        entities = {
            entity["entity_id"]: entity
            for entity in await api.call("config/entity_registry/list")
        }
    return {
        zone: Zone(entity_ids[zone], entities[entity_ids[zone]]["name"])
        for zone in MOVED_ZONES
    }


def _connects(diagnostics: dict[str, Any]) -> dict[int, int]:
    """Return how often each node was connected that is well and did not move."""
    return {
        node["node"]: node["counters"]["connects"]
        for node in diagnostics["nodes"]
        if node["node"] not in (ABSENT_NODE, MUTE_NODE, MOVED_NODE)
    }


async def walk(folder: Path, port: int, pictures: Path | None = None) -> None:
    """Go all the way, from the first page to the last.

    Home Assistant keeps its configuration in `folder`; the simulated nodes
    listen on `port` (1-65535).
    """
    simulator = Simulator(port)
    async with (
        simulator.running("--absent", str(ABSENT_NODE)),
        HomeAssistantProcess(folder, port=free_port()) as server,
        chromium() as browser,
    ):
        await simulator.command("node", str(MUTE_NODE), "fault", "silent")
        await server.onboard()
        async with logged_in(browser, server, WINDOW) as page:
            person = Walk(page, server, simulator, pictures)
            await person.add_site()
            await person.look_at_site()
            await person.name_zones()
            await person.change_options()
            kept = await _zones_to_keep(server)
            assert kept[56].name == "A4 server room"
            before = await person.download_diagnostics()

            await simulator.command("node", str(MOVED_NODE), "down")
            async with _moved_node(port):
                await person.move_node()
                assert await _zones_to_keep(server) == kept
                assert _connects(await person.download_diagnostics()) == _connects(
                    before
                )
                await person.remove_site()
        async with server.websocket() as api:
            assert not await zones_of(api)
    log = (folder / "home-assistant.log").read_text("utf-8")
    assert " ERROR " not in log, log


def main() -> int:
    """Take the pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(walk(Path(folder), SIMULATOR_PORT, PICTURES))
    print(f"walk: pictures in {PICTURES.relative_to(REPOSITORY)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
