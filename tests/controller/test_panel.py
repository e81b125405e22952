"""The panel as a pure function: which plan is shown, what a press of CONFIRM answers, what TILT and RAISE may do."""

import msgspec
import pytest

from config.limits import Limits
from config.loading import load_plan
from config.plan import Plan
from controller import panel, permits
from controller.panel import Desk
from controller.session import Session, arm_of
from safety.signals import (
    CONFIRM,
    PLAN_DOWN,
    PLAN_UP,
    RAISE,
    RETURN,
    STOP,
    TILT,
    Cause,
    Command,
    Contacts,
    Decision,
    Demand,
    Guide,
    Proofs,
    Readings,
    Region,
    State,
)
from sim.habits import Habits
from sim.pytest_plugin import WALL_S, Rig
from tests.sessions.by_buttons import Hand

SHORT, FIRST, STANDARD = (load_plan(name) for name in ("short", "first-visit", "standard"))
ARM = arm_of(SHORT, Limits(), permits.simulated(SHORT, 1, 0), True, False, 1)
ALL_BUT_READ_BACK = Proofs(straps_proven=True, straps_confirmed=True, patient_button=True)
LEVEL = Decision(Command(), region=Region.LEVEL, angle_cdeg=0, still_ms=60_000)
TESTED = Desk(booted=True, lamps_tested=True, chosen=True)
STRAPPED_IN = Readings(10, patient_button=False, buttons=0, strap_left=Contacts.CLOSED, strap_right=Contacts.CLOSED)


def ticks(desk: Desk, seconds: float, proofs: Proofs, held: int = 0, last: int = 2) -> Desk:
    """So many seconds at level, with these proofs, and these buttons held since before."""
    decision = msgspec.structs.replace(LEVEL, proofs=proofs)
    for _ in range(round(seconds * 100)):
        desk = panel.prepare(desk, STRAPPED_IN, decision, held, 0, last)
    return desk


def press(desk: Desk, button: int, proofs: Proofs, beside: int = 0, last: int = 2) -> Desk:
    decision = msgspec.structs.replace(LEVEL, proofs=proofs)
    return panel.prepare(desk, STRAPPED_IN, decision, button | beside, button, last)


# CONFIRM


@pytest.mark.parametrize(("shown_s", "counts"), [(0.98, False), (1.0, True), (30.0, True)])
def test_a_read_back_counts_after_a_second_of_one_plan(shown_s: float, counts: bool) -> None:
    desk = ticks(TESTED, shown_s, ALL_BUT_READ_BACK)
    assert desk.guide is Guide.READ_BACK
    assert press(desk, CONFIRM, ALL_BUT_READ_BACK).read_back is counts


def test_a_plan_stepped_on_to_starts_the_second_anew() -> None:
    desk = press(ticks(TESTED, 5, ALL_BUT_READ_BACK), PLAN_UP, ALL_BUT_READ_BACK)
    assert (desk.choice, desk.left_ms) == (1, 1000)
    desk = ticks(desk, 0.5, ALL_BUT_READ_BACK)
    assert not press(desk, CONFIRM, ALL_BUT_READ_BACK).read_back
    assert press(ticks(desk, 0.5, ALL_BUT_READ_BACK), CONFIRM, ALL_BUT_READ_BACK).read_back


def test_a_plan_changed_after_it_was_read_back_is_read_back_again() -> None:
    desk = press(ticks(TESTED, 2, ALL_BUT_READ_BACK), CONFIRM, ALL_BUT_READ_BACK)
    assert (desk.guide, desk.read_back) == (Guide.ARMING, True)
    desk = press(desk, PLAN_UP, ALL_BUT_READ_BACK)
    assert (desk.guide, desk.read_back) == (Guide.READ_BACK, False)


def test_straps_that_open_take_the_read_back_away() -> None:
    desk = press(ticks(TESTED, 2, ALL_BUT_READ_BACK), CONFIRM, ALL_BUT_READ_BACK)
    assert not ticks(desk, 0.01, Proofs(patient_button=True)).read_back


def test_a_confirm_beside_another_button_confirms_nothing() -> None:
    desk = ticks(TESTED, 2, ALL_BUT_READ_BACK)
    assert not press(desk, CONFIRM, ALL_BUT_READ_BACK, beside=PLAN_DOWN).read_back


def test_the_lamps_are_not_told_by_a_press_that_the_judge_may_take_for_the_straps() -> None:
    desk = ticks(Desk(), 3, Proofs())
    assert desk.guide is Guide.LAMP_TEST
    assert press(desk, CONFIRM, Proofs()).lamps_tested
    proven = Proofs(straps_proven=True)
    assert not press(desk, CONFIRM, proven).lamps_tested
    assert ticks(desk, 0.01, proven).guide is Guide.OPEN_STRAPS


