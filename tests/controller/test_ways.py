"""The ways to a table on a session's command line: what goes with which, and a real table's declaration."""

import dataclasses
import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.loading import load_plan, load_profile, load_screening
from controller import declaring, places
from controller.app import InProcess
from controller.locks import HeldError, Lock
from controller.permits import Declaration
from controller.real_table import newest_record_s
from controller.recording import Recorder
from controller.runner import Pace, run
from controller.session import Session
from safety.signals import State
from tests.config.writing import DECLARED, GONE, changed, save
from tests.controller.running import Command

SERIAL = ["session", "--plan", "short", "--profile", "wire", "--table"]
ALL_NO = {item.id: False for item in load_screening().items}


@pytest.fixture
def missing(tmp_path: Path) -> str:
    return f"serial:{tmp_path}/ttyACM0"


def declared(folder: Path, **changes: object) -> str:
    """A declaration of today in which nothing applies, but for the changes; dots in keys are written as `__`."""
    told = {"answers": {**ALL_NO}, "date": dt.date.today(), **changes}  # noqa: TID251 label: the day of a declaration
    return str(save(folder, changed(DECLARED, {key.replace("__", "."): value for key, value in told.items()})))


@pytest.mark.parametrize("option", [["--fast"], ["--speed", "10"]])
@pytest.mark.parametrize("table", ["wire", "serial:/dev/ttyACM0"])
def test_real_time_has_no_other_speed(command: Command, table: str, option: list[str]) -> None:
    ran = command(*SERIAL, table, *option)
    assert ran.code == 2
    assert f"{option[0]} means nothing there" in ran.err


@pytest.mark.parametrize("option", [["--fault", "drive-dead@40s"], ["--patient", "mass_kg=80"]])
def test_a_real_table_has_no_faults_and_no_body_to_choose(command: Command, missing: str, option: list[str]) -> None:
    ran = command(*SERIAL, missing, *option)
    assert ran.code == 2
    assert "is for simulated tables" in ran.err


def test_a_real_table_must_be_named_since_its_limits_are_written_into_it(command: Command, missing: str) -> None:
    ran = command("session", "--table", missing)
    assert ran.code == 2
    assert "--profile NAME|FILE" in ran.err


@pytest.mark.parametrize("table", ["in-process", "wire"])
def test_simulated_people_are_declared_by_nobody(command: Command, tmp_path: Path, table: str) -> None:
    ran = command(*SERIAL, table, "--declared", declared(tmp_path))
    assert ran.code == 2
    assert "--declared is for a person on a real table" in ran.err


def test_simulated_people_answer_the_screening_list_at_the_panel(command: Command, tmp_path: Path) -> None:
    ran = command("session", "--plan", "short", "--fast", "--declared", "panel", "--out", str(tmp_path / "run"))
    assert ran.code == 0
    assert "Choose the answer with the plan keys" in ran.err
    # Nobody of whom nothing is known is tilted as the standard plan does.
    ran = command("session", "--plan", "standard", "--fast", "--declared", "panel", "--out", str(tmp_path / "deep"))
    assert ran.code == 4
    assert "without a history" in ran.err


def test_only_a_serial_way_takes_a_port(command: Command) -> None:
    ran = command(*SERIAL, "wire:/dev/pts/3")
    assert ran.code == 2
    assert "--table serial:/dev/pts/3" in ran.err


@pytest.mark.parametrize("fault", ["host-late", "clock-wrong", "configuration-unproven"])
def test_a_fault_that_the_wire_cannot_have_is_told_and_nothing_is_started(command: Command, fault: str) -> None:
    ran = command(*SERIAL, "wire", "--fault", f"{fault}@holding")
    assert ran.code == 2
    assert f"{fault} happens to the host" in ran.err
    assert "ended" not in ran.err


def test_without_a_terminal_it_says_what_to_give(command: Command, missing: str) -> None:
    ran = command(*SERIAL, missing)
    assert ran.code == 2
    assert "--declared FILE" in ran.err


