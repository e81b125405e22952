"""Living with a second judge: ARM and DISARM by its echo, its causes adopted, its latches first."""

import pytest

from safety.echo import ANSWER_MS, SETTLE_MS
from safety.signals import Demand, Guard, GuardState
from tests.safety.table import ARM, Bench, armed, ready

IDLE = Guard(GuardState.IDLE)
ARMED = Guard(GuardState.ARMED, session_id=ARM.session_id)


def guarded() -> Bench:
    return ready().put(guard=IDLE)


def test_arm_is_passed_on_and_true_only_by_the_guards_echo() -> None:
    bench = guarded()
    decision = bench.put(arm=ARM).tick()
    assert decision.command.arm == ARM
    assert decision.armed is None
    assert decision.command.session_id == 0
    assert bench.run(100).armed is None
    decision = bench.put(guard=ARMED).tick()
    assert decision.armed == ARM
    assert decision.command.session_id == ARM.session_id
    assert bench.tick().command.arm is None


def test_without_a_guard_the_hosts_word_is_the_echo() -> None:
    bench = ready()
    assert bench.put(arm=ARM).tick().armed == ARM


def test_the_echo_of_another_session_is_no_echo() -> None:
    bench = guarded()
    bench.put(arm=ARM).tick()
    assert bench.put(guard=Guard(GuardState.ARMED, session_id=ARM.session_id + 1)).run(100).armed is None


def test_what_the_guard_refuses_is_told_and_an_older_refusal_is_not() -> None:
    bench = guarded()
    refusing = Guard(GuardState.IDLE, refused=("H30", "H08"))
    bench.put(guard=refusing)
    decision = bench.put(arm=ARM).tick()
    waited_ms = 10
    while not decision.refusals:
        assert decision.command.arm == ARM
        decision = bench.tick()
        waited_ms += 10
    assert waited_ms == SETTLE_MS
    assert [cause.code for cause in decision.refusals] == ["H30", "H08"]
    assert bench.tick().command.arm is None


def test_a_silent_guard_leaves_nothing_armed() -> None:
    bench = guarded()
    decision = bench.put(arm=ARM).tick()
    waited_ms = 10
    while not decision.refusals:
        decision = bench.tick()
        waited_ms += 10
    assert waited_ms == ANSWER_MS
    assert [cause.code for cause in decision.refusals] == ["H18"]
    assert bench.put(guard=ARMED).run(50).armed is None


def test_disarm_is_true_only_by_the_guards_echo() -> None:
    bench = armed().put(guard=ARMED)
    decision = bench.put(disarm=True).tick()
    assert decision.command.disarm
    assert decision.armed == ARM
    assert bench.put(guard=IDLE).tick().armed is None


@pytest.mark.parametrize("demand", [Demand.STOP, Demand.RETURN, Demand.HOLD, Demand.CUT])
def test_what_the_guard_demands_is_adopted_with_its_cause_and_value(demand: Demand) -> None:
    bench = armed().put(guard=ARMED, angle_cdeg=0)
    bench.run(1000)
    told = Guard(GuardState.RETURN, demand, ("H13", "H01"), ARM.session_id, first_value=640)
    decision = bench.put(guard=told).tick()
    adopted = next(cause for cause in decision.causes if cause.by == "guard")
    assert (adopted.code, adopted.demand, adopted.value) == ("H13", demand, 640)
    # At level a RETURN is a STOP.
    assert decision.demand == (Demand.STOP if demand == Demand.RETURN else demand)
    # The guard latches by itself: when it lets go, so does what was adopted.
    assert all(cause.by != "guard" for cause in bench.put(guard=ARMED).tick().causes)


def test_after_a_return_of_the_guards_no_set_begins_any_more() -> None:
    bench = armed().put(guard=Guard(GuardState.RETURN, Demand.RETURN, ("H17",), ARM.session_id))
    bench.tick()
    assert bench.put(guard=ARMED).tick().over


def test_a_guard_that_forgot_the_session_at_level_disarms_the_host() -> None:
    bench = armed().put(guard=ARMED)
    assert bench.run(100).armed == ARM
    assert bench.put(guard=IDLE).tick().armed is None


def test_the_hosts_latches_clear_only_after_the_guards() -> None:
    bench = armed().put(guard=ARMED)
    bench.run(100)
    bench.put(patient_button=True).run(500)
    holding = Guard(GuardState.STOP, Demand.STOP, ("H22",), ARM.session_id)
    bench.put(patient_button=False, guard=holding).run(500)
    bench.press("ACK", 3000)
    assert bench.run(100).demand == Demand.STOP
    bench.put(guard=ARMED).run(100)
    bench.press("ACK", 2100)
    assert bench.run(100).demand == Demand.ALLOW
