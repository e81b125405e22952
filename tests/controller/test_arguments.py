"""Mistakes on the command line and in files: one clear message each, exit code 2, nothing moved."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from config.errors import UsageError
from controller import places
from tests.controller.running import SHORT, Command


def plan_with(tmp_path: Path, old: str, new: str) -> str:
    """A copy of the shipped plan with one line changed."""
    text = (Path(places.__file__).parent.parent / "config/plans/first-visit.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new).replace('"first-visit"', '"mine"'), encoding="utf-8")
    return str(path)


def file_of(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    return str(path)


BAD_PLANS: dict[str, tuple[Callable[[Path], str], str]] = {
    "an unknown key": (lambda at: plan_with(at, "hold_s", "hald_s"), "hald_s"),
    "minus 75 degrees": (lambda at: plan_with(at, "angle_deg = -20", "angle_deg = -75"), "-75"),
    "20 minutes": (lambda at: plan_with(at, "hold_s = 60", "hold_s = 1200"), "1200"),
    "a missing file": (lambda at: str(at / "none.toml"), "none.toml"),
    "not TOML": (lambda at: file_of(at, b"this is { not TOML"), "mine.toml"),
    "an empty file": (lambda at: file_of(at, b""), "mine.toml"),
    "random bytes": (lambda at: file_of(at, bytes(range(256))), "mine.toml"),
    "a directory": (str, "directory"),
    "an unknown name": (lambda _: "first-visitt", "Did you mean first-visit?"),
}


@pytest.mark.parametrize(("make", "word"), BAD_PLANS.values(), ids=BAD_PLANS)
@pytest.mark.parametrize("option", ["--plan", "--profile"])
def test_a_bad_file_is_told_in_one_message(
    command: Command, tmp_path: Path, option: str, make: Callable[[Path], str], word: str
) -> None:
    ran = command("session", "--fast", option, make(tmp_path))
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("inversion-table: ")
    if option == "--plan":
        assert word in ran.err
    assert not ran.folder.exists()


BAD_WORDS = {
    "an unknown fault": (["--fault", "strap-opnes@3s"], "did you mean strap-opens"),
    "a fault at no time": (["--fault", "strap-opens@never"], "neither a time such as 40s nor a state"),
    "a fault between ticks": (["--fault", "strap-opens@0.003s"], "10 ms"),
    "a fault without a moment": (["--fault", "strap-opens"], "when it comes"),
    "a seed that is none": (["--seed", "-1"], "is no seed"),
    "a speed that is none": (["--speed", "quick"], "is no number"),
    "a speed of nothing": (["--speed", "0"], "lies outside"),
    "speed and fast": (["--speed", "3", "--fast"], "not allowed with"),
    "half a name": (["--pla", "short"], "did you mean --plan"),
    "an unknown part of a patient": (["--patient", "mass=3"], "did you mean mass_kg"),
    "a patient without a number": (["--patient", "mass_kg=heavy"], "is no number"),
    "a patient that is not a number": (["--patient", "mass_kg=nan"], "no number that a body can have"),
    "a patient beyond the plant": (["--patient", "mass_kg=900"], "20 … 250"),
    "a patient given twice": (["--patient", "mass_kg=70,mass_kg=80"], "twice"),
    "an unknown way to the table": (["--table", "usb"], "no table is called"),
    "a place for files that is none": (["--out", "/dev/null/x"], "nothing can be written to /dev/null/x"),
}


@pytest.mark.parametrize(("words", "told"), BAD_WORDS.values(), ids=BAD_WORDS)
def test_a_mistake_in_the_arguments_is_told_in_one_message(command: Command, words: list[str], told: str) -> None:
    ran = command("session", *words)
    assert ran.code == 2
    assert told in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_state_that_is_never_reached_is_told(command: Command) -> None:
    ran = command(*SHORT, "--json", "--fault", "strap-opens@holding+2000s")
    assert ran.code == 2
    told = json.loads(ran.out)
    assert "never came to the moment of strap-opens@holding+2000s" in told["error"]
    assert (told["exit"], told["session"]["result"]) == (2, "completed")


def test_the_microcontrollers_own_program_runs_in_real_time_only(command: Command) -> None:
    ran = command(*SHORT, "--table", "machine-code")
    assert ran.code == 2
    assert "--table machine-code runs in real time, so --fast means nothing there" in ran.err


def test_an_unknown_command_is_told_with_the_nearest(command: Command) -> None:
    ran = command("sesion")
    assert ran.code == 2
    assert "Did you mean session?" in ran.err
    assert command().code == 2


def test_with_json_a_mistake_is_one_object_too(command: Command) -> None:
    ran = command("session", "--json", "--plan", "nope")
    told = json.loads(ran.out)
    assert told["exit"] == 2
    assert "no plan is called" in told["error"]


def test_a_place_that_cannot_be_made_is_told_before_anything_moves(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="nothing can be written"):
        places.run_folder(str(tmp_path / "file"), tmp_path, "short", 0)
