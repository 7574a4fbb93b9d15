"""Does one node that sends 2,000 frames a second cost the others anything?

`python -m benchmarks.flood`: a simulated fleet of 63 in a process of its own,
and a Home Assistant in this one. Nodes 2 to 63 send a trouble or an alarm now
and then; what is measured is the time from its sending to its state. First
while all is quiet; then while node 1 floods: each of its frames differs from
the one before, and every hundredth has an alarm in it, for this one frame; then
in a storm, where every frame of node 1 has another alarm in it. Every alarm
that was sent has to be told. Both processes read the same monotonic clock.

Where other programs compete for the processor, latencies tell of them as well.
So a second figure is printed, `work`: for how long the event loop was computing
between the sending of a frame and its state, be it for that frame or for others.
On a machine that has nothing else to do the two are nearly the same.
"""

import argparse
import asyncio
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection
from operator import itemgetter
from pathlib import Path
import re
import sys
import time
from typing import Any, Final
from unittest.mock import patch

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant, callback

from custom_components.esp32_fire_alarm import site as site_module
from custom_components.esp32_fire_alarm.events import EVENT_FIRE_ALARM
from custom_components.esp32_fire_alarm.fleet.pool import ConnectionPool
from sim.faults import Fault
from sim.fleet import SimulatedFleet
from tests.running_site import RunningSite, distributed, set_up

from .flapping import now_us
from .fleet_process import fleet_process
from .inside import running_hass, tidy_up
from .scenario import percentile

NODES: Final = 63
FLOODING: Final = 1
FRAMES_PER_SECOND: Final = 2000
FRAMES_PER_ALARM: Final = {"quiet": 0, "flood": 100, "storm": 1}
PROBES: Final = range(2, NODES + 1)
PROBE_GAP_SECONDS: Final = 0.02
BURST_GAP_SECONDS: Final = 0.005
CATCH_UP_SECONDS: Final = 30.0
CONNECT_SECONDS: Final = 60.0
LIMIT_MS: Final = 50.0
SAMPLES: Final = 4 * FRAMES_PER_SECOND
"""So many moments are kept of which is known what the loop had done by then."""

_SENT: Final = re.compile(rb'"timestamp":(\d+)')
_QUIET_LAMPS: Final = 0xDF
_LAMPS_THAT_CHANGE: Final = 0x07
"""Drill, silenced and disabled: lit or not, none of them is an alarm."""


def frame(module: int, *, trouble: int = 0, alarm: int = 0, lamps: int = 0) -> bytes:
    """Return a frame of one module (1-63) that carries the moment it was made."""
    status = _QUIET_LAMPS & ~lamps
    data = f"51{status:02X} <STX>{module:02d}{trouble:02X}{alarm:02X} <STX><ETX>"
    return b'{"timestamp":%d,"data":"%s","clients":1,"freeHeap":200000}' % (
        now_us(),
        data.encode(),
    )


def flood_of(frames_per_alarm: int) -> Iterator[tuple[bytes, int]]:
    """Yield frames of node 1, each unlike the last, and how many alarms are in them."""
    alarms = 0
    for number in count(1):
        alarm = 0
        if number % frames_per_alarm == 0:
            alarm = 1 << alarms % 5
            alarms += 1
        trouble = 0 if frames_per_alarm == 1 else number % 63 + 1
        lamps = 0 if frames_per_alarm == 1 else number // 63 & _LAMPS_THAT_CHANGE
        yield frame(FLOODING, trouble=trouble, alarm=alarm, lamps=lamps), alarms


