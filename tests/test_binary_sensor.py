"""What is on, what is off, and what nobody can tell."""

from dataclasses import replace
import time

from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest

from custom_components.esp32_fire_alarm.fleet.models import NodeConfig

from .running_site import (
    ALARM_LED,
    ALL_MODULES,
    REAL_CAPTURE,
    TROUBLE_LED,
    LeapingClock,
    WriteCounter,
    bridge,
    distributed,
    frame,
    node,
    set_up,
)

HOLD_SECONDS = 45
pytestmark = pytest.mark.usefixtures("loopback")


async def test_the_real_capture(hass: HomeAssistant) -> None:
    site = await set_up(hass, bridge())
    await site.feed(1, REAL_CAPTURE)
    assert site.census() == (0, 165, 150)
    in_trouble = [zone for zone in site.zones(STATE_OFF) if site.has(zone, "trouble")]
    assert len(in_trouble) == 75
    assert site.is_on("fire_alarm") == STATE_OFF
    assert site.is_on("trouble") == STATE_ON
    modules = [site.is_on(f"module_{m}_bus_connection") for m in ALL_MODULES]
    assert (modules.count(STATE_ON), modules.count(STATE_OFF)) == (33, 30)
    bells = [site.is_on(f"module_{m}_bell") for m in ALL_MODULES]
    assert (bells.count(STATE_OFF), bells.count(STATE_UNAVAILABLE)) == (33, 30)


async def test_an_alarm_comes_and_goes(hass: HomeAssistant) -> None:
    site = await set_up(hass, *distributed())
    await site.feed_all()
    await site.feed(4, frame("040002", master=ALARM_LED))
    assert site.zones(STATE_ON) == [17]
    assert site.is_on("fire_alarm") == STATE_ON
    await site.feed(4, frame("040000", master=ALARM_LED))
    assert site.zones(STATE_ON) == [17], "the panel's latch"
    await site.feed(4, frame("040000"))
    assert site.zones(STATE_ON) == []
    assert site.is_on("fire_alarm") == STATE_OFF


async def test_zones_say_who_they_are_and_nothing_volatile(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(4))
    await site.feed(4, frame("040200"))
    state = site.zone(17)
    assert state.attributes == {
        "device_class": BinarySensorDeviceClass.SMOKE,
        "friendly_name": "Node 4 Zone 17",
        "zone": 17,
        "module": 4,
        "trouble": True,
        "held": False,
        "disabled": False,
        "in_test": False,
    }


async def test_one_alarm_costs_few_writes(hass: HomeAssistant) -> None:
    site = await set_up(hass, *(node(number) for number in range(1, 9)))
    await site.feed_all()
    await site.wait_for_refusals()
    writes = WriteCounter(hass)
    await site.feed(4, frame("040002", master=ALARM_LED))
    written = writes.take()
    assert sorted(written) == sorted(
        [
            site.entity_id("binary_sensor", "zone_17"),
            site.entity_id("binary_sensor", "fire_alarm"),
            site.entity_id("binary_sensor", "alarm_sounding"),
            site.entity_id("binary_sensor", "node_4_led_alarm"),
            site.entity_id("sensor", "zones_in_alarm"),
            site.entity_id("sensor", "first_zone_in_alarm"),
        ]
    )
    assert written[0] == site.entity_id("binary_sensor", "zone_17")
    print(f"one alarm writes {len(written)} states: {', '.join(written)}")


@pytest.mark.usefixtures("every_entity")
@pytest.mark.parametrize("nodes", [[node(n) for n in range(1, 9)], [bridge()]])
async def test_steady_frames_write_no_state(
    hass: HomeAssistant, clock: LeapingClock, nodes: list[NodeConfig]
) -> None:
    site = await set_up(hass, *nodes)
    await site.feed_all()
    await site.wait_for_refusals()
    writes = WriteCounter(hass)
    for second in range(1, 20):
        clock.ahead_seconds += 1
        for config in nodes:
            segments = [f"{module:02d}0000" for module in config.modules]
            wobble = 200_000 + 3000 * (second % 2)
            steady = frame(*segments, timestamp=second, freeHeap=wobble)
            site.engine.aggregator.feed(config.node, steady)
        await site.tick()
    assert writes.take() == []


