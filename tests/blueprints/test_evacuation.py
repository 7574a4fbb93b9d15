"""The way out is lit on an alarm, until all is over."""

from collections.abc import Callable

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.esp32_fire_alarm.const import DOMAIN
from tests.running_site import frame, node, set_up

from .using import burn, feed, use

pytestmark = pytest.mark.usefixtures("loopback", "installed")


@pytest.fixture
def runs(hass: HomeAssistant) -> Callable[[], list[str]]:
    """Return a function that tells which actions were run since its last call."""
    calls = [async_mock_service(hass, "test", name) for name in ("evacuate", "clear")]

    def take() -> list[str]:
        names = [call.service for one in calls for call in one]
        for one in calls:
            one.clear()
        return names

    return take


EVACUATION = {
    "evacuation": [{"action": "test.evacuate"}],
    "all_clear": [{"action": "test.clear"}],
}


async def test_the_way_out_is_lit_until_all_is_over(
    hass: HomeAssistant, runs: Callable[[], list[str]]
) -> None:
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    await use(hass, "evacuation_on_alarm", **EVACUATION)
    await burn(site, 1)
    assert runs() == ["evacuate"]
    await burn(site, 2)
    assert runs() == ["evacuate"]
    await feed(site, 1, frame("010000"))
    assert runs() == []
    await feed(site, 2, frame("020000"))
    assert runs() == ["clear"]


async def test_it_may_wait_for_a_confirmation_and_leave_out_drills(
    hass: HomeAssistant, runs: Callable[[], list[str]]
) -> None:
    group = {"name": "Hall", "zones": [1, 6], "delay_seconds": 60}
    site = await set_up(
        hass, node(1), node(2), options={"confirmation_groups": [group]}
    )
    await site.feed_all()
    await use(
        hass, "evacuation_on_alarm", **EVACUATION, confirmed_only=True, in_drills=False
    )
    await burn(site, 1)
    assert runs() == []
    await burn(site, 2)
    assert runs() == ["evacuate"]
    for number in (1, 2):
        await feed(site, number, frame(f"{number:02d}0000"))
    assert runs() == ["clear"]
    drill = "41CB"
    for number in (1, 2):
        await feed(site, number, frame(f"{number:02d}0001", master=drill))
    assert runs() == []


async def test_the_lights_of_the_script(hass: HomeAssistant) -> None:
    lights = async_mock_service(hass, "light", "turn_on")
    assert await async_setup_component(
        hass,
        "script",
        {
            "script": {
                "evacuation": {
                    "use_blueprint": {
                        "path": f"{DOMAIN}/evacuation_lights.yaml",
                        "input": {"lights": {"entity_id": ["light.hall"]}},
                    }
                }
            }
        },
    )
    site = await set_up(hass, node(1))
    await site.feed_all()
    await use(hass, "evacuation_on_alarm", evacuation=[{"action": "script.evacuation"}])
    await burn(site, 1)
    (call,) = lights
    assert call.data == {
        "entity_id": ["light.hall"],
        "brightness_pct": 100,
        "transition": 0,
        "color_temp_kelvin": 4000,
    }