class Sender:
    """What the fleet sends by hand while a phase runs."""

    def __init__(self, fleet: SimulatedFleet) -> None:
        """Have only what is sent here come from the fleet's nodes."""
        self._fleet = fleet
        for node in fleet.nodes:
            node.fault(Fault.SILENT)
        self._states = dict.fromkeys(PROBES, 0)

    async def say_all_is_well(self) -> None:
        """Keep every node heard while nothing is measured."""
        for node in self._fleet.nodes:
            node.send_raw(frame(node.number))
        self._states = dict.fromkeys(PROBES, 0)
        await asyncio.sleep(0.5)

    async def probe(self, stop: asyncio.Event) -> None:
        """Change one node after the other, in trouble and in alarm by turns."""
        while not stop.is_set():
            for number in PROBES:
                self._states[number] ^= 1
                bits = {"alarm" if number % 2 else "trouble": self._states[number]}
                self._fleet.node(number).send_raw(frame(number, **bits))
                await asyncio.sleep(PROBE_GAP_SECONDS)
                if stop.is_set():
                    break

    async def flood(self, stop: asyncio.Event, frames_per_alarm: int) -> dict[str, int]:
        """Send the frames of the flooding node; return how many, and their alarms."""
        node = self._fleet.node(FLOODING)
        frames = alarms = 0
        if frames_per_alarm:
            content = flood_of(frames_per_alarm)
            began = time.monotonic()
            while not stop.is_set():
                due = int((time.monotonic() - began) * FRAMES_PER_SECOND)
                while frames < due:
                    raw, alarms = next(content)
                    node.send_raw(raw)
                    frames += 1
                await asyncio.sleep(BURST_GAP_SECONDS)
            node.send_raw(frame(FLOODING))
            frames += 1
        return {"frames": frames, "alarms": alarms}


async def run_fleet(pipe: Connection) -> None:
    """Serve the fleet; run each phase that comes through the pipe until it says stop."""
    async with SimulatedFleet(count=NODES, port=0) as fleet:
        sender = Sender(fleet)
        pipe.send(fleet.port)
        while True:
            while not pipe.poll():
                await sender.say_all_is_well()
            if (phase := pipe.recv()) == "end":
                return
            stop = asyncio.Event()
            probing = asyncio.create_task(sender.probe(stop))
            flooding = asyncio.create_task(sender.flood(stop, FRAMES_PER_ALARM[phase]))
            while not pipe.poll():
                await asyncio.sleep(0.01)
            pipe.recv()
            stop.set()
            await probing
            pipe.send(await flooding)


def serve(pipe: Connection) -> None:
    """Run the fleet's process."""
    asyncio.run(run_fleet(pipe))


@dataclass(slots=True)
class Phase:
    """What was measured in one phase; latencies in ms, memory in MiB.

    `work_ms` is the loop's own part of the latencies, and `busy` the share of the time (0-1) for which the event loop's thread ran.
    """

    latencies_ms: list[float] = field(default_factory=list)
    work_ms: list[float] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    frames: int = 0
    memory: list[float] = field(default_factory=list)
    busy: float = 0.0

    @property
    def is_told(self) -> bool:
        """Tell whether every alarm was told, and told to be over."""
        alarms = self.sent["alarms"]
        return self.told == Counter(alarm=alarms, alarm_restored=alarms)


