"""The actions: what they do, and what they refuse."""

from collections.abc import Callable
import csv
from datetime import timedelta
import io
import time
from typing import Any

from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import (
    ServiceValidationError,
)
from homeassistant.helpers import (
    entity_registry as er,
)
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockUser,
    async_capture_events,
)

from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.events import EVENT_FIRE_ALARM
from custom_components.esp32_fire_alarm.fleet.telling import EventKind, SiteEvent
from custom_components.esp32_fire_alarm.logbook import async_describe_events

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
    LeapingClock,
    frame,
    node,
    set_up,
)

pytestmark = pytest.mark.usefixtures("loopback")


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
