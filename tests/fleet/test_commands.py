"""Commands to panels: what goes out, what is refused, what counts as an effect."""

import asyncio
from collections.abc import Iterable
import json

import pytest

from custom_components.esp32_fire_alarm.fleet import commands as room
from custom_components.esp32_fire_alarm.fleet.commands import (
    Command,
    Outcome,
    PanelCommands,
    fits_several,
    payload,
)
from custom_components.esp32_fire_alarm.fleet.models import Led
from sim.fleet import SimulatedFleet
from sim.panel import Lamp

from .rig import FakeClock, configs_of, connect_all, running

pytestmark = pytest.mark.usefixtures("loopback")

AT = 1_700_000_000.25
LAMP_OF = {"s": Led.SILENCED, "d": Led.DRILL, "r": Led.ALARM}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait tenths of a second, not seconds."""
    monkeypatch.setattr(room, "CONFIRM_SECONDS", 0.2)
    monkeypatch.setattr(room, "FOLLOW_SECONDS", 0.1)


class Panels:
    """Nodes with panels that obey, and what was sent to them."""

    def __init__(self, *nodes: int, is_one_panel: bool = False) -> None:
        self.sent: list[tuple[int, str]] = []
        self.lit: dict[int, set[Led] | None] = {node: set() for node in nodes}
        self.deaf: set[int] = set()
        self.gone: set[int] = set()
        self.now = 100.0
        self.is_one_panel = is_one_panel
        self.commands = PanelCommands(
            self.send, self.lit.get, now=lambda: self.now, wall=lambda: AT
        )

    async def send(self, node: int, text: str) -> None:
        """Take a command; the panel obeys in the loop's next turn."""
        if node in self.gone:
            raise ConnectionError
        letter = json.loads(text)["command"]
        self.sent.append((node, letter))
        if node not in self.deaf:
            reached: Iterable[int] = self.lit if self.is_one_panel else [node]
            for one in tuple(reached):
                asyncio.get_running_loop().call_soon(self.obey, one, letter)

    def obey(self, node: int, letter: str) -> None:
        """Do what the panel's key does, and show it in the next frame."""
        lit = self.lit[node]
        if lit is not None and letter in LAMP_OF:
            lamp = LAMP_OF[letter]
            if lamp in lit:
                lit.remove(lamp)
            elif letter != "r":
                lit.add(lamp)
        self.commands.look()

    async def give(self, command: Command, *, lit: bool | None = None) -> Outcome:
        """Give a command to node 1."""
        return await self.commands.give(command, 1, "Ana", lit=lit)

    async def give_all(
        self, command: Command, *, lit: bool | None = None
    ) -> dict[int, Outcome]:
        """Give a command to every node."""
        return await self.commands.give_all(command, self.lit, "Ana", lit=lit)


@pytest.mark.parametrize(
    ("command", "letter", "action"),
    [
        (Command.RESET, "r", "SYSTEM_RESET"),
        (Command.DRILL, "d", "DRILL"),
        (Command.ACKNOWLEDGE, "a", "ACKNOWLEDGE"),
        (Command.SILENCE, "s", "SILENCE"),
    ],
)
def test_the_payload_is_that_of_the_original_app(
    command: Command, letter: str, action: str
) -> None:
    assert json.loads(payload(command, 'Ana "A" Ünal', AT)) == {
        "command": letter,
        "type": "control_command",
        "timestamp": 1_700_000_000_250,
        "user": 'Ana "A" Ünal',
        "action": action,
    }
    assert payload(command, "Ana", AT).isascii()


@pytest.mark.parametrize(
    ("command", "lamp"), [(Command.SILENCE, Led.SILENCED), (Command.DRILL, Led.DRILL)]
)
async def test_a_switch_is_confirmed_by_its_lamp_both_ways(
    command: Command, lamp: Led
) -> None:
    panels = Panels(1)
    assert await panels.give(command) is Outcome.CONFIRMED
    assert panels.lit[1] == {lamp}
    panels.now += 1
    assert await panels.give(command) is Outcome.CONFIRMED
    assert panels.lit[1] == set()


async def test_a_reset_is_confirmed_by_the_alarm_lamp_going_out() -> None:
    panels = Panels(1)
    panels.lit[1] = {Led.ALARM}
    assert await panels.give(Command.RESET) is Outcome.CONFIRMED


async def test_a_reset_of_a_panel_without_an_alarm_shows_nothing() -> None:
    panels = Panels(1)
    assert await panels.give(Command.RESET) is Outcome.SENT
    assert panels.sent == [(1, "r")]


async def test_acknowledge_has_no_lamp() -> None:
    assert await Panels(1).give(Command.ACKNOWLEDGE) is Outcome.SENT


async def test_without_a_word_of_the_lamps_nothing_is_confirmed() -> None:
    panels = Panels(1)
    panels.lit[1] = None
    assert await panels.give(Command.SILENCE) is Outcome.SENT


@pytest.mark.parametrize("command", [Command.SILENCE, Command.DRILL, Command.RESET])
async def test_a_panel_that_does_not_obey(command: Command) -> None:
    panels = Panels(1)
    panels.lit[1] = {Led.ALARM}
    panels.deaf = {1}
    assert await panels.give(command) is Outcome.NOT_CONFIRMED
    assert len(panels.sent) == 1, "nothing is ever sent twice"


async def test_a_lost_node_confirms_nothing() -> None:
    panels = Panels(1)
    panels.deaf = {1}
    giving = asyncio.create_task(panels.give(Command.SILENCE))
    await asyncio.sleep(0.01)
    panels.lit[1] = None
    panels.commands.look()
    assert await giving is Outcome.NOT_CONFIRMED


