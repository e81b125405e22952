"""A whole session by its buttons alone, and every button that is stuck, cut or pressed wrongly: what the table does."""

import functools
from collections.abc import Callable

import pytest

from config.loading import load_plan, load_profile
from safety.signals import BUTTONS, Alarm, Demand, Guide, Region, State
from sim.habits import Habits
from sim.pytest_plugin import Rig
from tests.sessions.bad_days import a_button_sticks, a_strap_contact_fails, an_emergency_stop, came_home
from tests.sessions.by_buttons import Hand, a_visit_ended_by_return, a_visit_of_sets
from tests.sessions.runs import BRIEF, ORDER, Watched

STEADY = BRIEF.model_copy(update={"name": "steady", "hold_s": 120, "angle_cdeg": -2000})
IDLE, STRAPPED, TILTING, HOLDING, RETURNING, RESTING = ORDER
BELOW = (TILTING, HOLDING)


def hand_on(rig: Rig) -> Hand:
    rig.expect("*")
    return Hand(rig.session, rig.hands, lambda seconds: rig.forward(seconds=seconds))


def alone(plan: str = "short", boards_at_deg: float = 0.0) -> tuple[Rig, Hand]:
    """A table with nobody at it but the scripted hand."""
    rig = Rig(plan, habits=Habits(boards_at_deg=boards_at_deg), people=False)
    return rig, hand_on(rig)


@functools.cache
def _come_to(state: State) -> Watched:
    before = ORDER.index(state)
    watched = _come_to(ORDER[before - 1]).branch() if before else Watched(STEADY)
    assert watched.until(lambda tick: tick.seen.wish.state is state, 160)
    return watched


def at(state: State, after_s: float = 2.0) -> tuple[Rig, Hand]:
    """The usual session in this state, from where the scripted hand goes on alone; nothing is held any more."""
    watched = _come_to(state).branch()
    watched.until(lambda _: False, after_s)
    rig = watched.rig
    rig.people.supervisor.leave()
    rig.session.loop.observers.remove(rig.people.observe)
    hand = hand_on(rig)
    hand.wait(0.1)
    return rig, hand


# Whole sessions -------------------------------------------------------------------------------------------------------


def test_whoever_stands_at_the_table_runs_a_whole_visit_by_its_buttons() -> None:
    rig, hand = alone("first-visit", boards_at_deg=20.0)
    a_visit_ended_by_return(hand)
    assert (rig.result.result, rig.result.end_reason, rig.result.exit_code) == ("stopped", "supervisor", 6)
    assert rig.trips == []
    assert rig.table.truth().angle_cdeg > 3900


def test_three_sets_are_run_by_buttons_to_their_end() -> None:
    brief = load_plan("three-sets").model_copy(update={"hold_s": 5, "rest_s": 60})
    rig = Rig(brief, habits=Habits(boards_at_deg=0.0), people=False)
    a_visit_of_sets(hand_on(rig), 3)
    assert (rig.result.result, rig.session.machine.sets_done) == ("completed", 3)
    assert rig.trips == []


# Start ----------------------------------------------------------------------------------------------------------------


def test_the_start_is_asked_for_step_by_step() -> None:
    _, hand = alone()
    hand.start()
    steps = list(dict.fromkeys(seen.wish.guide for seen in hand.seen))
    assert steps == [
        Guide.LAMP_TEST,
        Guide.CLOSE_STRAPS,
        Guide.PATIENT_BUTTON,
        Guide.CONFIRM_STRAPS,
        Guide.READ_BACK,
        Guide.ARMING,
        Guide.WAIT_STILL if Guide.WAIT_STILL in steps else Guide.TILT,
    ]


def test_nothing_is_armed_before_the_lamps_were_seen() -> None:
    _, hand = alone()
    hand.wait(1.5)
    for side in ("left", "right"):
        hand.hands.strap(side, True)
    hand.wait(6.0)
    assert hand.now().decision.proofs.straps_proven
    # The straps' CONFIRM it may be, the lamps' it is not: they are opened, and the lamps come first.
    assert hand.now().wish.guide is Guide.OPEN_STRAPS
    for _ in range(3):
        hand.tap("CONFIRM", 1.2)
    assert hand.now().decision.proofs.read_back
    assert hand.now().decision.armed is None
    for side in ("left", "right"):
        hand.hands.strap(side, False)
    hand.wait(1.2)
    assert hand.now().wish.guide is Guide.LAMP_TEST
    hand.start()


