"""What all dialogues about a site's nodes share: the scan, and the page behind it."""

from abc import abstractmethod
import asyncio
from collections.abc import Sequence
from typing import Any, Final

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryBaseFlow,
    ConfigFlowResult,
)
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from .const import DOMAIN
from .fleet.identity import places_of
from .fleet.models import NodeConfig
from .fleet.plan import Numbering, SitePlan, plan_site
from .fleet.scan import ScanResult, scan
from .site_draft import SiteDraft, refuse_overlap
from .site_report import async_describe_plan
from .topology import nodes_from_entry

CONF_ADD_MISSING: Final = "add_missing"
CONF_NUMBERING: Final = "numbering"
CONF_ACTION: Final = "action"

ACTION_FINISH: Final = "finish"
ACTION_SCAN: Final = "scan_again"
ACTION_CHANGE: Final = "change_addresses"


class SiteDialogue(ConfigEntryBaseFlow):
    """Looks who answers at the draft's addresses, and shows what that means."""

    _entry: ConfigEntry | None = None
    """The site that is changed; none for a new one."""

    _actions: tuple[str, ...] = (ACTION_FINISH, ACTION_SCAN)
    """What the result page offers."""

    _step_if_silent = "result"
    """Where to go if nobody answered at all."""

    def __init__(self) -> None:
        """Start with nothing asked."""
        super().__init__()
        self._draft: SiteDraft | None = None
        self._scan_task: asyncio.Task[ScanResult] | None = None
        self._percent = 0
        self._answers = ScanResult(())
        self._standby_answers: ScanResult | None = None
        self._nobody_answered = False
        self._numbering: Numbering | None = None
        self._add_missing = True

    @abstractmethod
    async def _async_finish(self, plan: SitePlan) -> ConfigFlowResult:
        """Make the site, or change it."""

    def _change_addresses(self) -> ConfigFlowResult:
        """Let the addresses be changed, where that is offered."""
        raise NotImplementedError

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
            next_step_id=self._step_if_silent if self._nobody_answered else "result"
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
            return self._change_addresses()
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
            schema[vol.Required(CONF_NUMBERING, default=plan.numbering)] = choice(
                CONF_NUMBERING, tuple(Numbering)
            )
        schema[vol.Required(CONF_ACTION, default=ACTION_FINISH)] = choice(
            CONF_ACTION, self._actions
        )
        return self.async_show_form(
            step_id="result",
            data_schema=vol.Schema(schema),
            errors=errors,
            description_placeholders=await async_describe_plan(
                self.hass,
                plan,
                standby=self._standby_answers,
                port=self._draft.port,
                known=None if self._entry is None else self._known(),
            ),
            last_step=True,
        )

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
        return [] if self._entry is None else nodes_from_entry(self._entry.data)

    def _refuse_overlap(self, draft: SiteDraft) -> None:
        """Check a draft against the other sites.

        Raises:
            DraftError: an address belongs to another site already.

        """
        refuse_overlap(
            draft,
            (
                (entry.title, nodes_from_entry(entry.data))
                for entry in self.hass.config_entries.async_entries(DOMAIN)
                if entry is not self._entry
            ),
        )

    def _on_progress(self, share: float) -> None:
        """Move the progress bar, at most once per percent."""
        if (percent := int(share * 100)) > self._percent:
            self._percent = percent
            self.async_update_progress(share)


def choice(key: str, choices: Sequence[str]) -> SelectSelector:
    """Return a list to pick one of; `key` is where its words are."""
    return SelectSelector(
        SelectSelectorConfig(
            options=list(choices), translation_key=key, mode=SelectSelectorMode.LIST
        )
    )
