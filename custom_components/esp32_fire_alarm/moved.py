"""What becomes of a module's device when the module moves to another ESP32.

Home Assistant keeps a child device with its parent for good. So a module that
moved gets a new device, which its entities follow; the old one leaves it what
the user gave it.
"""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .site import FireAlarmConfigEntry


@callback
def async_clear_away(hass: HomeAssistant, entry: FireAlarmConfigEntry) -> None:
    """Remove the module devices that all entities have left.

    Area, labels and the user's name go to the module's new device.
    """
    site = entry.runtime_data
    devices, entities = dr.async_get(hass), er.async_get(hass)
    for child in dr.async_child_entries_for_config_entry(devices, entry.entry_id):
        if er.async_entries_for_device(
            entities, child.id, include_disabled_entities=True
        ):
            continue
        module = _module_of(child)
        heir = module in site.truth.modules and (
            devices.async_get_child_device_by_identifier(
                site.module_identifier(module), entry.entry_id
            )
        )
        if heir:
            devices.async_update_child_device(
                heir.id,
                area_id=heir.area_id or child.area_id,
                labels=heir.labels | child.labels,
                name_by_user=heir.name_by_user or child.name_by_user,
            )
        devices.async_remove_device(child.id)


def _module_of(child: dr.ChildDeviceEntry) -> int:
    """Return the module (1-63), whose number ends the device's identifier."""
    ((_, identifier),) = child.identifiers
    return int(identifier.rpartition("_")[2])
