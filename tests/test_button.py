"""The panel's keys as buttons: who sees them, what they send, what they wait for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from typing import Any

from homeassistant.const import (
    ATTR_ENTITY_ID,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    EntityCategory,
)
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import (
    MockUser,
    async_capture_events,
)

from custom_components.esp32_fire_alarm.const import CONF_COMMANDS_ENABLED, DOMAIN
from custom_components.esp32_fire_alarm.events import EVENT_FIRE_ALARM
from custom_components.esp32_fire_alarm.fleet import commands
from custom_components.esp32_fire_alarm.topology import nodes_to_entry
from sim.fleet import SimulatedFleet
from sim.panel import Lamp

from .running_site import RunningSite, node, set_up, until

pytestmark = pytest.mark.usefixtures("loopback")

ENABLED = {CONF_COMMANDS_ENABLED: True}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait ten seconds for a lamp that will not change."""
    monkeypatch.setattr(commands, "CONFIRM_SECONDS", 1.0)


@asynccontextmanager
async def linked_site(
    hass: HomeAssistant, *, obeys: bool = True, latching: bool = True
) -> AsyncIterator[tuple[RunningSite, SimulatedFleet]]:
    """Run a site of two nodes on simulated ESP32s."""
    async with SimulatedFleet(
        count=2, port=0, cycle_seconds=0.1, obey_commands=obeys, latching=latching
    ) as fleet:
        nodes = [node(number, port=fleet.port) for number in (1, 2)]
        site = await set_up(hass, *nodes, options=ENABLED)
        await until(lambda: site.engine.summary.nodes_connected == 2, 5)
        await site.settle()
        yield site, fleet
        await site.remove()


async def press(site: RunningSite, key: str, user: MockUser | None = None) -> None:
    """Press a node's button."""
    await site.hass.services.async_call(
        "button",
        "press",
        {ATTR_ENTITY_ID: site.entity_id("button", key)},
        blocking=True,
        context=Context(user_id=user.id if user else None),
    )


def sent(fleet: SimulatedFleet) -> list[tuple[int, dict[str, Any]]]:
    """Return the nodes that were sent something, and what."""
    return [(one.node, json.loads(one.text)) for one in fleet.meter.received]


def buttons(site: RunningSite) -> list[er.RegistryEntry]:
    """Return the buttons that the registry knows."""
    registry = er.async_get(site.hass)
    return [
        entry
        for entry in er.async_entries_for_config_entry(registry, site.entry.entry_id)
        if entry.domain == "button"
    ]


async def test_there_are_no_buttons_until_somebody_allows_them(
    hass: HomeAssistant,
) -> None:
    site = await set_up(hass, node(1))
    assert buttons(site) == []


async def test_each_node_has_four_and_they_go_when_forbidden(
    hass: HomeAssistant,
) -> None:
    site = await set_up(hass, node(1), node(2), options=ENABLED)
    assert len(buttons(site)) == 8
    assert {entry.entity_category for entry in buttons(site)} == {EntityCategory.CONFIG}
    assert {entry.original_name for entry in buttons(site)} == {
        "Panel: acknowledge",
        "Panel: silence bells on/off",
        "Panel: reset fire alarm",
        "Panel: start or end a drill",
    }
    hass.config_entries.async_update_entry(site.entry, options={})
    assert await hass.config_entries.async_reload(site.entry.entry_id)
    await hass.async_block_till_done()
    assert buttons(site) == []


async def test_a_node_that_comes_later_has_them_too(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), options=ENABLED)
    nodes = nodes_to_entry([node(1), node(2)])
    hass.config_entries.async_update_entry(
        site.entry, data={**site.entry.data, "nodes": nodes}
    )
    await hass.async_block_till_done()
    assert len(buttons(site)) == 8


async def test_a_button_is_there_while_its_node_is_connected(
    hass: HomeAssistant,
) -> None:
    site = await set_up(hass, node(1), options=ENABLED)
    key = "node_1_command_reset"
    assert site.state("button", key).state == STATE_UNAVAILABLE
    await site.feed_all()
    assert site.state("button", key).state != STATE_UNAVAILABLE
    await site.lose(1)
    assert site.state("button", key).state == STATE_UNAVAILABLE


