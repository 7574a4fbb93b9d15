"""What all entities share: they write their state only when it changed.

A steady frame must cost no state write, whatever woke the entities up. So each
of them reads what it shows as one value and compares before it writes.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, override

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.device_registry import ChildDeviceInfo, DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.typing import StateType

from .coordinator import DeviceCoordinator
from .fleet.models import (
    ModuleStatus,
    SiteSummary,
    SiteUpdate,
    ZoneState,
    module_of_zone,
)
from .site import FireAlarmSite


class Reading(NamedTuple):
    """Everything of an entity that ever changes."""

    value: StateType | datetime
    available: bool = True
    attributes: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class ReadingDescription[Subject](EntityDescription):
    """An entity whose value function reads it from its subject."""

    read: Callable[[Subject], Reading]


class FireAlarmEntity[Subject](Entity):
    """An entity that shows one reading of its subject."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    entity_description: ReadingDescription[Subject]
    _reading = Reading(None, available=False)

    @property
    @abstractmethod
    def _subject(self) -> Subject:
        """What the value function reads."""

    def _read(self) -> Reading:
        """Return what the entity should show now."""
        return self.entity_description.read(self._subject)

    @callback
    def async_look_again(self) -> None:
        """Write the state if it differs from the last one written."""
        reading = self._read()
        if reading == self._reading:
            return
        written, self._reading = self._reading, reading
        try:
            self.async_write_ha_state()
        except Exception:
            # Nobody has seen it: the next look has to try again.
            self._reading = written
            raise

    @override
    async def async_added_to_hass(self) -> None:
        """Take the reading that Home Assistant writes when this returns."""
        await super().async_added_to_hass()
        self._reading = self._read()

    @property
    @override
    def available(self) -> bool:
        """Tell whether the value may be believed."""
        return self._reading.available

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return the attributes of the reading."""
        return self._reading.attributes


class _HubEntity[Subject](FireAlarmEntity[Subject]):
    """An entity of the whole site, on the hub device."""

    def __init__(
        self, site: FireAlarmSite, description: ReadingDescription[Subject]
    ) -> None:
        """Show what `description` reads."""
        self.entity_description = description
        self._site = site
        self._attr_unique_id = f"{site.site_id}_{description.key}"
        self._attr_device_info = DeviceInfo(identifiers={site.identifier})

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the site."""
        await super().async_added_to_hass()
        self.async_on_remove(self._site.async_listen(self._handle_site_update))

    @callback
    def _handle_site_update(self, update: SiteUpdate) -> None:
        """Look again, whatever the update says."""
        self.async_look_again()


class SiteEntity(_HubEntity[SiteSummary]):
    """An entity that shows the site's summary."""

    @property
    @override
    def _subject(self) -> SiteSummary:
        return self._site.summary


class ActEntity(_HubEntity[FireAlarmSite]):
    """An entity that shows what people did about the site's alarms and zones."""

    @property
    @override
    def _subject(self) -> FireAlarmSite:
        return self._site


class _PushedEntity[Subject](FireAlarmEntity[Subject]):
    """An entity that its ESP32's coordinator tells to look again.

    Not a `CoordinatorEntity`: that one can never change its coordinator.
    """

    _zone: int | None = None

    def __init__(
        self,
        coordinator: DeviceCoordinator,
        description: ReadingDescription[Subject],
        unique_id: str,
    ) -> None:
        """Show what `description` reads."""
        self.coordinator = coordinator
        self.entity_description = description
        self._attr_unique_id = unique_id
        self._unfollow: CALLBACK_TYPE | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the coordinator."""
        await super().async_added_to_hass()
        self._unfollow = self.coordinator.async_add_listener(
            self.async_look_again, self._zone
        )
        self.async_on_remove(self._async_unfollow)

    @callback
    def _async_follow(self, coordinator: DeviceCoordinator) -> None:
        """Follow this coordinator from now on."""
        if self._unfollow is not None and coordinator is not self.coordinator:
            self._unfollow()
            self._unfollow = coordinator.async_add_listener(
                self.async_look_again, self._zone
            )
        self.coordinator = coordinator

    @callback
    def _async_unfollow(self) -> None:
        """Follow nobody any more."""
        if self._unfollow is not None:
            self._unfollow()
            self._unfollow = None

    async def async_update(self) -> None:
        """Have the coordinator look again, for the action that updates entities."""
        await self.coordinator.async_request_refresh()


class NodeEntity(_PushedEntity[DeviceCoordinator]):
    """An entity of one ESP32."""

    def __init__(
        self,
        coordinator: DeviceCoordinator,
        description: ReadingDescription[DeviceCoordinator],
    ) -> None:
        """Show what `description` reads from the node's coordinator."""
        site = coordinator.site
        super().__init__(
            coordinator,
            description,
            f"{site.site_id}_node_{coordinator.node}_{description.key}",
        )
        self._attr_device_info = DeviceInfo(
            identifiers={site.node_identifier(coordinator.node)}
        )

    @property
    @override
    def _subject(self) -> DeviceCoordinator:
        return self.coordinator


class ModuleBoundEntity[Subject](_PushedEntity[Subject]):
    """An entity that sits where its module (1-63) is, and goes where it goes."""

    def __init__(
        self,
        site: FireAlarmSite,
        module: int,
        description: ReadingDescription[Subject],
        unique_id: str,
    ) -> None:
        """Show what `description` reads."""
        super().__init__(site.coordinator_of(module), description, unique_id)
        self.module = module
        self._attr_device_info = _device_of_module(site, module)

    @callback
    def async_follow_module(self) -> None:
        """Follow the node that owns the module now, on the device it has there."""
        site = self.coordinator.site
        self._async_follow(site.coordinator_of(self.module))
        self._attr_device_info = _device_of_module(site, self.module)


class ModuleEntity(ModuleBoundEntity[ModuleStatus]):
    """An entity of one module, 1-63, of the panel's bus."""

    def __init__(
        self,
        site: FireAlarmSite,
        module: int,
        description: ReadingDescription[ModuleStatus],
    ) -> None:
        """Show what `description` reads from the module's status."""
        super().__init__(
            site,
            module,
            description,
            f"{site.site_id}_module_{module}_{description.key}",
        )
        self._modules = site.truth.modules

    @property
    @override
    def _subject(self) -> ModuleStatus:
        return self._modules[self.module]


class ZoneEntity(ModuleBoundEntity[ZoneState]):
    """An entity of one zone, 1-315."""

    _zone: int

    def __init__(
        self, site: FireAlarmSite, zone: int, description: ReadingDescription[ZoneState]
    ) -> None:
        """Show what `description` reads from the zone's state.

        The braces in its key take the zone's number.
        """
        super().__init__(
            site,
            module_of_zone(zone),
            description,
            f"{site.site_id}_{description.key.format(zone)}",
        )
        self._zones = site.truth.zones
        self._zone = zone
        self._attr_translation_placeholders = {"zone": str(zone)}

    @property
    @override
    def _subject(self) -> ZoneState:
        return self._zones[self._zone]


def _device_of_module(site: FireAlarmSite, module: int) -> DeviceInfo | ChildDeviceInfo:
    """Return the device that a module's entities sit on.

    That is its ESP32; or a child of it, which can have an area of its own,
    where the ESP32 has several modules.
    """
    owner = site.truth.modules[module].owner
    if not site.is_shared(owner):
        return DeviceInfo(identifiers={site.node_identifier(owner)})
    return ChildDeviceInfo(
        identifiers={site.module_identifier(module)},
        parent_device_id=site.device_ids[owner],
        translation_key="module",
        translation_placeholders={"module": str(module)},
    )
