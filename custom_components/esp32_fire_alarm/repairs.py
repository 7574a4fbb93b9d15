"""What a user can do about an issue with one click, and what follows from it.

Every cure is a change of the site's nodes, which the running site takes over
by itself.
"""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import voluptuous as vol

from .const import DOMAIN
from .discovery import Place, moved_data
from .fleet.models import DeviceAddress, NodeConfig
from .issues import DATA_ENTRY, DATA_HOST, DATA_NODE, DATA_PORT
from .topology import nodes_from_entry, without_node

type IssueData = Mapping[str, str | int | float | None]


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: IssueData | None
) -> RepairsFlow:
    """Return the flow for an issue: one that knows an address moves a node there."""
    assert data is not None
    entry = hass.config_entries.async_get_entry(str(data[DATA_ENTRY]))
    nodes = [] if entry is None else nodes_from_entry(entry.data)
    node = next((one for one in nodes if one.node == data[DATA_NODE]), None)
    if entry is None or node is None:
        return _OverFlow()
    if data[DATA_HOST] is None:
        return LostNodeFlow(entry, node)
    address = DeviceAddress(str(data[DATA_HOST]), int(data[DATA_PORT] or 0))
    return _OverFlow() if node.address == address else MoveFlow(entry, node, address)


class _OverFlow(RepairsFlow):
    """For an issue whose cause went away while its page was open."""

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """There is nothing to do."""
        return self.async_abort(reason="not_needed")


class _NodeFlow(RepairsFlow):
    """A cure for one node of a site."""

    def __init__(self, entry: ConfigEntry, node: NodeConfig) -> None:
        """Keep what is to be changed."""
        self._entry = entry
        self._node = node

    @property
    def _placeholders(self) -> dict[str, str] | None:
        """What the issue's own texts say."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        return None if issue is None else issue.translation_placeholders

    def _finish_with(self, data: Mapping[str, Any]) -> RepairsFlowResult:
        """Store the site's changed data; the site does the rest."""
        self.hass.config_entries.async_update_entry(self._entry, data=data)
        return self.async_create_entry(data={})


class MoveFlow(_NodeFlow):
    """Moves a node; who has that address in the same site gets the other one."""

    def __init__(
        self, entry: ConfigEntry, node: NodeConfig, address: DeviceAddress
    ) -> None:
        """Keep where the node belongs."""
        super().__init__(entry, node)
        self._address = address

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Begin with the only question."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask whether to, and do it."""
        if user_input is None:
            return self.async_show_form(
                step_id="confirm",
                data_schema=vol.Schema({}),
                description_placeholders=self._placeholders,
            )
        place = Place(self._entry, self._node)
        return self._finish_with(moved_data(place, self._address))


class LostNodeFlow(_NodeFlow):
    """Lets the user say whether a node that is lost for long is coming back."""

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask what to do."""
        return self.async_show_menu(
            step_id="init",
            menu_options=["remove", "keep"],
            description_placeholders=self._placeholders,
        )

    async def async_step_remove(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Take the node out of the site, and with it its entities."""
        return self._finish_with(without_node(self._entry.data, self._node))

    async def async_step_keep(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Wait for the node, and say no more of it until it was back."""
        ir.async_ignore_issue(self.hass, DOMAIN, self.issue_id, True)
        return self.async_abort(reason="kept")
