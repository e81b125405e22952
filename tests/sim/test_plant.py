"""What acts on the table: drive, brake and wired chain, and everything that can be broken about them."""

import math

import pytest

from config.errors import UsageError
from sim.body import Person, PlantConstants
from sim.hooks import Obstacle
from sim.plant import Plant
from tests.sim.plants import angle_deg, moving, plant_with, powered, run, speed_deg_s

TABLE_SIDE = PlantConstants(brake_on_motor_side=False)


@pytest.mark.parametrize("offset_cm", [-15.0, 15.0])
@pytest.mark.parametrize("mass_kg", [40.0, 75.0, 135.0])
@pytest.mark.parametrize("deg_s", [-2.0, 2.0])
def test_the_drive_holds_its_speed_within_five_percent(mass_kg: float, offset_cm: float, deg_s: float) -> None:
    plant = moving(plant_with(mass_kg, offset_cm), deg_s)
    for _ in range(500):
        plant.advance(10)
        assert speed_deg_s(plant) == pytest.approx(deg_s, rel=0.05)


@pytest.mark.parametrize("offset_cm", [-15.0, 15.0])
@pytest.mark.parametrize("constants", [PlantConstants(), TABLE_SIDE])
def test_the_brake_alone_holds_the_rated_load(constants: PlantConstants, offset_cm: float) -> None:
    plant = Plant(constants, Person(mass_kg=135.0, offset_cm=offset_cm), -20.0)
    run(plant, 10.0)
    assert angle_deg(plant) == pytest.approx(-20.0, abs=1e-9)
    assert plant.resting


def test_the_current_follows_the_load() -> None:
    light, heavy = moving(plant_with(40.0, 15.0), 1.0), moving(plant_with(135.0, 15.0), 1.0)
    assert light.current_ma < 2500.0 < 5000.0 < heavy.current_ma < 7000.0
    down = moving(plant_with(135.0, 15.0), -1.0)
    assert down.current_ma < heavy.current_ma


def test_power_off_without_a_brake_lets_the_table_fall_and_a_set_brake_ends_it() -> None:
    plant = moving(plant_with(135.0, 15.0), -1.0)
    plant.power_off()
    run(plant, 0.1)
    assert speed_deg_s(plant) < -10.0
    plant.brake(True)
    run(plant, 0.5)
    assert speed_deg_s(plant) == 0.0


def test_a_tenth_of_a_second_undetected_and_the_brake_cost_at_most_eight_degrees_at_the_rated_load() -> None:
    plant = moving(plant_with(135.0, 15.0), -0.5)
    before = angle_deg(plant)
    plant.power_off()
    run(plant, 0.1)
    plant.brake(True)
    run(plant, 1.0)
    fallen = before - angle_deg(plant)
    assert 3.0 < fallen <= 8.0
    assert plant.resting


def test_a_cut_with_the_motor_shorted_costs_less_than_half_a_degree() -> None:
    plant = moving(plant_with(135.0, 15.0), -2.0)
    before = angle_deg(plant)
    plant.short()
    plant.brake(True)
    run(plant, 1.0)
    assert before - angle_deg(plant) < 0.5
    assert speed_deg_s(plant) == 0.0


def test_a_shorted_motor_drags_but_does_not_hold() -> None:
    plant = moving(plant_with(135.0, 15.0), -2.0)
    plant.short()
    run(plant, 1.0)
    assert -10.0 < speed_deg_s(plant) < -2.0


def test_the_brake_grips_within_its_setting_time_and_not_before_its_dead_time() -> None:
    constants = PlantConstants()
    plant = moving(plant_with(135.0, 15.0), -2.0)
    plant.power_off()
    plant.brake(True)
    plant.advance(constants.brake_dead_ms)
    falling = speed_deg_s(plant)
    assert falling < -2.0
    plant.advance(constants.brake_setting_ms - constants.brake_dead_ms)
    gripped = speed_deg_s(plant)
    plant.advance(20)
    assert speed_deg_s(plant) > gripped


