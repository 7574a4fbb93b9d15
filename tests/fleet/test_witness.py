"""Who is not who its address says: found out from frames, never from silence."""

from collections.abc import Iterable

import pytest

from custom_components.esp32_fire_alarm.fleet.findings import (
    Finding,
    FindingKey,
    FindingKind,
)
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.fleet.paths import Path
from custom_components.esp32_fire_alarm.fleet.scan import Probe
from custom_components.esp32_fire_alarm.fleet.witness import (
    FRAMES_TO_BELIEVE,
    Statement,
    Witness,
)

DUPLICATE = FindingKind.DUPLICATE_MODULE
SWAPPED = FindingKind.SWAPPED_NODES
MOVED = FindingKind.NODE_MOVED
FOREIGN = FindingKind.FOREIGN_NODE


def says(
    node: int,
    *listed: int,
    modules: tuple[int, ...] = (),
    offset: int = 0,
    path: Path = Path.PRIMARY,
) -> Statement:
    """Return what a node says; without `modules` its number is its only one."""
    config = NodeConfig(
        node, DeviceAddress(f"10.0.0.{node}"), modules or (node,), offset
    )
    return Statement(config, frozenset(listed), path, frames=100)


def look(*statements: Statement, found: Iterable[Probe] = ()) -> list[Finding]:
    """Return what is believed after enough frames of everybody."""
    witness = Witness()
    first = {one.config.node: one for one in statements}
    later = {
        node: Statement(one.config, one.listed, one.path, 100 + FRAMES_TO_BELIEVE)
        for node, one in first.items()
    }
    witness.look(first, found)
    return witness.look(later, found)


def finding(
    kind: FindingKind,
    *nodes: int,
    key: tuple[int, ...] | None = None,
    modules: tuple[int, ...] = (),
    at: int | None = None,
) -> Finding:
    """Return a finding about these nodes, by default keyed by all of them."""
    return Finding(
        FindingKey(kind, nodes if key is None else key),
        nodes,
        modules,
        None if at is None else DeviceAddress(f"10.0.0.{at}"),
    )


def duplicate(module: int, *nodes: int) -> Finding:
    """Return the finding that these nodes claim a module."""
    return Finding(FindingKey(DUPLICATE, module=module), nodes, (module,))


@pytest.mark.parametrize(
    "site",
    [
        [says(1, 1), says(2, 2), says(3)],
        # A bridge and the modules' own nodes stand in for each other.
        [says(1, 1), says(2, 2), says(9, 1, 2, 3, modules=(1, 2, 3))],
        # A new module on the bus of a bridge, which has a node of its own too.
        [says(3, 3), says(9, 1, 2, 3, modules=(1, 2))],
        # Two nodes that were both configured to carry a module back each other.
        [says(1, 1), says(2, 1, modules=(1,))],
        # A node whose modules nobody knew has nothing to be compared with.
        [
            Statement(
                NodeConfig(1, DeviceAddress("10.0.0.1")),
                frozenset({4}),
                Path.PRIMARY,
                0,
            )
        ],
        # Some of a bridge's modules are missing; others are still there.
        [says(9, 2, 3, modules=(1, 2))],
    ],
)
def test_a_site_without_fault(site: list[Statement]) -> None:
    assert look(*site) == []


