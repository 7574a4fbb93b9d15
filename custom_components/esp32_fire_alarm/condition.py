"""Conditions on a site: what is in alarm or trouble, and what nobody has seen yet.

They look at the site itself, not at entities, so that renamed, hidden or
disabled entities make no difference.
"""

from typing import ClassVar, Final, Unpack, cast, override

from homeassistant.const import CONF_OPTIONS, CONF_TARGET
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.condition import (
    ATTR_BEHAVIOR,
    BEHAVIOR_ALL,
    BEHAVIOR_ANY,
    Condition,
    ConditionCheckParams,
    ConditionConfig,
)
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .site import FireAlarmSite
from .targets import Choice, choose, choose_all, loaded_sites, selection_of


class _SiteCondition(Condition):
    """True where it holds at a site that the target concerns; without one, at any."""

    schema: ClassVar[vol.Schema] = vol.Schema(
        {
            vol.Optional(CONF_TARGET): cv.TARGET_FIELDS,
            vol.Optional(CONF_OPTIONS, default=dict): {},
        }
    )

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Keep the target; it is looked up with every check."""
        super().__init__(hass, config)
        self._selection = selection_of(config.target)

    @override
    @classmethod
    async def async_validate_config(
        cls, hass: HomeAssistant, config: ConfigType
    ) -> ConfigType:
        """Return target and options, with the defaults of what is not given."""
        return cast(ConfigType, cls.schema(config))

    def _choices(self) -> list[tuple[FireAlarmSite, Choice]]:
        """Return what the target means, at the sites where it means something."""
        choices = [
            (
                site,
                choose_all(site)
                if self._selection is None
                else choose(site, self._selection),
            )
            for site in loaded_sites(self._hass)
        ]
        return [(site, one) for site, one in choices if one.zones or one.nodes]


class _ZoneInAlarm(_SiteCondition):
    """True while any or all of the chosen zones are in alarm."""

    schema = vol.Schema(
        {
            vol.Required(CONF_TARGET): cv.TARGET_FIELDS,
            vol.Optional(CONF_OPTIONS, default=dict): {
                vol.Required(ATTR_BEHAVIOR, default=BEHAVIOR_ANY): vol.In(
                    [BEHAVIOR_ANY, BEHAVIOR_ALL]
                )
            },
        }
    )

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Keep the target, and whether one zone is enough."""
        super().__init__(hass, config)
        self._needs_all = (config.options or {})[ATTR_BEHAVIOR] == BEHAVIOR_ALL

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        """Look at the zones; one that is taken out is in no alarm."""
        alarms = [
            site.truth.zones[zone].alarm and zone not in site.book.ignored
            for site, choice in self._choices()
            for zone in choice.zones
        ]
        return bool(alarms) and (all(alarms) if self._needs_all else any(alarms))


class _SiteInAlarm(_SiteCondition):
    """True while there is a fire alarm anywhere at a site."""

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        """Look at the sites."""
        return any(site.summary.fire for site, _ in self._choices())


class _SiteInTrouble(_SiteCondition):
    """True while anything is in trouble at a site, a lost node included."""

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        """Look at the sites."""
        return any(site.summary.trouble for site, _ in self._choices())


class _AlarmUnacknowledged(_SiteCondition):
    """True while a fire alarm stands in the chosen zones that nobody has seen yet."""

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        """Look into the alarm books."""
        return any(
            one.is_fire and one.acknowledged_at is None and one.zone in choice.zones
            for site, choice in self._choices()
            for one in site.book.standing()
        )


class _NodeLost(_SiteCondition):
    """True while an ESP32 is lost that was chosen or carries a chosen zone."""

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        """Look at the nodes."""
        return any(
            site.truth.is_given_up(node)
            for site, choice in self._choices()
            for node in choice.nodes | choice.carriers
        )


CONDITIONS: Final[dict[str, type[Condition]]] = {
    "zone_in_alarm": _ZoneInAlarm,
    "site_in_alarm": _SiteInAlarm,
    "site_in_trouble": _SiteInTrouble,
    "alarm_unacknowledged": _AlarmUnacknowledged,
    "node_lost": _NodeLost,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions of this integration."""
    return CONDITIONS
