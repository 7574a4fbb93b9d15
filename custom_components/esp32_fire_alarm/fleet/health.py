"""How well each node is: what its link and its telemetry add up to.

Collects facts from the pool and the aggregator and turns them into a verdict
with one reason. Decides nothing about zones.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from .frame import FrameFault
from .link import LinkFault
from .models import DeviceFrame
from .paths import Path
from .plain import plain_word

DAY_SECONDS: Final = 86_400.0
RECONNECTS_KEPT: Final = 1000
"""Reconnects remembered per node; more than this a day counts as this many."""

TIMELINE_KEPT: Final = 50
"""Link changes remembered per node for diagnostics."""

RAW_FRAMES_KEPT: Final = 3
"""Messages remembered per node for diagnostics, as they came."""

UPTIME_WRAP_MS: Final = 2**32
"""`millis()` of the ESP32 starts over after 49.7 days (PROTOCOL 2.1)."""

WRAP_WINDOW_MS: Final = 600_000
"""A wrap is believed if the uptime was this close to the end before it."""

MODE_LENGTH: Final = 40
"""Longest firmware mode kept, in characters; known ones have at most seven."""

LOW_HEAP_BYTES: Final = 20_000
"""Below this an ESP32's network stack becomes unreliable (DOMAIN 3.1)."""

UNSTABLE_RECONNECTS: Final = 10
"""Reconnects in 24 h that make a node degraded."""

MALFORMED_RECENT_SECONDS: Final = 300.0
"""A malformed frame degrades a node for this long."""

BOOT_DEADBAND_SECONDS: Final = 30.0
"""A computed boot time that moved less than this is the same boot."""


type RawFrame = bytes


class LinkState(StrEnum):
    """Where a node's link is in its life."""

    IDLE = "idle"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    SILENT = "silent"
    BACKING_OFF = "backing_off"
    STANDBY = "standby"


class Verdict(StrEnum):
    """The health of a node in one word."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    LOST = "lost"


class HealthReason(StrEnum):
    """Why a node is not healthy, where the link is up.

    Without a link the reason is the `LinkFault`. Full client slots are no
    dead hardware: somebody else is connected, so the node is degraded.
    """

    OK = "ok"
    STARTING = "starting"
    NO_DATA = "no_data"
    ON_STANDBY = "on_standby"
    STANDBY_DEAD = "standby_dead"
    FLOODING = "flooding"
    MALFORMED = "malformed_frames"
    LOW_MEMORY = "low_memory"
    UNSTABLE = "unstable_link"


@dataclass(frozen=True, slots=True)
class LinkChange:
    """One entry of a node's timeline; `at` is seconds since the epoch."""

    at: float
    state: LinkState
    address: str
    fault: LinkFault | None = None
    text: str = ""


@dataclass(slots=True)
class NodeRecord:
    """Everything known of one node's health.

    Times ending in `_at` are monotonic seconds, but `booted_at` and
    `standby_checked_at`, which are seconds since the epoch.
    """

    state: LinkState = LinkState.IDLE
    path: Path = Path.PRIMARY
    fault: LinkFault | None = None
    fault_text: str = ""
    close_code: int | None = None
    round_trip_seconds: float | None = None
    last_frame_at: float | None = None
    frames: int = 0
    bytes: int = 0
    different: int = 0
    malformed: int = 0
    malformed_at: float | None = None
    ignored: int = 0
    throttled: int = 0
    throttled_at: float | None = None
    uptime_ms: int | None = None
    uptime_wraps: int = 0
    uptime_read_at: float = 0.0
    booted_at: float | None = None
    reboots: int = 0
    free_heap: int | None = None
    clients: int | None = None
    mode: str | None = None
    standby_alive: bool | None = None
    standby_checked_at: float | None = None
    connects: int = 0
    reconnects_at: deque[float] = field(
        default_factory=lambda: deque(maxlen=RECONNECTS_KEPT)
    )
    timeline: deque[LinkChange] = field(
        default_factory=lambda: deque(maxlen=TIMELINE_KEPT)
    )
    raw_frames: deque[RawFrame] = field(
        default_factory=lambda: deque(maxlen=RAW_FRAMES_KEPT)
    )

    @property
    def identical(self) -> int:
        """How many messages repeated what was known: the steady ones count only once."""
        return self.frames - self.different


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """A snapshot for people: verdict, its reason, and the figures behind it.

    `booted_at` is seconds since the epoch; ages and round trip are seconds.
    """

    verdict: Verdict
    reason: HealthReason | LinkFault
    state: LinkState
    path: Path
    round_trip_seconds: float | None
    data_age_seconds: float | None
    reconnects_24h: int
    malformed: int
    close_code: int | None
    last_fault: LinkFault | None
    standby_alive: bool | None
    booted_at: float | None
    reboots: int
    free_heap: int | None
    clients: int | None
    mode: str | None


