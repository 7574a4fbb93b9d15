"""A scan's outcome in plain words, for the page that shows it."""

from collections.abc import Iterable, Iterator, Sequence

from homeassistant.core import HomeAssistant

from .fleet.addresses import format_addresses
from .fleet.difference import compare
from .fleet.models import ZONES_PER_MODULE, DeviceAddress, NodeConfig
from .fleet.plan import Numbering, SitePlan
from .fleet.scan import ScanResult
from .words import Words, bullets, code, number_ranges


async def async_describe_plan(
    hass: HomeAssistant,
    plan: SitePlan,
    *,
    standby: ScanResult | None,
    port: int,
    known: Sequence[NodeConfig] | None = None,
) -> dict[str, str]:
    """Return what the result page's text needs.

    `standby` is what the standby addresses answered; `port` (1-65535) is the
    one not worth mentioning. `known` are the nodes of a site that is changed.
    """
    report = _Report(await Words.async_get(hass), port)
    paragraphs = list(report.paragraphs(plan, standby))
    if known is not None:
        paragraphs.insert(0, report.difference(known, plan))
    return {
        "found": str(len(plan.answers.found)),
        "total": str(len(plan.answers.probes)),
        "modules": str(len(plan.modules)),
        "zones": str(len(plan.modules) * ZONES_PER_MODULE),
        "report": "\n\n".join(paragraphs),
    }


async def async_describe_faults(
    hass: HomeAssistant, result: ScanResult, *, port: int
) -> str:
    """Return in one line of plain text why nobody answered."""
    words = await Words.async_get(hass)
    return " ".join(
        f"{format_addresses(addresses, port)}: {words.say('scan_fault', fault)}"
        for fault, addresses in result.missing.items()
    )


class _Report:
    """Puts the paragraphs together."""

    def __init__(self, words: Words, port: int) -> None:
        """Keep the words of the language and the port everybody has."""
        self._say = words.say
        self._port = port

    def difference(self, known: Sequence[NodeConfig], plan: SitePlan) -> str:
        """Return what is new, missing and moved, compared to the site as it was."""
        found = compare(known, plan.nodes)
        lines = [
            *(self._change("new", "", self._node(node)) for node in found.new),
            *(self._change("missing", self._node(node), "") for node in found.missing),
            *(
                self._change("moved", self._node(one), self._node(other))
                for one, other in found.moved
            ),
            *(
                self._change("changed", self._node(one), self._node(other))
                for one, other in found.changed
            ),
        ]
        if not lines:
            return self._say("scan_report", "unchanged")
        return bullets(self._say("scan_report", "difference"), lines)

    def paragraphs(self, plan: SitePlan, standby: ScanResult | None) -> Iterator[str]:
        """Yield what there is to say, in Markdown; what is well comes last.

        On a phone, a list of 63 that are well would hide the two that are not.
        """
        yield self._say("scan_report", f"layout_{plan.layout}")
        if plan.numbering is Numbering.POSITION:
            yield self._say("scan_report", "by_position")
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
        if lines := list(self._node_lines(plan)):
            yield self._list("nodes", lines)

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
            yield f"{self._code(addresses)} → {number_ranges(modules)}"

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

    def _change(self, key: str, before: str, after: str) -> str:
        """Return one difference."""
        return self._say("node_change", key, before=before, after=after)

    def _node(self, node: NodeConfig) -> str:
        """Return a node's addresses and what it carries."""
        addresses = (
            [node.address] if node.standby is None else [node.address, node.standby]
        )
        return self._say(
            "node",
            "one_module" if len(node.modules) == 1 else "several_modules",
            addresses=" / ".join(self._code([one]) for one in addresses),
            modules=number_ranges(node.modules),
        )

    def _list(self, head: str, lines: Iterable[str]) -> str:
        """Return a heading sentence and a bullet list."""
        return bullets(self._say("scan_report", head), lines)

    def _code(self, addresses: Iterable[DeviceAddress]) -> str:
        """Return addresses so that Markdown leaves them alone."""
        return code(format_addresses(addresses, self._port))


def _continues(one: NodeConfig, other: NodeConfig) -> bool:
    """Tell whether two nodes carry one module each, one after the other."""
    return (
        len(one.modules) == len(other.modules) == 1
        and one.modules[0] + 1 == other.modules[0]
    )
