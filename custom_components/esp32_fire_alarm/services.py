"""The actions: what people and automations can do about alarms, zones and panels.

Acknowledge, reset, silence and disable are about Home Assistant's own book of
alarms; the panel keeps its state. Only `panel_command` reaches a panel.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
import time
from typing import Any, Final

from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.const import ATTR_CONFIG_ENTRY_ID, Platform
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.service import (
    async_get_config_entry,
    async_register_admin_service,
)
from homeassistant.util.json import JsonValueType
import voluptuous as vol

from .const import DOMAIN
from .events import place_of_zone
from .fleet.commands import Command
from .fleet.export import export_csv
from .fleet.sounder import MAX_SILENCE_SECONDS, SILENCE_SECONDS
from .fleet.telling import EventKind, SiteEvent
from .impairment_actions import (
    ATTR_DURATION,
    ATTR_REASON,
    ATTR_UNTIL,
    async_disable_zone,
    async_enable_zone,
    async_start_walk_test,
    async_stop_walk_test,
    seconds_of,
)
from .panel_control import async_command, name_of_node
from .people import async_name_of, async_require_right
from .service_targets import describe_zone, nodes_of, zones_or_all
from .site import FireAlarmConfigEntry, FireAlarmSite

ATTR_COMMAND: Final = "command"
ATTR_STATE: Final = "state"
ATTR_USER_ID: Final = "user_id"

MAX_REASON: Final = 255
"""Longest reason for a disablement, in characters."""

_TARGET: Final = cv.ENTITY_SERVICE_FIELDS
_DURATION: Final = {vol.Optional(ATTR_DURATION): cv.positive_time_period}

type _Handler = Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse | None]]


@dataclass(frozen=True, kw_only=True)
class _Action:
    """One action: who may call it, with what, and whether it answers."""

    handler: _Handler
    fields: Mapping[Any, Any] = field(default_factory=dict)
    admin_only: bool = True
    answers: SupportsResponse = SupportsResponse.NONE


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register all actions."""
    for name, action in _ACTIONS.items():
        schema = vol.Schema(dict(action.fields))
        if action.admin_only:
            async_register_admin_service(
                hass, DOMAIN, name, action.handler, schema, action.answers
            )
        else:
            hass.services.async_register(
                DOMAIN, name, action.handler, schema, action.answers
            )


async def _acknowledge(call: ServiceCall) -> ServiceResponse:
    """Note that somebody saw the alarms and troubles of some zones."""
    choices = zones_or_all(call)
    await async_require_right(
        call.hass,
        call.context,
        filter(
            None,
            (
                place_of_zone(site, zone).entity_id
                for site, choice in choices
                for zone in choice.zones
            ),
        ),
        POLICY_CONTROL,
    )
    by = await async_name_of(call.hass, call.context, call.data.get(ATTR_USER_ID))
    seen = [
        (site, one.zone)
        for site, choice in choices
        for one in site.book.acknowledge(choice.zones, by)
    ]
    # A zone may have been in alarm and in trouble.
    return {"acknowledged": [describe_zone(*one) for one in dict.fromkeys(seen)]}


async def _reset(call: ServiceCall) -> ServiceResponse:
    """Drop the alarms that Home Assistant alone still shows."""
    by = await async_name_of(call.hass, call.context)
    return {
        "still_in_alarm": [
            describe_zone(site, zone)
            for site, choice in zones_or_all(call)
            for zone in site.book.reset(choice.zones, by)
        ]
    }


async def _silence(call: ServiceCall) -> None:
    """Make no more noise about the fires at some sites."""
    seconds = seconds_of(call, SILENCE_SECONDS, MAX_SILENCE_SECONDS)
    sites = [site for site, _ in zones_or_all(call) if site.summary.fire]
    if not sites:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="nothing_to_silence"
        )
    for site in sites:
        await _require_for_site(call, site, POLICY_CONTROL)
    by = await async_name_of(call.hass, call.context)
    for site in sites:
        silence = site.sounder.hush(by, seconds)
        site.async_tell(
            SiteEvent(
                kind=EventKind.SILENCED, at=time.time(), by=by, until=silence.until
            )
        )


async def _export_log(call: ServiceCall) -> ServiceResponse:
    """Return a site's log of alarms and troubles as CSV."""
    entry: FireAlarmConfigEntry = async_get_config_entry(
        call.hass, DOMAIN, call.data.get(ATTR_CONFIG_ENTRY_ID)
    )
    site = entry.runtime_data
    await _require_for_site(call, site, POLICY_READ)
    occurrences = site.book.occurrences()
    names = {
        zone: place_of_zone(site, zone).name or ""
        for zone in {one.zone for one in occurrences}
    }
    return {
        "site": entry.title,
        "count": len(occurrences),
        "csv": export_csv(occurrences, names),
    }


async def _panel_command(call: ServiceCall) -> ServiceResponse:
    """Give a command to panels and say what came of it."""
    outcomes: list[JsonValueType] = []
    for site, choice in nodes_of(call):
        given = await async_command(
            site,
            call.data[ATTR_COMMAND],
            sorted(choice.nodes),
            call.context,
            lit=call.data.get(ATTR_STATE),
        )
        outcomes += [
            {
                "site": site.entry.title,
                "node": node,
                "name": name_of_node(site, node),
                "outcome": outcome,
            }
            for node, outcome in given.items()
        ]
    return {"outcomes": outcomes}


async def _require_for_site(call: ServiceCall, site: FireAlarmSite, right: str) -> None:
    """Raise `Unauthorized` for a person without this right to the site's fire alarm."""
    entity_id = er.async_get(call.hass).async_get_entity_id(
        Platform.BINARY_SENSOR, DOMAIN, f"{site.site_id}_fire_alarm"
    )
    await async_require_right(
        call.hass, call.context, [entity_id] if entity_id else [], right
    )


_ACTIONS: Final = {
    "acknowledge": _Action(
        handler=_acknowledge,
        fields={**_TARGET, vol.Optional(ATTR_USER_ID): vol.Any(None, cv.string)},
        admin_only=False,
        answers=SupportsResponse.OPTIONAL,
    ),
    "silence": _Action(
        handler=_silence, fields={**_TARGET, **_DURATION}, admin_only=False
    ),
    "export_log": _Action(
        handler=_export_log,
        fields={vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string},
        admin_only=False,
        answers=SupportsResponse.ONLY,
    ),
    "reset": _Action(handler=_reset, fields=_TARGET, answers=SupportsResponse.OPTIONAL),
    "disable_zone": _Action(
        handler=async_disable_zone,
        fields={
            **_TARGET,
            **_DURATION,
            vol.Required(ATTR_REASON): vol.All(
                cv.string, vol.Strip, vol.Length(min=1, max=MAX_REASON)
            ),
            vol.Optional(ATTR_UNTIL): cv.datetime,
        },
    ),
    "enable_zone": _Action(handler=async_enable_zone, fields=_TARGET),
    "start_walk_test": _Action(
        handler=async_start_walk_test, fields={**_TARGET, **_DURATION}
    ),
    "stop_walk_test": _Action(
        handler=async_stop_walk_test, fields=_TARGET, answers=SupportsResponse.OPTIONAL
    ),
    "panel_command": _Action(
        handler=_panel_command,
        fields={
            **_TARGET,
            vol.Required(ATTR_COMMAND): vol.Coerce(Command),
            vol.Optional(ATTR_STATE): cv.boolean,
        },
        answers=SupportsResponse.OPTIONAL,
    ),
}
