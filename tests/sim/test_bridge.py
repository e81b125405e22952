"""The in-process bridge keeps the contract, makes time pass, and its link can fail in every way a link does."""

import pytest

from safety.signals import Command, GuardState, Host, Readings, Signals
from tests.firmware_bridge.bridge_contract import BridgeContract, Subject
from tests.sim.driving import HOST, Drive, table_for

MOVING = Command(velocity_cdeg_s=-100)


class TestContract(BridgeContract):
    @pytest.fixture
    def subject(self) -> Subject:
        table = table_for().table
        return Subject(table.bridge, table.clock.now_ms, table.panel.lights, table.forward_alone)


@pytest.fixture
def drive() -> Drive:
    drive = table_for()
    drive.rest(0.1)
    return drive


def test_time_passes_only_in_reads(drive: Drive) -> None:
    before_ms = drive.table.clock.now_ms()
    drive.table.bridge.write(MOVING, Signals())
    assert drive.table.clock.now_ms() == before_ms
    drive.table.bridge.read(before_ms + 10, HOST)
    assert drive.table.clock.now_ms() == before_ms + 10


def test_a_read_returns_at_a_new_frame_though_its_deadline_is_later(drive: Drive) -> None:
    before_ms = drive.table.clock.now_ms()
    readings = drive.table.bridge.read(before_ms + 1000, HOST)
    assert drive.table.clock.now_ms() == before_ms + 10
    assert readings.elapsed_ms == 10


def test_a_read_that_ends_between_frames_returns_the_last_frame_and_its_age(drive: Drive) -> None:
    bridge, clock = drive.table.bridge, drive.table.clock
    first = bridge.read(clock.now_ms() + 10, HOST)
    between = bridge.read(clock.now_ms() + 4, HOST)
    assert (between.sequence, between.age_ms, between.elapsed_ms) == (first.sequence, 4, 4)
    after = bridge.read(clock.now_ms() + 10, HOST)
    assert (after.sequence, after.age_ms, after.elapsed_ms) == (first.sequence + 1, 0, 6)


def test_a_deadline_that_has_passed_returns_at_once_what_is_known(drive: Drive) -> None:
    before_ms = drive.table.clock.now_ms()
    readings = drive.table.bridge.read(before_ms - 50, HOST)
    assert drive.table.clock.now_ms() == before_ms
    assert readings.elapsed_ms == 0


def test_the_guard_says_that_it_is_absent(drive: Drive) -> None:
    assert drive.readings.guard is not None
    assert drive.readings.guard.state is GuardState.ABSENT


def test_frames_that_stop_grow_old_while_the_table_goes_on(drive: Drive) -> None:
    drive.run(2.0, MOVING)
    before = drive.readings
    drive.table.bridge.hooks.frames_stop = True
    rows = drive.run(0.3, MOVING)
    assert [row.readings.age_ms for row in rows] == list(range(10, 310, 10))
    assert {row.readings.angle_a_cdeg for row in rows} == {before.angle_a_cdeg}
    assert rows[-1].angle_deg < rows[0].angle_deg - 0.2
    drive.table.bridge.hooks.frames_stop = False
    drive.run(0.01, MOVING)
    assert drive.readings.age_ms == 0
    assert drive.readings.sequence == before.sequence + 1


def test_repeated_frames_look_fresh_but_keep_their_number(drive: Drive) -> None:
    before = drive.readings
    drive.table.bridge.hooks.frames_repeat = True
    rows = drive.run(0.2, MOVING)
    assert {row.readings.sequence for row in rows} == {before.sequence}
    assert {row.readings.age_ms for row in rows} == {0}


def test_lost_commands_let_the_lease_run_out(drive: Drive) -> None:
    drive.run(2.0, MOVING)
    drive.table.bridge.hooks.commands_lost = True
    drive.run(2.0, MOVING)
    assert drive.speed_deg_s == 0.0
    assert drive.readings.brake_set
    assert drive.table.bridge.command == MOVING


def test_a_pause_of_the_host_makes_one_read_longer_and_the_lease_runs_meanwhile(drive: Drive) -> None:
    drive.run(2.0, MOVING)
    drive.table.bridge.hooks.pause_ms = 80
    drive.run(0.01, MOVING)
    assert drive.readings.elapsed_ms == 90
    assert drive.readings.age_ms == 0
    assert drive.readings.applied_cdeg_s == -100
    drive.table.bridge.hooks.pause_ms = 2000
    drive.run(0.01, MOVING)
    assert drive.readings.elapsed_ms == 2010
    assert drive.readings.brake_set
    drive.run(0.01, MOVING)
    assert drive.readings.elapsed_ms == 10


def test_facts_of_the_host_and_of_a_frame_can_be_altered(drive: Drive) -> None:
    hooks = drive.table.bridge.hooks
    hooks.host_altered = {"clock_ok": False}
    hooks.frames_altered = {"sequence": 3}
    readings = drive.table.bridge.read(drive.table.clock.now_ms() + 10, Host(clock_ok=True, config_ok=True))
    assert readings.host == Host(clock_ok=False, config_ok=True)
    assert readings.sequence == 3


def test_a_closed_bridge_takes_no_more_commands_and_the_table_comes_to_rest(drive: Drive) -> None:
    drive.run(2.0, MOVING)
    drive.table.bridge.close()
    drive.run(3.0, MOVING)
    assert drive.speed_deg_s == 0.0
    assert drive.readings.brake_set
    assert not drive.readings.drive_power


def visit(seed: int) -> list[Readings]:
    drive = table_for(seed=seed)
    hands = drive.table.hands
    for side in ("left", "right"):
        hands.strap(side, True)
    drive.rest(0.2)
    hands.press("TILT")
    drive.go(-200, 3.0)
    drive.table.sensors.angle_a.hooks.drift_deg_s = 1.0
    drive.go(100, 2.0)
    drive.rest(1.0)
    return [row.readings for row in drive.rows]


def test_one_seed_gives_one_run_and_another_seed_another() -> None:
    assert visit(1) == visit(1)
    assert visit(1) != visit(2)
