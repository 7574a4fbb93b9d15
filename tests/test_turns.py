"""Much at once is shown a little at a time, and an alarm never waits for it."""

import asyncio
import logging
from typing import Any, ClassVar, override

from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.esp32_fire_alarm import binary_sensor
from custom_components.esp32_fire_alarm.binary_sensor import ZoneBinarySensor
from custom_components.esp32_fire_alarm.coordinator import LOOKS_PER_TURN
from custom_components.esp32_fire_alarm.events import EVENT_FIRE_ALARM
from custom_components.esp32_fire_alarm.fleet.models import SiteUpdate
from custom_components.esp32_fire_alarm.fleet.telling import EventKind

from .running_site import (
    ALARM_LED,
    ALL_MODULES,
    LeapingClock,
    RunningSite,
    WriteCounter,
    all_clear,
    bridge,
    distributed,
    frame,
    node,
    set_up,
)

pytestmark = pytest.mark.usefixtures("loopback")

HOLD_SECONDS = 45.0
SITE_ENTITIES = 8
"""More than that many sensors of the whole site never change with one step."""


async def written_by_turn(site: RunningSite, writes: WriteCounter) -> list[list[str]]:
    """Return which states are written, turn by turn, until nothing is left to do."""
    turns = [writes.take()]
    while site.engine._notifier.is_busy:
        await asyncio.sleep(0)
        turns.append(writes.take())
    return turns


def alarms_in(told: list[Event[Any]]) -> list[int]:
    """Return the zones whose alarm was told."""
    return [one.data["zone"] for one in told if one.data["type"] == EventKind.ALARM]


class TroubledZone(ZoneBinarySensor):
    """A zone that can be made to fail."""

    failing: ClassVar[set[int]] = set()

    @property
    @override
    def is_on(self) -> bool | None:
        """Fail if this is a failing zone."""
        if self._zone in self.failing:
            raise RuntimeError("no state today")
        return super().is_on


