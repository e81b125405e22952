"""What seldom happens to the guard: two causes in odd orders, doubt on the way back, unknown currents, long counts."""

import pytest

from config.limits import Limits
from safety.signals import ACK, CONFIRM, RAISE, RETURN, STOP, TILT, Alarm, Contacts, Demand
from sim.guard import NO_ANGLE, NO_CURRENT, config_fields
from tests.firmware.bench import Bench

pytestmark = pytest.mark.needs("cc")

STALL_MA = 12_000
OPENING = 2
STILLING = 4


def comes_back(b: Bench, most_s: float = 60) -> float:
    """Let the guard bring the table to level by itself."""
    return b.until(lambda bench: bench.angle >= -65 and not bench.applied, most_s)


def tilting(at_cdeg: int = -1500, speed: int = 200) -> Bench:
    """Return a table on its way down, TILT held."""
    b = Bench().armed()
    b.run(5.2).put(buttons=TILT)
    b.until(lambda bench: bench.angle < at_cdeg, host_velocity=-speed)
    return b


def test_when_the_first_cause_is_cleared_by_a_press_the_next_one_is_first() -> None:
    b = Bench(7690).run(2).press(STOP)
    b.run(0.1, angle=7702.0)
    assert b.first == "STOP" and b.causes == {"STOP", "H36"}
    b.run(1.5).press(TILT)
    assert b.first == "H36" and b.causes == {"H36"}


def test_a_stop_held_while_another_cause_goes_stays_first() -> None:
    b = Bench().run(2).run(0.1, buttons=TILT | RAISE).run(0.1, buttons=STOP)
    assert b.first == "H26" and b.causes == {"H26", "STOP"}
    b.run(1.2, buttons=STOP).run(0.1, buttons=STOP | RETURN)
    assert b.first == "STOP" and b.causes == {"STOP"}


@pytest.mark.parametrize("lost", ["word_a", "word_b"])
def test_a_return_in_doubt_that_takes_too_long_becomes_a_hold(lost: str) -> None:
    b = Bench().at(-3000).put(gain=0.4).run(0.02, **{lost: NO_ANGLE})
    took = b.until(lambda bench: bench.demand is Demand.HOLD, 60)
    # 1.2 × 30° at 0.9°/s and 3 s, after tone and take-up.
    assert 42 < took < 46
    assert b.out.alarm == Alarm.HIGH
    b.run(2)
    assert b.applied == 0
    b.put(buttons=RETURN, gain=1.0)
    comes_back(b.run(3))


def test_a_return_in_doubt_never_lasts_longer_than_eighty_seconds() -> None:
    b = Bench(limits=Limits(slow_cdeg_s=80)).at(-6000, cap_cdeg=-6000)
    b.put(gain=0.4).run(0.02, word_a=NO_ANGLE)
    b.until(lambda bench: bench.applied > 0, 5)
    took = b.until(lambda bench: bench.demand is Demand.HOLD, 90)
    assert 79 < took < 80.5


@pytest.mark.parametrize("lost", ["word_a", "word_b"])
def test_with_one_sensor_and_a_stuck_level_switch_the_return_ends_at_zero(lost: str) -> None:
    b = Bench().at(-1000).run(0.02, **{lost: NO_ANGLE}, level_switch=True)
    b.until(lambda bench: bench.out.returning == 3, 1)
    b.until(lambda bench: bench.out.returning == 0, 60)
    assert 0 <= b.angle <= 20
    b.run(2)
    assert b.angle < 50 and b.applied == 0


def test_a_sensor_lost_on_the_way_down_ends_the_tilt() -> None:
    b = tilting()
    at = b.angle
    b.run(1.5, word_b=NO_ANGLE)
    assert b.first == "H08" and at - b.angle < 100
    comes_back(b)


@pytest.mark.parametrize("lost", [{}, {"word_a": NO_ANGLE}, {"word_b": NO_ANGLE}])
def test_held_back_is_told_by_the_sensor_that_went_furthest(lost: dict[str, int]) -> None:
    b = Bench(limits=Limits(backlash_cdeg=0)).at(-4000)
    b.put(**lost).until(lambda bench: bench.applied >= 60, 20, patient_open=True)
    b.put(gain=0.0, current_ma=8000)
    for _ in range(220):
        b.put(offset_b=b.offset_b + (1 if b.t_ms % 50 == 0 else 0)).tick()
    assert "H15" in b.seen


def test_an_unknown_current_shows_no_torque_and_no_block_but_heats() -> None:
    b = Bench(2000, current_ma=NO_CURRENT).run(1)
    b.put(buttons=TILT, host_velocity=-100)
    took = b.until(lambda bench: bench.out.phase == OPENING, 2)
    assert took >= 0.05
    b.run(3)
    assert b.applied < 0 and not b.seen
    hot = Bench(limits=Limits(thermal_budget_ma2_s=2_000_000_000), current_ma=NO_CURRENT).run(12)
    assert hot.causes == {"H16"}


