"""An ESP32 that belongs nowhere becomes one card for the user, and never two."""

import asyncio

from homeassistant.config_entries import (
    SOURCE_IGNORE,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.esp32_fire_alarm import (
    discovery,
    discovery_flow,
    site_dialogue,
)
from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress
from custom_components.esp32_fire_alarm.topology import nodes_from_entry

from .announcing import (
    FINISH,
    WORDS,
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
    suggested,
    zeroconf,
)

pytestmark = pytest.mark.usefixtures("loopback")


async def test_the_first_esp32_becomes_a_card(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no site yet, the card leads to the form for a new one."""
    async with fleet_at("127.2.0.2", 1) as fleet:
        monkeypatch.setattr(discovery, "DEFAULT_PORT", fleet.port)
        page = await dhcp(hass, "127.2.0.2")
        assert page["type"] is FlowResultType.FORM
        assert page["step_id"] == "discovered"
        assert "At 127.2.0.2 an ESP32 sends the data of module 1 of" in said(page)
        assert cards(hass) == ["Module 1 at 127.2.0.2"]
        page = await submit(hass, page, {})
        assert page["step_id"] == "user"
        assert suggested(page, "addresses") == "127.2.0.2"
        assert suggested(page, "port") == fleet.port
        page = await submit(
            hass,
            page,
            {"name": "Mill", "addresses": "127.2.0.2", "port": fleet.port},
        )
        assert page["step_id"] == "result"
        page = await submit(hass, page, FINISH)
        assert page["type"] is FlowResultType.CREATE_ENTRY
        assert len(page["result"].unique_id or "") == 32
        await hass.async_block_till_done()
        again = await dhcp(hass, "127.2.0.2", hostname="other")
        assert again["reason"] == "already_configured"
    assert not cards(hass)


async def test_many_new_ones_become_one_site(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has its card; the form for a new site knows them all, and then none is left."""
    async with fleet_at("127.2.1.9", 4) as fleet:
        monkeypatch.setattr(discovery, "DEFAULT_PORT", fleet.port)
        pages = await asyncio.gather(
            *(dhcp(hass, f"127.2.1.{n}", mac(n)) for n in (11, 9, 10))
        )
        assert sorted(cards(hass)) == [
            "Module 1 at 127.2.1.9",
            "Module 2 at 127.2.1.10",
            "Module 3 at 127.2.1.11",
        ]
        page = await submit(hass, pages[0], {})
        assert suggested(page, "addresses") == "127.2.1.9-127.2.1.11"
        values = {"name": "Mill", "addresses": "127.2.1.9-10", "port": fleet.port}
        page = await submit(hass, page, values)
        page = await submit(hass, page, FINISH)
        assert page["type"] is FlowResultType.CREATE_ENTRY
        assert not cards(hass)


async def test_a_card_joins_a_site(hass: HomeAssistant) -> None:
    """Through the same scan and page as Reconfigure: what is new is said first."""
    async with fleet_at("127.2.2.2") as fleet:
        site = await site_of(
            hass,
            "127.2.2.2",
            fleet.port,
            node(1, "127.2.2.2", fleet.port),
        )
        await site_of(
            hass, "127.2.99.1", 81, node(1, "127.2.99.1", 81, 9), title="Barn"
        )
        await connected(site, 1)
        page = await dhcp(hass, "127.2.2.3", mac(2))
        assert page["data_schema"] is not None
        (field,) = page["data_schema"].schema
        assert field.default() == site.entry.entry_id
        labels = [
            option["label"]
            for option in page["data_schema"].schema[field].config["options"]
        ]
        assert labels == ["Mill", "Barn", discovery_flow.NEW_SITE]
        assert WORDS["selector"]["site"]["options"][discovery_flow.NEW_SITE]
        page = await submit(hass, page, {discovery_flow.CONF_SITE: site.entry.entry_id})
        assert page["step_id"] == "result"
        assert (
            "Compared with the site so far:**\n\n- New: `127.2.2.3` (module 2)"
            in said(page)
        )
        page = await submit(hass, page, FINISH)
        assert page["reason"] == "node_added"
        assert said(page)
        await hass.async_block_till_done()
        assert site.entry.data["addresses"] == "127.2.2.2\n127.2.2.3"
        assert nodes_from_entry(site.entry.data) == [
            node(1, "127.2.2.2", fleet.port),
            node(2, "127.2.2.3", fleet.port),
        ]
        await connected(site, 1, 2)
        again = await dhcp(hass, "127.2.2.3", mac(2))
        assert again["reason"] == "already_configured"
        assert macs(site) == {1: None, 2: mac(2)}


async def test_a_site_with_standby_addresses_needs_one_more(
    hass: HomeAssistant,
) -> None:
    """What the form refuses can be completed in it."""
    async with fleet_at("127.2.3.2") as fleet:
        site = await site_of(
            hass,
            "127.2.3.2",
            fleet.port,
            node(
                1,
                "127.2.3.2",
                fleet.port,
                standby=DeviceAddress("127.2.3.102", fleet.port),
            ),
            standby="127.2.3.102",
        )
        page = await dhcp(hass, "127.2.3.3", mac(2))
        page = await submit(hass, page, {discovery_flow.CONF_SITE: site.entry.entry_id})
        assert page["step_id"] == "reconfigure"
        assert page["errors"] == {"standby": "standby_count"}
        assert suggested(page, "addresses") == "127.2.3.2\n127.2.3.3"
        page = await submit(
            hass,
            page,
            {
                "name": "Mill",
                "addresses": "127.2.3.2-3",
                "port": fleet.port,
                "standby": "127.2.3.102-103",
            },
        )
        page = await submit(hass, page, FINISH)
        assert page["reason"] == "node_added"
        await hass.async_block_till_done()
        assert len(nodes_from_entry(site.entry.data)) == 2


async def test_a_card_whose_address_a_site_typed_before(hass: HomeAssistant) -> None:
    """A whole network was typed, so the address is not added to the text again."""
    async with fleet_at("127.2.4.2", absent=[2]) as fleet:
        site = await site_of(
            hass, "127.2.4.2-127.2.4.9", fleet.port, node(1, "127.2.4.2", fleet.port)
        )
        await connected(site, 1)
        fleet.node(2).up()
        page = await dhcp(hass, "127.2.4.3", mac(2))
        page = await submit(hass, page, {discovery_flow.CONF_SITE: site.entry.entry_id})
        page = await submit(
            hass, page, {**FINISH, site_dialogue.CONF_ADD_MISSING: False}
        )
        assert page["reason"] == "node_added"
        await hass.async_block_till_done()
        assert site.entry.data["addresses"] == "127.2.4.2-127.2.4.9"
        assert [n.modules for n in nodes_from_entry(site.entry.data)] == [
            (1,),
            (2,),
            (3,),
        ]


async def test_a_node_that_has_just_booted(hass: HomeAssistant) -> None:
    """It is announced before it listens, so it is asked more than once."""
    async with fleet_at("127.2.5.2", 2, absent=[2]) as fleet:
        asyncio.get_running_loop().call_later(0.05, fleet.node(2).up)
        page = await zeroconf(hass, "127.2.5.3", fleet.port)
        assert page["step_id"] == "discovered"


@pytest.mark.parametrize("port", [1, 0])
async def test_strangers_get_no_card(
    hass: HomeAssistant, port: int, unused_tcp_port: int
) -> None:
    """Nothing listens, or what listens is something else."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-hello\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(greet, "127.2.6.2", unused_tcp_port)
    async with server:
        page = await zeroconf(hass, "127.2.6.2", port or unused_tcp_port)
    assert page["reason"] == "no_fire_alarm"
    assert said(page)
    assert not cards(hass)


async def test_nobody_far_away_is_asked(hass: HomeAssistant) -> None:
    """Sockets to other networks would fail this test."""
    page = await dhcp(hass, "9.9.9.9")
    assert page["reason"] == "not_local"
    assert said(page)


# Never a second card.


async def test_one_card_per_device(hass: HomeAssistant, arp: Arp) -> None:
    """However often and by whatever it is announced."""
    async with fleet_at("127.2.7.2", 2) as fleet:
        page = await zeroconf(hass, "127.2.7.2", fleet.port)
        assert page["step_id"] == "discovered"
        for again in (
            await zeroconf(hass, "127.2.7.2", fleet.port),
            await dhcp(hass, "127.2.7.2"),
        ):
            assert again["reason"] == "already_in_progress"
        arp.says({"127.2.7.3": mac(2)})
        at_once = await asyncio.gather(
            zeroconf(hass, "127.2.7.3", fleet.port, "one.local."),
            zeroconf(hass, "127.2.7.3", fleet.port, "two.local."),
        )
        assert sorted(page["type"] for page in at_once) == ["abort", "form"]
        assert len(cards(hass)) == 2


async def test_both_announcements_at_the_same_time(hass: HomeAssistant) -> None:
    """One is quicker, whichever knows the MAC address."""
    async with fleet_at("127.2.8.2", 1) as fleet:
        await site_of(
            hass, "127.2.99.1", fleet.port, node(1, "127.2.99.1", fleet.port, 9)
        )
        at_once = await asyncio.gather(
            zeroconf(hass, "127.2.8.2", fleet.port), dhcp(hass, "127.2.8.2")
        )
        assert sorted(page["type"] for page in at_once) == ["abort", "form"]
        assert len(cards(hass)) == 1


async def test_a_device_that_moves_on_before_its_card_is_opened(
    hass: HomeAssistant, arp: Arp
) -> None:
    """The old card goes, for nobody is there any more."""
    async with fleet_at("127.2.9.2", 2) as fleet:
        arp.says({"127.2.9.2": mac(1)})
        await zeroconf(hass, "127.2.9.2", fleet.port)
        arp.says({"127.2.9.3": mac(1)})
        await zeroconf(hass, "127.2.9.3", fleet.port)
        assert cards(hass) == ["Module 2 at 127.2.9.3"]


async def test_an_ignored_device(hass: HomeAssistant) -> None:
    """It is neither asked again nor takes part in anything."""
    async with fleet_at("127.2.10.2", 1) as fleet:
        site = await site_of(
            hass, "127.2.99.1", fleet.port, node(1, "127.2.99.1", fleet.port, 9)
        )
        await dhcp(hass, "127.2.10.2")
        await hass.config_entries.flow.async_init(
            DOMAIN,
            context={"source": SOURCE_IGNORE},
            data={"unique_id": mac(1), "title": "Neighbour's"},
        )
        assert not cards(hass)
        asked = fleet.meter.handshakes_total
        page = await dhcp(hass, "127.2.10.2", hostname="again")
        assert page["reason"] == "already_configured"
        assert fleet.meter.handshakes_total == asked
        assert discovery.async_sites(hass) == [site.entry]
