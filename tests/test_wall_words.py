"""The sentences of the wall: complete in every language, all used, none missing.

And what its style must not do: anything that blinks or moves.
"""

import re

import pytest

from custom_components.esp32_fire_alarm.wall_panel import FOLDER

LANGUAGES = ("en", "id")
BUILT = re.compile(r"t\(`(\w+)_\$\{")
"""A key put together from a stem and a name: all that begin so count as used."""


def words(language: str) -> dict[str, str]:
    """Return the sentences in a language."""
    text = (FOLDER / f"words-{language}.js").read_text()
    return dict(re.findall(r'^  (\w+): "(.*)",$', text, re.MULTILINE))


def code() -> str:
    """Return all modules but the sentences."""
    return "\n".join(
        path.read_text()
        for path in sorted(FOLDER.glob("*.js"))
        if not path.name.startswith("words-")
    )


def placeholders(sentence: str) -> set[str]:
    """Return the names in braces."""
    return set(re.findall(r"\{(\w+)\}", sentence))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_sentences(language: str) -> None:
    english, other = words("en"), words(language)
    assert other.keys() == english.keys()
    for key, sentence in other.items():
        assert placeholders(sentence) == placeholders(english[key]), key
    if language != "en":
        same = [key for key, text in other.items() if text == english[key]]
        assert len(same) < len(english) / 5, same


def test_every_sentence_is_used() -> None:
    text = code()
    stems = tuple(f"{stem}_" for stem in BUILT.findall(text))
    for key in words("en"):
        name = re.sub(r"_(one|other)$", "", key)
        assert f'"{name}"' in text or key.startswith(stems) or f"\n  {name}:" in text, (
            key
        )


def test_no_sentence_is_missing() -> None:
    english = words("en")
    for key in re.findall(r'\bt\("(\w+)"', code()):
        assert key in english or f"{key}_other" in english, key


def test_nothing_blinks_or_moves() -> None:
    assert not re.search(r"@keyframes|animation(-\w+)?:|transition(-\w+)?:", code())


def test_no_text_becomes_markup() -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|DOMParser", code())