def test_a_refused_arm_is_read_back_afresh() -> None:
    desk = press(ticks(TESTED, 2, ALL_BUT_READ_BACK), CONFIRM, ALL_BUT_READ_BACK)
    refused = msgspec.structs.replace(LEVEL, proofs=ALL_BUT_READ_BACK, refusals=(Cause("H28", 1, 1, 0, 1, "clock"),))  # type: ignore[arg-type]
    assert panel.prepare(desk, STRAPPED_IN, refused, 0, 0, 2).guide is Guide.READ_BACK


# Plan keys


def test_where_plans_are_to_choose_from_one_is_chosen_by_a_confirm_of_its_own() -> None:
    tested = Desk(booted=True, lamps_tested=True)
    assert ticks(tested, 0.1, Proofs(), last=0).guide is Guide.OPEN_STRAPS
    desk = press(ticks(tested, 5, Proofs()), PLAN_UP, Proofs())
    assert (desk.guide, desk.choice, desk.left_ms) == (Guide.CHOOSE_PLAN, 1, 1000)
    assert not press(ticks(desk, 0.5, Proofs()), CONFIRM, Proofs()).chosen
    desk = press(ticks(desk, 1, Proofs()), CONFIRM, Proofs())
    assert (desk.guide, desk.choice, desk.chosen) == (Guide.OPEN_STRAPS, 1, True)


def test_the_plan_is_not_chosen_by_a_press_that_the_judge_may_take_for_the_straps() -> None:
    desk = ticks(Desk(booted=True, lamps_tested=True), 3, Proofs())
    proven = Proofs(straps_proven=True)
    assert not press(desk, CONFIRM, proven).chosen
    assert ticks(desk, 0.01, proven).guide is Guide.OPEN_STRAPS


def test_plan_keys_step_to_the_ends_and_not_beyond() -> None:
    shown = [0]
    for key in (PLAN_UP, PLAN_UP, PLAN_UP, PLAN_DOWN, PLAN_DOWN, PLAN_DOWN):
        shown.append(panel.step_plan(shown[-1], key, key, 2))
    assert shown == [0, 1, 2, 2, 1, 0, 0]


def test_both_plan_keys_at_once_step_nowhere() -> None:
    assert panel.step_plan(1, PLAN_UP | PLAN_DOWN, PLAN_UP, 2) == 1
    assert panel.step_plan(1, PLAN_UP | PLAN_DOWN, PLAN_UP | PLAN_DOWN, 2) == 1


def test_a_key_that_is_held_steps_once() -> None:
    desk = press(ticks(TESTED, 1, ALL_BUT_READ_BACK), PLAN_UP, ALL_BUT_READ_BACK)
    assert ticks(desk, 3, ALL_BUT_READ_BACK, held=PLAN_UP).choice == 1


# Level


def test_level_is_asked_for_until_the_table_has_come_to_rest_there() -> None:
    moving = Decision(Command(-60), region=Region.LEVEL, angle_cdeg=60)
    assert panel.off_level(Guide.LEVEL, moving)
    assert not panel.off_level(Guide.LEVEL, msgspec.structs.replace(moving, command=Command()))


@pytest.mark.parametrize(("angle_cdeg", "off"), [(100, False), (101, False), (120, False), (121, True), (-101, True)])
def test_noise_at_the_edge_of_level_does_not_ask_for_level_again(angle_cdeg: int, off: bool) -> None:
    region = Region.LEVEL if abs(angle_cdeg) <= 100 else Region.ABOVE if angle_cdeg > 0 else Region.BELOW
    decision = Decision(Command(), region=region, angle_cdeg=angle_cdeg)
    assert panel.off_level(Guide.PATIENT_BUTTON, decision) is off
    assert panel.off_level(Guide.CLOSE_STRAPS, decision) is (angle_cdeg != 100)


# TILT and RAISE


def leave(decision: Decision, pressed: int, *, was: int = 0, held: int = 0, state: State = State.STRAPPED) -> int:
    return panel.leave(was, state, decision, held | pressed, pressed, False, 0)


READY = msgspec.structs.replace(LEVEL, armed=ARM)


@pytest.mark.parametrize(
    ("decision", "pressed", "moves"),
    [
        (READY, TILT, TILT),
        (msgspec.structs.replace(READY, still_ms=4999), TILT, 0),
        (msgspec.structs.replace(READY, still_ms=5000), TILT, TILT),
        (msgspec.structs.replace(READY, armed=None), TILT, 0),
        (msgspec.structs.replace(READY, over=True), TILT, 0),
        (msgspec.structs.replace(READY, demand=Demand.NO_DEEPENING), TILT, 0),
        (msgspec.structs.replace(READY, angle_cdeg=None), TILT, 0),
        (msgspec.structs.replace(READY, angle_cdeg=-101, still_ms=999), TILT, 0),
        (msgspec.structs.replace(READY, angle_cdeg=-101, still_ms=1000), TILT, TILT),
        (msgspec.structs.replace(READY, angle_cdeg=101, still_ms=0, armed=None), TILT, TILT),
        (READY, RAISE, RAISE),
        (msgspec.structs.replace(READY, inverted_ms=1), RAISE, 0),
        (READY, TILT | STOP, 0),
        (READY, TILT | RETURN, 0),
    ],
)
def test_a_press_moves_what_the_judge_will_let_move(decision: Decision, pressed: int, moves: int) -> None:
    assert leave(decision, pressed) == moves


