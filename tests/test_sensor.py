"""The site in numbers, and how well its nodes are."""

import asyncio
from datetime import UTC, datetime, timedelta
import math

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest

from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.fleet.health import MODE_LENGTH, LinkState
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress
from custom_components.esp32_fire_alarm.fleet.timing import TICK_SECONDS
from custom_components.esp32_fire_alarm.site import HEALTH_SECONDS
from sim.fleet import SimulatedFleet

from .running_site import (
    ALARM_LED,
    CLOSED_PORT,
    LeapingClock,
    RunningSite,
    WriteCounter,
    bridge,
    frame,
    node,
    set_up,
    until,
)

HOLD_SECONDS = 45
pytestmark = pytest.mark.usefixtures("loopback")


def link_up(site: RunningSite, number: int = 1) -> None:
    """Let the node's link look as the pool notes it when frames come in."""
    site.engine.health.note_link(number, LinkState.CONNECTED, "127.0.0.2:81")


async def test_the_site_in_numbers(hass: HomeAssistant, clock: LeapingClock) -> None:
    site = await set_up(hass, node(1), node(2), node(3))
    assert site.value("nodes_connected") == "0"
    assert site.value("zones_supervised") == "0"
    assert site.value("zones_in_alarm") == "0"
    assert site.value("first_zone_in_alarm") == STATE_UNKNOWN
    await site.feed_all()
    assert site.value("nodes_connected") == "3"
    assert site.state("sensor", "nodes_connected").attributes["nodes_total"] == 3
    assert site.value("zones_supervised") == "15"
    assert site.state("sensor", "zones_supervised").attributes["zones_total"] == 15
    await site.feed(2, frame("020204", master=ALARM_LED))
    await site.feed(1, frame("010001", master=ALARM_LED))
    assert site.value("zones_in_alarm") == "2"
    assert site.state("sensor", "zones_in_alarm").attributes["zones"] == [8, 1]
    assert site.value("first_zone_in_alarm") == "8"
    assert site.value("zones_in_trouble") == "1"
    await site.feed(3, frame("03"))
    assert site.value("modules_offline") == "1"
    assert site.value("zones_supervised") == "10"
    await site.lose(2)
    assert site.value("nodes_connected") == "2"
    assert site.value("zones_supervised") == "5"


async def test_health_of_a_node_nobody_answers_for(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    await until(lambda: site.value("node_1_health") == "lost", 3)
    assert site.value("node_1_health_reason") == "refused"
    assert site.value("node_1_last_boot") == STATE_UNKNOWN


async def test_health_of_a_living_node(hass: HomeAssistant) -> None:
    async with SimulatedFleet(count=1, port=0, cycle_seconds=0.1) as fleet:
        site = await set_up(hass, node(1, port=fleet.port))
        await until(lambda: site.value("node_1_health") == "healthy", 3)
        assert site.value("node_1_health_reason") == "ok"
        booted = dt_util.parse_datetime(site.value("node_1_last_boot"))
        assert booted is not None
        assert abs(dt_util.utcnow() - booted) < timedelta(seconds=5)
        await site.remove()


async def test_last_boot_moves_with_a_reboot_only(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1))
    await site.feed(1, frame("010000", timestamp=3_600_000))
    await site.publish_health()
    first = site.value("node_1_last_boot")
    age = datetime.now(UTC) - datetime.fromisoformat(first)
    assert math.isclose(age.total_seconds(), 3600, abs_tol=5)
    writes = WriteCounter(hass)
    clock.ahead_seconds = 31
    await site.tick()
    await site.feed(1, frame("010000", timestamp=3_602_000))
    await site.publish_health()
    assert site.value("node_1_last_boot") == first
    assert site.entity_id("sensor", "node_1_last_boot") not in writes.take()
    clock.ahead_seconds = 62
    await site.tick()
    await site.feed(1, frame("010000", timestamp=2_000))
    await site.publish_health()
    assert site.value("node_1_last_boot") != first


async def test_which_path_is_in_use_only_where_there_are_two(
    hass: HomeAssistant,
) -> None:
    standby = DeviceAddress("127.0.1.2", CLOSED_PORT)
    site = await set_up(hass, node(1), node(2, standby=standby))
    assert site.value("node_2_path") == "primary"
    registry = er.async_get(hass)
    unique_id = f"{site.entry.unique_id}_node_1_path"
    assert registry.async_get_entity_id("sensor", DOMAIN, unique_id) is None


