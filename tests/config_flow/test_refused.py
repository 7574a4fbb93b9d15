"""What is refused of a new site is said in plain words, and can be corrected."""

from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.esp32_fire_alarm import config_flow, site_dialogue
from custom_components.esp32_fire_alarm.const import (
    CONF_ADDRESSES,
    CONF_STANDBY,
    DOMAIN,
)
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress
from custom_components.esp32_fire_alarm.topology import nodes_from_entry
from sim.layout import Numbering

from .dialogue import FINISH, fields, fleet_at, node, read, site, start, submit, typed

pytestmark = pytest.mark.usefixtures("loopback")


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
