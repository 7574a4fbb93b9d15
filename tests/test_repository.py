"""The repository holds together: manifest, HACS, workflows, documents, floors."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any, Final
from urllib.parse import unquote

import hass_frontend
from homeassistant.const import Platform
from homeassistant.helpers import config_validation as cv, selector
from homeassistant.util.yaml import parse_yaml
import pytest

from custom_components import esp32_fire_alarm
from custom_components.esp32_fire_alarm.const import DOMAIN

ROOT: Final = Path(__file__).parent.parent
FOLDER: Final = Path(esp32_fire_alarm.__file__).parent
MANIFEST: Final[dict[str, Any]] = json.loads((FOLDER / "manifest.json").read_text())
SOURCES: Final = {
    path.relative_to(ROOT): ast.parse(path.read_text("utf-8"))
    for path in sorted(FOLDER.rglob("*.py"))
}
DOCUMENTS: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
IMAGES: Final = ROOT / "docs" / "images"
WORKFLOWS: Final = ROOT / ".github" / "workflows"

MAX_LINES: Final = 400
"""Longest source file; one idea per module does not need more."""

MAX_IMAGE_BYTES: Final = 150_000
"""Of a picture in the documents; HACS loads them all to show the README."""

USABLE: Final = {
    *(platform.value for platform in Platform),
    "device_automation",
    "frontend",
    "panel_custom",
    "persistent_notification",
    "system_health",
    "websocket_api",
}
"""Integrations that hassfest lets everybody import from without a word in the manifest."""


def read_yaml(path: Path) -> dict[str, Any]:
    """Return a YAML file."""
    found = parse_yaml(path.read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def texts_in(words: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with its path."""
    if isinstance(words, dict):
        for key, value in words.items():
            yield from texts_in(value, f"{path}.{key}")
    else:
        assert isinstance(words, str)
        yield path, words


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield what a module imports, and from how many floors up."""
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Import):
            yield from ((alias.name, 0) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            module = statement.module or ""
            yield module, statement.level
            yield from (
                (f"{module}.{one.name}", statement.level) for one in statement.names
            )


# What Home Assistant's hassfest checks, as far as it can be checked without it.


def test_the_manifest() -> None:
    """Order: domain, name, then by alphabet. What a hub that pushes has to say."""
    assert list(MANIFEST)[:2] == ["domain", "name"]
    assert list(MANIFEST)[2:] == sorted(list(MANIFEST)[2:])
    assert MANIFEST["domain"] == DOMAIN == FOLDER.name
    assert re.fullmatch(r"\d+\.\d+\.\d+", MANIFEST["version"])
    assert MANIFEST["integration_type"] == "hub"
    assert MANIFEST["iot_class"] == "local_push"
    for key in ("documentation", "issue_tracker"):
        assert MANIFEST[key].startswith("https://")
    for one in MANIFEST["dhcp"]:
        assert one.keys() <= {"registered_devices", "hostname", "macaddress"}
        assert one.get("hostname", "") == one.get("hostname", "").lower()
        assert re.fullmatch(r"[0-9A-F]{6}\*", one.get("macaddress", "000000*"))
    assert len({json.dumps(one) for one in MANIFEST["dhcp"]}) == len(MANIFEST["dhcp"])


def test_the_manifest_names_what_is_imported() -> None:
    """An integration that is used has to be there first."""
    named = {*MANIFEST["dependencies"], *MANIFEST["after_dependencies"]}
    # Discovery that the manifest asks for, and other integrations' platforms of ours.
    named |= MANIFEST.keys() & {"dhcp", "zeroconf"}
    named |= {path.stem for path in FOLDER.glob("*.py")}
    assert not set(MANIFEST["dependencies"]) & set(MANIFEST["after_dependencies"])
    for path, tree in SOURCES.items():
        for name, _ in imported(tree):
            if name.startswith("homeassistant.components."):
                assert name.split(".")[2] in named | USABLE, f"{path} imports {name}"


@pytest.mark.parametrize("language", ["en", "id"])
def test_texts_that_home_assistant_takes(language: str) -> None:
    """No markup, no address, no placeholder in quotation marks, no stray blanks."""
    words = json.loads(
        (FOLDER / "translations" / f"{language}.json").read_text("utf-8")
    )
    for path, text in texts_in(words):
        assert cv.string_with_no_html(text) == text.strip(), path
        assert not re.search(r"'\{\w+\}'", text), path
        assert not re.search(r"(://|www\.)", text), path
        for key in path.strip(".").split("."):
            assert re.fullmatch(r"[a-z0-9]+([_-][a-z0-9]+)*", key), path


@pytest.mark.parametrize("kind", ["services", "triggers", "conditions"])
def test_fields_have_selectors_that_exist(kind: str) -> None:
    """And the words of their choices are there. Only triggers may share parts by a dot."""
    words = json.loads((FOLDER / "translations" / "en.json").read_text("utf-8"))
    described = read_yaml(FOLDER / f"{kind}.yaml")
    if kind == "services":
        assert not [name for name in described if name.startswith(".")]
    for name, details in described.items():
        for field, schema in ((details or {}).get("fields") or {}).items():
            chosen = selector.validate_selector(schema["selector"])
            options = (chosen.get("select") or {}).get("options", [])
            if key := (chosen.get("select") or {}).get("translation_key"):
                texts = words["selector"][key]["options"]
                assert {str(one) for one in options} <= texts.keys(), (name, field)


def test_icons_exist() -> None:
    """All of them are among those that Home Assistant's frontend brings."""
    static = Path(hass_frontend.__file__).parent / "static" / "mdi" / "iconList.json"
    known = {icon["name"] for icon in json.loads(static.read_text("utf-8"))}
    used = {
        (path.relative_to(ROOT).as_posix(), icon)
        for folder in (FOLDER, ROOT / "blueprints", ROOT / "docs")
        for path in folder.rglob("*")
        if path.suffix in (".json", ".py", ".js", ".yaml", ".md")
        for icon in re.findall(r"\bmdi:([a-z0-9-]+)", path.read_text("utf-8"))
    }
    assert len(used) > 30
    assert {(path, icon) for path, icon in used if icon not in known} == set()


