"""What an attacker on the network, or a user without rights, gets out of a site."""

from http import HTTPStatus
import json
import logging
from typing import Any

from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.esp32_fire_alarm.events import EVENT_FIRE_ALARM
from tests.running_site import ALARM_LED, LeapingClock, RunningSite, frame, node, set_up

from .test_messages import ESCAPED_SLEEVE, SLEEVE

pytestmark = pytest.mark.usefixtures("loopback")

READABLE = {"export_log"}
"""The actions that change nothing."""

FIELDS: dict[str, dict[str, Any]] = {
    "import_zones": {"sheet": "zone,name\n1,Mine\n"},
    "disable_zone": {"reason": "Because"},
    "panel_command": {"command": "silence"},
}


def unacknowledged(site: RunningSite) -> list[int]:
    return [
        one.zone for one in site.engine.book.standing() if one.acknowledged_at is None
    ]


async def test_a_read_only_user_changes_nothing(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_read_only_access_token: str,
) -> None:
    """Every action there is, with a real token, the way an app would call it."""
    assert await async_setup_component(hass, "api", {})
    site = await set_up(hass, node(1), options={"commands_enabled": True})
    await site.feed(1, frame("010001", master=ALARM_LED))
    client = await hass_client(hass_read_only_access_token)
    targets = {
        "panel_command": {"device_id": next(iter(site.engine.device_ids.values()))}
    }
    zone = {"entity_id": site.entity_id("binary_sensor", "zone_1")}
    before = site.engine.book.memory()
    actions = set(hass.services.async_services_for_domain(DOMAIN))
    assert {"acknowledge", "silence", "reset", "import_zones"} <= actions
    for action in sorted(actions - READABLE):
        is_sheet = action in ("import_zones", "export_zones")
        target = {} if is_sheet else targets.get(action, zone)
        answers = hass.services.supports_response(DOMAIN, action).value != "none"
        response = await client.post(
            f"/api/services/{DOMAIN}/{action}{'?return_response' if answers else ''}",
            json={**target, **FIELDS.get(action, {})},
        )
        assert response.status == HTTPStatus.UNAUTHORIZED, action
    assert site.engine.book.memory() == before
    assert unacknowledged(site) == [1]
    button = site.entity_id("button", "node_1_command_silence")
    response = await client.post(
        "/api/services/button/press", json={"entity_id": button}
    )
    assert response.status != HTTPStatus.OK
    response = await client.post(
        f"/api/services/{DOMAIN}/export_log?return_response", json={}
    )
    assert response.status == HTTPStatus.OK


async def test_an_alarm_for_somebody_elses_zone_says_whose_word_it_is(
    hass: HomeAssistant,
) -> None:
    """It is believed, since a fire may be true; its all-clear is not."""
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    events = async_capture_events(hass, EVENT_FIRE_ALARM)
    await site.feed(2, frame("010001"))
    assert site.zone(1).state == STATE_ON
    (told,) = (event.data for event in events if event.data["type"] == "alarm")
    assert (told["zone"], told["node"], told["source"]) == (1, 1, 2)
    (one,) = site.engine.book.standing()
    assert one.source == 2
    # The owner's own alarm is another matter: nobody else can end it.
    await site.feed(2, frame("010000"))
    await site.feed(1, frame("010001"))
    await site.feed(2, frame("010000"))
    assert site.zone(1).state == STATE_ON
    await site.feed(1, frame("010000"))
    assert site.zone(1).state == STATE_OFF


async def test_nothing_a_node_says_is_shown_as_it_is(
    hass: HomeAssistant, every_entity: None, caplog: pytest.LogCaptureFixture
) -> None:
    site = await set_up(hass, node(1))
    await site.feed(
        1,
        b'{"data":"51CF <STX>010001|MODE:%s|FB:%s"}' % (ESCAPED_SLEEVE, ESCAPED_SLEEVE),
        b'{"messageType":"%s"}' % ESCAPED_SLEEVE,
        SLEEVE.encode(),
    )
    await site.publish_health()
    shown = json.dumps(
        [
            [state.as_dict() for state in hass.states.async_all()],
            [
                issue.translation_placeholders
                for issue in ir.async_get(hass).issues.values()
            ],
            await async_get_config_entry_diagnostics(hass, site.entry),
        ],
        default=str,
    )
    for piece in ("<img", "onerror=", "\\u001b", "\\u202e", "\\r"):
        assert piece not in shown
    for record in caplog.records:
        if record.name.startswith("custom_components"):
            assert record.getMessage().isprintable()


async def test_a_flapping_node_does_not_fill_the_log(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture, clock: LeapingClock
) -> None:
    caplog.set_level(logging.INFO)
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()

    def lines(number: int) -> list[str]:
        return [
            record.getMessage()
            for record in caplog.records
            if record.name.endswith("link_log")
            and record.getMessage().startswith(f"Node {number} ")
        ]

    async def flap() -> None:
        site.engine._on_down(1)
        await site.settle()
        await site.feed(1, frame("010000"))

    for _ in range(100):
        await flap()
    assert len(lines(1)) <= 7
    assert "comes and goes" in lines(1)[-1]
    site.engine._on_down(2)
    assert len(lines(2)) == 1
    # Left alone for a while, it is told of again.
    clock.ahead_seconds += 3600
    await flap()
    assert lines(1)[-1].endswith("is back")
