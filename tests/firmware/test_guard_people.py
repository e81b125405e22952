"""What people do: straps (H04 to H07), e-stop, mains, buttons (H20 to H26), STOP, latches, ACK and RESET."""

from typing import Any

import pytest

from config.limits import Limits
from safety.signals import (
    ACK,
    CONFIRM,
    PLAN_DOWN,
    PLAN_UP,
    PRESENCE,
    RAISE,
    RETURN,
    STOP,
    TILT,
    Alarm,
    Contacts,
    Demand,
    GuardState,
)
from tests.firmware.bench import ARM, SESSION, Bench

pytestmark = pytest.mark.needs("cc")
OPEN, CLOSED, DISCREPANT = Contacts.OPEN, Contacts.CLOSED, Contacts.DISCREPANT


def comes_back(b: Bench, most_s: float = 60) -> float:
    """Let the guard bring the table to level by itself."""
    return b.until(lambda bench: bench.angle >= -65 and not bench.applied, most_s)


def test_h04_a_strap_open_while_inverted_is_a_slow_return_within_two_ticks() -> None:
    b = Bench().at(-3000).run(0.02, left=OPEN)
    assert b.causes == {"H04"} and b.demand is Demand.RETURN and b.out.alarm == Alarm.HIGH
    fastest = 0
    for _ in range(6000):
        fastest = max(fastest, b.tick().applied)
    assert 80 <= fastest <= 100
    assert -100 <= b.angle <= 0


def test_h04_stops_a_tilt_at_once() -> None:
    b = Bench().armed()
    b.run(5.2).put(buttons=TILT).until(lambda bench: bench.angle < -1500, host_velocity=-200)
    at = b.angle
    b.run(2, right=OPEN)
    assert at - b.angle < 100


def test_h04_the_policy_wait_stands_for_ten_seconds_then_returns_refastened_or_not() -> None:
    for refastened in (False, True):
        b = Bench().at(-3000, strap_wait=True).run(1, left=OPEN)
        assert b.demand is Demand.STOP and b.out.alarm == Alarm.HIGH
        if refastened:
            b.put(left=CLOSED)
        b.run(8.9)
        assert b.demand is Demand.STOP and b.applied == 0
        b.run(0.2)
        assert b.demand is Demand.RETURN
        comes_back(b)


@pytest.mark.parametrize("change", [{"host_presence": False}, {"send": False}])
def test_h04_nobody_waits_without_presence_or_without_a_host(change: dict[str, Any]) -> None:
    b = Bench().at(-3000, strap_wait=True).run(1, left=OPEN).run(0.3, **change)
    assert b.demand is Demand.RETURN


@pytest.mark.parametrize(("angle", "cause"), [(-480, "H05"), (-530, "H04")])
def test_h05_not_inverted_an_open_strap_is_a_stop(angle: int, cause: str) -> None:
    b = Bench().at(angle - 10).run(0.1, left=OPEN)
    assert b.causes == {cause}
    assert b.demand is (Demand.STOP if cause == "H05" else Demand.RETURN)


def test_h05_under_the_stop_return_brings_the_table_back() -> None:
    b = Bench().at(-480).run(1, left=OPEN)
    b.press(RETURN)
    assert b.demand is Demand.RETURN
    comes_back(b)


def test_h05_above_level_held_motion_is_refused_until_the_strap_is_closed() -> None:
    b = Bench().armed()
    b.run(6, buttons=RAISE, host_velocity=100).run(2, buttons=0)
    b.run(0.1, left=OPEN)
    assert b.demand is Demand.STOP
    b.run(2, buttons=TILT)
    assert b.applied == 0
    b.run(0.5, buttons=0, left=CLOSED).run(2, buttons=TILT)
    assert b.applied < 0


def test_h05_a_strap_left_open_at_reset_is_no_new_alarm_at_level() -> None:
    b = Bench().armed().run(1, left=OPEN)
    assert b.causes == {"H05"}
    b.reset()
    assert not b.causes
    b.run(1)
    assert not b.causes
    b.run(0.1, left=CLOSED).run(0.1, left=OPEN)
    assert b.causes == {"H05"}


@pytest.mark.parametrize(("ms", "trips"), [(200, False), (230, True)])
def test_h06_contacts_that_disagree_forbid_deepening_and_bring_an_inverted_table_back(ms: int, trips: bool) -> None:
    b = Bench().armed().run(ms / 1000, left=DISCREPANT)
    assert (b.demand is Demand.NO_DEEPENING) == trips
    if trips:
        b.run(0.1, left=CLOSED)
        assert b.demand is Demand.NO_DEEPENING, "closed is not enough"
        b.run(0.03, left=OPEN)
        b.run(0.1, left=CLOSED)
        assert "H06" not in b.causes, "both open, then both closed"
    b = Bench().at(-1000).run(ms / 1000, right=DISCREPANT)
    assert (b.demand is Demand.RETURN) == trips


