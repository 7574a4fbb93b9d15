"""A site's events as sentences in Home Assistant's logbook."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from homeassistant.components.logbook.const import (
    LOGBOOK_ENTRY_ENTITY_ID,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .const import ATTR_TYPE, DOMAIN
from .events import ATTR_REPORT, EVENT_FIRE_ALARM
from .fleet.telling import EventKind
from .words import number_ranges

NAMED: Final = 10
"""A sentence has this many names at most."""


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[Event], dict[str, str]]], None],
) -> None:
    """Tell the logbook who can put the events into words."""
    async_describe_event(DOMAIN, EVENT_FIRE_ALARM, _describe)


@callback
def _describe(event: Event[Mapping[str, Any]]) -> dict[str, str]:
    """Return subject and sentence of an event."""
    data = event.data
    try:
        subject, message = _subject(data), _SENTENCES[data[ATTR_TYPE]](data)
    except KeyError:
        # An event of another version of this software, from the recorder.
        subject, message = "Fire alarm", str(data.get(ATTR_TYPE))
    entry = {LOGBOOK_ENTRY_NAME: subject, LOGBOOK_ENTRY_MESSAGE: message}
    if entity_id := data.get(ATTR_ENTITY_ID):
        entry[LOGBOOK_ENTRY_ENTITY_ID] = entity_id
    return entry


def _subject(data: Mapping[str, Any]) -> str:
    """Return whom a sentence is about: zone, group, node, or the site."""
    if "zone_name" in data:
        place = data["area_name"] or data["device_name"]
        return f"{data['zone_name']} ({place})" if place else data["zone_name"]
    if data.get("group"):
        return f"{data['site']}, {data['group']}"
    if "node" in data:
        return data["device_name"] or f"Node {data['node']}"
    return str(data["site"])


def _alarm(data: Mapping[str, Any]) -> str:
    """Return the sentence for an alarm."""
    which = "first alarm" if data["first"] else f"alarm no. {data['order']}"
    drill = ", during a drill" if data["drill"] else ""
    return f"went into alarm: {which} of the site{drill}{_found(data)}"


def _lost(data: Mapping[str, Any]) -> str:
    """Return the sentence for a lost node."""
    modules = f", with {_modules(data)}" if data["modules"] else ""
    return f"is lost ({data['reason'].replace('_', ' ')}){modules}"


def _lamps(data: Mapping[str, Any]) -> str:
    """Return the sentence for a panel's lamps."""
    changes = [
        f"{_list(data[key])} {what}"
        for key, what in (("went_on", "lit up"), ("went_off", "went out"))
        if data[key]
    ]
    return f"shows another panel status: {'; '.join(changes)}{_found(data)}"


def _disabled(data: Mapping[str, Any]) -> str:
    """Return the sentence for disabled zones."""
    until = _until(data) if data["until"] else ""
    why = f": {data['why']}" if data["why"] else ""
    return f"{_zones(data)} disabled{_by(data)}{until}{why}"


def _silenced(data: Mapping[str, Any]) -> str:
    """Return the sentence for a silence in Home Assistant."""
    return f"silenced in Home Assistant{_by(data)}{_until(data)}"


def _command(data: Mapping[str, Any]) -> str:
    """Return the sentence for a command to a panel."""
    outcome = data["outcome"].replace("_", " ")
    return f"was given the panel command {data['command']}{_by(data)}: {outcome}"


def _walk_test(data: Mapping[str, Any]) -> str:
    """Return the sentence for a walk test that is over."""
    report = data[ATTR_REPORT]
    set_off = sum(one["set_off_at"] is not None for one in report)
    return (
        f"walk test of {_zones(data)} ended{_by(data)}: "
        f"{set_off} of {len(report)} set off"
    )


def _found(data: Mapping[str, Any]) -> str:
    """Return that something was found on connecting, if it was."""
    return " (found on connecting)" if data["found_on_resync"] else ""


def _by(data: Mapping[str, Any]) -> str:
    """Return who did it."""
    return f" by {data['by']}" if data["by"] else ", as their time was over"


def _until(data: Mapping[str, Any]) -> str:
    """Return until when, in the server's time."""
    until = dt_util.parse_datetime(data["until"], raise_on_error=True)
    return f" until {dt_util.as_local(until):%Y-%m-%d %H:%M}"


def _zones(data: Mapping[str, Any]) -> str:
    """Return which zones."""
    word = "zone" if len(data["zones"]) == 1 else "zones"
    return f"{word} {number_ranges(data['zones'])}"


def _modules(data: Mapping[str, Any]) -> str:
    """Return which modules."""
    word = "module" if len(data["modules"]) == 1 else "modules"
    return f"{word} {number_ranges(data['modules'])}"


def _list(names: list[str]) -> str:
    """Return some names in a row, and how many there are more."""
    more = len(names) - NAMED
    named = ", ".join(names[:NAMED])
    return f"{named} and {more} more" if more > 0 else named


_SENTENCES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    EventKind.ALARM: _alarm,
    EventKind.ALARM_RESTORED: lambda data: f"is no longer in alarm{_found(data)}",
    EventKind.CONFIRMED_ALARM: lambda data: (
        f"alarm is confirmed: {_list(data['zone_names'])}"
    ),
    EventKind.TROUBLE: lambda data: f"is in trouble{_found(data)}",
    EventKind.TROUBLE_RESTORED: lambda data: f"is no longer in trouble{_found(data)}",
    EventKind.NODE_LOST: _lost,
    EventKind.NODE_RETURNED: lambda data: "is back",
    EventKind.FAILOVER: lambda data: (
        f"speaks for {_modules(data)} now, instead of node {data['node_before']}"
    ),
    EventKind.BELL: lambda data: (
        f"bell of module {data['module']} "
        f"{'rings' if data['on'] else 'fell silent'}{_found(data)}"
    ),
    EventKind.PANEL_STATUS: _lamps,
    EventKind.ACKNOWLEDGED: lambda data: (
        f"alarms and troubles of {_zones(data)} acknowledged{_by(data)}"
    ),
    EventKind.RESET: lambda data: f"{_zones(data)} reset{_by(data)}",
    EventKind.DISABLED: _disabled,
    EventKind.ENABLED: lambda data: f"{_zones(data)} enabled again{_by(data)}",
    EventKind.DISABLED_ZONE_ALARM: lambda data: (
        f"went into alarm, but is disabled{_found(data)}"
    ),
    EventKind.WALK_TEST_STARTED: lambda data: (
        f"walk test of {_zones(data)} started{_by(data)}"
    ),
    EventKind.WALK_TEST: lambda data: f"was set off in its walk test{_found(data)}",
    EventKind.WALK_TEST_ENDED: _walk_test,
    EventKind.SILENCED: _silenced,
    EventKind.PANEL_COMMAND: _command,
}
