"""A scan's outcome in plain words, for the page that shows it.

The words come from the translations, in the language of the server: a form's
own text cannot say how often a sentence is needed.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .fleet.addresses import format_addresses
from .fleet.models import ZONES_PER_MODULE, DeviceAddress, NodeConfig
from .fleet.plan import Numbering, SitePlan
from .fleet.scan import ScanResult

_WORDS = f"component.{DOMAIN}.selector."


async def async_describe_plan(
    hass: HomeAssistant, plan: SitePlan, *, standby: ScanResult | None, port: int
) -> dict[str, str]:
    """Return what the result page's text needs.

    `standby` is what the standby addresses answered; `port` (1-65535) is the
    one not worth mentioning.
    """
    words = await async_get_translations(
        hass, hass.config.language, "selector", {DOMAIN}
    )
    return {
        "found": str(len(plan.answers.found)),
        "total": str(len(plan.answers.probes)),
        "modules": str(len(plan.modules)),
        "zones": str(len(plan.modules) * ZONES_PER_MODULE),
        "report": "\n\n".join(_Report(words, port).paragraphs(plan, standby)),
    }


async def async_describe_faults(
    hass: HomeAssistant, result: ScanResult, *, port: int
) -> str:
    """Return in one line of plain text why nobody answered."""
    words = await async_get_translations(
        hass, hass.config.language, "selector", {DOMAIN}
    )
    return " ".join(
        f"{format_addresses(addresses, port)}: {words[f'{_WORDS}scan_fault.options.{fault}']}"
        for fault, addresses in result.missing.items()
    )


class _Report:
    """Puts the paragraphs together."""

    def __init__(self, words: Mapping[str, str], port: int) -> None:
        """Keep the words of the language and the port everybody has."""
        self._words = words
        self._port = port

    def paragraphs(self, plan: SitePlan, standby: ScanResult | None) -> Iterator[str]:
        """Yield what there is to say, in Markdown."""
        yield self._say("scan_report", f"layout_{plan.layout}")
        if plan.numbering is Numbering.POSITION:
            yield self._say("scan_report", "by_position")
        lines = list(self._node_lines(plan))
        if lines:
            yield self._list("nodes", lines)
        if lines := list(self._fate_lines(plan)):
            yield self._list("not_answering", lines)
        via = [probe.address for probe in plan.answers.probes if probe.via]
        if via:
            yield self._list("only_standby", [self._code(via)])
        if standby and (missing := standby.missing):
            yield self._list(
                "standby_not_answering",
                (
                    f"{self._code(addresses)}: {self._say('scan_fault', fault)}"
                    for fault, addresses in missing.items()
                ),
            )
        if plan.conflicts:
            yield self._list(
                "conflicts",
                (
                    f"{conflict.module}: {self._code(conflict.addresses)}"
                    for conflict in plan.conflicts
                ),
            )
        if plan.swapped:
            yield self._list("swapped", [self._code(plan.swapped)])

    def _node_lines(self, plan: SitePlan) -> Iterator[str]:
        """Yield which addresses carry which modules, rows of one each together."""
        nodes = {node.address: node for node in plan.nodes}
        runs: list[list[NodeConfig]] = []
        for probe in plan.answers.probes:
            if (node := nodes.get(probe.address)) is None:
                continue
            if runs and _continues(runs[-1][-1], node):
                runs[-1].append(node)
            else:
                runs.append([node])
        for run in runs:
            modules = (module for node in run for module in node.modules)
            addresses = [node.address for node in run]
            yield f"{self._code(addresses)} → {_ranges(modules)}"

    def _fate_lines(self, plan: SitePlan) -> Iterator[str]:
        """Yield what is wrong with addresses, and what becomes of them."""
        fates: dict[tuple[str | None, str], list[DeviceAddress]] = {}
        for probe in plan.answers.probes:
            if probe.is_found and probe.address not in plan.left_out:
                continue
            fate = plan.left_out.get(probe.address, "added")
            fates.setdefault((probe.fault, fate), []).append(probe.address)
        for (fault, fate), addresses in fates.items():
            reason = f"{self._say('scan_fault', fault)} " if fault else ""
            yield f"{self._code(addresses)}: {reason}{self._say('scan_fate', fate)}"

    def _list(self, head: str, lines: Iterable[str]) -> str:
        """Return a heading sentence and a bullet list."""
        return "\n".join(
            (self._say("scan_report", head), "", *(f"- {line}" for line in lines))
        )

    def _say(self, kind: str, key: str) -> str:
        """Return a sentence of the translations."""
        return self._words[f"{_WORDS}{kind}.options.{key}"]

    def _code(self, addresses: Iterable[DeviceAddress]) -> str:
        """Return addresses so that Markdown leaves them alone."""
        return f"`{format_addresses(addresses, self._port)}`"


def _continues(one: NodeConfig, other: NodeConfig) -> bool:
    """Tell whether two nodes carry one module each, one after the other."""
    return (
        len(one.modules) == len(other.modules) == 1
        and one.modules[0] + 1 == other.modules[0]
    )


def _ranges(numbers: Iterable[int]) -> str:
    """Return ascending numbers as text, neighbours as ranges: `1-3, 5`."""
    parts = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        parts.append(
            f"{members[0]}-{members[-1]}" if len(members) > 1 else str(members[0])
        )
    return ", ".join(parts)
