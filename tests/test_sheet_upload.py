"""A sheet of zones on its ways in: pasted by hand, as a file, through the browser."""

from io import BytesIO
from pathlib import Path
from typing import Any

from aiohttp import FormData
from homeassistant.const import STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp32_fire_alarm import zone_names
from custom_components.esp32_fire_alarm.sheet import SheetRow, format_sheet
from custom_components.esp32_fire_alarm.sheet_words import ZoneKind
from sim.fleet import SimulatedFleet

from .running_site import (
    bridge,
    distributed,
    node,
    set_up,
    until,
)
from .sheet_dialogue import Options, entity

pytestmark = pytest.mark.usefixtures("loopback")


async def test_no_link_is_made_anew_for_a_name(hass: HomeAssistant) -> None:
    """315 names, areas and kinds, while a zone is in alarm: not one reconnect."""
    async with SimulatedFleet(count=5, port=0, cycle_seconds=0.2) as fleet:
        site = await set_up(
            hass, *(node(number, port=fleet.port) for number in range(1, 6))
        )
        await until(lambda: site.engine.summary.nodes_connected == 5, 10)
        fleet.alarm(17)
        await until(lambda: site.zone(17).state == STATE_ON, 5)
        engine, handshakes = site.engine, fleet.meter.handshakes_total
        options = Options(site)
        await options.paste(
            format_sheet(
                SheetRow(
                    zone, f"Room {zone}", f"Floor {zone % 3}", ZoneKind.HEAT, zone != 9
                )
                for zone in range(1, 26)
            )
        )
        await options.apply()
        await site.settle()
        fleet.clear(17)
        await until(lambda: site.zone(17).state != STATE_ON, 5)
        assert site.zone(17).name.endswith("Room 17")
        assert site.engine is engine
        assert fleet.meter.handshakes_total == handshakes == 5
        assert STATE_UNAVAILABLE not in {site.zone(zone).state for zone in (1, 17, 25)}


async def test_315_zones_do_not_keep_an_alarm_waiting(hass: HomeAssistant) -> None:
    """The whole sheet is applied a few zones per turn of the event loop."""
    site = await set_up(hass, *distributed())
    rows = [
        SheetRow(zone, f"Room {zone}", f"Floor {zone % 9}", ZoneKind.HEAT)
        for zone in range(1, 316)
    ]
    changes = [0]

    @callback
    def count(event: Event[Any]) -> None:
        if not changes[-1]:
            hass.loop.call_soon(changes.append, 0)
        changes[-1] += 1

    hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, count)
    plan = await zone_names.async_apply(hass, site.entry, rows)
    assert len(plan.changes) == 315
    assert sum(changes) >= 2 * 315
    assert max(changes) <= 4 * zone_names.ZONES_PER_TURN


# Files.


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep uploaded files in the test's own folder."""
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    return tmp_path


async def upload(client: Any, data: bytes) -> str:
    """Upload a file as the browser does."""
    form = FormData()
    form.add_field("file", BytesIO(data), filename="zones.csv")
    response = await client.post("/api/file_upload", data=form)
    assert response.status == 200
    file_id = (await response.json())["file_id"]
    assert isinstance(file_id, str)
    return file_id


async def test_a_file(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, uploads: Path
) -> None:
    """A CSV file takes the text's place; what is none can be replaced by one that is."""
    site = await set_up(hass, bridge())
    client = await hass_client()
    options = Options(site)
    await options.open()
    page = await options.submit(
        {"sheet": "1,Pasted", "file": await upload(client, b"PK\x03\x04\x00")}
    )
    assert page["errors"] == {"file": "file_no_text"}
    assert "Save it as CSV" in options.text
    assert options.sheet == "1,Pasted"
    file_id = await upload(client, b"1,A\n" * 300_000)
    page = await options.submit({"sheet": "", "file": file_id})
    assert page["errors"] == {"file": "file_too_big"}
    page = await options.submit({"sheet": "", "file": file_id})
    assert page["errors"] == {"file": "file_gone"}
    assert "Choose it again" in options.text
    file_id = await upload(client, "zona;nama\n2;Küche\n".encode("cp1252"))
    page = await options.submit({"sheet": "1,Pasted", "file": file_id})
    assert page["step_id"] == "sheet_preview"
    assert "- 2: default name → `Küche`" in options.text
    await options.apply()
    assert entity(site, "zone_2").name == "Küche"
    assert entity(site, "zone_1").name is None
    assert not list(uploads.glob("*/*"))


async def test_as_the_browser_gets_it(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """Menus and forms survive the way through Home Assistant's own web interface."""
    assert await async_setup_component(hass, "config", {})
    site = await set_up(hass, node(1))
    client = await hass_client()

    async def post(url: str, **body: Any) -> dict[str, Any]:
        response = await client.post(
            f"/api/config/config_entries/options/{url}", json=body
        )
        assert response.status == 200, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer

    page = await post("flow", handler=site.entry.entry_id)
    assert page["type"] == "menu"
    page = await post(f"flow/{page['flow_id']}", next_step_id="zone_sheet")
    kinds = {field["name"]: field["selector"] for field in page["data_schema"]}
    assert kinds["sheet"]["text"]["multiline"] is True
    assert ".csv" in kinds["file"]["file"]["accept"]
    page = await post(f"flow/{page['flow_id']}", sheet="1,Kitchen")
    (field,) = page["data_schema"]
    assert field["selector"]["select"]["options"] == ["apply", "back"]
    page = await post(f"flow/{page['flow_id']}", sheet_action="apply")
    assert page["reason"] == "sheet_applied"
    assert site.zone(1).name.endswith("Kitchen")


async def test_the_report_speaks_the_language_of_the_server(
    hass: HomeAssistant,
) -> None:
    hass.config.language = "id"
    site = await set_up(hass, node(1))
    options = Options(site)
    page = await options.paste("zona,jenis\n1,laser")
    assert page["description_placeholders"] is not None
    assert (
        "Baris 2, kelas perangkat: `laser` bukan"
        in page["description_placeholders"]["report"]
    )
    # The default name is that of the language, so this changes nothing.
    assert site.zone(1).name.endswith("Zona 1")
    page = await options.submit({"sheet": "zona,nama\n1,Zona 1"})
    assert page["errors"] == {"base": "sheet_same"}
