"""What quality_scale.yaml and the other description files claim is true."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
import json
from pathlib import Path
import re
from string import Formatter
import tomllib
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
import pytest

from custom_components import esp32_fire_alarm
from custom_components.esp32_fire_alarm import PLATFORMS
from custom_components.esp32_fire_alarm.const import DOMAIN

from .running_site import bridge, node, set_up

ROOT: Final = Path(__file__).parent.parent
FOLDER: Final = Path(esp32_fire_alarm.__file__).parent

RULES: Final = {
    "bronze": """
        action-setup appropriate-polling brands common-modules config-flow-test-coverage
        config-flow dependency-transparency docs-actions docs-conditions
        docs-high-level-description docs-installation-instructions
        docs-removal-instructions docs-triggers entity-event-setup entity-unique-id
        has-entity-name runtime-data test-before-configure test-before-setup
        unique-config-entry
    """,
    "silver": """
        action-exceptions config-entry-unloading docs-configuration-parameters
        docs-installation-parameters entity-unavailable integration-owner
        log-when-unavailable parallel-updates reauthentication-flow test-coverage
    """,
    "gold": """
        devices diagnostics discovery discovery-update-info docs-data-update
        docs-examples docs-known-limitations docs-supported-devices
        docs-supported-functions docs-troubleshooting docs-use-cases dynamic-devices
        entity-category entity-device-class entity-disabled-by-default
        entity-translations exception-translations icon-translations
        reconfiguration-flow repair-issues stale-devices
    """,
    "platinum": "async-dependency inject-websession strict-typing",
}

SECTIONS: Final = {
    "docs-high-level-description": "ESP32 Fire Alarm for Home Assistant",
    "docs-installation-instructions": "Installation",
    "docs-installation-parameters": "Setting up",
    "docs-configuration-parameters": "Configuration",
    "docs-removal-instructions": "Removal",
    "docs-supported-devices": "Supported devices",
    "docs-supported-functions": "What you get",
    "docs-data-update": "Data update",
    "docs-examples": "Automations",
    "docs-use-cases": "Use cases",
    "docs-known-limitations": "Known limitations",
    "docs-troubleshooting": "Troubleshooting",
    "docs-actions": "Automations",
    "docs-triggers": "Automations",
    "docs-conditions": "Automations",
}
"""Where the README has what a rule asks for."""


def read(path: str) -> str:
    """Return a text file of the integration."""
    return (FOLDER / path).read_text("utf-8")


def read_json(path: str) -> dict[str, Any]:
    """Return a JSON file of the integration."""
    found: dict[str, Any] = json.loads(read(path))
    return found


def read_yaml(path: str) -> dict[str, Any]:
    """Return a YAML file of the integration, without its shared parts."""
    found = parse_yaml(read(path))
    assert isinstance(found, dict)
    return {key: value for key, value in found.items() if not key.startswith(".")}


MANIFEST: Final = read_json("manifest.json")
ICONS: Final = read_json("icons.json")
ENGLISH: Final = read_json("translations/en.json")
RULE_FILE: Final = read_yaml("quality_scale.yaml")["rules"]
SOURCES: Final = {
    path.relative_to(ROOT): ast.parse(path.read_text("utf-8"))
    for path in sorted(FOLDER.rglob("*.py"))
}


def paths_in(words: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every text."""
    if isinstance(words, dict):
        for key, value in words.items():
            yield from paths_in(value, (*path, key))
    else:
        yield path


def text_at(words: Any, path: tuple[str, ...]) -> str:
    """Return the text at a path."""
    for key in path:
        words = words[key]
    assert isinstance(words, str)
    return words


def holes(text: str) -> set[str]:
    """Return the placeholders of a text."""
    return {hole for _, hole, _, _ in Formatter().parse(text) if hole}


# The quality scale itself.


