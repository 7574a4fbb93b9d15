"""Actions that read and write the sheet of zones, for deployment from a repository."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import (
    async_get_config_entry,
    async_register_admin_service,
)
import voluptuous as vol

from .const import DOMAIN
from .sheet import Sheet, SheetRow, format_sheet, parse_sheet, read_rows
from .sheet_report import say_error
from .sheet_words import Column
from .words import Words
from .zone_names import SheetPlan, async_apply, async_plan, async_present_rows

SERVICE_IMPORT_ZONES: Final = "import_zones"
SERVICE_EXPORT_ZONES: Final = "export_zones"

ATTR_SHEET: Final = "sheet"
ATTR_DRY_RUN: Final = "dry_run"

_EXPORT_SCHEMA: Final = vol.Schema({vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string})
_IMPORT_SCHEMA: Final = _EXPORT_SCHEMA.extend(
    {
        vol.Required(ATTR_SHEET): vol.Any(
            str, [{str: vol.Any(str, int, float, bool, None)}]
        ),
        vol.Optional(ATTR_DRY_RUN, default=False): cv.boolean,
    }
)


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the actions; only administrators may use them."""

    async def import_zones(call: ServiceCall) -> ServiceResponse:
        return await _async_import(hass, call)

    async def export_zones(call: ServiceCall) -> ServiceResponse:
        rows = async_present_rows(hass, _entry_of(hass, call))
        return {ATTR_SHEET: format_sheet(rows)}

    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_IMPORT_ZONES,
        import_zones,
        _IMPORT_SCHEMA,
        SupportsResponse.OPTIONAL,
    )
    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_EXPORT_ZONES,
        export_zones,
        _EXPORT_SCHEMA,
        SupportsResponse.ONLY,
    )


def _entry_of(hass: HomeAssistant, call: ServiceCall) -> ConfigEntry:
    """Return the site that is meant; the only one if the call names none.

    Raises:
        ServiceValidationError: there is no such site, or it is not loaded.

    """
    return async_get_config_entry(hass, DOMAIN, call.data.get(ATTR_CONFIG_ENTRY_ID))


async def _async_import(hass: HomeAssistant, call: ServiceCall) -> ServiceResponse:
    """Apply a sheet without errors, unless only its effect is asked for.

    Raises:
        ServiceValidationError: the sheet has errors, and nobody reads the response.

    """
    entry = _entry_of(hass, call)
    given = call.data[ATTR_SHEET]
    sheet = parse_sheet(given) if isinstance(given, str) else read_rows(given)
    words = await Words.async_get(hass)
    if sheet.errors and not call.return_response:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="sheet_errors",
            translation_placeholders={
                "count": str(len(sheet.errors)),
                "first": say_error(words, sheet.errors[0]),
            },
        )
    is_applied = not sheet.errors and not call.data[ATTR_DRY_RUN]
    if is_applied:
        plan = await async_apply(hass, entry, sheet.rows)
    else:
        plan = async_plan(hass, entry, sheet.rows)
    return {"applied": is_applied, **_response(words, sheet, plan)}


def _response(words: Words, sheet: Sheet, plan: SheetPlan) -> dict[str, Any]:
    """Return what changes and what is wrong, in JSON's types."""
    return {
        "changes": [
            {
                Column.ZONE.value: change.after.zone,
                "before": _cells(change.before),
                "after": _cells(change.after),
            }
            for change in plan.changes
        ],
        "new_areas": list(plan.new_areas),
        "left_out": list(plan.left_out),
        "locked": list(plan.locked),
        "ignored_columns": list(sheet.ignored),
        "errors": [
            {
                "line": error.line,
                "column": None if error.column is None else error.column.value,
                "fault": error.fault.value,
                "value": error.value,
                "message": say_error(words, error),
            }
            for error in sheet.errors
        ],
    }


def _cells(row: SheetRow) -> dict[str, str | bool]:
    """Return the cells of a row that say something."""
    cells = {
        Column.NAME: row.name,
        Column.AREA: row.area,
        Column.DEVICE_CLASS: None if row.kind is None else row.kind.value,
        Column.ENABLED: row.enabled,
    }
    return {column.value: cell for column, cell in cells.items() if cell is not None}
