"""What no click can cure is shown while it lasts, and every issue goes with its site."""

import asyncio
import time

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.esp32_fire_alarm import caretaker
from custom_components.esp32_fire_alarm.fleet import standby
from custom_components.esp32_fire_alarm.fleet.findings import FindingKind
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress
from sim.faults import Fault
from tests.running_site import set_up, until

from .site_issues import (
    LONG_ENOUGH_SECONDS,
    WORDS,
    connected,
    fleet_at,
    gone,
    issues,
    node,
    running,
    said,
    shown,
)

pytestmark = pytest.mark.usefixtures("loopback")


async def test_two_nodes_claim_a_module(hass: HomeAssistant) -> None:
    """Told once for the module, with everybody who claims it."""
    async with (
        fleet_at("127.4.5.2", 2) as fleet,
        fleet_at("127.4.5.9", 1, port=fleet.port) as twin,
    ):
        port = fleet.port
        site = await running(
            hass,
            node(1, "127.4.5.2", port),
            node(2, "127.4.5.3", port),
            node(3, "127.4.5.9", port),
        )
        await connected(site, 3)
        issue = await shown(site, "duplicate_module_1")
        assert issues(site).keys() == {"duplicate_module_1"}
        assert f"Node 1 (127.4.5.2:{port}), Node 3 (127.4.5.9:{port}) all say that" in (
            said(issue)
        )
        twin.alarm(2)
        await until(lambda: site.zone(2).state == STATE_ON, 3)
        twin.node(1).down()
        await gone(site, "duplicate_module_1")
        await site.remove()


async def test_a_foreign_node(hass: HomeAssistant) -> None:
    """A module that the site does not know, at the address of one that it does."""
    async with fleet_at("127.4.6.2", 3) as fleet:
        port = fleet.port
        site = await running(
            hass, node(1, "127.4.6.2", port), node(7, "127.4.6.4", port)
        )
        issue = await shown(site, "foreign_node_7")
        assert "should report module 7, but reports 3" in said(issue)
        # The right one is put there after all.
        fleet.node(3).panel.modules = (7,)
        await gone(site, "foreign_node_7")
        await site.remove()


async def test_an_offline_module_accuses_nobody(hass: HomeAssistant) -> None:
    async with fleet_at("127.4.7.2", 2) as fleet:
        port = fleet.port
        fleet.module_offline(2)
        site = await running(
            hass, node(1, "127.4.7.2", port), node(2, "127.4.7.3", port)
        )
        await connected(site, 2)
        await asyncio.sleep(LONG_ENOUGH_SECONDS)
        assert not issues(site)
        await site.remove()


async def test_a_dead_standby_is_trouble(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standby, "STANDBY_CHECK_SECONDS", 0.3)
    async with (
        fleet_at("127.4.8.2", 1) as fleet,
        fleet_at("127.4.8.9", 1, port=fleet.port) as backup,
    ):
        port = fleet.port
        site = await running(
            hass,
            node(1, "127.4.8.2", port, standby=DeviceAddress("127.4.8.9", port)),
        )
        await connected(site, 1)
        await until(lambda: site.engine.health.record(1).standby_alive is True, 5)
        assert site.is_on("trouble") == STATE_OFF
        backup.node(1).down()
        await until(lambda: site.is_on("trouble") == STATE_ON, 5)
        issue = await shown(site, "standby_dead_1")
        assert issue.severity is ir.IssueSeverity.WARNING
        assert f"nothing answers at its standby address 127.4.8.9:{port}" in said(issue)
        assert site.zone(1).state == STATE_OFF
        backup.node(1).up()
        await until(lambda: site.is_on("trouble") == STATE_OFF, 5)
        await gone(site, "standby_dead_1")
        await site.remove()


async def test_full_slots(hass: HomeAssistant) -> None:
    async with fleet_at("127.4.9.2", 2) as fleet:
        port = fleet.port
        fleet.node(2).fault(Fault.FULL_SLOTS)
        site = await running(
            hass, node(1, "127.4.9.2", port), node(2, "127.4.9.3", port)
        )
        issue = await shown(site, "slots_full_2")
        assert f"The ESP32 at 127.4.9.3:{port} hangs up at once" in said(issue)
        await site.rearrange(node(1, "127.4.9.2", port))
        assert not issues(site)
        await site.remove()


async def test_an_unstable_link(hass: HomeAssistant) -> None:
    site = await running(hass, node(1, "127.4.10.2", 1), node(2, "127.4.10.3", 1))
    times = site.engine.health.record(2).reconnects_at
    times.extend([time.monotonic()] * 10)
    await shown(site, "unstable_link_2")
    times.clear()
    await gone(site, "unstable_link_2")


async def test_the_same_trouble_of_many_is_one_issue(hass: HomeAssistant) -> None:
    site = await running(hass, *(node(n, f"127.4.11.{n}", 1) for n in range(1, 21)))
    for number in range(3, 15):
        record = site.engine.health.record(number)
        record.reconnects_at.extend([time.monotonic()] * 10)
    issue = await shown(site, "unstable_link")
    assert issues(site).keys() == {"unstable_link"}
    assert "within 24 hours: 3-14." in said(issue)
    assert issue.is_fixable is False


# Issues and their entry.


async def test_issues_go_with_their_site(hass: HomeAssistant) -> None:
    """Kept over a reload, gone when the site is disabled or removed."""
    site = await running(hass, node(1, "127.4.23.2", 1))
    site.engine.health.record(1).reconnects_at.extend([time.monotonic()] * 10)
    issue = await shown(site, "unstable_link_1")
    await hass.config_entries.async_reload(site.entry.entry_id)
    assert issues(site) == {"unstable_link_1": issue}
    await hass.config_entries.async_set_disabled_by(
        site.entry.entry_id, ConfigEntryDisabler.USER
    )
    assert not issues(site)
    await hass.config_entries.async_set_disabled_by(site.entry.entry_id, None)
    site.engine.health.record(1).reconnects_at.extend([time.monotonic()] * 10)
    await shown(site, "unstable_link_1")
    await hass.config_entries.async_remove(site.entry.entry_id)
    assert not issues(site)


async def test_what_is_not_found_again_after_a_reload_is_over(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caretaker, "STALE_SECONDS", 0.5)
    site = await running(hass, node(1, "127.4.24.2", 1))
    other = await set_up(hass, node(9, "127.4.24.9", 1), title="Annex", site_id="annex")
    for one in (site, other):
        number = next(iter(one.engine.configs))
        one.engine.health.record(number).reconnects_at.extend([time.monotonic()] * 10)
    await shown(site, "unstable_link_1")
    await shown(other, "unstable_link_9")
    await hass.config_entries.async_reload(site.entry.entry_id)
    await gone(site, "unstable_link_1")
    assert issues(other).keys() == {"unstable_link_9"}


@pytest.mark.parametrize("kind", FindingKind)
def test_every_kind_has_its_words(kind: FindingKind) -> None:
    """In one issue and, where there can be many, in one about all of them."""
    assert kind in WORDS
    kinds_of_many = {one.removesuffix("_many") for one in WORDS if "_many" in one}
    assert kinds_of_many == {
        FindingKind.STANDBY_DEAD,
        FindingKind.SLOTS_FULL,
        FindingKind.NODE_LOST,
        FindingKind.UNSTABLE_LINK,
    }
