"""Adding, changing and tuning a site in the user interface, against real sockets."""

from collections.abc import Iterator
import json
from pathlib import Path
from string import Formatter
from typing import Any
from unittest.mock import AsyncMock, patch

from homeassistant.config_entries import SOURCE_USER, ConfigFlowResult
from homeassistant.const import CONF_NAME, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import (
    EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE,
    FlowResultType,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp32_fire_alarm import config_flow, options_flow, site_dialogue
from custom_components.esp32_fire_alarm.const import (
    CONF_ADDRESSES,
    CONF_NODES,
    CONF_STANDBY,
    DOMAIN,
)
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.topology import nodes_from_entry, nodes_to_entry
from sim.faults import Fault
from sim.fleet import SimulatedFleet
from sim.layout import Layout, Numbering

TRANSLATIONS = Path(config_flow.__file__).parent / "translations"
WORDS: dict[str, dict[str, Any]] = {
    language: json.loads((TRANSLATIONS / f"{language}.json").read_text("utf-8"))
    for language in ("en", "id")
}
FINISH = {site_dialogue.CONF_ACTION: site_dialogue.ACTION_FINISH}
SCAN_AGAIN = {site_dialogue.CONF_ACTION: site_dialogue.ACTION_SCAN}
CHANGE = {site_dialogue.CONF_ACTION: site_dialogue.ACTION_CHANGE}

pytestmark = pytest.mark.usefixtures("loopback")


@pytest.fixture(autouse=True)
def setup_entry() -> Iterator[AsyncMock]:
    """Keep made sites from being set up: only the dialogues are looked at here."""
    with (
        patch(
            "custom_components.esp32_fire_alarm.async_setup_entry", return_value=True
        ) as setup_entry,
        patch(
            "custom_components.esp32_fire_alarm.async_unload_entry", return_value=True
        ),
    ):
        yield setup_entry


def fleet_at(first: str, count: int = 3, **options: Any) -> SimulatedFleet:
    """Return a quick fleet from an address on, on any free port."""
    return SimulatedFleet(
        options.pop("layout", Layout.DISTRIBUTED),
        count=count,
        port=0,
        first_address=first,
        cycle_seconds=0.1,
        **options,
    )


def typed(fleet: SimulatedFleet | int, addresses: str, **more: str) -> dict[str, Any]:
    """Return a filled-in form."""
    port = fleet if isinstance(fleet, int) else fleet.port
    return {CONF_NAME: "Mill", CONF_ADDRESSES: addresses, CONF_PORT: port, **more}


async def start(hass: HomeAssistant) -> ConfigFlowResult:
    """Open the dialogue for a new site."""
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )


async def submit(
    hass: HomeAssistant, shown: ConfigFlowResult, values: dict[str, Any]
) -> ConfigFlowResult:
    """Submit a page; if a scan follows, watch it to its end."""
    result = await hass.config_entries.flow.async_configure(shown["flow_id"], values)
    if result["type"] is FlowResultType.SHOW_PROGRESS:
        assert result["progress_action"] == "scan"
        assert result["step_id"] == "scan"
        assert read(result)
        # As a browser does that is opened in the middle.
        again = await hass.config_entries.flow.async_configure(shown["flow_id"])
        assert again["type"] is FlowResultType.SHOW_PROGRESS
        await hass.async_block_till_done()
        result = await hass.config_entries.flow.async_configure(shown["flow_id"])
    return result


def read(page: ConfigFlowResult, part: str = "config") -> str:
    """Return all text of a page, in English, as people see it."""
    words = WORDS["en"][part]
    placeholders = page.get("description_placeholders") or {}
    if page["type"] is FlowResultType.SHOW_PROGRESS:
        return str(words["progress"][page["progress_action"]].format(**placeholders))
    step = words["step"][page["step_id"]]
    texts = [step.get("description", "")]
    texts += [words["error"][key] for key in (page["errors"] or {}).values()]
    if (schema := page["data_schema"]) is not None:
        for field in schema.schema:
            if str(field) in step.get("sections", {}):
                continue
            assert step["data"][str(field)]
            assert step["data_description"][str(field)]
    return "\n".join(str(text).format(**placeholders) for text in texts)


