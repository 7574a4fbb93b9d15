"""Random trouble for every node: each fault that the simulator knows, and more."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Final

from sim.faults import Fault
from sim.fleet import SimulatedFleet
from sim.node import Node

LYING_FAULTS: Final = frozenset(
    {"old_frames", "duplicate_address", "swapped", "chatter"}
)
"""Faults that make sound messages tell other alarms than the site has.

Nobody could say what is owed then; scenarios and tests of their own judge these.
"""

FAULTS: Final = tuple(fault for fault in Fault if fault.value not in LYING_FAULTS)

FAULT_SECONDS: Final = (2.0, 20.0)
"""How long a fault lasts."""

FLOODS: Final = frozenset({"flood", "ping_flood"})
FLOOD_SECONDS: Final = 1.0
"""They are about how much comes, not about how long."""

GAP_SECONDS: Final = 35.0
"""How long a node is left alone on average."""

CLOSE_CODES: Final = (1000, 1001, 1003, 1007, 1008, 1009, 1011, 1012)
CLOSE_SHARE: Final = 0.4
"""Share of the troubles that are no fault, but a link closed by the node."""

DISASTER_GAP_SECONDS: Final = 3600.0
DISASTER_SECONDS: Final = 20.0


class Weather:
    """Breaks nodes at random; whatever it breaks heals by itself."""

    def __init__(
        self, fleets: Sequence[SimulatedFleet], chance: Random, gap_seconds: float
    ) -> None:
        """Start fair; nodes that are absent stay so."""
        self._gap_seconds = gap_seconds
        self._fleets = fleets
        self._nodes = [n for fleet in fleets for n in fleet.nodes if not n.absent]
        self._chance = chance
        self._calm_at: dict[Node, float] = {}
        now = asyncio.get_running_loop().time()
        self._next_disaster = now + DISASTER_GAP_SECONDS
        self.struck: Counter[str] = Counter()

    def step(self, now: float, seconds: float) -> None:
        """Let `seconds` pass until `now`, both of the loop's time."""
        for node in self._nodes:
            is_due = now >= self._calm_at.get(node, 0.0)
            if is_due and self._chance.random() < seconds / self._gap_seconds:
                self._strike(node, now)
        if now >= self._next_disaster:
            self._next_disaster = now + DISASTER_GAP_SECONDS
            for fleet in self._fleets:
                self._chance.choice((fleet.power_cut, fleet.ap_flap))(DISASTER_SECONDS)
            self._calm_at = dict.fromkeys(self._nodes, now + DISASTER_SECONDS)
            self.struck["disaster"] += 1

    def clear_up(self) -> None:
        """Heal everything."""
        for node in self._nodes:
            node.heal()

    def _strike(self, node: Node, now: float) -> None:
        """Do something to a node that is in order."""
        if self._chance.random() < CLOSE_SHARE:
            code = self._chance.choice(CLOSE_CODES)
            node.close_clients(code)
            self.struck["closed"] += 1
            return
        fault = self._chance.choice(FAULTS)
        lasts = self._chance.uniform(*FAULT_SECONDS)
        if fault.value in FLOODS:
            lasts = FLOOD_SECONDS
        node.fault(fault, for_seconds=lasts)
        self._calm_at[node] = now + lasts
        self.struck[fault.value] += 1
