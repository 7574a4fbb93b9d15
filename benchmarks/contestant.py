"""The process of one contestant: `python -m benchmarks.contestant floor`."""

import asyncio
import os
from pathlib import Path
import sys
import tempfile
import time
from typing import Any, Final, NoReturn

from .bare import Floor
from .meter import Probe, collect_ms, cpu_ns, memory_kb
from .peer import serve
from .plan import plan

HOMES: Final = ("ours", "plain", "mqtt")


class Contestant:
    """Serves the commands for one contestant."""

    def __init__(self, one: Any) -> None:
        """Serve for `one`."""
        self._one = one
        self._probe: Probe | None = None

    async def start(self) -> None:
        """Start what has to be there before the fleet is."""
        await self._one.start()

    async def connect(self, layout: str, count: int, port: int) -> dict[str, Any]:
        """Connect to the fleet; return what is worth knowing."""
        await self._one.connect(plan(layout, count), port)
        info: dict[str, Any] = self._one.info()
        return info

    async def settle(self) -> None:
        """Return when everything is done that setting up made necessary."""
        await self._one.settle()

    async def disconnect(self) -> None:
        """Leave the fleet."""
        await self._one.disconnect()

    async def mark(self) -> dict[str, int | None]:
        """Return processor time, the moment and the messages so far."""
        return {
            "cpu_ns": cpu_ns(),
            "at_ns": time.monotonic_ns(),
            "frames": self._one.frames,
        }

    async def write_states(self, count: int, gap: float) -> list[float]:
        """Return how long so many single states took to write, in ms, if any can be."""
        waits: list[float] = await self._one.write_states(count, gap)
        return waits

    async def memory(self) -> dict[str, float]:
        """Return the memory in use."""
        return memory_kb()

    async def collect(self) -> float:
        """Collect all garbage there is; return how long that took, in ms."""
        return collect_ms()

    async def probe(self) -> None:
        """Begin to watch for stalls of the event loop, and for alarms."""
        self._one.arrivals.clear()
        await self._one.recovered_at()
        self._probe = Probe()

    async def observed(self) -> dict[str, Any]:
        """Stop to watch; return the stalls in ms and the alarms with their moments."""
        assert self._probe is not None
        self._probe.stop()
        return {
            "delays_ms": self._probe.delays_ms,
            "turns_ms": self._probe.turns_ms,
            "arrivals": self._one.arrivals,
            "recovered_ns": await self._one.recovered_at(),
        }


def make(name: str, folder: Path) -> Any:
    """Return the contestant of that name."""
    if name in HOMES:
        # Home Assistant is heavy; the floor must not carry its weight.
        from . import home  # noqa: PLC0415

        return getattr(home, name.capitalize())(folder)
    return Floor(unpack=name == "single")


def main() -> NoReturn:
    """Serve the commands until there are no more."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        contestant = Contestant(make(sys.argv[1], Path(folder)))
        commands = {
            name: getattr(contestant, name)
            for name in (
                *("start", "connect", "settle", "disconnect", "mark"),
                *("memory", "collect", "probe", "observed", "write_states"),
            )
        }
        if sys.argv[1] in HOMES:
            from homeassistant import runner  # noqa: PLC0415

            loop = runner.create_event_loop()
        else:
            loop = asyncio.new_event_loop()
        loop.run_until_complete(serve(commands))
    # Home Assistant still runs in other threads, and nobody needs it any more.
    os._exit(0)


if __name__ == "__main__":
    main()
