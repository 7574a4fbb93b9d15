"""The wall in the sidebar: there while there is a site, and its files are served."""

import re
from unittest.mock import patch

from homeassistant.components import frontend
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.wall_panel import FOLDER, PANEL_PATH

from .running_site import RunningSite, node, set_up

pytestmark = pytest.mark.usefixtures("loopback")

FRONTEND_MODULES = sorted(path.name for path in FOLDER.iterdir())


@pytest.fixture
async def site(hass: HomeAssistant) -> RunningSite:
    """Set a site up in a Home Assistant with a user interface."""
    assert await async_setup_component(hass, "frontend", {})
    return await set_up(hass, node(1))


def module_url(hass: HomeAssistant) -> str:
    """Return where the panel's first file is."""
    panel = hass.data["frontend_panels"][PANEL_PATH].to_response()
    assert panel["config"] is not None
    return str(panel["config"]["_panel_custom"]["module_url"])


async def test_it_comes_with_the_first_site(
    hass: HomeAssistant, site: RunningSite
) -> None:
    panel = hass.data["frontend_panels"][PANEL_PATH].to_response()
    assert panel["title"] == "Fire alarm"
    assert panel["require_admin"] is False
    cards = [
        url for url in hass.data["frontend_extra_module_url"].urls if "card" in url
    ]
    assert cards == [module_url(hass).replace("panel.js", "card.js")]


async def test_it_does_not_wait_for_the_site(hass: HomeAssistant) -> None:
    """A site that cannot be set up must not take the wall off the screen."""
    assert await async_setup_component(hass, "frontend", {})
    entry = MockConfigEntry(domain=DOMAIN, unique_id="site", data={"nodes": []})
    entry.add_to_hass(hass)
    with patch(
        "custom_components.esp32_fire_alarm.FireAlarmSite.async_load",
        side_effect=ConfigEntryNotReady,
    ):
        assert not await hass.config_entries.async_setup(entry.entry_id)
    assert frontend.async_panel_exists(hass, PANEL_PATH)


async def test_in_the_language_of_the_server(hass: HomeAssistant) -> None:
    hass.config.language = "id"
    assert await async_setup_component(hass, "frontend", {})
    await set_up(hass, node(1))
    panel = hass.data["frontend_panels"][PANEL_PATH].to_response()
    assert panel["title"] == "Alarm kebakaran"


async def test_it_goes_with_the_last_site(
    hass: HomeAssistant, site: RunningSite
) -> None:
    other = await set_up(hass, node(2), title="Annex", site_id="annex")
    entries = hass.config_entries
    await entries.async_remove(other.entry.entry_id)
    assert frontend.async_panel_exists(hass, PANEL_PATH)
    # A screen on a wall must not lose it because somebody changes an option.
    await entries.async_reload(site.entry.entry_id)
    assert frontend.async_panel_exists(hass, PANEL_PATH)
    await entries.async_set_disabled_by(site.entry.entry_id, ConfigEntryDisabler.USER)
    assert not frontend.async_panel_exists(hass, PANEL_PATH)
    assert not [u for u in hass.data["frontend_extra_module_url"].urls if "card" in u]
    await entries.async_set_disabled_by(site.entry.entry_id, None)
    assert frontend.async_panel_exists(hass, PANEL_PATH)
    await entries.async_remove(site.entry.entry_id)
    assert not frontend.async_panel_exists(hass, PANEL_PATH)


async def test_its_files(
    hass: HomeAssistant, site: RunningSite, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """Each module is served, and all imports are of modules beside it."""
    client = await hass_client_no_auth()
    folder = module_url(hass).removesuffix("panel.js")
    assert re.fullmatch(r"/esp32_fire_alarm/[0-9a-f]{12}/", folder)
    for name in FRONTEND_MODULES:
        answer = await client.get(folder + name)
        assert answer.status == 200
        assert "javascript" in answer.headers["Content-Type"]
        assert "max-age" in answer.headers["Cache-Control"]
        imported = re.findall(
            r'(?:from|import\()? "([^"\s]+\.js)"', await answer.text()
        )
        assert {path.removeprefix("./") for path in imported} <= set(FRONTEND_MODULES)


async def test_without_a_user_interface(hass: HomeAssistant) -> None:
    await set_up(hass, node(1))
    assert not frontend.async_panel_exists(hass, PANEL_PATH)
