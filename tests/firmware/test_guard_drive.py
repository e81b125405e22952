"""What the drive does against what it is told (H10 to H16), and how the guard starts and stops it."""

import pytest

from config.limits import Limits
from safety.signals import RAISE, RETURN, TILT, Alarm, Contacts, Demand
from sim.guard import NO_ANGLE
from tests.firmware.bench import Bench

pytestmark = pytest.mark.needs("cc")

RESTING, TAKING_UP, OPENING, RUNNING, STILLING, SETTING, CUTTING = range(7)
STALL_MA = 12_000


def tilting(at_cdeg: int = -1500, speed: int = 200) -> Bench:
    """Return a table on its way down."""
    b = Bench().armed()
    b.run(5.2).put(buttons=TILT)
    b.until(lambda bench: bench.angle < at_cdeg, host_velocity=-speed)
    return b


def returning(at_cdeg: int = -3000) -> Bench:
    """Return a table on the plan's way back, at full speed."""
    b = Bench().at(at_cdeg)
    b.until(lambda bench: bench.applied >= 190, 20, host_velocity=200, host_plan_return=True)
    return b


def comes_back(b: Bench, most_s: float = 60) -> float:
    """Let the guard bring the table to level by itself."""
    return b.until(lambda bench: bench.angle >= -65 and not bench.applied, most_s)


# The drive does not follow ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sensor", ["word_a", "word_b"])
def test_h10_one_sensor_that_stands_still_is_lost_and_the_other_brings_the_table_back(sensor: str) -> None:
    b = tilting(-1500, 50)
    b.put(**{sensor: b.pins()[0]})
    took = b.until(lambda bench: "H10" in bench.causes, 6)
    assert took < 5
    assert b.demand is Demand.RETURN and b.out.alarm == Alarm.HIGH
    b.put(buttons=0, host_velocity=0)
    comes_back(b)


def test_h10_both_sensors_standing_still_is_a_cut() -> None:
    b = tilting()
    here = b.pins()[0]
    b.put(word_a=here, word_b=here)
    took = b.until(lambda bench: "H10" in bench.causes, 3)
    assert took < 1.2
    assert b.demand is Demand.CUT


@pytest.mark.parametrize(("current_ma", "accused"), [(7199, True), (7200, False)])
@pytest.mark.parametrize("sensor", ["word_a", "word_b"])
def test_h10_while_the_drive_presses_no_sensor_is_accused(sensor: str, current_ma: int, accused: bool) -> None:
    b = tilting(-1500, 100)
    b.put(**{sensor: b.pins()[0]}).run(1.5, current_ma=current_ma)
    assert ("H10" in b.seen) is accused
    # Apart from the other one it is found soon, whatever the current.
    b.run(1.5)
    assert "H10" in b.seen or "H08" in b.seen


def test_h10_without_current_it_is_a_drive_fault_and_a_hold() -> None:
    b = tilting()
    b.put(gain=0.0, current_ma=100)
    b.until(lambda bench: "H10" in bench.causes, 3)
    assert b.demand is Demand.HOLD


@pytest.mark.parametrize(("gain", "trips"), [(0.3, False), (0.2, True)])
def test_h10_a_quarter_of_the_way_is_enough(gain: float, trips: bool) -> None:
    b = tilting(-1500, 100)
    b.run(4, gain=gain)
    assert ("H10" in b.seen) == trips


@pytest.mark.parametrize(("gain", "trips"), [(-0.2, False), (-0.7, True), (-1.0, True)])
def test_h11_the_wrong_direction_cuts_until_service(gain: float, trips: bool) -> None:
    b = Bench().at(-2000)
    b.put(gain=gain).run(2.2, host_velocity=100, host_plan_return=True)
    assert ("H11" in b.causes) == trips
    if trips:
        assert b.demand is Demand.CUT
        b.put(angle=0.0, host_velocity=0).run(3)
        b.reset()
        assert "H11" in b.causes, "only the service tool clears it"


