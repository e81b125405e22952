"""Whole visits on one loop: offered, done by people, ended; and the standby between them."""

import pytest

from config.loading import load_plan
from safety.signals import Demand, Guide, State
from sim.faults.schedule import FaultSchedule
from sim.habits import Habits, Policy
from tests.service.rig import LIMITS, SHORT, WALL_S, Rig, with_name


def test_with_nothing_offered_the_table_waits_and_arms_nobody() -> None:
    rig = Rig()
    rig.forward(2)
    assert rig.snapshot.wish.state is State.IDLE
    assert rig.snapshot.wish.plan == ""
    for _ in range(3):
        rig.table.hands.press("CONFIRM")
        rig.forward(1)
        rig.table.hands.release("CONFIRM")
        rig.forward(1)
    assert rig.snapshot.decision.armed is None


def test_in_standby_a_held_button_lowers_the_table_to_level_and_no_further() -> None:
    rig = Rig(start_deg=5.0)
    rig.forward(2)
    rig.table.hands.press("TILT")
    rig.forward(20)
    assert -0.5 < rig.true_deg < 1.0
    rig.table.hands.release("TILT")
    rig.forward(6)
    rig.table.hands.press("TILT")
    rig.forward(6)
    assert rig.true_deg > -0.5


def test_in_standby_a_return_that_somebody_asked_for_ends_no_session_that_there_is_none_of() -> None:
    rig = Rig()
    rig.forward(2)
    assert rig.bring_back().ok
    rig.forward(1)
    rig.table.hands.strap("left", True)
    rig.table.hands.strap("right", True)
    rig.table.hands.press("RAISE")
    rig.forward(8)
    assert rig.true_deg > 3


def test_an_offered_visit_is_done_from_its_first_button_to_the_open_straps() -> None:
    rig = Rig()
    rig.forward(1)
    rig.visit()
    steps = [event.values["step"] for event in rig.events("visit")]
    ended = rig.events("visit")[-1].values
    assert steps == ["offered", "ended"]
    assert (ended["result"], ended["end_reason"], ended["exit"]) == ("completed", "completed", 0)
    assert min(snapshot.decision.angle_cdeg or 0 for snapshot in rig.records.snapshots) < -1900
    assert rig.service.state.visit == 1
    assert rig.armed == [True, False]


def test_one_visit_after_another_runs_on_the_same_loop_and_proves_everything_anew() -> None:
    rig = Rig()
    rig.forward(1)
    rig.visit()
    rig.forward(2)
    assert rig.snapshot.wish.plan == ""
    rig.visit(with_name(SHORT, "another"))
    armed = [snapshot.decision.armed for snapshot in rig.records.snapshots if snapshot.decision.armed is not None]
    sessions = list(dict.fromkeys(arm.session_id for arm in armed))
    assert len(sessions) == 2
    numbers = [snapshot.number for snapshot in rig.records.snapshots]
    assert numbers == list(range(1, len(numbers) + 1))
    ended = [event.values for event in rig.events("visit") if event.values["step"] == "ended"]
    assert [(values["visit"], values["result"]) for values in ended] == [(1, "completed"), (2, "completed")]


def test_another_run_of_the_program_has_other_session_ids() -> None:
    ids = set()
    for salt in (0, 1_000):
        rig = Rig(salt=salt)
        rig.forward(1)
        assert rig.offer().ok
        rig.come()
        arm = rig.until_state(State.STRAPPED).decision.armed
        assert arm is not None
        ids.add(arm.session_id)
    assert len(ids) == 2


def test_lamps_that_were_seen_once_are_not_asked_for_at_the_next_visit() -> None:
    rig = Rig()
    rig.forward(1)
    rig.visit()
    assert rig.offer().ok
    rig.forward(1)
    assert rig.guide() is not Guide.LAMP_TEST


