"""`python -m sim check`: does a node, real or not, speak the protocol?

It listens like the integration does, sends nothing but one WebSocket ping and
the pongs it owes, and says in plain words what it found and what to do about it.
"""

import asyncio
from collections import Counter
import contextlib
from dataclasses import dataclass, field
import errno
from itertools import pairwise
import json
from statistics import median
from typing import Any, Final

import aiohttp
from yarl import URL

from custom_components.esp32_fire_alarm.fleet.frame import FrameError, decode
from custom_components.esp32_fire_alarm.fleet.models import DEFAULT_PORT

from .errors import SimError

CONNECT_SECONDS: Final = 10.0
CLOSE_SECONDS: Final = 2.0
MAX_MESSAGE_BYTES: Final = 64 * 1024
SLOW_CADENCE_SECONDS: Final = 3.0
"""The original app takes a panel for lost after this long without a frame."""

CLIENT_SLOTS: Final = 5
LOW_HEAP_BYTES: Final = 20_000

_PING: Final = b"sim check"


@dataclass(slots=True)
class Report:
    """What was found at one URL; times are in seconds, heap in bytes.

    `modules` maps the addresses seen (1-63) to whether they are online.
    `arrivals` are the times of the decoded frames, `refused` the reasons of
    the others. `problems` say why it does not speak the protocol, `hints`
    what else is worth knowing, `ended` how the node hung up, if it did.
    """

    url: str
    ok: bool = False
    handshake_seconds: float | None = None
    ping_seconds: float | None = None
    messages: int = 0
    arrivals: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    malformed_segments: int = 0
    modules: dict[int, bool] = field(default_factory=dict)
    lamps: set[str] = field(default_factory=set)
    clients: int | None = None
    free_heap: int | None = None
    uptime_ms: int | None = None
    ended: str | None = None
    problems: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    @property
    def cadence_seconds(self) -> float | None:
        """The usual time between two frames; None with less than two."""
        gaps = [later - one for one, later in pairwise(self.arrivals)]
        return median(gaps) if gaps else None

    def take_in(self, raw: bytes, now: float) -> None:
        """Remember what one message says, received `now`."""
        self.messages += 1
        try:
            frame = decode(raw)
        except FrameError as err:
            self.refused[f"{err.reason}: {err}"] += 1
            return
        self.arrivals.append(now)
        self.malformed_segments += frame.malformed
        self.modules |= {
            address: state.online for address, state in frame.modules.items()
        }
        self.lamps.update(map(str, frame.panel.lit if frame.panel else ()))
        if frame.clients is not None:
            self.clients = frame.clients
        if frame.free_heap is not None:
            self.free_heap = frame.free_heap
        if frame.uptime_ms is not None:
            if self.uptime_ms is not None and frame.uptime_ms < self.uptime_ms:
                self.hints.append("uptime went backwards: rebooted, or wrapped")
            self.uptime_ms = frame.uptime_ms

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "url": self.url,
            "ok": self.ok,
            "handshake_seconds": self.handshake_seconds,
            "first_frame_seconds": self.arrivals[0] if self.arrivals else None,
            "cadence_seconds": self.cadence_seconds,
            "ping_seconds": self.ping_seconds,
            "messages": self.messages,
            "decoded": len(self.arrivals),
            "refused": dict(self.refused),
            "malformed_segments": self.malformed_segments,
            "modules": sorted(self.modules),
            "offline_modules": self.offline_modules,
            "lamps": sorted(self.lamps),
            "clients": self.clients,
            "free_heap": self.free_heap,
            "uptime_ms": self.uptime_ms,
            "problems": self.problems,
            "hints": self.hints,
        }

    @property
    def offline_modules(self) -> list[int]:
        """The modules that the panel lists, but that do not answer it."""
        return sorted(address for address, online in self.modules.items() if not online)


def check_url(text: str, seconds: float, *, as_json: bool) -> int:
    """Print what is at a URL; return 0 if it speaks the protocol, else 1."""
    report = asyncio.run(check(parse_url(text), seconds))
    if as_json:
        print(json.dumps(report.to_json()))
    else:
        print("\n".join(lines(report)))
    return 0 if report.ok else 1


def parse_url(text: str) -> URL:
    """Return a WebSocket URL; the port, when missing, is the firmware's 81.

    Raises:
        SimError: it is none.

    """
    try:
        url = URL(text if "://" in text else f"ws://{text}")
    except ValueError:
        url = URL()
    if url.scheme not in ("ws", "wss") or not url.host:
        raise SimError(f"url {text}: must be like ws://192.168.0.2:81")
    return url if url.explicit_port else url.with_port(DEFAULT_PORT)


