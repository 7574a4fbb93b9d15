"""What a browser is told of a site, in JSON's types and in few bytes.

A wall of 315 zones is sent to every screen that shows it, so numbers stand for
words: a zone is one code of the bits below, unless it is in alarm or trouble,
when it is [code, raised at, order]. Times are milliseconds since the epoch.
The reader on the other side is `frontend/model.js`.
"""

from collections.abc import Iterable, Mapping
from enum import IntFlag
from typing import Any, Final

from homeassistant.helpers import device_registry as dr, entity_registry as er

from .events import place_of_device, place_of_zone
from .fleet.health import NodeHealth, Verdict
from .fleet.impairment import Impairment, ImpairmentKind
from .fleet.metrics import SiteMetrics
from .fleet.models import Led, zones_of_module
from .fleet.occurrence import Occurrence, OccurrenceKind
from .fleet.paths import Path
from .site import FireAlarmSite

type Json = dict[str, Any]
type Standing = Mapping[tuple[OccurrenceKind, int], Occurrence]


class ZoneBit(IntFlag):
    """What may be true of a zone."""

    ALARM = 1
    LIVE = 2
    TROUBLE = 4
    AVAILABLE = 8
    HELD = 16
    DISABLED = 32
    TEST = 64
    ACKNOWLEDGED = 128
    DRILL = 256
    RESYNC = 512


class LogBit(IntFlag):
    """What may be true of an entry of the log."""

    RESYNC = 1
    DRILL = 2
    TEST = 4
    DISABLED = 8


LOST, HELD, FRESH = range(3)
"""How a node's word stands: not at all, for a while yet, or by its last frame."""

_OF_IMPAIRMENT: Final = {
    ImpairmentKind.DISABLED: ZoneBit.DISABLED,
    ImpairmentKind.TEST: ZoneBit.TEST,
}


def layout_of(site: FireAlarmSite) -> Json:
    """Return what has a name: the site, its nodes, modules, zones and their areas.

    A zone is [name, area], a module [number, node, name or null, zones] where
    only a module that shares its node has a name, a node [number, name,
    address, device]. Areas stand in a list of their own, -1 is no area.
    """
    areas: dict[str, int] = {}

    def area_number(name: str | None) -> int:
        """Return the place of an area in the list."""
        return -1 if name is None else areas.setdefault(name, len(areas))

    modules = []
    for module, status in sorted(site.truth.modules.items()):
        places = [place_of_zone(site, zone) for zone in zones_of_module(module)]
        name = places[0].device_name if site.is_shared(status.owner) else None
        zones = [[place.name, area_number(place.area_name)] for place in places]
        modules.append([module, status.owner, name, zones])
    nodes = []
    for node, config in sorted(site.configs.items()):
        place = place_of_device(site.hass, site.device_ids.get(node))
        name = place.device_name or f"Node {node}"
        nodes.append([node, name, str(config.address), place.device_id])
    hub = dr.async_get(site.hass).async_get_device_by_identifier(
        site.identifier, site.entry.entry_id
    )
    return {
        "title": site.entry.title,
        "device": None if hub is None else hub.id,
        "nodes": nodes,
        "modules": modules,
        "areas": list(areas),
    }


def standing_of(site: FireAlarmSite) -> Standing:
    """Return what zones are in, for looking up."""
    return {(one.kind, one.zone): one for one in site.book.standing()}


def impaired_bits(site: FireAlarmSite) -> dict[int, ZoneBit]:
    """Return in which way zones (1-315) are taken out, those that are."""
    bits: dict[int, ZoneBit] = {}
    for one in site.book.impairments():
        bits[one.zone] = bits.get(one.zone, ZoneBit(0)) | _OF_IMPAIRMENT[one.kind]
    return bits


def zones_of(
    site: FireAlarmSite, zones: Iterable[int], impaired: Mapping[int, ZoneBit]
) -> Json:
    """Return the state of zones (1-315), those that the site has, by number."""
    standing = standing_of(site)
    return {
        str(zone): _zone(site, zone, standing, impaired.get(zone, ZoneBit(0)))
        for zone in zones
        if zone in site.truth.zones
    }


def _zone(
    site: FireAlarmSite, zone: int, standing: Standing, impaired: ZoneBit
) -> int | list[int]:
    """Return the state of one zone."""
    state = site.truth.zones[zone]
    code = int(impaired)
    code |= ZoneBit.ALARM if state.alarm else 0
    code |= ZoneBit.LIVE if state.live else 0
    code |= ZoneBit.TROUBLE if state.trouble else 0
    code |= ZoneBit.AVAILABLE if state.available else 0
    code |= ZoneBit.HELD if state.held else 0
    if not state.alarm and not state.trouble:
        return code
    kind = OccurrenceKind.ALARM if state.alarm else OccurrenceKind.TROUBLE
    if (one := standing.get((kind, zone))) is None:
        return code
    code |= ZoneBit.ACKNOWLEDGED if one.acknowledged_at is not None else 0
    code |= ZoneBit.DRILL if one.drill else 0
    code |= ZoneBit.RESYNC if one.found_on_resync else 0
    return [code, _ms(one.raised_at), one.order or 0]


