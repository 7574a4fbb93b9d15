"""What is worth knowing of a site's links after a restart.

Which nodes were reached over their standby address, so that nobody waits for a
dead primary again; and since when nodes are lost, so that a restart does not
make a node that has been gone for a week look like one that is late.
"""

from collections.abc import Iterable, Mapping
import logging
import time
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from .const import DOMAIN
from .fleet.paths import Path

_LOGGER = logging.getLogger(__name__)

STORAGE_VERSION: Final = 1

SAVE_SECONDS: Final = 30.0
"""Changes are gathered for so long before they are written."""

_STANDBY: Final = "standby"
_LOST: Final = "lost_since"


class LinkStore:
    """A small file beside the alarm log.

    `lost_since` has the nodes that are not heard, in monotonic seconds: setting
    the computer's clock must not make a node look lost for a day.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Prepare; nothing is known before `async_load`."""
        self._store = Store[dict[str, Any]](
            hass, STORAGE_VERSION, f"{DOMAIN}.{entry_id}.links", atomic_writes=True
        )
        self._standby: set[int] = set()
        self.lost_since: dict[int, float] = {}

    @property
    def paths(self) -> Mapping[int, Path]:
        """The addresses in use other than the primary one, by node."""
        return dict.fromkeys(self._standby, Path.STANDBY)

    async def async_load(self) -> None:
        """Read the file; one that is damaged is worth no more than none."""
        try:
            if (stored := await self._store.async_load()) is not None:
                ahead = time.time() - time.monotonic()
                standby = {int(node) for node in stored[_STANDBY]}
                since = {
                    int(node): min(float(at) - ahead, time.monotonic())
                    for node, at in stored[_LOST].items()
                }
                self._standby, self.lost_since = standby, since
        except Exception:
            _LOGGER.exception("The file about the links is damaged")

    @callback
    def async_note(self, in_use: Mapping[int, Path], lost: Iterable[int]) -> None:
        """Note over which address nodes are heard, and which nodes are not."""
        now = time.monotonic()
        since = {node: self.lost_since.get(node, now) for node in lost}
        over_standby = {node for node, path in in_use.items() if path is Path.STANDBY}
        standby = over_standby | (self._standby & since.keys())
        if (standby, since) != (self._standby, self.lost_since):
            self._standby, self.lost_since = standby, since
            self._store.async_delay_save(self._data, SAVE_SECONDS)

    async def async_flush(self) -> None:
        """Write the file and return when it is written."""
        await self._store.async_save(self._data())

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()

    def _data(self) -> dict[str, Any]:
        """Return what to write: times are seconds since the epoch there."""
        ahead = time.time() - time.monotonic()
        return {
            _STANDBY: sorted(self._standby),
            _LOST: {str(node): at + ahead for node, at in self.lost_since.items()},
        }
