"""All 315 zones at once, in both layouts: nothing happens, or all of it does."""

import asyncio
from collections import Counter
from collections.abc import Callable
import math
from typing import Any

from homeassistant.const import EVENT_STATE_CHANGED, STATE_OFF, STATE_ON
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.esp32_fire_alarm.events import EVENT_FIRE_ALARM, SIGNAL_TOLD
from custom_components.esp32_fire_alarm.fleet.inbox import TELEMETRY_SECONDS
from custom_components.esp32_fire_alarm.fleet.models import NodeConfig, SiteUpdate
from custom_components.esp32_fire_alarm.fleet.telling import EventKind
from custom_components.esp32_fire_alarm.site import FireAlarmSite

from .running_site import (
    ALARM_LED,
    LeapingClock,
    RunningSite,
    WriteCounter,
    all_clear,
    bridge,
    distributed,
    frame,
    set_up,
)

pytestmark = pytest.mark.usefixtures("loopback")

ZONES = list(range(1, 316))
SECONDS = 60


@pytest.fixture(params=["distributed", "bridge"])
def nodes(request: pytest.FixtureRequest) -> list[NodeConfig]:
    """Return both layouts of 63 modules."""
    return distributed() if request.param == "distributed" else [bridge()]


class Effort:
    """What is done in vain while nothing changes."""

    def __init__(self, hass: HomeAssistant, patch: pytest.MonkeyPatch) -> None:
        """Count from now on what sites that are set up later do."""
        self.updates = 0
        self.jobs: list[Callable[..., object]] = []
        take = FireAlarmSite._on_update
        run = hass.loop.run_in_executor

        def count_update(site: FireAlarmSite, update: SiteUpdate) -> None:
            self.updates += 1
            take(site, update)

        def count_job(
            executor: None, job: Callable[..., object], *args: object
        ) -> asyncio.Future[object]:
            self.jobs.append(job)
            return run(executor, job, *args)

        patch.setattr(FireAlarmSite, "_on_update", count_update)
        patch.setattr(hass.loop, "run_in_executor", count_job)

    def start_over(self) -> None:
        """Forget what was done so far."""
        self.updates = 0
        self.jobs.clear()


class Happenings:
    """Every state and every event of a site, in the order in which they come."""

    def __init__(self, site: RunningSite) -> None:
        """Listen from now on."""
        self._zones = {
            site.entity_id("binary_sensor", f"zone_{zone}"): zone for zone in ZONES
        }
        self.states: list[tuple[int | str, str]] = []
        self.events: list[dict[str, Any]] = []
        self.first: object = None
        site.hass.bus.async_listen(EVENT_STATE_CHANGED, self._note_state)
        async_dispatcher_connect(site.hass, SIGNAL_TOLD, self._note_event)
        self.on_bus = async_capture_events(site.hass, EVENT_FIRE_ALARM)

    @property
    def has_begun(self) -> bool:
        """Tell whether anything happened."""
        return self.first is not None

    def start_over(self) -> None:
        """Forget what happened so far."""
        self.states.clear()
        self.events.clear()
        self.on_bus.clear()
        self.first = None

    def shown(self, state: str) -> list[int | str]:
        """Return the zones that went into a state, in their order."""
        return [
            who for who, now in self.states if isinstance(who, int) and now == state
        ]

    def told(self, kind: EventKind) -> list[int]:
        """Return the zones of which this was told, in their order."""
        return [one["zone"] for one in self.events if one["type"] == kind]

    @property
    def is_all_on_bus(self) -> bool:
        """Tell whether the same was told there, in the same order."""
        return [one.data for one in self.on_bus] == self.events

    @callback
    def _note_state(self, event: Event[Any]) -> None:
        new, old = event.data["new_state"], event.data["old_state"]
        who = self._zones.get(new.entity_id, new.entity_id)
        if old is None or new.state != old.state:
            self.states.append((who, new.state))
        self.first = self.first or (who, new.state)

    @callback
    def _note_event(self, event: Event[Any]) -> None:
        self.events.append(dict(event.data))
        self.first = self.first or event.data["type"]


