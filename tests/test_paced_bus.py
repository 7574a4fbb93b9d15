"""A burst of events goes on the bus in portions: all of them, each once, in order."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.esp32_fire_alarm.fleet.telling import EventKind
from custom_components.esp32_fire_alarm.paced_bus import (
    MAX_WAIT_SECONDS,
    MAX_WAITING,
    PORTION,
    PORTION_SECONDS,
    PacedBus,
)

ALARM = EventKind.ALARM
TROUBLE = EventKind.TROUBLE
NAME = "something_happened"

type Happening = tuple[EventKind, int]


def happenings(kind: EventKind, numbers: Iterable[int]) -> list[Happening]:
    """Return what so many events of a kind are heard as."""
    return [(kind, number) for number in numbers]


class Street:
    """A paced bus, and somebody who listens to all that comes."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with an empty one."""
        self.hass = hass
        self.late: list[bool] = []
        self.now = hass.loop.time() + 1
        self.bus = PacedBus(hass, self._note_late)
        self.came: list[Happening] = []
        self.answer: Callable[[Happening], None] = lambda _: None
        hass.bus.async_listen(NAME, self._hear)

    @callback
    def _note_late(self, is_urgent: bool) -> None:
        self.late.append(is_urgent)

    @callback
    def _hear(self, event: Event[dict[str, Any]]) -> None:
        self.came.append((event.data["type"], event.data["number"]))
        self.answer(self.came[-1])

    def put(self, kind: EventKind, numbers: Iterable[int], **more: Any) -> None:
        """Let events happen, all in one moment."""
        with patch.object(self.hass.loop, "time", return_value=self.now):
            for number in numbers:
                data = {"type": kind, "number": number, **more}
                self.bus.async_put(Event(NAME, data))

    def pass_portion(self) -> None:
        """Let so much time pass that the next portion may go."""
        self.now += PORTION_SECONDS
        with patch.object(self.hass.loop, "time", return_value=self.now):
            soon = dt_util.utcnow() + timedelta(seconds=5)
            async_fire_time_changed(self.hass, soon, fire_all=True)

    def take(self) -> list[Happening]:
        """Return what came since the last call."""
        came, self.came = self.came, []
        return came


@pytest.fixture
def street(hass: HomeAssistant) -> Street:
    """Return a paced bus with a listener."""
    return Street(hass)


async def test_a_burst_goes_in_portions(street: Street) -> None:
    street.put(ALARM, range(315))
    assert street.take() == happenings(ALARM, range(PORTION))
    began, came = street.now, []
    while waiting := len(street.bus.waiting):
        street.pass_portion()
        portion = street.take()
        assert len(portion) == min(PORTION, waiting)
        came += portion
        assert [one.data["number"] for one in street.bus.waiting] == list(
            range(PORTION + len(came), 315)
        )
    assert came == happenings(ALARM, range(PORTION, 315))
    assert street.now - began == pytest.approx(31 * PORTION_SECONDS)
    assert street.late == [True] * 31
    street.pass_portion()
    assert street.take() == []
    assert len(street.late) == 31


async def test_what_is_no_burst_never_waits(street: Street) -> None:
    for _ in range(50):
        street.put(ALARM, range(PORTION))
        street.put(TROUBLE, range(PORTION))
        assert street.take() == [
            *happenings(ALARM, range(PORTION)),
            *happenings(TROUBLE, range(PORTION)),
        ]
        street.now += 1.01 * PORTION_SECONDS
    assert not street.late


async def test_a_busy_loop_has_no_second_portion_without_a_turn(
    street: Street,
) -> None:
    street.put(ALARM, range(PORTION + 1))
    street.now += 10 * PORTION_SECONDS
    street.put(ALARM, range(PORTION + 1, 2 * PORTION))
    assert len(street.take()) == PORTION
    street.pass_portion()
    assert street.take() == happenings(ALARM, range(PORTION, 2 * PORTION))


async def test_an_alarm_waits_for_other_alarms_only(street: Street) -> None:
    street.put(TROUBLE, range(50))
    assert len(street.take()) == PORTION
    street.put(ALARM, [1])
    assert street.take() == [*happenings(TROUBLE, range(PORTION, 50)), (ALARM, 1)]


