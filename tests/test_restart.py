"""Alarms over restarts, crashes and damaged files: nothing lost, nothing told twice."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.const import (
    EVENT_HOMEASSISTANT_FINAL_WRITE,
    EVENT_HOMEASSISTANT_STARTED,
    STATE_OFF,
    STATE_ON,
)
from homeassistant.core import CoreState, Event, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.storage import Store
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.events import EVENT_FIRE_ALARM
from custom_components.esp32_fire_alarm.fleet.telling import EventKind
from custom_components.esp32_fire_alarm.paced_bus import PORTION
from custom_components.esp32_fire_alarm.store import SAVE_SECONDS

from .running_site import ALARM_LED, RunningSite, frame, node, set_up

pytestmark = pytest.mark.usefixtures("loopback")

# The kit puts others in their places while a test runs.
REAL_LOAD = Store._async_load
REAL_WRITE = Store._async_write_data

ALARM = EventKind.ALARM
RESTORED = EventKind.ALARM_RESTORED


def told(events: list[Event[Any]]) -> list[tuple[str, int, bool]]:
    """Return what was told of zones: what, which, and whether it was found."""
    return [
        (event.data["type"], event.data["zone"], event.data["found_on_resync"])
        for event in events
        if "zone" in event.data
    ]


def stored(site: RunningSite, hass_storage: dict[str, Any]) -> Any:
    """Return what is on the disk."""
    return hass_storage[f"{DOMAIN}.{site.entry.entry_id}"]


async def restart(site: RunningSite) -> None:
    """Stop the site and start it again."""
    await site.remove()
    await start(site)


async def start(site: RunningSite) -> None:
    """Start the site again."""
    assert await site.hass.config_entries.async_setup(site.entry.entry_id)
    await site.hass.async_block_till_done()


async def test_an_alarm_outlives_a_restart(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    site = await set_up(hass, node(1))
    await site.feed(1, frame("010001"))
    site.engine.book.acknowledge(None, "Ann")
    before = site.engine.book.standing()
    events = async_capture_events(hass, EVENT_FIRE_ALARM)
    await restart(site)
    assert site.zone(1).state == STATE_ON
    assert site.is_on("fire_alarm") == STATE_ON
    assert site.value("first_zone_in_alarm") == "1"
    await site.feed(1, frame("010001"))
    assert told(events) == []
    assert site.engine.book.standing() == before
    await site.feed(1, frame("010000"))
    assert told(events) == [(RESTORED, 1, False)]
    assert site.zone(1).state == STATE_OFF


async def test_what_happened_during_a_restart_is_told_once(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    site = await set_up(hass, node(1))
    await site.feed(1, frame("010102"))
    events = async_capture_events(hass, EVENT_FIRE_ALARM)
    await restart(site)
    await site.feed(1, frame("010001"), frame("010001"))
    assert told(events) == [
        (ALARM, 1, True),
        (RESTORED, 2, True),
        (EventKind.TROUBLE_RESTORED, 1, True),
    ]
    assert site.zone(1).state == STATE_ON
    assert site.zone(2).state == STATE_OFF
    await restart(site)
    await site.feed(1, frame("010001"))
    assert len(told(events)) == 3


async def test_an_alarm_is_on_disk_at_once(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    await site.feed(1, frame("010001", master=ALARM_LED))
    crashed = deepcopy(stored(site, hass_storage))
    assert [one["zone"] for one in crashed["data"]["occurrences"]] == [1]
    await site.feed(1, frame("010000"))
    assert stored(site, hass_storage)["data"]["occurrences"][0]["ended_at"]
    # The power goes before the alarm ends: what was written then is what counts.
    await site.remove()
    stored(site, hass_storage).update(crashed)
    events = async_capture_events(hass, EVENT_FIRE_ALARM)
    await start(site)
    assert site.zone(1).state == STATE_ON
    await site.feed(1, frame("010001", master=ALARM_LED))
    assert told(events) == []


async def test_a_storm_is_written_whole_by_few_writes(
    hass: HomeAssistant, hass_storage: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = await set_up(hass, *(node(number) for number in range(1, 21)))
    await site.feed_all()
    store = site.engine.store._store
    save, writes = store.async_save, 0

    async def count(data: dict[str, Any]) -> None:
        nonlocal writes
        writes += 1
        await save(data)

    monkeypatch.setattr(store, "async_save", count)
    for number in range(1, 21):
        site.engine.aggregator.feed(number, frame(f"{number:02d}001F"))
    await site.settle()
    data = stored(site, hass_storage)["data"]
    assert len(data["occurrences"]) == 100
    # One for each message at most, and one for each portion that was later on the bus.
    assert 1 <= writes <= 20 + 100 // PORTION


async def test_what_is_not_urgent_is_written_later(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    site = await set_up(hass, node(1))
    await site.feed(1, frame("010100"))
    assert f"{DOMAIN}.{site.entry.entry_id}" not in hass_storage
    later = dt_util.utcnow() + timedelta(seconds=SAVE_SECONDS + 1)
    async_fire_time_changed(hass, later)
    await hass.async_block_till_done()
    (one,) = stored(site, hass_storage)["data"]["occurrences"]
    assert (one["kind"], one["zone"]) == ("trouble", 1)


async def test_troubles_that_never_end_do_not_put_off_the_write(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    site = await set_up(hass, node(1))
    for _ in range(3):
        await site.feed(1, frame("010100"), frame("010000"))
        await site.feed(1, frame("010200"))
        later = dt_util.utcnow() + timedelta(seconds=SAVE_SECONDS + 1)
        async_fire_time_changed(hass, later)
        await hass.async_block_till_done()
        written = stored(site, hass_storage)["data"]["occurrences"]
        assert len(written) == len(site.engine.book.occurrences())
        # An alarm in between is written at once, and what follows it in time too.
        await site.feed(1, frame("010201"), frame("010400"))


async def test_the_last_write_of_home_assistant(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    site = await set_up(hass, node(1))
    hass.set_state(CoreState.stopping)
    await site.feed(1, frame("010001"))
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    assert stored(site, hass_storage)["data"]["occurrences"][0]["zone"] == 1


async def test_automations_hear_an_alarm_from_before_they_were_armed(
    hass: HomeAssistant,
) -> None:
    """Home Assistant starts into a fire: the event waits until somebody listens."""
    hass.set_state(CoreState.not_running)
    heard = async_capture_events(hass, "heard")
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "triggers": {
                    "trigger": "event",
                    "event_type": EVENT_FIRE_ALARM,
                    "event_data": {"type": "alarm"},
                },
                "actions": {
                    "event": "heard",
                    "event_data": {"zone": "{{ trigger.event.data.zone }}"},
                },
            }
        },
    )
    events = async_capture_events(hass, EVENT_FIRE_ALARM)
    site = await set_up(hass, node(1))
    await site.feed(1, frame("010001"))
    assert site.zone(1).state == STATE_ON
    assert site.is_on("fire_alarm") == STATE_ON
    assert events == []
    await hass.async_start()
    await hass.async_block_till_done()
    assert told(events) == [(ALARM, 1, True)]
    assert [event.data["zone"] for event in heard] == [1]
    await restart(site)
    await site.feed(1, frame("010001"))
    assert len(heard) == 1


async def test_a_restart_before_anybody_heard_of_the_alarm(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    hass.set_state(CoreState.not_running)
    site = await set_up(hass, node(1))
    events = async_capture_events(hass, EVENT_FIRE_ALARM)
    await site.feed(1, frame("010001"))
    await restart(site)
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
    assert told(events) == [(ALARM, 1, True)]


@pytest.mark.parametrize(
    "damaged",
    [
        {"version": 1, "data": {"occurrences": [{"zone": 7}]}},
        {"version": 1, "data": []},
        {"version": 99, "data": {}},
        {"version": 0, "data": {}},
    ],
)
async def test_a_log_that_makes_no_sense(
    hass: HomeAssistant, hass_storage: dict[str, Any], damaged: dict[str, Any]
) -> None:
    site = await set_up(hass, node(1))
    await site.remove()
    hass_storage[f"{DOMAIN}.{site.entry.entry_id}"] = damaged
    await start(site)
    issue = ir.async_get(hass).async_get_issue(
        DOMAIN, f"alarm_log_damaged_{site.entry.entry_id}"
    )
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["site"] == "Tower"
    events = async_capture_events(hass, EVENT_FIRE_ALARM)
    await site.feed(1, frame("010001"))
    assert told(events) == [(ALARM, 1, True)]
    assert stored(site, hass_storage)["data"]["occurrences"][0]["zone"] == 1


@pytest.fixture
def real_files(
    hass: HomeAssistant, hass_storage: dict[str, Any], tmp_path: Path
) -> Iterator[Path]:
    """Let the alarm log be kept in a real file, which the kit else replaces."""
    with (
        patch.object(hass.config, "config_dir", str(tmp_path)),
        patch.object(Store, "_async_load", REAL_LOAD),
        patch.object(Store, "_async_write_data", REAL_WRITE),
    ):
        yield tmp_path / ".storage"


async def test_a_real_file(hass: HomeAssistant, real_files: Path) -> None:
    site = await set_up(hass, node(1))
    await site.feed(1, frame("010001"))
    path = real_files / f"{DOMAIN}.{site.entry.entry_id}"
    assert json.loads(path.read_bytes())["data"]["occurrences"][0]["zone"] == 1
    await restart(site)
    assert site.zone(1).state == STATE_ON
    await site.remove()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"7", bytes(4096)],
    ids=["empty", "cut", "list", "null", "number", "zeros"],
)
async def test_a_file_that_cannot_be_read_is_kept(
    hass: HomeAssistant, real_files: Path, content: bytes
) -> None:
    site = await set_up(hass, node(1))
    await site.remove()
    path = real_files / f"{DOMAIN}.{site.entry.entry_id}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    await start(site)
    (kept,) = path.parent.glob("*.corrupt.*")
    assert kept.read_bytes() == content
    assert ir.async_get(hass).issues
    await site.feed(1, frame("010001"))
    assert site.zone(1).state == STATE_ON
    await site.remove()
    assert json.loads(path.read_bytes())["data"]["occurrences"][0]["zone"] == 1


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
async def test_a_latched_alarm_whose_log_was_cut_is_not_lost_in_silence(
    hass: HomeAssistant, real_files: Path, share: float
) -> None:
    """After a power cut half a file may be left: the lit lamp still is a fire."""
    site = await set_up(hass, node(1))
    await site.feed(1, frame("010001", master=ALARM_LED))
    await site.feed(1, frame("010000", master=ALARM_LED))
    assert site.zone(1).state == STATE_ON
    await site.remove()
    path = real_files / f"{DOMAIN}.{site.entry.entry_id}"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert not ir.async_get(hass).issues
    await start(site)
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == "storage_corruption"
    assert issue.severity is ir.IssueSeverity.CRITICAL
    await site.feed(1, frame("010000", master=ALARM_LED))
    assert site.is_on("fire_alarm") == STATE_ON
    await site.feed(1, frame("010000"))
    assert site.is_on("fire_alarm") == STATE_OFF
    await site.remove()