class Observer:
    """Takes the time from the sending of a frame to the states it changes."""

    def __init__(self, site: RunningSite) -> None:
        """Watch the zones of the probing nodes, and what is told of the other."""
        self.phase = Phase()
        self.sent_us: dict[int, int] = {}
        self._worked: deque[tuple[int, int]] = deque(maxlen=SAMPLES)
        self._node_of = {
            site.entity_id("binary_sensor", f"zone_{5 * number - 4}"): number
            for number in PROBES
        }

    def arrive(self, node: int, raw: bytes) -> None:
        """Note when the message that comes in was sent, and what was done by now."""
        self._worked.append((now_us(), time.thread_time_ns() // 1000))
        if node == FLOODING:
            self.phase.frames += 1
        elif found := _SENT.search(raw):
            self.sent_us[node] = int(found[1])

    @callback
    def note_state(self, event: Event[Any]) -> None:
        """Note the state of a probing node."""
        if (node := self._node_of.get(event.data["entity_id"])) is not None:
            sent = self.sent_us[node]
            worked = time.thread_time_ns() // 1000
            before = bisect_right(self._worked, sent, key=itemgetter(0)) - 1
            self.phase.latencies_ms.append((now_us() - sent) / 1000)
            self.phase.work_ms.append((worked - self._worked[before][1]) / 1000)

    @callback
    def note_event(self, event: Event[Any]) -> None:
        """Count what is told of the alarms of the flooding node."""
        if event.data.get("node") == FLOODING and event.data["type"].startswith(
            "alarm"
        ):
            self.phase.told[event.data["type"]] += 1


class TimedPool(ConnectionPool):
    """A pool whose messages an observer sees first."""

    observer: Observer | None = None

    def __init__(self, *args: Any, **calls: Any) -> None:
        """Let messages pass by the observer, once there is one."""
        on_frame = calls.pop("on_frame")

        def feed(node: int, raw: bytes) -> bool:
            if self.observer is not None:
                self.observer.arrive(node, raw)
            return bool(on_frame(node, raw))

        super().__init__(*args, on_frame=feed, **calls)


def resident_mib() -> float:
    """Return how much memory this process has, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


async def measure(hass: HomeAssistant, seconds: float) -> dict[str, Phase]:
    """Return what was measured in each phase of so many seconds."""
    results: dict[str, Phase] = {}
    with fleet_process(serve) as (pipe, port):
        site = await set_up(hass, *distributed(port))
        pool = site.engine.pool
        assert isinstance(pool, TimedPool)
        async with asyncio.timeout(CONNECT_SECONDS):
            while site.engine.summary.zones_supervised < 5 * NODES:
                await asyncio.sleep(0.1)
        observer = pool.observer = Observer(site)
        hass.bus.async_listen(EVENT_STATE_CHANGED, observer.note_state)
        hass.bus.async_listen(EVENT_FIRE_ALARM, observer.note_event)
        # The first of each fills caches and the log of 1,000 occurrences.
        for run in range(2):
            for name in FRAMES_PER_ALARM:
                tidy_up()
                observer.phase = phase = results[name] = Phase()
                phase.memory.append(resident_mib())
                pipe.send(name)
                began, ran = time.monotonic(), time.thread_time()
                for _ in range(4):
                    await asyncio.sleep((seconds if run else 4) / 4)
                    phase.memory.append(resident_mib())
                phase.busy = (time.thread_time() - ran) / (time.monotonic() - began)
                pipe.send("stop")
                await catch_up(pipe, phase)
        await site.remove()
    return results


async def catch_up(pipe: Connection, phase: Phase) -> None:
    """Wait until everything that was sent has come in, and been told."""
    async with asyncio.timeout(CATCH_UP_SECONDS):
        while not pipe.poll():
            await asyncio.sleep(0.01)
        phase.sent = pipe.recv()
        while phase.frames < phase.sent["frames"]:
            await asyncio.sleep(0.01)
    # The last token of the flooding node comes 50 ms later.
    await asyncio.sleep(0.5)


async def run(seconds: float) -> dict[str, Phase]:
    """Measure with a Home Assistant of its own."""
    async with running_hass() as hass:
        with patch.object(site_module, "ConnectionPool", TimedPool):
            return await measure(hass, seconds)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flood")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each phase")
    results = asyncio.run(run(parser.parse_args().seconds))
    print(
        f"{'phase':7}{'frames':>8}{'alarms sent':>12}{'told':>7}{'over':>7}{'probes':>8}"
        f"{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}{'ratio':>7}"
        f"{'work p50':>10}{'p95':>8}{'p99':>8}{'ratio':>7}{'loop busy':>11}   memory MiB"
    )
    quiet = results["quiet"]
    for name, phase in results.items():
        p50, p95, p99 = (percentile(phase.latencies_ms, s) for s in (0.5, 0.95, 0.99))
        work50, work95, work = (percentile(phase.work_ms, s) for s in (0.5, 0.95, 0.99))
        print(
            f"{name:7}{phase.sent['frames']:8}{phase.sent['alarms']:12}"
            f"{phase.told['alarm']:7}{phase.told['alarm_restored']:7}"
            f"{len(phase.latencies_ms):8}{p50:8.2f}{p95:8.2f}{p99:8.2f}"
            f"{p99 / percentile(quiet.latencies_ms, 0.99):7.2f}"
            f"{work50:10.2f}{work95:8.2f}{work:8.2f}{work / percentile(quiet.work_ms, 0.99):7.2f}"
            f"{phase.busy:11.0%}   " + " ".join(f"{mib:.1f}" for mib in phase.memory)
        )
    is_told = all(phase.is_told for phase in results.values())
    print(f"every alarm told once, and its end: {'yes' if is_told else 'NO'}")
    for name in ("flood", "storm"):
        added, work = (
            percentile(busy, 0.99) - percentile(calm, 0.99)
            for busy, calm in (
                (results[name].latencies_ms, quiet.latencies_ms),
                (results[name].work_ms, quiet.work_ms),
            )
        )
        print(
            f"a {name} adds {added:.1f} ms to the others' p99, {work:.1f} ms of it "
            f"the loop's own work (limit {LIMIT_MS:.0f} ms)"
        )
    return 0 if is_told else 1


if __name__ == "__main__":
    sys.exit(main())