def test_h11_a_held_motion_proves_itself_in_half_a_degree() -> None:
    b = Bench(-1500, straps=Contacts.CLOSED).run(2)
    b.put(gain=-1.0, buttons=RETURN)
    b.until(lambda bench: "H11" in bench.causes, 5)
    assert -1500 - b.angle < 100


def test_a_start_a_stop_and_a_reversal_trip_nothing() -> None:
    b = tilting()
    for _ in range(3):
        b.run(0.7, buttons=TILT).run(0.3, buttons=0).run(2.2)
        b.until(lambda bench: bench.applied > 100, 10, host_velocity=200)
        b.run(2, host_velocity=-200, buttons=TILT)
        b.run(2, host_velocity=200)
    assert not b.seen


# Motion without a command -------------------------------------------------------------------------------------------


def test_h12_a_brake_that_slips_is_caught_by_the_powered_drive_and_held() -> None:
    b = Bench().at(-3000).run(2)
    b.put(slip=-60)
    b.until(lambda bench: "H12" in bench.causes, 5)
    assert b.demand is Demand.HOLD
    assert b.out.drive_power and not b.out.brake_released
    b.run(3, slip=0)
    assert b.demand is Demand.HOLD and b.out.drive_power
    b.put(buttons=RETURN)
    comes_back(b.run(3))


@pytest.mark.parametrize("slip", [-150, -300])
def test_h12_what_does_not_slow_within_200_ms_is_cut(slip: int) -> None:
    b = Bench().at(-2000).run(2)
    b.put(slip=slip)
    b.until(lambda bench: bench.demand is Demand.HOLD, 5)
    at_ms = b.t_ms
    b.until(lambda bench: bench.demand is Demand.CUT, 5)
    assert 200 <= b.t_ms - at_ms <= 330


def test_h12_what_moves_again_after_it_was_caught_is_cut() -> None:
    b = Bench().at(-3000).run(2).put(slip=-60)
    b.until(lambda bench: bench.demand is Demand.HOLD, 5)
    b.run(3, slip=0)
    assert b.demand is Demand.HOLD
    b.put(slip=-80)
    b.until(lambda bench: bench.demand is Demand.CUT, 5)


@pytest.mark.parametrize("early_ms", [10, 30, 50])
def test_h12_found_first_by_the_host_is_caught_just_as_well(early_ms: int) -> None:
    found = Bench().at(-3000).put(slip=-200.0)
    ticks = round(100 * found.until(lambda bench: bench.demand >= Demand.HOLD, 5))
    b = Bench().at(-3000).put(slip=-200.0).run(ticks / 100 - early_ms / 1000)
    assert b.demand is Demand.ALLOW
    b.run(0.02, host_demand=Demand.HOLD, host_cause=12)
    assert (b.demand, b.causes, b.out.drive_power) == (Demand.HOLD, {"H12"}, True)
    b.run(0.1).run(5, slip=0.0)
    assert (b.demand, b.causes, b.out.drive_power) == (Demand.HOLD, {"H12"}, True)
    b.run(2, slip=-60.0)
    assert b.demand is Demand.CUT, "moving again"


def test_h12_found_first_by_the_host_and_not_slowing_is_cut() -> None:
    b = Bench().at(-3000).run(0.1, slip=-200.0)
    b.run(0.02, host_demand=Demand.HOLD, host_cause=12)
    assert b.demand is Demand.HOLD
    assert 0.15 < b.until(lambda bench: bench.demand is Demand.CUT, 1) < 0.35


def test_h12_creeping_that_the_host_found_is_measured_anew_once_the_drive_holds() -> None:
    b = Bench().at(-3000).run(7, slip=-18.0)
    assert b.demand is Demand.ALLOW
    b.run(5, host_demand=Demand.HOLD, host_cause=12)
    assert (b.demand, b.causes) == (Demand.HOLD, {"H12"}), (
        "1.3 degrees from where it was held, not from where it rested"
    )
    assert 1 < b.until(lambda bench: bench.demand is Demand.CUT, 5) < 3


