"""Blueprints in use: phones that are told, nodes that report, time that passes."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.esp32_fire_alarm.const import DOMAIN
from tests.running_site import ALARM_LED, LeapingClock, RunningSite, frame

BLUEPRINTS = Path(__file__).parents[2] / "blueprints"


class Phones:
    """Notify actions, and what came in on them."""

    def __init__(self, hass: HomeAssistant, *names: str) -> None:
        """Register the actions."""
        self._hass = hass
        self._came: list[tuple[str, str, dict[str, Any]]] = []
        self.broken: set[str] = set()
        for name in names:
            hass.services.async_register("notify", name, self._receive)

    async def take(self) -> list[tuple[str, str]]:
        """Return who was told what since the last call."""
        return [(name, text) for name, text, _ in await self.take_all()]

    async def take_all(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return who was told what, with all data, since the last call."""
        await turn()
        came, self._came = self._came, []
        return came

    async def _receive(self, call: ServiceCall) -> None:
        """Note a message."""
        if call.service in self.broken:
            raise HomeAssistantError("no network")
        self._came.append((call.service, call.data["message"], dict(call.data)))


async def use(hass: HomeAssistant, *names: str, **inputs: Any) -> None:
    """Set up an automation from each of these blueprints, all with these inputs."""
    automations = [
        {
            "id": name,
            "alias": name,
            "use_blueprint": {"path": f"{DOMAIN}/{name}.yaml", "input": inputs},
        }
        for name in names
    ]
    config = {"automation": automations}
    assert await async_setup_component(hass, "automation", config)
    await hass.async_block_till_done()
    for name in names:
        state = hass.states.get(f"automation.{name}")
        assert state is not None and state.state == "on", name


async def turn() -> None:
    """Let everything happen that is due, but end no delay.

    Home Assistant's own way would wait for automations that are in a delay.
    """
    for _ in range(500):
        await asyncio.sleep(0)


async def wait(hass: HomeAssistant, **time: float) -> None:
    """Let time pass for delays."""
    await turn()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(**time))
    await turn()


async def feed(site: RunningSite, number: int, raw: bytes) -> None:
    """Let a node send a message."""
    site.engine.aggregator.feed(number, raw)
    await turn()


async def burn(site: RunningSite, module: int, mask: int = 1) -> None:
    """Let a node of one module report alarms."""
    await feed(site, module, frame(f"{module:02d}00{mask:02X}", master=ALARM_LED))


async def lose(site: RunningSite, clock: LeapingClock, *numbers: int) -> None:
    """Lose nodes for longer than they are held."""
    for number in numbers:
        site.engine.aggregator.lose(number)
    clock.ahead_seconds += 46
    site.engine.aggregator.tick()
    await turn()
