"""A plant without electronics around it, and how tests set it going."""

import math

from sim.body import Person, PlantConstants
from sim.plant import Plant


def plant_with(mass_kg: float = 75.0, offset_cm: float = 3.0, start_deg: float = 0.0) -> Plant:
    return Plant(PlantConstants(), Person(mass_kg=mass_kg, offset_cm=offset_cm), start_deg)


def moving(plant: Plant, deg_s: float, seconds: float = 1.0) -> Plant:
    """Set the table going, as gently as a test needs it."""
    plant.drive(0.0)
    plant.advance(50)
    plant.brake(False)
    plant.advance(100)
    for share in range(1, 101):
        plant.drive(math.radians(deg_s * share / 100.0))
        plant.advance(10)
    run(plant, seconds)
    return plant


def fault_line(plant: Plant) -> bool:
    return plant.fault_line


def powered(plant: Plant) -> bool:
    return plant.powered


def run(plant: Plant, seconds: float) -> None:
    for _ in range(round(seconds * 100)):
        plant.advance(10)


def angle_deg(plant: Plant) -> float:
    return math.degrees(plant.motion.angle_rad)


def speed_deg_s(plant: Plant) -> float:
    return math.degrees(plant.motion.speed_rad_s)
