"""The site's event entity: says each thing once, and is never unavailable.

Home Assistant's stock triggers miss an alarm that is found when a link or Home
Assistant itself comes back; this entity does not.
"""

from typing import Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import ATTR_TYPE
from .events import ATTR_REPORT
from .fleet.telling import EventKind, SiteEvent
from .site import FireAlarmConfigEntry, FireAlarmSite

PARALLEL_UPDATES = 0

SITE_EVENTS: Final = EventEntityDescription(
    key="site_events",
    translation_key="site_events",
    event_types=[kind.value for kind in EventKind],
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: FireAlarmConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the event entity of the site."""
    async_add_entities([SiteEventEntity(entry.runtime_data)])


class SiteEventEntity(EventEntity):
    """Everything that happens at a site, one event after the other."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    # The recorder keeps the whole payload with the bus event. What makes one unlike
    # the others is not kept here too: for each such state it asks its database.
    _unrecorded_attributes = frozenset(
        {
            *("at", "occurrence_id", "order", "source", "until", "by", "why"),
            *("zone", "zone_name", "zones", "zone_names", "group", "module", "modules"),
            *("node", "node_before", "lost_nodes", "lit", "went_on", "went_off"),
            *("entity_id", "device_id", "device_name", "area_name"),
        }
    )
    entity_description = SITE_EVENTS

    def __init__(self, site: FireAlarmSite) -> None:
        """Sit on the site's own device."""
        self._site = site
        self._attr_unique_id = f"{site.site_id}_{SITE_EVENTS.key}"
        self._attr_device_info = DeviceInfo(identifiers={site.identifier})

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the site."""
        await super().async_added_to_hass()
        self.async_on_remove(self._site.async_listen_events(self._handle_event))

    @callback
    def _handle_event(self, event: SiteEvent) -> None:
        """Write the event in the very turn in which it is told."""
        payload = self._site.desk.async_describe(event)
        # Too much for a state, of which the recorder keeps 16 KiB.
        payload.pop(ATTR_REPORT, None)
        self._trigger_event(payload.pop(ATTR_TYPE), payload)
        self.async_write_ha_state()
