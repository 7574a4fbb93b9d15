"""What is told when: alarms in the turn in which they come, all else in good order."""

import pytest

from custom_components.esp32_fire_alarm.fleet.inbox import (
    MAX_WAITING,
    TELEMETRY_SECONDS,
)
from custom_components.esp32_fire_alarm.fleet.word import TROUBLE_LED_FRAMES

from .fed_site import (
    ALARM,
    ALARM_LED,
    ALL,
    RESTORED,
    TROUBLE,
    TROUBLE_LED,
    TROUBLE_RESTORED,
    FedSite,
    TestExecutor,
    exhaust,
    node,
    quiet_site,
)

# The alarm lane.


def test_an_alarm_is_told_in_its_own_turn() -> None:
    """No turn of the event loop lies between the message and the edge."""
    site = quiet_site()
    site.say(1, "010001", master=ALARM_LED)
    assert site.told() == [(ALARM, 1)]
    site.say(1, "010000")
    assert site.told() == [(RESTORED, 1)]


def test_the_first_message_of_a_link_is_told_at_once() -> None:
    """What comes first after a loss tells what happened in between."""
    site = quiet_site()
    site.aggregator.lose(1)
    site.updates.clear()
    site.say(1, "010100")
    assert site.told() == [(TROUBLE, 1)]
    assert site.truth.is_fresh(1)


def test_an_alarm_overtakes_what_waits_of_other_nodes() -> None:
    """Troubles that came earlier are told later."""
    site = quiet_site(3)
    site.say(1, "010100")
    site.say(2, "020100")
    site.say(3, "030001")
    assert site.told() == [(ALARM, 11)]
    site.loop.turn()
    assert site.told() == [(TROUBLE, 1), (TROUBLE, 6)]


def test_an_alarm_does_not_overtake_what_waits_of_its_own_node() -> None:
    """One update, the alarm first in it, and the truth is the newest."""
    site = quiet_site()
    site.say(1, "010300")
    site.say(1, "010200")
    site.say(1, "010001")
    assert site.told() == [
        (ALARM, 1),
        (TROUBLE, 1),
        (TROUBLE, 2),
        (TROUBLE_RESTORED, 1),
        (TROUBLE_RESTORED, 2),
    ]
    assert not site.truth.zones[2].trouble
    site.loop.turn()
    assert not site.told()


def test_while_there_is_an_alarm_nothing_of_its_node_waits() -> None:
    """A message that can end an alarm is as urgent as one that raises it."""
    site = quiet_site()
    site.say(1, "010001")
    site.told()
    site.say(1, "010101")
    assert site.told() == [(TROUBLE, 1)]


@pytest.mark.parametrize("is_bridge", [False, True])
def test_all_zones_at_once(is_bridge: bool) -> None:
    """315 alarms: 315 edges, none twice, alarms before everything else."""
    if is_bridge:
        site = FedSite(node(1, *ALL))
        site.say(1, *(f"{module:02d}0000" for module in ALL))
        site.updates.clear()
        site.say(1, *(f"{module:02d}1F1F" for module in ALL), master=ALARM_LED)
    else:
        site = quiet_site(63)
        for number in ALL:
            site.say(number, f"{number:02d}1F1F", master=ALARM_LED)
    kinds = site.told()
    alarms = [zone for kind, zone in kinds if kind is ALARM]
    assert alarms == list(range(1, 316))
    if is_bridge:
        assert all(kind is ALARM for kind, _ in kinds[:315])
    assert site.truth.summary().in_alarm == tuple(range(1, 316))


# What waits.


def test_a_trouble_is_told_with_the_next_turn() -> None:
    """Calm messages of one turn make one update."""
    site = quiet_site(2)
    site.say(1, "010100")
    site.say(2, "021000")
    assert not site.updates
    site.loop.turn()
    assert len(site.updates) == 1
    assert site.told() == [(TROUBLE, 1), (TROUBLE, 10)]


