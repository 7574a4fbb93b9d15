"""The nodes and the options of a site as its config entry stores them."""

from collections.abc import Iterable, Mapping
from typing import Any

from homeassistant.const import CONF_HOST, CONF_PORT

from .const import (
    CONF_ADDRESSES,
    CONF_HEARTBEAT_SECONDS,
    CONF_HOLD_SECONDS,
    CONF_NODES,
    CONF_PING,
    CONF_SILENCE_SECONDS,
    CONF_STANDBY,
)
from .fleet.addresses import format_addresses, parse_addresses
from .fleet.models import DeviceAddress, NodeConfig
from .fleet.timing import Supervision

_DEFAULTS = Supervision()


def nodes_from_entry(data: Mapping[str, Any]) -> list[NodeConfig]:
    """Return the nodes that an entry's data holds, in order of their numbers."""
    return sorted(
        (
            NodeConfig(
                node=stored["node"],
                address=DeviceAddress(stored[CONF_HOST], stored[CONF_PORT]),
                modules=tuple(stored["modules"]),
                offset=stored["offset"],
                standby=DeviceAddress(stored["standby_host"], stored["standby_port"])
                if stored["standby_host"] is not None
                else None,
            )
            for stored in data.get(CONF_NODES, ())
        ),
        key=lambda node: node.node,
    )


def nodes_to_entry(nodes: Iterable[NodeConfig]) -> list[dict[str, Any]]:
    """Return what `nodes_from_entry` reads as these nodes, in JSON's types."""
    return [
        {
            "node": node.node,
            CONF_HOST: node.address.host,
            CONF_PORT: node.address.port,
            "modules": list(node.modules),
            "offset": node.offset,
            "standby_host": node.standby.host if node.standby else None,
            "standby_port": node.standby.port if node.standby else None,
        }
        for node in nodes
    ]


def without_node(data: Mapping[str, Any], gone: NodeConfig) -> dict[str, Any]:
    """Return an entry's data without a node, its address and its standby address."""
    nodes = (node for node in nodes_from_entry(data) if node.node != gone.node)
    changed = {**data, CONF_NODES: nodes_to_entry(nodes)}
    port: int = data[CONF_PORT]
    listed = {
        field: list(parse_addresses(data[field], port))
        for field in (CONF_ADDRESSES, CONF_STANDBY)
        if data[field]
    }
    if gone.address in listed.get(CONF_ADDRESSES, ()):
        # The standby addresses back the others by their place in the list.
        place = listed[CONF_ADDRESSES].index(gone.address)
        for field, addresses in listed.items():
            del addresses[place]
            changed[field] = format_addresses(addresses, port)
    return changed


def supervision_from_options(options: Mapping[str, Any]) -> Supervision:
    """Return how closely the links are watched; the defaults where nobody said."""
    return Supervision(
        heartbeat_seconds=options.get(
            CONF_HEARTBEAT_SECONDS, _DEFAULTS.heartbeat_seconds
        ),
        silence_seconds=options.get(CONF_SILENCE_SECONDS, _DEFAULTS.silence_seconds),
        hold_seconds=options.get(CONF_HOLD_SECONDS, _DEFAULTS.hold_seconds),
        pings=options.get(CONF_PING, _DEFAULTS.pings),
    )
