"""A site to act on, and a hand on its actions."""

from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    ServiceValidationError,
)
from homeassistant.helpers import (
    device_registry as dr,
)
import pytest
from pytest_homeassistant_custom_component.common import (
    MockUser,
)

from custom_components.esp32_fire_alarm.const import DOMAIN

from .running_site import (
    ALARM_LED,
    RunningSite,
    frame,
    node,
    set_up,
)

ACTIONS = {
    "acknowledge",
    "silence",
    "reset",
    "export_log",
    "disable_zone",
    "enable_zone",
    "start_walk_test",
    "stop_walk_test",
    "panel_command",
}


async def act(
    site: RunningSite,
    action: str,
    user: MockUser | None = None,
    *,
    answer: bool = False,
    **data: Any,
) -> dict[str, Any]:
    """Call an action as a user, or as an automation."""
    result = await site.hass.services.async_call(
        DOMAIN,
        action,
        data,
        blocking=True,
        return_response=answer,
        context=Context(user_id=user.id if user else None),
    )
    await site.settle()
    return dict(result or {})


async def refusal(
    site: RunningSite, action: str, **data: Any
) -> ServiceValidationError:
    """Return the error that an action is refused with."""
    with pytest.raises(ServiceValidationError) as failure:
        await act(site, action, **data)
    assert failure.value.translation_domain == DOMAIN
    return failure.value


def zone_id(site: RunningSite, zone: int) -> str:
    """Return a zone's entity."""
    return site.entity_id("binary_sensor", f"zone_{zone}")


def device_id(site: RunningSite, number: int | None = None) -> str:
    """Return the device of a node, or of the site."""
    engine = site.engine
    identifier = engine.identifier if number is None else engine.node_identifier(number)
    return dr.async_get_device_id_by_identifier(
        site.hass, identifier, config_entry_id=site.entry.entry_id
    )


async def burning(hass: HomeAssistant, *, is_on: bool = True) -> RunningSite:
    """Return a site of two nodes with zones 1 and 7 in alarm, and 8 in trouble."""
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    await site.feed(1, frame("010001", master=ALARM_LED))
    await site.feed(2, frame("020402", master=ALARM_LED))
    return site


def impaired(site: RunningSite) -> list[dict[str, Any]]:
    """Return what the site shows as taken out."""
    state = site.state("sensor", "impairments")
    listed: list[dict[str, Any]] = state.attributes["impairments"]
    assert state.state == str(len({one["zone"] for one in listed}))
    return listed


def unacknowledged(site: RunningSite) -> list[tuple[str, int]]:
    """Return what stands and nobody has seen."""
    return [
        (one.kind, one.zone)
        for one in site.engine.book.standing()
        if one.acknowledged_at is None
    ]
