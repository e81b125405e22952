"""The subcommands `check`, `profiles` and `plans`: what they print where, and how they end."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from config import names
from config.errors import InversionTableError, UnknownNameError
from controller.commands.configuration import register
from tests.config.writing import PLAN, PROFILE, SCREENING, changed, save

ROOT = Path(__file__).resolve().parents[2]


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="inversion-table", allow_abbrev=False)
    register(made.add_subparsers(required=True))
    return made


def run(*arguments: str | Path) -> int:
    args = parser().parse_args([str(one) for one in arguments])
    code: int = args.run(args)
    return code


def test_right_files_are_named_for_what_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, profile = save(tmp_path, PLAN, "p.toml"), save(tmp_path, PROFILE, "t.toml")
    screening = save(tmp_path, SCREENING, "s.toml")
    assert run("check", plan, profile, screening) == 0
    out, err = capsys.readouterr()
    assert err == ""
    first, second, third = out.splitlines()
    assert first == (
        f"ok: {plan}: plan first-visit: 1 set of -20° for 60 s at 2°/s, rest 120 s; "
        "up to 92 s below -5° a set, about 5 min altogether"
    )
    assert second.startswith(f"ok: {profile}: profile simulated: in-process; -60° … 75°, up to 2°/s")
    assert third == f"ok: {screening}: screening list, version 1: 29 questions"


def test_every_mistake_of_every_file_is_told_and_the_right_ones_stay_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = save(tmp_path, changed(PLAN, {"angle_deg": -75.0, "hold_min": 20}), "wrong.toml")
    right = save(tmp_path, PLAN, "right.toml")
    assert run("check", wrong, tmp_path / "none.toml", right) == 2
    out, err = capsys.readouterr()
    assert out.startswith(f"ok: {right}: plan first-visit")
    assert err.splitlines() == [
        f"{wrong}: angle_deg = -75.0: is below the lowest allowed (allowed: -60 … -5 °)",
        f"{wrong}: hold_min: is no known key; did you mean hold_s (1 … 300 s)?",
        f"{tmp_path}/none.toml: there is no such file",
        "2 of 3 files cannot be used.",
    ]


def test_a_plan_is_held_against_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = save(tmp_path, changed(PROFILE, {"limits.cap_deg": -15.0}), "table.toml")
    plan = save(tmp_path, PLAN, "plan.toml")
    assert run("check", "--profile", "simulated", plan) == 0
    assert run("check", "--profile", table, plan, table) == 2
    _, err = capsys.readouterr()
    assert f"{plan}: angle_deg = -20: is deeper than the cap (allowed: -15 ° or less deep, this table's limit)" in err


def test_check_gives_one_json_object_and_nothing_else_on_stdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = save(tmp_path, changed(PLAN, {"hold_s": 1200}), "wrong.toml")
    right = save(tmp_path, PLAN, "right.toml")
    assert run("check", "--json", wrong, right) == 2
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "ok": False,
        "files": [
            {
                "file": str(wrong),
                "ok": False,
                "problems": [
                    {
                        "file": str(wrong),
                        "key": "hold_s",
                        "value": "1200",
                        "bound": "1 … 300 s",
                        "message": "is above the highest allowed",
                        "nearest": "",
                    }
                ],
            },
            {
                "file": str(right),
                "ok": True,
                "problems": [],
                "format": "inversion-table/plan@1",
                "name": "first-visit",
            },
        ],
    }
    assert "hold_s = 1200" in err


def test_the_plans_are_listed_with_their_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plans") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["first-visit", "short", "standard", "three-sets"]
    assert "3 sets of -30° for 180 s at 2°/s, rest 120 s" in lines[3]


def test_the_plans_are_listed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plans", "--json") == 0
    (first, *_) = json.loads(capsys.readouterr().out)["plans"]
    assert first["name"] == "first-visit"
    assert first["origin"] == "shipped"
    assert (first["angle_deg"], first["hold_s"], first["rest_s"], first["speed_deg_s"]) == (-20.0, 60, 120, 2.0)
    assert first["set_limit_s"] == first["planned_inverted_s"] + 10
    assert first["problems"] == []


SHIPPED = {"mega-serial": "serial", "pi-gpio": "gpio", "simulated": "in-process", "wire": "wire"}


def test_the_profiles_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("profiles") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(SHIPPED)
    for line, bridge in zip(lines, SHIPPED.values(), strict=True):
        assert f"{bridge}; -60° … 75°" in line
    assert run("profiles", "--json") == 0
    told = json.loads(capsys.readouterr().out)["profiles"]
    assert {one["name"]: one["bridge"] for one in told} == SHIPPED
    assert {(one["cap_deg"], one["boarding_deg"]) for one in told} == {(-60, 75)}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site's own folder with a right plan, a broken one, a hidden one, and a broken profile."""
    monkeypatch.setattr(names, "SITE", tmp_path)
    (tmp_path / "plans").mkdir()
    (tmp_path / "profiles").mkdir()
    save(tmp_path / "plans", changed(PLAN, {"name": "evening", "staged": {"step_deg": 5, "wait_s": 9}}), "evening.toml")
    save(tmp_path / "plans", changed(PLAN, {"hold_s": 1200}), "broken.toml")
    save(tmp_path / "plans", changed(PLAN, {"name": "short"}), "short.toml")
    (tmp_path / "profiles" / "b\x1broken.toml").write_bytes(b"\xff")
    return tmp_path


