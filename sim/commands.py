"""What a user can ask of a running fleet, checked and put into its words."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from .errors import SimError
from .faults import FAULTS, Fault
from .fleet import SimulatedFleet
from .node import Node
from .panel import Lamp, Switch, module_of

type Request = Mapping[str, Any]
"""An object with `do`, the name of the command, and its arguments."""


def obey(fleet: SimulatedFleet, request: Request) -> str:
    """Do what the request asks for and return one line that says what happened.

    Raises:
        SimError: the request is wrong; the text names the field and the fix.

    """
    what = request.get("do")
    handler = _HANDLERS.get(what) if isinstance(what, str) else None
    if handler is None:
        raise SimError(f"do {what}: must be one of {', '.join(_HANDLERS)}")
    return handler(fleet, request)


def _numbers(request: Request, key: str) -> list[int]:
    """Return a list of whole numbers from a request."""
    values = request.get(key)
    if not isinstance(values, list) or not all(type(v) is int for v in values):
        raise SimError(f"{key}: must be a list of whole numbers")
    if not values:
        raise SimError(f"{key}: none given")
    return values


def _number(request: Request, key: str) -> int:
    """Return one whole number from a request."""
    value = request.get(key)
    if type(value) is not int:
        raise SimError(f"{key} {value}: must be a whole number")
    return value


def _seconds(request: Request, key: str) -> float | None:
    """Return a number from a request, or None when it is not given."""
    value = request.get(key)
    if value is None or type(value) in (int, float):
        return value
    raise SimError(f"{key} {value}: must be a number")


def _choice[E: StrEnum](request: Request, key: str, choices: type[E]) -> E:
    """Return one of an enum's values from a request."""
    value = request.get(key)
    try:
        return choices(str(value))
    except ValueError:
        given = "none given" if value is None else str(value)
        raise SimError(f"{key} {given}: must be one of {', '.join(choices)}") from None


def _listed(what: str, numbers: list[int]) -> str:
    """Return "zone 5" or "zones 5, 6 ... 9 (12 in all)"."""
    if len(numbers) == 1:
        return f"{what} {numbers[0]}"
    if len(numbers) <= 8:
        return f"{what}s {', '.join(map(str, numbers))}"
    first = ", ".join(map(str, numbers[:4]))
    return f"{what}s {first} ... {numbers[-1]} ({len(numbers)} in all)"


def _where(fleet: SimulatedFleet, modules: set[int]) -> str:
    """Return where to look for a change, and what will keep it from being seen."""
    if len(modules) > 1:
        return f"on {len(modules)} modules"
    (module,) = modules
    nodes = fleet.nodes_with(module)
    text = f"on module {module}, " + " and ".join(
        f"node {node.number} ({node.host})" for node in nodes
    )
    if fleet.site.module(module).offline:
        return text + "; the module is offline, so no frame shows it"
    if not any(node.is_reachable for node in nodes):
        return text + "; not reachable now, so nobody sees it"
    return text


def _alarm(fleet: SimulatedFleet, request: Request) -> str:
    zones = _numbers(request, "zones")
    on = bool(request.get("on", True))
    fleet.alarm(*zones, on=on)
    state = "in alarm" if on else "not in alarm any more"
    return (
        f"{_listed('zone', zones)} {state} {_where(fleet, set(map(module_of, zones)))}"
    )


def _trouble(fleet: SimulatedFleet, request: Request) -> str:
    zones = _numbers(request, "zones")
    on = bool(request.get("on", True))
    fleet.trouble(*zones, on=on)
    state = "in trouble" if on else "without trouble"
    return (
        f"{_listed('zone', zones)} {state} {_where(fleet, set(map(module_of, zones)))}"
    )


def _clear(fleet: SimulatedFleet, request: Request) -> str:
    if request.get("zones") == "all":
        fleet.clear_all()
        return "all zones normal"
    zones = _numbers(request, "zones")
    fleet.clear(*zones)
    return (
        f"{_listed('zone', zones)} normal {_where(fleet, set(map(module_of, zones)))}"
    )


def _bell(fleet: SimulatedFleet, request: Request) -> str:
    module, switch = _number(request, "module"), _choice(request, "state", Switch)
    fleet.bell(module, switch)
    return f"bell {switch}: {_where(fleet, {module})}"


def _bit5(fleet: SimulatedFleet, request: Request) -> str:
    module, on = _number(request, "module"), bool(request.get("on", True))
    fleet.bit5(module, on)
    return f"trouble bit 5 {'on' if on else 'off'}: {_where(fleet, {module})}"


def _offline(fleet: SimulatedFleet, request: Request) -> str:
    modules = _numbers(request, "modules")
    on = bool(request.get("on", True))
    for module in modules:
        fleet.module_offline(module, on)
    return f"{_listed('module', modules)} {'offline' if on else 'online'}"


def _led(fleet: SimulatedFleet, request: Request) -> str:
    lamp, switch = _choice(request, "name", Lamp), _choice(request, "state", Switch)
    node = None if request.get("node") is None else _number(request, "node")
    fleet.led(lamp, switch, node)
    return f"lamp {lamp} {switch} on {f'node {node}' if node else 'every node'}"


def _node(fleet: SimulatedFleet, request: Request) -> str:
    node = fleet.node(_number(request, "node"))
    action = request.get("action")
    if action == "down":
        node.down()
    elif action == "up":
        node.up()
    elif action == "fault":
        return _fault(node, request)
    else:
        raise SimError(f"action {action}: must be one of down, up, fault")
    return f"node {node.number} ({node.host}) is {action}"


def _fault(node: Node, request: Request) -> str:
    fault = _choice(request, "fault", Fault)
    value, for_seconds = _seconds(request, "value"), _seconds(request, "seconds")
    if node.absent:
        raise SimError(f"node {node.number}: absent; put it up first")
    node.fault(fault, value, for_seconds=for_seconds)
    kind = FAULTS[fault]
    lasts = kind.default_seconds if for_seconds is None else for_seconds
    until = "until it is put up" if lasts is None else f"for {lasts:g} s"
    until = "once" if kind.once and lasts is None else until
    return f"node {node.number} ({node.host}), {fault}: {kind.what}; {until}"


def _outage(fleet: SimulatedFleet, request: Request) -> str:
    seconds = _seconds(request, "seconds")
    if seconds is None:
        raise SimError("seconds: none given")
    if request["do"] == "power-cut":
        fleet.power_cut(seconds)
        return f"power cut: all nodes are gone for {seconds:g} s, then boot"
    fleet.ap_flap(seconds)
    return f"access point away: all nodes are silent for {seconds:g} s"


def _reset(fleet: SimulatedFleet, _request: Request) -> str:
    fleet.reset()
    return "every panel is reset"


_HANDLERS: Final[Mapping[str, Callable[[SimulatedFleet, Request], str]]] = {
    "alarm": _alarm,
    "trouble": _trouble,
    "clear": _clear,
    "bell": _bell,
    "bit5": _bit5,
    "offline": _offline,
    "led": _led,
    "node": _node,
    "power-cut": _outage,
    "ap-flap": _outage,
    "reset": _reset,
}
