"""Simulated people do what people do, with nothing but hands and what a screen shows."""

import ast
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.errors import UsageError
from config.loading import load_plan
from safety.signals import BUTTONS, Contacts, Demand, Guide, Region, Snapshot, State
from sim import habits, people, preparing, supervisor
from sim.habits import NEVER_MS, Fingers, Habits, Policy
from sim.pytest_plugin import Rig

AT_LEVEL = Habits(boards_at_deg=0.0)


class NotingHands:
    """Hands that do nothing and write down what was done with them."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []
        self.held: set[str] = set()

    def press(self, button: str) -> None:
        if button not in self.held:
            self.done.append(("press", button))
        self.held.add(button)

    def release(self, button: str) -> None:
        self.done.append(("release", button))
        self.held.discard(button)

    def strap(self, side: str, closed: bool) -> None:
        self.done.append(("strap", side, closed))

    def estop(self, pressed: bool) -> None:
        self.done.append(("estop", pressed))

    def crank(self, turning: bool) -> None:
        self.done.append(("crank", turning))

    def inject(self, fault: str) -> None:
        self.done.append(("inject", fault))


def presses(rig: Rig, button: str) -> list[int]:
    """When a button went down, in milliseconds."""
    bit, before, found = BUTTONS[button], False, []
    for snapshot in rig.snapshots:
        held = bool((snapshot.readings.buttons or 0) & bit)
        if held and not before:
            found.append(snapshot.t_ms)
        before = held
    return found


def first(rig: Rig, question: Callable[[Snapshot], bool]) -> int:
    return next(snapshot.t_ms for snapshot in rig.snapshots if question(snapshot))


# The way through a session


@pytest.fixture(scope="module")
def visit() -> Rig:
    """A whole session from boarding near upright."""
    rig = Rig("short", habits=Habits())
    rig.finish()
    return rig


def test_a_session_is_completed_by_people_alone(visit: Rig) -> None:
    assert (visit.result.result, visit.result.exit_code) == ("completed", 0)
    assert visit.people.done
    assert not visit.people.supervisor.gave_up
    assert not visit.hands.held()


def test_straps_are_proven_open_then_closed_one_after_the_other(visit: Rig) -> None:
    def open_since(snapshot: Snapshot) -> bool:
        return snapshot.readings.strap_left is not Contacts.OPEN

    left = first(visit, open_since)
    right = first(visit, lambda s: s.readings.strap_right is not Contacts.OPEN)
    assert left >= 1000
    assert right - left >= 1000
    end = visit.snapshot.readings
    assert (end.strap_left, end.strap_right) == (Contacts.OPEN, Contacts.OPEN)


def test_tilt_is_held_from_boarding_to_level_and_again_after_five_seconds_of_rest(visit: Rig) -> None:
    lowering, tilting = presses(visit, "TILT")
    level = first(visit, lambda s: s.decision.region == Region.LEVEL)
    assert lowering < level < tilting
    rest = [s.decision.still for s in visit.snapshots if tilting - 5000 <= s.t_ms < tilting]
    assert all(rest)
    assert tilting - first(visit, lambda s: s.wish.state is State.STRAPPED) >= 5000


def test_confirm_is_pressed_afresh_for_lamps_straps_and_plan_with_the_patients_button_before_the_straps(
    visit: Rig,
) -> None:
    lamps, straps, read_back, end = presses(visit, "CONFIRM")
    button = first(visit, lambda s: s.readings.patient_button is True)
    armed = first(visit, lambda s: s.decision.armed is not None)
    assert lamps < button < straps < read_back < armed < end
    assert read_back - straps >= 4000


def test_tilt_is_let_go_at_the_target(visit: Rig) -> None:
    holding = [s for s in visit.snapshots if s.wish.state is State.HOLDING]
    assert not holding[-1].readings.buttons
    assert holding[30].readings.buttons == 0


def test_presence_is_renewed_below_level_and_nowhere_else() -> None:
    rig = Rig("first-visit", habits=AT_LEVEL)
    rig.finish()
    times = presses(rig, "PRESENCE")
    below = [s.t_ms for s in rig.snapshots if s.decision.region in (Region.BELOW, Region.INVERTED)]
    assert len(times) >= 4
    assert below[0] < times[0] < times[-1] < below[-1]
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) <= 16_000
    assert max(s.decision.presence_ms for s in rig.snapshots if below[0] <= s.t_ms <= below[-1]) < 20_000


def test_a_staged_plan_is_walked_by_pressing_tilt_anew_for_each_stage() -> None:
    plan = Rig("first-visit").session.plan
    rig = Rig(type(plan).model_validate(_as_file(plan)), habits=AT_LEVEL)
    assert rig.finish().result == "completed"
    assert len(presses(rig, "TILT")) == 2


def _as_file(plan: Any) -> dict[str, Any]:
    """A plan as its TOML file has it, with stages of 10° and 5 s."""
    return {
        "format": plan.format,
        "name": "staged",
        "title": plan.title,
        "sets": plan.sets,
        "angle_deg": plan.angle_cdeg / 100,
        "hold_s": plan.hold_s,
        "rest_s": plan.rest_s,
        "speed_deg_s": plan.speed_cdeg_s / 100,
        "staged": {"step_deg": 10.0, "wait_s": 5},
    }


def test_three_sets_are_walked() -> None:
    brief = load_plan("three-sets").model_copy(update={"hold_s": 5, "rest_s": 60})
    rig = Rig(brief, habits=AT_LEVEL)
    assert rig.finish().result == "completed"
    assert max(s.wish.set_number for s in rig.snapshots) == 3
    assert len(presses(rig, "TILT")) == 3


# In trouble


def test_a_stopped_table_is_brought_back_by_return_after_a_reaction_time() -> None:
    rig = Rig(habits=Habits(boards_at_deg=0.0, reaction_ms=1000))
    rig.forward(until="holding")
    rig.expect("STOP")
    rig.hands.press("STOP")
    rig.forward(seconds=0.2)
    rig.hands.release("STOP")
    stopped = first(rig, lambda s: s.decision.demand == Demand.STOP)
    rig.forward(until=lambda s: s.decision.region == Region.LEVEL, at_most_s=60)
    pressed = presses(rig, "RETURN")[0]
    assert 1000 <= pressed - stopped <= 1300


def test_an_emergency_stop_is_pulled_acknowledged_and_followed_by_a_held_return() -> None:
    rig = Rig(faults=["estop-pressed@holding+3s"], habits=AT_LEVEL)
    rig.expect("H20")
    rig.forward(until=lambda s: s.t_ms > 30_000 and s.decision.region == Region.LEVEL, at_most_s=120)
    assert first(rig, lambda s: s.decision.demand == Demand.CUT) < presses(rig, "ACK")[0] < presses(rig, "RETURN")[0]
    assert not rig.table.plant.crank_turning


def test_the_crank_is_worked_twenty_seconds_after_a_cut_and_left_at_level() -> None:
    rig = Rig(faults=["both-angles-lost@holding+3s"], habits=AT_LEVEL)
    rig.expect("*")
    rig.forward(until=lambda s: s.decision.demand == Demand.CUT)
    cranked = []
    for seconds in (19.5, 2.0, 30.0):
        rig.forward(seconds=seconds)
        cranked.append(rig.table.plant.crank_turning)
    assert cranked == [False, True, False]
    assert -100 <= rig.table.truth().angle_cdeg <= 150


def test_after_trouble_the_alarm_is_reset_at_level_and_the_session_ended() -> None:
    rig = Rig(faults=["mains-lost@holding+3s+5s"], habits=AT_LEVEL)
    rig.expect("H21")
    assert rig.finish().result == "tripped"
    assert rig.snapshot.decision.armed is None
    assert rig.snapshot.decision.demand == Demand.ALLOW
    assert rig.people.done


@pytest.mark.parametrize("policy", [Policy.WATCH, Policy.LEAVE])
def test_people_who_do_not_help_press_nothing_that_moves(policy: Policy) -> None:
    rig = Rig(habits=Habits(boards_at_deg=0.0, in_trouble=policy))
    rig.forward(until="holding")
    rig.expect("*")
    rig.hands.press("STOP")
    rig.forward(seconds=0.2)
    rig.hands.release("STOP")
    rig.forward(seconds=30)
    assert presses(rig, "RETURN") == []
    assert bool(presses(rig, "PRESENCE")) is (policy is Policy.WATCH)


def test_a_table_that_does_not_arm_is_given_up_with_the_patient_let_off() -> None:
    rig = Rig(faults=["permit-expired@idle"], habits=AT_LEVEL)
    assert rig.finish(at_most_s=300).result == "refused"
    assert rig.people.supervisor.gave_up == "the table does not arm"
    assert not rig.hands.strapped("left")
    assert not rig.hands.strapped("right")


def test_straps_that_prove_nothing_are_opened_and_closed_again() -> None:
    rig = Rig(faults=["strap-opens@idle+0s+9s:side=left"], habits=AT_LEVEL)
    rig.forward(until="strapped", at_most_s=120)
    assert rig.hands.strapped("left")


# What they are made of


@pytest.mark.parametrize("module", [people, supervisor, preparing, habits])
def test_people_know_nothing_but_hands_and_signals(module: Any) -> None:
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {name for name in imported if name and name.split(".")[0] in {"sim", "safety", "firmware_bridge", "config"}}
    assert ours <= {
        "config.errors",
        "firmware_bridge.hands",
        "safety.signals",
        "sim.habits",
        "sim.preparing",
        "sim.supervisor",
    }


def test_a_tap_ends_by_itself_and_a_hold_does_not() -> None:
    hands = NotingHands()
    fingers = Fingers(hands)
    fingers.hold("TILT", 0)
    fingers.tap("PRESENCE", 0)
    fingers.tap("ACK", 50)
    fingers.hold("TILT", 100)
    fingers.advance(199)
    assert hands.held == {"TILT", "PRESENCE"}
    fingers.advance(200)
    assert hands.held == {"TILT"}
    fingers.hold("RETURN", 300)
    assert hands.held == {"RETURN"}
    fingers.tap("ACK", 400)
    fingers.drop_all()
    assert hands.held == set()
    assert fingers.due_ms == NEVER_MS


@pytest.mark.parametrize(
    "wrong",
    [
        {"boards_at_deg": -1.0},
        {"boards_at_deg": 86.0},
        {"boards_at_deg": float("nan")},
        {"reaction_ms": -1},
        {"presence_every_s": 0.5},
        {"presence_every_s": float("nan")},
    ],
)
def test_people_who_are_none_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Habits(**wrong)


def test_nothing_of_them_runs_in_most_ticks(visit: Rig) -> None:
    looks = 0

    class Counting(people.Patient):
        def wake(self, snapshot: Snapshot) -> None:
            nonlocal looks
            looks += 1
            super().wake(snapshot)

    crowd = people.People(NotingHands())
    crowd.patient = Counting(NotingHands())
    for snapshot in visit.snapshots:
        crowd.observe(snapshot)
    assert looks * 40 < len(visit.snapshots)


def test_the_patient_tries_the_button_only_when_asked() -> None:
    hands = NotingHands()
    patient = people.Patient(hands)
    rig = Rig(habits=AT_LEVEL, people=False)
    snapshot = rig.forward(seconds=0.01)
    patient.wake(snapshot)
    assert hands.done == []
    asked = msgspec.structs.replace(
        snapshot,
        t_ms=patient.wake_ms,
        wish=msgspec.structs.replace(snapshot.wish, guide=Guide.PATIENT_BUTTON),
    )
    patient.wake(asked)
    assert hands.done == [("press", "PATIENT")]
