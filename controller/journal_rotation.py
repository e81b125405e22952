"""What leaves the journal: whatever is older than 90 days, and the oldest first when the file grows beyond its size.

A visit leaves whole or not at all. It is done in small steps while the table rests, never during a visit, and the file
grows smaller by it.
"""

import sqlite3
from typing import Final

DAYS: Final = 90
DAY_MS: Final = 86_400_000
LARGEST_BYTES: Final = 2_000_000_000
# Of the largest size: above the one the oldest goes, down to the other. The rest is room for the longest visit.
BEGINS, ENDS = 0.90, 0.85
# A step takes as long as a commit, so that the next visit's first second waits for nothing.
ROWS_A_STEP: Final = 100
PAGES_A_STEP: Final = 1_000


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return how much of the file holds something. Raises sqlite3.Error."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


class Rotation:
    """Takes the oldest out of a journal, a step at a time.

    Args:
        run: the present run's number, whose entry stays.
        largest_bytes: what the file may grow to.
    """

    def __init__(self, run: int, largest_bytes: int = LARGEST_BYTES) -> None:
        self.run = run
        self._largest_bytes = largest_bytes
        self._shrinking = False

    def step(self, connection: sqlite3.Connection, wall_ms: int | None) -> bool:
        """Take a little out; return whether there is more to do.

        `wall_ms` is the label of now, None where the clock cannot be trusted: then nothing is old.

        Raises:
            sqlite3.Error: nothing was taken out.
        """
        used = used_bytes(connection)
        if used > self._largest_bytes * BEGINS:
            self._shrinking = True
        elif used <= self._largest_bytes * ENDS:
            self._shrinking = False
        horizon_ms = None if wall_ms is None else wall_ms - DAYS * DAY_MS
        oldest = connection.execute(
            "SELECT run, first_tick, last_tick, wall_ms FROM trace ORDER BY wall_ms LIMIT 1"
        ).fetchone()
        if oldest is None or not (self._shrinking or (horizon_ms is not None and oldest[3] < horizon_ms)):
            self._give_back(connection)
            return False
        run, first, last, _ = oldest
        connection.execute("BEGIN IMMEDIATE")
        try:
            more = self._take_out(connection, run, first, last, None if self._shrinking else horizon_ms)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        _vacuum(connection, PAGES_A_STEP)
        return more

    def _take_out(
        self, connection: sqlite3.Connection, run: int, first: int, last: int, horizon_ms: int | None
    ) -> bool:
        """Take the visit out to which these ticks belong, or ticks that belong to none, as far as the next one.

        Returns false where that visit is not old enough as a whole: then nothing later is either.
        """
        visit = connection.execute(
            "SELECT visit, first_tick, last_tick, ended_ms FROM visits WHERE run = ? AND first_tick <= ? "
            "AND last_tick >= ? ORDER BY first_tick LIMIT 1",
            (run, last, first),
        ).fetchone()
        if visit is not None:
            number, from_tick, to_tick, ended_ms = visit
            if horizon_ms is not None and (ended_ms is None or ended_ms >= horizon_ms):
                return False
            connection.execute(
                "DELETE FROM trace WHERE run = ? AND first_tick <= ? AND last_tick >= ?", (run, to_tick, from_tick)
            )
            connection.execute("DELETE FROM visits WHERE visit = ?", (number,))
        else:
            following = connection.execute(
                "SELECT min(first_tick) FROM visits WHERE run = ? AND first_tick > ?", (run, last)
            ).fetchone()[0]
            connection.execute(
                "DELETE FROM trace WHERE rowid IN (SELECT rowid FROM trace WHERE run = ? AND last_tick < ? "
                "AND wall_ms < ? ORDER BY wall_ms LIMIT ?)",
                (run, following or 2**62, horizon_ms or 2**62, ROWS_A_STEP),
            )
        self._follow(connection, run)
        return True

    def _follow(self, connection: sqlite3.Connection, run: int) -> None:
        """Let what belonged to ticks that are gone go with them."""
        tick, t_ms = connection.execute("SELECT min(first_tick), min(t_ms) FROM trace WHERE run = ?", (run,)).fetchone()
        if tick is None and run != self.run:
            for table in ("events", "judged", "visits", "runs"):
                connection.execute(f"DELETE FROM {table} WHERE run = ?", (run,))
        elif tick is not None:
            connection.execute("DELETE FROM judged WHERE run = ? AND after_tick < ?", (run, tick - 1))
            connection.execute("DELETE FROM events WHERE run = ? AND t_ms < ?", (run, t_ms))

    @staticmethod
    def _give_back(connection: sqlite3.Connection) -> None:
        """Give free pages back to the disk."""
        if connection.execute("PRAGMA freelist_count").fetchone()[0]:
            _vacuum(connection, connection.execute("PRAGMA freelist_count").fetchone()[0])
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _vacuum(connection: sqlite3.Connection, pages: int) -> None:
    """Give up to so many free pages back. Only as a script does this pragma run to its end: it takes a step a page."""
    connection.executescript(f"PRAGMA incremental_vacuum({int(pages)})")
