"""Adding a site and changing it in the user interface: form, scan, result."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, override
from uuid import uuid4

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.const import CONF_NAME, CONF_PORT
from homeassistant.core import callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from .const import (
    CONF_ADDRESSES,
    CONF_NODES,
    CONF_STANDBY,
    DOMAIN,
)
from .fleet.addresses import MAX_PORT
from .fleet.identity import places_of
from .fleet.models import DEFAULT_PORT, NodeConfig
from .fleet.plan import Numbering, SitePlan, plan_site
from .fleet.scan import ScanResult, scan
from .options_flow import FireAlarmOptionsFlow
from .site_draft import DraftError, SiteDraft, read_draft, refuse_overlap
from .site_report import async_describe_faults, async_describe_plan
from .topology import nodes_from_entry, nodes_to_entry

CONF_UNANSWERED: Final = "set_up_unanswered"
CONF_ADD_MISSING: Final = "add_missing"
CONF_NUMBERING: Final = "numbering"
CONF_ACTION: Final = "action"

ACTION_FINISH: Final = "finish"
ACTION_SCAN: Final = "scan_again"
ACTION_CHANGE: Final = "change_addresses"

_LINES = TextSelector(TextSelectorConfig(multiline=True))


class FireAlarmConfigFlow(ConfigFlow, domain=DOMAIN):
    """Type addresses, look who answers, show it, make or change the site."""

    VERSION = 1

    def __init__(self) -> None:
        """Start with nothing typed and nothing asked."""
        self._draft: SiteDraft | None = None
        self._form_step = "user"
        self._scan_task: asyncio.Task[ScanResult] | None = None
        self._percent = 0
        self._answers = ScanResult(())
        self._standby_answers: ScanResult | None = None
        self._nobody_answered = False
        self._numbering: Numbering | None = None
        self._add_missing = True

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
        return await self._async_site_step("reconfigure", user_input)

    async def async_step_scan(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask all addresses, with a progress bar meanwhile."""
        assert self._draft is not None
        addresses = self._draft.addresses + self._draft.standbys
        if self._scan_task is None:
            self._percent = 0
            # Not eager: done at once, it would hand the form's input to the next step.
            self._scan_task = self.hass.async_create_task(
                scan(
                    async_get_clientsession(self.hass),
                    addresses,
                    on_progress=self._on_progress,
                ),
                f"{DOMAIN} scan",
                eager_start=False,
            )
        if not self._scan_task.done():
            return self.async_show_progress(
                step_id="scan",
                progress_action="scan",
                description_placeholders={"count": str(len(addresses))},
                progress_task=self._scan_task,
            )
        task, self._scan_task = self._scan_task, None
        probes = task.result().probes
        primaries = len(self._draft.addresses)
        self._answers = ScanResult(probes[:primaries])
        self._standby_answers = (
            ScanResult(probes[primaries:]) if self._draft.standbys else None
        )
        self._numbering = None
        found = sum(probe.is_found for probe in self._answers.probes)
        self._nobody_answered = not any(probe.is_found for probe in probes)
        # Few answers from many addresses: a whole network was typed, not a list.
        self._add_missing = self._nobody_answered or 2 * found >= primaries
        return self.async_show_progress_done(
            next_step_id=self._form_step if self._nobody_answered else "result"
        )

    async def async_step_result(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show who answered, and let the installer decide what follows."""
        if user_input is None:
            return await self._async_show_result(self._plan())
        if user_input[CONF_ACTION] == ACTION_SCAN:
            return await self.async_step_scan()
        if user_input[CONF_ACTION] == ACTION_CHANGE:
            return self._show_site_form(self._values())
        shown = self._numbering
        if CONF_NUMBERING in user_input:
            self._numbering = Numbering(user_input[CONF_NUMBERING])
        self._add_missing = user_input.get(CONF_ADD_MISSING, self._add_missing)
        plan = self._plan()
        if plan.numbering is not shown:
            # Zones change their numbers with it: nobody should do that unseen.
            return await self._async_show_result(plan)
        if not plan.nodes:
            return await self._async_show_result(plan, {"base": "no_nodes"})
        return await self._async_finish(plan)

    async def _async_site_step(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Read the form of a new or an existing site and go on to the scan."""
        self._form_step = step_id
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
            step_id=self._form_step,
            data_schema=self.add_suggested_values_to_schema(vol.Schema(schema), values),
            errors=errors,
            description_placeholders=placeholders,
            last_step=False,
        )

    async def _async_show_result(
        self, plan: SitePlan, errors: dict[str, str] | None = None
    ) -> ConfigFlowResult:
        """Show a plan and the choices there are."""
        assert self._draft is not None
        self._numbering = plan.numbering
        schema: dict[vol.Marker, Any] = {}
        if self._is_there_to_add():
            schema[vol.Required(CONF_ADD_MISSING, default=self._add_missing)] = (
                BooleanSelector()
            )
        if any(len(probe.modules) == 1 for probe in plan.answers.found):
            schema[vol.Required(CONF_NUMBERING, default=plan.numbering)] = _choice(
                CONF_NUMBERING, tuple(Numbering)
            )
        schema[vol.Required(CONF_ACTION, default=ACTION_FINISH)] = _choice(
            CONF_ACTION, [ACTION_FINISH, ACTION_SCAN, ACTION_CHANGE]
        )
        return self.async_show_form(
            step_id="result",
            data_schema=vol.Schema(schema),
            errors=errors,
            description_placeholders=await async_describe_plan(
                self.hass, plan, standby=self._standby_answers, port=self._draft.port
            ),
            last_step=True,
        )

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
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_reload_and_abort(
                self._get_reconfigure_entry(),
                title=self._draft.name,
                data=data,
                reload_even_if_entry_is_unchanged=False,
            )
        await self.async_set_unique_id(uuid4().hex)
        return self.async_create_entry(title=self._draft.name, data=data)

    def _plan(self) -> SitePlan:
        """Return what the answers and the choices made so far add up to."""
        return self._plan_with(add_silent=self._add_missing)

    def _plan_with(self, *, add_silent: bool) -> SitePlan:
        """Return the plan with or without new addresses that are silent."""
        known = self._known()
        return plan_site(
            self._answers,
            places_of([probe.address for probe in self._answers.probes], known),
            standby=self._standby_answers,
            known=known,
            numbering=self._numbering,
            add_silent=add_silent,
        )

    def _is_there_to_add(self) -> bool:
        """Tell whether a new address is silent whose module is clear all the same."""
        known = {node.address for node in self._known()}
        return not known.issuperset(self._plan_with(add_silent=True).silent)

    def _known(self) -> list[NodeConfig]:
        """Return the nodes of the site that is changed; none for a new one."""
        if self.source != SOURCE_RECONFIGURE:
            return []
        return nodes_from_entry(self._get_reconfigure_entry().data)

    def _refuse_overlap(self, draft: SiteDraft) -> None:
        """Raise `DraftError` for an address that another site has."""
        own = self.context.get("entry_id")
        refuse_overlap(
            draft,
            (
                (entry.title, nodes_from_entry(entry.data))
                for entry in self._async_current_entries()
                if entry.entry_id != own
            ),
        )

    def _on_progress(self, share: float) -> None:
        """Move the progress bar, at most once per percent."""
        if (percent := int(share * 100)) > self._percent:
            self._percent = percent
            self.async_update_progress(share)

    def _values(self) -> dict[str, Any]:
        """Return what to fill the form with: typed before, or stored."""
        if self._draft is not None:
            return {CONF_NAME: self._draft.name, **self._draft.data}
        if self.source == SOURCE_RECONFIGURE:
            entry = self._get_reconfigure_entry()
            return {CONF_NAME: entry.title, **entry.data}
        return {}


def _choice(key: str, choices: Sequence[str]) -> SelectSelector:
    """Return a list to pick one of; `key` is where its words are."""
    return SelectSelector(
        SelectSelectorConfig(
            options=list(choices), translation_key=key, mode=SelectSelectorMode.LIST
        )
    )