def test_h12_after_a_hold_that_the_host_takes_back_it_is_caught_anew() -> None:
    b = Bench().at(-3000).run(0.1, slip=-200.0)
    b.run(0.02, host_demand=Demand.HOLD, host_cause=24).run(3, slip=0.0)
    assert b.demand is Demand.ALLOW and b.out.drive_power, "a cause that is not the guard's to keep"
    b.run(1, host_demand=Demand.ALLOW, host_cause=0)
    assert not b.out.drive_power
    b.until(lambda bench: bench.demand >= Demand.HOLD, 5, slip=-200.0)
    assert b.demand is Demand.HOLD


@pytest.mark.parametrize(("by", "trips"), [(129, False), (132, True)])
def test_h12_armed_one_degree_and_the_backlash_from_rest(by: int, trips: bool) -> None:
    b = Bench().armed().run(2)
    b.drift(by, ticks=3).run(0.1)
    assert ("H12" in b.seen) == trips


@pytest.mark.parametrize(("by", "trips"), [(299, False), (302, True)])
def test_h12_unarmed_people_climb_on(by: int, trips: bool) -> None:
    b = Bench().run(2).drift(by).run(0.1)
    assert ("H12" in b.seen) == trips


def test_h12_one_sensor_alone_says_nothing() -> None:
    b = Bench().armed().run(2)
    for _ in range(190):
        b.put(offset_a=b.offset_a + 1).tick()
    assert not b.seen


def test_h12_people_who_moved_the_table_while_climbing_on_do_not_count_after_arm() -> None:
    b = Bench().run(2).drift(90)
    b.prove().ask_arm()
    assert not b.refused
    b.put(word_a=None, word_b=None).drift(-35, ticks=3).run(0.2)
    assert not b.seen
    b.put(word_a=None, word_b=None).drift(-45, ticks=3).run(0.2)
    assert b.seen == {"H12"}


# Too fast -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [-1, 1])
@pytest.mark.parametrize("cdeg_s2", [5_000, 10_000, 20_000])
def test_h13_a_runaway_is_cut_within_100_ms_of_the_crossing(way: int, cdeg_s2: int) -> None:
    b = returning()
    crossed_ms = None
    fall = 0.0
    while b.demand < Demand.CUT:
        fall += cdeg_s2 * 0.01
        b.put(slip=way * fall).tick()
        if crossed_ms is None and abs(b.speed) >= 400:
            crossed_ms = b.t_ms - 10
        assert crossed_ms is None or b.t_ms - crossed_ms <= 100
    assert b.first == "H13"


def test_h13_with_the_brake_set_and_the_drive_off_the_drive_catches_it_first() -> None:
    b = Bench().at(-2000).run(2)
    fall = 0.0
    while b.demand < Demand.HOLD:
        fall += 50
        b.put(slip=-fall).tick()
    assert b.demand is Demand.HOLD and b.out.drive_power


@pytest.mark.parametrize("step", [40, 100, 149])
def test_h13_a_sensor_that_steps_is_not_taken_for_a_fall(step: int) -> None:
    b = returning()
    b.run(1, offset_a=step).run(0.5, offset_a=0)
    assert "H13" not in b.seen
    b = Bench().at(-2000).run(1, offset_b=-step)
    assert not b.seen


@pytest.mark.parametrize("word", ["offset_a", "offset_b"])
@pytest.mark.parametrize("spike", [-149, -110, 110, 149])
def test_h13_a_word_that_jumps_out_and_back_again_is_no_fall(word: str, spike: int) -> None:
    for ms in (10, 20, 30):
        b = returning()
        b.run(ms / 1000, **{word: spike}).run(0.3, **{word: 0})
        assert "H13" not in b.seen


def test_h13_either_sensor_alone_tells_a_runaway_when_the_other_stands_still() -> None:
    b = returning()
    b.put(word_a=b.pins()[0])
    fall = 0.0
    while "H13" not in b.seen:
        fall += 100
        b.put(slip=-fall).tick()
        assert fall < 3000
    assert b.demand is Demand.CUT


