"""The simulated fleet as a process of its own, driven by its own command line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import socket
import sys
from typing import Final

from script.hass_process import REPOSITORY

START_SECONDS: Final = 60.0
"""Longest wait for the fleet; about two on an idle machine."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Simulator:
    """A `python -m sim` process on ports of its own."""

    def __init__(self, port: int | None = None) -> None:
        """Choose the ports; `port` (1-65535) is the one the nodes listen on."""
        self.port = port or free_port()
        self._control = f"127.0.0.1:{free_port()}"

    async def command(self, *words: str) -> str:
        """Run one command and return what it printed."""
        process = await self._start(*words, "--control", self._control)
        printed, _ = await process.communicate()
        assert process.returncode == 0, printed.decode()
        return printed.decode()

    async def ask(self, do: str, *zones: int, **fields: object) -> None:
        """Have the fleet do something at once, without a process to say so."""
        host, port = self._control.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        request = {"do": do, "zones": zones, **fields}
        writer.write(json.dumps(request).encode() + b"\n")
        answer = json.loads(await reader.readline())
        writer.close()
        await writer.wait_closed()
        assert "error" not in answer, answer

    @asynccontextmanager
    async def running(self, *arguments: str) -> AsyncIterator[None]:
        """Run the fleet."""
        process = await self._start(
            *("run", "--port", str(self.port), "--control", self._control), *arguments
        )
        try:
            assert process.stdout is not None
            await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
            yield
        finally:
            process.terminate()
            await process.communicate()
        assert process.returncode == 0

    @staticmethod
    async def _start(*arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "sim", *arguments),
            cwd=REPOSITORY,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
