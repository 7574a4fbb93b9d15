"""Which simulated ESP32 carries which modules, under which numbers."""

from dataclasses import dataclass
from enum import StrEnum

from .errors import SimError
from .panel import MODULES_PER_SITE


class Layout(StrEnum):
    """How the modules of the site are spread over ESP32s."""

    DISTRIBUTED = "distributed"
    """One module each: node 17 carries module 17."""

    BRIDGE = "bridge"
    """One ESP32 on the panel's bus lists all modules."""

    MIXED = "mixed"
    """The first half one module each, one node for the rest, one more for all.

    With 63 modules: nodes 1-31 carry modules 1-31, node 32 carries 32-63 and
    node 33 all 63 again, as a second source of the same truth.
    """


class Numbering(StrEnum):
    """Which module numbers a node uses on the wire."""

    SITE = "site"
    """Those of the site, 1-63."""

    LOCAL = "local"
    """Its own: the first module of every node is 01."""


@dataclass(frozen=True, slots=True)
class NodePlan:
    """One node: its modules (site numbers), and site number minus wire number."""

    modules: tuple[int, ...]
    offset: int = 0


def plan(layout: Layout, modules: int, numbering: Numbering) -> tuple[NodePlan, ...]:
    """Return the nodes of a site with this many modules (1-63; mixed: 2-63).

    Raises:
        SimError: the number of modules does not fit.

    """
    least = 2 if layout is Layout.MIXED else 1
    if not least <= modules <= MODULES_PER_SITE:
        raise SimError(
            f"nodes {modules}: layout {layout} takes {least}-{MODULES_PER_SITE}"
        )
    site = tuple(range(1, modules + 1))
    half = modules // 2
    groups: list[tuple[int, ...]]
    match layout:
        case Layout.DISTRIBUTED:
            groups = [(module,) for module in site]
        case Layout.BRIDGE:
            groups = [site]
        case Layout.MIXED:
            groups = [*((module,) for module in site[:half]), site[half:], site]
    return tuple(
        NodePlan(group, group[0] - 1 if numbering is Numbering.LOCAL else 0)
        for group in groups
    )
