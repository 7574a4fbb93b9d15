"""How a site's alarms are treated, as the options of its entry store it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from .fleet.alarms import AlarmBook
from .fleet.confirmation import (
    DEFAULT_DELAY_SECONDS,
    MAX_DELAY_SECONDS,
    ConfirmationGroup,
)
from .fleet.models import LatchMode
from .fleet.truth import SiteTruth

CONF_LATCH: Final = "latch"
"""One of `LatchMode`."""

CONF_GROUPS: Final = "confirmation_groups"
"""A list of groups, each with the three keys below."""

CONF_GROUP_NAME: Final = "name"
CONF_GROUP_ZONES: Final = "zones"
CONF_GROUP_DELAY_SECONDS: Final = "delay_seconds"


def latch_from_options(options: Mapping[str, Any]) -> LatchMode:
    """Return how long alarms are shown; as on the panel where nobody said."""
    return LatchMode(options.get(CONF_LATCH, LatchMode.PANEL))


def groups_from_options(options: Mapping[str, Any]) -> list[ConfirmationGroup]:
    """Return the groups whose zones confirm each other; none where nobody said.

    A delay out of bounds is taken as the nearest one that is allowed.
    """
    return [
        ConfirmationGroup(
            name=group[CONF_GROUP_NAME],
            zones=frozenset(group[CONF_GROUP_ZONES]),
            delay_seconds=min(
                max(0.0, group.get(CONF_GROUP_DELAY_SECONDS, DEFAULT_DELAY_SECONDS)),
                MAX_DELAY_SECONDS,
            ),
        )
        for group in options.get(CONF_GROUPS, ())
    ]


def groups_to_options(groups: Iterable[ConfirmationGroup]) -> list[dict[str, Any]]:
    """Return what `groups_from_options` reads as these groups, in JSON's types."""
    return [
        {
            CONF_GROUP_NAME: group.name,
            CONF_GROUP_ZONES: sorted(group.zones),
            CONF_GROUP_DELAY_SECONDS: round(group.delay_seconds),
        }
        for group in groups
    ]


def apply_alarm_options(
    options: Mapping[str, Any], truth: SiteTruth, book: AlarmBook
) -> None:
    """Have a site treat its alarms by these options from now on.

    Alarms that stand stay shown by the latch they began with, and a group that
    is confirmed is not confirmed again.
    """
    truth.latch = latch_from_options(options)
    book.regroup(groups_from_options(options))
