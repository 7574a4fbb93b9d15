"""The wall itself: what it shows, when, and what people do on it."""

from playwright.async_api import Page, expect
import pytest

from script.demo_site import zones
from script.wall_stage import Stage

from .conftest import cell, show_view

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="session"),
]

NAMES = {number: name for number, name, _ in zones()}
PROMISE_MS = 1000
"""From the command that raises an alarm to its picture on the screen."""

RED = "rgb(198, 40, 40)"
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


async def test_an_alarm_is_on_the_screen_within_a_second(
    site: Stage, wall: Page
) -> None:
    zone = cell(wall, 17)
    await expect(zone).to_have_attribute("data-state", "clear")
    await site.simulator.command("alarm", "17")
    await expect(zone).to_have_css("background-color", RED, timeout=PROMISE_MS)
    await wall.evaluate(PAINTED)
    assert await wall.locator('.cell[data-state="alarm"]').count() == 1
    await expect(wall.locator(".banner")).to_have_attribute("data-level", "alarm")
    await expect(wall.locator("h1")).to_have_text("ALARM 1 zone")


async def test_the_first_alarm_is_marked(site: Stage, wall: Page) -> None:
    await site.simulator.ask("alarm", 30)
    await cell(wall, 30).and_(wall.locator("[data-first]")).wait_for()
    await site.simulator.ask("alarm", 12)
    await expect(wall.locator("h1")).to_have_text("ALARM 2 zones")
    await expect(wall.locator(".detail")).to_contain_text(f"first: {NAMES[30]}, ")
    assert await wall.locator(".cell[data-first]").count() == 1
    chips = wall.locator(".alarms .alarm b")
    assert await chips.all_text_contents() == [f"1. {NAMES[30]}", f"2. {NAMES[12]}"]
    label = await cell(wall, 30).get_attribute("aria-label")
    assert label is not None
    assert "Alarm, first alarm" in label


async def test_every_state_has_a_shape_and_a_word(site: Stage, wall: Page) -> None:
    await site.simulator.ask("alarm", 1)
    await site.simulator.ask("trouble", 2)
    await expect(cell(wall, 2)).to_have_attribute("data-state", "trouble")
    shapes = await wall.evaluate(
        """() => {
          const root = document.querySelector("home-assistant");
          const found = [];
          const walk = (node) => {
            if (node.shadowRoot) walk(node.shadowRoot);
            for (const child of node.children ?? []) walk(child);
            if (node.matches?.(".states button")) {
              const mark = node.querySelector(".mark");
              const style = getComputedStyle(mark);
              const letter = getComputedStyle(mark, "::before").content;
              found.push([node.textContent.replace(/[0-9]/g, ""), letter,
                style.clipPath, style.backgroundColor, style.backgroundImage]);
            }
          };
          walk(root);
          return found;
        }"""
    )
    assert len(shapes) == 7
    words, letters, outlines, *_ = zip(*shapes, strict=True)
    assert len(set(words)) == 7
    assert len(set(letters)) == 7
    # An alarm fills its cell, an unavailable zone is hatched; all others have outlines.
    assert len(set(outlines)) == 6
    assert len({(colour, image) for *_, colour, image in shapes}) >= 6


async def test_a_lost_link_is_held_and_then_unavailable(
    site: Stage, wall: Page
) -> None:
    zone = cell(wall, 58)
    await zone.evaluate(
        """(cell) => {
          cell.seen = [];
          const watch = () => cell.seen.push(cell.dataset.state);
          new MutationObserver(watch).observe(cell, { attributeFilter: ["data-state"] });
        }"""
    )
    await site.simulator.ask("alarm", 57)
    await expect(cell(wall, 57)).to_have_attribute("data-state", "alarm")
    await site.simulator.ask("node", node=12, action="down")
    await expect(zone).to_have_attribute("data-state", "held")
    await expect(wall.locator(".fact").first).to_contain_text("310/315")
    await expect(zone).to_have_attribute("data-state", "unavailable", timeout=15000)
    await expect(cell(wall, 57)).to_have_attribute("data-state", "alarm")
    await site.simulator.ask("node", node=12, action="up")
    await expect(zone).to_have_attribute("data-state", "clear", timeout=15000)
    assert await zone.evaluate("(cell) => cell.seen") == [
        "held",
        "unavailable",
        "clear",
    ]


async def test_acknowledge_all_asks_first(site: Stage, wall: Page) -> None:
    await site.simulator.ask("alarm", 201, 202)
    await expect(wall.locator("h1")).to_have_text("ALARM 2 zones")
    button = wall.get_by_role("button", name="Acknowledge all")
    question = wall.get_by_role("dialog", name="Acknowledge all")
    await button.click()
    await question.get_by_role("button", name="Cancel").click()
    await expect(question).to_be_hidden()
    await expect(wall.locator(".cell[data-acknowledged]")).to_have_count(0)
    await button.click()
    await question.get_by_role("button", name="Acknowledge", exact=True).click()
    await expect(wall.locator(".cell[data-acknowledged]")).to_have_count(2)
    await expect(wall.locator('.cell[data-state="alarm"]')).to_have_count(2)
    await expect(button).to_be_hidden()


