"""One site's news for all browsers that show it: a snapshot, then what changed.

However many browsers watch, what changed is gathered and encoded once. What
waits to be sent is the set of what changed since, never a queue, so a flood
cannot make it grow; and how often it is sent is bounded. A browser that does
not read is cut off by Home Assistant, and gets a snapshot when it is back.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
import logging
import time
from typing import Any, Final

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.messages import construct_event_message
from homeassistant.core import CALLBACK_TYPE, Event, callback
from homeassistant.helpers.area_registry import EVENT_AREA_REGISTRY_UPDATED
from homeassistant.helpers.device_registry import EVENT_DEVICE_REGISTRY_UPDATED
from homeassistant.helpers.entity_registry import EVENT_ENTITY_REGISTRY_UPDATED
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.json import json_bytes

from . import wire
from .fleet.health import NodeHealth
from .fleet.metrics import SiteMetrics
from .fleet.models import EdgeKind, SiteUpdate
from .fleet.telling import SiteEvent
from .site import FireAlarmSite
from .wire import Json

_LOGGER = logging.getLogger(__name__)

PULSE_SECONDS: Final = 2.0
"""A browser that hears nothing for three of these must call its wall stale."""

GATHER_SECONDS: Final = 0.2
"""Changes wait for others this long, but an alarm does not."""

ALARM_GAP_SECONDS: Final = 0.05
"""Least time between two messages, alarms or not: at most 20 a second."""

LAYOUT_SECONDS: Final = 1.0
"""Names and areas change in bulk; they wait this long for the rest."""

SAMPLES_KEPT: Final = 150
"""Points of the plots: five minutes of pulses."""

REGISTRY_EVENTS: Final = (
    EVENT_AREA_REGISTRY_UPDATED,
    EVENT_DEVICE_REGISTRY_UPDATED,
    EVENT_ENTITY_REGISTRY_UPDATED,
)


class Audience:
    """Browsers that are told the same."""

    def __init__(self) -> None:
        """Start with an empty room."""
        self._seats: dict[tuple[ActiveConnection, int], None] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._seats)

    def add(self, connection: ActiveConnection, message_id: int) -> None:
        """Let in who subscribed with `message_id`."""
        self._seats[connection, message_id] = None

    @staticmethod
    def greet(connection: ActiveConnection, message_id: int, event: Json) -> None:
        """Send an event to one of them alone."""
        connection.send_message(construct_event_message(message_id, json_bytes(event)))

    def remove(self, connection: ActiveConnection, message_id: int) -> None:
        """Let out."""
        self._seats.pop((connection, message_id), None)

    def tell(self, event: Json) -> None:
        """Send an event to all of them, encoded once."""
        if not self._seats:
            return
        encoded = json_bytes(event)
        for connection, message_id in tuple(self._seats):
            connection.send_message(construct_event_message(message_id, encoded))

    def dismiss(self, event: Json) -> None:
        """Send the last event and let everybody out."""
        self.tell(event)
        for connection, message_id in self._seats:
            connection.subscriptions.pop(message_id, None)
        self._seats.clear()


class SiteFeed:
    """What browsers are told of one site; does nothing while none watches."""

    def __init__(self, site: FireAlarmSite) -> None:
        """Wait for the first browser."""
        self._site = site
        self._wall = Audience()
        self._health = Audience()
        self._stops: list[CALLBACK_TYPE] = []
        self._zones: set[int] = set()
        self._modules: set[int] = set()
        self._nodes: set[int] = set()
        self._impaired: dict[int, wire.ZoneBit] = {}
        self._layout: Json = {}
        self._named: set[int] = set()
        self._is_layout_due = False
        self._shown: Json = {}
        self._shown_nodes: dict[int, list[int]] = {}
        self._log_version = 0
        self._samples: deque[list[float | None]] = deque(maxlen=SAMPLES_KEPT)
        self._flush_timer: asyncio.TimerHandle | None = None
        self._flush_at = 0.0
        self._flushed_at = 0.0

    @callback
    def async_watch(
        self, connection: ActiveConnection, message_id: int, terms: Json
    ) -> None:
        """Show the wall to a browser, and from now on what changes.

        `terms` are for this browser alone: what its user may do.
        """
        if self._stops:
            # All others have to know by now what this one is shown: from here
            # on they are told the same changes.
            self._nodes.update(self._site.configs)
            self._flush()
        self._join(self._wall, connection, message_id)
        first = self._snapshot() | self._pulse(self._assess())
        self._wall.greet(connection, message_id, first | terms)

    @callback
    def async_watch_health(self, connection: ActiveConnection, message_id: int) -> None:
        """Show the health of the nodes to a browser, and renew it with every pulse."""
        self._join(self._health, connection, message_id)
        first = self._health_now(self._assess(), self._site.aggregator.metrics)
        first["samples"] = list(self._samples)
        self._health.greet(connection, message_id, first)

    @callback
    def async_close(self) -> None:
        """Send everybody away: the site ends, if only to be set up anew."""
        for audience in (self._wall, self._health):
            audience.dismiss({"gone": True})
        self._stop()

    # Who watches.

    def _join(
        self, audience: Audience, connection: ActiveConnection, message_id: int
    ) -> None:
        """Let a browser in until it goes, and confirm that to it."""

        @callback
        def leave() -> None:
            audience.remove(connection, message_id)
            if not self._wall and not self._health:
                self._stop()

        if not self._wall and not self._health:
            self._start()
        audience.add(connection, message_id)
        connection.subscriptions[message_id] = leave
        connection.send_result(message_id)

    def _start(self) -> None:
        """Follow the site."""
        site, bus = self._site, self._site.hass.bus
        self._take_layout(wire.layout_of(site))
        self._impaired = wire.impaired_bits(site)
        self._shown = self._aggregates()
        self._shown_nodes = self._node_states(self._assess())
        self._stops = [
            site.async_listen(self._on_update),
            site.async_listen_events(self._on_event),
            site.async_listen_arrangement(self._plan_layout),
            async_track_time_interval(
                site.hass,
                self._on_pulse,
                timedelta(seconds=PULSE_SECONDS),
                name=f"wall of {site.entry.title}",
                cancel_on_shutdown=True,
            ),
            *(bus.async_listen(kind, self._on_registry) for kind in REGISTRY_EVENTS),
        ]

    def _stop(self) -> None:
        """Follow nothing any more."""
        for stop in self._stops:
            stop()
        self._stops = []
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        self._zones, self._modules, self._nodes = set(), set(), set()
        self._is_layout_due = False

    # What happens.

    @callback
    def _on_update(self, update: SiteUpdate) -> None:
        """Note what changed; an alarm is sent as soon as the book has it too."""
        is_alarm = any(edge.kind is EdgeKind.ALARM for edge in update.edges)
        self._flush_in(0.0 if is_alarm else GATHER_SECONDS)
        self._zones.update(update.zones)
        self._modules.update(update.modules)
        self._nodes.update(update.nodes)
        self._log_version += bool(update.edges)
        if not update.modules.keys() <= self._named:
            self._plan_layout()
        if not update:
            self._compare_impairments()

    @callback
    def _on_event(self, event: SiteEvent) -> None:
        """Note what people did, and what was told of zones."""
        self._log_version += 1
        self._zones.update(event.zones)
        if event.occurrence is not None:
            self._zones.add(event.occurrence.zone)
        self._flush_in(GATHER_SECONDS)

    @callback
    def _on_registry(self, _: Event[Any]) -> None:
        """Look at names and areas again."""
        self._plan_layout()

    @callback
    def _plan_layout(self) -> None:
        """Look at names, areas, nodes and modules again soon."""
        self._is_layout_due = True
        self._flush_in(LAYOUT_SECONDS)

    @callback
    def _on_pulse(self, _: datetime) -> None:
        """Tell that the wall is live and how old its data are."""
        health = self._assess()
        metrics = self._site.aggregator.metrics
        self._samples.append(wire.sample_of(metrics, time.time()))
        nodes = self._changed_nodes(health)
        event = self._pulse(health)
        if nodes:
            event["nodes"] = nodes
        self._wall.tell(event)
        if self._health:
            news = self._health_now(health, metrics)
            news["samples"] = [self._samples[-1]]
            self._health.tell(news)

    def _take_layout(self, layout: Json) -> None:
        """Keep what browsers are told of names, and which modules that names."""
        self._layout = layout
        self._named = {module[0] for module in layout["modules"]}

    def _compare_impairments(self) -> None:
        """Note zones that were taken out or put back."""
        now = wire.impaired_bits(self._site)
        for zone in now.keys() | self._impaired.keys():
            if now.get(zone) != self._impaired.get(zone):
                self._zones.add(zone)
        self._impaired = now

    # What is sent.

    def _flush_in(self, seconds: float) -> None:
        """Send what changed so soon, or sooner if that is planned."""
        loop = self._site.hass.loop
        at = max(loop.time() + seconds, self._flushed_at + ALARM_GAP_SECONDS)
        if self._flush_timer is not None:
            if self._flush_at <= at:
                return
            self._flush_timer.cancel()
        self._flush_at = at
        self._flush_timer = loop.call_at(at, self._flush)

    @callback
    def _flush(self) -> None:
        """Send what changed since the last time.

        If that fails nobody may go on believing what he sees: all are sent away,
        and get a snapshot when they come again.
        """
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        self._flushed_at = self._site.hass.loop.time()
        try:
            event = self._news()
        except Exception:
            _LOGGER.exception("The wall of %s failed", self._site.entry.title)
            self.async_close()
        else:
            if event:
                self._wall.tell(event)
        self._zones, self._modules, self._nodes = set(), set(), set()

    def _news(self) -> Json:
        """Return what changed; all of it if something has another name or place."""
        if self._is_layout_due:
            self._is_layout_due = False
            layout = wire.layout_of(self._site)
            if layout != self._layout:
                # New nodes and modules bring their states along.
                self._take_layout(layout)
                return self._snapshot()
        return self._changes()

    def _changes(self) -> Json:
        """Return what changed since the last time."""
        event: Json = {}
        if self._zones:
            event["zones"] = wire.zones_of(self._site, self._zones, self._impaired)
        if self._modules:
            event["modules"] = wire.modules_of(self._site, self._modules)
        if self._nodes:
            if nodes := self._changed_nodes(self._assess(self._nodes)):
                event["nodes"] = nodes
        aggregates = self._aggregates()
        event |= {
            key: value
            for key, value in aggregates.items()
            if value != self._shown.get(key)
        }
        self._shown = aggregates
        return event

    def _snapshot(self) -> Json:
        """Return everything."""
        site = self._site
        self._shown = self._aggregates()
        self._shown_nodes = self._node_states(self._assess())
        return {
            "layout": self._layout,
            "zones": wire.zones_of(site, site.truth.zones, self._impaired),
            "modules": wire.modules_of(site, site.truth.modules),
            "nodes": self._shown_nodes,
            **self._shown,
        }

    def _aggregates(self) -> Json:
        """Return what is about the whole site."""
        return {
            "site": wire.summary_of(self._site),
            "lamps": wire.lamps_of(self._site),
            "log": self._log_version,
        }

    def _pulse(self, health: dict[int, NodeHealth]) -> Json:
        """Return the time, and the age of the oldest data that pass as fresh."""
        is_fresh = self._site.truth.is_fresh
        ages = [
            one.data_age_seconds
            for node, one in health.items()
            if one.data_age_seconds is not None and is_fresh(node)
        ]
        return {
            "now": round(time.time() * 1000),
            "age": round(max(ages) * 1000) if ages else None,
        }

    @staticmethod
    def _health_now(health: dict[int, NodeHealth], metrics: SiteMetrics) -> Json:
        """Return the table of nodes and the site's counters."""
        return {
            "health": wire.health_of(health),
            "metrics": wire.metrics_of(metrics),
        }

    def _assess(self, nodes: Iterable[int] | None = None) -> dict[int, NodeHealth]:
        """Return how well nodes are, or all of them."""
        site = self._site
        chosen = site.configs if nodes is None else nodes
        return {
            node: site.health.assess(node) for node in chosen if node in site.configs
        }

    def _node_states(self, health: dict[int, NodeHealth]) -> dict[int, list[int]]:
        """Return the states of nodes."""
        return {
            node: wire.node_of(self._site, node, one) for node, one in health.items()
        }

    def _changed_nodes(self, health: dict[int, NodeHealth]) -> dict[int, list[int]]:
        """Return the states of nodes that are not what was sent last."""
        changed = {
            node: state
            for node, state in self._node_states(health).items()
            if state != self._shown_nodes.get(node)
        }
        self._shown_nodes |= changed
        return changed
