"""From raw messages of all nodes to one stream of site updates.

A message that repeats the last one costs a comparison. One that may carry an
alarm is decoded and merged in the turn of the event loop in which it came,
whatever else is going on. All others wait for the end of that turn, and for a
token of their node's bucket; then they are decoded together, in an executor
job where they are many. Per node everything reaches the truth in the order in
which it came.
"""

import asyncio
from collections.abc import Callable
from functools import partial
import logging
from typing import Final

from .batch import (
    JOB_BYTES,
    JOB_SECONDS,
    MESSAGES_PER_TURN,
    Bundle,
    Digest,
    Job,
    JobRunner,
    digest,
    digest_all,
)
from .frame import FrameError, decode
from .glance import fingerprint, may_alarm
from .handover import HandOver
from .health import HealthMonitor
from .inbox import MAX_WAITING, Inbox
from .metrics import MetricsLog, SiteMetrics
from .models import DeviceFrame, SiteUpdate
from .throttle import SECONDS_PER_TOKEN, TokenBucket
from .timing import Handle, Scheduler
from .truth import SiteTruth

_LOGGER = logging.getLogger(__name__)

FLOOD_FRAMES_PER_SECOND: Final = 100.0
"""A node that sends more than this is flooding, even if it only repeats itself."""

FLOOD_LOOK_SECONDS: Final = 1.0
"""Period in which is looked for floods."""


