"""What single steps cost; `python -m benchmarks.guard` runs and judges them.

Every step is measured with the frame of one module and with that of 63. The
floor is a JSON parse of the same bytes in the same run.
"""

from collections.abc import Callable, Iterator
import json
import time
from typing import Final, Protocol

from homeassistant.core import HomeAssistant
import pytest

from benchmarks.aggregation import Scheduler, raw_message
from custom_components.esp32_fire_alarm.fleet.aggregator import MessageAggregator
from custom_components.esp32_fire_alarm.fleet.alarms import AlarmBook, BookCallbacks
from custom_components.esp32_fire_alarm.fleet.frame import decode
from custom_components.esp32_fire_alarm.fleet.glance import fingerprint
from custom_components.esp32_fire_alarm.fleet.health import HealthMonitor
from custom_components.esp32_fire_alarm.fleet.journal import OCCURRENCES_KEPT
from custom_components.esp32_fire_alarm.fleet.models import (
    DeviceAddress,
    DeviceFrame,
    NodeConfig,
)
from custom_components.esp32_fire_alarm.fleet.truth import SiteTruth
from tests.running_site import ALARM_LED, all_clear, distributed, frame, set_up

SHAPES: Final = {"one_module": 1, "63_modules": 63}

EPOCH: Final = 1_790_000_000.0


class Benchmark(Protocol):
    """The fixture that calls something often and takes its time."""

    def __call__(self, work: Callable[[], object]) -> object:
        """Measure `work`."""


@pytest.fixture(params=[*SHAPES.values()], ids=[*SHAPES])
def modules(request: pytest.FixtureRequest) -> int:
    """Return how many modules the frame has."""
    count: int = request.param
    return count


class Ticks:
    """A clock that is a second later whenever somebody asks, so nobody is throttled."""

    def __init__(self) -> None:
        """Begin at 0."""
        self._now = 0.0

    def __call__(self) -> float:
        """Return the next second."""
        self._now += 1.0
        return self._now


class Engine:
    """Everything behind the links of one node, without Home Assistant."""

    def __init__(self, modules: int) -> None:
        """Let the node have said that all is quiet."""
        self.clock = Ticks()
        config = NodeConfig(1, DeviceAddress("127.0.0.2"), tuple(range(1, modules + 1)))
        self.truth = SiteTruth([config], hold_seconds=45, now=0.0)
        self.aggregator = MessageAggregator(
            self.truth,
            HealthMonitor(self.clock, self.clock),
            now=self.clock,
            on_update=lambda update: None,
            scheduler=Scheduler(),
        )
        self.aggregator.feed(1, raw_message(modules))


def in_turn[Item](items: tuple[Item, ...]) -> Callable[[], Item]:
    """Return a function that returns the items one after the other, for ever."""

    def endless() -> Iterator[Item]:
        while True:
            yield from items

    return endless().__next__


def frames(modules: int) -> tuple[DeviceFrame, DeviceFrame]:
    """Return a frame with a trouble in module 1, and the quiet one after it."""
    return decode(raw_message(modules, trouble=1)), decode(raw_message(modules))


def test_floor(benchmark: Benchmark, modules: int) -> None:
    text = raw_message(modules).decode()
    parser = json.JSONDecoder(strict=False)
    benchmark(lambda: parser.decode(text))


def test_decode(benchmark: Benchmark, modules: int) -> None:
    raw = raw_message(modules)
    benchmark(lambda: decode(raw))


def test_fingerprint(benchmark: Benchmark, modules: int) -> None:
    raw = raw_message(modules)
    benchmark(lambda: fingerprint(raw))


def test_repeated_frame(benchmark: Benchmark, modules: int) -> None:
    engine = Engine(modules)
    raw = raw_message(modules)
    benchmark(lambda: engine.aggregator.feed(1, raw))


def test_alarm_frame(benchmark: Benchmark, modules: int) -> None:
    engine = Engine(modules)
    following = in_turn((raw_message(modules, alarm=1), raw_message(modules)))
    benchmark(lambda: engine.aggregator.feed(1, following()))


def test_merge_of_a_change(benchmark: Benchmark, modules: int) -> None:
    engine = Engine(modules)
    following = in_turn(frames(modules))
    benchmark(lambda: engine.truth.apply(1, following(), engine.clock()))


def test_book_takes_an_alarm(benchmark: Benchmark, modules: int) -> None:
    engine = Engine(modules)
    truth, clock = engine.truth, engine.clock
    book = AlarmBook(
        truth,
        now=clock,
        wall=lambda: EPOCH,
        callbacks=BookCallbacks(
            on_event=lambda event: None,
            on_update=lambda update: None,
            on_impaired=lambda: None,
            on_save=lambda is_urgent: None,
        ),
    )
    book.start_telling()
    # The log is full, as it is on a site that is in use for long.
    updates = tuple(
        truth.apply(1, decode(raw), clock())
        for raw in (raw_message(modules, alarm=1), raw_message(modules))
    )
    assert all(update.edges for update in updates)
    following = in_turn(updates)
    for _ in range(2 * OCCURRENCES_KEPT):
        book.take(following())
    benchmark(lambda: book.take(following()))


@pytest.mark.usefixtures("loopback")
async def test_entities_look_again(hass: HomeAssistant, benchmark: Benchmark) -> None:
    site = await set_up(hass, *distributed())
    await site.feed_all()
    coordinator = site.engine.coordinators[1]
    benchmark(coordinator.async_update_listeners)
    await site.remove()


@pytest.mark.usefixtures("loopback")
async def test_entities_show_an_alarm(
    hass: HomeAssistant, benchmark: Benchmark
) -> None:
    site = await set_up(hass, *distributed())
    await site.feed_all()
    truth, coordinator = site.engine.truth, site.engine.coordinators[1]
    raws = (frame("011F1F", master=ALARM_LED), all_clear([1]))
    following = in_turn(tuple(map(decode, raws)))

    def show() -> None:
        truth.apply(1, following(), time.monotonic())
        coordinator.async_update_listeners()

    benchmark(show)
    await site.remove()
