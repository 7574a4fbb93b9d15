"""What the config entry stores comes back as it was."""

from homeassistant.const import CONF_HOST, CONF_PORT

from custom_components.esp32_fire_alarm.const import (
    HEARTBEAT_BOUNDS,
    HOLD_BOUNDS,
    MAX_FAULT_SECONDS,
    SILENCE_BOUNDS,
)
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.fleet.timing import Supervision
from custom_components.esp32_fire_alarm.topology import (
    nodes_from_entry,
    nodes_to_entry,
    supervision_from_options,
)

NODES = [
    NodeConfig(1, DeviceAddress("192.168.0.2", 81), (1,)),
    NodeConfig(
        2,
        DeviceAddress("fd00::2", 8181),
        (2, 3),
        offset=1,
        standby=DeviceAddress("node.local", 82),
    ),
]


def test_nodes_come_back() -> None:
    """In order of their numbers, whatever the order they are stored in."""
    stored = nodes_to_entry(NODES)
    assert stored[1][CONF_HOST] == "fd00::2"
    assert stored[1][CONF_PORT] == 8181
    assert nodes_from_entry({"nodes": stored[::-1]}) == NODES
    assert nodes_from_entry({}) == []


def test_options() -> None:
    """Nobody said: the defaults. And no allowed combination is too slow."""
    assert supervision_from_options({}) == Supervision()
    for pings in (True, False):
        slowest = supervision_from_options(
            {
                "heartbeat_seconds": HEARTBEAT_BOUNDS[1],
                "silence_seconds": SILENCE_BOUNDS[1],
                "hold_seconds": HOLD_BOUNDS[1],
                "ping": pings,
            }
        )
        assert slowest.pings is pings
        assert slowest.worst_case_seconds <= MAX_FAULT_SECONDS
