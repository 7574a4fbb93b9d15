"""The main job, shown: 63 simulated ESP32s and a real Home Assistant on top.

Run through `script/demo`. Everything it starts ends with it.
"""

import argparse
import asyncio
from contextlib import AsyncExitStack, suppress
from pathlib import Path
import shutil
import signal
import sys
from typing import Any, Final

from script import demo_site
from script.hass_process import (
    DOMAIN,
    PASSWORD,
    REPOSITORY,
    USER,
    HomeAssistantError,
    HomeAssistantProcess,
    WebSocketApi,
)

SIMULATOR_PORT: Final = 8181
ADDRESSES: Final = "127.0.0.2-127.0.0.64"
PANEL_PATH: Final = "esp32-fire-alarm"
ZONES: Final = 315
READY_SECONDS: Final = 60.0
"""Longest wait for all zones; 63 connects, spaced, take about five."""

SIMULATOR_STOP_SECONDS: Final = 5.0


async def start_simulator(stack: AsyncExitStack, arguments: list[str]) -> None:
    """Start `python -m sim` and have it stopped when the stack unwinds."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "sim", "run", "--port", str(SIMULATOR_PORT), *arguments),
        cwd=REPOSITORY,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )

    async def stop() -> None:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(SIMULATOR_STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    stack.push_async_callback(stop)
    with suppress(TimeoutError):
        async with asyncio.timeout(1.5):
            await process.wait()
    if process.returncode is not None:
        raise HomeAssistantError("the simulator did not start, see above")


def answer_step(step: dict[str, Any]) -> dict[str, Any]:
    """Accept what the config flow found."""
    return {"next_step_id": "create"} if step["type"] == "menu" else {}


async def zones_of(api: WebSocketApi) -> dict[int, str]:
    """Return the entity id of every zone, by its number."""
    entities = await api.call("config/entity_registry/list")
    found: dict[int, str] = {}
    for entity in entities:
        head, _, zone = entity["unique_id"].rpartition("_zone_")
        if entity["platform"] == "esp32_fire_alarm" and head and zone.isdigit():
            found[int(zone)] = entity["entity_id"]
    return dict(sorted(found.items()))


async def wait_for_zones(api: WebSocketApi, zones: dict[int, str]) -> int:
    """Return how many zones are available, as soon as all are or time is up."""
    wanted = set(zones.values())
    available = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(READY_SECONDS):
            while available < len(wanted):
                states = await api.call("get_states")
                available = sum(
                    state["entity_id"] in wanted and state["state"] in ("on", "off")
                    for state in states
                )
                await asyncio.sleep(0.5)
    return available


async def furnish(api: WebSocketApi) -> None:
    """Name the zones as in the made-up building, and show the wall by default."""
    await api.call(
        "call_service",
        domain=DOMAIN,
        service="import_zones",
        service_data={"sheet": demo_site.sheet()},
    )
    await api.call(
        "frontend/set_system_data",
        key="core",
        value={"default_panel": PANEL_PATH},
    )


async def show(arguments: argparse.Namespace) -> int:
    """Run the demo until Ctrl-C, or until it is set up with `--once`."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    folder = REPOSITORY / ".demo"
    shutil.rmtree(folder, ignore_errors=True)
    async with AsyncExitStack() as stack:
        print("demo: starting 63 simulated ESP32s on", ADDRESSES)
        await start_simulator(stack, ["--layout", arguments.layout])
        print("demo: starting Home Assistant, about 20 s")
        server = HomeAssistantProcess(Path(folder), port=arguments.port)
        await stack.enter_async_context(server)
        await server.onboard()
        print("demo: adding the site, scan included")
        addresses = "127.0.0.2" if arguments.layout == "bridge" else ADDRESSES
        await server.add_site(
            {
                "name": "Demo site",
                "addresses": addresses,
                "port": SIMULATOR_PORT,
            },
            answer_step,
        )
        async with server.websocket() as api:
            zones = await zones_of(api)
            available = await wait_for_zones(api, zones)
            await furnish(api)
        print(
            f"\n{available} of {ZONES} zones available.\n\n"
            f"Open   {server.url}   user {USER}, password {PASSWORD}\n"
            f"Try    .venv-latest/bin/python -m sim alarm 17    (clear 17, status, "
            f"node 12 down, power-cut 20)\n"
            f"End    Ctrl-C\n",
            flush=True,
        )
        if arguments.once:
            return 0 if available == ZONES else 1
        ended = asyncio.create_task(server.wait())
        stop = asyncio.create_task(stopped.wait())
        await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        stop.cancel()
        print("demo: stopping")
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="script/demo", description=__doc__)
    parser.add_argument(
        "--layout", choices=("distributed", "bridge", "mixed"), default="distributed"
    )
    parser.add_argument("--port", type=int, default=8123, help="of Home Assistant")
    parser.add_argument(
        "--once", action="store_true", help="stop as soon as all zones are available"
    )
    try:
        return asyncio.run(show(parser.parse_args()))
    except HomeAssistantError as err:
        print(f"demo: {err}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
