"""A disk that takes nothing, a journal that is damaged or bound else's: said at once, and recovered where it can be."""

import os
import random
import resource
import shutil
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from controller.journal import Journal
from controller.journal_file import JournalFile
from controller.journal_keeping import Pending
from controller.journal_rotation import LARGEST_BYTES
from controller.journal_schema import APPLICATION_ID
from tests.journal.recording import ABOUT, TABLE, WALL_MS, Recorded, ended, event
from tests.journal.test_recorder import kept


@contextmanager
def file_limit(pid: int, size: int) -> Iterator[None]:
    """Let a process write no file beyond a size, as a full disk would."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


def test_a_full_disk_is_said_and_nothing_is_missing_when_there_is_room_again(tmp_path: Path) -> None:
    with Recorded(tmp_path) as recorded:
        link = recorded.link
        recorded.feed(300)
        recorded.until(lambda: link.committed >= 200)
        with file_limit(link.worker_pid, 4096):
            recorded.feed(300, events=[event(1)])
            recorded.until(lambda: "cannot be written" in link.trouble)
            assert not link.ok
            assert str(recorded.path) in link.trouble
            recorded.feed(500)
            assert not link.ok
        recorded.feed_until(lambda: link.ok and link.committed_event == 1)
        assert link.trouble == ""
    assert link.lost == 0
    assert kept(recorded.path) == list(range(1, recorded.ticks + 1))


def test_a_journal_that_has_its_largest_size_says_that_there_is_no_room(tmp_path: Path) -> None:
    empty = JournalFile(tmp_path / "empty.sqlite3", {**ABOUT, "boot": "one"}, WALL_MS, LARGEST_BYTES)
    empty.write(Pending())
    empty.close()
    largest = empty.path.stat().st_size + 2 * 4096
    with Recorded(tmp_path, largest_bytes=largest) as recorded:
        recorded.feed_until(lambda: "no room left" in recorded.link.trouble, 200)
        assert not recorded.link.ok
        assert not recorded.path.stat().st_size > largest
        before = recorded.link.committed
        recorded.feed(200)
        assert recorded.link.committed == before
        assert not recorded.link.close(within_s=0.2)
        assert "no room left" in recorded.link.trouble
        for pid in (recorded.link.pid, recorded.link.worker_pid):
            os.kill(pid, signal.SIGKILL)
    numbers = kept(recorded.path)
    assert numbers == list(range(1, numbers[-1] + 1))
    assert numbers[-1] >= before


def test_a_folder_that_cannot_be_made_is_said_and_used_as_soon_as_it_can(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    recorded = Recorded(tmp_path)
    link = recorded.link
    recorded.feed_until(lambda: str(tmp_path / "journal") in link.trouble)
    assert not link.ok
    recorded.feed(200)
    (tmp_path / "journal").unlink()
    recorded.feed_until(lambda: link.ok)
    assert link.close()
    assert kept(recorded.path) == list(range(1, recorded.ticks + 1))


@pytest.fixture
def bound(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A state folder, and a recorder for whom a folder that is read-only is read-only, also where all this is root."""
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("root may write everywhere, and there is no setpriv")
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nexec {setpriv} --bounding-set=-dac_override {sys.executable} "$@"\n')
        python.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(python))
    return tmp_path


def test_a_read_only_folder_is_said_and_used_as_soon_as_it_may_be(bound: Path) -> None:
    folder = bound / "journal"
    folder.mkdir()
    folder.chmod(0o555)
    recorded = Recorded(bound)
    link = recorded.link
    recorded.feed_until(lambda: "may write there" in link.trouble)
    assert not link.ok
    folder.chmod(0o755)
    recorded.feed_until(lambda: link.ok)
    assert link.close()
    assert kept(recorded.path) == list(range(1, recorded.ticks + 1))


