"""Who should speak for a module when several nodes can.

Small pure functions; the rules are DESIGN decisions 5 and 7.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from .models import NodeConfig


def assign_owners(configs: Iterable[NodeConfig]) -> dict[int, int]:
    """Return the owner of every configured module, by module address (1-63).

    The most specific node owns a module (a node that carries one module before
    a bridge that carries 63). Where that leaves a choice, the modules are
    spread evenly.
    """
    carriers: dict[int, list[NodeConfig]] = {}
    for config in configs:
        for module in config.modules:
            carriers.setdefault(module, []).append(config)
    owned: Counter[int] = Counter()
    owners: dict[int, int] = {}
    for module in sorted(carriers, key=lambda module: (len(carriers[module]), module)):
        best = min(
            carriers[module],
            key=lambda config: (len(config.modules), owned[config.node], config.node),
        )
        owners[module] = best.node
        owned[best.node] += 1
    return dict(sorted(owners.items()))


def pick_stand_in(
    candidates: Iterable[int], load: Mapping[int, int], rank: Callable[[int], int]
) -> int:
    """Return the healthiest, then least loaded, then first of the candidate nodes.

    `rank` is 0 for a healthy node and higher for a worse one; `load` says for
    how many modules a node speaks already.

    Raises:
        ValueError: there is no candidate.

    """
    return min(candidates, key=lambda node: (rank(node), load.get(node, 0), node))
