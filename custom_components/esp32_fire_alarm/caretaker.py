"""Looks after what runs by itself until it needs a person.

Remembers how the links stood, finds out what is wrong with nodes and their
identity, searches for lost ones, and keeps the repair issues in step with it.
"""

from collections.abc import Collection, Mapping
import logging
import time
from typing import TYPE_CHECKING, Final

import aiohttp
from homeassistant.core import callback

from .const import CONF_ADDRESSES, CONF_STANDBY, DOMAIN
from .fleet.addresses import AddressError, parse_addresses
from .fleet.checkup import Checkup
from .fleet.findings import FindingBook
from .fleet.models import DeviceAddress, NodeConfig
from .fleet.paths import Path
from .fleet.search import LostNodeSearch
from .fleet.timing import Clock
from .fleet.witness import Statement, Witness
from .issues import async_delete, async_delete_others, async_show
from .link_store import LinkStore
from .neighbours import async_get_neighbours, async_mac_of
from .topology import nodes_from_entry

if TYPE_CHECKING:
    from .site import FireAlarmSite

_LOGGER = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0
"""Period in which everything is looked at."""

SEARCH_LOOK_SECONDS: Final = 30.0
"""Period in which is looked for a search that is due."""

STALE_SECONDS: Final = 300.0
"""An issue from before a restart that was not found again by then is over."""


class Caretaker:
    """Works for one site, a few times a minute."""

    def __init__(
        self,
        site: FireAlarmSite,
        links: LinkStore,
        session: aiohttp.ClientSession,
        clock: Clock,
    ) -> None:
        """Take over what `links` knows from before a restart."""
        self._site = site
        self._links = links
        self._now = clock.now
        self._look_due_at = clock.now()
        self._stale_due_at = clock.now() + STALE_SECONDS
        self._findings = FindingBook()
        self._witness = Witness()
        self._checkup = Checkup(site.health, time.monotonic)
        self._search = LostNodeSearch(
            session, clock=clock, lost=self._lost, free=self._free
        )
        self._sleep = clock.sleep
        self._neighbours: dict[str, str] = {}

    @callback
    def async_start(self) -> None:
        """Begin to search for lost nodes whenever there are any."""
        self._site.entry.async_create_background_task(
            self._site.hass, self._async_search(), f"{DOMAIN} search for lost nodes"
        )

    @callback
    def async_tick(self) -> None:
        """Look at everything if it is time to."""
        now = self._now()
        if now < self._look_due_at:
            return
        self._look_due_at = now + LOOK_SECONDS
        site = self._site
        in_use = self._note_links()
        free = self._free() if self._search.found else ()
        present = [
            *self._witness.look(
                self._statements(in_use),
                [probe for probe in self._search.found if probe.address in free],
                self._neighbours,
            ),
            *self._checkup.look(site.configs.keys(), self._links.lost_since),
        ]
        shown, cleared = self._findings.update(present, now)
        for finding in shown:
            async_show(site, finding)
        for key in cleared:
            async_delete(site, key)
        if now >= self._stale_due_at:
            self._stale_due_at = float("inf")
            async_delete_others(
                site.hass,
                site.entry.entry_id,
                [one.key for one in self._findings.raised],
            )

    @callback
    def async_forget(
        self, before: Mapping[int, NodeConfig], after: Mapping[int, NodeConfig]
    ) -> None:
        """Take away what was found of nodes that are others now."""
        both = before.keys() | after.keys()
        changed = {node for node in both if before.get(node) != after.get(node)}
        for key in self._findings.drop(changed):
            async_delete(self._site, key)

    async def async_save(self) -> None:
        """Keep what has to survive."""
        self._note_links()
        await self._links.async_flush()

    def _note_links(self) -> dict[int, Path]:
        """Keep how the links stand now; return the addresses in use of those heard."""
        site = self._site
        in_use = {
            node: site.health.record(node).path
            for node in site.configs
            if site.truth.is_fresh(node)
        }
        self._links.async_note(in_use, site.configs.keys() - in_use)
        return in_use

    async def _async_search(self) -> None:
        """Search for ever; a search that fails found nothing."""
        while True:
            await self._sleep(SEARCH_LOOK_SECONDS)
            try:
                await self._search.search_if_due()
                if self._search.found:
                    self._neighbours = await async_get_neighbours(self._site.hass)
            except Exception:
                _LOGGER.exception("Searching for lost nodes failed")

    def _statements(self, heard: Mapping[int, Path]) -> dict[int, Statement]:
        """Return what each node says of itself, as site addresses."""
        site = self._site
        return {
            node: Statement(
                config,
                frozenset(site.truth.listed_modules(node)),
                heard.get(node, Path.PRIMARY),
                site.health.record(node).frames,
                async_mac_of(site.hass, site.entry, node),
            )
            for node, config in site.configs.items()
        }

    def _lost(self) -> dict[int, float]:
        """Return for how many seconds nodes have been lost that are given up."""
        now = time.monotonic()
        return {
            node: now - at
            for node, at in self._links.lost_since.items()
            if node in self._site.configs and self._site.truth.is_given_up(node)
        }

    def _free(self) -> Collection[DeviceAddress]:
        """Return the site's addresses that belong to no node, of any site."""
        entry = self._site.entry
        listed: set[DeviceAddress] = set()
        for field in (CONF_ADDRESSES, CONF_STANDBY):
            try:
                listed.update(parse_addresses(entry.data[field], entry.data["port"]))
            except AddressError:
                # Nothing typed there.
                continue
        for other in self._site.hass.config_entries.async_entries(DOMAIN):
            for node in nodes_from_entry(other.data):
                listed -= {node.address, node.standby}
        return listed