def test_every_rule_has_an_answer() -> None:
    """All rules in the order of their tiers, done or not needed; nothing left to do."""
    assert list(RULE_FILE) == [rule for tier in RULES.values() for rule in tier.split()]
    for rule, answer in RULE_FILE.items():
        status = answer if isinstance(answer, str) else answer["status"]
        assert status in ("done", "exempt"), rule
        if status == "exempt":
            assert answer["comment"], rule


def test_no_tier_is_claimed_in_the_manifest() -> None:
    """It would be shown nowhere; hassfest does not look at custom integrations' files."""
    assert "quality_scale" not in MANIFEST


@pytest.mark.parametrize(("rule", "heading"), SECTIONS.items())
def test_the_readme_has_its_sections(rule: str, heading: str) -> None:
    assert RULE_FILE[rule] == "done"
    readme = (ROOT / "README.md").read_text("utf-8")
    match = re.search(
        rf"^#+ {re.escape(heading)}$\n(.+?)(?=^#+ |\Z)",
        readme,
        re.MULTILINE | re.DOTALL,
    )
    assert match is not None, heading
    assert len(match[1].strip()) > 80


def test_all_docs_rules_have_a_section() -> None:
    assert {rule for rule in RULE_FILE if rule.startswith("docs-")} == SECTIONS.keys()


@pytest.mark.parametrize("kind", ["services", "triggers", "conditions"])
def test_automations_are_described_everywhere(kind: str) -> None:
    """Each action, trigger and condition: files, words, an icon and the documentation."""
    described = read_yaml(f"{kind}.yaml")
    assert described
    assert described.keys() == ENGLISH[kind].keys() == ICONS[kind].keys()
    docs = "".join(path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md"))
    for name, details in described.items():
        words = ENGLISH[kind][name]
        assert words["name"], name
        assert words["description"], name
        assert re.search(rf"[`.]{name}`", docs), name
        fields = (details or {}).get("fields", {})
        assert fields.keys() == words.get("fields", {}).keys(), name
        for field in words.get("fields", {}).values():
            assert field["name"]
            assert field["description"]


async def test_actions_are_there_without_a_site(hass: HomeAssistant) -> None:
    """action-setup: an automation that names one is checked before any site is loaded."""
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()
    registered = hass.services.async_services_for_domain(DOMAIN)
    assert registered.keys() == read_yaml("services.yaml").keys()


@pytest.mark.parametrize(
    "path",
    [
        "brand/icon.png",
        "brand/icon@2x.png",
        "brand/logo.png",
        "config_flow.py",
        "coordinator.py",
        "diagnostics.py",
        "entity.py",
        "repairs.py",
        "system_health.py",
    ],
)
def test_files_that_rules_ask_for(path: str) -> None:
    assert (FOLDER / path).stat().st_size > 0


def test_parallel_updates() -> None:
    for platform in PLATFORMS:
        tree = SOURCES[(FOLDER / f"{platform}.py").relative_to(ROOT)]
        names = {
            target.id
            for statement in tree.body
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name)
        }
        assert "PARALLEL_UPDATES" in names, platform


def test_runtime_data() -> None:
    """Nothing about an entry is kept in `hass.data`."""
    for path in FOLDER.glob("*.py"):
        assert "hass.data[DOMAIN" not in path.read_text("utf-8"), path


def test_integration_owner_and_no_requirements() -> None:
    assert MANIFEST["codeowners"]
    assert "requirements" not in MANIFEST


def test_discovery() -> None:
    assert MANIFEST["dhcp"]
    assert MANIFEST["zeroconf"]
    # So that a known ESP32 with a new address is told of.
    assert {"registered_devices": True} in MANIFEST["dhcp"]


def test_coverage_and_typing_are_enforced() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    assert settings["coverage"]["report"]["fail_under"] > 95
    assert settings["mypy"]["strict"] is True


