"""What is old leaves the journal, visits whole, and the file shrinks; a wrong clock or a visit loses nothing."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.journal import Journal
from controller.journal_file import JournalFile
from controller.journal_keeping import Chunk, Pending, Remembered
from controller.journal_rotation import BEGINS, DAY_MS, DAYS, ENDS, PAGES_A_STEP, used_bytes
from controller.journal_text import listed
from controller.journal_visits import CUT_OFF, Visit
from controller.messages import Event
from tests.journal.recording import ABOUT, Recorded

CHANCE = random.Random(6)
NOW_MS = 1_800_000_000_000
OLD_MS = NOW_MS - (DAYS + 1) * DAY_MS
LARGEST = 2_000_000


def chunk(number: int, wall_ms: int, size: int) -> Chunk:
    first = 10 * number + 1
    return Chunk(first, first + 9, first * 10, first * 10 + 90, wall_ms, 10, False, CHANCE.randbytes(size))


def filled(file: JournalFile, began_ms: int, seconds: int, size: int = 2000, visit: range | None = None) -> None:
    """Write seconds of trace, with an event and the judge's state for each, and perhaps a visit over some of them."""
    # In one transaction, since each waits for the disk.
    pending = Pending()
    for number in range(seconds):
        wall_ms = began_ms + 1000 * number
        pending.chunks.append(chunk(number, wall_ms, size))
        pending.remembered.append(Remembered(10 * number, b"{}"))
        pending.events.append(Event(number + 1, 100 * number + 10, wall_ms, "state", "something"))
        if visit is not None and number == visit.stop - 1:
            pending.visits = [
                Visit(10 * visit.start + 1, began_ms, last_tick=10 * visit.stop, ended_ms=wall_ms, plan="short")
            ]
    file.write(pending)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[JournalFile]:
    file = JournalFile(tmp_path / "t.sqlite3", {**ABOUT, "boot": "one"}, OLD_MS, LARGEST)
    yield file
    file.close()


def count(path: Path, table: str) -> int:
    with Journal(path) as journal:
        return int(journal._one(f"SELECT count(*) FROM {table}")[0])


def turn(file: JournalFile, wall_ms: int | None) -> None:
    steps = 0
    while file.rotate(wall_ms):
        steps += 1
        assert steps < 1000, "a rotation has no end"


@pytest.mark.parametrize("written", [True, False], ids=["recorder", "power"])
def test_a_visit_that_had_not_ended_when_control_did_was_cut_off(opened: JournalFile, written: bool) -> None:
    opened.write(Pending([chunk(0, NOW_MS, 100)], visits=[Visit(1, NOW_MS, last_tick=10, plan="short")]))
    with Journal(opened.path) as journal:
        assert listed(journal.visits())[1].split()[4:6] == ["not", "ended"]
    if written:
        opened.end_run(NOW_MS + 5000, CUT_OFF)
    else:
        opened.close()
        after = JournalFile(opened.path, {**ABOUT, "boot": "after"}, NOW_MS + 99_000, LARGEST)
        after.write(Pending())
        after.close()
    with Journal(opened.path) as journal:
        (visit,) = journal.visits()
        assert journal.run(1).ending == CUT_OFF
    assert visit.result == CUT_OFF
    assert visit.ended_ms == (NOW_MS + 5000 if written else NOW_MS + 90)
    assert "cut off" in listed([visit])[1]


def test_what_is_older_than_ninety_days_goes_with_all_that_belongs_to_it(opened: JournalFile) -> None:
    filled(opened, OLD_MS, 300)
    opened.close()
    size = opened.path.stat().st_size
    now = JournalFile(opened.path, {**ABOUT, "boot": "two"}, NOW_MS, LARGEST)
    filled(now, NOW_MS - DAY_MS, 30)
    turn(now, NOW_MS)
    now.close()
    for table in ("trace", "events", "judged"):
        assert count(now.path, table) == 30
    assert count(now.path, "runs") == 1
    assert now.path.stat().st_size < size / 4


def test_nothing_goes_while_the_clock_cannot_be_trusted(opened: JournalFile) -> None:
    filled(opened, OLD_MS, 50)
    turn(opened, None)
    assert count(opened.path, "trace") == 50


def test_nothing_goes_that_is_ninety_days_old_or_younger(opened: JournalFile) -> None:
    filled(opened, NOW_MS - DAYS * DAY_MS, 50)
    turn(opened, NOW_MS)
    assert count(opened.path, "trace") == 50


def test_a_visit_goes_whole_or_not_at_all(opened: JournalFile) -> None:
    # Its first ten seconds are older than ninety days, its last ten are not.
    filled(opened, NOW_MS - DAYS * DAY_MS - 30_000, 100, visit=range(20, 40))
    turn(opened, NOW_MS)
    assert count(opened.path, "visits") == 1
    assert count(opened.path, "trace") == 80
    turn(opened, NOW_MS + 10_001)
    assert count(opened.path, "visits") == 0
    assert count(opened.path, "trace") <= 60


def test_beyond_its_size_the_oldest_goes_and_the_file_shrinks(opened: JournalFile) -> None:
    filled(opened, NOW_MS, 880, visit=range(5))
    assert used_bytes(opened.connection) > BEGINS * LARGEST
    turn(opened, NOW_MS)
    opened.close()
    assert opened.path.stat().st_size <= ENDS * LARGEST
    assert count(opened.path, "visits") == 0
    with Journal(opened.path) as journal:
        (first, last) = journal._one("SELECT min(first_tick), max(last_tick) FROM trace")
    assert first > 51
    assert last == 8800


def test_below_its_size_nothing_goes(opened: JournalFile) -> None:
    filled(opened, NOW_MS, 300)
    turn(opened, NOW_MS)
    assert count(opened.path, "trace") == 300


def test_a_step_takes_no_longer_than_a_commit(opened: JournalFile) -> None:
    filled(opened, OLD_MS, 500)
    assert opened.rotate(NOW_MS)
    assert count(opened.path, "trace") >= 400
    assert PAGES_A_STEP * 4096 < 5_000_000


def test_the_recorder_takes_out_what_is_old_while_the_table_rests_and_not_before(tmp_path: Path) -> None:
    old = JournalFile(tmp_path / "journal" / "sim-1.sqlite3", {**ABOUT, "boot": "old"}, OLD_MS, LARGEST)
    filled(old, OLD_MS, 155, size=12_000)
    old.close()
    before = count(old.path, "trace")
    with Recorded(tmp_path, largest_bytes=LARGEST) as recorded:
        recorded.feed(300, moving=True)
        recorded.until(lambda: recorded.link.committed >= 100)
        assert count(old.path, "trace") > before
        recorded.feed_until(lambda: count(old.path, "trace") < before // 2, 500, moving=False)
        recorded.until(lambda: recorded.link.ok)
    assert recorded.path.stat().st_size < 0.88 * LARGEST
