"""One fault against the engine: what it promises, and whether it keeps it.

A trial runs four simulated ESP32s and the real pool, aggregator, truth and
alarm book against them, breaks the first node, raises alarms on it and on
others while it is broken, cures it, and looks on all the time. The tests run
it with a clock in their hand, `python -m benchmarks.faults` in real time.
"""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from custom_components.esp32_fire_alarm.fleet.inbox import MAX_WAITING
from custom_components.esp32_fire_alarm.fleet.link import LinkFault
from custom_components.esp32_fire_alarm.fleet.timing import Clock, Supervision
from sim.faults import FAULTS, Fault
from sim.fleet import Disaster, SimulatedFleet

from .engine import Engine, engine_of

NODES: Final = 4
VICTIM: Final = 1
CHATTERING, STANDING, RAISED_IN_FAULT, QUIET = 1, 2, 3, 4
"""Zones of the victim: one for `chatter`, one in alarm before the fault begins and
until after it, one that goes into alarm during the fault, one that never does."""

NEIGHBOURS_ALARM: Final = 18
"""A zone of the last node, which goes into alarm during the fault."""

TOLD_SECONDS: Final = 10.0
"""The law's limit for an alarm of a node that is heard, and of any once it is back."""

BACK_SECONDS: Final = 90.0
"""Longest backoff, connect and close together, from the cure to the first frame."""

UP_SECONDS: Final = 60.0
_FAULT_SECONDS: Final = 3600.0
_TRIAL: Final[ContextVar[Hazard]] = ContextVar("trial")
_UPTIME_MS: Final = 5 * 86_400_000
"""Nodes that have run for days, as nodes in the field have."""

type Hazard = Fault | Disaster

HAZARDS: Final[tuple[Hazard, ...]] = (*Fault, *Disaster)


class Promise(StrEnum):
    """What holds whatever goes wrong; the columns of the matrix."""

    TOLD_ONCE = "told once"
    NEVER_CLEAR = "never clear"
    NOT_INVENTED = "none invented"
    SHOWN = "loss shown"
    BACK = "comes back"
    NEIGHBOURS = "others undisturbed"
    COUNTED = "damage counted"
    BOUNDED = "bounded, no error"


def concerns(promise: Promise, hazard: Hazard) -> bool:
    """Tell whether a promise says anything of a hazard: a disaster spares nobody."""
    return promise is not Promise.NEIGHBOURS or not isinstance(hazard, Disaster)


class Pace(Protocol):
    """How time passes in a trial."""

    @property
    def clock(self) -> Clock:
        """The clock of the engine."""

    @property
    def scale(self) -> float:
        """Real seconds per second of the clock: the simulator lives in real time."""

    async def step(self) -> None:
        """Let a little time pass: at most half a second of the clock."""


@dataclass(slots=True)
class Outcome:
    """What a trial found; times are seconds on the trial's clock.

    `lost_after_seconds` is from the fault to zones that are held or
    unavailable, None if the node was heard all along. `told_after_seconds` is
    the longest that an alarm of a node that was heard took, from the
    simulator's truth to the event. `broken` has a sentence for every promise
    that was not kept.
    """

    hazard: Hazard
    raised: int = 0
    lost: int = 0
    doubled: int = 0
    told_after_seconds: float = 0.0
    lost_after_seconds: float | None = None
    given_up_after_seconds: float | None = None
    back_after_seconds: float | None = None
    reconnects: int = 0
    damaged: int = 0
    broken: dict[Promise, str] = field(default_factory=dict)

    def breaks(self, promise: Promise, text: str) -> None:
        """Note a broken promise; the first sentence stays."""
        self.broken.setdefault(promise, text)


def value_of(fault: Fault, scale: float) -> float | None:
    """Return a fault's default value, where it is a time or a rate in scaled time."""
    if (parameter := FAULTS[fault].parameter) is None:
        return None
    if parameter.unit == "s":
        return max(parameter.minimum, parameter.default * scale)
    if parameter.unit == "bytes/s":
        return min(parameter.maximum, parameter.default / scale)
    return parameter.default


def begin(hazard: Hazard, fleet: SimulatedFleet, scale: float) -> None:
    """Begin a hazard that lasts until it is cured."""
    if isinstance(hazard, Disaster):
        fleet.strike(hazard, _FAULT_SECONDS)
    else:
        fleet.node(VICTIM).fault(
            hazard, value_of(hazard, scale), for_seconds=_FAULT_SECONDS
        )


