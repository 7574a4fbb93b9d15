"""A site's devices: the site itself, its ESP32s, and modules that share one."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr

from .const import MANUFACTURER

if TYPE_CHECKING:
    from .site import FireAlarmSite


@callback
def async_register_devices(site: FireAlarmSite) -> None:
    """Make the site's device and, below it, one per ESP32; or bring them up to date."""
    registry = dr.async_get(site.hass)
    hub = registry.async_get_or_create(
        config_entry_id=site.entry.entry_id,
        identifiers={site.identifier},
        name=site.entry.title,
        manufacturer=MANUFACTURER,
        model="Fire alarm site",
    )
    for node, config in site.configs.items():
        host = config.address.host
        device = registry.async_get_or_create(
            config_entry_id=site.entry.entry_id,
            identifiers={site.node_identifier(node)},
            via_device_id=hub.id,
            translation_key="node",
            translation_placeholders={"node": str(node)},
            manufacturer=MANUFACTURER,
            model="ESP32 fire alarm node",
            configuration_url=f"http://[{host}]" if ":" in host else f"http://{host}",
        )
        site.device_ids[node] = device.id


@callback
def async_remove_nodes(site: FireAlarmSite, nodes: Iterable[int]) -> None:
    """Remove the devices of ESP32s, and with them all entities that are still there."""
    registry = dr.async_get(site.hass)
    for node in nodes:
        registry.async_remove_device(site.device_ids.pop(node))


@callback
def async_device_id_of(site: FireAlarmSite, module: int) -> str:
    """Return the id of the device that a module's (1-63) entities belong on."""
    owner = site.truth.modules[module].owner
    if not site.is_shared(owner):
        return site.device_ids[owner]
    child = dr.async_get(site.hass).async_get_or_create_child(
        config_entry_id=site.entry.entry_id,
        identifiers={site.module_identifier(module)},
        parent_device_id=site.device_ids[owner],
        translation_key="module",
        translation_placeholders={"module": str(module)},
    )
    return child.id
