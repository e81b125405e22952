"""Whole visits over the line, run by the table's own buttons and nothing else, and what goes wrong around them."""

import pytest

from config.loading import load_plan
from safety.signals import BUTTONS, State
from sim.wired import build_wired
from tests.sessions.bad_days import (
    Script,
    a_button_sticks,
    a_strap_contact_fails,
    an_emergency_stop,
    into_a_hold,
    nobody_is_there,
    the_patients_button,
)
from tests.sessions.by_buttons import Hand, a_visit_ended_by_return, a_visit_of_sets
from tests.sessions.runs import BRIEF
from tests.wire.lockstep import TableEnd
from tests.wire.rig import PROFILE, WireRig

pytestmark = pytest.mark.needs("cc")
NIGHTLY = pytest.mark.nightly
LONG = BRIEF.model_copy(update={"hold_s": 120})
# Every button, every contact: the rest of them by night.
BY_NIGHT = (
    *("RAISE", "PRESENCE", "ACK", "CONFIRM", "PLAN_UP", "PLAN_DOWN", "the patient's button, held"),
    *("left 2 open", "left 1 closed", "left 2 closed", "right 1 open", "right 1 closed"),
)
SCRIPTS: dict[str, Script] = {
    "an emergency stop": an_emergency_stop,
    "nobody is there": nobody_is_there,
    **{button: a_button_sticks(button) for button in BUTTONS},
    **{f"the patient's button, {how}": the_patients_button(how) for how in ("pressed", "held", "cut")},
    **{
        f"{side} {contact} {stuck}": a_strap_contact_fails(side, contact, stuck)
        for side in ("left", "right")
        for contact in (1, 2)
        for stuck in ("open", "closed")
    },
}


def test_a_visit_is_run_over_the_wire_by_its_buttons() -> None:
    end = TableEnd(build_wired(PROFILE))
    rig = WireRig(end, load_plan("first-visit"), people=False)
    a_visit_ended_by_return(Hand(rig.session, end.table.hands, rig.run))
    outcome = rig.session.outcome()
    assert (outcome.result, outcome.end_reason, outcome.exit_code) == ("stopped", "supervisor", 6)
    assert rig.trips == []
    assert rig.session.machine.state is State.IDLE
    rig.close()
    end.close()


@NIGHTLY
def test_three_sets_are_run_over_the_wire_by_buttons_to_their_end() -> None:
    end = TableEnd(build_wired(PROFILE))
    rig = WireRig(end, load_plan("three-sets").model_copy(update={"hold_s": 5, "rest_s": 60}), people=False)
    a_visit_of_sets(Hand(rig.session, end.table.hands, rig.run), 3)
    assert (rig.session.outcome().result, rig.session.machine.sets_done) == ("completed", 3)
    assert rig.trips == []
    rig.close()
    end.close()


@pytest.mark.parametrize(
    "script", [pytest.param(name, marks=NIGHTLY if name in BY_NIGHT else ()) for name in SCRIPTS], ids=str
)
def test_what_goes_wrong_around_the_panel_ends_at_level_over_the_wire_too(script: str) -> None:
    end = TableEnd(build_wired(PROFILE))
    rig = WireRig(end, LONG, people=False)
    hand = into_a_hold(Hand(rig.session, end.table.hands, rig.run))
    SCRIPTS[script](hand, rig.faults.inject)
    assert rig.session.outcome().at_level
    rig.close()
    end.close()
