"""Nodes that are at other addresses now are found, and taken over with a click."""

from pathlib import Path
import time
from typing import Any

from homeassistant.const import STATE_OFF
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp32_fire_alarm import neighbours
from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.topology import nodes_to_entry
from sim.layout import Numbering
from tests.running_site import until

from .site_issues import (
    WORDS,
    Fix,
    connected,
    fleet_at,
    hosts,
    issues,
    node,
    remember_lost,
    running,
    running_as,
    shown,
)

pytestmark = pytest.mark.usefixtures("loopback")


async def test_swapped_nodes_change_places(hass: HomeAssistant, fix: Fix) -> None:
    """Confirmed: two links are made anew, the third notices nothing."""
    async with fleet_at("127.4.0.2") as fleet:
        port = fleet.port
        site = await running(
            hass,
            node(1, "127.4.0.3", port),
            node(2, "127.4.0.2", port),
            node(3, "127.4.0.4", port),
        )
        await connected(site, 3)
        assert site.zone(1).state != STATE_OFF
        issue = await shown(site, "swapped_nodes_1_2")
        assert issues(site).keys() == {"swapped_nodes_1_2"}
        assert issue.severity is ir.IssueSeverity.ERROR
        page = await fix(issue)
        assert page["type"] == "form"
        text = WORDS["swapped_nodes"]["fix_flow"]["step"]["confirm"]["description"]
        assert f"Node 1 (127.4.0.3:{port}), Node 2 (127.4.0.2:{port})" in text.format(
            **page["description_placeholders"]
        )
        # Looked at and closed: nothing has happened.
        assert issues(site).keys() == {"swapped_nodes_1_2"}
        assert hosts(site) == {1: "127.4.0.3", 2: "127.4.0.2", 3: "127.4.0.4"}
        page = await fix(issue, {})
        assert page["type"] == "create_entry"
        assert not issues(site)
        assert hosts(site) == {1: "127.4.0.2", 2: "127.4.0.3", 3: "127.4.0.4"}
        await until(lambda: len(site.zones(STATE_OFF)) == 15, 8)
        assert [
            sum(knock.node == one.number for knock in fleet.meter.connections)
            for one in fleet.nodes
        ] == [2, 2, 1]
        await site.remove()


async def test_a_node_that_got_the_address_of_another(
    hass: HomeAssistant, fix: Fix
) -> None:
    """Step by step: one gets the other's address, which is then found elsewhere."""
    async with fleet_at("127.4.1.2", 4) as fleet:
        port = fleet.port
        # 2 has what was 3's address; 3 has a free one; 2's old one is nobody's.
        site = await running(
            hass,
            node(1, "127.4.1.2", port),
            node(2, "127.4.1.9", port),
            node(3, "127.4.1.3", port),
            addresses="127.4.1.2-9",
        )
        await connected(site, 2)
        issue = await shown(site, "node_moved_2")
        page = await fix(issue, {})
        assert page["type"] == "create_entry"
        assert hosts(site) == {1: "127.4.1.2", 2: "127.4.1.3", 3: "127.4.1.9"}
        await until(lambda: site.zone(6).state == STATE_OFF, 8)
        await site.remove()


async def test_a_lost_node_is_found_at_a_free_address(
    hass: HomeAssistant, hass_storage: dict[str, Any], fix: Fix
) -> None:
    """Its modules give it away; who belongs to another site is left in peace."""
    async with fleet_at("127.4.2.2", 5) as fleet:
        port = fleet.port
        other = MockConfigEntry(
            domain=DOMAIN,
            data={
                "addresses": "127.4.2.6",
                "port": port,
                "standby": "",
                "nodes": nodes_to_entry([node(5, "127.4.2.6", port)]),
            },
        )
        other.add_to_hass(hass)
        entry_id = remember_lost(hass_storage, {2: time.time() - 4000})
        site = await running_as(
            hass,
            entry_id,
            node(1, "127.4.2.2", port),
            node(2, "127.4.2.20", port),
            addresses="127.4.2.2-20",
        )
        await connected(site, 1)
        issue = await shown(site, "node_moved_2")
        # One link and, for each of three free nodes, one question.
        assert fleet.meter.handshakes_total == 1 + 3
        page = await fix(issue, {})
        assert page["type"] == "create_entry"
        assert hosts(site) == {1: "127.4.2.2", 2: "127.4.2.3"}
        assert site.entry.data["addresses"] == "127.4.2.2-20"
        await connected(site, 2)
        assert not issues(site)
        await site.remove()


async def test_the_hardware_address_decides_where_it_is_known(
    hass: HomeAssistant, hass_storage: dict[str, Any], arp: Path
) -> None:
    """All call their module 01, so only the network card tells them apart."""
    async with fleet_at("127.4.3.2", 3, numbering=Numbering.LOCAL) as fleet:
        port = fleet.port
        arp.write_text(
            "127.4.3.3 0x1 0x2 24:0a:c4:00:00:09 * wlan0\n"
            "127.4.3.4 0x1 0x2 24:0a:c4:00:00:02 * wlan0\n"
        )
        entry_id = remember_lost(hass_storage, {2: time.time() - 4000})
        site = await running_as(
            hass,
            entry_id,
            node(1, "127.4.3.2", port),
            node(2, "127.4.3.20", port, 2, offset=1),
            addresses="127.4.3.2-20",
        )
        neighbours.async_note_mac(hass, site.entry, 2, "24:0a:c4:00:00:02")
        issue = await shown(site, "node_moved_2")
        assert issue.data is not None
        assert issue.data["host"] == "127.4.3.4"
        await site.remove()


def show_again(hass: HomeAssistant, issue: ir.IssueEntry) -> ir.IssueEntry:
    """Put an issue back that is gone, as it stands on a page that is still open."""
    assert issue.translation_key is not None
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue.issue_id,
        data=issue.data,
        is_fixable=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key=issue.translation_key,
        translation_placeholders=issue.translation_placeholders,
    )
    return issue


async def test_an_issue_that_was_settled_meanwhile(
    hass: HomeAssistant, fix: Fix
) -> None:
    """Its page was still open: nothing is done twice."""
    async with fleet_at("127.4.4.2", 2) as fleet:
        port = fleet.port
        one, two = (node(n, f"127.4.4.{n + 1}", port) for n in (1, 2))
        site = await running(
            hass, node(1, "127.4.4.3", port), node(2, "127.4.4.2", port)
        )
        issue = await shown(site, "swapped_nodes_1_2")
        await site.rearrange(one, two)
        assert not issues(site)
        again = show_again(hass, issue)
        page = await fix(again)
        assert (page["type"], page["reason"]) == ("abort", "not_needed")
        await site.rearrange(two)
        page = await fix(again)
        assert (page["type"], page["reason"]) == ("abort", "not_needed")
        await site.remove()
