"""The bare motor of the simulated table: a voltage in, a torque out that falls with the speed, and no loop but that."""

import dataclasses
import math

import pytest

from sim.body import Person, PlantConstants
from sim.plant import Plant
from tests.sim.plants import angle_deg, moving, plant_with, run, speed_deg_s

# A 24 V motor on its own winding: 26 V of back-EMF at 34°/s, 12 A when it stands.
CONSTANTS = dataclasses.replace(
    PlantConstants(), top_speed_deg_s=34.0, winding_ohm=40.0**2 / (480.0 / math.radians(34.0))
)
BALANCED = Person(75.0, 175.0, 0.0)


def fed(duty: float, person: Person = BALANCED, constants: PlantConstants = CONSTANTS, seconds: float = 3.0) -> Plant:
    """A table whose brake is open and whose motor has had a voltage for a while."""
    plant = Plant(constants, person)
    plant.feed(duty)
    plant.brake(False)
    run(plant, seconds)
    return plant


def test_a_motor_turns_in_proportion_to_its_voltage_less_what_friction_takes() -> None:
    quick, slow = speed_deg_s(fed(0.4)), speed_deg_s(fed(0.2))
    lost = 1.0 - (CONSTANTS.drive_viscous_nm_s_rad + CONSTANTS.bearing_viscous_nm_s_rad) / CONSTANTS.short_nm_s_rad
    assert quick - slow == pytest.approx(0.2 * 34.0 * lost, rel=0.02)
    assert 0.4 * 34.0 - 1.5 < quick < 0.4 * 34.0


def test_a_negative_voltage_turns_it_head_down_just_as_fast() -> None:
    assert speed_deg_s(fed(-0.3)) == pytest.approx(-speed_deg_s(fed(0.3)), rel=0.05)


def test_a_load_slows_it_by_its_torque_over_the_motors_gain() -> None:
    person = Person(80.0, 175.0, 10.0)
    light, heavy = fed(0.4, seconds=1.0), fed(0.4, person, seconds=1.0)
    droop_deg_s = math.degrees(person.moment_nm * math.cos(heavy.motion.angle_rad) / CONSTANTS.short_nm_s_rad)
    # The teeth take a tenth more than the load pushes when it is lifted.
    assert speed_deg_s(light) - speed_deg_s(heavy) == pytest.approx(1.1 * droop_deg_s, rel=0.1)


def test_a_stalled_motor_pulls_with_its_share_of_the_stall_torque_and_says_so_by_its_current() -> None:
    plant = Plant(CONSTANTS, BALANCED)
    plant.feed(-0.5)
    run(plant, 1.0)
    assert plant.motion.torque_nm == pytest.approx(-0.5 * CONSTANTS.stall_nm)
    assert plant.current_ma == pytest.approx(CONSTANTS.powered_ma + 0.5 * CONSTANTS.stall_ma)
    assert angle_deg(plant) == pytest.approx(0.0, abs=CONSTANTS.backlash_deg)


def test_the_current_limit_holds_where_the_winding_alone_would_allow_more() -> None:
    plant = Plant(dataclasses.replace(CONSTANTS, winding_ohm=0.5), BALANCED)
    plant.feed(1.0)
    run(plant, 0.1)
    assert plant.motion.torque_nm == pytest.approx(CONSTANTS.stall_nm)


def test_no_voltage_is_the_drag_of_the_shorted_motor() -> None:
    person = Person(100.0, 175.0, 10.0)
    shorted = moving(plant_with(100.0, 10.0), 1.0)
    fed_nothing = moving(plant_with(100.0, 10.0), 1.0)
    shorted.short()
    fed_nothing.feed(0.0)
    run(shorted, 1.0)
    run(fed_nothing, 1.0)
    assert speed_deg_s(fed_nothing) == pytest.approx(speed_deg_s(shorted))
    # The weight sinks against it at its torque over the drag, and does not run away.
    assert abs(speed_deg_s(shorted)) < math.degrees(person.moment_nm / shorted.constants.short_nm_s_rad)


def test_a_duty_stays_on_the_motor_until_somebody_changes_it() -> None:
    plant = fed(0.3, seconds=1.0)
    before_deg = angle_deg(plant)
    run(plant, 1.0)
    assert angle_deg(plant) - before_deg > 5.0


def test_without_the_enable_the_voltage_does_nothing() -> None:
    plant = fed(0.3, seconds=1.0)
    plant.power_off()
    run(plant, 5.0)
    assert speed_deg_s(plant) == 0.0
    plant.feed(0.3)
    run(plant, 1.0)
    assert speed_deg_s(plant) > 5.0


def test_an_end_switch_opens_the_leg_that_would_drive_outward() -> None:
    plant = fed(-0.3, seconds=1.0)
    plant.wire(False, True, False)
    run(plant, 2.0)
    assert abs(speed_deg_s(plant)) < 0.1
    plant.feed(0.3)
    run(plant, 1.0)
    assert speed_deg_s(plant) > 5.0


def test_a_motor_that_turns_the_other_way_or_is_dead_does_so_with_a_voltage_too() -> None:
    plant = fed(0.3, seconds=0.5)
    plant.hooks.drive_reversed = True
    run(plant, 1.0)
    assert speed_deg_s(plant) < -5.0
    plant.hooks.drive_dead = True
    run(plant, 5.0)
    assert speed_deg_s(plant) == 0.0
    assert plant.current_ma == 0.0


def test_the_drives_own_loop_takes_over_and_gives_back() -> None:
    plant = fed(0.3, seconds=0.5)
    plant.drive(math.radians(1.0))
    run(plant, 1.0)
    assert speed_deg_s(plant) == pytest.approx(1.0, abs=0.01)
    plant.feed(0.3)
    run(plant, 1.0)
    assert speed_deg_s(plant) > 5.0


def test_with_the_brake_set_a_fed_motor_rests() -> None:
    plant = Plant(CONSTANTS, BALANCED)
    plant.feed(0.1)
    run(plant, 0.5)
    assert plant.resting
    plant.feed(0.1)
    assert plant.resting
    plant.feed(0.2)
    assert not plant.resting
