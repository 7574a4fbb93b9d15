"""What is kept and what is told of links: over a restart, in the log, for a maintainer."""

import logging
import time
from typing import Any

from homeassistant.components.diagnostics import REDACTED
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp32_fire_alarm import caretaker, link_store
from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.fleet.health import RAW_FRAMES_KEPT
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.fleet.paths import Path
from sim.faults import Fault
from sim.fleet import SimulatedFleet

from .running_site import LeapingClock, RunningSite, node, set_up, until

pytestmark = pytest.mark.usefixtures("loopback")


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look and write at once."""
    monkeypatch.setattr(caretaker, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(link_store, "SAVE_SECONDS", 0.0)


def quick(count: int, first: str, port: int = 0) -> SimulatedFleet:
    """Return a fleet with little patience."""
    return SimulatedFleet(
        count=count, port=port, first_address=first, cycle_seconds=0.1
    )


def key_of(site: RunningSite) -> str:
    """Return the name of the site's file about links."""
    return f"{DOMAIN}.{site.entry.entry_id}.links"


async def test_the_working_path_survives_a_restart(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """Nobody waits for the dead primary again; a healthy one is not affected."""
    async with quick(2, "127.5.0.2") as fleet, quick(2, "127.5.1.2", fleet.port):
        port = fleet.port
        fleet.node(1).down()
        nodes = [
            NodeConfig(
                number,
                DeviceAddress(f"127.5.0.{number + 1}", port),
                (number,),
                standby=DeviceAddress(f"127.5.1.{number + 1}", port),
            )
            for number in (1, 2)
        ]
        site = await set_up(hass, *nodes)
        await until(lambda: site.engine.summary.nodes_connected == 2, 15)
        await until(lambda: site.engine.health.record(1).path is Path.STANDBY, 5)
        assert await hass.config_entries.async_reload(site.entry.entry_id)
        assert hass_storage[key_of(site)]["data"] == {"standby": [1], "lost_since": {}}
        await until(lambda: site.engine.summary.nodes_connected == 2, 5)
        tried = {
            number: {
                change.address for change in site.engine.health.record(number).timeline
            }
            for number in (1, 2)
        }
        assert tried == {1: {f"127.5.1.2:{port}"}, 2: {f"127.5.0.3:{port}"}}
        await site.remove()


async def test_both_addresses_dead_keeps_what_worked_last(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """While it hunts from one to the other nothing is learned."""
    store = link_store.LinkStore(hass, "some")
    store.async_note({1: Path.STANDBY, 2: Path.PRIMARY}, ())
    store.async_note({2: Path.PRIMARY}, (1,))
    assert store.paths == {1: Path.STANDBY}
    lost_since = dict(store.lost_since)
    assert lost_since.keys() == {1}
    store.async_note({2: Path.PRIMARY}, (1,))
    assert store.lost_since == lost_since
    store.async_note({1: Path.PRIMARY}, ())
    assert store.paths == {}
    assert store.lost_since == {}
    await store.async_flush()
    again = link_store.LinkStore(hass, "some")
    await again.async_load()
    assert (again.paths, again.lost_since) == ({}, {})
    await store.async_remove()
    assert f"{DOMAIN}.some.links" not in hass_storage


async def test_the_clock_may_be_set(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is lost for longer because of it; a restart takes up the true age."""
    store = link_store.LinkStore(hass, "some")
    store.async_note({}, (1,))
    began = store.lost_since[1]
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 1e9)
    store.async_note({}, (1,))
    assert store.lost_since == {1: began}
    await store.async_flush()
    again = link_store.LinkStore(hass, "some")
    await again.async_load()
    assert again.lost_since[1] == pytest.approx(began, abs=1)
    # Set back in between: as if it was lost just now.
    monkeypatch.setattr(time, "time", real)
    await again.async_load()
    assert again.lost_since[1] == pytest.approx(time.monotonic(), abs=1)


@pytest.mark.parametrize(
    "stored", [{}, {"standby": 7, "lost_since": {}}, {"standby": [], "lost_since": []}]
)
async def test_a_damaged_file_is_worth_none(
    hass: HomeAssistant, hass_storage: dict[str, Any], stored: dict[str, Any]
) -> None:
    hass_storage[f"{DOMAIN}.some.links"] = {"version": 1, "data": stored}
    store = link_store.LinkStore(hass, "some")
    await store.async_load()
    assert (store.paths, store.lost_since) == ({}, {})


async def test_the_file_goes_with_the_site(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    site = await set_up(hass, node(1))
    await hass.config_entries.async_unload(site.entry.entry_id)
    assert key_of(site) in hass_storage
    await hass.config_entries.async_remove(site.entry.entry_id)
    assert key_of(site) not in hass_storage


# In the log.


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the integration logged at info level and above."""
    return [
        f"{record.levelname} {record.message}"
        for record in caplog.records
        if record.name.startswith("custom_components")
        and record.levelno >= logging.INFO
    ]


async def test_one_line_on_loss_and_one_on_return_however_often_it_is_tried(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture, clock: LeapingClock
) -> None:
    """A link that is cut for its silence ends twice, and is retried for long."""
    async with quick(3, "127.5.2.2") as fleet:
        port = fleet.port
        nodes = [
            NodeConfig(n, DeviceAddress(f"127.5.2.{n + 1}", port), (n,)) for n in (1, 2)
        ]
        site = await set_up(hass, *nodes, node(3))
        await until(lambda: site.engine.summary.nodes_connected == 2, 5)
        # Node 3 was never there: not lost, and never logged.
        assert lines(caplog) == []
        fleet.node(1).fault(Fault.SILENT)
        clock.ahead_seconds += 14.5
        await until(lambda: site.engine.summary.nodes_connected == 1, 5)
        for _ in range(2):
            clock.ahead_seconds += 14
            await until(lambda: site.engine.truth.is_fresh(2), 10)
        assert len(lines(caplog)) == 1
        fleet.node(1).heal()
        # At the most one backoff, which is drawn by chance.
        await until(lambda: site.engine.summary.nodes_connected == 2, 80)
        await site.settle()
        address = f"127.5.2.2:{port}"
        assert lines(caplog) == [
            f"INFO Node 1 ({address}) of Tower is lost: silent",
            f"INFO Node 1 ({address}) of Tower is back",
        ]
        # A node that is moved or taken out on purpose is not lost.
        await site.rearrange(nodes[1])
        await site.rearrange(
            NodeConfig(2, DeviceAddress("127.5.2.4", port), (2,)),
        )
        await site.settle()
        assert len(lines(caplog)) == 2
        await site.remove()


# For a maintainer.


async def test_diagnostics_have_the_last_raw_frames(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """Byte for byte, as hexadecimal digits, and never more than a few."""
    async with quick(1, "127.5.3.2") as fleet:
        site = await set_up(
            hass, NodeConfig(1, DeviceAddress("127.5.3.2", fleet.port), (1,))
        )
        await until(lambda: site.engine.health.record(1).frames > RAW_FRAMES_KEPT, 5)
        fleet.node(1).send_raw(b"\x00\xff" * 3000)
        kept = site.engine.health.record(1).raw_frames
        await until(lambda: 6000 in map(len, kept), 5)
        got: Any = await get_diagnostics_for_config_entry(hass, hass_client, site.entry)
        (only,) = got["nodes"]
        frames = only["raw_frames"]
        assert len(frames) == RAW_FRAMES_KEPT
        assert REDACTED not in frames
        long = next(one for one in frames if one["bytes"] == 6000)
        assert long["hex"] == "00ff" * 1280
        other = next(one for one in frames if one["bytes"] < 1000)
        assert b'"freeHeap"' in bytes.fromhex(other["hex"])
        await site.remove()
