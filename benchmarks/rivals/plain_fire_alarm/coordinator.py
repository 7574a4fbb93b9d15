"""The one coordinator of the plain design."""

import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

_LOGGER = logging.getLogger(__name__)


class PlainCoordinator(DataUpdateCoordinator[dict[int, bool]]):
    """Holds whether each zone is in alarm, and how many messages came."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Start without zones."""
        super().__init__(hass, _LOGGER, config_entry=entry, name="plain fire alarm")
        self.data = {}
        self.frames = 0
