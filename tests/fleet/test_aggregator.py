"""What is told when: alarms in the turn in which they come, all else in good order."""

from collections.abc import Iterator

import pytest

from custom_components.esp32_fire_alarm.fleet import aggregator as aggregator_module
from custom_components.esp32_fire_alarm.fleet.aggregator import (
    FLOOD_FRAMES_PER_SECOND,
    TELEMETRY_SECONDS,
)
from custom_components.esp32_fire_alarm.fleet.batch import JOB_SECONDS
from custom_components.esp32_fire_alarm.fleet.gather import MAX_GATHERED
from custom_components.esp32_fire_alarm.fleet.handover import ALARM_REPEAT_SECONDS
from custom_components.esp32_fire_alarm.fleet.inbox import MAX_KNOWN, MAX_WAITING
from custom_components.esp32_fire_alarm.fleet.models import EdgeKind
from custom_components.esp32_fire_alarm.fleet.throttle import (
    SECONDS_PER_TOKEN,
    TOKENS_AT_ONCE,
)
from custom_components.esp32_fire_alarm.fleet.word import TROUBLE_LED_FRAMES

from .fed_site import ALARM_LED, TROUBLE_LED, FedSite, TestExecutor, node

ALARM = EdgeKind.ALARM
RESTORED = EdgeKind.ALARM_RESTORED
TROUBLE = EdgeKind.TROUBLE
TROUBLE_RESTORED = EdgeKind.TROUBLE_RESTORED

ALL = range(1, 64)


def quiet_site(count: int = 1, executor: TestExecutor | None = None) -> FedSite:
    """Return a site of nodes with a module each, all of them heard and quiet."""
    site = FedSite(*(node(number, number) for number in ALL[:count]), executor=executor)
    for number in ALL[:count]:
        site.say(number, f"{number:02d}0000")
    site.updates.clear()
    return site


def exhaust(site: FedSite, number: int = 1) -> None:
    """Use up all tokens of a node with changes that are told one by one."""
    for count in range(int(TOKENS_AT_ONCE)):
        # More different frames than are kept decoded.
        site.say(number, f"{number:02d}{count % (MAX_KNOWN + 1) + 1:02X}00")
        site.loop.turn()
    site.say(number, f"{number:02d}0000")
    site.told()


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestExecutor]:
    """An executor that gets everything that waits."""
    monkeypatch.setattr(aggregator_module, "JOB_BYTES", 1)
    one = TestExecutor()
    yield one
    one.close()


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


# Floods.


def test_a_flooding_node_waits_for_its_tokens() -> None:
    """After the burst, twenty updates a second; the newest state is never lost."""
    site = quiet_site()
    exhaust(site)
    for count in range(2000):
        site.say(1, f"01{count % 31 + 1:02X}00")
        site.loop.turn()
        site.loop.pass_time(0.0005)
    assert 15 <= len(site.updates) <= 22
    site.loop.pass_time(2 * SECONDS_PER_TOKEN)
    assert site.is_quiescent
    last = 1999 % 31 + 1
    for position in range(5):
        assert site.truth.zones[position + 1].trouble == bool(last >> position & 1)
    record = site.health.record(1)
    assert record.throttled > 1000
    assert record.throttled_at is not None


def test_a_throttled_node_does_not_delay_others() -> None:
    """Another node's trouble is told with the next turn, as ever."""
    site = quiet_site(2)
    exhaust(site)
    site.say(1, "011000")
    site.loop.turn()
    assert not site.updates
    site.say(2, "020100")
    site.loop.turn()
    assert site.told() == [(TROUBLE, 6)]


def test_a_throttled_node_still_raises_alarms_at_once() -> None:
    """No token is asked for an alarm."""
    site = quiet_site()
    exhaust(site)
    site.say(1, "011000")
    site.loop.turn()
    site.say(1, "011001")
    assert site.told()[0] == (ALARM, 1)
    assert site.truth.zones[5].trouble


def test_every_edge_of_a_storming_alarm_arrives() -> None:
    """2,000 changes a second: all edges, in order, within 50 ms; few updates."""
    site = quiet_site()
    exhaust(site)
    fed = []
    for count in range(2000):
        zone = count % 5
        site.say(1, f"0100{1 << zone:02X}")
        fed += [(ALARM, zone + 1), (RESTORED, (zone - 1) % 5 + 1)][: 2 if count else 1]
        site.loop.pass_time(0.0005)
        waited = site.now() - next(
            iter(site.aggregator._hand_over._arrivals), site.now()
        )
        assert waited <= SECONDS_PER_TOKEN + 0.001
    assert len(site.updates) <= 5 + 2 * 20 + 2
    site.loop.pass_time(SECONDS_PER_TOKEN)
    told = [edge for edge in site.told() if edge[0] in (ALARM, RESTORED)]
    assert len(told) == len(fed)
    for zone in range(1, 6):
        assert [one for one in told if one[1] == zone] == [
            one for one in fed if one[1] == zone
        ]
    assert site.health.record(1).throttled_at is not None


