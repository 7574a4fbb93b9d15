"""A node that keeps to no rule: every byte on the wire is the test's."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
import hashlib

from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress

TEXT, BINARY, CLOSE, PING = 0x1, 0x2, 0x8, 0x9
FINAL = 0x80
COMPRESSED = 0x40

type Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def ws_frame(head: int, payload: bytes = b"", *, claims: int | None = None) -> bytes:
    """Return a WebSocket frame that may claim to be longer than it is."""
    size = len(payload) if claims is None else claims
    if size < 126:
        return bytes([head, size]) + payload
    if size < 2**16:
        return bytes([head, 126]) + size.to_bytes(2) + payload
    return bytes([head, 127]) + size.to_bytes(8) + payload


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Return the client's handshake."""
    return await reader.readuntil(b"\r\n\r\n")


def upgrade(request: bytes, *headers: str) -> bytes:
    """Return the answer that opens the WebSocket."""
    key = request.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
    guid = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key + guid).digest()).decode()
    lines = (
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept}",
        *headers,
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def after_handshake(script: Script, *headers: str) -> Script:
    """Return a script that begins when the WebSocket is open."""

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(upgrade(await read_request(reader), *headers))
        await script(reader, writer)

    return run


@asynccontextmanager
async def hostile(script: Script) -> AsyncIterator[DeviceAddress]:
    """Serve a script to whoever connects, and hang up on all in the end."""
    writers: set[asyncio.StreamWriter] = set()
    tasks: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        tasks.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await script(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield DeviceAddress("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        for task in filter(None, tasks):
            task.cancel()
        await asyncio.gather(*filter(None, tasks), return_exceptions=True)
