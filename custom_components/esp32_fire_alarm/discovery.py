"""Whose ESP32 it is that announced itself, and what a move does to its site.

Decides only; asking the device and talking to the user is `discovery_flow`'s
business.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_PORT
from homeassistant.core import HomeAssistant, callback

from .const import CONF_ADDRESSES, CONF_NODES, DOMAIN
from .fleet.addresses import format_addresses, is_local, parse_addresses
from .fleet.models import DEFAULT_PORT, DeviceAddress, NodeConfig
from .fleet.scan import Probe
from .neighbours import async_mac_of
from .topology import nodes_from_entry, nodes_to_entry

CARD_HOST: Final = "host"
"""Under this name a discovery card's title knows the IP address it is about."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A device that announced itself.

    `host` is an IP address. What nobody said is None: `port` (1-65535),
    `hostname` (without a domain) and `mac` (`aa:bb:cc:dd:ee:ff`).
    """

    host: str
    port: int | None = None
    hostname: str | None = None
    mac: str | None = None

    def is_at(self, address: DeviceAddress | None) -> bool:
        """Tell whether an address of a site is this device's, as number or name."""
        if address is None or address.host == self.host:
            return address is not None
        return (
            bool(self.hostname)
            and not is_local(address.host)
            and f"{address.host}.".lower().startswith(f"{self.hostname}.".lower())
        )


class Place(NamedTuple):
    """A node of a site."""

    entry: ConfigEntry
    node: NodeConfig

    @property
    def is_heard(self) -> bool:
        """Tell whether the node's link is up and brings data."""
        return (
            self.entry.state is ConfigEntryState.LOADED
            and self.node.node in self.entry.runtime_data.configs
            and self.entry.runtime_data.truth.is_fresh(self.node.node)
        )


@callback
def async_sites(hass: HomeAssistant) -> list[ConfigEntry]:
    """Return the sites there are."""
    return hass.config_entries.async_entries(DOMAIN, include_ignore=False)


@callback
def async_place_at(hass: HomeAssistant, sighting: Sighting) -> Place | None:
    """Return the node that is configured where the device is."""
    for place in _places(hass):
        if sighting.is_at(place.node.address) or sighting.is_at(place.node.standby):
            return place
    return None


@callback
def async_place_with_mac(hass: HomeAssistant, mac: str | None) -> Place | None:
    """Return the node that is known to have a MAC address."""
    if mac is not None:
        for place in _places(hass):
            if async_mac_of(hass, place.entry, place.node.node) == mac:
                return place
    return None


@callback
def async_place_with_modules(
    hass: HomeAssistant, sighting: Sighting, probe: Probe
) -> Place | None:
    """Return the one node that carries exactly the modules of a probe.

    None where that proves nothing: the ESP32s of its site do not know their
    numbers, or the node is known to have another MAC address.
    """
    found = [
        place
        for place in _places(hass)
        if place.node.modules == probe.modules
        and not any(node.offset for node in nodes_from_entry(place.entry.data))
        and None in (sighting.mac, async_mac_of(hass, place.entry, place.node.node))
    ]
    return found[0] if len(found) == 1 else None


@callback
def async_ports(hass: HomeAssistant, sighting: Sighting) -> list[int]:
    """Return the ports (1-65535) at which the device may listen, likeliest first."""
    if sighting.port is not None:
        return [sighting.port]
    used = (place.node.address.port for place in _places(hass))
    return list(dict.fromkeys((DEFAULT_PORT, *used)))


def moved_data(place: Place, address: DeviceAddress) -> dict[str, Any]:
    """Return a site's data after a node has moved to an address.

    A node of the same site that had this address gets the other one: so step
    by step all find their places when many have swapped theirs.
    """
    data, (_, mover) = place.entry.data, place
    nodes = [
        replace(node, address=address)
        if node.node == mover.node
        else replace(node, address=mover.address)
        if node.address == address
        else node
        for node in nodes_from_entry(data)
    ]
    port: int = data[CONF_PORT]
    listed = list(parse_addresses(data[CONF_ADDRESSES], port))
    text: str = data[CONF_ADDRESSES]
    if address not in listed:
        listed[listed.index(mover.address)] = address
        text = format_addresses(listed, port)
    return {**data, CONF_ADDRESSES: text, CONF_NODES: nodes_to_entry(nodes)}


@callback
def async_open_cards(hass: HomeAssistant) -> dict[str, ConfigFlowResult]:
    """Return the discoveries that wait for the user, by IP address."""
    return {
        host: flow
        for flow in hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        if (host := flow["context"].get("title_placeholders", {}).get(CARD_HOST))
    }


@callback
def async_close_cards(
    hass: HomeAssistant, nodes: Iterable[NodeConfig], *, own_flow_id: str
) -> None:
    """Take back discoveries that become part of a site, but for the own one."""
    cards = async_open_cards(hass)
    for node in nodes:
        card = cards.get(node.address.host)
        if card is not None and card["flow_id"] != own_flow_id:
            hass.config_entries.flow.async_abort(card["flow_id"])


def _places(hass: HomeAssistant) -> list[Place]:
    """Return all nodes of all sites."""
    return [
        Place(entry, node)
        for entry in async_sites(hass)
        for node in nodes_from_entry(entry.data)
    ]
