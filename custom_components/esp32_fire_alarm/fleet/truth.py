"""Many sources, one truth: what the site says of its zones.

Several nodes may report one module. An alarm is believed from any fresh
source; an all-clear and a trouble only from the active source. Nothing in here
ever turns silence into "clear": a lost link holds the last state, then makes it
unavailable, and a zone in alarm stays in alarm until a frame says otherwise.

No sockets, no clock of its own: the caller says what time it is.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from .models import (
    MODULES_PER_SITE,
    DeviceFrame,
    EdgeKind,
    Led,
    ModuleState,
    ModuleStatus,
    NodeConfig,
    SiteSummary,
    SiteUpdate,
    Takeover,
    ZoneEdge,
    ZoneState,
    zones_of_module,
)
from .ownership import assign_owners, pick_stand_in
from .word import NodeWord

CARRY_SECONDS: Final = 45.0
"""How long a source that never saw an alarm must say "clear" to be believed."""


@dataclass(slots=True)
class _StandingAlarm:
    """Why a zone is shown in alarm.

    `witnesses` reported it. `denier` is an active source that never did and
    says "clear" since `denied_since`. `from_before` marks an alarm known from
    before a restart, whose witnesses are forgotten.
    """

    since: float
    witnesses: set[int] = field(default_factory=set)
    from_before: bool = False
    denier: int | None = None
    denied_since: float = 0.0

    def may_be_cleared_by(self, source: int, now: float) -> bool:
        """Tell whether the active source's word is enough to end the alarm.

        It is if it knew of the alarm; else it must insist for a while.
        """
        if self.from_before or source in self.witnesses:
            return True
        if source != self.denier:
            self.denier, self.denied_since = source, now
        return now - self.denied_since >= CARRY_SECONDS


@dataclass(slots=True)
class _Changes:
    """An update under construction, and the occasion of it."""

    now: float
    reporter: int | None = None
    resync: bool = False
    zones: dict[int, ZoneState] = field(default_factory=dict)
    modules: dict[int, ModuleStatus] = field(default_factory=dict)
    nodes: set[int] = field(default_factory=set)
    edges: list[ZoneEdge] = field(default_factory=list)
    takeovers: list[Takeover] = field(default_factory=list)

    def freeze(self) -> SiteUpdate:
        """Return the finished update, alarm edges before all others."""
        self.edges.sort(key=lambda edge: edge.kind is not EdgeKind.ALARM)
        return SiteUpdate(
            self.zones,
            self.modules,
            frozenset(self.nodes),
            tuple(self.edges),
            tuple(self.takeovers),
        )


@dataclass(frozen=True, slots=True)
class _ModuleView:
    """One module as all its sources show it together; masks are five bits wide.

    `trouble` is None while there is no active source to tell.
    """

    status: ModuleStatus
    held: bool
    alarm: int
    live: int
    trouble: int | None
    reporters: dict[int, int]
    drill: bool
    panel_reset_at: float


class SiteTruth:
    """The state of one site, merged from all its nodes.

    `zones` and `modules` hold the present state by number. Every method that
    changes something returns what changed.
    """

    def __init__(
        self,
        nodes: Iterable[NodeConfig],
        *,
        hold_seconds: float,
        now: float,
        rank: Callable[[int], int] = lambda node: 0,
    ) -> None:
        """Start with every known zone unavailable.

        `hold_seconds` is how long a lost link's zones keep their last state
        (0-60); `rank` orders nodes by health, lowest first, for stand-ins.
        """
        self.zones: dict[int, ZoneState] = {}
        self.modules: dict[int, ModuleStatus] = {}
        self._hold_seconds = hold_seconds
        self._rank = rank
        self._nodes = {config.node: NodeWord(config, lost_at=now) for config in nodes}
        self._carriers: dict[int, dict[int, NodeWord]] = {}
        self._alarms: dict[int, _StandingAlarm] = {}
        self._load: Counter[int] = Counter()
        self._waiting: set[int] = set()
        owners = assign_owners(node.config for node in self._nodes.values())
        for module, owner in owners.items():
            self._add_module(module, owner)

    def apply(self, node: int, frame: DeviceFrame, now: float) -> SiteUpdate:
        """Take in one frame of `node` and return what it changed."""
        word = self._nodes[node]
        resync = word.arrive(now)
        changes = _Changes(now, node, resync)
        if word.read_leds(frame, now) or resync:
            changes.nodes.add(node)
        touched: list[int] = []
        for address, state in frame.modules.items():
            module = address + word.config.offset
            if not self._admit(module, state, word):
                continue
            # The lamps decide over latched zones, so they concern every module.
            if word.read_module(module, state) or resync:
                touched.append(module)
        touched += word.count_missed(frame)
        for module in touched:
            self._merge(module, changes)
        return changes.freeze()

    def lose(self, node: int, now: float) -> SiteUpdate:
        """Note that the link to `node` is gone; its zones are held from now on."""
        word = self._nodes[node]
        changes = _Changes(now, node)
        if word.leave(now):
            changes.nodes.add(node)
            for module in word.modules:
                self._merge(module, changes)
        return changes.freeze()

    def tick(self, now: float) -> SiteUpdate:
        """End what time ends: holds, stand-ins and carried alarms."""
        changes = _Changes(now)
        for number, word in self._nodes.items():
            if word.lost_at is not None and now - word.lost_at >= self._hold_seconds:
                word.lost_at = None
                changes.nodes.add(number)
                for module in word.modules:
                    self._merge(module, changes)
        for module in tuple(self._waiting):
            self._merge(module, changes)
        return changes.freeze()

    def restore_alarm(self, zone: int, now: float) -> SiteUpdate:
        """Show `zone` in alarm as before a restart, until a frame says otherwise."""
        changes = _Changes(now)
        before = self.zones.get(zone)
        if before is not None and not before.alarm:
            self._alarms[zone] = _StandingAlarm(now, from_before=True)
            self.zones[zone] = changes.zones[zone] = replace(before, alarm=True)
        return changes.freeze()

    def is_settling(self, node: int) -> bool:
        """Tell whether even a repetition of the node's last frame changes something."""
        return self._nodes[node].settling

    def leds(self, node: int) -> frozenset[Led] | None:
        """Return the panel lamps that are lit, or None while nobody knows."""
        word = self._nodes[node]
        return word.leds if word.believed else None

    def is_fresh(self, node: int) -> bool:
        """Tell whether frames of `node` are coming in."""
        return self._nodes[node].fresh

    def is_given_up(self, node: int) -> bool:
        """Tell whether `node` is lost for longer than the hold."""
        return not self._nodes[node].believed

    def active_modules(self, node: int) -> int:
        """Return for how many modules `node` is the active source."""
        return self._load[node]

    def summary(self) -> SiteSummary:
        """Return the site in a few numbers."""
        zones = self.zones.values()
        words = self._nodes.values()
        offline = sum(status.online is False for status in self.modules.values())
        in_trouble = sum(zone.trouble and zone.available for zone in zones)
        given_up = sum(not word.believed for word in words)
        lit = {led for word in words if word.believed for led in word.leds or ()}
        return SiteSummary(
            fire=bool(self._alarms) or Led.ALARM in lit,
            trouble=bool(in_trouble or offline or given_up or Led.TROUBLE in lit),
            in_alarm=tuple(self._alarms),
            in_trouble=in_trouble,
            modules_offline=offline,
            nodes_connected=sum(word.fresh for word in words),
            nodes_total=len(self._nodes),
            zones_supervised=sum(zone.available and not zone.held for zone in zones),
            zones_total=len(self.zones),
        )

    def _admit(self, module: int, state: ModuleState, word: NodeWord) -> bool:
        """Tell whether a listed module is followed; take in one that is new.

        A module that answers becomes known; an address that nobody was
        configured to carry and that never answered is an empty place on the bus.
        """
        if module not in self.modules:
            if not state.online or not 1 <= module <= MODULES_PER_SITE:
                return False
            self._add_module(module, word.config.node)
        self._carriers[module][word.config.node] = word
        return True

    def _add_module(self, module: int, owner: int) -> None:
        """Make a module and its five zones known, unavailable as yet."""
        self.modules[module] = ModuleStatus(module, owner)
        self._carriers[module] = {}
        for zone in zones_of_module(module):
            self.zones[zone] = ZoneState(zone)

    def _merge(self, module: int, changes: _Changes) -> None:
        """Work out what the site says of one module and its zones now."""
        before = self.modules[module]
        view = self._look_at(before, changes.now)
        status = view.status
        if status != before:
            self.modules[module] = changes.modules[module] = status
            self._note_source(before.source, status, changes)
        self._waiting.discard(module)
        if status.source not in (None, before.owner) and self._nodes[
            before.owner
        ].speaks_for(module):
            self._waiting.add(module)
        for position, zone in enumerate(zones_of_module(module)):
            self._merge_zone(self.zones[zone], 1 << position, view, changes)

    def _look_at(self, before: ModuleStatus, now: float) -> _ModuleView:
        """Put the words of all sources of a module together."""
        module = before.module
        carriers = self._carriers[module]
        fresh = {n: word for n, word in carriers.items() if word.fresh}
        listing = {n: word for n, word in fresh.items() if word.speaks_for(module)}
        online = {n for n in listing if listing[n].modules[module].state.online}
        source = self._choose_source(before, online, now)
        held = not fresh and any(word.believed for word in carriers.values())
        alarm = live = 0
        reporters: dict[int, int] = {}
        for number, word in listing.items():
            said = word.modules[module]
            alarm |= said.latched
            live |= said.state.alarm
            if said.latched:
                reporters[number] = said.latched
        if source is not None:
            state = listing[source].modules[module].state
            status = replace(
                before, source=source, online=True, bell=state.bell, bit5=state.bit5
            )
        elif held:
            status = replace(before, source=None)
        else:
            status = ModuleStatus(module, before.owner, online=False if fresh else None)
        return _ModuleView(
            status=status,
            held=held,
            alarm=alarm,
            live=live,
            trouble=None if source is None else state.trouble,
            reporters=reporters,
            drill=any(Led.DRILL in (listing[n].leds or ()) for n in reporters),
            panel_reset_at=max(
                (word.alarm_led_fell_at for word in fresh.values()),
                default=float("-inf"),
            ),
        )

    def _choose_source(
        self, before: ModuleStatus, online: set[int], now: float
    ) -> int | None:
        """Return the node whose all-clear counts: the owner, or a stand-in for it.

        An owner that was lost waits until it is stable, unless nobody stands in.
        """
        owner, current = before.owner, before.source
        if owner in online and (
            current not in online or self._nodes[owner].settled(now)
        ):
            return owner
        if current in online:
            return current
        if not online:
            return None
        return pick_stand_in(online, self._load, self._rank)

    def _note_source(
        self, before: int | None, status: ModuleStatus, changes: _Changes
    ) -> None:
        """Keep count of who speaks for how many modules, and tell of a change."""
        after = status.source
        if before == after:
            return
        if before is not None:
            self._load[before] -= 1
        if after is not None:
            self._load[after] += 1
        if before is not None and after is not None:
            changes.takeovers.append(Takeover(status.module, before, after))

    def _merge_zone(
        self, before: ZoneState, mask: int, view: _ModuleView, changes: _Changes
    ) -> None:
        """Work out what the site says of one zone now."""
        zone = before.zone
        source = view.status.source
        alarm = self._merge_alarm(zone, mask, view, changes)
        available = source is not None or (view.held and before.available)
        after = ZoneState(
            zone,
            alarm=alarm,
            live=bool(view.live & mask),
            trouble=before.trouble
            if view.trouble is None
            else bool(view.trouble & mask),
            available=available,
            held=view.held and (available or alarm),
        )
        if after == before:
            return
        self.zones[zone] = changes.zones[zone] = after
        if after.alarm != before.alarm:
            self._add_edge(
                EdgeKind.ALARM if alarm else EdgeKind.ALARM_RESTORED,
                zone,
                view,
                changes,
            )
        if after.trouble != before.trouble:
            kind = EdgeKind.TROUBLE if after.trouble else EdgeKind.TROUBLE_RESTORED
            self._add_edge(kind, zone, view, changes)

    def _merge_alarm(
        self, zone: int, mask: int, view: _ModuleView, changes: _Changes
    ) -> bool:
        """Return whether the zone is in alarm, and keep the reasons for it."""
        standing = self._alarms.get(zone)
        if view.alarm & mask:
            if standing is None:
                standing = self._alarms[zone] = _StandingAlarm(changes.now)
            standing.witnesses.update(n for n, m in view.reporters.items() if m & mask)
            standing.denier = None
            return True
        if standing is None:
            return False
        if (source := view.status.source) is not None:
            is_over = standing.may_be_cleared_by(source, changes.now)
            if not is_over:
                self._waiting.add(view.status.module)
        else:
            # The module is silent: only a panel reset, seen on the Alarm LED
            # of a node that carries it, ends the alarm.
            standing.denier = None
            is_over = view.panel_reset_at > standing.since
        if is_over:
            del self._alarms[zone]
        return not is_over

    @staticmethod
    def _add_edge(
        kind: EdgeKind, zone: int, view: _ModuleView, changes: _Changes
    ) -> None:
        """Note one edge with the node whose word it was."""
        source = changes.reporter
        if source is None:
            source = view.status.source or view.status.owner
        changes.edges.append(
            ZoneEdge(kind, zone, source, changes.now, changes.resync, view.drill)
        )