async def test_the_standby_is_in_use(hass: HomeAssistant) -> None:
    async with SimulatedFleet(count=1, port=0, cycle_seconds=0.1) as fleet:
        standby = DeviceAddress("127.0.0.2", fleet.port)
        dead = node(5, 1, port=CLOSED_PORT, standby=standby)
        site = await set_up(hass, dead)
        await until(lambda: site.value("node_5_path") == "standby", 8)
        await until(lambda: site.value("node_5_health_reason") == "on_standby", 3)
        await site.remove()


@pytest.mark.usefixtures("every_entity")
async def test_figures_of_a_node(hass: HomeAssistant, clock: LeapingClock) -> None:
    site = await set_up(hass, node(1))
    keys = ("free_heap", "clients", "mode", "close_code", "round_trip", "data_age")
    assert [site.value(f"node_1_{key}") for key in keys] == [STATE_UNKNOWN] * 6
    await site.feed(1, frame("010000", freeHeap=225_576, clients=5))
    record = site.engine.health.record(1)
    record.round_trip_seconds = 0.0234
    record.close_code = 1006
    record.last_frame_at = clock.now() - 2
    link_up(site)
    await site.publish_health()
    assert [site.value(f"node_1_{key}") for key in keys] == [
        "225576",
        "5",
        "Offline",
        "1006",
        "23",
        "2",
    ]
    assert site.value("node_1_reconnects_24h") == "0"
    assert site.value("node_1_malformed_frames") == "0"
    site.engine.aggregator.lose(1)
    clock.ahead_seconds = HOLD_SECONDS + 1
    await site.tick()
    stale = ("free_heap", "clients", "mode", "round_trip", "last_boot")
    assert {site.value(f"node_1_{key}") for key in stale} == {STATE_UNAVAILABLE}
    kept = ("close_code", "data_age", "reconnects_24h", "malformed_frames")
    assert STATE_UNAVAILABLE not in {site.value(f"node_1_{key}") for key in kept}


@pytest.mark.usefixtures("every_entity")
async def test_figures_have_deadbands(hass: HomeAssistant, clock: LeapingClock) -> None:
    site = await set_up(hass, node(1))
    heap = site.entity_id("sensor", "node_1_free_heap")

    async def say(free_heap: int) -> str:
        clock.ahead_seconds += 31
        await site.tick()
        await site.feed(1, frame("010000", freeHeap=free_heap))
        await site.publish_health()
        return site.value("node_1_free_heap")

    assert await say(200_000) == "200000"
    writes = WriteCounter(hass)
    assert await say(203_000) == "200000"
    assert await say(197_000) == "200000"
    assert heap not in writes.take()
    assert await say(210_000) == "210000"


@pytest.mark.usefixtures("every_entity")
async def test_figures_wait_for_their_half_minute(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1))
    await site.feed(1, frame("010000", clients=1))
    await site.publish_health()
    clock.ahead_seconds += 31
    await site.tick()
    await site.feed(1, frame("010000", clients=4))
    assert site.value("node_1_clients") == "1"
    await site.publish_health()
    assert site.value("node_1_clients") == "4"