def fields(page: ConfigFlowResult) -> dict[str, Any]:
    """Return the fields of a page and what is filled in."""
    assert page["data_schema"] is not None
    return {
        str(field): (field.description or {}).get("suggested_value")
        if field.description
        else (field.default() if callable(field.default) else None)
        for field in page["data_schema"].schema
    }


def site(nodes: list[NodeConfig], title: str = "Mill", **data: Any) -> MockConfigEntry:
    """Return a site that exists."""
    return MockConfigEntry(
        domain=DOMAIN,
        title=title,
        unique_id=f"unique-{title}",
        data={
            **stored(81, "typed before"),
            **data,
            CONF_NODES: nodes_to_entry(nodes),
        },
    )


def stored(port: int, addresses: str) -> dict[str, Any]:
    """Return what the form leaves in the entry's data."""
    return {CONF_ADDRESSES: addresses, CONF_PORT: port, CONF_STANDBY: ""}


def node(number: int, host: str, port: int, *modules: int, **more: Any) -> NodeConfig:
    """Return a node of a site."""
    return NodeConfig(number, DeviceAddress(host, port), modules, **more)


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


@pytest.mark.parametrize(
    ("bad", "field", "said"),
    [
        ({CONF_NAME: "  "}, CONF_NAME, "Type a name."),
        ({CONF_ADDRESSES: " "}, CONF_ADDRESSES, "at least one address"),
        ({CONF_ADDRESSES: "10.0.0.300"}, CONF_ADDRESSES, "10.0.0.300 is not an"),
        ({CONF_ADDRESSES: "10.0.0.9-2"}, CONF_ADDRESSES, "10.0.0.9-2 runs backwards"),
        ({CONF_ADDRESSES: "10.0.0.2-fd00::1"}, CONF_ADDRESSES, "mixes IPv4 and IPv6"),
        ({CONF_ADDRESSES: "10.0.0.2:5 10.0.0.2:5"}, CONF_ADDRESSES, "10.0.0.2:5 is in"),
        ({CONF_ADDRESSES: "10.0.0.0/8"}, CONF_ADDRESSES, "With 10.0.0.0/8 there are"),
        ({CONF_ADDRESSES: "9.9.9.9"}, CONF_ADDRESSES, "9.9.9.9 is not on a local"),
        ({CONF_ADDRESSES: "224.0.0.1"}, CONF_ADDRESSES, "224.0.0.1 is a multicast"),
        ({CONF_ADDRESSES: "10.0.0.2:0"}, CONF_ADDRESSES, "10.0.0.2:0 has no valid"),
        ({CONF_STANDBY: "10.0.0.300"}, CONF_STANDBY, "10.0.0.300 is not an address"),
        ({CONF_STANDBY: "10.0.0.2"}, CONF_STANDBY, "are 1 standby addresses for 3"),
        ({CONF_STANDBY: "10.0.0.2 127.1.4.3 10.0.0.4"}, CONF_STANDBY, "127.1.4.3:"),
        ({CONF_ADDRESSES: "127.1.9.1:9"}, CONF_ADDRESSES, "127.1.9.1:9 belongs to"),
        (
            {CONF_STANDBY: "10.0.0.2 10.0.0.3 127.1.9.2:9"},
            CONF_STANDBY,
            "127.1.9.2:9 belongs to the site Old mill already",
        ),
    ],
)
async def test_what_is_refused_can_be_corrected(
    hass: HomeAssistant, bad: dict[str, str], field: str, said: str
) -> None:
    """The error names the offending piece, keeps all input and goes away with it."""
    site(
        [node(1, "127.1.9.1", 9, 1, standby=DeviceAddress("127.1.9.2", 9))], "Old mill"
    ).add_to_hass(hass)
    async with fleet_at("127.1.4.2") as fleet:
        good = typed(fleet, "127.1.4.2-4")
        page = await submit(hass, await start(hass), good | bad)
        assert page["type"] is FlowResultType.FORM
        assert page["step_id"] == "user"
        assert page["errors"] is not None
        assert list(page["errors"]) == [field]
        assert said in read(page)
        assert {**fields(page), CONF_STANDBY: None} == {
            **good,
            **bad,
            CONF_STANDBY: None,
        }
        page = await submit(hass, page, good)
    page = await submit(hass, page, FINISH)
    assert page["type"] is FlowResultType.CREATE_ENTRY