def test_a_press_lasts_until_it_is_let_go_or_something_is_in_the_way() -> None:
    assert leave(READY, 0, was=TILT, held=TILT) == TILT
    assert leave(READY, 0, was=TILT) == 0
    assert leave(msgspec.structs.replace(READY, demand=Demand.STOP), 0, was=TILT, held=TILT) == 0
    # And it does not come back by itself once that is gone.
    assert leave(READY, 0, was=0, held=TILT) == 0


def test_raising_waits_at_thirty_degrees() -> None:
    at_pause = msgspec.structs.replace(READY, angle_cdeg=2950)
    for pause_ms, moves in ((0, 0), (9_999, 0), (10_000, RAISE)):
        assert panel.leave(0, State.RESTING, at_pause, RAISE, RAISE, False, pause_ms) == moves


# The choice, on a table


def choosing(*plans: Plan) -> tuple[Rig, Hand]:
    """A table at which the first of these plans is shown, and the others may be chosen."""
    rig = Rig(plans[0], habits=Habits(boards_at_deg=0.0), people=False, guard=False)
    limits, loop = rig.session.loop.limits, rig.session.loop
    rig.session = Session(
        rig.table.bridge,
        rig.table.clock,
        plans[0],
        limits,
        permits.simulated(plans[0], limits.screening_version, WALL_S),
        loop.host,
        plans=plans,
        permit_for=lambda plan: permits.simulated(plan, limits.screening_version, WALL_S),
    )
    return rig, Hand(rig.session, rig.hands, lambda seconds: rig.forward(seconds=seconds))


def test_the_plan_that_was_chosen_and_read_back_is_the_one_that_is_armed() -> None:
    rig, hand = choosing(FIRST, SHORT, STANDARD)
    hand.test_lamps()
    hand.choose("short")
    hand.strap_in()
    hand.tap("PLAN_UP")
    hand.tap("PLAN_DOWN")
    hand.try_the_patients_button()
    hand.confirm_twice()
    armed = hand.now().decision.armed
    assert armed is not None
    assert (armed.plan_hash, armed.permit.plan_hash) == (SHORT.hash, SHORT.hash)
    assert (rig.session.plan.name, hand.now().wish.plan, armed.sets) == ("short", "short", SHORT.sets)
    hand.tap("PLAN_DOWN")
    assert rig.session.plan.name == "short"


def test_plans_of_which_the_limits_or_the_history_allow_none_are_not_offered() -> None:
    rig = Rig(FIRST, habits=Habits(boards_at_deg=0.0), people=False, guard=False)
    limits = rig.session.loop.limits

    def unknown_person(plan: Plan) -> object:
        return msgspec.structs.replace(permits.simulated(plan, 1, WALL_S), last_cdeg=None, last_hold_s=None)

    session = Session(
        rig.table.bridge,
        rig.table.clock,
        FIRST,
        limits,
        unknown_person(FIRST),  # type: ignore[arg-type]
        rig.session.loop.host,
        plans=[STANDARD, SHORT],
        permit_for=unknown_person,  # type: ignore[arg-type]
    )
    # The standard plan is too deep for somebody without a history.
    assert [steps.name for steps in session.machine.start.plans] == ["first-visit", "short"]


def test_plans_to_choose_from_need_a_permit_each() -> None:
    rig = Rig(FIRST, people=False, guard=False)
    with pytest.raises(ValueError, match="permit is for one plan"):
        Session(
            rig.table.bridge,
            rig.table.clock,
            FIRST,
            rig.session.loop.limits,
            permits.simulated(FIRST, 1, WALL_S),
            rig.session.loop.host,
            plans=[SHORT],
        )


def test_simulated_people_choose_by_the_keys_and_ask_for_less() -> None:
    rig, _ = choosing(FIRST, STANDARD, SHORT)
    people = type(rig.people)(rig.hands, Habits(boards_at_deg=0.0, plan="short", less_after_s=2.0))
    rig.session.loop.observers.append(people.observe)
    rig.forward(until=State.HOLDING)
    assert rig.session.plan.name == "short"
    rig.forward(seconds=8)
    assert rig.snapshot.wish.planned_cdeg == -1500
