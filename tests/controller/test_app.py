"""The command line as people and scripts meet it: exit codes, messages, files, JSON, signals, broken pipes."""

import argparse
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.errors import UsageError
from config.loading import load_plan, load_profile
from controller import places
from controller.app import PACKAGES, InProcess, foreign_names, main
from controller.commands.session import _finish
from controller.live import LiveView
from controller.progress import Heading
from controller.recording import Recorder, read_trace
from controller.runner import Interrupts, Pace, run
from controller.session import Session
from controller.voice import Voice, full_picture
from safety.signals import Snapshot, State
from sim.supervisor import Supervisor
from tests.controller.made_up import strap_opens_visit

COMMAND = str(Path(sys.executable).parent / "inversion-table")
SHORT = ["session", "--plan", "short", "--fast"]


class Ran:
    """One run of the command: exit code, what it printed, and its folder."""

    def __init__(self, code: int, out: str, err: str, folder: Path) -> None:
        self.code, self.out, self.err, self.folder = code, out, err, folder


Command = Callable[..., Ran]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command in this process, its state in a folder of its own and the working directory empty."""
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    monkeypatch.chdir(cwd)
    monkeypatch.setenv("INVERSION_TABLE_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)

    def run_it(*words: str) -> Ran:
        code = main(list(words))
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        assert list(cwd.iterdir()) == []
        return Ran(code, said.out, said.err, tmp_path / "state")

    return run_it


# A session from its first line to its files.


def test_a_session_completes_and_leaves_result_trace_and_picture(command: Command, tmp_path: Path) -> None:
    ran = command(*SHORT, "--json", "--out", str(tmp_path / "one"))
    assert ran.code == 0
    result = json.loads(ran.out)
    assert (result["result"], result["plan"], result["guard"], result["truth"]) == (
        *("completed", "short", "absent", "plant"),
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
    assert "HIGH H04: A strap opened while the patient was inverted" in ran.err
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
    assert "H28: This computer's date or time cannot be trusted" in ran.err


def test_each_run_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    names = [places.run_folder(None, tmp_path, "short", 3).name for _ in range(3)]
    assert names == ["short-3", "short-3-2", "short-3-3"]


def test_state_is_where_it_is_said_first(tmp_path: Path) -> None:
    told = {"STATE_DIRECTORY": "/var/lib/one:/var/lib/two", "INVERSION_TABLE_STATE": "/three"}
    assert places.state_folder("/zero", told) == Path("/zero")
    assert places.state_folder(None, told) == Path("/var/lib/one")
    assert places.state_folder(None, {"INVERSION_TABLE_STATE": "/three"}) == Path("/three")
    assert places.state_folder(None, {}).name == "inversion-table"


# Mistakes: one clear message each, exit code 2, nothing moved.


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


@pytest.mark.parametrize("table", ["wire", "machine-code", "gpio", "serial:/dev/ttyUSB0"])
def test_a_way_to_the_table_that_does_not_exist_yet_is_exit_5(command: Command, table: str) -> None:
    ran = command(*SHORT, "--table", table)
    assert ran.code == 5
    assert "not part of this version" in ran.err


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
    profile, plan = load_profile("simulated"), load_plan("short")
    args = argparse.Namespace(json=True, seed=0)
    code = _finish(args, ran.session, ran.table, ran.recorder, tmp_path, ran.asked_by, plan, profile, "in-process")
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


# Readers who go away, terminals, signals.


def test_a_reader_who_goes_away_stops_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [COMMAND, *SHORT, "--json", "--out", str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stderr.readline()
        process.stderr.close()
    assert process.returncode == 0
    assert (tmp_path / "out/result.json").exists()


def test_streams_that_are_closed_stop_nothing() -> None:
    assert subprocess.run(["sh", "-c", 'exec "$0" faults >&- 2>&-', COMMAND], check=False).returncode == 0


def test_a_result_that_cannot_be_taken_is_told() -> None:
    line = 'exec "$0" faults --json >/dev/full'
    ran = subprocess.run(["sh", "-c", line, COMMAND], capture_output=True, text=True, check=False)
    assert "could not be written to stdout" in ran.stderr
    assert "Traceback" not in ran.stderr


def a_terminal(columns: int, lines: int = 24) -> tuple[int, int]:
    """The two ends of a terminal of the given size."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    return leader, follower