async def test_an_overlap_that_came_up_meanwhile(hass: HomeAssistant) -> None:
    """Two dialogues for the same addresses: the second is refused at its end."""
    async with fleet_at("127.1.5.2") as fleet:
        first = await submit(hass, await start(hass), typed(fleet, "127.1.5.2-4"))
        second = await submit(hass, await start(hass), typed(fleet, "127.1.5.3-4"))
        await submit(hass, first, FINISH)
        second = await submit(hass, second, FINISH)
        assert second["errors"] == {CONF_ADDRESSES: "address_of_other_site"}
        assert "belongs to the site Mill" in read(second)
        assert fields(second)[CONF_ADDRESSES] == "127.1.5.3-4"
    async with fleet_at("127.1.5.9") as fleet:
        second = await submit(hass, second, typed(fleet, "127.1.5.9-11"))
    second = await submit(hass, second, FINISH)
    assert second["type"] is FlowResultType.CREATE_ENTRY
    assert len(hass.config_entries.async_entries(DOMAIN)) == 2


async def test_nobody_answers(hass: HomeAssistant) -> None:
    """The form says why, and a site without power can be confirmed."""
    page = await submit(hass, await start(hass), typed(1, "127.1.6.2-4"))
    assert page["step_id"] == "user"
    assert page["errors"] == {"base": "nobody_answered"}
    assert "127.1.6.2-127.1.6.4: Nothing listens on this port." in read(page)
    assert fields(page) == {
        **typed(1, "127.1.6.2-4", standby=""),
        config_flow.CONF_UNANSWERED: False,
    }
    page = await submit(hass, page, typed(1, "127.1.6.2-4"))
    assert page["errors"] == {"base": "nobody_answered"}
    confirmed = {config_flow.CONF_UNANSWERED: True}
    page = await submit(hass, page, typed(1, "127.1.6.2-5") | confirmed)
    assert page["errors"] == {"base": "nobody_answered"}
    page = await submit(hass, page, typed(1, "127.1.6.2-5") | confirmed)
    assert page["step_id"] == "result"
    assert "0 of 4 addresses answered" in read(page)
    assert "No ESP32 answered. Each address is taken to carry" in read(page)
    page = await submit(hass, page, FINISH)
    assert nodes_from_entry(page["data"]) == [
        node(n, f"127.1.6.{n + 1}", 1, n) for n in range(1, 5)
    ]


async def test_nobody_answers_until_the_power_is_on(hass: HomeAssistant) -> None:
    """Simply submitting again scans again."""
    async with fleet_at("127.1.7.2") as fleet:
        for one in fleet.nodes:
            one.down()
        page = await submit(hass, await start(hass), typed(fleet, "127.1.7.2-4"))
        assert page["errors"] == {"base": "nobody_answered"}
        for one in fleet.nodes:
            one.up()
        page = await submit(hass, page, typed(fleet, "127.1.7.2-4"))
    assert page["step_id"] == "result"
    page = await submit(hass, page, FINISH)
    assert page["type"] is FlowResultType.CREATE_ENTRY


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


async def test_no_node_at_all(hass: HomeAssistant) -> None:
    """Answers past place 63 only: an error, until silent ones are wanted."""
    async with fleet_at("127.1.11.65", 2, numbering=Numbering.LOCAL) as fleet:
        page = await submit(hass, await start(hass), typed(fleet, "127.1.11.2-66"))
    assert "`127.1.11.65, 127.1.11.66`: Left out, since its place" in read(page)
    page = await submit(hass, page, FINISH)
    assert page["errors"] == {"base": "no_nodes"}
    assert "None of these addresses can be part" in read(page)
    page = await submit(hass, page, {**FINISH, site_dialogue.CONF_ADD_MISSING: True})
    assert len(nodes_from_entry(page["data"])) == 63


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


