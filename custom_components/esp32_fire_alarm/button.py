"""The panel's four keys, one set for each ESP32; only there if somebody allowed them.

They are in the configuration category, so that nobody presses them by chance:
no dashboard is made of them unasked, and `button.press` on an area passes by.
"""

from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import DeviceCoordinator
from .dynamic_entities import async_add_dynamically
from .entity import NodeEntity, Reading, ReadingDescription
from .fleet.commands import Command
from .panel_control import are_commands_allowed, async_command
from .site import FireAlarmConfigEntry

# A press waits for the panel's lamp; the other panels' keys must not wait for it.
PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class CommandButtonDescription(
    ButtonEntityDescription, ReadingDescription[DeviceCoordinator]
):
    """A button and the command it gives."""

    command: Command


BUTTONS: Final = tuple(
    CommandButtonDescription(
        key=f"command_{command}",
        translation_key=f"command_{command}",
        entity_category=EntityCategory.CONFIG,
        command=command,
        read=lambda node: Reading(None, available=node.site.truth.is_fresh(node.node)),
    )
    for command in Command
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: FireAlarmConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons if commands are allowed; remove them if not any more."""
    if are_commands_allowed(entry.runtime_data):
        await async_add_dynamically(
            hass,
            entry,
            async_add_entities,
            of_node=lambda coordinator: (
                CommandButton(coordinator, one) for one in BUTTONS
            ),
        )
        return
    registry = er.async_get(hass)
    for found in er.async_entries_for_config_entry(registry, entry.entry_id):
        if found.domain == Platform.BUTTON:
            registry.async_remove(found.entity_id)


class CommandButton(NodeEntity, ButtonEntity):
    """One key of a panel, as an ESP32 passes it on."""

    entity_description: CommandButtonDescription

    @override
    async def async_press(self) -> None:
        """Give the command and wait until a lamp shows that it had an effect."""
        await async_command(
            self.coordinator.site,
            self.entity_description.command,
            [self.coordinator.node],
            self._context or Context(),
        )