# HACS and GitHub.


def test_hacs() -> None:
    """The keys that HACS knows, the Home Assistant that the tests run on, one integration."""
    hacs = json.loads((ROOT / "hacs.json").read_text("utf-8"))
    assert hacs.keys() <= {
        "content_in_root", "country", "filename", "hacs", "hide_default_branch",
        "homeassistant", "name", "persistent_directory", "render_readme", "zip_release",
    }  # fmt: skip
    assert hacs["name"] == MANIFEST["name"]
    pinned = (ROOT / "requirements_test.txt").read_text("utf-8")
    release = hacs["homeassistant"].rpartition(".")[0]
    assert re.search(rf"^homeassistant=={re.escape(release)}\.", pinned, re.MULTILINE)
    packages = [
        path
        for path in (ROOT / "custom_components").iterdir()
        if (path / "manifest.json").exists()
    ]
    assert packages == [FOLDER]
    assert (ROOT / "LICENSE").exists()


def steps_of(workflow: Path) -> Iterator[dict[str, Any]]:
    """Yield all steps of all jobs."""
    for job in read_yaml(workflow)["jobs"].values():
        assert job["permissions"].keys() <= {"contents"}
        yield from job["steps"]


@pytest.mark.parametrize(
    "path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.stem
)
def test_workflows_run_what_was_looked_at(path: Path) -> None:
    """No rights by default, and every action at one commit, with its release beside it."""
    workflow = read_yaml(path)
    assert workflow["permissions"] == {}
    text = path.read_text("utf-8")
    used = [step["uses"] for step in steps_of(path) if "uses" in step]
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+(/[\w-]+)?@[0-9a-f]{40}", action), action
        assert re.search(rf"{re.escape(action)} # \S", text), action
    checkouts = [step for step in steps_of(path) if "checkout@" in step.get("uses", "")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_both_validators_run() -> None:
    """On every change, and nightly, since they change without us."""
    workflow = read_yaml(WORKFLOWS / "validate.yml")
    # YAML takes a bare `on` for a truth value.
    triggers: dict[str, Any] = {str(key): value for key, value in workflow.items()}[
        "True"
    ]
    assert {"push", "pull_request", "schedule"} <= triggers.keys()
    steps = {
        step["uses"].partition("@")[0]: step
        for step in steps_of(WORKFLOWS / "validate.yml")
    }
    assert "home-assistant/actions/hassfest" in steps
    assert steps["hacs/action"]["with"] == {"category": "integration"}


def test_issue_forms() -> None:
    """Every field can be filled in, and has a name of its own."""
    forms = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    assert {form.stem for form in forms} == {"bug_report", "config", "feature_request"}
    for form in forms:
        if form.stem == "config":
            continue
        page = read_yaml(form)
        assert page["name"]
        assert page["description"]
        fields = [one for one in page["body"] if one["type"] != "markdown"]
        assert {one["type"] for one in fields} <= {
            "input",
            "textarea",
            "dropdown",
            "checkboxes",
        }
        assert all(one["attributes"]["label"] for one in fields)
        assert len({one["id"] for one in fields}) == len(fields)


# Documents.


def links_in(document: Path) -> Iterator[str]:
    """Yield what a document links to or shows, but for other sites."""
    text = re.sub(
        r"^```.*?^```", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    text = re.sub(r"`[^`\n]*`", "", text)
    for link in re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", text):
        target = link[0] or link[1]
        if not re.match(r"[a-z]+:", target):
            yield target


def headings_of(document: Path) -> set[str]:
    """Return the names that GitHub gives the headings."""
    heads = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_links_lead_somewhere(document: Path) -> None:
    for link in links_in(document):
        path, _, heading = link.partition("#")
        target = (document.parent / unquote(path)).resolve() if path else document
        assert target.exists(), link
        assert not heading or heading in headings_of(target), link


def test_nothing_in_docs_is_forgotten() -> None:
    """Every file is linked to, or is what the brand's images are drawn from."""
    linked = {
        (document.parent / link.partition("#")[0]).resolve()
        for document in DOCUMENTS
        for link in links_in(document)
    }
    files = {path for path in (ROOT / "docs").rglob("*") if path.is_file()}
    assert files - linked == {
        ROOT / "docs" / f"brand_{name}.svg" for name in ("icon", "logo")
    }


def test_pictures_are_small_and_described() -> None:
    pictures = list(IMAGES.glob("*.png"))
    assert len(pictures) > 10
    for picture in pictures:
        assert picture.stat().st_size < MAX_IMAGE_BYTES, picture
    for document in DOCUMENTS:
        for tag in re.findall(r"<img src[^>]+>", document.read_text("utf-8")):
            assert re.search(r'alt="[^"]{5,}"', tag), tag


# Floors and rooms.


def test_the_engine_room_knows_nothing_of_home_assistant() -> None:
    rooms = {
        path: tree for path, tree in SOURCES.items() if path.parent.name == "fleet"
    }
    assert len(rooms) > 30
    for path, tree in rooms.items():
        for name, level in imported(tree):
            assert name.partition(".")[0] not in (
                "homeassistant",
                "custom_components",
            ), f"{path} imports {name}"
            assert level <= 1, f"{path} imports from the floor above"


def test_no_tests_in_what_is_shipped() -> None:
    for path, tree in SOURCES.items():
        for name, _ in imported(tree):
            assert name.partition(".")[0] not in ("pytest", "tests", "sim"), path


@pytest.mark.parametrize(
    "folder",
    ["custom_components", "sim", "tests", "script", "benchmarks", "blueprints"],
)
def test_no_file_is_too_long(folder: str) -> None:
    """Nobody reads 400 lines at once."""
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".js", ".css", ".yaml") or not path.suffix
        if path.is_file()
    }
    assert lengths
    assert {path: lines for path, lines in lengths.items() if lines > MAX_LINES} == {}
