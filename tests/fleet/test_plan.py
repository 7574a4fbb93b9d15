"""From answers to a site: who carries what."""

import pytest

from custom_components.esp32_fire_alarm.fleet.models import NodeConfig
from custom_components.esp32_fire_alarm.fleet.plan import (
    Conflict,
    Layout,
    LeftOut,
    Numbering,
)
from custom_components.esp32_fire_alarm.fleet.scan import Probe

from .answering import EVERY_MODULE, SILENT, answers, at, carried, plan, says


def test_distributed() -> None:
    """63 nodes, each with the module of its own address."""
    site = plan(answers(*(says(module) for module in EVERY_MODULE)))
    assert carried(site) == {module: (module,) for module in EVERY_MODULE}
    assert {node.offset for node in site.nodes} == {0}
    assert [node.address for node in site.nodes] == [at(p) for p in EVERY_MODULE]
    assert site.layout is Layout.DISTRIBUTED
    assert site.numbering is Numbering.REPORTED
    assert site.modules == EVERY_MODULE
    assert not site.conflicts
    assert not site.left_out


def test_distributed_where_everybody_says_01() -> None:
    """The place in the list is the module then."""
    site = plan(answers(*(says(1) for _ in EVERY_MODULE)))
    assert carried(site) == {module: (module,) for module in EVERY_MODULE}
    assert [node.offset for node in site.nodes] == list(range(63))
    assert site.layout is Layout.DISTRIBUTED
    assert site.numbering is Numbering.POSITION
    assert not site.conflicts


def test_a_dead_module_of_a_node_that_lists_only_it() -> None:
    """The panel does not hear module 01 of the second node; it is there all the same."""
    site = plan(answers(says(1), says(listed=[1]), says(1)))
    assert carried(site) == {1: (1,), 2: (2,), 3: (3,)}


def test_bridge() -> None:
    """One node lists all; those that do not answer it are its modules too."""
    site = plan(answers(says(*range(1, 34), listed=EVERY_MODULE)))
    assert carried(site) == {1: EVERY_MODULE}
    assert site.layout is Layout.BRIDGE
    assert site.numbering is Numbering.REPORTED


def test_bridge_with_one_module_online() -> None:
    """One answer that lists 63 is a bridge, not a node whose module is 01."""
    site = plan(answers(SILENT, says(1, listed=EVERY_MODULE)), add_silent=False)
    assert carried(site) == {2: EVERY_MODULE}
    assert site.layout is Layout.BRIDGE
    assert site.nodes[0].offset == 0


def test_bridges_on_a_silent_bus() -> None:
    """Nothing is online anywhere: both readers list it all."""
    dead = says(listed=EVERY_MODULE)
    assert carried(plan(answers(dead, dead))) == {1: EVERY_MODULE, 2: EVERY_MODULE}


def test_mixed_layout_shares_modules() -> None:
    """A bridge beside nodes of their own is a second source, no conflict."""
    site = plan(answers(says(1), says(2), says(*range(3, 64)), says(*EVERY_MODULE)))
    assert carried(site) == {
        1: (1,),
        2: (2,),
        3: tuple(range(3, 64)),
        4: EVERY_MODULE,
    }
    assert site.layout is Layout.MIXED
    assert not site.conflicts


def test_a_module_that_is_only_listed_goes_to_the_most_specific_lister() -> None:
    """Who lists five modules knows more of the fifth than who lists 63."""
    site = plan(
        answers(
            says(*range(10, 64), listed=EVERY_MODULE), says(1, 2, 3, listed=range(1, 6))
        )
    )
    assert carried(site) == {1: tuple(range(6, 64)), 2: (1, 2, 3, 4, 5)}


def test_one_of_63_is_absent() -> None:
    """The others show which module it must carry."""
    probes = [says(module) for module in EVERY_MODULE]
    probes[8] = SILENT
    site = plan(answers(*probes))
    assert carried(site) == {module: (module,) for module in EVERY_MODULE}
    assert site.silent == (at(9),)
    site = plan(answers(*probes), add_silent=False)
    assert carried(site) == {m: (m,) for m in EVERY_MODULE if m != 9}
    assert site.left_out == {at(9): LeftOut.SILENT}


def test_the_absent_one_keeps_its_module_though_others_list_it() -> None:
    """Everybody lists all 63, and only its own node says that 9 is online."""
    probes = [says(module, listed=EVERY_MODULE) for module in EVERY_MODULE]
    probes[8] = SILENT
    assert carried(plan(answers(*probes)))[9] == (9,)


def test_an_absent_one_where_everybody_says_01() -> None:
    """It will say 01 too, and gets the offset of its place."""
    site = plan(answers(says(1), SILENT, says(1)))
    assert site.nodes[1] == NodeConfig(2, at(2), (2,), offset=1)