def test_a_press_too_early_confirms_no_lamps() -> None:
    _, hand = alone()
    hand.wait(0.3)
    hand.tap("CONFIRM", 0.2)
    assert hand.now().wish.guide is Guide.LAMP_TEST
    hand.test_lamps()


@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_that_is_held_from_the_start_is_asked_to_be_let_go(button: str) -> None:
    _, hand = alone()
    hand.hold(button)
    hand.wait(3.0)
    assert hand.now().wish.guide is Guide.RELEASE
    assert hand.now().decision.armed is None
    assert hand.now().readings.applied_cdeg_s == 0
    hand.let_go(button)
    if button == "STOP":
        # A person's STOP is cleared by a fresh press.
        hand.tap("RETURN")
    hand.start()


def test_the_patients_button_has_to_be_tried_and_let_go() -> None:
    _, hand = alone()
    hand.test_lamps()
    hand.strap_in()
    hand.guided(Guide.PATIENT_BUTTON)
    hand.hold("PATIENT")
    hand.wait(3.0)
    assert hand.now().wish.guide is Guide.PATIENT_BUTTON
    hand.let_go("PATIENT")
    hand.wait(0.2)
    assert hand.now().wish.guide is Guide.CONFIRM_STRAPS


# Tones ----------------------------------------------------------------------------------------------------------------


def test_tilt_let_go_of_while_its_tone_sounds_moves_nothing() -> None:
    _, hand = at(STRAPPED, after_s=5.0)
    hand.guided(Guide.TILT)
    hand.hold("TILT")
    hand.wait(0.6)
    assert hand.now().wish.tone
    hand.let_go("TILT")
    hand.wait(3.0)
    assert all(seen.decision.command.velocity_cdeg_s == 0 for seen in hand.seen)
    assert hand.now().wish.state is STRAPPED


def test_tilt_pressed_too_early_sounds_no_tone_and_asks_to_be_let_go() -> None:
    brief = load_plan("three-sets").model_copy(update={"hold_s": 5, "rest_s": 60})
    rig = Rig(brief, habits=Habits(boards_at_deg=10.0), people=False)
    hand = hand_on(rig)
    hand.start()
    hand.hold("RAISE")
    hand.announced()
    hand.until(lambda seen: hand.angle_deg > 2)
    hand.let_go("RAISE")
    hand.until(lambda seen: seen.decision.still)
    hand.hold("TILT")
    hand.announced()
    hand.until(lambda seen: seen.decision.region == Region.LEVEL and seen.decision.still, 20.0, "level")
    hand.let_go("TILT")
    hand.wait(1.0)
    # Coming down to level was no set's beginning.
    assert (hand.now().wish.state, hand.now().wish.set_number) == (STRAPPED, 0)
    assert hand.now().wish.guide is Guide.WAIT_STILL
    before = len(hand.seen)
    hand.hold("TILT")
    hand.wait(8.0)
    assert not any(seen.wish.tone or seen.decision.command.velocity_cdeg_s for seen in hand.seen[before:])
    assert hand.now().wish.guide is Guide.RELEASE
    hand.let_go("TILT")
    hand.tilt()


def test_the_way_back_of_the_plan_is_announced() -> None:
    rig, hand = at(HOLDING)
    hand.watch(lambda seen: seen.wish.state is RETURNING, 130, "the way back")
    sounded = 0.0
    while hand.now().decision.command.velocity_cdeg_s == 0:
        assert hand.now().decision.tone
        hand.wait(0.01)
        sounded += 0.01
    assert sounded >= rig.session.loop.limits.tone_ms / 1000 - 0.05


# LESS -----------------------------------------------------------------------------------------------------------------


def test_less_twice_is_ten_degrees_and_the_hold_goes_on_counting() -> None:
    _, hand = at(HOLDING, after_s=0.2)
    left_ms, at_ms = hand.now().wish.left_ms, hand.now().t_ms
    hand.ask_for_less()
    hand.ask_for_less()
    assert hand.now().wish.planned_cdeg == -1000
    assert left_ms - hand.now().wish.left_ms == hand.now().t_ms - at_ms
    inverted = [seen.decision.inverted_ms for seen in hand.seen]
    assert inverted == sorted(inverted)


