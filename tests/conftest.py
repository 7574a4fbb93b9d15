"""What all tests share."""

from collections.abc import Iterator
from unittest.mock import PropertyMock, patch

import pytest
import pytest_socket

# Before the test kit looks for custom components: it would find its own package.
import custom_components.esp32_fire_alarm  # noqa: F401
from custom_components.esp32_fire_alarm import site

from .running_site import LeapingClock


@pytest.fixture(autouse=True)
def our_integration(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant load custom integrations, in the tests that run one."""
    if "hass" in request.fixturenames:
        if "recorder_mock" in request.fixturenames:
            # Has to come before hass.
            request.getfixturevalue("recorder_mock")
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture
def loopback(socket_enabled: None) -> None:
    """Allow real sockets, to 127.0.0.0/8 only."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8"], allow_unix_socket=True)


@pytest.fixture
def every_entity() -> Iterator[None]:
    """Enable the entities that are disabled by default too."""
    with patch(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default",
        PropertyMock(return_value=True),
    ):
        yield


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> LeapingClock:
    """Give sites that are set up from now on a clock that the test can advance."""
    leaping = LeapingClock()
    monkeypatch.setattr(site, "SystemClock", lambda: leaping)
    return leaping
