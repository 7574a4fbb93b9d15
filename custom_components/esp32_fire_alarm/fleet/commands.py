"""The four commands to a panel, and what its lamps say of their effect.

No panel answers a command, and nobody has seen a real firmware obey one. So an
effect is believed only where a lamp shows it; acknowledge has no lamp. Nothing
in here sends anything unasked or twice: silence and drill are switches, which
a second command would turn back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
import json
from typing import Final

from .models import Led

MIN_REPEAT_SECONDS: Final = 1.0
"""The same command to the same node within this time is refused (PROTOCOL 3.2)."""

CONFIRM_SECONDS: Final = 10.0
"""Longest wait for the lamp; a panel's polling cycle takes 1-2 s."""

FOLLOW_SECONDS: Final = 3.0
"""Within so long all nodes of a panel show what a command over one of them did."""


class Command(StrEnum):
    """What a person can ask of a panel."""

    ACKNOWLEDGE = "acknowledge"
    SILENCE = "silence"
    RESET = "reset"
    DRILL = "drill"


class Outcome(StrEnum):
    """What came of a command at one node."""

    CONFIRMED = "confirmed"
    """The lamp shows the effect."""
    SENT = "sent"
    """It is out, and no lamp can tell whether it had an effect."""
    NOT_NEEDED = "not_needed"
    """The lamp showed already what is wanted, so nothing was sent."""
    NOT_CONFIRMED = "not_confirmed"
    """It is out, but the lamp does not show the effect."""
    NOT_CONNECTED = "not_connected"
    """There is no link to send it over, or no word of the lamp to go by."""
    REPEATED = "repeated"
    """The same command went to the node just before, so nothing was sent."""
    NOT_TRIED = "not_tried"
    """The first of several panels did not obey, so nothing was sent."""


DONE: Final = frozenset({Outcome.CONFIRMED, Outcome.SENT, Outcome.NOT_NEEDED})
"""The outcomes that leave nothing to do."""

FAILURES: Final = (Outcome.NOT_CONFIRMED, Outcome.NOT_CONNECTED, Outcome.REPEATED)
"""What a command may fail for, the most telling first."""

_WORDS: Final = {
    Command.ACKNOWLEDGE: ("a", "ACKNOWLEDGE"),
    Command.SILENCE: ("s", "SILENCE"),
    Command.RESET: ("r", "SYSTEM_RESET"),
    Command.DRILL: ("d", "DRILL"),
}

_SWITCHES: Final = {Command.SILENCE: Led.SILENCED, Command.DRILL: Led.DRILL}


def payload(command: Command, user: str, at: float) -> str:
    """Return a command as the original app sends it (PROTOCOL 3.2).

    `user` is the name of who gives it, `at` seconds since the epoch.
    """
    letter, action = _WORDS[command]
    return json.dumps(
        {
            "command": letter,
            "type": "control_command",
            "timestamp": round(at * 1000),
            "user": user,
            "action": action,
        },
        separators=(",", ":"),
    )


def is_switch(command: Command) -> bool:
    """Tell whether a command switches a lamp on and off."""
    return command in _SWITCHES


def fits_several(command: Command, lit: bool | None) -> bool:
    """Tell whether a command may go to several nodes at once.

    They may all belong to one panel, so a lamp has to tell which of them needs
    no command any more. `lit` is what a switch's lamp should become, if known.
    """
    return command is Command.RESET or (is_switch(command) and lit is not None)


@dataclass(frozen=True, slots=True)
class _Expectation:
    """A lamp of a node's panel, and whether it should be lit."""

    node: int
    lamp: Led
    lit: bool


