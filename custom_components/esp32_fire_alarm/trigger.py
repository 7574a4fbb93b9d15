"""Triggers on what a site tells: each event once, also one found on connecting.

A state trigger on a zone misses an alarm that was found when a link came back
(`unavailable` to `on`) and runs twice where a link flaps. These follow the
events of the site instead, which are told exactly once per occurrence.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, cast, override

from homeassistant.const import CONF_OPTIONS, CONF_TARGET
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.trigger import (
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .const import ATTR_TYPE
from .events import SIGNAL_TOLD, lost_nodes
from .fleet.telling import EventKind
from .site import FireAlarmSite
from .targets import Choice, TargetWatch, site_of_entry

CONF_BEHAVIOR: Final = "behavior"
BEHAVIOR_EACH: Final = "each"
BEHAVIOR_FIRST: Final = "first"
BEHAVIOR_FIRST_UNACKNOWLEDGED: Final = "first_unacknowledged"

CONF_GATHER: Final = "gather"
MAX_GATHER: Final = timedelta(minutes=1)
"""Longest wait for more nodes: a loss must not go untold (EN 54-2 has 100 s)."""

type _Payload = Mapping[str, Any]


class SiteEventTrigger(Trigger):
    """Runs on events of one kind: on those that concern the target, or on all."""

    kind: ClassVar[EventKind]
    options: ClassVar[dict[Any, Any]] = {}

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Keep the target; it is looked up when something happens."""
        super().__init__(hass, config)
        self._target = config.target

    @override
    @classmethod
    async def async_validate_config(
        cls, hass: HomeAssistant, config: ConfigType
    ) -> ConfigType:
        """Return target and options, with the defaults of what is not given."""
        schema = vol.Schema(
            {
                vol.Optional(CONF_TARGET): cv.TARGET_FIELDS,
                vol.Optional(CONF_OPTIONS, default=dict): cls.options,
            }
        )
        return cast(ConfigType, schema(config))

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Follow the events of all sites, also of those that are set up later."""
        watch = TargetWatch(self._hass, self._target)

        is_attached = True

        @callback
        def handle(event: Event[dict[str, Any]]) -> None:
            data = event.data
            # Detached by another one that heard the same event, it may be called still.
            if data[ATTR_TYPE] != self.kind or not is_attached:
                return
            site = site_of_entry(self._hass, data["config_entry_id"])
            if site is not None and self._concerns(site, watch.choose(site), data):
                self._run(run_action, site, event)

        unsubscribe = async_dispatcher_connect(self._hass, SIGNAL_TOLD, handle)

        @callback
        def detach() -> None:
            nonlocal is_attached
            is_attached = False
            unsubscribe()
            watch.async_stop()
            self._detach()

        return detach

    def _concerns(self, site: FireAlarmSite, choice: Choice, data: _Payload) -> bool:
        """Tell whether an event is about what was chosen of its site."""
        if "zone" in data:
            return data["zone"] in choice.zones
        if "node" in data:
            return data["node"] in choice.nodes | choice.carriers
        return not choice.zones.isdisjoint(data["zones"])

    def _run(
        self,
        run_action: TriggerActionRunner,
        site: FireAlarmSite,
        event: Event[dict[str, Any]],
        **more: Any,
    ) -> None:
        """Run on an event; `more` is what the event itself does not tell."""
        description = f"{self.kind.replace('_', ' ')} at {event.data['site']}"
        run_action({**event.data, **more}, description, event.context)

    def _detach(self) -> None:
        """Let go of everything."""


class FireAlarmTrigger(SiteEventTrigger):
    """Runs on every fire alarm, or on the first one of those chosen.

    The first: while no earlier one stands, or none that nobody acknowledged.
    """

    kind = EventKind.ALARM
    options = {
        vol.Required(CONF_BEHAVIOR, default=BEHAVIOR_EACH): vol.In(
            [BEHAVIOR_EACH, BEHAVIOR_FIRST, BEHAVIOR_FIRST_UNACKNOWLEDGED]
        )
    }

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Keep the target, and which of its alarms count."""
        super().__init__(hass, config)
        self._behavior = (config.options or {}).get(CONF_BEHAVIOR, BEHAVIOR_EACH)

    @override
    def _concerns(self, site: FireAlarmSite, choice: Choice, data: _Payload) -> bool:
        """Tell whether an alarm is in the target, and the first one there if need be.

        The order of alarms decides, for when one is told of, others that came
        with it stand already.
        """
        if not super()._concerns(site, choice, data):
            return False
        if self._behavior == BEHAVIOR_EACH:
            return True
        earlier = [
            one
            for one in site.book.standing()
            if one.zone in choice.zones
            and one.order is not None
            and one.order < data["order"]
        ]
        if self._behavior == BEHAVIOR_FIRST:
            return not earlier
        return all(one.acknowledged_at is not None for one in earlier)

    @override
    def _run(
        self,
        run_action: TriggerActionRunner,
        site: FireAlarmSite,
        event: Event[dict[str, Any]],
        **more: Any,
    ) -> None:
        """Also tell whether it is the newest alarm, which is not so within a storm."""
        latest = max((one.order or 0 for one in site.book.standing()), default=0)
        newest = event.data["order"] >= latest
        super()._run(run_action, site, event, newest=newest, **more)


