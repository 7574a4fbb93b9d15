"""The pages beside the wall: health and log; and its card, phone and languages."""

import csv
from io import StringIO
from pathlib import Path
import re

from playwright.async_api import Page, expect
import pytest

from script.browser import PHONE, READY_SECONDS, logged_in, open_wall
from script.demo_site import zones
from script.wall_stage import Stage

from .conftest import Console, cell, show_view

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="session"),
]

NAMES = {number: name for number, name, _ in zones()}
NASTY = '=<img src=x onerror="window.harmed=1"><b>"Kitchen"</b>'
INK = """(canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  return data.some((value) => value > 0);
}"""


async def test_the_health_of_the_nodes(site: Stage, wall: Page) -> None:
    await show_view(wall, "health")
    rows = wall.locator(".health tbody tr")
    await expect(rows).to_have_count(63)
    await expect(rows.first).to_contain_text("Healthy")
    await expect(rows.first).to_contain_text("All is well")
    head = wall.get_by_role("columnheader", name="Node")
    await head.get_by_role("button").click()
    await expect(head).to_have_attribute("aria-sort", "ascending")
    await expect(rows.nth(1)).to_contain_text("Node 2")
    await head.get_by_role("button").click()
    await expect(rows.first).to_contain_text("Node 63")
    plots = wall.locator(".plot")
    await expect(plots.nth(0).locator(".now")).to_have_text(
        re.compile(r"^[56]\d$"), timeout=10000
    )
    await expect(plots.nth(1).locator(".now")).to_contain_text("ms")
    for place in (0, 1):
        assert await plots.nth(place).locator("canvas").evaluate(INK)


async def test_the_log_filtered_and_exported(site: Stage, wall: Page) -> None:
    await site.simulator.ask("alarm", 60)
    await expect(cell(wall, 60)).to_have_attribute("data-state", "alarm")
    await site.simulator.ask("trouble", 61)
    await expect(cell(wall, 61)).to_have_attribute("data-state", "trouble")
    await show_view(wall, "log")
    rows = wall.locator(".log tbody tr")
    await expect(rows.nth(0)).to_contain_text("Trouble")
    await expect(rows.nth(1)).to_contain_text(NAMES[60])
    await wall.get_by_label("Kind").select_option(label="Alarms")
    await wall.get_by_label("Search").fill(NAMES[60])
    await expect(rows).to_have_count(1)
    # What comes in meanwhile is there at once.
    await site.simulator.ask("clear", 60)
    await expect(rows.first).not_to_contain_text("stands")
    async with wall.expect_download() as started:
        await wall.get_by_role("button", name="Export CSV").click()
    download = await started.value
    assert download.suggested_filename.startswith("Harbour-offices-")
    text = Path(await download.path()).read_text(encoding="utf-8-sig")
    head, only = csv.reader(StringIO(text))
    assert head[1:5] == ["Kind", "Zone", "Name", "Area"]
    assert only[1:5] == ["Alarm", "60", NAMES[60], "House A, floor 4"]
    await wall.get_by_label("Search").fill("")


async def test_names_are_never_markup(site: Stage, wall: Page) -> None:
    """What people call their zones and areas is shown letter by letter."""
    entity_id = site.zones[9]
    async with site.server.websocket() as api:
        area = await api.call("config/area_registry/create", name=NASTY)
        rename = {"entity_id": entity_id, "name": NASTY, "area_id": area["area_id"]}
        before = await api.call("config/entity_registry/get", entity_id=entity_id)
        await api.call("config/entity_registry/update", **rename)
        await site.simulator.ask("alarm", 9)
        chip = wall.locator(".alarms .alarm b")
        await expect(chip).to_have_text(f"1. {NASTY}")
        await expect(wall.locator(".detail")).to_contain_text(NASTY)
        await wall.get_by_role("button", name="By area").click()
        await expect(wall.get_by_text(NASTY, exact=True).first).to_be_visible()
        await wall.get_by_role("button", name="By node").click()
        await cell(wall, 9).click()
        dialog = wall.locator("dialog.zone")
        await expect(dialog.locator("h2")).to_have_text(NASTY)
        await wall.keyboard.press("Escape")
        await show_view(wall, "log")
        await expect(wall.locator(".log tbody tr").first).to_contain_text(NASTY)
        async with wall.expect_download() as started:
            await wall.get_by_role("button", name="Export CSV").click()
        path = await (await started.value).path()
        row = list(csv.reader(StringIO(path.read_text(encoding="utf-8-sig"))))[1]
        assert row[3] == f"'{NASTY}", "a spreadsheet must not take it for a formula"
        assert await wall.evaluate("window.harmed") is None
        assert await wall.locator("esp32-fire-alarm-board img").count() == 0
        undo = {key: before[key] for key in ("name", "area_id")}
        await api.call("config/entity_registry/update", entity_id=entity_id, **undo)
        await api.call("config/area_registry/delete", area_id=area["area_id"])


async def test_a_phone_in_indonesian(site: Stage, wall: Page) -> None:
    await site.simulator.ask("alarm", 3)
    async with logged_in(
        site.browser, site.server, PHONE, language="id", dark=True
    ) as phone:
        console = Console(phone)
        await open_wall(phone, site.server)
        await expect(phone.locator("h1")).to_have_text("ALARM 1 zona")
        await expect(phone.get_by_role("button", name="Ketahui semua")).to_be_visible()
        assert await phone.locator("esp32-fire-alarm-board").evaluate(
            "(board) => board.scrollWidth <= board.clientWidth"
        )
        age = await phone.locator(".age").bounding_box()
        assert age is not None
        assert age["x"] + age["width"] <= PHONE[0], "its age must be in sight"
        box = await cell(phone, 3).bounding_box()
        assert box is not None
        assert box["width"] + 1 >= 24, "less is too narrow for a finger"
        assert box["height"] >= 24
        assert console.take() == []


async def test_the_card_on_a_dashboard(site: Stage, wall: Page) -> None:
    await site.simulator.ask("alarm", 3)
    async with site.server.websocket() as api:
        await api.call("lovelace/dashboards/create", url_path="our-own", title="Own")
        card = {
            "type": "custom:esp32-fire-alarm-card",
            "entry_id": site.entry_id,
            "title": "Ground floor",
            "group": "area",
        }
        view = {"title": "Wall", "type": "panel", "cards": [card]}
        await api.call(
            "lovelace/config/save", url_path="our-own", config={"views": [view]}
        )
    async with logged_in(site.browser, site.server) as page:
        console = Console(page)
        await page.goto(f"{site.server.url}/our-own")
        board = page.locator("esp32-fire-alarm-card esp32-fire-alarm-board")
        await board.locator(".cell").nth(314).wait_for(timeout=READY_SECONDS * 1000)
        await expect(board.locator(".title").first).to_have_text("Ground floor")
        await expect(board.locator(".block")).to_have_count(21)
        await expect(cell(page, 3)).to_have_attribute("data-state", "alarm")
        # It has no tabs: pages of its own are for the sidebar.
        assert await board.get_by_role("tab").count() == 0
        await cell(page, 3).click()
        await expect(page.get_by_role("dialog", name=NAMES[3])).to_be_visible()
        assert console.take() == []