class HealthMonitor:
    """Keeps one record per node and judges it."""

    def __init__(self, now: Callable[[], float], wall: Callable[[], float]) -> None:
        """Take the clocks: `now` in monotonic seconds, `wall` since the epoch."""
        self._now = now
        self._wall = wall
        self.records: dict[int, NodeRecord] = {}
        self._noted: set[int] = set()

    def take_noted(self) -> set[int]:
        """Return the nodes of which something was noted since the last call.

        Time alone makes no verdict worse, so all others are as well as before.
        """
        noted, self._noted = self._noted, set()
        return noted

    def record(self, node: int) -> NodeRecord:
        """Return the record of `node`, new if there is none."""
        if (record := self.records.get(node)) is None:
            record = self.records[node] = NodeRecord()
        return record

    def forget(self, node: int) -> None:
        """Drop the record of a node that is no longer part of the site."""
        self.records.pop(node, None)
        self._noted.discard(node)

    def note_readdressed(self, node: int, path: Path) -> None:
        """Note that `node` has other addresses now and `path` is the one in use.

        What checks of the unused one said does not count for another.
        """
        self._noted.add(node)
        record = self.record(node)
        record.path = path
        record.standby_alive = record.standby_checked_at = None

    def note_link(
        self,
        node: int,
        state: LinkState,
        address: str,
        fault: LinkFault | None = None,
        text: str = "",
    ) -> None:
        """Note that the link of `node` went into `state`."""
        self._noted.add(node)
        record = self.record(node)
        if record.state is LinkState.CONNECTING and state is LinkState.SILENT:
            # The handshake is done; whether frames follow is another question.
            record.connects += 1
            if record.connects > 1:
                record.reconnects_at.append(self._now())
        if fault is not None:
            record.fault, record.fault_text = fault, text
        if state is LinkState.STANDBY:
            # Frames come over it: no check could prove more.
            record.standby_alive = True
        record.state = state
        record.timeline.append(LinkChange(self._wall(), state, address, fault, text))

    def note_standby(self, node: int, *, is_alive: bool) -> None:
        """Note whether the unused standby address proved that it lives."""
        self._noted.add(node)
        record = self.record(node)
        record.standby_alive = is_alive
        record.standby_checked_at = self._wall()

    def note_bad_frame(self, node: int, fault: FrameFault) -> None:
        """Count a message that `decode` refused."""
        self._noted.add(node)
        record = self.record(node)
        if fault in (FrameFault.MALFORMED, FrameFault.OVERSIZED):
            record.malformed += 1
            record.malformed_at = self._now()
        else:
            record.ignored += 1

    def note_throttled(self, node: int, now: float, *, waits: bool) -> None:
        """Note that a node sends too much; count what has to wait for that."""
        self._noted.add(node)
        record = self.record(node)
        record.throttled += waits
        record.throttled_at = now

    def note_telemetry(self, node: int, frame: DeviceFrame) -> None:
        """Take over uptime, heap and clients; find out whether the node rebooted."""
        self._noted.add(node)
        record = self.record(node)
        if frame.malformed:
            record.malformed += frame.malformed
            record.malformed_at = self._now()
        record.free_heap = frame.free_heap
        record.clients = frame.clients
        record.mode = plain_word(frame.mode or "", MODE_LENGTH) or None
        # Some servers send a date instead; it says nothing about the boot.
        if frame.uptime_ms is not None and frame.uptime_ms < UPTIME_WRAP_MS:
            self._note_uptime(record, frame.uptime_ms)

    def _note_uptime(self, record: NodeRecord, uptime_ms: int) -> None:
        """Compute the boot time; count a reboot, but not the 49.7-day wrap."""
        now = self._now()
        before = record.uptime_ms
        if before is not None and uptime_ms < before:
            elapsed_ms = (now - record.uptime_read_at) * 1000
            expected = before + elapsed_ms - UPTIME_WRAP_MS
            if abs(uptime_ms - expected) <= WRAP_WINDOW_MS:
                record.uptime_wraps += 1
            else:
                record.uptime_wraps = 0
                record.reboots += 1
                record.booted_at = None
        uptime_in_all_ms = uptime_ms + record.uptime_wraps * UPTIME_WRAP_MS
        booted_at = self._wall() - uptime_in_all_ms / 1000
        if (
            record.booted_at is None
            or abs(booted_at - record.booted_at) > BOOT_DEADBAND_SECONDS
        ):
            record.booted_at = booted_at
        record.uptime_ms, record.uptime_read_at = uptime_ms, now

    def rank(self, node: int) -> int:
        """Return 0 for a healthy node, 1 for a degraded, 2 for a lost one."""
        return tuple(Verdict).index(self.judge(node)[0])

    def reconnects_24h(self, node: int) -> int:
        """Return how often the link came back in the last 24 h, 0-1000."""
        return self._count_reconnects(self.record(node))

    def _count_reconnects(self, record: NodeRecord) -> int:
        """Return how many reconnects are younger than a day, and forget the rest."""
        times = record.reconnects_at
        while times and self._now() - times[0] > DAY_SECONDS:
            times.popleft()
        return len(times)

    def judge(self, node: int) -> tuple[Verdict, HealthReason | LinkFault]:
        """Return the verdict on `node` and its reason, without the figures."""
        reason = self.reason(self.record(node))
        if reason is HealthReason.OK:
            return Verdict.HEALTHY, reason
        if isinstance(reason, LinkFault) and reason is not LinkFault.SLOTS_FULL:
            return Verdict.LOST, reason
        return Verdict.DEGRADED, reason

    def assess(self, node: int) -> NodeHealth:
        """Return the verdict on `node` with the figures behind it."""
        record = self.record(node)
        verdict, reason = self.judge(node)
        age = record.last_frame_at
        return NodeHealth(
            verdict=verdict,
            reason=reason,
            state=record.state,
            path=record.path,
            round_trip_seconds=record.round_trip_seconds,
            data_age_seconds=None if age is None else self._now() - age,
            reconnects_24h=self.reconnects_24h(node),
            malformed=record.malformed,
            close_code=record.close_code,
            last_fault=record.fault,
            standby_alive=record.standby_alive,
            booted_at=record.booted_at,
            reboots=record.reboots,
            free_heap=record.free_heap,
            clients=record.clients,
            mode=record.mode,
        )

    def reason(self, record: NodeRecord) -> HealthReason | LinkFault:
        """Return the first thing that is wrong with a node, the worst first.

        It decides the verdict. Asked for every node twice a second.
        """
        if record.state is LinkState.SILENT:
            return HealthReason.NO_DATA
        if record.state not in (LinkState.CONNECTED, LinkState.STANDBY):
            return record.fault or HealthReason.STARTING
        if record.path is Path.STANDBY:
            return HealthReason.ON_STANDBY
        if record.standby_alive is False:
            return HealthReason.STANDBY_DEAD
        if self._is_recent(record.throttled_at):
            return HealthReason.FLOODING
        if self._is_recent(record.malformed_at):
            return HealthReason.MALFORMED
        if record.free_heap is not None and record.free_heap < LOW_HEAP_BYTES:
            return HealthReason.LOW_MEMORY
        if (
            len(record.reconnects_at) >= UNSTABLE_RECONNECTS
            and self._count_reconnects(record) >= UNSTABLE_RECONNECTS
        ):
            return HealthReason.UNSTABLE
        return HealthReason.OK

    def _is_recent(self, at: float | None) -> bool:
        """Tell whether something happened in the last five minutes."""
        return at is not None and self._now() - at < MALFORMED_RECENT_SECONDS
