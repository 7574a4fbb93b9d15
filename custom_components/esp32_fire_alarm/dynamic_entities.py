"""Entities that come, go and move with the nodes and modules of a running site.

An entity keeps its registry entry, its history and its state when its module
passes to another ESP32; only the device below it changes.
"""

import asyncio
from collections.abc import Callable, Iterable
from itertools import batched
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import (
    AddConfigEntryEntitiesCallback,
    async_get_current_platform,
)

from .const import DOMAIN
from .coordinator import DeviceCoordinator
from .devices import async_device_id_of
from .entity import FireAlarmEntity, ModuleBoundEntity
from .fleet.models import SiteUpdate
from .site import FireAlarmConfigEntry, FireAlarmSite

ENTITIES_PER_TURN: Final = 50
"""Entities of one platform added or removed in one turn of the event loop.

A full site has 2,000, of which an open browser hears 5,000 messages. With 4,096
of them still to be read, Home Assistant hangs up on it; and an alarm would wait.
"""

REGISTRY_PAUSE_SECONDS: Final = 0.02
"""Between two such turns that change the registry, for browsers to read."""

type MakeOfNode = Callable[[DeviceCoordinator], Iterable[FireAlarmEntity[Any]]]
type MakeOfModule = Callable[[FireAlarmSite, int], Iterable[FireAlarmEntity[Any]]]


async def async_add_dynamically(
    hass: HomeAssistant,
    entry: FireAlarmConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    *,
    of_node: MakeOfNode = lambda coordinator: (),
    of_module: MakeOfModule = lambda site, module: (),
) -> None:
    """Add a platform's entities of nodes and modules (1-63), now and later.

    To be called while the platform is set up.
    """
    family = _Family(hass, entry, async_add_entities, of_node, of_module)
    await family.async_add_all()
    site = entry.runtime_data
    entry.async_on_unload(site.async_listen(family.async_add_modules))
    entry.async_on_unload(site.async_listen_arrangement(family.async_rearrange))


async def async_remove_all(hass: HomeAssistant, entry: FireAlarmConfigEntry) -> None:
    """Take the entities of a site that was removed out of the registry.

    Home Assistant would do that too, but in one turn of the event loop.
    """
    registry = er.async_get(hass)
    entities = er.async_entries_for_config_entry(registry, entry.entry_id)
    for some in batched(entities, ENTITIES_PER_TURN, strict=False):
        for entity in some:
            if registry.async_get(entity.entity_id) is not None:
                registry.async_remove(entity.entity_id)
        await asyncio.sleep(REGISTRY_PAUSE_SECONDS)


class _Family:
    """All entities of one platform that belong to nodes or modules."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: FireAlarmConfigEntry,
        async_add_entities: AddConfigEntryEntitiesCallback,
        of_node: MakeOfNode,
        of_module: MakeOfModule,
    ) -> None:
        self._registry = er.async_get(hass)
        self._site = entry.runtime_data
        self._async_add_entities = async_add_entities
        self._of_node = of_node
        self._of_module = of_module
        self._platform = async_get_current_platform().domain
        self._members: dict[str, FireAlarmEntity[Any]] = {}
        self._modules: set[int] = set()

    async def async_add_all(self) -> None:
        """Add what there is, in several turns of the event loop."""
        for some in batched(self._wanted().items(), ENTITIES_PER_TURN, strict=False):
            is_known = all(self._entity_id(unique_id) for unique_id, _ in some)
            self._add(dict(some))
            await asyncio.sleep(0 if is_known else REGISTRY_PAUSE_SECONDS)
        # For what came in the meantime.
        self.async_rearrange()

    @callback
    def async_add_modules(self, update: SiteUpdate) -> None:
        """Add the entities of modules that showed up."""
        if new := update.modules.keys() - self._modules:
            self._modules |= new
            self._add(self._made_of_modules(sorted(new)))

    @callback
    def async_rearrange(self) -> None:
        """Add what is new, remove what is gone, and move what has moved."""
        wanted = self._wanted()
        for unique_id in self._members.keys() - wanted.keys():
            del self._members[unique_id]
            if (entity_id := self._entity_id(unique_id)) is not None:
                self._registry.async_remove(entity_id)
        for unique_id, entity in self._members.items():
            if isinstance(entity, ModuleBoundEntity):
                self._move(unique_id, entity)
        self._add({uid: one for uid, one in wanted.items() if uid not in self._members})

    def _wanted(self) -> dict[str, FireAlarmEntity[Any]]:
        """Return the entities that there should be now, by unique id."""
        self._modules = set(self._site.truth.modules)
        # Whoever is added first is told first: zones before lamps.
        wanted = self._made_of_modules(sorted(self._modules))
        for coordinator in self._site.coordinators.values():
            for entity in self._of_node(coordinator):
                assert entity.unique_id is not None
                wanted[entity.unique_id] = entity
        return wanted

    def _made_of_modules(
        self, modules: Iterable[int]
    ) -> dict[str, FireAlarmEntity[Any]]:
        """Return the entities that these modules should have, by unique id."""
        made: dict[str, FireAlarmEntity[Any]] = {}
        for module in modules:
            for entity in self._of_module(self._site, module):
                assert entity.unique_id is not None
                made[entity.unique_id] = entity
        return made

    def _add(self, entities: dict[str, FireAlarmEntity[Any]]) -> None:
        """Add new entities to the platform."""
        self._members |= entities
        if entities:
            self._async_add_entities(entities.values())

    def _move(self, unique_id: str, entity: ModuleBoundEntity[Any]) -> None:
        """Put an entity on the device that its module is on now."""
        entity.async_follow_module()
        entity_id = self._entity_id(unique_id)
        found = None if entity_id is None else self._registry.async_get(entity_id)
        device_id = async_device_id_of(self._site, entity.module)
        if found is not None and found.device_id != device_id:
            self._registry.async_update_entity(found.entity_id, device_id=device_id)

    def _entity_id(self, unique_id: str) -> str | None:
        """Return an entity's id, if it is registered."""
        return self._registry.async_get_entity_id(self._platform, DOMAIN, unique_id)