def test_a_sites_own_files_are_listed_too_and_broken_ones_are_told(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("plans") == 0
    out, err = capsys.readouterr()
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert "staged by 5° with 9 s between" in lines["evening"]
    assert "cannot be used  " in lines["broken"]
    assert f"see: inversion-table check {site}/plans/broken.toml" in lines["broken"]
    assert f"{site}/plans/short.toml: never found by name" in err
    assert run("profiles") == 0
    out, _ = capsys.readouterr()
    assert "b\\x1broken" in out
    assert "\x1b" not in out


def test_a_sites_own_files_are_in_the_json_with_their_problems(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plans", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["plans"]}
    assert rows["evening"]["staged"] == {"step_deg": 5.0, "wait_s": 9}
    assert rows["evening"]["origin"] == "site"
    assert rows["evening"]["file"] == f"{site}/plans/evening.toml"
    assert [problem["key"] for problem in rows["broken"]["problems"]] == ["name", "hold_s"]
    assert run("profiles", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["profiles"]) == len(SHIPPED) + 1


def test_a_plan_that_a_table_does_not_allow_is_listed_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = save(tmp_path, changed(PROFILE, {"limits.cap_deg": -30.0}), "table.toml")
    assert run("plans", "--profile", table) == 0
    told = {line.split()[0]: line.endswith("not on this table") for line in capsys.readouterr().out.splitlines()}
    assert told == {"first-visit": False, "short": False, "standard": True, "three-sets": False}
    assert run("plans", "--json", "--profile", table) == 0
    rows = {row["name"]: row["problems"] for row in json.loads(capsys.readouterr().out)["plans"]}
    assert [problem["key"] for problem in rows["standard"]] == ["angle_deg"]


@pytest.mark.parametrize("arguments", [["plans", "--profile", "simulat"], ["check", "--profile", "simulat", "x.toml"]])
def test_an_unknown_profile_is_refused(arguments: list[str]) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean simulated") as caught:
        run(*arguments)
    assert caught.value.exit_code == 2


def test_a_broken_profile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InversionTableError, match="is a directory"):
        run("plans", "--profile", f"{tmp_path}/")


@pytest.mark.parametrize("command", ["check", "profiles", "plans"])
def test_each_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(command, "--help")
    assert caught.value.code == 0
    assert f"example:\n  inversion-table {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["check"], ["check", "--jso", "x"], ["plans", "--prof", "simulated"], ["profiles", "x"]]
)
def test_a_mistake_in_the_arguments_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2
    assert "usage: inversion-table" in capsys.readouterr().err


def alone(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_registering_loads_nothing_heavy() -> None:
    code = (
        "import sys, controller.commands.configuration; print(sorted({'pydantic', 'config.plan'} & set(sys.modules)))"
    )
    assert alone(code).stdout == "[]\n"


def test_a_terminal_without_our_signs_gets_them_spelt_out() -> None:
    code = (
        "import argparse; from controller.commands.configuration import register\n"
        "p = argparse.ArgumentParser(); register(p.add_subparsers())\n"
        "a = p.parse_args(['check', 'config/plans/short.toml', 'none.toml']); print(a.run(a))"
    )
    result = alone(code, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert "-20\\xb0 for 10 s" in result.stdout
    assert result.stdout.endswith("2\n")
    assert "Traceback" not in result.stderr