def test_a_trouble_of_one_frame_is_told_coming_and_going() -> None:
    """A newer message takes the place of an older, not its edges."""
    site = quiet_site()
    site.say(1, "010100")
    site.say(1, "010000")
    site.loop.turn()
    assert site.told() == [(TROUBLE, 1), (TROUBLE_RESTORED, 1)]


def test_a_trouble_that_comes_and_goes_often_is_told_once() -> None:
    """However often between two tellings: there, and back if it went."""
    site = quiet_site()
    for _ in range(5):
        site.say(1, "010100")
        site.say(1, "010000")
    site.say(1, "010200")
    site.loop.turn()
    assert site.told() == [(TROUBLE, 1), (TROUBLE_RESTORED, 1), (TROUBLE, 2)]


def test_a_module_that_answered_for_one_frame_is_not_missed() -> None:
    """What waits is merged frame by frame, not only the newest."""
    site = FedSite(node(1, 1, 2))
    site.say(1, "010000", "02")
    site.updates.clear()
    site.say(1, "010000", "020100")
    site.say(1, "010000", "02")
    site.loop.turn()
    assert site.told() == [(TROUBLE, 6)]
    assert site.truth.modules[2].online is False


def test_only_so_many_messages_wait() -> None:
    """One more, and all of them are merged; none is lost."""
    site = quiet_site()
    for number in range(MAX_WAITING):
        site.say(1, f"01{number + 1:02X}00")
    assert site.aggregator.metrics.inbox_depth == MAX_WAITING
    assert not site.updates
    site.say(1, "010000")
    assert site.aggregator.metrics.inbox_depth == 0
    assert {zone for kind, zone in site.told() if kind is TROUBLE_RESTORED} == {
        *range(1, 6)
    }


def test_a_message_that_waits_twice_has_one_place() -> None:
    """A node that goes back and forth does not fill its inbox."""
    site = quiet_site()
    for _ in range(100):
        site.say(1, "010100")
        site.say(1, "010200")
    assert site.aggregator.metrics.inbox_depth == 2
    site.loop.turn()
    assert site.truth.zones[2].trouble
    assert not site.truth.zones[1].trouble


def test_what_waits_is_merged_before_a_loss() -> None:
    """The link is gone, but what came over it counts; and the node is not fresh."""
    site = quiet_site()
    site.say(1, "010100")
    site.aggregator.lose(1)
    assert site.told() == [(TROUBLE, 1)]
    site.loop.turn()
    assert not site.truth.is_fresh(1)
    assert site.truth.zones[1].held


def test_what_waits_of_a_forgotten_node_is_dropped() -> None:
    """Its modules may have other numbers now; its next message is all new."""
    site = quiet_site()
    site.say(1, "010100")
    site.aggregator.forget(1)
    site.loop.turn()
    assert not site.told()
    site.say(1, "010100")
    site.loop.turn()
    assert site.told() == [(TROUBLE, 1)]


def test_what_is_merged_of_a_forgotten_node_is_told() -> None:
    """Nobody may hear of a zone's edges when the zone is gone."""
    site = quiet_site()
    exhaust(site)
    site.say(1, "010001")
    site.told()
    site.say(1, "010000")
    assert not site.told()
    site.aggregator.forget(1)
    assert site.told() == [(RESTORED, 1)]


def test_what_others_change_is_told_in_its_place() -> None:
    """An update from outside comes after what is merged but not told."""
    site = quiet_site()
    exhaust(site)
    site.say(1, "010001")
    for _ in range(3):
        site.say(1, "010000")
        site.say(1, "010001")
    site.say(1, "010000")
    site.told()
    site.aggregator.pass_on(site.truth.restore_alarm(5, site.now()))
    assert site.truth.zones[5].alarm
    assert site.updates[-1].zones.keys() >= {5}


# Repetitions.


def test_a_repetition_changes_nothing() -> None:
    """Not even a turn of the event loop is asked for."""
    site = quiet_site()
    for uptime in range(2, 100):
        site.say(1, "010000", uptime=uptime)
    assert not site.updates
    assert not site.loop.soon
    metrics = site.aggregator.metrics
    assert (metrics.identical, metrics.decoded) == (98, 1)