@pytest.mark.parametrize(
    ("open_s", "closed_s", "wait_s", "proven"),
    [(0.98, 2.1, 3.1, False), (1.05, 1.9, 3.1, False), (1.05, 2.05, 2.8, False), (1.05, 2.05, 3.05, True)],
)
def test_h07_the_proof_takes_its_time(open_s: float, closed_s: float, wait_s: float, proven: bool) -> None:
    b = Bench(straps=CLOSED).run(1)
    b.run(open_s, straps=OPEN).run(closed_s, straps=CLOSED)
    if closed_s < 2:
        b.run(0.5, straps=DISCREPANT)
        b.run(0.2, straps=CLOSED)
    b.run(wait_s - 0.1).press(CONFIRM)
    assert (b.out.proofs & 2 != 0) == proven


def test_h07_any_opening_starts_over() -> None:
    b = Bench().prove()
    assert b.out.proofs == 7
    b.run(0.1, left=OPEN).run(0.1, left=CLOSED)
    assert b.out.proofs == 4
    assert b.ask_arm().refused == {"H07"}


def test_a_bounce_of_a_few_milliseconds_is_no_switch() -> None:
    b = Bench().at(-3000)
    for _ in range(20):
        guard = b.guard
        a, bb, ma, buttons, word = b.pins()
        guard.tell(7, b.sequence)
        guard.step(7, a, bb, ma, buttons, word | 1)
        guard.step(3, a, bb, ma, buttons, word)
        b.sequence += 1
        guard.sent(b.sequence)
    assert not b.causes
    b.guard.step(8, a, bb, ma, buttons, word | 1)
    assert b.causes == {"H04"}


@pytest.mark.parametrize("contacts", [OPEN, DISCREPANT])
def test_h20_either_contact_of_the_estop_cuts_in_the_same_millisecond(contacts: Contacts) -> None:
    b = Bench().at(-2000)
    b.until(lambda bench: bench.applied > 100, 20, host_velocity=200, host_plan_return=True)
    b.put(estop=contacts)
    b.guard.step(1, *b.pins())
    assert b.state is GuardState.CUT and b.out.short_motor and b.applied == 0 and not b.out.brake_released
    assert b.out.drive_power
    b.guard.step(61, *b.pins())
    assert not b.out.drive_power


def test_h20_released_and_acknowledged_it_holds_and_the_held_button_brings_the_table_back() -> None:
    b = Bench().at(-2000).run(1, estop=OPEN)
    b.press(ACK, 1)
    assert b.demand is Demand.CUT, "ACK means nothing while it is pressed"
    b.run(1, estop=CLOSED)
    assert b.demand is Demand.CUT
    b.press(ACK, 0.4)
    assert b.demand is Demand.CUT, "ACK takes half a second"
    b.press(ACK, 0.6)
    assert b.demand is Demand.HOLD and b.out.drive_power
    b.run(3)
    assert b.applied == 0
    b.put(buttons=RETURN)
    b.run(3)
    assert 0 < b.applied <= 90
    comes_back(b)
    b.run(2, buttons=0)
    assert b.demand is Demand.HOLD
    b.reset()
    assert not b.causes and b.demand is Demand.ALLOW


def test_h20_a_lesser_cause_moves_nothing_under_the_hold() -> None:
    b = Bench().at(-2000).run(1, estop=OPEN).run(0.5, estop=CLOSED)
    b.press(ACK, 0.7)
    b.run(3, patient_open=True)
    assert b.demand is Demand.HOLD
    assert "H22" in b.causes


@pytest.mark.parametrize(("battery", "demand"), [(True, Demand.RETURN), (False, Demand.HOLD)])
def test_h21_mains_lost_for_longer_than_500_ms(battery: bool, demand: Demand) -> None:
    b = Bench().at(-2000).run(0.45, mains=False, battery=battery)
    assert not b.causes
    b.run(0.1)
    assert b.causes == {"H21"} and b.demand is demand
    if battery:
        comes_back(b)
    else:
        b.run(3, buttons=RETURN)
        assert b.applied == 0, "there is nothing to drive with"
        b.run(1, buttons=0, mains=True, battery=True).run(3, buttons=RETURN)
        assert b.applied > 0, "mains are back: the held button"


def test_h21_a_flicker_of_the_mains_without_a_battery_sets_the_brake_and_forgets_the_tilt() -> None:
    b = Bench(limits=Limits(has_battery=False)).armed()
    b.run(5.2).put(buttons=TILT).run(3, host_velocity=-100)
    assert b.applied < 0
    b.run(0.05, mains=False)
    assert not b.out.brake_released and b.applied == 0
    b.run(3, mains=True)
    assert not b.causes
    assert b.applied == 0, "a fresh TILT is needed"


