"""A site fed with messages by hand: event loop, executor and clock are the test's."""

import asyncio
from collections.abc import Callable

from custom_components.esp32_fire_alarm.fleet.aggregator import MessageAggregator
from custom_components.esp32_fire_alarm.fleet.batch import Bundle, Digest
from custom_components.esp32_fire_alarm.fleet.health import HealthMonitor
from custom_components.esp32_fire_alarm.fleet.inbox import MAX_KNOWN
from custom_components.esp32_fire_alarm.fleet.models import (
    DeviceAddress,
    EdgeKind,
    NodeConfig,
    SiteUpdate,
    ZoneEdge,
)
from custom_components.esp32_fire_alarm.fleet.throttle import TOKENS_AT_ONCE
from custom_components.esp32_fire_alarm.fleet.truth import SiteTruth

QUIET = "41DF"
ALARM_LED = "41CF"
TROUBLE_LED = "41D7"

ALARM = EdgeKind.ALARM
RESTORED = EdgeKind.ALARM_RESTORED
TROUBLE = EdgeKind.TROUBLE
TROUBLE_RESTORED = EdgeKind.TROUBLE_RESTORED

ALL = range(1, 64)

type Callback = Callable[[], object]


def node(number: int, *modules: int) -> NodeConfig:
    """Return a node that carries the modules."""
    return NodeConfig(number, DeviceAddress(f"127.0.0.{number % 250 + 1}"), modules)


def message(*segments: str, master: str = QUIET, uptime: int = 1) -> bytes:
    """Return a message as the firmware sends it."""
    data = " ".join((master, *(f"<STX>\x02{one}" for one in segments), "<STX><ETX>"))
    return (
        f'{{"timestamp":{uptime},"data":"{data}|FB:SKIP|TS:{uptime}|MODE:Offline",'
        f'"clients":1,"freeHeap":200000}}'
    ).encode()


class Planned:
    """A call that is planned, until it is cancelled."""

    def __init__(self, callback: Callback) -> None:
        self.callback = callback
        self.is_cancelled = False

    def cancel(self) -> None:
        """Forget it."""
        self.is_cancelled = True

    def run(self) -> None:
        """Do it unless it was forgotten."""
        if not self.is_cancelled:
            self.callback()


class TestLoop:
    """An event loop whose turns and time the test makes."""

    __test__ = False

    def __init__(self) -> None:
        self.now = 1000.0
        self.soon: list[Planned] = []
        self.later: list[tuple[float, Planned]] = []

    def call_soon(self, callback: Callback, /) -> Planned:
        """Plan a call for the next turn."""
        self.soon.append(Planned(callback))
        return self.soon[-1]

    def call_later(self, delay: float, callback: Callback, /) -> Planned:
        """Plan a call for a later time."""
        planned = Planned(callback)
        self.later.append((self.now + delay, planned))
        return planned

    def turn(self) -> None:
        """Run what the last turn planned."""
        due = [planned for at, planned in self.later if at <= self.now]
        self.later = [one for one in self.later if one[0] > self.now]
        ready, self.soon = self.soon, []
        for planned in (*ready, *due):
            planned.run()

    def pass_time(self, seconds: float) -> None:
        """Let so much time pass, turning whenever something is due."""
        target = self.now + seconds
        self.turn()
        while self.soon or any(at <= target for at, _ in self.later):
            if not self.soon:
                self.now = max(self.now, min(at for at, _ in self.later))
            self.turn()
        self.now = target


class TestExecutor:
    """An executor that works when the test says so."""

    __test__ = False

    def __init__(self) -> None:
        self.is_down = False
        self.jobs: list[tuple[asyncio.Future[list[Digest]], Callable[[], list[Digest]]]]
        self.jobs = []
        self._loop = asyncio.new_event_loop()

    def run_job(
        self, work: Callable[[list[Bundle]], list[Digest]], bundles: list[Bundle]
    ) -> asyncio.Future[list[Digest]]:
        """Take a job, unless the executor is down."""
        if self.is_down:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: asyncio.Future[list[Digest]] = self._loop.create_future()
        self.jobs.append((future, lambda: work(bundles)))
        return future

    def finish(self) -> None:
        """Do the oldest job."""
        future, work = self.jobs.pop(0)
        if not future.cancelled():
            future.set_result(work())
        self._spin()

    def fail(self) -> None:
        """Let the oldest job end with an error."""
        future, _ = self.jobs.pop(0)
        if not future.cancelled():
            future.set_exception(OSError("no threads left"))
        self._spin()

    def close(self) -> None:
        """Leave nothing behind."""
        self._loop.close()

    def _spin(self) -> None:
        """Let the future call back."""
        self._loop.run_until_complete(asyncio.sleep(0))


class FedSite:
    """An aggregator with its truth, and what it told."""

    def __init__(
        self, *nodes: NodeConfig, executor: TestExecutor | None = None
    ) -> None:
        self.loop = TestLoop()
        self.health = HealthMonitor(self.now, self.now)
        self.truth = SiteTruth(nodes, hold_seconds=45, now=self.now())
        self.updates: list[SiteUpdate] = []
        self.aggregator = MessageAggregator(
            self.truth,
            self.health,
            now=self.now,
            on_update=self.updates.append,
            run_job=None if executor is None else executor.run_job,
            scheduler=self.loop,
        )

    def now(self) -> float:
        """Return monotonic seconds."""
        return self.loop.now

    def say(
        self, number: int, *segments: str, master: str = QUIET, uptime: int = 1
    ) -> None:
        """Let a node send one message; the turn goes on."""
        self.aggregator.feed(number, message(*segments, master=master, uptime=uptime))

    @property
    def edges(self) -> list[ZoneEdge]:
        """Every edge told so far."""
        return [edge for update in self.updates for edge in update.edges]

    def told(self) -> list[tuple[EdgeKind, int]]:
        """Return the edges told since the last look, in short."""
        edges = [(edge.kind, edge.zone) for edge in self.edges]
        self.updates.clear()
        return edges

    @property
    def is_quiescent(self) -> bool:
        """Tell whether everything that was fed is merged and told."""
        return not (self.aggregator.metrics.inbox_depth or self.aggregator._hand_over)


def quiet_site(count: int = 1, executor: TestExecutor | None = None) -> FedSite:
    """Return a site of nodes with a module each, all of them heard and quiet."""
    site = FedSite(*(node(number, number) for number in ALL[:count]), executor=executor)
    for number in ALL[:count]:
        site.say(number, f"{number:02d}0000")
    site.updates.clear()
    return site


def exhaust(site: FedSite, number: int = 1) -> None:
    """Use up all tokens of a node with changes that are told one by one."""
    for count in range(int(TOKENS_AT_ONCE)):
        # More different frames than are kept decoded.
        site.say(number, f"{number:02d}{count % (MAX_KNOWN + 1) + 1:02X}00")
        site.loop.turn()
    site.say(number, f"{number:02d}0000")
    site.told()