def test_without_a_current_the_torque_takes_its_whole_time() -> None:
    b = Bench(2000, current_ma=NO_CURRENT, configured=False).run(1)
    b.put(buttons=TILT, host_velocity=-100)
    assert b.until(lambda bench: bench.out.phase == OPENING, 2) >= 0.7


def test_a_hot_drive_stays_hot_under_a_smaller_budget() -> None:
    b = Bench().run(100, current_ma=7000).run(0.5, current_ma=0)
    small = Limits(thermal_budget_ma2_s=1_000_000_000)
    b.guard.configure(config_fields(small, brake_on_motor_side=True) | {"hash": 5})
    b.run(0.2)
    assert b.out.config_hash == 5 and b.causes == {"H16"}


def test_counts_of_long_times_stand_still_at_their_ends() -> None:
    b = Bench().at(-2000).run(1, estop=Contacts.OPEN)
    for _ in range(1100):
        b.guard.step(1000, *b.pins())
    assert b.out.inverted_s == 1000
    assert b.demand is Demand.CUT


def test_arm_is_refused_before_the_rest_of_someone_who_was_down_unarmed() -> None:
    b = Bench(-700, straps=Contacts.CLOSED).run(2)
    b.put(buttons=RETURN)
    comes_back(b.run(2))
    b.run(2, buttons=0).reset()
    b.prove().ask_arm()
    assert b.refused == {"H32"}
    b.run(61).ask_arm()
    assert not b.refused


def test_a_host_that_turns_round_at_full_speed_passes_through_rest() -> None:
    b = Bench().armed(held_tilt=False)
    b.run(5.2).put(buttons=TILT)
    b.until(lambda bench: bench.angle < -1500, host_velocity=-200)
    speeds: list[int] = []
    b.put(host_velocity=200)
    for _ in range(400):
        b.tick()
        speeds.extend(b.guard.applied[0:10])
    assert speeds[0] <= -199 and speeds[-1] == 50
    assert speeds == sorted(speeds), "nothing but less and less down, then more and more up"
    # Down again only by a fresh press: the way toward level ended the leave that the first one gave.
    b.run(4, host_velocity=-200)
    assert b.applied == 0
    b.run(0.1, buttons=0).run(1, buttons=TILT)
    assert b.applied < 0 and not b.seen


def test_a_strap_or_the_mains_that_flicker_stop_the_tilt_before_they_are_causes() -> None:
    for change, end in (
        ({"left": Contacts.DISCREPANT}, {"left": Contacts.CLOSED}),
        ({"mains": False}, {"mains": True}),
    ):
        b = tilting()
        b.run(0.15, **change).run(0.05, **end)
        assert b.applied > -200
        assert not b.causes


def test_above_minus_five_mistrusted_contacts_take_the_grant_away() -> None:
    b = tilting(-200, 50)
    b.run(0.4, left=Contacts.DISCREPANT)
    assert b.demand is Demand.NO_DEEPENING
    b.run(0.05, left=Contacts.OPEN).run(3, left=Contacts.CLOSED)
    assert b.applied == 0


def test_a_strap_excused_at_reset_still_keeps_the_patient_from_being_raised() -> None:
    b = Bench().armed().run(1, left=Contacts.OPEN)
    b.reset()
    b.run(0.2).put(buttons=RAISE).run(3, host_velocity=100)
    assert b.applied == 0 and not b.causes


def test_blocked_while_backing_off_it_stands() -> None:
    b = tilting()
    b.run(0.17, gain=0.0, current_ma=STALL_MA).run(0.1, gain=1.0, current_ma=3000)
    b.until(lambda bench: bench.applied >= 45, 9)
    # What it pressed against before is let go of in the first 500 ms.
    b.run(0.8, gain=0.0, current_ma=STALL_MA)
    assert "H15" in b.causes, "backing off from below is on the way back"
    assert b.demand is Demand.HOLD


def test_a_back_off_above_minus_one_degree_that_is_blocked_ends() -> None:
    b = tilting(-330, 50)
    b.run(0.17, gain=0.0, current_ma=STALL_MA).run(0.1, gain=1.0, current_ma=3000)
    assert b.first == "H14"
    b.until(lambda bench: bench.angle > -140, 15)
    b.put(offset_a=60, offset_b=60)
    b.run(0.4, gain=0.0, current_ma=STALL_MA).run(3, gain=1.0, current_ma=3000)
    assert b.applied == 0


def test_a_back_off_gives_up_after_six_seconds() -> None:
    b = tilting()
    b.run(0.17, gain=0.0, current_ma=STALL_MA).run(0.1, gain=1.0, current_ma=3000)
    b.until(lambda bench: bench.applied > 0, 9)
    at = b.angle
    b.run(9, gain=0.4)
    assert b.applied == 0
    assert 80 < b.angle - at < 150


