"""The log and the queue of what is told: complete, in order, bounded."""

import csv
import io

import orjson

from custom_components.esp32_fire_alarm.fleet.export import export_csv
from custom_components.esp32_fire_alarm.fleet.journal import OCCURRENCES_KEPT
from custom_components.esp32_fire_alarm.fleet.telling import (
    MAX_WAITING,
    EventKind,
    SiteEvent,
    Teller,
)

from .booked_site import (
    BookedSite,
    kinds,
    node,
)

ALARM = EventKind.ALARM


# Telling.


def test_an_event_out_of_an_event_waits_for_its_turn() -> None:
    told: list[EventKind] = []

    def tell(event: SiteEvent) -> None:
        if event.kind is ALARM:
            teller.put(SiteEvent(kind=EventKind.ACKNOWLEDGED, at=0))
            teller.put(SiteEvent(kind=EventKind.RESET, at=0))
        told.append(event.kind)

    teller = Teller(tell)
    teller.put(SiteEvent(kind=ALARM, at=0))
    teller.put(SiteEvent(kind=EventKind.BELL, at=0))
    teller.open()
    assert told == [ALARM, EventKind.BELL, EventKind.ACKNOWLEDGED, EventKind.RESET]


def test_all_that_came_at_once_waits_before_the_first_is_told() -> None:
    """Whoever acts on an alarm does so after those that came with it."""
    waiting: list[list[EventKind]] = []
    told: list[EventKind] = []

    def tell(event: SiteEvent) -> None:
        told.append(event.kind)
        waiting.append(kinds(list(teller.waiting)))
        if event.kind is ALARM:
            teller.put(SiteEvent(kind=EventKind.ACKNOWLEDGED, at=0))

    teller = Teller(tell)
    teller.open()
    teller.put(*(SiteEvent(kind=kind, at=0) for kind in (ALARM, EventKind.BELL)))
    assert told == [ALARM, EventKind.BELL, EventKind.ACKNOWLEDGED]
    assert waiting == [[EventKind.BELL], [EventKind.ACKNOWLEDGED], []]


def test_what_waits_is_bounded_and_alarms_are_kept() -> None:
    teller = Teller(lambda _: None)
    for at in range(315):
        teller.put(SiteEvent(kind=ALARM, at=at))
    for at in range(2 * MAX_WAITING):
        teller.put(SiteEvent(kind=EventKind.BELL, at=at))
    assert len(teller.waiting) == MAX_WAITING
    assert kinds(list(teller.waiting)).count(ALARM) == 315
    for at in range(2 * MAX_WAITING):
        teller.put(SiteEvent(kind=ALARM, at=at))
    assert len(teller.waiting) == MAX_WAITING


# The log.


def test_the_log_keeps_a_thousand_and_everything_that_stands() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010010")
    for _ in range(OCCURRENCES_KEPT):
        site.say(1, "010011")
        site.say(1, "010010")
    log = site.book.occurrences()
    assert len(log) == OCCURRENCES_KEPT
    assert log[0].zone == 5
    assert site.alarm_of(5)


def test_troubles_do_not_crowd_out_the_alarms() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    for _ in range(400):
        site.say(1, "010001")
        site.say(1, "010000")
    for _ in range(2 * OCCURRENCES_KEPT):
        site.say(1, "010100")
        site.say(1, "010000")
    log = site.book.occurrences()
    assert len(log) == OCCURRENCES_KEPT
    assert sum(one.is_fire for one in log) == 400


def test_the_log_as_csv() -> None:
    site = BookedSite(node(1, 1))
    site.say(1, "010000")
    site.say(1, "010003")
    site.book.acknowledge(None, "=Ann")
    table = export_csv(site.book.occurrences(), {1: "Lobby", 2: '+"x", y'})
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["name"] for row in rows] == ["Lobby", '\'+"x", y']
    assert rows[0]["zone"] == "1"
    assert rows[0]["raised"] == "2026-09-21T14:30:02.000+00:00"
    assert rows[0]["ended"] == ""
    assert rows[0]["acknowledged_by"] == "'=Ann"
    assert rows[1]["order"] == "2"
    assert rows[1]["latency_ms"] == "0.0"
    assert export_csv([]).count("\n") == 1


def test_a_memory_of_a_thousand_is_small() -> None:
    site = BookedSite(node(1, 1))
    for _ in range(OCCURRENCES_KEPT + 5):
        site.say(1, "010001")
        site.say(1, "010000")
    size = len(orjson.dumps(site.book.memory().to_json()))
    print(
        f"a memory of {len(site.book.occurrences())} occurrences: {size / 1e3:.0f} kB"
    )
    assert size < 1_000_000