def test_less_never_goes_deeper_whatever_is_pressed_then() -> None:
    _, hand = at(HOLDING)
    hand.ask_for_less()
    for button in ("PLAN_UP", "TILT", "RAISE", "CONFIRM"):
        hand.tap(button, 1.5)
    assert abs(hand.angle_deg + 15) < 0.5
    hand.tap("STOP")
    hand.wait(1.5)
    hand.hold("TILT")
    hand.wait(6.0)
    hand.let_go("TILT")
    assert abs(hand.angle_deg + 15) < 0.5
    assert hand.now().wish.state is HOLDING


def test_less_of_a_shallow_hold_is_the_way_back() -> None:
    _, hand = at(HOLDING)
    for _ in range(3):
        hand.ask_for_less()
    assert hand.now().wish.planned_cdeg == -500
    hand.tap("PLAN_DOWN")
    hand.state(RETURNING, 3.0)
    came_home(hand)
    hand.wait(1.0)
    hand.rest()
    hand.end()


def test_both_plan_keys_at_once_are_no_less() -> None:
    _, hand = at(HOLDING)
    hand.hold("PLAN_UP")
    hand.hold("PLAN_DOWN")
    hand.wait(1.0)
    assert hand.codes == ["H26"]
    assert hand.now().wish.planned_cdeg == 0 or hand.now().wish.planned_cdeg == -2000
    assert abs(hand.angle_deg + 20) < 0.5


def test_less_is_kept_for_the_next_set() -> None:
    plan = load_plan("three-sets").model_copy(update={"hold_s": 12, "rest_s": 60, "sets": 2})
    rig = Rig(plan, habits=Habits(boards_at_deg=0.0), people=False)
    hand = hand_on(rig)
    hand.start()
    hand.tilt()
    hand.ask_for_less()
    hand.watch(lambda seen: seen.wish.state is RESTING, 120.0, "the rest")
    hand.state(STRAPPED, 70.0)
    hand.tilt()
    assert abs(hand.angle_deg + 25) < 0.5


# Stuck buttons --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("button", BUTTONS)
def test_whichever_button_sticks_held_in_a_hold_the_patient_comes_back(button: str) -> None:
    rig, hand = at(HOLDING)
    a_button_sticks(button)(hand, rig.inject)


@pytest.mark.parametrize("button", [*BUTTONS, "PATIENT"])
def test_whichever_button_sticks_held_on_the_way_back_it_ends_at_level(button: str) -> None:
    _, hand = at(RETURNING, after_s=3.0)
    before = hand.angle_deg
    hand.hold(button)
    # A STOP pauses a return once, for 10 s at most; everything else neither ends nor delays it.
    hand.until(lambda seen: seen.decision.command.velocity_cdeg_s == 0, 20.0, "a stop, or level")
    assert (hand.angle_deg < -1.2) is (button == "STOP")
    came_home(hand, 25.0)
    assert min(seen.decision.angle_cdeg or 0 for seen in hand.seen) > 100 * before - 50


@pytest.mark.parametrize("button", BUTTONS)
@pytest.mark.parametrize("state", BELOW)
def test_whichever_button_is_broken_open_the_patient_comes_back(state: State, button: str) -> None:
    rig, hand = at(state, after_s=6.0)
    rig.hands.hooks.stuck_open = BUTTONS[button]
    rig.hands.hooks.touched = True
    hand.tap("STOP")
    assert hand.now().decision.demand == (Demand.ALLOW if button == "STOP" else Demand.STOP)
    hand.tap("RETURN")
    if button == "RETURN":
        assert not hand.now().decision.returning
        hand.tap("PATIENT")
    assert hand.now().decision.returning
    came_home(hand)


