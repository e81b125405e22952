"""Whole sessions on the machine code: people, session, real pyserial, the image, the plant."""

import pytest

from safety.signals import State
from tests.machine_code.rig import machine, rig_on

pytestmark = pytest.mark.needs("simavr")

HEAVIEST = pytest.param(135.0, 15.0, id="135 kg head-heavy")
LIGHT = pytest.param(40.0, -15.0, id="40 kg foot-heavy", marks=pytest.mark.nightly)
USUAL = pytest.param(75.0, 3.0, id="75 kg", marks=pytest.mark.nightly)
FEET = pytest.param(135.0, -15.0, id="135 kg foot-heavy", marks=pytest.mark.nightly)


@pytest.mark.parametrize(("mass_kg", "offset_cm"), [HEAVIEST, FEET, LIGHT, USUAL])
def test_a_session_runs_to_its_end_without_a_trip(mass_kg: float, offset_cm: float) -> None:
    table = machine(mass_kg=mass_kg, offset_cm=offset_cm)
    rig = rig_on(table)
    rig.until(State.HOLDING)
    rig.run(1)
    held_cdeg = table.truth().angle_cdeg
    target_cdeg = rig.session.plan.angle_cdeg
    assert abs(held_cdeg - target_cdeg) <= 50
    rig.until(State.RESTING)
    rig.run(3)
    assert abs(table.truth().angle_cdeg) <= 100
    assert rig.trips == []
    assert table.board.resets == 0
    rig.close()
    rig.end.close()