@pytest.mark.usefixtures("every_entity")
async def test_entities_woken_for_nothing_write_nothing(hass: HomeAssistant) -> None:
    site = await set_up(hass, bridge())
    await site.feed(1, REAL_CAPTURE)
    writes = WriteCounter(hass)
    began = time.perf_counter()
    site.engine.coordinators[1].async_update_listeners()
    spent = time.perf_counter() - began
    assert writes.take() == []
    print(f"waking all entities of the bridge for nothing: {spent * 1e3:.2f} ms")


async def test_a_lost_node_is_held_and_then_unavailable(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, *distributed())
    await site.feed_all()
    await site.lose(2)
    assert site.is_on("node_2_connection") == STATE_OFF
    assert [site.has(zone, "held") for zone in (5, 6, 10, 11)] == [
        False,
        True,
        True,
        False,
    ]
    assert site.census() == (0, 315, 0)
    clock.ahead_seconds = HOLD_SECONDS - 1
    await site.tick()
    assert site.census() == (0, 315, 0)
    assert site.is_on("trouble") == STATE_OFF
    clock.ahead_seconds = HOLD_SECONDS + 1
    await site.tick()
    assert site.zones(STATE_UNAVAILABLE) == [6, 7, 8, 9, 10]
    for key in ("led_alarm", "led_trouble", "led_drill", "led_silenced"):
        assert site.is_on(f"node_2_{key}") == STATE_UNAVAILABLE
    assert site.is_on("module_2_bell") == STATE_UNAVAILABLE
    assert site.is_on("module_2_bus_connection") == STATE_UNAVAILABLE
    assert site.is_on("node_2_connection") == STATE_OFF
    assert site.is_on("trouble") == STATE_ON
    assert site.is_on("fire_alarm") == STATE_OFF
    await site.feed(2, frame("020000"))
    assert site.census() == (0, 315, 0)
    assert site.is_on("trouble") == STATE_OFF
    assert not site.has(6, "held")


