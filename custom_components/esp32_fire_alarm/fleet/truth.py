"""Many sources, one truth: what the site says of its zones.

Several nodes may report one module. An alarm is believed from any fresh
source; an all-clear and a trouble only from the active source. Nothing in here
ever turns silence into "clear": a lost link holds the last state, then makes it
unavailable, and a zone in alarm stays in alarm until a frame says otherwise.

No sockets, no clock of its own: the caller says what time it is.
"""

from collections.abc import Callable, Iterable, Set as AbstractSet
from typing import Final

from .merge import Changes, ModuleView, StandingAlarm
from .models import (
    MODULES_PER_SITE,
    DeviceFrame,
    EdgeKind,
    LatchMode,
    Led,
    ModuleState,
    ModuleStatus,
    NodeConfig,
    SiteSummary,
    SiteUpdate,
    ZoneState,
    module_of_zone,
    zones_of_module,
)
from .sources import Sources
from .summary import summarize
from .word import NodeWord

CARRY_SECONDS: Final = 45.0
"""How long a source that never saw an alarm must say "clear" to be believed."""


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
        latch: LatchMode = LatchMode.PANEL,
    ) -> None:
        """Start with every known zone unavailable.

        `hold_seconds` is how long a lost link's zones keep their last state
        (0-60); `rank` orders nodes by health, lowest first, for stand-ins. `latch`
        is for alarms that begin from now on, and may be changed at any time.
        """
        self.zones: dict[int, ZoneState] = {}
        self.modules: dict[int, ModuleStatus] = {}
        self._hold_seconds = hold_seconds
        self.latch = latch
        self._sources = Sources(nodes, now=now, rank=rank)
        self._nodes = self._sources.words
        self._alarms: dict[int, StandingAlarm] = {}
        self._waiting: set[int] = set()
        for module, owner in self._sources.owners(self.modules).items():
            self._add_module(module, owner)

    def apply_nodes(self, configs: Iterable[NodeConfig], now: float) -> SiteUpdate:
        """Have these nodes and no others, and return what that changed.

        What the others said stays as it is, alarms above all. Modules that
        nobody carries any more are gone from `modules` and `zones` afterwards,
        without an edge for their alarms.
        """
        changes = Changes(now)
        anew = self._sources.replace_nodes(configs, now)
        changes.nodes |= anew
        for module, status in self.modules.items():
            if status.source in anew or status.source not in (None, *self._nodes):
                self.modules[module] = changes.modules[module] = status._replace(
                    source=None
                )
        for standing in self._alarms.values():
            standing.witnesses &= self._nodes.keys() - anew
        owners = self._sources.owners(self.modules)
        for module in self.modules.keys() - owners.keys():
            self._remove_module(module, changes)
        for module, owner in owners.items():
            if module not in self.modules:
                self._add_module(module, owner)
                changes.modules[module] = self.modules[module]
            elif owner != (status := self.modules[module]).owner:
                self._sources.pass_to_another(module)
                self.modules[module] = changes.modules[module] = status._replace(
                    owner=owner
                )
            self._merge(module, changes)
        return changes.freeze()

    def apply(self, node: int, frame: DeviceFrame, now: float) -> SiteUpdate:
        """Take in one frame of `node` and return what it changed."""
        word = self._nodes[node]
        resync = word.arrive(now)
        changes = Changes(now, node, resync)
        was_latching = word.latches_now
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
        touched += word.modules if resync else ()
        touched += word.count_missed(frame)
        if was_latching and not word.latches_now:
            # The lamp may have been all that kept an alarm.
            alarmed = {module_of_zone(zone) for zone in self._alarms}
            touched += alarmed & word.modules.keys()
        for module in dict.fromkeys(touched):
            self._merge(module, changes)
        return changes.freeze()

    def lose(self, node: int, now: float) -> SiteUpdate:
        """Note that the link to `node` is gone; its zones are held from now on."""
        word = self._nodes[node]
        changes = Changes(now, node)
        if word.leave(now):
            changes.nodes.add(node)
            for module in word.modules:
                self._merge(module, changes)
        return changes.freeze()

    def tick(self, now: float) -> SiteUpdate:
        """End what time ends: holds, stand-ins and carried alarms."""
        changes = Changes(now)
        for number, word in self._nodes.items():
            if word.lost_at is not None and now - word.lost_at >= self._hold_seconds:
                word.lost_at = None
                changes.nodes.add(number)
                for module in word.modules:
                    self._merge(module, changes)
        # Owners take back what is theirs before the rest is shared anew.
        for module in sorted(self._waiting, key=self._is_orphan):
            self._merge(module, changes)
        return changes.freeze()

    def restore_alarm(
        self,
        zone: int,
        now: float,
        *,
        witness: int | None = None,
        latch: LatchMode | None = None,
    ) -> SiteUpdate:
        """Show `zone` in alarm as before a restart, until a frame says otherwise.

        The word of the `witness`, the node that reported it, is enough to end
        it; others must insist. A module that nobody was configured to carry is
        taken to be the witness's.
        """
        changes = Changes(now)
        if witness not in self._nodes:
            witness = None
        module = module_of_zone(zone)
        if module not in self.modules and witness is not None:
            self._add_module(module, witness)
            changes.modules[module] = self.modules[module]
        before = self.zones.get(zone)
        if before is not None and not before.alarm:
            self._alarms[zone] = StandingAlarm(
                now,
                latch or self.latch,
                witnesses=set() if witness is None else {witness},
                from_before=witness is None,
            )
            self.zones[zone] = changes.zones[zone] = before._replace(alarm=True)
        return changes.freeze()

    def restore_trouble(self, zone: int, now: float) -> SiteUpdate:
        """Remember the trouble of `zone` from before a restart until a frame comes."""
        changes = Changes(now)
        before = self.zones.get(zone)
        if before is not None and not before.trouble:
            self.zones[zone] = changes.zones[zone] = before._replace(trouble=True)
        return changes.freeze()

    def reset(self, zones: Iterable[int], now: float) -> SiteUpdate:
        """End the alarms of `zones` that nobody reports any more.

        What a panel still shows in alarm stays, and so does what a lost node
        said while its last word is held. If Home Assistant's latch kept it, it
        begins anew, by the latch that holds now.
        """
        changes = Changes(now)
        released = {zone: self._alarms[zone] for zone in zones if zone in self._alarms}
        for standing in released.values():
            standing.released = True
        for module in dict.fromkeys(map(module_of_zone, released)):
            self._merge(module, changes)
        for standing in released.values():
            standing.released = False
            if standing.latch is LatchMode.HOME_ASSISTANT:
                standing.latch = self.latch
        return changes.freeze()

    @property
    def nodes(self) -> AbstractSet[int]:
        """The numbers of all nodes of the site."""
        return self._nodes.keys()

    def is_settling(self, node: int) -> bool:
        """Tell whether even a repetition of the node's last frame changes something."""
        return self._nodes[node].settling

    def concerns_alarm(self, node: int) -> bool:
        """Tell whether the next word of `node` may end or prolong an alarm."""
        word = self._nodes[node]
        if Led.ALARM in (word.leds or ()):
            return True
        return bool(self._alarms) and any(
            zone in self._alarms
            for module in word.modules
            for zone in zones_of_module(module)
        )

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
        return self._sources.load[node]

    def listed_modules(self, node: int) -> dict[int, bool]:
        """Return the modules that the node's frames list now, and which answer."""
        word = self._nodes[node]
        return {
            module: said.state.online
            for module, said in word.modules.items()
            if word.speaks_for(module)
        }

    def summary(self, ignored: AbstractSet[int] = frozenset()) -> SiteSummary:
        """Return the site in a few numbers.

        An alarm of an `ignored` zone (in test or disabled) is no fire, nor is
        an Alarm LED that is lit for such zones alone.
        """
        return summarize(
            self.zones.values(),
            self.modules.values(),
            self._nodes.values(),
            alarmed=self._alarms,
            ignored=ignored,
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
        self._sources.carry(module, word)
        return True

    def _add_module(self, module: int, owner: int) -> None:
        """Make a module and its five zones known, unavailable as yet."""
        self.modules[module] = ModuleStatus(module, owner)
        self._sources.add(module)
        for zone in zones_of_module(module):
            self.zones[zone] = ZoneState(zone)

    def _remove_module(self, module: int, changes: Changes) -> None:
        """Forget a module, its zones and their alarms."""
        self._sources.remove(self.modules.pop(module))
        changes.modules.pop(module, None)
        self._waiting.discard(module)
        for zone in zones_of_module(module):
            del self.zones[zone]
            self._alarms.pop(zone, None)

    def _is_orphan(self, module: int) -> bool:
        """Tell whether the module's owner does not speak for it."""
        return not self._nodes[self.modules[module].owner].speaks_for(module)

    def _merge(self, module: int, changes: Changes) -> None:
        """Work out what the site says of one module and its zones now."""
        before = self.modules[module]
        view = self._sources.look_at(before, changes.now)
        status = view.status
        if status != before:
            self.modules[module] = changes.modules[module] = status
            self._sources.note(before.source, status, changes)
        self._waiting.discard(module)
        if status.is_stood_in:
            # The owner may come back, or another node be the better stand-in.
            self._waiting.add(module)
        for position, zone in enumerate(zones_of_module(module)):
            self._merge_zone(self.zones[zone], 1 << position, view, changes)

    def _merge_zone(
        self, before: ZoneState, mask: int, view: ModuleView, changes: Changes
    ) -> None:
        """Work out what the site says of one zone now."""
        zone = before.zone
        # Most zones of most frames are in no alarm, which nobody needs to explain.
        alarm = (bool(view.alarm & mask) or zone in self._alarms) and self._merge_alarm(
            zone, mask, view, changes
        )
        live = bool(view.live & mask)
        trouble = before.trouble if view.trouble is None else bool(view.trouble & mask)
        available = view.status.source is not None or (view.held and before.available)
        held = view.held and (available or alarm)
        if (
            before.alarm is alarm
            and before.live is live
            and before.trouble is trouble
            and before.available is available
            and before.held is held
        ):
            return
        after = ZoneState(zone, alarm, live, trouble, available, held)
        self.zones[zone] = changes.zones[zone] = after
        if after.alarm != before.alarm:
            kind = EdgeKind.ALARM if alarm else EdgeKind.ALARM_RESTORED
            changes.add_edge(kind, zone, view)
        if after.trouble != before.trouble:
            kind = EdgeKind.TROUBLE if after.trouble else EdgeKind.TROUBLE_RESTORED
            changes.add_edge(kind, zone, view)

    def _merge_alarm(
        self, zone: int, mask: int, view: ModuleView, changes: Changes
    ) -> bool:
        """Return whether the zone is in alarm, and keep the reasons for it."""
        standing = self._alarms.get(zone)
        criers = view.criers(mask, standing.latch if standing else self.latch)
        if criers:
            if standing is None:
                standing = StandingAlarm(changes.now, self.latch)
                self._alarms[zone] = standing
            standing.hear(criers)
            return True
        if standing is None:
            return False
        standing.hear(set())
        if self._is_over(standing, view, changes.now):
            del self._alarms[zone]
            self._sources.forget_alarm(view.status.module, mask)
            return False
        return True

    def _is_over(self, standing: StandingAlarm, view: ModuleView, now: float) -> bool:
        """Tell whether an alarm that nobody reports any more has ended."""
        source = view.status.source
        is_latched = standing.latch is not LatchMode.NONE and (
            not view.latching.isdisjoint({source, *standing.witnesses})
        )
        if source is None or is_latched:
            standing.denier = None
        if is_latched:
            return False
        if standing.released:
            return not view.held
        if standing.latch is LatchMode.HOME_ASSISTANT:
            return False
        if source is None:
            # The module is silent: only a panel reset, seen on the Alarm LED
            # of a node whose frames list it, ends the alarm.
            return view.panel_reset_at > standing.since
        is_over = standing.may_be_cleared_by(source, now, carry_seconds=CARRY_SECONDS)
        if not is_over:
            self._waiting.add(view.status.module)
        return is_over
