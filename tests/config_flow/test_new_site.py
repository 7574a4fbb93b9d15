"""Adding a site in the user interface, against real sockets."""

import json
from typing import Any
from unittest.mock import AsyncMock

from homeassistant.const import CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import (
    EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE,
    FlowResultType,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp32_fire_alarm import site_dialogue
from custom_components.esp32_fire_alarm.const import (
    CONF_ADDRESSES,
    CONF_NODES,
    CONF_STANDBY,
    DOMAIN,
)
from custom_components.esp32_fire_alarm.topology import nodes_from_entry
from sim.faults import Fault
from sim.fleet import SimulatedFleet
from sim.layout import Layout, Numbering

from .dialogue import (
    CHANGE,
    FINISH,
    SCAN_AGAIN,
    fields,
    fleet_at,
    node,
    read,
    start,
    submit,
    typed,
)

pytestmark = pytest.mark.usefixtures("loopback")


async def test_a_whole_site(hass: HomeAssistant, setup_entry: AsyncMock) -> None:
    """63 nodes, one of them absent: found, said in plain words, all of them set up."""
    progress = async_capture_events(hass, EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE)
    page = await start(hass)
    assert page["type"] is FlowResultType.FORM
    assert page["step_id"] == "user"
    assert not page["errors"]
    assert read(page)
    async with fleet_at("127.1.0.2", 63, absent=[8]) as fleet:
        page = await submit(hass, page, typed(fleet, "127.1.0.2-127.1.0.64"))
    shares = [event.data["progress"] for event in progress]
    assert shares == sorted(set(shares))
    assert len(shares) > 50
    assert shares[-1] == 1
    text = read(page)
    assert "62 of 63 addresses answered" in text
    assert "63 modules, which are 315 zones" in text
    assert "Layout: distributed" in text
    assert "- `127.1.0.2-127.1.0.64` → 1-63" in text
    assert "- `127.1.0.9`: Nothing listens on this port. Part of the site" in text
    assert fields(page)["add_missing"] is True
    page = await submit(hass, page, FINISH)
    assert page["type"] is FlowResultType.CREATE_ENTRY
    assert page["title"] == "Mill"
    entry = page["result"]
    assert entry.unique_id is not None
    assert len(entry.unique_id) == 32
    assert entry.version == 1
    assert entry.data[CONF_ADDRESSES] == "127.1.0.2-127.1.0.64"
    assert entry.data[CONF_NODES][7] == {
        "node": 8,
        "host": "127.1.0.9",
        "port": fleet.port,
        "modules": [8],
        "offset": 0,
        "standby_host": None,
        "standby_port": None,
    }
    assert nodes_from_entry(json.loads(json.dumps(dict(entry.data)))) == [
        node(n, f"127.1.0.{n + 1}", fleet.port, n) for n in range(1, 64)
    ]
    assert len(setup_entry.mock_calls) == 1


async def test_as_the_browser_gets_it(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """Every page survives the way through Home Assistant's own web interface."""
    assert await async_setup_component(hass, "config", {})
    assert await async_setup_component(hass, "file_upload", {})
    client = await hass_client()

    async def post(url: str, **body: Any) -> dict[str, Any]:
        response = await client.post(f"/api/config/config_entries/{url}", json=body)
        assert response.status == 200, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer

    page = await post("flow", handler=DOMAIN)
    kinds = {field["name"]: field["selector"] for field in page["data_schema"]}
    assert kinds[CONF_ADDRESSES]["text"]["multiline"] is True
    assert kinds[CONF_PORT]["number"]["max"] == 65535
    async with fleet_at("127.1.16.2", absent=[2]) as fleet:
        values = typed(fleet, "127.1.16.2-4")
        page = await post(f"flow/{page['flow_id']}", **values)
        assert page["type"] == "progress"
        await hass.async_block_till_done()
        response = await client.get(
            f"/api/config/config_entries/flow/{page['flow_id']}"
        )
        page = await response.json()
    assert page["step_id"] == "result"
    choice = {field["name"]: field for field in page["data_schema"]}["action"]
    assert choice["default"] == "finish"
    assert choice["selector"]["select"]["translation_key"] == "action"
    page = await post(f"flow/{page['flow_id']}", **FINISH)
    assert page["type"] == "create_entry"
    entry_id = page["result"]["entry_id"]
    page = await post("options/flow", handler=entry_id)
    assert page["menu_options"] == ["settings", "alarms", "zone_sheet", "scan_again"]
    page = await post(f"options/flow/{page['flow_id']}", next_step_id="settings")
    sections = {field["name"]: field for field in page["data_schema"]}
    assert sections["supervision"]["type"] == "expandable"
    hold = {field["name"]: field for field in sections["supervision"]["schema"]}[
        "hold_seconds"
    ]
    assert hold["default"] == 45
    assert hold["selector"]["number"]["max"] == 60


async def test_missing_ones_can_stay_out(hass: HomeAssistant) -> None:
    """The choice to add silent ones is the installer's."""
    async with fleet_at("127.1.1.2", absent=[2]) as fleet:
        page = await submit(hass, await start(hass), typed(fleet, "127.1.1.2-4"))
    page = await submit(hass, page, {**FINISH, site_dialogue.CONF_ADD_MISSING: False})
    assert [n.modules for n in nodes_from_entry(page["data"])] == [(1,), (3,)]


async def test_a_whole_network_adds_only_who_answers(hass: HomeAssistant) -> None:
    """Most addresses are no nodes at all: by default they stay out."""
    async with fleet_at("127.1.2.2") as fleet:
        page = await submit(hass, await start(hass), typed(fleet, "127.1.2.2-254"))
    assert fields(page)["add_missing"] is False
    assert "3 of 253 addresses" in read(page)
    assert "- `127.1.2.2-127.1.2.4` → 1-3" in read(page)
    assert "- `127.1.2.5-127.1.2.254`: Nothing listens on this port. Left out." in read(
        page
    )
    page = await submit(hass, page, FINISH)
    assert len(nodes_from_entry(page["data"])) == 3


async def test_scan_again_and_change_addresses(hass: HomeAssistant) -> None:
    """Nothing has to be typed twice."""
    async with fleet_at("127.1.3.2", absent=[3]) as fleet:
        page = await submit(hass, await start(hass), typed(fleet, "127.1.3.2-4"))
        assert "2 of 3 addresses" in read(page)
        fleet.node(3).up()
        page = await submit(hass, page, SCAN_AGAIN)
        assert "3 of 3 addresses" in read(page)
        assert site_dialogue.CONF_ADD_MISSING not in fields(page)
        page = await submit(hass, page, CHANGE)
        assert page["step_id"] == "user"
        assert not page["errors"]
        assert fields(page) == typed(fleet, "127.1.3.2-4", standby="")
        # As a browser does that is opened anew.
        page = await hass.config_entries.flow.async_configure(page["flow_id"])
        assert fields(page) == typed(fleet, "127.1.3.2-4", standby="")
        page = await submit(hass, page, typed(fleet, "127.1.3.2-3"))
    page = await submit(hass, page, FINISH)
    assert len(nodes_from_entry(page["data"])) == 2


async def test_nodes_that_do_not_know_their_number(hass: HomeAssistant) -> None:
    """Everybody says 01: the place decides, and the installer can say otherwise."""
    async with fleet_at("127.1.8.2", numbering=Numbering.LOCAL) as fleet:
        page = await submit(hass, await start(hass), typed(fleet, "127.1.8.2-4"))
    assert "numbered by the place of its address" in read(page)
    assert "- `127.1.8.2-127.1.8.4` → 1-3" in read(page)
    assert fields(page)[site_dialogue.CONF_NUMBERING] == "position"
    page = await submit(
        hass, page, {**FINISH, site_dialogue.CONF_NUMBERING: "reported"}
    )
    # Not saved: the new numbers are shown first.
    assert page["step_id"] == "result"
    assert "Several ESP32s claim the same module" in read(page)
    assert "- 1: `127.1.8.2-127.1.8.4`" in read(page)
    page = await submit(
        hass, page, {**FINISH, site_dialogue.CONF_NUMBERING: "position"}
    )
    assert "Several ESP32s" not in read(page)
    page = await submit(hass, page, FINISH)
    assert [(n.modules, n.offset) for n in nodes_from_entry(page["data"])] == [
        ((1,), 0),
        ((2,), 1),
        ((3,), 2),
    ]


async def test_a_bridge(hass: HomeAssistant) -> None:
    """One node with 63 modules: there is nothing to number."""
    async with fleet_at("127.1.10.2", 63, layout=Layout.BRIDGE) as fleet:
        page = await submit(hass, await start(hass), typed(fleet, "127.1.10.2-3"))
    assert "Layout: bridge" in read(page)
    assert "- `127.1.10.2` → 1-63" in read(page)
    assert "- `127.1.10.3`: Nothing listens on this port. Left out" in read(page)
    assert list(fields(page)) == [site_dialogue.CONF_ACTION]
    page = await submit(hass, page, FINISH)
    assert nodes_from_entry(page["data"]) == [
        node(1, "127.1.10.2", fleet.port, *range(1, 64))
    ]


async def test_standby_addresses(hass: HomeAssistant) -> None:
    """They are asked too, and stand in where a primary is silent."""
    async with (
        fleet_at("127.1.12.2", absent=[2]) as fleet,
        SimulatedFleet(
            count=3,
            port=fleet.port,
            first_address="127.1.13.2",
            cycle_seconds=0.1,
            absent=[3],
        ),
    ):
        page = await submit(
            hass,
            await start(hass),
            typed(fleet, "127.1.12.2-4", standby="127.1.13.2-4"),
        )
        text = read(page)
        assert "3 of 3 addresses" in text
        assert "Only the standby address of these answered:**\n\n- `127.1.12.3`" in text
        assert "- `127.1.13.4`: Nothing listens on this port." in text
        assert "carries other modules" not in text
        page = await submit(hass, page, CHANGE)
        page = await submit(
            hass,
            page,
            typed(fleet, "127.1.12.2-4", standby="127.1.13.3, 127.1.13.2, 127.1.13.4"),
        )
    assert "carries other modules than they do" in read(page)
    assert "- `127.1.12.2`" in read(page)
    page = await submit(hass, page, CHANGE)
    assert fields(page)[CONF_STANDBY] == "127.1.13.3, 127.1.13.2, 127.1.13.4"


async def test_the_report_speaks_the_language_of_the_server(
    hass: HomeAssistant,
) -> None:
    """Sentences that come from the server are translated there."""
    hass.config.language = "id"
    async with fleet_at("127.1.14.2", absent=[2]) as fleet:
        page = await submit(hass, await start(hass), typed(fleet, "127.1.14.2-4"))
    placeholders = page["description_placeholders"]
    assert placeholders is not None
    assert "Tata letak: tersebar" in placeholders["report"]
    assert "`127.1.14.3`: Tidak ada layanan pada port ini." in placeholders["report"]


async def test_closing_the_dialogue_ends_the_scan(hass: HomeAssistant) -> None:
    """Nobody keeps a client slot of a node for a scan nobody waits for."""
    async with fleet_at("127.1.15.2") as fleet:
        for one in fleet.nodes:
            one.fault(Fault.SILENT)
        page = await start(hass)
        page = await hass.config_entries.flow.async_configure(
            page["flow_id"], typed(fleet, "127.1.15.2-4")
        )
        assert page["type"] is FlowResultType.SHOW_PROGRESS
        hass.config_entries.flow.async_abort(page["flow_id"])
        await hass.async_block_till_done()
        assert fleet.clients == 0