@pytest.mark.usefixtures("every_entity")
async def test_a_mode_longer_than_a_state_may_be(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    await site.feed(1, frame("010000").replace(b"MODE:Offline", b"MODE:" + b"x" * 999))
    await site.publish_health()
    assert site.value("node_1_mode") == "x" * MODE_LENGTH


METRICS = (
    "frame_rate",
    "byte_rate",
    "frames_identical",
    "frames_decoded",
    "frames_malformed",
    "frames_throttled",
    "batches",
    "batch_size",
    "inbox_depth",
    "latency_p50",
    "latency_p95",
    "latency_p99",
)


async def publish(site: RunningSite) -> None:
    """Let the figures of the site be shown anew."""
    site.engine.metrics.async_publish()
    await site.settle()


@pytest.mark.usefixtures("every_entity")
async def test_what_the_frames_cost(hass: HomeAssistant) -> None:
    async with SimulatedFleet(count=2, port=0, cycle_seconds=0.1) as fleet:
        site = await set_up(hass, *(node(n, port=fleet.port) for n in (1, 2)))
        assert site.value("latency_p99") == STATE_UNKNOWN
        assert site.value("batch_size") == STATE_UNKNOWN
        assert site.value("frame_rate") == "0.0"
        await until(lambda: site.engine.aggregator.metrics.identical > 10, 8)
        fleet.trouble(1)
        await until(lambda: site.zone(1).attributes["trouble"], 3)
        await site.feed(1, b'{"data":"<STX>zz"}')
        await publish(site)
        figures = {key: float(site.value(key)) for key in METRICS}
        assert figures["frame_rate"] > 0
        assert figures["byte_rate"] > 10 * figures["frame_rate"]
        assert figures["frames_identical"] > 10
        assert figures["frames_decoded"] >= 3
        assert figures["frames_malformed"] == 1
        assert figures["frames_throttled"] == 0
        assert figures["batches"] >= 1
        assert figures["batch_size"] >= 1
        assert figures["inbox_depth"] == 0
        p50, p95, p99 = (figures[f"latency_{key}"] for key in ("p50", "p95", "p99"))
        assert 0 < p50 <= p95 <= p99 < 1000
        await site.remove()


@pytest.mark.usefixtures("every_entity")
async def test_figures_of_the_site_are_written_when_they_moved(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else happens: only when published, and only what is another one."""
    site = await set_up(hass, node(1))
    await site.wait_for_refusals()
    # A rate is another one as soon as time has passed.
    now = site.engine.aggregator._now()
    monkeypatch.setattr(site.engine.aggregator, "_now", lambda: now)
    writes = WriteCounter(hass)
    await site.feed(1, frame("010000"), frame("010000", "zz"))
    written = {site.entity_id("sensor", key) for key in METRICS}
    assert written.isdisjoint(writes.take())
    await publish(site)
    assert site.entity_id("sensor", "frames_decoded") in writes.take()
    assert site.value("frames_decoded") == "2"
    await publish(site)
    assert written.isdisjoint(writes.take())
    await site.feed(1, frame("010100"))
    assert site.value("frames_decoded") == "2"
    await publish(site)
    assert site.value("frames_decoded") == "3"


async def test_figures_of_the_site_wait_for_their_half_minute(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1))
    metrics = site.engine.metrics
    seen = []
    site.entry.async_on_unload(
        metrics.async_listen(lambda: seen.append(metrics.data.decoded))
    )
    await site.feed(1, frame("010000"))
    clock.ahead_seconds += HEALTH_SECONDS + 1
    await until(lambda: seen, 3)
    await site.feed(1, frame("010100"))
    clock.ahead_seconds += HEALTH_SECONDS / 2
    await asyncio.sleep(3 * TICK_SECONDS)
    assert seen == [1]
    clock.ahead_seconds += HEALTH_SECONDS / 2
    await until(lambda: len(seen) > 1, 3)
    assert seen == [1, 2]


async def test_figures_of_the_site_cost_nothing_while_nobody_looks(
    hass: HomeAssistant,
) -> None:
    """What wavers is disabled by default; two counters of what is wrong are not."""
    site = await set_up(hass, node(1))
    registry = er.async_get(hass)
    enabled = [
        key
        for key in METRICS
        if not registry.entities[site.entity_id("sensor", key)].disabled
    ]
    assert enabled == ["frames_malformed", "frames_throttled"]
    for key in enabled:
        registry.async_remove(site.entity_id("sensor", key))
    await hass.async_block_till_done()
    before = site.engine.metrics.data
    await publish(site)
    assert site.engine.metrics.data is before


async def test_every_figure_says_what_it_is(hass: HomeAssistant) -> None:
    """Class, unit, category and a translated name, as the registry has them."""
    site = await set_up(hass, node(1))
    registry = er.async_get(hass)
    for key in METRICS:
        entry = registry.entities[site.entity_id("sensor", key)]
        assert entry.entity_category is EntityCategory.DIAGNOSTIC
        assert entry.translation_key == key
        assert entry.original_name
        assert entry.capabilities is not None
        is_total = key.startswith("frames_") or key == "batches"
        assert entry.capabilities["state_class"] == (
            "total_increasing" if is_total else "measurement"
        )
        assert entry.original_device_class == (
            "duration"
            if key.startswith("latency")
            else "data_rate"
            if key == "byte_rate"
            else None
        )
        assert entry.unit_of_measurement == {
            "byte_rate": "B/s",
            "frame_rate": "frames/s",
            "batches": "batches",
            "latency_p50": "ms",
            "latency_p95": "ms",
            "latency_p99": "ms",
        }.get(key, "frames")


async def test_the_number_of_entities(hass: HomeAssistant) -> None:
    site = await set_up(hass, bridge())
    enabled, total = site.count_entities()
    print(f"bridge: {enabled} entities enabled of {total}")
    assert enabled == 13 + 9 + 63 * 7
