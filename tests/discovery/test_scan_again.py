"""Scan again, from the options: what is new, missing or moved, and nothing else."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.esp32_fire_alarm import site_dialogue
from custom_components.esp32_fire_alarm.fleet.difference import compare
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress
from custom_components.esp32_fire_alarm.topology import nodes_from_entry
from sim.layout import Numbering
from tests.running_site import RunningSite, until

from .announcing import (
    FINISH,
    WORDS,
    cards,
    connected,
    fleet_at,
    node,
    site_of,
    zeroconf,
)

SCAN_AGAIN = {site_dialogue.CONF_ACTION: site_dialogue.ACTION_SCAN}

pytestmark = pytest.mark.usefixtures("loopback")


async def open_scan(site: RunningSite) -> ConfigFlowResult:
    """Choose Scan again in the options and wait for the result."""
    options = site.hass.config_entries.options
    page = await options.async_init(site.entry.entry_id)
    return await submit(site, page, {"next_step_id": "scan_again"})


async def submit(
    site: RunningSite, page: ConfigFlowResult, values: dict[str, Any]
) -> ConfigFlowResult:
    """Submit a page; if a scan follows, wait for its end."""
    options = site.hass.config_entries.options
    page = await options.async_configure(page["flow_id"], values)
    if page["type"] is FlowResultType.SHOW_PROGRESS:
        assert WORDS["options"]["progress"][page["progress_action"]]
        await site.hass.async_block_till_done()
        page = await options.async_configure(page["flow_id"])
    return page


def said(page: ConfigFlowResult) -> str:
    """Return what a page says, in English, errors included."""
    words = WORDS["options"]
    placeholders = page.get("description_placeholders") or {}
    if page["type"] is FlowResultType.ABORT:
        return str(words["abort"][page["reason"]]).format(**placeholders)
    texts = [words["step"][page["step_id"]]["description"]]
    texts += [words["error"][key] for key in (page["errors"] or {}).values()]
    return "\n".join(texts).format(**placeholders)


async def test_new_moved_and_missing(hass: HomeAssistant) -> None:
    """All of it is said before it is saved; the addresses stay as they were typed."""
    async with fleet_at("127.3.0.2", 4) as fleet:
        port = fleet.port
        site = await site_of(
            hass,
            "127.3.0.2-127.3.0.9",
            port,
            node(1, "127.3.0.2", port),
            node(2, "127.3.0.9", port),
            node(13, "127.3.0.77", port, 9),
            node(4, "127.3.0.4", port, 8),
        )
        await connected(site, 1)
        # Its card is taken back when it joins by the scan.
        fleet.node(4).down()
        page = await open_scan(site)
        fleet.node(4).up()
        await zeroconf(hass, "127.3.0.5", port)
        assert cards(hass) == ["Module 4 at 127.3.0.5"]
        page = await submit(site, page, SCAN_AGAIN)
        assert "4 of 8 addresses answered" in said(page)
        assert (
            "Compared with the site so far:**\n\n"
            "- New: `127.3.0.5` (module 4)\n"
            "- No longer part of the site: `127.3.0.77` (module 9)\n"
            "- Moved: `127.3.0.9` (module 2), now `127.3.0.3` (module 2)\n"
            "- Changed: `127.3.0.4` (module 8), now `127.3.0.4` (module 3)\n"
            in said(page)
        )
        assert page["data_schema"] is not None
        actions = page["data_schema"].schema["action"].config["options"]
        assert actions == ["finish", "scan_again"]
        page = await submit(site, page, FINISH)
        assert page["reason"] == "site_changed"
        assert said(page)
        assert not cards(hass)
        await hass.async_block_till_done()
        assert site.entry.data["addresses"] == "127.3.0.2-127.3.0.9"
        assert [
            (n.node, n.address.host, n.modules)
            for n in nodes_from_entry(site.entry.data)
        ] == [
            (1, "127.3.0.2", (1,)),
            (2, "127.3.0.3", (2,)),
            (3, "127.3.0.5", (4,)),
            (4, "127.3.0.4", (3,)),
        ]


async def test_nothing_new(hass: HomeAssistant) -> None:
    """A look that finds the same makes no link anew, and loses no silent node."""
    async with fleet_at("127.3.1.2", 3) as fleet:
        port = fleet.port
        site = await site_of(
            hass,
            "127.3.1.2-4",
            port,
            *(node(number, f"127.3.1.{number + 1}", port) for number in (1, 2, 3)),
        )
        await connected(site, 1, 2, 3)
        engine, data = site.engine, dict(site.entry.data)
        fleet.node(3).down()
        page = await open_scan(site)
        assert "nothing is different" in said(page)
        assert "`127.3.1.4`: Nothing listens on this port. Part of" in said(page)
        page = await submit(site, page, FINISH)
        assert page["reason"] == "site_unchanged"
        assert said(page)
        for one in fleet.nodes:
            one.down()
        page = await open_scan(site)
        assert "0 of 3 addresses answered" in said(page)
        page = await submit(site, page, FINISH)
        assert page["reason"] == "site_unchanged"
        await hass.async_block_till_done()
        assert site.engine is engine
        assert site.entry.data == data
        # Each was asked and let go again; nobody but that came.
        assert fleet.meter.handshakes_total == 3 + 2


async def test_nobody_else_is_connected_anew(hass: HomeAssistant) -> None:
    """One node moved: its link is the only one that is opened, and no state is lost."""
    async with fleet_at("127.3.5.2", 4) as fleet:
        port = fleet.port
        site = await site_of(
            hass,
            "127.3.5.2-5",
            port,
            node(1, "127.3.5.2", port),
            node(2, "127.3.5.99", port),
            node(3, "127.3.5.4", port),
            node(4, "127.3.5.5", port),
        )
        await connected(site, 1, 3, 4)
        fleet.alarm(11)
        await until(lambda: site.zone(11).state == STATE_ON, 3)
        engine, alarm = site.engine, site.zone(11)
        page = await open_scan(site)
        asked = fleet.meter.handshakes_total
        page = await submit(site, page, FINISH)
        assert page["reason"] == "site_changed"
        await connected(site, 1, 2, 3, 4)
        assert site.engine is engine
        assert fleet.meter.handshakes_total == asked + 1
        assert [engine.health.record(n).connects for n in (1, 3, 4)] == [1, 1, 1]
        assert site.zone(11) is alarm


async def test_an_address_that_another_site_took(hass: HomeAssistant) -> None:
    """Two sites on one ESP32 are refused here too, with the way out."""
    site = await site_of(hass, "127.3.2.2-9", 1, node(1, "127.3.2.2", 1))
    await site_of(hass, "127.3.2.5", 1, node(1, "127.3.2.5", 1), title="Barn")
    page = await open_scan(site)
    assert page["type"] is FlowResultType.ABORT
    assert said(page).startswith("127.3.2.5:1 belongs to the site Barn already. Choose")


async def test_no_node_at_all(hass: HomeAssistant) -> None:
    """A site may end up empty only by being removed."""
    async with fleet_at("127.3.3.2", 1, numbering=Numbering.LOCAL) as fleet:
        site = await site_of(hass, "127.3.3.100-200, 127.3.3.2", fleet.port)
        page = await open_scan(site)
        page = await submit(
            site, page, {**FINISH, site_dialogue.CONF_ADD_MISSING: False}
        )
        assert page["errors"] == {"base": "no_nodes"}
        assert "None of these addresses" in said(page)
        reported = {site_dialogue.CONF_NUMBERING: "reported"}
        page = await submit(site, page, {**FINISH, **reported})
        page = await submit(site, page, FINISH)
        assert page["reason"] == "site_changed"


def test_differences() -> None:
    """By the nodes' numbers; also of standby addresses and offsets."""
    one, two, three = (node(n, f"127.3.4.{n}", 1) for n in (1, 2, 3))
    assert not compare([one, two], [two, one])
    backed = node(2, "127.3.4.2", 1, standby=DeviceAddress("127.3.4.9", 1))
    found = compare([one, two], [three, backed])
    assert found
    assert (found.new, found.missing) == ((three,), (one,))
    assert found.changed == ((two, backed),)
    assert not found.moved
    moved = node(1, "127.3.4.8", 1)
    assert compare([one], [moved]).moved == ((one, moved),)