@pytest.mark.parametrize("kind", [EventKind.CONFIRMED_ALARM, EventKind.RESET])
async def test_a_confirmed_alarm_and_what_people_do_wait_for_nothing(
    street: Street, kind: EventKind
) -> None:
    street.put(ALARM, range(100))
    street.put(kind, [1], zones=[1])
    street.put(ALARM, range(100, 200))
    assert street.take() == [*happenings(ALARM, range(100)), (kind, 1)]
    street.bus.async_close()
    assert street.take() == happenings(ALARM, range(100, 200))


@pytest.mark.parametrize("kind", [EventKind.WALK_TEST, EventKind.DISABLED_ZONE_ALARM])
async def test_what_was_written_at_once_is_so_again(
    street: Street, kind: EventKind
) -> None:
    street.put(kind, range(PORTION + 1))
    street.pass_portion()
    assert street.late == [True]


async def test_what_is_put_while_another_one_goes_is_late(street: Street) -> None:
    """Somebody may have written meanwhile that it is not on the bus."""
    street.answer = lambda one: street.put(ALARM, [2]) if one[1] == 1 else None
    street.put(TROUBLE, [1])
    assert street.take() == [(TROUBLE, 1), (ALARM, 2)]
    assert street.late == [True]


async def test_an_alarm_behind_others_goes_with_the_next_portion(
    street: Street,
) -> None:
    street.put(ALARM, range(PORTION))
    street.put(TROUBLE, range(50))
    street.put(ALARM, [PORTION])
    assert street.take() == [
        *happenings(ALARM, range(PORTION)),
        *happenings(TROUBLE, range(PORTION)),
    ]
    street.pass_portion()
    assert street.take() == [
        *happenings(TROUBLE, range(PORTION, 50)),
        (ALARM, PORTION),
    ]


async def test_alarms_that_went_hurry_nobody_any_more(street: Street) -> None:
    street.put(ALARM, range(PORTION + 5))
    street.pass_portion()
    street.now += PORTION_SECONDS
    street.take()
    street.put(TROUBLE, range(50))
    assert len(street.take()) == PORTION
    assert street.late == [True]
    street.bus.async_close()
    assert street.late == [True, False]


async def test_what_waits_is_bounded_and_nothing_is_dropped(street: Street) -> None:
    street.put(TROUBLE, range(3 * MAX_WAITING))
    assert len(street.bus.waiting) == MAX_WAITING
    assert street.take() == happenings(TROUBLE, range(2 * MAX_WAITING))
    street.bus.async_close()
    assert street.take() == happenings(TROUBLE, range(2 * MAX_WAITING, 3 * MAX_WAITING))


async def test_a_loop_that_is_late_makes_nobody_wait_longer(street: Street) -> None:
    street.put(ALARM, range(100))
    street.now += MAX_WAIT_SECONDS
    street.put(ALARM, range(100, 200))
    assert street.take() == happenings(ALARM, range(100))
    street.bus.async_close()


async def test_closed_it_makes_nobody_wait(street: Street) -> None:
    street.put(ALARM, range(100))
    street.bus.async_close()
    assert street.take() == happenings(ALARM, range(100))
    assert street.late == [True]
    street.put(TROUBLE, range(100))
    assert len(street.take()) == 100
    street.bus.async_close()
    assert street.late == [True]


async def test_what_comes_out_of_an_event_waits_for_its_turn(street: Street) -> None:
    """Also if the bus is closed by whoever hears one."""

    def answer(happened: Happening) -> None:
        if happened == (ALARM, PORTION + 1):
            street.put(TROUBLE, [1])
        elif happened == (ALARM, 2 * PORTION + 1):
            street.bus.async_close()

    street.answer = answer
    street.put(ALARM, range(100))
    street.pass_portion()
    street.pass_portion()
    assert street.take() == [*happenings(ALARM, range(100)), (TROUBLE, 1)]
    assert not street.bus.waiting
    assert street.late == [True, True]
