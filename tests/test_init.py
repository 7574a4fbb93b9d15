"""A site comes, goes, comes again; and what it leaves in the registries."""

import asyncio
import logging
import time

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_OFF, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.esp32_fire_alarm import async_remove_config_entry_device
from custom_components.esp32_fire_alarm.const import DOMAIN
from sim.fleet import SimulatedFleet

from .running_site import SITE_ID, bridge, distributed, frame, node, set_up, until

pytestmark = pytest.mark.usefixtures("loopback")


def fleet_tasks() -> list[str]:
    """Return the names of the engine's tasks that run."""
    names = [task.get_name() for task in asyncio.all_tasks()]
    return [name for name in names if "fire alarm" in name or DOMAIN in name]


async def test_a_full_site_of_63_nodes(hass: HomeAssistant) -> None:
    began = time.perf_counter()
    site = await set_up(hass, *distributed())
    spent = time.perf_counter() - began
    enabled, total = site.count_entities()
    print(f"315 zones set up in {spent:.2f} s: {enabled} enabled of {total}")
    assert site.census() == (0, 0, 315)
    assert enabled == 13 + 63 * (9 + 7)
    began = time.perf_counter()
    await site.feed_all()
    print(f"63 first frames in {time.perf_counter() - began:.3f} s")
    assert site.census() == (0, 315, 0)


async def test_unload_leaves_nothing_running(hass: HomeAssistant) -> None:
    async with SimulatedFleet(count=5, port=0) as fleet:
        nodes = [node(number, port=fleet.port) for number in range(1, 6)]
        site = await set_up(hass, *nodes)
        await until(lambda: site.engine.summary.nodes_connected == 5, 5)
        await site.settle()
        assert fleet.clients == 5
        assert fleet_tasks()
        await site.remove()
        assert site.entry.state is ConfigEntryState.NOT_LOADED
        assert not fleet_tasks()
        await until(lambda: fleet.clients == 0, 1)
        assert site.zone(1).state == STATE_UNAVAILABLE


async def test_reload_keeps_every_entity(hass: HomeAssistant) -> None:
    async with SimulatedFleet(count=3, port=0) as fleet:
        site = await set_up(hass, *(node(n, port=fleet.port) for n in (1, 2, 3)))
        await until(lambda: site.engine.summary.nodes_connected == 3, 5)
        registry = er.async_get(hass)
        entries = er.async_entries_for_config_entry(registry, site.entry.entry_id)
        assert await hass.config_entries.async_reload(site.entry.entry_id)
        await until(lambda: site.engine.summary.zones_supervised == 15, 5)
        await site.settle()
        assert entries == er.async_entries_for_config_entry(
            registry, site.entry.entry_id
        )
        assert len(site.zones(STATE_OFF)) == 15
        assert fleet.clients == 3
        await site.remove()


