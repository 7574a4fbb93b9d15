"""One coordinator per ESP32: tells its entities when to look again."""

import asyncio
from collections.abc import Iterable, Mapping
import logging
from typing import TYPE_CHECKING, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .fleet.health import NodeHealth, Verdict
from .fleet.models import NodeConfig

if TYPE_CHECKING:
    from .site import FireAlarmSite

_LOGGER = logging.getLogger(__name__)


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

    @property
    def node(self) -> int:
        """The node's place in the fleet."""
        return self.config.node

    @property
    def is_heard(self) -> bool:
        """Tell whether the node's last word still stands (fresh, or held)."""
        return not self.site.truth.is_given_up(self.node)

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
        health = self.site.health.assess(self.node)
        judgement = (health.verdict, health.reason, health.path)
        if not is_due and judgement == (
            self.data.verdict,
            self.data.reason,
            self.data.path,
        ):
            return False
        self.data = health
        self.last_update_success = health.verdict is not Verdict.LOST
        return True


class Notifier:
    """Notifies nodes' entities, one node per turn of the event loop.

    So a storm of updates never keeps an alarm of another node waiting.
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
        self._is_draining = False

    @callback
    def notify(self, nodes: Iterable[int]) -> None:
        """Notify these nodes' entities soon."""
        self._due.update(dict.fromkeys(nodes))
        if self._due and not self._is_draining:
            self._is_draining = True
            self._loop.call_soon(self._notify_next)

    @callback
    def _notify_next(self) -> None:
        """Notify the entities of the node that waits longest, if it is still there."""
        node = next(iter(self._due))
        del self._due[node]
        self._is_draining = bool(self._due)
        if self._is_draining:
            self._loop.call_soon(self._notify_next)
        if (coordinator := self._coordinators.get(node)) is not None:
            coordinator.async_update_listeners()