class MessageAggregator:
    """Decodes, merges and orders what the nodes send.

    `on_update` is called on the event loop with every update that changed
    something, and must not raise.
    """

    def __init__(
        self,
        truth: SiteTruth,
        health: HealthMonitor,
        *,
        now: Callable[[], float],
        on_update: Callable[[SiteUpdate], None],
        run_job: JobRunner | None = None,
        scheduler: Scheduler | None = None,
    ) -> None:
        """Start with empty inboxes.

        Without `run_job` everything is decoded on the event loop; without a
        `scheduler` that is the running one.
        """
        self._truth = truth
        self._health = health
        self._now = now
        self._run_job = run_job
        self._scheduler = scheduler
        self._inboxes: dict[int, Inbox] = {}
        self._due: dict[int, Inbox] = {}
        self._soon: Handle | None = None
        self._later: Handle | None = None
        self._jobs: dict[asyncio.Future[list[Digest]], Job] = {}
        self._looked_at = now()
        self._is_closed = False
        self._metrics = MetricsLog(health.records)
        self._hand_over = HandOver(on_update, self._metrics.latency, now)

    @property
    def metrics(self) -> SiteMetrics:
        """What the messages cost and how fast they are, as of now."""
        depth = sum(inbox.depth for inbox in self._inboxes.values())
        return self._metrics.snapshot(self._now(), inbox_depth=depth)

    def feed(self, node: int, raw: bytes) -> bool:
        """Take in one message of `node`; return whether it says anything of zones."""
        inbox = self._inboxes.get(node) or self._open(node)
        record = inbox.record
        record.frames += 1
        record.bytes += len(raw)
        record.raw_frames.append(raw)
        # What steady nodes send is all like that, so nothing else is looked at.
        if (likeness := inbox.likeness) is not None and likeness.fits(raw):
            return True
        return self._look_into(inbox, raw)

    def lose(self, node: int) -> None:
        """Note that the link of `node` is gone; what it said before still counts."""
        now = self._now()
        inbox = self._inboxes.get(node) or self._open(node)
        self._catch_up(inbox, now)
        inbox.end_link()
        self.pass_on(self._truth.lose(node, now))

    def forget(self, node: int) -> None:
        """Forget what `node` sent; what it sends next, if anything, is all new.

        What is merged is told first, under the numbers it was sent with. What
        still waits is dropped: its numbers may mean other zones now.
        """
        self._hand_over.tell()
        self._inboxes.pop(node, None)
        self._due.pop(node, None)

    def tick(self) -> None:
        """End what time ends."""
        now = self._now()
        for future, job in tuple(self._jobs.items()):
            if now - job.began_at >= JOB_SECONDS:
                _LOGGER.debug("The executor is busy; decoding on the event loop")
                del self._jobs[future]
                future.cancel()
                self._merge(digest_all(job.bundles))
        self._look_for_floods(now)
        self._metrics.sample(now)
        self.pass_on(self._truth.tick(now))

    def pass_on(self, update: SiteUpdate) -> None:
        """Tell of a change that somebody made to the truth, in its place."""
        self._hand_over.add(update)
        self._hand_over.tell()

    def close(self) -> None:
        """Plan nothing any more."""
        self._is_closed = True
        for handle in (self._soon, self._later, *self._jobs):
            if handle is not None:
                handle.cancel()
        self._jobs.clear()

    def _look_into(self, inbox: Inbox, raw: bytes) -> bool:
        """Take in a message that may be news; as `feed`."""
        inbox.likeness = None
        if inbox.last_word is not None and inbox.refuses(raw, self._now()):
            inbox.record.different += 1
            return False
        mark = fingerprint(raw)
        if mark == inbox.mark:
            if inbox.wants_telemetry or not inbox.is_settled:
                self._repeat(inbox, raw)
            inbox.learn(raw)
        elif mark in inbox.known and not (inbox.is_behind or inbox.wants_telemetry):
            self._take_known(inbox, mark)
        else:
            inbox.record.different += 1
            if not self._may_wait(inbox.node, mark):
                return self._take_at_once(inbox, mark, raw)
            self._let_wait(inbox, mark, raw)
        return True

    def _open(self, node: int) -> Inbox:
        """Return a new inbox for `node`."""
        record = self._health.record(node)
        inbox = self._inboxes[node] = Inbox(
            node, record, TokenBucket(self._now()), frames_counted=record.frames
        )
        return inbox

    # The alarm lane: what may not wait.

    def _may_wait(self, node: int, mark: bytes) -> bool:
        """Tell whether a message certainly neither raises nor ends an alarm.

        The first message of a link never waits: it tells what happened while
        there was none.
        """
        return (
            not may_alarm(mark)
            and self._truth.is_fresh(node)
            and not self._truth.concerns_alarm(node)
        )

    def _take_at_once(self, inbox: Inbox, mark: bytes, raw: bytes) -> bool:
        """Decode and merge a message now, after those that waited; as `feed`."""
        now = self._now()
        if (frame := self._decode(inbox, raw)) is None:
            return False
        self._catch_up(inbox, now)
        inbox.mark = mark
        inbox.note(mark, frame)
        self._tell(inbox, self._apply(inbox, now), now)
        self._read_telemetry(inbox, frame, now)
        return True

    def _take_known(self, inbox: Inbox, mark: bytes) -> None:
        """Merge a message now that was decoded lately."""
        now = self._now()
        inbox.mark = mark
        inbox.note(mark, inbox.known[mark])
        self._tell(inbox, self._apply(inbox, now), now)

    def _repeat(self, inbox: Inbox, raw: bytes) -> None:
        """Take in a message that says of zones what the last one said."""
        now = self._now()
        if inbox.wants_telemetry and (frame := self._decode(inbox, raw)) is not None:
            self._read_telemetry(inbox, frame, now)
        if not inbox.is_settled and not inbox.is_behind:
            self._tell(inbox, self._apply(inbox, now), now)

    def _catch_up(self, inbox: Inbox, now: float) -> None:
        """Merge what waits of one node, back from a job too, without telling yet."""
        if inbox.is_behind:
            self._absorb(inbox, digest(inbox.pick_all()), now)

    def _decode(self, inbox: Inbox, raw: bytes) -> DeviceFrame | None:
        """Return the frame, or None for a message without zone data."""
        try:
            frame = decode(raw)
        except FrameError as err:
            self._health.note_bad_frame(inbox.node, err.reason)
            _LOGGER.debug("Node %d sent %s: %s", inbox.node, err.reason, err)
            return None
        self._metrics.decoded += 1
        return frame

    def _read_telemetry(self, inbox: Inbox, frame: DeviceFrame, now: float) -> None:
        """Pass on uptime, heap, clients and malformed segments."""
        inbox.wants_telemetry = False
        inbox.telemetry_at = now
        self._health.note_telemetry(inbox.node, frame)

    def _apply(self, inbox: Inbox, now: float) -> SiteUpdate:
        """Merge a node's newest decoded frame into the truth."""
        assert inbox.frame is not None
        update = self._truth.apply(inbox.node, inbox.frame, now)
        inbox.settle(is_settled=not self._truth.is_settling(inbox.node))
        return update

    # What waits.

    def _let_wait(self, inbox: Inbox, mark: bytes, raw: bytes) -> None:
        """Keep a calm message until the next drain, or longer if its node floods."""
        now = self._now()
        inbox.put(mark, raw, now)
        if inbox.is_throttled:
            self._health.note_throttled(inbox.node, now, waits=True)
        if len(inbox.waiting) > MAX_WAITING:
            self._catch_up(inbox, now)
            self._tell(inbox, SiteUpdate(), now)
        elif not inbox.is_throttled:
            self._due[inbox.node] = inbox
            self._drain_soon()

    def _drain(self) -> None:
        """Decode and merge what waits of all nodes that have a token."""
        self._soon = None
        now = self._now()
        size = sum(inbox.waiting_bytes for inbox in self._due.values())
        is_job = self._run_job is not None and size >= JOB_BYTES
        bundles: list[Bundle] = []
        messages = 0
        may_tell = False
        for node, inbox in tuple(self._due.items()):
            if messages >= MESSAGES_PER_TURN and not is_job:
                self._drain_soon()
                break
            if inbox.in_job:
                # Its next turn comes with the job's end.
                continue
            if inbox.bucket.take(now):
                may_tell = True
                inbox.is_throttled = False
                del self._due[node]
                if inbox.waiting:
                    bundles.append(inbox.pick())
                    messages += len(inbox.in_job)
            elif inbox.is_throttled:
                self._await_token(inbox)
            else:
                self._throttle(inbox, now)
        if bundles:
            self._metrics.note_batch(messages)
            if not (is_job and self._start_job(bundles, now)):
                self._merge(digest_all(bundles))
        elif may_tell:
            self._hand_over.tell()

    def _drain_soon(self) -> None:
        """Let the next turn of the event loop begin with a drain."""
        if self._due and self._soon is None and not self._is_closed:
            self._soon = self._loop.call_soon(self._drain)

    def _start_job(self, bundles: list[Bundle], now: float) -> bool:
        """Have a batch decoded elsewhere; return whether anybody does it."""
        assert self._run_job is not None
        try:
            future = self._run_job(digest_all, bundles)
        except RuntimeError as err:
            _LOGGER.debug("No executor: %s", err)
            return False
        self._metrics.jobs += 1
        self._jobs[future] = Job(bundles, now)
        future.add_done_callback(self._finish_job)
        return True

    def _finish_job(self, future: asyncio.Future[list[Digest]]) -> None:
        """Merge what a job decoded; do its work here if it failed."""
        if (job := self._jobs.pop(future, None)) is None:
            return
        if future.cancelled() or future.exception() is not None:
            _LOGGER.debug("The executor failed; decoding on the event loop")
            self._merge(digest_all(job.bundles))
        else:
            self._merge(future.result())

    def _merge(self, digests: list[Digest]) -> None:
        """Merge decoded messages, unless their node went on without them.

        A large batch takes several turns of the event loop.
        """
        now = self._now()
        merged = 0
        for place, one in enumerate(digests):
            if merged >= MESSAGES_PER_TURN and not self._is_closed:
                self._loop.call_soon(partial(self._merge, digests[place:]))
                break
            inbox = self._inboxes.get(one.node)
            if inbox is not None and one.sequence == inbox.sequence:
                inbox.in_job = ()
                self._absorb(inbox, one, now)
                merged += len(one.frames)
        self._hand_over.tell()
        self._drain_soon()

    def _absorb(self, inbox: Inbox, one: Digest, now: float) -> None:
        """Merge the decoded messages of one node without telling yet."""
        self._metrics.decoded += len(one.frames)
        for fault in one.faults:
            self._health.note_bad_frame(inbox.node, fault)
        for mark, frame in one.frames:
            inbox.note(mark, frame)
            self._read_telemetry(inbox, frame, now)
            update = self._apply(inbox, now)
            self._hand_over.add(update, arrived_at=inbox.waiting_since)

    # Telling, and waiting for a token to do so.

    def _tell(self, inbox: Inbox, update: SiteUpdate, now: float) -> None:
        """Tell of an update now, or with the next token if its node has none left."""
        if self._hand_over.raises_alarm(update, now):
            self._hand_over.tell_at_once(update, arrived_at=now)
            return
        self._hand_over.add(update, arrived_at=now)
        if not self._hand_over:
            return
        if self._hand_over.is_full or inbox.bucket.take(now):
            self._hand_over.tell()
        else:
            self._throttle(inbox, now)

    def _throttle(self, inbox: Inbox, now: float) -> None:
        """Let a node that asks for too much wait for its next token."""
        self._health.note_throttled(inbox.node, now, waits=True)
        self._await_token(inbox)

    def _await_token(self, inbox: Inbox) -> None:
        """Come back to a node when it has a token."""
        inbox.is_throttled = True
        self._due[inbox.node] = inbox
        if self._later is None and not self._is_closed:
            self._later = self._loop.call_later(SECONDS_PER_TOKEN, self._on_token)

    def _on_token(self) -> None:
        """Go on with the nodes that had to wait."""
        self._later = None
        self._drain()

    def _look_for_floods(self, now: float) -> None:
        """Flag nodes that send too much, and let telemetry be read where it is due."""
        elapsed = now - self._looked_at
        if elapsed < FLOOD_LOOK_SECONDS:
            return
        limit = FLOOD_FRAMES_PER_SECOND * elapsed
        self._looked_at = now
        for inbox in self._inboxes.values():
            if inbox.look_again(now) > limit:
                self._health.note_throttled(inbox.node, now, waits=False)

    @property
    def _loop(self) -> Scheduler:
        """Whoever calls back."""
        return self._scheduler or asyncio.get_running_loop()
