"""The equations of motion: the hazard page's figures come out, energy is never made, what stands stays standing."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest

from sim.body import Person, PlantConstants
from sim.hooks import Obstacle
from sim.motion import Motion
from sim.plant import Plant

FRICTIONLESS = PlantConstants(
    bearing_friction_nm=0.0,
    bearing_viscous_nm_s_rad=0.0,
    drive_friction_nm=0.0,
    drive_viscous_nm_s_rad=0.0,
    gear_friction=0.0,
)
WORM = PlantConstants(gear_friction=1.0)
# Never reached; it keeps the motion off its short way.
FAR_AWAY = Obstacle(angle_deg=89.0, blocks=1)


def falling(constants: PlantConstants, mass_kg: float, offset_cm: float) -> Plant:
    """A table that nothing holds: brake slipping freely, drive off."""
    plant = Plant(constants, Person(mass_kg=mass_kg, offset_cm=offset_cm))
    plant.hooks.brake_grip = 0.0
    return plant


def speed_deg_s(plant: Plant) -> float:
    return math.degrees(plant.motion.speed_rad_s)


def angle_deg(plant: Plant) -> float:
    return math.degrees(plant.motion.angle_rad)


def test_a_hundred_kilogrammes_ten_centimetres_off_run_away_as_the_hazard_page_says() -> None:
    plant = falling(FRICTIONLESS, 100.0, 10.0)
    plant.advance(100)
    assert speed_deg_s(plant) == pytest.approx(-19.0, abs=0.5)
    plant.advance(400)
    assert speed_deg_s(plant) == pytest.approx(-94.0, abs=2.0)


def test_with_friction_and_gear_the_same_fall_is_a_little_slower() -> None:
    plant = falling(PlantConstants(), 100.0, 10.0)
    plant.advance(500)
    assert -94.0 < speed_deg_s(plant) < -65.0


@pytest.mark.parametrize("offset_cm", [-40.0, -15.0, 15.0, 40.0])
def test_a_frictionless_fall_keeps_its_energy(offset_cm: float) -> None:
    plant = falling(FRICTIONLESS, 250.0, offset_cm)
    start_j = plant.motion.energy_j
    while abs(angle_deg(plant)) < 60.0:
        plant.advance(10)
        scale_j = abs(plant.person.moment_nm)
        assert plant.motion.energy_j == pytest.approx(start_j, abs=0.01 * scale_j)


@pytest.mark.parametrize("offset_cm", [-15.0, 3.0, 15.0])
@pytest.mark.parametrize("constants", [PlantConstants(), WORM, PlantConstants(brake_on_motor_side=False)])
def test_a_table_that_nobody_drives_never_gains_energy(constants: PlantConstants, offset_cm: float) -> None:
    plant = falling(constants, 135.0, offset_cm)
    energies = [plant.motion.energy_j]
    for _ in range(200):
        plant.advance(10)
        energies.append(plant.motion.energy_j)
    assert all(after <= before + 1e-3 for before, after in pairwise(energies))


def test_a_body_in_balance_stays_where_it_is() -> None:
    plant = falling(PlantConstants(), 135.0, 0.0)
    plant.advance(1000)
    assert plant.motion.angle_rad == 0.0
    assert plant.resting


@pytest.mark.parametrize(("mass_kg", "offset_cm"), [(40.0, 15.0), (135.0, 15.0), (135.0, -15.0), (250.0, 40.0)])
def test_a_self_locking_gear_is_not_turned_by_its_load(mass_kg: float, offset_cm: float) -> None:
    plant = falling(WORM, mass_kg, offset_cm)
    plant.advance(5000)
    plant.advance(10)
    assert angle_deg(plant) == pytest.approx(0.0, abs=WORM.backlash_deg)
    assert plant.resting


def test_a_back_drivable_gear_is_turned_by_the_same_load() -> None:
    plant = falling(PlantConstants(), 40.0, 15.0)
    plant.advance(1000)
    assert angle_deg(plant) < -20.0


@pytest.mark.parametrize(("offset_cm", "stop_deg"), [(40.0, -70.0), (-40.0, 90.0)])
def test_the_hard_stops_hold(offset_cm: float, stop_deg: float) -> None:
    plant = falling(PlantConstants(), 250.0, offset_cm)
    for _ in range(500):
        plant.advance(10)
        assert -70.0 - 1e-9 <= angle_deg(plant) <= 90.0 + 1e-9
    # Head-up the weight's lever arm vanishes, so friction may end the fall a little short of the stop.
    assert angle_deg(plant) == pytest.approx(stop_deg, abs=0.5)
    assert speed_deg_s(plant) == 0.0


def test_when_the_load_changes_sides_the_table_falls_through_the_backlash_and_no_further() -> None:
    constants = PlantConstants(backlash_deg=0.5)
    plant = Plant(constants, Person(mass_kg=100.0, offset_cm=10.0))
    plant.advance(100)
    assert angle_deg(plant) == 0.0
    plant.place(Person(mass_kg=100.0, offset_cm=-10.0))
    plant.advance(1000)
    # The blow turns the braked drive a little; that is not backlash.
    fallen_deg = angle_deg(plant)
    assert 0.5 <= fallen_deg <= 0.7
    plant.place(Person(mass_kg=100.0, offset_cm=10.0))
    plant.advance(1000)
    assert 0.5 <= fallen_deg - angle_deg(plant) <= 0.7


def test_an_obstacle_pushes_back_and_never_pulls() -> None:
    plant = falling(PlantConstants(), 135.0, 15.0)
    plant.hooks.obstacle = Obstacle(angle_deg=-5.0, blocks=-1)
    plant.advance(5000)
    plant.advance(10)
    assert -6.5 < angle_deg(plant) < -5.0
    assert plant.resting
    plant.hooks.obstacle = None
    plant.advance(200)
    assert angle_deg(plant) < -7.0


def driven(offset_cm: float, obstacle: Obstacle | None) -> list[tuple[float, ...]]:
    """A start, a run, a stop and a reversal, as positions and speeds in every millisecond or frame."""
    plant = Plant(PlantConstants(), Person(mass_kg=135.0, offset_cm=offset_cm))
    plant.hooks.obstacle = obstacle
    plant.drive(0.0)
    plant.brake(False)
    rows: list[tuple[float, ...]] = []
    for frame in range(900):
        wave = -2.0 * math.sin(2.0 * math.pi * max(0, frame - 20) / 600.0)
        plant.drive(math.radians(wave))
        plant.advance(10)
        rows.append((plant.motion.angle_rad, plant.motion.speed_rad_s, plant.motion.torque_nm))
    return rows


@pytest.mark.parametrize("offset_cm", [-15.0, 0.0, 15.0])
def test_the_short_way_of_ordinary_motion_is_the_same_motion(offset_cm: float) -> None:
    quick, full = driven(offset_cm, None), driven(offset_cm, FAR_AWAY)
    for (angle, speed, torque), (angle_full, speed_full, torque_full) in zip(quick, full, strict=True):
        assert angle == pytest.approx(angle_full, abs=1e-7)
        assert speed == pytest.approx(speed_full, abs=1e-6)
        assert torque == pytest.approx(torque_full, abs=1e-2)


def test_motion_is_the_same_in_frames_as_in_milliseconds_while_it_is_slow() -> None:
    by_frame, by_ms = (Motion(PlantConstants(), 0.0) for _ in range(2))
    for motion in (by_frame, by_ms):
        motion.load(40.0, 30.0)
        motion.lean()
    arguments = (math.radians(-1.0), 5000.0, 150_000.0, 480.0, 0.0, 0.0, None)
    by_frame.run(10, *arguments)
    for _ in range(10):
        by_ms.run(1, *arguments)
    assert by_frame.angle_rad == pytest.approx(by_ms.angle_rad, abs=1e-9)


@pytest.mark.parametrize("hook", ["brake_grip", "obstacle", "place"])
def test_a_resting_plant_wakes_when_it_is_touched(hook: str) -> None:
    plant = Plant(PlantConstants(), Person(mass_kg=135.0, offset_cm=15.0))
    plant.advance(10)
    plant.advance(10)
    assert plant.resting
    if hook == "place":
        plant.place(Person(mass_kg=250.0, offset_cm=40.0))
    elif hook == "obstacle":
        plant.hooks.obstacle = Obstacle(angle_deg=-2.0, blocks=-1, stiffness_nm_rad=60_000.0)
        plant.hooks.brake_grip = 0.1
    else:
        plant.hooks.brake_grip = 0.1
    plant.advance(300)
    assert plant.motion.angle_rad < 0.0


class Restless(Plant):
    """A plant that never rests: it integrates every millisecond."""

    def advance(self, duration_ms: int) -> None:
        self._rests = False
        super().advance(duration_ms)


@pytest.mark.parametrize("constants", [PlantConstants(), WORM, PlantConstants(brake_on_motor_side=False)])
def test_resting_gives_exactly_what_full_integration_gives(constants: PlantConstants) -> None:
    def visit(kind: type[Plant]) -> list[tuple[float, ...]]:
        plant = kind(replace(constants), Person(mass_kg=135.0, offset_cm=15.0))
        rows: list[tuple[float, ...]] = []
        for frame in range(1200):
            if frame == 100:
                plant.drive(0.0)
                plant.brake(False)
            if 110 <= frame < 300:
                plant.drive(math.radians(-1.0))
            elif frame == 300:
                plant.drive(0.0)
            elif frame == 500:
                plant.brake(True)
            elif frame == 520:
                plant.power_off()
            elif frame == 900:
                plant.hooks.brake_grip = 0.3
            elif frame == 950:
                plant.hooks.brake_grip = 1.0
            plant.advance(10)
            motion = plant.motion
            rows.append((motion.angle_rad, motion.speed_rad_s, motion.drive_rad_s, motion.torque_nm, plant.current_ma))
        return rows

    assert visit(Plant) == visit(Restless)
