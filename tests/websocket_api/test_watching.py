"""Browsers come and go: all hear the same, and nothing is done while nobody watches."""

import asyncio
from collections import Counter
import inspect
from typing import Any

from homeassistant.components.websocket_api.const import TYPE_RESULT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.esp32_fire_alarm import feed, wire
from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.wire import HELD
from tests.running_site import frame, node, set_up

from .browsing import ALARM, QUIET_SECONDS, Browser, Open, pulse

pytestmark = pytest.mark.usefixtures("loopback")


async def test_many_browsers_hear_the_same(hass: HomeAssistant, browse: Open) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    browsers = [await browse(site) for _ in range(5)]
    for browser in browsers:
        await browser.watch()
    await site.feed(1, frame("010010"))
    assert len({str(await browser.event()) for browser in browsers}) == 1


async def test_a_second_browser_takes_nothing_from_the_first(
    hass: HomeAssistant, browse: Open
) -> None:
    """What waited to be sent when it came is sent to the others all the same."""
    site = await set_up(hass, node(1))
    await site.feed_all()
    browser = await browse(site)
    await browser.watch()
    other = await browse(site)
    site.engine.aggregator.feed(1, frame("010100"))
    site.engine.aggregator.lose(1)
    assert (await other.watch())["nodes"]["1"][0] == HELD
    seen: dict[str, Any] = {}
    while not {"site", "nodes"} <= seen.keys():
        seen |= await browser.event()
    assert seen["site"]["supervised"] == 0
    assert seen["nodes"]["1"][0] == HELD


async def test_a_wall_that_fails_does_not_stand_still(
    hass: HomeAssistant,
    browse: Open,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    browser = await browse(site)
    await browser.watch()
    with monkeypatch.context() as broken:
        broken.setattr(wire, "zones_of", lambda *_: 1 / 0)
        await site.feed(1, frame("010001"))
        assert await browser.event() == {"gone": True}
    assert "The wall of Tower failed" in caplog.text
    assert (await browser.watch())["zones"]["1"][0] == ALARM


async def test_a_site_that_ends(hass: HomeAssistant, browse: Open) -> None:
    """Its browsers are told so, and find it again once it is back."""
    site = await set_up(hass, node(1))
    browser = await browse(site)
    await browser.watch()
    await site.remove()
    assert await browser.event() == {"gone": True}
    assert await browser.ask("subscribe_site") == "not_running"
    await browser._socket.send_json_auto_id({"type": f"{DOMAIN}/sites"})
    assert len((await browser.receive())["result"]) == 1
    assert await hass.config_entries.async_setup(site.entry.entry_id)
    assert "layout" in await browser.watch()


async def test_no_work_while_nobody_watches(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is listened to, computed or sent before the first and after the last."""
    calls: Counter[str] = Counter()
    for name, function in inspect.getmembers(wire, inspect.isfunction):
        if function.__module__ == wire.__name__:

            def count(*args: Any, name: str = name, function: Any = function) -> Any:
                calls[name] += 1
                return function(*args)

            monkeypatch.setattr(wire, name, count)
    site = await set_up(hass, node(1))
    socket = await hass_ws_client(hass)
    browser = Browser(socket, site.entry.entry_id)

    def listeners() -> list[int]:
        followed = hass.bus.async_listeners()
        registries = [followed.get(kind, 0) for kind in feed.REGISTRY_EVENTS]
        engine = site.engine
        lists = (engine._listeners, engine._arrangement_listeners)
        return [*registries, *(len(one) for one in lists)]

    async def work() -> int:
        calls.clear()
        await site.feed(1, frame("010001"))
        await site.feed(1, frame("010000"))
        ar.async_get(hass).async_create(f"Area {len(ar.async_get(hass).areas)}")
        await pulse(hass)
        await asyncio.sleep(QUIET_SECONDS)
        return calls.total()

    before = listeners()
    assert await work() == 0
    await browser.watch()
    assert await work() > 0
    await socket.send_json_auto_id({"type": "unsubscribe_events", "subscription": 1})
    while (await browser.receive())["type"] != TYPE_RESULT:
        pass
    assert listeners() == before
    assert await work() == 0
