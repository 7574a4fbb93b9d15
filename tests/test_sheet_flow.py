"""Names and areas of all zones at once: looked at first, then applied to the registries."""

from typing import Any

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
import pytest

from custom_components.esp32_fire_alarm import zone_names
from custom_components.esp32_fire_alarm.sheet import SheetRow, format_sheet, parse_sheet
from custom_components.esp32_fire_alarm.sheet_words import ZoneKind

from .running_site import (
    node,
    set_up,
)
from .sheet_dialogue import Options, entity

pytestmark = pytest.mark.usefixtures("loopback")


def area_name(hass: HomeAssistant, area_id: str | None) -> str | None:
    """Return the name of an area."""
    area = ar.async_get(hass).async_get_area(area_id) if area_id else None
    return area.name if area else None


async def test_rename_move_and_classify(hass: HomeAssistant) -> None:
    """From the menu to the registries, with a look in between."""
    site = await set_up(hass, node(1), node(2), node(3))
    ar.async_get(hass).async_create("Ground floor")
    options = Options(site)
    page = await options.open()
    assert page["step_id"] == "zone_sheet"
    assert not page["errors"]
    assert options.text
    assert options.sheet.startswith(
        "zone\tname\tarea\tdevice_class\tenabled\n1\t\t\tsmoke\tyes\n"
    )
    assert len(options.sheet.splitlines()) == 16
    page = await options.submit(
        {
            "sheet": "zone;name;area;class;enabled;floor\n"
            "1;Kitchen;ground FLOOR;heat;yes;0\n"
            "2;Zone 2;Lobby;mcp;yes;0\n"
            "3;=Gas `room`;lobby;gas;;0\n"
            "15;;;;no;0\n"
            "16;Not there;;;;\n"
            "315;Not there;;;;\n"
        }
    )
    assert page["step_id"] == "sheet_preview"
    text = options.text
    assert "- Names: 2\n" in text
    assert "- Areas of zones: 3\n" in text
    assert "- Device classes: 3\n" in text
    assert "- New areas: 1 (`Lobby`)" in text
    assert "Warning: zones 15 would be disabled" in text
    assert "would be enabled" not in text
    assert "Zones 1, 3 would no longer count as smoke" in text
    assert "Zones 16, 315 are not part of this site" in text
    assert "mean nothing here: `floor`" in text
    assert (
        "- 1: default name → `Kitchen`, area none → `ground FLOOR`, smoke → heat\n"
        in text
    )
    assert "- 2: area none → `Lobby`, smoke → manual call point\n" in text
    assert "- 3: default name → `=Gas 'room'`" in text
    assert "- 15: disabled" in text
    # Nothing has changed, and a browser may be opened anew.
    assert entity(site, "zone_1").name is None
    assert [area.name for area in ar.async_get(hass).async_list_areas()] == [
        "Ground floor"
    ]
    assert (await options.submit())["step_id"] == "sheet_preview"
    page = await options.apply()
    assert page["type"] is FlowResultType.ABORT
    assert options.text == "4 zones were changed."
    await site.settle()
    one, two, three = (entity(site, f"zone_{zone}") for zone in (1, 2, 3))
    assert (one.name, two.name, three.name) == ("Kitchen", None, "=Gas `room`")
    assert (one.device_class, two.device_class, three.device_class) == (
        "heat",
        None,
        "gas",
    )
    assert area_name(hass, one.area_id) == "Ground floor"
    assert two.area_id == three.area_id
    assert area_name(hass, two.area_id) == "Lobby"
    assert entity(site, "zone_15").disabled_by is er.RegistryEntryDisabler.USER
    assert site.zone(1).name.endswith("Kitchen")
    assert site.zone(1).attributes["device_class"] == "heat"
    assert site.zone(3).attributes["device_class"] == "gas"
    assert hass.states.get(entity(site, "zone_15").entity_id) is None
    # Its trouble sensor goes with the zone.
    assert entity(site, "zone_1_trouble").area_id == one.area_id
    assert entity(site, "zone_1_trouble").name is None


