"""What is remembered of one node's messages, and which of them still wait."""

from dataclasses import dataclass, field
from itertools import count
from typing import Final

from .batch import Bundle
from .glance import MAX_CALM_BYTES, Likeness
from .health import NodeRecord
from .last_word import LastWord, uptime_of
from .models import DeviceFrame
from .throttle import TokenBucket
from .timing import LONG_AGO

MAX_WAITING: Final = 16
"""Different messages of one node that wait at most; one more has all of them read."""

MAX_KNOWN: Final = 4
"""Frames of one node kept decoded: a blinking Trouble LED makes two of one state."""

TELEMETRY_SECONDS: Final = 30.0
"""Least time between two looks at uptime, heap and clients of one node."""

_SEQUENCE: Final = count(1)
"""One for all inboxes, so that no bundle is ever taken for another."""


@dataclass(slots=True)
class Inbox:
    """One node's messages on their way to the truth.

    `mark` is the fingerprint of the newest message, `frame` the last one that
    reached the truth, `known` the last few by fingerprint. `likeness` is what a
    message looks like that repeats the newest one and is of no use; None while
    every message has to be looked into. `waiting` holds calm messages by
    fingerprint, oldest first; those in `in_job` are older still and being decoded
    elsewhere. Times are monotonic seconds.
    """

    node: int
    record: NodeRecord
    bucket: TokenBucket
    mark: bytes | None = None
    likeness: Likeness | None = None
    frame: DeviceFrame | None = None
    known: dict[bytes, DeviceFrame] = field(default_factory=dict)
    is_settled: bool = False
    wants_telemetry: bool = False
    telemetry_at: float = LONG_AGO
    is_throttled: bool = False
    frames_counted: int = 0
    waiting: dict[bytes, bytes] = field(default_factory=dict)
    waiting_since: float = 0.0
    in_job: tuple[tuple[bytes, bytes], ...] = ()
    sequence: int = 0
    last_word: LastWord | None = None

    @property
    def waiting_bytes(self) -> int:
        """The size of what waits."""
        return sum(map(len, self.waiting.values()))

    @property
    def depth(self) -> int:
        """How many messages the truth has not seen."""
        return len(self.waiting) + len(self.in_job)

    @property
    def is_behind(self) -> bool:
        """Tell whether the truth has not seen all of its messages."""
        return bool(self.waiting or self.in_job)

    def end_link(self) -> None:
        """Note that the link is lost.

        The node may have rebooted: its next frame tells, so its uptime is read
        from that, however lately it was read before.
        """
        self.is_settled = False
        self.want_telemetry()
        self.telemetry_at = LONG_AGO
        self._keep_last_word()

    def _keep_last_word(self) -> None:
        """Note what was heard last on a link that is lost."""
        if self.last_word is not None:
            self.last_word.doubted_at = None
            return
        uptimes = [uptime_of(raw) for raw in self.record.raw_frames]
        known = [uptime for uptime in uptimes if uptime is not None]
        heard_at = self.record.last_frame_at
        if known and heard_at is not None:
            self.last_word = LastWord(known[-1], heard_at, self.record.path)

    def want_telemetry(self) -> None:
        """Have the next message read, even if it repeats what is known of zones."""
        self.wants_telemetry = True
        self.likeness = None

    def look_again(self, now: float) -> int:
        """Have telemetry read if it is due; return the messages since the last look."""
        if now - self.telemetry_at >= TELEMETRY_SECONDS:
            self.want_telemetry()
        news = self.record.frames - self.frames_counted
        self.frames_counted += news
        return news

    def settle(self, *, is_settled: bool) -> None:
        """Note whether a repetition could still change something in the truth."""
        self.is_settled = is_settled
        if not is_settled:
            self.likeness = None

    def learn(self, raw: bytes) -> None:
        """Remember what repetitions look like of a message that was looked into."""
        if self.is_settled and self.last_word is None:
            self.likeness = Likeness.of(raw)

    def refuses(self, raw: bytes, now: float) -> bool:
        """Tell whether a message is older than what the lost link brought last."""
        if self.last_word is None or (uptime := uptime_of(raw)) is None:
            return False
        if self.record.path is self.last_word.path and self.last_word.is_newer_than(
            uptime, now
        ):
            self.record.ignored += 1
            return True
        self.last_word = None
        return False

    def put(self, mark: bytes, raw: bytes, now: float) -> None:
        """Let a message wait; one with the same fingerprint gives up its place."""
        if not self.is_behind:
            self.waiting_since = now
        self.mark = mark
        self.waiting.pop(mark, None)
        self.waiting[mark] = raw

    def note(self, mark: bytes, frame: DeviceFrame) -> None:
        """Keep a frame that reaches the truth now, if it is of a usual length."""
        self.frame = frame
        if len(mark) > MAX_CALM_BYTES:
            return
        self.known.pop(mark, None)
        self.known[mark] = frame
        if len(self.known) > MAX_KNOWN:
            del self.known[next(iter(self.known))]

    def pick(self) -> Bundle:
        """Take what waits out, to be decoded while the node stays behind."""
        self.sequence = next(_SEQUENCE)
        self.in_job = tuple(self.waiting.items())
        self.waiting.clear()
        return Bundle(self.node, self.sequence, self.in_job)

    def pick_all(self) -> Bundle:
        """Take everything out, back from a job too, whose result is void then."""
        self.sequence = next(_SEQUENCE)
        messages = (*self.in_job, *self.waiting.items())
        self.in_job = ()
        self.waiting.clear()
        return Bundle(self.node, self.sequence, messages)
