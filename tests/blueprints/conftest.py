"""What the tests of blueprints share."""

from pathlib import Path
import shutil

from homeassistant.core import HomeAssistant
import pytest

from .using import BLUEPRINTS


@pytest.fixture
def installed(hass: HomeAssistant, tmp_path: Path) -> None:
    """Put the blueprints where Home Assistant looks for them."""
    shutil.copytree(BLUEPRINTS, tmp_path / "blueprints")
    hass.config.config_dir = str(tmp_path)
