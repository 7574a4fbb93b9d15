"""Print what has to be installed so that Home Assistant starts without installing anything.

Home Assistant installs the requirements of an integration when it first loads it. The demo
and the end-to-end tests start it with --skip-pip instead, to be repeatable and to work
offline, so everything has to be there before. The answer is in the manifests of the Home
Assistant beside this interpreter: of the domains named on the command line, of those it
loads by default, and of all they depend on. With --pins: of all there are, to know which
version of a package this release wants if anything brings it. Nothing that itself has
requirements is imported, they may not be there yet.
"""

import argparse
import ast
from collections.abc import Iterable
import importlib.util
import json
from pathlib import Path

# Voice, whose requirements have no wheels for this Python and would need a compiler.
# script/setup puts empty modules in their place.
LEFT_OUT = {"assist_pipeline"}


def homeassistant_folder() -> Path:
    """Return where Home Assistant is installed."""
    spec = importlib.util.find_spec("homeassistant")
    if spec is None or spec.origin is None:
        raise SystemExit("Home Assistant is not installed beside this Python")
    return Path(spec.origin).parent


def default_domains(folder: Path) -> set[str]:
    """Return the domains that are loaded whatever the configuration says.

    They are written down in bootstrap.py, which cannot be imported yet.
    """
    from homeassistant.const import BASE_PLATFORMS  # noqa: PLC0415 - may be absent

    for node in ast.parse((folder / "bootstrap.py").read_text()).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "DEFAULT_INTEGRATIONS"
            for target in node.targets
        ):
            return set(BASE_PLATFORMS) | {
                item.value
                for item in ast.walk(node)
                if isinstance(item, ast.Constant) and isinstance(item.value, str)
            }
    raise SystemExit("bootstrap.py no longer defines DEFAULT_INTEGRATIONS")


def requirements(folder: Path, domains: Iterable[str]) -> set[str]:
    """Return the requirements of the domains and of everything they depend on."""
    found: set[str] = set()
    seen = set(LEFT_OUT)
    todo = list(domains)
    while todo:
        if (domain := todo.pop()) in seen:
            continue
        seen.add(domain)
        manifest = json.loads(
            (folder / "components" / domain / "manifest.json").read_text()
        )
        found.update(manifest.get("requirements", ()))
        todo.extend(manifest.get("dependencies", ()))
    return found


def main() -> None:
    """Print one requirement a line, as pip reads them."""
    parser = argparse.ArgumentParser(
        description="Requirements of Home Assistant integrations"
    )
    parser.add_argument("domains", nargs="*", metavar="DOMAIN")
    parser.add_argument(
        "--pins", action="store_true", help="of all integrations there are"
    )
    asked = parser.parse_args()
    folder = homeassistant_folder()
    if asked.pins:
        every = {path.parent.name for path in folder.glob("components/*/manifest.json")}
        wanted = {line for line in requirements(folder, every) if "[" not in line}
    else:
        wanted = requirements(folder, {*asked.domains, *default_domains(folder)})
    print(*sorted(wanted), sep="\n")


if __name__ == "__main__":
    main()
