"""What addresses answer to a scan, and the plan that follows."""

from collections.abc import Sequence
from dataclasses import replace

from custom_components.esp32_fire_alarm.fleet.identity import (
    places_of,
)
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.fleet.plan import (
    Numbering,
    SitePlan,
    plan_site,
)
from custom_components.esp32_fire_alarm.fleet.scan import Probe, ScanFault, ScanResult

EVERY_MODULE = tuple(range(1, 64))


def at(place: int, network: int = 0) -> DeviceAddress:
    """Return the address at a place of the list, from 1."""
    return DeviceAddress(f"192.168.{network}.{place + 1}")


def says(*modules: int, listed: Sequence[int] | None = None) -> Probe:
    """Return the answer of a node with these modules online."""
    return Probe(
        at(1), online=modules, listed=tuple(modules if listed is None else listed)
    )


SILENT = Probe(at(1), ScanFault.REFUSED)


def answers(*probes: Probe, network: int = 0) -> ScanResult:
    """Return the answers of the addresses in a row."""
    return ScanResult(
        tuple(
            replace(probe, address=at(place, network))
            for place, probe in enumerate(probes, start=1)
        )
    )


def plan(
    result: ScanResult,
    *,
    known: Sequence[NodeConfig] = (),
    standby: ScanResult | None = None,
    numbering: Numbering | None = None,
    add_silent: bool = True,
) -> SitePlan:
    """Plan with the places that the list gives."""
    addresses = [probe.address for probe in result.probes]
    return plan_site(
        result,
        places_of(addresses, known),
        standby=standby,
        known=known,
        numbering=numbering,
        add_silent=add_silent,
    )


def carried(site: SitePlan) -> dict[int, tuple[int, ...]]:
    """Return the modules of each node, by its number."""
    return {node.node: node.modules for node in site.nodes}
