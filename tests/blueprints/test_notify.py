"""Phones are told of alarms and of lost nodes, until somebody acknowledges."""

from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import area_registry as ar, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from tests.running_site import ALARM_LED, LeapingClock, bridge, frame, node, set_up

from .using import Phones, burn, feed, lose, use, wait

pytestmark = pytest.mark.usefixtures("loopback", "installed")


# Notify on alarm.


async def test_an_alarm_is_told_and_acknowledged_with_the_button(
    hass: HomeAssistant, hass_admin_user: MockUser
) -> None:
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    phones = Phones(hass, "anna", "budi", "chief")
    await use(
        hass,
        "notify_on_alarm",
        contacts=["notify.anna", "notify.budi"],
        escalation_contacts=["notify.chief"],
    )
    await burn(site, 1)
    told = await phones.take_all()
    text = "Zone 1, Node 1 (Tower), alarm no. 1"
    assert {(name, message) for name, message, _ in told} == {
        ("anna", text),
        ("budi", text),
    }
    data = told[0][2]
    assert data["title"] == "FIRE ALARM"
    assert data["data"]["push"]["sound"]["critical"] == 1
    (button,) = data["data"]["actions"]
    assert button["title"] == "Acknowledge"
    hass.bus.async_fire(
        "mobile_app_notification_action",
        {"action": "SOMETHING_ELSE"},
        context=Context(user_id=hass_admin_user.id),
    )
    assert await phones.take() == []
    hass.bus.async_fire(
        "mobile_app_notification_action",
        {"action": button["action"]},
        context=Context(user_id=hass_admin_user.id),
    )
    name = hass_admin_user.name
    assert sorted(await phones.take()) == [
        (who, f"Acknowledged by {name} (Tower).") for who in ("anna", "budi", "chief")
    ]
    (alarm,) = site.engine.book.standing()
    assert alarm.acknowledged_by == name
    await wait(hass, minutes=4)
    assert await phones.take() == [], "no escalation any more"


async def test_nobody_acknowledges(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    phones = Phones(hass, "anna", "chief")
    await use(
        hass,
        "notify_on_alarm",
        contacts=["notify.anna"],
        escalation_contacts=["notify.chief"],
        escalation_time={"minutes": 2},
    )
    await burn(site, 1)
    assert len(await phones.take()) == 1
    await burn(site, 2)
    assert await phones.take() == [("anna", "Zone 6, Node 2 (Tower), alarm no. 2")]
    reminder = "Nobody has acknowledged the fire alarm at Tower yet."
    for _ in range(3):
        await wait(hass, minutes=2, seconds=1)
        assert sorted(await phones.take()) == [("anna", reminder), ("chief", reminder)]
    site.engine.book.acknowledge([1], "Ana")
    await phones.take()
    await wait(hass, minutes=2, seconds=1)
    assert len(await phones.take()) == 2, "the second alarm still waits"
    site.engine.book.acknowledge(None, "Ana")
    await phones.take()
    await wait(hass, minutes=2, seconds=1)
    assert await phones.take() == []
    await burn(site, 2, 3)
    assert len(await phones.take()) == 1
    await wait(hass, minutes=2, seconds=1)
    assert len(await phones.take()) == 2, "a new one escalates anew"


async def test_a_contact_that_fails_keeps_nobody_from_being_told(
    hass: HomeAssistant,
) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    phones = Phones(hass, "broken", "anna")
    phones.broken = {"broken"}
    await use(
        hass,
        "notify_on_alarm",
        contacts=["notify.gone", "notify.broken", "notify.anna"],
    )
    await burn(site, 1)
    assert [name for name, _ in await phones.take()] == ["anna"]


async def test_a_storm_of_alarms_does_not_flood_a_phone(hass: HomeAssistant) -> None:
    site = await set_up(hass, bridge())
    await site.feed_all()
    phones = Phones(hass, "anna")
    await use(hass, "notify_on_alarm", contacts=["notify.anna"])
    segments = [f"{module:02d}001F" for module in range(1, 64)]
    await feed(site, 1, frame(*segments, master=ALARM_LED))
    numbers = [text.rpartition(" ")[2] for _, text in await phones.take()]
    assert numbers == ["1", "2", "3", "4", "5", "315"]


async def test_only_the_chosen_zones_are_told(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    hall = ar.async_get(hass).async_create("Hall").id
    zone = site.entity_id("binary_sensor", "zone_2")
    er.async_get(hass).async_update_entity(zone, area_id=hall)
    phones = Phones(hass, "anna")
    await use(
        hass, "notify_on_alarm", contacts=["notify.anna"], zones={"area_id": hall}
    )
    await burn(site, 1, 3)
    assert await phones.take() == [("anna", "Zone 2, Hall (Tower), alarm no. 2")]


# Notify on node loss.


async def test_nodes_are_lost_together_and_come_back(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1), node(2), node(3))
    await site.feed_all()
    phones = Phones(hass, "anna")
    await use(hass, "notify_on_node_loss", contacts=["notify.gone", "notify.anna"])
    await lose(site, clock, 1, 2)
    assert await phones.take() == []
    await wait(hass, seconds=21)
    assert await phones.take() == [
        (
            "anna",
            "Tower: nodes 1, 2 lost. Lost at the moment: 1, 2. Their zones are not watched.",
        )
    ]
    await feed(site, 1, frame("010000"))
    await wait(hass, seconds=21)
    assert await phones.take() == [
        (
            "anna",
            "Tower: Node 1 back. Lost at the moment: 2. Their zones are not watched.",
        )
    ]
    for _ in range(2):
        await wait(hass, hours=4, seconds=1)
        assert await phones.take() == [
            (
                "anna",
                "Reminder: an ESP32 of Tower is lost. Its zones are not watched.",
            )
        ]
    await feed(site, 2, frame("020000"))
    await wait(hass, seconds=21)
    assert await phones.take() == [
        ("anna", "Tower: Node 2 back. All ESP32s are connected.")
    ]
    await wait(hass, hours=5)
    assert await phones.take() == []