def test_the_steady_state_costs_nothing() -> None:
    """63 nodes, a frame each second for a minute: no update, no batch, no job."""
    executor = TestExecutor()
    site = quiet_site(63, executor)
    for second in range(60):
        for number in ALL:
            site.say(number, f"{number:02d}0000", uptime=second)
        site.loop.pass_time(1)
        site.aggregator.tick()
    assert not site.updates
    metrics = site.aggregator.metrics
    assert metrics.identical == 60 * 63
    # The first message of each, and its telemetry once after half a minute.
    assert metrics.decoded == 63 + 63
    assert (metrics.batches, metrics.jobs) == (0, 0)
    executor.close()


def test_a_blinking_lamp_is_decoded_once() -> None:
    """A panel in trouble sends two messages in turn; both are known soon."""
    site = quiet_site()
    site.say(1, "010100", master=TROUBLE_LED)
    site.loop.turn()
    for _ in range(10):
        site.say(1, "010100")
        site.loop.turn()
        site.say(1, "010100", master=TROUBLE_LED)
        site.loop.turn()
    assert site.aggregator.metrics.decoded == 3
    assert site.told() == [(TROUBLE, 1)]


def test_repetitions_settle_what_is_not_settled() -> None:
    """The Trouble LED goes off after four frames without it."""
    site = quiet_site()
    site.say(1, "010000", master=TROUBLE_LED)
    site.loop.turn()
    for _ in range(TROUBLE_LED_FRAMES):
        assert "trouble" in (site.truth.leds(1) or ())
        site.say(1, "010000")
        site.loop.turn()
    assert "trouble" not in (site.truth.leds(1) or ())


def test_telemetry_is_read_now_and_then() -> None:
    """Uptime and heap of a steady node are never older than half a minute."""
    site = quiet_site()
    site.say(1, "010000", uptime=5000)
    assert site.health.record(1).uptime_ms == 1
    site.loop.pass_time(TELEMETRY_SECONDS)
    site.aggregator.tick()
    site.say(1, "010000", uptime=35_000)
    assert site.health.record(1).uptime_ms == 35_000


@pytest.mark.parametrize("ticks", [False, True])
@pytest.mark.parametrize("segment", ["010000", "010100", "010001"])
def test_a_reboot_is_seen_with_the_first_message_of_a_link(
    segment: str, ticks: bool
) -> None:
    """Whatever it says, known or not, and however lately telemetry was read."""
    site = quiet_site()
    site.say(1, "010100", uptime=86_400_000)
    site.loop.pass_time(TELEMETRY_SECONDS)
    site.aggregator.tick()
    site.say(1, "010000", uptime=86_430_000)
    assert site.health.record(1).reboots == 0
    site.loop.pass_time(1)
    site.aggregator.lose(1)
    if ticks:
        site.aggregator.tick()
    site.aggregator.feed(1, b"{nonsense")
    site.say(1, segment, uptime=4000)
    record = site.health.record(1)
    assert (record.reboots, record.uptime_ms) == (1, 4000)
    site.say(1, segment, uptime=5000)
    assert record.uptime_ms == 4000


def test_a_link_that_was_cut_is_no_reboot() -> None:
    """The uptime went on."""
    site = quiet_site()
    site.aggregator.lose(1)
    site.say(1, "010000", uptime=9000)
    record = site.health.record(1)
    assert (record.reboots, record.uptime_ms) == (0, 9000)


def test_a_bad_message_costs_itself_only() -> None:
    """It is counted; what was known before still counts."""
    site = quiet_site()
    site.aggregator.feed(1, b"{nonsense")
    site.aggregator.feed(1, b"ping")
    site.say(1, "010000")
    metrics = site.aggregator.metrics
    assert (metrics.malformed, metrics.ignored, metrics.identical) == (1, 1, 1)