@pytest.mark.usefixtures("every_entity")
async def test_a_steady_minute_costs_nothing(
    hass: HomeAssistant,
    clock: LeapingClock,
    nodes: list[NodeConfig],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No state of a zone, no update, no job; telemetry is read each half minute."""
    effort = Effort(hass, monkeypatch)
    site = await set_up(hass, *nodes)
    await site.feed_all()
    await site.wait_for_refusals()
    assert effort.updates
    assert effort.jobs
    zones = {
        site.entity_id("binary_sensor", f"zone_{zone}{kind}")
        for zone in ZONES
        for kind in ("", "_trouble")
    }
    writes = WriteCounter(hass)
    before = site.engine.aggregator.metrics
    effort.start_over()
    began = clock.now()
    for second in range(SECONDS):
        clock.ahead_seconds += 1
        for config in nodes:
            segments = [f"{module:02d}0000" for module in config.modules]
            steady = frame(
                *segments, timestamp=1000 * second, freeHeap=200_000 + second
            )
            site.engine.aggregator.feed(config.node, steady)
        await site.tick()
    after = site.engine.aggregator.metrics
    half_minutes = math.ceil((clock.now() - began) / TELEMETRY_SECONDS)
    assert zones.isdisjoint(writes.take())
    assert effort.updates == 0
    assert effort.jobs == []
    assert after.identical - before.identical == SECONDS * len(nodes)
    assert 1 <= (after.decoded - before.decoded) / len(nodes) <= half_minutes
    assert (after.batches, after.jobs) == (before.batches, before.jobs)


async def test_everything_in_alarm_and_restored(
    hass: HomeAssistant, nodes: list[NodeConfig]
) -> None:
    """Twice: 315 states and 315 events each way, in order, none lost, none doubled."""
    site = await set_up(hass, *nodes)
    await site.feed_all()
    happened = Happenings(site)
    seen: Counter[str] = Counter()
    for position in range(2):
        happened.start_over()
        trouble = 1 << position
        for config in nodes:
            # Troubles that came before wait; they must not come first.
            segments = [f"{module:02d}{trouble:02X}00" for module in config.modules]
            site.engine.aggregator.feed(config.node, frame(*segments))
        assert not happened.has_begun
        for config in nodes:
            segments = [f"{module:02d}{trouble:02X}1F" for module in config.modules]
            site.engine.aggregator.feed(config.node, frame(*segments, master=ALARM_LED))
        assert happened.first == (1, STATE_ON)
        assert happened.shown(STATE_ON) == ZONES
        assert happened.told(EventKind.ALARM) == ZONES
        alarms = [one for one in happened.events if one["type"] == EventKind.ALARM]
        assert [one["order"] for one in alarms] == ZONES
        assert [one["first"] for one in alarms] == [True] + [False] * 314
        seen.update(one["occurrence_id"] for one in alarms)
        await site.settle()
        assert happened.told(EventKind.ALARM) == happened.shown(STATE_ON) == ZONES
        assert happened.told(EventKind.TROUBLE) == ZONES[position::5]
        assert happened.is_all_on_bus
        assert site.value("zones_in_alarm") == "315"

        happened.start_over()
        for config in nodes:
            site.engine.aggregator.feed(config.node, all_clear(config.modules))
        await site.settle()
        assert happened.first == (1, STATE_OFF)
        assert happened.shown(STATE_OFF) == ZONES
        assert happened.told(EventKind.ALARM_RESTORED) == ZONES
        assert happened.told(EventKind.ALARM) == []
        assert happened.told(EventKind.TROUBLE_RESTORED) == ZONES[position::5]
        assert happened.is_all_on_bus
        assert site.is_on("fire_alarm") == STATE_OFF
        assert not site.engine.book.standing()
    assert len(seen) == 630
    assert max(seen.values()) == 1