def test_an_offer_that_nobody_arms_lapses_and_whatever_was_proven_is_forgotten() -> None:
    rig = Rig()
    rig.forward(2)
    assert rig.offer().ok
    for side in ("left", "right"):
        rig.table.hands.strap(side, True)
    rig.table.hands.press("PATIENT")
    rig.forward(1)
    rig.table.hands.release("PATIENT")
    rig.forward(5)
    assert rig.proofs().straps_proven
    assert rig.proofs().patient_button
    rig.until(lambda _: not rig.offered(), 900)
    assert rig.events("visit")[-1].values["step"] == "withdrawn"
    rig.forward(1)
    assert not rig.proofs().straps_proven
    assert not rig.proofs().patient_button


def test_an_offer_is_taken_back_by_disarm() -> None:
    rig = Rig()
    rig.forward(1)
    assert rig.offer().ok
    rig.forward(1)
    assert rig.snapshot.wish.plan == "short"
    assert rig.offered()
    assert rig.disarm().ok
    rig.forward(1)
    assert rig.snapshot.wish.plan == ""
    assert not rig.offered()
    assert rig.offer().ok


def test_a_visit_that_the_safety_layer_ends_is_over_and_the_next_one_can_follow() -> None:
    rig = Rig()
    rig.forward(1)
    assert rig.offer().ok
    people = rig.come()
    rig.until_state(State.HOLDING)
    rig.table.hands.strap("left", False)
    rig.until(lambda _: people.done)
    rig.forward(10)
    ended = rig.events("visit")[-1].values
    assert (ended["step"], ended["result"], ended["end_reason"]) == ("ended", "tripped", "strap")
    assert rig.snapshot.decision.causes == ()
    rig.visit()
    assert rig.events("visit")[-1].values["result"] == "completed"


def test_a_table_that_nobody_disarms_at_level_disarms_itself_and_lets_the_patient_off() -> None:
    rig = Rig()
    rig.forward(1)
    assert rig.offer().ok
    rig.come()
    rig.until_state(State.STRAPPED)
    rig.people = None
    for button in list(rig.table.hands.held()):
        rig.table.hands.release(button)
    rig.until(lambda snapshot: snapshot.decision.armed is None, 300)
    rig.forward(10)
    assert rig.snapshot.wish.state is State.IDLE
    assert rig.guide() is Guide.OPEN
    for side in ("left", "right"):
        rig.table.hands.strap(side, False)
    rig.forward(1)
    assert rig.guide() is Guide.NOTHING


def test_a_visit_in_trouble_goes_on_however_long_nobody_helps() -> None:
    rig = Rig()
    rig.forward(1)
    assert rig.offer().ok
    rig.come()
    rig.until_state(State.HOLDING)
    rig.people = None
    for button in list(rig.table.hands.held()):
        rig.table.hands.release(button)
    rig.table.hands.estop(True)
    rig.forward(200)
    assert rig.snapshot.decision.demand is Demand.CUT
    assert rig.snapshot.wish.state is State.STOPPED
    assert rig.service.state.visit == 1
    assert rig.events("visit")[-1].values["step"] == "offered"
    people = rig.come()
    rig.until(lambda _: people.done, 300)
    assert -1.5 < rig.true_deg < 1.5


def test_an_offered_visit_whose_table_nobody_knows_the_angle_of_is_not_given_up() -> None:
    rig = Rig()
    rig.forward(1)
    assert rig.offer().ok
    rig.forward(1)
    FaultSchedule(rig.table).inject("both-angles-lost")
    rig.forward(300)
    assert rig.snapshot.wish.state is State.STOPPED
    assert rig.service.state.offered


def test_the_screening_list_at_the_panel_makes_one_session_after_another() -> None:
    plan = load_plan("first-visit", LIMITS)
    rig = Rig(at_panel=True, plans=(plan,), simulated=False)
    rig.forward(1)
    assert rig.guide() is Guide.SCREENING
    assert rig.snapshot.wish.question == 1
    assert rig.service.state.visit == 0
    people = rig.come()
    rig.until(lambda _: people.done, 1200)
    rig.people = None
    rig.forward(10)
    ended = rig.events("visit")[-1].values
    assert (ended["visit"], ended["step"], ended["result"]) == (1, "ended", "completed")
    armed = rig.events("armed")[0].values
    assert armed["issuer"] == "declared"
    assert rig.guide() is Guide.SCREENING
    assert rig.snapshot.wish.question == 1


