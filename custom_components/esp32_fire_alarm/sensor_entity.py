"""What all sensors share: a value, and a deadband for figures that waver."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription
from homeassistant.helpers.typing import StateType

from .entity import FireAlarmEntity, Reading, ReadingDescription


@dataclass(frozen=True, kw_only=True)
class FireAlarmSensorDescription[Subject](
    SensorEntityDescription, ReadingDescription[Subject]
):
    """A sensor and the function that reads it.

    A figure that moved less than `deadband`, or less than its `deadband_share`
    (0-1), is shown as it was.
    """

    deadband: float = 0.0
    deadband_share: float = 0.0


class FireAlarmSensor(FireAlarmEntity[Any], SensorEntity):
    """Anything with a value."""

    entity_description: FireAlarmSensorDescription[Any]

    @override
    def _read(self) -> Reading:
        """Return what to show now: the same as before inside the deadband."""
        reading = super()._read()
        before, now = self._reading.value, reading.value
        if isinstance(before, int | float) and isinstance(now, int | float):
            described = self.entity_description
            deadband = max(described.deadband, described.deadband_share * abs(before))
            if abs(now - before) < deadband:
                return reading._replace(value=before)
        return reading

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """Return the reading."""
        return self._reading.value
