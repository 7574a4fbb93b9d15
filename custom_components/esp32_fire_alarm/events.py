"""What a site tells Home Assistant: listeners, triggers, bus, and the payload.

Numbers become names here: an event says which zone it is in words that people
gave it, so that an automation needs no look-up table.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
import logging
from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID, Platform
from homeassistant.core import CALLBACK_TYPE, Event, HassJob, HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.translation import async_get_cached_translations
from homeassistant.util import dt as dt_util
from homeassistant.util.signal_type import SignalType

from .const import ATTR_TYPE, ATTR_ZONES, DOMAIN
from .fleet.impairment import WalkTestResult
from .fleet.memory import BookMemory, Untold
from .fleet.models import module_of_zone
from .fleet.occurrence import Occurrence
from .fleet.telling import EventKind, SiteEvent
from .paced_bus import PacedBus

if TYPE_CHECKING:
    from .site import FireAlarmSite

_LOGGER = logging.getLogger(__name__)

EVENT_FIRE_ALARM: Final = f"{DOMAIN}_event"
"""The bus event; its `type` is one of `EventKind`."""

SIGNAL_TOLD: Final[SignalType[Event[dict[str, Any]]]] = SignalType(f"{DOMAIN}_told")
"""Has the same event, of any site, in the very moment in which it is told."""

ATTR_OCCURRENCE_ID: Final = "occurrence_id"
ATTR_REPORT: Final = "report"

_ZONE_NAME: Final = f"component.{DOMAIN}.entity.binary_sensor.zone.name"

type EventListener = Callable[[SiteEvent], None]


class EventDesk:
    """Passes each event of a site on: to listeners, to triggers, then to the bus.

    Only the bus may be later, if there is much at once.
    """

    def __init__(self, site: FireAlarmSite, on_save: Callable[[bool], None]) -> None:
        """Start without listeners.

        `on_save` is called when there is less left to be told, as the book's own.
        """
        self._site = site
        self._bus = PacedBus(site.hass, on_save)
        self._listeners: list[EventListener] = []
        self._described: tuple[SiteEvent, dict[str, Any]] | None = None
        self._telling: SiteEvent | None = None

    @callback
    def async_start(self) -> None:
        """See to it that all that is told is on the bus before Home Assistant ends."""
        self._site.entry.async_on_unload(
            self._site.hass.async_add_shutdown_job(HassJob(self.async_close))
        )
        # Once more for a site whose setup failed: its events are written as not told.
        self._site.entry.async_on_unload(self.async_close)

    @callback
    def async_close(self) -> None:
        """Put everything on the bus that was told, from now on without delay."""
        self._bus.async_close()

    @callback
    def async_memory(self) -> BookMemory:
        """Return all that has to survive; what is not on the bus is not told yet.

        If the process dies it is told again: twice to some rather than never to
        whoever listens on the bus.
        """
        memory = self._site.book.memory()
        unsent = [
            Untold(id=one.data[ATTR_OCCURRENCE_ID], kind=EventKind(one.data[ATTR_TYPE]))
            for one in self._bus.waiting
            if ATTR_OCCURRENCE_ID in one.data
        ]
        if (event := self._telling) is not None and event.occurrence is not None:
            unsent.append(Untold(id=event.occurrence.id, kind=event.kind))
        return replace(memory, untold=(*unsent, *memory.untold))

    @callback
    def async_listen(self, listener: EventListener) -> CALLBACK_TYPE:
        """Call `listener` with every event; returns a function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_tell(self, event: SiteEvent) -> None:
        """Tell everybody; whoever fails keeps nobody else from hearing it."""
        before, self._telling = self._telling, event
        for tell in (*self._listeners, self._send):
            try:
                tell(event)
            except Exception:
                _LOGGER.exception("Telling of %s failed", event.kind)
        self._telling = before

    @callback
    def async_describe(self, event: SiteEvent) -> dict[str, Any]:
        """Return the payload of the event that is being told, worked out once."""
        if self._described is None or self._described[0] is not event:
            self._described = event, describe(self._site, event)
        return dict(self._described[1])

    def _send(self, event: SiteEvent) -> None:
        """Tell triggers of an event, and the bus, the last to be told of it."""
        told = Event(EVENT_FIRE_ALARM, self.async_describe(event))
        self._described = None
        async_dispatcher_send(self._site.hass, SIGNAL_TOLD, told)
        self._telling = None
        self._bus.async_put(told)


def describe(site: FireAlarmSite, event: SiteEvent) -> dict[str, Any]:
    """Return the payload of an event, in JSON's types."""
    payload: dict[str, Any] = {
        ATTR_TYPE: event.kind.value,
        "site": site.entry.title,
        "config_entry_id": site.entry.entry_id,
        "at": iso(event.at),
    }
    if event.occurrence is not None:
        return payload | _describe_zone(site, event, event.occurrence)
    if event.node is not None:
        return payload | _describe_node(site, event, event.node)
    payload[ATTR_ZONES] = list(event.zones)
    if event.kind is EventKind.CONFIRMED_ALARM:
        names = [place_of_zone(site, zone).name for zone in event.zones]
        return payload | {
            "group": event.group,
            "zone_names": names,
            "drill": event.drill,
        }
    until = None if event.until is None else iso(event.until)
    payload |= {"by": event.by, "why": event.why, "until": until}
    if event.kind is EventKind.WALK_TEST_ENDED:
        payload[ATTR_REPORT] = [_describe_test(one) for one in event.report]
    return payload


def _describe_test(result: WalkTestResult) -> dict[str, Any]:
    """Return one zone of a walk test's report.

    Kept short: the recorder drops an event of more than 32 KiB, and there may
    be 315 zones in one.
    """
    at, latency = result.activated_at, result.latency
    return {
        "zone": result.zone,
        "set_off_at": None if at is None else iso(at),
        "latency_ms": None if latency is None else round(latency * 1000),
    }


