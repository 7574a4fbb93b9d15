"""What the wall costs a browser, against the same wall built from stock cards.

`python -m benchmarks.wall`: one Home Assistant, one simulated fleet, one
Chromium, and three pages one after the other: the wall, a dashboard of 63
glance cards with 5 zones each, and one of 315 tile cards. Each gets the same:
some quiet seconds, one zone in and out of alarm again and again, and all 315
zones in alarm and clear again, a few times. Counted are the processor time of
the main thread (Chromium's own metrics) and the bytes of the WebSocket before
compression that the page lives on.

The wall lives on its own stream, cards on the states of entities. Home
Assistant's frontend has the latter sent to it whatever page is open, so all
bytes are printed too.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import json
from pathlib import Path
import statistics
import tempfile
from typing import Any, Final

from playwright.async_api import Page

from script.browser import READY_SECONDS, logged_in
from script.hass_process import WebSocketApi
from script.wall_stage import ADDRESSES, Stage, stage

QUIET_SECONDS: Final = 10.0
EDGES: Final = 10
"""Times that one zone goes into alarm, and back."""

EDGE_SECONDS: Final = 0.5
ZONE: Final = 200
ZONES: Final = 315
SETTLE_SECONDS: Final = 3.0
STORMS: Final = 3
STORM_SECONDS: Final = 3.0
METRICS: Final = ("TaskDuration", "ScriptDuration", "LayoutDuration")
FRAME_MS: Final = 1000 / 60
OURS: Final = "esp32_fire_alarm/"
STORM: Final = "315 zones, an edge of all"

TIME_DRAWS: Final = """
  window.draws = [];
  const plan = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (draw) => plan((now) => {
    const began = performance.now();
    draw(now);
    document.body.getBoundingClientRect();
    draws.push(performance.now() - began);
  });
