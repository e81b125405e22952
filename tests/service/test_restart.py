"""H29: the control process dies at any tick, the table goes on alone, and the next process does what HAZARDS says."""

import pytest

from safety.signals import Demand, GuardState, Region, State
from sim.guarded import GuardedActuation
from tests.service.rig import Rig

pytestmark = pytest.mark.needs("cc")

STARTING_S = (0.0, 0.3, 2.5, 8.0)
"""How long the table is alone: not at all, within the lease's lapse, before the guard's return, in the midst of it."""


def running(state: State, after_s: float) -> Rig:
    rig = Rig(guard=True)
    rig.forward(1)
    assert rig.offer().ok
    rig.come()
    rig.until_state(state)
    rig.forward(after_s)
    return rig


def killed(rig: Rig, alone_s: float, *, unfinished: bool = True) -> Rig:
    """Drop loop, session and people in the middle; the table goes on, and another process finds it."""
    for button in list(rig.table.hands.held()):
        rig.table.hands.release(button)
    rig.table.forward_alone(round(alone_s * 1000))
    return Rig(table=rig.table, unfinished=unfinished, salt=1_000_000)


def guard_says(rig: Rig) -> GuardState:
    guard = rig.snapshot.readings.guard
    assert guard is not None
    return guard.state


def home(rig: Rig) -> None:
    rig.until(lambda seen: seen.decision.region is Region.LEVEL and seen.decision.still, 90)


@pytest.mark.parametrize("alone_s", STARTING_S)
@pytest.mark.parametrize(
    ("state", "after_s"), [(State.TILTING, 4), (State.TILTING, 9), (State.HOLDING, 3), (State.RETURNING, 3)]
)
def test_h29_below_level_the_guard_brings_the_patient_back_and_the_new_process_watches(
    state: State, after_s: float, alone_s: float
) -> None:
    before = running(state, after_s)
    rig = killed(before, alone_s)
    deepest_deg = before.true_deg
    if deepest_deg > -1.2:
        # From so little depth the guard had brought the patient back by itself before anybody looked.
        assert (state, after_s, alone_s) in ((State.TILTING, 4, 8.0), (State.RETURNING, 3, 8.0))
        rig.forward(1)
        assert "H17" in rig.codes()
        return
    rig.forward(0.2)
    assert "H29" in rig.codes()
    assert rig.snapshot.decision.alarm.name in ("MEDIUM", "HIGH")
    lowest_deg = rig.true_deg
    while not (rig.snapshot.decision.region is Region.LEVEL and rig.snapshot.decision.still):
        seen = rig.tick()
        lowest_deg = min(lowest_deg, rig.true_deg)
        # It renews no lease: no command of it carries the session of the guard.
        assert seen.decision.command.session_id == 0
        assert seen.decision.command.arm is None
        assert seen.t_ms < 60_000
    assert lowest_deg > deepest_deg - 1.2
    assert -1 < rig.true_deg < 1
    assert rig.snapshot.decision.armed is None


@pytest.mark.parametrize("state", [State.STRAPPED, State.RESTING])
def test_at_level_the_table_stays_where_it_is_and_is_disarmed_when_it_may_be(state: State) -> None:
    rig = killed(running(state, 3), 5)
    rig.forward(1)
    assert "H29" not in rig.codes()
    assert -1 < rig.true_deg < 1
    rig.come()
    rig.until(lambda seen: seen.readings.guard is not None and not seen.readings.guard.session_id, 200)
    assert -1 < rig.true_deg < 1


@pytest.mark.parametrize("unfinished", [True, False])
def test_h29_afterwards_reset_clears_it_and_a_new_visit_can_begin(unfinished: bool) -> None:
    rig = killed(running(State.HOLDING, 1), 1, unfinished=unfinished)
    home(rig)
    rig.forward(70)
    rig.table.hands.press("ACK")
    rig.forward(2.5)
    rig.table.hands.release("ACK")
    rig.forward(15)
    assert rig.codes() == []
    assert guard_says(rig) is GuardState.IDLE
    for side in ("left", "right"):
        rig.table.hands.strap(side, False)
    rig.forward(2)
    rig.visit()
    assert rig.events("visit")[-1].values["result"] == "completed"


def test_h29_nobody_arms_before_the_alarm_was_reset() -> None:
    rig = killed(running(State.HOLDING, 1), 1)
    home(rig)
    rig.forward(70)
    assert "H29" in rig.codes()
    assert rig.snapshot.decision.demand >= Demand.STOP
    assert rig.snapshot.decision.armed is None


def test_a_second_death_in_the_midst_of_the_return_changes_nothing() -> None:
    rig = killed(killed(running(State.HOLDING, 1), 5), 2)
    rig.forward(0.2)
    assert "H29" in rig.codes()
    home(rig)
    assert -1 < rig.true_deg < 1


def test_h29_where_the_guard_was_reset_too_the_table_is_held_until_a_button_brings_it_back() -> None:
    before = running(State.HOLDING, 1)
    actuation = before.table.actuation
    assert isinstance(actuation, GuardedActuation)
    # A reset of the microcontroller: what it knew is gone, and its pins are at their safe levels.
    actuation.guard = actuation._booted(actuation._pins())
    rig = killed(before, 5)
    rig.forward(1)
    assert "H19" in rig.codes()
    assert rig.snapshot.decision.demand is Demand.HOLD
    angle = rig.true_deg
    rig.forward(20)
    assert abs(rig.true_deg - angle) < 0.5
    rig.come()
    home(rig)


def test_the_new_process_says_what_it_found_and_forgets_it_at_level() -> None:
    rig = killed(running(State.HOLDING, 1), 1)
    rig.forward(0.2)
    assert rig.snapshot.readings.host.unfinished
    home(rig)
    rig.forward(1)
    assert not rig.snapshot.readings.host.unfinished


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(60))
def test_h29_killed_at_any_tick_the_patient_reaches_level(seed: int) -> None:
    import random

    dice = random.Random(seed)
    rig = Rig(guard=True)
    rig.forward(1)
    assert rig.offer().ok
    rig.come()
    rig.forward(dice.uniform(1, 130))
    depth_deg = rig.true_deg
    rig = killed(rig, dice.choice((0.0, dice.uniform(0, 10))))
    lowest_deg = rig.true_deg
    end_ms = rig.table.clock.ms + 100_000
    while rig.table.clock.ms < end_ms:
        rig.tick()
        lowest_deg = min(lowest_deg, rig.true_deg)
    assert lowest_deg > min(depth_deg, 0) - 1.2
    assert rig.true_deg > -1
    assert rig.snapshot.decision.armed is None