@pytest.mark.parametrize(("gain", "trips"), [(1.55, False), (2.2, True)])
def test_h13_faster_than_told_is_cut(gain: float, trips: bool) -> None:
    b = returning(-4400)
    b.run(1.5, gain=gain)
    assert ("H13" in b.seen) == trips


# Blocked ------------------------------------------------------------------------------------------------------------


def test_h14_blocked_going_outward_stops_and_backs_off_two_degrees() -> None:
    b = tilting()
    b.run(0.17, gain=0.0, current_ma=STALL_MA)
    assert b.causes == {"H14"} and b.demand is Demand.STOP and b.out.alarm == Alarm.MEDIUM
    at = b.angle
    b.run(1, gain=1.0, current_ma=3000)
    assert b.angle < at + 5, "it rests first"
    fastest = 0
    for _ in range(900):
        fastest = max(fastest, b.tick().applied)
    assert 0 < fastest <= 50
    assert 150 <= b.angle - at <= 210
    assert b.demand is Demand.STOP
    b.put(buttons=0).press(RETURN)
    comes_back(b)


@pytest.mark.parametrize(("by_cdeg", "told"), [(40, False), (120, False), (160, True), (-40, True)])
def test_h14_what_springs_back_when_the_drive_lets_go_is_no_fall(by_cdeg: int, told: bool) -> None:
    b = tilting()
    b.run(0.17, gain=0.0, current_ma=STALL_MA)
    b.until(lambda bench: not bench.out.drive_power, 5)
    b.run(0.08, gain=1.0, current_ma=0, slip=by_cdeg * 1000 / 80).run(0.3, slip=0)
    assert ("H13" in b.seen) is told
    if not told:
        assert b.causes == {"H14"}
        b.until(lambda bench: bench.applied > 0, 9)


@pytest.mark.parametrize("lost", ["word_a", "word_b"])
def test_h14_the_only_sensor_left_tells_what_springs_back(lost: str) -> None:
    for by_cdeg, told in ((80, False), (160, True)):
        b = tilting()
        b.run(0.17, gain=0.0, current_ma=STALL_MA)
        b.until(lambda bench: not bench.out.drive_power, 5, **{lost: NO_ANGLE})
        b.run(0.08, gain=1.0, current_ma=0, slip=by_cdeg * 1000 / 80).run(0.3, slip=0)
        assert ("H13" in b.seen) is told


def test_h14_eight_seconds_later_nothing_springs() -> None:
    b = tilting(-250)
    b.run(0.17, gain=0.0, current_ma=STALL_MA).run(8.1, gain=1.0, current_ma=3000)
    b.run(0.08, slip=1000).run(0.3, slip=0)
    assert "H13" in b.seen


def test_h14_near_level_it_only_stops() -> None:
    b = tilting(-120, 50)
    b.run(0.2, gain=0.0, current_ma=STALL_MA).run(8, gain=1.0, current_ma=3000)
    assert b.first == "H14"
    assert b.angle > -300 and b.applied == 0 and -160 < b.angle


@pytest.mark.parametrize(("ma", "trips"), [(7199, False), (7200, True)])
def test_h14_held_back_for_a_second_at_sixty_percent_of_the_limit(ma: int, trips: bool) -> None:
    b = tilting(-1500, 150)
    b.run(2.3, gain=0.0, current_ma=ma)
    assert ("H14" in b.seen) == trips


def test_h14_above_level_both_ways() -> None:
    b = Bench().run(1)
    b.put(buttons=RAISE).run(3, host_velocity=100)
    b.run(0.2, gain=0.0, current_ma=STALL_MA)
    assert b.causes == {"H14"}
    down = Bench(2000).run(1)
    down.put(buttons=TILT).run(3, host_velocity=-100)
    down.run(0.2, gain=0.0, current_ma=STALL_MA)
    assert down.causes == {"H14"}