def test_the_brakes_torque_grows_evenly_until_it_has_set() -> None:
    constants = PlantConstants()
    plant = moving(plant_with(135.0, 15.0), -0.5)
    plant.power_off()
    plant.brake(True)
    speeds = []
    for _ in range(constants.brake_setting_ms):
        plant.advance(1)
        speeds.append(speed_deg_s(plant))
    # The load is half of what the brake holds, friction helps: it stops gaining speed just before half of the way.
    growing_ms = constants.brake_setting_ms - constants.brake_dead_ms
    turned_ms = speeds.index(min(speeds)) - constants.brake_dead_ms
    assert 0.35 * growing_ms <= turned_ms <= 0.5 * growing_ms


def test_a_brake_lets_go_evenly_within_its_release_time() -> None:
    constants = PlantConstants()
    plant = plant_with(135.0, 15.0)
    plant.advance(10)
    plant.brake(False)
    slipped_ms = 0
    while speed_deg_s(plant) == 0.0:
        plant.advance(1)
        slipped_ms += 1
    assert 0.5 * constants.brake_release_ms <= slipped_ms <= 0.65 * constants.brake_release_ms


def test_the_loop_begins_without_a_memory_each_time_it_is_switched_on() -> None:
    plant = moving(plant_with(135.0, 15.0), 1.0)
    plant.brake(True)
    run(plant, 0.1)
    assert plant.motion.integral_nm > 100.0
    plant.power_off()
    plant.drive(0.0)
    assert plant.motion.integral_nm == 0.0


def test_the_wired_chain_brakes_and_shorts_whatever_is_commanded() -> None:
    plant = moving(plant_with(135.0, 15.0), -2.0)
    before = angle_deg(plant)
    plant.wire(estop_open=True, end_down=False, end_up=False)
    plant.drive(math.radians(-2.0))
    run(plant, 0.5)
    assert speed_deg_s(plant) == 0.0
    assert before - angle_deg(plant) < 0.5
    assert plant.brake_commanded
    assert not powered(plant)


@pytest.mark.parametrize(("deg_s", "down", "up"), [(-2.0, True, False), (2.0, False, True)])
def test_an_end_switch_blocks_outward_motion_by_wire_and_no_other(deg_s: float, down: bool, up: bool) -> None:
    plant = moving(plant_with(), deg_s)
    plant.wire(estop_open=False, end_down=down, end_up=up)
    run(plant, 0.3)
    assert speed_deg_s(plant) == pytest.approx(0.0, abs=0.05)
    plant.drive(math.radians(-deg_s))
    run(plant, 0.5)
    assert speed_deg_s(plant) == pytest.approx(-deg_s, rel=0.05)


def test_even_a_runaway_drive_does_not_pass_the_wired_end_switch() -> None:
    plant = moving(plant_with(), -2.0)
    plant.hooks.drive_runaway_deg_s = -8.0
    run(plant, 1.0)
    assert speed_deg_s(plant) == pytest.approx(-8.0, rel=0.05)
    plant.wire(estop_open=False, end_down=True, end_up=False)
    run(plant, 0.5)
    assert speed_deg_s(plant) == pytest.approx(0.0, abs=0.05)


def test_a_dead_drive_draws_nothing_and_lets_the_load_go() -> None:
    plant = moving(plant_with(135.0, 15.0), 2.0)
    plant.hooks.drive_dead = True
    run(plant, 0.3)
    assert plant.current_ma == 0.0
    assert speed_deg_s(plant) < -10.0


@pytest.mark.parametrize(("gain", "deg_s"), [(1.6, -3.2), (0.5, -1.0)])
def test_a_gain_error_changes_the_speed_and_not_the_current(gain: float, deg_s: float) -> None:
    plant = moving(plant_with(), -2.0)
    plant.hooks.drive_gain = gain
    run(plant, 1.0)
    assert speed_deg_s(plant) == pytest.approx(deg_s, rel=0.05)
    assert plant.current_ma > plant.constants.powered_ma


