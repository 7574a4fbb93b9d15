"""A truth that is fed frames by hand."""

from custom_components.esp32_fire_alarm.fleet.frame import decode
from custom_components.esp32_fire_alarm.fleet.models import (
    DeviceAddress,
    EdgeKind,
    NodeConfig,
    SiteUpdate,
    ZoneState,
)
from custom_components.esp32_fire_alarm.fleet.truth import SiteTruth

HOLD_SECONDS = 45.0


QUIET = "41DF"


ALARM_LED = "41CF"


def node(number: int, *modules: int, offset: int = 0) -> NodeConfig:
    """Return a node that carries the modules."""
    return NodeConfig(
        number, DeviceAddress(f"127.0.0.{number + 1}"), modules, offset=offset
    )


class Site:
    """A truth with a hand on its clock and the frames in short."""

    def __init__(self, *nodes: NodeConfig) -> None:
        self.now = 1000.0
        self.truth = SiteTruth(nodes, hold_seconds=HOLD_SECONDS, now=self.now)

    def say(self, number: int, *segments: str, master: str = QUIET) -> SiteUpdate:
        """Let a node send one frame, one second later."""
        self.now += 1
        frame = decode("".join((master, *(f"<STX>{s}" for s in segments))).encode())
        return self.truth.apply(number, frame, self.now)

    def lose(self, number: int) -> SiteUpdate:
        """Cut a node's link."""
        return self.truth.lose(number, self.now)

    def wait(self, seconds: float) -> SiteUpdate:
        """Let time pass."""
        self.now += seconds
        return self.truth.tick(self.now)

    def zone(self, number: int) -> ZoneState:
        """Return a zone."""
        return self.truth.zones[number]


def kinds(update: SiteUpdate) -> list[tuple[EdgeKind, int]]:
    """Return the edges of an update in short."""
    return [(edge.kind, edge.zone) for edge in update.edges]
