"""Nothing serious for axe on any page of the wall, in light and in dark."""

from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect
import pytest

from script.wall_stage import Stage

from .conftest import cell, show_view

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="session"),
]

BOARD = """() => {
  const path = [];
  const find = (node) => {
    if (node.localName === "esp32-fire-alarm-board") return [node.localName];
    for (const child of node.children) {
      const below = find(child);
      if (below) return below;
    }
    const inside = node.shadowRoot && find(node.shadowRoot);
    return inside ? [node.localName, ...inside] : null;
  };
  return find(document.body);
}"""
"""The way to our element through Home Assistant's shadow trees."""

OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"],
}


async def findings(page: Page) -> list[str]:
    """Return what axe finds serious or critical in the board."""
    context: Any = {"include": [{"fromShadowDom": await page.evaluate(BOARD)}]}
    results = await Axe().run(page, context, OPTIONS)
    looked_at = {rule["id"] for rule in results.response["passes"]}
    assert {"color-contrast", "button-name"} <= looked_at
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in results.response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"][:3]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_serious(site: Stage, wall: Page, scheme: str) -> None:
    await site.simulator.ask("alarm", 4, 5)
    await site.simulator.ask("trouble", 6)
    zones = {"entity_id": [site.zones[7], site.zones[8]]}
    async with site.server.websocket() as api:
        call = {"domain": "esp32_fire_alarm", "target": zones}
        hour = {"duration": {"hours": 1}}
        await api.call(
            "call_service", service="start_walk_test", service_data=hour, **call
        )
        await wall.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await expect(cell(wall, 7)).to_have_attribute("data-state", "test")
        await site.simulator.ask("node", node=20, action="down")
        await expect(cell(wall, 100)).to_have_attribute("data-state", "held")
        is_dark = wall.locator("esp32-fire-alarm-board[data-dark]")
        await expect(is_dark).to_have_count(int(scheme == "dark"))
        found = {"wall": await findings(wall)}
        await site.simulator.ask("node", node=20, action="up")
        await cell(wall, 4).click()
        await expect(wall.locator("dialog.zone .latest li").first).to_be_visible()
        found["dialog"] = await findings(wall)
        await wall.get_by_role("button", name="Disable …").click()
        found["question"] = await findings(wall)
        await wall.keyboard.press("Escape")
        await wall.keyboard.press("Escape")
        for view in ("health", "log"):
            await show_view(wall, view)
            await expect(wall.locator("tbody tr").nth(2)).to_be_visible()
            found[view] = await findings(wall)
        await api.call("call_service", service="stop_walk_test", **call)
    await wall.emulate_media(color_scheme="light")
    assert {page: faults for page, faults in found.items() if faults} == {}
