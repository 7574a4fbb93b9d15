"""What the tests of the WebSocket API share."""

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from tests.running_site import RunningSite

from .browsing import Browser, Open


@pytest.fixture
def browse(hass_ws_client: WebSocketGenerator, hass: HomeAssistant) -> Open:
    """Open a browser of an administrator."""

    async def open_browser(site: RunningSite) -> Browser:
        return Browser(await hass_ws_client(hass), site.entry.entry_id)

    return open_browser