async def check(url: URL, seconds: float) -> Report:
    """Connect, listen for so many seconds, and report."""
    report = Report(str(url))
    loop = asyncio.get_running_loop()
    began = loop.time()
    timeout = aiohttp.ClientTimeout(total=CONNECT_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                socket = await session.ws_connect(
                    url,
                    autoping=False,
                    compress=0,
                    decode_text=False,
                    max_msg_size=MAX_MESSAGE_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
                )
        except (TimeoutError, aiohttp.ClientError, OSError) as err:
            report.problems.append(_why_not_connected(err))
            return report
        report.handshake_seconds = loop.time() - began
        try:
            await _listen(socket, report, seconds)
        finally:
            await socket.close()
    _judge(report, seconds)
    return report


async def _listen(
    socket: aiohttp.ClientWebSocketResponse[bool], report: Report, seconds: float
) -> None:
    """Take in messages until the time is over or the node ends the connection."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await socket.ping(_PING)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                message = await socket.receive()
                now = loop.time() - began
                if message.type is aiohttp.WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type is aiohttp.WSMsgType.PONG:
                    if bytes(message.data) == _PING:
                        report.ping_seconds = now
                elif message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    report.take_in(message.data, now)
                else:
                    report.ended = (
                        f"the node ended the connection after {now:.1f} s "
                        f"(close code {socket.close_code})"
                    )
                    break


def _why_not_connected(error: Exception) -> str:
    """Return why there is no WebSocket, and what to look at."""
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return (
            f"the handshake was answered with HTTP {error.status} instead of 101: "
            "something listens there, but it is no such WebSocket server; is the "
            "port right?"
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the host name is not known; use the IP address"
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.ECONNREFUSED:
        return (
            "connection refused: the host is there, but nothing listens on this "
            "port; is the firmware's WebSocket server running?"
        )
    if number in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "no route to the host: powered off, or another network?"
    if isinstance(error, TimeoutError):
        return (
            f"no answer within {CONNECT_SECONDS:g} s: powered off, a wrong address, "
            "a firewall, or a node that hangs"
        )
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError):
        return (
            "connected, but dropped before the handshake: probably all "
            f"{CLIENT_SLOTS} client slots are taken; close another client or "
            "reboot the node"
        )
    return f"no connection: {error}"


def _judge(report: Report, seconds: float) -> None:
    """Say whether that was the protocol, and what is odd about it."""
    problems, hints = report.problems, report.hints
    if report.ended:
        (hints if report.arrivals else problems).append(report.ended)
    elif report.messages == 0:
        problems.append(
            f"connected, but silent for {seconds:g} s: a node pushes a frame every "
            "second or two without being asked; is its panel bus connected?"
        )
    if report.messages and not report.arrivals:
        problems.append("messages came, but none was panel data")
    elif report.arrivals and not report.modules:
        problems.append("frames came, but without any readable module")
    report.ok = bool(report.modules) and not problems
    if report.refused and report.arrivals:
        hints.append(f"{sum(report.refused.values())} messages were no panel data")
    if report.malformed_segments:
        hints.append(f"{report.malformed_segments} segments were malformed")
    if report.ping_seconds is None:
        hints.append("the WebSocket ping was not answered: turn pings off for it")
    if (cadence := report.cadence_seconds) and cadence > SLOW_CADENCE_SECONDS:
        hints.append(f"slow: a frame only every {cadence:.1f} s")
    if report.clients is not None and report.clients >= CLIENT_SLOTS:
        hints.append(f"all {CLIENT_SLOTS} client slots are taken, this check included")
    if report.free_heap is not None and report.free_heap < LOW_HEAP_BYTES:
        hints.append(f"low on memory: {report.free_heap} bytes free")


def lines(report: Report) -> list[str]:
    """Return the report for people."""
    verdict = "speaks the protocol" if report.ok else "does NOT speak the protocol"
    out = [f"{report.url} {verdict}"]
    out += [f"  problem: {problem}" for problem in report.problems]
    if report.handshake_seconds is not None:
        facts: list[tuple[str, Any]] = [
            ("handshake", f"{report.handshake_seconds * 1000:.0f} ms"),
            ("ping", _unless_none(report.ping_seconds, "answered in {:.3f} s")),
            (
                "first frame",
                f"after {report.arrivals[0]:.2f} s" if report.arrivals else "-",
            ),
            ("cadence", _unless_none(report.cadence_seconds, "{:.2f} s")),
            (
                "messages",
                f"{report.messages}, of which {len(report.arrivals)} panel data",
            ),
            ("malformed", f"{report.malformed_segments} segments"),
            ("modules", _ranges(sorted(report.modules))),
            ("offline", _ranges(report.offline_modules)),
            ("lamps seen", " ".join(sorted(report.lamps)) or "none"),
            ("clients", _unless_none(report.clients, "{} of " + str(CLIENT_SLOTS))),
            ("free heap", _unless_none(report.free_heap, "{} bytes")),
            ("uptime", _unless_none(report.uptime_ms, "{} ms")),
        ]
        out += [f"  {name:12} {fact}" for name, fact in facts]
    out += [
        f"  not panel data ({count}): {why}" for why, count in report.refused.items()
    ]
    out += [f"  hint: {hint}" for hint in report.hints]
    return out


def _unless_none(value: float | None, text: str) -> str:
    """Return the value in its text, or a dash."""
    return "-" if value is None else text.format(value)


def _ranges(numbers: list[int]) -> str:
    """Return "1-3, 7 (4)" for ascending numbers."""
    groups: list[list[int]] = []
    for number in numbers:
        if groups and groups[-1][-1] == number - 1:
            groups[-1].append(number)
        else:
            groups.append([number])
    texts = [f"{g[0]}-{g[-1]}" if len(g) > 1 else str(g[0]) for g in groups]
    return f"{', '.join(texts)} ({len(numbers)})" if numbers else "none"