def test_h22_the_patients_button_ends_the_session_with_a_return() -> None:
    b = Bench().at(-2000).run(0.02, patient_open=True)
    assert b.causes == {"H22"} and b.demand is Demand.RETURN and b.out.alarm == Alarm.MEDIUM
    comes_back(b)
    b.run(61, patient_open=False).reset()
    assert not b.causes
    b.run(6).put(buttons=TILT).run(2, host_velocity=-100)
    assert b.applied == 0, "the session is over"


def test_h22_at_level_it_is_a_stop() -> None:
    b = Bench().armed().run(0.1, patient_open=True)
    assert b.causes == {"H22"} and b.demand is Demand.STOP


def test_h23_the_button_is_proven_by_closed_open_closed_since_disarm() -> None:
    b = Bench(patient_open=True).run(1)
    assert not b.out.proofs & 4
    b.run(0.1, patient_open=False)
    assert not b.out.proofs & 4, "a wire that was open and closes is no press"
    b.run(0.1, patient_open=True).run(0.1, patient_open=False)
    assert b.out.proofs & 4
    b.ask_disarm(0)
    assert not b.out.proofs & 4


def test_a_persons_stop_stands_until_a_fresh_press() -> None:
    b = Bench().at(-2000).press(STOP)
    assert b.first == "STOP" and b.demand is Demand.STOP and b.out.alarm == Alarm.LOW
    b.run(2, host_velocity=200)
    assert b.applied == 0, "under the guard's own STOP only a command marked RETURN moves"
    b.press(RETURN)
    comes_back(b)
    assert b.run(1).demand is Demand.ALLOW


def test_under_a_stop_a_command_marked_return_moves() -> None:
    b = Bench().at(-2000).press(STOP).run(3, host_velocity=150, host_demand=Demand.RETURN)
    assert b.applied == 150
    comes_back(b)


def test_after_a_stop_a_fresh_tilt_goes_on_once_the_table_has_stood() -> None:
    b = Bench().armed()
    b.run(5.2).put(buttons=TILT).until(lambda bench: bench.angle < -1500, host_velocity=-200)
    b.run(0.05, buttons=TILT | STOP).run(0.1, buttons=0).run(2, buttons=TILT)
    assert b.applied == 0 and b.demand is Demand.STOP
    b.run(1, buttons=0).run(1, buttons=TILT)
    assert b.applied < 0 and b.demand is Demand.ALLOW


def test_stop_pauses_a_return_once_for_ten_seconds() -> None:
    b = Bench().at(-4500).run(2.5, patient_open=True)
    assert b.applied > 0
    b.press(STOP).run(3)
    assert b.applied == 0 and b.demand is Demand.RETURN
    b.run(8)
    assert b.applied > 0
    b.press(STOP).run(2)
    assert b.applied > 0, "once a trip"
    held = Bench().at(-3000).run(1, patient_open=True, buttons=STOP).run(14)
    assert held.applied > 0, "held it does nothing"


def test_the_hosts_stop_with_a_cause_pauses_a_return_too() -> None:
    b = Bench().at(-4500).run(2.5, patient_open=True).run(3, host_cause=99)
    assert b.applied == 0
    b.run(9)
    assert b.applied > 0


def test_h25_a_tilt_held_for_longer_than_any_travel_is_ignored_until_it_is_released() -> None:
    b = Bench().armed(travel_limit_s=1)
    b.run(5.2).put(buttons=TILT).until(lambda bench: bench.angle < -1500, host_velocity=-100)
    b.run(70, host_velocity=0)
    assert b.causes == {"H25"} and b.demand is Demand.STOP
    b.run(1, buttons=0)
    assert b.causes == {"H25"}
    b.press(RETURN)
    comes_back(b)


def test_h25_a_button_held_at_boot_is_ignored() -> None:
    b = Bench(2000, buttons=TILT).run(3, host_velocity=-100)
    assert b.applied == 0
    b.run(0.1, buttons=0).run(1, buttons=TILT)
    assert b.applied < 0


@pytest.mark.parametrize("buttons", [TILT | RAISE, PLAN_UP | PLAN_DOWN])
def test_h26_two_commands_at_once_stop(buttons: int) -> None:
    b = Bench().at(-2000).run(0.1, buttons=buttons)
    assert b.causes == {"H26"} and b.demand is Demand.STOP and b.out.alarm == Alarm.LOW
    b.run(0.1, buttons=0)
    assert b.causes == {"H26"}
    b.press(RETURN)
    assert not b.causes & {"H26"}


def test_presence_goes_with_all() -> None:
    b = Bench().armed()
    b.run(5.2).put(buttons=TILT | PRESENCE).run(3, host_velocity=-100)
    assert b.applied < 0