def test_h15_blocked_on_the_way_back_relieves_by_a_degree_and_holds() -> None:
    b = returning()
    b.run(0.17, gain=0.0, current_ma=STALL_MA)
    assert b.causes == {"H15"} and b.demand is Demand.HOLD and b.out.alarm == Alarm.HIGH
    at = b.angle
    slowest = 0
    b.put(gain=1.0, current_ma=3000, host_velocity=0, host_plan_return=False)
    for _ in range(900):
        slowest = min(slowest, b.tick().applied)
    assert -50 <= slowest < 0
    assert 60 <= at - b.angle <= 105
    b.run(30)
    assert b.applied == 0, "no retry"
    b.put(buttons=RETURN)
    comes_back(b)


def test_h15_the_relief_is_not_stopped_by_the_current_that_still_presses() -> None:
    b = returning()
    b.run(0.2, gain=0.0, current_ma=STALL_MA)
    at = b.angle
    b.until(lambda bench: bench.applied < 0, 9)
    b.run(0.45)
    b.run(5, gain=1.0, current_ma=3000)
    assert b.causes == {"H15"}
    assert 80 <= at - b.angle <= 110


def test_h15_blocked_again_by_a_held_return_there_is_no_second_relief() -> None:
    b = returning()
    b.run(0.17, gain=0.0, current_ma=STALL_MA)
    b.run(30, gain=1.0, current_ma=3000, host_velocity=0, host_plan_return=False)
    b.put(buttons=RETURN)
    b.until(lambda bench: bench.applied >= 40, 9)
    b.run(0.2, gain=0.0, current_ma=STALL_MA)
    at = b.angle
    slowest = 0
    for _ in range(900):
        slowest = min(slowest, b.put(gain=1.0, current_ma=3000).tick().applied)
    assert slowest == 0
    assert b.angle >= at
    assert b.demand is Demand.HOLD


def test_h15_no_relief_with_a_strap_open() -> None:
    b = Bench().at(-3000)
    b.until(lambda bench: bench.applied >= 80, 20, left=Contacts.OPEN)
    b.run(0.2, gain=0.0, current_ma=STALL_MA)
    at = b.angle
    b.run(9, gain=1.0, current_ma=3000)
    assert "H15" in b.causes and at <= b.angle + 1


def test_h15_the_relief_is_never_deeper_than_the_set_was() -> None:
    b = Bench().at(-3000)
    deepest = b.angle
    b.until(lambda bench: bench.applied >= 60, 20, host_velocity=200, host_plan_return=True)
    b.run(0.2, gain=0.0, current_ma=STALL_MA).run(9, gain=1.0, current_ma=3000)
    assert b.angle >= deepest - 3


def test_h16_heat_that_leaves_only_the_reserve_brings_the_table_back() -> None:
    b = Bench(limits=Limits(thermal_budget_ma2_s=2_000_000_000)).at(-3000)
    took = b.until(lambda bench: "H16" in bench.causes, 60, current_ma=9000)
    # 1.2e9 mA²·s to go, at 9000² − 25e6 mA² a second.
    assert 20 < took < 23
    assert b.demand is Demand.RETURN and b.out.alarm == Alarm.MEDIUM


def test_h16_a_hot_drive_is_not_armed() -> None:
    b = Bench(limits=Limits(thermal_budget_ma2_s=2_000_000_000)).prove()
    b.run(16, current_ma=9000).run(0.1, current_ma=0).ask_arm()
    assert b.refused == {"H16"}


def test_h16_the_drives_own_fault_line_counts() -> None:
    assert Bench().at(-1000).run(0.05, drive_fault=True).causes == {"H16"}


# Ramp, brake, power -------------------------------------------------------------------------------------------------


def test_a_start_takes_the_backlash_up_then_opens_the_brake_then_ramps() -> None:
    b = Bench(limits=Limits(idle_ma=150)).armed()
    b.run(5.2).put(buttons=TILT, host_velocity=-100)
    phases = [RESTING]
    for _ in range(200):
        out = b.ms().out
        if out.phase != phases[-1]:
            phases.append(out.phase)
        if out.phase == TAKING_UP:
            assert out.preload and out.drive_power and not out.brake_released and out.direction == -1
    assert phases == [RESTING, TAKING_UP, OPENING, RUNNING]