@pytest.mark.parametrize("button", ["CONFIRM", "TILT"])
def test_a_button_that_the_start_needs_and_that_is_broken_open_lets_nobody_go_on(button: str) -> None:
    rig, hand = alone(boards_at_deg=20.0 if button == "TILT" else 0.0)
    rig.hands.hooks.stuck_open = BUTTONS[button]
    rig.hands.hooks.touched = True
    hand.wait(1.5)
    hand.tap("CONFIRM")
    if button == "TILT":
        hand.strap_in()
        hand.hold("TILT")
    hand.wait(8.0)
    assert hand.now().wish.guide is (Guide.LAMP_TEST if button == "CONFIRM" else Guide.LEVEL)
    assert hand.now().decision.armed is None


def test_tilt_stuck_from_the_way_down_on_holds_no_longer_than_the_plan() -> None:
    _, hand = at(TILTING)
    hand.guided(Guide.TILT_AGAIN)
    hand.hold("TILT")
    hand.state(HOLDING)
    hand.wait(10.0)
    assert abs(hand.angle_deg + 20) < 0.5
    hand.tap("PRESENCE")
    hand.tap("RETURN")
    came_home(hand)
    hand.wait(2.0)
    assert abs(hand.angle_deg) < 1


# Wrong presses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [STRAPPED, TILTING, HOLDING, RESTING])
@pytest.mark.parametrize("keys", [("TILT", "RAISE"), ("PLAN_UP", "PLAN_DOWN")])
def test_two_commands_at_once_stop_the_table(state: State, keys: tuple[str, str]) -> None:
    _, hand = at(state, after_s=6.0)
    for key in keys:
        hand.hold(key)
    hand.wait(0.5)
    assert hand.codes == ["H26"]
    assert (hand.now().decision.demand, hand.now().decision.alarm) == (Demand.STOP, Alarm.LOW)
    assert hand.now().wish.state is (State.STOPPED if state is not RESTING else RESTING)
    stood = hand.angle_deg
    hand.wait(2.0)
    assert abs(hand.angle_deg - stood) < 0.5
    for key in keys:
        hand.let_go(key)
    hand.wait(0.5)
    assert hand.codes == ["H26"]
    hand.tap("RETURN")
    came_home(hand)
    assert hand.codes == []


def _pressed(rig: Rig, hand: Hand) -> None:
    hand.tap("PATIENT", 0.2)


def _held(rig: Rig, hand: Hand) -> None:
    hand.hold("PATIENT")


def _cut(rig: Rig, hand: Hand) -> None:
    rig.hands.hooks.patient_circuit = "open"
    rig.hands.hooks.touched = True


@pytest.mark.parametrize("state", [STRAPPED, TILTING, HOLDING, RETURNING, RESTING])
@pytest.mark.parametrize("how", [_pressed, _held, _cut])
def test_the_patients_button_brings_the_patient_back_and_ends_the_session(
    state: State, how: Callable[[Rig, Hand], None]
) -> None:
    rig, hand = at(state, after_s=4.0)
    how(rig, hand)
    hand.wait(0.3)
    assert hand.codes == ["H22"]
    assert hand.now().decision.alarm == Alarm.MEDIUM
    assert hand.now().decision.returning is (state not in (STRAPPED, RESTING))
    came_home(hand)
    hand.until(lambda seen: seen.wish.state in (RESTING, State.STOPPED), 5.0)
    assert hand.now().decision.over
    tilted = hand.angle_deg
    hand.tap("TILT", 3.0)
    assert abs(hand.angle_deg - tilted) < 0.5
    assert rig.result.result == "stopped"


@pytest.mark.parametrize("state", [TILTING, HOLDING, RETURNING])
def test_an_emergency_stop_pressed_pulled_acknowledged_and_reset(state: State) -> None:
    rig, hand = at(state, after_s=5.0)
    an_emergency_stop(hand, rig.inject)
    assert rig.result.end_reason == "e-stop"