async def test_a_zone_in_alarm_stays_on_through_a_loss(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    await site.feed(2, frame("020001", master=ALARM_LED))
    await site.lose(2)
    assert site.zone(6).state == STATE_ON
    clock.ahead_seconds = HOLD_SECONDS + 1
    await site.tick()
    assert site.zone(6).state == STATE_ON
    assert site.zone(7).state == STATE_UNAVAILABLE
    assert site.is_on("fire_alarm") == STATE_ON
    await site.feed(2, frame("020001", master=ALARM_LED))
    assert site.zone(6).state == STATE_ON
    await site.feed(2, frame("020000"))
    assert site.zone(6).state == STATE_OFF


async def test_an_alarm_found_on_return_is_shown(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    await site.lose(1)
    clock.ahead_seconds = HOLD_SECONDS + 1
    await site.tick()
    assert site.zone(1).state == STATE_UNAVAILABLE
    await site.feed(1, frame("010001", master=ALARM_LED))
    assert site.zone(1).state == STATE_ON


async def test_the_site_is_always_available(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1), node(2))
    assert site.is_on("fire_alarm") == STATE_OFF
    assert site.is_on("trouble") == STATE_OFF
    assert site.census() == (0, 0, 10)
    clock.ahead_seconds = HOLD_SECONDS + 1
    await site.tick()
    assert site.is_on("fire_alarm") == STATE_OFF
    assert site.is_on("trouble") == STATE_ON, "nobody was ever heard"
    await site.feed(1, frame("010001", master=ALARM_LED))
    await site.lose(1)
    clock.ahead_seconds += HOLD_SECONDS + 1
    await site.tick()
    assert site.is_on("fire_alarm") == STATE_ON
    assert site.is_on("trouble") == STATE_ON


async def test_panel_lamps(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    assert site.is_on("node_1_led_drill") == STATE_UNAVAILABLE
    await site.feed(1, frame("010000", master="4180"))
    for key in ("alarm", "trouble", "drill", "silenced", "disabled"):
        assert site.is_on(f"node_1_led_{key}") == STATE_ON
    await site.feed(1, *(frame("010000", master="41FF"),) * 4)
    for key in ("alarm", "trouble", "drill", "silenced", "disabled"):
        assert site.is_on(f"node_1_led_{key}") == STATE_OFF
    registry = er.async_get(hass)
    for key in ("led_ac", "led_dc"):
        entry = registry.async_get(site.entity_id("binary_sensor", f"node_1_{key}"))
        assert entry is not None
        assert entry.disabled_by is er.RegistryEntryDisabler.INTEGRATION


async def test_a_blinking_trouble_lamp_does_not_blink_here(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    await site.feed(1, frame("010000", master=TROUBLE_LED))
    await site.wait_for_refusals()
    writes = WriteCounter(hass)
    for _ in range(5):
        await site.feed(1, frame("010000"), frame("010000", master=TROUBLE_LED))
    assert site.is_on("node_1_led_trouble") == STATE_ON
    assert writes.take() == []


@pytest.mark.usefixtures("every_entity")
async def test_what_a_module_says(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    keys = ("module_1_bus_connection", "module_1_bell", "module_1_bell_circuit")
    assert [site.is_on(key) for key in keys] == [STATE_UNAVAILABLE] * 3
    await site.feed(1, frame("012120"))
    assert [site.is_on(key) for key in keys] == [STATE_ON] * 3
    assert site.is_on("zone_1_trouble") == STATE_ON
    assert site.is_on("zone_2_trouble") == STATE_OFF
    await site.feed(1, frame("010000"))
    assert [site.is_on(key) for key in keys] == [STATE_ON, STATE_OFF, STATE_OFF]
    await site.feed(1, frame("01"))
    assert [site.is_on(key) for key in keys] == [
        STATE_OFF,
        STATE_UNAVAILABLE,
        STATE_UNAVAILABLE,
    ]
    assert site.is_on("zone_1_trouble") == STATE_UNAVAILABLE
    assert site.zone(1).state == STATE_UNAVAILABLE


async def test_a_module_that_is_no_longer_listed(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1, 1, 2))
    await site.feed(1, frame("010000", "020000"))
    await site.feed(1, *(frame("010000"),) * 2)
    assert site.zone(6).state == STATE_OFF
    await site.feed(1, frame("010000"))
    assert site.zone(6).state == STATE_UNAVAILABLE
    assert site.zone(5).state == STATE_OFF


async def test_modules_that_show_up_later_need_no_reload(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1, 1, 2))
    await site.feed(1, frame("010000", "020000"))
    before = set(hass.states.async_entity_ids())
    await site.feed(1, frame("010000", "020000", "630010", master=ALARM_LED))
    assert site.zone(315).state == STATE_ON
    assert site.zone(311).state == STATE_OFF
    assert len(set(hass.states.async_entity_ids()) - before) == 7
    await site.feed(1, frame("010000", "020000", "630000"))
    assert site.zone(315).state == STATE_OFF


async def test_a_node_whose_modules_nobody_knew(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), replace(node(2), modules=()))
    await site.feed(2, REAL_CAPTURE)
    assert len(site.engine.truth.modules) == 34
    assert site.zone(6).state == STATE_OFF
    assert site.zone(315).state == STATE_OFF


async def test_a_stand_in_takes_over_without_a_glitch(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1), node(33, 1, 2))
    await site.feed(1, frame("010001", master=ALARM_LED))
    await site.feed(33, frame("010001", "020000", master=ALARM_LED))
    writes = WriteCounter(hass)
    await site.lose(1)
    clock.ahead_seconds = HOLD_SECONDS + 1
    await site.tick()
    assert site.zone(1).state == STATE_ON
    assert site.zone(2).state == STATE_OFF
    zones = {site.entity_id("binary_sensor", f"zone_{zone}") for zone in range(1, 6)}
    assert not zones & set(writes.take())


async def test_somebody_asks_for_an_update(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "homeassistant", {})
    site = await set_up(hass, node(1))
    await site.feed_all()
    await hass.services.async_call(
        "homeassistant",
        "update_entity",
        {
            "entity_id": [
                site.entity_id("binary_sensor", "zone_1"),
                site.entity_id("binary_sensor", "fire_alarm"),
                site.entity_id("sensor", "node_1_health"),
            ]
        },
        blocking=True,
    )
    assert site.zone(1).state == STATE_OFF


async def test_categories_and_defaults(hass: HomeAssistant) -> None:
    site = await set_up(hass, bridge())
    registry = er.async_get(hass)
    entries = er.async_entries_for_config_entry(registry, site.entry.entry_id)
    zones = [entry for entry in entries if entry.translation_key == "zone"]
    assert len(zones) == 315
    assert {(zone.entity_category, zone.disabled_by) for zone in zones} == {
        (None, None)
    }
    troubles = [entry for entry in entries if entry.translation_key == "zone_trouble"]
    assert len(troubles) == 315
    assert {(one.entity_category, one.disabled_by) for one in troubles} == {
        (EntityCategory.DIAGNOSTIC, er.RegistryEntryDisabler.INTEGRATION)
    }
