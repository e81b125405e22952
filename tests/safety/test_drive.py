"""The drive at the edges of its limits: H10, H11, H14 to H16, H21."""

import msgspec
import pytest

from config.limits import Limits
from safety import drive, standing, supply
from safety.angle import BOTH, NONE, A, Angles, B
from safety.signals import Alarm, Cause, Contacts, Demand, Guard, GuardState, Region
from safety.standing import Drive, Mark
from safety.supply import Supply
from safety.track import Track
from tests.safety.table import ARM, BELIEVED, LIMITS, RUNNING, Bench, armed, at_depth, driven, tilted

# H10: the angle is frozen while driven.


@pytest.mark.parametrize(("sensor", "lost"), [("angle_a_cdeg", A), ("angle_b_cdeg", B)])
def test_h10_one_frozen_sensor_is_lost_after_one_degree_and_the_backlash(sensor: str, lost: int) -> None:
    bench = at_depth()
    bench.put(applied_cdeg_s=100, **RUNNING)
    for tick in range(1, 131):
        bench.put(angle_cdeg=-3000 + tick, **{sensor: -3000})
        bench.tick()
        assert ("H10" in bench.codes) is (tick >= 130), tick
    cause = bench.cause("H10")
    assert (cause.demand, cause.alarm, cause.value, cause.limit, cause.slow) == (Demand.RETURN, Alarm.HIGH, 0, 32, True)
    assert bench.judged.angles.lost == lost
    assert (bench.codes[0], cause.where) == ("H10", {A: "A", B: "B"}[lost])
    assert bench.decision.angle_cdeg == -2870


