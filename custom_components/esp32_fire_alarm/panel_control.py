"""Panel commands as people give them: allowed, named, logged, their effect told.

The one way from Home Assistant's buttons and actions to `PanelCommands`.
"""

from collections.abc import Collection
import time

from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr

from .const import CONF_COMMANDS_ENABLED, DEFAULT_COMMANDS_ENABLED, DOMAIN
from .fleet.commands import DONE, FAILURES, Command, Outcome, fits_several, is_switch
from .fleet.telling import EventKind, SiteEvent
from .people import async_name_of, async_require_admin
from .site import FireAlarmSite


def are_commands_allowed(site: FireAlarmSite) -> bool:
    """Tell whether somebody allowed commands to the panel in the site's options."""
    options = site.entry.options
    return bool(options.get(CONF_COMMANDS_ENABLED, DEFAULT_COMMANDS_ENABLED))


async def async_command(
    site: FireAlarmSite,
    command: Command,
    nodes: Collection[int],
    context: Context,
    *,
    lit: bool | None = None,
) -> dict[int, Outcome]:
    """Give a command to nodes for the person behind `context`.

    `lit` is what the lamp of silence or drill should become; without it they
    switch over, and go to a single node only. Returns what came of it by node;
    takes 23 s at the most.

    Raises:
        Unauthorized: the person is no administrator.
        ServiceValidationError: commands are switched off, or this one cannot
            be given like that.
        HomeAssistantError: it came to nothing at a node.

    """
    await async_require_admin(site.hass, context)
    _validate(site, command, nodes, lit)
    by = await async_name_of(site.hass, context)
    outcomes = dict.fromkeys(nodes, Outcome.NOT_CONFIRMED)
    try:
        if len(nodes) == 1:
            (node,) = nodes
            outcomes[node] = await site.commands.give(command, node, by, lit=lit)
        else:
            outcomes = await site.commands.give_all(command, nodes, by, lit=lit)
    finally:
        # Also when whoever waits for it was stopped: the command is out.
        for node, outcome in outcomes.items():
            site.async_tell(
                SiteEvent(
                    kind=EventKind.PANEL_COMMAND,
                    at=time.time(),
                    node=node,
                    command=command,
                    outcome=outcome,
                    by=by,
                )
            )
    _raise_for_failures(site, command, outcomes)
    return outcomes


def _validate(
    site: FireAlarmSite, command: Command, nodes: Collection[int], lit: bool | None
) -> None:
    """Raise `ServiceValidationError` for what must not even be tried."""
    key = None
    if not are_commands_allowed(site):
        key = "commands_disabled"
    elif lit is not None and not is_switch(command):
        key = "state_not_possible"
    elif len(nodes) > 1 and not fits_several(command, lit):
        key = "state_needed" if is_switch(command) else "one_node_only"
    if key is not None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders={
                "site": site.entry.title,
                "command": command,
                "count": str(len(nodes)),
            },
        )


def _raise_for_failures(
    site: FireAlarmSite, command: Command, outcomes: dict[int, Outcome]
) -> None:
    """Raise `HomeAssistantError` for the most telling failure, if there is any."""
    for failure in FAILURES:
        nodes = [node for node, outcome in outcomes.items() if outcome is failure]
        if nodes:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key=f"command_{failure}",
                translation_placeholders={
                    "command": command,
                    "nodes": ", ".join(name_of_node(site, node) for node in nodes),
                    "done": str(sum(one in DONE for one in outcomes.values())),
                    "total": str(len(outcomes)),
                },
            )


def name_of_node(site: FireAlarmSite, node: int) -> str:
    """Return what people call a node."""
    device = dr.async_get(site.hass).async_get(site.device_ids[node])
    name = None if device is None else device.name_by_user or device.name
    return name or f"Node {node}"
