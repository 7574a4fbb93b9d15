"""A Home Assistant within the benchmark's own process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import gc

# Before the test kit: it would find its own package of custom components.
import custom_components.esp32_fire_alarm  # noqa: F401  isort: skip
from homeassistant.core import HomeAssistant
from homeassistant.helpers.frame import async_setup as async_setup_frame
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from pytest_homeassistant_custom_component.common import async_test_home_assistant


@asynccontextmanager
async def running_hass() -> AsyncIterator[HomeAssistant]:
    """Run a Home Assistant that knows this integration, and finds no device."""
    async with async_test_home_assistant() as hass:
        hass.data.pop(DATA_CUSTOM_COMPONENTS)
        async_setup_frame(hass)
        hass.config.components |= {"dhcp", "zeroconf"}
        try:
            yield hass
        finally:
            await hass.async_stop(force=True)


def tidy_up() -> None:
    """Collect garbage and freeze the rest, as Home Assistant does once it runs."""
    gc.collect()
    gc.freeze()
