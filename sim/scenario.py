"""A scenario: what happens to a fleet and when, read from a YAML file.

Bounded in size, in time and in what it does, so that a file from elsewhere
cannot hang or fill the machine it is checked on.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, override

import voluptuous as vol
import yaml

from .errors import SimError
from .layout import Layout
from .panel import MODULES_PER_SITE
from .scenario_schema import LONGEST_SECONDS, SCENARIO

MAX_FILE_BYTES: Final = 32 * 1024
MAX_DEPTH: Final = 8
MAX_MOMENTS: Final = 10_000
_ERRORS_SHOWN: Final = 10

type _Place = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a scenario; `at`, `lasts` and `every` are seconds.

    `options` are the keys of its action; `line` counts from 1.
    """

    at: float
    do: str
    options: Mapping[str, Any]
    line: int
    lasts: float | None = None
    repeat: int = 1
    every: float = 0.0


@dataclass(frozen=True, slots=True)
class Moment:
    """A step's turn: it begins, or what it began `ends`."""

    at: float
    step: Step
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """A name, the fleet it was written for, and its steps."""

    name: str
    steps: tuple[Step, ...]
    about: str = ""
    nodes: int = MODULES_PER_SITE
    layout: Layout = Layout.DISTRIBUTED
    moments: tuple[Moment, ...] = field(default=())

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return self.moments[-1].at


class _Loader(yaml.SafeLoader):
    """YAML without what a scenario does not need: references and repeated keys."""

    @override
    def compose_node(
        self, parent: yaml.nodes.Node | None, index: Any
    ) -> yaml.nodes.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.MarkedYAMLError(
                problem="references (*) are not taken", problem_mark=self.get_mark()
            )
        return super().compose_node(parent, index)


def load_scenario(path: Path) -> Scenario:
    """Return the scenario in a file.

    Raises:
        SimError: it cannot be read or something is wrong with it; one line for
            each thing, with file, line, key and cure.

    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except OSError as err:
        raise SimError(f"{path}: {err.strerror}") from err
    return parse_scenario(content, str(path))


def parse_scenario(content: bytes | str, name: str) -> Scenario:
    """Return the scenario in a text; `name` is what to call it in messages.

    Raises:
        SimError: as `load_scenario`.

    """
    if len(content) > MAX_FILE_BYTES:
        raise SimError(f"{name}: longer than {MAX_FILE_BYTES >> 10} KiB")
    lines: dict[_Place, int] = {}
    try:
        data = _read_yaml(content, lines)
        read = SCENARIO(data)
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark
        where = f":{mark.line + 1}" if mark else ""
        raise SimError(f"{name}{where}: this is no YAML: {err.problem}") from err
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as err:
        if isinstance(err, SimError):
            raise SimError(f"{name}: {err}") from err
        raise SimError(f"{name}: this is no YAML: {err!s:.100}") from err
    except vol.MultipleInvalid as err:
        raise SimError(_complaints(name, err.errors, lines)) from err
    except vol.Invalid as err:
        raise SimError(_complaints(name, [err], lines)) from err
    return _build(name, read, lines)


def _read_yaml(content: bytes | str, lines: dict[_Place, int]) -> object:
    """Return what the YAML says, and note on which line each key stands."""
    loader = _Loader(content)
    try:
        root = loader.get_single_node()
        if root is None:
            raise SimError("empty; it must have a name and steps")
        _note_lines(root, (), lines)
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _note_lines(node: yaml.nodes.Node, place: _Place, lines: dict[_Place, int]) -> None:
    """Note the line of every key and item, and refuse keys that come twice."""
    line = node.start_mark.line + 1
    lines.setdefault(place, line)
    if len(place) > MAX_DEPTH:
        raise SimError(f"line {line}: too many lists in one another")
    if isinstance(node, yaml.nodes.MappingNode):
        for key, value in node.value:
            at = (*place, key.value if isinstance(key.value, str) else "")
            if at in lines:
                again = key.start_mark.line + 1
                raise SimError(f"line {again}: {key.value!s:.40} comes twice")
            lines[at] = key.start_mark.line + 1
            _note_lines(value, at, lines)
    elif isinstance(node, yaml.nodes.SequenceNode):
        for number, item in enumerate(node.value):
            _note_lines(item, (*place, number), lines)


def _complaints(
    name: str, errors: list[vol.Invalid], lines: Mapping[_Place, int]
) -> str:
    """Return one line for each thing that is wrong, the first ten."""
    found: list[tuple[int, str]] = []
    for error in errors:
        place = tuple(str(one) if isinstance(one, str) else one for one in error.path)
        line = 1
        for length in range(len(place) + 1):
            line = lines.get(place[:length], line)
        key = "".join(
            f"[{one + 1}]" if isinstance(one, int) else f".{one}" for one in place
        ).lstrip(".")
        key = f" {key}:" if key else ""
        found.append((line, f"{name}:{line}:{key} {_PLAIN.get(error.msg, error.msg)}"))
    texts = [complaint for _, complaint in sorted(found)]
    if len(texts) > _ERRORS_SHOWN:
        texts[_ERRORS_SHOWN:] = [f"and {len(texts) - _ERRORS_SHOWN} more"]
    return "\n".join(texts)


_MISSING: Final = "missing; add it"
_UNKNOWN: Final = "not known here; take it out or look for a typing error"
_NO_KEYS: Final = "must be keys with values, like name: Power cut"
_PLAIN: Final = {
    # The validator's own sentences, and those of Home Assistant's successor of it.
    "required key not provided": _MISSING,
    "extra keys not allowed": _UNKNOWN,
    "not a valid option": _UNKNOWN,
    "expected a dictionary": _NO_KEYS,
    "expected a mapping": _NO_KEYS,
}


def _build(name: str, read: Mapping[str, Any], lines: Mapping[_Place, int]) -> Scenario:
    """Return the scenario, with all its moments in order."""
    steps: list[Step] = []
    for place, one in enumerate(read["steps"]):
        options = dict(one)
        steps.append(
            Step(
                at=options.pop("at"),
                do=options.pop("do"),
                line=lines.get(("steps", place), 1),
                lasts=options.pop("for", None),
                repeat=options.pop("repeat", 1),
                every=options.pop("every", 0.0),
                options=options,
            )
        )
    if sum(one.repeat * (1 if one.lasts is None else 2) for one in steps) > MAX_MOMENTS:
        raise SimError(f"{name}: more than {MAX_MOMENTS} things happen; repeat less")
    moments: list[Moment] = []
    for one in steps:
        for turn in range(one.repeat):
            at = one.at + turn * one.every
            moments.append(Moment(at, one))
            if one.lasts is not None:
                moments.append(Moment(at + one.lasts, one, ends=True))
    moments.sort(key=lambda moment: moment.at)
    if moments[-1].at > LONGEST_SECONDS:
        raise SimError(f"{name}: it takes {moments[-1].at:g} s; must end within 24 h")
    fleet = read.get("fleet", {})
    return Scenario(
        name=read["name"],
        steps=tuple(steps),
        about=read.get("about", ""),
        nodes=fleet.get("nodes", MODULES_PER_SITE),
        layout=Layout(fleet.get("layout", Layout.DISTRIBUTED)),
        moments=tuple(moments),
    )
