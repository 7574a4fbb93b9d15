"""What a browser is told: a snapshot, then what changed, and a pulse."""

import time
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, entity_registry as er
import pytest

from custom_components.esp32_fire_alarm import feed
from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.fleet.models import Led
from custom_components.esp32_fire_alarm.wire import FRESH, HELD, LOST, ZoneBit
from tests.running_site import (
    ALARM_LED,
    LeapingClock,
    all_clear,
    bridge,
    distributed,
    frame,
    node,
    set_up,
)

from .browsing import ALARM, AVAILABLE, Open, pulse

pytestmark = pytest.mark.usefixtures("loopback")


async def test_a_snapshot_says_everything(hass: HomeAssistant, browse: Open) -> None:
    site = await set_up(hass, node(1), node(2, 2, 3))
    await site.feed_all()
    await site.feed(1, frame("010000", master=ALARM_LED))
    await site.feed(2, frame("020401", "03"))
    snapshot = await (await browse(site)).watch()
    layout = snapshot["layout"]
    assert layout["title"] == "Tower"
    assert layout["nodes"][0][:3] == [1, "Node 1", "127.0.0.2:1"]
    assert layout["areas"] == []
    assert [row[:3] for row in layout["modules"]] == [
        [1, 1, None],
        [2, 2, "Module 2"],
        [3, 2, "Module 3"],
    ]
    assert layout["modules"][1][3][0] == ["Zone 6", -1]
    zones = snapshot["zones"]
    assert zones["1"] == AVAILABLE
    assert zones["6"][0] == ALARM
    assert zones["6"][2] == 1
    assert zones["8"][0] == AVAILABLE | ZoneBit.TROUBLE
    assert zones["11"] == 0
    assert snapshot["modules"] == {"1": [1, 0, 1], "2": [1, 0, 2], "3": [0, 0, 0]}
    assert [snapshot["nodes"][one][0] for one in ("1", "2")] == [FRESH, FRESH]
    assert snapshot["site"]["fire"] is True
    assert snapshot["site"]["zones"] == 15
    assert snapshot["site"]["supervised"] == 10
    assert snapshot["lamps"]["known"] == 2
    assert snapshot["lamps"]["lit"][Led.ALARM] == 1


async def test_then_only_what_changed(hass: HomeAssistant, browse: Open) -> None:
    site = await set_up(hass, *distributed())
    await site.feed_all()
    browser = await browse(site)
    await browser.watch()
    await site.feed(4, frame("040002"))
    change = await browser.event()
    assert list(change["zones"]) == ["17"]
    assert change["zones"]["17"][0] == ALARM
    assert change["site"]["fire"] is True
    assert not change.keys() & {"layout", "modules", "now"}
    # What was known already is not told again.
    await site.feed(4, frame("040002"))
    await site.feed(5, all_clear([5]))
    assert await browser.hears_nothing()


async def test_315_alarms_are_few_messages(hass: HomeAssistant, browse: Open) -> None:
    site = await set_up(hass, bridge())
    await site.feed_all()
    browser = await browse(site)
    await browser.watch()
    await site.feed(1, frame(*(f"{module:02d}001F" for module in range(1, 64))))
    change = await browser.event()
    assert len(change["zones"]) == 315
    orders = [order for _, _, order in change["zones"].values()]
    assert sorted(orders) == list(range(1, 316))
    assert await browser.hears_nothing()


async def test_a_flood_waits_as_a_set(hass: HomeAssistant, browse: Open) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    browser = await browse(site)
    await browser.watch()
    for _ in range(200):
        await site.feed(1, frame("010100"), frame("010000"))
    changes = [await browser.event()]
    while not await browser.hears_nothing():
        changes.append({})
    assert len(changes) < 20


