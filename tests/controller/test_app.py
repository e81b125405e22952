"""The command line as people and scripts meet it: sessions and their files, help, defects, foreign names."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.loading import load_profile
from controller import places
from controller.app import PACKAGES, foreign_names, main
from controller.commands.session_end import finish
from controller.recording import read_trace
from firmware_bridge.guard_build import guard_library
from safety.signals import Snapshot, State
from sim.supervisor import Supervisor
from tests.controller.running import COMMAND, SHORT, AShortSession, Command, send

# A session from its first line to its files.


def test_a_session_completes_and_leaves_result_trace_and_picture(command: Command, tmp_path: Path) -> None:
    ran = command(*SHORT, "--json", "--out", str(tmp_path / "one"))
    assert ran.code == 0
    result = json.loads(ran.out)
    assert (result["result"], result["plan"], result["guard"], result["truth"]) == (
        *("completed", "short", "host build" if guard_library() else "absent", "plant"),
    )
    assert result["files"] == {"trace": "trace.csv", "picture": "session.svg"}
    assert result["final_deg"] == pytest.approx(-0.5, abs=0.5)
    assert json.loads((tmp_path / "one/result.json").read_text(encoding="utf-8")) == result
    rows = read_trace(tmp_path / "one/trace.csv")
    assert rows[-1].true_angle_cdeg == round(100 * result["final_deg"])
    assert min(row.true_angle_cdeg or 0 for row in rows) == round(100 * result["deepest_deg"])
    assert (tmp_path / "one/session.svg").read_text(encoding="utf-8").endswith("</svg>\n")
    assert "short on simulated: completed as planned." in ran.err
    assert str(tmp_path / "one") in ran.err
    assert "\x1b" not in ran.err
    states = [line.split()[1] for line in ran.err.splitlines() if line[:2] == " 0" or ":" in line[:3]]
    assert states == ["idle", "strapped", "tilting", "holding", "returning", "resting", "idle"]


def test_one_seed_gives_equal_bytes(command: Command, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert command(*SHORT, "--seed", "5", "--out", str(tmp_path / name)).code == 0
    for file in ("trace.csv", "session.svg", "result.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_fault_ends_the_session_with_its_cause_value_and_limit(command: Command) -> None:
    ran = command(*SHORT, "--json", "--fault", "strap-opens@holding+5s")
    assert ran.code == 3
    result = json.loads(ran.out)
    assert (result["result"], result["end_reason"]) == ("tripped", "strap")
    first = result["trips"][0]
    assert (first["code"], first["first"], first["demand"], first["state"]) == ("H04", True, "RETURN", "holding")
    assert first["value"] > first["limit"]
    assert "HIGH H04: Both ankle straps open" in ran.err
    trace = (ran.folder / "runs/short-0/trace.csv").read_text(encoding="utf-8")
    assert ",strap-opens," in trace


def test_a_patient_left_below_level_is_exit_7_with_what_to_do(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def walk_away(supervisor: Supervisor, _snapshot: Snapshot, _now_ms: int) -> None:
        supervisor.leave()

    monkeypatch.setattr(Supervisor, "_mend", walk_away)
    ran = command(*SHORT, "--fault", "both-angles-lost@holding+3s", "--json")
    assert ran.code == 7
    assert json.loads(ran.out)["final_deg"] < -10
    assert "THE PATIENT IS NOT AT LEVEL" in ran.err
    assert load_profile("simulated").manual_return_text in " ".join(ran.err.split())


def test_the_patients_own_button_ends_a_session_as_a_person_does(command: Command) -> None:
    ran = command(*SHORT, "--fault", "patient-presses@holding+2s", "--json")
    assert ran.code == 6
    assert (json.loads(ran.out)["result"], json.loads(ran.out)["end_reason"]) == ("stopped", "patient button")


def test_a_refusal_tells_every_reason_and_moves_nothing(command: Command) -> None:
    ran = command(*SHORT, "--fault", "clock-wrong@idle", "--json")
    assert ran.code == 4
    result = json.loads(ran.out)
    assert result["result"] == "refused"
    assert "H28" in [one["code"] for one in result["refusals"]]
    assert result["deepest_deg"] > -1
    assert "H28: The computer's clock cannot be trusted" in ran.err


def test_each_run_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    names = [places.run_folder(None, tmp_path, "short", 3).name for _ in range(3)]
    assert names == ["short-3", "short-3-2", "short-3-3"]


def test_state_is_where_it_is_said_first(tmp_path: Path) -> None:
    told = {"STATE_DIRECTORY": "/var/lib/one:/var/lib/two", "INVERSION_TABLE_STATE": "/three"}
    assert places.state_folder("/zero", told) == Path("/zero")
    assert places.state_folder(None, told) == Path("/var/lib/one")
    assert places.state_folder(None, {"INVERSION_TABLE_STATE": "/three"}) == Path("/three")
    assert places.state_folder(None, {}).name == "inversion-table"


# Help.


def test_help_and_version_end_well(command: Command) -> None:
    assert "usage: inversion-table" in command("--help").out
    assert command("--version").out.startswith("inversion-table 0.")


@pytest.mark.parametrize("name", ["session", "check", "profiles", "plans", "faults"])
def test_every_commands_help_has_an_example(command: Command, name: str) -> None:
    ran = command(name, "--help")
    assert ran.code == 0
    assert f"inversion-table {name}" in ran.out.partition("example")[2]


def test_help_loads_nothing_that_is_slow() -> None:
    code = "import sys; from controller.app import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr.split()
    assert "controller.app" in loaded
    assert not {"pydantic", "rich", "reportlab", "transitions", "msgspec", "sim", "platformdirs"} & set(loaded)


def test_the_faults_are_listed_for_people_and_programs(command: Command) -> None:
    faults = json.loads(command("faults", "--json").out)
    named = {fault["name"]: fault for fault in faults}
    assert named["strap-opens"]["hazard"] == "H04"
    assert isinstance(named["strap-opens"]["parameters"], dict)
    told = command("faults").out
    assert all(name in told for name in named)


# Defects.


def break_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_args: argparse.Namespace) -> int:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("controller.commands.faults.run_faults", broken)


def test_a_defect_is_one_sentence_and_a_file_with_its_traceback(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it(monkeypatch)
    ran = command("faults")
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1
    assert "ZeroDivisionError: planted" in ran.err
    file = Path(ran.err.rsplit(" ", 1)[1].strip())
    assert file.parent == ran.folder / "defects"
    assert "raise ZeroDivisionError" in file.read_text(encoding="utf-8")


def test_a_defect_where_no_state_can_be_kept_is_told_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    break_it(monkeypatch)
    monkeypatch.setenv("INVERSION_TABLE_STATE", "/dev/null/state")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["faults"]) == 1
    assert len(list(tmp_path.glob("defect-*.txt"))) == 1
    assert str(tmp_path) in capsys.readouterr().err


def test_a_disk_that_fills_up_loses_files_and_not_the_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def full(path: Path, _text: str) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("controller.places.write_whole", full)
    ran = AShortSession({State.IDLE: send("SIGINT")})
    profile = load_profile("simulated")
    args = argparse.Namespace(json=True, seed=0)
    code = finish(args, ran.session, ran.table, ran.recorder, tmp_path, ran.asked_by, profile, "in-process")
    said = capsys.readouterr()
    assert code == 6
    assert json.loads(said.out)["files"] == {}
    assert "trace.csv could not be written" in said.err
    assert "No space left on device" in said.err


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        places.write_whole(tmp_path / "x", "\ud800")
    places.write_whole(tmp_path / "y", "whole")
    assert (tmp_path / "y").read_text(encoding="utf-8") == "whole"
    assert not (tmp_path / "x").exists()


def test_our_names_lead_to_our_files() -> None:
    assert foreign_names() == []


@pytest.mark.parametrize("name", [name for name in PACKAGES if name != "controller"])
def test_a_foreign_package_of_our_name_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ran = subprocess.run([COMMAND, "plans"], capture_output=True, text=True, env=environment, check=False)
    assert ran.returncode == 2
    assert f'the name "{name}" leads to {tmp_path / name}' in ran.stderr
    assert "Traceback" not in ran.stderr
