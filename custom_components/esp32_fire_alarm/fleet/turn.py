"""How much of one turn of the event loop the messages of all nodes may take.

When all nodes of a site raise an alarm at once, their messages are all there in
the same turn, and nothing else would run until the last one was handled. So
those that find the turn used up come in the next, in the order in which they
came; each of them is still handled as a whole.
"""

import asyncio
from typing import Final

SECONDS_PER_TURN: Final = 0.005
"""After messages took this long, the others have to wait for the next turn."""

COSTLY_SECONDS: Final = 0.0002
"""What took less need not be counted: it was a repetition, and a flood of those is
the business of its own link."""

MAX_TURNS_WAITED: Final = 64
"""A message is handled at the latest in this many turns, whoever was before it:
every other link of a site can have used up one."""


class Turn:
    """Counts what was spent in this turn of the event loop."""

    def __init__(self) -> None:
        """Begin with nothing spent."""
        self._spent_seconds = 0.0
        self.is_used_up = False
        """Whether the next message has to wait."""

    def spend(self, seconds: float) -> None:
        """Note that a message took so long, `COSTLY_SECONDS` at least."""
        if not self._spent_seconds:
            asyncio.get_running_loop().call_soon(self._renew)
        self._spent_seconds += seconds
        self.is_used_up = self._spent_seconds >= SECONDS_PER_TURN

    async def room(self) -> None:
        """Wait until a turn of the event loop has room for one more message."""
        for _ in range(MAX_TURNS_WAITED):
            if not self.is_used_up:
                return
            await asyncio.sleep(0)

    def _renew(self) -> None:
        """Begin another turn."""
        self._spent_seconds = 0.0
        self.is_used_up = False
