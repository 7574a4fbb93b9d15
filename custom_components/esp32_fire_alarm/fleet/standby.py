"""Standby addresses: proved while unused, given back when the primary is well.

A standby that is found dead only when it is needed is none (NFPA 72 has both
paths of an alarm supervised).
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
import logging
from typing import Final, Protocol

import aiohttp

from .health import HealthMonitor
from .models import DeviceAddress
from .paths import Path, PathChooser
from .scan import ScanLimits, scan
from .timing import (
    FAIL_BACK_SECONDS,
    MAX_CONNECTS_IN_FLIGHT,
    PRIMARY_CHECK_SECONDS,
    STANDBY_CHECK_SECONDS,
    Clock,
)

_LOGGER = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0
"""Period in which is looked for checks that are due."""

FIRST_CHECK_SECONDS: Final = 30.0
"""The first checks wait until the site has had time to connect."""


class HasPaths(Protocol):
    """The part of a node that matters here."""

    paths: PathChooser


@dataclass(slots=True)
class _Check:
    """What is known of one node's unused address."""

    due_at: float
    address: DeviceAddress
    well_since: float | None = None


class StandbyWatch:
    """Checks every node's unused address, and starts the fail-back."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        nodes: Mapping[int, HasPaths],
        *,
        clock: Clock,
        health: HealthMonitor,
        fail_back: Callable[[int], Awaitable[None]],
    ) -> None:
        """Prepare; `fail_back(node)` moves a node's link back to its primary."""
        self._session = session
        self._nodes = nodes
        self._clock = clock
        self._health = health
        self._fail_back = fail_back
        self._checks: dict[int, _Check] = {}

    async def run(self) -> None:
        """Check for ever; a check that fails is a finding, never an error."""
        await self._clock.sleep(FIRST_CHECK_SECONDS)
        while True:
            try:
                await self.check_due()
            except Exception:
                _LOGGER.exception("Checking the unused addresses failed")
            await self._clock.sleep(LOOK_SECONDS)

    async def check_due(self) -> None:
        """Check every unused address whose time has come."""
        now = self._clock.now()
        for gone in self._checks.keys() - self._nodes.keys():
            del self._checks[gone]
        due: dict[DeviceAddress, list[int]] = {}
        for number, node in self._nodes.items():
            if (unused := node.paths.unused) is None:
                continue
            check = self._checks.get(number)
            if check is None or check.address != unused:
                # The first look, or it is another one now: prove it soon.
                check = self._checks[number] = _Check(now, unused)
            if now >= check.due_at:
                due.setdefault(unused, []).append(number)
        if due:
            await self._check(due)

    async def _check(self, due: Mapping[DeviceAddress, Collection[int]]) -> None:
        """Ask the addresses and act on their answers."""
        result = await scan(
            self._session,
            list(due),
            limits=ScanLimits(in_flight=MAX_CONNECTS_IN_FLIGHT),
        )
        for probe in result.probes:
            for number in due[probe.address]:
                node = self._nodes.get(number)
                if node is None or node.paths.unused != probe.address:
                    # Switched or reconfigured while we asked.
                    continue
                check = self._checks[number]
                if node.paths.path is Path.PRIMARY:
                    check.due_at = self._clock.now() + STANDBY_CHECK_SECONDS
                    self._health.note_standby(number, is_alive=probe.is_found)
                else:
                    await self._judge_primary(number, check, probe.is_found)

    async def _judge_primary(self, number: int, check: _Check, is_well: bool) -> None:
        """Give the link back once the primary was well for long enough."""
        now = self._clock.now()
        check.due_at = now + PRIMARY_CHECK_SECONDS
        if not is_well:
            check.well_since = None
        elif check.well_since is None:
            check.well_since = now
        elif now - check.well_since >= FAIL_BACK_SECONDS:
            await self._fail_back(number)
