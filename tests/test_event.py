"""Every alarm once: on the event entity, on the bus, whatever became of the links."""

import asyncio
from collections import Counter
import json
from typing import Any

from homeassistant.components.recorder.db_schema import EventData
from homeassistant.components.recorder.history import get_significant_states
from homeassistant.const import (
    EVENT_STATE_CHANGED,
    STATE_OFF,
    STATE_ON,
    STATE_UNKNOWN,
)
from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.recorder import get_instance, session_scope
from homeassistant.util import dt as dt_util
import pytest

from custom_components.esp32_fire_alarm.fleet.models import NodeConfig, SiteSummary
from custom_components.esp32_fire_alarm.fleet.telling import EventKind
from custom_components.esp32_fire_alarm.paced_bus import PORTION

from .running_site import (
    ALARM_LED,
    LeapingClock,
    bridge,
    distributed,
    frame,
    node,
    set_up,
)
from .told import HOLD_SECONDS, Told

pytestmark = pytest.mark.usefixtures("loopback")


async def test_the_entity_is_there_before_any_node(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    state = site.state("event", "site_events")
    assert state.state == STATE_UNKNOWN
    assert state.attributes["event_types"] == [kind.value for kind in EventKind]
    assert state.attributes["friendly_name"] == "Tower Events"
    entry = er.async_get(hass).async_get(state.entity_id)
    assert entry is not None
    assert entry.unique_id == f"{site.entry.unique_id}_site_events"
    hub = dr.async_get(hass).async_get_device_by_identifier(
        site.engine.identifier, site.entry.entry_id
    )
    assert hub is not None
    assert entry.device_id == hub.id


async def test_an_alarm_is_told_in_the_turn_of_its_state(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    told = Told(site)
    site.engine.aggregator.feed(1, frame("010002", master=ALARM_LED))
    # Nothing was awaited: all of this happened in the same turn.
    assert site.zone(2).state == STATE_ON
    assert site.is_on("fire_alarm") == STATE_ON
    assert told.zones() == [2]
    await site.settle()
    (payload,) = [one for one in told.take() if one["type"] == EventKind.ALARM]
    at = payload.pop("at")
    assert at.endswith("+00:00")
    assert payload == {
        "type": "alarm",
        "site": "Tower",
        "config_entry_id": site.entry.entry_id,
        "occurrence_id": site.engine.book.standing()[0].id,
        "zone": 2,
        "zone_name": "Zone 2",
        "entity_id": site.entity_id("binary_sensor", "zone_2"),
        "module": 1,
        "node": 1,
        "device_id": site.engine.device_ids[1],
        "device_name": "Node 1",
        "area_name": None,
        "first": True,
        "order": 1,
        "found_on_resync": False,
        "drill": False,
        "test": False,
        "disabled": False,
        "source": 1,
    }
    await site.feed(1, frame("010000"))
    assert told.zones(EventKind.ALARM_RESTORED) == [2]


async def test_nothing_comes_before_the_zone_in_alarm(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The site's numbers are worked out when the zone is on already."""
    site = await set_up(hass, node(1))
    await site.feed_all()
    written: list[str] = []
    shown_at_summary: list[str] = []
    summary = site.engine.truth.summary

    @callback
    def note(event: Event[Any]) -> None:
        written.append(event.data["entity_id"])

    def summarize(ignored: frozenset[int]) -> SiteSummary:
        shown_at_summary.append(site.zone(2).state)
        return summary(ignored)

    hass.bus.async_listen(EVENT_STATE_CHANGED, note)
    monkeypatch.setattr(site.engine.truth, "summary", summarize)
    site.engine.aggregator.feed(1, frame("010002", master=ALARM_LED))
    assert written[0] == site.zone(2).entity_id
    assert shown_at_summary == [STATE_ON]


async def test_an_event_has_the_names_people_gave(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    areas = ar.async_get(hass)
    lobby, roof = areas.async_create("Lobby"), areas.async_create("Roof")
    devices = dr.async_get(hass)
    devices.async_update_device(
        site.engine.device_ids[1], area_id=lobby.id, name_by_user="West wing"
    )
    er.async_get(hass).async_update_entity(
        site.entity_id("binary_sensor", "zone_3"), name="Stairs", area_id=roof.id
    )
    await site.settle()
    told = Told(site)
    await site.feed(1, frame("010006"))
    one, other = (one for one in told.take() if one["type"] == EventKind.ALARM)
    assert (one["zone_name"], one["area_name"]) == ("Zone 2", "Lobby")
    assert one["device_name"] == "West wing"
    assert (other["zone_name"], other["area_name"]) == ("Stairs", "Roof")


async def test_an_alarm_found_at_connect(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    told = Told(site)
    await site.feed(1, frame("010001"))
    assert told.zones() == [1]
    assert told.take()[0]["found_on_resync"]


async def test_a_link_that_flaps_during_the_alarm(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    told = Told(site)
    await site.feed(1, frame("010001"))
    for seconds in (1, HOLD_SECONDS + 1, 3600):
        await site.lose(1)
        clock.ahead_seconds += seconds
        await site.tick()
        assert site.zone(1).state == STATE_ON
        await site.feed(1, frame("010001"))
    assert told.zones() == [1]
    assert told.kinds().count(EventKind.NODE_LOST) == 2
    assert told.kinds().count(EventKind.NODE_RETURNED) == 2
    await site.feed(1, frame("010000"))
    assert told.zones(EventKind.ALARM_RESTORED) == [1]


async def test_a_failover_during_the_alarm(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(33, 1, 2))
    await site.feed_all()
    told = Told(site)
    await site.feed(1, frame("010001"))
    await site.feed(33, frame("010001", "020000"))
    await site.lose(1)
    assert told.kinds() == [EventKind.ALARM, EventKind.FAILOVER]
    failover = told.take()[1]
    assert (failover["node"], failover["node_before"]) == (33, 1)
    assert failover["modules"] == [1]
    assert failover["device_name"] == "Node 33"


async def test_one_alarm_from_two_sources(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(33, 1, 2))
    await site.feed_all()
    told = Told(site)
    site.engine.aggregator.feed(33, frame("010001", "020000"))
    site.engine.aggregator.feed(1, frame("010001"))
    await site.settle()
    assert told.zones() == [1]
    assert told.take()[0]["source"] == 33


async def test_an_alarm_shorter_than_a_batch(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    told = Told(site)
    for raw in (frame("010100"), frame("010001"), frame("010000"), frame("010100")):
        site.engine.aggregator.feed(1, raw)
    await site.settle()
    assert told.zones() == told.zones(EventKind.ALARM_RESTORED) == [1]
    assert site.zone(1).state == STATE_OFF


@pytest.fixture(params=["distributed", "bridge"])
def full_site(request: pytest.FixtureRequest) -> list[NodeConfig]:
    """Return both layouts of 63 modules."""
    return distributed() if request.param == "distributed" else [bridge()]


async def test_everything_on_fire_at_once(
    hass: HomeAssistant, full_site: list[NodeConfig]
) -> None:
    site = await set_up(hass, *full_site)
    await site.feed_all()
    told = Told(site)
    everything: list[str] = []

    @callback
    def note(event: Event[Any]) -> None:
        everything.append(event.data["entity_id"])

    hass.bus.async_listen(EVENT_STATE_CHANGED, note)
    began = asyncio.get_running_loop().time()
    for config in full_site:
        segments = [f"{module:02d}001F" for module in config.modules]
        site.engine.aggregator.feed(config.node, frame(*segments, master=ALARM_LED))
    spent = asyncio.get_running_loop().time() - began
    assert len(site.zones(STATE_ON)) == 315
    assert told.zones() == list(range(1, 316))
    first = site.entity_id("binary_sensor", "zone_1")
    assert everything[0] == first
    # Shown and told in one go; only the bus takes the others in portions.
    assert PORTION <= len(told.on_bus) < 315
    await site.settle()
    alarms = [one for one in told.take() if one["type"] == EventKind.ALARM]
    assert [one["order"] for one in alarms] == list(range(1, 316))
    assert [one["first"] for one in alarms].count(True) == 1
    await site.settle()
    assert told.zones() == []
    print(f"315 alarms told and shown: {spent * 1e3:.0f} ms")


async def test_a_module_that_turns_up_in_alarm(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    told = Told(site)
    await site.feed(1, frame("010000", "630010"))
    (payload,) = told.take()
    assert (payload["zone"], payload["zone_name"]) == (315, "Zone 315")
    assert payload["device_name"] == "Module 63"
    assert site.zone(315).state == STATE_ON


@pytest.mark.usefixtures("recorder_mock")
async def test_the_recorder_keeps_what_differs_from_event_to_event_once(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    """The whole payload is with the bus event; states of a kind are all alike."""
    began = dt_util.utcnow()
    site = await set_up(hass, node(1), node(2))
    # So that both are lost for the same reason.
    await site.wait_for_refusals()
    await site.feed_all()
    told = Told(site)
    for number in (1, 2):
        # Trouble and bell, both alarms of the module, an offline module, a loss.
        await site.feed(number, frame(f"0{number}0120", master="41DD"))
        await site.feed(number, frame(f"0{number}0003", master=ALARM_LED))
        await site.feed(number, frame(f"0{number}", master=ALARM_LED))
        await site.lose(number)
    clock.ahead_seconds += HOLD_SECONDS + 1
    await site.tick()
    entity_id = site.state("event", "site_events").entity_id
    payloads = told.take()
    recorder = get_instance(hass)
    await recorder.async_block_till_done()

    def read() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        with session_scope(hass=hass, read_only=True) as session:
            stored = [
                json.loads(row.shared_data or "{}")
                for row in session.query(EventData).all()
            ]
        states = get_significant_states(hass, began, None, [entity_id])[entity_id]
        return [
            dict(one.attributes) for one in states if isinstance(one, State)
        ], stored

    attributes, stored = await recorder.async_add_executor_job(read)
    for payload in payloads:
        assert payload in stored
    kinds = {payload["type"] for payload in payloads}
    assert {"alarm", "trouble", "node_lost", "bell", "panel_status"} <= kinds
    # Only the first alarm of a site differs from the others.
    alike = Counter(
        json.dumps(one | {"first": None}, sort_keys=True)
        for one in attributes
        if one.get("event_type") in kinds
    )
    assert alike.total() == len(payloads)
    assert min(alike.values()) >= 2