def test_a_new_alarm_in_a_storm_is_told_at_once() -> None:
    """A zone that was not in alarm within the last second waits for nobody."""
    site = quiet_site()
    exhaust(site)
    site.say(1, "010001")
    site.say(1, "010000")
    site.told()
    site.say(1, "010001")
    assert not site.updates
    site.say(1, "010003")
    assert (ALARM, 2) in site.told()
    site.loop.pass_time(ALARM_REPEAT_SECONDS)
    exhaust(site)
    site.say(1, "010001")
    assert (ALARM, 1) in site.told()


def test_alarms_are_told_in_their_order_whoever_had_to_wait() -> None:
    """A zone that is in alarm again was so before one that is in alarm anew."""
    site = quiet_site()
    exhaust(site)
    site.say(1, "010003")
    site.told()
    site.say(1, "010002")
    site.say(1, "010103")
    assert not site.updates
    site.say(1, "010107")
    assert site.told() == [(RESTORED, 1), (ALARM, 1), (ALARM, 3), (TROUBLE, 1)]


def test_what_is_gathered_is_bounded() -> None:
    """So many edges, and they are told, token or not."""
    site = FedSite(node(1, *ALL))
    everything = [f"{module:02d}001F" for module in ALL]
    nothing = [f"{module:02d}0000" for module in ALL]
    site.say(1, *nothing)
    exhaust(site)
    for _ in range(20):
        site.say(1, *everything)
        site.say(1, *nothing)
        assert len(site.aggregator._hand_over._untold._edges) < MAX_GATHERED + 315
    site.loop.pass_time(SECONDS_PER_TOKEN)
    alarms = [kind for kind, _ in site.told() if kind in (ALARM, RESTORED)]
    assert len(alarms) == 20 * 2 * 315


def test_an_alarm_behind_more_than_is_gathered_is_told() -> None:
    """A bridge whose inbox is full of troubles that come and go, then an alarm."""
    site = FedSite(node(1, *ALL))
    site.say(1, *(f"{module:02d}0000" for module in ALL))
    site.updates.clear()
    for number in range(1, MAX_WAITING + 1):
        calm = [f"{module:02d}{31 * (number % 2):02X}00" for module in ALL[1:]]
        site.say(1, f"01{number:02X}00", *calm)
    assert site.aggregator.metrics.inbox_depth == MAX_WAITING
    site.say(1, *(f"{module:02d}001F" for module in ALL), master=ALARM_LED)
    told = site.told()
    assert told[:315] == [(ALARM, zone) for zone in range(1, 316)]
    assert (ALARM, 1) not in told[315:]


