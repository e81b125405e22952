"""The journal's SQLite file: its tables in plain columns, its version, and how one is opened for writing.

docs/journal.md tells them for whoever reads the file with something else. Labels (`wall_ms`, `began_ms`, `ended_ms`)
are milliseconds since 1970; `t_ms` is the run's own monotonic clock.
"""

import sqlite3
from pathlib import Path
from typing import Final

VERSION: Final = 1
"""`PRAGMA user_version`: raised whenever a reader of the older one would go wrong."""
APPLICATION_ID: Final = 0x49544A31
"""`PRAGMA application_id`: "ITJ1"."""
PAGE_BYTES: Final = 4096
# What SQLite waits for another connection's lock; a reader never holds one for longer than a page takes.
BUSY_S: Final = 2.0

SCHEMA: Final = """
CREATE TABLE runs (
  run INTEGER PRIMARY KEY,
  boot TEXT NOT NULL UNIQUE,
  began_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  ending TEXT NOT NULL DEFAULT '',
  table_id TEXT NOT NULL DEFAULT '',
  profile TEXT NOT NULL DEFAULT '',
  guard TEXT NOT NULL DEFAULT '',
  program TEXT NOT NULL DEFAULT '',
  lost_ticks INTEGER NOT NULL DEFAULT 0,
  limits TEXT NOT NULL DEFAULT '{}',
  about TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE visits (
  visit INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL REFERENCES runs,
  began_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  first_tick INTEGER NOT NULL,
  last_tick INTEGER NOT NULL,
  plan TEXT NOT NULL,
  person TEXT NOT NULL,
  result TEXT NOT NULL,
  end_reason TEXT NOT NULL,
  sets INTEGER NOT NULL,
  deepest_cdeg INTEGER,
  inverted_ms INTEGER NOT NULL,
  causes TEXT NOT NULL
);
CREATE INDEX visits_of_run ON visits (run, first_tick);
CREATE TABLE events (
  run INTEGER NOT NULL REFERENCES runs,
  number INTEGER NOT NULL,
  t_ms INTEGER NOT NULL,
  wall_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  code TEXT NOT NULL,
  who TEXT NOT NULL,
  figures TEXT NOT NULL,
  PRIMARY KEY (run, number)
) WITHOUT ROWID;
CREATE TABLE trace (
  run INTEGER NOT NULL REFERENCES runs,
  rest INTEGER NOT NULL,
  first_tick INTEGER NOT NULL,
  last_tick INTEGER NOT NULL,
  t_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  wall_ms INTEGER NOT NULL,
  ticks INTEGER NOT NULL,
  columns BLOB NOT NULL,
  PRIMARY KEY (run, rest, first_tick)
);
CREATE INDEX trace_by_age ON trace (wall_ms);
CREATE TABLE judged (
  run INTEGER NOT NULL REFERENCES runs,
  after_tick INTEGER NOT NULL,
  state BLOB NOT NULL,
  PRIMARY KEY (run, after_tick)
) WITHOUT ROWID;
CREATE VIEW visits_utc AS
  SELECT visit, datetime(began_ms / 1000, 'unixepoch') AS began_utc, (ended_ms - began_ms) / 1000 AS lasted_s, plan,
    result, end_reason, deepest_cdeg / 100.0 AS deepest_deg, inverted_ms / 1000 AS inverted_s, causes, person, run
  FROM visits;
CREATE VIEW events_utc AS
  SELECT run, number, strftime('%Y-%m-%d %H:%M:%f', wall_ms / 1000.0, 'unixepoch') AS utc, t_ms, kind, code, who, text,
    figures
  FROM events;
"""


class NotOursError(Exception):
    """The file in the journal's place is none of this version; `what` is a word for its new name."""

    def __init__(self, what: str, sentence: str) -> None:
        self.what = what
        super().__init__(sentence)


def open_to_write(path: Path, largest_bytes: int) -> sqlite3.Connection:
    """Open the journal for writing, made anew where there is none or an empty one.

    What is in the way is looked at: another program's file, another version's, or a damaged one.

    Raises:
        NotOursError: it has to be set aside first.
        sqlite3.Error: it cannot be opened, read or written now.
    """
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path, largest_bytes)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, largest_bytes: int) -> None:
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if tables == 0:
        # These two hold only for a file that is still empty.
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    else:
        _known(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # A rotation leaves a long write-ahead log behind; it is cut back to this.
    connection.execute("PRAGMA journal_size_limit = 8000000")
    connection.execute(f"PRAGMA max_page_count = {max(1, largest_bytes // PAGE_BYTES)}")
    if tables == 0:
        connection.executescript(
            f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {VERSION}; COMMIT;"
        )


def _known(connection: sqlite3.Connection, path: Path) -> None:
    """See that the file is a journal of this version. Raises NotOursError."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION_ID:
        raise NotOursError("foreign", f"{path.name} is another program's database")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != VERSION:
        raise NotOursError(
            f"version-{version}", f"{path.name} has version {version}, and this program writes {VERSION}"
        )


def whole(connection: sqlite3.Connection) -> bool:
    """Whether SQLite finds nothing wrong with the file; it reads all of it: about 0.3 s for 100 MB."""
    return connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"  # type: ignore[no-any-return]