@pytest.mark.parametrize(("current", "longest"), [(1299, 701), (1300, 1)])
def test_torque_comes_first_until_the_current_shows_it_or_700_ms(current: int, longest: int) -> None:
    b = Bench(configured=False, angle_cdeg=2000).run(1)
    b.put(buttons=TILT, host_velocity=-100, current_ma=current)
    ms = 0
    for _ in range(730):
        out = b.ms().out
        ms += out.phase == TAKING_UP
        assert not out.held_torque
    assert ms == longest


def test_the_ramp_keeps_its_bounds_and_a_stop_from_full_speed_ends_within_a_degree() -> None:
    b = returning()
    steps: list[int] = []
    at = b.angle
    b.put(left=Contacts.OPEN, estop=Contacts.CLOSED)
    b.put(left=Contacts.CLOSED, buttons=0x08)
    for _ in range(100):
        b.tick()
        steps.extend(b.guard.applied[0:10])
    assert b.applied == 0
    assert b.angle - at < 100
    rates = [after - before for before, after in zip(steps, steps[10:], strict=False)]
    assert max(abs(rate) for rate in rates) <= 5  # 4°/s² in 10 ms, rounded twice


def test_under_hold_the_drive_keeps_power_beside_the_brake_elsewhere_not() -> None:
    b = Bench().at(-2000)
    assert b.out.phase == RESTING and not b.out.drive_power
    held = Bench(-1500).run(0.5)
    assert held.demand is Demand.HOLD and held.out.drive_power and not held.out.brake_released


def test_zero_speed_holds_until_still_then_the_brake_then_the_power_goes() -> None:
    b = tilting()
    b.put(buttons=0)
    order: list[object] = []
    for _ in range(400):
        b.tick()
        if not order or order[-1] != b.out.phase:
            order.append(b.out.phase)
    assert order == [RUNNING, STILLING, SETTING, RESTING]


@pytest.mark.parametrize(("end", "speed"), [("end_down", -200), ("end_up", 150)])
def test_an_end_switch_takes_the_outward_set_point_away(end: str, speed: int) -> None:
    b = Bench(2000).run(1)
    button = TILT if speed < 0 else RAISE
    b.put(buttons=button).run(3, host_velocity=speed)
    assert b.applied * speed > 0
    b.run(0.03, **{end: True})
    assert b.applied == 0
    b.run(1)
    assert b.applied == 0


def test_h10_a_return_that_an_end_switch_blocks_is_a_hold_that_calls_for_the_manual_one() -> None:
    b = Bench().at(-2000).run(1, end_up=True).run(0.1, patient_open=True)
    assert b.demand is Demand.RETURN
    b.until(lambda bench: bench.demand is Demand.HOLD, 6)
    assert "H10" in b.causes and b.out.alarm == Alarm.HIGH and b.first == "H22"
    b.run(2, end_up=False, buttons=RETURN)
    assert b.applied > 0, "mended, the held button brings it back"


def test_h10_a_supply_that_comes_and_goes_and_never_lets_it_start_is_no_return() -> None:
    b = Bench().at(-2000).run(3, patient_open=True)
    assert b.demand is Demand.RETURN
    for _ in range(6):
        b.run(0.4, carried=False).run(0.05, carried=True)
    assert b.demand is Demand.HOLD and "H10" in b.causes


def test_h10_a_return_that_starts_as_slowly_as_it_may_is_not_asked_for_in_vain() -> None:
    b = Bench().at(-2000).put(current_ma=0)
    b.until(lambda bench: bench.applied > 0, 6, patient_open=True)
    b.run(0.45, carried=False)
    b.until(lambda bench: bench.applied > 0, 2, carried=True)
    assert b.causes == {"H22"}
