"""Who is behind an action, and what that person may do.

Home Assistant's rights stand for the access levels of a panel: everybody may
look, who may control the zones may acknowledge and silence, and only an
administrator may reset, disable or command a panel. What Home Assistant does
by itself, as in an automation, was allowed by whoever set it up.
"""

from collections.abc import Iterable
from typing import Final

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import CAT_ENTITIES
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized, UnknownUser

NOBODY: Final = "Home Assistant"
"""Who did it when no person did."""


async def async_name_of(
    hass: HomeAssistant, context: Context, stand_in: str | None = None
) -> str:
    """Return the name of the person behind a context.

    Without one it is that of the user with the id `stand_in`: an automation
    knows whose press of a button it passes on, but acts in its own name.
    """
    user = await _async_user(hass, context)
    if user is None and stand_in is not None:
        user = await hass.auth.async_get_user(stand_in)
    return NOBODY if user is None else user.name or user.id


async def async_require_admin(hass: HomeAssistant, context: Context) -> None:
    """Raise `Unauthorized` for a person who is no administrator."""
    user = await _async_user(hass, context)
    if user is not None and not user.is_admin:
        raise Unauthorized(context=context)


async def async_require_right(
    hass: HomeAssistant, context: Context, entity_ids: Iterable[str], right: str
) -> None:
    """Raise `Unauthorized` for a person without this right to all the entities.

    `right` is one of Home Assistant's, to read or to control.
    """
    user = await _async_user(hass, context)
    if user is None:
        return
    for entity_id in entity_ids:
        if not user.permissions.check_entity(entity_id, right):
            raise Unauthorized(
                context=context,
                entity_id=entity_id,
                perm_category=CAT_ENTITIES,
                permission=right,
            )


async def _async_user(hass: HomeAssistant, context: Context) -> User | None:
    """Return the person behind a context, if there is one."""
    if context.user_id is None:
        return None
    if (user := await hass.auth.async_get_user(context.user_id)) is None:
        raise UnknownUser(context=context)
    return user
