"""The aggregator against the plain way: every message merged as it comes.

Whatever waits, is throttled, decoded elsewhere or told together: no alarm edge
is lost or invented, no trouble edge is lost beyond the stated bound, and in the
end both ways show the same site.
"""

from collections import defaultdict
from itertools import pairwise

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
from custom_components.esp32_fire_alarm.fleet.frame import FrameError, decode
from custom_components.esp32_fire_alarm.fleet.models import (
    EdgeKind,
    NodeConfig,
    SiteUpdate,
    ZoneEdge,
    zones_of_module,
)
from custom_components.esp32_fire_alarm.fleet.truth import SiteTruth

from .fed_site import FedSite, TestExecutor, message, node

ALARM_KINDS = frozenset({EdgeKind.ALARM, EdgeKind.ALARM_RESTORED})

type ByZone = dict[int, list[EdgeKind]]

DISTRIBUTED = (node(1, 1), node(2, 2, 3))
SHARED = (node(1, 1, 2), node(2, 2, 1), node(3, 1))
"""Each module of one node, and modules that several nodes report."""

CALM_SEGMENTS = ("", "0000", "0100", "0300", "2200")
SEGMENTS = (*CALM_SEGMENTS, "0001", "0002", "0103", "0020")
MASTERS = ("41DF", "41DF", "41D7", "41CF", "51df", "zz")


@st.composite
def messages(draw: st.DrawFn, segments: tuple[str, ...] = SEGMENTS) -> bytes:
    """Return a message about modules 1 to 3, or something else entirely."""
    listed = draw(st.sets(st.integers(1, 3)))
    cycle = [f"{module:02d}{draw(st.sampled_from(segments))}" for module in listed]
    master = draw(st.sampled_from(MASTERS))
    raw = message(*cycle, master=master, uptime=draw(st.integers(1, 9)))
    spoil = draw(st.sampled_from([None] * 8 + ["cut", "oldest", "escaped", "other"]))
    if spoil == "cut":
        return raw[: draw(st.integers(1, len(raw)))]
    if spoil == "oldest":
        return f"{master} {' '.join(cycle)}".encode()
    if spoil == "escaped":
        return raw.replace(b"\x02", b"\\u0002")
    return b'{"type":"pong"}' if spoil == "other" else raw


def by_zone(edges: list[ZoneEdge], *, alarms: bool) -> ByZone:
    """Return the kinds of alarm edges, or of all others, in order, by zone."""
    kinds: ByZone = defaultdict(list)
    for edge in edges:
        if (edge.kind in ALARM_KINDS) == alarms:
            kinds[edge.zone].append(edge.kind)
    return dict(kinds)


