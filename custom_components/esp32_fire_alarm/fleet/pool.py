"""Who connects when, to which address; and nobody is ever given up.

One task per node keeps one link; one timer watches all links. Starts are
spaced and bounded so that a site that comes back after a power cut is not hit
by a storm of 63 handshakes.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
import logging
import random

import aiohttp

from .addresses import is_local
from .gate import ConnectGate
from .health import HealthMonitor, LinkState
from .link import DeviceLink, LinkError, LinkFault, close_socket, open_socket
from .models import DeviceAddress, NodeConfig
from .paths import Path, PathChooser
from .standby import StandbyWatch
from .timing import (
    QUIET_SECONDS,
    TICK_SECONDS,
    WAKE_GAP_SECONDS,
    WAKE_SHARE,
    Clock,
    Supervision,
)
from .turn import Turn

_LOGGER = logging.getLogger(__name__)


class _Node:
    """One node's link, who keeps it, and the wish to be woken from its backoff."""

    def __init__(self, config: NodeConfig, paths: PathChooser) -> None:
        self.number = config.node
        self.addresses = (config.address, config.standby)
        self.paths = paths
        self.keeper: asyncio.Task[None] | None = None
        self.link: DeviceLink | None = None
        self.successor: DeviceLink | None = None
        self.woken = asyncio.Event()


