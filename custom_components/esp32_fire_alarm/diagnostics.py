"""What a maintainer needs to see: nodes, their links' history, what is not clear.

Host names may tell whose site this is and are taken out wherever they stand.
IP addresses stay: they are local ones, and half of all faults are about them.
"""

from collections.abc import Collection
from dataclasses import asdict
from ipaddress import ip_address
import re
from typing import Any, Final

from homeassistant.components.diagnostics import REDACTED
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util

from .fleet.health import LinkChange
from .fleet.models import NodeConfig, ZoneState, module_of_zone
from .site import FireAlarmConfigEntry, FireAlarmSite
from .topology import nodes_to_entry

RAW_BYTES_SHOWN: Final = 2560
"""So much of each raw frame; the longest that firmwares send have 2,400 bytes."""

_COUNTERS: Final = (
    "connects",
    "frames",
    "bytes",
    "identical",
    "malformed",
    "ignored",
    "throttled",
)


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: FireAlarmConfigEntry
) -> dict[str, Any]:
    """Return everything about a site."""
    site = entry.runtime_data
    return _dump(site, site.configs, site.truth.modules)


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: FireAlarmConfigEntry, device: dr.AnyDeviceEntry
) -> dict[str, Any]:
    """Return what concerns one ESP32, or one module of it; all for the site's device."""
    site = entry.runtime_data
    for module, status in site.truth.modules.items():
        if site.module_identifier(module) in device.identifiers:
            return _dump(site, {status.owner}, {module})
    for node in site.configs:
        if site.node_identifier(node) in device.identifiers:
            return _dump(site, {node}, site.modules_owned(node))
    return _dump(site, site.configs, site.truth.modules)


def _dump(
    site: FireAlarmSite, nodes: Collection[int], modules: Collection[int]
) -> dict[str, Any]:
    """Return the site's figures, and some nodes and modules in detail."""
    records = [site.health.record(node) for node in site.configs]
    dump = {
        "options": dict(site.entry.options),
        "summary": asdict(site.summary),
        "totals": {
            name: sum(getattr(record, name) for record in records) for name in _COUNTERS
        },
        "nodes": [_dump_node(site, node) for node in nodes],
        "modules": [asdict(site.truth.modules[module]) for module in modules],
        "zones_not_clear": [
            asdict(zone)
            for zone in site.truth.zones.values()
            if module_of_zone(zone.zone) in modules
            and zone != ZoneState(zone.zone, available=True)
        ],
    }
    names = _host_names(site.configs.values())
    return _without(names, dump) if names else dump


def _dump_node(site: FireAlarmSite, node: int) -> dict[str, Any]:
    """Return one ESP32: how it is configured, how it is, and how it came to that."""
    record = site.health.record(node)
    leds = site.truth.leds(node)
    return {
        **nodes_to_entry([site.configs[node]])[0],
        "is_fresh": site.truth.is_fresh(node),
        "is_given_up": site.truth.is_given_up(node),
        "leds": None if leds is None else sorted(leds),
        "speaks_for_modules": site.truth.active_modules(node),
        "health": asdict(site.health.assess(node)),
        "last_fault_text": record.fault_text,
        "counters": {name: getattr(record, name) for name in _COUNTERS},
        "timeline": [_dump_change(change) for change in record.timeline],
        "raw_frames": [
            {"bytes": len(raw), "hex": raw[:RAW_BYTES_SHOWN].hex()}
            for raw in record.raw_frames
        ],
    }


def _dump_change(change: LinkChange) -> dict[str, Any]:
    """Return one entry of a link's timeline, its time readable."""
    at = dt_util.utc_from_timestamp(change.at).isoformat(timespec="milliseconds")
    return asdict(change) | {"at": at}


def _host_names(configs: Collection[NodeConfig]) -> set[str]:
    """Return the configured hosts that are names, not IP addresses."""
    hosts = {config.address.host for config in configs}
    hosts |= {config.standby.host for config in configs if config.standby}
    return {host for host in hosts if not _is_ip(host)}


def _is_ip(host: str) -> bool:
    """Tell whether a host is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _without(names: Collection[str], dump: dict[str, Any]) -> dict[str, Any]:
    """Return the dump with every mention of the names replaced."""
    mention = re.compile(
        rf"(?<![\w.-])(?:{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})(?![\w-])",
        re.IGNORECASE,
    )

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [clean(item) for item in value]
        return mention.sub(REDACTED, value) if isinstance(value, str) else value

    return {key: clean(item) for key, item in dump.items()}
