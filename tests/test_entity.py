"""Every entity has a name, its words and an icon, in each language."""

from collections.abc import Iterator
import json
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from custom_components.esp32_fire_alarm import (
    binary_sensor,
    button,
    event,
    metrics_sensor,
    sensor,
)

ROOT = Path(binary_sensor.__file__).parent
LANGUAGES = ("en", "id")
PARTS = (
    "entity",
    "device",
    "device_automation",
    "services",
    "triggers",
    "conditions",
    "exceptions",
    "system_health",
)

DESCRIPTIONS: dict[str, list[Any]] = {
    "binary_sensor": [
        *binary_sensor.SITE_SENSORS,
        binary_sensor.SOUNDING_SENSOR,
        *binary_sensor.NODE_SENSORS,
        *binary_sensor.MODULE_SENSORS,
        *binary_sensor.ZONE_SENSORS,
    ],
    "button": [*button.BUTTONS],
    "event": [event.SITE_EVENTS],
    "sensor": [
        *sensor.SITE_SENSORS,
        sensor.IMPAIRMENTS_SENSOR,
        *sensor.NODE_SENSORS,
        sensor.PATH_SENSOR,
        *metrics_sensor.METRICS_SENSORS,
    ],
}


def load(name: str) -> dict[str, Any]:
    """Return a JSON file of the integration."""
    loaded: dict[str, Any] = json.loads((ROOT / name).read_text(encoding="utf-8"))
    return loaded


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with its path."""
    if isinstance(tree, str):
        yield path, tree
        return
    for key, branch in tree.items():
        yield from leaves(branch, f"{path}.{key}")


def texts(language: str) -> dict[str, str]:
    """Return the texts of all parts that have no test of their own."""
    translations = load(f"translations/{language}.json")
    return dict(leaves({part: translations[part] for part in PARTS}))


def placeholders(text: str) -> set[str]:
    """Return what a text leaves open."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_say_the_same_things() -> None:
    english, indonesian = map(texts, LANGUAGES)
    assert english.keys() == indonesian.keys()
    for key, text in english.items():
        assert placeholders(text) == placeholders(indonesian[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("platform", DESCRIPTIONS)
def test_every_entity_has_its_words(language: str, platform: str) -> None:
    translated = load(f"translations/{language}.json")["entity"][platform]
    keys = {description.translation_key for description in DESCRIPTIONS[platform]}
    assert keys == translated.keys()
    for description in DESCRIPTIONS[platform]:
        if options := getattr(description, "options", None):
            assert (
                set(options) == translated[description.translation_key]["state"].keys()
            ), description.key
        if event_types := getattr(description, "event_types", None):
            words = translated[description.translation_key]["state_attributes"]
            assert set(event_types) == words["event_type"]["state"].keys()


def test_names_are_unique_per_platform() -> None:
    for language in LANGUAGES:
        for translated in load(f"translations/{language}.json")["entity"].values():
            names = [entity["name"] for entity in translated.values()]
            assert len(names) == len(set(names))


@pytest.mark.parametrize("platform", DESCRIPTIONS)
def test_every_entity_has_an_icon_or_a_device_class(platform: str) -> None:
    icons = load("icons.json")["entity"][platform]
    described = {one.translation_key: one for one in DESCRIPTIONS[platform]}
    without_class = {key for key, one in described.items() if one.device_class is None}
    enums = {key for key, one in described.items() if one.device_class == "enum"}
    assert icons.keys() == without_class | enums


def test_unique_ids_never_clash() -> None:
    for descriptions in DESCRIPTIONS.values():
        keys = [description.key for description in descriptions]
        assert len(keys) == len(set(keys))
