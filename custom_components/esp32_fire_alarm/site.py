"""One site: the rooms of the fleet built, wired and run for one config entry."""

from collections.abc import Callable
from dataclasses import replace
import logging
import time
from typing import Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.start import async_at_started

from .alarm_options import apply_alarm_options
from .caretaker import Caretaker
from .const import DOMAIN
from .coordinator import DeviceCoordinator, MetricsBoard, Notifier, Verdicts
from .devices import async_register_devices, async_remove_nodes
from .events import EventDesk, EventListener
from .fleet.aggregator import MessageAggregator
from .fleet.alarms import AlarmBook, BookCallbacks
from .fleet.commands import PanelCommands
from .fleet.health import HealthMonitor
from .fleet.link import only_here
from .fleet.models import (
    EdgeKind,
    Led,
    NodeConfig,
    SiteSummary,
    SiteUpdate,
    module_of_zone,
)
from .fleet.pool import ConnectionPool
from .fleet.rearrange import rearrange
from .fleet.sounder import Sounder
from .fleet.telling import SiteEvent
from .fleet.timing import SystemClock
from .fleet.truth import SiteTruth
from .link_log import LinkLog
from .link_store import LinkStore
from .store import BookStore
from .topology import nodes_from_entry, supervision_from_options

_LOGGER = logging.getLogger(__name__)

HEALTH_SECONDS: Final = 30.0
"""Period in which health figures are published."""

type FireAlarmConfigEntry = ConfigEntry[FireAlarmSite]
type SiteListener = Callable[[SiteUpdate], None]