def test_every_dialogue_has_to_be_covered_completely() -> None:
    """Whatever has a step of a flow is behind the gate of 100 %."""
    gate = (ROOT / "script/test").read_text("utf-8").partition("--fail-under=100")[2]
    patterns = gate.partition("--include='")[2].partition("'")[0].split(",")
    dialogues = [
        path.as_posix()
        for path in FOLDER.glob("*.py")
        if "async def async_step_" in path.read_text("utf-8")
    ]
    assert len(dialogues) >= 6
    for path in dialogues:
        assert any(fnmatch(path, pattern) for pattern in patterns), path


def test_the_websession_is_home_assistants() -> None:
    """No session is made on the Home Assistant floor; the engine room is handed one."""
    for path in FOLDER.glob("*.py"):
        assert "ClientSession(" not in path.read_text("utf-8"), path


@pytest.mark.usefixtures("loopback", "every_entity")
async def test_entities(hass: HomeAssistant) -> None:
    """Names, categories, icons or device classes: of a site that has everything."""
    site = await set_up(hass, node(2), bridge(), options={"commands_enabled": True})
    registry = er.async_get(hass)
    entities = er.async_entries_for_config_entry(registry, site.entry.entry_id)
    assert {entity.domain for entity in entities} == set(PLATFORMS)
    for entity in entities:
        assert entity.has_entity_name, entity.entity_id
        key = entity.translation_key
        assert key in ENGLISH["entity"][entity.domain], entity.entity_id
        assert entity.original_device_class or key in ICONS["entity"].get(
            entity.domain, {}
        ), entity.entity_id
        is_main = "_node_" not in entity.unique_id
        assert is_main or entity.entity_category is not None or "led_" in str(key), key


# Words.


def test_there_is_no_strings_file() -> None:
    assert not (FOLDER / "strings.json").exists()
    for path in (FOLDER / "translations").iterdir():
        assert "[%key:" not in path.read_text("utf-8")


@pytest.mark.parametrize("language", ["id"])
def test_every_language_says_everything(language: str) -> None:
    """The same texts, with the same placeholders, none of them empty."""
    words = read_json(f"translations/{language}.json")
    english = set(paths_in(ENGLISH))
    assert set(paths_in(words)) == english
    for path in english:
        assert text_at(words, path).strip(), path
        assert holes(text_at(words, path)) == holes(text_at(ENGLISH, path)), path


def test_icons_belong_to_something() -> None:
    for platform, icons in ICONS["entity"].items():
        words = ENGLISH["entity"][platform]
        assert icons.keys() <= words.keys()
        for key, icon in icons.items():
            states = set(words[key].get("state", {"on": "", "off": ""}))
            assert states.issuperset(icon.get("state", {})), key


def test_every_field_is_described() -> None:
    """config-flow: each field of each page, also those in sections."""

    def look(page: dict[str, Any], where: str) -> None:
        fields = page.get("data", {}).keys()
        assert fields == page.get("data_description", {}).keys(), where
        for name, section in page.get("sections", {}).items():
            look(section, f"{where}.{name}")

    for flow in ("config", "options"):
        for name, page in ENGLISH[flow]["step"].items():
            look(page, f"{flow}.{name}")


def test_issues_have_a_text_or_a_cure() -> None:
    for key, words in ENGLISH["issues"].items():
        assert words["title"], key
        assert ("description" in words) != ("fix_flow" in words), key


def raised(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield the errors that a module raises and Home Assistant shows."""
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Raise) and isinstance(statement.exc, ast.Call):
            name = ast.unparse(statement.exc.func)
            if name in (
                "HomeAssistantError",
                "ServiceValidationError",
                "ConfigEntryError",
                "ConfigEntryNotReady",
                "UpdateFailed",
            ):
                yield statement.exc


def test_errors_are_translated() -> None:
    calls = [call for tree in SOURCES.values() for call in raised(tree)]
    assert calls
    for call in calls:
        arguments = {one.arg: one.value for one in call.keywords}
        assert "translation_domain" in arguments, ast.unparse(call)
        key = arguments["translation_key"]
        if isinstance(key, ast.Constant):
            assert key.value in ENGLISH["exceptions"], key.value
