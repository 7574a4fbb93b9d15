"""The actions: who may call them, for which zones and which panel."""

from collections.abc import Mapping
from typing import Any

from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    Unauthorized,
    UnknownUser,
)
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from homeassistant.helpers.target import TargetSelection
import pytest
from pytest_homeassistant_custom_component.common import (
    MockUser,
)
import voluptuous as vol

from custom_components.esp32_fire_alarm.const import CONF_COMMANDS_ENABLED
from custom_components.esp32_fire_alarm.fleet import commands
from sim.fleet import SimulatedFleet
from sim.panel import Lamp

from .acting import (
    ACTIONS,
    act,
    burning,
    device_id,
    impaired,
    refusal,
    unacknowledged,
    zone_id,
)
from .running_site import (
    ALARM_LED,
    frame,
    node,
    set_up,
    until,
)

pytestmark = pytest.mark.usefixtures("loopback")


def a_user(hass: HomeAssistant, *rights: str) -> MockUser:
    """Return a user who is no administrator and has these rights to all entities."""
    user = MockUser(name="Guard").add_to_hass(hass)
    user.mock_policy({"entities": {"all": dict.fromkeys(rights, True)}})
    return user


# Who may.


@pytest.mark.parametrize("action", sorted(ACTIONS))
async def test_who_may_do_what(hass: HomeAssistant, action: str) -> None:
    site = await burning(hass)
    data: dict[str, Any] = {"entity_id": zone_id(site, 2)}
    if action == "export_log":
        data = {}
    elif action == "panel_command":
        data = {"device_id": device_id(site, 1), "command": "drill"}
    elif action == "disable_zone":
        data["reason"] = "Works"
    allowed = {
        "export_log": [POLICY_READ, POLICY_CONTROL],
        "acknowledge": [POLICY_CONTROL],
        "silence": [POLICY_CONTROL],
    }.get(action, [])
    for right in (POLICY_READ, POLICY_CONTROL):
        user = a_user(hass, POLICY_READ, right)
        if right in allowed:
            await act(site, action, user, answer=action == "export_log", **data)
        else:
            with pytest.raises(Unauthorized):
                await act(site, action, user, answer=action == "export_log", **data)


async def test_a_user_who_is_gone_may_nothing(hass: HomeAssistant) -> None:
    site = await burning(hass)
    for action in ("acknowledge", "silence", "reset"):
        with pytest.raises(UnknownUser):
            await act(site, action, MockUser(name="Gone"))


async def test_a_right_to_some_zones_is_no_right_to_others(hass: HomeAssistant) -> None:
    site = await burning(hass)
    user = MockUser(name="Tenant").add_to_hass(hass)
    user.mock_policy({"entities": {"entity_ids": {zone_id(site, 7): True}}})
    with pytest.raises(Unauthorized):
        await act(site, "acknowledge", user, entity_id=zone_id(site, 1))
    with pytest.raises(Unauthorized):
        await act(site, "acknowledge", user)
    await act(site, "acknowledge", user, entity_id=zone_id(site, 7))
    assert unacknowledged(site) == [("alarm", 1), ("trouble", 8)]


# Targets.


async def test_targets_of_every_kind(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(2), bridge_of_two(3))
    await site.feed_all()
    devices, entities = dr.async_get(hass), er.async_get(hass)
    hall = ar.async_get(hass).async_create("Hall").id
    plant = ar.async_get(hass).async_create("Plant room").id
    devices.async_update_device(device_id(site, 1), area_id=hall)
    entities.async_update_entity(zone_id(site, 2), area_id=plant)
    wet = lr.async_get(hass).async_create("Wet").label_id
    entities.async_update_entity(zone_id(site, 7), labels={wet})
    module = devices.async_get_child_device_by_identifier(
        site.engine.module_identifier(4), site.entry.entry_id
    )
    assert module is not None
    for target, zones in (
        ({"entity_id": zone_id(site, 3)}, {3}),
        ({"area_id": hall}, {1, 3, 4, 5}),
        ({"area_id": plant}, {2}),
        ({"label_id": wet}, {7}),
        ({"device_id": device_id(site, 2)}, {6, 7, 8, 9, 10}),
        ({"device_id": module.id}, {16, 17, 18, 19, 20}),
        ({"device_id": device_id(site, 3)}, set(range(11, 21))),
        ({"entity_id": [zone_id(site, 3)], "area_id": [plant]}, {2, 3}),
    ):
        await act(site, "disable_zone", reason="Works", **target)
        assert {one["zone"] for one in impaired(site)} == zones, target
        await act(site, "enable_zone", **target)
        assert impaired(site) == []


def bridge_of_two(number: int) -> Any:
    """Return a node with two modules, which are its number and the next one."""
    return node(number, number, number + 1)


async def test_what_is_excluded_from_a_target(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(2), options={CONF_COMMANDS_ENABLED: True})
    await site.feed_all()
    first = device_id(site, 1)
    out = {"entity_id": [zone_id(site, 2)]}
    if not hasattr(TargetSelection, "exclude"):
        # Before Home Assistant 2026.11 nothing can be excluded: it is refused.
        with pytest.raises(vol.Invalid):
            await act(
                site, "disable_zone", reason="Works", device_id=first, exclude=out
            )
        assert impaired(site) == []
        return
    await act(site, "disable_zone", reason="Works", device_id=first, exclude=out)
    assert {one["zone"] for one in impaired(site)} == {1, 3, 4, 5}
    out = {"device_id": [device_id(site, 2)]}
    tower = device_id(site)
    with pytest.raises(HomeAssistantError) as failure:
        await act(site, "panel_command", device_id=tower, command="drill", exclude=out)
    assert failure.value.translation_key == "command_not_connected"
    assert "Node 2" not in str(failure.value)


