"""Writing the journal: one transaction at a time, whatever stands in the way set aside, and what is old taken out.

A `JournalFile` keeps nothing to itself: what it was given is on the disk when `write` returns. Only the recorder's own
process uses it. Errors: `WriteError`, with a sentence on what is wrong and what to do.
"""

import contextlib
import errno
import os
import sqlite3
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from controller.journal_keeping import Pending
from controller.journal_rotation import Rotation
from controller.journal_schema import NotOursError, open_to_write, whole
from controller.journal_visits import CUT_OFF, Visit

DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# What SQLite says goes wrong, and what somebody can do about it.
SENTENCES: Final[dict[int, str]] = {
    sqlite3.SQLITE_FULL: "there is no room left: free some space on that disk",
    sqlite3.SQLITE_READONLY: "it is read-only: give this program's user the right to write there",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: see that the folder exists and this program's user may write there",
    sqlite3.SQLITE_PERM: "this program's user may not use it: give it the right to",
    sqlite3.SQLITE_BUSY: "another program keeps it locked: end that program",
    sqlite3.SQLITE_LOCKED: "another program keeps it locked: end that program",
    sqlite3.SQLITE_IOERR: "the disk does not take it: see whether it is full or failing",
}
# A file that was whole yesterday is read through once at a start, if that does not take long.
READ_THROUGH_BYTES: Final = 64_000_000

_encode = msgspec.json.Encoder().encode


class WriteError(Exception):
    """Nothing can be written now; the text is a sentence for people."""


