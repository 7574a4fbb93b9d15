"""Changing a site in the user interface, against real sockets, and tuning it."""

from unittest.mock import AsyncMock

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp32_fire_alarm import options_flow, site_dialogue
from custom_components.esp32_fire_alarm.const import CONF_ADDRESSES
from custom_components.esp32_fire_alarm.topology import nodes_from_entry

from .dialogue import (
    CHANGE,
    FINISH,
    WORDS,
    fields,
    fleet_at,
    node,
    read,
    site,
    stored,
    submit,
    typed,
)

pytestmark = pytest.mark.usefixtures("loopback")


# Its nodes.


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


# Its settings.


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
    assert "only after 66 seconds; at most 60" in read(page, "options")
    page = await hass.config_entries.options.async_configure(
        page["flow_id"],
        {"supervision": slow | {"hold_seconds": 20}, "commands": commands},
    )
    assert page["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options["hold_seconds"] == 20
