"""A node that moved is followed, where it is certain who it is."""

import asyncio

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.esp32_fire_alarm import (
    discovery_flow,
    neighbours,
)
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress
from custom_components.esp32_fire_alarm.topology import nodes_from_entry
from sim.layout import Numbering

from .announcing import (
    FINISH,
    Arp,
    cards,
    connected,
    dhcp,
    fleet_at,
    mac,
    macs,
    node,
    said,
    site_of,
    submit,
    zeroconf,
)

pytestmark = pytest.mark.usefixtures("loopback")

# Known nodes.


async def test_known_nodes_are_left_alone(hass: HomeAssistant, arp: Arp) -> None:
    """Nobody connects to them; but their MAC addresses are kept from now on."""
    async with fleet_at("127.2.11.2") as fleet:
        standby = DeviceAddress("127.2.11.4", fleet.port)
        site = await site_of(
            hass,
            "127.2.11.2, panel-2.lan",
            fleet.port,
            node(1, "127.2.11.2", fleet.port, standby=standby),
            node(2, "panel-2.lan", fleet.port),
        )
        await connected(site, 1)
        asked = fleet.meter.handshakes_total
        assert macs(site) == {1: None, 2: None}
        for page in (
            await dhcp(hass, "127.2.11.2", mac(1)),
            await dhcp(hass, "127.2.11.2", mac(1), "renamed"),
            await dhcp(hass, "127.2.11.77", mac(2), "Panel-2"),
            await zeroconf(hass, "127.2.11.78", fleet.port, "panel-2.local."),
            await dhcp(hass, "127.2.11.4", mac(4)),
        ):
            assert page["reason"] == "already_configured"
            assert said(page)
        assert macs(site) == {1: mac(1), 2: mac(2)}
        assert fleet.meter.handshakes_total == asked
        # Other hardware at the same address, as after a repair.
        await dhcp(hass, "127.2.11.2", mac(9))
        assert macs(site) == {1: mac(9), 2: mac(2)}


async def test_a_known_node_gets_a_new_address(hass: HomeAssistant) -> None:
    """The site follows: same node, same entities, and the address list is right again."""
    async with fleet_at("127.2.12.2", 3) as fleet:
        port = fleet.port
        site = await site_of(
            hass,
            "127.2.12.2, 127.2.12.50, 127.2.12.4",
            port,
            node(1, "127.2.12.2", port),
            node(2, "127.2.12.50", port),
            node(3, "127.2.12.4", port),
        )
        await connected(site, 1, 3)
        neighbours.async_note_mac(hass, site.entry, 2, mac(2))
        engine = site.engine
        links = {n: engine.health.record(n).connects for n in (1, 3)}
        before = {
            entity.entity_id: entity.unique_id
            for entity in er.async_entries_for_config_entry(
                er.async_get(hass), site.entry.entry_id
            )
        }
        page = await dhcp(hass, "127.2.12.3", mac(2))
        assert page["reason"] == "address_updated"
        assert said(page)
        await hass.async_block_till_done()
        assert site.entry.data["addresses"] == "127.2.12.2-127.2.12.4"
        assert nodes_from_entry(site.entry.data) == [
            node(number, f"127.2.12.{number + 1}", port) for number in (1, 2, 3)
        ]
        await connected(site, 1, 2, 3)
        assert before == {
            entity.entity_id: entity.unique_id
            for entity in er.async_entries_for_config_entry(
                er.async_get(hass), site.entry.entry_id
            )
        }
        # Nobody else was connected anew for it.
        assert {n: engine.health.record(n).connects for n in (1, 3)} == links
        assert links == {1: 1, 3: 1}
        page = await dhcp(hass, "127.2.12.3", mac(2), "again")
        assert page["reason"] == "already_configured"
        await hass.async_block_till_done()
        assert site.engine is engine
        assert not cards(hass)


