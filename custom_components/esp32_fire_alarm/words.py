"""Sentences that the server puts together itself, in the server's language.

Home Assistant tells a flow neither its user nor that user's language (2026.11),
so there is no other to choose.

They stand in the translations under `selector`, the one place for texts that
belong to no field; a form's own text cannot say how often one is needed.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Self

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN


class Words:
    """The sentences in one language."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Keep the texts as Home Assistant has them, by their full keys."""
        self._texts = texts

    @classmethod
    async def async_get(cls, hass: HomeAssistant) -> Self:
        """Return the sentences in the language of the server."""
        return cls(
            await async_get_translations(
                hass, hass.config.language, "selector", {DOMAIN}
            )
        )

    def say(self, kind: str, key: str, **placeholders: object) -> str:
        """Return a sentence with its placeholders filled in."""
        text = self._texts[f"component.{DOMAIN}.selector.{kind}.options.{key}"]
        return text.format(**placeholders) if placeholders else text


def bullets(head: str, lines: Iterable[str]) -> str:
    """Return a heading sentence and a list, in Markdown."""
    return "\n".join((head, "", *(f"- {line}" for line in lines)))


def code(text: str) -> str:
    """Return a text so that Markdown leaves it alone."""
    return f"`{text.replace('`', "'")}`"


def number_ranges(numbers: Iterable[int]) -> str:
    """Return ascending numbers as text, neighbours as ranges: `1-3, 5`."""
    parts = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        parts.append(
            f"{members[0]}-{members[-1]}" if len(members) > 1 else str(members[0])
        )
    return ", ".join(parts)
