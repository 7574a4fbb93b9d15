"""One WebSocket to one ESP32: open, listen, notice death, close cleanly.

Exactly one of the node's five client slots is used. What is heard goes out as
bytes; nobody in here looks inside a frame or decides when to try again.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from enum import StrEnum
import errno
import socket as sockets
from types import SimpleNamespace
from typing import Any, Final, Protocol

import aiohttp

from .frame import MAX_FRAME_BYTES
from .models import DeviceAddress
from .plain import plain
from .timing import (
    CLOSE_SECONDS,
    CONNECT_SECONDS,
    LONG_AGO,
    QUIET_SECONDS,
    ROUND_TRIP_SECONDS,
    TICK_SECONDS,
    Supervision,
)
from .turn import COSTLY_SECONDS, Turn

type Socket = aiohttp.ClientWebSocketResponse[bool]

FRAMES_BEFORE_YIELDING: Final = 32
"""After so many frames without a wait, a flooding node lets others run."""

SECONDS_BEFORE_YIELDING: Final = 0.002
"""Or after its frames took this long, whichever comes first."""

_TEXT: Final = aiohttp.WSMsgType.TEXT
_BINARY: Final = aiohttp.WSMsgType.BINARY


class LinkFault(StrEnum):
    """Why there is no link, in terms an installer can act on."""

    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    NAME_NOT_FOUND = "name_not_found"
    SLOTS_FULL = "slots_full"
    HANDSHAKE_REFUSED = "handshake_refused"
    SILENT = "silent"
    HALF_OPEN = "half_open"
    CLOSED_BY_NODE = "closed_by_node"
    CONNECTION_LOST = "connection_lost"
    PROTOCOL_ERROR = "protocol_error"
    FAILED_BACK = "failed_back"
    STOPPED = "stopped"


class LinkError(Exception):
    """A link could not be opened; `fault` says why."""

    def __init__(self, fault: LinkFault, text: str) -> None:
        """Keep the fault for decisions and the text for people."""
        super().__init__(plain(text))
        self.fault = fault


class RedirectRefused(aiohttp.ClientError):
    """A node tried to send us to another address."""


class RetryRefused(aiohttp.ClientError):
    """A node dropped the connection before the upgrade; aiohttp wanted to try again."""


def only_here() -> aiohttp.TraceConfig:
    """Return a trace for the session: one connection per request, no redirects.

    Only configured addresses may be contacted, whatever a node answers; and
    when to try again is the pool's decision, since every try costs an ESP32
    memory that it frees slowly.
    """

    async def refuse_redirect(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        params: aiohttp.TraceRequestRedirectParams,
    ) -> None:
        raise RedirectRefused(f"{params.url} answered with a redirect")

    async def refuse_retry(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        params: aiohttp.TraceConnectionCreateStartParams,
    ) -> None:
        if getattr(context, "connected", False):
            raise RetryRefused("dropped before the upgrade")
        context.connected = True

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse_redirect)
    trace.on_connection_create_start.append(refuse_retry)
    return trace


async def open_socket(
    session: aiohttp.ClientSession,
    address: DeviceAddress,
    *,
    timeout_seconds: float = CONNECT_SECONDS,
) -> Socket:
    """Connect to a node and return the open socket.

    `session` must have been made with the `only_here` trace. Text comes as
    undecoded bytes; pings are not answered automatically.

    Raises:
        LinkError: with the fault that fits what went wrong.

    """
    try:
        async with asyncio.timeout(timeout_seconds):
            return await session.ws_connect(
                address.url,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
                autoping=False,
                compress=0,
                max_msg_size=MAX_FRAME_BYTES,
                decode_text=False,
            )
    except TimeoutError as err:
        raise LinkError(
            LinkFault.TIMED_OUT, f"no answer within {timeout_seconds:g} s"
        ) from err
    except aiohttp.WSServerHandshakeError as err:
        is_full = err.status == 503
        raise LinkError(
            LinkFault.SLOTS_FULL if is_full else LinkFault.HANDSHAKE_REFUSED,
            f"answered the upgrade with HTTP status {err.status}",
        ) from err
    except aiohttp.ClientConnectorDNSError as err:
        raise LinkError(LinkFault.NAME_NOT_FOUND, f"{address.host} not found") from err
    except aiohttp.ClientConnectorError as err:
        is_refusal = err.errno == errno.ECONNREFUSED
        raise LinkError(
            LinkFault.REFUSED if is_refusal else LinkFault.UNREACHABLE,
            err.strerror or str(err),
        ) from err
    except (
        RetryRefused,
        aiohttp.ServerDisconnectedError,
        aiohttp.ClientOSError,
        ConnectionError,
    ) as err:
        # The usual server accepts a sixth client and drops it before the upgrade.
        raise LinkError(
            LinkFault.SLOTS_FULL, "dropped before the upgrade, slots may be full"
        ) from err
    except (aiohttp.ClientError, ValueError, OSError) as err:
        raise LinkError(LinkFault.HANDSHAKE_REFUSED, str(err)) from err


async def close_socket(socket: Socket) -> None:
    """Give the slot back cleanly; within `CLOSE_SECONDS` it is given back anyhow.

    aiohttp waits for the peer's farewell as long as anything else comes, and for
    its own to be read. A node that does not care for either must not keep a
    scan, a reconnect or a file descriptor waiting.
    """
    raw = socket.get_extra_info("socket")
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.close()
    except TimeoutError:
        pass
    finally:
        if raw is not None:
            # Ends a connection that would wait for its last bytes to be read.
            with suppress(OSError):
                raw.shutdown(sockets.SHUT_RDWR)


class Pulse(Protocol):
    """What outlives a link: when the node was heard last, and how far it is away.

    Monotonic seconds of the last frame, seconds of the last round trip.
    """

    last_frame_at: float | None
    round_trip_seconds: float | None


class DeviceLink:
    """One open socket and what is known of it. Times are monotonic seconds."""

    def __init__(
        self,
        socket: Socket,
        *,
        on_frame: Callable[[bytes], bool],
        pulse: Pulse,
        now: Callable[[], float],
        supervision: Supervision,
        turn: Turn | None = None,
    ) -> None:
        """Take over an open socket.

        `on_frame` gets every message, returns whether it said anything of zones,
        and never raises. A node that sends other things only is silent. `pulse`
        is kept up to date. `turn` is shared by all links whose messages should make
        room for others.
        """
        self._socket = socket
        self._on_frame = on_frame
        self._pulse = pulse
        self._now = now
        self._supervision = supervision
        self._turn = turn or Turn()
        self._pings_sent = 0
        self._ping_sent_at = LONG_AGO
        self._cut_for: LinkFault | None = None
        self._sending: asyncio.Task[None] | None = None
        self.opened_at = now()
        self.last_frame_at: float | None = None
        self.last_heard_at = self.opened_at
        self.look_at = self.opened_at
        """When somebody should look after it again (`tick`)."""
        pulse.round_trip_seconds = None

    @property
    def data_age_seconds(self) -> float:
        """Seconds since the last frame, or since opening if none came yet."""
        return self._now() - (self.last_frame_at or self.opened_at)

    @property
    def close_code(self) -> int | None:
        """The WebSocket close code, once there is one (RFC 6455 7.4)."""
        return self._socket.close_code

    async def listen(self) -> tuple[LinkFault, str]:
        """Hand on frames until the link ends; return why it did.

        All that steady nodes cost is in here and in `on_frame`, so what is
        asked for with every frame is looked up once.
        """
        receive, on_frame = self._socket.receive, self._on_frame
        pulse, now, turn = self._pulse, self._now, self._turn
        in_a_row = 0
        busy_seconds = 0.0
        while True:
            message = await receive()
            kind = message.type
            if kind is _TEXT or kind is _BINARY:
                began_at = self.last_heard_at = now()
                if turn.is_used_up:
                    await turn.room()
                    began_at = now()
                if on_frame(message.data):
                    self.last_frame_at = pulse.last_frame_at = began_at
                spent = now() - began_at
                busy_seconds += spent
                if spent >= COSTLY_SECONDS:
                    turn.spend(spent)
            elif kind is aiohttp.WSMsgType.PING:
                self.last_heard_at = now()
                self._answer(message.data)
            elif kind is aiohttp.WSMsgType.PONG:
                self._note_pong(message.data)
            else:
                return self._reason_of_end(kind, message.data)
            in_a_row += 1
            if (
                in_a_row >= FRAMES_BEFORE_YIELDING
                or busy_seconds >= SECONDS_BEFORE_YIELDING
            ):
                in_a_row, busy_seconds = 0, 0.0
                await asyncio.sleep(0)

    def tick(self) -> LinkFault | None:
        """Send a due ping; return why the link must be cut, if it must.

        A node that says nothing for half a heartbeat is asked for a sign of life,
        and cut when it gave none for the other half. One that talks is asked
        once a minute, for the round trip. The limits are kept to the early side
        of the timer's period, so that a fault is noticed within its limit, not
        one period after it.
        """
        now = self._now()
        soon = now + TICK_SECONDS
        if self.data_age_seconds + TICK_SECONDS >= self._supervision.silence_seconds:
            return LinkFault.SILENT
        patience = self._supervision.heartbeat_seconds / 2
        is_asked = self.last_heard_at < self._ping_sent_at
        if is_asked and soon - self._ping_sent_at >= patience:
            return LinkFault.HALF_OPEN
        is_quiet = not is_asked and soon - self.last_heard_at >= patience
        is_due = now - self._ping_sent_at >= ROUND_TRIP_SECONDS
        if self._supervision.pings and (is_quiet or is_due):
            self._pings_sent += 1
            self._ping_sent_at = now
            self._send_control(self._socket.ping, b"%d" % self._pings_sent)
        self.look_at = self._next_look_at(patience)
        return None

    def _next_look_at(self, patience: float) -> float:
        """Return until when it is certain that nothing has to be done.

        With the frame that came last, a node has earned some seconds in which
        it is neither quiet nor to be asked.
        """
        if self.last_frame_at is None:
            return LONG_AGO
        calm_until = self.last_frame_at + min(patience, QUIET_SECONDS) - TICK_SECONDS
        if not self._supervision.pings:
            return calm_until
        return min(calm_until, self._ping_sent_at + ROUND_TRIP_SECONDS)

    async def send(self, text: str) -> None:
        """Send one text message.

        Raises:
            ConnectionError: the link is closing or gone.

        """
        await self._socket.send_str(text)

    async def close(self, fault: LinkFault = LinkFault.STOPPED) -> None:
        """Give the slot back cleanly; waits at most `CLOSE_SECONDS`."""
        self._cut_for = self._cut_for or fault
        await close_socket(self._socket)

    def _answer(self, payload: bytes) -> None:
        """Answer the node's ping, unless its firmware breaks on pongs."""
        if self._supervision.pings:
            self._send_control(self._socket.pong, payload)

    def _send_control(
        self, send: Callable[[bytes], Coroutine[Any, Any, None]], payload: bytes
    ) -> None:
        """Send a control frame without waiting for it.

        A node that reads nothing gets nothing more while one waits to be sent:
        neither the one timer of all links nor what it still tells may wait.
        """
        if self._sending is None or self._sending.done():
            loop = asyncio.get_running_loop()
            self._sending = asyncio.Task(
                self._try(send(payload)), loop=loop, eager_start=True
            )

    async def _try(self, sending: Coroutine[Any, Any, None]) -> None:
        """Send a control frame; a dead link is noticed elsewhere."""
        with suppress(ConnectionError, aiohttp.ClientError):
            await sending

    def _note_pong(self, payload: bytes) -> None:
        """Measure the round trip of the ping that this pong answers."""
        self.last_heard_at = self._now()
        if self._pings_sent and payload == b"%d" % self._pings_sent:
            self._pulse.round_trip_seconds = self.last_heard_at - self._ping_sent_at

    def _reason_of_end(
        self, kind: aiohttp.WSMsgType, data: object
    ) -> tuple[LinkFault, str]:
        """Tell from the last message's kind why the link ended."""
        code = self._socket.close_code
        if self._cut_for is not None:
            return self._cut_for, "cut by us"
        if kind is aiohttp.WSMsgType.ERROR:
            return LinkFault.PROTOCOL_ERROR, plain(str(data))
        if code in (None, aiohttp.WSCloseCode.ABNORMAL_CLOSURE):
            return LinkFault.CONNECTION_LOST, "connection lost without a close frame"
        return LinkFault.CLOSED_BY_NODE, f"closed by the node with code {code}"
