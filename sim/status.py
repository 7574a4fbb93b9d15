"""A snapshot of the fleet, as the control socket hands it to `status`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from .node import Node
from .panel import Lamp


@dataclass(frozen=True, slots=True)
class ModuleSnapshot:
    """The truth at one module: `alarm` and `trouble` are five-bit zone masks.

    `bell` is as its first panel commands it. `reported` tells whether any node
    that carries the module can be reached.
    """

    module: int
    alarm: int
    trouble: int
    offline: bool
    bell: bool
    bit5: bool
    reported: bool


@dataclass(frozen=True, slots=True)
class NodeSnapshot:
    """One node: where it is, what it carries, how it is, who listens.

    `modules` are first and last site number (1-63). `faults` is empty when the
    node is in order, and says `absent` for one that is not there.
    """

    node: int
    host: str
    modules: tuple[int, int]
    faults: tuple[str, ...]
    clients: int
    slots_taken: int
    frames_sent: int
    uptime_ms: int
    free_heap: int
    lamps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FleetSnapshot:
    """The whole fleet at one moment.

    `commands` are the latest messages that clients sent, oldest first, as
    (node, text).
    """

    layout: str
    dialect: str
    first_host: str
    last_host: str
    port: int
    cycle_seconds: float
    running_seconds: float
    replaying: bool
    frames_per_second: float
    frames_sent: int
    handshakes: int
    dropped: int
    modules: tuple[ModuleSnapshot, ...]
    nodes: tuple[NodeSnapshot, ...]
    commands: tuple[tuple[int, str], ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain lists, numbers and texts."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return the snapshot that `to_json` was made from.

        Raises:
            KeyError, TypeError: this is no such snapshot.

        """
        values = {field.name: data[field.name] for field in fields(cls)}
        values["modules"] = tuple(ModuleSnapshot(**one) for one in data["modules"])
        values["nodes"] = tuple(
            NodeSnapshot(
                **{
                    **one,
                    "modules": tuple(one["modules"]),
                    "faults": tuple(one["faults"]),
                    "lamps": tuple(one["lamps"]),
                }
            )
            for one in data["nodes"]
        )
        values["commands"] = tuple((node, text) for node, text in data["commands"])
        return cls(**values)


def module_snapshot(number: int, nodes: Sequence[Node]) -> ModuleSnapshot:
    """Return the truth at module `number` (1-63), which `nodes` carry."""
    site = nodes[0].panel.site
    module = site.module(number)
    silenced = Lamp.SILENCED in nodes[0].panel.lit()
    bell, _ = site.bell_state(module, silenced=silenced)
    return ModuleSnapshot(
        module=number,
        alarm=module.alarm,
        trouble=module.trouble,
        offline=module.offline,
        bell=bell and not module.offline,
        bit5=module.bit5,
        reported=any(node.is_reachable for node in nodes),
    )


def node_snapshot(node: Node) -> NodeSnapshot:
    """Return one node as it is now."""
    return NodeSnapshot(
        node=node.number,
        host=node.host,
        modules=(node.panel.modules[0], node.panel.modules[-1]),
        faults=("absent",) if node.absent else tuple(node.faults),
        clients=node.clients,
        slots_taken=node.slots_taken,
        frames_sent=node.frames_sent,
        uptime_ms=0 if node.absent else node.uptime_ms,
        free_heap=0 if node.absent else node.free_heap,
        lamps=() if node.absent else tuple(sorted(node.panel.lit())),
    )