def test_a_port_that_is_not_there_is_exit_5(command: Command, missing: str, tmp_path: Path) -> None:
    ran = command(*SERIAL, missing, "--declared", declared(tmp_path))
    assert ran.code == 5
    assert "is not there: plug the controller in" in ran.err


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"answers": ALL_NO | {"glaucoma": True}}, "glaucoma: applies to this person (absolute)"),
        ({"answers": ALL_NO | {"hernia": True}}, "hernia: applies to this person (override)"),
        ({"answers__glaucoma": GONE}, "glaucoma: not answered"),
        ({"answers": ALL_NO | {"glaucomma": False}}, "glaucomma: is no item of the list"),
        ({"date": dt.date(2020, 1, 2)}, "the answers are of 2020-01-02 and today is"),
        ({"screening_version": 99}, "version 99 of the list was answered"),
    ],
)
def test_a_declaration_that_speaks_against_the_person_is_exit_4_with_the_reason(
    command: Command, missing: str, tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    ran = command(*SERIAL, missing, "--declared", declared(tmp_path, **changes))
    assert ran.code == 4
    assert reason in ran.err


def test_the_form_as_shipped_refuses_by_every_item(command: Command, missing: str, tmp_path: Path) -> None:
    ran = command(*SERIAL, missing, "--declared", declared(tmp_path, answers=DECLARED["answers"]))
    assert ran.code == 4
    assert ran.err.count("applies to this person") == len(load_screening().items)
    assert DECLARED["screening_version"] == load_screening().version


def test_a_declaration_may_be_checked_beforehand(command: Command, tmp_path: Path) -> None:
    ran = command("check", declared(tmp_path))
    assert (ran.code, ran.err) == (0, "")
    assert f"{len(ALL_NO)} answers, 0 apply" in ran.out
    ran = command("check", declared(tmp_path, answers__glaucoma="no", date="yesterday"))
    assert ran.code == 2
    assert "answers.glaucoma" in ran.err
    assert "a date is wanted, such as 2026-07-14" in ran.err


def test_a_table_that_is_gone_for_good_ends_the_session_when_the_loss_has_been_judged() -> None:
    profile = load_profile("simulated")
    limits = profile.limits()
    plan = load_plan("short", limits)
    opened = InProcess().open(profile, plan, 0, {}, [])
    said: list[str] = []

    def lost() -> str:
        if session.machine.state != State.HOLDING and not said:
            return ""
        opened.bridge.hooks.frames_stop = True  # type: ignore[attr-defined]
        return "the table is gone"

    table = dataclasses.replace(opened, lost=lost)
    session = Session(table.bridge, table.clock, plan, limits, table.permit, table.host)
    recorder = Recorder()
    run(session, table, recorder, Pace(1.0, sleep=lambda _: None), lambda _: None, said.append)
    outcome = session.outcome()
    assert said == ["the table is gone"]
    assert (outcome.result, outcome.causes[0].code, outcome.at_level) == ("tripped", "H18", False)
    assert outcome.exit_code == 7


# At the terminal.


class Terminal:
    """Answers that were typed, and everything that was asked."""

    def __init__(self, *lines: str) -> None:
        self._lines = [*lines]
        self.asked = ""

    def readline(self) -> str:
        return f"{self._lines.pop(0)}\n" if self._lines else ""

    def write(self, words: str) -> int:
        self.asked += words
        return len(words)

    def flush(self) -> None:
        pass


def answered(*lines: str) -> tuple[Declaration, Terminal]:
    terminal = Terminal(*lines)
    said = declaring.at_terminal(load_screening(), load_plan("short"), terminal, terminal)  # type: ignore[arg-type]
    assert terminal.readline() == ""
    return said, terminal


def test_every_item_of_the_list_is_asked_at_the_terminal() -> None:
    said, terminal = answered("P-17", *["n"] * len(ALL_NO), "0", "n")
    assert said.answers == ALL_NO
    assert all(item.question in terminal.asked for item in load_screening().items)
    assert (said.pseudonym, said.last_deg, said.date) == ("P-17", None, None)


def test_an_answer_that_is_none_is_asked_again() -> None:
    said, terminal = answered("", "P-17", "maybe", "YES", *["no"] * (len(ALL_NO) - 1), "x", "60", "y", "20", "120")
    assert said.answers == ALL_NO | {next(iter(ALL_NO)): True}
    assert "Write y or n." in terminal.asked
    assert (said.inverted_today_s, said.last_deg, said.last_hold_s) == (60, -20, 120)


def test_a_terminal_that_closes_ends_it() -> None:
    with pytest.raises(ValueError, match="the terminal was closed before"):
        answered("P-17", "n")


# Locks, places and dates.

HOLDER = """
import sys
from pathlib import Path
from controller.locks import Lock
lock = Lock(Path(sys.argv[1]), "table", "the table table")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_controller_is_refused_by_the_number_of_the_first_until_that_is_gone(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(HeldError, match=f"process {first.pid} already") as told:
            Lock(tmp_path, "table", "the table table")
        assert told.value.exit_code == 4
        with Lock(tmp_path, "another", "another table"):
            pass
        first.kill()
    with Lock(tmp_path, "table", "the table table"):
        assert (tmp_path / "table.lock").read_text().strip() == str(os.getpid())


def test_sockets_and_locks_have_their_places_in_order(tmp_path: Path) -> None:
    everywhere = {"RUNTIME_DIRECTORY": "/run/a:/run/b", "XDG_RUNTIME_DIR": "/run/user/7"}
    assert places.socket_folder(tmp_path, everywhere) == Path("/run/a")
    assert places.socket_folder(tmp_path, {"XDG_RUNTIME_DIR": "/run/user/7"}) == Path("/run/user/7/inversion-table")
    assert places.socket_folder(tmp_path, {}) == tmp_path


def test_the_newest_record_is_the_newest_result(tmp_path: Path) -> None:
    assert newest_record_s(tmp_path) == 0
    for name, when in (("a", 1000), ("b", 3000), ("c", 2000)):
        result = tmp_path / "runs" / name / "result.json"
        result.parent.mkdir(parents=True)
        result.touch()
        os.utime(result, (when, when))
    assert newest_record_s(tmp_path) == 3000
