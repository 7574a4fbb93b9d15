"""The blueprints that are shipped, each set up and run as a user would have it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
import shutil
from typing import Any

from homeassistant.components.blueprint.models import DomainBlueprints
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import Context, CoreState, HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import area_registry as ar, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockUser,
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.esp32_fire_alarm.const import DOMAIN

from .running_site import (
    ALARM_LED,
    LeapingClock,
    RunningSite,
    bridge,
    frame,
    node,
    set_up,
)

pytestmark = pytest.mark.usefixtures("loopback", "installed")

BLUEPRINTS = Path(__file__).parent.parent / "blueprints"


@pytest.fixture
def installed(hass: HomeAssistant, tmp_path: Path) -> None:
    """Put the blueprints where Home Assistant looks for them."""
    shutil.copytree(BLUEPRINTS, tmp_path / "blueprints")
    hass.config.config_dir = str(tmp_path)


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


# Notify on alarm.


async def test_an_alarm_is_told_and_acknowledged_with_the_button(
    hass: HomeAssistant, hass_admin_user: MockUser
) -> None:
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    phones = Phones(hass, "anna", "budi", "chief")
    await use(
        hass,
        "notify_on_alarm",
        contacts=["notify.anna", "notify.budi"],
        escalation_contacts=["notify.chief"],
    )
    await burn(site, 1)
    told = await phones.take_all()
    text = "Zone 1, Node 1 (Tower), alarm no. 1"
    assert {(name, message) for name, message, _ in told} == {
        ("anna", text),
        ("budi", text),
    }
    data = told[0][2]
    assert data["title"] == "FIRE ALARM"
    assert data["data"]["push"]["sound"]["critical"] == 1
    (button,) = data["data"]["actions"]
    assert button["title"] == "Acknowledge"
    hass.bus.async_fire(
        "mobile_app_notification_action",
        {"action": "SOMETHING_ELSE"},
        context=Context(user_id=hass_admin_user.id),
    )
    assert await phones.take() == []
    hass.bus.async_fire(
        "mobile_app_notification_action",
        {"action": button["action"]},
        context=Context(user_id=hass_admin_user.id),
    )
    name = hass_admin_user.name
    assert sorted(await phones.take()) == [
        (who, f"Acknowledged by {name} (Tower).") for who in ("anna", "budi", "chief")
    ]
    (alarm,) = site.engine.book.standing()
    assert alarm.acknowledged_by == name
    await wait(hass, minutes=4)
    assert await phones.take() == [], "no escalation any more"


async def test_nobody_acknowledges(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1), node(2))
    await site.feed_all()
    phones = Phones(hass, "anna", "chief")
    await use(
        hass,
        "notify_on_alarm",
        contacts=["notify.anna"],
        escalation_contacts=["notify.chief"],
        escalation_time={"minutes": 2},
    )
    await burn(site, 1)
    assert len(await phones.take()) == 1
    await burn(site, 2)
    assert await phones.take() == [("anna", "Zone 6, Node 2 (Tower), alarm no. 2")]
    reminder = "Nobody has acknowledged the fire alarm at Tower yet."
    for _ in range(3):
        await wait(hass, minutes=2, seconds=1)
        assert sorted(await phones.take()) == [("anna", reminder), ("chief", reminder)]
    site.engine.book.acknowledge([1], "Ana")
    await phones.take()
    await wait(hass, minutes=2, seconds=1)
    assert len(await phones.take()) == 2, "the second alarm still waits"
    site.engine.book.acknowledge(None, "Ana")
    await phones.take()
    await wait(hass, minutes=2, seconds=1)
    assert await phones.take() == []
    await burn(site, 2, 3)
    assert len(await phones.take()) == 1
    await wait(hass, minutes=2, seconds=1)
    assert len(await phones.take()) == 2, "a new one escalates anew"


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


async def test_a_contact_that_fails_keeps_nobody_from_being_told(
    hass: HomeAssistant,
) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    phones = Phones(hass, "broken", "anna")
    phones.broken = {"broken"}
    await use(
        hass,
        "notify_on_alarm",
        contacts=["notify.gone", "notify.broken", "notify.anna"],
    )
    await burn(site, 1)
    assert [name for name, _ in await phones.take()] == ["anna"]


async def test_a_storm_of_alarms_does_not_flood_a_phone(hass: HomeAssistant) -> None:
    site = await set_up(hass, bridge())
    await site.feed_all()
    phones = Phones(hass, "anna")
    await use(hass, "notify_on_alarm", contacts=["notify.anna"])
    segments = [f"{module:02d}001F" for module in range(1, 64)]
    await feed(site, 1, frame(*segments, master=ALARM_LED))
    numbers = [text.rpartition(" ")[2] for _, text in await phones.take()]
    assert numbers == ["1", "2", "3", "4", "5", "315"]


async def test_only_the_chosen_zones_are_told(hass: HomeAssistant) -> None:
    site = await set_up(hass, node(1))
    await site.feed_all()
    hall = ar.async_get(hass).async_create("Hall").id
    zone = site.entity_id("binary_sensor", "zone_2")
    er.async_get(hass).async_update_entity(zone, area_id=hall)
    phones = Phones(hass, "anna")
    await use(
        hass, "notify_on_alarm", contacts=["notify.anna"], zones={"area_id": hall}
    )
    await burn(site, 1, 3)
    assert await phones.take() == [("anna", "Zone 2, Hall (Tower), alarm no. 2")]


# Notify on node loss.


async def lose(site: RunningSite, clock: LeapingClock, *numbers: int) -> None:
    """Lose nodes for longer than they are held."""
    for number in numbers:
        site.engine.aggregator.lose(number)
    clock.ahead_seconds += 46
    site.engine.aggregator.tick()
    await turn()


async def test_nodes_are_lost_together_and_come_back(
    hass: HomeAssistant, clock: LeapingClock
) -> None:
    site = await set_up(hass, node(1), node(2), node(3))
    await site.feed_all()
    phones = Phones(hass, "anna")
    await use(hass, "notify_on_node_loss", contacts=["notify.gone", "notify.anna"])
    await lose(site, clock, 1, 2)
    assert await phones.take() == []
    await wait(hass, seconds=21)
    assert await phones.take() == [
        (
            "anna",
            "Tower: nodes 1, 2 lost. Lost at the moment: 1, 2. Their zones are not watched.",
        )
    ]
    await feed(site, 1, frame("010000"))
    await wait(hass, seconds=21)
    assert await phones.take() == [
        (
            "anna",
            "Tower: Node 1 back. Lost at the moment: 2. Their zones are not watched.",
        )
    ]
    for _ in range(2):
        await wait(hass, hours=4, seconds=1)
        assert await phones.take() == [
            (
                "anna",
                "Reminder: an ESP32 of Tower is lost. Its zones are not watched.",
            )
        ]
    await feed(site, 2, frame("020000"))
    await wait(hass, seconds=21)
    assert await phones.take() == [
        ("anna", "Tower: Node 2 back. All ESP32s are connected.")
    ]
    await wait(hass, hours=5)
    assert await phones.take() == []


# Evacuation.


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
