"""What is wrong is shown once, cured with a click, and gone when it is put right."""

import asyncio
from collections.abc import Awaitable, Callable
import json
from pathlib import Path
import time
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp32_fire_alarm import caretaker, neighbours, repairs
from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.fleet import findings, standby
from custom_components.esp32_fire_alarm.fleet.findings import FindingKind
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.topology import nodes_from_entry, nodes_to_entry
from sim.faults import Fault
from sim.fleet import SimulatedFleet
from sim.layout import Numbering

from .running_site import RunningSite, set_up, until

pytestmark = pytest.mark.usefixtures("loopback")

TRANSLATIONS = Path(repairs.__file__).parent / "translations"
WORDS = json.loads((TRANSLATIONS / "en.json").read_text("utf-8"))["issues"]
DAY = 86_400.0

LONG_ENOUGH_SECONDS = 1.5
"""Within so long something that is wrong would be shown, patience being little."""

type Fix = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what takes minutes take half a second."""
    monkeypatch.setattr(findings, "STEADY_SECONDS", 0.4)
    monkeypatch.setattr(caretaker, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(caretaker, "SEARCH_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(standby, "FIRST_CHECK_SECONDS", 0.1)
    monkeypatch.setattr(standby, "LOOK_SECONDS", 0.1)


@pytest.fixture(autouse=True)
def arp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the system a table of neighbours, which is empty."""
    table = tmp_path / "arp"
    monkeypatch.setattr(neighbours, "TABLE", table)
    return table