def test_reset_needs_level_still_every_cause_gone_and_two_seconds() -> None:
    b = Bench().at(-2000).run(1, patient_open=True)
    b.reset()
    assert b.causes == {"H22"}, "below level"
    comes_back(b)
    b.run(2).reset()
    assert b.causes == {"H22"}, "the circuit is still open"
    b.run(0.5, patient_open=False).press(ACK, 1.9)
    assert b.causes == {"H22"}
    b.press(ACK, 2.1)
    assert not b.causes and b.first == ""


def test_ack_answers_only_what_was_there_when_it_was_pressed() -> None:
    b = Bench().armed().run(0.5, left=OPEN)
    b.run(1.5, buttons=ACK).run(1, patient_open=True).run(1.5, patient_open=False)
    assert "H22" in b.causes
    b.run(1, buttons=0).reset()
    assert not b.causes


def test_the_first_cause_is_kept_with_its_value() -> None:
    b = Bench().at(-2000).run(0.1, straps=OPEN)
    assert b.first == "H04" and b.out.first_value == 2
    b.run(0.5, patient_open=True)
    assert b.first == "H04" and b.causes == {"H04", "H22"}


def test_ack_pauses_the_sound_for_thirty_seconds_and_no_longer() -> None:
    b = Bench().at(-2000).run(1, estop=OPEN)
    assert b.out.tone == 2
    b.run(0.5, estop=CLOSED).press(ACK, 0.7)
    assert b.out.tone == 0
    b.run(28)
    assert b.out.tone == 0
    b.run(2)
    assert b.out.tone == 2


@pytest.mark.parametrize("button", [CONFIRM, TILT])
def test_h25_a_button_held_at_arming_refuses(button: int) -> None:
    b = Bench().prove().run(0.1, buttons=button)
    assert b.ask_arm().refused == {"H25"}


@pytest.mark.parametrize("after_ms", range(1, 10))
def test_h25_a_button_that_was_let_go_this_moment_does_not_refuse(after_ms: int) -> None:
    b = Bench().prove().run(0.1, buttons=CONFIRM).put(buttons=0)
    for _ in range(after_ms - 1):
        b.ms()
    b.guard.arm(**ARM)
    b.ms()
    assert (b.out.session_id, b.refused) == (SESSION, set())


def test_h25_a_stuck_button_that_loses_contact_just_at_arming_moves_nothing_until_it_is_released() -> None:
    b = Bench().prove().run(6, buttons=TILT).put(buttons=0).ms()
    b.guard.arm(**ARM)
    b.ms()
    b.host_session = SESSION
    b.run(8, buttons=TILT, host_velocity=-100)
    assert b.out.session_id == SESSION and b.applied == 0
    b.run(0.1, buttons=0).run(1, buttons=TILT)
    assert b.applied < 0


def on_battery() -> Bench:
    """A return on battery, moving."""
    b = Bench().at(-2000).run(0.6, mains=False)
    assert b.demand is Demand.RETURN
    b.until(lambda bench: bench.applied > 50, 10)
    return b


def test_h21_a_battery_check_that_fails_in_mid_return_stops_nothing() -> None:
    b = on_battery().run(0.5, battery=False, carried=True)
    b.run(1, mains=True).run(1, mains=False)
    assert b.demand is Demand.RETURN and b.applied > 50, "what carries this return still does"
    comes_back(b)
    with_mains = Bench().at(-2000).run(1, battery=False, buttons=0)
    assert with_mains.demand is Demand.ALLOW


def test_h21_what_carried_one_return_is_checked_anew_before_the_next() -> None:
    b = on_battery()
    comes_back(b)
    b.run(0.1, mains=True).run(0.6, mains=False, battery=False, carried=True)
    assert Demand(b.out.demand) is Demand.HOLD


@pytest.mark.parametrize("mains", [False, True])
def test_h21_a_return_that_nothing_carries_is_a_hold_whatever_mains_and_check_say(mains: bool) -> None:
    b = on_battery().run(0.3, mains=mains, battery=True, carried=False)
    assert b.applied == 0 and b.demand is Demand.RETURN, "a rail that drops for a moment strands nobody"
    b.run(2, carried=True)
    assert b.applied > 0
    b.run(0.6, carried=False)
    assert b.demand is Demand.HOLD and b.out.alarm == Alarm.HIGH
    b.run(2, carried=True).run(1.2, buttons=RETURN)
    assert b.applied > 0, "the held button, once something carries it"


def test_without_any_supply_the_brake_sets_at_once_whatever_the_check_said() -> None:
    b = Bench().at(-2000)
    b.until(lambda bench: bench.applied > 50, 10, patient_open=True)
    b.run(0.05, mains=False, battery=True, carried=False)
    assert b.applied == 0 and b.out.short_motor and not b.out.brake_released
