"""Each shipped plan with light and heavy people at both ends of the rated offset, by the plant's own truth."""

import math
from itertools import pairwise

import pytest

from config.loading import load_plan
from safety.signals import Snapshot, State
from sim.body import Person
from sim.pytest_plugin import RigFactory

PLANS = ("first-visit", "standard", "three-sets", "short")
PEOPLE = [(mass, offset) for mass in (40.0, 75.0, 135.0) for offset in (-15.0, 15.0)]
# Eighteen minutes on the table each: by day the two extremes walk three sets, the others at night.
BY_NIGHT = {("three-sets", mass, offset) for mass, offset in PEOPLE} - {
    ("three-sets", 40.0, -15.0),
    ("three-sets", 135.0, 15.0),
}
CASES = [
    pytest.param(plan, *person, marks=[pytest.mark.nightly] if (plan, *person) in BY_NIGHT else [])
    for plan in PLANS
    for person in PEOPLE
]
CDEG = 18000 / math.pi
# The table's own bounds: starts 2°/s², stops 4°/s², and what the velocity loop adds to a set-point of 20°/s³.
LARGEST_ACCELERATION_CDEG_S2 = 500
LARGEST_JERK_CDEG_S3 = 6000
WINDOW_TICKS = 10


@pytest.mark.parametrize(("plan", "mass_kg", "offset_cm"), CASES)
def test_the_plan_is_kept(inversion_table: RigFactory, plan: str, mass_kg: float, offset_cm: float) -> None:
    rig = inversion_table(plan, person=Person(mass_kg, 175.0, offset_cm), seed=round(mass_kg + offset_cm))
    figures = load_plan(plan)
    motion = rig.table.plant.motion
    velocities: list[float] = []
    truth: list[float] = []
    holding: list[float] = []

    def look(snapshot: Snapshot) -> None:
        velocities.append(motion.speed_rad_s * CDEG)
        truth.append(motion.angle_rad * CDEG)
        if snapshot.wish.state is State.HOLDING:
            holding.append(truth[-1])

    rig.session.loop.observers.append(look)
    # Any cause of STOP or worse, so any trip of H10 to H14, would raise here.
    outcome = rig.finish()

    assert (outcome.result, outcome.exit_code) == ("completed", 0)
    assert max(abs(angle - figures.cap_cdeg) for angle in holding) <= 50
    assert min(truth) >= figures.cap_cdeg - 50
    assert max(truth) <= 100
    assert abs(truth[-1]) <= 100
    assert len(holding) * 10 >= figures.sets * figures.hold_s * 1000
    assert max(abs(velocity) for velocity in velocities) <= figures.speed_cdeg_s + 10
    # Differences over 100 ms: what a body feels, not the noise of one integration step.
    mean = [sum(velocities[i : i + WINDOW_TICKS]) / WINDOW_TICKS for i in range(0, len(velocities) - 10, WINDOW_TICKS)]
    accelerations = [(b - a) / 0.1 for a, b in pairwise(mean)]
    jerks = [(b - a) / 0.1 for a, b in pairwise(accelerations)]
    assert max(abs(a) for a in accelerations) <= LARGEST_ACCELERATION_CDEG_S2
    assert max(abs(j) for j in jerks) <= LARGEST_JERK_CDEG_S3
