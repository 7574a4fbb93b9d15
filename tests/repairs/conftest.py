"""What the tests of repairs share."""

from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp32_fire_alarm import caretaker, neighbours
from custom_components.esp32_fire_alarm.const import DOMAIN
from custom_components.esp32_fire_alarm.fleet import findings, standby

from .site_issues import Fix


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what takes minutes take half a second."""
    monkeypatch.setattr(findings, "STEADY_SECONDS", 0.4)
    monkeypatch.setattr(caretaker, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(caretaker, "SEARCH_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(standby, "FIRST_CHECK_SECONDS", 0.1)
    monkeypatch.setattr(standby, "LOOK_SECONDS", 0.1)


@pytest.fixture(autouse=True)
def arp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the system a table of neighbours, which is empty."""
    table = tmp_path / "arp"
    monkeypatch.setattr(neighbours, "TABLE", table)
    return table


@pytest.fixture
async def fix(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> Fix:
    """Return a function that goes through an issue's fix flow as the browser does."""
    # Before the client: its web server takes up nothing new once it runs.
    assert await async_setup_component(hass, DOMAIN, {})
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()

    async def click(issue: ir.IssueEntry, *answers: dict[str, Any]) -> dict[str, Any]:
        response = await client.post(
            "/api/repairs/issues/fix",
            json={"handler": DOMAIN, "issue_id": issue.issue_id},
        )
        assert response.status == 200, await response.text()
        page: dict[str, Any] = await response.json()
        for answer in answers:
            response = await client.post(
                f"/api/repairs/issues/fix/{page['flow_id']}", json=answer
            )
            assert response.status == 200, await response.text()
            page = await response.json()
        await hass.async_block_till_done()
        return page

    return click