async def test_back_to_the_sheet(hass: HomeAssistant) -> None:
    """What was pasted is still there."""
    options = Options(await set_up(hass, node(1)))
    await options.paste("1,Kitchen")
    page = await options.submit({"sheet_action": "back"})
    assert page["step_id"] == "zone_sheet"
    assert not page["errors"]
    assert options.sheet == "1,Kitchen"
    await options.submit({"sheet": "1,Cellar"})
    assert "`Cellar`" in options.text


async def test_there_and_back_exactly(hass: HomeAssistant) -> None:
    """Applying what was exported changes nothing; clearing gives the defaults back."""
    site = await set_up(hass, node(1), node(2))
    rows = [
        SheetRow(1, "Kitchen", "Hall", ZoneKind.HEAT, True),
        SheetRow(2, "'-quoted\", odd", "", ZoneKind.MANUAL_CALL_POINT, True),
        SheetRow(3, "", "Hall", ZoneKind.GAS, False),
        *(
            SheetRow(zone, f"Room {zone}", "", ZoneKind.SMOKE, True)
            for zone in range(4, 11)
        ),
    ]
    options = Options(site)
    await options.paste(format_sheet(rows))
    await options.apply()
    await site.settle()
    await options.open()
    assert parse_sheet(options.sheet).rows == tuple(rows)
    page = await options.submit({"sheet": options.sheet})
    assert page["errors"] == {"base": "sheet_same"}
    assert "changes nothing" in options.text
    await options.submit(
        {"sheet": "zone,name,area,class\n1,,,smoke\n2,Zone 2,,smoke\n3,,,smoke\n"}
    )
    assert "- Device classes: 3" in options.text
    assert (
        "- 1: `Kitchen` → default name, area `Hall` → none, heat → smoke\n"
        in options.text
    )
    await options.apply()
    for zone in (1, 2, 3):
        changed = entity(site, f"zone_{zone}")
        assert (changed.name, changed.area_id, changed.device_class) == (
            None,
            None,
            None,
        )


async def test_errors_in_lines_change_nothing(hass: HomeAssistant) -> None:
    """All errors are shown, the text stays, and correcting it goes on."""
    site = await set_up(hass, node(1))
    options = Options(site)
    page = await options.paste("zone,name,class\n1,Kitchen,laser\n400,Hall,\n2,`A`,`b`")
    assert page["type"] is FlowResultType.FORM
    assert page["errors"] == {"base": "sheet_errors"}
    assert (
        "- Line 2, device class: `laser` is no device class. Write smoke,"
        in options.text
    )
    assert "- Line 3, zone: `400` is no zone." in options.text
    assert "- Line 4, device class: `'b'` is no" in options.text
    assert options.sheet.endswith("400,Hall,\n2,`A`,`b`")
    assert entity(site, "zone_1").name is None
    page = await options.submit({})
    assert "There is no line of a zone" in options.text
    page = await options.submit({"sheet": "zone,name,,\n1,A,B,C,D,E"})
    assert "- Line 2: There are more cells than columns: `D E`" in options.text
    page = await options.submit(
        {"sheet": "\n".join(f"{n},A,,laser" for n in range(1, 51))}
    )
    assert "- Line 40," in options.text
    assert "- Line 41," not in options.text
    assert "- … and 10 more" in options.text
    page = await options.submit({"sheet": "1,Kitchen"})
    assert page["step_id"] == "sheet_preview"
    await options.apply()
    assert entity(site, "zone_1").name == "Kitchen"


async def test_what_the_user_changed_meanwhile(hass: HomeAssistant) -> None:
    """The sheet shows what the user's own clicks did; a device class of theirs stays."""
    site = await set_up(hass, node(1))
    registry = er.async_get(hass)
    registry.async_update_entity(
        site.entity_id("binary_sensor", "zone_1"), device_class="heat", name="Zone 1"
    )
    registry.async_update_entity(
        site.entity_id("binary_sensor", "zone_2"),
        device_class="safety",
        name=" Store\n 2",
    )
    options = Options(site)
    await options.open()
    rows = parse_sheet(options.sheet).rows
    assert rows[0] == SheetRow(1, "", "", ZoneKind.HEAT, True)
    assert rows[1] == SheetRow(2, "Store 2", "", ZoneKind.SMOKE, True)
    page = await options.submit({"sheet": options.sheet})
    assert page["errors"] == {"base": "sheet_same"}
    assert entity(site, "zone_2").device_class == "safety"


