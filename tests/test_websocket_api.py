"""What browsers are told: a snapshot, then what changed, only those who may know."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
import inspect
import time
from typing import Any

from homeassistant.components.websocket_api.const import TYPE_RESULT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockUser,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import (
    MockHAClientWebSocket,
    WebSocketGenerator,
)

from custom_components.esp32_fire_alarm import feed, wire
from custom_components.esp32_fire_alarm.const import CONF_COMMANDS_ENABLED, DOMAIN
from custom_components.esp32_fire_alarm.fleet.models import Led
from custom_components.esp32_fire_alarm.wire import FRESH, HELD, LOST, LogBit, ZoneBit

from .running_site import (
    ALARM_LED,
    LeapingClock,
    RunningSite,
    all_clear,
    bridge,
    distributed,
    frame,
    node,
    set_up,
)

pytestmark = pytest.mark.usefixtures("loopback")

AVAILABLE = int(ZoneBit.AVAILABLE)
ALARM = int(ZoneBit.ALARM | ZoneBit.LIVE | ZoneBit.AVAILABLE)
ANSWER_SECONDS = 2.0
QUIET_SECONDS = 0.4
"""Longer than changes are gathered."""


class Browser:
    """One connection to Home Assistant's WebSocket API."""

    def __init__(self, socket: MockHAClientWebSocket, entry_id: str) -> None:
        self._socket = socket
        self._entry_id = entry_id

    async def ask(self, command: str, **fields: Any) -> Any:
        """Send a command and return its answer, error or result."""
        await self.send(command, **fields)
        answer = await self.receive()
        assert answer["type"] == TYPE_RESULT
        return answer["result"] if answer["success"] else answer["error"]["code"]

    async def send(self, command: str, **fields: Any) -> None:
        """Send a command about the site."""
        about = {"entry_id": self._entry_id, **fields}
        await self._socket.send_json_auto_id({"type": f"{DOMAIN}/{command}", **about})

    async def watch(self, command: str = "subscribe_site") -> Any:
        """Subscribe and return the first event."""
        assert await self.ask(command) is None
        return await self.event()

    async def receive(self) -> Any:
        """Return the next message."""
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self._socket.receive_json()

    async def event(self) -> Any:
        """Return what the next event says."""
        message = await self.receive()
        assert message["type"] == "event"
        return message["event"]

    async def hears_nothing(self) -> bool:
        """Tell whether nothing comes for a while."""
        try:
            async with asyncio.timeout(QUIET_SECONDS):
                await self._socket.receive_json()
        except TimeoutError:
            return True
        return False


type Open = Callable[[RunningSite], Awaitable[Browser]]


@pytest.fixture
def browse(hass_ws_client: WebSocketGenerator, hass: HomeAssistant) -> Open:
    """Open a browser of an administrator."""

    async def open_browser(site: RunningSite) -> Browser:
        return Browser(await hass_ws_client(hass), site.entry.entry_id)

    return open_browser


async def pulse(hass: HomeAssistant) -> None:
    """Let the time of the next pulse come."""
    soon = dt_util.utcnow() + timedelta(seconds=feed.PULSE_SECONDS)
    async_fire_time_changed(hass, soon)
    await hass.async_block_till_done()


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


async def test_many_browsers_hear_the_same(hass: HomeAssistant, browse: Open) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    browsers = [await browse(site) for _ in range(5)]
    for browser in browsers:
        await browser.watch()
    await site.feed(1, frame("010010"))
    assert len({str(await browser.event()) for browser in browsers}) == 1


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


async def test_the_log_and_a_zone(hass: HomeAssistant, browse: Open) -> None:
    site = await set_up(hass, node(1))
    await site.feed(1, frame("010001"))
    await site.feed(1, frame("010002"))
    browser = await browse(site)
    zone_3 = site.zone(3).entity_id
    await hass.services.async_call(
        DOMAIN, "disable_zone", {"entity_id": zone_3, "reason": "dust"}, blocking=True
    )
    await site.feed(1, frame("010006"))
    log = await browser.ask("log")
    assert [row[2] for row in log] == [3, 2, 1]
    assert log[0][6] == LogBit.DISABLED
    assert log[2][8] is not None
    details = await browser.ask("zone", zone=3)
    assert details["entity"] == zone_3
    assert [one["why"] for one in details["impairments"]] == ["dust"]
    assert [row[0] for row in details["log"]] == [log[0][0]]
    assert await browser.ask("zone", zone=99) == "not_found"


async def test_the_sites(hass: HomeAssistant, browse: Open) -> None:
    site = await set_up(hass, node(1))
    browser = await browse(site)
    await browser._socket.send_json_auto_id({"type": f"{DOMAIN}/sites"})
    (found,) = (await browser.receive())["result"]
    assert found == {"entry_id": site.entry.entry_id, "title": "Tower"}


async def test_what_this_user_may_do(hass: HomeAssistant, browse: Open) -> None:
    site = await set_up(hass, node(1))
    snapshot = await (await browse(site)).watch()
    assert (snapshot["control"], snapshot["commands"]) == (True, False)
    hass.config_entries.async_update_entry(
        site.entry, options={CONF_COMMANDS_ENABLED: True}
    )
    snapshot = await (await browse(site)).watch()
    assert snapshot["commands"] is True


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


async def test_who_may_not_read(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
) -> None:
    """A user without a right to every zone is told nothing of any of them."""
    site = await set_up(hass, node(1))
    socket = await hass_ws_client(hass, hass_read_only_access_token)
    browser = Browser(socket, site.entry.entry_id)
    allowed = {site.zone(zone).entity_id: {"read": True} for zone in (1, 2, 3, 4)}
    hass_read_only_user.mock_policy({"entities": {"entity_ids": allowed}})
    for command in ("subscribe_site", "subscribe_health", "log"):
        assert await browser.ask(command) == "unauthorized"
    assert await browser.ask("zone", zone=1) == "unauthorized"
    await socket.send_json_auto_id({"type": f"{DOMAIN}/sites"})
    assert (await browser.receive())["result"] == []
    allowed[site.zone(5).entity_id] = {"read": True}
    hass_read_only_user.mock_policy({"entities": {"entity_ids": allowed}})
    assert (await browser.watch())["control"] is False
