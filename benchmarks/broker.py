"""A real Mosquitto on a loopback port, for as long as a contestant needs it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import os
from pathlib import Path
import shutil
import socket
import tempfile
from typing import Final

import psutil

START_SECONDS: Final = 10.0

CONFIGURATION: Final = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
log_type error
"""

_SYSTEM_FOLDERS: Final = "/usr/sbin:/usr/local/sbin"
"""Debian puts the server where only root's PATH leads."""


class Broker:
    """A running Mosquitto."""

    def __init__(self, port: int, pid: int) -> None:
        """Know its port and its process."""
        self.port = port
        self._process = psutil.Process(pid)

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used."""
        times = self._process.cpu_times()
        return float(times.user + times.system)


@asynccontextmanager
async def running_broker() -> AsyncIterator[Broker]:
    """Start Mosquitto and end it afterwards.

    Raises:
        FileNotFoundError: there is none on this machine.

    """
    path = os.pathsep.join((os.environ.get("PATH", ""), _SYSTEM_FOLDERS))
    if (program := shutil.which("mosquitto", path=path)) is None:
        raise FileNotFoundError("mosquitto: not installed; script/benchmark does it")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        file = Path(folder) / "mosquitto.conf"
        file.write_text(CONFIGURATION.format(port=port))
        # As root it gives up its rights, and must still read its configuration.
        Path(folder).chmod(0o755)
        process = await asyncio.create_subprocess_exec(program, "-c", str(file))
        try:
            async with asyncio.timeout(START_SECONDS):
                while not _answers(port):
                    await asyncio.sleep(0.05)
            yield Broker(port, process.pid)
        finally:
            process.terminate()
            await process.wait()


def _answers(port: int) -> bool:
    """Tell whether somebody listens on the port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return True
    except OSError:
        return False
