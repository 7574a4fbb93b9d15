"""Lets the test kit run on Home Assistant releases newer than the one it is made for.

pytest loads this before any other plugin (see addopts in pyproject.toml), which matters
twice. Home Assistant puts its own successors behind the names httpx and voluptuous and
from 2026.11 refuses to start when somebody imported the originals first, as plugins of the
kit do. And the kit imports a helper from a place it has since left.
"""

import homeassistant  # noqa: F401 - takes over the two names
from homeassistant.components import logger
from homeassistant.components.logger import helpers

_MOVED = "_clear_logger_overwrites"

if not hasattr(logger, _MOVED):
    setattr(logger, _MOVED, getattr(helpers, _MOVED))
