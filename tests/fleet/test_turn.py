"""A site's messages leave room for others in every turn of the event loop."""

import asyncio
from collections import Counter

import pytest

from custom_components.esp32_fire_alarm.fleet.turn import (
    MAX_TURNS_WAITED,
    SECONDS_PER_TURN,
    Turn,
)
from sim.fleet import SimulatedFleet

from .rig import FakeClock, configs_of, connect_all, running, until

STORM_NODES = 12


async def test_there_is_room_until_the_turn_is_used_up() -> None:
    turn = Turn()
    turn.spend(SECONDS_PER_TURN / 2)
    assert not turn.is_used_up
    turn.spend(SECONDS_PER_TURN / 2)
    assert turn.is_used_up


async def test_every_turn_begins_with_nothing_spent() -> None:
    turn = Turn()
    turn.spend(SECONDS_PER_TURN)
    await asyncio.sleep(0)
    assert not turn.is_used_up


async def test_messages_come_in_their_order_a_few_per_turn() -> None:
    turn = Turn()
    turns = 0
    handled: list[tuple[int, int]] = []

    async def link(number: int) -> None:
        await turn.room()
        handled.append((turns, number))
        turn.spend(SECONDS_PER_TURN / 2)

    tasks = [asyncio.create_task(link(number)) for number in range(7)]
    while len(handled) < len(tasks):
        await asyncio.sleep(0)
        turns += 1
    assert [number for _, number in handled] == list(range(7))
    assert [at for at, _ in handled] == [0, 0, 1, 1, 2, 2, 3]


async def test_nobody_waits_for_ever() -> None:
    turn = Turn()

    async def hog() -> None:
        while True:
            turn.spend(SECONDS_PER_TURN)
            await asyncio.sleep(0)

    hogging = asyncio.create_task(hog())
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await asyncio.sleep(0)
    turn.spend(SECONDS_PER_TURN)
    await turn.room()
    assert turns <= MAX_TURNS_WAITED + 2
    hogging.cancel()
    counting.cancel()


@pytest.mark.usefixtures("loopback")
async def test_a_storm_of_alarms_is_spread_over_turns_and_none_is_lost(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    turns = 0
    handled: list[int] = []

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with (
        SimulatedFleet(count=STORM_NODES, port=0) as fleet,
        running(configs_of(fleet), clock=clock) as rig,
    ):
        feed = rig.aggregator.feed

        def feed_slowly(node: int, raw: bytes) -> bool:
            if turns:
                handled.append(turns)
                monkeypatch.setattr(clock, "_now", clock.now() + 0.6 * SECONDS_PER_TURN)
            return feed(node, raw)

        monkeypatch.setattr(rig.pool, "_on_frame", feed_slowly)
        await connect_all(rig, clock, STORM_NODES)
        counting = loop.create_task(count_turns())
        zones = [1 + 5 * place for place in range(STORM_NODES)]
        fleet.alarm(*zones)
        await until(lambda: len(rig.alarms()) == STORM_NODES)
        counting.cancel()
    assert sorted(rig.alarms()) == zones
    assert max(Counter(handled).values()) <= 2
