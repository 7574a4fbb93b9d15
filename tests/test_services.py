"""The actions: what they do, to which zones, for whom, and what they refuse."""

from collections.abc import Callable, Mapping
import csv
from datetime import timedelta
import io
import time
from typing import Any

from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import Context, Event, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
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
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockUser,
    async_capture_events,
)
import voluptuous as vol

from custom_components.esp32_fire_alarm.const import CONF_COMMANDS_ENABLED, DOMAIN
from custom_components.esp32_fire_alarm.events import EVENT_FIRE_ALARM
from custom_components.esp32_fire_alarm.fleet import commands
from custom_components.esp32_fire_alarm.fleet.telling import EventKind, SiteEvent
from custom_components.esp32_fire_alarm.logbook import async_describe_events
from sim.fleet import SimulatedFleet
from sim.panel import Lamp

from .running_site import (
    ALARM_LED,
    LeapingClock,
    RunningSite,
    frame,
    node,
    set_up,
    until,
)

pytestmark = pytest.mark.usefixtures("loopback")

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


def a_user(hass: HomeAssistant, *rights: str) -> MockUser:
    """Return a user who is no administrator and has these rights to all entities."""
    user = MockUser(name="Guard").add_to_hass(hass)
    user.mock_policy({"entities": {"all": dict.fromkeys(rights, True)}})
    return user


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


# What there is.


