"""The options' steps for the sheet of zones: paste or upload, look, apply."""

from typing import Any, Final

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    FileSelector,
    FileSelectorConfig,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from .sheet import (
    MAX_CHARACTERS,
    TAB,
    Sheet,
    decode_sheet,
    format_sheet,
    parse_sheet,
)
from .sheet_report import say_errors, say_plan
from .site_dialogue import choice
from .words import Words
from .zone_names import async_apply, async_plan, async_present_rows

CONF_SHEET: Final = "sheet"
CONF_FILE: Final = "file"
CONF_SHEET_ACTION: Final = "sheet_action"

ACTION_APPLY: Final = "apply"
ACTION_BACK: Final = "back"

_MAX_BYTES: Final = 4 * MAX_CHARACTERS


class _FileError(Exception):
    """A file that is no sheet; `key` is the translation key of the reason."""

    def __init__(self, key: str) -> None:
        """Keep the reason."""
        super().__init__(key)
        self.key = key


class SheetSteps(OptionsFlow):
    """Names, areas and kinds of all zones at once; nothing changes before `apply`."""

    def __init__(self) -> None:
        """Start with the sheet as it is."""
        super().__init__()
        self._text: str | None = None
        self._sheet = Sheet()

    async def async_step_zone_sheet(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the present sheet, and read the one that comes back."""
        if user_input is None:
            return self._show_sheet()
        self._text = user_input.get(CONF_SHEET, "")
        if file_id := user_input.get(CONF_FILE):
            try:
                self._text = await self.hass.async_add_executor_job(
                    _read_upload, self.hass, file_id
                )
            except _FileError as err:
                return self._show_sheet({CONF_FILE: err.key})
        self._sheet = parse_sheet(self._text)
        if self._sheet.errors:
            words = await Words.async_get(self.hass)
            return self._show_sheet(
                {"base": "sheet_errors"}, report=say_errors(words, self._sheet)
            )
        return await self.async_step_sheet_preview()

    async def async_step_sheet_preview(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what the sheet would change, and ask whether it shall."""
        if user_input is not None:
            if user_input[CONF_SHEET_ACTION] == ACTION_BACK:
                return self._show_sheet()
            return await self._async_apply()
        plan = async_plan(self.hass, self.config_entry, self._sheet.rows)
        report = say_plan(await Words.async_get(self.hass), plan, self._sheet)
        if not plan.changes:
            return self._show_sheet({"base": "sheet_same"}, report=report)
        # No menu: it would stand below a long report, out of sight.
        return self.async_show_form(
            step_id="sheet_preview",
            data_schema=vol.Schema(
                {
                    vol.Required(CONF_SHEET_ACTION, default=ACTION_APPLY): choice(
                        CONF_SHEET_ACTION, (ACTION_APPLY, ACTION_BACK)
                    )
                }
            ),
            description_placeholders={"report": report},
            last_step=True,
        )

    async def _async_apply(self) -> ConfigFlowResult:
        """Change the registries; the site's links do not notice."""
        plan = await async_apply(self.hass, self.config_entry, self._sheet.rows)
        return self.async_abort(
            reason="sheet_applied",
            description_placeholders={"count": str(len(plan.changes))},
        )

    def _show_sheet(
        self, errors: dict[str, str] | None = None, *, report: str = ""
    ) -> ConfigFlowResult:
        """Show the form with the last text, at first the sheet as it is."""
        if self._text is None:
            rows = async_present_rows(self.hass, self.config_entry)
            self._text = format_sheet(rows, TAB)
        schema = vol.Schema(
            {
                vol.Optional(CONF_SHEET): TextSelector(
                    TextSelectorConfig(multiline=True)
                ),
                vol.Optional(CONF_FILE): FileSelector(
                    FileSelectorConfig(accept=".csv,.tsv,.txt,text/csv,text/plain")
                ),
            }
        )
        return self.async_show_form(
            step_id="zone_sheet",
            data_schema=self.add_suggested_values_to_schema(
                schema, {CONF_SHEET: self._text}
            ),
            errors=errors,
            description_placeholders={"report": report},
            last_step=False,
        )


def _read_upload(hass: HomeAssistant, file_id: str) -> str:
    """Return the text of an uploaded file, which is gone afterwards.

    Raises:
        _FileError: the file is gone already, too big, or no text.

    """
    try:
        with process_uploaded_file(hass, file_id) as path, path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except (ValueError, OSError) as err:
        raise _FileError("file_gone") from err
    if len(data) > _MAX_BYTES:
        raise _FileError("file_too_big")
    if (text := decode_sheet(data)) is None:
        raise _FileError("file_no_text")
    return text