@pytest.fixture
async def fix(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> Fix:
    """Return a function that goes through an issue's fix flow as the browser does."""
    # Before the client: its web server takes up nothing new once it runs.
    assert await async_setup_component(hass, DOMAIN, {})
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()

    async def click(issue: ir.IssueEntry, *answers: dict[str, Any]) -> dict[str, Any]:
        response = await client.post(
            "/api/repairs/issues/fix",
            json={"handler": DOMAIN, "issue_id": issue.issue_id},
        )
        assert response.status == 200, await response.text()
        page: dict[str, Any] = await response.json()
        for answer in answers:
            response = await client.post(
                f"/api/repairs/issues/fix/{page['flow_id']}", json=answer
            )
            assert response.status == 200, await response.text()
            page = await response.json()
        await hass.async_block_till_done()
        return page

    return click


def fleet_at(first: str, count: int = 3, **options: Any) -> SimulatedFleet:
    """Return a quick fleet from an address on."""
    return SimulatedFleet(
        count=count, port=options.pop("port", 0), first_address=first,
        cycle_seconds=0.05, **options,
    )  # fmt: skip


def node(number: int, host: str, port: int, *modules: int, **more: Any) -> NodeConfig:
    """Return a node of a site."""
    return NodeConfig(number, DeviceAddress(host, port), modules or (number,), **more)


async def running(
    hass: HomeAssistant, *nodes: NodeConfig, addresses: str = "", **options: Any
) -> RunningSite:
    """Set up a site that gives nodes up quickly."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Mill",
        unique_id="mill",
        data={
            "addresses": addresses or ", ".join(f"{one.address.host}" for one in nodes),
            "port": nodes[0].address.port,
            "standby": "",
            "nodes": nodes_to_entry(nodes),
        },
        options={"hold_seconds": 0} | options,
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return RunningSite(hass, entry)


def issues(site: RunningSite) -> dict[str, ir.IssueEntry]:
    """Return the site's issues by what is wrong and with whom."""
    prefix = f"{site.entry.entry_id}_"
    return {
        issue.issue_id.removeprefix(prefix): issue
        for issue in ir.async_get(site.hass).issues.values()
        if issue.issue_id.startswith(prefix) and issue.active
    }


async def shown(site: RunningSite, key: str, seconds: float = 8) -> ir.IssueEntry:
    """Wait for an issue, check that it can be read, and return it."""
    await until(lambda: key in issues(site), seconds)
    issue = issues(site)[key]
    assert issue.translation_placeholders is not None
    assert issue.translation_key is not None
    words = WORDS[issue.translation_key]
    assert ("fix_flow" in words) is issue.is_fixable
    assert words["title"].format(**issue.translation_placeholders)
    return issue


async def gone(site: RunningSite, key: str, seconds: float = 8) -> None:
    """Wait until an issue is no longer there."""
    await until(lambda: key not in issues(site), seconds)


def said(issue: ir.IssueEntry) -> str:
    """Return the text of an issue that cannot be fixed with a click."""
    assert issue.translation_key is not None
    text: str = WORDS[issue.translation_key]["description"]
    return text.format(**issue.translation_placeholders or {})


def hosts(site: RunningSite) -> dict[int, str]:
    """Return where the site has its nodes."""
    return {one.node: one.address.host for one in nodes_from_entry(site.entry.data)}


async def connected(site: RunningSite, count: int) -> None:
    """Wait until so many nodes are heard."""
    await until(lambda: site.engine.summary.nodes_connected == count, 10)


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


async def test_two_nodes_claim_a_module(hass: HomeAssistant) -> None:
    """Told once for the module, with everybody who claims it."""
    async with (
        fleet_at("127.4.5.2", 2) as fleet,
        fleet_at("127.4.5.9", 1, port=fleet.port) as twin,
    ):
        port = fleet.port
        site = await running(
            hass,
            node(1, "127.4.5.2", port),
            node(2, "127.4.5.3", port),
            node(3, "127.4.5.9", port),
        )
        await connected(site, 3)
        issue = await shown(site, "duplicate_module_1")
        assert issues(site).keys() == {"duplicate_module_1"}
        assert f"Node 1 (127.4.5.2:{port}), Node 3 (127.4.5.9:{port}) all say that" in (
            said(issue)
        )
        twin.alarm(2)
        await until(lambda: site.zone(2).state == STATE_ON, 3)
        twin.node(1).down()
        await gone(site, "duplicate_module_1")
        await site.remove()


async def test_a_foreign_node(hass: HomeAssistant) -> None:
    """A module that the site does not know, at the address of one that it does."""
    async with fleet_at("127.4.6.2", 3) as fleet:
        port = fleet.port
        site = await running(
            hass, node(1, "127.4.6.2", port), node(7, "127.4.6.4", port)
        )
        issue = await shown(site, "foreign_node_7")
        assert "should report module 7, but reports 3" in said(issue)
        # The right one is put there after all.
        fleet.node(3).panel.modules = (7,)
        await gone(site, "foreign_node_7")
        await site.remove()


async def test_an_offline_module_accuses_nobody(hass: HomeAssistant) -> None:
    async with fleet_at("127.4.7.2", 2) as fleet:
        port = fleet.port
        fleet.module_offline(2)
        site = await running(
            hass, node(1, "127.4.7.2", port), node(2, "127.4.7.3", port)
        )
        await connected(site, 2)
        await asyncio.sleep(LONG_ENOUGH_SECONDS)
        assert not issues(site)
        await site.remove()


async def test_a_dead_standby_is_trouble(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standby, "STANDBY_CHECK_SECONDS", 0.3)
    async with (
        fleet_at("127.4.8.2", 1) as fleet,
        fleet_at("127.4.8.9", 1, port=fleet.port) as backup,
    ):
        port = fleet.port
        site = await running(
            hass,
            node(1, "127.4.8.2", port, standby=DeviceAddress("127.4.8.9", port)),
        )
        await connected(site, 1)
        await until(lambda: site.engine.health.record(1).standby_alive is True, 5)
        assert site.is_on("trouble") == STATE_OFF
        backup.node(1).down()
        await until(lambda: site.is_on("trouble") == STATE_ON, 5)
        issue = await shown(site, "standby_dead_1")
        assert issue.severity is ir.IssueSeverity.WARNING
        assert f"nothing answers at its standby address 127.4.8.9:{port}" in said(issue)
        assert site.zone(1).state == STATE_OFF
        backup.node(1).up()
        await until(lambda: site.is_on("trouble") == STATE_OFF, 5)
        await gone(site, "standby_dead_1")
        await site.remove()


async def test_full_slots(hass: HomeAssistant) -> None:
    async with fleet_at("127.4.9.2", 2) as fleet:
        port = fleet.port
        fleet.node(2).fault(Fault.FULL_SLOTS)
        site = await running(
            hass, node(1, "127.4.9.2", port), node(2, "127.4.9.3", port)
        )
        issue = await shown(site, "slots_full_2")
        assert f"The ESP32 at 127.4.9.3:{port} hangs up at once" in said(issue)
        await site.rearrange(node(1, "127.4.9.2", port))
        assert not issues(site)
        await site.remove()


async def test_an_unstable_link(hass: HomeAssistant) -> None:
    site = await running(hass, node(1, "127.4.10.2", 1), node(2, "127.4.10.3", 1))
    times = site.engine.health.record(2).reconnects_at
    times.extend([time.monotonic()] * 10)
    await shown(site, "unstable_link_2")
    times.clear()
    await gone(site, "unstable_link_2")


async def test_the_same_trouble_of_many_is_one_issue(hass: HomeAssistant) -> None:
    site = await running(hass, *(node(n, f"127.4.11.{n}", 1) for n in range(1, 21)))
    for number in range(3, 15):
        record = site.engine.health.record(number)
        record.reconnects_at.extend([time.monotonic()] * 10)
    issue = await shown(site, "unstable_link")
    assert issues(site).keys() == {"unstable_link"}
    assert "within 24 hours: 3-14." in said(issue)
    assert issue.is_fixable is False


# Lost for long.


def remember_lost(hass_storage: dict[str, Any], lost: dict[int, float]) -> str:
    """Write the file of a site that ran before; return its entry's id."""
    entry_id = "remembered"
    hass_storage[f"{DOMAIN}.{entry_id}.links"] = {
        "version": 1,
        "minor_version": 1,
        "key": f"{DOMAIN}.{entry_id}.links",
        "data": {
            "standby": [],
            "lost_since": {str(number): at for number, at in lost.items()},
        },
    }
    return entry_id


async def running_as(
    hass: HomeAssistant, entry_id: str, *nodes: NodeConfig, addresses: str = ""
) -> RunningSite:
    """Set up a site again that ran before."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Mill",
        unique_id="mill",
        entry_id=entry_id,
        data={
            "addresses": addresses or ", ".join(one.address.host for one in nodes),
            "port": nodes[0].address.port,
            "standby": "",
            "nodes": nodes_to_entry(nodes),
        },
        options={"hold_seconds": 0},
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return RunningSite(hass, entry)


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


async def test_a_node_lost_for_a_day_is_removed(
    hass: HomeAssistant, hass_storage: dict[str, Any], fix: Fix
) -> None:
    """The day goes on over a restart; removed, nobody else notices."""
    async with fleet_at("127.4.20.2", 1) as fleet:
        port = fleet.port
        entry_id = remember_lost(hass_storage, {2: time.time() - DAY})
        site = await running_as(
            hass,
            entry_id,
            node(1, "127.4.20.2", port),
            node(2, "127.4.20.3", port),
            node(3, "127.4.20.4", port),
        )
        issue = await shown(site, "node_lost_2")
        # Node 3 is lost too, but not for long.
        assert issues(site).keys() == {"node_lost_2"}
        page = await fix(issue)
        assert page["type"] == "menu"
        assert page["menu_options"] == ["remove", "keep"]
        menu = WORDS["node_lost"]["fix_flow"]["step"]["init"]
        assert list(menu["menu_options"]) == page["menu_options"]
        assert "more than a day" in menu["description"].format(
            **page["description_placeholders"]
        )
        page = await fix(issue, {"next_step_id": "remove"})
        assert page["type"] == "create_entry"
        assert not issues(site)
        assert hosts(site) == {1: "127.4.20.2", 3: "127.4.20.4"}
        assert site.entry.data["addresses"] == "127.4.20.2, 127.4.20.4"
        assert site.engine.summary.zones_total == 10
        assert fleet.meter.handshakes_total == 1
        await site.remove()


async def test_a_node_lost_for_a_day_is_kept(
    hass: HomeAssistant, hass_storage: dict[str, Any], fix: Fix
) -> None:
    """Not asked again, until it was back."""
    async with fleet_at("127.4.21.2", 2, absent=[2]) as fleet:
        port = fleet.port
        entry_id = remember_lost(hass_storage, {2: time.time() - DAY})
        site = await running_as(
            hass, entry_id, node(1, "127.4.21.2", port), node(2, "127.4.21.3", port)
        )
        issue = await shown(site, "node_lost_2")
        page = await fix(issue, {"next_step_id": "keep"})
        assert (page["type"], page["reason"]) == ("abort", "kept")
        assert WORDS["node_lost"]["fix_flow"]["abort"]["kept"]
        assert issues(site)["node_lost_2"].dismissed_version is not None
        # A reload asks nothing again either.
        assert await hass.config_entries.async_reload(entry_id)
        await until(lambda: bool(site.engine._caretaker._findings.raised), 8)
        assert issues(site)["node_lost_2"].dismissed_version is not None
        assert hosts(site) == {1: "127.4.21.2", 2: "127.4.21.3"}
        fleet.node(2).up()
        await connected(site, 2)
        await gone(site, "node_lost_2")
        assert hass_storage
        await site.remove()


async def test_while_nobody_is_heard_no_node_is_called_lost(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    entry_id = remember_lost(hass_storage, dict.fromkeys((1, 2), time.time() - DAY))
    site = await running_as(
        hass, entry_id, node(1, "127.4.22.2", 1), node(2, "127.4.22.3", 1)
    )
    await asyncio.sleep(LONG_ENOUGH_SECONDS)
    assert not issues(site)


# Issues and their entry.


async def test_issues_go_with_their_site(hass: HomeAssistant) -> None:
    """Kept over a reload, gone when the site is disabled or removed."""
    site = await running(hass, node(1, "127.4.23.2", 1))
    site.engine.health.record(1).reconnects_at.extend([time.monotonic()] * 10)
    issue = await shown(site, "unstable_link_1")
    await hass.config_entries.async_reload(site.entry.entry_id)
    assert issues(site) == {"unstable_link_1": issue}
    await hass.config_entries.async_set_disabled_by(
        site.entry.entry_id, ConfigEntryDisabler.USER
    )
    assert not issues(site)
    await hass.config_entries.async_set_disabled_by(site.entry.entry_id, None)
    site.engine.health.record(1).reconnects_at.extend([time.monotonic()] * 10)
    await shown(site, "unstable_link_1")
    await hass.config_entries.async_remove(site.entry.entry_id)
    assert not issues(site)


async def test_what_is_not_found_again_after_a_reload_is_over(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caretaker, "STALE_SECONDS", 0.5)
    site = await running(hass, node(1, "127.4.24.2", 1))
    other = await set_up(hass, node(9, "127.4.24.9", 1), title="Annex", site_id="annex")
    for one in (site, other):
        number = next(iter(one.engine.configs))
        one.engine.health.record(number).reconnects_at.extend([time.monotonic()] * 10)
    await shown(site, "unstable_link_1")
    await shown(other, "unstable_link_9")
    await hass.config_entries.async_reload(site.entry.entry_id)
    await gone(site, "unstable_link_1")
    assert issues(other).keys() == {"unstable_link_9"}


@pytest.mark.parametrize("kind", FindingKind)
def test_every_kind_has_its_words(kind: FindingKind) -> None:
    """In one issue and, where there can be many, in one about all of them."""
    assert kind in WORDS
    kinds_of_many = {one.removesuffix("_many") for one in WORDS if "_many" in one}
    assert kinds_of_many == {
        FindingKind.STANDBY_DEAD,
        FindingKind.SLOTS_FULL,
        FindingKind.NODE_LOST,
        FindingKind.UNSTABLE_LINK,
    }
