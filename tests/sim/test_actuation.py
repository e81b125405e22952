"""How a command becomes motion: torque before the brake opens, the ramp, the hold, the brake, the cut, the lease."""

import math
from itertools import pairwise

import pytest

from safety.signals import Demand
from sim.actuation import Phase
from sim.body import PlantConstants
from sim.hooks import Obstacle
from tests.sim.driving import Drive, Row, table_for

TABLE_SIDE = PlantConstants(brake_on_motor_side=False)
WORM = PlantConstants(gear_friction=1.0, torque_nm_a=80.0)
EVERYBODY = [(40.0, -15.0), (40.0, 15.0), (75.0, 3.0), (135.0, -15.0), (135.0, 15.0)]


def phases(rows: list[Row]) -> list[Phase]:
    """The phases that were passed through, each once."""
    return [row.phase for before, row in pairwise([rows[0], *rows]) if row is rows[0] or before.phase is not row.phase]


def lasted_ms(rows: list[Row], phase: Phase) -> int:
    return 10 * sum(row.phase is phase for row in rows)


@pytest.fixture
def drive() -> Drive:
    drive = table_for()
    drive.rest(0.1)
    return drive


def test_a_motion_passes_through_every_phase_in_order(drive: Drive) -> None:
    rows = drive.go(-200, 2.0) + drive.rest()
    wanted = [Phase.TAKING_UP, Phase.OPENING, Phase.RUNNING, Phase.STILLING, Phase.SETTING, Phase.RESTING]
    assert phases(rows) == wanted


def test_power_comes_before_the_brake_opens_and_goes_after_it_has_set(drive: Drive) -> None:
    rows = drive.go(-200, 1.0) + drive.rest()
    powered = [row.readings.drive_power for row in rows]
    braked = [row.readings.brake_set for row in rows]
    assert not any(not power and not brake for power, brake in zip(powered, braked, strict=True))
    opened = braked.index(False)
    assert all(powered[opened - 5 : opened])
    set_again = len(braked) - 1 - braked[::-1].index(False) + 1
    assert all(powered[set_again : set_again + 5])
    assert not powered[-1]
    assert braked[-1]


def test_nothing_is_applied_until_the_brake_is_open(drive: Drive) -> None:
    for row in drive.go(-200, 1.0):
        if row.readings.brake_set:
            assert row.readings.applied_cdeg_s == 0


@pytest.mark.parametrize(("constants", "longest_ms"), [(PlantConstants(), 60), (TABLE_SIDE, 710), (WORM, 60)])
@pytest.mark.parametrize(("mass_kg", "offset_cm"), EVERYBODY)
@pytest.mark.parametrize("cdeg_s", [-50, 50])
def test_the_table_sags_no_more_than_its_backlash_when_the_brake_opens(
    constants: PlantConstants, longest_ms: int, mass_kg: float, offset_cm: float, cdeg_s: int
) -> None:
    drive = table_for(mass_kg, offset_cm, constants=constants)
    for turn in range(2):
        drive.rest()
        before = drive.angle_deg
        # A command just long enough to open the brake, then nothing: what moves is sag.
        rows = drive.go(cdeg_s, 0.01)
        while rows[-1].phase is not Phase.RUNNING:
            rows += drive.go(cdeg_s, 0.01)
        rows += drive.rest()
        assert lasted_ms(rows, Phase.TAKING_UP) <= longest_ms
        sagged = max(abs(row.angle_deg - before) for row in rows)
        # From the second start on the drive knows the load, and holds it from the first moment.
        assert sagged <= (constants.backlash_deg + 0.2 if turn == 0 else 0.1)


@pytest.mark.parametrize(("backlash_deg", "shortest_ms", "longest_ms"), [(0.3, 400, 600), (2.0, 700, 710)])
def test_with_the_brake_at_the_table_the_drive_turns_through_the_gap_until_the_current_shows_contact(
    backlash_deg: float, shortest_ms: int, longest_ms: int
) -> None:
    # The load lies on the flank that a head-down motion has to leave first.
    drive = table_for(75.0, 3.0, constants=PlantConstants(brake_on_motor_side=False, backlash_deg=backlash_deg))
    rows = drive.go(-50, 1.0)
    assert shortest_ms <= lasted_ms(rows, Phase.TAKING_UP) <= longest_ms
    taking_up = [row for row in rows if row.phase is Phase.TAKING_UP]
    assert all(row.angle_deg == 0.0 for row in taking_up)
    # Never harder than a fifth of what the brake holds.
    assert max(row.readings.current_ma or 0 for row in taking_up) <= 300 + 2000 + 100


