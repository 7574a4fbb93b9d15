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
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import DeviceCoordinator
from .dynamic_entities import async_add_dynamically
from .entity import (
    ActEntity,
    FireAlarmEntity,
    ModuleEntity,
    NodeEntity,
    Reading,
    ReadingDescription,
    SiteEntity,
    ZoneEntity,
)
from .events import iso
from .fleet.impairment import ImpairmentKind
from .fleet.models import (
    Led,
    ModuleStatus,
    SiteSummary,
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


def _read_sounding(site: FireAlarmSite) -> Reading:
    """Return whether a noise should be made, and who silenced it until when."""
    silence = site.sounder.silence
    return Reading(
        site.summary.fire and silence is None,
        attributes={
            "silenced_by": silence and silence.by,
            "silenced_until": silence and iso(silence.until),
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

SOUNDING_SENSOR: Final = FireAlarmBinarySensorDescription[FireAlarmSite](
    key="alarm_sounding",
    translation_key="alarm_sounding",
    read=_read_sounding,
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
    """Add the binary sensors, also of nodes and modules that come later."""
    site = entry.runtime_data
    async_add_entities(SiteBinarySensor(site, one) for one in SITE_SENSORS)
    async_add_entities([ActBinarySensor(site, SOUNDING_SENSOR)])
    await async_add_dynamically(
        hass,
        entry,
        async_add_entities,
        of_node=_entities_of_node,
        of_module=_entities_of_module,
    )


def _entities_of_node(coordinator: DeviceCoordinator) -> Iterator[NodeBinarySensor]:
    """Make the entities of one ESP32."""
    return (NodeBinarySensor(coordinator, one) for one in NODE_SENSORS)


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


class ActBinarySensor(FireAlarmBinarySensor, ActEntity):
    """A binary sensor of what people did at the site."""


class NodeBinarySensor(FireAlarmBinarySensor, NodeEntity):
    """A binary sensor of one ESP32."""


class ModuleBinarySensor(FireAlarmBinarySensor, ModuleEntity):
    """A binary sensor of one module."""


class ZoneBinarySensor(FireAlarmBinarySensor, ZoneEntity):
    """A binary sensor of one zone."""

    _unrecorded_attributes = frozenset({"zone", "module"})

    @override
    def _read(self) -> Reading:
        """Return what the zone is in, and whether somebody has taken it out."""
        reading = super()._read()
        if reading.attributes is None:
            return reading
        book = self.coordinator.site.book
        kinds = set()
        if self._zone in book.ignored:
            kinds = {one.kind for one in book.impairments() if one.zone == self._zone}
        taken_out = {
            "disabled": ImpairmentKind.DISABLED in kinds,
            "in_test": ImpairmentKind.TEST in kinds,
        }
        return Reading(
            reading.value, reading.available, {**reading.attributes, **taken_out}
        )