class Comparison:
    """The same messages to an aggregator and straight to a truth.

    A zone that a message shows in alarm must be so before the next message.
    """

    def __init__(self, *nodes: NodeConfig) -> None:
        self.executor = TestExecutor()
        self.site = FedSite(*nodes, executor=self.executor)
        self.oracle = SiteTruth(nodes, hold_seconds=45, now=self.site.now())
        self.expected: list[ZoneEdge] = []
        self.newest: dict[int, bytes] = {}
        self.seen_in_alarm: set[int] = set()

    def feed(self, number: int, raw: bytes) -> None:
        """Let a node send a message."""
        self.site.aggregator.feed(number, raw)
        try:
            frame = decode(raw)
        except FrameError:
            return
        self.newest[number] = raw
        for module, state in frame.modules.items():
            for position, zone in enumerate(zones_of_module(module)):
                if state.alarm >> position & 1:
                    self.seen_in_alarm.add(zone)
                    assert self.site.truth.zones[zone].alarm
        self._expect(self.oracle.apply(number, frame, self.site.now()))

    def lose(self, number: int) -> None:
        """Cut a node's link."""
        self.site.aggregator.lose(number)
        self._expect(self.oracle.lose(number, self.site.now()))

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and the timer go off at its end."""
        self.site.loop.pass_time(seconds)
        self.site.aggregator.tick()
        self._expect(self.oracle.tick(self.site.now()))

    def settle(self) -> None:
        """Let every node repeat itself until nothing is pending anywhere.

        What waits together counts as one frame where frames are counted (a
        module not listed, the Trouble LED), so it takes a few of them.
        """
        for _ in range(6):
            while self.executor.jobs:
                self.executor.finish()
            self.site.loop.pass_time(1)
            for number, raw in self.newest.items():
                self.feed(number, raw)
        self.pass_time(0.5)
        assert self.site.is_quiescent

    def _expect(self, update: SiteUpdate) -> None:
        self.expected += update.edges

    def look(self) -> tuple[list[ZoneEdge], list[ZoneEdge]]:
        """Return what was told and what was expected since the last look."""
        told, expected = self.site.edges, self.expected
        self.site.updates.clear()
        self.expected = []
        return told, expected


def assert_same_but_for_repetition(told: ByZone, expected: ByZone) -> None:
    """Check the bound: a trouble that comes and goes often may be told as once."""
    assert told.keys() == expected.keys()
    for zone, kinds in told.items():
        wanted = expected[zone]
        assert len(kinds) <= len(wanted)
        assert kinds[0] is wanted[0]
        assert kinds[-1] is wanted[-1]
        assert all(one is not other for one, other in pairwise(kinds))


class AggregatorMachine(RuleBasedStateMachine):
    """Messages, losses and time in any order, in a site of any shape."""

    @initialize(
        nodes=st.sampled_from([DISTRIBUTED, SHARED]),
        job_bytes=st.sampled_from([1, 300, 10**6]),
    )
    def start(self, nodes: tuple[NodeConfig, ...], job_bytes: int) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(aggregator_module, "JOB_BYTES", job_bytes)
        self.is_shared = nodes is SHARED
        self.nodes = [config.node for config in nodes]
        self.both = Comparison(*nodes)

    @rule(number=st.integers(1, 3), raw=messages())
    def say(self, number: int, raw: bytes) -> None:
        """Any message of any node."""
        self.both.feed(self.nodes[number % len(self.nodes)], raw)

    @rule(
        number=st.integers(1, 3),
        raws=st.lists(messages(CALM_SEGMENTS), min_size=1, max_size=40),
        times=st.integers(1, 3),
    )
    def flood(self, number: int, raws: list[bytes], times: int) -> None:
        """Many messages of one node in one turn."""
        for raw in raws * times:
            self.both.feed(self.nodes[number % len(self.nodes)], raw)

    @rule()
    def turn(self) -> None:
        """The event loop goes on."""
        self.both.site.loop.turn()

    @rule(seconds=st.sampled_from([0.01, 0.05, 0.5, 50.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.both.pass_time(seconds)

    @rule(number=st.integers(1, 3))
    def lose(self, number: int) -> None:
        """A link ends."""
        self.both.lose(self.nodes[number % len(self.nodes)])

    @precondition(lambda self: self.both.executor.jobs)
    @rule(fails=st.booleans())
    def end_job(self, fails: bool) -> None:
        """The executor has done something."""
        if fails:
            self.both.executor.fail()
        else:
            self.both.executor.finish()

    @rule()
    def settle(self) -> None:
        """After all is said, both ways agree.

        Where several nodes report a module, it is a matter of order whose
        all-clear and troubles count, and order among nodes is not kept.
        """
        self.both.settle()
        truth = self.both.site.truth
        told, expected = self.both.look()
        for zone, kinds in by_zone(told, alarms=True).items():
            assert zone in self.both.seen_in_alarm
            assert all(one is not other for one, other in pairwise(kinds))
            assert (kinds[-1] is EdgeKind.ALARM) == truth.zones[zone].alarm
        if self.is_shared:
            return
        assert truth.zones == self.both.oracle.zones
        assert truth.modules == self.both.oracle.modules
        assert truth.summary() == self.both.oracle.summary()
        assert by_zone(told, alarms=True) == by_zone(expected, alarms=True)
        assert_same_but_for_repetition(
            by_zone(told, alarms=False), by_zone(expected, alarms=False)
        )

    @invariant()
    def alarms_are_not_late(self) -> None:
        """What is in alarm by the plain way is in alarm here, at any moment."""
        if hasattr(self, "both") and not self.is_shared:
            # An end may be one turn late, where a node lists a new module.
            expected = set(self.both.oracle.summary().in_alarm)
            assert expected <= set(self.both.site.truth.summary().in_alarm)

    def teardown(self) -> None:
        """Compare a last time."""
        if hasattr(self, "both"):
            self.settle()
            self.both.executor.close()
            self.patch.undo()


def test_any_history_ends_the_same() -> None:
    """See `AggregatorMachine`."""
    run_state_machine_as_test(
        AggregatorMachine,
        settings=settings(max_examples=150, stateful_step_count=30, deadline=None),
    )
