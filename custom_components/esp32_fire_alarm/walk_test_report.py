"""The report of a walk test whose time is over, for whoever walked.

Whoever ends a test gets its report as the answer of that action. A test that
ends by itself has nobody to answer to: its report stays among Home Assistant's
notifications until somebody has read it.
"""

from collections.abc import Iterator
from typing import Final

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .events import place_of_zone
from .fleet.impairment import WalkTestResult
from .fleet.telling import EventKind, SiteEvent
from .site import FireAlarmConfigEntry, FireAlarmSite
from .words import Words, number_ranges

_REPORT: Final = "walk_test_report"


@callback
def async_report_walk_tests(hass: HomeAssistant, entry: FireAlarmConfigEntry) -> None:
    """Put the report of every walk test that runs out among the notifications."""
    site = entry.runtime_data

    @callback
    def look(event: SiteEvent) -> None:
        if event.kind is EventKind.WALK_TEST_ENDED and event.by is None:
            entry.async_create_task(
                hass, _async_notify(site, event), f"{DOMAIN} walk test report"
            )

    entry.async_on_unload(site.async_listen_events(look))


async def _async_notify(site: FireAlarmSite, event: SiteEvent) -> None:
    """Write the report down."""
    words = await Words.async_get(site.hass)
    persistent_notification.async_create(
        site.hass,
        "\n".join(_lines(site, words, event)),
        title=words.say(_REPORT, "title", site=site.entry.title),
        notification_id=f"{DOMAIN}_walk_test_{site.site_id}_{event.at:.0f}",
    )


def _lines(site: FireAlarmSite, words: Words, event: SiteEvent) -> Iterator[str]:
    """Yield the report: who was set off when, and who was not."""
    answered = [one for one in event.report if one.activated_at is not None]
    silent = [one.zone for one in event.report if one.activated_at is None]
    testers = ", ".join(dict.fromkeys(one.by for one in event.report))
    yield words.say(
        _REPORT,
        "summary",
        set_off=len(answered),
        tested=len(event.report),
        tester=testers,
    )
    yield ""
    if answered:
        yield words.say(_REPORT, "columns")
        yield "|---|---|---|---|"
        yield from (_row(site, one) for one in answered)
        yield ""
    if silent:
        yield words.say(_REPORT, "not_set_off", zones=number_ranges(silent))


def _row(site: FireAlarmSite, one: WalkTestResult) -> str:
    """Return a line of the table: zone, name, time, latency."""
    assert one.activated_at is not None
    name = (place_of_zone(site, one.zone).name or "").replace("|", "/")
    at = dt_util.as_local(dt_util.utc_from_timestamp(one.activated_at))
    latency = "–" if one.latency is None else f"{one.latency * 1000:.0f} ms"
    return f"| {one.zone} | {name} | {at:%Y-%m-%d %H:%M:%S} | {latency} |"