@pytest.mark.parametrize(
    ("site", "findings"),
    [
        # A replaced node whose address was not set.
        ([says(7, 7), says(8, 7)], [duplicate(7, 7, 8)]),
        # Two strangers with a module that nobody has.
        ([says(1, 9), says(2, 9)], [duplicate(9, 1, 2)]),
        ([says(1, 2), says(2, 1), says(3, 3)], [finding(SWAPPED, 1, 2)]),
        (
            [says(1, 4, 5, modules=(2, 3)), says(2, 2, 3, modules=(4, 5))],
            [finding(SWAPPED, 1, 2)],
        ),
        # 7 has the address that was 8's; where 8 is, nobody knows yet.
        (
            [says(7), says(8, 7)],
            [finding(MOVED, 7, 8, key=(7,), modules=(7,), at=8)],
        ),
        # All three went one place on.
        (
            [says(1, 2), says(2, 3), says(3, 1)],
            [
                finding(MOVED, 2, 1, key=(2,), modules=(2,), at=1),
                finding(MOVED, 3, 2, key=(3,), modules=(3,), at=2),
                finding(MOVED, 1, 3, key=(1,), modules=(1,), at=3),
            ],
        ),
        # A module that the site does not know.
        ([says(1, 40), says(2, 2)], [finding(FOREIGN, 1, modules=(40,))]),
        # The standby address leads to another node: nothing to exchange there.
        (
            [says(1, 2, path=Path.STANDBY), says(2)],
            [finding(FOREIGN, 1, modules=(2,))],
        ),
        # The owner of what it reports is there and reports it too, with more.
        (
            [says(1, 2, 3), says(2, 2, 3, modules=(2, 3))],
            [finding(FOREIGN, 1, modules=(2, 3))],
        ),
        # Two nodes look like the one that is lost: nobody can tell.
        (
            [
                says(1, 4, 5),
                says(2, 4, 5),
                says(3, modules=(4, 5)),
            ],
            [
                finding(FOREIGN, 1, modules=(4, 5)),
                finding(FOREIGN, 2, modules=(4, 5)),
            ],
        ),
    ],
)
def test_a_wrong_node(site: list[Statement], findings: list[Finding]) -> None:
    assert look(*site) == findings


def probe(address: int, *listed: int) -> Probe:
    """Return what a free address answered."""
    return Probe(DeviceAddress(f"10.0.0.{address}"), listed=listed, online=listed)


@pytest.mark.parametrize(
    ("site", "found", "moved"),
    [
        ([says(1, 1), says(2)], [probe(99, 2)], [(2, 99)]),
        # Not lost, so not moved: somebody else reports the same.
        ([says(1, 1), says(2, 2)], [probe(99, 2)], []),
        # Two candidates, or one for two: nobody can tell.
        ([says(2)], [probe(98, 2), probe(99, 2)], []),
        (
            [says(2, modules=(2,), offset=1), says(3, modules=(3,), offset=2)],
            [probe(99, 1)],
            [],
        ),
        # The only lost one of nodes that all call their module 01.
        (
            [says(2, modules=(2,), offset=1), says(3, 3, modules=(3,), offset=2)],
            [probe(99, 1)],
            [(2, 99)],
        ),
        # A bridge also lists what nobody knows; a single module does not fit it.
        ([says(1, modules=(1, 2)), says(3)], [probe(99, 1, 2, 3)], [(1, 99)]),
        # It was found at another node's address already.
        ([says(7), says(8, 7)], [probe(99, 7)], [(7, 8)]),
        ([says(7), says(8, 7)], [probe(99, 8)], [(7, 8)]),
    ],
)
def test_a_lost_node_is_recognized(
    site: list[Statement], found: list[Probe], moved: list[tuple[int, int]]
) -> None:
    findings = look(*site, found=found)
    assert {one.key.kind for one in findings} <= {MOVED}
    assert [(one.nodes[0], str(one.address)) for one in findings] == [
        (node, f"10.0.0.{address}:81") for node, address in moved
    ]


def test_one_bad_frame_accuses_nobody() -> None:
    """The suspicion must hold for five frames of every node concerned."""
    witness = Witness()
    wrong, right = says(8, 7), says(8, 8)

    def look_at(statement: Statement, frames: int) -> bool:
        one = Statement(statement.config, statement.listed, statement.path, frames)
        return bool(witness.look({8: one}))

    assert not look_at(wrong, 10)
    assert not look_at(wrong, 14)
    assert not look_at(right, 15)
    assert not look_at(wrong, 16)
    assert not look_at(wrong, 20)
    assert look_at(wrong, 21)


def test_frames_of_the_silent_do_not_count() -> None:
    """7 joins as the second witness: five more frames of both."""
    witness = Witness()

    def look_at(*counts: tuple[Statement, int]) -> list[FindingKind]:
        site = {
            one.config.node: Statement(one.config, one.listed, one.path, frames)
            for one, frames in counts
        }
        return [found.key.kind for found in witness.look(site)]

    assert look_at((says(7, 8), 0), (says(8), 0)) == []
    assert look_at((says(7, 8), 5), (says(8), 0)) == [MOVED]
    assert look_at((says(7, 8), 6), (says(8, 7), 1)) == []
    assert look_at((says(7, 8), 11), (says(8, 7), 5)) == []
    assert look_at((says(7, 8), 12), (says(8, 7), 6)) == [SWAPPED]