@pytest.mark.parametrize("applied", [100, -50, 200])
def test_h10_both_frozen_with_a_normal_current_is_a_cut(applied: int) -> None:
    bench = at_depth()
    half_ms = -(-65_000 // (abs(applied) * 10)) * 10
    driven(bench, applied, 0, 2 * half_ms - 10)
    assert bench.codes == ()
    driven(bench, applied, 0, 10)
    cause = bench.cause("H10")
    assert (cause.demand, cause.alarm, cause.unit, cause.where) == (Demand.CUT, Alarm.HIGH, "cdeg", "both")


@pytest.mark.parametrize(("current", "demand"), [(150, Demand.HOLD), (151, Demand.CUT), (-151, Demand.CUT)])
def test_h10_both_frozen_without_current_is_a_drive_fault_and_a_hold(current: int, demand: Demand) -> None:
    bench = at_depth()
    driven(bench, 100, 0, 1300, current_ma=current)
    assert bench.cause("H10").demand == demand


def test_h10_a_drive_that_dies_on_the_way_is_a_hold_too() -> None:
    bench = at_depth()
    driven(bench, 100, 100, 2000)
    driven(bench, 100, 0, 1950, current_ma=0)
    assert bench.cause("H10").demand == Demand.HOLD


@pytest.mark.parametrize(("current", "expected"), [(7199, True), (7200, False)])
def test_h10_a_high_current_is_a_block_and_no_frozen_sensor(current: int, expected: bool) -> None:
    bench = at_depth()
    driven(bench, 100, 0, 1300, current_ma=current)
    assert ("H10" in bench.codes) is expected


@pytest.mark.parametrize(
    ("travel_a", "travel_b", "frozen"), [(33, 33, NONE), (32, 33, A), (33, 32, B), (32, 32, BOTH), (-50, 33, A)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_h10_a_quarter_of_what_was_driven_is_enough(travel_a: int, travel_b: int, frozen: int, sign: int) -> None:
    # 131 are driven, a quarter is 32.75.
    before, half = Mark(0, 0, 65_500), Mark(0, 0, 65_500, 3000)
    angles = Angles(sign * travel_a, sign * travel_b, NONE, 0, False, 0, 0)
    found, cause = drive.frozen_sensors(before, half, 3000, sign, angles, LIMITS)
    if frozen == NONE:
        assert (found, cause) == (NONE, None)
    else:
        assert cause is not None
        assert found == (frozen if frozen != BOTH else NONE)
        assert cause.demand == (Demand.CUT if frozen == BOTH else Demand.RETURN)


@pytest.mark.parametrize("lost", [A, B])
def test_h10_the_last_believed_sensor_frozen_is_a_cut(lost: int) -> None:
    before, half = Mark(0, 0, 65_500), Mark(0, 0, 65_500, 3000)
    moving = Angles(130 if lost == A else 0, 130 if lost == B else 0, lost, 0, False, 0, 0)
    found, cause = drive.frozen_sensors(before, half, 3000, 1, moving, LIMITS)
    assert found == NONE
    assert cause is not None
    assert cause.demand == Demand.CUT


def test_h10_a_change_of_sign_begins_a_new_stretch() -> None:
    bench = at_depth()
    for _ in range(4):
        driven(bench, 100, 0, 1290)
        driven(bench, -100, 0, 1290)
    assert bench.codes == ()


def test_h10_a_set_point_that_is_unknown_for_a_moment_does_not_start_the_stretch_over() -> None:
    bench = at_depth()
    driven(bench, 100, 0, 1000)
    bench.run(10, applied_cdeg_s=None)
    driven(bench, 100, 0, 310)
    assert "H10" in bench.codes


# H10 before any travel: a return that is asked for and never starts.


def asked_in_vain(ms: int, **changes: object) -> Bench:
    """A patient who pressed the own button, a drive that does not start, and `ms` after the return's tone."""
    bench = tilted(obeys=False)
    bench.run(10, patient_button=True, **changes)
    while bench.velocity == 0:
        bench.tick()
    bench.run(ms)
    return bench


def test_h10_a_return_that_an_end_switch_keeps_from_starting_is_a_hold_that_calls_for_the_manual_one() -> None:
    bench = asked_in_vain(2000, end_up=True)
    assert (bench.codes, bench.demand) == (("H22",), Demand.RETURN)
    bench.tick()
    cause = bench.cause("H10")
    assert (cause.demand, cause.alarm, cause.value, cause.limit) == (Demand.HOLD, Alarm.HIGH, 2010, 2000)
    assert (bench.codes[0], bench.decision.alarm, bench.velocity) == ("H22", Alarm.HIGH, 0)
    # Mended, the held button brings it back.
    bench.obeys = True
    bench.run(1000, end_up=False)
    bench.hold("RETURN").run(1000)
    assert bench.velocity > 0
    bench.run(60_000)
    assert bench.decision.region == Region.LEVEL
    bench.let_go().run(1500, patient_button=False)
    bench.press("ACK", 2100)
    assert bench.codes == ()


def test_h10_a_held_button_that_moves_nothing_is_told_too() -> None:
    bench = tilted(obeys=False)
    bench.run(10, estop=Contacts.OPEN)
    bench.run(10, estop=Contacts.CLOSED)
    bench.press("ACK", 600)
    bench.run(1000)
    bench.hold("RETURN").run(2100)
    assert bench.codes == ("H20", "H10")


def test_h10_a_supply_that_comes_and_goes_and_never_lets_it_start_is_no_return() -> None:
    bench = asked_in_vain(0)
    for _ in range(6):
        bench.run(400, mains=False)
        bench.run(50, mains=True)
    assert (bench.cause("H10").demand, bench.demand) == (Demand.HOLD, Demand.HOLD)


def test_h10_the_plans_own_way_back_that_never_starts_is_one_as_well() -> None:
    bench = tilted(obeys=False)
    bench.run(3500, velocity_cdeg_s=200, plan_return=True)
    assert bench.codes == ("H10",)


def test_h10_a_return_that_starts_as_late_as_it_may_is_not_asked_for_in_vain() -> None:
    bench = asked_in_vain(1900)
    bench.glide(bench.angle_cdeg + 200, 50)
    bench.run(1900)
    assert bench.codes == ("H22",)
    bench.run(200)
    assert "H10" in bench.codes


def test_h10_neither_a_tone_nor_a_pause_is_a_start_in_vain() -> None:
    bench = asked_in_vain(1500)
    bench.press("STOP", 100)
    bench.run(9000)
    assert (bench.codes[0], bench.velocity) == ("H22", 0)
    assert "H10" not in bench.codes


def test_h10_at_level_and_above_nothing_is_asked_for_in_vain() -> None:
    bench = armed()
    bench.glide(1000)
    bench.run(1500)
    bench.hold("RAISE").run(4000, velocity_cdeg_s=150)
    assert (bench.velocity > 0, bench.codes) == (True, ())
    bench = tilted(-300, obeys=False)
    bench.press("RETURN")
    bench.run(1000)
    bench.glide(-100, 50)
    bench.run(4000)
    assert (bench.velocity > 0, bench.codes) == (True, ())


def test_h10_where_a_guard_drives_it_is_the_guards_to_find() -> None:
    bench = tilted(obeys=False)
    bench.put(guard=Guard(GuardState.ARMED, session_id=ARM.session_id))
    bench.run(6000, patient_button=True)
    assert bench.codes == ("H22",)


# H11: wrong direction.


@pytest.mark.parametrize("sign", [1, -1])
def test_h11_faster_than_half_a_degree_a_second_the_wrong_way_is_a_cut_from_500_ms(sign: int) -> None:
    bench = at_depth()
    driven(bench, sign * 100, -sign * 60, 500)
    assert bench.codes == ()
    driven(bench, sign * 100, -sign * 60, 100)
    cause = bench.cause("H11")
    assert (cause.demand, cause.alarm, cause.limit, cause.unit) == (Demand.CUT, Alarm.HIGH, 50, "cdeg/s")


@pytest.mark.parametrize(("held", "limit"), [(False, 130), (True, 80)])
@pytest.mark.parametrize("sign", [1, -1])
def test_h11_travel_the_wrong_way_is_allowed_up_to_its_limit(held: bool, limit: int, sign: int) -> None:
    for back, expected in ((limit, False), (limit + 1, True)):
        angles = Angles(-sign * back, -sign * back, NONE, 0, False, 0, 0)
        cause = drive.wrong_direction(0, 0, sign, angles, Track(), held, LIMITS)
        assert (cause is not None) is expected
        if cause is not None:
            assert (cause.value, cause.limit, cause.unit) == (limit + 1, limit, "cdeg")


@pytest.mark.parametrize(("lost", "expected"), [(NONE, False), (A, False), (B, True)])
def test_h11_needs_the_word_of_both_sensors_or_of_the_only_one_left(lost: int, expected: bool) -> None:
    angles = Angles(-200, 0, lost, 0, False, 0, 0)
    assert (drive.wrong_direction(0, 0, 1, angles, Track(), False, LIMITS) is not None) is expected


def test_h11_a_held_motion_proves_itself_in_half_a_degree() -> None:
    bench = tilted(obeys=False)
    bench.run(10, estop=Contacts.OPEN)
    bench.run(10, estop=Contacts.CLOSED)
    bench.press("ACK", 600)
    assert bench.demand == Demand.HOLD
    bench.hold("RETURN").run(100)
    assert bench.velocity == 50
    # Slower than 0.5°/s the wrong way, and before H10 has seen enough.
    bench.turn(-45, 2000, applied_cdeg_s=50, **RUNNING)
    assert bench.cause("H11").value == 81


def test_h11_after_a_reversal_the_table_may_coast_for_500_ms() -> None:
    bench = at_depth()
    driven(bench, 100, 100, 1000)
    driven(bench, -100, 100, 490)
    assert bench.codes == ()


def test_h11_is_left_to_the_service_tool() -> None:
    bench = armed()
    driven(bench, -100, 60, 700)
    assert "H11" in bench.codes
    driven(bench, 0, 0, 3000, current_ma=0)
    bench.hold("ACK").run(5000)
    assert "H11" in bench.codes
    assert bench.demand == Demand.CUT


# H14, H15: blocked.


@pytest.mark.parametrize(("current", "blocked"), [(11_399, False), (11_400, True), (-11_400, True)])
def test_h14_stall_current_for_150_ms(current: int, blocked: bool) -> None:
    bench = at_depth()
    driven(bench, -50, -50, 2000)
    driven(bench, -50, 0, 140, current_ma=current)
    assert bench.codes == ()
    driven(bench, -50, 0, 10, current_ma=current)
    assert (bench.codes == ("H14",)) is blocked
    if blocked:
        cause = bench.cause("H14")
        assert (cause.demand, cause.alarm, cause.value, cause.limit) == (Demand.STOP, Alarm.MEDIUM, 11_400, 12_000)


def test_h14_the_150_ms_are_of_one_piece() -> None:
    bench = at_depth()
    for _ in range(4):
        driven(bench, -50, -50, 140, current_ma=12_000)
        driven(bench, -50, -50, 10, current_ma=11_000)
    assert bench.codes == ()


@pytest.mark.parametrize(("current", "blocked"), [(7199, False), (7200, True)])
def test_h14_hardly_any_travel_within_a_second_at_much_current(current: int, blocked: bool) -> None:
    bench = at_depth()
    # 200 are driven in a second, a quarter is 50, and the backlash is 30 of it.
    driven(bench, -200, -18, 1000, current_ma=current)
    assert ("H14" in bench.codes) is blocked
    if blocked:
        assert bench.cause("H14").limit == 7200


@pytest.mark.parametrize(("travel", "expected"), [(19, True), (20, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_h14_a_quarter_less_the_backlash_is_enough_travel_by_either_sensor(
    travel: int, expected: bool, sign: int
) -> None:
    before, block = Mark(0, 0, 100_000), Mark(0, 0, 100_000)
    for a, b in ((travel, 0), (0, travel)):
        angles = Angles(sign * a, sign * b, NONE, 0, False, 0, 0)
        assert drive.held_back(before, block, 8000, sign, angles, LIMITS) is expected
    lost = Angles(sign * travel, sign * 500, B, 0, False, 0, 0)
    assert drive.held_back(before, block, 8000, sign, lost, LIMITS) is expected
    lost = Angles(sign * 500, sign * travel, A, 0, False, 0, 0)
    assert drive.held_back(before, block, 8000, sign, lost, LIMITS) is expected


def test_h14_slower_than_half_a_degree_a_second_only_the_stall_counts() -> None:
    limits = Limits(backlash_cdeg=0)
    slow, enough = Mark(0, 0, 24_999), Mark(0, 0, 25_000)
    assert not drive.held_back(slow, slow, 8000, 1, BELIEVED, limits)
    assert drive.held_back(enough, enough, 8000, 1, BELIEVED, limits)


@pytest.mark.parametrize(
    ("angle", "sign", "code"),
    [
        (-3000, -1, "H14"),
        (-3000, 1, "H15"),
        (-101, 1, "H15"),
        (-100, 1, "H14"),
        (2000, 1, "H14"),
        (2000, -1, "H14"),
    ],
)
def test_h14_and_h15_part_where_the_way_back_is_blocked(angle: int, sign: int, code: str) -> None:
    cause = drive.blocked(sign, 12_000, Angles(angle, angle, NONE, 0, False, angle, angle), LIMITS, True)
    assert cause.code == code
    assert cause.demand == (Demand.HOLD if code == "H15" else Demand.STOP)
    assert cause.alarm == (Alarm.HIGH if code == "H15" else Alarm.MEDIUM)


def stalled(angle_cdeg: int, applied: int) -> Bench:
    """Something is in the way: the current rises, then the table stands still."""
    bench = at_depth(angle_cdeg)
    driven(bench, applied, 0, 150, current_ma=12_000)
    bench.commands.clear()
    bench.run(20, applied_cdeg_s=0, current_ma=0, brake_set=True, drive_power=False)
    return bench


def test_h14_below_three_degrees_it_backs_off_two_degrees_from_rest_and_stands() -> None:
    bench = stalled(-3000, -50)
    bench.obeys = True
    bench.run(400)
    assert set(bench.commands) == {0}
    bench.run(7000)
    assert max(bench.commands) == 50
    assert min(bench.commands) == 0
    assert -2830 <= bench.angle_cdeg <= -2790
    assert (bench.demand, bench.velocity) == (Demand.STOP, 0)


@pytest.mark.parametrize(("applied", "code"), [(-50, "H14"), (50, "H15")])
def test_h14_a_block_that_is_seen_in_several_frames_is_one_block(applied: int, code: str) -> None:
    once, long = (tilted(-3000, obeys=False) for _ in range(2))
    for bench, ms in ((once, 150), (long, 400)):
        bench.run(20, angle_cdeg=-2990)
        driven(bench, applied, 0, ms, current_ma=12_000)
        bench.run(20, applied_cdeg_s=0, current_ma=0, brake_set=True, drive_power=False)
        assert bench.codes == (code,)
    assert once.judged.moving.excursion.to_cdeg == long.judged.moving.excursion.to_cdeg
    assert long.judged.moving.excursion.kind != 0


@pytest.mark.parametrize(("applied", "code"), [(-200, "H14"), (200, "H15")])
def test_h14_a_block_that_is_pressed_against_while_the_drive_stops_is_one_block(applied: int, code: str) -> None:
    bench = at_depth()
    bench.put(applied_cdeg_s=applied, **{**RUNNING, "current_ma": 8000})
    for _ in range(8):
        bench.tick(125)
    assert code in bench.codes
    excursion = bench.judged.moving.excursion
    for _ in range(10):
        bench.tick(125)
        assert not bench.judged.moving.blocked
        assert bench.judged.moving.excursion.to_cdeg == excursion.to_cdeg


@pytest.mark.parametrize(("angle", "backs_off"), [(-300, False), (-310, True)])
def test_h14_backs_off_only_deeper_than_three_degrees(angle: int, backs_off: bool) -> None:
    bench = at_depth(angle)
    bench.put(angle_cdeg=angle)
    driven(bench, -50, 0, 150, current_ma=12_000)
    bench.commands.clear()
    bench.run(20, applied_cdeg_s=0, current_ma=0, brake_set=True, drive_power=False)
    bench.obeys = True
    bench.run(7000)
    assert (max(bench.commands) > 0) is backs_off


def test_h14_offers_return_and_return_ends_the_back_off() -> None:
    bench = stalled(-3000, -50)
    bench.obeys = True
    bench.run(2000)
    bench.press("RETURN")
    assert bench.demand == Demand.RETURN
    bench.wait(25)
    assert bench.decision.region == Region.LEVEL


def test_h14_on_a_doubtful_angle_nothing_backs_off() -> None:
    bench = stalled(-3000, -50)
    bench.run(10, angle_a_cdeg=None)
    assert bench.judged.moving.excursion.kind == 0


def test_h15_relieves_one_degree_outward_from_rest_and_only_once() -> None:
    bench = tilted(-3200)
    bench.press("RETURN")
    bench.run(3500)
    bench.obeys = False
    stood = bench.angle_cdeg
    assert stood > -3000
    driven(bench, 100, 0, 150, current_ma=12_000)
    assert (bench.cause("H15").demand, bench.demand) == (Demand.HOLD, Demand.HOLD)
    bench.commands.clear()
    bench.run(20, applied_cdeg_s=0, current_ma=0, brake_set=True, drive_power=False)
    bench.obeys = True
    bench.run(400)
    assert set(bench.commands) == {0}
    bench.run(8000)
    assert min(bench.commands) == -50
    assert max(bench.commands) == 0
    assert stood - 110 <= bench.angle_cdeg <= stood - 80
    # No retry: a second block is held, and nothing moves by itself.
    bench.obeys = False
    driven(bench, 50, 0, 150, current_ma=12_000)
    bench.commands.clear()
    bench.run(20, applied_cdeg_s=0, current_ma=0, brake_set=True, drive_power=False)
    bench.obeys = True
    bench.run(8000)
    assert set(bench.commands) == {0}


def test_h15_never_relieves_below_the_deepest_of_the_set() -> None:
    bench = stalled(-3000, 50)
    deepest = bench.judged.timing.deepest_cdeg
    bench.obeys = True
    bench.run(8000)
    assert bench.angle_cdeg >= deepest


@pytest.mark.parametrize("trouble", [{"strap_left": Contacts.OPEN}, {"angle_a_cdeg": None}])
def test_h15_relieves_only_with_straps_closed_and_both_angles_healthy(trouble: dict[str, object]) -> None:
    bench = tilted(-3200)
    bench.press("RETURN")
    bench.run(3500)
    bench.obeys = False
    driven(bench, 100, 0, 150, current_ma=12_000)
    bench.commands.clear()
    bench.run(8000, applied_cdeg_s=0, current_ma=0, brake_set=True, drive_power=False, **trouble)
    assert min(bench.commands) == 0


def test_h15_a_held_return_needs_a_fresh_press_after_the_block() -> None:
    bench = at_depth()
    bench.hold("RETURN").run(1500)
    driven(bench, 100, 0, 150, current_ma=12_000)
    bench.commands.clear()
    bench.run(3000, applied_cdeg_s=0, current_ma=0, brake_set=True, drive_power=False)
    assert max(bench.commands) == 0
    bench.let_go().run(6000)
    bench.hold("RETURN").run(200)
    assert bench.velocity == 50


# H16: heat.


def test_h16_the_budget_up_to_the_reserve_is_there_to_be_used() -> None:
    limit = LIMITS.thermal_budget_ma2_s * 6 // 10
    for heat, expected in ((limit, False), (limit + 1, True)):
        now: list[Cause] = []
        supply.hot(Supply(heat=heat), at_depth().readings, LIMITS, now)
        assert bool(now) is expected
    assert (now[0].demand, now[0].alarm, now[0].value, now[0].limit) == (Demand.RETURN, Alarm.MEDIUM, 60, 60)


@pytest.mark.parametrize(("extra", "demand"), [(0, Demand.ALLOW), (1, Demand.RETURN)])
def test_h16_a_hot_drive_brings_the_patient_back_on_its_reserve(extra: int, demand: Demand) -> None:
    bench = tilted()
    cooled = LIMITS.thermal_leak_ma2 // 100
    heat = LIMITS.thermal_budget_ma2_s * 6 // 10 + extra + cooled
    bench.judged = msgspec.structs.replace(bench.judged, supply=Supply(heat=heat), calm=None)
    bench.run(10)
    assert bench.demand == demand


@pytest.mark.parametrize("fault", [True, None])
def test_h16_the_drive_may_say_so_itself_and_a_silent_line_says_so_too(fault: bool | None) -> None:
    bench = tilted()
    bench.run(10, drive_fault=fault)
    assert (bench.cause("H16").demand, bench.demand) == (Demand.RETURN, Demand.RETURN)


def test_h16_holding_current_heats_and_rest_cools_and_both_ends_saturate() -> None:
    limits = Limits(thermal_leak_ma2=1_000_000, thermal_budget_ma2_s=10_000_000)
    readings = at_depth().put(current_ma=2000).readings
    hot = supply.follow(Supply(), readings, 1000, limits)
    assert hot.heat == 3_000_000
    for _ in range(10):
        hot = supply.follow(hot, readings, 1000, limits)
    assert hot.heat == 10_000_000
    cool = at_depth().put(current_ma=0).readings
    assert supply.follow(hot, cool, 1000, limits).heat == 9_000_000
    assert supply.follow(hot, cool, 60_000, limits).heat == 0


def test_h16_an_unknown_current_counts_as_the_limit() -> None:
    unknown = supply.follow(Supply(), at_depth().put(current_ma=None).readings, 1000, LIMITS)
    assert unknown.heat == LIMITS.stall_ma**2 - LIMITS.thermal_leak_ma2


def test_h16_current_that_the_drive_bears_for_ever_heats_nothing() -> None:
    assert supply.follow(Supply(), at_depth().put(current_ma=5000).readings, 1000, LIMITS).heat == 0
    assert supply.follow(Supply(), at_depth().put(current_ma=5001).readings, 1000, LIMITS).heat == 10_001


# H21: mains.


@pytest.mark.parametrize("mains", [False, None])
def test_h21_half_a_second_without_mains_is_borne_and_more_is_a_slow_return_on_battery(mains: bool | None) -> None:
    bench = tilted()
    bench.run(500, mains=mains)
    assert bench.codes == ()
    bench.run(10)
    cause = bench.cause("H21")
    assert (cause.demand, cause.alarm, cause.value, cause.slow) == (Demand.RETURN, Alarm.MEDIUM, 510, True)


@pytest.mark.parametrize("trouble", ["no battery in the table", "the battery's check failed", "nothing known of it"])
def test_h21_without_a_battery_it_is_a_hold(trouble: str) -> None:
    battery = {"the battery's check failed": False, "nothing known of it": None}.get(trouble, True)
    bench = tilted(limits=Limits(has_battery=trouble != "no battery in the table"))
    bench.run(510, mains=False, battery=battery)
    assert (bench.cause("H21").demand, bench.decision.alarm) == (Demand.HOLD, Alarm.HIGH)
    # Mains back: the held button.
    bench.run(1000, mains=True)
    assert bench.velocity == 0
    bench.hold("RETURN").run(100)
    assert bench.velocity == 50


@pytest.mark.parametrize("battery", [False, None])
def test_h21_a_battery_check_that_fails_in_mid_return_stops_nothing(battery: bool | None) -> None:
    bench = tilted()
    bench.run(6000, mains=False)
    assert bench.velocity == 90
    bench.run(500, battery=battery)
    # The mains come and go: what carries this return still does.
    bench.run(1000, mains=True)
    bench.run(3000, mains=False)
    assert (bench.cause("H21").demand, bench.velocity) == (Demand.RETURN, 90)
    bench.run(40_000)
    assert abs(bench.angle_cdeg) < 100


def test_h21_a_check_that_fails_before_the_half_second_is_over_is_no_missing_battery() -> None:
    bench = tilted()
    bench.run(10, mains=False)
    bench.run(600, battery=False)
    assert bench.cause("H21").demand == Demand.RETURN


def test_h21_what_carried_one_return_is_checked_anew_before_the_next() -> None:
    bench = tilted()
    bench.run(60_000, mains=False)
    assert abs(bench.angle_cdeg) < 100
    bench.run(100, mains=True)
    bench.run(600, mains=False, battery=False)
    assert bench.cause("H21").demand == Demand.HOLD


def dying(bench: Bench) -> Bench:
    """Nothing carries the drive any more: its set-point is zero, whatever is commanded."""
    bench.obeys = False
    return bench.put(applied_cdeg_s=0, brake_set=True, drive_power=False, current_ma=0)


def test_h21_a_return_that_nothing_carries_is_a_hold_that_names_itself() -> None:
    bench = tilted()
    bench.run(6000, mains=False)
    dying(bench).run(1500, battery=False)
    assert bench.cause("H21").demand == Demand.RETURN
    bench.run(20)
    assert (bench.cause("H21").demand, bench.decision.alarm) == (Demand.HOLD, Alarm.HIGH)


def test_h21_a_return_that_starts_slowly_is_not_a_dead_one() -> None:
    bench = dying(tilted())
    bench.put(mains=False)
    while bench.velocity == 0:
        bench.tick()
    for _ in range(2):
        bench.run(1400, battery=False)
        assert bench.cause("H21").demand == Demand.RETURN
        bench.glide(bench.angle_cdeg + 200, 50)


def test_h21_where_a_guard_sees_the_drives_rail_the_host_does_not_guess() -> None:
    bench = tilted()
    bench.put(guard=Guard(GuardState.ARMED, session_id=ARM.session_id))
    bench.run(6000, mains=False)
    dying(bench).run(5000, battery=False)
    assert bench.cause("H21").demand == Demand.RETURN


def test_h21_the_return_goes_on_when_mains_is_back() -> None:
    bench = tilted()
    bench.run(2000, mains=False)
    bench.run(3000, mains=True)
    assert bench.decision.returning
    assert bench.velocity == 90


def test_without_mains_nothing_deepens() -> None:
    bench = armed()
    bench.put(mains=False)
    bench.hold("TILT").run(300, velocity_cdeg_s=-200)
    assert set(bench.commands[-30:]) == {0}


# What is not known is not judged, and not forgotten.


def test_without_a_set_point_the_drive_is_not_judged_and_nothing_deepens() -> None:
    bench = at_depth()
    bench.turn(-100, 300, applied_cdeg_s=None)
    assert bench.codes == ("H18",)
    assert bench.demand == Demand.NO_DEEPENING


def test_with_both_sensors_lost_the_drive_keeps_only_whether_it_was_caught() -> None:
    was = Drive(sign=1, since_ms=900, zero_ms=5, caught=standing.CAUGHT)
    lost = Angles(None, None, BOTH, 0, False, None, None)
    now, found, frozen, clean = drive.follow(was, at_depth().readings, 10, lost, Track(), True, False, False, LIMITS)
    assert (now, found, frozen, clean) == (Drive(caught=standing.CAUGHT), (), NONE, True)
