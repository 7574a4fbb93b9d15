"""The sheet of zones as actions: for a site whose configuration lives in a repository."""

import json
from pathlib import Path
from typing import Any

from awesomeversion import AwesomeVersion
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import __version__ as HOME_ASSISTANT
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockUser,
    async_capture_events,
)
import voluptuous as vol
import yaml

from custom_components.esp32_fire_alarm import sheet_services
from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.events import EVENT_FIRE_ALARM
from custom_components.esp32_fire_alarm.sheet import parse_sheet

from .running_site import RunningSite, bridge, frame, node, set_up

FOLDER = Path(sheet_services.__file__).parent
SHEET = "zone,name,area,device_class,enabled\n1,Kitchen,Hall,heat,yes\n2,Lobby,Hall,mcp,yes\n"

pytestmark = pytest.mark.usefixtures("loopback")


async def call(hass: HomeAssistant, action: str, **data: Any) -> dict[str, Any]:
    """Call an action and return its response, which has to be JSON."""
    response = await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )
    assert isinstance(response, dict)
    assert json.loads(json.dumps(response)) == response
    return response


def name_of(site: RunningSite, zone: int) -> str | None:
    """Return the name a user or a sheet gave a zone."""
    entity = er.async_get(site.hass).async_get(site.zone(zone).entity_id)
    assert entity is not None
    return entity.name


async def test_what_people_see_of_a_name(hass: HomeAssistant) -> None:
    """The zone's own name in events; the device in front only where all have it."""
    site = await set_up(hass, node(1))
    await call(hass, "import_zones", sheet="1,Kitchen,Hall\n2,Lobby\n")
    registry = er.async_get(hass)
    shown = [
        er.async_get_full_entity_name(
            hass, registry.entities[site.zone(zone).entity_id]
        )
        for zone in (1, 2)
    ]
    # Until 2026.10 what a user called an entity was its full name.
    is_composed = AwesomeVersion(HOME_ASSISTANT) >= "2026.11.0b0"
    assert shown == ["Kitchen", "Node 1 Lobby" if is_composed else "Lobby"]
    assert site.zone(1).name == ("Node 1 Kitchen" if is_composed else "Kitchen")
    told = async_capture_events(hass, EVENT_FIRE_ALARM)
    await site.feed(1, frame("010000"), frame("010003"))
    assert [
        event.data["zone_name"] for event in told if event.data["type"] == "alarm"
    ] == ["Kitchen", "Lobby"]


async def test_deploying_from_a_repository(hass: HomeAssistant) -> None:
    """Look, apply, apply again without an effect, and export the same."""
    site = await set_up(hass, node(1))
    looked = await call(hass, "import_zones", sheet=SHEET, dry_run=True)
    assert looked["applied"] is False
    assert looked["new_areas"] == ["Hall"]
    assert looked["changes"] == [
        {
            "zone": 1,
            "before": {
                "name": "",
                "area": "",
                "device_class": "smoke",
                "enabled": True,
            },
            "after": {"name": "Kitchen", "area": "Hall", "device_class": "heat"},
        },
        {
            "zone": 2,
            "before": {
                "name": "",
                "area": "",
                "device_class": "smoke",
                "enabled": True,
            },
            "after": {
                "name": "Lobby",
                "area": "Hall",
                "device_class": "manual_call_point",
            },
        },
    ]
    assert name_of(site, 1) is None
    applied = await call(hass, "import_zones", sheet=SHEET)
    assert applied == looked | {"applied": True}
    await site.settle()
    assert name_of(site, 1) == "Kitchen"
    again = await call(hass, "import_zones", sheet=SHEET)
    assert again["applied"] is True
    assert not again["changes"]
    exported = await call(hass, "export_zones", config_entry_id=site.entry.entry_id)
    assert exported["sheet"] == (
        "zone,name,area,device_class,enabled\n"
        "1,Kitchen,Hall,heat,yes\n"
        "2,Lobby,Hall,manual_call_point,yes\n"
        "3,,,smoke,yes\n4,,,smoke,yes\n5,,,smoke,yes\n"
    )
    assert not (await call(hass, "import_zones", sheet=exported["sheet"]))["changes"]


async def test_a_list_of_zones(hass: HomeAssistant) -> None:
    """As YAML has it; and without anybody reading the response."""
    site = await set_up(hass, node(1))
    rows = yaml.safe_load(
        "- {zone: 1, name: Kitchen, enabled: true, device_class: gas}\n"
        "- {zone: 2, name: 17, enabled: no}\n"
        "- {zone: 99, name: Yard, floor: 3}\n"
    )
    looked = await call(hass, "import_zones", sheet=rows, dry_run=True)
    assert looked["left_out"] == [99]
    assert looked["ignored_columns"] == ["floor"]
    await hass.services.async_call(
        DOMAIN, "import_zones", {"sheet": rows}, blocking=True
    )
    await site.settle()
    assert name_of(site, 1) == "Kitchen"
    exported = await call(hass, "export_zones")
    first, second, *_ = parse_sheet(exported["sheet"]).rows
    assert first.kind == "gas"
    assert (second.name, second.enabled) == ("17", False)


