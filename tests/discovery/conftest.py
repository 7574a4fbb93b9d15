"""What these tests share."""

from pathlib import Path

import pytest

from custom_components.esp32_fire_alarm import discovery_flow, neighbours

from .announcing import Arp


@pytest.fixture(autouse=True)
def arp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Arp:
    """Give the system a table of neighbours."""
    table = Arp(tmp_path / "arp")
    monkeypatch.setattr(neighbours, "TABLE", table.path)
    return table


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask four times, as ever, but sooner."""
    monkeypatch.setattr(discovery_flow, "PAUSES_SECONDS", (0.0, 0.1, 0.2, 0.2))