"""
"""Takes the time of each draw, style and layout included."""

TAKE_DRAWS: Final = "() => draws.splice(0)"


@dataclass(frozen=True, slots=True)
class Rival:
    """A page that shows all zones, and how many elements it has for them."""

    name: str
    path: str
    cells: str


RIVALS: Final = (
    Rival("the wall", "esp32-fire-alarm", ".cell"),
    Rival("63 glance cards", "bench-glance/0", "hui-glance-card .entity"),
    Rival("315 tile cards", "bench-tile/0", "hui-tile-card"),
)


@dataclass
class Wire:
    """Bytes that came over a page's WebSocket: of our commands, and of all others."""

    ours: int = 0
    entities: int = 0
    _ids: set[int] = field(default_factory=set)

    def note_sent(self, event: dict[str, Any]) -> None:
        """Note the number of each of our commands."""
        for message in self._messages(event):
            if str(message.get("type")).startswith(OURS):
                self._ids.add(message["id"])

    def note_received(self, event: dict[str, Any]) -> None:
        """Count what came."""
        for message in self._messages(event):
            size = len(json.dumps(message, separators=(",", ":")).encode())
            if message.get("id") in self._ids:
                self.ours += size
            else:
                self.entities += size

    @staticmethod
    def _messages(event: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the messages of one WebSocket frame."""
        said = json.loads(event["response"]["payloadData"])
        return said if isinstance(said, list) else [said]


@dataclass(slots=True)
class Meter:
    """What a page has cost so far."""

    wire: Wire
    read: Callable[[], Any]

    async def take(self) -> dict[str, float]:
        """Return all counters."""
        metrics = {one["name"]: one["value"] for one in (await self.read())["metrics"]}
        return {
            **{name: metrics[name] * 1000 for name in METRICS},
            "bytes": self.wire.ours or self.wire.entities,
            "all bytes": self.wire.ours + self.wire.entities,
        }


type Costs = dict[str, dict[str, float]]


async def save_dashboards(api: WebSocketApi, zones: dict[int, str]) -> None:
    """Build the rivals from Home Assistant's own cards."""
    modules = [[zones[5 * m + z] for z in range(1, 6)] for m in range(ZONES // 5)]
    glances = [
        {"type": "glance", "title": f"Node {number}", "columns": 5, "entities": five}
        for number, five in enumerate(modules, 1)
    ]
    tiles = [{"type": "tile", "entity": entity} for entity in zones.values()]
    for name, columns, cards in (("glance", 9, glances), ("tile", 15, tiles)):
        path = f"bench-{name}"
        grid = {"type": "grid", "columns": columns, "square": False, "cards": cards}
        view = {"title": name, "type": "panel", "cards": [grid]}
        await api.call("lovelace/dashboards/create", url_path=path, title=name)
        await api.call("lovelace/config/save", url_path=path, config={"views": [view]})


@asynccontextmanager
async def opened(running: Stage, rival: Rival) -> AsyncIterator[tuple[Page, Meter]]:
    """Open a page, wait until all zones are on it, and count."""
    async with logged_in(running.browser, running.server) as page:
        await page.add_init_script(TIME_DRAWS)
        devtools = await page.context.new_cdp_session(page)
        wire = Wire()
        devtools.on("Network.webSocketFrameSent", wire.note_sent)
        devtools.on("Network.webSocketFrameReceived", wire.note_received)
        await devtools.send("Network.enable")
        await devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        await page.goto(f"{running.server.url}/{rival.path}")
        last = page.locator(rival.cells).nth(ZONES - 1)
        await last.wait_for(state="attached", timeout=READY_SECONDS * 1000)
        await asyncio.sleep(SETTLE_SECONDS)
        yield page, Meter(wire, lambda: devtools.send("Performance.getMetrics"))


async def measure(running: Stage, rival: Rival) -> Costs:
    """Return what each phase costs one page."""
    costs: Costs = {}
    async with opened(running, rival) as (page, meter):
        ask = running.simulator.ask
        costs["open"] = before = await meter.take()

        async def spend(phase: str, edges: int) -> None:
            """Note what a phase cost, an edge (or a quiet second)."""
            nonlocal before
            now = await meter.take()
            costs[phase] = {key: (now[key] - before[key]) / edges for key in now}
            before = now

        await asyncio.sleep(QUIET_SECONDS)
        await spend("quiet, a second", int(QUIET_SECONDS))
        for _ in range(EDGES):
            await ask("alarm", ZONE)
            await asyncio.sleep(EDGE_SECONDS)
            await ask("clear", ZONE)
            await asyncio.sleep(EDGE_SECONDS)
        await asyncio.sleep(SETTLE_SECONDS)
        await spend("one zone, an edge", 2 * EDGES)
        draws: list[float] = []
        for _ in range(STORMS):
            await page.evaluate(TAKE_DRAWS)
            await ask("alarm", *range(1, ZONES + 1))
            await asyncio.sleep(STORM_SECONDS)
            draws.append(max(await page.evaluate(TAKE_DRAWS), default=0.0))
            await ask("clear", *range(1, ZONES + 1))
            await asyncio.sleep(STORM_SECONDS)
        await spend(STORM, 2 * STORMS)
        costs[STORM]["longest draw"] = statistics.median(draws)
    return costs


def print_costs(all_costs: dict[str, Costs]) -> None:
    """Print what was measured, and the ratios to the wall."""
    ours = all_costs[RIVALS[0].name]
    for phase, costs in ours.items():
        print(f"\n{phase}")
        print(f"  {'':22}" + "".join(f"{name:>20}" for name in all_costs) + "   ratios")
        for key, least in costs.items():
            values = [costs[phase][key] for costs in all_costs.values()]
            unit = "" if key.endswith("bytes") else " ms"
            row = "".join(f"{value:>20,.1f}" for value in values)
            ratios = ", ".join(
                f"{value / least:.1f}" if least > 0 else "-" for value in values[1:]
            )
            print(f"  {key + unit:22}{row}   {ratios}")
    share = ours[STORM]["longest draw"] / FRAME_MS
    print(f"\nThe wall's longest draw in a storm is {share:.2f} of a frame of 1/60 s.")


async def run(layout: str) -> None:
    """Set up, measure and print."""
    addresses = "127.0.0.2" if layout == "bridge" else ADDRESSES
    with tempfile.TemporaryDirectory() as folder:
        arguments = ("--layout", layout)
        async with stage(Path(folder), *arguments, addresses=addresses) as running:
            async with running.server.websocket() as api:
                await save_dashboards(api, running.zones)
            results = {rival.name: await measure(running, rival) for rival in RIVALS}
    print_costs(results)


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--layout",
        choices=("distributed", "bridge"),
        default="bridge",
        help="bridge: the storm is one frame (default); distributed: 63 frames",
    )
    asyncio.run(run(parser.parse_args().layout))


if __name__ == "__main__":
    main()
