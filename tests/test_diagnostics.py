"""What a maintainer gets to see, and what not."""

from collections.abc import Awaitable, Callable
import json
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
from custom_components.esp32_fire_alarm.fleet.health import LinkState
from custom_components.esp32_fire_alarm.fleet.link import LinkFault
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig

from .running_site import REAL_CAPTURE, RunningSite, bridge, frame, node, set_up

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
        "frames_received": 0,
    }
