"""The options dialogue of a site, as a test fills it in."""

import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import (
    entity_registry as er,
)

from custom_components.esp32_fire_alarm import sheet_flow

from .running_site import (
    RunningSite,
)

TRANSLATIONS = Path(sheet_flow.__file__).parent / "translations"


WORDS: dict[str, dict[str, Any]] = {
    language: json.loads((TRANSLATIONS / f"{language}.json").read_text("utf-8"))
    for language in ("en", "id")
}


class Options:
    """The options dialogue of a site."""

    def __init__(self, site: RunningSite) -> None:
        """Look at a site's options."""
        self.hass = site.hass
        self.entry_id = site.entry.entry_id
        self.page: ConfigFlowResult

    async def open(self) -> ConfigFlowResult:
        """Open the sheet."""
        self.page = await self.hass.config_entries.options.async_init(self.entry_id)
        return await self.choose("zone_sheet")

    async def choose(self, step: str) -> ConfigFlowResult:
        """Choose an entry of a menu."""
        assert step in self.page["menu_options"]
        return await self.submit({"next_step_id": step})

    async def paste(self, text: str) -> ConfigFlowResult:
        """Open the sheet and submit another text."""
        await self.open()
        return await self.submit({"sheet": text})

    async def apply(self) -> ConfigFlowResult:
        """Apply the sheet that the page shows."""
        assert self.page["step_id"] == "sheet_preview"
        return await self.submit({"sheet_action": "apply"})

    async def submit(self, values: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Submit a page, or just look at it again."""
        self.page = await self.hass.config_entries.options.async_configure(
            self.page["flow_id"], values
        )
        return self.page

    @property
    def text(self) -> str:
        """All that the page says, in English."""
        words = WORDS["en"]["options"]
        placeholders = self.page.get("description_placeholders") or {}
        if self.page["type"] is FlowResultType.ABORT:
            return str(words["abort"][self.page["reason"]].format(**placeholders))
        step = words["step"][self.page["step_id"]]
        texts = [step["title"], step.get("description", "")]
        texts += [
            words["error"][key] for key in (self.page.get("errors") or {}).values()
        ]
        return "\n".join(texts).format(**placeholders)

    @property
    def sheet(self) -> str:
        """What the text field holds."""
        assert self.page["data_schema"] is not None
        values = {
            str(field): (field.description or {}).get("suggested_value")
            for field in self.page["data_schema"].schema
        }
        assert list(values) == ["sheet", "file"]
        text = values["sheet"]
        assert isinstance(text, str)
        return text


def entity(site: RunningSite, key: str) -> er.RegistryEntry:
    """Return the registry entry of a binary sensor."""
    found = er.async_get(site.hass).async_get(site.entity_id("binary_sensor", key))
    assert found is not None
    return found
