"""One line in Home Assistant's log when a node is lost, and one when it is back.

Sixty nodes try to reconnect several times a minute; nobody could read a log
that tells of every attempt. The debug log does. Of a node that comes and goes
all the time, as of one that means to fill the log, only the first losses are told.
"""

from collections import deque
from collections.abc import Callable, Iterable
import logging
from typing import TYPE_CHECKING, Final

from homeassistant.core import callback

if TYPE_CHECKING:
    from .site import FireAlarmSite

_LOGGER = logging.getLogger(__name__)


LOSSES_TOLD: Final = 3
FLAP_SECONDS: Final = 600.0
"""A node that is lost more often than so in this time comes and goes."""


class LinkLog:
    """Knows whose loss was told, so that their return is told too."""

    def __init__(self, site: FireAlarmSite, now: Callable[[], float]) -> None:
        """Start with nobody lost; who was never there is not lost either.

        `now` returns monotonic seconds.
        """
        self._site = site
        self._now = now
        self._lost: set[int] = set()
        self._losses: dict[int, deque[float]] = {}
        self._flapping: set[int] = set()

    @callback
    def async_note_down(self, node: int) -> None:
        """Tell of the loss of `node`, if its frames were coming in until now."""
        site = self._site
        if not site.truth.is_fresh(node):
            return
        self._lost.add(node)
        was_flapping = node in self._flapping
        is_flapping = self._is_flapping(node)
        if not (is_flapping and was_flapping):
            _LOGGER.info(
                "Node %d (%s) of %s %s: %s",
                node,
                site.configs[node].address,
                site.entry.title,
                "comes and goes, and is not told of again"
                if is_flapping
                else "is lost",
                site.health.record(node).fault or "no data",
            )

    @callback
    def async_note_heard(self, nodes: Iterable[int]) -> None:
        """Tell of the return of nodes that were lost and are heard again."""
        site = self._site
        for node in self._lost.intersection(nodes):
            if site.truth.is_fresh(node):
                self._lost.discard(node)
                if node in self._flapping:
                    continue
                _LOGGER.info(
                    "Node %d (%s) of %s is back",
                    node,
                    site.configs[node].address,
                    site.entry.title,
                )

    @callback
    def async_forget(self, nodes: Iterable[int]) -> None:
        """Forget nodes that are no longer part of the site."""
        for node in nodes:
            self._lost.discard(node)
            self._flapping.discard(node)
            self._losses.pop(node, None)

    def _is_flapping(self, node: int) -> bool:
        """Note a loss; tell whether there were too many lately to tell of each."""
        now = self._now()
        times = self._losses.setdefault(node, deque(maxlen=LOSSES_TOLD))
        if len(times) == LOSSES_TOLD and now - times[0] < FLAP_SECONDS:
            self._flapping.add(node)
        else:
            self._flapping.discard(node)
        times.append(now)
        return node in self._flapping
