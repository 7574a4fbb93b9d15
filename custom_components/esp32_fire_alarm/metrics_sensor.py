"""What a site's frames cost and how fast they are, as sensors of the site.

All are for whoever looks into a problem. Only what stays as it is on a healthy
site is enabled by default.
"""

from collections.abc import Callable
from typing import Final, override

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import EntityCategory, UnitOfDataRate, UnitOfTime
from homeassistant.helpers.device_registry import DeviceInfo

from .entity import Reading
from .fleet.metrics import SiteMetrics
from .sensor_entity import FireAlarmSensor, FireAlarmSensorDescription
from .site import FireAlarmSite

_RATE_DEADBAND: Final = 0.05
"""63 nodes that send once per second come to 62.8 or 63.2, and nobody cares."""

_LATENCY_DEADBAND: Final = 0.1
"""Latencies are counted in bins that are 9 % wide."""


def _describe(
    key: str,
    read: Callable[[SiteMetrics], float | None],
    *,
    state_class: SensorStateClass = SensorStateClass.TOTAL_INCREASING,
    device_class: SensorDeviceClass | None = None,
    unit: str | None = None,
    digits: int = 0,
    deadband_share: float = 0.0,
    is_enabled: bool = False,
) -> FireAlarmSensorDescription[SiteMetrics]:
    """Describe one figure, shown with so many digits behind the point."""

    def look(metrics: SiteMetrics) -> Reading:
        value = read(metrics)
        if value is None:
            return Reading(None)
        return Reading(round(value, digits) if digits else round(value))

    return FireAlarmSensorDescription[SiteMetrics](
        key=key,
        translation_key=key,
        device_class=device_class,
        state_class=state_class,
        native_unit_of_measurement=unit,
        suggested_display_precision=digits,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=is_enabled,
        deadband_share=deadband_share,
        read=look,
    )


def _describe_latency(
    key: str, read: Callable[[SiteMetrics], float | None]
) -> FireAlarmSensorDescription[SiteMetrics]:
    """Describe a latency, which is read in seconds and shown in milliseconds."""

    def look(metrics: SiteMetrics) -> float | None:
        seconds = read(metrics)
        return None if seconds is None else seconds * 1000

    return _describe(
        key,
        look,
        state_class=SensorStateClass.MEASUREMENT,
        device_class=SensorDeviceClass.DURATION,
        unit=UnitOfTime.MILLISECONDS,
        digits=2,
        deadband_share=_LATENCY_DEADBAND,
    )


def _mean_batch(metrics: SiteMetrics) -> float | None:
    """Return how many frames a batch has on average, since the start."""
    return metrics.batched / metrics.batches if metrics.batches else None


METRICS_SENSORS: Final = (
    _describe(
        "frame_rate",
        lambda metrics: metrics.frames_per_second,
        state_class=SensorStateClass.MEASUREMENT,
        digits=1,
        deadband_share=_RATE_DEADBAND,
    ),
    _describe(
        "byte_rate",
        lambda metrics: metrics.bytes_per_second,
        state_class=SensorStateClass.MEASUREMENT,
        device_class=SensorDeviceClass.DATA_RATE,
        unit=UnitOfDataRate.BYTES_PER_SECOND,
        deadband_share=_RATE_DEADBAND,
    ),
    _describe("frames_identical", lambda metrics: metrics.identical),
    _describe("frames_decoded", lambda metrics: metrics.decoded),
    _describe("frames_malformed", lambda metrics: metrics.malformed, is_enabled=True),
    _describe("frames_throttled", lambda metrics: metrics.throttled, is_enabled=True),
    _describe("batches", lambda metrics: metrics.batches),
    _describe(
        "batch_size",
        _mean_batch,
        state_class=SensorStateClass.MEASUREMENT,
        digits=1,
        deadband_share=_RATE_DEADBAND,
    ),
    _describe(
        "inbox_depth",
        lambda metrics: metrics.inbox_depth,
        state_class=SensorStateClass.MEASUREMENT,
    ),
    _describe_latency("latency_p50", lambda metrics: metrics.latency_p50),
    _describe_latency("latency_p95", lambda metrics: metrics.latency_p95),
    _describe_latency("latency_p99", lambda metrics: metrics.latency_p99),
)


class MetricsSensor(FireAlarmSensor):
    """A figure of the site's frames, looked at when figures are published."""

    def __init__(
        self, site: FireAlarmSite, description: FireAlarmSensorDescription[SiteMetrics]
    ) -> None:
        """Show what `description` reads."""
        self.entity_description = description
        self._board = site.metrics
        self._attr_unique_id = f"{site.site_id}_{description.key}"
        self._attr_device_info = DeviceInfo(identifiers={site.identifier})

    @property
    @override
    def _subject(self) -> SiteMetrics:
        return self._board.data

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the figures."""
        await super().async_added_to_hass()
        self.async_on_remove(self._board.async_listen(self.async_look_again))
