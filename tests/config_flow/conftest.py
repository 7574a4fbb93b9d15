"""What the tests of the dialogues share."""

from collections.abc import Iterator
from unittest.mock import AsyncMock, patch

import pytest


@pytest.fixture(autouse=True)
def setup_entry() -> Iterator[AsyncMock]:
    """Keep made sites from being set up: only the dialogues are looked at here."""
    with (
        patch(
            "custom_components.esp32_fire_alarm.async_setup_entry", return_value=True
        ) as setup_entry,
        patch(
            "custom_components.esp32_fire_alarm.async_unload_entry", return_value=True
        ),
    ):
        yield setup_entry
