"""How alarms are treated, changed in the options of a site that runs."""

import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import Event, HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.esp32_fire_alarm import alarm_flow
from custom_components.esp32_fire_alarm.events import EVENT_FIRE_ALARM
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.zone_ranges import ZonesError, parse_zones
from sim.fleet import SimulatedFleet

from .running_site import ALARM_LED, RunningSite, frame, node, set_up, until

FOLDER = Path(alarm_flow.__file__).parent / "translations"
WORDS: dict[str, Any] = json.loads((FOLDER / "en.json").read_text("utf-8"))["options"]

pytestmark = pytest.mark.usefixtures("loopback")


class Alarms:
    """The page about alarms in the options of a site."""

    def __init__(self, site: RunningSite) -> None:
        """Look at a site's options."""
        self.site = site
        self.options = site.hass.config_entries.options
        self.page: ConfigFlowResult

    async def open(self) -> None:
        """Open the page."""
        self.page = await self.options.async_init(self.site.entry.entry_id)
        await self.choose("alarms")

    async def choose(self, step: str) -> None:
        """Choose an entry of a menu."""
        assert step in self.page["menu_options"]
        await self.submit({"next_step_id": step})

    async def submit(self, values: dict[str, Any]) -> None:
        """Submit a page."""
        self.page = await self.options.async_configure(self.page["flow_id"], values)

    async def type_group(self, name: str, zones: str, delay_seconds: int = 60) -> None:
        """Submit the form of a group."""
        await self.submit(
            {
                "name": name,
                "zones": zones,
                "single_alarm": {"delay_seconds": delay_seconds},
            }
        )

    async def add(self, name: str, zones: str, delay_seconds: int = 60) -> None:
        """Add a group."""
        await self.choose("group_add")
        await self.type_group(name, zones, delay_seconds)

    @property
    def errors(self) -> list[str]:
        """What the page says is wrong, in English."""
        placeholders = self.page["description_placeholders"]
        assert placeholders is not None
        return [
            f"{field}: {WORDS['error'][key].format(**placeholders)}"
            for field, key in (self.page.get("errors") or {}).items()
        ]

    @property
    def text(self) -> str:
        """All that the page says, in English."""
        step = WORDS["step"][self.page["step_id"]]
        texts = [step["title"], step["description"]]
        if self.page["type"] is FlowResultType.MENU:
            for words in (step["menu_options"], step["menu_option_descriptions"]):
                assert isinstance(self.page["menu_options"], list)
                texts += [words[option] for option in self.page["menu_options"]]
        placeholders = self.page.get("description_placeholders") or {}
        return "\n".join(texts).format(**placeholders)

    @property
    def filled_in(self) -> dict[str, Any]:
        """What the form of a group is filled with."""
        schema = self.page["data_schema"]
        assert schema is not None
        single = schema.schema["single_alarm"].schema.schema
        return {
            str(field): (field.description or {}).get("suggested_value")
            for field in [*schema.schema, *single]
            if str(field) != "single_alarm"
        }


@pytest.fixture
async def alarms(hass: HomeAssistant) -> Alarms:
    """Open the page of a site with the zones 1-10."""
    page = Alarms(await set_up(hass, node(1), node(2)))
    await page.open()
    return page


def groups(alarms: Alarms) -> list[tuple[str, list[int], int]]:
    """Return the groups that the entry has."""
    return [
        (one["name"], one["zones"], one["delay_seconds"])
        for one in alarms.site.entry.options.get("confirmation_groups", [])
    ]


