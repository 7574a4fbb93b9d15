"""Whatever happens in whatever order: an alarm is told once and never shown clear.

A state machine makes links come and go, frames say anything, Home Assistant
restart or crash, people reset, test and disable. It knows the wire and what was
told; what the truth makes of it has to fit.
"""

from collections import Counter

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from custom_components.esp32_fire_alarm.fleet.confirmation import (
    FIRST_KEPT_SECONDS,
    ConfirmationGroup,
)
from custom_components.esp32_fire_alarm.fleet.gather import UpdateGatherer
from custom_components.esp32_fire_alarm.fleet.impairment import RefusedError
from custom_components.esp32_fire_alarm.fleet.journal import OCCURRENCES_KEPT
from custom_components.esp32_fire_alarm.fleet.models import (
    DeviceFrame,
    LatchMode,
    module_of_zone,
    position_of_zone,
)
from custom_components.esp32_fire_alarm.fleet.occurrence import OccurrenceKind
from custom_components.esp32_fire_alarm.fleet.telling import (
    MAX_WAITING,
    EventKind,
    SiteEvent,
)
from custom_components.esp32_fire_alarm.fleet.word import MISSED_FRAMES

from .booked_site import ALARM_LED, DRILL_AND_ALARM, QUIET, BookedSite, frame, node

NODES = (node(1, 1), node(2, 2), node(3, 1, 2))
MODULES = {config.node: config.modules for config in NODES}
ZONES = (1, 2, 6, 7)
GROUP = ConfirmationGroup("Both", frozenset({1, 6}), delay_seconds=30)

RAISED = {EventKind.ALARM, EventKind.WALK_TEST, EventKind.DISABLED_ZONE_ALARM}

numbers = st.sampled_from(sorted(MODULES))
some_zones = st.sets(st.sampled_from(ZONES), min_size=1)
masters = st.sampled_from((QUIET, QUIET, ALARM_LED, DRILL_AND_ALARM, ""))
# Per module: out of the frame, offline, or two zones' alarm and trouble bits.
words = st.one_of(
    st.just(None), st.just(""), st.tuples(st.integers(0, 3), st.integers(0, 3))
)
frames = st.tuples(masters, words, words)
type Word = tuple[int, int] | str | None
type Spoken = tuple[str, Word, Word]


