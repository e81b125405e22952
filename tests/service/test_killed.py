"""kill -9 at any tick, of control, of its recorder, or of both: the patient reaches level, the journal is whole.

The table and the control process run in virtual time, the recorder is a process of its own and is really killed. What
a killed control process leaves behind is made here as the kernel makes it: its ends of its sockets are closed, and no
line of it runs any more. Whole processes are killed in `test_process.py`.
"""

import os
import random
import signal
from pathlib import Path
from typing import NamedTuple

import pytest

from controller import startup
from controller.journal import Journal
from controller.replay import Replayed, replay
from safety.signals import Region
from tests.journal.recording import TABLE, Recorded, ended
from tests.journal.test_service import Both
from tests.service.rig import LIMITS, Rig

pytestmark = pytest.mark.needs("cc")

WHO = ("control", "recorder", "worker", "both")
LONGEST_S = 165
SECOND = 100
EVER = 2**31


class Life(NamedTuple):
    """One run of the control process: its table, its recorder, and its number in the journal."""

    rig: Rig
    recorded: Recorded
    run: int

    def die(self) -> None:
        """Leave as a process does that is killed: its sockets are closed."""
        for button in list(self.rig.table.hands.held()):
            self.rig.table.hands.release(button)
        self.recorded.link._line.close()
        self.recorded.link._process.returncode = 0


def alive(state: Path, run: int, before: Rig | None = None) -> Life:
    """Begin as a control process does: read what the last run left, then start the recorder."""
    cut_off, _ = startup.unfinished(state, TABLE)
    assert cut_off or before is None or before.true_deg > -1
    rig = Rig(guard=True) if before is None else Rig(table=before.table, unfinished=cut_off, salt=run * 1_000_000)
    recorded = Recorded(state, limits=LIMITS).__enter__()
    Both(rig, recorded)
    return Life(rig, recorded, run)


def kill_recorder(life: Life, all_of_it: bool) -> None:
    link = life.recorded.link
    pids = (link.pid, link.worker_pid) if all_of_it else (link.worker_pid,)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    ended(*pids)


def watch_it_come_back(life: Life, depth_deg: float) -> None:
    """What HAZARDS says of H29: watched, no lease renewed, no deeper, to level."""
    rig = life.rig
    rig.forward(0.2)
    # So little below level it may be home before anybody looks.
    if rig.true_deg < -1.3:
        assert {"H29", "H17"} & set(rig.codes()), rig.codes()
    end_ms = rig.table.clock.ms + 60_000
    lowest_deg = rig.true_deg
    while not (rig.snapshot.decision.region in (Region.LEVEL, Region.ABOVE) and rig.snapshot.decision.still):
        seen = rig.tick()
        assert seen.decision.command.session_id == 0
        assert seen.decision.command.arm is None
        lowest_deg = min(lowest_deg, rig.true_deg)
        assert rig.table.clock.ms < end_ms, "the patient did not come to level"
    assert lowest_deg > depth_deg - 1.2
    assert -1 < rig.true_deg < 25


@pytest.mark.parametrize(
    "seed", [*range(30), *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(30, 200))]
)
def test_killed_at_any_tick_the_patient_reaches_level_and_the_journal_is_whole(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    who = WHO[seed % len(WHO)]
    first = alive(tmp_path, 1)
    first.rig.forward(1)
    assert first.rig.offer().ok
    first.rig.come()
    first.rig.forward(dice.uniform(0.05, LONGEST_S))
    killed_at, depth_deg = first.rig.snapshot.number, min(first.rig.true_deg, 0)
    link = first.recorded.link
    # Virtual time is faster than any disk: what is a second old there has been written.
    first.recorded.until(lambda: link.committed >= killed_at - SECOND - 10)
    if who == "worker":
        before = link.worker_pid
        kill_recorder(first, all_of_it=False)
        first.rig.forward(3)
        first.recorded.until(lambda: link.worker_pid != before and link.ok)
        first.rig.forward(3)
        assert "H33" not in first.rig.codes()
        killed_at = first.rig.snapshot.number
        depth_deg = min(first.rig.true_deg, depth_deg)
        first.recorded.until(lambda: link.committed >= killed_at - SECOND - 10)
    elif who == "recorder":
        # H33 lets the set end, and no further one begin; then control dies too.
        kill_recorder(first, all_of_it=True)
        first.rig.forward(2.5)
        assert not link.ok
        assert first.rig.service.state.records
        depth_deg = min(first.rig.true_deg, depth_deg)
    pids = (link.pid, link.worker_pid)
    if who == "both":
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    first.die()
    ended(*pids)
    first.rig.table.forward_alone(round(1000 * dice.choice((0.0, 0.3, dice.uniform(0, 10)))))
    second = alive(tmp_path, 2, first.rig)
    try:
        watch_it_come_back(second, depth_deg)
        assert second.recorded.link.close("the test is over")
    finally:
        second.recorded.link.close()
    with Journal(second.recorded.path) as journal:
        numbers = [snapshot.number for snapshot in journal.snapshots(1, 1, EVER)]
        assert numbers == list(range(1, len(numbers) + 1)), "ticks are missing"
        assert len(numbers) >= killed_at - SECOND - 20
        assert journal.snapshots(1, 1, EVER) == first.rig.records.snapshots[: len(numbers)]
        assert journal.snapshots(2, 1, EVER) == second.rig.records.snapshots
        for run in (1, 2):
            result = replay(journal.stretches(run, 1, EVER), journal.judged(run, 0, EVER), LIMITS)
            assert result == Replayed(ticks=len(journal.snapshots(run, 1, EVER)))
