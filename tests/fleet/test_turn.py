"""A site's messages leave room for others in every turn of the event loop."""

import asyncio

from custom_components.esp32_fire_alarm.fleet.turn import (
    MAX_TURNS_WAITED,
    SECONDS_PER_TURN,
    Turn,
)


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