async def test_a_lost_node_is_known_by_its_modules(hass: HomeAssistant) -> None:
    """Where nobody knows a MAC address, the modules say who it is."""
    async with fleet_at("127.2.13.2", 2) as fleet:
        port = fleet.port
        site = await site_of(
            hass,
            "127.2.13.0/24",
            port,
            node(1, "127.2.13.2", port),
            node(2, "127.2.13.50", port),
        )
        await connected(site, 1)
        page = await zeroconf(hass, "127.2.13.3", port)
        assert page["reason"] == "address_updated"
        await hass.async_block_till_done()
        # The whole network was typed: there is nothing to add to it.
        assert site.entry.data["addresses"] == "127.2.13.0/24"
        assert nodes_from_entry(site.entry.data)[1] == node(2, "127.2.13.3", port)
        page = await dhcp(hass, "127.2.13.3", mac(2))
        assert page["reason"] == "already_configured"
        assert macs(site) == {1: None, 2: mac(2)}


async def test_the_mac_is_kept_when_modules_told(hass: HomeAssistant) -> None:
    async with fleet_at("127.2.14.2", 1) as fleet:
        port = fleet.port
        site = await site_of(hass, "127.2.14.50", port, node(1, "127.2.14.50", port))
        page = await dhcp(hass, "127.2.14.2", mac(1))
        assert page["reason"] == "address_updated"
        await hass.async_block_till_done()
        assert macs(site) == {1: mac(1)}


async def test_a_link_that_is_lost_while_it_is_looked_at(hass: HomeAssistant) -> None:
    """Right after a move the old link may still be taken for a good one."""
    async with (
        fleet_at("127.2.15.50", 1) as old,
        fleet_at("127.2.15.2", 1, port=old.port),
    ):
        site = await site_of(
            hass, "127.2.15.50", old.port, node(1, "127.2.15.50", old.port)
        )
        await connected(site, 1)
        asyncio.get_running_loop().call_later(0.15, old.node(1).down)
        page = await dhcp(hass, "127.2.15.2", mac(1))
        assert page["reason"] == "address_updated"


async def test_many_moves_make_each_link_anew_once(hass: HomeAssistant) -> None:
    """After a power cut everybody may have a new address: no storm of reconnects."""
    count_of_nodes = 12
    async with fleet_at("127.2.22.2", count_of_nodes) as fleet:
        port = fleet.port
        nodes = [
            node(number, f"127.2.22.{100 + number}", port)
            for number in range(1, count_of_nodes + 1)
        ]
        site = await site_of(hass, "127.2.22.101-112", port, *nodes)
        for one in nodes:
            neighbours.async_note_mac(hass, site.entry, one.node, mac(one.node))
        pages = await asyncio.gather(
            *(dhcp(hass, f"127.2.22.{n + 1}", mac(n)) for n in range(1, 13))
        )
        assert {page["reason"] for page in pages} == {"address_updated"}
        await hass.async_block_till_done()
        assert site.entry.data["addresses"] == "127.2.22.2-127.2.22.13"
        await connected(site, *range(1, 13))
        # Each was asked once, and connected to once.
        assert fleet.meter.handshakes_total == 2 * count_of_nodes


async def test_known_nodes_are_waited_for_longer(hass: HomeAssistant) -> None:
    """Who is known by a MAC address is worth more patience than a stranger."""
    async with fleet_at("127.2.23.2", 2, absent=[2]) as fleet:
        port = fleet.port
        site = await site_of(hass, "127.2.23.50", port, node(2, "127.2.23.50", port))
        neighbours.async_note_mac(hass, site.entry, 2, mac(2))
        loop = asyncio.get_running_loop()
        began = loop.time()
        page = await dhcp(hass, "127.2.23.3", mac(7))
        assert page["reason"] == "no_fire_alarm"
        assert loop.time() - began < 0.3
        loop.call_later(0.2, fleet.node(2).up)
        page = await dhcp(hass, "127.2.23.3", mac(2))
        assert page["reason"] == "address_updated"


# What proves nothing.


async def test_a_second_source_gets_a_card(hass: HomeAssistant) -> None:
    """Another ESP32 with the modules of one that is well has not moved."""
    async with (
        fleet_at("127.2.16.2", 1) as fleet,
        fleet_at("127.2.16.50", 1, port=fleet.port),
    ):
        site = await site_of(
            hass, "127.2.16.2", fleet.port, node(1, "127.2.16.2", fleet.port)
        )
        await connected(site, 1)
        page = await dhcp(hass, "127.2.16.50", mac(5))
        assert page["step_id"] == "discovered"
        assert nodes_from_entry(site.entry.data)[0].address.host == "127.2.16.2"