@pytest.mark.parametrize(
    ("constants", "breakaway_deg_s2", "flows_above_deg_s"), [(PlantConstants(), 8.0, 0.2), (WORM, 20.0, 0.6)]
)
@pytest.mark.parametrize(("mass_kg", "offset_cm"), EVERYBODY)
def test_ordinary_motion_is_bounded_in_speed_acceleration_and_jerk(
    constants: PlantConstants, breakaway_deg_s2: float, flows_above_deg_s: float, mass_kg: float, offset_cm: float
) -> None:
    drive = table_for(mass_kg, offset_cm, constants=constants)
    drive.rest(0.1)
    drive.go(200, 1.0)
    drive.rest()
    rows = drive.go(-200, 4.0) + drive.rest() + drive.go(150, 4.0) + drive.rest()
    applied = [row.readings.applied_cdeg_s or 0 for row in rows]
    # Rounded to whole centidegrees a second, a tick's step may be off by one.
    assert max(abs(b - a) for a, b in pairwise(applied)) <= 400 * 0.01 + 1
    speeds = [row.speed_deg_s for row in rows]
    assert max(map(abs, speeds)) <= 2.0 * 1.05
    running = [(a, b) for a, b in pairwise(rows) if a.phase is b.phase is Phase.RUNNING]
    rates = [(b.t_ms, a.speed_deg_s, (b.speed_deg_s - a.speed_deg_s) / 0.01) for a, b in running]
    # Dry friction breaks once in each start: there the table's own acceleration is a little more than the ramp's.
    assert max(abs(rate) for _, _, rate in rates) <= breakaway_deg_s2
    flowing = [row for row in rates if abs(row[1]) > flows_above_deg_s]
    assert max(abs(rate) for _, _, rate in flowing) <= 4.5
    jerks = [(b - a) / 0.01 for (at, _, a), (then, _, b) in pairwise(flowing) if then == at + 10]
    assert max(map(abs, jerks)) <= 50.0


@pytest.mark.parametrize(("mass_kg", "offset_cm"), EVERYBODY)
@pytest.mark.parametrize("cdeg_s", [-200, 200])
def test_stopping_takes_at_most_a_degree(mass_kg: float, offset_cm: float, cdeg_s: int) -> None:
    drive = table_for(mass_kg, offset_cm)
    drive.go(cdeg_s, 3.0)
    before = drive.angle_deg
    drive.rest()
    assert abs(drive.angle_deg - before) <= 1.0
    assert drive.speed_deg_s == 0.0
    assert drive.readings.brake_set
    assert not drive.readings.drive_power


def test_a_new_velocity_during_a_stop_takes_over_without_the_brake(drive: Drive) -> None:
    drive.go(-200, 2.0)
    drive.rest(0.75)
    rows = drive.go(100, 2.0)
    assert Phase.TAKING_UP not in phases(rows)
    assert drive.speed_deg_s == pytest.approx(1.0, rel=0.05)


def test_a_new_velocity_while_the_brake_sets_begins_a_whole_start(drive: Drive) -> None:
    drive.go(-200, 2.0)
    while drive.rest(0.01)[-1].phase is not Phase.SETTING:
        pass
    rows = drive.go(-100, 2.0)
    assert phases(rows)[:3] == [Phase.TAKING_UP, Phase.OPENING, Phase.RUNNING]


def test_a_start_that_is_called_off_before_the_brake_opens_moves_nothing(drive: Drive) -> None:
    drive.go(-200, 0.03)
    rows = drive.rest(1.0)
    assert drive.angle_deg == 0.0
    assert phases(rows) == [Phase.RESTING]


def test_under_hold_the_drive_stays_powered_beside_the_brake(drive: Drive) -> None:
    drive.go(-200, 2.0)
    drive.demand(Demand.HOLD, 3.0)
    assert drive.readings.brake_set
    assert drive.readings.drive_power
    assert drive.readings.applied_cdeg_s == 0
    held_at = drive.angle_deg
    drive.table.plant.hooks.brake_grip = 0.0
    drive.demand(Demand.HOLD, 3.0)
    assert drive.angle_deg == pytest.approx(held_at, abs=0.2)


def test_hold_powers_a_resting_drive_at_once(drive: Drive) -> None:
    drive.demand(Demand.HOLD, 0.02)
    assert drive.readings.drive_power
    assert drive.readings.brake_set
    drive.rest(0.02)
    assert not drive.readings.drive_power


def test_held_motion_under_hold_is_ordinary_motion(drive: Drive) -> None:
    drive.go(-200, 3.0)
    drive.demand(Demand.HOLD, 2.0)
    drive.go(90, 2.0, Demand.HOLD)
    assert drive.speed_deg_s == pytest.approx(0.9, rel=0.05)


