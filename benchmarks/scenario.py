"""What each contestant goes through in a round, and what is noted of it.

All contestants meet the same fleet in the same order. Figures are named
`scenario.figure_unit`; a figure that a contestant has not is left out.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
import math
import statistics
from typing import Any, Final

from .broker import Broker, running_broker
from .peer import Peer, running
from .plan import MODULES_PER_SITE, ZONES_PER_MODULE

CONNECT_SECONDS: Final = 120.0
ALARM_GAP_SECONDS: Final = 0.2
"""Alarms one by one: the frames are the load, and each alarm has been dealt with,
by the recorder too, before the next one comes. At 16 a second they are a small storm,
and what is measured is how long the recorder keeps the interpreter to itself."""
BRIDGE_HZ: Final = 5.0

WRITE_GAP_SECONDS: Final = 0.05
"""Single states are written this far apart, so that each finds cold caches."""

NEVER: Final = float("inf")
"""The moment of what did not happen while it was waited for."""

type Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Length:
    """How long the scenarios last, in seconds, and how big they are.

    After `registries` Home Assistant has written down what was set up, which it
    does 10 s after the last change: no cost of any frame.
    """

    nodes: int = 63
    idle: float = 10.0
    settle: float = 1.0
    registries: float = 11.0
    steady: float = 10.0
    storm: float = 1.0
    storms: int = 2
    cut: float = 2.0
    alarms: int = 240
    backlog: float = 2.0


FULL: Final = Length()
QUICK: Final = Length(8, 0.3, 0.3, 0.0, 0.5, 0.4, 1, 0.2, 12, 0.5)
"""Only shows that everything works; its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Alarms:
    """How long alarms took to be shown, and single states to be written, in ms.

    `missing` are those not shown in time.
    """

    waits: list[float]
    writes: list[float]
    missing: int

    @classmethod
    def together(cls, turns: Sequence[Alarms]) -> Alarms:
        """Return those of several turns as one."""
        return cls(
            [wait for one in turns for wait in one.waits],
            [write for one in turns for write in one.writes],
            sum(one.missing for one in turns),
        )

    def figures(self) -> Figures:
        """Return what is noted of them."""
        figures: Figures = {"alarm.missing": self.missing}
        if self.waits:
            figures["alarm.p50_ms"] = statistics.median(self.waits)
            figures["alarm.p99_ms"] = percentile(self.waits, 0.99)
        if self.writes:
            figures["alarm.write_ms"] = percentile(self.writes, 0.99)
        return figures


