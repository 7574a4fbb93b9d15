"""From answers to a site that is changed: who keeps the number it had."""

from dataclasses import replace

from hypothesis import given, strategies as st

from custom_components.esp32_fire_alarm.fleet.identity import (
    UNNUMBERED,
    numbered,
    places_of,
)
from custom_components.esp32_fire_alarm.fleet.models import DeviceAddress, NodeConfig
from custom_components.esp32_fire_alarm.fleet.plan import (
    LeftOut,
    Numbering,
)
from custom_components.esp32_fire_alarm.fleet.scan import Probe, ScanResult

from .answering import EVERY_MODULE, SILENT, answers, at, carried, plan, says


def known_site(count: int = 4) -> list[NodeConfig]:
    """Return a site whose node numbers are not its modules."""
    return [
        NodeConfig(place + 10, at(place), (place,)) for place in range(1, count + 1)
    ]


def test_known_nodes_keep_their_numbers() -> None:
    """Also the silent one, without any wish to add silent ones."""
    site = plan(
        answers(says(1), SILENT, says(3), says(4)), known=known_site(), add_silent=False
    )
    assert list(site.nodes) == known_site()
    assert site.silent == (at(2),)


def test_removed_and_new_nodes() -> None:
    """A number is nobody else's while its node stays; new ones get free numbers."""
    result = ScanResult(
        (replace(says(2), address=at(2)), replace(says(9), address=at(9)))
    )
    site = plan(result, known=known_site(2))
    assert carried(site) == {12: (2,), 1: (9,)}


def test_a_moved_node_is_recognised_by_its_module() -> None:
    """Its old address is gone from the list."""
    result = ScanResult(
        (replace(says(1), address=at(1)), replace(says(2), address=at(70)))
    )
    site = plan(result, known=known_site(2))
    assert [(node.node, node.address) for node in site.nodes] == [
        (11, at(1)),
        (12, at(70)),
    ]


def test_a_moved_node_whose_old_address_is_still_listed() -> None:
    """The old address is silent and has nothing left to carry."""
    result = ScanResult(
        (
            replace(SILENT, address=at(1)),
            replace(says(2), address=at(2)),
            replace(says(1), address=at(70)),
        )
    )
    site = plan(result, known=known_site(2))
    assert {node.node: node.address for node in site.nodes} == {11: at(70), 12: at(2)}
    assert site.left_out == {at(1): LeftOut.TAKEN}


def test_a_silent_known_bridge_keeps_all_it_had() -> None:
    """Nothing is taken from it by others that list the same."""
    known = [NodeConfig(1, at(1), EVERY_MODULE)]
    site = plan(answers(SILENT, says(5, listed=EVERY_MODULE)), known=known)
    assert carried(site) == {1: EVERY_MODULE, 2: (5,)}


def test_taking_an_address_out_shifts_nobody() -> None:
    """Where everybody says 01, places are kept, and the gap is filled by who comes."""
    known = [NodeConfig(p, at(p), (p,), offset=p - 1) for p in range(1, 5)]
    stay = [replace(says(1), address=at(place)) for place in (1, 3, 4)]
    site = plan(ScanResult(tuple(stay)), known=known)
    assert list(site.nodes) == [known[0], known[2], known[3]]
    newcomer = replace(says(1), address=at(50))
    site = plan(ScanResult((*stay, newcomer)), known=known)
    assert carried(site) == {1: (1,), 2: (2,), 3: (3,), 4: (4,)}
    assert site.nodes[1].address == at(50)


def test_set_up_before_power_up_then_everybody_says_01() -> None:
    """What was assumed stays true, with the offset that makes it so."""
    known = list(plan(answers(*[SILENT] * 5)).nodes)
    site = plan(answers(*[says(1)] * 5), known=known)
    assert [(n.node, n.modules, n.offset) for n in site.nodes] == [
        (place, (place,), place - 1) for place in range(1, 6)
    ]


def test_places_of_new_and_kept() -> None:
    """Kept ones first, then positions, then what is free."""
    known = [NodeConfig(1, at(1), (2,)), NodeConfig(2, at(2), (5, 6))]
    assert places_of([at(1), at(2), at(3)], known) == {at(1): 2, at(3): 3, at(2): 1}


_ANSWERS = st.lists(
    st.just(SILENT)
    | st.builds(
        lambda online, listed: says(
            *sorted(online), listed=sorted(online | listed | set())
        ),
        st.sets(st.integers(1, 63), max_size=4),
        st.sets(st.integers(1, 63), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=70,
)


@given(_ANSWERS, st.sampled_from([None, *Numbering]), st.booleans(), st.data())
def test_whatever_they_say(
    probes: list[Probe], numbering: Numbering | None, add: bool, data: st.DataObject
) -> None:
    """Every address has one fate, every module exists, and a second look agrees."""
    result = answers(*probes)
    first = plan(result, numbering=numbering, add_silent=add)
    addresses = [node.address for node in first.nodes]
    assert sorted([*addresses, *first.left_out]) == sorted(
        probe.address for probe in result.probes
    )
    assert len({node.node for node in first.nodes}) == len(first.nodes)
    for node in first.nodes:
        assert set(node.modules) <= set(EVERY_MODULE)
        assert list(node.modules) == sorted(set(node.modules))
    again = plan(result, known=first.nodes, numbering=numbering, add_silent=add)
    kept = {node.address: node.node for node in again.nodes}
    assert kept.items() >= {n.address: n.node for n in first.nodes}.items()
    # A power cut during the next scan changes nothing at all.
    dark = answers(*[SILENT] * len(probes))
    assert (
        plan(dark, known=first.nodes, numbering=numbering, add_silent=False).nodes
        == first.nodes
    )


def test_new_hardware_does_not_inherit_a_removed_nodes_number() -> None:
    """Device, name and history of a removed node are not those of a stranger."""
    old, new = DeviceAddress("127.0.0.2"), DeviceAddress("127.0.0.9")
    known = (NodeConfig(1, old, (1,)),)
    stranger = NodeConfig(UNNUMBERED, new, (7,))
    (node,) = numbered({new: stranger}, {new: 1}, known)
    assert node.node == 2
