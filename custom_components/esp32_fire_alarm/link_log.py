"""One line in Home Assistant's log when a node is lost, and one when it is back.

Sixty nodes try to reconnect several times a minute; nobody could read a log
that tells of every attempt. The debug log does.
"""

from collections.abc import Iterable
import logging
from typing import TYPE_CHECKING

from homeassistant.core import callback

if TYPE_CHECKING:
    from .site import FireAlarmSite

_LOGGER = logging.getLogger(__name__)


class LinkLog:
    """Knows whose loss was told, so that their return is told too."""

    def __init__(self, site: FireAlarmSite) -> None:
        """Start with nobody lost; who was never there is not lost either."""
        self._site = site
        self._lost: set[int] = set()

    @callback
    def async_note_down(self, node: int) -> None:
        """Tell of the loss of `node`, if its frames were coming in until now."""
        site = self._site
        if site.truth.is_fresh(node):
            self._lost.add(node)
            _LOGGER.info(
                "Node %d (%s) of %s is lost: %s",
                node,
                site.configs[node].address,
                site.entry.title,
                site.health.record(node).fault or "no data",
            )

    @callback
    def async_note_heard(self, nodes: Iterable[int]) -> None:
        """Tell of the return of nodes that were lost and are heard again."""
        site = self._site
        for node in self._lost.intersection(nodes):
            if site.truth.is_fresh(node):
                self._lost.discard(node)
                _LOGGER.info(
                    "Node %d (%s) of %s is back",
                    node,
                    site.configs[node].address,
                    site.entry.title,
                )

    @callback
    def async_forget(self, nodes: Iterable[int]) -> None:
        """Forget nodes that are no longer part of the site."""
        self._lost.difference_update(nodes)
