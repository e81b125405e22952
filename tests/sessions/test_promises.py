"""Promises about whole sessions: people who go away, clocks that jump, one seed and one run."""

import pytest

from controller.recording import csv_text
from safety.signals import BUTTONS, Demand, State
from sim.habits import Habits, Policy
from sim.pytest_plugin import Rig
from tests.sessions.invariants import violations
from tests.sessions.runs import Watched

NOBODY_MS = 40_000
"""H24: so long after the last press in the room the patient is brought back."""


def way_back_ms(depth_cdeg: int) -> int:
    """How long a return may take: tone, slow first degree and easing off, the rest at 2°/s."""
    return 1000 + 8000 + depth_cdeg * 1000 // 200


@pytest.mark.parametrize("plan", ["short", "first-visit", "standard", "three-sets"])
def test_stop_in_the_hold_and_everybody_gone_still_ends_at_level(plan: str) -> None:
    watched = Watched(plan, habits=Habits(boards_at_deg=0.0, in_trouble=Policy.LEAVE))
    watched.until(lambda tick: tick.seen.wish.state is State.HOLDING, 200)
    watched.until(lambda tick: False, 3)
    hands = watched.rig.hands
    hands.press("STOP")
    watched.until(lambda tick: False, 0.3)
    hands.release("STOP")
    stopped = watched.ticks[-1]
    watched.until(lambda tick: tick.angle_cdeg >= -100, 600)
    run = watched.finish(600)
    back_ms = next(t.seen.t_ms for t in run.ticks if t.seen.t_ms > stopped.seen.t_ms and t.angle_cdeg >= -100)
    promised_ms = NOBODY_MS + way_back_ms(-stopped.angle_cdeg)
    assert back_ms - stopped.seen.t_ms <= promised_ms
    below_5_ms = [t.seen.t_ms for t in run.ticks if t.angle_cdeg < -500]
    assert below_5_ms[-1] - below_5_ms[0] <= run.set_limit_s * 1000 + way_back_ms(-stopped.angle_cdeg)
    assert violations(run) == []
    assert not {t.seen.readings.buttons for t in run.ticks if t.seen.t_ms > stopped.seen.t_ms + 3000} - {0}


def test_stop_in_the_hold_with_presence_and_nothing_else_ends_with_the_set() -> None:
    watched = Watched("short", faults=["supervisor-dawdles@holding+3s"])
    run = watched.finish(400, watch_ms=60_000)
    below_5_ms = [t.seen.t_ms for t in run.ticks if t.angle_cdeg < -500]
    assert below_5_ms[-1] - below_5_ms[0] <= run.set_limit_s * 1000 + way_back_ms(2000)
    assert "H03" in {cause.code for tick in run.ticks for cause in tick.seen.decision.causes}
    assert violations(run) == []


def test_the_patient_alone_is_brought_back_by_the_own_button() -> None:
    watched = Watched("first-visit", faults=["supervisor-leaves@holding+1s", "patient-presses@holding+5s"])
    run = watched.finish(300)
    pressed_ms = next(t.seen.t_ms for t in run.ticks if "patient-presses" in t.injected)
    back_ms = next(t.seen.t_ms for t in run.ticks if t.seen.t_ms > pressed_ms and t.angle_cdeg >= -100)
    assert back_ms - pressed_ms <= way_back_ms(2000)
    assert violations(run) == []


def trace_of(seed: int, *faults: str) -> str:
    rig = Rig("short", faults=faults, seed=seed, habits=Habits(boards_at_deg=0.0))
    rig.expect("*")
    rig.forward(until="resting")
    rig.forward(seconds=5)
    return csv_text(rig.rows)


def test_one_seed_gives_one_trace_to_the_byte() -> None:
    faults = ("angle-drifts@holding+2s", "strap-opens@emergency_return+1s+2s:side=left")
    one, again, other = trace_of(7, *faults), trace_of(7, *faults), trace_of(8, *faults)
    assert one == again
    assert one != other


def test_a_clock_that_jumps_after_arming_changes_nothing() -> None:
    healthy = trace_of(0)
    jumped = trace_of(0, "clock-wrong@strapped+1s")
    assert jumped.count("clock-wrong") > 1000
    assert jumped.replace("clock-wrong", "") == healthy


def test_a_late_host_costs_a_fresh_press_and_nothing_else() -> None:
    rig = Rig("short", faults=["host-late@tilting+6s"], habits=Habits(boards_at_deg=0.0))
    assert rig.finish().result == "completed"
    tilts = [
        after.t_ms
        for before, after in zip(rig.snapshots, rig.snapshots[1:], strict=False)
        if (after.readings.buttons or 0) & ~(before.readings.buttons or 0) & BUTTONS["TILT"]
    ]
    assert len(tilts) == 2


def test_a_fault_that_never_comes_is_told() -> None:
    rig = Rig("short", faults=["strap-opens@emergency_return", "drive-dead@3000s"], habits=Habits(boards_at_deg=0.0))
    rig.finish()
    assert [str(fault) for fault in rig.faults.unreached] == ["strap-opens@emergency_return", "drive-dead@3000s"]
    assert rig.result.result == "completed"


def test_nothing_rearms_by_itself_after_a_trip() -> None:
    watched = Watched("three-sets", faults=["mains-lost@holding+3s+5s"])
    run = watched.finish(400)
    tripped_ms = next(t.seen.t_ms for t in run.ticks if t.seen.decision.demand >= Demand.STOP)
    later = [t for t in run.ticks if t.seen.t_ms > tripped_ms + 60_000]
    assert all(t.angle_cdeg > -150 for t in later)
    assert {t.seen.wish.set_number for t in run.ticks} <= {0, 1}
