"""`inversion-table journal`, as people and programs use it, on a recorded visit and on what is none."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from mcap.reader import make_reader

from config.loading import load_profile
from controller.app import main
from controller.journal import Journal, JournalError, find_journal
from controller.journal_mcap import schema_of, told
from controller.recording import read_trace, rows_of
from safety import judge
from safety.signals import Decision, Readings, Snapshot, Wish
from tests.journal.conftest import Visit
from tests.journal.recording import TABLE, WALL_MS
from tests.journal.test_failures import spoil


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["journal", *words])
    out, err = capsys.readouterr()
    return code, out, err


def ticks(visit: Visit) -> list[Snapshot]:
    with Journal(visit.journal) as journal:
        found = journal.visit(1)
    return visit.snapshots[found.first_tick - 1 : found.last_tick]


def test_list_has_date_plan_result_deepest_angle_and_trips(visit: Visit, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--state", str(visit.state))
    head, line = out.splitlines()
    assert code == 0
    assert head.split() == ["N", "began", "plan", "result", "deepest", "inverted", "trips"]
    assert line.split()[0] == "1"
    for words in ("short", "tripped", "−19.", "H04"):
        assert words in line
    code, out, _ = run(capsys, "list", "--state", str(visit.state), "--json")
    (entry,) = json.loads(out)["visits"]
    assert (entry["plan"], entry["result"], entry["trips"][0]) == ("short", "tripped", "H04")
    assert -21 < entry["deepest_deg"] < -19


def test_list_since_a_date_leaves_older_ones_out(visit: Visit, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal(visit.journal) as journal:
        began_ms = journal.visit(1).began_ms
        assert len(journal.visits(began_ms)) == 1
        assert journal.visits(began_ms + 1) == []
    code, out, _ = run(capsys, "list", "--state", str(visit.state), "--since", "2999-01-01")
    assert (code, "no visit since then" in out) == (0, True)
    assert "short" in run(capsys, "list", "--state", str(visit.state), "--since", "2d")[1]


def test_show_tells_what_happened_in_order_with_units(visit: Visit, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", "last", "--state", str(visit.state))
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "Visit 1: short, tripped"
    first = next(line for line in lines if "first H04" in line)
    assert "in holding" in first
    happened = lines[lines.index("  what happened") + 1 :]
    times = [line.split()[0] for line in happened if "+" in line.split()[0]]
    assert times == sorted(times)
    states = [line for line in happened if " state " in line]
    assert len(states) >= 5
    assert any("cap −20°" in line for line in happened)
    assert any("H04" in line or "strap" in line for line in happened if " cause " in line)


def test_show_as_json_has_every_event(visit: Visit, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "show", "1", "--state", str(visit.state), "--json")
    shown = json.loads(out)
    assert shown["ticks"] == len(ticks(visit))
    assert shown["missing"] == 0
    assert {"armed", "state", "cause", "demand"} <= {event["kind"] for event in shown["events"]}
    assert shown["events"][0]["wall_ms"] == WALL_MS


def test_draw_is_the_one_drawing(visit: Visit, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "visit.svg"
    assert run(capsys, "draw", "1", "--state", str(visit.state), "--out", str(out))[0] == 0
    svg = out.read_text(encoding="utf-8")
    assert svg == run(capsys, "draw", "1", "--state", str(visit.state))[1]
    for words in ("Visit 1: short, tripped", "emergency return", "H04", "cap −20°"):
        assert words in svg


def test_csv_is_the_trace_of_every_tick(visit: Visit, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "trace.csv"
    code, told_json, _ = run(capsys, "export", "1", "--csv", "--state", str(visit.state), "--out", str(out), "--json")
    assert (code, json.loads(told_json)["file"]) == (0, str(out))
    seen = ticks(visit)
    expected = list(rows_of(seen, [(None, None, "")] * len(seen)))
    rows = read_trace(out)
    assert rows[0].t_ms == 0
    assert [row[1:] for row in rows] == [row[1:] for row in expected]
    assert [row.t_ms for row in rows] == [row.t_ms - expected[0].t_ms for row in expected]


def test_mcap_opens_with_the_public_reader_and_has_every_tick_and_event(
    visit: Visit, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "visit.mcap"
    code, said, _ = run(capsys, "export", "1", "--mcap", "--state", str(visit.state), "--out", str(out), "--json")
    assert code == 0
    counts = json.loads(said)["messages"]
    seen = ticks(visit)
    # All of it is written, and the seconds around the trip are read.
    trip = next(place for place, one in enumerate(seen) if one.decision.causes)
    part = seen[trip - 300 : trip + 700]
    by_topic: dict[str, list[dict[str, Any]]] = {}
    times = []
    with out.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        assert summary is not None
        assert {schema.encoding for schema in summary.schemas.values()} == {"jsonschema"}
        assert summary.statistics is not None
        assert summary.statistics.message_count == sum(counts.values())
        with Journal(visit.journal) as journal:
            origin_ns = journal.clock_origin_ms(1, seen[0].number) * 1_000_000
        window = [origin_ns + one.t_ms * 1_000_000 for one in (part[0], part[-1])]
        for schema, channel, message in reader.iter_messages():
            assert schema is not None
            if not window[0] <= message.log_time <= window[1]:
                continue
            value = json.loads(message.data)
            properties = json.loads(schema.data)["properties"]
            assert set(value) <= set(properties)
            by_topic.setdefault(channel.topic, []).append(value)
            times.append(message.log_time)
        (about,) = [record.metadata for record in reader.iter_metadata()]
    assert counts["/trace"] == len(seen)
    for topic in ("/trace", "/readings", "/wish", "/decision", "/command", "/signals"):
        assert len(by_topic[topic]) == len(part)
    assert {"cause", "demand", "state"} <= {one["kind"] for one in by_topic["/event"]}
    assert [one["angle_a_cdeg"] for one in by_topic["/readings"]] == [one.readings.angle_a_cdeg for one in part]
    assert [one["demand"] for one in by_topic["/decision"]] == [one.decision.demand.name for one in part]
    assert times == sorted(times)
    assert times[-1] - times[0] == (part[-1].t_ms - part[0].t_ms) * 1_000_000
    assert about["plan"] == "short"


def plain(schema: dict[str, Any]) -> bool:
    """Whether a schema has plain types only: what readers of such files understand."""
    kind = schema["type"]
    if kind == "object":
        return all(plain(one) for one in schema["properties"].values())
    return plain(schema["items"]) if kind == "array" else kind in ("boolean", "integer", "number", "string")


@pytest.mark.parametrize("kind", [Readings, Wish, Decision])
def test_schemas_have_plain_types_only_and_unknown_values_are_left_out(kind: type[msgspec.Struct]) -> None:
    assert plain(schema_of(kind))
    assert "angle_a_cdeg" not in told(Readings(10), Readings)
    assert told(Readings(10, angle_a_cdeg=0), Readings)["angle_a_cdeg"] == 0


def test_plain_sqlite_reads_it(visit: Visit) -> None:
    with sqlite3.connect(f"file:{visit.journal}?mode=ro", uri=True) as connection:
        ((plan, result, deepest),) = connection.execute("SELECT plan, result, deepest_deg FROM visits_utc").fetchall()
        kinds = {kind for (kind,) in connection.execute("SELECT kind FROM events_utc")}
        ((count, last),) = connection.execute("SELECT sum(ticks), max(last_tick) FROM trace WHERE rest = 0").fetchall()
    connection.close()
    assert (plan, result) == ("short", "tripped")
    assert -21 < deepest < -19
    assert "armed" in kinds
    assert count == last == len(visit.snapshots)


def test_replay_says_that_nothing_changed(visit: Visit, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "replay", "1", "--state", str(visit.state))
    assert code == 0
    assert f"{len(ticks(visit))} ticks judged again, every decision as it was" in out
    _, out, _ = run(capsys, "replay", "1", "--state", str(visit.state), "--json")
    assert json.loads(out)["same"] is True


def test_replay_says_where_a_changed_judge_decides_otherwise(visit: Visit, capsys: pytest.CaptureFixture[str]) -> None:
    with patch.object(judge, "INVERTED_CDEG", -9000):
        code, out, _ = run(capsys, "replay", "1", "--state", str(visit.state))
    assert code == 3
    assert "would be decided otherwise today" in out
    assert "region was INVERTED, would be BELOW" in out


def test_replay_with_another_tables_limits(visit: Visit, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal(visit.journal) as journal:
        assert load_profile("simulated").limits() == journal.limits(1)
    code, out, _ = run(capsys, "replay", "1", "--state", str(visit.state), "--profile", "pi-gpio", "--json")
    found = json.loads(out)
    assert (code, found["same"]) == (3, False)
    assert found["differing"] > 1000
    assert found["first"][0]["changes"]["armed"]["today"] is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["show"], "say which visit"),
        (["show", "9"], "there is no visit 9 in"),
        (["show", "0"], '"0" is no visit'),
        (["show", "x"], '"x" is no visit'),
        (["list", "1"], "list takes no visit"),
        (["lisst"], "Did you mean list?"),
        (["draw", "1", "--csv"], "--csv goes with export"),
        (["export", "1"], "--csv or --mcap"),
        (["export", "1", "--csv", "--mcap"], "--csv or --mcap"),
        (["export", "1", "--mcap"], "say where to write the file"),
        (["show", "1", "--out", "x"], "writes no file"),
        (["list", "--since", "soon"], '"soon" is no date'),
        (["draw", "1", "--out", "/nowhere/at/all.svg"], "cannot be written"),
        (["export", "1", "--mcap", "--out", "/nowhere/at/all.mcap"], "cannot be written"),
        (["replay", "1", "--profile", "no-such"], "no-such"),
        (["list", "--journal", "other-table"], "there is no journal at"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    visit: Visit, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    code, out, err = run(capsys, *words, "--state", str(visit.state))
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1


def test_a_mistake_is_told_to_programs_too(visit: Visit, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "export", "1", "--csv", "--json", "--state", str(visit.state))
    assert code == 2
    assert "say where to write the file" in json.loads(out)["error"]


def test_without_a_journal_it_is_said_where_one_was_looked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "--state", str(tmp_path))
    assert code == 2
    assert str(tmp_path / "journal") in err
    assert "--state" in err


def test_of_several_journals_one_has_to_be_named(visit: Visit, tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    for name in ("one", "two", "one.damaged-20270101T000000Z"):
        shutil.copy(visit.journal, folder / f"{name}.sqlite3")
    with pytest.raises(JournalError, match=r"say which with --journal \(one, two\)"):
        find_journal(tmp_path)
    assert find_journal(tmp_path, "two") == folder / "two.sqlite3"
    assert find_journal(tmp_path, str(visit.journal)) == visit.journal
    (folder / "two.sqlite3").unlink()
    assert find_journal(tmp_path) == folder / "one.sqlite3"


def test_what_is_no_journal_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "diary.sqlite3"
    path.write_text("Dear diary\n" * 500)
    code, _, err = run(capsys, "--journal", str(path))
    assert (code, "damaged" in err) == (2, True)
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE holidays (day TEXT)")
    connection.close()
    code, _, err = run(capsys, "--journal", str(path))
    assert (code, "no journal of this program" in err) == (2, True)


def test_a_damaged_journal_is_said_and_never_a_traceback(
    visit: Visit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"{TABLE}.sqlite3"
    shutil.copy(visit.journal, path)
    spoil(path)
    for words in (["list"], ["show", "1"], ["draw", "1"], ["export", "1", "--csv"], ["replay", "1"]):
        code, _, err = run(capsys, *words, "--journal", str(path))
        if code:
            assert (code, "is damaged" in err, len(err.splitlines())) == (2, True, 1)
    assert run(capsys, "draw", "1", "--journal", str(path))[0] == 2


def test_help_teaches_every_action(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for words in ("list", "show", "draw", "export", "replay", "--since 7d", "exit codes"):
        assert words in out
