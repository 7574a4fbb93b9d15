"""What a browser can ask for, and who may not."""

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.esp32_fire_alarm.const import CONF_COMMANDS_ENABLED, DOMAIN
from custom_components.esp32_fire_alarm.wire import LogBit
from tests.running_site import frame, node, set_up

from .browsing import Browser, Open

pytestmark = pytest.mark.usefixtures("loopback")


async def test_the_log_and_a_zone(hass: HomeAssistant, browse: Open) -> None:
    site = await set_up(hass, node(1))
    await site.feed(1, frame("010001"))
    await site.feed(1, frame("010002"))
    browser = await browse(site)
    zone_3 = site.zone(3).entity_id
    await hass.services.async_call(
        DOMAIN, "disable_zone", {"entity_id": zone_3, "reason": "dust"}, blocking=True
    )
    await site.feed(1, frame("010006"))
    log = await browser.ask("log")
    assert [row[2] for row in log] == [3, 2, 1]
    assert log[0][6] == LogBit.DISABLED
    assert log[2][8] is not None
    details = await browser.ask("zone", zone=3)
    assert details["entity"] == zone_3
    assert [one["why"] for one in details["impairments"]] == ["dust"]
    assert [row[0] for row in details["log"]] == [log[0][0]]
    assert await browser.ask("zone", zone=99) == "not_found"


async def test_the_sites(hass: HomeAssistant, browse: Open) -> None:
    site = await set_up(hass, node(1))
    browser = await browse(site)
    await browser._socket.send_json_auto_id({"type": f"{DOMAIN}/sites"})
    (found,) = (await browser.receive())["result"]
    assert found == {"entry_id": site.entry.entry_id, "title": "Tower"}


async def test_what_this_user_may_do(hass: HomeAssistant, browse: Open) -> None:
    site = await set_up(hass, node(1))
    snapshot = await (await browse(site)).watch()
    assert (snapshot["control"], snapshot["commands"]) == (True, False)
    hass.config_entries.async_update_entry(
        site.entry, options={CONF_COMMANDS_ENABLED: True}
    )
    snapshot = await (await browse(site)).watch()
    assert snapshot["commands"] is True


async def test_who_may_not_read(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
) -> None:
    """A user without a right to every zone is told nothing of any of them."""
    site = await set_up(hass, node(1))
    socket = await hass_ws_client(hass, hass_read_only_access_token)
    browser = Browser(socket, site.entry.entry_id)
    allowed = {site.zone(zone).entity_id: {"read": True} for zone in (1, 2, 3, 4)}
    hass_read_only_user.mock_policy({"entities": {"entity_ids": allowed}})
    for command in ("subscribe_site", "subscribe_health", "log"):
        assert await browser.ask(command) == "unauthorized"
    assert await browser.ask("zone", zone=1) == "unauthorized"
    await socket.send_json_auto_id({"type": f"{DOMAIN}/sites"})
    assert (await browser.receive())["result"] == []
    allowed[site.zone(5).entity_id] = {"read": True}
    hass_read_only_user.mock_policy({"entities": {"entity_ids": allowed}})
    assert (await browser.watch())["control"] is False