def on_a_terminal(tmp_path: Path, **environment: str) -> str:
    """What a terminal gets to see of a short session at high speed."""
    leader, follower = a_terminal(80)
    clean = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR", "COLUMNS", "LINES")}
    with subprocess.Popen(
        [COMMAND, "session", "--plan", "short", "--speed", "500", "--out", str(tmp_path / "out")],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**clean, "TERM": "xterm-256color", **environment},
    ) as process:
        os.close(follower)
        seen = b""
        while True:
            try:
                chunk = os.read(leader, 65536)
            except OSError:  # Linux says so when the last writer has left
                break
            if not chunk:
                break
            seen += chunk
    os.close(leader)
    assert process.returncode == 0
    return seen.decode("utf-8")


def test_on_a_terminal_the_picture_is_drawn_in_place_and_ends_in_the_summary(tmp_path: Path) -> None:
    seen = on_a_terminal(tmp_path)
    assert "\x1b[" in seen
    for words in ("RESTING", "straps", "short on simulated", "completed as planned"):
        assert words in seen
    assert seen.rindex("completed as planned") > seen.rindex("RESTING")


def test_a_terminal_that_goes_away_stops_nothing(tmp_path: Path) -> None:
    leader, follower = a_terminal(80)
    words = [COMMAND, "session", "--plan", "short", "--speed", "500", "--out", str(tmp_path / "out")]
    environment = {**{key: value for key, value in os.environ.items() if key != "CI"}, "TERM": "xterm"}
    with subprocess.Popen(words, stdin=follower, stdout=follower, stderr=follower, env=environment) as process:
        os.close(follower)
        os.read(leader, 100)
        os.close(leader)
    assert process.returncode == 0
    assert (tmp_path / "out/session.svg").exists()


def test_a_terminal_that_cannot_draw_gets_plain_lines(tmp_path: Path) -> None:
    seen = on_a_terminal(tmp_path, TERM="dumb")
    assert "\x1b" not in seen
    assert "  holding " in seen


@pytest.mark.parametrize(
    ("columns", "lines", "environment", "drawn"),
    [
        (80, 24, {"TERM": "xterm"}, True),
        (80, 24, {"TERM": "dumb"}, False),
        (80, 24, {}, False),
        (80, 24, {"TERM": "xterm", "CI": "true"}, False),
        (60, 24, {"TERM": "xterm"}, False),
        (80, 15, {"TERM": "xterm"}, False),
    ],
)
def test_the_picture_needs_a_real_terminal_that_is_large_enough(
    columns: int, lines: int, environment: dict[str, str], drawn: bool
) -> None:
    leader, follower = a_terminal(columns, lines)
    with os.fdopen(follower, "w", encoding="utf-8") as stream:
        assert full_picture(stream, environment) is drawn
    os.close(leader)