async def test_another_change_of_the_lamps_is_no_effect() -> None:
    panels = Panels(1)
    panels.deaf = {1}
    giving = asyncio.create_task(panels.give(Command.SILENCE))
    await asyncio.sleep(0.01)
    panels.lit[1] = {Led.DRILL, Led.TROUBLE}
    panels.commands.look()
    assert await giving is Outcome.NOT_CONFIRMED


async def test_the_same_command_within_a_second_is_refused() -> None:
    panels = Panels(1)
    await panels.give(Command.ACKNOWLEDGE)
    panels.now += 0.999
    assert await panels.give(Command.ACKNOWLEDGE) is Outcome.REPEATED
    assert await panels.give(Command.DRILL) is Outcome.CONFIRMED, "another command"
    panels.now += 0.001
    assert await panels.give(Command.ACKNOWLEDGE) is Outcome.SENT
    assert panels.sent == [(1, "a"), (1, "d"), (1, "a")]


async def test_two_people_press_at_the_same_moment() -> None:
    panels = Panels(1)
    first, second = await asyncio.gather(
        panels.give(Command.SILENCE), panels.give(Command.SILENCE)
    )
    assert first is Outcome.CONFIRMED
    assert second is Outcome.REPEATED


async def test_what_could_not_be_sent_may_be_tried_again_at_once() -> None:
    panels = Panels(1)
    panels.gone = {1}
    assert await panels.give(Command.SILENCE) is Outcome.NOT_CONNECTED
    panels.gone = set()
    assert await panels.give(Command.SILENCE) is Outcome.CONFIRMED


async def test_a_lamp_that_is_as_wanted_is_left_alone() -> None:
    panels = Panels(1)
    assert await panels.give(Command.SILENCE, lit=False) is Outcome.NOT_NEEDED
    assert await panels.give(Command.SILENCE, lit=True) is Outcome.CONFIRMED
    assert await panels.give(Command.SILENCE, lit=True) is Outcome.NOT_NEEDED
    panels.lit[1] = None
    assert await panels.give(Command.SILENCE, lit=True) is Outcome.NOT_CONNECTED
    assert panels.sent == [(1, "s")]


def test_only_what_a_lamp_can_tell_fits_several_nodes() -> None:
    assert fits_several(Command.RESET, None)
    assert fits_several(Command.DRILL, True)
    assert not fits_several(Command.DRILL, None)
    assert not fits_several(Command.ACKNOWLEDGE, None)


async def test_nodes_of_one_panel_get_one_command() -> None:
    panels = Panels(1, 2, 3, is_one_panel=True)
    outcomes = await panels.give_all(Command.SILENCE, lit=True)
    assert panels.sent == [(1, "s")]
    assert outcomes == {
        1: Outcome.CONFIRMED,
        2: Outcome.NOT_NEEDED,
        3: Outcome.NOT_NEEDED,
    }


async def test_nodes_of_several_panels_each_get_theirs() -> None:
    panels = Panels(1, 2, 3)
    panels.lit[2] = {Led.SILENCED}
    outcomes = await panels.give_all(Command.SILENCE, lit=True)
    assert panels.sent == [(1, "s"), (3, "s")]
    assert set(outcomes.values()) == {Outcome.CONFIRMED, Outcome.NOT_NEEDED}
    assert all(lit == {Led.SILENCED} for lit in panels.lit.values())


async def test_a_reset_goes_only_where_there_is_an_alarm() -> None:
    panels = Panels(1, 2, 3)
    panels.lit[2] = {Led.ALARM}
    outcomes = await panels.give_all(Command.RESET)
    assert panels.sent == [(2, "r")]
    assert outcomes[2] is Outcome.CONFIRMED


async def test_if_the_first_panel_does_not_obey_the_others_are_left_alone() -> None:
    panels = Panels(1, 2, 3)
    panels.deaf = {1}
    assert await panels.give_all(Command.DRILL, lit=True) == {
        1: Outcome.NOT_CONFIRMED,
        2: Outcome.NOT_TRIED,
        3: Outcome.NOT_TRIED,
    }
    assert panels.sent == [(1, "d")]


async def test_a_lost_node_does_not_keep_the_others_waiting() -> None:
    panels = Panels(1, 2, 3)
    panels.gone = {1}
    panels.deaf = {3}
    assert await panels.give_all(Command.DRILL, lit=True) == {
        1: Outcome.NOT_CONNECTED,
        2: Outcome.CONFIRMED,
        3: Outcome.NOT_CONFIRMED,
    }


async def test_on_the_simulators_sockets(clock: FakeClock) -> None:
    async with (
        SimulatedFleet(
            count=2, port=0, cycle_seconds=0.05, obey_commands=True
        ) as fleet,
        running(configs_of(fleet), clock=clock) as rig,
    ):
        await connect_all(rig, clock, 2)
        commands = PanelCommands(
            rig.pool.send, rig.truth.leds, now=clock.now, wall=lambda: AT
        )
        giving = asyncio.create_task(commands.give(Command.DRILL, 2, "Ana"))
        while not giving.done():
            commands.look()
            await asyncio.sleep(0.005)
        assert giving.result() is Outcome.CONFIRMED
        assert Lamp.DRILL in fleet.node(2).panel.lit()
        assert [(one.node, one.text) for one in fleet.meter.received] == [
            (2, payload(Command.DRILL, "Ana", AT))
        ]
