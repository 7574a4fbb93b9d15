"""Who says what of a module, and whose word counts.

The nodes of a site with their words, side by side. What follows from them for
the zones is the truth's business.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from .merge import Changes, ModuleView
from .models import Led, ModuleStatus, NodeConfig, Takeover
from .ownership import assign_owners, pick_stand_in
from .timing import LONG_AGO
from .word import MISSED_FRAMES, NodeWord


class Sources:
    """All nodes of a site, and which of them speaks for each module.

    `words` are the nodes' own words by number, `load` tells for how many
    modules a node is the active source.
    """

    def __init__(
        self,
        configs: Iterable[NodeConfig],
        *,
        now: float,
        rank: Callable[[int], int],
    ) -> None:
        """Start with nodes that nobody has heard yet.

        `rank` orders nodes by health, lowest first, for stand-ins.
        """
        self.words: dict[int, NodeWord] = {}
        self.load: Counter[int] = Counter()
        self._rank = rank
        self._carriers: dict[int, dict[int, NodeWord]] = {}
        self._owner_spoke: set[int] = set()
        self.replace_nodes(configs, now)

    def replace_nodes(self, configs: Iterable[NodeConfig], now: float) -> set[int]:
        """Have these nodes and no others; return those that begin anew.

        What a node said stays, unless it calls its modules otherwise now.
        """
        wanted = {config.node: config for config in configs}
        for number, word in tuple(self.words.items()):
            config = wanted.get(number)
            if config is None or config.offset != word.config.offset:
                del self.words[number]
                self.load.pop(number, None)
                for carriers in self._carriers.values():
                    carriers.pop(number, None)
        new = wanted.keys() - self.words.keys()
        for number, config in wanted.items():
            if number in new:
                self.words[number] = NodeWord(config, lost_at=now)
            self.words[number].config = config
        return set(new)

    def owners(self, present: Mapping[int, ModuleStatus]) -> dict[int, int]:
        """Return who should own each module (1-63) that has anybody to own it.

        A module that is in nobody's configuration belongs to who reports it,
        and stays with its `present` owner if it can.
        """
        owners = assign_owners(word.config for word in self.words.values())
        for module in present.keys() - owners.keys():
            reporters = [
                number
                for number, word in self._carriers[module].items()
                if word.modules[module].missed < MISSED_FRAMES
            ]
            if reporters:
                owner = present[module].owner
                owners[module] = owner if owner in reporters else min(reporters)
        return owners

    def add(self, module: int) -> None:
        """Make a module (1-63) known."""
        self._carriers[module] = {}

    def remove(self, status: ModuleStatus) -> None:
        """Forget a module."""
        if status.source is not None:
            self.load[status.source] -= 1
        self._owner_spoke.discard(status.module)
        for word in self._carriers.pop(status.module).values():
            del word.modules[status.module]

    def carry(self, module: int, word: NodeWord) -> None:
        """Note that a node lists a module."""
        self._carriers[module][word.config.node] = word

    def forget_alarm(self, module: int, mask: int) -> None:
        """Keep alarms of a module (five-bit mask) no longer: they are over."""
        for word in self._carriers[module].values():
            word.modules[module].latched &= ~mask

    def pass_to_another(self, module: int) -> None:
        """Note that a module has a new owner, which takes it over unannounced."""
        self._owner_spoke.discard(module)

    def look_at(self, before: ModuleStatus, now: float) -> ModuleView:
        """Put the words of all sources of a module together."""
        module = before.module
        alarm = live = 0
        online: set[int] = set()
        latching: set[int] = set()
        reports: dict[int, tuple[int, int]] = {}
        drill = is_fresh = is_believed = False
        panel_reset_at = LONG_AGO
        for node, word in self._carriers[module].items():
            said = word.modules[module]
            speaks = word.fresh and said.missed < MISSED_FRAMES
            # Anybody's alarm is believed.
            if speaks and said.latched:
                reports[node] = said.latched, said.state.alarm
                alarm |= said.latched
                live |= said.state.alarm
                drill = drill or Led.DRILL in (word.leds or ())
            # For all else a node that was not configured to carry the module may
            # be another device with the same address.
            if node != before.owner and module not in word.config.modules:
                continue
            is_believed = is_believed or word.believed
            if word.fresh:
                is_fresh = True
                panel_reset_at = max(panel_reset_at, said.reset_at)
            if speaks and said.state.online:
                online.add(node)
                if word.latches_now:
                    latching.add(node)
        source = self._choose(before, online, now)
        held = is_believed and not is_fresh
        trouble = None
        if source is not None:
            state = self.words[source].modules[module].state
            trouble = state.trouble
            status = ModuleStatus(
                *(module, before.owner, source),
                online=True,
                bell=state.bell,
                bit5=state.bit5,
            )
        elif held:
            status = before._replace(source=None)
        else:
            online_or_unknown = False if is_fresh else None
            status = ModuleStatus(module, before.owner, online=online_or_unknown)
        return ModuleView(
            status=status,
            held=held,
            alarm=alarm | live,
            live=live,
            trouble=trouble,
            latching=latching,
            reports=reports,
            drill=drill,
            panel_reset_at=panel_reset_at,
        )

    def note(self, before: int | None, status: ModuleStatus, changes: Changes) -> None:
        """Keep count of who speaks for how many modules, and tell of a change.

        An owner that comes later than its stand-in at the start takes its own;
        nobody failed.
        """
        after = status.source
        if before == after:
            return
        if before is not None:
            self.load[before] -= 1
        if after is not None:
            self.load[after] += 1
        is_start = after == status.owner and status.module not in self._owner_spoke
        if after == status.owner:
            self._owner_spoke.add(status.module)
        if before is not None and after is not None and not is_start:
            changes.takeovers.append(Takeover(status.module, before, after))

    def _choose(self, before: ModuleStatus, online: set[int], now: float) -> int | None:
        """Return the node whose all-clear counts: the owner, or a stand-in for it.

        An owner that was lost waits until it is stable, unless nobody stands in.
        """
        owner, current = before.owner, before.source
        if owner in online and (
            current == owner or current not in online or self.words[owner].settled(now)
        ):
            return owner
        if current is not None and current in online:
            return self._share(current, owner, online, now)
        if not online:
            return None
        return pick_stand_in(online, self.load, self._rank)

    def _share(self, current: int, owner: int, online: set[int], now: float) -> int:
        """Return who stands in for an absent owner: who does, or one with less to do.

        A module moves only to a stable node that is no worse, and only where
        that makes the shares more even, so that nothing flaps.
        """
        stable = [number for number in online if self.words[number].settled(now)]
        if owner in online or self.words[owner].believed or not stable:
            return current
        best = pick_stand_in(stable, self.load, self._rank)
        is_fairer = self.load[current] - self.load[best] > 1
        return (
            best if is_fairer and self._rank(best) <= self._rank(current) else current
        )
