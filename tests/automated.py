"""Automations in tests: set up with one trigger or condition, and how often they ran."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.setup import async_setup_component

RAN = "test_automation_ran"


class Runs:
    """What automations did: the variables of every run, in order."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin to listen."""
        self.hass = hass
        self._runs: list[dict[str, Any]] = []
        hass.bus.async_listen(RAN, self._note)

    async def take(self) -> list[dict[str, Any]]:
        """Return the runs since the last call."""
        await self.hass.async_block_till_done()
        runs, self._runs = self._runs, []
        return runs

    async def zones(self) -> list[int]:
        """Return the zones of the runs since the last call."""
        return [run["zone"] for run in await self.take()]

    @callback
    def _note(self, event: Event[dict[str, Any]]) -> None:
        self._runs.append(event.data["trigger"])


async def automate(
    hass: HomeAssistant, *triggers: Mapping[str, Any], conditions: Any = ()
) -> Runs:
    """Set up one automation that tells of its runs."""
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "id": "under_test",
                "alias": "Under test",
                "mode": "queued",
                "max": 400,
                "triggers": [dict(one) for one in triggers],
                "conditions": list(conditions),
                "actions": {"event": RAN, "event_data": {"trigger": "{{ trigger }}"}},
            }
        },
    )
    await hass.async_block_till_done()
    return Runs(hass)