class Session:
    """One contestant with its load, from its start to its end."""

    def __init__(
        self,
        name: str,
        contestant: Peer,
        load: Peer,
        broker: Broker | None,
        length: Length,
    ) -> None:
        """Measure `name`."""
        self.name = name
        self.length = length
        self.figures: Figures = {}
        self._contestant = contestant
        self._load = load
        self._broker = broker
        self._idle_share = 0.0
        self._memory: dict[str, float] = {}

    async def start(self) -> None:
        """Start the contestant, and measure what it costs without a fleet."""
        await self._contestant.ask("start")
        self._memory = await self._contestant.ask("memory")
        before = await self._contestant.ask("mark")
        await asyncio.sleep(self.length.idle)
        after = await self._contestant.ask("mark")
        self._idle_share = (after["cpu_ns"] - before["cpu_ns"]) / (
            after["at_ns"] - before["at_ns"]
        )

    async def connect(
        self, nodes: int, load: Peer, layout: str = "distributed"
    ) -> None:
        """Let the contestant know the fleet, and wait until all links are up."""
        self._load = load
        broker_port = self._broker.port if self._broker else None
        port = await load.ask(
            "open", layout=layout, count=nodes, broker_port=broker_port
        )
        info = await self._contestant.ask(
            "connect", layout=layout, count=nodes, port=broker_port or port
        )
        self.figures |= {f"info.{key}": value for key, value in info.items()}
        await load.ask("pace", hz=1.0)
        await load.ask("wait_for_clients", seconds=CONNECT_SECONDS)
        await asyncio.sleep(self.length.settle + self.length.registries)
        await self._contestant.ask("settle")

    async def disconnect(self) -> None:
        """Let the contestant forget the fleet."""
        await self._contestant.ask("disconnect")

    async def steady(
        self, name: str, hz: float, *, messages_per_frame: int = 1
    ) -> None:
        """Measure the cost of frames that change nothing."""
        await self._load.ask("pace", hz=hz)
        await asyncio.sleep(min(0.5, self.length.settle))
        sent_before = await self._load.ask("counts")
        broker_before = self._broker.cpu_seconds() if self._broker else 0.0
        before = await self._contestant.ask("mark")
        await asyncio.sleep(self.length.steady)
        after = await self._contestant.ask("mark")
        sent_after = await self._load.ask("counts")
        sent = sent_after["messages"] - sent_before["messages"]
        handled = (
            sent if after["frames"] is None else after["frames"] - before["frames"]
        )
        frames = handled / messages_per_frame
        cpu_ns = self._net_cpu_ns(before, after)
        self.figures[f"{name}.cpu_us"] = cpu_ns / frames / 1e3
        self.figures[f"{name}.handled_share"] = min(1.0, handled / sent)
        self.figures[f"{name}.bytes"] = (
            (sent_after["bytes"] - sent_before["bytes"]) / sent * messages_per_frame
        )
        if self._broker:
            broker = self._broker.cpu_seconds() - broker_before
            self.figures[f"{name}.broker_cpu_us"] = (
                broker * 1e6 / sent * messages_per_frame
            )

    async def storms(self) -> None:
        """Put all zones in alarm at once, some times."""
        zones = self.length.nodes * ZONES_PER_MODULE
        firsts, lasts, stalls, turns, costs = [], [], [], [], []
        for _ in range(self.length.storms):
            await self._collect()
            before = await self._contestant.ask("mark")
            await self._contestant.ask("probe")
            began = await self._load.ask("storm", on=True)
            await asyncio.sleep(self.length.storm)
            seen = await self._contestant.ask("observed")
            await self._load.ask("storm", on=False)
            await asyncio.sleep(self.length.storm)
            await self._contestant.ask("settle")
            after = await self._contestant.ask("mark")
            first_by_zone: dict[int, int] = {}
            for zone, at in seen["arrivals"]:
                first_by_zone.setdefault(zone, at)
            moments = first_by_zone.values()
            firsts.append((min(moments, default=NEVER) - began) / 1e6)
            is_complete = len(moments) == zones
            lasts.append(((max(moments) if is_complete else NEVER) - began) / 1e6)
            stalls.append(max(seen["delays_ms"]))
            turns.append(max(seen["turns_ms"]))
            costs.append(self._net_cpu_ns(before, after) / (2 * zones) / 1e3)
        self.figures |= {
            "storm.first_ms": statistics.median(firsts),
            "storm.last_ms": statistics.median(lasts),
            "storm.stall_max_ms": max(stalls),
            "storm.turn_max_ms": max(turns),
            "storm.cpu_us": statistics.median(costs),
        }

    async def power_cut(self) -> None:
        """Take the power from all nodes, give it back, and see them return."""
        await self._collect()
        await self._contestant.ask("probe")
        await self._load.ask("cut")
        await asyncio.sleep(self.length.cut)
        began = await self._load.ask("restore", hz=1.0)
        seconds = await self._load.ask("wait_for_clients", seconds=CONNECT_SECONDS)
        await asyncio.sleep(self.length.settle)
        seen = await self._contestant.ask("observed")
        if self._broker:
            seconds = (max(seen["recovered_ns"], default=NEVER) - began) / 1e9
        self.figures["cut.return_s"] = seconds
        self.figures["cut.stall_max_ms"] = max(seen["delays_ms"])
        self.figures["cut.turn_max_ms"] = max(seen["turns_ms"])
        await self._contestant.ask("settle")

    async def alarms_during_load(self, hz: float) -> Alarms:
        """Raise alarms one after the other while all nodes send."""
        await self._load.ask("pace", hz=hz)
        await self._collect()
        await asyncio.sleep(self.length.settle)
        await self._contestant.ask("probe")
        raised = await self._load.ask(
            "alarms", count=self.length.alarms, gap=ALARM_GAP_SECONDS
        )
        await asyncio.sleep(self.length.backlog)
        seen = await self._contestant.ask("observed")
        writes = await self._contestant.ask(
            "write_states", count=self.length.alarms, gap=WRITE_GAP_SECONDS
        )
        waits = waits_ms(raised, seen["arrivals"])
        alarms = Alarms(waits, writes, len(raised) - len(waits))
        self.figures |= alarms.figures()
        self.figures["alarm.stall_max_ms"] = max(seen["delays_ms"])
        self.figures["alarm.turn_max_ms"] = max(seen["turns_ms"])
        self.figures["alarm.stall_p99_ms"] = percentile(seen["delays_ms"], 0.99)
        return alarms

    async def memory(self, name: str, nodes: int) -> None:
        """Note what a node costs in memory, above the process without nodes."""
        now = await self._contestant.ask("memory")
        for kind in ("rss", "uss"):
            grown = now[kind] - self._memory[kind]
            self.figures[f"{name}.{kind}_mb"] = grown / 1024 / nodes

    async def stall(self, name: str) -> None:
        """Note the longest stall of the event loop within some seconds."""
        await self._contestant.ask("probe")
        await asyncio.sleep(self.length.steady)
        seen = await self._contestant.ask("observed")
        self.figures[f"{name}.stall_max_ms"] = max(seen["delays_ms"])
        self.figures[f"{name}.turn_max_ms"] = max(seen["turns_ms"])

    async def _collect(self) -> None:
        """Begin with no garbage, and note how long a full collection takes.

        Python does that on its own after so much was made; which contestant it
        holds up in which scenario would be chance.
        """
        milliseconds = await self._contestant.ask("collect")
        before = self.figures.get("garbage.full_ms", 0.0)
        self.figures["garbage.full_ms"] = max(before, milliseconds)

    def _net_cpu_ns(self, before: dict[str, Any], after: dict[str, Any]) -> float:
        """Return processor time between two marks, less that of idling so long."""
        idle: float = (after["at_ns"] - before["at_ns"]) * self._idle_share
        spent: float = after["cpu_ns"] - before["cpu_ns"]
        return max(0.0, spent - idle)