async def test_switching_zones_on_again(hass: HomeAssistant) -> None:
    """The preview says that Home Assistant reloads; a disabled device says no."""
    site = await set_up(hass, node(1), node(2))
    options = Options(site)
    await options.paste("1,,,,no\n2,,,,no")
    assert "Warning: zones 1-2 would be disabled" in options.text
    await options.apply()
    await options.paste("1,,,,no\n2,,,,yes")
    assert "Zones 2 would be enabled. Half a minute later" in options.text
    assert "would be disabled" not in options.text
    await options.apply()
    assert entity(site, "zone_2").disabled_by is None
    device_id = entity(site, "zone_6").device_id
    assert device_id is not None
    dr.async_get(hass).async_update_device(
        device_id, disabled_by=dr.DeviceEntryDisabler.USER
    )
    await site.settle()
    page = await options.paste("6,Kitchen,,,yes")
    assert "Zones 6 cannot be enabled here, since their device" in options.text
    assert "- 6: default name → `Kitchen`" in options.text
    await options.apply()
    assert entity(site, "zone_6").name == "Kitchen"
    assert entity(site, "zone_6").disabled_by is er.RegistryEntryDisabler.DEVICE
    page = await options.paste("6,,,,yes")
    assert page["step_id"] == "sheet_preview"


async def test_devices_follow_their_zones_to_an_area(hass: HomeAssistant) -> None:
    """An ESP32 or module whose zones share an area gets it too, if it has none."""
    site = await set_up(hass, node(1), node(2), node(3, 3, 4, 5))
    devices = dr.async_get(hass)
    second = entity(site, "zone_6").device_id
    assert second is not None
    own = ar.async_get(hass).async_create("Own")
    devices.async_update_device(second, area_id=own.id)
    options = Options(site)
    sheet = "zone,area\n" + "".join(
        f"{zone},{'Tower' if zone != 24 else 'Yard'}\n" for zone in range(1, 26)
    )
    await options.paste(sheet)
    assert "get the area all their zones share: 3" in options.text
    assert "- New areas: 2 (`Tower`, `Yard`)" in options.text
    await options.apply()

    def area_of(zone: int) -> str | None:
        device = devices.async_get(entity(site, f"zone_{zone}").device_id or "")
        assert device is not None
        return area_name(hass, device.area_id)

    # Zones 1-5 and 6-10 are an ESP32 each, 11-25 the three modules of another.
    assert [area_of(zone) for zone in (1, 6, 11, 16, 21)] == [
        "Tower",
        "Own",
        "Tower",
        "Tower",
        None,
    ]
    # Who clears a device's area is not overruled by the same sheet.
    first = entity(site, "zone_1").device_id
    assert first is not None
    devices.async_update_device(first, area_id=None)
    page = await options.paste(sheet)
    assert page["errors"] == {"base": "sheet_same"}


async def test_a_zone_that_went_meanwhile(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Applying goes in steps; what is removed between two of them is left alone."""
    monkeypatch.setattr(zone_names, "ZONES_PER_TURN", 1)
    site = await set_up(hass, node(1))
    registry = er.async_get(hass)
    gone = [entity(site, key).entity_id for key in ("zone_2", "zone_3_trouble")]

    @callback
    def remove(event: Event[Any]) -> None:
        for entity_id in gone:
            if registry.async_get(entity_id) is not None:
                registry.async_remove(entity_id)

    hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, remove)
    rows = [SheetRow(zone, f"Room {zone}", "Hall") for zone in (1, 2, 3)]
    await zone_names.async_apply(hass, site.entry, rows)
    assert entity(site, "zone_3").name == "Room 3"
    assert not any(map(registry.async_get, gone))
    assert len(zone_names.async_present_rows(hass, site.entry)) == 4
