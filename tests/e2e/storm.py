"""An alarm storm that knows what Home Assistant owes: who rings, and how often.

A pulse is one alarm of one zone on the wire, from its input becoming active to
the reset of its panel. Panels latch: an input that is normal again leaves the
zone in alarm until the reset. What Home Assistant has written is never taken
back by the storm before it could be known, so that every number below is exact.

The one window: what was told in the last moments before a kill and not yet
written, or written as not on the bus yet, is told again afterwards, as found.
Nothing else is told twice.
"""

from dataclasses import dataclass, field
import json
from pathlib import Path
from random import Random
from typing import Any

from sim.fleet import SimulatedFleet
from sim.node import Node

ZONES_PER_NODE = 5
MOST_STANDING = 0.6
"""Share of the zones that the storm holds in alarm at most."""

MOST_PULSES = 600
"""So that the log of 1,000 never drops one that is looked for."""


@dataclass(slots=True)
class Pulse:
    """One alarm of one zone, and what was told of it.

    `ids` are the occurrences it was told as, `ends` how often its end was told;
    `may_ring` and `may_end` are how often they have to be.
    """

    zone: int
    ids: list[str] = field(default_factory=list)
    orders: list[int] = field(default_factory=list)
    ends: int = 0
    may_ring: int = 1
    may_end: int = 1
    is_burning: bool = True
    is_reset: bool = False

    @property
    def is_told(self) -> bool:
        """Tell whether everything that is true of it was told."""
        is_end_told = not self.is_reset or self.ends >= self.may_end
        return len(self.ids) >= self.may_ring and is_end_told


class Book:
    """What is on disk of a site's alarm book."""

    def __init__(self, path: Path) -> None:
        """Look at the file of one config entry."""
        self._path = path

    def read(self) -> dict[str, dict[str, Any]]:
        """Return the fire alarms on disk, oldest first, by their ids."""
        if not self._path.exists():
            return {}
        return {
            one["id"]: one
            for one in self._data()["occurrences"]
            if one["kind"] == "alarm"
        }

    def untold(self) -> set[tuple[str, str]]:
        """Return what is to be told, by ids and kinds, if one believes the disk."""
        if not self._path.exists():
            return set()
        return {(one["id"], one["kind"]) for one in self._data()["untold"]}

    def _data(self) -> Any:
        """Return what is in the file."""
        return json.loads(self._path.read_bytes())["data"]


