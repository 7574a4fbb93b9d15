"""Fire alarm sites of ESP32 nodes in Home Assistant.

Annunciates what a certified panel decides; is no fire-detection system itself.
"""

from functools import partial

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .dynamic_entities import async_remove_all
from .issues import async_delete_others
from .link_store import LinkStore
from .moved import async_clear_away
from .neighbours import async_watch_neighbours
from .services import async_setup_services
from .sheet_services import async_register as async_register_sheet_services
from .site import FireAlarmConfigEntry, FireAlarmSite
from .store import BookStore
from .walk_test_report import async_report_walk_tests
from .wall_panel import async_serve_frontend, async_show_panel
from .websocket_api import async_open_feed, async_register_commands

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.SENSOR,
]

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what all sites share: the actions, and what the wall needs."""
    async_setup_services(hass)
    async_register_sheet_services(hass)
    async_register_commands(hass)
    await async_serve_frontend(hass)
    await async_show_panel(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: FireAlarmConfigEntry) -> bool:
    """Set up a site; an absent ESP32 never keeps it from starting."""
    links = LinkStore(hass, entry.entry_id)
    await links.async_load()
    site = entry.runtime_data = FireAlarmSite(hass, entry, links)
    await site.async_load()
    site.async_start()
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    async_clear_away(hass, entry)
    entry.async_on_unload(
        site.async_listen_arrangement(partial(async_clear_away, hass, entry))
    )
    entry.async_on_unload(async_watch_neighbours(hass, entry))
    async_report_walk_tests(hass, entry)
    site.async_follow_entry()
    site.async_start_telling()
    async_open_feed(site)
    await async_show_panel(hass)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: FireAlarmConfigEntry) -> bool:
    """Unload a site; its background task closes all links as it is cancelled."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    await entry.runtime_data.async_save()
    if entry.disabled_by:
        async_delete_others(hass, entry.entry_id)
    await async_show_panel(hass)
    return True


async def async_remove_entry(hass: HomeAssistant, entry: FireAlarmConfigEntry) -> None:
    """Forget a site that was removed, its alarm log included."""
    await BookStore(hass, entry.entry_id, entry.title).async_remove()
    await LinkStore(hass, entry.entry_id).async_remove()
    async_delete_others(hass, entry.entry_id)
    await async_show_panel(hass)
    await async_remove_all(hass, entry)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: FireAlarmConfigEntry, device: dr.AnyDeviceEntry
) -> bool:
    """Allow the removal of a device that the site no longer has."""
    site = entry.runtime_data
    current = {site.identifier, *(site.node_identifier(node) for node in site.configs)}
    current |= {site.module_identifier(module) for module in site.truth.modules}
    return not device.identifiers & current
