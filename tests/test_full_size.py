"""Whole sites over real sockets: from the simulated fleet to the states."""

from collections.abc import Callable
import time
from typing import Any

from homeassistant.components.websocket_api.const import MAX_PENDING_MSG
from homeassistant.const import (
    EVENT_STATE_CHANGED,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
import pytest

from sim.fleet import SimulatedFleet
from sim.layout import Layout
from sim.panel import Switch

from .running_site import (
    REAL_CAPTURE,
    RunningSite,
    bridge,
    distributed,
    node,
    set_up,
    until,
)

pytestmark = pytest.mark.usefixtures("loopback")


async def seconds_to(site: RunningSite, zone: int, state: str) -> float:
    """Wait for a zone's state and return how long that took."""
    began = time.perf_counter()
    await until(lambda: site.zone(zone).state == state, 2)
    return time.perf_counter() - began


async def test_the_real_capture_over_a_real_socket(hass: HomeAssistant) -> None:
    async with SimulatedFleet(port=0, replay=(REAL_CAPTURE,)) as fleet:
        site = await set_up(hass, bridge(fleet.port))
        await until(lambda: site.engine.summary.in_trouble, 5)
        await site.settle()
        assert site.census() == (0, 165, 150)
        assert site.value("zones_in_trouble") == "75"
        assert site.value("modules_offline") == "30"
        await site.remove()


async def test_one_node_of_63_is_absent(hass: HomeAssistant) -> None:
    async with SimulatedFleet(port=0, absent={17}) as fleet:
        began = time.perf_counter()
        site = await set_up(hass, *distributed(fleet.port))
        set_up_in = time.perf_counter() - began
        await until(lambda: site.engine.summary.zones_supervised == 310, 15)
        await site.settle()
        print(
            f"63 nodes, one absent: set up in {set_up_in:.2f} s, "
            f"all others there after {time.perf_counter() - began:.2f} s"
        )
        assert site.census() == (0, 310, 5)
        assert site.zones(STATE_UNAVAILABLE) == list(range(81, 86))
        assert site.is_on("node_17_connection") == STATE_OFF
        fleet.alarm(17)
        spent = await seconds_to(site, 17, STATE_ON)
        assert site.zones(STATE_ON) == [17]
        fleet.clear(17)
        await seconds_to(site, 17, STATE_OFF)
        print(f"alarm to state over a real socket: {spent * 1e3:.0f} ms")
        await site.remove()


async def test_browsers_can_follow_a_site_that_comes_and_goes(
    hass: HomeAssistant,
) -> None:
    """Home Assistant hangs up on one that has 4,096 messages to read.

    What is told in one turn of the loop is queued together. A state is told to
    a browser once, a change of the registry to each of its subscriptions: taken
    to be six, which is many.
    """
    told = [0]

    def count(messages: int) -> Callable[[Event[Any]], None]:
        @callback
        def tell(event: Event[Any]) -> None:
            if not told[-1]:
                hass.loop.call_soon(told.append, 0)
            told[-1] += messages

        return tell

    hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, count(6))
    hass.bus.async_listen(EVENT_STATE_CHANGED, count(1))
    site = await set_up(hass, *distributed())
    assert sum(told) > 3 * MAX_PENDING_MSG
    assert max(told) < MAX_PENDING_MSG / 2
    told[:] = [0]
    await hass.config_entries.async_remove(site.entry.entry_id)
    assert sum(told) > 3 * MAX_PENDING_MSG
    assert max(told) < MAX_PENDING_MSG / 2


async def test_a_node_that_comes_late(hass: HomeAssistant) -> None:
    async with SimulatedFleet(count=2, port=0, absent={2}) as fleet:
        site = await set_up(hass, node(1, port=fleet.port), node(2, port=fleet.port))
        await until(lambda: site.engine.summary.zones_supervised == 5, 5)
        await site.settle()
        assert site.census() == (0, 5, 5)
        fleet.alarm(6)
        fleet.node(2).up()
        await until(lambda: site.engine.summary.zones_supervised == 10, 15)
        await site.settle()
        assert site.zones(STATE_ON) == [6]
        assert site.census() == (1, 9, 0)
        await site.remove()


async def test_one_bridge_with_63_modules(hass: HomeAssistant) -> None:
    async with SimulatedFleet(Layout.BRIDGE, port=0) as fleet:
        site = await set_up(hass, bridge(fleet.port))
        await until(lambda: site.engine.summary.zones_supervised == 315, 5)
        await site.settle()
        assert site.census() == (0, 315, 0)
        fleet.alarm(17)
        fleet.bell(4, Switch.ON)
        await seconds_to(site, 17, STATE_ON)
        await until(lambda: site.is_on("module_4_bell") == STATE_ON, 2)
        fleet.module_offline(63)
        await seconds_to(site, 315, STATE_UNAVAILABLE)
        assert site.zones(STATE_ON) == [17]
        assert site.zones(STATE_UNAVAILABLE) == list(range(311, 316))
        await site.remove()
