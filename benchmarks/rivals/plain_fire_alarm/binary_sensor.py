"""The zones of the plain design."""

from typing import override

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .coordinator import PlainCoordinator


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConfigEntry[PlainCoordinator],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add all zones."""
    zones = 5 * entry.data["modules"]
    async_add_entities(
        PlainZone(entry.runtime_data, zone) for zone in range(1, zones + 1)
    )


class PlainZone(CoordinatorEntity[PlainCoordinator], BinarySensorEntity):
    """One zone; writes its state whenever the coordinator has any news."""

    _attr_has_entity_name = True
    _attr_device_class = BinarySensorDeviceClass.SMOKE

    def __init__(self, coordinator: PlainCoordinator, zone: int) -> None:
        """Show `zone`, 1-315."""
        super().__init__(coordinator)
        self._zone = zone
        module = (zone - 1) // 5 + 1
        self._attr_name = f"Zone {zone}"
        self._attr_unique_id = f"plain_zone_{zone}"
        self._attr_device_info = DeviceInfo(
            identifiers={("plain_fire_alarm", f"node_{module}")}, name=f"Node {module}"
        )

    @property
    @override
    def available(self) -> bool:
        return super().available and self._zone in self.coordinator.data

    @property
    @override
    def is_on(self) -> bool | None:
        return self.coordinator.data.get(self._zone)