def test_no_relief_after_motion_that_nobody_commanded() -> None:
    b = Bench().at(-3000).run(2).put(slip=-60)
    b.until(lambda bench: "H12" in bench.causes, 5)
    b.run(2, slip=0)
    b.put(buttons=RETURN)
    b.until(lambda bench: bench.applied >= 80, 9)
    b.run(0.3, gain=0.0, current_ma=STALL_MA)
    assert "H15" in b.causes
    at = b.angle
    b.run(9, gain=1.0, current_ma=3000)
    assert b.angle >= at - 1


def test_a_relief_that_was_cut_short_is_not_taken_up_again() -> None:
    b = Bench().at(-3000)
    b.until(lambda bench: bench.applied >= 150, 20, host_velocity=200, host_plan_return=True)
    b.run(0.2, gain=0.0, current_ma=STALL_MA)
    b.until(lambda bench: bench.applied < 0, 9, gain=1.0, current_ma=3000, host_velocity=0, host_plan_return=False)
    b.run(0.5, estop=Contacts.OPEN).run(0.2, estop=Contacts.CLOSED).press(ACK, 0.7)
    assert b.demand is Demand.HOLD
    at = b.angle
    b.run(9)
    assert b.angle == at


def test_no_reset_while_one_word_is_missing() -> None:
    for lost in ("word_a", "word_b"):
        b = Bench().run(1).run(0.05, **{lost: NO_ANGLE})
        b.reset()
        assert b.causes == {"H08"}


def test_nobody_is_disarmed_where_no_sensor_says_level() -> None:
    b = Bench().armed().run(1, word_a=NO_ANGLE, word_b=NO_ANGLE).ask_disarm()
    assert b.refused == {"H32"}


def test_a_stuck_tilt_that_becomes_a_raise_in_one_moment_stays_stuck() -> None:
    b = Bench().armed(travel_limit_s=1).run(62, buttons=TILT)
    assert b.causes == {"H25"}
    b.run(1, buttons=RAISE, host_velocity=100)
    assert b.applied == 0 and b.causes == {"H25"}


def test_a_confirm_too_early_is_none_and_ack_alone_clears_nothing() -> None:
    b = Bench().run(1.1).run(2.1, straps=Contacts.CLOSED).run(1).press(CONFIRM)
    assert not b.out.proofs & 2
    b.press(ACK, 3)
    assert b.demand is Demand.ALLOW


def test_reset_waits_until_the_table_is_still() -> None:
    b = Bench(7690).run(2).press(STOP)
    b.run(1, angle=7702.0).run(2, angle=7600.0)
    assert b.causes >= {"H36"}
    b.put(slip=-30.0).run(1).run(3, buttons=ACK)
    assert b.causes >= {"H36"}
    b.run(3, slip=0.0)
    assert not b.causes, "and then the same hold of ACK clears it"


def test_a_table_that_does_not_come_to_rest_under_zero_speed_gets_its_brake_after_one_and_a_half_seconds() -> None:
    b = Bench().at(-3000)
    b.until(lambda bench: bench.applied > 50, 10, host_velocity=100, host_plan_return=True)
    b.put(host_velocity=0, host_plan_return=False, slip=40.0)
    b.until(lambda bench: bench.out.phase == STILLING, 5)
    assert 1.49 < b.until(lambda bench: not bench.out.brake_released, 5) < 1.53


def test_reset_waits_until_the_host_is_there() -> None:
    b = Bench(7690).run(2).press(STOP)
    b.run(1, angle=7702.0).run(2, angle=7600.0)
    b.put(send=False).run(1).run(3, buttons=ACK)
    assert b.causes >= {"H36"}
    b.run(0.5, send=True)
    assert not b.causes


def test_a_guard_that_wakes_up_without_any_angle_knows_of_no_depth() -> None:
    b = Bench(-3000, word_a=NO_ANGLE, word_b=NO_ANGLE).run(0.1)
    assert b.causes == {"H09"} and b.demand is Demand.CUT


def test_a_table_that_boards_low_is_raised_without_the_pause_at_thirty_degrees() -> None:
    b = Bench(limits=Limits(boarding_cdeg=2500)).run(1)
    b.run(40, buttons=RAISE, host_velocity=150)
    assert 2450 <= b.angle <= 2510 and not b.causes


def test_a_pause_is_used_up_until_nothing_asks_for_a_return_any_more() -> None:
    b = Bench().at(-1000)
    b.until(lambda bench: bench.applied > 50, 10, buttons=RETURN)
    b.run(0.2, buttons=STOP).run(0.5, buttons=0)
    assert b.out.returning == 3
    b.put(buttons=RETURN).run(0.1).run(0.1, buttons=0)
    comes_back(b)
    b.run(2)
    assert b.out.returning == 0
    b.run(0.1, buttons=STOP).run(0.2)
    assert b.out.returning == 0 and b.demand is Demand.STOP
