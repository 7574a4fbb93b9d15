"""What people and automations are told: each thing once, in order, when heard.

While Home Assistant starts nobody listens yet: automations are armed last. So
events wait until somebody can hear them; states and the log do not.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
import logging
from typing import Final

from .impairment import WalkTestResult
from .models import Led
from .occurrence import Occurrence

_LOGGER = logging.getLogger(__name__)

MAX_WAITING: Final = 1000
"""Events kept for later at most; a full storm has 315 alarms."""


class EventKind(StrEnum):
    """What may be told of a site."""

    ALARM = "alarm"
    ALARM_RESTORED = "alarm_restored"
    CONFIRMED_ALARM = "confirmed_alarm"
    TROUBLE = "trouble"
    TROUBLE_RESTORED = "trouble_restored"
    NODE_LOST = "node_lost"
    NODE_RETURNED = "node_returned"
    FAILOVER = "failover"
    BELL = "bell"
    PANEL_STATUS = "panel_status"
    ACKNOWLEDGED = "acknowledged"
    RESET = "reset"
    DISABLED = "disabled"
    ENABLED = "enabled"
    DISABLED_ZONE_ALARM = "disabled_zone_alarm"
    WALK_TEST_STARTED = "walk_test_started"
    WALK_TEST = "walk_test"
    WALK_TEST_ENDED = "walk_test_ended"
    SILENCED = "silenced"
    PANEL_COMMAND = "panel_command"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEvent:
    """One thing that happened at the site; `at` is seconds since the epoch.

    - of a zone (alarm, trouble, their ends, walk test, alarm of a disabled
      zone): `occurrence`;
    - node lost or returned: `node`;
    - failover: `node` speaks for `modules` now, `node_before` did before;
    - bell: `node`, one module in `modules`, `is_on`;
    - panel status: `node`, the lamps that are `lit`, `went_on`, `went_off`;
    - confirmed alarm: `group`, its `zones` in alarm, first first;
    - an act: `zones`, `by` whom (None: its time was over), `why`, `until`;
    - walk test ended: also its `report`, by zone;
    - command to a panel: `node`, the `command`, `by` whom, and its `outcome`.
    """

    kind: EventKind
    at: float
    occurrence: Occurrence | None = None
    node: int | None = None
    node_before: int | None = None
    zones: tuple[int, ...] = ()
    modules: tuple[int, ...] = ()
    group: str | None = None
    is_on: bool | None = None
    lit: tuple[Led, ...] = ()
    went_on: tuple[Led, ...] = ()
    went_off: tuple[Led, ...] = ()
    by: str | None = None
    why: str | None = None
    until: float | None = None
    command: str | None = None
    outcome: str | None = None
    report: tuple[WalkTestResult, ...] = ()
    found_on_resync: bool = False
    drill: bool = False


def act_of(
    kind: EventKind,
    zones: Iterable[int],
    at: float,
    by: str | None,
    *,
    why: str | None = None,
    until: float | None = None,
    report: tuple[WalkTestResult, ...] = (),
) -> SiteEvent:
    """Return the event of something that somebody did to zones (1-315).

    `at` and `until` are seconds since the epoch.
    """
    return SiteEvent(
        kind=kind,
        at=at,
        zones=tuple(sorted(set(zones))),
        by=by,
        why=why,
        until=until,
        report=report,
    )


class Teller:
    """Passes events on in order, one after the other, from `open` on.

    An event that comes out of telling another one waits for its turn.
    """

    def __init__(self, tell: Callable[[SiteEvent], None]) -> None:
        """Start closed; `tell` must not raise."""
        self._tell = tell
        self._queue: deque[SiteEvent] = deque()
        self._is_open = False
        self._is_telling = False
        self._has_dropped = False

    @property
    def waiting(self) -> tuple[SiteEvent, ...]:
        """The events that nobody has been told of yet."""
        return tuple(self._queue)

    def open(self) -> None:
        """Tell what waits, and everything else at once from now on."""
        self._is_open = True
        self._drain()

    def put(self, *events: SiteEvent) -> None:
        """Tell of events as soon as possible.

        All of them wait before the first is told, for whoever hears of it may look at
        what is not told yet, or do something that is told after them.
        """
        self._queue.extend(events)
        if self._is_open:
            self._drain()
            return
        while len(self._queue) > MAX_WAITING:
            self._drop_one()

    def _drain(self) -> None:
        """Tell everything in the queue, unless that is being done already."""
        if self._is_telling:
            return
        self._is_telling = True
        try:
            while self._queue:
                self._tell(self._queue.popleft())
        finally:
            self._is_telling = False

    def _drop_one(self) -> None:
        """Forget the oldest event that is not an alarm, if there is one."""
        kinds = (event.kind for event in self._queue)
        place = next((i for i, k in enumerate(kinds) if k is not EventKind.ALARM), 0)
        if not self._has_dropped:
            self._has_dropped = True
            _LOGGER.warning("Too much happens before it can be told: dropping events")
        del self._queue[place]