async def test_silence_and_drill_are_seen_on_the_lamps(
    hass: HomeAssistant, hass_admin_user: MockUser
) -> None:
    async with linked_site(hass) as (site, fleet):
        await press(site, "node_2_command_silence", hass_admin_user)
        assert site.is_on("node_2_led_silenced") == STATE_ON
        assert site.is_on("node_1_led_silenced") == STATE_OFF
        await press(site, "node_2_command_drill")
        assert site.is_on("node_2_led_drill") == STATE_ON
        (_, silence), (_, drill) = sent(fleet)
        assert (silence["command"], silence["user"]) == ("s", hass_admin_user.name)
        assert (drill["command"], drill["user"]) == ("d", "Home Assistant")
        assert {number for number, _ in sent(fleet)} == {2}


async def test_a_reset_is_seen_on_the_alarm_lamp(hass: HomeAssistant) -> None:
    async with linked_site(hass) as (site, fleet):
        fleet.alarm(3)
        fleet.clear(3)
        await until(lambda: site.is_on("node_1_led_alarm") == STATE_ON, 2)
        await press(site, "node_1_command_reset")
        assert site.is_on("node_1_led_alarm") == STATE_OFF


async def test_a_reset_that_changes_nothing_is_an_error(hass: HomeAssistant) -> None:
    async with linked_site(hass) as (site, fleet):
        fleet.alarm(3)
        await until(lambda: site.is_on("node_1_led_alarm") == STATE_ON, 2)
        with pytest.raises(HomeAssistantError) as failure:
            await press(site, "node_1_command_reset")
        assert failure.value.translation_key == "command_not_confirmed"
        assert "Node 1" in str(failure.value)
        assert len(sent(fleet)) == 1


async def test_a_panel_that_does_not_obey_is_an_error(hass: HomeAssistant) -> None:
    async with linked_site(hass, obeys=False) as (site, fleet):
        with pytest.raises(HomeAssistantError) as failure:
            await press(site, "node_1_command_drill")
        assert failure.value.translation_domain == DOMAIN
        assert failure.value.translation_key == "command_not_confirmed"
        assert len(sent(fleet)) == 1


async def test_a_second_press_within_a_second_is_refused(hass: HomeAssistant) -> None:
    async with linked_site(hass) as (site, fleet):
        await press(site, "node_1_command_acknowledge")
        with pytest.raises(HomeAssistantError) as failure:
            await press(site, "node_1_command_acknowledge")
        assert failure.value.translation_key == "command_repeated"
        await until(lambda: sent(fleet), 1)
        assert len(sent(fleet)) == 1


async def test_only_administrators_command_a_panel(hass: HomeAssistant) -> None:
    user = MockUser(name="Guard").add_to_hass(hass)
    user.mock_policy({"entities": True})
    async with linked_site(hass) as (site, fleet):
        with pytest.raises(Unauthorized):
            await press(site, "node_1_command_silence", user)
        assert sent(fleet) == []


async def test_the_event_tells_who_did_what_and_what_came_of_it(
    hass: HomeAssistant, hass_admin_user: MockUser
) -> None:
    events = async_capture_events(hass, EVENT_FIRE_ALARM)
    async with linked_site(hass) as (site, _):
        await press(site, "node_1_command_acknowledge", hass_admin_user)
        (event,) = [one for one in events if one.data["type"] == "panel_command"]
        assert event.data["node"] == 1
        assert event.data["command"] == "acknowledge"
        assert event.data["outcome"] == "sent"
        assert event.data["by"] == hass_admin_user.name


async def test_a_press_that_is_called_off_is_told_all_the_same(
    hass: HomeAssistant,
) -> None:
    events = async_capture_events(hass, EVENT_FIRE_ALARM)
    async with linked_site(hass, obeys=False) as (site, fleet):
        pressing = hass.async_create_task(press(site, "node_1_command_drill"))
        await until(lambda: sent(fleet), 1)
        pressing.cancel()
        await asyncio.wait([pressing])
        assert [one.data["outcome"] for one in events if "command" in one.data] == [
            "not_confirmed"
        ]
        assert Lamp.DRILL not in fleet.node(1).panel.lit()