def test_a_cut_brakes_and_shorts_in_one_step_and_drops_the_power_when_the_brake_has_set() -> None:
    drive = table_for(135.0, 15.0)
    drive.go(-200, 2.0)
    before = drive.angle_deg
    first, *rest = drive.demand(Demand.CUT, 1.0)
    assert first.readings.brake_set
    assert first.readings.applied_cdeg_s == 0
    assert first.readings.drive_power
    dropped_ms = 10 * [row.readings.drive_power for row in rest].index(False)
    assert drive.table.plant.constants.brake_setting_ms <= dropped_ms <= 80
    assert drive.angle_deg == pytest.approx(before, abs=0.5)
    assert drive.speed_deg_s == 0.0


def test_a_cut_lasts_as_long_as_it_is_demanded_whatever_velocity_comes_with_it(drive: Drive) -> None:
    drive.go(-200, 1.0)
    drive.go(200, 2.0, Demand.CUT)
    at = drive.angle_deg
    drive.go(200, 2.0, Demand.CUT)
    assert drive.angle_deg == at
    drive.go(200, 2.0, Demand.HOLD)
    assert drive.angle_deg > at + 1.0


def test_the_emergency_stop_stops_by_wire_and_a_release_alone_starts_nothing() -> None:
    drive = table_for(135.0, 15.0)
    drive.go(-200, 3.0)
    before = drive.angle_deg
    drive.table.hands.estop(True)
    drive.go(-200, 1.0)
    assert drive.angle_deg == pytest.approx(before, abs=0.5)
    assert not drive.readings.drive_power
    assert drive.readings.brake_set
    assert drive.readings.applied_cdeg_s == 0
    drive.table.hands.estop(False)
    drive.rest(1.0)
    assert drive.readings.brake_set
    assert drive.speed_deg_s == 0.0


@pytest.mark.parametrize(("start_deg", "outward"), [(-62.0, -200), (86.0, 150)])
def test_at_an_end_switch_only_the_way_back_is_driven(start_deg: float, outward: int) -> None:
    drive = table_for(start_deg=start_deg)
    rows = drive.go(outward, 8.0)
    # The frame that first tells of the switch still has the set-point of the time before it.
    reached = [row.readings.applied_cdeg_s for row in rows if row.readings.end_down or row.readings.end_up]
    assert set(reached[1:]) == {0}
    end_deg = -65.0 if outward < 0 else 88.0
    assert abs(drive.angle_deg - end_deg) < 0.3
    assert drive.readings.applied_cdeg_s == 0
    assert drive.readings.brake_set
    assert rows[-1].phase is Phase.RESTING
    drive.go(-outward, 3.0)
    assert abs(drive.angle_deg) < abs(end_deg) - 1.0


def test_without_a_renewed_command_the_table_comes_to_rest_within_the_lease_and_a_stop() -> None:
    drive = table_for()
    drive.go(-200, 3.0)
    before = drive.angle_deg
    rows = drive.silence(3.0)
    begins_ms = 10 * next(i for i, row in enumerate(rows) if (row.readings.applied_cdeg_s or 0) > -200)
    assert 150 <= begins_ms <= 180
    assert drive.speed_deg_s == 0.0
    assert drive.readings.brake_set
    assert abs(drive.angle_deg - before) < 2.0 * 0.18 + 1.0


def test_after_a_lapse_the_same_velocity_starts_anew_when_it_is_commanded_again() -> None:
    drive = table_for()
    drive.go(-100, 2.0)
    drive.silence(3.0)
    rows = drive.go(-100, 2.0)
    assert phases(rows) == [Phase.TAKING_UP, Phase.OPENING, Phase.RUNNING]


def test_without_supply_it_stops_and_when_the_supply_is_back_a_new_start_is_whole() -> None:
    drive = table_for(135.0, 15.0)
    drive.go(-100, 2.0)
    hooks = drive.table.plant.hooks
    hooks.battery_absent = True
    hooks.mains_off = True
    drive.go(-100, 1.0)
    assert drive.readings.applied_cdeg_s == 0
    assert not drive.readings.drive_power
    stopped_at = drive.angle_deg
    drive.go(-100, 1.0)
    assert drive.angle_deg == stopped_at
    hooks.clear()
    rows = drive.go(100, 2.0)
    assert phases(rows)[-3:] == [Phase.TAKING_UP, Phase.OPENING, Phase.RUNNING]


@pytest.mark.parametrize("cdeg_s", [-1000, 1000])
def test_a_command_faster_than_the_drive_can_be_is_followed_as_fast_as_it_can(cdeg_s: int) -> None:
    drive = table_for()
    drive.go(cdeg_s, 4.0)
    assert drive.speed_deg_s == pytest.approx(math.copysign(3.0, cdeg_s), rel=0.05)


def test_an_obstacle_stalls_the_drive_and_the_table_stands() -> None:
    drive = table_for()
    drive.table.plant.hooks.obstacle = Obstacle(angle_deg=-3.0, blocks=-1)
    drive.go(-100, 8.0)
    assert drive.readings.current_ma is not None
    assert drive.readings.current_ma > 11_900
    assert -5.0 < drive.angle_deg < -3.0