async def test_errors_change_nothing(hass: HomeAssistant) -> None:
    """They are returned to who asks, raised for who does not, and can be mended."""
    site = await set_up(hass, node(1))
    bad = "1,Kitchen,,laser\n400,Hall"
    answer = await call(hass, "import_zones", sheet=bad)
    assert answer["applied"] is False
    assert answer["errors"] == [
        {
            "line": 1,
            "column": "device_class",
            "fault": "kind_unknown",
            "value": "laser",
            "message": "Line 1, device class: `laser` is no device class. "
            "Write smoke, heat, manual call point or gas.",
        },
        {
            "line": 2,
            "column": "zone",
            "fault": "zone_invalid",
            "value": "400",
            "message": "Line 2, zone: `400` is no zone. Write a number from 1 to 315.",
        },
    ]
    assert (await call(hass, "import_zones", sheet=[]))["errors"][0] == {
        "line": 0,
        "column": None,
        "fault": "empty",
        "value": "",
        "message": "There is no line of a zone. "
        "Paste at least one line that begins with a zone's number.",
    }
    with pytest.raises(ServiceValidationError, match=r"errors \(2\).*`laser`"):
        await hass.services.async_call(
            DOMAIN, "import_zones", {"sheet": bad}, blocking=True
        )
    assert name_of(site, 1) is None
    await hass.services.async_call(
        DOMAIN, "import_zones", {"sheet": "1,Kitchen,,gas"}, blocking=True
    )
    assert name_of(site, 1) == "Kitchen"


@pytest.mark.parametrize("sheet", [17, [17], [{"zone": [1]}], None])
async def test_what_is_no_sheet(hass: HomeAssistant, sheet: Any) -> None:
    await set_up(hass, node(1))
    with pytest.raises(vol.Invalid):
        await call(hass, "import_zones", sheet=sheet)


async def test_which_site(hass: HomeAssistant) -> None:
    """Of several sites one must be named; it must exist and run."""
    one = await set_up(hass, node(1), title="One", site_id="one")
    two = await set_up(hass, bridge(), title="Two", site_id="two")
    with pytest.raises(ServiceValidationError):
        await call(hass, "export_zones")
    exported = await call(hass, "export_zones", config_entry_id=two.entry.entry_id)
    assert len(parse_sheet(exported["sheet"]).rows) == 315
    await call(
        hass, "import_zones", sheet="1,Kitchen", config_entry_id=one.entry.entry_id
    )
    assert name_of(one, 1) == "Kitchen"
    assert name_of(two, 1) is None
    with pytest.raises(ServiceValidationError):
        await call(hass, "export_zones", config_entry_id="nobody")
    await two.remove()
    assert two.entry.state is ConfigEntryState.NOT_LOADED
    with pytest.raises(ServiceValidationError):
        await call(hass, "export_zones", config_entry_id=two.entry.entry_id)


async def test_only_administrators(
    hass: HomeAssistant, hass_read_only_user: MockUser
) -> None:
    await set_up(hass, node(1))
    for action, data in (("import_zones", {"sheet": SHEET}), ("export_zones", {})):
        with pytest.raises(Unauthorized):
            await hass.services.async_call(
                DOMAIN,
                action,
                data,
                blocking=True,
                return_response=True,
                context=Context(user_id=hass_read_only_user.id),
            )


async def test_registered_without_any_site(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    assert hass.services.has_service(DOMAIN, "import_zones")
    with pytest.raises(ServiceValidationError):
        await call(hass, "export_zones")


@pytest.mark.parametrize("language", ["en", "id"])
def test_actions_are_described(language: str) -> None:
    """In services.yaml, with an icon, and in both languages."""
    described = yaml.safe_load((FOLDER / "services.yaml").read_text("utf-8"))
    icons = json.loads((FOLDER / "icons.json").read_text("utf-8"))["services"]
    words = json.loads((FOLDER / f"translations/{language}.json").read_text("utf-8"))
    for action in ("import_zones", "export_zones"):
        assert icons[action]["service"].startswith("mdi:")
        fields = described[action]["fields"].keys()
        assert words["services"][action]["fields"].keys() == fields
        for text in words["services"][action]["fields"].values():
            assert text.keys() == {"name", "description"}
