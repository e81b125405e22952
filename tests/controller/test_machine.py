"""The state machine: every step of its table, its illegal steps, and the page generated from it."""

import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from config.errors import IllegalStepError
from config.limits import Limits
from config.loading import load_plan
from controller import permits, states
from controller.machine import SessionMachine
from controller.session import arm_of
from controller.states import TABLE, TRIGGERS
from controller.walker import steps_of
from safety.signals import Arm, State
from sim.pytest_plugin import Rig

ROOT = Path(__file__).parents[2]
PLAN = load_plan("short")
ARM: Arm = arm_of(PLAN, Limits(), permits.simulated(PLAN, 1, 0), True, False, 1)


def machine_in(state: State, armed: bool) -> SessionMachine:
    machine = SessionMachine((steps_of(PLAN),), Limits(), lambda _number, _steps: ARM)
    machine.state = state
    machine._armed = ARM if armed else None
    return machine


def destination(state: State, trigger: str, armed: bool) -> State | None:
    for row in TABLE:
        sources = row["source"] if isinstance(row["source"], tuple) else (row["source"],)
        if row["trigger"] == trigger and state in sources:
            if ("conditions" in row and not armed) or ("unless" in row and armed):
                continue
            return State(row["dest"])
    return None


@pytest.mark.parametrize(("state", "trigger", "armed"), list(product(State, TRIGGERS, (False, True))))
def test_each_step_leads_where_the_table_says_and_every_other_changes_nothing(
    state: State, trigger: str, armed: bool
) -> None:
    machine = machine_in(state, armed)
    expected = destination(state, trigger, armed)
    if expected is not None:
        machine.fire(trigger)
        assert machine.state is expected
        assert machine.illegal == 0
    else:
        with pytest.raises(IllegalStepError, match=f"{trigger} is not possible in state {state.value}"):
            machine.fire(trigger)
        assert machine.state is state
        assert machine.illegal == 1


def test_a_step_that_no_state_has_is_refused_by_name() -> None:
    machine = machine_in(State.IDLE, armed=False)
    with pytest.raises(IllegalStepError, match="no step called fly"):
        machine.fire("fly")
    assert machine.state is State.IDLE
    assert machine.illegal == 1


def test_the_way_of_a_visit_is_in_the_table() -> None:
    machine = machine_in(State.IDLE, armed=True)
    for trigger in ("armed", "tilt", "reached", "turn_back", "arrived", "next_set", "disarm"):
        machine.fire(trigger)
    assert machine.state is State.IDLE


def test_every_state_can_be_reached_and_left() -> None:
    reached = {State(row["dest"]) for row in TABLE}
    left = {
        state for row in TABLE for state in (row["source"] if isinstance(row["source"], tuple) else (row["source"],))
    }
    assert reached == set(State)
    assert left == set(State)


def test_every_state_is_told_in_the_machines_own_words() -> None:
    words = states.__doc__ or ""
    for state in State:
        assert f"- `{state.value}`: " in words


def test_the_page_of_states_is_current() -> None:
    command = [sys.executable, "scripts/state_page.py", "--check"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


# The time to level ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("faults", "state"), [([], State.RETURNING), (["strap-opens@holding+1s:side=left"], State.EMERGENCY_RETURN)]
)
def test_the_time_to_level_is_about_what_it_then_takes(faults: list[str], state: State) -> None:
    rig = Rig("short", faults=faults)
    rig.expect("*")
    rig.finish()
    way = [one for one in rig.snapshots if one.wish.state is state and not one.wish.tone]
    assert way
    for one in way[:: len(way) // 20]:
        really_ms = way[-1].t_ms - one.t_ms
        assert one.wish.left_ms == pytest.approx(really_ms, abs=max(6000, 0.3 * really_ms))
