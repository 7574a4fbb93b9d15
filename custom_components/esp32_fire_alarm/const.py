"""Names that are stored or told, and the bounds of options."""

from typing import Final

DOMAIN: Final = "esp32_fire_alarm"
MANUFACTURER: Final = "DDS"

ATTR_TYPE: Final = "type"
"""What a payload is about: one of `EventKind`."""
ATTR_ZONES: Final = "zones"
"""The zones of what somebody did, or of a confirmed alarm."""

CONF_ADDRESSES: Final = "addresses"
CONF_STANDBY: Final = "standby"
CONF_NODES: Final = "nodes"

CONF_HEARTBEAT_SECONDS: Final = "heartbeat_seconds"
CONF_SILENCE_SECONDS: Final = "silence_seconds"
CONF_HOLD_SECONDS: Final = "hold_seconds"
CONF_PING: Final = "ping"
CONF_COMMANDS_ENABLED: Final = "commands_enabled"

HEARTBEAT_BOUNDS: Final = (5, 20)
SILENCE_BOUNDS: Final = (5, 30)
HOLD_BOUNDS: Final = (0, 60)
"""Least and most seconds. All three at their most give 91 s; the limit is below."""

MAX_FAULT_SECONDS: Final = 100
"""Within so long a fault has to be shown (EN 54-2)."""

DEFAULT_COMMANDS_ENABLED: Final = False
"""Nobody has seen a real panel obey a command yet; and nothing is sent unasked."""