def damages_frames(hazard: Hazard, scale: float) -> bool:
    """Tell whether a hazard sends messages that are damaged."""
    return (
        isinstance(hazard, Fault)
        and FAULTS[hazard].effects(value_of(hazard, scale) or 0).spoil is not None
    )


class Trial:
    """One hazard, from before it begins until after its cure."""

    def __init__(
        self, hazard: Hazard, fleet: SimulatedFleet, engine: Engine, pace: Pace
    ) -> None:
        """Prepare; nothing is broken yet."""
        self.outcome = Outcome(hazard)
        self._fleet = fleet
        self._engine = engine
        self._pace = pace
        self._raised_at: dict[int, float] = {}
        self._unheard: set[int] = set()
        self._depth = 0
        self._victims = range(1, 6)
        self._others = range(6, 5 * NODES + 1)
        self._is_for_all = isinstance(hazard, Disaster)

    async def run(self, watch_seconds: float) -> None:
        """Break, watch for so long, cure, and look what became of the promises."""
        engine, outcome = self._engine, self.outcome
        for node in self._fleet.nodes:
            node.set_uptime(_UPTIME_MS)
        if not await self._wait(lambda: self._is_up(range(1, NODES + 1)), UP_SECONDS):
            raise RuntimeError("the fleet did not come up")
        await self._raise(STANDING)
        await self._wait(lambda: STANDING in engine.told, TOLD_SECONDS)
        await self._pass(3)
        tasks = _own_tasks(outcome.hazard)
        engine.watch = self._look
        began = self._pace.clock.now()
        begin(outcome.hazard, self._fleet, self._pace.scale)
        await self._pass(1)
        await self._raise(RAISED_IN_FAULT)
        await self._raise(NEIGHBOURS_ALARM)
        await self._watch_fault(began, watch_seconds)
        await self._cure()
        await self._count(tasks)

    async def _watch_fault(self, began: float, seconds: float) -> None:
        """See how the fault is noticed, and what is shown meanwhile."""
        engine, outcome, now = self._engine, self.outcome, self._pace.clock.now
        while now() - began < seconds:
            await self._pace.step()
            self._look()
            quiet = engine.truth.zones[QUIET]
            if outcome.lost_after_seconds is None and (
                quiet.held or not quiet.available
            ):
                outcome.lost_after_seconds = now() - began
            if outcome.given_up_after_seconds is None and not quiet.available:
                outcome.given_up_after_seconds = now() - began
        state = engine.truth.zones[RAISED_IN_FAULT]
        if not state.alarm and state.available:
            outcome.breaks(
                Promise.NEVER_CLEAR,
                f"zone {RAISED_IN_FAULT} is shown normal {seconds:g} s into the fault",
            )
        if not state.alarm and not engine.truth.summary().trouble:
            outcome.breaks(Promise.SHOWN, "an alarm is not heard and nobody is told")
        if NEIGHBOURS_ALARM not in engine.told and not self._is_for_all:
            outcome.breaks(Promise.NEIGHBOURS, "another node's alarm is not told")

    async def _cure(self) -> None:
        """Put everything in order and wait for the way back."""
        engine, outcome, now = self._engine, self.outcome, self._pace.clock.now
        cured = now()
        for node in self._fleet.nodes:
            if node.faults:
                node.up()
        # Some cures end the connection: only what is up after that is back.
        await self._pass(1)
        nodes = range(1, NODES + 1)
        if await self._wait(lambda: self._is_up(nodes), BACK_SECONDS):
            outcome.back_after_seconds = now() - cured
        else:
            outcome.breaks(Promise.BACK, f"not back {BACK_SECONDS:g} s after the cure")
        await self._wait(lambda: self._raised_at.keys() <= engine.told.keys(), 10)
        await self._pass(2)
        engine.watch = lambda: None
        self._fleet.clear_all()
        if not await self._wait(lambda: not engine.truth.summary().in_alarm, 10):
            outcome.breaks(Promise.BACK, "alarms do not end with their cause")

    async def _count(self, tasks: int) -> None:
        """Work out the figures, and the promises that hang on them."""
        engine, outcome, hazard = self._engine, self.outcome, self.outcome.hazard
        expected = {STANDING, RAISED_IN_FAULT, NEIGHBOURS_ALARM}
        if hazard is Fault.CHATTER:
            expected.add(CHATTERING)
        told = engine.told
        outcome.told_after_seconds = max(
            (
                engine.told_at[zone] - self._raised_at[zone]
                for zone in self._raised_at.keys() & told.keys() - self._unheard
            ),
            default=0.0,
        )
        outcome.raised = len(expected)
        outcome.lost = sum(not told[zone] for zone in expected)
        outcome.doubled = sum(told[zone] - 1 for zone in expected if told[zone])
        if outcome.lost or outcome.doubled:
            outcome.breaks(Promise.TOLD_ONCE, f"told {dict(told)}")
        if strangers := set(told) - expected:
            outcome.breaks(Promise.NOT_INVENTED, f"zones {strangers} were told")
        record = engine.health.record(VICTIM)
        outcome.reconnects = record.connects - 1
        outcome.damaged = record.malformed + record.ignored
        outcome.damaged += record.fault is LinkFault.PROTOCOL_ERROR
        if damages_frames(hazard, self._pace.scale) and not outcome.damaged:
            outcome.breaks(Promise.COUNTED, "no damaged frame was counted")
        if not self._is_for_all:
            for number in range(VICTIM + 1, NODES + 1):
                if connects := engine.health.record(number).connects - 1:
                    outcome.breaks(
                        Promise.NEIGHBOURS, f"node {number} reconnected {connects} x"
                    )
        await self._wait(lambda: self._fleet.clients == NODES, 10)
        slots = [node.slots_taken for node in self._fleet.nodes]
        if max(slots) > 1:
            outcome.breaks(Promise.BOUNDED, f"client slots taken: {slots}")
        if self._depth > NODES * (MAX_WAITING + 1):
            outcome.breaks(Promise.BOUNDED, f"{self._depth} messages waited")
        if (left := _own_tasks(hazard)) > tasks + NODES:
            outcome.breaks(Promise.BOUNDED, f"{tasks} tasks before, {left} after")

    def _look(self) -> None:
        """Check what must hold at every moment."""
        engine, outcome = self._engine, self.outcome
        zones, now = engine.truth.zones, self._pace.clock.now()
        self._depth = max(self._depth, engine.aggregator.metrics.inbox_depth)
        if not zones[STANDING].alarm:
            outcome.breaks(Promise.NEVER_CLEAR, f"zone {STANDING} was shown clear")
        if zones[QUIET].alarm:
            outcome.breaks(Promise.NOT_INVENTED, f"zone {QUIET} was shown in alarm")
        if not self._is_for_all and not engine.is_sound(self._others):
            outcome.breaks(Promise.NEIGHBOURS, "zones of others were held")
        for zone in self._raised_at.keys() - engine.told.keys():
            if zones[zone].held or not zones[zone].available:
                # From here on it is known that the alarm could not be heard.
                self._unheard.add(zone)
            elif zone == NEIGHBOURS_ALARM and not self._is_for_all:
                if now - self._raised_at[zone] > TOLD_SECONDS:
                    outcome.breaks(Promise.NEIGHBOURS, "another node's alarm is late")

    async def _raise(self, zone: int) -> None:
        """Put a zone in alarm."""
        self._raised_at[zone] = self._pace.clock.now()
        self._fleet.alarm(zone)

    def _is_up(self, nodes: range) -> bool:
        """Tell whether all these nodes are heard and their zones are fresh."""
        return all(
            self._engine.is_sound(range(5 * number - 4, 5 * number + 1))
            for number in nodes
        )

    async def _pass(self, seconds: float) -> None:
        """Let time pass."""
        await self._wait(lambda: False, seconds)

    async def _wait(self, condition: Callable[[], object], seconds: float) -> bool:
        """Let time pass until the condition holds; return whether it came to hold."""
        began = self._pace.clock.now()
        while not condition():
            if self._pace.clock.now() - began >= seconds:
                return False
            await self._pace.step()
        return True


async def try_hazard(
    hazard: Hazard, pace: Pace, *, supervision: Supervision, cycle_seconds: float
) -> Outcome:
    """Run one trial and return what it found; other trials may run beside it."""
    _TRIAL.set(hazard)
    async with (
        SimulatedFleet(count=NODES, port=0, cycle_seconds=cycle_seconds) as fleet,
        engine_of(fleet, pace.clock, supervision) as engine,
    ):
        trial = Trial(hazard, fleet, engine, pace)
        await trial.run(supervision.worst_case_seconds + 5)
    return trial.outcome


def _own_tasks(hazard: Hazard) -> int:
    """Return how many tasks this trial has started that have not ended."""
    return sum(task.get_context().get(_TRIAL) == hazard for task in asyncio.all_tasks())