@asynccontextmanager
async def session(name: str, length: Length) -> AsyncIterator[Session]:
    """Run the processes of one contestant."""
    async with AsyncExitStack() as stack:
        broker = None
        if name == "mqtt":
            broker = await stack.enter_async_context(running_broker())
        load = await stack.enter_async_context(running("load"))
        contestant = await stack.enter_async_context(running("contestant", name))
        one = Session(name, contestant, load, broker, length)
        await one.start()
        yield one


async def whole_round(name: str, length: Length) -> Figures:
    """Take one contestant through all scenarios of one site."""
    async with session(name, length) as one, running("load") as load:
        await one.connect(length.nodes, load)
        await one.steady("steady_1", 1.0)
        await one.storms()
        await one.power_cut()
        await one.memory("memory", length.nodes)
        if name != "mqtt":
            await one.disconnect()
            async with running("load") as bridge:
                await one.connect(1, bridge, "bridge")
                await one.steady("bridge", BRIDGE_HZ)
                await one.disconnect()
            async with running("load") as again:
                await one.connect(length.nodes, again)
                await loaded(one)
        else:
            # A bridge that speaks MQTT publishes each module under its own topic.
            await one.steady(
                "bridge",
                BRIDGE_HZ,
                messages_per_frame=min(length.nodes, MODULES_PER_SITE),
            )
            await loaded(one)
        return one.figures


async def loaded(one: Session) -> None:
    """Go through the scenarios under load, which come last: they leave a backlog."""
    await one.steady("steady_10", 10.0)
    await one.alarms_during_load(10.0)


async def single_link(length: Length) -> Figures:
    """Measure one app with one link to one node."""
    async with session("single", length) as one, running("load") as load:
        await one.connect(1, load)
        await one.steady("steady_1", 1.0)
        await one.steady("steady_10", 10.0)
        await one.memory("memory", 1)
        return one.figures


async def growth(name: str, nodes: int, length: Length) -> Figures:
    """Measure a larger fleet that sends once a second."""
    key = f"growth_{nodes}"
    async with session(name, length) as one, running("load") as load:
        await one.connect(nodes, load)
        await one.steady(key, 1.0)
        await one.stall(key)
        await one.memory(key, nodes)
        return {
            name: value
            for name, value in one.figures.items()
            if name.startswith(("growth", "info"))
        }


def waits_ms(
    raised: Sequence[tuple[int, int]], arrivals: Iterable[tuple[int, int]]
) -> list[float]:
    """Return how long alarms took from the sender's write to their state, in ms.

    Both are zones with moments in ns, `raised` in their order. An alarm that did not
    arrive before the next one of its zone is left out.
    """
    seen = sorted((moment, zone) for zone, moment in arrivals)
    next_at: dict[int, int] = {}
    waits: list[float] = []
    for zone, at in reversed(raised):
        until = next_at.get(zone, NEVER)
        shown = (
            moment for moment, other in seen if other == zone and at <= moment < until
        )
        if (first := next(shown, None)) is not None:
            waits.append((first - at) / 1e6)
        next_at[zone] = at
    return waits


def percentile(values: Iterable[float], share: float) -> float:
    """Return the least value that is not below so much (0-1) of all values."""
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1]