def _describe_zone(
    site: FireAlarmSite, event: SiteEvent, occurrence: Occurrence
) -> dict[str, Any]:
    """Return what is said of a zone's alarm or trouble."""
    place = place_of_zone(site, occurrence.zone)
    return {
        ATTR_OCCURRENCE_ID: occurrence.id,
        "zone": occurrence.zone,
        "zone_name": place.name,
        "module": occurrence.module,
        "node": _owner_of(site, occurrence.zone) or occurrence.source,
        **place.as_payload(),
        "first": occurrence.is_first,
        "order": occurrence.order,
        "found_on_resync": event.found_on_resync,
        "drill": occurrence.drill,
        "test": occurrence.test,
        "disabled": occurrence.disabled,
        "source": occurrence.source,
    }


def _describe_node(site: FireAlarmSite, event: SiteEvent, node: int) -> dict[str, Any]:
    """Return what is said of a node, or of the panel behind it."""
    found = {"found_on_resync": event.found_on_resync, "drill": event.drill}
    details: dict[str, Any]
    match event.kind:
        case EventKind.NODE_LOST:
            reason = str(site.health.assess(node).reason)
            details = {
                "modules": site.modules_owned(node),
                "reason": reason,
                "lost_nodes": lost_nodes(site),
            }
        case EventKind.NODE_RETURNED:
            details = {
                "modules": site.modules_owned(node),
                "lost_nodes": lost_nodes(site),
            }
        case EventKind.FAILOVER:
            details = {
                "modules": list(event.modules),
                "node_before": event.node_before,
            }
        case EventKind.BELL:
            details = {"module": event.modules[0], "on": event.is_on} | found
        case EventKind.PANEL_COMMAND:
            details = {
                "command": event.command,
                "by": event.by,
                "outcome": event.outcome,
            }
        case _:
            details = {
                "lit": list(event.lit),
                "went_on": list(event.went_on),
                "went_off": list(event.went_off),
            } | found
    device_id = site.device_ids.get(node)
    return {
        "node": node,
        **place_of_device(site.hass, device_id).as_payload(),
        **details,
    }


def lost_nodes(site: FireAlarmSite) -> list[int]:
    """Return all nodes that are lost at the moment."""
    return [node for node in site.configs if site.truth.is_given_up(node)]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is, in people's words and the registries' ids."""

    name: str | None = None
    entity_id: str | None = None
    device_id: str | None = None
    device_name: str | None = None
    area_name: str | None = None

    def as_payload(self) -> dict[str, Any]:
        """Return all but the name."""
        return {
            ATTR_ENTITY_ID: self.entity_id,
            ATTR_DEVICE_ID: self.device_id,
            "device_name": self.device_name,
            "area_name": self.area_name,
        }


def _owner_of(site: FireAlarmSite, zone: int) -> int | None:
    """Return the node that owns `zone` (1-315), unless it is no zone of the site."""
    status = site.truth.modules.get(module_of_zone(zone))
    return None if status is None else status.owner


def place_of_zone(site: FireAlarmSite, zone: int) -> Place:
    """Return where `zone` (1-315) is.

    Nothing that may be wrong with the registries keeps an alarm from being told:
    its number is enough.
    """
    try:
        return _find_zone(site, zone)
    except Exception:
        _LOGGER.exception("Where zone %d is cannot be found out", zone)
        return Place(name=default_name(site.hass, zone))


def _find_zone(site: FireAlarmSite, zone: int) -> Place:
    """Look a zone up.

    If its module just turned up it has no entity yet; its node has a device.
    """
    registry = er.async_get(site.hass)
    entity_id = registry.async_get_entity_id(
        Platform.BINARY_SENSOR, DOMAIN, f"{site.site_id}_zone_{zone}"
    )
    entry = None if entity_id is None else registry.async_get(entity_id)
    if entry is None:
        owner = _owner_of(site, zone)
        device_id = None if owner is None else site.device_ids.get(owner)
        place = place_of_device(site.hass, device_id)
        return replace(place, name=default_name(site.hass, zone))
    return replace(
        place_of_device(site.hass, entry.device_id),
        name=entry.name or entry.original_name or default_name(site.hass, zone),
        entity_id=entity_id,
        area_name=_name_of_area(
            site.hass, er.async_get_effective_area_id(site.hass, entry)
        ),
    )


def default_name(hass: HomeAssistant, zone: int) -> str:
    """Return what `zone` (1-315) is called unless people say otherwise.

    In the language of the server, as its entity is; the words are in memory
    since the entities were made.
    """
    words = async_get_cached_translations(hass, hass.config.language, "entity", DOMAIN)
    return words.get(_ZONE_NAME, "{zone}").format(zone=zone)


def place_of_device(hass: HomeAssistant, device_id: str | None) -> Place:
    """Return where a device is."""
    device = None if device_id is None else dr.async_get(hass).async_get(device_id)
    if device is None:
        return Place()
    return Place(
        device_id=device_id,
        device_name=device.name_by_user or device.name,
        area_name=_name_of_area(hass, dr.async_get_effective_area_id(hass, device)),
    )


def _name_of_area(hass: HomeAssistant, area_id: str | None) -> str | None:
    """Return what people call an area."""
    area = None if area_id is None else ar.async_get(hass).async_get_area(area_id)
    return None if area is None else area.name


def iso(at: float) -> str:
    """Return seconds since the epoch as UTC in ISO 8601, to the millisecond."""
    return dt_util.utc_from_timestamp(at).isoformat(timespec="milliseconds")
