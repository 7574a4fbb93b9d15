"""Who tells entities to look again: one coordinator per ESP32, and a board of figures."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
import logging
from typing import TYPE_CHECKING, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .fleet.health import HealthMonitor, HealthReason, NodeHealth, Verdict
from .fleet.metrics import SiteMetrics
from .fleet.models import NodeConfig

if TYPE_CHECKING:
    from .site import FireAlarmSite

_LOGGER = logging.getLogger(__name__)

LOOKS_PER_TURN: Final = 64
"""Entities that look again in one turn of the event loop at most, alarms apart.

A bridge with 63 modules has some 450. `python -m benchmarks.turns` has what
that costs; an ESP32 with one module has about 20, so it takes one turn.
"""


class DeviceCoordinator(DataUpdateCoordinator[NodeHealth]):
    """Pushes what one ESP32 says to its entities; there is nothing to poll.

    `data` is the node's health as last published: at once when the verdict
    changes, every 30 s otherwise. Zones, modules and lamps are read from the
    site, where they are never older than the last frame.
    """

    config_entry: ConfigEntry[FireAlarmSite]

    def __init__(
        self, hass: HomeAssistant, site: FireAlarmSite, config: NodeConfig
    ) -> None:
        """Start with the node's health as it is before the first connect."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=site.entry,
            name=f"node {config.node}",
            update_interval=None,
        )
        self.site = site
        self.config = config
        self.data = site.health.assess(config.node)
        self._record = site.health.record(config.node)
        self._looks: dict[CALLBACK_TYPE, int | None] = {}
        self._looks_by_zone: dict[int, list[CALLBACK_TYPE]] = {}

    @property
    def node(self) -> int:
        """The node's place in the fleet."""
        return self.config.node

    @property
    def is_heard(self) -> bool:
        """Tell whether the node's last word still stands (fresh, or held)."""
        return not self.site.truth.is_given_up(self.node)

    @override
    @callback
    def async_add_listener(
        self, update_callback: CALLBACK_TYPE, context: int | None = None
    ) -> CALLBACK_TYPE:
        """Have an entity look again when there is news; `context` is its zone.

        Returns a function that ends it.
        """
        remove = super().async_add_listener(update_callback, context)
        self._looks[update_callback] = context
        if context is not None:
            self._looks_by_zone.setdefault(context, []).append(update_callback)

        @callback
        def end() -> None:
            del self._looks[update_callback]
            if context is not None:
                self._looks_by_zone[context].remove(update_callback)
            remove()

        return end

    @callback
    def async_tell_zone(self, zone: int) -> None:
        """Have the entities of `zone` (1-315) look again, in this very turn."""
        for look in tuple(self._looks_by_zone.get(zone, ())):
            self.async_tell(look)

    @callback
    def async_looks(self) -> list[CALLBACK_TYPE]:
        """Return how every entity looks again: zones in alarm, zones, the rest."""
        zones = self.site.truth.zones

        def urgency(look: CALLBACK_TYPE) -> int:
            if (zone := self._looks[look]) is None:
                return 2
            return 0 if zone in zones and zones[zone].alarm else 1

        return sorted(self._looks, key=urgency)

    @callback
    def async_tell(self, look: CALLBACK_TYPE) -> None:
        """Have one entity look again, if it is still there.

        One that fails must not keep the others from showing an alarm.
        """
        if look not in self._looks:
            return
        try:
            look()
        except Exception:
            _LOGGER.exception("An entity of node %d failed", self.node)

    @override
    async def _async_update_data(self) -> NodeHealth:
        """Take a fresh look for whoever asks for an update of an entity."""
        return self.site.health.assess(self.node)

    @callback
    def async_take_health(self, *, is_due: bool) -> bool:
        """Take a fresh look at the node's health; return whether to publish it.

        Without `is_due` only a changed verdict is worth it: figures move all
        the time, and nobody needs them twice a second.
        """
        health, record, shown = self.site.health, self._record, self.data
        if (
            not is_due
            and health.reason(record) is shown.reason
            and record.path is shown.path
        ):
            return False
        self.data = health.assess(self.node)
        self.last_update_success = self.data.verdict is not Verdict.LOST
        return True


class Verdicts:
    """Finds out, twice a second, which nodes have another verdict than is shown.

    Time alone makes nobody worse, so a node that is shown to be well is looked at
    when something was noted of it.
    """

    def __init__(
        self, health: HealthMonitor, coordinators: Mapping[int, DeviceCoordinator]
    ) -> None:
        """Look at the nodes of `coordinators`, as they are when they are looked at."""
        self._health = health
        self._coordinators = coordinators
        self._well: set[int] = set()

    @callback
    def take(self, *, is_due: bool) -> set[int]:
        """Take a fresh look where it is worth it; return the nodes to publish.

        With `is_due` that is all of them.
        """
        nodes = self._coordinators.keys()
        noted = self._health.take_noted() & nodes
        published = set()
        for node in nodes if is_due else noted | (nodes - self._well):
            coordinator = self._coordinators[node]
            if coordinator.async_take_health(is_due=is_due):
                published.add(node)
            if coordinator.data.reason is HealthReason.OK:
                self._well.add(node)
            else:
                self._well.discard(node)
        self._well &= nodes
        return published


class MetricsBoard:
    """Shows what the frames of a site cost; published every 30 s.

    `data` are the figures as last published. Working them out costs a little,
    so that is only done while somebody looks.
    """

    def __init__(self, read: Callable[[], SiteMetrics]) -> None:
        """Start with the figures as they are before the first frame."""
        self._read = read
        self._listeners: list[CALLBACK_TYPE] = []
        self.data = read()

    @callback
    def async_listen(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call `listener` with every publication; returns a function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_publish(self) -> None:
        """Take the figures as they are now and tell everybody who looks."""
        if self._listeners:
            self.data = self._read()
        for listener in tuple(self._listeners):
            listener()


class Notifier:
    """Notifies nodes' entities, a few per turn of the event loop.

    So a storm of updates, or the loss of a bridge with all its zones, never
    keeps an alarm waiting. One node after the other, each as a whole.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        coordinators: Mapping[int, DeviceCoordinator],
    ) -> None:
        """Notify through `coordinators`, by node, as they are when it is their turn."""
        self._loop = loop
        self._coordinators = coordinators
        self._due: dict[int, None] = {}
        self._looks: deque[tuple[DeviceCoordinator, CALLBACK_TYPE]] = deque()
        self._is_planned = False

    @property
    def is_busy(self) -> bool:
        """Tell whether anybody is still to be notified."""
        return self._is_planned

    @callback
    def notify(self, nodes: Iterable[int]) -> None:
        """Notify these nodes' entities soon."""
        self._due.update(dict.fromkeys(nodes))
        if (self._due or self._looks) and not self._is_planned:
            self._is_planned = True
            self._loop.call_soon(self._notify_some)

    @callback
    def _notify_some(self) -> None:
        """Go on with the node that is being notified, or with the next one."""
        self._is_planned = False
        if not self._looks:
            node = next(iter(self._due))
            del self._due[node]
            if (coordinator := self._coordinators.get(node)) is not None:
                looks = coordinator.async_looks()
                self._looks.extend((coordinator, look) for look in looks)
        for _ in range(min(LOOKS_PER_TURN, len(self._looks))):
            coordinator, look = self._looks.popleft()
            coordinator.async_tell(look)
        self.notify(())
