"""docs/journal.md tells the truth: every table and column, the sizes, and the few lines that read it elsewhere."""

import re
import sqlite3
import subprocess
import sys

from controller.journal_schema import APPLICATION_ID, SCHEMA, VERSION
from tests.journal.conftest import Visit
from tests.test_architecture import ROOT

PAGE = (ROOT / "docs/journal.md").read_text(encoding="utf-8")


def test_every_table_and_column_is_told() -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.executescript(SCHEMA)
        found = connection.execute(
            "SELECT m.name, p.name FROM sqlite_schema m, pragma_table_info(m.name) p WHERE m.type = 'table' "
            "AND m.name NOT LIKE 'sqlite_%'"
        ).fetchall()
        views = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")]
    connection.close()
    assert len(found) > 40
    sections = {match[1]: match[2] for match in re.finditer(r"\*\*`(\w+)`\*\*(.*?)(?=\n\*\*`|\Z)", PAGE, re.DOTALL)}
    assert [(table, column) for table, column in found if f"`{column}`" not in sections[table]] == []
    assert [view for view in views if f"**`{view}`**" not in PAGE] == []


def test_the_version_is_that_of_the_page() -> None:
    assert f"## The file, version {VERSION}" in PAGE
    assert f"0x{APPLICATION_ID:X}" in PAGE


def test_a_visit_takes_as_many_bytes_as_the_page_says(visit: Visit) -> None:
    told = re.search(r"takes (\d+) to (\d+) kB a minute", PAGE)
    assert told
    with sqlite3.connect(f"file:{visit.journal}?mode=ro", uri=True) as connection:
        (trace,) = connection.execute("SELECT sum(length(columns)) FROM trace").fetchone()
        (judged,) = connection.execute("SELECT sum(length(state)) FROM judged").fetchone()
        (events,) = connection.execute("SELECT sum(length(text) + length(figures) + 40) FROM events").fetchone()
    connection.close()
    a_minute = (trace + judged + events) / (len(visit.snapshots) / 6000)
    # Between them and the file lie half-filled pages, a tenth of it.
    assert int(told[1]) * 800 < a_minute < int(told[2]) * 1000


def test_what_the_page_says_of_ninety_days_is_right() -> None:
    told = re.search(r"takes \d+ to (\d+) kB a minute", PAGE)
    hours = re.search(r"90 days of (\w+) hours of visits a day fit into 2 GB", PAGE)
    assert told
    assert hours
    assert 90 * {"nine": 9}[hours[1]] * 60 * int(told[1]) * 1000 < 0.9 * 2e9


def test_the_lines_for_other_programs_read_it(visit: Visit) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert "sim-1.sqlite3" in code
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=visit.journal.parent, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    ticks = [int(line.split()[1]) for line in result.stdout.splitlines()]
    assert sum(ticks) == len(visit.snapshots)