async def test_two_addresses_of_one_node(hass: HomeAssistant) -> None:
    """As long as it is heard where the site has it, nothing has to change."""
    async with (
        fleet_at("127.2.17.2", 1) as fleet,
        fleet_at("127.2.17.50", 1, port=fleet.port),
    ):
        site = await site_of(
            hass, "127.2.17.2", fleet.port, node(1, "127.2.17.2", fleet.port)
        )
        await connected(site, 1)
        neighbours.async_note_mac(hass, site.entry, 1, mac(1))
        page = await dhcp(hass, "127.2.17.50", mac(1))
        assert page["reason"] == "already_configured"
        assert nodes_from_entry(site.entry.data)[0].address.host == "127.2.17.2"


async def test_another_esp32_in_a_lost_nodes_stead(hass: HomeAssistant) -> None:
    """Its number is right, its hardware is not: that is for the user to decide."""
    async with fleet_at("127.2.18.2", 2) as fleet:
        port = fleet.port
        site = await site_of(hass, "127.2.18.50", port, node(2, "127.2.18.50", port))
        neighbours.async_note_mac(hass, site.entry, 2, mac(2))
        page = await dhcp(hass, "127.2.18.3", mac(7))
        assert page["step_id"] == "discovered"
        page = await submit(hass, page, {discovery_flow.CONF_SITE: site.entry.entry_id})
        assert "- Moved: `127.2.18.50` (module 2), now `127.2.18.3` (module 2)" in said(
            page
        )
        page = await submit(hass, page, FINISH)
        assert page["reason"] == "node_added"
        await hass.async_block_till_done()
        assert nodes_from_entry(site.entry.data) == [node(2, "127.2.18.3", port)]


async def test_esp32s_that_do_not_know_their_number(
    hass: HomeAssistant, arp: Arp
) -> None:
    """All say 01, so only the MAC address tells who moved; even if two swapped places."""
    async with fleet_at("127.2.19.2", 3, numbering=Numbering.LOCAL) as fleet:
        port = fleet.port
        site = await site_of(
            hass,
            "127.2.19.2, 127.2.19.3, 127.2.19.50",
            port,
            node(1, "127.2.19.2", port),
            node(2, "127.2.19.3", port, 2, offset=1),
            node(3, "127.2.19.50", port, 3, offset=2),
        )
        await connected(site, 1, 2)
        page = await dhcp(hass, "127.2.19.4", mac(9))
        assert page["step_id"] == "discovered"
        neighbours.async_note_mac(hass, site.entry, 1, mac(1))
        neighbours.async_note_mac(hass, site.entry, 2, mac(2))
        # Both addresses are heard, but the other way round.
        arp.says({"127.2.19.2": mac(2), "127.2.19.3": mac(1)})
        page = await dhcp(hass, "127.2.19.3", mac(1))
        assert page["reason"] == "address_updated"
        await hass.async_block_till_done()
        assert site.entry.data["addresses"] == "127.2.19.2, 127.2.19.3, 127.2.19.50"
        assert [n.address.host for n in nodes_from_entry(site.entry.data)] == [
            "127.2.19.3",
            "127.2.19.2",
            "127.2.19.50",
        ]
        page = await dhcp(hass, "127.2.19.2", mac(2))
        assert page["reason"] == "already_configured"


async def test_the_address_of_another_site(hass: HomeAssistant) -> None:
    """A node of one site seen where another has one: that is not settled unseen."""
    port = 1
    one = await site_of(hass, "127.2.20.2", port, node(1, "127.2.20.2", port))
    two = await site_of(
        hass, "127.2.20.3", port, node(1, "127.2.20.3", port), title="Barn"
    )
    neighbours.async_note_mac(hass, one.entry, 1, mac(1))
    page = await dhcp(hass, "127.2.20.3", mac(1))
    assert page["reason"] == "already_configured"
    assert nodes_from_entry(one.entry.data)[0].address.host == "127.2.20.2"
    assert nodes_from_entry(two.entry.data)[0].address.host == "127.2.20.3"
