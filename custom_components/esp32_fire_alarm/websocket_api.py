"""The commands with which the wall asks for a site, beside Home Assistant's own.

Whoever may read a site's zones may watch it; nobody else gets a word of it.
What people do to zones goes through the actions, which have rights of their own.
"""

from collections.abc import Callable
from typing import Any, Final

from homeassistant.auth.permissions import filter_entity_ids_by_permission
from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.components import websocket_api
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.const import ERR_NOT_FOUND
from homeassistant.components.websocket_api.decorators import websocket_command
from homeassistant.components.websocket_api.messages import (
    BASE_COMMAND_MESSAGE_SCHEMA,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import Unauthorized
from homeassistant.util.hass_dict import HassKey
import voluptuous as vol

from . import wire
from .const import DOMAIN
from .events import place_of_zone
from .feed import SiteFeed
from .panel_control import are_commands_allowed
from .site import FireAlarmSite
from .targets import site_of_entry
from .wall_panel import build_of

FEEDS: Final[HassKey[dict[str, SiteFeed]]] = HassKey(f"{DOMAIN}_feeds")
"""The feeds of the sites that run, by config entry."""

ERR_NOT_RUNNING: Final = "not_running"

type _Handler = Callable[
    [HomeAssistant, ActiveConnection, dict[str, Any], FireAlarmSite], None
]


@callback
def async_register_commands(hass: HomeAssistant) -> None:
    """Register all commands."""
    hass.data[FEEDS] = {}
    websocket_api.async_register_command(hass, _sites)
    for name, handler in (
        ("subscribe_site", _subscribe_site),
        ("subscribe_health", _subscribe_health),
        ("log", _log),
    ):
        _register(hass, name, handler)
    _register(hass, "zone", _zone, {vol.Required("zone"): int})


@callback
def async_open_feed(site: FireAlarmSite) -> None:
    """Let browsers watch a site for as long as it runs."""
    feeds = site.hass.data[FEEDS]
    feed = feeds[site.entry.entry_id] = SiteFeed(site)

    @callback
    def close() -> None:
        del feeds[site.entry.entry_id]
        feed.async_close()

    site.entry.async_on_unload(close)


def _register(
    hass: HomeAssistant,
    name: str,
    handler: _Handler,
    fields: dict[vol.Marker, Any] | None = None,
) -> None:
    """Register a command about one site, which `handler` gets if it may be read."""
    schema = BASE_COMMAND_MESSAGE_SCHEMA.extend(
        {
            vol.Required("type"): f"{DOMAIN}/{name}",
            vol.Required("entry_id"): str,
            **(fields or {}),
        }
    )

    @callback
    def find_site(
        hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
    ) -> None:
        """Answer, or say that the site does not run."""
        entry_id = msg["entry_id"]
        site = site_of_entry(hass, entry_id)
        if site is None or entry_id not in hass.data[FEEDS]:
            connection.send_error(msg["id"], ERR_NOT_RUNNING, "The site does not run")
        elif not _may(connection, site, POLICY_READ):
            raise Unauthorized(permission=POLICY_READ)
        else:
            handler(hass, connection, msg, site)

    websocket_api.async_register_command(hass, f"{DOMAIN}/{name}", find_site, schema)


def _may(connection: ActiveConnection, site: FireAlarmSite, right: str) -> bool:
    """Tell whether the user has this right to every zone of a site."""
    user = connection.user
    if user.is_admin or user.permissions.access_all_entities(right):
        return True
    places = (place_of_zone(site, zone) for zone in site.truth.zones)
    zones = [place.entity_id for place in places if place.entity_id is not None]
    return filter_entity_ids_by_permission(user, zones, right) == zones


@callback
@websocket_command({vol.Required("type"): f"{DOMAIN}/sites"})
def _sites(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Answer with the sites that there are for this user, running or not."""
    sites = []
    for entry in hass.config_entries.async_entries(
        DOMAIN, include_ignore=False, include_disabled=False
    ):
        site = site_of_entry(hass, entry.entry_id)
        if site is not None and not _may(connection, site, POLICY_READ):
            continue
        sites.append({"entry_id": entry.entry_id, "title": entry.title})
    connection.send_result(msg["id"], sites)


@callback
def _subscribe_site(
    hass: HomeAssistant,
    connection: ActiveConnection,
    msg: dict[str, Any],
    site: FireAlarmSite,
) -> None:
    """Answer with the whole site and what this user may do, then with what changes."""
    terms = {
        "build": build_of(hass),
        "control": _may(connection, site, POLICY_CONTROL),
        "commands": are_commands_allowed(site),
    }
    hass.data[FEEDS][site.entry.entry_id].async_watch(connection, msg["id"], terms)


@callback
def _subscribe_health(
    hass: HomeAssistant,
    connection: ActiveConnection,
    msg: dict[str, Any],
    site: FireAlarmSite,
) -> None:
    """Answer with the health of the nodes, again with every pulse."""
    hass.data[FEEDS][site.entry.entry_id].async_watch_health(connection, msg["id"])


@callback
def _log(
    hass: HomeAssistant,
    connection: ActiveConnection,
    msg: dict[str, Any],
    site: FireAlarmSite,
) -> None:
    """Answer with the log, newest first."""
    connection.send_result(msg["id"], wire.log_of(reversed(site.book.occurrences())))


@callback
def _zone(
    hass: HomeAssistant,
    connection: ActiveConnection,
    msg: dict[str, Any],
    site: FireAlarmSite,
) -> None:
    """Answer with the details of one zone."""
    if msg["zone"] not in site.truth.zones:
        connection.send_error(msg["id"], ERR_NOT_FOUND, "There is no such zone")
        return
    connection.send_result(msg["id"], wire.zone_details(site, msg["zone"]))