class NodeTrigger(SiteEventTrigger):
    """Runs on the loss or return of a node, or once on several together.

    A power cut takes all nodes within seconds, and people want to hear of it once.
    """

    options = {
        vol.Optional(CONF_GATHER): vol.All(
            cv.positive_time_period, vol.Range(max=MAX_GATHER)
        )
    }

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Keep the target, and how long to wait for more nodes."""
        super().__init__(hass, config)
        self._gather: timedelta | None = (config.options or {}).get(CONF_GATHER)
        self._gathered: dict[str, list[int]] = {}
        self._timers: dict[str, CALLBACK_TYPE] = {}

    @override
    def _run(
        self,
        run_action: TriggerActionRunner,
        site: FireAlarmSite,
        event: Event[dict[str, Any]],
        **more: Any,
    ) -> None:
        """Run at once, or a while after the first node with all that followed it."""
        if not self._gather:
            nodes = [event.data["node"]]
            super()._run(run_action, site, event, nodes=nodes, **more)
            return
        nodes = self._gathered.setdefault(site.site_id, [])
        nodes.append(event.data["node"])
        if len(nodes) > 1:
            return
        run = super()._run

        @callback
        def end(_: datetime) -> None:
            del self._timers[site.site_id]
            nodes = self._gathered.pop(site.site_id)
            # The first event is as good as any; but who is lost may have changed.
            run(run_action, site, event, nodes=nodes, lost_nodes=lost_nodes(site))

        self._timers[site.site_id] = async_call_later(self._hass, self._gather, end)

    @override
    def _detach(self) -> None:
        """Gather no more."""
        for cancel in self._timers.values():
            cancel()


class NodeLostTrigger(NodeTrigger):
    """Runs when nodes are lost for longer than the hold time."""

    kind = EventKind.NODE_LOST


class NodeReturnedTrigger(NodeTrigger):
    """Runs when lost nodes are back."""

    kind = EventKind.NODE_RETURNED


def _on(event_kind: EventKind) -> type[SiteEventTrigger]:
    """Return the trigger that runs on events of this kind."""

    class KindTrigger(SiteEventTrigger):
        """Runs on events of one kind."""

        kind = event_kind

    return KindTrigger


TRIGGERS: Final[dict[str, type[Trigger]]] = {
    "fire_alarm": FireAlarmTrigger,
    "confirmed_alarm": _on(EventKind.CONFIRMED_ALARM),
    "alarm_restored": _on(EventKind.ALARM_RESTORED),
    "acknowledged": _on(EventKind.ACKNOWLEDGED),
    "trouble": _on(EventKind.TROUBLE),
    "trouble_restored": _on(EventKind.TROUBLE_RESTORED),
    "node_lost": NodeLostTrigger,
    "node_returned": NodeReturnedTrigger,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers of this integration."""
    return TRIGGERS
