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
    `ignored` is no fire. Each alarm waits for this, so everything is looked at
    once only.
    """
    explained = {module_of_zone(zone) for zone in alarmed}
    in_alarm = tuple(zone for zone in alarmed if zone not in ignored)
    in_trouble = supervised = 0
    for zone in zones:
        if zone.available:
            in_trouble += zone.trouble
            supervised += not zone.held
    offline = stood_in = 0
    for status in modules:
        offline += status.online is False
        stood_in += status.is_stood_in
    fire = bool(in_alarm)
    connected = 0
    trouble = bool(in_trouble or offline)
    for word in words:
        connected += word.fresh
        if not word.believed:
            trouble = True
            continue
        trouble = trouble or Led.TROUBLE in (word.leds or ())
        fire = fire or _shows_fire(word, explained)
    return SiteSummary(
        fire=fire,
        trouble=trouble,
        in_alarm=in_alarm,
        in_trouble=in_trouble,
        modules_offline=offline,
        modules_stood_in=stood_in,
        nodes_connected=connected,
        nodes_total=len(words),
        zones_supervised=supervised,
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
