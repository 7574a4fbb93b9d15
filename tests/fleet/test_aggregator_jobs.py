"""Large batches are decoded by an executor: nothing waits for it, nothing is lost with it."""

from collections.abc import Iterator

import pytest

from custom_components.esp32_fire_alarm.fleet import aggregator as aggregator_module
from custom_components.esp32_fire_alarm.fleet.batch import JOB_SECONDS

from .fed_site import ALARM, ALL, TROUBLE, TROUBLE_RESTORED, TestExecutor, quiet_site


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestExecutor]:
    """An executor that gets everything that waits."""
    monkeypatch.setattr(aggregator_module, "JOB_BYTES", 1)
    one = TestExecutor()
    yield one
    one.close()


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
