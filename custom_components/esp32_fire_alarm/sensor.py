"""What is counted, measured or named: the site in numbers, the health of nodes."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import (
    EntityCategory,
    UnitOfInformation,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType
from homeassistant.util import dt as dt_util

from .coordinator import DeviceCoordinator
from .dynamic_entities import async_add_dynamically
from .entity import ActEntity, NodeEntity, Reading, SiteEntity
from .events import iso
from .fleet.health import HealthReason, Verdict
from .fleet.link import LinkFault
from .fleet.models import SiteSummary
from .fleet.paths import Path
from .metrics_sensor import METRICS_SENSORS, MetricsSensor
from .sensor_entity import FireAlarmSensor, FireAlarmSensorDescription
from .site import FireAlarmConfigEntry, FireAlarmSite

PARALLEL_UPDATES = 0


def _read_telemetry(node: DeviceCoordinator, value: StateType | datetime) -> Reading:
    """Return what the ESP32 says of itself, which goes stale with the node."""
    return Reading(value, available=node.is_heard)


def _read_first_zone(site: SiteSummary) -> Reading:
    """Return the number of the zone that went into alarm first."""
    return Reading(site.in_alarm[0] if site.in_alarm else None)


def _read_round_trip(node: DeviceCoordinator) -> Reading:
    """Return the round trip of the last WebSocket ping in milliseconds."""
    seconds = node.data.round_trip_seconds
    return _read_telemetry(node, None if seconds is None else round(seconds * 1000))


def _read_data_age(node: DeviceCoordinator) -> Reading:
    """Return how old the last frame is, in whole seconds, link or no link."""
    seconds = node.data.data_age_seconds
    return Reading(None if seconds is None else round(seconds))


def _read_last_boot(node: DeviceCoordinator) -> Reading:
    """Return when the ESP32 started."""
    booted_at = node.data.booted_at
    return _read_telemetry(
        node,
        None if booted_at is None else dt_util.utc_from_timestamp(round(booted_at)),
    )


def _read_impairments(site: FireAlarmSite) -> Reading:
    """Return how many zones are taken out, and each with who, why and until when."""
    return Reading(
        len(site.book.ignored),
        attributes={
            "impairments": [
                {
                    "zone": one.zone,
                    "kind": one.kind,
                    "by": one.by,
                    "since": iso(one.since),
                    "until": None if one.until is None else iso(one.until),
                    "reason": one.why,
                }
                for one in site.book.impairments()
            ]
        },
    )


SITE_SENSORS: Final = (
    FireAlarmSensorDescription[SiteSummary](
        key="zones_in_alarm",
        translation_key="zones_in_alarm",
        state_class=SensorStateClass.MEASUREMENT,
        read=lambda site: Reading(
            len(site.in_alarm), attributes={"zones": list(site.in_alarm)}
        ),
    ),
    FireAlarmSensorDescription[SiteSummary](
        key="first_zone_in_alarm",
        translation_key="first_zone_in_alarm",
        read=_read_first_zone,
    ),
    FireAlarmSensorDescription[SiteSummary](
        key="zones_in_trouble",
        translation_key="zones_in_trouble",
        state_class=SensorStateClass.MEASUREMENT,
        read=lambda site: Reading(site.in_trouble),
    ),
    FireAlarmSensorDescription[SiteSummary](
        key="modules_offline",
        translation_key="modules_offline",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        read=lambda site: Reading(site.modules_offline),
    ),
    FireAlarmSensorDescription[SiteSummary](
        key="modules_stood_in",
        translation_key="modules_stood_in",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        read=lambda site: Reading(site.modules_stood_in),
    ),
    FireAlarmSensorDescription[SiteSummary](
        key="nodes_connected",
        translation_key="nodes_connected",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        read=lambda site: Reading(
            site.nodes_connected, attributes={"nodes_total": site.nodes_total}
        ),
    ),
    FireAlarmSensorDescription[SiteSummary](
        key="zones_supervised",
        translation_key="zones_supervised",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        read=lambda site: Reading(
            site.zones_supervised, attributes={"zones_total": site.zones_total}
        ),
    ),
)

IMPAIRMENTS_SENSOR: Final = FireAlarmSensorDescription[FireAlarmSite](
    key="impairments",
    translation_key="impairments",
    state_class=SensorStateClass.MEASUREMENT,
    read=_read_impairments,
)

NODE_SENSORS: Final = (
    FireAlarmSensorDescription[DeviceCoordinator](
        key="health",
        translation_key="health",
        device_class=SensorDeviceClass.ENUM,
        options=[verdict.value for verdict in Verdict],
        entity_category=EntityCategory.DIAGNOSTIC,
        read=lambda node: Reading(node.data.verdict),
    ),
    FireAlarmSensorDescription[DeviceCoordinator](
        key="health_reason",
        translation_key="health_reason",
        device_class=SensorDeviceClass.ENUM,
        options=[reason.value for reason in (*HealthReason, *LinkFault)],
        entity_category=EntityCategory.DIAGNOSTIC,
        read=lambda node: Reading(node.data.reason),
    ),
    FireAlarmSensorDescription[DeviceCoordinator](
        key="last_boot",
        translation_key="last_boot",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        read=_read_last_boot,
    ),
    FireAlarmSensorDescription[DeviceCoordinator](
        key="round_trip",
        translation_key="round_trip",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        deadband=10,
        read=_read_round_trip,
    ),
    FireAlarmSensorDescription[DeviceCoordinator](
        key="data_age",
        translation_key="data_age",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        deadband=5,
        read=_read_data_age,
    ),
    FireAlarmSensorDescription[DeviceCoordinator](
        key="reconnects_24h",
        translation_key="reconnects_24h",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        read=lambda node: Reading(node.data.reconnects_24h),
    ),
    FireAlarmSensorDescription[DeviceCoordinator](
        key="malformed_frames",
        translation_key="malformed_frames",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        read=lambda node: Reading(node.data.malformed),
    ),
    FireAlarmSensorDescription[DeviceCoordinator](
        key="free_heap",
        translation_key="free_heap",
        device_class=SensorDeviceClass.DATA_SIZE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        deadband=4096,
        read=lambda node: _read_telemetry(node, node.data.free_heap),
    ),
    FireAlarmSensorDescription[DeviceCoordinator](
        key="clients",
        translation_key="clients",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        read=lambda node: _read_telemetry(node, node.data.clients),
    ),
    FireAlarmSensorDescription[DeviceCoordinator](
        key="close_code",
        translation_key="close_code",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        read=lambda node: Reading(node.data.close_code),
    ),
    FireAlarmSensorDescription[DeviceCoordinator](
        key="mode",
        translation_key="mode",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        read=lambda node: _read_telemetry(node, node.data.mode),
    ),
)

PATH_SENSOR: Final = FireAlarmSensorDescription[DeviceCoordinator](
    key="path",
    translation_key="path",
    device_class=SensorDeviceClass.ENUM,
    options=[path.value for path in Path],
    entity_category=EntityCategory.DIAGNOSTIC,
    read=lambda node: Reading(node.data.path),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: FireAlarmConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors; which path is in use only where there are two."""
    site = entry.runtime_data
    async_add_entities(SiteSensor(site, one) for one in SITE_SENSORS)
    async_add_entities([ActSensor(site, IMPAIRMENTS_SENSOR)])
    async_add_entities(MetricsSensor(site, one) for one in METRICS_SENSORS)
    await async_add_dynamically(
        hass, entry, async_add_entities, of_node=_entities_of_node
    )


def _entities_of_node(coordinator: DeviceCoordinator) -> Iterator[NodeSensor]:
    """Make the entities of one ESP32."""
    for one in NODE_SENSORS:
        yield NodeSensor(coordinator, one)
    if coordinator.config.standby is not None:
        yield NodeSensor(coordinator, PATH_SENSOR)


class SiteSensor(FireAlarmSensor, SiteEntity):
    """A sensor of the site."""

    _unrecorded_attributes = frozenset({"zones", "nodes_total", "zones_total"})


class ActSensor(FireAlarmSensor, ActEntity):
    """A sensor of what people did at the site."""

    _unrecorded_attributes = frozenset({"impairments"})


class NodeSensor(FireAlarmSensor, NodeEntity):
    """A sensor of one ESP32."""
