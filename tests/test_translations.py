"""Both languages say the same, of everything."""

from string import Formatter
from typing import Any

import pytest

from .config_flow.dialogue import WORDS


def _flat(words: dict[str, Any], path: str = "") -> dict[str, str]:
    """Return all texts by their path."""
    found: dict[str, str] = {}
    for key, value in words.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{path}{key}.")
        else:
            found[f"{path}{key}"] = value
    return found


@pytest.mark.parametrize(
    "part", ["config", "options", "selector", "services", "exceptions"]
)
def test_both_languages_say_the_same(part: str) -> None:
    """Same keys, same placeholders; and options are described in their sections."""
    english, indonesian = (_flat(WORDS[language][part]) for language in ("en", "id"))
    assert english.keys() == indonesian.keys()
    for key, text in english.items():
        assert _holes(text) == _holes(indonesian[key]), key


def _holes(text: str) -> set[str | None]:
    """Return the placeholders of a text."""
    return {hole for _, hole, _, _ in Formatter().parse(text)} - {None}


def test_every_option_is_described() -> None:
    """Each field of each section has a name and an explanation."""
    for section in WORDS["en"]["options"]["step"]["settings"]["sections"].values():
        assert section["data"].keys() == section["data_description"].keys()
