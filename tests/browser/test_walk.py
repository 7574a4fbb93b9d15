"""The site's whole life in the user interface: the walk that takes the pictures."""

from pathlib import Path

import pytest

from script.simulator import free_port
from script.walk import walk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.usefixtures("loopback"),
    pytest.mark.timeout(400),
]


async def test_walk(tmp_path: Path) -> None:
    """Each step checks what it sees; no picture is written."""
    await walk(tmp_path, free_port())
