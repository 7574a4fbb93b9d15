"""What a maintainer needs to see: nodes, their links' history, what is not clear.

What may tell whose site this is, or who works there, is taken out: its name,
those of groups, host names wherever they stand, who disabled a zone and why.
Local IP addresses stay: half of all faults are about them. Names of zones and
areas are not in here to begin with.
"""

from collections.abc import Collection, Iterator
from dataclasses import asdict
from ipaddress import ip_address
import re
from typing import Any, Final

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.const import CONF_PORT, __version__ as HOME_ASSISTANT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.loader import async_get_loaded_integration

from .alarm_options import CONF_GROUP_NAME
from .const import CONF_ADDRESSES, CONF_STANDBY, DOMAIN
from .events import iso
from .fleet.addresses import AddressError, parse_addresses
from .fleet.health import LinkChange
from .fleet.impairment import Impairment
from .fleet.models import ZoneState, module_of_zone
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
        "home_assistant": HOME_ASSISTANT,
        "version": str(async_get_loaded_integration(site.hass, DOMAIN).version),
        "config": {
            "title": REDACTED,
            **{
                field: site.entry.data[field]
                for field in (CONF_ADDRESSES, CONF_PORT, CONF_STANDBY)
            },
        },
        "options": async_redact_data(site.entry.options, {CONF_GROUP_NAME}),
        "summary": asdict(site.summary),
        "metrics": asdict(site.aggregator.metrics),
        "totals": {
            name: sum(getattr(record, name) for record in records) for name in _COUNTERS
        },
        "nodes": [_dump_node(site, node) for node in nodes],
        "modules": [site.truth.modules[module]._asdict() for module in modules],
        "zones_not_clear": [
            zone._asdict()
            for zone in site.truth.zones.values()
            if module_of_zone(zone.zone) in modules
            and zone != ZoneState(zone.zone, available=True)
        ],
        "impairments": [
            _dump_impairment(one)
            for one in site.book.impairments()
            if module_of_zone(one.zone) in modules
        ],
    }
    names = {host for host in _hosts(site) if not _is_ip(host)}
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
    return asdict(change) | {"at": iso(change.at)}


def _dump_impairment(one: Impairment) -> dict[str, Any]:
    """Return one zone that is taken out, without who did it and why."""
    return {
        **asdict(one),
        "by": REDACTED,
        "why": REDACTED,
        "since": iso(one.since),
        "until": None if one.until is None else iso(one.until),
    }


def _hosts(site: FireAlarmSite) -> Iterator[str]:
    """Yield all hosts that the configuration mentions."""
    for config in site.configs.values():
        yield config.address.host
        if config.standby is not None:
            yield config.standby.host
    for field in (CONF_ADDRESSES, CONF_STANDBY):
        try:
            listed = parse_addresses(site.entry.data[field], site.entry.data[CONF_PORT])
        except AddressError:
            # Nothing typed there.
            continue
        yield from (address.host for address in listed)


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
