"""A network on which ESP32s announce themselves, and what the user sees of it."""

from ipaddress import ip_address
import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_ZEROCONF,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
)

from custom_components.esp32_fire_alarm import (
    discovery,
    neighbours,
    site_dialogue,
)
from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.topology import nodes_from_entry, nodes_to_entry
from sim.fleet import SimulatedFleet
from sim.layout import Layout
from tests.running_site import RunningSite, until

FOLDER = Path(discovery.__file__).parent
MANIFEST = json.loads((FOLDER / "manifest.json").read_text("utf-8"))
WORDS: dict[str, Any] = json.loads((FOLDER / "translations/en.json").read_text("utf-8"))
FINISH = {site_dialogue.CONF_ACTION: site_dialogue.ACTION_FINISH}
SERVICE: str = MANIFEST["zeroconf"][0]


class Arp:
    """The system's table of neighbours, which the test writes."""

    def __init__(self, path: Path) -> None:
        """Begin without a table, as on other systems than Linux."""
        self.path = path

    def says(self, macs: dict[str, str]) -> None:
        """Write a table of MAC addresses by IP address."""
        head = "IP address       HW type     Flags       HW address            Mask     Device\n"
        self.path.write_text(
            head
            + "".join(
                f"{ip:<16} 0x1         0x2         {mac}     *        wlan0\n"
                for ip, mac in macs.items()
            )
        )


def mac(number: int) -> str:
    """Return a MAC address."""
    return f"24:0a:c4:00:00:{number:02x}"


def fleet_at(first: str, count: int = 3, **options: Any) -> SimulatedFleet:
    """Return a quick fleet from an address on, on any free port."""
    return SimulatedFleet(
        options.pop("layout", Layout.DISTRIBUTED),
        count=count,
        port=options.pop("port", 0),
        first_address=first,
        cycle_seconds=0.1,
        **options,
    )


def node(number: int, host: str, port: int, *modules: int, **more: Any) -> NodeConfig:
    """Return a node of a site."""
    return NodeConfig(number, DeviceAddress(host, port), modules or (number,), **more)


async def site_of(
    hass: HomeAssistant,
    addresses: str,
    port: int,
    *nodes: NodeConfig,
    title: str = "Mill",
    standby: str = "",
) -> RunningSite:
    """Set up a site."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=title,
        unique_id=f"unique_{title}",
        data={
            "addresses": addresses,
            "port": port,
            "standby": standby,
            "nodes": nodes_to_entry(nodes),
        },
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return RunningSite(hass, entry)


async def connected(site: RunningSite, *numbers: int) -> None:
    """Wait until these nodes are heard."""
    await until(lambda: all(map(site.engine.truth.is_fresh, numbers)), 10)


async def dhcp(
    hass: HomeAssistant,
    ip: str,
    mac_address: str = mac(1),
    hostname: str = "esp32-c40001",
) -> ConfigFlowResult:
    """Let a device ask for an IP address."""
    return await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_DHCP},
        data=DhcpServiceInfo(
            ip=ip, hostname=hostname, macaddress=mac_address.replace(":", "")
        ),
    )


async def zeroconf(
    hass: HomeAssistant, ip: str, port: int, hostname: str = "panel-7.local."
) -> ConfigFlowResult:
    """Let a device announce the service."""
    return await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_ZEROCONF},
        data=ZeroconfServiceInfo(
            ip_address=ip_address(ip),
            ip_addresses=[ip_address(ip)],
            port=port,
            hostname=hostname,
            type=SERVICE,
            name=f"panel.{SERVICE}",
            properties={},
        ),
    )


async def submit(
    hass: HomeAssistant, page: ConfigFlowResult, values: dict[str, Any]
) -> ConfigFlowResult:
    """Submit a page; if a scan follows, wait for its end."""
    page = await hass.config_entries.flow.async_configure(page["flow_id"], values)
    if page["type"] is FlowResultType.SHOW_PROGRESS:
        await hass.async_block_till_done()
        page = await hass.config_entries.flow.async_configure(page["flow_id"])
    return page


def said(page: ConfigFlowResult) -> str:
    """Return what a page says, in English, errors included."""
    words = WORDS["config"]
    placeholders = page.get("description_placeholders") or {}
    if page["type"] is FlowResultType.ABORT:
        assert page["reason"] in words["abort"] or page["translation_domain"]
        return str(words["abort"].get(page["reason"], ""))
    step = words["step"][page["step_id"]]
    texts = [step["description"]]
    texts += [words["error"][key] for key in (page["errors"] or {}).values()]
    return "\n".join(texts).format(**placeholders)


def suggested(page: ConfigFlowResult, name: str) -> Any:
    """Return what a field is filled with."""
    assert page["data_schema"] is not None
    fields = {str(field): field for field in page["data_schema"].schema}
    return fields[name].description["suggested_value"]


def cards(hass: HomeAssistant) -> list[str]:
    """Return the titles of the discovery cards."""
    return [
        WORDS["config"]["flow_title"].format(**flow["context"]["title_placeholders"])
        for flow in hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    ]


def macs(site: RunningSite) -> dict[int, str | None]:
    """Return the MAC addresses that are known of a site's nodes."""
    return {
        config.node: neighbours.async_mac_of(site.hass, site.entry, config.node)
        for config in nodes_from_entry(site.entry.data)
    }