async def test_groups_are_added_changed_and_removed(alarms: Alarms) -> None:
    """Each is kept as soon as it is submitted."""
    assert alarms.page["menu_options"] == ["latch", "group_add", "alarms_done"]
    assert alarms.text.count("–") == 1
    await alarms.add(" Server  room ", "7, 1-3", 30)
    assert groups(alarms) == [("Server room", [1, 2, 3, 7], 30)]
    assert "- `Server room`: 1-3, 7 (30 s)" in alarms.text
    await alarms.choose("group_edit")
    # The only one needs not be picked.
    assert alarms.filled_in == {
        "name": "Server room",
        "zones": "1-3, 7",
        "delay_seconds": 30,
    }
    await alarms.type_group("Server room", "1-2", 0)
    await alarms.add("Hall", "4-5")
    assert groups(alarms) == [("Server room", [1, 2], 0), ("Hall", [4, 5], 60)]
    await alarms.choose("group_edit")
    assert alarms.text
    await alarms.submit({"group": "Hall"})
    await alarms.type_group("Great hall", "3-5", 600)
    assert groups(alarms) == [
        ("Server room", [1, 2], 0),
        ("Great hall", [3, 4, 5], 600),
    ]
    await alarms.choose("group_remove")
    assert alarms.text
    await alarms.submit({"groups": []})
    assert len(groups(alarms)) == 2
    await alarms.choose("group_remove")
    await alarms.submit({"groups": ["Server room"]})
    assert groups(alarms) == [("Great hall", [3, 4, 5], 600)]
    await alarms.choose("alarms_done")
    assert alarms.page["type"] is FlowResultType.CREATE_ENTRY
    assert len(groups(alarms)) == 1


@pytest.mark.parametrize(
    ("name", "zones", "error"),
    [
        ("", "3-4", "name: Type a name."),
        ("  ", "3-4", "name: Type a name."),
        ("x" * 101, "3-4", "name: The name is too long. Use at most 100 characters."),
        ("HALL", "3-4", "name: There is a group HALL already. Type another name."),
        (
            "Attic",
            "",
            "zones: “” is not a zone. Type numbers and ranges like 17, 20-25.",
        ),
        (
            "Attic",
            "3, 4a",
            "zones: “4a” is not a zone. Type numbers and ranges like 17, 20-25.",
        ),
        ("Attic", "4-3", "zones: 4-3 runs backwards. Type the lower number first."),
        (
            "Attic",
            "3-4, 11-12, 40",
            "zones: The site has no zone 11-12, 40. Remove it; the zones are 1-10.",
        ),
        (
            "Attic",
            "3-4, 0",
            "zones: The site has no zone 0. Remove it; the zones are 1-10.",
        ),
        (
            "Attic",
            "3-999999999",
            "zones: The site has no zone 3-999999999. Remove it; the zones are 1-10.",
        ),
        (
            "Attic",
            "3, 3",
            "zones: One zone alone has none to confirm it. Type two zones or more.",
        ),
        (
            "Attic",
            "2-4, 1",
            (
                "zones: Zone 1-2 is in the group Hall already, and its alarm would be "
                "confirmed twice. Remove it here, or there first."
            ),
        ),
        (
            "Attic",
            "3, 4" * 600,
            (
                "zones: This is longer than a list of all zones. "
                "Type numbers and ranges like 17, 20-25."
            ),
        ),
    ],
)
async def test_what_can_be_no_group(
    alarms: Alarms, name: str, zones: str, error: str
) -> None:
    """The error names field and fix, and nothing that was typed is lost."""
    await alarms.add("Hall", "1-2")
    await alarms.add(name, zones, 45)
    assert alarms.errors == [error]
    assert alarms.filled_in == {"name": name, "zones": zones, "delay_seconds": 45}
    await alarms.type_group("Attic", "3-4", 45)
    assert groups(alarms) == [("Hall", [1, 2], 60), ("Attic", [3, 4], 45)]


async def test_no_delay_beyond_ten_minutes(alarms: Alarms) -> None:
    await alarms.choose("group_add")
    for seconds in (-1, 601):
        with pytest.raises(InvalidData):
            await alarms.type_group("Hall", "1-2", seconds)
    await alarms.type_group("Hall", "1-2", 600)
    assert groups(alarms) == [("Hall", [1, 2], 600)]


async def test_a_site_that_does_not_run(alarms: Alarms) -> None:
    """Its zones are those of its configuration."""
    await alarms.site.remove()
    await alarms.add("Hall", "9-10")
    assert groups(alarms) == [("Hall", [9, 10], 60)]


