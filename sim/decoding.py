"""`python -m sim decode`: what one raw WebSocket message means, as JSON.

The one who decodes is the integration; nothing is interpreted here.
"""

from collections.abc import Iterable
import json
from pathlib import Path
import sys
from typing import Any

from custom_components.esp32_fire_alarm.fleet.frame import (
    MAX_FRAME_BYTES,
    FrameError,
    decode,
)
from custom_components.esp32_fire_alarm.fleet.models import (
    DeviceFrame,
    PanelStatus,
    zones_of_module,
)

from .errors import SimError


def decode_file(name: str) -> int:
    """Print the meaning of the message in a file, or of standard input for `-`.

    Returns 0, or 1 when the message carries no zone data.
    """
    meaning = meaning_of(_read(name))
    print(json.dumps(meaning, indent=1))
    return 1 if "error" in meaning else 0


def meaning_of(raw: bytes) -> dict[str, Any]:
    """Return the meaning of one raw message as plain JSON values.

    A message that cannot be decoded gives the same keys, empty, and `error`.
    """
    try:
        return frame_as_json(decode(raw))
    except FrameError as err:
        empty = frame_as_json(DeviceFrame(panel=None, modules={}))
        return empty | {"error": {"reason": str(err.reason), "text": str(err)}}


def frame_as_json(frame: DeviceFrame) -> dict[str, Any]:
    """Return a decoded frame as plain JSON values, zones by site number (1-315).

    `trouble` leaves out the zones that are in alarm as well.
    """
    modules = sorted(frame.modules.items())
    return {
        "alarm": _zones((module, state.alarm) for module, state in modules),
        "trouble": _zones(
            (module, state.trouble & ~state.alarm) for module, state in modules
        ),
        "offline_modules": [m for m, state in modules if not state.online],
        "bell_modules": [m for m, state in modules if state.bell],
        "trouble_bit5_modules": [m for m, state in modules if state.bit5],
        "online_modules": [m for m, state in modules if state.online],
        "confirmations": [list(one) for one in frame.confirmations],
        "master": _master(frame.panel),
        "envelope": {
            key: value
            for key, value in (
                ("timestamp", frame.uptime_ms),
                ("clients", frame.clients),
                ("freeHeap", frame.free_heap),
                ("FB", frame.firebase),
                ("MODE", frame.mode),
            )
            if value is not None
        },
        "malformed": frame.malformed,
    }


def _read(name: str) -> bytes:
    """Return the bytes of a file or of standard input; no more than matter."""
    limit = MAX_FRAME_BYTES + 1
    if name == "-":
        return sys.stdin.buffer.read(limit)
    try:
        with Path(name).open("rb") as file:
            return file.read(limit)
    except OSError as err:
        raise SimError(f"file {name}: {err.strerror}") from err


def _zones(masks: Iterable[tuple[int, int]]) -> list[int]:
    """Return the zones (1-315) whose bit is set in their module's mask."""
    return [
        zone
        for module, mask in masks
        for position, zone in enumerate(zones_of_module(module))
        if mask >> position & 1
    ]


def _master(panel: PanelStatus | None) -> dict[str, Any] | None:
    """Return the master word with its lit lamps, lowest bit first."""
    if panel is None:
        return None
    master: dict[str, Any] = {
        "header": f"{panel.header:02X}",
        "status": f"{panel.status:02X}",
        "on": [str(led) for led in panel.lit],
    }
    if panel.checksum is not None:
        master["dummy_checksum"] = panel.checksum
    return master
