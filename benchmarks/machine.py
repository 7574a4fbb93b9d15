"""On what the figures were measured."""

import os
from pathlib import Path
import platform

from homeassistant.const import __version__ as ha_version


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
    return names[0].strip() if names else platform.machine()


def describe() -> str:
    """Return cores, processor and versions in one line."""
    return (
        f"{os.cpu_count()} cores of {processor()}, {platform.system()}, "
        f"Python {platform.python_version()}, Home Assistant {ha_version}"
    )
