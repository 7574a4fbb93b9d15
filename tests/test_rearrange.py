"""Other nodes for a running site: what stays is not touched, what is new is there."""

from dataclasses import replace

from homeassistant.const import (
    CONF_NAME,
    CONF_PORT,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
import pytest

from custom_components.esp32_fire_alarm.const import CONF_ADDRESSES
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.fleet.occurrence import BY_RECONFIGURATION
from sim.fleet import SimulatedFleet

from .running_site import (
    ALARM_LED,
    SITE_ID,
    RunningSite,
    WriteCounter,
    frame,
    node,
    set_up,
    until,
)

pytestmark = pytest.mark.usefixtures("loopback")


def identities(site: RunningSite) -> dict[str, tuple[str, str | None]]:
    """Return entity id and device of every entity, by unique id."""
    registry = er.async_get(site.hass)
    return {
        entity.unique_id: (entity.entity_id, entity.device_id)
        for entity in er.async_entries_for_config_entry(registry, site.entry.entry_id)
    }


def devices(site: RunningSite) -> set[str]:
    """Return the identifiers of all devices, without the site's own part."""
    registry, entry_id = dr.async_get(site.hass), site.entry.entry_id
    found: list[dr.AnyDeviceEntry] = [
        *dr.async_entries_for_config_entry(registry, entry_id),
        *dr.async_child_entries_for_config_entry(registry, entry_id),
    ]
    return {
        identifier.removeprefix(SITE_ID).removeprefix("_")
        for device in found
        for _, identifier in device.identifiers
    }


async def test_moving_one_of_63_nodes_makes_one_link_anew(hass: HomeAssistant) -> None:
    """By the dialogue, as a user does it: nobody else's link, state or name changes."""
    async with (
        SimulatedFleet(count=63, port=0, cycle_seconds=0.5) as fleet,
        SimulatedFleet(
            count=17, port=fleet.port, first_address="127.0.1.2", absent=range(1, 17)
        ),
    ):
        port = fleet.port
        nodes = [node(number, port=port) for number in range(1, 64)]
        site = await set_up(hass, *nodes)
        await until(lambda: site.engine.summary.nodes_connected == 63, 20)
        await site.settle()
        before = identities(site)
        engine = site.engine
        handshakes = fleet.meter.handshakes_total
        assert handshakes == 63
        fleet.alarm(3)
        await until(lambda: site.zone(3).state == STATE_ON, 3)
        changed_at = {zone: site.zone(zone).last_changed for zone in range(1, 80)}
        fleet.node(17).down()
        await until(lambda: site.engine.summary.nodes_connected == 62, 5)

        page = await site.entry.start_reconfigure_flow(hass)
        page = await hass.config_entries.flow.async_configure(
            page["flow_id"],
            {
                CONF_NAME: "Tower",
                CONF_PORT: port,
                CONF_ADDRESSES: "127.0.0.2-127.0.0.17, 127.0.1.18, 127.0.0.19-127.0.0.64",
            },
        )
        assert page["type"] is FlowResultType.SHOW_PROGRESS
        await hass.async_block_till_done()
        page = await hass.config_entries.flow.async_configure(page["flow_id"])
        placeholders = page["description_placeholders"]
        assert placeholders is not None
        assert placeholders["found"] == "63"
        # The scan asked each once and hung up.
        asked = fleet.meter.handshakes_total
        page = await hass.config_entries.flow.async_configure(
            page["flow_id"], {"action": "finish"}
        )
        assert page["reason"] == "reconfigure_successful"
        await until(lambda: site.engine.summary.nodes_connected == 63, 5)
        await site.settle()
        assert site.engine is engine
        assert fleet.meter.handshakes_total == asked
        assert [one.clients for one in fleet.nodes] == [1] * 16 + [0] + [1] * 46
        assert identities(site) == before
        assert site.zone(3).state == STATE_ON
        assert all(
            site.zone(zone).last_changed == at for zone, at in changed_at.items()
        )
        assert site.zone(81).state == STATE_OFF
        device = dr.async_get(hass).async_get(engine.device_ids[17])
        assert isinstance(device, dr.DeviceEntry)
        assert device.configuration_url == "http://127.0.1.18"
        await site.remove()


async def test_new_nodes_and_modules_are_there_at_once(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    before = identities(site)
    await site.rearrange(node(1), node(2), node(3, 3, 4))
    assert devices(site) == {
        "", "node_1", "node_2", "node_3", "node_3_module_3", "node_3_module_4",
    }  # fmt: skip
    assert site.zone(11).state == STATE_UNAVAILABLE
    assert site.value("node_3_health") == "degraded"
    await site.feed_all()
    assert site.census() == (0, 20, 0)
    assert site.is_on("node_3_connection") == STATE_ON
    after = identities(site)
    assert before.items() <= after.items()
    # The same as if it had been there from the start.
    await site.change_nodes(node(1), node(2), node(3, 3, 4))
    assert identities(site) == after


async def test_what_is_gone_is_gone_at_once(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(2), node(3, 3, 4))
    await site.feed(3, frame("030000"))
    before = identities(site)
    await site.rearrange(node(1), node(3, 3))
    assert devices(site) == {"", "node_1", "node_3"}
    left = identities(site)
    gone = before.keys() - left.keys()
    assert gone
    assert all(
        "node_2" in one or "_2_" in one or "zone" in one or "_4_" in one for one in gone
    )
    assert hass.states.get(before[f"{SITE_ID}_zone_6"][0]) is None
    assert hass.states.get(before[f"{SITE_ID}_zone_16"][0]) is None
    assert site.engine.summary.zones_total == 10
    assert set(site.engine.health.records) == {1, 3}
    # Back again: another registration, the same names.
    await site.rearrange(node(1), node(2), node(3, 3, 4))
    await site.feed_all()
    assert site.census() == (0, 20, 0)
    assert {uid: entity_id for uid, (entity_id, _) in before.items()} == {
        uid: entity_id for uid, (entity_id, _) in identities(site).items()
    }


async def test_a_module_in_alarm_moves_without_a_flicker(hass: HomeAssistant) -> None:
    """It follows its new owner; its entity and its area stay."""
    site = await set_up(hass, node(1, 1, 2, 3), node(2, 4, 5))
    await site.feed_all()
    await site.feed(1, frame("010000", "020000", "030001", master=ALARM_LED))
    registry, entry_id = dr.async_get(hass), site.entry.entry_id
    old = registry.async_get_child_device_by_identifier(
        site.engine.module_identifier(3), entry_id
    )
    assert old is not None
    area = ar.async_get(hass).async_create("Kitchen")
    registry.async_update_child_device(old.id, area_id=area.id)
    before = identities(site)
    assert site.zone(11).state == STATE_ON
    changed_at = site.zone(11).last_changed
    disabled = f"{SITE_ID}_zone_11_trouble"
    assert disabled in before

    await site.rearrange(node(1, 1, 2), node(2, 3, 4, 5))
    assert site.zone(11).state == STATE_ON
    assert site.zone(11).last_changed == changed_at
    new = registry.async_get_child_device_by_identifier(
        site.engine.module_identifier(3), entry_id
    )
    assert new is not None
    assert new.id != old.id
    assert new.parent_device_id == site.engine.device_ids[2]
    assert new.area_id == area.id
    assert registry.async_get(old.id) is None
    after = identities(site)
    assert {uid: one for uid, (one, _) in after.items()} == {
        uid: one for uid, (one, _) in before.items()
    }
    assert after[f"{SITE_ID}_zone_11"][1] == new.id
    assert after[disabled][1] == new.id
    # From now on its new owner's word counts; and the old one's frames reach nobody.
    await site.feed(2, frame("030002", "040000", "050000", master=ALARM_LED))
    assert site.zone(12).state == STATE_ON
    await site.lose(1)
    assert site.zone(11).state == STATE_ON


async def test_a_module_gets_its_esp32_to_itself_and_has_to_share_again(
    hass: HomeAssistant,
) -> None:
    site = await set_up(hass, node(1, 1, 2))
    await site.rearrange(node(1), node(2))
    await site.feed_all()
    assert devices(site) == {"", "node_1", "node_2"}
    assert site.census() == (0, 10, 0)
    assert identities(site)[f"{SITE_ID}_zone_6"][1] == site.engine.device_ids[2]
    await site.rearrange(node(1, 1, 2))
    await site.feed_all()
    assert devices(site) == {"", "node_1", "node_1_module_1", "node_1_module_2"}
    assert site.census() == (0, 10, 0)


async def test_the_sensor_of_the_path_comes_and_goes_with_the_standby(
    hass: HomeAssistant,
) -> None:
    one = node(1)
    site = await set_up(hass, one, node(2))
    assert f"{SITE_ID}_node_1_path" not in identities(site)
    await site.rearrange(replace(one, standby=DeviceAddress("127.0.9.9")), node(2))
    assert site.value("node_1_path") == "primary"
    await site.rearrange(one, node(2))
    assert f"{SITE_ID}_node_1_path" not in identities(site)


async def test_buttons_of_new_nodes(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), options={"commands_enabled": True})
    await site.rearrange(node(1), node(2))
    assert site.state("button", "node_2_command_reset")
    await site.rearrange(node(1))
    assert f"{SITE_ID}_node_2_command_reset" not in identities(site)


async def test_an_alarm_of_a_removed_module_is_over(hass: HomeAssistant) -> None:
    """It is not shown for ever as standing; nobody is told that it was restored."""
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    await site.feed(2, frame("020001", master=ALARM_LED))
    assert site.is_on("fire_alarm") == STATE_ON
    await site.rearrange(node(1))
    assert site.is_on("fire_alarm") == STATE_OFF
    assert not site.engine.book.standing()
    (occurrence,) = site.engine.book.occurrences()
    assert occurrence.reset_by == BY_RECONFIGURATION
    await site.rearrange(node(1), node(2))
    await site.feed(2, frame("020000"))
    assert site.zone(6).state == STATE_OFF
    assert site.is_on("fire_alarm") == STATE_OFF


async def test_a_removed_node_that_was_lost_is_forgotten(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(2), options={"hold_seconds": 0})
    await site.feed_all()
    await site.lose(2)
    await site.tick()
    assert site.is_on("trouble") == STATE_ON
    await site.rearrange(node(1))
    assert site.is_on("trouble") == STATE_OFF
    assert site.value("nodes_connected") == "1"


async def test_a_new_title_reaches_the_sites_device(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    hass.config_entries.async_update_entry(site.entry, title="Annex")
    device = dr.async_get(hass).async_get_device_by_identifier(
        site.engine.identifier, site.entry.entry_id
    )
    assert device is not None
    assert device.name == "Annex"


async def test_other_changes_of_the_entry_disturb_nothing(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    writes = WriteCounter(hass)
    data = {**site.entry.data, "addresses": "other text"}
    hass.config_entries.async_update_entry(site.entry, data=data)
    await site.settle()
    assert not writes.take()


async def test_a_site_of_63_is_rearranged_quickly(hass: HomeAssistant) -> None:
    """Sixty nodes stay as they are; three others take the place of three."""
    nodes: list[NodeConfig] = [node(number) for number in range(1, 64)]
    site = await set_up(hass, *nodes[:60])
    await site.feed_all()
    writes = WriteCounter(hass)
    loop = hass.loop
    began = loop.time()
    await site.rearrange(*nodes[3:])
    print(f"rearranged in {(loop.time() - began) * 1000:.0f} ms")
    untouched = {f"binary_sensor.node_{n}_zone_{n * 5}" for n in range(4, 61)}
    assert untouched.isdisjoint(writes.take())
    assert site.engine.summary.zones_total == 300