class PanelCommands:
    """Gives commands to panels and watches their lamps for the effect."""

    def __init__(
        self,
        send: Callable[[int, str], Awaitable[None]],
        lamps: Callable[[int], Collection[Led] | None],
        *,
        now: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        """Begin with nothing sent.

        `send(node, text)` is the pool's. `lamps(node)` returns what is lit on
        the node's panel, or None while frames of the node do not tell. `now`
        tells monotonic seconds, `wall` seconds since the epoch.
        """
        self._send = send
        self._lamps = lamps
        self._now = now
        self._wall = wall
        self._sent_at: dict[tuple[int, Command], float] = {}
        self._waiting: dict[asyncio.Future[None], _Expectation] = {}

    def look(self) -> None:
        """Look at the lamps, any of which may have changed."""
        for future, expected in self._waiting.items():
            if not future.done() and self._is_met(expected):
                future.set_result(None)

    async def give(
        self, command: Command, node: int, user: str, *, lit: bool | None = None
    ) -> Outcome:
        """Give a command to one node and wait for its effect, 10 s at the most.

        `lit` is what the command's lamp should become: if it is so already,
        nothing is sent. Without it the command is sent whatever the lamp
        shows, like a press of the panel's own key.
        """
        expected = self._expect(command, node, lit)
        is_met = expected is not None and self._is_met(expected)
        if lit is not None and (expected is None or is_met):
            return Outcome.NOT_NEEDED if is_met else Outcome.NOT_CONNECTED
        now = self._now()
        key = (node, command)
        if key in self._sent_at and now - self._sent_at[key] < MIN_REPEAT_SECONDS:
            return Outcome.REPEATED
        self._sent_at[key] = now
        try:
            await self._send(node, payload(command, user, self._wall()))
        except ConnectionError:
            del self._sent_at[key]
            return Outcome.NOT_CONNECTED
        if expected is None or is_met:
            return Outcome.SENT
        if await self._see([expected], CONFIRM_SECONDS):
            return Outcome.CONFIRMED
        return Outcome.NOT_CONFIRMED

    async def give_all(
        self, command: Command, nodes: Iterable[int], user: str, *, lit: bool | None
    ) -> dict[int, Outcome]:
        """Give a command that `fits_several` to nodes that may share a panel.

        One goes ahead. Those whose lamps follow it need no command any more,
        the others get theirs together. Takes 23 s at the most.
        """
        if not is_switch(command):
            lit = False
        waiting = list(nodes)
        outcomes = dict.fromkeys(waiting, Outcome.NOT_TRIED)
        while waiting:
            node = waiting.pop(0)
            outcomes[node] = await self.give(command, node, user, lit=lit)
            if outcomes[node] is Outcome.NOT_CONFIRMED:
                return outcomes
            if outcomes[node] is Outcome.CONFIRMED:
                break
        expected = [self._expect(command, node, lit) for node in waiting]
        await self._see([one for one in expected if one is not None], FOLLOW_SECONDS)
        results = await asyncio.gather(
            *(self.give(command, node, user, lit=lit) for node in waiting)
        )
        return outcomes | dict(zip(waiting, results, strict=True))

    def _expect(
        self, command: Command, node: int, lit: bool | None
    ) -> _Expectation | None:
        """Return what should be seen of a command; None if nothing can be."""
        lamps = self._lamps(node)
        if lamps is None or command is Command.ACKNOWLEDGE:
            return None
        if command is Command.RESET:
            return _Expectation(node, Led.ALARM, lit=False)
        lamp = _SWITCHES[command]
        return _Expectation(node, lamp, lit=lamp not in lamps if lit is None else lit)

    def _is_met(self, expected: _Expectation) -> bool:
        """Tell whether a lamp is as expected."""
        lamps = self._lamps(expected.node)
        return lamps is not None and (expected.lamp in lamps) is expected.lit

    async def _see(self, expectations: Iterable[_Expectation], seconds: float) -> bool:
        """Wait until all lamps are as expected; return whether they are in time."""
        unmet = {
            asyncio.get_running_loop().create_future(): expected
            for expected in expectations
            if not self._is_met(expected)
        }
        if not unmet:
            return True
        self._waiting |= unmet
        try:
            _, late = await asyncio.wait(unmet, timeout=seconds)
        finally:
            for future in unmet:
                del self._waiting[future]
        return not late