async def test_all_actions_are_there_before_any_site(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    assert set(hass.services.async_services_for_domain(DOMAIN)) >= ACTIONS
    for action in ACTIONS - {"export_log"}:
        data = {"entity_id": "light.kitchen"}
        data |= {"command": "drill"} if action == "panel_command" else {}
        data |= {"reason": "Works"} if action == "disable_zone" else {}
        with pytest.raises(ServiceValidationError) as failure:
            await hass.services.async_call(DOMAIN, action, data, blocking=True)
        assert failure.value.translation_key == "no_site"


@pytest.mark.parametrize("language", ["en", "id"])
async def test_every_action_is_described(hass: HomeAssistant, language: str) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    words = await async_get_translations(hass, language, "services", {DOMAIN})
    for action in ACTIONS:
        for key in ("name", "description"):
            assert words[f"component.{DOMAIN}.services.{action}.{key}"]


# Acknowledge, reset, silence.


async def test_acknowledge_some_zones_and_then_all(
    hass: HomeAssistant, hass_admin_user: MockUser
) -> None:
    site = await burning(hass)
    assert len(unacknowledged(site)) == 3
    events = async_capture_events(hass, EVENT_FIRE_ALARM)
    answer = await act(
        site, "acknowledge", hass_admin_user, answer=True, entity_id=zone_id(site, 7)
    )
    assert [one["zone"] for one in answer["acknowledged"]] == [7]
    assert answer["acknowledged"][0]["name"] == "Zone 7"
    assert len(unacknowledged(site)) == 2
    answer = await act(site, "acknowledge", hass_admin_user, answer=True)
    assert {one["zone"] for one in answer["acknowledged"]} == {1, 8}
    assert unacknowledged(site) == []
    assert [event.data["by"] for event in events] == [hass_admin_user.name] * 2
    assert site.zone(7).state == STATE_ON, "an acknowledged alarm stands"


async def test_an_automation_acknowledges_for_somebody(
    hass: HomeAssistant, hass_admin_user: MockUser, hass_read_only_user: MockUser
) -> None:
    site = await burning(hass)
    for zone, caller, user_id, by in (
        (1, None, hass_admin_user.id, hass_admin_user.name),
        (7, hass_admin_user, hass_read_only_user.id, hass_admin_user.name),
        (8, None, "somebody", "Home Assistant"),
    ):
        await act(
            site, "acknowledge", caller, entity_id=zone_id(site, zone), user_id=user_id
        )
        (one,) = (o for o in site.engine.book.standing() if o.zone == zone)
        assert one.acknowledged_by == by


async def test_what_the_panel_shows_is_not_reset(hass: HomeAssistant) -> None:
    site = await burning(hass)
    answer = await act(site, "reset", answer=True)
    assert [one["zone"] for one in answer["still_in_alarm"]] == [1, 7]
    assert site.zone(1).state == STATE_ON


async def test_an_alarm_of_a_lost_node_can_be_reset(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await burning(hass)
    await site.lose(1)
    clock.ahead_seconds += 60
    await site.tick()
    answer = await act(site, "reset", answer=True, entity_id=zone_id(site, 1))
    assert answer["still_in_alarm"] == []
    assert site.zone(1).state != STATE_ON
    assert site.zone(7).state == STATE_ON


async def test_silence_lasts_until_the_next_alarm(
    hass: HomeAssistant, hass_admin_user: MockUser
) -> None:
    site = await burning(hass)
    assert site.is_on("alarm_sounding") == STATE_ON
    events = async_capture_events(hass, EVENT_FIRE_ALARM)
    await act(site, "silence", hass_admin_user, duration={"minutes": 5})
    state = site.state("binary_sensor", "alarm_sounding")
    assert state.state == STATE_OFF
    assert state.attributes["silenced_by"] == hass_admin_user.name
    left = dt_util.parse_datetime(state.attributes["silenced_until"])
    assert left is not None
    assert 290 < (left - dt_util.utcnow()).total_seconds() < 301
    assert [event.data["type"] for event in events] == ["silenced"]
    assert site.is_on("fire_alarm") == STATE_ON
    await site.feed(2, frame("020402", master=ALARM_LED, clients=2))
    assert site.is_on("alarm_sounding") == STATE_OFF, "the same alarm"
    await site.feed(2, frame("020406", master=ALARM_LED))
    state = site.state("binary_sensor", "alarm_sounding")
    assert state.state == STATE_ON, "a new zone"
    assert state.attributes["silenced_by"] is None


async def test_a_silenced_alarm_sounds_again_after_a_time(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = await burning(hass)
    await act(site, "silence")
    began = time.time()
    for seconds, expected in ((1795, STATE_OFF), (1801, STATE_ON)):
        monkeypatch.setattr(site.engine.sounder, "_wall", lambda s=seconds: began + s)
        site.engine._on_tick()
        assert site.is_on("alarm_sounding") == expected


async def test_silence_ends_with_the_fire(hass: HomeAssistant) -> None:
    site = await burning(hass)
    await act(site, "silence")
    for number in (1, 2):
        await site.feed(number, frame(f"{number:02d}0000"))
    assert site.is_on("alarm_sounding") == STATE_OFF
    assert site.engine.sounder.silence is None
    assert (await refusal(site, "silence")).translation_key == "nothing_to_silence"


async def test_silence_for_too_long(hass: HomeAssistant) -> None:
    site = await burning(hass)
    for duration in ({"hours": 4, "seconds": 1}, {"seconds": 0}):
        error = await refusal(site, "silence", duration=duration)
        assert error.translation_key == "duration_out_of_range"
        assert "4:00:00" in str(error)
    await act(site, "silence", duration={"hours": 4})


# Disable and enable.


async def test_a_disabled_zone_is_visible_and_no_fire(
    hass: HomeAssistant, hass_admin_user: MockUser
) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    assert impaired(site) == []
    assert not site.has(2, "disabled")
    events = async_capture_events(hass, EVENT_FIRE_ALARM)
    await act(
        site,
        "disable_zone",
        hass_admin_user,
        entity_id=zone_id(site, 2),
        reason=" Hot work ",
        duration={"hours": 2},
    )
    (one,) = impaired(site)
    assert (one["zone"], one["kind"], one["by"], one["reason"]) == (
        2,
        "disabled",
        hass_admin_user.name,
        "Hot work",
    )
    assert site.has(2, "disabled")
    assert not site.has(1, "disabled")
    await site.feed(1, frame("010002", master=ALARM_LED))
    assert site.is_on("fire_alarm") == STATE_OFF
    assert [event.data["type"] for event in events][:2] == [
        "disabled",
        "disabled_zone_alarm",
    ]
    await act(site, "enable_zone", entity_id=zone_id(site, 2))
    assert impaired(site) == []
    assert not site.has(2, "disabled")
    assert site.is_on("fire_alarm") == STATE_ON, "it still is in alarm"


async def test_a_disablement_ends_by_itself(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = await set_up(hass, node(1))
    until_when = dt_util.now() + timedelta(hours=1)
    await act(
        site,
        "disable_zone",
        entity_id=zone_id(site, 2),
        reason="Works",
        until=until_when.replace(tzinfo=None).isoformat(),
    )
    (one,) = impaired(site)
    assert dt_util.parse_datetime(one["until"]) == until_when.replace(
        microsecond=until_when.microsecond // 1000 * 1000
    )
    monkeypatch.setattr(
        site.engine.book, "_wall", lambda: until_when.timestamp() + 0.001
    )
    site.engine._on_tick()
    assert impaired(site) == []


async def test_a_disablement_without_an_end_lasts(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    await act(site, "disable_zone", entity_id=zone_id(site, 2), reason="Broken")
    assert [one["until"] for one in impaired(site)] == [None]


async def test_ends_that_make_no_sense(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    disable = {"entity_id": zone_id(site, 2), "reason": "Works"}
    past = (dt_util.now() - timedelta(minutes=1)).isoformat()
    error = await refusal(site, "disable_zone", **disable, until=past)
    assert error.translation_key == "refused_until_not_in_future"
    error = await refusal(
        site, "disable_zone", **disable, until=past, duration={"hours": 1}
    )
    assert error.translation_key == "duration_or_until"
    assert impaired(site) == []


# Walk tests.


async def test_a_walk_test_reports_what_was_set_off(
    hass: HomeAssistant, hass_admin_user: MockUser
) -> None:
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    await act(site, "start_walk_test", hass_admin_user, device_id=device_id(site, 1))
    assert {one["zone"] for one in impaired(site)} == {1, 2, 3, 4, 5}
    assert site.has(3, "in_test")
    await site.feed(1, frame("010004", master=ALARM_LED))
    assert site.is_on("fire_alarm") == STATE_OFF
    await site.feed(2, frame("020001", master=ALARM_LED))
    assert site.is_on("fire_alarm") == STATE_ON, "the other zones work"
    await site.feed(1, frame("010000"))
    answer = await act(site, "stop_walk_test", hass_admin_user, answer=True)
    assert (answer["zones_tested"], answer["zones_set_off"]) == (5, 1)
    one = answer["report"][2]
    assert (one["zone"], one["name"], one["set_off"]) == (3, "Zone 3", True)
    assert one["tester"] == hass_admin_user.name
    assert 0 <= one["latency_ms"] < 1000
    assert dt_util.parse_datetime(one["set_off_at"]) is not None
    assert answer["report"][0]["set_off_at"] is None
    assert impaired(site) == []


async def test_what_cannot_be_tested(hass: HomeAssistant) -> None:
    site = await burning(hass)
    error = await refusal(site, "start_walk_test", entity_id=zone_id(site, 7))
    assert error.translation_key == "refused_zone_in_alarm"
    assert "Zone 7" in str(error)
    error = await refusal(
        site,
        "start_walk_test",
        entity_id=zone_id(site, 2),
        duration={"hours": 24, "seconds": 1},
    )
    assert error.translation_key == "duration_out_of_range"


# The log.


async def test_acts_are_put_into_words(hass: HomeAssistant) -> None:
    site = await burning(hass)
    described: list[Callable[[Event[Any]], dict[str, str]]] = []
    async_describe_events(hass, lambda *args: described.append(args[2]))
    events = async_capture_events(hass, EVENT_FIRE_ALARM)
    await act(site, "silence")
    site.engine.async_tell(
        SiteEvent(
            kind=EventKind.PANEL_COMMAND,
            at=time.time(),
            node=1,
            by="Ana",
            command="reset",
            outcome="not_confirmed",
        )
    )
    silence, command = (described[0](event) for event in events)
    assert silence["name"] == "Tower"
    assert silence["message"].startswith(
        "silenced in Home Assistant by Home Assistant until 20"
    )
    assert command == {
        "name": "Node 1",
        "message": "was given the panel command reset by Ana: not confirmed",
    }


async def test_the_log_as_csv(hass: HomeAssistant) -> None:
    site = await burning(hass)
    er.async_get(hass).async_update_entity(zone_id(site, 7), name="=Boiler room")
    answer = await act(site, "export_log", answer=True)
    rows = list(csv.DictReader(io.StringIO(answer["csv"])))
    assert answer["count"] == len(rows) == 3
    assert answer["site"] == "Tower"
    assert [(row["kind"], row["zone"], row["name"]) for row in rows] == [
        ("alarm", "1", "Zone 1"),
        ("alarm", "7", "'=Boiler room"),
        ("trouble", "8", "Zone 8"),
    ]


async def test_with_several_sites_the_log_needs_a_name(hass: HomeAssistant) -> None:
    first = await set_up(hass, node(1))
    second = await set_up(hass, node(2), title="Annex", site_id="annex")
    with pytest.raises(ServiceValidationError):
        await act(first, "export_log", answer=True)
    answer = await act(
        first, "export_log", answer=True, config_entry_id=second.entry.entry_id
    )
    assert (answer["site"], answer["count"]) == ("Annex", 0)


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
