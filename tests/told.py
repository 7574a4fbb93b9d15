"""What was told, on the event entity and on the bus."""

from typing import Any

from homeassistant.const import (
    EVENT_STATE_CHANGED,
)
from homeassistant.core import Event, callback
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.esp32_fire_alarm.events import EVENT_FIRE_ALARM
from custom_components.esp32_fire_alarm.fleet.telling import EventKind

from .running_site import (
    RunningSite,
)

HOLD_SECONDS = 45


class Told:
    """What was told on the bus and on the event entity; both have to agree."""

    def __init__(self, site: RunningSite) -> None:
        """Listen from now on."""
        self.site = site
        self.entity_id = site.entity_id("event", "site_events")
        self.on_bus = async_capture_events(site.hass, EVENT_FIRE_ALARM)
        self.on_entity: list[dict[str, Any]] = []
        site.hass.bus.async_listen(EVENT_STATE_CHANGED, self._note)

    @callback
    def _note(self, event: Event[Any]) -> None:
        if event.data["entity_id"] == self.entity_id:
            self.on_entity.append(dict(event.data["new_state"].attributes))

    def kinds(self) -> list[str]:
        """Return what was told so far."""
        kinds = [event.data["type"] for event in self.on_bus]
        assert kinds == [one["event_type"] for one in self.on_entity]
        return kinds

    def zones(self, kind: EventKind = EventKind.ALARM) -> list[int]:
        """Return the zones of which something was told."""
        self.kinds()
        return [
            event.data["zone"] for event in self.on_bus if event.data["type"] == kind
        ]

    def take(self) -> list[dict[str, Any]]:
        """Return the payloads told since the last call."""
        self.kinds()
        payloads = [dict(event.data) for event in self.on_bus]
        self.on_bus.clear()
        self.on_entity.clear()
        return payloads
