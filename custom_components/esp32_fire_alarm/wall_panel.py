"""The wall in the sidebar, and its card for people's own dashboards.

Serves `frontend/`. Its address has a digest of the content in its path: a new
release can never mix with what a browser keeps of an old one, not even in the
modules that import each other.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final

from homeassistant.components import frontend
from homeassistant.components.http.server import StaticPathConfig
from homeassistant.components.panel_custom import async_register_panel
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN

PANEL_PATH: Final = "esp32-fire-alarm"
PANEL_TITLE: Final = {"en": "Fire alarm", "id": "Alarm kebakaran"}
PANEL_ICON: Final = "mdi:fire-alert"
FOLDER: Final = Path(__file__).parent / "frontend"

_BUILD: Final[HassKey[str]] = HassKey(f"{DOMAIN}_frontend_build")


async def async_serve_frontend(hass: HomeAssistant) -> None:
    """Serve the wall's files, if this Home Assistant has a user interface."""
    if "frontend" not in hass.config.components:
        return
    digest = await hass.async_add_executor_job(_digest)
    hass.data[_BUILD] = digest
    url = _url(digest)
    await hass.http.async_register_static_paths(
        [StaticPathConfig(url, str(FOLDER), cache_headers=True)]
    )


async def async_show_panel(hass: HomeAssistant) -> None:
    """Have the wall in the sidebar as long as there is a site to show.

    It is there before the site runs, stays while that is set up anew, and does
    so too if that fails: a screen on a wall must not lose it.
    """
    if (build := build_of(hass)) is None:
        return
    url = _url(build)
    entries = hass.config_entries.async_entries(
        DOMAIN, include_ignore=False, include_disabled=False
    )
    is_shown = frontend.async_panel_exists(hass, PANEL_PATH)
    if entries and not is_shown:
        frontend.add_extra_js_url(hass, f"{url}/card.js")
        language = hass.config.language.partition("-")[0]
        await async_register_panel(
            hass,
            PANEL_PATH,
            "esp32-fire-alarm-panel",
            sidebar_title=PANEL_TITLE.get(language, PANEL_TITLE["en"]),
            sidebar_icon=PANEL_ICON,
            module_url=f"{url}/panel.js",
        )
    elif not entries and is_shown:
        _hide(hass, url)


@callback
def build_of(hass: HomeAssistant) -> str | None:
    """Return the digest of the wall's files, None without a user interface.

    A page that has others open may not understand what it is sent.
    """
    return hass.data.get(_BUILD)


def _url(build: str) -> str:
    """Return where the files are served."""
    return f"/{DOMAIN}/{build}"


@callback
def _hide(hass: HomeAssistant, url: str) -> None:
    """Take the wall out of the sidebar."""
    frontend.async_remove_panel(hass, PANEL_PATH)
    frontend.remove_extra_js_url(hass, f"{url}/card.js")


def _digest() -> str:
    """Return a short digest of all files that are served."""
    digest = sha256()
    for path in sorted(FOLDER.rglob("*.js")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
