"""What holds for every blueprint: it loads, outlives a restart and is harmless by hand."""

from homeassistant.components.blueprint.models import DomainBlueprints
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from tests.running_site import LeapingClock, node, set_up

from .using import BLUEPRINTS, Phones, burn, lose, use, wait

pytestmark = pytest.mark.usefixtures("loopback", "installed")


@pytest.mark.parametrize("domain", ["automation", "script"])
async def test_every_blueprint_loads(hass: HomeAssistant, domain: str) -> None:
    assert await async_setup_component(hass, domain, {domain: {}})
    blueprints: DomainBlueprints = hass.data["blueprint"][domain]
    loaded = await blueprints.async_get_blueprints()
    files = sorted((BLUEPRINTS / domain).rglob("*.yaml"))
    assert files
    for file in files:
        path = str(file.relative_to(BLUEPRINTS / domain))
        blueprint = loaded[path]
        assert not isinstance(blueprint, Exception) and blueprint is not None
        assert blueprint.validate() is None
        assert blueprint.metadata["source_url"].endswith(f"blueprints/{domain}/{path}")
        for one in blueprint.inputs.values():
            assert one["name"] and one["selector"]


async def test_what_went_on_goes_on_after_a_restart(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    await burn(site, 1)
    await lose(site, clock, 2)
    phones = Phones(hass, "anna")
    hass.set_state(CoreState.starting)
    await use(hass, "notify_on_alarm", "notify_on_node_loss", contacts=["notify.anna"])
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    assert await phones.take() == []
    await wait(hass, minutes=3, seconds=1)
    assert await phones.take() == [
        ("anna", "Nobody has acknowledged the fire alarm yet.")
    ]
    await wait(hass, hours=4, seconds=1)
    assert sorted(await phones.take()) == [
        ("anna", "Nobody has acknowledged the fire alarm yet."),
        ("anna", "Reminder: an ESP32 is lost. Its zones are not watched."),
    ]


async def test_running_one_by_hand_does_no_harm(hass: HomeAssistant) -> None:
    phones = Phones(hass, "anna")
    names = ("notify_on_alarm", "notify_on_node_loss")
    await use(hass, *names, contacts=["notify.anna"])
    for name in names:
        await hass.services.async_call(
            "automation", "trigger", {"entity_id": f"automation.{name}"}, blocking=True
        )
    assert await phones.take() == []
