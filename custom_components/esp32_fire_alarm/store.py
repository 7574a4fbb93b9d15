"""Keeps an alarm book over restarts, crashes and power cuts.

An alarm is on disk before anybody could pull the plug on purpose: written at
once, by one writer that always takes the newest memory, atomically. All else
is written within a few seconds.
"""

from collections.abc import Callable
import logging
from pathlib import Path
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .fleet.alarms import AlarmBook
from .fleet.memory import BookMemory

_LOGGER = logging.getLogger(__name__)

STORAGE_VERSION: Final = 1

SAVE_SECONDS: Final = 10.0
"""Longest wait of what is not urgent."""


class BookStore:
    """The alarm book of one site in Home Assistant's storage."""

    def __init__(self, hass: HomeAssistant, entry_id: str, title: str) -> None:
        """Prepare; `title` is what people call the site."""
        self._hass = hass
        self._entry_id = entry_id
        self._title = title
        # What is written is frozen, so another thread may turn it into JSON.
        self._store = Store[dict[str, Any]](
            hass,
            STORAGE_VERSION,
            f"{DOMAIN}.{entry_id}",
            atomic_writes=True,
            serialize_in_event_loop=False,
        )
        self._is_pending = False
        self._is_writing = False
        self._newest: BookMemory | None = None
        self._is_delayed = False

    async def async_load(self, book: AlarmBook) -> None:
        """Let the book take up where it left off.

        A file that cannot be read is kept under another name and reported;
        what stands is then found anew by the first frames.
        """
        try:
            if (stored := await self._store.async_load()) is not None:
                book.restore(stored)
        except Exception:
            _LOGGER.exception("The alarm log of %s is damaged", self._title)
            await self._async_set_aside()

    @callback
    def async_save(
        self, remember: Callable[[], BookMemory], *, is_urgent: bool
    ) -> None:
        """Write what `remember` returns, at once if it is urgent.

        It is asked when the writing begins: in a storm that is not every time.
        """
        if not is_urgent and not self._is_writing:
            self._newest = remember()
            if not self._is_delayed:
                # Asked again and again, the store would put it off for ever.
                self._is_delayed = True
                self._store.async_delay_save(self._take_newest, SAVE_SECONDS)
            return
        self._is_pending = True
        if not self._is_writing:
            self._is_writing = True
            self._hass.async_create_task(
                self._async_write(remember), f"{DOMAIN} alarm log of {self._title}"
            )

    async def async_flush(self, memory: BookMemory) -> None:
        """Write the memory and return when it is written."""
        await self._async_save(memory)

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()

    async def _async_write(self, remember: Callable[[], BookMemory]) -> None:
        """Write until there is nothing newer to write."""
        try:
            while self._is_pending:
                self._is_pending = False
                await self._async_save(remember())
        finally:
            self._is_writing = False

    async def _async_save(self, memory: BookMemory) -> None:
        """Write the memory in place of one that waits."""
        self._is_delayed = False
        await self._store.async_save(memory.to_json())

    def _take_newest(self) -> dict[str, Any]:
        """Return what is to be written after a delay; called in another thread."""
        self._is_delayed = False
        assert self._newest is not None
        return self._newest.to_json()

    async def _async_set_aside(self) -> None:
        """Keep a damaged file under another name, and report it."""
        path = Path(self._store.path)
        kept = path.with_name(f"{path.name}.corrupt.{dt_util.utcnow().isoformat()}")
        try:
            await self._hass.async_add_executor_job(path.rename, kept)
        except OSError as err:
            _LOGGER.warning("%s could not be kept: %s", path, err)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            f"alarm_log_damaged_{self._entry_id}",
            is_fixable=False,
            is_persistent=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key="alarm_log_damaged",
            translation_placeholders={"site": self._title, "path": str(kept)},
        )