async def test_a_lost_link(
    hass: HomeAssistant, browse: Open, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1))
    await site.feed(1, frame("010001"))
    browser = await browse(site)
    await browser.watch()
    await site.lose(1)
    change = await browser.event()
    assert change["nodes"]["1"][0] == HELD
    assert change["zones"]["2"] == AVAILABLE | ZoneBit.HELD
    assert change["site"]["supervised"] == 0
    clock.ahead_seconds += 60
    await site.tick()
    change = await browser.event()
    assert change["nodes"]["1"][0] == LOST
    assert change["zones"]["2"] == 0
    assert change["zones"]["1"][0] & ZoneBit.ALARM


async def test_the_pulse(hass: HomeAssistant, browse: Open) -> None:
    """A browser hears something every two seconds, or knows that it is deaf."""
    site = await set_up(hass, node(1))
    browser = await browse(site)
    first = await browser.watch()
    await pulse(hass)
    event = await browser.event()
    assert event["now"] >= first["now"]
    assert event["age"] is None
    await site.feed_all()
    await browser.event()
    site.engine.health.record(1).last_frame_at = time.monotonic() - 1.5
    await pulse(hass)
    assert (await browser.event())["age"] >= 1500


async def test_acknowledge_and_silence_and_test(
    hass: HomeAssistant, browse: Open
) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    await site.feed(1, frame("010001"))
    browser = await browse(site)
    await browser.watch()

    async def act(action: str, **data: Any) -> Any:
        await hass.services.async_call(DOMAIN, action, data, blocking=True)
        return await browser.event()

    zone_1, zone_2 = site.zone(1).entity_id, site.zone(2).entity_id
    change = await act("acknowledge", entity_id=zone_1)
    assert change["zones"]["1"][0] == ALARM | ZoneBit.ACKNOWLEDGED
    assert "log" in change
    change = await act("silence")
    assert change["site"]["silenced"][1] == "Home Assistant"
    change = await act("start_walk_test", entity_id=zone_2)
    assert change["zones"]["2"] == AVAILABLE | ZoneBit.TEST
    change = await act("disable_zone", entity_id=zone_1, reason="painting")
    assert change["zones"]["1"][0] & ZoneBit.DISABLED
    assert change["site"]["fire"] is False
    change = await act("enable_zone", entity_id=zone_1)
    assert not change["zones"]["1"][0] & ZoneBit.DISABLED


async def test_new_names_and_areas(
    hass: HomeAssistant, browse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LAYOUT_SECONDS", 0.05)
    site = await set_up(hass, node(1))
    await site.feed_all()
    browser = await browse(site)
    await browser.watch()
    area = ar.async_get(hass).async_create("Kitchen")
    er.async_get(hass).async_update_entity(
        site.zone(3).entity_id, name="<b>Oven</b>", area_id=area.id
    )
    event = await browser.event()
    assert event["layout"]["areas"] == ["Kitchen"]
    assert event["layout"]["modules"][0][3][2] == ["<b>Oven</b>", 0]
    assert event["zones"]["3"] == AVAILABLE
    # What has nothing to do with the site is no reason to send it again.
    ar.async_get(hass).async_create("Cellar")
    assert await browser.hears_nothing()


async def test_a_module_that_turns_up(
    hass: HomeAssistant, browse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LAYOUT_SECONDS", 0.05)
    site = await set_up(hass, node(1))
    await site.feed_all()
    browser = await browse(site)
    await browser.watch()
    await site.feed(1, frame("010000", "090001"))
    seen: dict[str, Any] = {}
    while len(seen.get("layout", {}).get("modules", ())) < 2:
        seen |= await browser.event()
    assert seen["layout"]["modules"][1][0] == 9
    assert seen["zones"]["41"][0] == ALARM


async def test_health(hass: HomeAssistant, browse: Open) -> None:
    site = await set_up(hass, *distributed())
    await site.feed_all()
    browser = await browse(site)
    first = await browser.watch("subscribe_health")
    assert [row[0] for row in first["health"]] == list(range(1, 64))
    assert first["metrics"]["frames"] >= 0
    assert first["samples"] == []
    await pulse(hass)
    event = await browser.event()
    assert len(event["health"]) == 63
    assert len(event["samples"]) == 1