class ConnectionPool:
    """All links of a site.

    `on_frame(node, raw)` gets every message and tells whether it said anything
    of zones, `on_down(node)` gets every end of a link that was up, `on_tick()`
    is called twice a second; all are called on the event loop and must not
    raise.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        nodes: Iterable[NodeConfig],
        *,
        clock: Clock,
        health: HealthMonitor,
        supervision: Supervision,
        on_frame: Callable[[int, bytes], bool],
        on_down: Callable[[int], None],
        on_tick: Callable[[], None],
        paths: Mapping[int, Path] | None = None,
        chance: Callable[[], float] = random.SystemRandom().random,
    ) -> None:
        """Prepare; nothing is opened before `run`.

        `paths` are the addresses in use before a restart, by node; `chance`
        returns 0-1.
        """
        self._session = session
        self._clock = clock
        self._health = health
        self._supervision = supervision
        self._on_frame = on_frame
        self._on_down = on_down
        self._on_tick = on_tick
        self._chance = chance
        self._gate = ConnectGate(clock, chance)
        self._turn = Turn()
        known = paths or {}
        self._nodes = {
            config.node: self._make(config, known.get(config.node, Path.PRIMARY))
            for config in nodes
        }
        self._standby = StandbyWatch(
            session, self._nodes, clock=clock, health=health, fail_back=self._fail_back
        )
        self._woken_at = float("-inf")
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Keep all links until cancelled, which closes them all cleanly."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._watch(group), name="fire alarm watchdog")
                group.create_task(self._standby.run(), name="fire alarm standby watch")
                for node in self._nodes.values():
                    self._start(node)
        finally:
            self._group = None

    def apply(self, configs: Iterable[NodeConfig]) -> set[int]:
        """Take over other nodes; return which links were cut for it.

        A link whose address still belongs to its node is left alone. Every
        other one is closed before any new one is opened, since addresses may
        have changed hands; its end is not told to `on_down`.
        """
        wanted = {config.node: config for config in configs}
        cut = {
            number: node
            for number, node in self._nodes.items()
            if number not in wanted or not node.paths.readdress(wanted[number])
        }
        for number, node in cut.items():
            del self._nodes[number]
            node.link = None
            if node.keeper is not None:
                node.keeper.cancel()
            if number not in wanted:
                self._health.forget(number)
        closing = [node.keeper for node in cut.values() if node.keeper is not None]
        for number, config in wanted.items():
            if (kept := self._nodes.get(number)) is None:
                node = self._nodes[number] = self._make(config)
                self._health.note_readdressed(number, node.paths.path)
                self._note(node, LinkState.IDLE)
                self._start(node, closing)
            elif kept.addresses != (config.address, config.standby):
                kept.addresses = (config.address, config.standby)
                self._health.note_readdressed(number, kept.paths.path)
                if kept.link is not None:
                    # What its address is called may have changed.
                    kept.link.look_at = self._clock.now()
        return set(cut)

    async def send(self, node: int, text: str) -> None:
        """Send one text to a node.

        Raises:
            ConnectionError: the node is not connected.

        """
        link = self._nodes[node].link
        if link is None:
            raise ConnectionError(f"node {node} is not connected")
        await link.send(text)

    def paths(self) -> dict[int, Path]:
        """Return which address of each node is in use, by node."""
        return {number: node.paths.path for number, node in self._nodes.items()}

    def _make(self, config: NodeConfig, path: Path = Path.PRIMARY) -> _Node:
        """Return a node that will begin on `path`."""
        return _Node(config, PathChooser(config, chance=self._chance, path=path))

    def _start(self, node: _Node, after: Collection[asyncio.Task[None]] = ()) -> None:
        """Begin to keep a node's link, once the tasks before it have ended."""
        if self._group is not None:
            node.keeper = self._group.create_task(
                self._keep(node, after), name=f"fire alarm node {node.number}"
            )

    # One node's life.

    async def _keep(self, node: _Node, after: Collection[asyncio.Task[None]]) -> None:
        """Keep one node's link up, for ever."""
        if after:
            await asyncio.wait(after)
        while True:
            try:
                await self._wait_for_turn(node)
                async with self._gate:
                    link = await self._open(node)
                while link is not None:
                    await self._use(node, link)
                    link, node.successor = node.successor, None
            except Exception:
                # Whatever a node makes a library do, the next attempt comes.
                _LOGGER.exception("Link of node %d failed", node.number)
                node.paths.fail()
                self._on_down(node.number)

    async def _wait_for_turn(self, node: _Node) -> None:
        """Wait out backoff and gap; a wake-up ends the backoff, not the gap."""
        node.woken.clear()
        sleep = asyncio.ensure_future(
            self._clock.sleep(node.paths.delay_seconds(self._clock.now()))
        )
        woken = asyncio.ensure_future(node.woken.wait())
        try:
            await asyncio.wait((sleep, woken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            woken.cancel()
        if node.woken.is_set():
            node.paths.forgive()
        if left := node.paths.gap_left_seconds(self._clock.now()):
            await self._clock.sleep(left)

    async def _open(self, node: _Node) -> DeviceLink | None:
        """Try once to open the node's link; note the reason where it fails."""
        self._note(node, LinkState.CONNECTING)
        node.paths.attempt(self._clock.now())
        try:
            return await self._connect(node, node.paths.address)
        except LinkError as err:
            self._note(node, LinkState.BACKING_OFF, err.fault, str(err))
            node.paths.fail(slots_full=err.fault is LinkFault.SLOTS_FULL)
            return None

    async def _connect(self, node: _Node, address: DeviceAddress) -> DeviceLink:
        """Open a socket and wrap it; raises what `open_socket` raises."""
        socket = await open_socket(self._session, address)
        peer = socket.get_extra_info("peername")
        if peer is not None and not is_local(peer[0]):
            await close_socket(socket)
            raise LinkError(
                LinkFault.UNREACHABLE, f"{address.host} is not in a local network"
            )
        return DeviceLink(
            socket,
            on_frame=partial(self._on_frame, node.number),
            pulse=self._health.record(node.number),
            now=self._clock.now,
            supervision=self._supervision,
            turn=self._turn,
        )

    async def _use(self, node: _Node, link: DeviceLink) -> None:
        """Listen on an open link until it ends."""
        node.link = link
        record = self._health.record(node.number)
        self._note(node, LinkState.SILENT)
        try:
            fault, text = await link.listen()
        except asyncio.CancelledError:
            for open_link in (link, node.successor):
                if open_link is not None:
                    await open_link.close()
            raise
        finally:
            if node.link is link:
                node.link = None
            record.close_code = link.close_code
        if node.successor is not None:
            return
        self._note(node, LinkState.BACKING_OFF, fault, text)
        node.paths.end(link.opened_at, self._clock.now())
        self._on_down(node.number)

    async def _fail_back(self, number: int) -> None:
        """Move a node's link from its standby back to its primary address.

        The primary's link is open before the standby's is closed, so that no
        frame is missed and no zone is held.
        """
        node = self._nodes[number]
        old, primary = node.link, node.paths.unused
        if old is None or primary is None:
            return
        try:
            async with self._gate:
                link = await self._connect(node, primary)
        except LinkError as err:
            _LOGGER.debug("Node %d could not fail back: %s", number, err)
            return
        if node.link is not old:
            # The standby died in these very seconds; the usual way goes on.
            await link.close()
            return
        # Its silence began with the last frame over the other link.
        link.last_frame_at = old.last_frame_at
        node.paths.switch()
        node.successor = link
        await old.close(LinkFault.FAILED_BACK)

    # All links, from one timer.

    async def _watch(self, group: asyncio.TaskGroup) -> None:
        """Look after all links."""
        while True:
            await self._clock.sleep(TICK_SECONDS)
            try:
                now = self._clock.now()
                for node in tuple(self._nodes.values()):
                    link = node.link
                    if link is not None and link.look_at <= now:
                        self._look_after(node, link, group)
                self._on_tick()
            except Exception:
                _LOGGER.exception("Watching the links failed")

    def _look_after(
        self, node: _Node, link: DeviceLink, group: asyncio.TaskGroup
    ) -> None:
        """Ping, show silence and cut a dead link."""
        if (fault := link.tick()) is not None:
            node.link = None
            self._note(node, LinkState.BACKING_OFF, fault)
            self._on_down(node.number)
            # Closing takes up to two seconds; the timer does not wait for it.
            group.create_task(link.close(fault))
            return
        if link.last_frame_at is None or link.data_age_seconds >= QUIET_SECONDS:
            state = LinkState.SILENT
        elif node.paths.path is Path.STANDBY:
            state = LinkState.STANDBY
        else:
            state = LinkState.CONNECTED
        if self._health.record(node.number).state is not state:
            self._note(node, state)
            if state is not LinkState.SILENT:
                self._wake_others()

    def _wake_others(self) -> None:
        """Cut short the backoff of all, once the first of many comes back.

        After a power cut or an access point's restart the nodes return
        together; waiting out a minute of backoff each would serve nobody.
        """
        now = self._clock.now()
        down = [node for node in self._nodes.values() if node.link is None]
        is_mass_outage = len(down) >= WAKE_SHARE * len(self._nodes)
        if is_mass_outage and now - self._woken_at >= WAKE_GAP_SECONDS:
            self._woken_at = now
            for node in down:
                node.woken.set()

    def _note(
        self,
        node: _Node,
        state: LinkState,
        fault: LinkFault | None = None,
        text: str = "",
    ) -> None:
        """Pass a change of state on to the health monitor and the debug log."""
        address = node.paths.address
        self._health.record(node.number).path = node.paths.path
        self._health.note_link(node.number, state, str(address), fault, text)
        _LOGGER.debug(
            "Node %d at %s is %s%s",
            node.number,
            address,
            state,
            f": {fault}, {text}" if fault else "",
        )
