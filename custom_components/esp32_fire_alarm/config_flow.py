"""Adding a site and changing it in the user interface: form, scan, result."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, override
from uuid import uuid4

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.const import CONF_NAME, CONF_PORT
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
from homeassistant.helpers.typing import UNDEFINED
import voluptuous as vol

from .const import CONF_ADDRESSES, CONF_NODES, CONF_STANDBY, DOMAIN
from .discovery import async_close_cards
from .discovery_flow import DiscoverySteps
from .fleet.addresses import MAX_PORT, format_addresses
from .fleet.models import DEFAULT_PORT, DeviceAddress
from .fleet.plan import SitePlan
from .options_flow import FireAlarmOptionsFlow
from .site_dialogue import ACTION_CHANGE, ACTION_FINISH, ACTION_SCAN
from .site_draft import DraftError, read_draft, with_addresses
from .site_report import async_describe_faults
from .topology import nodes_to_entry

CONF_UNANSWERED: Final = "set_up_unanswered"

_LINES = TextSelector(TextSelectorConfig(multiline=True))


class FireAlarmConfigFlow(DiscoverySteps, domain=DOMAIN):
    """Type addresses, look who answers, show it, make or change the site."""

    VERSION = 1

    _actions = (ACTION_FINISH, ACTION_SCAN, ACTION_CHANGE)
    _step_if_silent = "user"

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the flow that changes the options."""
        return FireAlarmOptionsFlow()

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a new site's addresses."""
        return await self._async_site_step("user", user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for an existing site's addresses."""
        if self.source == SOURCE_RECONFIGURE:
            self._entry = self._get_reconfigure_entry()
        return await self._async_site_step("reconfigure", user_input)

    async def _async_site_step(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Read the form of a new or an existing site and go on to the scan."""
        self._step_if_silent = step_id
        if user_input is None:
            return await self._async_first_site_form()
        try:
            draft = read_draft(user_input)
            self._refuse_overlap(draft)
        except DraftError as err:
            return self._show_site_form(
                user_input, errors={err.field: err.key}, placeholders=err.placeholders
            )
        is_asked = self._draft is not None and (
            (draft.addresses, draft.standbys)
            == (self._draft.addresses, self._draft.standbys)
        )
        self._draft = draft
        if is_asked and user_input.get(CONF_UNANSWERED):
            return await self.async_step_result()
        return await self.async_step_scan()

    async def _async_first_site_form(self) -> ConfigFlowResult:
        """Show the form before anything was typed, or after nobody answered."""
        if self._draft is None or not self._nobody_answered:
            return self._show_site_form(self._values())
        reasons = await async_describe_faults(
            self.hass, self._answers, port=self._draft.port
        )
        return self._show_site_form(
            self._values(),
            errors={"base": "nobody_answered"},
            placeholders={"reasons": reasons},
        )

    def _show_site_form(
        self,
        values: Mapping[str, Any],
        *,
        errors: dict[str, str] | None = None,
        placeholders: Mapping[str, str] | None = None,
    ) -> ConfigFlowResult:
        """Show the form with what was typed or stored before."""
        schema: dict[vol.Marker, Any] = {
            vol.Required(CONF_NAME): TextSelector(),
            vol.Required(CONF_ADDRESSES): _LINES,
            vol.Required(CONF_PORT, default=DEFAULT_PORT): vol.All(
                NumberSelector(
                    NumberSelectorConfig(
                        min=1, max=MAX_PORT, mode=NumberSelectorMode.BOX
                    )
                ),
                vol.Coerce(int),
            ),
            vol.Optional(CONF_STANDBY): _LINES,
        }
        if self._nobody_answered:
            schema[vol.Required(CONF_UNANSWERED, default=False)] = BooleanSelector()
        return self.async_show_form(
            step_id=self._step_if_silent,
            data_schema=self.add_suggested_values_to_schema(vol.Schema(schema), values),
            errors=errors,
            description_placeholders=placeholders,
            last_step=False,
        )

    @override
    async def _async_finish(self, plan: SitePlan) -> ConfigFlowResult:
        """Make the site, or change it; its unique id and node numbers stay."""
        assert self._draft is not None
        try:
            # Another site may have been set up while this page was open.
            self._refuse_overlap(self._draft)
        except DraftError as err:
            return self._show_site_form(
                self._values(),
                errors={err.field: err.key},
                placeholders=err.placeholders,
            )
        data = {**self._draft.data, CONF_NODES: nodes_to_entry(plan.nodes)}
        async_close_cards(self.hass, plan.nodes, own_flow_id=self.flow_id)
        if self._entry is not None:
            # The site takes over what is new by itself; no other link notices.
            return self.async_update_and_abort(
                self._entry,
                title=self._draft.name,
                data=data,
                reason=UNDEFINED if self.source == SOURCE_RECONFIGURE else "node_added",
            )
        await self.async_set_unique_id(uuid4().hex)
        return self.async_create_entry(title=self._draft.name, data=data)

    @override
    async def _async_start_with(
        self, entry: ConfigEntry | None, addresses: Sequence[DeviceAddress]
    ) -> ConfigFlowResult:
        """Go on from a discovery: a site is scanned at once, a new one needs a name."""
        self._entry = entry
        if entry is None:
            port = addresses[0].port
            text = format_addresses(addresses, port)
            return self._show_site_form({CONF_ADDRESSES: text, CONF_PORT: port})
        values = self._values()
        values[CONF_ADDRESSES] = with_addresses(
            values[CONF_ADDRESSES], addresses, values[CONF_PORT]
        )
        return await self._async_site_step("reconfigure", values)

    @override
    def _change_addresses(self) -> ConfigFlowResult:
        """Show the form again, as it was filled in."""
        return self._show_site_form(self._values())

    def _values(self) -> dict[str, Any]:
        """Return what to fill the form with: typed before, or stored."""
        if self._draft is not None:
            return {CONF_NAME: self._draft.name, **self._draft.data}
        if self._entry is not None:
            return {CONF_NAME: self._entry.title, **self._entry.data}
        return {}
