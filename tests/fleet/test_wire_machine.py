"""From the bytes on the wire to what is told: one event per alarm, in order.

A state machine over the whole chain of the engine: raw messages into the
aggregator, from there into the truth and the alarm book. It knows what was on
the wire and works out by the plainest rule what has to be told of it: an alarm
of a zone is told when a message has it and the last word on the zone did not.
Floods, throttling and executor jobs must not make a difference.
"""

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
import pytest

from custom_components.esp32_fire_alarm.fleet import aggregator as aggregator_module
from custom_components.esp32_fire_alarm.fleet.aggregator import MessageAggregator
from custom_components.esp32_fire_alarm.fleet.gather import MAX_GATHERED
from custom_components.esp32_fire_alarm.fleet.health import HealthMonitor
from custom_components.esp32_fire_alarm.fleet.inbox import MAX_KNOWN, MAX_WAITING
from custom_components.esp32_fire_alarm.fleet.models import LatchMode
from custom_components.esp32_fire_alarm.fleet.telling import EventKind

from .booked_site import BookedSite, node
from .fed_site import TestExecutor, TestLoop, message

NODES = (node(1, 1), node(2, 2), node(3, 3, 4))
MODULES = {config.node: config.modules for config in NODES}
ZONES = range(1, 21)

numbers = st.sampled_from(sorted(MODULES))
# Per module of a node, the trouble and alarm bits of its five zones; mostly calm.
bits = st.tuples(st.integers(0, 31), st.sampled_from((0, 0, 0, 1, 2, 3, 16)))
spoken = st.tuples(bits, bits)
type Spoken = tuple[tuple[int, int], tuple[int, int]]


class WireMachine(RuleBasedStateMachine):
    """Three nodes, four modules; every zone is shown as its input is."""

    @initialize(job_bytes=st.sampled_from((1, 300, 10**6)))
    def start(self, job_bytes: int) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(aggregator_module, "JOB_BYTES", job_bytes)
        self.executor = TestExecutor()
        self.loop = TestLoop()
        self.site = BookedSite(*NODES, latch=LatchMode.NONE, now=self.loop.now)
        self.chain = self._chain()
        self.burning: dict[int, None] = {}
        self.cried: list[int] = []
        self.ended: list[int] = []

    # What happens.

    @rule(number=numbers, said=spoken)
    def frame_comes(self, number: int, said: Spoken) -> None:
        self._say(number, said)

    @rule(number=numbers, batch=st.lists(spoken, min_size=2, max_size=40))
    def flood_comes(self, number: int, batch: list[Spoken]) -> None:
        for said in batch * 3:
            self._say(number, said)

    @rule(number=numbers)
    def all_is_well(self, number: int) -> None:
        self._say(number, ((0, 0), (0, 0)))

    @rule(number=numbers, rubbish=st.binary(max_size=40))
    def rubbish_comes(self, number: int, rubbish: bytes) -> None:
        self.chain.feed(number, b"\xff" + rubbish)

    @rule(number=numbers)
    def link_is_lost(self, number: int) -> None:
        self.chain.lose(number)

    @rule(seconds=st.sampled_from((0.0, 0.01, 0.05, 1.0, 50.0)))
    def time_passes(self, seconds: float) -> None:
        self._pass(seconds)

    @precondition(lambda self: self.executor.jobs)
    @rule(fails=st.booleans())
    def job_ends(self, fails: bool) -> None:
        if fails:
            self.executor.fail()
        else:
            self.executor.finish()

    @rule(after_crash=st.booleans())
    def home_assistant_restarts(self, after_crash: bool) -> None:
        """What was on the wire has been told by then, or is found again after it."""
        self._settle()
        told = self.site.events
        self.chain.close()
        self.executor.jobs.clear()
        self.site = self.site.restart(down_seconds=5, after_crash=after_crash)
        assert not self.site.events
        self.site.events += told
        self.loop.now = self.site.now
        self.chain = self._chain()

    # What has to be so.

    @rule()
    def everything_was_told(self) -> None:
        self._settle()
        assert self._told(EventKind.ALARM) == self.cried
        assert sorted(self._told(EventKind.ALARM_RESTORED)) == sorted(self.ended)

    @invariant()
    def what_burns_is_shown(self) -> None:
        zones = self.site.truth.zones
        assert {zone for zone in ZONES if zones[zone].alarm} == set(self.burning)

    @invariant()
    def nothing_is_told_that_was_not_on_the_wire(self) -> None:
        told = self._told(EventKind.ALARM)
        assert told == self.cried[: len(told)]

    @invariant()
    def nothing_grows_without_bound(self) -> None:
        for inbox in self.chain._inboxes.values():
            assert len(inbox.waiting) <= MAX_WAITING
            assert len(inbox.known) <= MAX_KNOWN
        assert len(self.chain._hand_over._untold._edges) < MAX_GATHERED + len(ZONES)
        assert len(self.chain._hand_over._alarm_told_at) <= len(ZONES)

    def teardown(self) -> None:
        """Compare a last time."""
        if hasattr(self, "chain"):
            self.everything_was_told()
            self.chain.close()
            self.executor.close()
            self.patch.undo()

    # How it is done.

    def _chain(self) -> MessageAggregator:
        """Return an aggregator that hands over to the book."""
        return MessageAggregator(
            self.site.truth,
            HealthMonitor(lambda: self.loop.now, lambda: self.loop.now),
            now=lambda: self.loop.now,
            on_update=self.site.book_update,
            run_job=self.executor.run_job,
            scheduler=self.loop,
        )

    def _say(self, number: int, said: Spoken) -> None:
        """Put one message on the wire, and note what it says that is new."""
        segments = []
        for module, (trouble, alarm) in zip(MODULES[number], said, strict=False):
            segments.append(f"{module:02d}{trouble:02X}{alarm:02X}")
            for position in range(5):
                self._note(5 * module - 4 + position, bool(alarm >> position & 1))
        self.chain.feed(number, message(*segments))

    def _note(self, zone: int, is_burning: bool) -> None:
        """Note the word on one zone."""
        if is_burning and zone not in self.burning:
            self.burning[zone] = None
            self.cried.append(zone)
        elif not is_burning and zone in self.burning:
            del self.burning[zone]
            self.ended.append(zone)

    def _pass(self, seconds: float) -> None:
        """Let time pass, and everybody look at the clock."""
        self.loop.pass_time(seconds)
        self.site.now = self.loop.now
        self.chain.tick()
        self.site.book.tick()

    def _settle(self) -> None:
        """Let everything be told that waits."""
        for _ in range(3):
            while self.executor.jobs:
                self.executor.finish()
            self._pass(1.0)

    def _told(self, kind: EventKind) -> list[int]:
        """Return the zones of which this was told, in order."""
        return [
            event.occurrence.zone
            for event in self.site.events
            if event.kind is kind and event.occurrence is not None
        ]


def test_what_is_on_the_wire_is_told_once_and_in_order() -> None:
    """See `WireMachine`."""
    run_state_machine_as_test(
        WireMachine,
        settings=settings(max_examples=120, stateful_step_count=30, deadline=None),
    )
