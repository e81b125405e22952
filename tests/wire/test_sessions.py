"""Whole sessions over the line, and hosts that are killed in the middle of one and started again."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from safety.signals import Demand, GuardState, State
from sim.wire_hands import HandsServer
from sim.wired import WiredTable, build_wired
from tests.sessions.runs import BRIEF
from tests.wire.lockstep import PATIENCE_S, TableEnd, serve
from tests.wire.rig import LEVEL_CDEG, PROFILE, Watch, WireRig, guard_of, table_in

pytestmark = pytest.mark.needs("cc")

PHASES = (State.TILTING, State.HOLDING, State.RETURNING)
BACK_MS = 90_000
TONE_RETURN, TONE_ALONE = 1, 2
ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def on_a_line(table: WiredTable) -> Iterator[TableEnd]:
    end = TableEnd(table)
    try:
        yield end
    finally:
        end.close()


# Whole sessions ------------------------------------------------------------------------------------------------------


def test_a_whole_session_over_the_line_ends_at_level_with_the_plan_kept() -> None:
    with on_a_line(build_wired(PROFILE)) as end:
        rig = WireRig(end)
        before = dict(rig.bridge.link.codec.rejected)
        watch = Watch(end.table)
        end.table.each_ms.append(lambda _: watch())
        rig.finish()
        outcome = rig.session.outcome()
        rig.close()
    assert (outcome.result, outcome.at_level, rig.trips) == ("completed", True, [])
    assert abs(watch.deepest_cdeg - BRIEF.cap_cdeg) < 50
    held = [s.decision.angle_cdeg or 0 for s in rig.recorder.snapshots if s.wish.state is State.HOLDING]
    assert max(held) - min(held) < 60
    assert {s.readings.guard.state for s in rig.recorder.snapshots if s.readings.guard} == {
        *(GuardState.IDLE, GuardState.ARMED),
    }
    assert rig.bridge.link.codec.rejected == before


def test_a_fault_in_the_middle_of_it_ends_it_at_level_by_the_guards_word_or_the_hosts() -> None:
    with on_a_line(build_wired(PROFILE)) as end:
        rig = WireRig(end)
        rig.until(State.HOLDING)
        rig.faults.inject("strap-opens:side=left")
        rig.finish()
        outcome = rig.session.outcome()
    assert (outcome.result, outcome.at_level) == ("tripped", True)
    assert outcome.causes[0].code == "H04"


# A host that is killed -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def a_host_in_a_process(end: TableEnd, folder: Path) -> Iterator[tuple[subprocess.Popen[str], socket.socket]]:
    """Start a whole session in a process of its own; the table's time is turned at this end of the socket."""
    near, far = socket.socketpair()
    end.hands = HandsServer(folder / "hands.sock", end.table, lambda: end.table.clock.ms)
    end.hosts += 1
    command = [sys.executable, "-m", "tests.wire.host_process", str(far.fileno()), end.line.path, str(end.hands.path)]
    with (
        near,
        subprocess.Popen(command, pass_fds=[far.fileno()], stdout=subprocess.PIPE, text=True, cwd=ROOT) as host,
    ):
        far.close()
        try:
            yield host, near
        finally:
            host.kill()
            end.hosts -= 1


def come_to(phase: State, table: WiredTable) -> Callable[[], bool]:
    """Whether the table itself shows that the session is well into a phase."""
    went_down = False

    def there() -> bool:
        nonlocal went_down
        angle_cdeg, speed_cdeg_s = table.truth()
        went_down |= angle_cdeg < BRIEF.cap_cdeg + 50
        if phase is State.TILTING:
            return angle_cdeg < -600
        if phase is State.HOLDING:
            return went_down and abs(speed_cdeg_s) < 5
        return went_down and angle_cdeg > BRIEF.cap_cdeg + 200

    return there


@pytest.mark.parametrize("phase", PHASES)
def test_kill_9_of_the_host_leaves_the_guard_that_stops_sounds_and_brings_the_table_to_level(
    phase: State, tmp_path: Path
) -> None:
    with on_a_line(build_wired(PROFILE)) as end:
        with a_host_in_a_process(end, tmp_path) as (host, near):
            assert serve(end, near, come_to(phase, end.table)), "the host ended by itself"
            host.kill()
            assert host.wait(PATIENCE_S) == -9
        watch = Watch(end.table)
        ms = 0
        while not watch.home and ms < BACK_MS:
            end.alone(10, watch)
            ms += 10
        assert watch.home, guard_of(end.table)
        end.alone(5000, watch)
        assert guard_of(end.table).causes[0] == "H17"
        assert guard_of(end.table).demand >= Demand.STOP
        assert watch.deepest_cdeg > watch.began_cdeg - 100
        assert watch.fastest_cdeg_s < 230
        assert {TONE_RETURN, TONE_ALONE} <= watch.tones
        assert end.table.hands.held() == frozenset()


def test_a_host_in_a_process_of_its_own_brings_its_session_to_a_good_end(tmp_path: Path) -> None:
    with on_a_line(build_wired(PROFILE)) as end, a_host_in_a_process(end, tmp_path) as (host, near):
        assert not serve(end, near, lambda: False)
        said, _ = host.communicate(timeout=PATIENCE_S)
    assert said.split() == ["completed", "True"]


# A host that is started again ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("dead_s", [1, 2, 4])
def test_a_host_started_again_does_not_keep_the_table_from_coming_back(phase: State, dead_s: int) -> None:
    with on_a_line(table_in(phase)) as end:
        watch = Watch(end.table)
        end.alone(1000 * dead_s, watch)
        end.table.each_ms.append(lambda _: watch())
        again = WireRig(end, people=False)
        end_ms = again.host.ms + BACK_MS
        while not watch.home and again.host.ms < end_ms:
            again.tick()
        assert watch.home, guard_of(end.table)
        assert watch.deepest_cdeg > watch.began_cdeg - 100
        assert end.table.truth().angle_cdeg > -LEVEL_CDEG
        last = again.run(3)
        # It tells what the guard tells, and arms nothing: silence is H17, commands that name no session are H18.
        assert {"H17", "H18"} & {cause.code for cause in last.decision.causes if cause.by == "guard"}
        assert last.decision.armed is None
        assert last.wish.state not in (*PHASES, State.STRAPPED)


def test_a_yanked_cable_is_told_in_words_and_nothing_resumes_when_it_is_back() -> None:
    with on_a_line(build_wired(PROFILE)) as end:
        rig = WireRig(end)
        rig.until(State.HOLDING)
        end.table.link.frames_stop = end.table.link.commands_lost = True
        rig.run(1)
        assert "nothing has come from" in str(rig.bridge.trouble)
        rig.run(4)
        end.table.link.frames_stop = end.table.link.commands_lost = False
        rig.run(1)
        assert rig.bridge.trouble is None
        rig.finish()
        outcome = rig.session.outcome()
    assert (outcome.result, outcome.at_level) == ("tripped", True)
    assert {"H17", "H18"} & {cause.code for cause in outcome.causes}