def test_a_reversed_drive_goes_the_other_way() -> None:
    plant = moving(plant_with(), -2.0)
    plant.hooks.drive_reversed = True
    run(plant, 0.5)
    assert speed_deg_s(plant) == pytest.approx(2.0, rel=0.05)


def test_a_slipping_brake_with_the_drive_off_lets_even_the_default_person_fall() -> None:
    plant = plant_with()
    run(plant, 1.0)
    plant.hooks.brake_grip = 0.0
    run(plant, 2.0)
    assert angle_deg(plant) < -5.0


def test_a_half_worn_brake_still_holds_the_rated_load() -> None:
    plant = plant_with(135.0, 15.0)
    plant.hooks.brake_grip = 0.5
    run(plant, 2.0)
    assert angle_deg(plant) == pytest.approx(0.0, abs=0.05)


def test_a_drive_at_zero_speed_holds_beside_a_brake_that_slips() -> None:
    plant = plant_with(135.0, 15.0)
    plant.drive(0.0)
    run(plant, 0.2)
    plant.hooks.brake_grip = 0.0
    run(plant, 3.0)
    assert angle_deg(plant) == pytest.approx(0.0, abs=0.2)


def test_a_brake_that_never_sets_leaves_a_cut_to_the_drag_of_the_motor() -> None:
    plant = moving(plant_with(135.0, 15.0), -2.0)
    plant.hooks.brake_never_sets = True
    plant.short()
    plant.brake(True)
    run(plant, 1.0)
    assert speed_deg_s(plant) < -2.0


def test_a_brake_that_never_releases_stalls_the_drive() -> None:
    plant = plant_with()
    plant.hooks.brake_never_releases = True
    moving(plant, 2.0)
    assert plant.current_ma > 0.9 * plant.constants.stall_ma


def test_an_obstacle_drives_the_current_to_its_limit() -> None:
    plant = moving(plant_with(), -1.0, 0.0)
    plant.hooks.obstacle = Obstacle(angle_deg=-5.0, blocks=-1)
    run(plant, 10.0)
    assert -8.0 < angle_deg(plant) < -5.0
    assert plant.current_ma == pytest.approx(plant.constants.stall_ma + plant.constants.powered_ma, rel=0.01)


def test_an_obstacle_in_one_direction_leaves_the_other_free() -> None:
    plant = moving(plant_with(), 2.0, 0.0)
    plant.hooks.obstacle = Obstacle(angle_deg=-1.0, blocks=-1)
    run(plant, 2.0)
    assert speed_deg_s(plant) == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize("start_deg", [-70.1, 90.1, math.nan])
def test_a_table_cannot_stand_beyond_its_hard_stops(start_deg: float) -> None:
    with pytest.raises(UsageError, match="between its stops"):
        plant_with(start_deg=start_deg)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mass_kg", 19.9),
        ("mass_kg", 250.1),
        ("mass_kg", math.nan),
        ("offset_cm", 40.1),
        ("offset_cm", -40.1),
        ("height_cm", 0.0),
    ],
)
def test_a_body_that_the_plant_was_not_made_for_is_refused(key: str, value: float) -> None:
    with pytest.raises(UsageError, match=key):
        Person(**{key: value})


@pytest.mark.parametrize(
    "wrong",
    [{"drive_inertia_kg_m2": 0.0}, {"bearing_friction_nm": -1.0}, {"brake_dead_ms": 50, "brake_setting_ms": 50}],
)
def test_constants_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must be|cannot be|dead time"):
        PlantConstants(**wrong)  # type: ignore[arg-type]


def test_a_hook_that_does_not_exist_is_refused() -> None:
    plant = plant_with()
    with pytest.raises(AttributeError, match="drive_dead"):
        plant.hooks.drive_deadd = True
