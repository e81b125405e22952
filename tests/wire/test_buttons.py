"""A whole visit over the line, run by the table's own buttons and nothing else."""

import pytest

from config.loading import load_plan
from safety.signals import State
from sim.wired import build_wired
from tests.sessions.by_buttons import Hand, a_visit_ended_by_return
from tests.wire.lockstep import TableEnd
from tests.wire.rig import PROFILE, WireRig


@pytest.mark.needs("cc")
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
