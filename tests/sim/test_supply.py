"""Mains, battery, heat and the hand crank: what the table lives on, and what brings it back without."""

import pytest

from sim.body import Person, PlantConstants
from sim.hooks import Obstacle
from sim.plant import Plant
from tests.sim.plants import angle_deg, fault_line, moving, plant_with, powered, run, speed_deg_s


def test_stalled_for_long_the_drive_reports_heat_folds_back_and_recovers() -> None:
    plant = moving(plant_with(), -1.0, 0.0)
    plant.hooks.obstacle = Obstacle(angle_deg=-3.0, blocks=-1)
    run(plant, 20.0)
    assert not fault_line(plant)
    run(plant, 60.0)
    assert fault_line(plant)
    folded_ma = plant.constants.folded_ma + plant.constants.powered_ma
    assert plant.current_ma == pytest.approx(folded_ma, abs=1.0)
    plant.brake(True)
    run(plant, 0.1)
    plant.power_off()
    run(plant, 120.0)
    assert plant.resting
    plant.drive(0.0)
    run(plant, 0.1)
    assert not fault_line(plant)


@pytest.mark.parametrize("hook", ["drive_hot", "driver_fault"])
def test_the_fault_line_can_be_raised(hook: str) -> None:
    plant = plant_with()
    setattr(plant.hooks, hook, True)
    plant.advance(10)
    assert fault_line(plant)
    plant.hooks.clear()
    plant.advance(10)
    assert not fault_line(plant)


def test_without_mains_the_battery_carries_and_empties() -> None:
    plant = moving(plant_with(135.0, 15.0), 0.5)
    plant.hooks.mains_off = True
    run(plant, 60.0)
    assert speed_deg_s(plant) == pytest.approx(0.5, rel=0.05)
    assert 0.9 < plant.battery_share < 1.0
    plant.battery_share = 0.2001
    run(plant, 2.0)
    assert not plant.battery_ok
    plant.battery_share = 1e-5
    run(plant, 2.0)
    assert not powered(plant)
    assert speed_deg_s(plant) == 0.0


def test_a_battery_empties_while_the_drive_holds_still_too() -> None:
    plant = plant_with(135.0, 15.0)
    plant.hooks.mains_off = True
    plant.drive(0.0)
    plant.advance(50)
    plant.brake(False)
    run(plant, 1.0)
    assert plant.resting
    assert plant.current_ma > 4000.0
    before = plant.battery_share
    run(plant, 10.5)
    used_mas = (before - plant.battery_share) * plant.constants.battery_mas
    assert used_mas == pytest.approx(plant.current_ma * 10.0, rel=0.11)
    plant.battery_share = 0.201
    run(plant, 10.0)
    assert not plant.battery_ok
    plant.battery_share = 0.001
    run(plant, 10.0)
    assert not powered(plant)


@pytest.mark.parametrize("hook", ["battery_absent", "battery_empty"])
def test_without_mains_and_battery_the_brake_sets_by_its_spring(hook: str) -> None:
    plant = moving(plant_with(135.0, 15.0), -1.0)
    setattr(plant.hooks, hook, True)
    run(plant, 0.1)
    assert powered(plant)
    assert not plant.battery_ok
    plant.hooks.mains_off = True
    run(plant, 0.5)
    assert not powered(plant)
    assert plant.brake_commanded
    assert speed_deg_s(plant) == 0.0


def test_a_table_without_a_battery_says_so() -> None:
    plant = Plant(PlantConstants(battery_mas=0.0), Person())
    plant.advance(10)
    assert not plant.battery_ok
    plant.drive(0.0)
    plant.advance(10)
    assert powered(plant)
    plant.hooks.mains_off = True
    plant.advance(10)
    assert not powered(plant)


@pytest.mark.parametrize("start_deg", [-60.0, 40.0])
@pytest.mark.parametrize("offset_cm", [-15.0, 15.0])
@pytest.mark.parametrize("worm", [False, True])
def test_the_crank_brings_the_table_to_level_without_power_and_stops_there(
    start_deg: float, offset_cm: float, worm: bool
) -> None:
    constants = PlantConstants(gear_friction=1.0) if worm else PlantConstants()
    plant = Plant(constants, Person(mass_kg=135.0, offset_cm=offset_cm), start_deg)
    plant.hooks.mains_off = True
    plant.hooks.battery_absent = True
    plant.advance(10)
    plant.crank(True)
    fastest = 0.0
    for _ in range(round(abs(start_deg) / 2.0 * 100) + 300):
        plant.advance(10)
        fastest = max(fastest, abs(speed_deg_s(plant)))
    assert abs(angle_deg(plant)) < 0.5
    assert fastest < 2.5
    plant.crank(False)
    run(plant, 1.0)
    assert abs(angle_deg(plant)) < 0.6
    assert plant.resting
    assert plant.current_ma == 0.0


def test_after_the_crank_the_drive_drives_again() -> None:
    plant = plant_with(start_deg=-10.0)
    plant.crank(True)
    run(plant, 1.0)
    plant.crank(False)
    run(plant, 0.5)
    moving(plant, 1.0)
    assert speed_deg_s(plant) == pytest.approx(1.0, rel=0.05)
    assert plant.current_ma > plant.constants.powered_ma


def test_letting_go_of_the_crank_halfway_leaves_the_table_to_the_brake() -> None:
    plant = plant_with(135.0, 15.0, start_deg=-30.0)
    plant.crank(True)
    run(plant, 5.0)
    plant.crank(False)
    left_at = angle_deg(plant)
    assert left_at > -25.0
    run(plant, 5.0)
    assert angle_deg(plant) == pytest.approx(left_at, abs=0.05)