async def test_hidden_and_disabled_entities_are_zones_too(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    hall = ar.async_get(hass).async_create("Hall").id
    dr.async_get(hass).async_update_device(device_id(site, 1), area_id=hall)
    entities = er.async_get(hass)
    entities.async_update_entity(zone_id(site, 2), hidden_by=er.RegistryEntryHider.USER)
    entities.async_remove(zone_id(site, 3))
    await act(site, "disable_zone", reason="Works", area_id=hall)
    assert {one["zone"] for one in impaired(site)} == {1, 2, 3, 4, 5}


async def test_who_chooses_the_site_means_all_of_it(hass: HomeAssistant) -> None:
    for target in ("entity", "device", "all"):
        site = await burning(hass)
        data: Mapping[str, Any] = {
            "entity": {"entity_id": site.entity_id("binary_sensor", "fire_alarm")},
            "device": {"device_id": device_id(site)},
            "all": {"entity_id": "all"},
        }[target]
        await act(site, "acknowledge", **data)
        assert unacknowledged(site) == []
        error = await refusal(site, "disable_zone", reason="Works", **data)
        assert error.translation_key == "target_whole_site"
        assert "Tower" in str(error)
        await hass.config_entries.async_remove(site.entry.entry_id)


async def test_what_has_no_zones_is_refused_by_name(hass: HomeAssistant) -> None:
    site = await burning(hass)
    empty = ar.async_get(hass).async_create("Empty").id
    for target, name in (
        ({"entity_id": [zone_id(site, 7), "light.kitchen"]}, "light.kitchen"),
        (
            {"entity_id": site.entity_id("binary_sensor", "node_1_connection")},
            "connection",
        ),
        ({"entity_id": site.entity_id("binary_sensor", "module_1_bell")}, "bell"),
        ({"device_id": "nowhere"}, "nowhere"),
        ({"area_id": empty}, "empty"),
        ({"floor_id": "upstairs"}, "upstairs"),
        ({"label_id": "none_such"}, "none_such"),
    ):
        error = await refusal(site, "acknowledge", **target)
        assert error.translation_key == "target_no_zones"
        assert name in str(error)
    nothing: list[str] | str
    for nothing in ([], "none"):
        error = await refusal(site, "acknowledge", entity_id=nothing)
        assert error.translation_key == "target_empty"
    assert len(unacknowledged(site)) == 3, "nothing was done"


async def test_an_action_reaches_the_right_site(hass: HomeAssistant) -> None:
    first = await burning(hass)
    second = await set_up(hass, node(3, 1), title="Annex", site_id="annex")
    await second.feed(3, frame("010001", master=ALARM_LED))
    await act(first, "acknowledge", entity_id=zone_id(second, 1))
    assert unacknowledged(second) == []
    assert len(unacknowledged(first)) == 3


# Commands to the panel.


async def test_commands_are_off_until_enabled(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    error = await refusal(
        site, "panel_command", device_id=device_id(site, 1), command="reset"
    )
    assert error.translation_key == "commands_disabled"
    assert "Allow commands to the panel" in str(error)


async def test_commands_that_make_no_sense(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(2), options={CONF_COMMANDS_ENABLED: True})
    tower, first = device_id(site), device_id(site, 1)
    for device, data, key in (
        (tower, {"command": "acknowledge"}, "one_node_only"),
        (tower, {"command": "drill"}, "state_needed"),
        (first, {"command": "reset", "state": "on"}, "state_not_possible"),
    ):
        error = await refusal(site, "panel_command", device_id=device, **data)
        assert error.translation_key == key
    error = await refusal(
        site, "panel_command", entity_id=zone_id(site, 1), command="drill"
    )
    assert error.translation_key == "target_not_a_node"
    with pytest.raises(HomeAssistantError) as failure:
        await act(site, "panel_command", device_id=first, command="drill")
    assert failure.value.translation_key == "command_not_connected"


async def test_a_command_to_one_panel_and_to_a_site(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "FOLLOW_SECONDS", 0.1)
    async with SimulatedFleet(
        count=3, port=0, cycle_seconds=0.1, obey_commands=True
    ) as fleet:
        nodes = [node(number, port=fleet.port) for number in (1, 2, 3)]
        site = await set_up(hass, *nodes, options={CONF_COMMANDS_ENABLED: True})
        await until(lambda: site.engine.summary.nodes_connected == 3, 5)
        answer = await act(
            site,
            "panel_command",
            answer=True,
            device_id=device_id(site, 2),
            command="silence",
        )
        assert [(one["node"], one["outcome"]) for one in answer["outcomes"]] == [
            (2, "confirmed")
        ]
        answer = await act(
            site,
            "panel_command",
            answer=True,
            device_id=device_id(site),
            command="silence",
            state="on",
        )
        assert [(one["name"], one["outcome"]) for one in answer["outcomes"]] == [
            ("Node 1", "confirmed"),
            ("Node 2", "not_needed"),
            ("Node 3", "confirmed"),
        ]
        assert all(Lamp.SILENCED in one.panel.lit() for one in fleet.nodes)
        await site.remove()
