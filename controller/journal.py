"""Reading a journal: which visits there were, what happened in them, and every tick that was kept.

The file may be written meanwhile. Nothing here changes it, and nothing here is used in a tick.
Errors: `JournalError` (an `InversionTableError` and a `ValueError`), with what to do about it.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import msgspec

from config.errors import InversionTableError
from config.limits import Limits
from controller.journal_chunks import ChunkError, columns_of, unpack
from controller.journal_schema import APPLICATION_ID, VERSION
from controller.journal_visits import CUT_OFF
from safety.signals import Snapshot

MOST_TICKS_A_CHUNK = 10_000
FOLDER = "journal"


class JournalError(InversionTableError, ValueError):
    """A journal that is not there or cannot be read, or has not what was asked for."""

    exit_code = 2


class RunEntry(NamedTuple):
    """One run of the control process. `ending` is `left`, `cut off`, or empty while it goes on; labels are UTC ms."""

    run: int
    boot: str
    began_ms: int
    ended_ms: int | None
    ending: str
    table_id: str
    profile: str
    guard: str
    program: str
    lost_ticks: int


class VisitEntry(NamedTuple):
    """One visit; `causes` are the codes of what stopped the table or brought it back, the first one first."""

    number: int
    run: int
    began_ms: int
    ended_ms: int | None
    first_tick: int
    last_tick: int
    plan: str
    person: str
    result: str
    end_reason: str
    sets: int
    deepest_cdeg: int | None
    inverted_ms: int
    causes: tuple[str, ...]


class EventEntry(NamedTuple):
    """One event; `who` did it, `figures` has what was measured."""

    number: int
    t_ms: int
    wall_ms: int
    kind: str
    text: str
    code: str
    who: str
    figures: Mapping[str, Any]


class Stretch(NamedTuple):
    """Ticks in order without a gap between them, and which of their columns were recorded."""

    snapshots: list[Snapshot]
    columns: frozenset[str]


class LastRun(NamedTuple):
    """What a new control process finds of the one before it (H29).

    `left` says that it left as it should; otherwise it was killed or lost its power, and `snapshot` is the newest tick
    that reached the disk. `visit` is the one that had not ended then.
    """

    run: RunEntry
    left: bool
    snapshot: Snapshot | None
    visit: VisitEntry | None


class Journal:
    """One journal, open for reading; a context manager.

    Raises:
        JournalError: it is not there, is no journal of this version, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        """Open it, and see what it is."""
        self.path = path
        if not path.is_file():
            raise JournalError(f"there is no journal at {path}")
        self._connection = self._opened()
        (application,) = self._one("PRAGMA application_id")
        (version,) = self._one("PRAGMA user_version")
        if application != APPLICATION_ID:
            self.close()
            raise JournalError(f"{path} is a database, but no journal of this program")
        if version != VERSION:
            self.close()
            raise JournalError(
                f"{path} has version {version}, and this program reads {VERSION}; use the program of then"
            )

    def __enter__(self) -> Self:
        """Open it is already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let it go."""
        self.close()

    def close(self) -> None:
        """Let it go; doing so twice is allowed."""
        self._connection.close()

    def run(self, number: int) -> RunEntry:
        """Return one run. Raises JournalError."""
        row = self._one(
            "SELECT run, boot, began_ms, ended_ms, ending, table_id, profile, guard, program, lost_ticks FROM runs "
            "WHERE run = ?",
            number,
        )
        return RunEntry(*row)

    def visits(self, since_ms: int = 0) -> list[VisitEntry]:
        """Return the visits that began at or after `since_ms`, the oldest first. Raises JournalError."""
        rows = self._all(f"SELECT {_VISIT} FROM visits WHERE began_ms >= ? ORDER BY visit", since_ms)
        return [_visit(row) for row in rows]

    def visit(self, number: int) -> VisitEntry:
        """Return one visit by its number. Raises JournalError."""
        rows = self._all(f"SELECT {_VISIT} FROM visits WHERE visit = ?", number)
        if rows:
            return _visit(rows[0])
        first, last = self._one("SELECT min(visit), max(visit) FROM visits")
        there = f"there are {first} … {last}" if first else "there is none yet"
        raise JournalError(f"there is no visit {number} in {self.path}: {there}; see inversion-table journal list")

    def events(self, visit: VisitEntry) -> list[EventEntry]:
        """Return what happened in a visit, in order. Raises JournalError."""
        # What begins a visit is said just before its first tick.
        clock, first = "t_ms", self._tick_ms(visit.run, max(1, visit.first_tick - 1))
        last = self._tick_ms(visit.run, visit.last_tick)
        if first is None or last is None:
            # Ticks were lost there: then by the labels, which may have jumped.
            clock, first = "wall_ms", visit.began_ms
            last = 2**62 if visit.ended_ms is None else visit.ended_ms
        rows = self._all(
            "SELECT number, t_ms, wall_ms, kind, text, code, who, figures FROM events WHERE run = ? AND "
            f"{clock} BETWEEN ? AND ? ORDER BY number",
            *(visit.run, first, last),
        )
        return [EventEntry._make((*row[:7], _figures(row[7]))) for row in rows]

    def stretches(self, run: int, first: int, last: int, *, rest: bool = False) -> Iterator[Stretch]:
        """Yield the ticks `first` … `last` of a run, in order, as far as they were kept at full rate.

        With `rest` those few that were kept while the table rested instead. Raises JournalError.
        """
        due = first
        for number, ticks, data in self._rows(
            "SELECT first_tick, ticks, columns FROM trace WHERE run = ? AND rest = ? AND last_tick >= ? "
            "AND first_tick <= ? ORDER BY first_tick",
            *(run, int(rest), first, last),
        ):
            if not 0 < ticks <= MOST_TICKS_A_CHUNK:
                raise self._damaged(f"tick {number}: {ticks} ticks in one row")
            try:
                columns, snapshots = columns_of(data), unpack(data, ticks)
            except ChunkError as error:
                raise self._damaged(f"tick {number}: {error}") from error
            inside = [snapshot for snapshot in snapshots if due <= snapshot.number <= last]
            if inside:
                due = inside[-1].number + 1
                yield Stretch(inside, frozenset(columns))

    def snapshots(self, run: int, first: int, last: int) -> list[Snapshot]:
        """Return the ticks `first` … `last` of a run, as far as they were kept. Raises JournalError."""
        return [snapshot for stretch in self.stretches(run, first, last) for snapshot in stretch.snapshots]

    def trace(self, visit: VisitEntry) -> list[Snapshot]:
        """Return the ticks of a visit on a clock that begins with its first one. Raises JournalError."""
        snapshots = self.snapshots(visit.run, visit.first_tick, visit.last_tick)
        replace = msgspec.structs.replace
        return [replace(snapshot, t_ms=snapshot.t_ms - snapshots[0].t_ms) for snapshot in snapshots]

    def clock_origin_ms(self, run: int, tick: int) -> int:
        """Return the label, in ms since 1970, of the run's `t_ms` 0, as it was at a tick. Raises JournalError."""
        rows = self._all(
            "SELECT wall_ms - t_ms FROM trace WHERE run = ? AND last_tick >= ? ORDER BY first_tick LIMIT 1", run, tick
        )
        return int(rows[0][0]) if rows else self.run(run).began_ms

    def judged_before(self, run: int, tick: int) -> int | None:
        """Return after which tick the judge's state was kept last, before `tick`. Raises JournalError."""
        (found,) = self._one("SELECT max(after_tick) FROM judged WHERE run = ? AND after_tick < ?", run, tick)
        return None if found is None else int(found)

    def judged(self, run: int, first: int, last: int) -> dict[int, bytes]:
        """Return the judge's state just after ticks `first` … `last` of a run, as JSON. Raises JournalError."""
        rows = self._all(
            "SELECT after_tick, state FROM judged WHERE run = ? AND after_tick BETWEEN ? AND ?", run, first, last
        )
        try:
            return {int(tick): zlib.decompress(state) for tick, state in rows}
        except zlib.error as error:
            raise self._damaged(f"the judge's state ({error})") from error

    def limits(self, run: int) -> Limits:
        """Return the limits by which a run was judged. Raises JournalError."""
        (text,) = self._one("SELECT limits FROM runs WHERE run = ?", run)
        try:
            if len(msgspec.json.decode(text)) == 0:
                raise ValueError("none were recorded")
            return msgspec.json.decode(text, type=Limits)
        except (msgspec.DecodeError, ValueError) as error:
            raise JournalError(f"the limits of run {run} in {self.path} are not known here ({error})") from error

    def last_run(self) -> LastRun | None:
        """Return the newest run and the last that is known of it; None without any. Raises JournalError."""
        rows = self._all("SELECT max(run) FROM runs")
        if rows[0][0] is None:
            return None
        run = self.run(rows[0][0])
        (last,) = self._one("SELECT max(last_tick) FROM trace WHERE run = ?", run.run)
        newest = None
        for rest in (False, True):
            for stretch in self.stretches(run.run, last or 1, last or 0, rest=rest):
                newest = stretch.snapshots[-1]
        visits = [
            _visit(row) for row in self._all(f"SELECT {_VISIT} FROM visits WHERE run = ? ORDER BY visit", run.run)
        ]
        cut = visits[-1] if visits and (visits[-1].ended_ms is None or visits[-1].result == CUT_OFF) else None
        return LastRun(run, run.ending == "left", newest, cut)

    # ------------------------------------------------------------------------------------------------------------------

    def _opened(self) -> sqlite3.Connection:
        where = f"file:{quote(str(self.path.absolute()))}"
        try:
            connection = sqlite3.connect(f"{where}?mode=ro", uri=True, timeout=2.0)
            connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
        except sqlite3.OperationalError as error:
            # A folder that cannot be written to has no room for what readers share; nothing in it changes either.
            log = self.path.with_name(f"{self.path.name}-wal")
            if log.exists() and log.stat().st_size:
                raise JournalError(
                    f"{self.path} cannot be read ({error}); copy it elsewhere, with its -wal file"
                ) from error
            connection = sqlite3.connect(f"{where}?immutable=1", uri=True)
        except sqlite3.DatabaseError as error:
            raise self._damaged(str(error)) from error
        return connection

    def _tick_ms(self, run: int, tick: int) -> int | None:
        """When a tick was, on the run's own clock; None where it was not kept."""
        for stretch in self.stretches(run, tick, tick):
            return stretch.snapshots[0].t_ms
        return None

    def _rows(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._connection.execute(query, values)
        except sqlite3.Error as error:
            raise self._damaged(str(error)) from error

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return list(self._rows(query, *values))

    def _one(self, query: str, *values: object) -> tuple[Any, ...]:
        rows = self._all(query, *values)
        if not rows:
            raise self._damaged("an entry is missing")
        return rows[0]

    def _damaged(self, why: str) -> JournalError:
        return JournalError(
            f"the journal {self.path} is damaged ({why}); keep a copy, and take out what is whole with: "
            f"sqlite3 {self.path} .recover"
        )


_VISIT = ", ".join("visit" if name == "number" else name for name in VisitEntry._fields)


def _visit(row: tuple[Any, ...]) -> VisitEntry:
    return VisitEntry._make((*row[:-1], tuple(row[-1].split("+")) if row[-1] else ()))


def _figures(text: str) -> Mapping[str, Any]:
    try:
        figures = json.loads(text)
    except ValueError:
        return {}
    return figures if isinstance(figures, dict) else {}


def find_journal(state: Path, which: str | None = None) -> Path:
    """Return the journal that is meant: `which` is a file or a table's id; without it the only one there is.

    Raises:
        JournalError: there is none, or more than one to choose from.
    """
    if which is not None:
        path = Path(which)
        return path if path.suffix == ".sqlite3" or path.is_file() else state / FOLDER / f"{which}.sqlite3"
    found = sorted(path for path in (state / FOLDER).glob("*.sqlite3") if "." not in path.stem)
    if len(found) == 1:
        return found[0]
    if not found:
        raise JournalError(
            f"there is no journal in {state / FOLDER}: nothing was recorded there yet. A control process writes one; "
            "name its state folder with --state, or a file with --journal"
        )
    names = ", ".join(path.stem for path in found)
    raise JournalError(f"there are {len(found)} journals in {state / FOLDER}: say which with --journal ({names})")


def last_run(state: Path, table_id: str) -> LastRun | None:
    """Return what the journal of a table tells of the run before this one; None where there is no journal yet.

    To be asked before the recorder of the new run is started. Raises JournalError.
    """
    path = state / FOLDER / f"{table_id}.sqlite3"
    if not path.exists():
        return None
    with Journal(path) as journal:
        return journal.last_run()
