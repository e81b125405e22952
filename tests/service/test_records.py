"""H33: what is not recorded is not begun; a set under way goes on to its end, and is told."""

from config.loading import load_plan
from safety.signals import Demand, State
from tests.service.rig import AT_LEVEL, LIMITS, Rig

FULL = "the disk is full: make room"


def holding() -> Rig:
    rig = Rig()
    rig.forward(6)
    assert rig.offer().ok
    rig.come()
    rig.until_state(State.HOLDING)
    return rig


def test_every_tick_and_every_event_reaches_the_recorder_once_and_in_order() -> None:
    rig = Rig()
    rig.forward(1)
    rig.visit()
    numbers = [event.number for event in rig.records.events]
    assert numbers == list(range(1, len(numbers) + 1))
    assert rig.records.events[0].kind == "boot"


def test_h33_an_offer_is_refused_while_nothing_is_recorded() -> None:
    rig = Rig()
    rig.forward(6)
    rig.records.fail(FULL)
    rig.forward(0.2)
    answer = rig.offer()
    assert (answer.ok, answer.codes) == (False, ("H33",))
    assert rig.service.state.records == FULL
    assert [(event.code, event.text) for event in rig.events("records")] == [("H33", FULL)]


def test_h33_the_set_under_way_ends_as_planned_and_the_next_one_does_not_begin() -> None:
    rig = Rig()
    rig.forward(6)
    plan = load_plan("three-sets", LIMITS)
    assert rig.offer(plan).ok
    people = rig.come(AT_LEVEL)
    rig.until_state(State.HOLDING)
    rig.forward(1)
    rig.records.fail(FULL)
    rig.forward(1)
    assert rig.snapshot.wish.state is State.HOLDING
    assert rig.snapshot.decision.demand is Demand.ALLOW
    assert rig.codes() == ["H33"]
    assert rig.snapshot.signals.alarm.name == "LOW"
    held_ms = rig.until_state(State.RETURNING).t_ms
    rig.until_state(State.RESTING)
    rig.until(lambda _: people.done, 900)
    assert held_ms
    sets = {snapshot.wish.set_number for snapshot in rig.records.snapshots if snapshot.wish.state is State.HOLDING}
    assert sets == {1}
    rig.until(lambda _: rig.ended() == 1, 300)
    assert rig.events("visit")[-1].values["result"] == "stopped"


def test_h33_a_recorder_that_comes_back_is_told_and_all_goes_on() -> None:
    rig = holding()
    rig.records.fail(FULL)
    rig.forward(1)
    rig.records.fail("")
    rig.forward(1)
    assert rig.codes() == []
    assert [event.text for event in rig.events("records")] == [FULL, "everything is recorded again"]


def test_what_the_recorder_says_of_itself_is_an_event() -> None:
    rig = Rig()
    rig.records.told = ["the journal was corrupt and was moved aside"]
    rig.forward(1)
    assert [event.text for event in rig.events("records")] == ["the journal was corrupt and was moved aside"]
