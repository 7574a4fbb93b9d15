"""Processes that talk to each other in lines of JSON over a pipe.

The contestants and the load each run in a process of their own, so that what one
costs is not counted for another. They understand commands by name; each command
has exactly one answer.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
import json
from pathlib import Path
import sys
import traceback
from typing import Any, Final

REPOSITORY: Final = Path(__file__).resolve().parents[1]

ANSWER_SECONDS: Final = 240.0
"""Longest wait for any answer: on a busy machine 1,000 nodes take minutes to set up."""

MAX_LINE_BYTES: Final = 16 * 1024 * 1024

type Command = Callable[..., Awaitable[Any]]


class PeerError(Exception):
    """The other process ended, failed or took too long."""


class Peer:
    """Our end of the pipe to a process that serves commands."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        """Talk to a running process."""
        self._process = process
        self._name = name

    async def ask(self, command: str, **arguments: object) -> Any:
        """Have a command carried out and return its answer.

        Raises:
            PeerError: there was none.

        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps({"command": command, "arguments": arguments})
        self._process.stdin.write(line.encode() + b"\n")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._process.stdout.readline()
        except TimeoutError as err:
            raise PeerError(f"{self._name} did not answer {command}") from err
        if not answer:
            raise PeerError(f"{self._name} ended during {command}")
        told = json.loads(answer)
        if "error" in told:
            raise PeerError(f"{self._name} failed at {command}: {told['error']}")
        return told["answer"]


@asynccontextmanager
async def running(module: str, *arguments: str) -> AsyncIterator[Peer]:
    """Run a module of this folder as a process; end it afterwards."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"benchmarks.{module}", *arguments),
        cwd=REPOSITORY,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=MAX_LINE_BYTES,
    )
    try:
        yield Peer(process, " ".join((module, *arguments)))
    finally:
        # What it did is measured by now, and all it wrote is thrown away.
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def serve(commands: dict[str, Command]) -> None:
    """Carry out commands from the standard input until it ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        wanted = json.loads(line)
        try:
            told = {"answer": await commands[wanted["command"]](**wanted["arguments"])}
        except Exception as err:  # noqa: BLE001 - it is told to whoever asked
            told = {"error": "".join(traceback.format_exception(err))}
        print(json.dumps(told), flush=True)
