"""The recorder as the control process has it: nothing is lost, whoever is killed; and who is killed is said."""

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.journal import Journal, last_run
from controller.recorder import AGAIN, GONE, LATEST_MS, SLOW, STARTING
from controller.recorder_words import LONGEST_PACKET
from controller.replay import Replayed, replay
from safety.judged import INITIAL
from sim.pytest_plugin import Rig
from tests.journal.conftest import Visit
from tests.journal.recording import TABLE, Clock, Recorded, ended, event, tick
from tests.test_architecture import ROOT


def kept(path: Path, rest: bool = False) -> list[int]:
    """The numbers of the ticks in a journal's newest run."""
    with Journal(path) as journal:
        run = journal.last_run()
        assert run is not None
        stretches = journal.stretches(run.run.run, 1, 2**31, rest=rest)
        return [snapshot.number for stretch in stretches for snapshot in stretch.snapshots]


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Have a process hang; whatever comes of it, it goes on afterwards, or nobody would ever end it."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_nothing_is_well_before_the_recorder_has_begun(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    assert not recorded.link.ok
    assert recorded.link.trouble == STARTING
    recorded.until(lambda: recorded.link.ok)
    assert recorded.link.trouble == ""
    assert recorded.link.close()


def test_a_session_is_recorded_tick_by_tick(visit: Visit) -> None:
    with Journal(visit.journal) as journal:
        run = journal.last_run()
        assert run is not None
        assert journal.snapshots(run.run.run, 1, 2**31) == visit.snapshots
        assert run.left
        assert run.snapshot == visit.snapshots[-1]
        assert run.run.lost_ticks == 0
        (found,) = journal.visits()
    assert (found.plan, found.result, found.causes[0]) == ("short", "tripped", "H04")
    deepest = min(s.decision.angle_cdeg or 0 for s in visit.snapshots)
    assert found.deepest_cdeg == deepest
    assert found.ended_ms is not None


def test_ticks_are_committed_each_second_and_events_at_once(tmp_path: Path) -> None:
    with Recorded(tmp_path) as recorded:
        recorded.feed(251, events=[event(1), event(2)])
        recorded.until(lambda: recorded.link.committed_event == 2)
        recorded.until(lambda: recorded.link.committed >= 200)
        # The half second that is not full is written too when nothing more comes.
        recorded.until(lambda: recorded.link.committed == 251)
        with Journal(recorded.path) as journal:
            run = journal.last_run()
            assert run is not None
            assert (run.left, run.run.ending) == (False, "")


def test_a_tick_never_waits_for_a_recorder_that_hangs_and_what_is_too_much_is_counted(tmp_path: Path) -> None:
    clock = Clock()
    with Recorded(tmp_path, clock=clock) as recorded:
        link = recorded.link
        recorded.feed(101)
        recorded.until(lambda: link.committed >= 100)
        assert LATEST_MS <= 2000
        with stopped(link.worker_pid):
            recorded.feed(10)
            clock.ms += LATEST_MS
            recorded.feed(10)
            assert link.ok
            clock.ms += 1
            recorded.feed(10)
            assert link.trouble == SLOW
            recorded.feed(6000)
            assert link.lost > 2000
            recorded.feed(1, events=[event(1)])
        recorded.until(lambda: link.ok and link.committed_event == 1)
        lost = link.lost
    ticks = kept(recorded.path)
    assert len(ticks) + lost == recorded.ticks
    with Journal(recorded.path) as journal:
        assert journal.run(1).lost_ticks == lost


def test_a_worker_that_is_killed_is_started_again_and_nothing_is_missing(tmp_path: Path) -> None:
    with Recorded(tmp_path) as recorded:
        link = recorded.link
        for _ in range(2):
            recorded.feed(333)
            before = link.worker_pid
            os.kill(before, signal.SIGKILL)
            recorded.feed_until(lambda before=before: link.worker_pid != before and link.ok)  # type: ignore[misc]
            assert AGAIN in link.news()
        recorded.feed(7)
    assert kept(recorded.path) == list(range(1, recorded.ticks + 1))
    assert link.lost == 0


