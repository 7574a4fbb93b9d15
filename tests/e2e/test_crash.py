"""A real Home Assistant dies without a warning in the middle of an alarm storm.

Two rounds of what `python -m tests.e2e.crash` does for twenty.
"""

from pathlib import Path
from random import Random

import pytest

from .crash import crasher

pytestmark = [
    pytest.mark.usefixtures("loopback"),
    pytest.mark.slow,
    pytest.mark.timeout(240),
]

NODES = 8
SEED = 7


async def test_killed_in_a_storm(tmp_path: Path) -> None:
    """Every alarm on the wire has one occurrence; only the unwritten is told again."""
    chance = Random(SEED)  # noqa: S311
    async with crasher(tmp_path, NODES, chance) as one:
        assert await one.round() == []
        assert await one.round() == []
        assert one.totals.kills == 2
        assert one.totals.acknowledged == 1
        assert len(one.storm.pulses) > 10
