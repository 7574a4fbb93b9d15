"""What was told: to triggers, on the event entity and on the bus."""

from typing import Any

from homeassistant.const import (
    EVENT_STATE_CHANGED,
)
from homeassistant.core import Event, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.esp32_fire_alarm.events import EVENT_FIRE_ALARM, SIGNAL_TOLD
from custom_components.esp32_fire_alarm.fleet.telling import EventKind

from .running_site import (
    RunningSite,
)

HOLD_SECONDS = 45


class Told:
    """What was told to triggers, on the event entity and on the bus; all have to agree.

    Only the bus may be behind, in a burst.
    """

    def __init__(self, site: RunningSite) -> None:
        """Listen from now on."""
        self.site = site
        self.entity_id = site.entity_id("event", "site_events")
        self.events: list[Event[dict[str, Any]]] = []
        self.on_bus = async_capture_events(site.hass, EVENT_FIRE_ALARM)
        self.on_entity: list[dict[str, Any]] = []
        async_dispatcher_connect(site.hass, SIGNAL_TOLD, self._hear)
        site.hass.bus.async_listen(EVENT_STATE_CHANGED, self._note)

    @callback
    def _hear(self, event: Event[dict[str, Any]]) -> None:
        self.events.append(event)

    @callback
    def _note(self, event: Event[Any]) -> None:
        attributes = event.data["new_state"].attributes
        # There is no event in the state that is left of an entity of an unloaded site.
        if event.data["entity_id"] == self.entity_id and "event_type" in attributes:
            self.on_entity.append(dict(attributes))

    def kinds(self) -> list[str]:
        """Return what was told so far."""
        kinds = [event.data["type"] for event in self.events]
        assert kinds == [one["event_type"] for one in self.on_entity]
        sent = [(one.data, one.context, one.time_fired) for one in self.on_bus]
        told = [(one.data, one.context, one.time_fired) for one in self.events]
        assert sent == told[: len(sent)]
        return kinds

    def zones(self, kind: EventKind = EventKind.ALARM) -> list[int]:
        """Return the zones of which something was told."""
        self.kinds()
        return [
            event.data["zone"] for event in self.events if event.data["type"] == kind
        ]

    def take(self) -> list[dict[str, Any]]:
        """Return the payloads told since the last call, which are all on the bus."""
        assert len(self.on_bus) == len(self.kinds())
        payloads = [dict(event.data) for event in self.events]
        self.events.clear()
        self.on_bus.clear()
        self.on_entity.clear()
        return payloads