def test_a_control_process_that_leaves_just_after_its_worker_was_killed_leaves_nothing_out(tmp_path: Path) -> None:
    with Recorded(tmp_path) as recorded:
        link = recorded.link
        recorded.feed(380)
        recorded.until(lambda: link.committed >= 300)
        os.kill(link.worker_pid, signal.SIGKILL)
        recorded.feed(7)
        assert link.close("the test is over")
    assert kept(recorded.path) == list(range(1, 388))


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_fifty_kills_at_random_ticks_of_a_visit_leave_no_gap_and_no_tick_that_cannot_be_judged_again(
    tmp_path: Path,
) -> None:
    chance = random.Random(6)
    rig = Rig("standard", faults=["strap-opens@holding+5s"])
    rig.expect("*")
    loop = rig.session.loop
    with Recorded(tmp_path, limits=loop.limits) as recorded:
        link = recorded.link
        kills = set(chance.sample(range(100, 20_000), 50))
        while not rig.session.finished:
            snapshot = rig.session.tick()
            link.observe(snapshot, (), loop.judged)
            recorded.ticks = snapshot.number
            if snapshot.number in kills:
                # The one before may be dead still.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(link.worker_pid, signal.SIGKILL)
            if snapshot.number - link.committed > 500:
                recorded.until(lambda: recorded.ticks - link.committed < 300)
    assert link.lost == 0
    with Journal(recorded.path) as journal:
        assert journal.snapshots(1, 1, 2**31) == rig.snapshots
        result = replay(journal.stretches(1, 1, 2**31), journal.judged(1, 0, 2**31), journal.limits(1))
    assert result == Replayed(ticks=len(rig.snapshots))


def test_a_journal_is_readable_by_its_owner_only(visit: Visit) -> None:
    assert visit.journal.stat().st_mode & 0o077 == 0
    assert visit.journal.parent.stat().st_mode & 0o077 == 0


def test_a_parent_that_is_killed_is_followed_by_its_worker(tmp_path: Path) -> None:
    with Recorded(tmp_path) as recorded:
        link = recorded.link
        recorded.feed(150)
        worker = link.worker_pid
        os.kill(link.pid, signal.SIGKILL)
        recorded.feed_until(lambda: link.worker_pid != worker and link.ok)
        # The worker of then is the parent now: kill the new one, and there is a third.
        second = link.worker_pid
        os.kill(second, signal.SIGKILL)
        recorded.feed_until(lambda: link.worker_pid not in (worker, second) and link.ok)
        recorded.feed(23)
    assert kept(recorded.path) == list(range(1, recorded.ticks + 1))
    ended(worker, link.worker_pid)


