"""The target of an action turned into sites, zones and nodes, or refused.

What means nothing to an action is refused by name: acting on other zones of a
fire alarm than somebody meant is worse than not acting.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from homeassistant.const import (
    ATTR_AREA_ID,
    ATTR_DEVICE_ID,
    ATTR_ENTITY_ID,
    ATTR_FLOOR_ID,
    ATTR_LABEL_ID,
)
from homeassistant.core import ServiceCall
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.target import TargetSelection

from .const import DOMAIN
from .events import place_of_zone
from .site import FireAlarmSite
from .targets import Choice, choose, choose_all, each_item, loaded_sites

_TARGET_KEYS: Final = frozenset(
    {ATTR_ENTITY_ID, ATTR_DEVICE_ID, ATTR_AREA_ID, ATTR_FLOOR_ID, ATTR_LABEL_ID}
)

type Choices = list[tuple[FireAlarmSite, Choice]]


def zones_or_all(call: ServiceCall) -> Choices:
    """Return the zones that an action is about; without a target, all of every site.

    Raises:
        ServiceValidationError: no site runs, or there are no zones in something
            that was chosen.

    """
    if _TARGET_KEYS.isdisjoint(call.data):
        return [(site, choose_all(site)) for site in _sites(call)]
    return _choices(call, lambda choice: bool(choice.zones))


def zones_by_name(call: ServiceCall) -> Choices:
    """Return the zones that were chosen, but never all at once.

    Raises:
        ServiceValidationError: no site runs, a whole site was chosen, or there
            are no zones in something that was chosen.

    """
    choices = _choices(call, lambda choice: bool(choice.zones))
    whole = [site.entry.title for site, choice in choices if choice.is_whole]
    if whole:
        raise _refusal("target_whole_site", whole)
    return choices


def nodes_of(call: ServiceCall) -> Choices:
    """Return the nodes that were chosen: themselves, or with their site.

    Raises:
        ServiceValidationError: no site runs, or something that was chosen is
            no node.

    """
    return _choices(call, lambda choice: bool(choice.nodes), "target_not_a_node")


def describe_zone(site: FireAlarmSite, zone: int) -> dict[str, Any]:
    """Return which zone (1-315) is meant, as answers of actions say it."""
    place = place_of_zone(site, zone)
    return {
        "site": site.entry.title,
        "zone": zone,
        "name": place.name,
        **place.as_payload(),
    }


def _choices(
    call: ServiceCall, is_meant: Callable[[Choice], bool], key: str = "target_no_zones"
) -> Choices:
    """Return what the target means where it means something.

    Raises a `ServiceValidationError` with `key` for what means nothing.
    """
    sites = _sites(call)
    selection = TargetSelection(dict(call.data))
    foreign = [
        name
        for name, item in each_item(selection)
        if not any(is_meant(choose(site, item)) for site in sites)
    ]
    if foreign:
        raise _refusal(key, foreign)
    choices = [(site, choose(site, selection)) for site in sites]
    choices = [(site, choice) for site, choice in choices if is_meant(choice)]
    if not choices:
        raise _refusal("target_empty")
    return choices


def _sites(call: ServiceCall) -> list[FireAlarmSite]:
    """Return the sites that run, of which there has to be one."""
    if not (sites := loaded_sites(call.hass)):
        raise _refusal("no_site")
    return sites


def _refusal(key: str, items: Iterable[str] = ()) -> ServiceValidationError:
    """Return the error that names what is wrong with a target."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={"items": ", ".join(items)},
    )
