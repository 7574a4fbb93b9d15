"""Other nodes for a running site: added, removed, moved, renumbered.

Nobody whose own address and numbering stay notices anything.
"""

from collections.abc import Mapping

from .aggregator import MessageAggregator
from .models import NodeConfig, SiteUpdate
from .pool import ConnectionPool
from .truth import SiteTruth


def rearrange(
    before: Mapping[int, NodeConfig],
    after: Mapping[int, NodeConfig],
    *,
    pool: ConnectionPool,
    aggregator: MessageAggregator,
    truth: SiteTruth,
    now: float,
) -> SiteUpdate:
    """Turn a site with the nodes `before` into one with those `after`.

    Zones of a node that moves keep what they show while its new link is opened.
    Returns what changed; nobody was told of it yet.
    """
    cut = pool.apply(after.values())
    for node, config in before.items():
        if after.get(node) == config:
            continue
        if node in cut and node in after:
            aggregator.lose(node)
        aggregator.forget(node)
    return truth.apply_nodes(after.values(), now)
