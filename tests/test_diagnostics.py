"""What a maintainer gets to see, and what not."""

from collections.abc import Awaitable, Callable
import json
import time
from typing import Any

from homeassistant.components.diagnostics import REDACTED
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import get_system_health_info
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
    get_diagnostics_for_device,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.diagnostics import RAW_BYTES_SHOWN
from custom_components.esp32_fire_alarm.fleet.frame import decode
from custom_components.esp32_fire_alarm.fleet.health import (
    RAW_FRAMES_KEPT,
    TIMELINE_KEPT,
    LinkState,
)
from custom_components.esp32_fire_alarm.fleet.link import LinkFault
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from sim.fleet import SimulatedFleet

from .running_site import (
    CLOSED_PORT,
    REAL_CAPTURE,
    RunningSite,
    bridge,
    frame,
    node,
    set_up,
    until,
)

pytestmark = pytest.mark.usefixtures("loopback")

type Download = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def download(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> Download:
    """Return a function that downloads diagnostics of a site or of its device."""

    async def get(
        site: RunningSite, device: dr.AnyDeviceEntry | None = None
    ) -> dict[str, Any]:
        if device is None:
            got = await get_diagnostics_for_config_entry(hass, hass_client, site.entry)
        else:
            # The kit's type does not know of child devices; what it does, does.
            any_device: Any = device
            got = await get_diagnostics_for_device(
                hass, hass_client, site.entry, any_device
            )
        assert isinstance(got, dict)
        return got

    return get


async def test_a_whole_site(hass: HomeAssistant, download: Download) -> None:
    site = await set_up(hass, bridge(), options={"hold_seconds": 30})
    await site.feed(1, REAL_CAPTURE, REAL_CAPTURE, b"{}", b'{"data":"<STX>"}')
    got = await download(site)
    assert got["options"] == {"hold_seconds": 30}
    assert got["summary"]["in_trouble"] == 75
    assert got["summary"]["modules_offline"] == 30
    assert got["totals"]["identical"] == 1
    assert got["totals"]["ignored"] + got["totals"]["malformed"] == 2
    (only,) = got["nodes"]
    assert only["host"] == "127.0.0.2"
    assert only["modules"] == list(range(1, 64))
    assert only["is_fresh"] is True
    assert only["leds"] == ["dc", "silenced"]
    assert only["speaks_for_modules"] == 33
    assert only["health"]["free_heap"] == 225_576
    assert len(got["modules"]) == 63
    # 75 in trouble, 150 of modules that are offline.
    assert len(got["zones_not_clear"]) == 225


async def test_what_a_maintainer_needs_is_in_both_downloads(
    hass: HomeAssistant, download: Download
) -> None:
    """Configuration, history, last frames, figures and what is taken out."""
    groups = [{"name": "Vault", "zones": [1, 2], "delay_seconds": 5}]
    site = await set_up(hass, node(1), node(2), options={"confirmation_groups": groups})
    hass.config_entries.async_update_entry(
        site.entry,
        title="Northern Bank",
        data={**site.entry.data, "addresses": "127.0.0.2-3, gate.bank.example"},
    )
    engine = site.engine
    await site.wait_for_refusals()
    await site.feed(2, *(frame("020000", f"{n:02d}0000") for n in range(3, 9)))
    engine.book.disable([6], "Ann", "builders in the vault", time.time() + 3600)
    engine.book.disable([1], "Bob", "dust")
    device = dr.async_get(hass).async_get_device_by_identifier(
        engine.node_identifier(2), site.entry.entry_id
    )
    assert device is not None
    for got in (await download(site), await download(site, device)):
        assert got["config"] == {
            "title": REDACTED,
            "addresses": f"127.0.0.2-3, {REDACTED}",
            "port": CLOSED_PORT,
            "standby": "",
        }
        assert got["options"] == {
            "confirmation_groups": [
                {"name": REDACTED, "zones": [1, 2], "delay_seconds": 5}
            ]
        }
        assert got["metrics"]["decoded"] == 6
        assert got["metrics"]["malformed"] == engine.aggregator.metrics.malformed
        assert got["version"]
        assert got["home_assistant"]
        esp32 = got["nodes"][-1]
        assert esp32["timeline"]
        assert len(esp32["timeline"]) <= TIMELINE_KEPT
        assert len(esp32["raw_frames"]) == RAW_FRAMES_KEPT
        impaired = got["impairments"][0]
        assert (impaired["zone"], impaired["kind"]) == (6, "disabled")
        assert (impaired["by"], impaired["why"]) == (REDACTED, REDACTED)
        assert impaired["until"] > impaired["since"]
        text = json.dumps(got)
        for secret in ("Bank", "bank", "Ann", "Bob", "builders", "dust", "Vault"):
            assert secret not in text
    assert [one["zone"] for one in got["impairments"]] == [6]


async def test_the_last_frames_are_there_byte_by_byte(
    hass: HomeAssistant, download: Download
) -> None:
    """As they came, and however long they were, no more than fits into a report."""
    async with SimulatedFleet(count=1, port=0, cycle_seconds=0.05) as fleet:
        site = await set_up(hass, node(1, port=fleet.port), node(2))
        record = site.engine.health.record(1)
        await until(lambda: record.frames > RAW_FRAMES_KEPT, 5)
        got = await download(site)
        shown = [bytes.fromhex(one["hex"]) for one in got["nodes"][0]["raw_frames"]]
        assert len(shown) == RAW_FRAMES_KEPT
        assert all(decode(one).modules[1].online for one in shown)
        site.engine.health.record(2).raw_frames.append(b"x" * 9999)
        got = await download(site)
        (longest,) = got["nodes"][1]["raw_frames"]
        assert longest["bytes"] == 9999
        assert len(longest["hex"]) == 2 * RAW_BYTES_SHOWN
        await site.remove()


async def test_the_timeline_of_a_link(hass: HomeAssistant, download: Download) -> None:
    site = await set_up(hass, node(1))
    site.engine.health.note_link(
        1, LinkState.BACKING_OFF, "127.0.0.2:81", LinkFault.TIMED_OUT, "no answer"
    )
    got = await download(site)
    timeline = got["nodes"][0]["timeline"]
    assert all(one.pop("at").endswith("+00:00") for one in timeline)
    assert {
        "state": "backing_off",
        "address": "127.0.0.2:81",
        "fault": "timed_out",
        "text": "no answer",
    } in timeline


async def test_one_device(hass: HomeAssistant, download: Download) -> None:
    site = await set_up(hass, node(1), node(2, 2, 3))
    await site.feed(2, frame("020000", "03"))
    registry, entry_id = dr.async_get(hass), site.entry.entry_id
    engine = site.engine
    hub = registry.async_get_device_by_identifier(engine.identifier, entry_id)
    esp32 = registry.async_get_device_by_identifier(engine.node_identifier(2), entry_id)
    module = registry.async_get_child_device_by_identifier(
        engine.module_identifier(3), entry_id
    )
    seen = []
    for device in (hub, esp32, module):
        assert device is not None
        got = await download(site, device)
        seen.append(
            (
                [one["node"] for one in got["nodes"]],
                [one["module"] for one in got["modules"]],
                [one["zone"] for one in got["zones_not_clear"]],
            )
        )
    gone = [11, 12, 13, 14, 15]
    assert seen == [
        ([1, 2], [1, 2, 3], [1, 2, 3, 4, 5, *gone]),
        ([2], [2, 3], gone),
        ([2], [3], gone),
    ]


async def test_host_names_are_nobodys_business(
    hass: HomeAssistant, download: Download
) -> None:
    named = NodeConfig(
        1,
        DeviceAddress("esp32.hospital-north.example", 81),
        (1,),
        standby=DeviceAddress("esp32", 8181),
    )
    site = await set_up(hass, named, node(2))
    await site.feed(1, REAL_CAPTURE)
    site.engine.health.note_link(
        1,
        LinkState.BACKING_OFF,
        str(named.address),
        LinkFault.NAME_NOT_FOUND,
        "ESP32.hospital-north.example not found",
    )
    got = await download(site)
    text = json.dumps(got)
    assert "hospital" not in text
    assert got["nodes"][0]["host"] == REDACTED
    assert got["nodes"][0]["standby_host"] == REDACTED
    timeline = {(one["address"], one["text"]) for one in got["nodes"][0]["timeline"]}
    assert (f"{REDACTED}:81", f"{REDACTED} not found") in timeline
    assert got["nodes"][1]["host"] == "127.0.0.3"


async def test_system_health(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "system_health", {})
    one = await set_up(hass, node(1), node(2))
    await set_up(hass, node(3), title="Annex", site_id="annex")
    await one.feed(1, frame("010001"))
    info = await get_system_health_info(hass, DOMAIN)
    assert info.pop("version")
    assert info == {
        "sites": 2,
        "nodes_connected": "1/3",
        "zones_supervised": "5/15",
        "zones_in_alarm": 1,
        "frames_received": 1,
        "frames_per_second": 0.0,
        "frames_malformed": 0,
        "frames_throttled": 0,
        "frames_waiting": 0,
        "latency_p99_ms": info["latency_p99_ms"],
    }
    assert 0 < info["latency_p99_ms"] < 1000
    await hass.config_entries.async_unload(one.entry.entry_id)
    info = await get_system_health_info(hass, DOMAIN)
    assert info["latency_p99_ms"] == "-"
