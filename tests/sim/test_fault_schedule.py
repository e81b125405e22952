"""Faults come and go at their moment, to the tick."""

import pytest

from config.loading import load_profile
from safety.signals import Command, Decision, Readings, Snapshot, State, Wish
from sim.faults.catalogue import parse, parse_now
from sim.faults.kinds import Fault, FaultError
from sim.faults.schedule import FaultSchedule
from sim.table import SimulatedTable, build

PROFILE = load_profile("simulated")


@pytest.fixture
def table() -> SimulatedTable:
    return build(PROFILE)


def tick(t_ms: int, state: State = State.IDLE, angle_cdeg: int = 0, applied_cdeg_s: int = 0) -> Snapshot:
    """One tick as the control loop publishes it, as far as a schedule looks at it."""
    decision = Decision(Command(), angle_cdeg=angle_cdeg)
    return Snapshot(t_ms // 10, t_ms, Readings(10, applied_cdeg_s=applied_cdeg_s), Wish(state=state), decision)


def schedule(table: SimulatedTable, *texts: str) -> FaultSchedule:
    return FaultSchedule(table, [parse(text) for text in texts])


def run(plan: FaultSchedule, table: SimulatedTable, state: State, ticks: range, **seen: int) -> list[int]:
    """Show ticks to a schedule and return the times of those after which a fault was active."""
    active = []
    for t_ms in ticks:
        plan.observe(tick(t_ms, state, **seen))
        if table.injected:
            active.append(t_ms)
    return active


def test_a_fault_comes_and_goes_to_the_tick(table: SimulatedTable) -> None:
    plan = schedule(table, "drive-dead@holding+0.25s+0.5s")
    assert run(plan, table, State.TILTING, range(0, 1000, 10)) == []
    assert run(plan, table, State.HOLDING, range(1000, 3000, 10)) == list(range(1250, 1750, 10))
    assert plan.unreached == ()


def test_a_time_counts_from_the_first_motion_below_level(table: SimulatedTable) -> None:
    plan = schedule(table, "drive-dead@1s", "angle-lost@0.5s+0.1s")
    assert run(plan, table, State.TILTING, range(0, 1000, 10), angle_cdeg=-90, applied_cdeg_s=-50) == []
    assert run(plan, table, State.TILTING, range(1000, 2000, 10), angle_cdeg=-150) == []
    run(plan, table, State.TILTING, range(2000, 2500, 10), angle_cdeg=-150, applied_cdeg_s=-50)
    assert table.injected == ""
    assert run(plan, table, State.HOLDING, range(2500, 2600, 10)) == list(range(2500, 2600, 10))
    assert run(plan, table, State.IDLE, range(2600, 3100, 10)) == list(range(3000, 3100, 10))


def test_a_state_left_too_early_counts_anew_the_next_time(table: SimulatedTable) -> None:
    plan = schedule(table, "drive-dead@holding+1s")
    assert run(plan, table, State.HOLDING, range(0, 900, 10)) == []
    assert run(plan, table, State.RETURNING, range(900, 2000, 10)) == []
    assert [str(fault) for fault in plan.unreached] == ["drive-dead@holding+1s"]
    assert run(plan, table, State.HOLDING, range(2000, 3010, 10)) == [3000]
    assert plan.unreached == ()


def test_a_fault_that_follows_another_begins_as_that_one_ends(table: SimulatedTable) -> None:
    plan = schedule(table, "drive-dead@holding+0s+1s", "angle-lost@holding+1s")
    run(plan, table, State.HOLDING, range(0, 1000, 10))
    assert table.injected == "drive-dead"
    run(plan, table, State.HOLDING, range(1000, 1010, 10))
    assert table.injected == "angle-lost"


def test_what_a_finger_does_ends_by_itself(table: SimulatedTable) -> None:
    plan = schedule(table, "supervisor-dawdles@holding")
    run(plan, table, State.HOLDING, range(0, 500, 10))
    assert table.panel.hooks.stuck_held
    run(plan, table, State.HOLDING, range(500, 600, 10))
    assert not table.panel.hooks.stuck_held
    assert table.panel.hooks.stuck_open
    assert table.injected == "supervisor-dawdles"


def test_hands_may_inject_a_fault_now(table: SimulatedTable) -> None:
    plan = schedule(table)
    run(plan, table, State.HOLDING, range(0, 1000, 10))
    table.hands.inject("drive-dead+0.5s")
    assert run(plan, table, State.HOLDING, range(1000, 2000, 10)) == list(range(1000, 1490, 10))
    with pytest.raises(FaultError):
        table.hands.inject("drive-deaf")


def test_late_ticks_miss_no_fault(table: SimulatedTable) -> None:
    plan = schedule(table, "drive-dead@holding+0.25s+0.5s", "angle-lost@holding+0.3s")
    plan.observe(tick(0, State.HOLDING))
    plan.observe(tick(400, State.HOLDING))
    assert table.injected == "drive-dead+angle-lost"
    plan.observe(tick(5000, State.HOLDING))
    assert table.injected == "angle-lost"


def test_a_fault_at_boot_is_there_before_the_first_tick(table: SimulatedTable) -> None:
    plan = schedule(table, "boots-below@idle")
    assert table.injected == "boots-below"
    assert plan.unreached == ()


def test_two_tables_do_not_share_faults(table: SimulatedTable) -> None:
    other = build(PROFILE)
    fault: Fault = parse_now("drive-dead")
    fault.start(table)
    assert not other.plant.hooks.drive_dead
    fault.end(other)
    assert table.plant.hooks.drive_dead
