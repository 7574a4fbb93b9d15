"""Which zones and nodes people mean when they choose entities, devices or areas.

Home Assistant's own helper leaves out hidden entities and what is behind a hub.
But a fire in a zone that somebody hid from a dashboard must not be left out,
and who chooses the site means all of it. So zones are looked up here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
import re
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ENTITY_MATCH_ALL, Platform
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)

from .const import DOMAIN
from .fleet.models import module_of_zone, zones_of_module
from .site import FireAlarmConfigEntry, FireAlarmSite

_ZONE: Final = re.compile(r"zone_(\d+)(?:_trouble)?")
_NODE: Final = re.compile(r"node_(\d+)_.+")
_MODULE: Final = re.compile(r"module_\d+_.+")

_RUNNING: Final = (
    ConfigEntryState.SETUP_IN_PROGRESS,
    ConfigEntryState.LOADED,
    ConfigEntryState.UNLOAD_IN_PROGRESS,
    ConfigEntryState.FAILED_UNLOAD,
)


@dataclass(slots=True)
class Choice:
    """What was chosen of one site.

    `zones` (1-315) are carried by `carriers`; `nodes` were chosen themselves.
    `is_whole` tells that the site itself was named.
    """

    zones: set[int] = field(default_factory=set)
    nodes: set[int] = field(default_factory=set)
    carriers: set[int] = field(default_factory=set)
    is_whole: bool = False


@callback
def loaded_sites(hass: HomeAssistant) -> list[FireAlarmSite]:
    """Return all sites that run."""
    entries = hass.config_entries.async_entries(DOMAIN)
    sites = (site_of_entry(hass, entry.entry_id) for entry in entries)
    return [site for site in sites if site is not None]


@callback
def site_of_entry(hass: HomeAssistant, entry_id: str) -> FireAlarmSite | None:
    """Return the site of a config entry if it runs.

    It does so, and tells of alarms, a bit longer than the entry is loaded.
    """
    entry: FireAlarmConfigEntry | None = hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.state not in _RUNNING:
        return None
    return getattr(entry, "runtime_data", None)


def choose_all(site: FireAlarmSite) -> Choice:
    """Return the choice of a whole site."""
    zones, nodes = set(site.truth.zones), set(site.configs)
    return Choice(zones, nodes, carriers=nodes, is_whole=True)


def choose(site: FireAlarmSite, selection: TargetSelection) -> Choice:
    """Return what a target means at a site, exclusions taken out."""
    if ENTITY_MATCH_ALL in selection.entity_ids:
        choice = choose_all(site)
    else:
        choice = _Chooser(site, selection).choose()
    # Home Assistant knows exclusions since 2026.11.
    if (excluded := getattr(selection, "exclude", None)) is not None:
        out = choose(site, excluded)
        choice.zones -= out.zones
        choice.nodes -= out.nodes
    choice.carriers = {
        site.truth.modules[module_of_zone(zone)].owner for zone in choice.zones
    }
    return choice


def selection_of(target: Mapping[str, Any] | None) -> TargetSelection | None:
    """Return a configured target, or None where nothing is chosen, which means all.

    An editor leaves an empty list behind when the last item is taken out.
    """
    selection = TargetSelection(dict(target or {}))
    return selection if selection.has_any_target else None


def each_item(selection: TargetSelection) -> Iterator[tuple[str, TargetSelection]]:
    """Yield every item of a target as its id and a target of its own."""
    for kind in ("entity", "device", "area", "floor", "label"):
        for one in sorted(getattr(selection, f"{kind}_ids")):
            yield one, TargetSelection({f"{kind}_id": [one]})


class _Chooser:
    """Looks up what the items of a target are at one site."""

    def __init__(self, site: FireAlarmSite, selection: TargetSelection) -> None:
        """Prepare; groups are opened, floors and labels turned into areas."""
        self._site = site
        self._entities = er.async_get(site.hass)
        self._devices = dr.async_get(site.hass)
        selected = async_extract_referenced_entity_ids(site.hass, selection)
        self._named = selected.referenced
        self._areas = selected.referenced_areas
        self._labels = selection.label_ids
        self._named_devices = set(selection.device_ids).union(
            device.id
            for label in self._labels
            for device in dr.async_entries_for_label(self._devices, label)
        )
        self._choice = Choice()

    def choose(self) -> Choice:
        """Return everything that is meant."""
        for entity_id in self._named:
            self._add_entity(entity_id)
        for device_id in self._named_devices:
            self._add_device(device_id)
        if self._areas or self._labels:
            self._choice.zones.update(filter(self._is_around, self._site.truth.zones))
            self._choice.nodes.update(
                node
                for node, device_id in self._site.device_ids.items()
                if self._area_of(device_id) in self._areas
            )
        return self._choice

    def _add_entity(self, entity_id: str) -> None:
        """Add the zone or node that an entity is about; else the site, if it is its."""
        entry = self._entities.async_get(entity_id)
        if entry is None or entry.config_entry_id != self._site.entry.entry_id:
            return
        key = entry.unique_id.removeprefix(f"{self._site.site_id}_")
        if match := _ZONE.fullmatch(key):
            self._choice.zones |= {int(match[1])} & self._site.truth.zones.keys()
        elif match := _NODE.fullmatch(key):
            self._choice.nodes |= {int(match[1])} & self._site.configs.keys()
        elif not _MODULE.fullmatch(key):
            self._add_site()

    def _add_device(self, device_id: str) -> None:
        """Add an ESP32 with its zones, a module of one, or the site."""
        device = self._devices.async_get(device_id)
        if device is None:
            return
        site = self._site
        if site.identifier in device.identifiers:
            self._add_site()
        for node in site.configs:
            if site.node_identifier(node) in device.identifiers:
                self._choice.nodes.add(node)
                self._add_modules(site.modules_owned(node))
        self._add_modules(
            module
            for module in site.truth.modules
            if site.module_identifier(module) in device.identifiers
        )

    def _add_modules(self, modules: Iterable[int]) -> None:
        """Add the zones of modules (1-63)."""
        for module in modules:
            self._choice.zones.update(zones_of_module(module))

    def _add_site(self) -> None:
        """Add everything."""
        self._choice = choose_all(self._site)

    def _is_around(self, zone: int) -> bool:
        """Tell whether `zone` (1-315) is in one of the areas or has one of the labels."""
        entity_id = self._entities.async_get_entity_id(
            Platform.BINARY_SENSOR, DOMAIN, f"{self._site.site_id}_zone_{zone}"
        )
        entry = None if entity_id is None else self._entities.async_get(entity_id)
        if entry is None:
            owner = self._site.truth.modules[module_of_zone(zone)].owner
            return self._area_of(self._site.device_ids[owner]) in self._areas
        area_id = er.async_get_effective_area_id(self._site.hass, entry)
        return area_id in self._areas or not self._labels.isdisjoint(entry.labels)

    def _area_of(self, device_id: str) -> str | None:
        """Return the area that an ESP32 is in."""
        device = self._devices.async_get(device_id)
        if device is None:
            return None
        return dr.async_get_effective_area_id(self._site.hass, device)


class TargetWatch:
    """A target that is looked up again only when a registry has changed."""

    def __init__(self, hass: HomeAssistant, target: Mapping[str, Any] | None) -> None:
        """Watch the registries until `async_stop`; without a target it means all."""
        self._selection = selection_of(target)
        self._choices: dict[str, tuple[FireAlarmSite, int, Choice]] = {}
        self._stops = [
            hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._forget),
            hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, self._forget),
            hass.bus.async_listen(ar.EVENT_AREA_REGISTRY_UPDATED, self._forget),
        ]

    @callback
    def choose(self, site: FireAlarmSite) -> Choice:
        """Return what the target means at a site."""
        if self._selection is None:
            return choose_all(site)
        found, modules, choice = self._choices.get(site.site_id, (None, 0, Choice()))
        if found is not site or modules != len(site.truth.modules):
            choice = choose(site, self._selection)
            self._choices[site.site_id] = (site, len(site.truth.modules), choice)
        return choice

    @callback
    def async_stop(self) -> None:
        """Let go of the registries."""
        for stop in self._stops:
            stop()

    @callback
    def _forget(self, _: Event[Any]) -> None:
        """Forget what was looked up."""
        self._choices.clear()
