"""What is wrong with a site in a way that somebody should do something about.

A finding is raised when it has held for a minute and cleared when it has not
held for a minute, so that nobody is sent for something that flickers.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .models import DeviceAddress

STEADY_SECONDS: Final = 60.0
"""So long a finding must hold before it is raised, and be gone before it is cleared."""


class FindingKind(StrEnum):
    """What is wrong."""

    DUPLICATE_MODULE = "duplicate_module"
    """Several nodes call the same module their only one."""
    SWAPPED_NODES = "swapped_nodes"
    """Two nodes answer at each other's address."""
    NODE_MOVED = "node_moved"
    """A node is found at an address that is not its own."""
    FOREIGN_NODE = "foreign_node"
    """A node reports none of its modules, but others."""
    STANDBY_DEAD = "standby_dead"
    """The unused standby address does not answer."""
    SLOTS_FULL = "slots_full"
    """All client slots of a node are taken by others."""
    NODE_LOST = "node_lost"
    """A node is lost for so long that it may be gone for good."""
    UNSTABLE_LINK = "unstable_link"
    """The link to a node breaks again and again."""


@dataclass(frozen=True, slots=True)
class FindingKey:
    """What makes two findings the same: these nodes, or this module (1-63).

    With neither it is about many nodes at once.
    """

    kind: FindingKind
    nodes: tuple[int, ...] = ()
    module: int | None = None

    @property
    def is_about_many(self) -> bool:
        """Tell whether it stands for what many nodes have in common."""
        return not self.nodes and self.module is None

    def __str__(self) -> str:
        """Return it as part of an identifier."""
        parts = self.nodes if self.module is None else (self.module,)
        return "_".join(map(str, (self.kind, *parts)))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and what people need to know to cure it.

    `nodes` are all it is about. `modules` (1-63) are what a node reports,
    `address` is where it was found.
    """

    key: FindingKey
    nodes: tuple[int, ...]
    modules: tuple[int, ...] = ()
    address: DeviceAddress | None = None


@dataclass(slots=True)
class _Case:
    """One finding over time; `seen_at` and `since` are monotonic seconds."""

    finding: Finding
    since: float
    seen_at: float
    is_raised: bool = False


class FindingBook:
    """Turns what is found from look to look into what is raised and cleared."""

    def __init__(self) -> None:
        """Start with nothing found."""
        self._cases: dict[FindingKey, _Case] = {}

    @property
    def raised(self) -> tuple[Finding, ...]:
        """What is raised, as it was last seen."""
        return tuple(case.finding for case in self._cases.values() if case.is_raised)

    def update(
        self, present: Iterable[Finding], now: float
    ) -> tuple[list[Finding], list[FindingKey]]:
        """Take in everything that is found; return what to show and to take away.

        What is to show is new, or other than it was.
        """
        shown: list[Finding] = []
        for finding in present:
            case = self._cases.setdefault(finding.key, _Case(finding, now, now))
            is_new = not case.is_raised and now - case.since >= STEADY_SECONDS
            if is_new or (case.is_raised and case.finding != finding):
                shown.append(finding)
            case.is_raised |= is_new
            case.finding, case.seen_at = finding, now
        cleared: list[FindingKey] = []
        for key, case in tuple(self._cases.items()):
            if case.seen_at == now:
                continue
            if not case.is_raised:
                del self._cases[key]
            elif now - case.seen_at >= STEADY_SECONDS:
                del self._cases[key]
                cleared.append(key)
        return shown, cleared

    def drop(self, nodes: Collection[int]) -> list[FindingKey]:
        """Forget what is about any of these nodes; return what to take away."""
        changed = set(nodes)
        dropped = [
            case
            for case in self._cases.values()
            if case.finding.key.is_about_many
            or not changed.isdisjoint(case.finding.nodes)
        ]
        for case in dropped:
            del self._cases[case.finding.key]
        return [case.finding.key for case in dropped if case.is_raised]
