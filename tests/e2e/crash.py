"""Home Assistant killed with SIGKILL at random moments of an alarm storm.

`python -m tests.e2e.crash --rounds 20`: one site and one configuration folder;
round after round the process dies without a warning, alarms go on without it,
and when it is back everything owed has to be told, shown and logged. Prints a
line a round; the exit code is 1 if anything was wrong.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
import os
from pathlib import Path
from random import Random
import signal
import sys
import tempfile
import time
from typing import Any, Final

from script.demo import answer_step, zones_of
from script.hass_process import DOMAIN, HomeAssistantError, HomeAssistantProcess
from script.simulator import free_port
from sim.fleet import SimulatedFleet

from .storm import Book, Ear, Storm

RECORDER: Final = Path(__file__).parent / "components" / "event_recorder"
TOLD_FILE: Final = "told.jsonl"

SETTLE_SECONDS: Final = 45.0
"""Longest wait for everything owed; a restart takes about ten seconds."""

QUIET_SECONDS: Final = 1.0
"""Then nothing more may come for so long: nobody is told twice."""

STORM_SECONDS: Final = (0.2, 4.0)
STEP_SECONDS: Final = (0.002, 0.04)
CALM_STEP_SECONDS: Final = (0.1, 0.6)
"""Between two steps while nobody listens."""

STARTING_SECONDS: Final = (1.0, 9.0)
"""When a start is killed too: before, while and after the book is read."""


@dataclass(slots=True)
class Totals:
    """What happened over all rounds."""

    kills: int = 0
    kills_of_a_start: int = 0
    acknowledged: int = 0


class Crasher:
    """One site that is killed and looked at, again and again."""

    def __init__(
        self, server: HomeAssistantProcess, fleet: SimulatedFleet, chance: Random
    ) -> None:
        """Take over a running server without a site yet."""
        self._server = server
        self._fleet = fleet
        self._chance = chance
        self._zones: dict[int, str] = {}
        self._book = Book(Path())
        self.storm = Storm(fleet, chance, Ear(Path()), self._book)
        self.totals = Totals()

    async def set_up(self) -> None:
        """Add the site, and wait until the entry would survive a crash."""
        await self._server.onboard()
        first, last = self._fleet.nodes[0], self._fleet.nodes[-1]
        entry_id = await self._server.add_site(
            {
                "name": "Works",
                "addresses": f"{first.host}-{last.host}",
                "port": self._fleet.port,
            },
            answer_step,
        )
        storage = self._server.folder / ".storage"
        self._book = Book(storage / f"{DOMAIN}.{entry_id}")
        ear = Ear(self._server.folder / TOLD_FILE)
        self.storm = Storm(self._fleet, self._chance, ear, self._book)
        async with self._server.websocket() as api:
            self._zones = await zones_of(api)
        entries = storage / "core.config_entries"
        await _until(lambda: entries.exists() and entry_id in entries.read_text())

    async def round(self, *, kills_start: bool = False) -> list[str]:
        """Storm, kill, go on storming, start again; return what is wrong then."""
        await self._acknowledge_one()
        await self._storm_until_killed()
        before = self.storm.note_kill()
        calm = asyncio.create_task(self._rumble())
        try:
            if kills_start:
                await self._kill_a_start()
                before = self.storm.note_kill()
            await self._server.start()
        finally:
            calm.cancel()
            with suppress(asyncio.CancelledError):
                await calm
        with suppress(TimeoutError):
            await _until(lambda: self._is_settled(before))
        await asyncio.sleep(QUIET_SECONDS)
        self.storm.listen()
        wrong = self.storm.complaints(before)
        return wrong + await self._wrong_states()

    def _is_settled(self, before: dict[str, dict[str, Any]]) -> bool:
        """Tell whether everything owed is told, and written as it should be."""
        return self.storm.is_told() and not self.storm.complaints(before)

    async def _acknowledge_one(self) -> None:
        """Acknowledge something that stands, and wait until that is written."""
        await self._server.log_in()
        standing = self.storm.standing()
        if not standing:
            return
        zone = self._chance.choice(standing)
        async with self._server.websocket() as api:
            await api.call(
                "call_service",
                domain=DOMAIN,
                service="acknowledge",
                service_data={"entity_id": self._zones[zone]},
            )

        def is_written() -> bool:
            return any(
                one["zone"] == zone and one["acknowledged_at"]
                for one in self._book.read().values()
            )

        await _until(is_written)
        self.totals.acknowledged += 1

    async def _storm_until_killed(self) -> None:
        """Storm for a random time; half of the times kill right after a telling."""
        ends_at = time.monotonic() + self._chance.uniform(*STORM_SECONDS)
        while time.monotonic() < ends_at:
            self.storm.step()
            await asyncio.sleep(self._chance.uniform(*STEP_SECONDS))
        if self._chance.random() < 0.5:
            with suppress(TimeoutError):
                await self._until_something_is_told()
        await self._server.stop(signal.SIGKILL)
        self.totals.kills += 1

    async def _until_something_is_told(self) -> None:
        """Storm on until the very moment in which the next event is told."""
        self.storm.listen()
        async with asyncio.timeout(STORM_SECONDS[1]):
            while True:
                self.storm.step()
                for _ in range(50):
                    if self.storm.listen():
                        return
                    await asyncio.sleep(0.001)

    async def _rumble(self) -> None:
        """Let things happen while nobody listens."""
        while True:
            self.storm.step()
            await asyncio.sleep(self._chance.uniform(*CALM_STEP_SECONDS))

    async def _kill_a_start(self) -> None:
        """Start, and kill before that is through."""
        start = asyncio.create_task(self._server.start())
        await asyncio.sleep(self._chance.uniform(*STARTING_SECONDS))
        await self._server.stop(signal.SIGKILL)
        with suppress(HomeAssistantError):
            await start
        self.totals.kills += 1
        self.totals.kills_of_a_start += 1

    async def _wrong_states(self) -> list[str]:
        """Return the zones that are not shown as they are on the wire.

        A zone whose node is not heard again yet is unavailable; all others
        have to be right at once, and those as soon as they are heard.
        """
        await self._server.log_in()
        standing = set(self.storm.standing())
        async with self._server.websocket() as api:
            for _ in range(int(SETTLE_SECONDS)):
                states = {
                    one["entity_id"]: one["state"]
                    for one in await api.call("get_states")
                }
                # One that is not there yet is no better than one that is unavailable.
                shown = {
                    zone: states.get(one, "unavailable")
                    for zone, one in self._zones.items()
                }
                wrong = {
                    zone: state
                    for zone, state in shown.items()
                    if state != ("on" if zone in standing else "off")
                }
                if "unavailable" not in wrong.values():
                    break
                await asyncio.sleep(1)
        return [f"zone {zone} is {state}" for zone, state in wrong.items()]


@asynccontextmanager
async def crasher(folder: Path, nodes: int, chance: Random) -> AsyncIterator[Crasher]:
    """Run a latching fleet and a Home Assistant that is set up for it."""
    async with (
        SimulatedFleet(count=nodes, port=0, latching=True) as fleet,
        HomeAssistantProcess(folder, port=free_port(), components=[RECORDER]) as server,
    ):
        one = Crasher(server, fleet, chance)
        await one.set_up()
        yield one


async def _until(
    condition: Callable[[], bool], seconds: float = SETTLE_SECONDS
) -> None:
    """Wait until the condition holds; raises `TimeoutError`."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


