"""The dialogues of a site, as tests fill them in and read them."""

import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigFlowResult
from homeassistant.const import CONF_NAME, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp32_fire_alarm import config_flow, site_dialogue
from custom_components.esp32_fire_alarm.const import (
    CONF_ADDRESSES,
    CONF_NODES,
    CONF_STANDBY,
    DOMAIN,
)
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.topology import nodes_to_entry
from sim.fleet import SimulatedFleet
from sim.layout import Layout

TRANSLATIONS = Path(config_flow.__file__).parent / "translations"
WORDS: dict[str, dict[str, Any]] = {
    language: json.loads((TRANSLATIONS / f"{language}.json").read_text("utf-8"))
    for language in ("en", "id")
}
FINISH = {site_dialogue.CONF_ACTION: site_dialogue.ACTION_FINISH}
SCAN_AGAIN = {site_dialogue.CONF_ACTION: site_dialogue.ACTION_SCAN}
CHANGE = {site_dialogue.CONF_ACTION: site_dialogue.ACTION_CHANGE}


def fleet_at(first: str, count: int = 3, **options: Any) -> SimulatedFleet:
    """Return a quick fleet from an address on, on any free port."""
    return SimulatedFleet(
        options.pop("layout", Layout.DISTRIBUTED),
        count=count,
        port=0,
        first_address=first,
        cycle_seconds=0.1,
        **options,
    )


def typed(fleet: SimulatedFleet | int, addresses: str, **more: str) -> dict[str, Any]:
    """Return a filled-in form."""
    port = fleet if isinstance(fleet, int) else fleet.port
    return {CONF_NAME: "Mill", CONF_ADDRESSES: addresses, CONF_PORT: port, **more}


async def start(hass: HomeAssistant) -> ConfigFlowResult:
    """Open the dialogue for a new site."""
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )


async def submit(
    hass: HomeAssistant, shown: ConfigFlowResult, values: dict[str, Any]
) -> ConfigFlowResult:
    """Submit a page; if a scan follows, watch it to its end."""
    result = await hass.config_entries.flow.async_configure(shown["flow_id"], values)
    if result["type"] is FlowResultType.SHOW_PROGRESS:
        assert result["progress_action"] == "scan"
        assert result["step_id"] == "scan"
        assert read(result)
        # As a browser does that is opened in the middle.
        again = await hass.config_entries.flow.async_configure(shown["flow_id"])
        assert again["type"] is FlowResultType.SHOW_PROGRESS
        await hass.async_block_till_done()
        result = await hass.config_entries.flow.async_configure(shown["flow_id"])
    return result


def read(page: ConfigFlowResult, part: str = "config") -> str:
    """Return all text of a page, in English, as people see it."""
    words = WORDS["en"][part]
    placeholders = page.get("description_placeholders") or {}
    if page["type"] is FlowResultType.SHOW_PROGRESS:
        return str(words["progress"][page["progress_action"]].format(**placeholders))
    step = words["step"][page["step_id"]]
    texts = [step.get("description", "")]
    texts += [words["error"][key] for key in (page["errors"] or {}).values()]
    if (schema := page["data_schema"]) is not None:
        for field in schema.schema:
            if str(field) in step.get("sections", {}):
                continue
            assert step["data"][str(field)]
            assert step["data_description"][str(field)]
    return "\n".join(str(text).format(**placeholders) for text in texts)


def fields(page: ConfigFlowResult) -> dict[str, Any]:
    """Return the fields of a page and what is filled in."""
    assert page["data_schema"] is not None
    return {
        str(field): (field.description or {}).get("suggested_value")
        if field.description
        else (field.default() if callable(field.default) else None)
        for field in page["data_schema"].schema
    }


def site(nodes: list[NodeConfig], title: str = "Mill", **data: Any) -> MockConfigEntry:
    """Return a site that exists."""
    return MockConfigEntry(
        domain=DOMAIN,
        title=title,
        unique_id=f"unique-{title}",
        data={
            **stored(81, "typed before"),
            **data,
            CONF_NODES: nodes_to_entry(nodes),
        },
    )


def stored(port: int, addresses: str) -> dict[str, Any]:
    """Return what the form leaves in the entry's data."""
    return {CONF_ADDRESSES: addresses, CONF_PORT: port, CONF_STANDBY: ""}


def node(number: int, host: str, port: int, *modules: int, **more: Any) -> NodeConfig:
    """Return a node of a site."""
    return NodeConfig(number, DeviceAddress(host, port), modules, **more)
