"""A few lines about all sites on the system information page."""

from typing import Any

from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.core import HomeAssistant, callback
from homeassistant.loader import async_get_loaded_integration

from .const import DOMAIN
from .site import FireAlarmConfigEntry


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Tell Home Assistant whom to ask."""
    register.async_register_info(async_get_info)


async def async_get_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return the sums over all loaded sites, and the latency of the slowest."""
    entries: list[FireAlarmConfigEntry] = hass.config_entries.async_loaded_entries(
        DOMAIN
    )
    sites = [entry.runtime_data for entry in entries]
    summaries = [site.summary for site in sites]

    metrics = [site.aggregator.metrics for site in sites]
    latencies = [one.latency_p99 for one in metrics if one.latency_p99 is not None]

    def share(part: str, whole: str) -> str:
        """Return two sums like 61/63."""
        return "/".join(
            str(sum(getattr(summary, name) for summary in summaries))
            for name in (part, whole)
        )

    return {
        "version": str(async_get_loaded_integration(hass, DOMAIN).version),
        "sites": len(sites),
        "nodes_connected": share("nodes_connected", "nodes_total"),
        "zones_supervised": share("zones_supervised", "zones_total"),
        "zones_in_alarm": sum(len(summary.in_alarm) for summary in summaries),
        "frames_received": sum(one.frames for one in metrics),
        "frames_per_second": round(sum(one.frames_per_second for one in metrics), 1),
        "frames_malformed": sum(one.malformed for one in metrics),
        "frames_throttled": sum(one.throttled for one in metrics),
        "frames_waiting": sum(one.inbox_depth for one in metrics),
        "latency_p99_ms": round(max(latencies) * 1000, 2) if latencies else "-",
    }
