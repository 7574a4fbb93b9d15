"""Who the nodes of a benchmark are: their addresses, modules and zones."""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

MODULES_PER_SITE: Final = 63
ZONES_PER_MODULE: Final = 5

_FIRST_ADDRESS: Final = IPv4Address("127.0.1.1")
"""Sites follow each other 256 addresses apart, all on 127.0.0.0/8."""


@dataclass(frozen=True, slots=True)
class NodePlan:
    """One ESP32: `host` is its own loopback address, `modules` are 1-63."""

    site: int
    node: int
    host: str
    modules: tuple[int, ...]


def distributed(count: int) -> list[NodePlan]:
    """Return so many nodes of one module each, 63 to a site."""
    places = (divmod(place, MODULES_PER_SITE) for place in range(count))
    return [
        NodePlan(site, rest + 1, str(_FIRST_ADDRESS + 256 * site + rest), (rest + 1,))
        for site, rest in places
    ]


def bridge() -> list[NodePlan]:
    """Return one node that carries all 63 modules."""
    modules = tuple(range(1, MODULES_PER_SITE + 1))
    return [NodePlan(0, 1, str(_FIRST_ADDRESS), modules)]


def plan(layout: str, count: int) -> list[NodePlan]:
    """Return the nodes of a layout; `count` is ignored for the bridge."""
    return bridge() if layout == "bridge" else distributed(count)


def zones_of(one: NodePlan) -> range:
    """Return the zones, 1-315, of a node whose modules follow each other."""
    first = (one.modules[0] - 1) * ZONES_PER_MODULE + 1
    return range(first, one.modules[-1] * ZONES_PER_MODULE + 1)
