"""One coordinator per ESP32: tells its entities when to look again."""

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