def test_when_all_of_the_recorder_is_killed_it_is_said_and_what_was_committed_is_there(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    link = recorded.link
    recorded.until(lambda: link.ok)
    recorded.feed(300)
    recorded.until(lambda: link.committed >= 200)
    os.kill(link.pid, signal.SIGKILL)
    os.kill(link.worker_pid, signal.SIGKILL)
    recorded.feed_until(lambda: link.trouble == GONE)
    assert not link.ok
    assert not link.close()
    numbers = kept(recorded.path)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= link.committed


def host(state: Path) -> tuple[subprocess.Popen[str], int, int]:
    """A control process and the pids of its recorder."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.journal.host", str(state)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    parent, worker = process.stdout.readline().split()
    return process, int(parent), int(worker)


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def test_a_control_process_that_is_killed_leaves_a_journal_that_is_complete(tmp_path: Path) -> None:
    process, parent, worker = host(tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    end(process)
    ended(worker, parent)
    path = tmp_path / "journal" / f"{TABLE}.sqlite3"
    # What it had not handed over yet: less than ten ticks.
    assert kept(path) == list(range(1, 3051))
    found = last_run(tmp_path, TABLE)
    assert found is not None
    assert not found.left
    assert found.run.ending == "cut off"
    assert found.snapshot is not None
    assert found.snapshot.number == 3050


@pytest.mark.parametrize("first", ["control", "recorder"])
def test_when_everything_is_killed_at_once_what_was_committed_is_there(tmp_path: Path, first: str) -> None:
    process, parent, worker = host(tmp_path)
    assert process.stdout is not None
    committed = int(process.stdout.readline())
    for pid in (process.pid, parent, worker) if first == "control" else (parent, worker, process.pid):
        os.kill(pid, signal.SIGKILL)
    end(process)
    ended(worker, parent)
    path = tmp_path / "journal" / f"{TABLE}.sqlite3"
    numbers = kept(path)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= committed >= 1900
    found = last_run(tmp_path, TABLE)
    assert found is not None
    assert not found.left
    with Recorded(tmp_path):
        pass
    with Journal(path) as journal:
        assert journal.run(1).ending == "cut off"
        assert journal.run(2).ending == "left"


def test_what_a_killed_worker_had_not_read_is_written_by_the_next_one_though_control_is_dead_too(
    tmp_path: Path,
) -> None:
    process, parent, worker = host(tmp_path)
    assert process.stdout is not None
    assert process.stdin is not None
    committed = int(process.stdout.readline())
    os.kill(worker, signal.SIGSTOP)
    process.stdin.write("143\n")
    process.stdin.flush()
    assert process.stdout.readline() == "3200\n"
    end(process)
    os.kill(worker, signal.SIGKILL)
    ended(worker, parent)
    numbers = kept(tmp_path / "journal" / f"{TABLE}.sqlite3")
    assert set(range(1, committed + 1)) <= set(numbers)
    assert set(range(3061, 3201)) <= set(numbers)


def test_after_a_kill_at_rest_every_tick_can_be_judged_again_as_soon_as_the_next_worker_is_there(
    tmp_path: Path,
) -> None:
    with Recorded(tmp_path) as recorded:
        link = recorded.link
        recorded.feed_until(lambda: recorded.ticks >= 7500, 500, moving=False)
        recorded.until(lambda: link.committed == 7500)
        worker = link.worker_pid
        os.kill(worker, signal.SIGKILL)
        recorded.feed_until(lambda: link.worker_pid != worker and link.ok, moving=False)
        again = recorded.ticks
        recorded.feed(30, moving=False)
        recorded.feed(200)
    with Journal(recorded.path) as journal:
        known = journal.judged_before(1, again + 31)
        assert known is not None
        assert known >= 7500
        result = replay(journal.stretches(1, known + 1, 2**31), journal.judged(1, known, known), journal.limits(1))
    assert result.ticks >= 200
    assert result.unreachable == 0


def test_signals_for_a_whole_terminal_do_not_end_the_recorder(tmp_path: Path) -> None:
    with Recorded(tmp_path) as recorded:
        for pid in (recorded.link.pid, recorded.link.worker_pid):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(pid, number)
        recorded.feed(300)
        recorded.until(lambda: recorded.link.committed >= 200)
        assert recorded.link.news() == []
        assert os.getsid(recorded.link.pid) != os.getsid(0)


def test_closing_waits_until_everything_is_written_and_leaves_no_process(tmp_path: Path) -> None:
    with Recorded(tmp_path) as recorded:
        recorded.feed(1234)
        assert recorded.link.close("the end")
        assert recorded.link.close("the end")
    ended(recorded.link.pid, recorded.link.worker_pid)
    assert kept(recorded.path) == list(range(1, 1235))
    found = last_run(tmp_path, TABLE)
    assert found is not None
    assert found.left


def test_a_run_before_this_one_is_found_and_none_where_there_is_no_journal(tmp_path: Path) -> None:
    assert last_run(tmp_path, TABLE) is None


def test_what_is_longer_than_a_packet_is_counted_and_stands_in_nobodys_way(tmp_path: Path) -> None:
    with Recorded(tmp_path) as recorded:
        recorded.feed(9)
        recorded.feed(1, events=[event(1, "x" * LONGEST_PACKET)])
        assert recorded.link.lost == 10
        recorded.feed(250)
        recorded.until(lambda: recorded.link.committed >= 110 and recorded.link.ok)


def test_ten_ticks_with_every_cause_there_is_are_shorter_than_a_packet() -> None:
    import msgspec

    from controller.recorder_words import Batch
    from safety.signals import Alarm, Cause, Demand

    causes = tuple(
        Cause(f"H{number:02}", Demand.RETURN, Alarm.MEDIUM, 99999, 99999, "cdeg prescribed") for number in range(1, 37)
    )
    full = msgspec.structs.replace(tick(1).decision, causes=causes, refusals=causes)
    ticks = tuple(msgspec.structs.replace(tick(number), decision=full) for number in range(1, 11))
    judged = msgspec.json.encode(INITIAL)
    assert len(msgspec.msgpack.encode(Batch(ticks, 0, 0, (), 10, judged))) < LONGEST_PACKET // 2
