"""What is wrong with a site, on Home Assistant's page of repairs.

Every issue belongs to a site and comes and goes with a finding; its id is the
entry's and the finding's key, so that "ignore" lasts over a restart.
"""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, issue_registry as ir

from .const import DOMAIN
from .fleet.findings import Finding, FindingKey, FindingKind
from .words import number_ranges

if TYPE_CHECKING:
    from .site import FireAlarmSite

DATA_ENTRY: Final = "entry_id"
DATA_NODE: Final = "node"
DATA_HOST: Final = "host"
DATA_PORT: Final = "port"
"""What a fix flow needs to know; the address is where the node belongs."""

_FIXABLE: Final = (
    FindingKind.NODE_LOST,
    FindingKind.NODE_MOVED,
    FindingKind.SWAPPED_NODES,
)
_NOT_URGENT: Final = (FindingKind.STANDBY_DEAD, FindingKind.UNSTABLE_LINK)
"""Here everything still works; in all other cases nodes are not what they seem, or gone."""


@callback
def async_show(site: FireAlarmSite, finding: Finding) -> None:
    """Show a finding, or show it as it is now."""
    kind, is_many = finding.key.kind, finding.key.is_about_many
    is_fixable = kind in _FIXABLE and not is_many
    ir.async_create_issue(
        site.hass,
        DOMAIN,
        _issue_id(site.entry.entry_id, finding.key),
        data=_data_for_fix(site, finding) if is_fixable else None,
        is_fixable=is_fixable,
        is_persistent=False,
        severity=ir.IssueSeverity.WARNING
        if kind in _NOT_URGENT
        else ir.IssueSeverity.ERROR,
        translation_key=f"{kind}_many" if is_many else kind,
        translation_placeholders=_placeholders(site, finding),
    )


@callback
def async_delete(site: FireAlarmSite, key: FindingKey) -> None:
    """Show a finding no more."""
    ir.async_delete_issue(site.hass, DOMAIN, _issue_id(site.entry.entry_id, key))


@callback
def async_delete_others(
    hass: HomeAssistant, entry_id: str, keys: Iterable[FindingKey] = ()
) -> None:
    """Show nothing of a site but the findings with these keys."""
    kept = {_issue_id(entry_id, key) for key in keys}
    for domain, issue_id in tuple(ir.async_get(hass).issues):
        if (
            domain == DOMAIN
            and issue_id.startswith(f"{entry_id}_")
            and issue_id not in kept
        ):
            ir.async_delete_issue(hass, domain, issue_id)


def _issue_id(entry_id: str, key: FindingKey) -> str:
    """Return the id of a finding's issue."""
    return f"{entry_id}_{key}"


def _data_for_fix(
    site: FireAlarmSite, finding: Finding
) -> dict[str, str | int | float | None]:
    """Return what the fix flow needs: the node, and where it belongs."""
    node = finding.key.nodes[0]
    address = finding.address
    if finding.key.kind is FindingKind.SWAPPED_NODES:
        address = site.configs[finding.key.nodes[1]].address
    return {
        DATA_ENTRY: site.entry.entry_id,
        DATA_NODE: node,
        DATA_HOST: None if address is None else address.host,
        DATA_PORT: None if address is None else address.port,
    }


def _placeholders(site: FireAlarmSite, finding: Finding) -> dict[str, str]:
    """Return what the texts need."""
    nodes = finding.nodes
    standby = site.configs[nodes[0]].standby
    return {
        "site": site.entry.title,
        "node": _name_of(site, nodes[0]),
        "nodes": number_ranges(nodes)
        if finding.key.is_about_many
        else _names_of(site, nodes),
        "address": str(site.configs[nodes[0]].address),
        "standby": str(standby),
        "found_at": str(finding.address),
        "modules": number_ranges(finding.modules),
        "own_modules": number_ranges(site.configs[nodes[0]].modules),
    }


def _names_of(site: FireAlarmSite, nodes: Collection[int]) -> str:
    """Return nodes with their addresses, one behind the other."""
    return ", ".join(
        f"{_name_of(site, node)} ({site.configs[node].address})" for node in nodes
    )


def _name_of(site: FireAlarmSite, node: int) -> str:
    """Return what the user calls a node."""
    device = dr.async_get(site.hass).async_get(site.device_ids[node])
    name = device and (device.name_by_user or device.name)
    return name or str(node)