async def test_nothing_of_the_old_site_hears_the_new_one(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    old = site.engine
    assert await hass.config_entries.async_reload(site.entry.entry_id)
    await hass.async_block_till_done()
    assert site.engine is not old
    await site.feed_all()
    old.aggregator.feed(1, frame("010001"))
    await site.settle()
    assert site.zone(1).state == STATE_OFF


async def test_devices_of_a_distributed_site(hass: HomeAssistant) -> None:
    site = await set_up(hass, *distributed())
    registry, entry_id = dr.async_get(hass), site.entry.entry_id
    devices = dr.async_entries_for_config_entry(registry, entry_id)
    assert len(devices) == 64
    assert not dr.async_child_entries_for_config_entry(registry, entry_id)
    hub = registry.async_get_device_by_identifier((DOMAIN, SITE_ID), entry_id)
    esp32 = registry.async_get_device_by_identifier(
        (DOMAIN, f"{SITE_ID}_node_17"), entry_id
    )
    assert hub is not None
    assert esp32 is not None
    assert hub.name == "Tower"
    assert esp32.name == "Node 17"
    assert esp32.via_device_id == hub.id
    assert esp32.configuration_url == "http://127.0.0.18"
    zone = er.async_get(hass).async_get(site.entity_id("binary_sensor", "zone_81"))
    fire = er.async_get(hass).async_get(site.entity_id("binary_sensor", "fire_alarm"))
    assert zone is not None
    assert fire is not None
    assert zone.device_id == esp32.id
    assert fire.device_id == hub.id


async def test_modules_that_share_an_esp32_are_its_children(
    hass: HomeAssistant,
) -> None:
    site = await set_up(hass, bridge())
    registry, entry_id = dr.async_get(hass), site.entry.entry_id
    assert len(dr.async_entries_for_config_entry(registry, entry_id)) == 2
    children = dr.async_child_entries_for_config_entry(registry, entry_id)
    assert len(children) == 63
    assert {child.parent_device_id for child in children} == {site.engine.device_ids[1]}
    seventeen = registry.async_get_child_device_by_identifier(
        (DOMAIN, f"{SITE_ID}_node_1_module_17"), entry_id
    )
    assert seventeen is not None
    assert seventeen.name == "Module 17"
    entities = er.async_entries_for_device(er.async_get(hass), seventeen.id)
    assert len(entities) == 7
    assert site.entity_id("binary_sensor", "zone_81") in {
        entity.entity_id for entity in entities
    }


async def test_a_second_source_owns_no_zones(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(2), node(33, 1, 2))
    registry = er.async_get(hass)
    second = er.async_entries_for_device(registry, site.engine.device_ids[33])
    assert not [entity for entity in second if "zone" in entity.unique_id]
    entries = er.async_entries_for_config_entry(registry, site.entry.entry_id)
    assert len([one for one in entries if one.translation_key == "zone"]) == 10


async def test_two_sites_side_by_side(hass: HomeAssistant) -> None:
    one = await set_up(hass, node(1))
    two = await set_up(hass, node(1), title="Annex", site_id="annex")
    await one.feed_all()
    assert one.zone(1).state == STATE_OFF
    assert two.zone(1).state == STATE_UNAVAILABLE
    assert one.zone(1).entity_id != two.zone(1).entity_id


async def test_devices_of_the_site_cannot_be_removed_others_can(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    assert await async_setup_component(hass, "config", {})
    site = await set_up(hass, node(1), node(2), node(3, 3, 4))
    registry, entry_id = dr.async_get(hass), site.entry.entry_id
    await site.change_nodes(node(1))
    client = await hass_ws_client(hass)
    outcomes = {}
    devices: list[dr.AnyDeviceEntry] = [
        *dr.async_child_entries_for_config_entry(registry, entry_id),
        *dr.async_entries_for_config_entry(registry, entry_id),
    ]
    for device in devices:
        outcomes[device.name] = await async_remove_config_entry_device(
            hass, site.entry, device
        )
    assert outcomes == {
        "Tower": False,
        "Node 1": False,
        "Node 2": True,
        "Node 3": True,
        "Module 3": True,
        "Module 4": True,
    }
    stale = registry.async_get_device_by_identifier(
        (DOMAIN, f"{SITE_ID}_node_2"), entry_id
    )
    assert stale is not None
    answer = await client.remove_device(stale.id)
    assert answer["success"]
    assert registry.async_get(stale.id) is None


async def test_a_module_that_moves_takes_everything_along(
    hass: HomeAssistant,
) -> None:
    site = await set_up(hass, node(1, 1, 2, 3), node(2, 4, 5))
    registry, entry_id = dr.async_get(hass), site.entry.entry_id
    before = registry.async_get_child_device_by_identifier(
        site.engine.module_identifier(3), entry_id
    )
    assert before is not None
    area = ar.async_get(hass).async_create("Kitchen")
    registry.async_update_child_device(
        before.id, area_id=area.id, name_by_user="Kitchen panel"
    )
    zone_11 = site.entity_id("binary_sensor", "zone_11")
    await site.change_nodes(node(1, 1, 2), node(2, 3, 4, 5))
    await site.feed_all()
    assert site.zone(11).entity_id == zone_11
    assert site.zone(11).state == STATE_OFF
    assert registry.async_get(before.id) is None
    children = dr.async_child_entries_for_config_entry(registry, entry_id)
    assert len(children) == 5
    after = registry.async_get_child_device_by_identifier(
        site.engine.module_identifier(3), entry_id
    )
    assert after is not None
    assert after.parent_device_id == site.engine.device_ids[2]
    assert (after.area_id, after.name_by_user) == (area.id, "Kitchen panel")


async def test_a_module_left_alone_moves_to_its_esp32(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1, 1, 2))
    registry, entry_id = dr.async_get(hass), site.entry.entry_id
    await site.change_nodes(node(1), node(2))
    await site.feed_all()
    assert site.census() == (0, 10, 0)
    assert not dr.async_child_entries_for_config_entry(registry, entry_id)
    await site.change_nodes(node(1, 1, 2))
    await site.feed_all()
    assert site.census() == (0, 10, 0)
    assert len(dr.async_child_entries_for_config_entry(registry, entry_id)) == 2


async def test_loss_and_return_are_logged_once_each(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with SimulatedFleet(count=2, port=0, cycle_seconds=0.1) as fleet:
        nodes = [node(number, port=fleet.port) for number in (1, 2)]
        site = await set_up(hass, *nodes)
        await until(lambda: site.engine.summary.nodes_connected == 2, 5)
        fleet.node(1).down()
        await until(lambda: site.engine.summary.nodes_connected == 1, 2)
        fleet.node(1).up()
        await until(lambda: site.engine.summary.nodes_connected == 2, 15)
        await site.remove()
    lines = [
        f"{record.levelname} {record.message}"
        for record in caplog.records
        if record.name.startswith("custom_components")
    ]
    address = f"127.0.0.2:{fleet.port}"
    assert len(lines) == 2, lines
    assert lines[0].startswith(f"INFO Node 1 ({address}) of Tower is lost: ")
    assert lines[1] == f"INFO Node 1 ({address}) of Tower is back"


@pytest.mark.parametrize(
    ("language", "device", "zone", "child"),
    [
        ("en", "Node 1", "Node 1 Zone 1", "Module 3 Zone 11"),
        ("id", "Node 1", "Node 1 Zona 1", "Modul 3 Zona 11"),
    ],
)
async def test_names_in_both_languages(
    hass: HomeAssistant, language: str, device: str, zone: str, child: str
) -> None:
    hass.config.language = language
    site = await set_up(hass, node(1), node(2, 2, 3))
    registered = dr.async_get(hass).async_get(site.engine.device_ids[1])
    assert registered is not None
    assert registered.name == device
    assert site.zone(1).name == zone
    assert site.zone(11).name == child