async def test_zones_that_a_bridge_found(hass: HomeAssistant) -> None:
    site = await set_up(hass, NodeConfig(1, DeviceAddress("127.0.0.2", 1), (1,)))
    await site.feed(1, frame("010000", "040000"))
    alarms = Alarms(site)
    await alarms.open()
    await alarms.add("Hall", "1, 20")
    assert groups(alarms) == [("Hall", [1, 20], 60)]


def test_zones_as_people_type_them() -> None:
    """Also with the dashes and blanks of a word processor."""
    known = range(1, 316)
    expected = {1, 2, 3, 17, 20}
    for text in ("1-3,17,20", " 17 ; 20\n1 - 3, ", "1–3 17 20,,17", "3 2 1 17 20"):
        assert parse_zones(text, known) == expected
    assert parse_zones("1-315", known) == set(known)
    for text in ("-3", "1-2-3", "٣", "1.5", "#1", "1" * 12):
        with pytest.raises(ZonesError) as caught:
            parse_zones(text, known)
        assert caught.value.key == "zones_syntax"


def kinds(told: list[Event[Any]]) -> list[str]:
    """Return what the site told of."""
    return [event.data["type"] for event in told]


async def test_nothing_is_lost_by_other_options(hass: HomeAssistant) -> None:
    """No link, no latched alarm and no event, whatever is chosen meanwhile."""
    async with SimulatedFleet(
        count=3, port=0, cycle_seconds=0.1, latching=True
    ) as fleet:
        site = await set_up(
            hass, *(node(number, port=fleet.port) for number in (1, 2, 3))
        )
        await until(lambda: site.engine.summary.nodes_connected == 3, 8)
        told = async_capture_events(hass, EVENT_FIRE_ALARM)
        fleet.alarm(2)
        await until(lambda: site.zone(2).state == STATE_ON, 3)
        # The detector is normal again, and the panel waits for its reset.
        fleet.clear(2)
        await until(lambda: not site.engine.truth.zones[2].live, 3)
        engine = site.engine
        handshakes = fleet.meter.handshakes_total
        alarms = Alarms(site)
        await alarms.open()
        await alarms.add("Hall", "2-3", 0)
        await until(lambda: "confirmed_alarm" in kinds(told), 3)
        for latch in ("none", "home_assistant", "panel", "none"):
            await alarms.choose("latch")
            assert alarms.text
            await alarms.submit({"latch": latch})
            assert site.entry.options["latch"] == latch
        await alarms.choose("group_edit")
        await alarms.type_group("Great hall", "1-3", 600)
        await alarms.choose("alarms_done")
        await hass.async_block_till_done()
        # Long enough for several frames of every panel.
        frames = engine.aggregator.metrics.frames
        await until(lambda: engine.aggregator.metrics.frames > frames + 12, 5)
        assert site.engine is engine
        assert fleet.meter.handshakes_total == handshakes == 3
        assert site.zone(2).state == STATE_ON
        assert kinds(told).count("alarm") == kinds(told).count("confirmed_alarm") == 1
        assert "alarm_restored" not in kinds(told)
        fleet.reset()
        await until(lambda: site.zone(2).state == STATE_OFF, 3)
        await until(lambda: "alarm_restored" in kinds(told), 3)
        await site.remove()


async def test_without_latch_the_site_still_shows_the_panels_lamp(
    hass: HomeAssistant,
) -> None:
    """What the form says of it: the zone forgets, the lamp does not."""
    site = await set_up(hass, node(1), options={"latch": "none"})
    await site.feed(1, frame("010001", master=ALARM_LED))
    assert site.zone(1).state == STATE_ON
    await site.feed(1, frame("010000", master=ALARM_LED))
    assert site.zone(1).state == STATE_OFF
    assert site.is_on("fire_alarm") == STATE_ON
    await site.feed(1, frame("010000"))
    assert site.is_on("fire_alarm") == STATE_OFF
