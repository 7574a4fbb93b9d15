"""What a sheet of zones changes in Home Assistant's own registries.

Names, areas, device classes and whether a zone is in use all live there, on
the zone's entity, where the user sees and can change them too. So nothing here
touches the config entry, and no link is made anew for a name.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
import re
from typing import Any, Final, NamedTuple

from homeassistant.components.binary_sensor.const import (
    DOMAIN as BINARY_SENSOR_DOMAIN,
    BinarySensorDeviceClass,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.normalized_name_base_registry import normalize_name

from .const import DOMAIN
from .sheet import SheetRow
from .sheet_words import ZoneKind, clean

ZONES_PER_TURN: Final = 8
"""Zones changed in one turn of the event loop, so that no alarm waits for 315."""

_KIND: Final = "kind"
# A zone is smoke by itself, and for manual call points there is no device class.
_OVERRIDES: Final[Mapping[ZoneKind, BinarySensorDeviceClass]] = {
    ZoneKind.HEAT: BinarySensorDeviceClass.HEAT,
    ZoneKind.GAS: BinarySensorDeviceClass.GAS,
}
_FREE_TO_ENABLE: Final = (
    None,
    er.RegistryEntryDisabler.USER,
    er.RegistryEntryDisabler.INTEGRATION,
)


@dataclass(frozen=True, slots=True)
class ZoneChange:
    """One zone that differs from its row: all that is, and only what would not be."""

    before: SheetRow
    after: SheetRow


@dataclass(frozen=True, slots=True)
class SheetPlan:
    """What applying a sheet would do.

    `left_out` are zones of the sheet that the site does not have, `locked`
    those that cannot be enabled because their device is disabled. `areas_of`
    maps devices without an area to the one that all their zones will be in.
    """

    changes: tuple[ZoneChange, ...] = ()
    new_areas: tuple[str, ...] = ()
    left_out: tuple[int, ...] = ()
    locked: tuple[int, ...] = ()
    areas_of: Mapping[str, str] = field(default_factory=dict)

    def zones_enabled(self, *, enabled: bool) -> tuple[int, ...]:
        """Return the zones that would be enabled, or disabled."""
        return tuple(
            change.after.zone
            for change in self.changes
            if change.after.enabled is enabled
        )

    @property
    def zones_not_smoke(self) -> tuple[int, ...]:
        """The zones that would get a device class other than smoke."""
        return tuple(
            change.after.zone
            for change in self.changes
            if change.after.kind in _OVERRIDES
        )


@callback
def async_present_rows(hass: HomeAssistant, entry: ConfigEntry) -> list[SheetRow]:
    """Return what is now: one row for each zone of the site, all cells filled."""
    areas = ar.async_get(hass)
    return [
        _row_of(areas, zone, entities.alarm)
        for zone, entities in _entities_of(hass, entry).items()
    ]


@callback
def async_plan(
    hass: HomeAssistant, entry: ConfigEntry, rows: Iterable[SheetRow]
) -> SheetPlan:
    """Return what the rows would change; nothing is changed yet."""
    areas = ar.async_get(hass)
    zones = _entities_of(hass, entry)
    changes: list[ZoneChange] = []
    left_out: list[int] = []
    locked: list[int] = []
    for row in rows:
        if row.zone not in zones:
            left_out.append(row.zone)
            continue
        entity = zones[row.zone].alarm
        if row.enabled and entity.disabled_by not in _FREE_TO_ENABLE:
            locked.append(row.zone)
            row = replace(row, enabled=None)
        before = _row_of(areas, row.zone, entity)
        after = _difference(before, row, _default_name(entity))
        if after != SheetRow(row.zone):
            changes.append(ZoneChange(before, after))
    wanted = {change.after.zone: change.after.area for change in changes}
    new_areas: dict[str, str] = {}
    for area in wanted.values():
        if area and areas.async_get_area_by_name(area) is None:
            new_areas.setdefault(normalize_name(area), area)
    return SheetPlan(
        tuple(changes),
        tuple(new_areas.values()),
        tuple(left_out),
        tuple(locked),
        _areas_of_devices(hass, zones, wanted),
    )


async def async_apply(
    hass: HomeAssistant, entry: ConfigEntry, rows: Iterable[SheetRow]
) -> SheetPlan:
    """Change the registries as the rows say, and return what that was."""
    plan = async_plan(hass, entry, rows)
    zones = _entities_of(hass, entry)
    areas, devices = ar.async_get(hass), dr.async_get(hass)
    for device_id, area in plan.areas_of.items():
        area_id = areas.async_get_or_create(area).id
        if isinstance(devices.async_get(device_id), dr.ChildDeviceEntry):
            devices.async_update_child_device(device_id, area_id=area_id)
        else:
            devices.async_update_device(device_id, area_id=area_id)
    for count, change in enumerate(plan.changes, start=1):
        _apply_to_zone(hass, zones[change.after.zone], change.after)
        if count % ZONES_PER_TURN == 0:
            await asyncio.sleep(0)
    return plan


class _Entities(NamedTuple):
    """The entities of one zone: the one that shows its alarm, and the others."""

    alarm: er.RegistryEntry
    others: tuple[er.RegistryEntry, ...]


def _entities_of(hass: HomeAssistant, entry: ConfigEntry) -> dict[int, _Entities]:
    """Return the entities of each zone, in order of zones."""
    pattern = re.compile(rf"{re.escape(entry.unique_id or '')}_zone_([0-9]+)(_.+)?")
    alarms: dict[int, er.RegistryEntry] = {}
    others: dict[int, list[er.RegistryEntry]] = defaultdict(list)
    registry = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        if match := pattern.fullmatch(entity.unique_id):
            zone = int(match[1])
            if match[2] is None and entity.domain == BINARY_SENSOR_DOMAIN:
                alarms[zone] = entity
            else:
                others[zone].append(entity)
    return {
        zone: _Entities(alarm, tuple(others[zone]))
        for zone, alarm in sorted(alarms.items())
    }


def _row_of(areas: ar.AreaRegistry, zone: int, entity: er.RegistryEntry) -> SheetRow:
    """Return what is now of one zone."""
    name = clean(entity.name or "")
    area = areas.async_get_area(entity.area_id) if entity.area_id else None
    return SheetRow(
        zone,
        "" if name == _default_name(entity) else name,
        clean(area.name) if area else "",
        _kind_of(entity),
        entity.disabled_by is None,
    )


def _default_name(entity: er.RegistryEntry) -> str:
    """Return what a zone is called unless the user says otherwise."""
    return clean(entity.original_name or "")


def _kind_of(entity: er.RegistryEntry) -> ZoneKind:
    """Return what watches a zone; what the user has it shown as comes first."""
    for kind, override in _OVERRIDES.items():
        if override == entity.device_class:
            return kind
    if _options_of(entity).get(_KIND) == ZoneKind.MANUAL_CALL_POINT:
        return ZoneKind.MANUAL_CALL_POINT
    return ZoneKind.SMOKE


def _options_of(entity: er.RegistryEntry) -> Mapping[str, Any]:
    """Return what this integration keeps with a zone's entity."""
    return entity.options.get(DOMAIN) or {}


