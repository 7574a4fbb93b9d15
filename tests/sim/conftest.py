"""What the tests of the simulated fleet share: real sockets on loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

FIXTURES = Path(__file__).parent.parent / "fixtures"
CAPTURE = FIXTURES / "real_capture.bin"
FRAMES: list[dict[str, Any]] = json.loads((FIXTURES / "frames.json").read_text())

PATIENCE_SECONDS = 5.0
"""How long to wait for what should come at once: machines may be busy."""

type Socket = aiohttp.ClientWebSocketResponse[bool]
type Connect = Callable[..., Awaitable[Socket]]


@pytest.fixture(autouse=True)
def always_loopback(loopback: None) -> None:
    """Every test here uses real sockets, to 127.0.0.0/8 only."""


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Return a function that opens a WebSocket the way the integration does."""
    opened: list[Socket] = []
    async with aiohttp.ClientSession() as session:

        async def open_one(url: str, **options: Any) -> Socket:
            socket: Socket = await session.ws_connect(
                url,
                decode_text=False,
                compress=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=0.5),
                **options,
            )
            opened.append(socket)
            return socket

        yield open_one
        await asyncio.gather(*(socket.close() for socket in opened))


async def until(
    condition: Callable[[], object], seconds: float = PATIENCE_SECONDS
) -> None:
    """Wait until the condition holds, or fail after so many seconds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


async def next_frame(socket: Socket, seconds: float = PATIENCE_SECONDS) -> bytes:
    """Return the next message."""
    async with asyncio.timeout(seconds):
        message = await socket.receive()
    assert message.type is aiohttp.WSMsgType.TEXT, message
    return bytes(message.data)


async def frame_with(
    socket: Socket, part: bytes, seconds: float = PATIENCE_SECONDS
) -> bytes:
    """Return the next message that contains these bytes."""
    async with asyncio.timeout(seconds):
        while True:
            if part in (frame := await next_frame(socket, seconds)):
                return frame


async def end_of(socket: Socket, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for the connection's end."""
    async with asyncio.timeout(seconds):
        while (await socket.receive()).type in (
            aiohttp.WSMsgType.TEXT,
            aiohttp.WSMsgType.PING,
        ):
            pass