@pytest.mark.parametrize("state", [IDLE, STRAPPED, RESTING])
def test_an_emergency_stop_at_level_is_pulled_acknowledged_and_reset_where_it_stands(state: State) -> None:
    rig, hand = at(state)
    hand.hands.estop(True)
    hand.wait(0.3)
    assert (hand.codes, hand.now().decision.demand) == (["H20"], Demand.CUT)
    hand.tap("ACK", 2.5)
    assert hand.now().decision.demand == Demand.CUT, "a stop that is still pressed is not answered"
    hand.hands.estop(False)
    hand.wait(0.3)
    hand.tap("ACK", 0.7)
    assert hand.now().decision.demand == Demand.HOLD
    hand.tap("ACK", 2.3)
    assert hand.codes == []
    assert abs(hand.angle_deg) < 1
    assert rig.session.outcome().end_reason == "e-stop"
    tilted_from = hand.angle_deg
    hand.wait(6.0)
    hand.tap("TILT", 2.0)
    assert abs(hand.angle_deg - tilted_from) < 0.3, "a session that an emergency stop ended goes on"


# Presence -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", BELOW)
def test_presence_that_lapses_below_level_ends_at_level(state: State) -> None:
    _, hand = at(state, after_s=6.0)
    hand.tap("PRESENCE", 0.2)
    hand.wait(21.0)
    assert hand.now().decision.prompts == ("H24",)
    assert hand.codes == []
    hand.wait(10.0)
    assert (hand.codes, hand.now().decision.demand) == (["H24"], Demand.NO_DEEPENING)
    hand.hold("TILT")
    hand.wait(0.3)
    assert hand.now().decision.demand == Demand.ALLOW, "any press in the room is presence"
    hand.let_go("TILT")
    hand.wait(42.0)
    assert hand.now().wish.state in (State.EMERGENCY_RETURN, RESTING)
    came_home(hand)


def test_presence_that_lapses_while_stopped_ends_at_level() -> None:
    _, hand = at(HOLDING)
    hand.tap("STOP")
    hand.state(State.STOPPED, 1.0)
    hand.until(lambda seen: seen.decision.returning, 45.0, "the return")
    assert "H24" in hand.codes
    came_home(hand)


@pytest.mark.parametrize("state", [STRAPPED, RESTING])
def test_at_level_nobody_is_missed(state: State) -> None:
    _, hand = at(state)
    hand.wait(45.0)
    assert hand.codes == []
    assert hand.now().decision.demand == Demand.ALLOW


# Straps ---------------------------------------------------------------------------------------------------------------


EACH_CONTACT = [
    (side, contact, stuck) for side in ("left", "right") for contact in (1, 2) for stuck in ("open", "closed")
]


@pytest.mark.parametrize(("side", "contact", "stuck"), EACH_CONTACT)
def test_a_strap_contact_that_fails_in_a_hold_is_named_and_brings_the_patient_back(
    side: str, contact: int, stuck: str
) -> None:
    rig, hand = at(HOLDING)
    a_strap_contact_fails(side, contact, stuck)(hand, rig.inject)


@pytest.mark.parametrize(("side", "contact", "stuck"), EACH_CONTACT)
def test_a_strap_contact_that_fails_is_seen_in_the_start_or_arms_nothing(side: str, contact: int, stuck: str) -> None:
    rig, hand = alone()
    rig.inject(f"strap-contact-fails:side={side},contact={contact},stuck={stuck}")
    hand.test_lamps()
    for one in ("left", "right"):
        hand.hands.strap(one, True)
    hand.wait(10.0)
    assert not hand.now().decision.proofs.straps_proven
    assert hand.now().wish.guide in (Guide.OPEN_STRAPS, Guide.CLOSE_STRAPS)


# One press instead of a held one --------------------------------------------------------------------------------------


def test_where_one_press_tilts_a_tone_comes_first_and_stop_ends_it() -> None:
    profile = load_profile("simulated")
    rule = profile.session.model_copy(update={"held_tilt": False})
    rig = Rig("short", profile.model_copy(update={"session": rule}), habits=Habits(boards_at_deg=0.0), people=False)
    hand = hand_on(rig)
    hand.start()
    hand.guided(Guide.TILT)
    hand.hold("TILT")
    hand.wait(0.2)
    hand.let_go("TILT")
    hand.announced()
    hand.until(lambda seen: hand.angle_deg < -8)
    hand.tap("STOP")
    hand.wait(1.5)
    stood = hand.angle_deg
    hand.wait(3.0)
    assert abs(hand.angle_deg - stood) < 0.3, "it went on by itself after a stop"
    hand.tap("TILT", 0.2)
    hand.state(HOLDING)
    assert abs(hand.angle_deg + 20) < 0.5