def test_the_only_answer_says_01_from_the_third_place() -> None:
    """One answer is enough to see that the place has to decide."""
    site = plan(answers(SILENT, SILENT, says(1)))
    assert carried(site) == {1: (1,), 2: (2,), 3: (3,)}
    assert site.numbering is Numbering.POSITION


def test_places_and_modules_in_step() -> None:
    """Modules 11-13 at places 1-3: the silent one is 12; but 64 does not exist."""
    site = plan(answers(says(11), SILENT, says(13)))
    assert carried(site) == {1: (11,), 2: (12,), 3: (13,)}
    site = plan(answers(says(62), says(63), SILENT))
    assert site.left_out == {at(3): LeftOut.BEYOND_LIMIT}


@pytest.mark.parametrize(
    "probes",
    [
        [says(5), SILENT, says(2)],
        [says(5), SILENT],
        [says(*EVERY_MODULE), SILENT],
        [says(listed=EVERY_MODULE), SILENT],
    ],
)
def test_no_pattern_no_guess(probes: list[Probe]) -> None:
    """Nobody invents a module for a silent address."""
    site = plan(answers(*probes))
    assert site.left_out == {at(2): LeftOut.UNKNOWN_MODULE}


def test_a_silent_one_whose_module_another_has() -> None:
    """By its step the third would be module 13, which a known node carries."""
    result = answers(says(11), says(12), SILENT, SILENT)
    site = plan(result, known=[NodeConfig(7, at(4), (13,))])
    assert carried(site) == {1: (11,), 2: (12,), 7: (13,)}
    assert site.left_out == {at(3): LeftOut.TAKEN}


def test_one_wrong_node_hides_no_pattern() -> None:
    """A wrong number at one place is a conflict, and the silent one still 9."""
    probes = [says(module) for module in EVERY_MODULE]
    probes[8], probes[20] = SILENT, says(12)
    site = plan(answers(*probes))
    assert carried(site)[9] == (9,)
    assert site.conflicts == (Conflict(12, (at(12), at(21))),)


def test_everybody_says_01_beside_a_bridge() -> None:
    """The bridge knows the site's numbers, the others do not."""
    site = plan(answers(*[says(1)] * 6, says(*EVERY_MODULE)))
    assert carried(site) == {
        **{place: (place,) for place in range(1, 7)},
        7: EVERY_MODULE,
    }
    assert site.layout is Layout.MIXED
    few = plan(answers(says(1), says(1), says(*EVERY_MODULE)))
    assert few.conflicts == (Conflict(1, (at(1), at(2))),)


def test_two_nodes_claim_one_module() -> None:
    """Both stay in, and it is said."""
    site = plan(answers(says(1), says(2), says(2), says(*EVERY_MODULE)))
    assert site.conflicts == (Conflict(2, (at(2), at(3))),)
    assert carried(site)[2] == carried(site)[3] == (2,)


def test_the_installer_knows_better() -> None:
    """The numbering can be set either way."""
    says_01 = answers(says(1), says(1))
    site = plan(says_01, numbering=Numbering.REPORTED)
    assert site.conflicts == (Conflict(1, (at(1), at(2))),)
    site = plan(answers(says(8), says(9), SILENT), numbering=Numbering.POSITION)
    assert [(n.modules, n.offset) for n in site.nodes] == [
        ((1,), -7),
        ((2,), -7),
        ((3,), 2),
    ]


def test_beyond_63() -> None:
    """A place past the last module leaves even a node out that answers."""
    site = plan(answers(*(says(1) for _ in range(65))))
    assert len(site.nodes) == 63
    assert site.left_out == {
        at(64): LeftOut.BEYOND_LIMIT,
        at(65): LeftOut.BEYOND_LIMIT,
    }


def test_nobody_answered() -> None:
    """A site without power: the place is the module, up to 63."""
    site = plan(answers(*[SILENT] * 64))
    assert carried(site) == {module: (module,) for module in EVERY_MODULE}
    assert site.layout is Layout.UNKNOWN
    assert site.left_out == {at(64): LeftOut.BEYOND_LIMIT}


def test_standby_answers_for_a_silent_primary() -> None:
    """Its modules are known through the other address."""
    site = plan(
        answers(says(1), SILENT, says(7)),
        standby=answers(SILENT, says(5), says(7), network=1),
    )
    assert [(node.modules, node.standby) for node in site.nodes] == [
        ((1,), at(1, 1)),
        ((5,), at(2, 1)),
        ((7,), at(3, 1)),
    ]
    assert site.answers.probes[1].via == at(2, 1)
    assert not site.silent
    assert not site.swapped


def test_standby_of_somebody_else() -> None:
    """The lists are not in the same order."""
    site = plan(
        answers(says(1), says(2), says(3)),
        standby=answers(says(2), says(1), SILENT, network=1),
    )
    assert site.swapped == (at(1), at(2))