class AlarmMachine(RuleBasedStateMachine):
    """One site, three nodes: two with a module each and one with both."""

    @initialize(latch=st.sampled_from(LatchMode), is_heard=st.booleans())
    def start(self, latch: LatchMode, is_heard: bool) -> None:
        self.site = BookedSite(*NODES, latch=latch, groups=[GROUP], is_heard=is_heard)
        self.told: list[SiteEvent] = []
        self.known: set[str] = set()
        self.step = 0
        self.cried_at: dict[int, int] = {}
        self.denied_at: dict[int, int] = {}
        self.missed: Counter[tuple[int, int]] = Counter()
        self.present_words: dict[tuple[int, int], bool | None] = {}

    # What happens.

    @rule(number=numbers, spoken=frames)
    def frame_comes(self, number: int, spoken: Spoken) -> None:
        self._send(number, [spoken])

    @rule(number=numbers, batch=st.lists(frames, min_size=2, max_size=6))
    def flood_comes(self, number: int, batch: list[Spoken]) -> None:
        self._send(number, batch)

    @rule(number=numbers, quiet=st.booleans())
    def all_is_well(self, number: int, quiet: bool) -> None:
        """Let calm be frequent enough for alarms to end."""
        master = QUIET if quiet else ALARM_LED
        self._send(number, [(master, (0, 0), (0, 0))])

    @rule(number=numbers)
    def link_is_lost(self, number: int) -> None:
        raised = self._raised()
        self.site.lose(number)
        self._forget_words(number)
        assert self._raised() == raised

    @rule(seconds=st.sampled_from((0.5, 31.0, 46.0, 61.0, 2 * FIRST_KEPT_SECONDS)))
    def time_passes(self, seconds: float) -> None:
        self.step += 1
        for (_, zone), word in self.present_words.items():
            # Whoever is there goes on saying what it said.
            if word is not None:
                (self.cried_at if word else self.denied_at)[zone] = self.step
        self.site.wait(seconds)

    @rule(
        is_heard=st.booleans(),
        after_crash=st.booleans(),
        down=st.sampled_from((1.0, 3600.0)),
    )
    def home_assistant_restarts(
        self, is_heard: bool, after_crash: bool, down: float
    ) -> None:
        shown = self._shown()
        standing = self._standing_ids()
        self.told += self.site.events
        self.site = self.site.restart(
            down_seconds=down, is_heard=is_heard, after_crash=after_crash
        )
        for number in MODULES:
            self._forget_words(number)
        assert self._shown() == shown
        assert self._standing_ids() == standing

    @rule()
    def home_assistant_has_started(self) -> None:
        self.site.book.start_telling()

    @rule(chosen=st.one_of(st.none(), some_zones))
    def somebody_resets(self, chosen: set[int] | None) -> None:
        shown = self._shown()
        self.site.book.reset(chosen, "Ann")
        # Who resets an alarm answers for its being over.
        for zone in shown - self._shown():
            self.denied_at[zone] = self.step

    @rule(chosen=st.one_of(st.none(), some_zones))
    def somebody_acknowledges(self, chosen: set[int] | None) -> None:
        self.site.book.acknowledge(chosen, "Ann")

    @rule(chosen=some_zones, seconds=st.sampled_from((10.0, 600.0)))
    def walk_test_begins(self, chosen: set[int], seconds: float) -> None:
        burning = {
            one.zone for one in self.site.book.standing() if one.is_fire
        } & chosen
        try:
            self.site.book.start_test(chosen, "Ann", self.site.wall + seconds)
        except RefusedError:
            assert burning
        else:
            assert not burning

    @rule(chosen=st.one_of(st.none(), some_zones))
    def walk_test_ends(self, chosen: set[int] | None) -> None:
        self.site.book.stop_test(chosen, "Ann")

    @rule(zone=st.sampled_from(ZONES), on=st.booleans())
    def zone_is_disabled_or_enabled(self, zone: int, on: bool) -> None:
        if on:
            self.site.book.disable([zone], "Ann", "wet", self.site.wall + 600)
        else:
            self.site.book.enable([zone], "Ann")

    # What has to be so.

    @invariant()
    def book_and_truth_agree(self) -> None:
        standing = [
            one.zone
            for one in self.site.book.standing()
            if one.kind is OccurrenceKind.ALARM
        ]
        assert set(standing) == self._shown()
        assert len(standing) == len(set(standing))

    @invariant()
    def nothing_is_told_twice(self) -> None:
        self.known |= {one.id for one in self.site.book.occurrences()}
        told = Counter(
            (event.kind in RAISED, event.occurrence.id)
            for event in self._all_events()
            if event.occurrence is not None
            and event.occurrence.kind is OccurrenceKind.ALARM
        )
        assert not told or max(told.values()) == 1
        assert {found for _, found in told} <= self.known

    @invariant()
    def nobody_shows_clear_what_was_last_said_to_be_in_alarm(self) -> None:
        for zone in ZONES:
            state = self.site.truth.zones[zone]
            if state.alarm or not state.available:
                continue
            present = {
                word
                for (_, said_of), word in self.present_words.items()
                if said_of == zone
            }
            assert True not in present
            if False not in present:
                # Nobody speaks at the moment: the last word was a clear.
                assert self.denied_at.get(zone, 0) >= self.cried_at.get(zone, 0)

    @invariant()
    def fires_are_in_order(self) -> None:
        orders = [one.order for one in self.site.book.standing() if one.is_fire]
        assert None not in orders
        assert orders == sorted(set(orders), key=lambda order: order or 0)

    @invariant()
    def what_counts_as_fire_is_fire(self) -> None:
        if any(one.is_fire for one in self.site.book.standing()):
            assert self.site.fire

    @invariant()
    def nothing_grows_without_bound(self) -> None:
        book = self.site.book
        around = book._surroundings
        assert len(book.occurrences()) <= OCCURRENCES_KEPT
        assert len(book._teller.waiting) <= MAX_WAITING
        assert len(book.impairments()) <= 2 * len(ZONES)
        assert len(around.lost) + len(around.lamps) + len(around._heard) <= 9
        assert all(len(one.alarms) <= 2 for one in book._confirmation._watches)

    def teardown(self) -> None:
        """Let all be heard: then every alarm there ever was must have been told."""
        if not hasattr(self, "site"):
            return
        self.nothing_is_told_twice()
        self.site.book.start_telling()
        raised = {
            event.occurrence.id
            for event in (*self.told, *self.site.events)
            if event.kind in RAISED and event.occurrence is not None
        }
        alarms = {
            one.id
            for one in self.site.book.occurrences()
            if one.kind is OccurrenceKind.ALARM
        }
        assert alarms <= raised

    # How it is done.

    def _send(self, number: int, batch: list[Spoken]) -> None:
        """Send frames that are merged into one update; every alarm makes an event."""
        expected: Counter[int] = Counter()
        before = self._raised()
        update = UpdateGatherer()
        self.site.now += 1
        for spoken in batch:
            decoded = _frame_of(number, spoken)
            self.step += 1
            cried = _alarms_in(decoded)
            expected.update(cried - self._shown())
            for zone in ZONES:
                self._note_word(number, zone, decoded)
            update.add(self.site.truth.apply(number, decoded, self.site.now))
        self.site.book.take(update.finish())
        assert self._raised() - before == expected

    def _note_word(self, number: int, zone: int, decoded: DeviceFrame) -> None:
        """Remember what a frame says of a zone; left out of three, it is nothing."""
        missed = self.missed[number, zone] + 1
        if (state := decoded.modules.get(module_of_zone(zone))) is not None:
            missed = 0
            word = zone in _alarms_in(decoded) if state.online else None
            self.present_words[number, zone] = word
            if word is not None:
                (self.cried_at if word else self.denied_at)[zone] = self.step
        elif missed >= MISSED_FRAMES:
            self.present_words.pop((number, zone), None)
        self.missed[number, zone] = missed

    def _forget_words(self, number: int) -> None:
        """What a lost node said is no present word."""
        for zone in ZONES:
            self.present_words.pop((number, zone), None)

    def _shown(self) -> set[int]:
        """Return the zones shown in alarm."""
        return {zone.zone for zone in self.site.truth.zones.values() if zone.alarm}

    def _standing_ids(self) -> set[str]:
        return {
            one.id
            for one in self.site.book.standing()
            if one.kind is OccurrenceKind.ALARM
        }

    def _all_events(self) -> list[SiteEvent]:
        """Return every event of all runs, those included that still wait."""
        return [*self.told, *self.site.events, *self.site.book._teller.waiting]

    def _raised(self) -> Counter[int]:
        """Return how often each zone's alarm was told."""
        return Counter(
            event.occurrence.zone
            for event in self._all_events()
            if event.kind in RAISED and event.occurrence is not None
        )


def _frame_of(number: int, spoken: Spoken) -> DeviceFrame:
    """Return the frame that a node sends."""
    master, *words_of = spoken
    segments = []
    for module, word in zip((1, 2), words_of, strict=True):
        if word is None or module not in MODULES[number]:
            continue
        bits = "" if isinstance(word, str) else f"{word[1]:02X}{word[0]:02X}"
        segments.append(f"{module:02d}{bits}")
    return frame(*(segments or [f"{MODULES[number][0]:02d}"]), master=master)


def _alarms_in(decoded: DeviceFrame) -> set[int]:
    """Return the zones that a frame says are in alarm."""
    return {
        zone
        for zone in ZONES
        if (state := decoded.modules.get(module_of_zone(zone))) is not None
        and state.alarm >> (position_of_zone(zone) - 1) & 1
    }


TestAlarmMachine = AlarmMachine.TestCase
TestAlarmMachine.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None
)
