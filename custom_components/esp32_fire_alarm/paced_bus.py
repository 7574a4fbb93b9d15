"""Events of a burst put on the bus in portions that the recorder has the time for.

For each event that is like no other one the recorder asks its database. While it
does, its thread gives the interpreter away and takes it back so quickly that an
event loop that has gone to sleep may not get it before the last one is written: of
315 alarms at once that took 0.1-0.2 s, in which by chance nothing else ran for up to
0.09 s. Between two portions the loop has its turn.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from .const import ATTR_TYPE, ATTR_ZONES
from .fleet.telling import EventKind

PORTION: Final = 10
"""So many alarms and so many other events go without a pause. Each costs the
recorder 0.3-0.5 ms on a computer, and some times that on a small one."""

PORTION_SECONDS: Final = 0.02
"""The pause: 315 alarms that come at once are all on the bus after 0.6 s."""

MAX_WAITING: Final = 1000
"""Events that wait at most: the oldest are put on the bus early."""

MAX_WAIT_SECONDS: Final = 2.0
"""So long the last of 1,000 events waits; if the loop is late, no longer either."""

_WRITTEN_AT_ONCE: Final = frozenset(
    {
        EventKind.ALARM,
        EventKind.ALARM_RESTORED,
        EventKind.WALK_TEST,
        EventKind.DISABLED_ZONE_ALARM,
    }
)


class _Waiting(NamedTuple):
    """An event, and since when it waits, in the loop's seconds."""

    event: Event[dict[str, Any]]
    since: float
    is_alarm: bool


class PacedBus:
    """Puts events on the bus: all of them, each once, in order."""

    def __init__(self, hass: HomeAssistant, on_late: Callable[[bool], None]) -> None:
        """Start with nothing that waits.

        `on_late` is called when events have been put on the bus that had to wait;
        with True if that has to be written down at once.
        """
        self._hass = hass
        self._on_late = on_late
        self._queue: deque[_Waiting] = deque()
        self._alarms_waiting = 0
        self._urgent = 0
        self._room = {True: PORTION, False: PORTION}
        self._portion_at = hass.loop.time()
        self._cancel_timer: CALLBACK_TYPE | None = None
        self._is_firing = False
        self._is_late = False
        self._is_closed = False

    @property
    def waiting(self) -> tuple[Event[dict[str, Any]], ...]:
        """The events that are not on the bus yet, oldest first."""
        return tuple(one.event for one in self._queue)

    @callback
    def async_put(self, event: Event[dict[str, Any]]) -> None:
        """Put an event on the bus; in a burst, after a while.

        An alarm waits for other alarms only; a confirmed alarm, and what people do,
        for nothing. What is before such an event goes at once.
        """
        now = self._hass.loop.time()
        # While some wait, the next portion is the timer's: the loop needs its turn.
        if not self._queue and now - self._portion_at >= PORTION_SECONDS:
            self._begin_portion(now)
        is_alarm = event.data[ATTR_TYPE] == EventKind.ALARM
        self._queue.append(_Waiting(event, now, is_alarm))
        self._alarms_waiting += is_alarm
        if ATTR_ZONES in event.data:
            self._urgent = len(self._queue)
        self._fire_some(now)

    @callback
    def async_close(self) -> None:
        """Put everything on the bus that waits, and let nothing wait any more."""
        self._is_closed = True
        self._fire_some(self._hass.loop.time())

    @callback
    def _on_timer(self, _: datetime) -> None:
        """Put the next portion on the bus."""
        self._cancel_timer = None
        now = self._hass.loop.time()
        self._begin_portion(now)
        self._fire_some(now)

    def _begin_portion(self, now: float) -> None:
        """Have room for another portion."""
        self._portion_at = now
        self._room = {True: PORTION, False: PORTION}

    def _fire_some(self, now: float) -> None:
        """Fire what may go; what comes out of that waits for its turn."""
        if self._is_firing:
            # What was put meanwhile waits, if only for the turn of the one before it.
            self._is_late = True
            return
        was_late, fired = self._is_late, set[str]()
        self._is_firing, self._is_late = True, False
        try:
            while self._queue and self._may_go(self._queue[0], now):
                one = self._queue.popleft()
                fired.add(one.event.data[ATTR_TYPE])
                self._fire(one)
        finally:
            was_late |= self._is_late
            self._is_firing, self._is_late = False, bool(self._queue)
            self._plan()
        if was_late and fired:
            self._on_late(not fired.isdisjoint(_WRITTEN_AT_ONCE))

    def _may_go(self, oldest: _Waiting, now: float) -> bool:
        """Tell whether the oldest event that waits need not do so any longer."""
        return (
            self._room[oldest.is_alarm] > 0
            or (self._alarms_waiting > 0 and self._room[True] > 0)
            or self._urgent > 0
            or now - oldest.since >= MAX_WAIT_SECONDS
            or len(self._queue) > MAX_WAITING
            or self._is_closed
        )

    def _fire(self, one: _Waiting) -> None:
        """Put an event on the bus, as of the moment in which it was told."""
        self._alarms_waiting -= one.is_alarm
        self._urgent -= self._urgent > 0
        self._room[one.is_alarm] -= 1
        self._hass.bus.async_fire(
            one.event.event_type,
            one.event.data,
            context=one.event.context,
            time_fired=one.event.time_fired_timestamp,
        )

    def _plan(self) -> None:
        """Come back for what waits, if anything does."""
        if not self._queue and self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None
        elif self._queue and self._cancel_timer is None:
            self._cancel_timer = async_call_later(
                self._hass, PORTION_SECONDS, self._on_timer
            )
