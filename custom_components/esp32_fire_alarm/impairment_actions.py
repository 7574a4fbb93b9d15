"""The actions that take zones out and put them back: disable, enable, walk test.

Who, why and until when is kept; what is taken out stays visible all the time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
import time
from typing import Any, Final

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .events import iso, place_of_zone
from .fleet.impairment import MAX_TEST_SECONDS, RefusedError, WalkTestResult
from .people import async_name_of
from .service_targets import describe_zone, zones_by_name, zones_or_all
from .site import FireAlarmSite

ATTR_DURATION: Final = "duration"
ATTR_REASON: Final = "reason"
ATTR_UNTIL: Final = "until"

TEST_SECONDS: Final = 3600.0
"""How long a walk test lasts unless somebody says otherwise."""


async def async_disable_zone(call: ServiceCall) -> None:
    """Take zones out, for a time or until somebody puts them back."""
    choices = zones_by_name(call)
    until = _until(call)
    by = await async_name_of(call.hass, call.context)
    for site, choice in choices:
        with _refusals_of(site):
            site.book.disable(choice.zones, by, call.data[ATTR_REASON], until)


async def async_enable_zone(call: ServiceCall) -> None:
    """Put disabled zones back; one that is in alarm is a fire from now on."""
    choices = zones_by_name(call)
    by = await async_name_of(call.hass, call.context)
    for site, choice in choices:
        site.book.enable(choice.zones, by)


async def async_start_walk_test(call: ServiceCall) -> None:
    """Let zones be set off without a fire, for a time."""
    choices = zones_by_name(call)
    until = time.time() + seconds_of(call, TEST_SECONDS, MAX_TEST_SECONDS)
    by = await async_name_of(call.hass, call.context)
    for site, choice in choices:
        with _refusals_of(site):
            site.book.start_test(choice.zones, by, until)


async def async_stop_walk_test(call: ServiceCall) -> ServiceResponse:
    """End walk tests and return what they found out."""
    choices = zones_or_all(call)
    by = await async_name_of(call.hass, call.context)
    results = [
        _describe(site, result)
        for site, choice in choices
        for result in site.book.stop_test(choice.zones, by)
    ]
    return {
        "zones_tested": len(results),
        "zones_set_off": sum(result["set_off"] for result in results),
        "report": results,
    }


def seconds_of(call: ServiceCall, default: float, most: float) -> float:
    """Return the duration that an action was given, in seconds.

    Raises:
        ServiceValidationError: it is nothing, or longer than `most`.

    """
    duration: timedelta | None = call.data.get(ATTR_DURATION)
    seconds = default if duration is None else duration.total_seconds()
    if not 0 < seconds <= most:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="duration_out_of_range",
            translation_placeholders={"most": str(timedelta(seconds=most))},
        )
    return seconds


def _until(call: ServiceCall) -> float | None:
    """Return when a disablement ends, seconds since the epoch; None: when enabled."""
    duration: timedelta | None = call.data.get(ATTR_DURATION)
    until: datetime | None = call.data.get(ATTR_UNTIL)
    if duration is not None and until is not None:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="duration_or_until"
        )
    if duration is not None:
        return time.time() + duration.total_seconds()
    return None if until is None else dt_util.as_utc(until).timestamp()


@contextmanager
def _refusals_of(site: FireAlarmSite) -> Iterator[None]:
    """Turn what the alarm book refuses into an error for people."""
    try:
        yield
    except RefusedError as err:
        zones = [place_of_zone(site, zone).name or str(zone) for zone in err.zones]
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=f"refused_{err.reason}",
            translation_placeholders={"zones": ", ".join(zones)},
        ) from err


def _describe(site: FireAlarmSite, result: WalkTestResult) -> dict[str, Any]:
    """Return what a walk test found out about one zone, in JSON's types."""
    at = result.activated_at
    return {
        **describe_zone(site, result.zone),
        "set_off": at is not None,
        "set_off_at": None if at is None else iso(at),
        "activations": result.activations,
        "latency_ms": None if result.latency is None else round(result.latency * 1000),
        "tester": result.by,
        "started_at": iso(result.since),
        "ended_at": iso(result.ended_at),
    }