def test_a_read_only_journal_is_said_and_used_as_soon_as_it_may_be(bound: Path) -> None:
    with Recorded(bound) as before:
        before.feed(100)
    before.path.chmod(0o444)
    recorded = Recorded(bound)
    link = recorded.link
    recorded.feed_until(lambda: "read-only" in link.trouble)
    assert not link.ok
    for file in before.path.parent.iterdir():
        file.chmod(0o644)
    recorded.feed_until(lambda: link.ok)
    assert link.close()
    assert kept(recorded.path) == list(range(1, recorded.ticks + 1))


def spoil(path: Path) -> None:
    """Write random bytes over half of a file's pages, the first one left as it is."""
    chance = random.Random(6)
    with path.open("r+b") as file:
        for page in range(1, path.stat().st_size // 4096, 2):
            file.seek(4096 * page)
            file.write(chance.randbytes(4096))


def other_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE holidays (day TEXT)")
    connection.close()


def other_version(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 7")
        connection.execute("CREATE TABLE runs (what TEXT)")
    connection.close()


def damaged(path: Path) -> None:
    with Recorded(path.parent.parent) as before:
        before.feed(2000)
    spoil(path)


@pytest.mark.parametrize(
    ("make", "name", "words"),
    [
        (damaged, "damaged", "is damaged"),
        (lambda path: path.write_bytes(random.Random(6).randbytes(50_000)), "damaged", "is damaged"),
        (lambda path: path.write_text("Dear diary\n" * 100), "damaged", "is damaged"),
        (other_database, "foreign", "another program's database"),
        (other_version, "version-7", "has version 7, and this program writes 1"),
    ],
    ids=["pages", "noise", "text", "database", "version"],
)
def test_what_stands_in_the_journals_place_is_set_aside_and_a_new_one_begun(
    tmp_path: Path, make: object, name: str, words: str
) -> None:
    path = tmp_path / "journal" / f"{TABLE}.sqlite3"
    path.parent.mkdir()
    assert callable(make)
    make(path)
    before = path.read_bytes()
    with Recorded(tmp_path) as recorded:
        recorded.feed(200)
        (said,) = recorded.link.news()
    assert words in said
    (aside,) = path.parent.glob(f"{TABLE}.{name}-*.sqlite3")
    assert aside.name in said
    assert aside.read_bytes() == before
    assert kept(path) == list(range(1, 201))


def test_a_journal_that_is_damaged_while_it_is_written_is_set_aside_and_the_run_goes_on_in_a_new_one(
    tmp_path: Path,
) -> None:
    with Recorded(tmp_path) as recorded:
        link = recorded.link
        recorded.feed(1500, events=[event(1)])
        recorded.until(lambda: link.committed >= 1400)
        worker = link.worker_pid
        with sqlite3.connect(recorded.path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        spoil(recorded.path)
        os.kill(worker, 9)
        ended(worker)
        recorded.feed_until(lambda: link.ok and link.worker_pid != worker)
        assert any("is damaged" in one for one in link.news())
        recorded.feed(300, events=[event(2)])
        recorded.until(lambda: link.committed_event == 2)
    numbers = kept(recorded.path)
    assert numbers == list(range(numbers[0], recorded.ticks + 1))
    assert numbers[0] <= 1501


def test_a_journal_that_is_taken_away_while_it_is_written_is_begun_anew(tmp_path: Path) -> None:
    with Recorded(tmp_path) as recorded:
        recorded.feed(300)
        recorded.until(lambda: recorded.link.committed >= 200)
        for file in recorded.path.parent.iterdir():
            file.unlink()
        recorded.feed_until(lambda: recorded.path.exists() and recorded.link.ok)
        (said,) = recorded.link.news()
        assert "taken away" in said
        recorded.feed(200)
        recorded.until(lambda: recorded.link.committed >= recorded.ticks - 110)
    assert kept(recorded.path)[-1] == recorded.ticks


def test_two_runs_at_once_keep_their_ticks_apart(tmp_path: Path) -> None:
    with Recorded(tmp_path) as one, Recorded(tmp_path) as other:
        for _ in range(5):
            one.feed(100)
            other.feed(60)
    with Journal(one.path) as journal:
        assert len(journal.snapshots(1, 1, 9999)) == 500
        assert len(journal.snapshots(2, 1, 9999)) == 300