@pytest.mark.parametrize(("no_color", "coloured"), [("1", False), ("", True)])
def test_no_color_takes_the_colours_and_leaves_the_picture(
    monkeypatch: pytest.MonkeyPatch, no_color: str, coloured: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("CI", raising=False)
    leader, follower = a_terminal(80)
    with os.fdopen(follower, "w", encoding="utf-8") as stream:
        heading = Heading("short", "simulated", "seed 0", -2000, 1, 170, "Turn the crank.")
        with LiveView(stream, heading) as view:
            view.show(strap_opens_visit().snapshots[1500:1510])
        seen = os.read(leader, 65536).decode("utf-8")
    os.close(leader)
    assert "EMERGENCY RETURN" in seen
    assert "H04 (2 contacts open, limit 1)" in seen
    assert ("[1;31m" in seen) is coloured


def test_no_stream_at_all_gets_no_picture() -> None:
    assert not full_picture(None, {"TERM": "xterm"})
    Voice(None, None).say("nobody hears this")


class AShortSession:
    """A session on the simulated table whose watcher may do something in each state."""

    def __init__(self, acts: dict[State, Callable[[], None]]) -> None:
        profile = load_profile("simulated")
        limits = profile.limits()
        plan = load_plan("short", limits)
        self.table = table = InProcess().open(profile, plan, 0, {}, [])
        self.session = Session(table.bridge, table.clock, plan, limits, table.permit, table.host)
        self.recorder = Recorder(table.truth)
        self.said: list[str] = []
        self._acts = acts

        def show(snapshots: Any) -> None:
            state = snapshots[-1].wish.state if snapshots else None
            if state in self._acts:
                self._acts.pop(state)()

        pace = Pace(None)
        pace.ticks = 20
        self.asked_by = run(self.session, table, self.recorder, pace, show, self.said.append)

    @property
    def last(self) -> Snapshot:
        return self.recorder.snapshots[-1]


def send(name: str) -> Callable[[], None]:
    return lambda: signal.raise_signal(getattr(signal, name))


@pytest.mark.parametrize(("name", "told"), [("SIGINT", "Ctrl-C"), ("SIGTERM", "SIGTERM"), ("SIGHUP", "SIGHUP")])
def test_a_signal_brings_the_patient_back_first(name: str, told: str) -> None:
    ran = AShortSession({State.HOLDING: send(name)})
    assert ran.asked_by == told
    assert ran.said[0].startswith(f"{told}: the patient is brought back to level first (−19.9° now)")
    rows = ran.recorder.rows()
    assert min(row.true_angle_cdeg or 0 for row in rows) < -1900
    assert rows[-1].true_angle_cdeg == pytest.approx(-50, abs=60)
    assert ran.session.outcome().exit_code == 6


def test_a_second_ctrl_c_says_why_it_still_waits() -> None:
    ran = AShortSession({State.HOLDING: send("SIGINT"), State.RETURNING: send("SIGINT")})
    assert len(ran.said) == 2
    assert "still waiting, because the patient is at −19" in ran.said[1]


def test_ctrl_c_at_level_ends_at_once() -> None:
    ran = AShortSession({State.RESTING: send("SIGINT")})
    assert ran.said == ["Ctrl-C: the patient is at level; the session ends here."]
    assert ran.last.wish.state is State.RESTING


def test_afterwards_signals_mean_what_they_meant_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts:
        assert signal.getsignal(signal.SIGINT) is not before
        signal.raise_signal(signal.SIGINT)
        assert interrupts.take() == ["Ctrl-C"]
        assert interrupts.take() == []
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts:
            signal.raise_signal(signal.SIGHUP)
            assert interrupts.take() == []
    finally:
        signal.signal(signal.SIGHUP, before)


# The pace.


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_s, self.slept = 100.0, [0.0]

    def now(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


def test_the_pace_waits_until_the_sessions_time_is_due() -> None:
    time = FakeTime()
    pace = Pace(10, time.now, time.sleep)
    assert pace.ticks == 50
    pace.keep(500)
    pace.keep(1000)
    assert time.slept == pytest.approx([0, 0.05, 0.05])


def test_what_a_slow_machine_could_not_keep_up_with_is_not_made_up_for() -> None:
    time = FakeTime()
    pace = Pace(1, time.now, time.sleep)
    time.now_s += 3
    pace.keep(1000)
    pace.keep(2000)
    assert time.slept == pytest.approx([0, 1])


def test_virtual_time_never_waits() -> None:
    time = FakeTime()
    Pace(None, time.now, time.sleep).keep(10**9)
    assert time.slept == [0]


def test_a_place_that_cannot_be_made_is_told_before_anything_moves(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="nothing can be written"):
        places.run_folder(str(tmp_path / "file"), tmp_path, "short", 0)