class Ear:
    """Reads what the event recorder wrote, and only what is new."""

    def __init__(self, path: Path) -> None:
        """Begin at the start of the file."""
        self._path = path
        self._place = 0

    def hear(self) -> list[dict[str, Any]]:
        """Return the events told since the last call."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._place)
            lines = file.read()
        whole = lines[: lines.rfind(b"\n") + 1]
        self._place += len(whole)
        return [json.loads(line) for line in whole.splitlines()]


class Storm:
    """Raises and ends alarms at random, and counts what is told of them."""

    def __init__(
        self, fleet: SimulatedFleet, chance: Random, ear: Ear, book: Book
    ) -> None:
        """Start quiet."""
        self._fleet = fleet
        self._chance = chance
        self._ear = ear
        self._book = book
        self.pulses: list[Pulse] = []
        self._current: dict[int, Pulse] = {}
        self.told_again = 0
        self.strange: list[str] = []
        """Events that fit no pulse: told too often, or of a zone that is quiet."""

    # What happens on the wire.

    def step(self) -> None:
        """Do one thing: a new alarm, an input back to normal, or a reset."""
        self.listen()
        dice = self._chance.random()
        if dice < 0.6:
            self._ring()
        elif dice < 0.85:
            self._calm_input()
        else:
            self._reset_panel()

    def standing(self) -> list[int]:
        """Return the zones (1-315) that have to be shown in alarm."""
        return sorted(one.zone for one in self._current.values() if not one.is_reset)

    def _ring(self) -> None:
        """Put a quiet zone in alarm."""
        zones = range(1, ZONES_PER_NODE * len(self._fleet.nodes) + 1)
        is_enough = len(self.standing()) >= MOST_STANDING * len(zones)
        if is_enough or len(self.pulses) >= MOST_PULSES:
            return
        book = self._book.read()
        zone = self._chance.choice(zones)
        if not self._is_closed(self._current.get(zone), book) or any(
            # A lamp that is lit again before anybody saw it dark was never out.
            one.is_reset and not self._is_closed(one, book)
            for one in self._neighbours(zone)
        ):
            return
        pulse = self._current[zone] = Pulse(zone)
        self.pulses.append(pulse)
        self._fleet.alarm(zone)

    def _calm_input(self) -> None:
        """Make an input normal; its panel's latch keeps the zone in alarm."""
        book = self._book.read()
        burning = [
            one
            for one in self._current.values()
            if one.is_burning and one.ids and one.ids[-1] in book
        ]
        if burning:
            pulse = self._chance.choice(burning)
            pulse.is_burning = False
            self._fleet.clear(pulse.zone)

    def _reset_panel(self) -> None:
        """Press the reset key of a panel none of whose inputs is active."""
        node: Node = self._chance.choice(self._fleet.nodes)
        first = (node.panel.modules[0] - 1) * ZONES_PER_NODE + 1
        latched = [one for one in self._neighbours(first) if not one.is_reset]
        if latched and not any(one.is_burning for one in latched):
            for one in latched:
                one.is_reset = True
            node.panel.reset()
            node.hurry()

    def _neighbours(self, zone: int) -> list[Pulse]:
        """Return the latest alarms of the zones on the node of `zone` (1-315)."""
        first = (zone - 1) // ZONES_PER_NODE * ZONES_PER_NODE + 1
        zones = range(first, first + ZONES_PER_NODE)
        return [self._current[one] for one in zones if one in self._current]

    @staticmethod
    def _is_closed(pulse: Pulse | None, book: dict[str, dict[str, Any]]) -> bool:
        """Tell whether the end of a zone's last alarm is known and written."""
        if pulse is None:
            return True
        entry = book.get(pulse.ids[-1]) if pulse.ids else None
        is_written = entry is not None and entry["ended_at"] is not None
        return pulse.is_reset and pulse.is_told and is_written

    # What is heard of it.

    def listen(self) -> int:
        """Take in what was told since the last time; return how much that was."""
        events = self._ear.hear()
        for event in events:
            if event["type"] == "alarm":
                self._hear_alarm(event)
            elif event["type"] == "alarm_restored":
                self._hear_end(event)
        return len(events)

    def _hear_alarm(self, event: dict[str, Any]) -> None:
        pulse = self._current.get(event["zone"])
        if pulse is None or len(pulse.ids) >= pulse.may_ring:
            self.strange.append(f"alarm of zone {event['zone']} not expected: {event}")
            return
        if pulse.ids and not event["found_on_resync"]:
            self.strange.append(f"told again, but not as found: {event}")
        pulse.ids.append(event["occurrence_id"])
        pulse.orders.append(event["order"])

    def _hear_end(self, event: dict[str, Any]) -> None:
        pulse = self._current.get(event["zone"])
        if pulse is None or not pulse.is_reset or pulse.ends >= pulse.may_end:
            self.strange.append(f"end of zone {event['zone']} not expected: {event}")
            return
        pulse.ends += 1

    def note_kill(self) -> dict[str, dict[str, Any]]:
        """Work out what the kill makes Home Assistant tell again; return the book.

        To be called when the process is dead: nothing is written any more.
        """
        self.listen()
        book, untold = self._book.read(), self._book.untold()
        for pulse in self._current.values():
            if not pulse.ids:
                continue
            one = pulse.ids[-1]
            written = book.get(one)
            if written is None or (one, "alarm") in untold:
                pulse.may_ring = len(pulse.ids) + 1
                self.told_again += 1
            if pulse.ends and written is not None:
                if written["ended_at"] is None or (one, "alarm_restored") in untold:
                    pulse.may_end = pulse.ends + 1
                    self.told_again += 1
        return book

    # What it comes to.

    def is_told(self) -> bool:
        """Tell whether nothing is owed any more."""
        self.listen()
        return all(pulse.is_told for pulse in self._current.values())

    def complaints(self, before: dict[str, dict[str, Any]]) -> list[str]:
        """Return everything that is wrong with the book after a restart.

        `before` is what was on disk when the process was killed.
        """
        book = self._book.read()
        wrong = list(self.strange)
        wrong += [f"not told: {pulse}" for pulse in self.pulses if not pulse.is_told]
        for pulse in self.pulses:
            entries = [book[one] for one in dict.fromkeys(pulse.ids) if one in book]
            if len(entries) != 1:
                wrong.append(f"{len(entries)} occurrences of {pulse}")
            elif (entries[0]["ended_at"] is None) is pulse.is_reset:
                wrong.append(f"stands or not: {entries[0]}, {pulse}")
        known = {one for pulse in self.pulses for one in pulse.ids}
        wrong += [f"from nowhere: {book[one]}" for one in book.keys() - known]
        wrong += _changes(before, book)
        return wrong + _disorder(book)


def _changes(
    before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]
) -> list[str]:
    """Return what a restart must not have changed, and did."""
    kept = ("zone", "raised_at", "order", "source")
    acts = ("acknowledged_at", "acknowledged_by")
    wrong = []
    for one, entry in before.items():
        now = after.get(one)
        fields = (*kept, *(acts if entry["acknowledged_at"] else ()))
        if now is None or any(now[name] != entry[name] for name in fields):
            wrong.append(f"changed by the restart: {entry} is {now}")
    if list(before) != [one for one in after if one in before]:
        wrong.append("the order of the log is another one")
    return wrong


def _disorder(book: dict[str, dict[str, Any]]) -> list[str]:
    """Return where the places of alarms, first to last, do not count up."""
    wrong = []
    before = 0
    for entry in book.values():
        if entry["order"] not in (before + 1, 1):
            wrong.append(f"place {entry['order']} follows {before}: {entry}")
        before = entry["order"]
    return wrong
