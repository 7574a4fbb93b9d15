"""Does half a flapping fleet delay another node's alarm?

`python -m benchmarks.flapping`: a simulated fleet of 63 in a process of its
own raises alarms on node 1, first while all is quiet, then while half of the
others are reset and come back all the time. Each alarm carries the moment it
was sent; what is measured is the time until the engine has handed it over.
Both processes read the same monotonic clock.
"""

import argparse
import asyncio
from multiprocessing.connection import Connection
import re
import statistics
import sys
import time
from typing import Final

import aiohttp

from custom_components.esp32_fire_alarm.fleet.aggregator import MessageAggregator
from custom_components.esp32_fire_alarm.fleet.health import HealthMonitor
from custom_components.esp32_fire_alarm.fleet.link import only_here
from custom_components.esp32_fire_alarm.fleet.models import (
    DeviceAddress,
    NodeConfig,
    SiteUpdate,
)
from custom_components.esp32_fire_alarm.fleet.pool import ConnectionPool
from custom_components.esp32_fire_alarm.fleet.timing import Supervision, SystemClock
from custom_components.esp32_fire_alarm.fleet.truth import SiteTruth
from sim.faults import Fault
from sim.fleet import SimulatedFleet

from .fleet_process import fleet_process
from .scenario import percentile

NODES: Final = 63
FLAPPING: Final = range(32, NODES + 1)
ALARM_GAP_SECONDS: Final = 0.05
FLAP_GAP_SECONDS: Final = 0.5
"""Each flapping node is cut this often; it comes back as fast as the pool tries."""

CONNECT_SECONDS: Final = 30.0
_SENT: Final = re.compile(rb'"timestamp":(\d+)')


def now_us() -> int:
    """Return the clock that both processes share, in microseconds."""
    return time.monotonic_ns() // 1000


async def run_fleet(pipe: Connection) -> None:
    """Serve the fleet; obey `quiet`, `flap` and `end` from the pipe."""
    async with SimulatedFleet(count=NODES, port=0) as fleet:
        # Only what is sent here comes from node 1, and carries its moment.
        fleet.node(1).fault(Fault.SILENT)
        pipe.send(fleet.port)
        is_flapping = False
        cut_at = 0.0
        on = False
        while True:
            if pipe.poll():
                word = pipe.recv()
                if word == "end":
                    return
                is_flapping = word == "flap"
            if is_flapping and time.monotonic() - cut_at >= FLAP_GAP_SECONDS:
                cut_at = time.monotonic()
                for number in FLAPPING:
                    fleet.node(number).close_clients(1001)
            on = not on
            data = (
                "51CF <STX>010001 <STX><ETX>" if on else "51DF <STX>010000 <STX><ETX>"
            )
            fleet.node(1).send_raw(
                b'{"timestamp":%d,"data":"%s","clients":1,"freeHeap":200000}'
                % (now_us(), data.encode())
            )
            await asyncio.sleep(ALARM_GAP_SECONDS)


def serve(pipe: Connection) -> None:
    """Run the fleet's process."""
    asyncio.run(run_fleet(pipe))


class Stopwatch:
    """Takes the time from the sending of an alarm to its handing over."""

    def __init__(self) -> None:
        """Start without a measurement."""
        self.latencies_ms: list[float] = []
        self._sent_us = 0

    def arrive(self, raw: bytes) -> None:
        """Note when the message being handled was sent."""
        if found := _SENT.search(raw):
            self._sent_us = int(found[1])

    def hand_over(self, update: SiteUpdate) -> None:
        """Note an update of zone 1."""
        if 1 in update.zones and update.edges:
            self.latencies_ms.append((now_us() - self._sent_us) / 1000)


async def measure(seconds: float) -> dict[str, list[float]]:
    """Return the latencies in ms, quiet and flapping, for `seconds` each."""
    watch = Stopwatch()
    clock = SystemClock()
    health = HealthMonitor(clock.now, time.time)
    with fleet_process(serve) as (pipe, port):
        configs = [
            NodeConfig(n, DeviceAddress(f"127.0.0.{n + 1}", port), (n,))
            for n in range(1, NODES + 1)
        ]
        truth = SiteTruth(configs, hold_seconds=45, now=clock.now(), rank=health.rank)
        aggregator = MessageAggregator(
            truth, health, now=clock.now, on_update=watch.hand_over
        )

        def feed(node: int, raw: bytes) -> bool:
            if node == 1:
                watch.arrive(raw)
            return aggregator.feed(node, raw)

        async with aiohttp.ClientSession(trace_configs=[only_here()]) as session:
            pool = ConnectionPool(
                session,
                configs,
                clock=clock,
                health=health,
                supervision=Supervision(),
                on_frame=feed,
                on_down=aggregator.lose,
                on_tick=aggregator.tick,
            )
            task = asyncio.create_task(pool.run())
            async with asyncio.timeout(CONNECT_SECONDS):
                while truth.summary().nodes_connected < NODES:
                    await asyncio.sleep(0.1)
            results = {}
            for phase in ("quiet", "flap"):
                pipe.send(phase)
                await asyncio.sleep(1)
                watch.latencies_ms.clear()
                await asyncio.sleep(seconds)
                results[phase] = list(watch.latencies_ms)
            task.cancel()
            await asyncio.wait([task])
    return results


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flapping")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each phase")
    results = asyncio.run(measure(parser.parse_args().seconds))
    quiet = percentile(results["quiet"], 0.99)
    print(f"{'phase':8} {'alarms':>7} {'p50 ms':>8} {'p99 ms':>8} {'p99 ratio':>10}")
    for phase, values in results.items():
        p99 = percentile(values, 0.99)
        print(
            f"{phase:8} {len(values):7d} {statistics.median(values):8.2f} "
            f"{p99:8.2f} {p99 / quiet:10.2f}"
        )
    added = percentile(results["flap"], 0.99) - quiet
    print(f"half the fleet flapping adds {added:.1f} ms to the p99 (limit 50 ms)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