async def test_a_zone_in_its_dialog(site: Stage, wall: Page) -> None:
    """Name, area, node, history, acknowledge, disable, and enable again."""
    await site.simulator.ask("alarm", 40)
    await expect(cell(wall, 40)).to_have_attribute("data-state", "alarm")
    await cell(wall, 40).click()
    dialog = wall.get_by_role("dialog", name=NAMES[40])
    for fact in ("40", "House A, floor 3", "Node 8", "Alarm · first alarm"):
        await expect(dialog.get_by_text(fact, exact=True)).to_be_visible()
    await dialog.get_by_role("button", name="Acknowledge").click()
    await expect(dialog).to_contain_text("Demo, ")
    await dialog.get_by_role("button", name="Disable …").click()
    question = wall.get_by_role("dialog", name="Disable")
    await question.get_by_label("Reason").fill("Painting")
    await question.get_by_role("button", name="Disable …").click()
    await expect(cell(wall, 40)).to_have_attribute("data-state", "disabled")
    await expect(dialog).to_contain_text("Painting")
    await expect(wall.locator(".banner")).not_to_have_attribute("data-level", "alarm")
    await dialog.get_by_role("button", name="Enable").click()
    question = wall.get_by_role("dialog", name="Enable")
    await question.get_by_role("button", name="Enable").click()
    await expect(cell(wall, 40)).to_have_attribute("data-state", "alarm")
    await dialog.get_by_role("button", name="History").click()
    await expect(dialog).to_be_hidden()
    more = wall.locator("ha-more-info-dialog").get_by_text(NAMES[40]).first
    await more.wait_for()
    await wall.keyboard.press("Escape")
    await expect(more).to_be_hidden()


async def test_by_keyboard_alone(site: Stage, wall: Page) -> None:
    await site.simulator.ask("alarm", 100)
    await expect(cell(wall, 100)).to_have_attribute("data-state", "alarm")
    await wall.locator('[role="tab"][data-view="wall"]').focus()
    for _ in range(25):
        await wall.keyboard.press("Tab")
        if await wall.locator(".cell:focus").count():
            break
    await wall.keyboard.press("Control+Home")
    await expect(cell(wall, 1)).to_be_focused()
    await wall.keyboard.press("ArrowRight")
    await expect(cell(wall, 2)).to_be_focused()
    await wall.keyboard.press("ArrowDown")
    below = await wall.locator(".cell:focus").get_attribute("aria-label")
    assert below is not None
    assert below.startswith(f"{NAMES[47]}, "), "nine nodes of five zones in a line"
    await wall.keyboard.press("n")
    await expect(cell(wall, 100)).to_be_focused()
    await wall.keyboard.press("Enter")
    dialog = wall.get_by_role("dialog", name=NAMES[100])
    button = dialog.get_by_role("button", name="Acknowledge")
    await button.wait_for()
    for _ in range(5):
        await wall.keyboard.press("Tab")
        if await button.evaluate("(one) => one.matches(':focus')"):
            break
    await wall.keyboard.press("Enter")
    await expect(dialog).to_contain_text("Demo, ")
    await wall.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(cell(wall, 100)).to_be_focused()
    await expect(cell(wall, 100)).to_have_attribute("data-acknowledged", "")


async def test_by_area_and_only_what_is_not_clear(site: Stage, wall: Page) -> None:
    await site.simulator.ask("trouble", 77)
    await expect(cell(wall, 77)).to_have_attribute("data-state", "trouble")
    await wall.get_by_role("button", name="By area").click()
    await expect(wall.locator(".block")).to_have_count(21)
    await expect(wall.locator(".block .name").first).to_have_text("House A, floor 1")
    only = wall.locator('.states [data-state="trouble"]')
    await only.click()
    await expect(wall.locator(".cell:visible")).to_have_count(1)
    await expect(only).to_have_attribute("aria-pressed", "true")
    await only.click()
    await expect(only).to_have_attribute("aria-pressed", "false")
    await wall.get_by_role("button", name="By node").click()
    await expect(wall.locator(".cell:visible")).to_have_count(315)


async def test_all_315_at_once(site: Stage, wall: Page) -> None:
    """A storm is few messages and few draws, and all of it is on the screen."""
    await wall.evaluate(
        """() => {
          window.draws = 0;
          const grid = document.querySelector("home-assistant");
          const find = (node) => {
            if (node.matches?.(".grid")) return node;
            for (const child of [...(node.shadowRoot?.children ?? []), ...node.children]) {
              const found = find(child);
              if (found) return found;
            }
            return null;
          };
          const options = { attributeFilter: ["data-state"], subtree: true };
          new MutationObserver(() => (window.draws += 1)).observe(find(grid), options);
        }"""
    )
    await site.simulator.ask("alarm", *range(1, 316))
    await expect(wall.locator('.cell[data-state="alarm"]')).to_have_count(315)
    await expect(wall.locator("h1")).to_have_text("ALARM 315 zones")
    await expect(wall.locator(".alarms .more")).to_have_text("and 310 more")
    assert await wall.evaluate("window.draws") <= 25
    await show_view(wall, "log")
    await expect(wall.locator(".log .count")).to_contain_text("of ")
    await expect(wall.locator("tbody tr")).to_have_count(100)


async def test_sound_is_off_until_somebody_wants_it(site: Stage, wall: Page) -> None:
    await wall.evaluate(
        """() => {
          window.beeps = 0;
          const create = AudioContext.prototype.createOscillator;
          AudioContext.prototype.createOscillator = function () {
            window.beeps += 1;
            return create.call(this);
          };
        }"""
    )
    await site.simulator.ask("alarm", 5)
    await expect(wall.locator("h1")).to_have_text("ALARM 1 zone")
    assert await wall.evaluate("window.beeps") == 0
    await wall.get_by_role("button", name="Sound off").click()
    await wall.wait_for_function("window.beeps > 2")
    await wall.get_by_role("button", name="Acknowledge all").click()
    question = wall.get_by_role("dialog", name="Acknowledge all")
    await question.get_by_role("button", name="Acknowledge", exact=True).click()
    await expect(wall.locator(".cell[data-acknowledged]")).to_have_count(1)
    await wall.get_by_role("button", name="Sound on").click()
    await expect(wall.get_by_role("button", name="Sound off")).to_be_visible()