def modules_of(site: FireAlarmSite, modules: Iterable[int]) -> Json:
    """Return modules (1-63) as [answers or -1 for unknown, bell, active source]."""
    found = {}
    for module in modules:
        if (status := site.truth.modules.get(module)) is not None:
            answers = -1 if status.online is None else int(status.online)
            found[str(module)] = [answers, int(status.bell), status.source or 0]
    return found


def node_of(site: FireAlarmSite, node: int, health: NodeHealth) -> list[int]:
    """Return a node as [how its word stands, its verdict, on its standby path]."""
    if site.truth.is_fresh(node):
        word = FRESH
    else:
        word = LOST if site.truth.is_given_up(node) else HELD
    verdict = tuple(Verdict).index(health.verdict)
    return [word, verdict, int(health.path is Path.STANDBY)]


def summary_of(site: FireAlarmSite) -> Json:
    """Return the whole site in a few numbers."""
    summary = site.summary
    silence = site.sounder.silence
    return {
        "fire": summary.fire,
        "trouble": summary.trouble,
        "offline": summary.modules_offline,
        "connected": summary.nodes_connected,
        "nodes": summary.nodes_total,
        "supervised": summary.zones_supervised,
        "zones": summary.zones_total,
        "silenced": None if silence is None else [_ms(silence.until), silence.by],
    }


def lamps_of(site: FireAlarmSite) -> Json:
    """Return on how many panels each lamp is lit, and how many are known."""
    known = 0
    lit: dict[Led, int] = {}
    for node in site.configs:
        if (lamps := site.truth.leds(node)) is not None:
            known += 1
            for lamp in lamps:
                lit[lamp] = lit.get(lamp, 0) + 1
    return {"known": known, "lit": lit}


def health_of(health: Mapping[int, NodeHealth]) -> list[list[Any]]:
    """Return the health of all nodes as rows of a table."""
    return [
        [
            node,
            one.verdict,
            one.reason,
            one.state,
            one.path,
            _any_ms(one.round_trip_seconds),
            _any_ms(one.data_age_seconds),
            one.reconnects_24h,
            one.malformed,
            one.free_heap,
            one.clients,
            _any_ms(one.booted_at),
        ]
        for node, one in health.items()
    ]


def sample_of(metrics: SiteMetrics, at: float) -> list[float | None]:
    """Return one point of the plots: time, frames a second, latency p50 and p99."""
    return [
        _ms(at),
        round(metrics.frames_per_second, 1),
        _fine_ms(metrics.latency_p50),
        _fine_ms(metrics.latency_p99),
    ]


def metrics_of(metrics: SiteMetrics) -> Json:
    """Return what the site's messages cost."""
    return {
        "bytes_per_second": round(metrics.bytes_per_second),
        "frames": metrics.frames,
        "identical": metrics.identical,
        "decoded": metrics.decoded,
        "malformed": metrics.malformed,
        "throttled": metrics.throttled,
        "waiting": metrics.inbox_depth,
    }


def log_of(occurrences: Iterable[Occurrence]) -> list[list[Any]]:
    """Return entries of the log as rows of a table, in the order given."""
    return [
        [
            one.id,
            one.kind,
            one.zone,
            one.source,
            _ms(one.raised_at),
            one.order or 0,
            _log_bits(one),
            _any_ms(one.restored_at),
            _any_ms(one.ended_at),
            _any_ms(one.acknowledged_at),
            one.acknowledged_by,
            _any_ms(one.reset_at),
            one.reset_by,
            _fine_ms(one.latency),
        ]
        for one in occurrences
    ]


def _log_bits(one: Occurrence) -> int:
    """Return the circumstances of an entry of the log."""
    return (
        (LogBit.RESYNC if one.found_on_resync else 0)
        | (LogBit.DRILL if one.drill else 0)
        | (LogBit.TEST if one.test else 0)
        | (LogBit.DISABLED if one.disabled else 0)
    )


def zone_details(site: FireAlarmSite, zone: int) -> Json:
    """Return what only somebody who looks at one zone (1-315) wants to know."""
    place = place_of_zone(site, zone)
    entity = None
    if place.entity_id is not None:
        entity = er.async_get(site.hass).async_get(place.entity_id)
    is_shown = entity is not None and entity.disabled_by is None
    return {
        "entity": place.entity_id if is_shown else None,
        "device": place.device_id,
        "impairments": [
            _impairment(one) for one in site.book.impairments() if one.zone == zone
        ],
        "log": log_of(one for one in site.book.occurrences() if one.zone == zone),
    }


def _impairment(one: Impairment) -> Json:
    """Return who took a zone out, why and until when."""
    return {
        "kind": one.kind,
        "by": one.by,
        "since": _ms(one.since),
        "until": _any_ms(one.until),
        "why": one.why,
    }


def _ms(seconds: float) -> int:
    """Return seconds as whole milliseconds."""
    return round(seconds * 1000)


def _any_ms(seconds: float | None) -> int | None:
    """Return seconds as whole milliseconds, nothing as nothing."""
    return None if seconds is None else _ms(seconds)


def _fine_ms(seconds: float | None) -> float | None:
    """Return seconds as milliseconds, to the hundredth."""
    return None if seconds is None else round(seconds * 1000, 2)
