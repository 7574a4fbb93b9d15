"""The options of a site: how closely it is watched, alarms, zones, who answers now."""

from typing import Any, Final, override

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.const import CONF_NAME
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)
import voluptuous as vol

from .alarm_flow import AlarmSteps
from .const import (
    CONF_COMMANDS_ENABLED,
    CONF_HEARTBEAT_SECONDS,
    CONF_HOLD_SECONDS,
    CONF_NODES,
    CONF_PING,
    CONF_SILENCE_SECONDS,
    DEFAULT_COMMANDS_ENABLED,
    HEARTBEAT_BOUNDS,
    HOLD_BOUNDS,
    MAX_FAULT_SECONDS,
    SILENCE_BOUNDS,
)
from .discovery import async_close_cards
from .fleet.plan import SitePlan
from .sheet_flow import SheetSteps
from .site_dialogue import SiteDialogue
from .site_draft import DraftError, read_draft
from .topology import nodes_to_entry, supervision_from_options

SECTION_SUPERVISION: Final = "supervision"
SECTION_COMMANDS: Final = "commands"


class FireAlarmOptionsFlow(AlarmSteps, SheetSteps, SiteDialogue, OptionsFlowWithReload):
    """What is changed about a site while it runs.

    Only other settings reload the site. How alarms are treated is taken over
    while it runs, and a sheet of zones changes no options, so that no link is
    made anew for either.
    """

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Offer what there is."""
        return self.async_show_menu(
            step_id="init",
            menu_options=["settings", "alarms", "zone_sheet", "scan_again"],
        )

    async def async_step_scan_again(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask the site's addresses anew."""
        entry = self._entry = self.config_entry
        self._draft = read_draft({CONF_NAME: entry.title, **entry.data})
        try:
            self._refuse_overlap(self._draft)
        except DraftError as err:
            return self.async_abort(
                reason=err.key, description_placeholders=err.placeholders
            )
        return await self.async_step_scan()

    @override
    async def _async_finish(self, plan: SitePlan) -> ConfigFlowResult:
        """Keep what the scan found; without a difference no link notices."""
        entry = self.config_entry
        data = {**entry.data, CONF_NODES: nodes_to_entry(plan.nodes)}
        async_close_cards(self.hass, plan.nodes, own_flow_id=self.flow_id)
        # The site takes over what is new by itself; no other link notices.
        if not self.hass.config_entries.async_update_entry(entry, data=data):
            return self.async_abort(reason="site_unchanged")
        return self.async_abort(reason="site_changed")

    async def async_step_settings(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the settings, or keep them."""
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
            step_id="settings",
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
