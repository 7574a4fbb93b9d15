"""Automations on the triggers, and alarms to run them."""

from typing import Any

from homeassistant.core import HomeAssistant

from custom_components.esp32_fire_alarm.const import DOMAIN

from .automated import Runs, automate
from .running_site import (
    ALARM_LED,
    QUIET,
    RunningSite,
    frame,
)


async def on(hass: HomeAssistant, key: str, **config: Any) -> Runs:
    """Set up an automation on one of our triggers."""
    return await automate(hass, {"trigger": f"{DOMAIN}.{key}", **config})


def zone_id(site: RunningSite, zone: int) -> str:
    """Return a zone's entity."""
    return site.entity_id("binary_sensor", f"zone_{zone}")


async def alarm(site: RunningSite, module: int, mask: int) -> None:
    """Let a node of one module report alarms."""
    master = ALARM_LED if mask else QUIET
    await site.feed(module, frame(f"{module:02d}00{mask:02X}", master=master))
