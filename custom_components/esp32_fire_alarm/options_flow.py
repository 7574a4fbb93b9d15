"""The options of a site: how closely it is watched, and what it may send."""

from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)
import voluptuous as vol

from .const import (
    CONF_COMMANDS_ENABLED,
    CONF_HEARTBEAT_SECONDS,
    CONF_HOLD_SECONDS,
    CONF_PING,
    CONF_SILENCE_SECONDS,
    DEFAULT_COMMANDS_ENABLED,
    HEARTBEAT_BOUNDS,
    HOLD_BOUNDS,
    MAX_FAULT_SECONDS,
    SILENCE_BOUNDS,
)
from .topology import supervision_from_options

SECTION_SUPERVISION: Final = "supervision"
SECTION_COMMANDS: Final = "commands"


class FireAlarmOptionsFlow(OptionsFlowWithReload):
    """How closely links are watched, and whether commands may be sent."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the options, or keep them."""
        options = dict(self.config_entry.options)
        errors: dict[str, str] = {}
        if user_input is not None:
            for fields in user_input.values():
                options |= fields
            if (
                supervision_from_options(options).worst_case_seconds
                <= MAX_FAULT_SECONDS
            ):
                return self.async_create_entry(data=options)
            errors["base"] = "too_slow"
        supervision = supervision_from_options(options)
        return self.async_show_form(
            step_id="init",
            data_schema=vol.Schema(
                {
                    vol.Required(SECTION_SUPERVISION): section(
                        vol.Schema(
                            {
                                vol.Required(
                                    CONF_HEARTBEAT_SECONDS,
                                    default=supervision.heartbeat_seconds,
                                ): _seconds(HEARTBEAT_BOUNDS),
                                vol.Required(
                                    CONF_SILENCE_SECONDS,
                                    default=supervision.silence_seconds,
                                ): _seconds(SILENCE_BOUNDS),
                                vol.Required(
                                    CONF_HOLD_SECONDS, default=supervision.hold_seconds
                                ): _seconds(HOLD_BOUNDS),
                                vol.Required(
                                    CONF_PING, default=supervision.pings
                                ): BooleanSelector(),
                            }
                        )
                    ),
                    vol.Required(SECTION_COMMANDS): section(
                        vol.Schema(
                            {
                                vol.Required(
                                    CONF_COMMANDS_ENABLED,
                                    default=options.get(
                                        CONF_COMMANDS_ENABLED, DEFAULT_COMMANDS_ENABLED
                                    ),
                                ): BooleanSelector()
                            }
                        ),
                        {"collapsed": True},
                    ),
                }
            ),
            errors=errors,
            description_placeholders={
                "worst_case": f"{supervision.worst_case_seconds:g}",
                "limit": str(MAX_FAULT_SECONDS),
            },
        )


def _seconds(bounds: tuple[int, int]) -> vol.All:
    """Return a slider over whole seconds, both bounds included."""
    return vol.All(
        NumberSelector(
            NumberSelectorConfig(
                min=bounds[0],
                max=bounds[1],
                step=1,
                mode=NumberSelectorMode.SLIDER,
                unit_of_measurement="s",
            )
        ),
        vol.Coerce(int),
    )
