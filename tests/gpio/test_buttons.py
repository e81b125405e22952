"""What goes wrong around the panel on pins: pressed, held, pulled, acknowledged, and nobody there at all.

Buttons that stick and contacts that fail on a pin are in `test_faults.py`.
"""

import pytest

from tests.gpio.conftest import RigFactory
from tests.sessions.bad_days import Script, an_emergency_stop, into_a_hold, nobody_is_there, the_patients_button
from tests.sessions.by_buttons import Hand
from tests.sessions.runs import BRIEF

LONG = BRIEF.model_copy(update={"hold_s": 120})


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(an_emergency_stop, id="an emergency stop"),
        pytest.param(the_patients_button("pressed"), id="the patient's button, pressed"),
        pytest.param(the_patients_button("held"), id="the patient's button, held"),
        pytest.param(nobody_is_there, id="nobody is there"),
    ],
)
def test_what_goes_wrong_around_the_panel_ends_at_level_on_pins_too(on_pins: RigFactory, script: Script) -> None:
    rig = on_pins(LONG, people=False)
    hand = into_a_hold(Hand(rig.session, rig.table.hands, rig.forward))
    script(hand, rig.inject)
    assert rig.session.outcome().at_level