class FireAlarmSite:
    """Everything that runs for one config entry; its `runtime_data`.

    Entities read `truth` (zones, modules, lamps), `health` and `summary`, and
    are told to by their coordinator or, for the whole site, by a listener. What
    counts as an alarm, and what people do about it, is in `book`.
    """

    def __init__(
        self, hass: HomeAssistant, entry: FireAlarmConfigEntry, links: LinkStore
    ) -> None:
        """Build the rooms; nothing is connected before `async_start`.

        `links` knows how the links stood before a restart.
        """
        self.hass = hass
        self.entry = entry
        assert entry.unique_id is not None
        self.site_id = entry.unique_id
        self.configs: dict[int, NodeConfig] = {
            config.node: config for config in nodes_from_entry(entry.data)
        }
        clock = SystemClock()
        supervision = supervision_from_options(entry.options)
        self.health = HealthMonitor(clock.now, time.time)
        self.truth = SiteTruth(
            self.configs.values(),
            hold_seconds=supervision.hold_seconds,
            now=clock.now(),
            rank=self.health.rank,
        )
        self.aggregator = MessageAggregator(
            self.truth,
            self.health,
            now=clock.now,
            on_update=self._on_update,
            run_job=hass.async_add_executor_job,
            scheduler=hass.loop,
        )
        self.metrics = MetricsBoard(lambda: self.aggregator.metrics)
        self.book = AlarmBook(
            self.truth,
            now=clock.now,
            wall=time.time,
            callbacks=BookCallbacks(
                on_event=self._on_event,
                on_update=self.aggregator.pass_on,
                on_impaired=self._on_impaired,
                on_save=self._on_save,
            ),
        )
        apply_alarm_options(entry.options, self.truth, self.book)
        self.store = BookStore(hass, entry.entry_id, entry.title)
        self.desk = EventDesk(self, self._on_save)
        session = async_create_clientsession(hass, trace_configs=[only_here()])
        self.pool = ConnectionPool(
            session,
            self.configs.values(),
            clock=clock,
            health=self.health,
            supervision=supervision,
            on_frame=self.aggregator.feed,
            on_down=self._on_down,
            on_tick=self._on_tick,
            paths=links.paths,
        )
        self._caretaker = Caretaker(self, links, session, clock)
        self._link_log = LinkLog(self, clock.now)
        self.commands = PanelCommands(
            self.pool.send, self._lamps_now, now=clock.now, wall=time.time
        )
        self.sounder = Sounder(wall=time.time)
        self.coordinators = {
            node: DeviceCoordinator(hass, self, config)
            for node, config in self.configs.items()
        }
        self._notifier = Notifier(hass.loop, self.coordinators)
        self._verdicts = Verdicts(self.health, self.coordinators)
        self._was_backed = True
        self._summary: SiteSummary | None = None
        self._now = clock.now
        self._health_due_at = clock.now()
        self._listeners: list[SiteListener] = []
        self._arrangement_listeners: list[CALLBACK_TYPE] = []
        self._title = entry.title
        self.device_ids: dict[int, str] = {}

    async def async_load(self) -> None:
        """Take up where the site left off; to be done before `async_start`."""
        await self.store.async_load(self.book)
        self._summary = None

    @callback
    def async_start(self) -> None:
        """Register the devices and start connecting in the background."""
        async_register_devices(self)
        self.desk.async_start()
        self.entry.async_on_unload(self.aggregator.close)
        self.entry.async_create_background_task(
            self.hass, self.pool.run(), f"{DOMAIN} pool of {self.entry.title}"
        )
        self._caretaker.async_start()

    @callback
    def async_follow_entry(self) -> None:
        """Run with the nodes and alarm options that the config entry has from now on.

        No reload: links, states and alarms of all others stay as they are.
        """

        @callback
        def look(change: ConfigEntryChange, entry: ConfigEntry) -> None:
            if change is ConfigEntryChange.UPDATED and entry is self.entry:
                self._look_at_entry()

        self.entry.async_on_unload(
            async_dispatcher_connect(self.hass, SIGNAL_CONFIG_ENTRY_CHANGED, look)
        )
        self._look_at_entry()

    @callback
    def async_start_telling(self) -> None:
        """Tell events once Home Assistant has started: automations are armed last."""

        @callback
        def start(_: HomeAssistant) -> None:
            self.book.start_telling()

        self.entry.async_on_unload(async_at_started(self.hass, start))

    async def async_save(self) -> None:
        """Keep everything that has to survive."""
        self.desk.async_close()
        await self.store.async_flush(self.desk.async_memory())
        await self._caretaker.async_save()

    @callback
    def async_tell(self, event: SiteEvent) -> None:
        """Tell everybody of an act that the book does not know of."""
        self._look_again()
        self.desk.async_tell(event)

    @callback
    def async_listen_events(self, listener: EventListener) -> CALLBACK_TYPE:
        """Call `listener` with every event of the site, each once and in order.

        States are renewed by then. Returns a function that ends it.
        """
        return self.desk.async_listen(listener)

    @callback
    def async_listen(self, listener: SiteListener) -> CALLBACK_TYPE:
        """Call `listener` with every update; returns a function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_listen_arrangement(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call `listener` when nodes or modules came, went or moved.

        Devices of what is gone are still there then. Returns a function that
        ends it.
        """
        self._arrangement_listeners.append(listener)
        return lambda: self._arrangement_listeners.remove(listener)

    @property
    def summary(self) -> SiteSummary:
        """The site in a few numbers, worked out when first asked after an update.

        A standby that is dead is a trouble too.
        """
        if self._summary is None:
            one = self.truth.summary(self.book.ignored)
            self._was_backed = self._is_backed()
            self._summary = one if self._was_backed else replace(one, trouble=True)
        return self._summary

    def coordinator_of(self, module: int) -> DeviceCoordinator:
        """Return the coordinator of the node that owns `module` (1-63)."""
        return self.coordinators[self.truth.modules[module].owner]

    def modules_owned(self, node: int) -> list[int]:
        """Return the modules (1-63) whose entities belong to `node`."""
        modules = self.truth.modules.values()
        return [status.module for status in modules if status.owner == node]

    def is_shared(self, node: int) -> bool:
        """Tell whether the modules of `node` have devices of their own."""
        return len(self.modules_owned(node)) > 1

    @property
    def identifier(self) -> tuple[str, str]:
        """The site device's identifier in the registry."""
        return (DOMAIN, self.site_id)

    def node_identifier(self, node: int) -> tuple[str, str]:
        """Return the registry identifier of an ESP32's device."""
        return (DOMAIN, f"{self.site_id}_node_{node}")

    def module_identifier(self, module: int) -> tuple[str, str]:
        """Return the registry identifier of a module that shares its ESP32.

        Names its owner too: a child device cannot change its parent.
        """
        stem = self.node_identifier(self.truth.modules[module].owner)[1]
        return (DOMAIN, f"{stem}_module_{module}")

    # Other nodes while the site runs.

    @callback
    def _look_at_entry(self) -> None:
        """Take over the entry's nodes, title and alarm options where they are new."""
        apply_alarm_options(self.entry.options, self.truth, self.book)
        after = {config.node: config for config in nodes_from_entry(self.entry.data)}
        if after != self.configs:
            self._rearrange(after)
        elif self.entry.title != self._title:
            async_register_devices(self)
        self._title = self.entry.title

    def _rearrange(self, after: dict[int, NodeConfig]) -> None:
        """Run with these nodes from now on, disturbing nobody else."""
        before = dict(self.configs)
        update = rearrange(
            before,
            after,
            pool=self.pool,
            aggregator=self.aggregator,
            truth=self.truth,
            now=self._now(),
        )
        gone = before.keys() - after.keys()
        self.configs.clear()
        self.configs |= after
        for node in gone:
            del self.coordinators[node]
        self._link_log.async_forget(gone)
        for node, config in after.items():
            if (coordinator := self.coordinators.get(node)) is None:
                coordinator = DeviceCoordinator(self.hass, self, config)
                self.coordinators[node] = coordinator
            coordinator.config = config
        async_register_devices(self)
        for listener in tuple(self._arrangement_listeners):
            listener()
        self._caretaker.async_forget(before, after)
        async_remove_nodes(self, gone)
        self._on_update(update)
        _LOGGER.debug("%s has %d nodes now", self.entry.title, len(after))

    # What the fleet calls. All on the event loop; alarms go first.

    @callback
    def _on_down(self, node: int) -> None:
        """Log the loss of a link and let the zones be held."""
        self._link_log.async_note_down(node)
        self.aggregator.lose(node)

    @callback
    def _on_tick(self) -> None:
        """Let time do its work, and publish health where it is due."""
        self.aggregator.tick()
        self.book.tick()
        if self.sounder.look(fire=self.summary.fire):
            self._look_again()
        is_due = self._now() >= self._health_due_at
        self._notifier.notify(self._verdicts.take(is_due=is_due))
        if self._is_backed() is not self._was_backed:
            # A standby that died or came back is no step of the truth.
            self._summary = None
            self._look_again()
        self._caretaker.async_tick()
        if is_due:
            self._health_due_at = self._now() + HEALTH_SECONDS
            self.metrics.async_publish()

    @callback
    def _on_update(self, update: SiteUpdate) -> None:
        """Tell everybody whom an update concerns, alarms in this very turn.

        Nothing is worked out before a zone in alarm is shown, but for what an
        automation asks in that very moment.
        """
        self._summary = None
        modules = self.truth.modules
        for edge in update.edges:
            if edge.kind in (EdgeKind.ALARM, EdgeKind.ALARM_RESTORED):
                self.coordinator_of(module_of_zone(edge.zone)).async_tell_zone(
                    edge.zone
                )
        self.sounder.look(fire=self.summary.fire)
        self.commands.look()
        self._call_listeners(update)
        self.book.take(update)
        self._link_log.async_note_heard(update.nodes)
        concerned = {modules[module_of_zone(zone)].owner for zone in update.zones}
        concerned |= {modules[module].owner for module in update.modules}
        concerned |= update.nodes
        self._notifier.notify(concerned)

    def _call_listeners(self, update: SiteUpdate) -> None:
        """Tell every listener; one that fails must not cost the others an alarm."""
        for listener in tuple(self._listeners):
            try:
                listener(update)
            except Exception:
                _LOGGER.exception("A listener of %s failed", self._title)

    @callback
    def _on_impaired(self) -> None:
        """Look at everything anew, for other zones count as fire now."""
        self._summary = None
        self._look_again()
        self._notifier.notify(set(self.coordinators))

    @callback
    def _on_event(self, event: SiteEvent) -> None:
        """Pass on what the book tells."""
        if self.sounder.hear(event):
            self._look_again()
        self.desk.async_tell(event)

    def _is_backed(self) -> bool:
        """Tell whether no standby address is known to be dead."""
        records = self.health.records.values()
        return all(record.standby_alive is not False for record in records)

    def _look_again(self) -> None:
        """Let the entities of the whole site look at it anew."""
        self._call_listeners(SiteUpdate())

    def _lamps_now(self, node: int) -> frozenset[Led] | None:
        """Return what is lit on a node's panel if its frames are coming in."""
        return self.truth.leds(node) if self.truth.is_fresh(node) else None

    @callback
    def _on_save(self, is_urgent: bool) -> None:
        """Keep what the book wants to remember."""
        self.store.async_save(self.desk.async_memory, is_urgent=is_urgent)