# Changing a site.


async def reconfigure(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigFlowResult:
    """Open the dialogue for an existing site."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    page: ConfigFlowResult = await entry.start_reconfigure_flow(hass)
    return page


async def test_reconfigure(hass: HomeAssistant, setup_entry: AsyncMock) -> None:
    """Nodes that stay keep their numbers, silent or moved; the rest is a difference."""
    async with fleet_at("127.1.20.2", 5, absent=[2]) as fleet:
        port = fleet.port
        entry = site(
            [
                node(11, "127.1.20.2", port, 1),
                node(12, "127.1.20.3", port, 2),
                node(13, "127.1.20.99", port, 3),
                node(14, "127.1.20.100", port, 9),
            ],
            **stored(port, "typed before"),
        )
        page = await reconfigure(hass, entry)
        assert page["step_id"] == "reconfigure"
        assert read(page)
        assert fields(page) == typed(port, "typed before", standby="")
        page = await submit(hass, page, typed(port, "127.1.20.2-5", name="New mill"))
        assert "3 of 4 addresses" in read(page)
        assert (
            "Compared with the site so far:**\n\n"
            "- New: `127.1.20.5` (module 4)\n"
            "- No longer part of the site: `127.1.20.100` (module 9)\n"
            "- Moved: `127.1.20.99` (module 3), now `127.1.20.4` (module 3)\n"
            in read(page)
        )
        assert "`127.1.20.3`: Nothing listens on this port. Part of" in read(page)
        # It stays whatever is chosen, so there is nothing to choose.
        assert site_dialogue.CONF_ADD_MISSING not in fields(page)
        page = await submit(hass, page, FINISH)
    assert page["type"] is FlowResultType.ABORT
    assert page["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.title == "New mill"
    assert entry.unique_id == "unique-Mill"
    assert entry.data[CONF_ADDRESSES] == "127.1.20.2-5"
    assert nodes_from_entry(entry.data) == [
        node(4, "127.1.20.5", port, 4),
        node(11, "127.1.20.2", port, 1),
        node(12, "127.1.20.3", port, 2),
        node(13, "127.1.20.4", port, 3),
    ]
    # The running site takes over the difference by itself, see test_rearrange.
    assert len(setup_entry.mock_calls) == 1


async def test_reconfigure_without_a_change(
    hass: HomeAssistant, setup_entry: AsyncMock
) -> None:
    """A second look that finds the same disturbs no link."""
    async with fleet_at("127.1.21.2") as fleet:
        port = fleet.port
        entry = site(
            [node(n, f"127.1.21.{n + 1}", port, n) for n in (1, 2, 3)],
            **stored(port, "127.1.21.2-4"),
        )
        page = await reconfigure(hass, entry)
        page = await submit(hass, page, typed(port, "127.1.21.2-4"))
        page = await submit(hass, page, FINISH)
    assert page["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert len(setup_entry.mock_calls) == 1


async def test_reconfigure_errors_and_recovery(hass: HomeAssistant) -> None:
    """The same errors as for a new site, on the form of the existing one."""
    site([node(1, "127.1.22.9", 9, 1)], "Old mill").add_to_hass(hass)
    async with fleet_at("127.1.22.2") as fleet:
        port = fleet.port
        entry = site([node(1, "127.1.22.2", port, 1)])
        page = await reconfigure(hass, entry)
        page = await submit(hass, page, typed(port, "127.1.22.2, 127.1.22.9:9"))
        assert page["step_id"] == "reconfigure"
        assert page["errors"] == {CONF_ADDRESSES: "address_of_other_site"}
        page = await submit(hass, page, typed(1, "127.1.22.2-4"))
        assert page["step_id"] == "reconfigure"
        assert page["errors"] == {"base": "nobody_answered"}
        page = await submit(hass, page, typed(port, "127.1.22.2-4"))
        page = await submit(hass, page, CHANGE)
        assert page["step_id"] == "reconfigure"
        page = await submit(hass, page, typed(port, "127.1.22.2-3"))
        page = await submit(hass, page, FINISH)
    assert page["reason"] == "reconfigure_successful"
    assert len(nodes_from_entry(entry.data)) == 2


# Options.


async def open_settings(
    hass: HomeAssistant, entry: MockConfigEntry
) -> ConfigFlowResult:
    """Open the settings in the options."""
    page = await hass.config_entries.options.async_init(entry.entry_id)
    assert page["type"] is FlowResultType.MENU
    words = WORDS["en"]["options"]["step"]["init"]
    assert list(words["menu_options"]) == page["menu_options"]
    assert list(words["menu_option_descriptions"]) == page["menu_options"]
    return await hass.config_entries.options.async_configure(
        page["flow_id"], {"next_step_id": "settings"}
    )


async def test_options(hass: HomeAssistant, setup_entry: AsyncMock) -> None:
    """Defaults, then what was chosen, after a reload."""
    entry = site([node(1, "127.1.23.2", 81, 1)])
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    page = await open_settings(hass, entry)
    assert page["type"] is FlowResultType.FORM
    assert "after 61 seconds at the latest" in read(page, "options")
    assert "allows 100 seconds" in read(page, "options")
    assert page["data_schema"] is not None
    assert page["data_schema"]({"supervision": {}, "commands": {}}) == {
        "supervision": {
            "heartbeat_seconds": 10,
            "silence_seconds": 15,
            "hold_seconds": 45,
            "ping": True,
        },
        "commands": {"commands_enabled": False},
    }
    chosen = {
        "heartbeat_seconds": 20,
        "silence_seconds": 30,
        "hold_seconds": 60,
        "ping": False,
        "commands_enabled": True,
    }
    page = await hass.config_entries.options.async_configure(
        page["flow_id"],
        {
            "supervision": {
                key: value for key, value in chosen.items() if "commands" not in key
            },
            "commands": {"commands_enabled": True},
        },
    )
    assert page["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert entry.options == chosen
    assert len(setup_entry.mock_calls) == 2
    page = await open_settings(hass, entry)
    assert "after 91 seconds at the latest" in read(page, "options")


async def test_options_that_are_too_slow(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should the bounds ever allow too much, the sum is refused all the same."""
    monkeypatch.setattr(options_flow, "MAX_FAULT_SECONDS", 60)
    entry = site([node(1, "127.1.24.2", 81, 1)])
    entry.add_to_hass(hass)
    page = await open_settings(hass, entry)
    slow = {
        "heartbeat_seconds": 20,
        "silence_seconds": 15,
        "hold_seconds": 45,
        "ping": True,
    }
    commands = {"commands_enabled": False}
    page = await hass.config_entries.options.async_configure(
        page["flow_id"], {"supervision": slow, "commands": commands}
    )
    assert page["errors"] == {"base": "too_slow"}
    assert "only after 76 seconds; at most 60" in read(page, "options")
    page = await hass.config_entries.options.async_configure(
        page["flow_id"],
        {"supervision": slow | {"hold_seconds": 20}, "commands": commands},
    )
    assert page["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options["hold_seconds"] == 20


# Words.


def _flat(words: dict[str, Any], path: str = "") -> dict[str, str]:
    """Return all texts by their path."""
    found: dict[str, str] = {}
    for key, value in words.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{path}{key}.")
        else:
            found[f"{path}{key}"] = value
    return found


@pytest.mark.parametrize(
    "part", ["config", "options", "selector", "services", "exceptions"]
)
def test_both_languages_say_the_same(part: str) -> None:
    """Same keys, same placeholders; and options are described in their sections."""
    english, indonesian = (_flat(WORDS[language][part]) for language in ("en", "id"))
    assert english.keys() == indonesian.keys()
    for key, text in english.items():
        assert _holes(text) == _holes(indonesian[key]), key


def _holes(text: str) -> set[str | None]:
    """Return the placeholders of a text."""
    return {hole for _, hole, _, _ in Formatter().parse(text)} - {None}


def test_every_option_is_described() -> None:
    """Each field of each section has a name and an explanation."""
    for section in WORDS["en"]["options"]["step"]["settings"]["sections"].values():
        assert section["data"].keys() == section["data_description"].keys()