async def run(rounds: int, nodes: int, seed: int) -> int:
    """Crash so many times and print what came of it; return the exit code."""
    print(f"seed {seed}, {nodes} nodes, {rounds} rounds", flush=True)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        chance = Random(seed)  # noqa: S311
        async with crasher(Path(folder), nodes, chance) as one:
            for number in range(1, rounds + 1):
                wrong = await one.round(kills_start=number % 4 == 0)
                failed += bool(wrong)
                storm = one.storm
                print(
                    f"round {number}: {len(storm.pulses)} alarms so far, "
                    f"{len(storm.standing())} stand, {storm.told_again} told again, "
                    f"{len(wrong)} wrong",
                    *wrong[:20],
                    sep="\n  ",
                    flush=True,
                )
            totals = one.totals
            print(
                f"{totals.kills} kills ({totals.kills_of_a_start} of a start), "
                f"{len(storm.pulses)} alarms, {totals.acknowledged} acknowledged, "
                f"{storm.told_again} told again because they were not yet written, "
                f"{failed} rounds failed"
            )
    return 1 if failed else 0


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.e2e.crash",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--nodes", type=int, default=63, help="1-63")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3)))
    arguments = parser.parse_args()
    return asyncio.run(run(arguments.rounds, arguments.nodes, arguments.seed))


if __name__ == "__main__":
    sys.exit(main())
