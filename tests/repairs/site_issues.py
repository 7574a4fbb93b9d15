"""A running site and its issues, as the user sees them."""

from collections.abc import Awaitable, Callable
import json
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp32_fire_alarm import repairs
from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.topology import nodes_from_entry, nodes_to_entry
from sim.fleet import SimulatedFleet
from tests.running_site import RunningSite, until

TRANSLATIONS = Path(repairs.__file__).parent / "translations"
WORDS = json.loads((TRANSLATIONS / "en.json").read_text("utf-8"))["issues"]
DAY = 86_400.0

LONG_ENOUGH_SECONDS = 1.5
"""Within so long something that is wrong would be shown, patience being little."""

type Fix = Callable[..., Awaitable[dict[str, Any]]]


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