async def test_a_bridge_is_shown_a_little_at_a_time(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    """Lost, given up and back: each in turns of bounded size, and nothing left out."""
    site = await set_up(hass, bridge())
    await site.feed_all()
    writes = WriteCounter(hass)

    site.engine.aggregator.lose(1)
    turns = await written_by_turn(site, writes)
    assert sum(map(len, turns)) >= 315
    assert max(map(len, turns)) <= LOOKS_PER_TURN
    assert all(site.has(zone, "held") for zone in range(1, 316))

    clock.ahead_seconds = HOLD_SECONDS + 1
    site.engine.aggregator.tick()
    turns = await written_by_turn(site, writes)
    assert sum(map(len, turns)) >= 315 + 63
    assert max(map(len, turns)) <= LOOKS_PER_TURN
    assert site.census() == (0, 0, 315)

    site.engine.aggregator.feed(1, all_clear(ALL_MODULES))
    turns = await written_by_turn(site, writes)
    assert sum(map(len, turns)) >= 315 + 63
    assert max(map(len, turns)) <= LOOKS_PER_TURN
    assert site.census() == (0, 315, 0)


async def test_all_links_lost_in_one_turn(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    """What concerns the site is shown at once, the nodes' part a little at a time."""
    site = await set_up(hass, *distributed())
    await site.feed_all()
    writes = WriteCounter(hass)
    for number in ALL_MODULES:
        site.engine.aggregator.lose(number)
    turns = await written_by_turn(site, writes)
    assert len(turns[0]) <= SITE_ENTITIES * 63
    assert max(map(len, turns[1:])) <= LOOKS_PER_TURN
    assert all(site.has(zone, "held") for zone in range(1, 316))

    clock.ahead_seconds = HOLD_SECONDS + 1
    site.engine.aggregator.tick()
    turns = await written_by_turn(site, writes)
    assert len(turns[0]) <= SITE_ENTITIES
    assert max(map(len, turns[1:])) <= LOOKS_PER_TURN
    assert site.census() == (0, 0, 315)


async def test_an_alarm_does_not_wait_for_a_bridge_that_is_lost(
    hass: HomeAssistant,
) -> None:
    """It is shown and told in its own turn, between two turns of the loss."""
    site = await set_up(hass, node(1, *range(1, 63)), node(63))
    await site.feed_all()
    told = async_capture_events(hass, EVENT_FIRE_ALARM)
    site.engine.aggregator.lose(1)
    await asyncio.sleep(0)
    assert [site.has(zone, "held") for zone in (1, 310)] == [True, False]
    site.engine.aggregator.feed(63, frame("630001", master=ALARM_LED))
    assert site.zone(311).state == STATE_ON
    assert alarms_in(told) == [311]
    assert not site.has(310, "held")
    await site.settle()
    assert site.has(310, "held")


async def test_zones_in_alarm_come_first(hass: HomeAssistant) -> None:
    """Then all other zones, and only then what else there is to show."""
    site = await set_up(hass, bridge())
    await site.feed_all()
    burning = (17, 300)
    await site.feed(1, frame("040002", "600010", master=ALARM_LED))
    assert site.zones(STATE_ON) == list(burning)
    writes = WriteCounter(hass)
    site.engine.aggregator.lose(1)
    turns = await written_by_turn(site, writes)
    zones = [site.entity_id("binary_sensor", f"zone_{zone}") for zone in range(1, 316)]
    written = [entity_id for turn in turns[1:] for entity_id in turn]
    assert written[:2] == [zones[16], zones[299]]
    assert set(written[:315]) == set(zones)
    assert not set(written[315:]) & set(zones)


async def test_an_alarm_writes_its_zone_and_nothing_before_it(
    hass: HomeAssistant,
) -> None:
    """The lamps of its panel and all else of its node follow a turn later."""
    site = await set_up(hass, bridge())
    await site.feed_all()
    writes = WriteCounter(hass)
    site.engine.aggregator.feed(1, frame("600030", master=ALARM_LED))
    zone = site.entity_id("binary_sensor", "zone_300")
    lamp = site.entity_id("binary_sensor", "node_1_led_alarm")
    bell = site.entity_id("binary_sensor", "module_60_bell")
    first, *others = await written_by_turn(site, writes)
    assert first[0] == zone
    assert {lamp, bell} & set(first) == set()
    assert {lamp, bell} <= {entity_id for turn in others for entity_id in turn}


async def test_a_zone_that_fails_hides_no_other_alarm(
    hass: HomeAssistant,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Every other zone is shown, every alarm told; and the zone is tried again."""
    monkeypatch.setattr(binary_sensor, "ZoneBinarySensor", TroubledZone)
    site = await set_up(hass, node(1, 1, 2), node(3))
    await site.feed_all()
    told = async_capture_events(hass, EVENT_FIRE_ALARM)

    def fail(update: SiteUpdate) -> None:
        raise RuntimeError("no list today")

    stop = site.engine.async_listen(fail)
    monkeypatch.setattr(TroubledZone, "failing", {1, 7})
    site.engine.aggregator.feed(1, frame("01001F", "02001F", master=ALARM_LED))
    site.engine.aggregator.feed(3, frame("030001"))
    await site.settle()
    stop()
    assert site.zones(STATE_OFF) == [1, 7, 12, 13, 14, 15]
    assert site.is_on("fire_alarm") == STATE_ON
    assert alarms_in(told) == list(range(1, 12))
    assert caplog.text.count("no list today") >= 2
    monkeypatch.setattr(TroubledZone, "failing", set())
    await site.feed(1, frame("01001F", "02011F", master=ALARM_LED))
    assert site.zones(STATE_ON) == list(range(1, 12))


async def test_an_entity_removed_while_others_are_told(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not asked to look any more."""
    site = await set_up(hass, bridge())
    await site.feed_all()
    site.engine.aggregator.lose(1)
    await asyncio.sleep(0)
    zone = site.entity_id("binary_sensor", "zone_315")
    er.async_get(hass).async_remove(zone)
    await site.settle()
    assert hass.states.get(zone) is None
    assert site.has(314, "held")
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]
