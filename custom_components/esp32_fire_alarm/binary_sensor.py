"""What is on or off: fire, trouble, bells, panel lamps and links."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import DeviceCoordinator
from .entity import (
    FireAlarmEntity,
    ModuleEntity,
    NodeEntity,
    Reading,
    ReadingDescription,
    SiteEntity,
    ZoneEntity,
)
from .fleet.models import (
    Led,
    ModuleStatus,
    SiteSummary,
    SiteUpdate,
    ZoneState,
    module_of_zone,
    zones_of_module,
)
from .site import FireAlarmConfigEntry, FireAlarmSite

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class FireAlarmBinarySensorDescription[Subject](
    BinarySensorEntityDescription, ReadingDescription[Subject]
):
    """A binary sensor and the function that reads it."""


def _read_zone(zone: ZoneState) -> Reading:
    """Return the zone's alarm; a zone in alarm is never taken off the screen."""
    return Reading(
        zone.alarm,
        available=zone.available or zone.alarm,
        attributes={
            "zone": zone.zone,
            "module": module_of_zone(zone.zone),
            "trouble": zone.trouble,
            "held": zone.held,
        },
    )


def _describe_led(
    led: Led,
    device_class: BinarySensorDeviceClass | None = None,
    *,
    is_enabled: bool = True,
) -> FireAlarmBinarySensorDescription[DeviceCoordinator]:
    """Describe one lamp of the panel's front, as its node sees it."""

    def read(node: DeviceCoordinator) -> Reading:
        lit = node.site.truth.leds(node.node)
        return Reading(lit is not None and led in lit, available=lit is not None)

    return FireAlarmBinarySensorDescription[DeviceCoordinator](
        key=f"led_{led}",
        translation_key=f"led_{led}",
        device_class=device_class,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=is_enabled,
        read=read,
    )


SITE_SENSORS: Final = (
    FireAlarmBinarySensorDescription[SiteSummary](
        key="fire_alarm",
        translation_key="fire_alarm",
        device_class=BinarySensorDeviceClass.SMOKE,
        read=lambda site: Reading(site.fire),
    ),
    FireAlarmBinarySensorDescription[SiteSummary](
        key="trouble",
        translation_key="trouble",
        device_class=BinarySensorDeviceClass.PROBLEM,
        read=lambda site: Reading(site.trouble),
    ),
)

NODE_SENSORS: Final = (
    FireAlarmBinarySensorDescription[DeviceCoordinator](
        key="connection",
        translation_key="connection",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        read=lambda node: Reading(node.site.truth.is_fresh(node.node)),
    ),
    _describe_led(Led.ALARM),
    _describe_led(Led.TROUBLE, BinarySensorDeviceClass.PROBLEM),
    _describe_led(Led.DRILL),
    _describe_led(Led.SILENCED),
    _describe_led(Led.DISABLED),
    # Which of the two is which is not certain (PROTOCOL 2.4), so nobody gets
    # a mains failure shown unasked.
    _describe_led(Led.AC, is_enabled=False),
    _describe_led(Led.DC, is_enabled=False),
)

MODULE_SENSORS: Final = (
    FireAlarmBinarySensorDescription[ModuleStatus](
        key="bell",
        translation_key="bell",
        read=lambda module: Reading(module.bell, available=module.online is True),
    ),
    FireAlarmBinarySensorDescription[ModuleStatus](
        key="bus_connection",
        translation_key="bus_connection",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        read=lambda module: Reading(module.online, available=module.online is not None),
    ),
    FireAlarmBinarySensorDescription[ModuleStatus](
        key="bell_circuit",
        translation_key="bell_circuit",
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        read=lambda module: Reading(module.bit5, available=module.online is True),
    ),
)

ZONE_SENSORS: Final = (
    FireAlarmBinarySensorDescription[ZoneState](
        key="zone_{}",
        translation_key="zone",
        device_class=BinarySensorDeviceClass.SMOKE,
        read=_read_zone,
    ),
    FireAlarmBinarySensorDescription[ZoneState](
        key="zone_{}_trouble",
        translation_key="zone_trouble",
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        read=lambda zone: Reading(zone.trouble, available=zone.available),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: FireAlarmConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors; those of modules also when they first show up."""
    site = entry.runtime_data
    known: set[int] = set()

    @callback
    def add_modules(update: SiteUpdate | None = None) -> None:
        if update is not None and update.modules.keys() <= known:
            return
        new = sorted(site.truth.modules.keys() - known)
        known.update(new)
        async_add_entities(
            entity for module in new for entity in _entities_of_module(site, module)
        )

    # Whoever is added first is told first: zones before lamps.
    async_add_entities(SiteBinarySensor(site, one) for one in SITE_SENSORS)
    add_modules()
    async_add_entities(
        NodeBinarySensor(coordinator, one)
        for coordinator in site.coordinators.values()
        for one in NODE_SENSORS
    )
    entry.async_on_unload(site.async_listen(add_modules))


def _entities_of_module(
    site: FireAlarmSite, module: int
) -> Iterator[FireAlarmBinarySensor]:
    """Make the entities of one module (1-63) and its zones."""
    for zone in zones_of_module(module):
        for of_zone in ZONE_SENSORS:
            yield ZoneBinarySensor(site, zone, of_zone)
    for one in MODULE_SENSORS:
        yield ModuleBinarySensor(site, module, one)


class FireAlarmBinarySensor(FireAlarmEntity[Any], BinarySensorEntity):
    """Anything that is on or off."""

    entity_description: FireAlarmBinarySensorDescription[Any]

    @property
    @override
    def is_on(self) -> bool | None:
        """Return the reading."""
        value = self._reading.value
        return None if value is None else bool(value)


class SiteBinarySensor(FireAlarmBinarySensor, SiteEntity):
    """A binary sensor of the site."""


class NodeBinarySensor(FireAlarmBinarySensor, NodeEntity):
    """A binary sensor of one ESP32."""


class ModuleBinarySensor(FireAlarmBinarySensor, ModuleEntity):
    """A binary sensor of one module."""


class ZoneBinarySensor(FireAlarmBinarySensor, ZoneEntity):
    """A binary sensor of one zone."""

    _unrecorded_attributes = frozenset({"zone", "module"})