def test_a_panel_at_which_nobody_answers_asks_from_the_beginning_for_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.session.NOBODY_ARMS_MS", 5_000)
    monkeypatch.setattr("controller.session.A_QUESTION_MS", 0)
    rig = Rig(at_panel=True, simulated=False)
    rig.forward(1)
    rig.table.hands.press("PLAN_UP")
    rig.forward(0.3)
    rig.table.hands.release("PLAN_UP")
    rig.forward(12)
    assert rig.guide() is Guide.SCREENING
    assert rig.snapshot.wish.answer is None
    assert rig.events("visit") == []


def test_an_offer_takes_the_place_of_a_list_that_nobody_has_begun() -> None:
    rig = Rig(at_panel=True)
    rig.forward(1)
    assert rig.offer().ok
    rig.forward(1)
    assert rig.snapshot.wish.plan == "short"
    assert rig.guide() is Guide.LAMP_TEST


def test_an_offer_does_not_interrupt_somebody_who_answers_the_list() -> None:
    rig = Rig(at_panel=True)
    rig.forward(1)
    rig.table.hands.press("PLAN_DOWN")
    rig.forward(0.3)
    rig.table.hands.release("PLAN_DOWN")
    rig.forward(1)
    assert rig.snapshot.wish.answer is not None
    answer = rig.offer()
    assert not answer.ok
    assert "under way already" in answer.why[0]
    assert rig.guide() is Guide.SCREENING


def test_the_date_is_taken_anew_while_nothing_is_armed_and_left_alone_afterwards() -> None:
    rig = Rig()
    rig.forward(1)
    rig.wall_s = WALL_S + 5000
    rig.forward(11)
    assert rig.snapshot.readings.host.wall_s == WALL_S + 5000
    assert rig.offer().ok
    rig.come()
    rig.until_state(State.HOLDING)
    rig.wall_s, rig.clock_ok = 0, False
    rig.forward(12)
    assert rig.snapshot.readings.host.wall_s == WALL_S + 5000
    assert rig.snapshot.decision.demand is Demand.ALLOW


def test_a_clock_that_is_wrong_refuses_the_offer() -> None:
    rig = Rig()
    rig.clock_ok = False
    rig.forward(1)
    answer = rig.offer()
    assert (answer.ok, answer.codes) == (False, ("H28",))


@pytest.mark.parametrize("button", ["TILT", "RAISE"])
def test_a_button_held_since_before_the_offer_moves_nothing_by_it(button: str) -> None:
    rig = Rig()
    rig.forward(1)
    rig.table.hands.press(button)
    rig.forward(1)
    assert rig.offer().ok
    rig.forward(3)
    assert rig.guide() is Guide.RELEASE
    assert abs(rig.true_deg) < (0.2 if button == "TILT" else 6)


def test_what_the_judge_remembers_outlives_the_visit() -> None:
    rig = Rig()
    rig.forward(1)
    assert rig.offer().ok
    rig.come(Habits(boards_at_deg=0.0, in_trouble=Policy.WATCH))
    rig.until_state(State.HOLDING)
    rig.table.plant.hooks.driver_fault = True
    rig.forward(1)
    rig.table.plant.hooks.driver_fault = False
    rig.until(lambda snapshot: snapshot.wish.state is State.RESTING, 120)
    rig.until(lambda snapshot: snapshot.decision.armed is None, 400)
    rig.forward(10)
    assert rig.events("visit")[-1].values["step"] == "ended"
    assert rig.codes() == ["H16"]
    answer = rig.offer()
    assert (answer.ok, answer.codes) == (False, ("H16",))
    assert "clear the alarm" in answer.why[0]
    rig.table.hands.press("ACK")
    rig.forward(2.5)
    rig.table.hands.release("ACK")
    rig.forward(0.5)
    assert rig.offer().ok
