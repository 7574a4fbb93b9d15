"""Looking for lost nodes where nobody is expected.

A node that got another address from its router still answers there. Only the
addresses that belong to the site without belonging to a node are asked, and
rarely: whoever listens there may be anything.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final

import aiohttp

from .models import DeviceAddress
from .scan import Probe, ScanLimits, scan
from .timing import MAX_CONNECTS_IN_FLIGHT, Clock

FIRST_SEARCH_SECONDS: Final = 300.0
"""A node must be lost for this long to be searched for."""

SEARCH_AGAIN_SECONDS: Final = 3600.0
"""Period of the search while a node stays lost."""


class LostNodeSearch:
    """Searches the free addresses while there is anybody to find.

    `found` are the nodes that answered there, as of the last search.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        clock: Clock,
        lost: Callable[[], Mapping[int, float]],
        free: Callable[[], Collection[DeviceAddress]],
    ) -> None:
        """Prepare.

        `lost()` tells for how many seconds each lost node has been lost,
        `free()` which addresses may be asked.
        """
        self._session = session
        self._clock = clock
        self._lost = lost
        self._free = free
        self._searched_at = float("-inf")
        self._searched_for: set[int] = set()
        self.found: tuple[Probe, ...] = ()

    async def search_if_due(self) -> None:
        """Ask the free addresses, if a node is lost for long enough."""
        lost = {
            node for node, age in self._lost().items() if age >= FIRST_SEARCH_SECONDS
        }
        self._searched_for &= lost
        if not lost:
            self.found = ()
            return
        age = self._clock.now() - self._searched_at
        is_new = age >= FIRST_SEARCH_SECONDS and not lost <= self._searched_for
        if not is_new and age < SEARCH_AGAIN_SECONDS:
            return
        self._searched_at, self._searched_for = self._clock.now(), lost
        result = await scan(
            self._session,
            sorted(self._free()),
            limits=ScanLimits(in_flight=MAX_CONNECTS_IN_FLIGHT),
        )
        self.found = result.found