@pytest.mark.parametrize(("rate", "floods"), [(15, False), (150, True)])
def test_who_only_repeats_itself_can_flood_too(rate: int, floods: bool) -> None:
    """Its messages cost nothing but their reading; it is flagged all the same."""
    assert rate < FLOOD_FRAMES_PER_SECOND or floods
    site = quiet_site()
    for _ in range(4):
        for _ in range(rate // 2):
            site.say(1, "010000")
        # The pool counts messages.
        site.health.record(1).frames += rate // 2
        site.loop.pass_time(0.5)
        site.aggregator.tick()
    assert (site.health.record(1).throttled_at is not None) == floods
    assert not site.updates


# Executor jobs.


def test_a_large_batch_is_decoded_elsewhere(executor: TestExecutor) -> None:
    """One job for all nodes, one update when it comes back, troubles first."""
    site = quiet_site(3, executor)
    site.say(1, "010020")
    site.say(2, "022000")
    site.say(3, "030100")
    site.told()
    site.loop.turn()
    assert not site.updates
    assert len(executor.jobs) == 1
    executor.finish()
    assert len(site.updates) == 1
    assert site.told() == [(TROUBLE, 11)]
    assert site.aggregator.metrics.jobs == 1
    assert site.is_quiescent


def test_an_alarm_does_not_wait_for_a_job(executor: TestExecutor) -> None:
    """What the job has of its node is decoded again, and comes back void."""
    site = quiet_site(2, executor)
    site.say(1, "010100")
    site.say(2, "020100")
    site.loop.turn()
    site.say(1, "010001")
    assert site.told() == [(ALARM, 1), (TROUBLE, 1), (TROUBLE_RESTORED, 1)]
    executor.finish()
    assert site.told() == [(TROUBLE, 6)]
    assert site.truth.zones[1].alarm
    assert not site.truth.zones[1].trouble


def test_a_job_does_not_bring_a_lost_node_back(executor: TestExecutor) -> None:
    """A result that comes after the loss of the link is stale."""
    site = quiet_site(2, executor)
    site.say(1, "010100")
    site.loop.turn()
    site.aggregator.lose(1)
    assert site.told() == [(TROUBLE, 1)]
    executor.finish()
    assert not site.truth.is_fresh(1)
    assert not site.updates


def test_a_job_does_not_speak_for_a_new_node(executor: TestExecutor) -> None:
    """A node forgotten meanwhile has nothing to do with its successor."""
    site = quiet_site(1, executor)
    site.say(1, "010100")
    site.loop.turn()
    site.aggregator.forget(1)
    site.say(1, "011000")
    site.loop.turn()
    executor.finish()
    assert not site.updates
    executor.finish()
    assert site.told() == [(TROUBLE, 5)]


def test_what_comes_during_a_job_waits_for_it(executor: TestExecutor) -> None:
    """Messages of one node stay in order."""
    site = quiet_site(1, executor)
    site.say(1, "010100")
    site.loop.turn()
    site.say(1, "010000")
    site.loop.turn()
    assert len(executor.jobs) == 1
    executor.finish()
    assert site.told() == [(TROUBLE, 1)]
    site.loop.turn()
    executor.finish()
    assert site.told() == [(TROUBLE_RESTORED, 1)]


def test_without_an_executor_the_work_is_done_here(executor: TestExecutor) -> None:
    """Home Assistant stops: the executor takes nothing any more."""
    site = quiet_site(1, executor)
    executor.is_down = True
    site.say(1, "010100")
    site.loop.turn()
    assert site.told() == [(TROUBLE, 1)]
    assert site.aggregator.metrics.jobs == 0


def test_a_failed_job_is_done_here(executor: TestExecutor) -> None:
    """Nothing is lost with it."""
    site = quiet_site(1, executor)
    site.say(1, "010100")
    site.loop.turn()
    executor.fail()
    assert site.told() == [(TROUBLE, 1)]


def test_a_busy_executor_is_not_waited_for(executor: TestExecutor) -> None:
    """After a second the work is done here; the late result is void."""
    site = quiet_site(1, executor)
    site.say(1, "010100")
    site.loop.turn()
    site.say(1, "010300")
    site.loop.pass_time(JOB_SECONDS)
    site.aggregator.tick()
    assert site.told() == [(TROUBLE, 1)]
    executor.finish()
    site.loop.turn()
    executor.finish()
    assert site.told() == [(TROUBLE, 2)]


def test_a_batch_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than fits in one turn is merged in the turns that follow."""
    monkeypatch.setattr(aggregator_module, "MESSAGES_PER_TURN", 10)
    site = quiet_site(25)
    for number in ALL[:25]:
        site.say(number, f"{number:02d}0100")
    for _ in range(3):
        site.loop.turn()
    assert [len(update.edges) for update in site.updates] == [10, 10, 5]
    assert site.aggregator.metrics.largest_batch == 10


def test_merging_a_job_is_bounded(
    executor: TestExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not merged yet gives way to an alarm of its node."""
    monkeypatch.setattr(aggregator_module, "MESSAGES_PER_TURN", 10)
    site = quiet_site(25, executor)
    for number in ALL[:25]:
        site.say(number, f"{number:02d}0100")
    site.loop.turn()
    assert len(executor.jobs) == 1
    executor.finish()
    assert [len(update.edges) for update in site.updates] == [10]
    site.say(25, "250001")
    assert site.updates[-1].edges[0].zone == 121
    site.loop.turn()
    site.loop.turn()
    assert [len(update.edges) for update in site.updates] == [10, 3, 10, 4]
    assert site.truth.zones[121].alarm
    assert site.is_quiescent


def test_after_closing_nothing_is_planned(executor: TestExecutor) -> None:
    """Neither a turn nor a timer nor a job is left."""
    site = quiet_site(2, executor)
    site.say(2, "020100")
    site.loop.turn()
    site.say(1, "010100")
    site.aggregator.close()
    site.loop.turn()
    executor.finish()
    site.say(1, "010200")
    planned = [*site.loop.soon, *(one for _, one in site.loop.later)]
    assert all(one.is_cancelled for one in planned)
    assert not site.updates
