"""The options' steps for alarms: how long they are shown, and who confirms whom.

Everything is kept as soon as it is submitted, and a running site takes it over
without a reload: no link, no alarm and no event notices.
"""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import voluptuous as vol

from .alarm_options import (
    CONF_GROUP_DELAY_SECONDS,
    CONF_GROUP_NAME,
    CONF_GROUP_ZONES,
    CONF_GROUPS,
    CONF_LATCH,
    groups_from_options,
    groups_to_options,
    latch_from_options,
)
from .fleet.confirmation import (
    DEFAULT_DELAY_SECONDS,
    MAX_DELAY_SECONDS,
    ConfirmationGroup,
)
from .fleet.models import LatchMode, zones_of_module
from .site_dialogue import choice
from .topology import nodes_from_entry
from .words import code, number_ranges
from .zone_ranges import ZonesError, parse_zones

CONF_GROUP: Final = "group"
CONF_GONE: Final = "groups"

SECTION_SINGLE: Final = "single_alarm"

MAX_NAME: Final = 100
"""Longest name of a group, in characters."""

_FEWEST_ZONES: Final = 2


class AlarmSteps(OptionsFlow):
    """What an alarm of the site is taken for; each form is kept by itself."""

    def __init__(self) -> None:
        """Start with no group chosen."""
        super().__init__()
        self._edited: str | None = None

    async def async_step_alarms(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Offer the latch and the groups there are."""
        groups = self._groups()
        steps = ["latch", "group_add"]
        if groups:
            steps += ["group_edit", "group_remove"]
        return self.async_show_menu(
            step_id="alarms",
            menu_options=[*steps, "alarms_done"],
            description_placeholders={
                "groups": "\n".join(map(_describe, groups)) or "–"
            },
        )

    async def async_step_alarms_done(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Leave; everything is kept already."""
        return self.async_create_entry(data=dict(self.config_entry.options))

    async def async_step_latch(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how long a zone in alarm is shown so."""
        if user_input is not None:
            return await self._async_keep({CONF_LATCH: user_input[CONF_LATCH]})
        latch = latch_from_options(self.config_entry.options)
        return self.async_show_form(
            step_id="latch",
            data_schema=vol.Schema(
                {
                    vol.Required(CONF_LATCH, default=latch.value): choice(
                        CONF_LATCH, tuple(LatchMode)
                    )
                }
            ),
            last_step=False,
        )

    async def async_step_group_add(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on to the form of a new group."""
        self._edited = None
        return await self.async_step_group()

    async def async_step_group_edit(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which group to change, if there is more than one."""
        groups = self._groups()
        if user_input is None and len(groups) > 1:
            return self.async_show_form(
                step_id="group_edit",
                data_schema=vol.Schema(
                    {vol.Required(CONF_GROUP): _pick(groups, multiple=False)}
                ),
                last_step=False,
            )
        self._edited = user_input[CONF_GROUP] if user_input else groups[0].name
        return await self.async_step_group()

    async def async_step_group_remove(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which groups shall be no more."""
        groups = self._groups()
        if user_input is None:
            return self.async_show_form(
                step_id="group_remove",
                data_schema=vol.Schema(
                    {vol.Required(CONF_GONE, default=[]): _pick(groups, multiple=True)}
                ),
                last_step=False,
            )
        gone = user_input[CONF_GONE]
        return await self._async_keep_groups(
            [group for group in groups if group.name not in gone]
        )

    async def async_step_group(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a group's name, zones and delay; keep it if it can be one."""
        groups = self._groups()
        edited = next((one for one in groups if one.name == self._edited), None)
        others = [one for one in groups if one is not edited]
        if user_input is None:
            return self._show_group(_values(edited))
        try:
            group = self._read_group(user_input, others)
        except _GroupError as err:
            return self._show_group(user_input, err)
        if edited is None:
            return await self._async_keep_groups([*groups, group])
        return await self._async_keep_groups(
            [group if one is edited else one for one in groups]
        )

    def _read_group(
        self, typed: Mapping[str, Any], others: list[ConfirmationGroup]
    ) -> ConfirmationGroup:
        """Return the group that was typed.

        Raises:
            _GroupError: it cannot be one beside the others.

        """
        name = " ".join(typed.get(CONF_GROUP_NAME, "").split())
        if not name:
            raise _GroupError(CONF_GROUP_NAME, "name_blank")
        if len(name) > MAX_NAME:
            raise _GroupError(CONF_GROUP_NAME, "name_too_long", item=str(MAX_NAME))
        if any(one.name.casefold() == name.casefold() for one in others):
            raise _GroupError(CONF_GROUP_NAME, "name_taken", item=name)
        known = self._zones()
        try:
            zones = parse_zones(typed.get(CONF_GROUP_ZONES, ""), known)
        except ZonesError as err:
            raise _GroupError(
                CONF_GROUP_ZONES, err.key, item=err.item, known=number_ranges(known)
            ) from err
        if len(zones) < _FEWEST_ZONES:
            raise _GroupError(CONF_GROUP_ZONES, "zones_too_few")
        for other in others:
            if taken := zones & other.zones:
                # Its alarm would be confirmed twice, and outputs told twice.
                raise _GroupError(
                    CONF_GROUP_ZONES,
                    "zones_taken",
                    item=number_ranges(sorted(taken)),
                    group=other.name,
                )
        delay = typed[SECTION_SINGLE][CONF_GROUP_DELAY_SECONDS]
        return ConfirmationGroup(name, zones, float(delay))

    def _show_group(
        self, values: Mapping[str, Any], error: _GroupError | None = None
    ) -> ConfigFlowResult:
        """Show the form of a group with what was typed or stored before."""
        schema = vol.Schema(
            {
                vol.Optional(CONF_GROUP_NAME): TextSelector(),
                vol.Optional(CONF_GROUP_ZONES): TextSelector(),
                vol.Required(SECTION_SINGLE): section(
                    vol.Schema(
                        {
                            vol.Required(
                                CONF_GROUP_DELAY_SECONDS,
                                default=round(DEFAULT_DELAY_SECONDS),
                            ): _delay()
                        }
                    )
                ),
            }
        )
        return self.async_show_form(
            step_id="group",
            data_schema=self.add_suggested_values_to_schema(schema, values),
            errors=None if error is None else {error.field: error.key},
            description_placeholders={
                "known": number_ranges(self._zones()),
                **(error.placeholders if error else {}),
            },
            last_step=False,
        )

    async def _async_keep_groups(
        self, groups: list[ConfirmationGroup]
    ) -> ConfigFlowResult:
        """Keep these groups and go back to what there is."""
        return await self._async_keep({CONF_GROUPS: groups_to_options(groups)})

    async def _async_keep(self, options: Mapping[str, Any]) -> ConfigFlowResult:
        """Keep options at once and go back to what there is."""
        entry = self.config_entry
        self.hass.config_entries.async_update_entry(
            entry, options={**entry.options, **options}
        )
        return await self.async_step_alarms()

    def _groups(self) -> list[ConfirmationGroup]:
        """Return the groups as they are now."""
        return groups_from_options(self.config_entry.options)

    def _zones(self) -> list[int]:
        """Return the zones of the site: configured, or found on a running one."""
        entry = self.config_entry
        zones = {
            zone
            for node in nodes_from_entry(entry.data)
            for module in node.modules
            for zone in zones_of_module(module)
        }
        if entry.state is ConfigEntryState.LOADED:
            zones |= entry.runtime_data.truth.zones.keys()
        return sorted(zones)


class _GroupError(Exception):
    """What was typed can be no group.

    `field` is the one to mark, `key` the error's translation key, and
    `placeholders` what its text needs.
    """

    def __init__(self, field: str, key: str, **placeholders: str) -> None:
        """Keep what the form shows."""
        super().__init__(key)
        self.field = field
        self.key = key
        self.placeholders = placeholders


def _values(group: ConfirmationGroup | None) -> dict[str, Any]:
    """Return what to fill the form of a group with."""
    if group is None:
        return {}
    return {
        CONF_GROUP_NAME: group.name,
        CONF_GROUP_ZONES: number_ranges(sorted(group.zones)),
        SECTION_SINGLE: {CONF_GROUP_DELAY_SECONDS: round(group.delay_seconds)},
    }


def _describe(group: ConfirmationGroup) -> str:
    """Return a line about a group, the same in every language."""
    zones = number_ranges(sorted(group.zones))
    return f"- {code(group.name)}: {zones} ({group.delay_seconds:g} s)"


def _pick(groups: list[ConfirmationGroup], *, multiple: bool) -> SelectSelector:
    """Return a list of groups to pick from."""
    return SelectSelector(
        SelectSelectorConfig(
            options=[
                SelectOptionDict(
                    value=group.name,
                    label=f"{group.name} ({number_ranges(sorted(group.zones))})",
                )
                for group in groups
            ],
            multiple=multiple,
            mode=SelectSelectorMode.LIST,
        )
    )


def _delay() -> vol.All:
    """Return a box for whole seconds, 0-600."""
    return vol.All(
        NumberSelector(
            NumberSelectorConfig(
                min=0,
                max=MAX_DELAY_SECONDS,
                step=1,
                mode=NumberSelectorMode.BOX,
                unit_of_measurement="s",
            )
        ),
        vol.Coerce(int),
    )
