"""Plays a scenario on a running fleet, step by step, and ends by itself."""

import asyncio
from collections.abc import Callable, Iterable
import contextlib
from pathlib import Path
import sys

from .commands import Request, obey
from .errors import SimError
from .faults import FAULTS, Fault
from .fleet import Disaster, SimulatedFleet
from .panel import module_of
from .scenario import Moment, Scenario, Step, load_scenario, parse_scenario
from .scenario_schema import ALL


class Player:
    """Plays one scenario at a time; `tell` gets a line for everything that happens."""

    def __init__(self, fleet: SimulatedFleet, tell: Callable[[str], None]) -> None:
        """Play on `fleet`."""
        self._fleet = fleet
        self._tell = tell
        self._task: asyncio.Task[None] | None = None
        self._playing: Scenario | None = None

    @property
    def is_playing(self) -> bool:
        """Whether a scenario has not ended yet."""
        return self._task is not None and not self._task.done()

    def play(self, scenario: Scenario) -> str:
        """Begin to play and return one line about it.

        Raises:
            SimError: another one is playing, or this fleet has not what it needs.

        """
        if self.is_playing and self._playing is not None:
            raise SimError(
                f"play: {self._playing.name} is playing; end it with play --end"
            )
        check(scenario, self._fleet)
        self._playing = scenario
        self._task = asyncio.get_running_loop().create_task(self._run(scenario))
        return f"{scenario.name}: {len(scenario.steps)} steps, {scenario.seconds:g} s"

    def obey(self, request: Request) -> str:
        """Begin the scenario that a client sent, or end the one that plays."""
        if request.get("end"):
            return self.end()
        text, name = request.get("text"), request.get("name")
        if not isinstance(text, str) or not isinstance(name, str):
            raise SimError("play: a scenario has a name and a text")
        return self.play(parse_scenario(text, name))

    async def wait(self) -> None:
        """Return when the scenario has ended."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def stop(self) -> None:
        """End the scenario where it is; what it has done stays."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def end(self) -> str:
        """End the scenario soon and return one line about it."""
        if self._task is None or not self.is_playing or self._playing is None:
            raise SimError("play: nothing is playing")
        self._task.cancel()
        return f"{self._playing.name}: ended; what it has done stays"

    async def _run(self, scenario: Scenario) -> None:
        """Do everything in its time."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for moment in scenario.moments:
            await asyncio.sleep(max(0.0, began + moment.at - loop.time()))
            for line in _do(self._fleet, moment):
                self._tell(f"{moment.at:7.1f} s  {line}")
        self._tell(f"{scenario.seconds:7.1f} s  {scenario.name}: over")


def check(scenario: Scenario, fleet: SimulatedFleet) -> None:
    """Make sure that the fleet has every node, module and zone of a scenario.

    Raises:
        SimError: it has not; the text names the line and what is missing.

    """
    for step in scenario.steps:
        try:
            for node in _nodes(fleet, step):
                fleet.node(node)
            _check_modules(fleet, step)
            if step.do == "fault":
                _check_fault(fleet, step)
        except SimError as err:
            raise SimError(f"{scenario.name}, line {step.line}: {err}") from err


def check_files(files: Iterable[Path]) -> int:
    """Say of each file whether it is a right scenario; return an exit code, 0 or 2."""
    code = 0
    for file in files:
        try:
            scenario = load_scenario(file)
            check(scenario, SimulatedFleet(scenario.layout, count=scenario.nodes))
        except SimError as err:
            print(err, file=sys.stderr)
            code = 2
        else:
            print(
                f"{file}: {scenario.name}, {len(scenario.steps)} steps, "
                f"{scenario.seconds:g} s"
            )
    return code


def _check_modules(fleet: SimulatedFleet, step: Step) -> None:
    """Make sure that somebody carries every module of a step."""
    modules = set(step.options.get("modules", ()))
    if (zones := step.options.get("zones", ALL)) != ALL:
        modules |= set(map(module_of, zones))
    for module in sorted(modules):
        if not fleet.nodes_with(module):
            raise SimError(f"module {module}: no node of this fleet carries it")


def _check_fault(fleet: SimulatedFleet, step: Step) -> None:
    """Make sure that nodes which answer for others have others."""
    kind = FAULTS[Fault(step.options["fault"])]
    effects = kind.effects(kind.value(step.options.get("value")))
    for node in _nodes(fleet, step):
        fleet.node(node).refuse_impossible(effects)


def _nodes(fleet: SimulatedFleet, step: Step) -> Iterable[int]:
    """Return the numbers of the nodes that a step is about."""
    nodes = step.options.get("nodes", ())
    return [node.number for node in fleet.nodes] if nodes == ALL else nodes


def _do(fleet: SimulatedFleet, moment: Moment) -> list[str]:
    """Let one moment happen and return a line for each thing that did."""
    step = moment.step
    if step.do == "say":
        return [str(step.options["text"])]
    told = [obey(fleet, request) for request in _requests(fleet, moment)]
    if len(told) > 2:
        what = step.options.get("fault", step.do)
        return [f"{what}: {len(told)} nodes or modules"]
    return told


def _requests(fleet: SimulatedFleet, moment: Moment) -> list[dict[str, object]]:
    """Return a moment in the words of the control channel."""
    step, options = moment.step, moment.step.options
    match step.do:
        case "alarm" | "trouble":
            on = not moment.ends
            return [{"do": step.do, "zones": list(options["zones"]), "on": on}]
        case "clear":
            zones = options["zones"]
            return [{"do": "clear", "zones": zones if zones == ALL else list(zones)}]
        case "offline" | "online":
            is_offline = (step.do == "offline") is not moment.ends
            modules = list(options["modules"])
            return [{"do": "offline", "modules": modules, "on": is_offline}]
        case "bell":
            return [
                {"do": "bell", "module": module, "state": options["state"]}
                for module in options["modules"]
            ]
        case "led":
            return [{"do": "led", **options}]
        case "cure":
            return [
                {"do": "node", "node": node, "action": "up"}
                for node in _nodes(fleet, step)
            ]
        case _ if moment.ends:
            # Nodes end their faults themselves.
            return []
        case "fault" | "absent":
            return [
                {
                    "do": "node",
                    "node": node,
                    "action": "fault",
                    "fault": options.get("fault", Fault.REFUSE),
                    "value": options.get("value"),
                    "seconds": step.lasts,
                }
                for node in _nodes(fleet, step)
            ]
        case Disaster.POWER_CUT | Disaster.AP_FLAP:
            return [{"do": step.do, "seconds": step.lasts}]
        case _:
            return [{"do": step.do}]
