"""A whole site in a few numbers."""

from collections.abc import Collection, Set as AbstractSet

from .models import Led, ModuleStatus, SiteSummary, ZoneState, module_of_zone
from .word import NodeWord


def summarize(
    zones: Collection[ZoneState],
    modules: Collection[ModuleStatus],
    words: Collection[NodeWord],
    *,
    alarmed: Collection[int],
    ignored: AbstractSet[int],
) -> SiteSummary:
    """Return the numbers.

    `alarmed` are the zones (1-315) in alarm, first first; one of those that are
    `ignored` is no fire.
    """
    explained = {module_of_zone(zone) for zone in alarmed}
    in_alarm = tuple(zone for zone in alarmed if zone not in ignored)
    offline = sum(status.online is False for status in modules)
    in_trouble = sum(zone.trouble and zone.available for zone in zones)
    given_up = sum(not word.believed for word in words)
    lit = {led for word in words if word.believed for led in word.leds or ()}
    return SiteSummary(
        fire=bool(in_alarm) or any(_shows_fire(word, explained) for word in words),
        trouble=bool(in_trouble or offline or given_up or Led.TROUBLE in lit),
        in_alarm=in_alarm,
        in_trouble=in_trouble,
        modules_offline=offline,
        modules_stood_in=sum(status.is_stood_in for status in modules),
        nodes_connected=sum(word.fresh for word in words),
        nodes_total=len(words),
        zones_supervised=sum(zone.available and not zone.held for zone in zones),
        zones_total=len(zones),
    )


def _shows_fire(word: NodeWord, explained: AbstractSet[int]) -> bool:
    """Tell whether a panel is in alarm without a zone in alarm to explain it.

    `explained` are the modules (1-63) with such a zone.
    """
    return (
        word.believed
        and Led.ALARM in (word.leds or ())
        and word.modules.keys().isdisjoint(explained)
    )
