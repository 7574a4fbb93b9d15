"""What the tests of the engine room share: real sockets on loopback, no clock."""

import pytest
import pytest_socket

from .rig import FakeClock


@pytest.fixture
def loopback(socket_enabled: None) -> None:
    """Allow sockets, but to 127.0.0.0/8 only."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8"], allow_unix_socket=True)


@pytest.fixture
def clock() -> FakeClock:
    """Time that passes when told to."""
    return FakeClock()
