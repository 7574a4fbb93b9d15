"""A node that is lost for a day is removed or kept, as the user says."""

import asyncio
import time
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from tests.running_site import until

from .site_issues import (
    DAY,
    LONG_ENOUGH_SECONDS,
    WORDS,
    Fix,
    connected,
    fleet_at,
    gone,
    hosts,
    issues,
    node,
    remember_lost,
    running_as,
    shown,
)

pytestmark = pytest.mark.usefixtures("loopback")


async def test_a_node_lost_for_a_day_is_removed(
    hass: HomeAssistant, hass_storage: dict[str, Any], fix: Fix
) -> None:
    """The day goes on over a restart; removed, nobody else notices."""
    async with fleet_at("127.4.20.2", 1) as fleet:
        port = fleet.port
        entry_id = remember_lost(hass_storage, {2: time.time() - DAY})
        site = await running_as(
            hass,
            entry_id,
            node(1, "127.4.20.2", port),
            node(2, "127.4.20.3", port),
            node(3, "127.4.20.4", port),
        )
        issue = await shown(site, "node_lost_2")
        # Node 3 is lost too, but not for long.
        assert issues(site).keys() == {"node_lost_2"}
        page = await fix(issue)
        assert page["type"] == "menu"
        assert page["menu_options"] == ["remove", "keep"]
        menu = WORDS["node_lost"]["fix_flow"]["step"]["init"]
        assert list(menu["menu_options"]) == page["menu_options"]
        assert "more than a day" in menu["description"].format(
            **page["description_placeholders"]
        )
        page = await fix(issue, {"next_step_id": "remove"})
        assert page["type"] == "create_entry"
        assert not issues(site)
        assert hosts(site) == {1: "127.4.20.2", 3: "127.4.20.4"}
        assert site.entry.data["addresses"] == "127.4.20.2, 127.4.20.4"
        assert site.engine.summary.zones_total == 10
        assert fleet.meter.handshakes_total == 1
        await site.remove()


async def test_a_node_lost_for_a_day_is_kept(
    hass: HomeAssistant, hass_storage: dict[str, Any], fix: Fix
) -> None:
    """Not asked again, until it was back."""
    async with fleet_at("127.4.21.2", 2, absent=[2]) as fleet:
        port = fleet.port
        entry_id = remember_lost(hass_storage, {2: time.time() - DAY})
        site = await running_as(
            hass, entry_id, node(1, "127.4.21.2", port), node(2, "127.4.21.3", port)
        )
        issue = await shown(site, "node_lost_2")
        page = await fix(issue, {"next_step_id": "keep"})
        assert (page["type"], page["reason"]) == ("abort", "kept")
        assert WORDS["node_lost"]["fix_flow"]["abort"]["kept"]
        assert issues(site)["node_lost_2"].dismissed_version is not None
        # A reload asks nothing again either.
        assert await hass.config_entries.async_reload(entry_id)
        await until(lambda: bool(site.engine._caretaker._findings.raised), 8)
        assert issues(site)["node_lost_2"].dismissed_version is not None
        assert hosts(site) == {1: "127.4.21.2", 2: "127.4.21.3"}
        fleet.node(2).up()
        await connected(site, 2)
        await gone(site, "node_lost_2")
        assert hass_storage
        await site.remove()


async def test_while_nobody_is_heard_no_node_is_called_lost(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    entry_id = remember_lost(hass_storage, dict.fromkeys((1, 2), time.time() - DAY))
    site = await running_as(
        hass, entry_id, node(1, "127.4.22.2", 1), node(2, "127.4.22.3", 1)
    )
    await asyncio.sleep(LONG_ENOUGH_SECONDS)
    assert not issues(site)
