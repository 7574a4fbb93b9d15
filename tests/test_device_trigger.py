"""Triggers on the pages of devices: of the site, of an ESP32, of a module."""

from typing import Any

from homeassistant.components.device_automation import DeviceAutomationType
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import (
    async_get_device_automations,
)

from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.device_trigger import TRIGGER_SCHEMA

from .automated import automate
from .running_site import (
    ALARM_LED,
    LeapingClock,
    RunningSite,
    frame,
    node,
    set_up,
)

pytestmark = pytest.mark.usefixtures("loopback")

OF_ZONES = {"fire_alarm", "alarm_restored", "trouble", "trouble_restored"}
OF_NODES = {"node_lost", "node_returned"}
OF_SITE = {"confirmed_alarm", "acknowledged"}


def hub(site: RunningSite) -> str:
    """Return the site's device."""
    return dr.async_get_device_id_by_identifier(
        site.hass, site.engine.identifier, config_entry_id=site.entry.entry_id
    )


def of_device(device_id: str, kind: str) -> dict[str, Any]:
    """Return the configuration of a device trigger."""
    return {
        "trigger": "device",
        "domain": DOMAIN,
        "device_id": device_id,
        "type": kind,
        "id": f"{kind} {device_id}",
    }


async def offered(hass: HomeAssistant, device_id: str) -> set[str]:
    """Return the types of trigger offered for a device, each of them valid."""
    triggers = await async_get_device_automations(
        hass, DeviceAutomationType.TRIGGER, device_id
    )
    ours = [dict(one) for one in triggers if one["domain"] == DOMAIN]
    for one in ours:
        assert one.pop("metadata") == {}
        TRIGGER_SCHEMA(one)
    return {one["type"] for one in ours}


async def test_what_is_offered(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(2, 2, 3))
    module = dr.async_get(hass).async_get_child_device_by_identifier(
        site.engine.module_identifier(3), site.entry.entry_id
    )
    assert module is not None
    tower = hub(site)
    assert await offered(hass, tower) == OF_ZONES | OF_NODES | OF_SITE
    assert await offered(hass, site.engine.device_ids[1]) == OF_ZONES | OF_NODES
    assert await offered(hass, module.id) == OF_ZONES
    await site.remove()
    assert await offered(hass, tower) == set()


async def test_they_run_like_the_others(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    first, tower = site.engine.device_ids[1], hub(site)
    runs = await automate(
        hass,
        of_device(first, "fire_alarm"),
        of_device(first, "node_lost"),
        of_device(tower, "fire_alarm"),
        of_device(tower, "acknowledged"),
    )
    await site.feed(2, frame("020001", master=ALARM_LED))
    (run,) = await runs.take()
    assert (run["id"], run["platform"], run["zone"]) == (
        f"fire_alarm {tower}",
        "device",
        6,
    )
    await site.lose(1)
    clock.ahead_seconds += 60
    await site.feed(2, frame("020001", master=ALARM_LED, clients=2))
    await site.tick()
    assert [run["id"] for run in await runs.take()] == [f"node_lost {first}"]
    await site.feed(1, frame("010001", master=ALARM_LED))
    assert {run["id"] for run in await runs.take()} == {
        f"fire_alarm {first}",
        f"fire_alarm {tower}",
    }
    site.engine.book.acknowledge(None, "Ana")
    assert [run["id"] for run in await runs.take()] == [f"acknowledged {tower}"]
