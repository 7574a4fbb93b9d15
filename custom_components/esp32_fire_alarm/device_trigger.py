"""The triggers of `trigger`, offered on the pages of devices.

The stock triggers that Home Assistant offers there for each zone miss an alarm
that was found on connecting. These do not.
"""

import asyncio
from typing import Any, Final

from homeassistant.components.device_automation import DEVICE_TRIGGER_BASE_SCHEMA
from homeassistant.const import (
    ATTR_DEVICE_ID,
    CONF_DEVICE_ID,
    CONF_DOMAIN,
    CONF_PLATFORM,
    CONF_TYPE,
)
from homeassistant.core import CALLBACK_TYPE, Context, HassJob, HomeAssistant, callback
from homeassistant.helpers.target import TargetSelection
from homeassistant.helpers.trigger import TriggerActionType, TriggerConfig, TriggerInfo
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .const import DOMAIN
from .targets import choose, loaded_sites
from .trigger import TRIGGERS

_OF_ZONES: Final = ("fire_alarm", "alarm_restored", "trouble", "trouble_restored")
_OF_NODES: Final = ("node_lost", "node_returned")
_OF_SITE: Final = ("confirmed_alarm", "acknowledged")

TRIGGER_SCHEMA: Final = DEVICE_TRIGGER_BASE_SCHEMA.extend(
    {vol.Required(CONF_TYPE): vol.In((*_OF_ZONES, *_OF_NODES, *_OF_SITE))}
)


async def async_get_triggers(
    hass: HomeAssistant, device_id: str
) -> list[dict[str, str]]:
    """Return what can be triggered on at a site, an ESP32 or a module of one."""
    selection = TargetSelection({ATTR_DEVICE_ID: [device_id]})
    types: tuple[str, ...] = ()
    for site in loaded_sites(hass):
        choice = choose(site, selection)
        if choice.is_whole:
            types = (*_OF_ZONES, *_OF_NODES, *_OF_SITE)
        elif choice.nodes:
            types = (*_OF_ZONES, *_OF_NODES)
        elif choice.zones:
            types = _OF_ZONES
    return [
        {
            CONF_PLATFORM: "device",
            CONF_DOMAIN: DOMAIN,
            CONF_DEVICE_ID: device_id,
            CONF_TYPE: one,
        }
        for one in types
    ]


async def async_attach_trigger(
    hass: HomeAssistant,
    config: ConfigType,
    action: TriggerActionType,
    trigger_info: TriggerInfo,
) -> CALLBACK_TYPE:
    """Run `action` on events that concern the device."""
    target = {ATTR_DEVICE_ID: [config[CONF_DEVICE_ID]]}
    key = config[CONF_TYPE]
    trigger = TRIGGERS[key](hass, TriggerConfig(f"{DOMAIN}.{key}", target))
    job = HassJob(action, f"{DOMAIN} device trigger {key}")

    @callback
    def run(
        extra_trigger_payload: dict[str, Any],
        description: str,
        context: Context | None = None,
    ) -> asyncio.Task[Any]:
        variables = {
            **trigger_info["trigger_data"],
            CONF_PLATFORM: "device",
            "description": description,
            **extra_trigger_payload,
        }
        return hass.async_create_task(_run(hass, job, variables, context))

    return await trigger.async_attach_runner(run)


async def _run(
    hass: HomeAssistant,
    job: HassJob[..., Any],
    variables: dict[str, Any],
    context: Context | None,
) -> None:
    """Run an action, whatever kind of function it is."""
    if (
        task := hass.async_run_hass_job(job, {"trigger": variables}, context)
    ) is not None:
        await task