class JournalFile:
    """The journal of one table, open for writing.

    Args:
        path: of the file; its folder is made.
        about: what is known of this run; `boot` tells it from others, `limits` has what it is judged by.
        wall_ms: the label of the run's beginning, milliseconds since 1970.
        largest_bytes: the file never grows beyond this.

    Attributes:
        run: this run's number in the file.
        tick, event: the newest of this run that are in it.
        open_visit: the visit of this run that had not ended, or None.
        said: sentences for people on what was found; whoever tells them empties it.
    """

    def __init__(self, path: Path, about: Mapping[str, Any], wall_ms: int, largest_bytes: int) -> None:
        self.path = path
        self.run = 0
        self.tick = self.event = 0
        self.open_visit: Visit | None = None
        self.said: list[str] = []
        self._about = dict(about)
        self._wall_ms = wall_ms
        self._largest_bytes = largest_bytes
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self._begun = False
        self._rotation: Rotation | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        """The open file. Raises WriteError where it cannot be opened now."""
        if self._connection is not None:
            if self._inode == _inode_of(self.path):
                return self._connection
            self._say(f"the journal {self.path} was taken away while it was written; a new one is begun")
            self.close()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = self._opened()
        except (OSError, sqlite3.Error) as error:
            raise self._trouble(error) from error
        self._inode = _inode_of(self.path)
        try:
            self._begin_run()
        except sqlite3.Error as error:
            raise self._trouble(error) from error
        return self._connection

    def write(self, pending: Pending) -> None:
        """Put everything on the disk, in one transaction.

        Raises:
            WriteError: nothing of it was written; it may be tried again.
        """
        connection = self.connection
        numbers = [visit.number for visit in pending.visits]
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._insert(connection, pending)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            for visit, number in zip(pending.visits, numbers, strict=True):
                visit.number = number
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise self._trouble(error) from error

    def end_run(self, wall_ms: int, ending: str) -> None:
        """Say that the run is over, and with it a visit that had not ended. Raises WriteError."""
        connection = self.connection
        try:
            connection.execute("UPDATE runs SET ended_ms = ?, ending = ? WHERE run = ?", (wall_ms, ending, self.run))
            connection.execute(
                "UPDATE visits SET ended_ms = ?, result = ? WHERE run = ? AND ended_ms IS NULL",
                (wall_ms, CUT_OFF, self.run),
            )
        except sqlite3.Error as error:
            raise self._trouble(error) from error

    def rotate(self, wall_ms: int | None) -> bool:
        """Take a little of what is old out; return whether there is more to do. See `Rotation.step`.

        Raises:
            WriteError: nothing was taken out.
        """
        connection = self.connection
        if self._rotation is None or self._rotation.run != self.run:
            self._rotation = Rotation(self.run, self._largest_bytes)
        try:
            return self._rotation.step(connection, wall_ms)
        except sqlite3.Error as error:
            raise self._trouble(error) from error

    def close(self) -> None:
        """Let the file go; doing so twice is allowed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    # ------------------------------------------------------------------------------------------------------------------

    def _opened(self) -> sqlite3.Connection:
        """Open the file; whatever is in its place and cannot be used is set aside, and said."""
        for _ in range(2):
            try:
                connection = open_to_write(self.path, self._largest_bytes)
                if self._begun or self.path.stat().st_size > READ_THROUGH_BYTES or whole(connection):
                    return connection
                connection.close()
                self._set_aside("damaged", f"{self.path.name} is damaged")
            except NotOursError as error:
                self._set_aside(error.what, str(error))
            except sqlite3.DatabaseError as error:
                if _code(error) not in DAMAGED:
                    raise
                self._set_aside("damaged", f"{self.path.name} is damaged")
        return open_to_write(self.path, self._largest_bytes)

    def _set_aside(self, what: str, why: str) -> None:
        """Give the file, and what belongs to it, a name that says what it is. Raises OSError."""
        label = datetime.fromtimestamp(self._wall_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
        stem = f"{self.path.stem}.{what}-{label}"
        number = 1
        while (aside := self.path.with_name(f"{stem}{'' if number == 1 else f'-{number}'}.sqlite3")).exists():
            number += 1
        self.path.rename(aside)
        for end in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                self.path.with_name(self.path.name + end).rename(aside.with_name(aside.name + end))
        self._begun = False
        self._say(f"{why}: it is kept as {aside.name}, and a new journal is begun")

    def _say(self, sentence: str) -> None:
        if sentence not in self.said:
            self.said.append(sentence)

    def _begin_run(self) -> None:
        """Find this run in the file, or enter it; earlier ones that never ended were cut off. Raises sqlite3.Error."""
        connection = self._connection
        assert connection is not None
        about = self._about
        found = connection.execute("SELECT run FROM runs WHERE boot = ?", (about["boot"],)).fetchone()
        connection.execute("BEGIN IMMEDIATE")
        if found is None:
            self.run = connection.execute(
                "INSERT INTO runs (boot, began_ms, table_id, profile, guard, program, limits, about) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING run",
                (
                    about["boot"],
                    self._wall_ms,
                    *(str(about.get(key, "")) for key in ("table_id", "profile", "guard", "program")),
                    _encode(about.get("limits", {})).decode(),
                    _encode({key: value for key, value in about.items() if key != "limits"}).decode(),
                ),
            ).fetchone()[0]
        else:
            self.run = found[0]
        _close_earlier(connection, self.run)
        connection.execute("COMMIT")
        self.tick = _number(connection, "SELECT max(last_tick) FROM trace WHERE run = ?", self.run)
        self.event = _number(connection, "SELECT max(number) FROM events WHERE run = ?", self.run)
        self.open_visit = _open_visit(connection, self.run)
        self._begun = True

    def _insert(self, connection: sqlite3.Connection, pending: Pending) -> None:
        run = self.run
        for chunk in pending.chunks:
            connection.execute(
                "DELETE FROM trace WHERE run = ? AND rest = ? AND first_tick >= ? AND last_tick <= ?",
                (run, chunk.rest, chunk.first, chunk.last),
            )
            connection.execute(
                "INSERT INTO trace VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(run, chunk.rest, chunk.first, chunk.last),
                    *(chunk.t_ms, chunk.until_ms, chunk.wall_ms, chunk.ticks, chunk.data),
                ),
            )
        for tick, judged in pending.remembered:
            connection.execute("INSERT OR REPLACE INTO judged VALUES (?, ?, ?)", (run, tick, zlib.compress(judged)))
        for event in pending.events:
            connection.execute(
                "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(run, event.number, event.t_ms, event.wall_ms, event.kind),
                    *(event.text, event.code, event.by, _encode(event.values).decode()),
                ),
            )
        for visit in pending.visits:
            self._put_visit(connection, visit)
        if pending.lost is not None:
            connection.execute("UPDATE runs SET lost_ticks = ? WHERE run = ?", (pending.lost, run))

    def _put_visit(self, connection: sqlite3.Connection, visit: Visit) -> None:
        values = (
            *(self.run, visit.began_ms, visit.ended_ms, visit.first_tick, visit.last_tick),
            *(visit.plan, visit.person, visit.result, visit.end_reason, visit.sets),
            *(visit.deepest_cdeg, visit.inverted_ms, "+".join(visit.causes)),
        )
        if (
            visit.number
            and connection.execute(
                "UPDATE visits SET (run, began_ms, ended_ms, first_tick, last_tick, plan, person, result, end_reason, "
                "sets, deepest_cdeg, inverted_ms, causes) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE visit = ?",
                (*values, visit.number),
            ).rowcount
        ):
            return
        cursor = connection.execute(f"INSERT INTO visits VALUES (NULL{', ?' * len(values)})", values)
        visit.number = cursor.lastrowid or 0

    def _trouble(self, error: OSError | sqlite3.Error) -> WriteError:
        """Return what people are told; a damaged file is set aside at once, so that the next try begins anew."""
        self.close()
        if isinstance(error, OSError):
            if error.errno == errno.ENOSPC:
                why = SENTENCES[sqlite3.SQLITE_FULL]
            else:
                why = f"{error.strerror or error}: see that the folder can be used by this program's user"
            return WriteError(f"the journal cannot be written to {self.path.parent}: {why}")
        code = _code(error)
        if code in DAMAGED:
            try:
                self._set_aside("damaged", f"{self.path.name} is damaged")
            except OSError as failed:
                return WriteError(f"{self.path} is damaged and cannot be set aside ({failed.strerror or failed})")
            return WriteError(self.said[-1])
        return WriteError(f"the journal {self.path} cannot be written: {SENTENCES.get(code, str(error))}")


def _code(error: sqlite3.Error) -> int:
    """The primary result code; what Python itself raises has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _inode_of(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 once a second, and a Path takes longer
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _number(connection: sqlite3.Connection, query: str, run: int) -> int:
    return int(connection.execute(query, (run,)).fetchone()[0] or 0)


def _open_visit(connection: sqlite3.Connection, run: int) -> Visit | None:
    row = connection.execute(
        "SELECT first_tick, began_ms, visit, last_tick, ended_ms, plan, person, result, end_reason, deepest_cdeg, "
        "inverted_ms, sets, causes FROM visits WHERE run = ? AND ended_ms IS NULL ORDER BY visit DESC LIMIT 1",
        (run,),
    ).fetchone()
    if row is None:
        return None
    visit = Visit(*row[:12])
    visit.causes = row[12].split("+") if row[12] else []
    # Only ARM tells the plan.
    visit.armed = visit.plan != ""
    return visit


def _close_earlier(connection: sqlite3.Connection, run: int) -> None:
    """Runs before this one that never said that they end were cut off: they end with the last that is known of them."""
    last = "(SELECT max(wall_ms + until_ms - t_ms) FROM trace WHERE trace.run = {0}.run)"
    connection.execute(
        f"UPDATE visits SET ended_ms = coalesce({last.format('visits')}, began_ms), result = ? "
        "WHERE run < ? AND ended_ms IS NULL",
        (CUT_OFF, run),
    )
    connection.execute(
        f"UPDATE runs SET ended_ms = coalesce({last.format('runs')}, began_ms), ending = ? "
        "WHERE run < ? AND ended_ms IS NULL",
        (CUT_OFF, run),
    )