def _difference(before: SheetRow, row: SheetRow, default_name: str) -> SheetRow:
    """Return only what `row` says otherwise than `before`."""
    name = "" if row.name == default_name else row.name
    is_same_area = normalize_name(row.area or "") == normalize_name(before.area or "")
    return SheetRow(
        row.zone,
        None if name == before.name else name,
        None if is_same_area else row.area,
        None if row.kind is before.kind else row.kind,
        None if row.enabled is before.enabled else row.enabled,
    )


def _areas_of_devices(
    hass: HomeAssistant,
    zones: Mapping[int, _Entities],
    wanted: Mapping[int, str | None],
) -> dict[str, str]:
    """Return an area for devices that have none, if all their zones will share it.

    Only for devices of zones that change their area now.
    """
    registry, devices = ar.async_get(hass), dr.async_get(hass)
    areas: dict[str, dict[str, str]] = defaultdict(dict)
    concerned: set[str] = set()
    for zone, entities in zones.items():
        device_id = entities.alarm.device_id
        assert device_id is not None
        area = wanted.get(zone)
        if area is None:
            area = _row_of(registry, zone, entities.alarm).area or ""
        else:
            concerned.add(device_id)
        areas[device_id][normalize_name(area)] = area
    return {
        device_id: area
        for device_id in concerned
        for area in areas[device_id].values()
        if area
        and len(areas[device_id]) == 1
        and (device := devices.async_get(device_id)) is not None
        and device.area_id is None
    }


def _apply_to_zone(hass: HomeAssistant, entities: _Entities, after: SheetRow) -> None:
    """Change the entity of one zone; its other entities follow it to its area."""
    registry = er.async_get(hass)
    if (entity := registry.async_get(entities.alarm.id)) is None:
        # Removed since the plan was made.
        return
    updates: dict[str, Any] = {}
    if after.name is not None:
        updates["name"] = after.name or None
    if after.area is not None:
        areas = ar.async_get(hass)
        area_id = areas.async_get_or_create(after.area).id if after.area else None
        updates["area_id"] = area_id
        for other in entities.others:
            if registry.async_get(other.id) is not None:
                registry.async_update_entity(other.entity_id, area_id=area_id)
    if after.kind is not None:
        updates["device_class"] = _OVERRIDES.get(after.kind)
        options = {**_options_of(entity), _KIND: after.kind.value}
        registry.async_update_entity_options(entity.entity_id, DOMAIN, options)
    if after.enabled is not None:
        updates["disabled_by"] = (
            None if after.enabled else er.RegistryEntryDisabler.USER
        )
    registry.async_update_entity(entity.entity_id, **updates)
