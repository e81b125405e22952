"""Readers who go away, terminals of every kind, signals, and the pace of a session."""

import fcntl
import io
import os
import pty
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.live import LiveView
from controller.progress import Heading
from controller.runner import Interrupts, Pace
from controller.voice import Voice, full_picture
from safety.signals import State
from tests.controller.made_up import strap_opens_visit
from tests.controller.running import COMMAND, SHORT, AShortSession, send

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


@pytest.mark.parametrize("words", ["faults --json", "faults", "plans", "profiles --json", "wiring --profile pi-gpio"])
def test_a_result_that_cannot_be_taken_is_told_in_one_sentence(words: str) -> None:
    line = f'exec "$0" {words} >/dev/full'
    ran = subprocess.run(["sh", "-c", line, COMMAND], capture_output=True, text=True, check=False)
    assert ran.stderr.count("\n") == 1
    assert "could not be written to stdout: No space left on device" in ran.stderr
    assert ran.returncode == 2


def test_people_who_cannot_be_told_stop_nothing() -> None:
    line = 'exec "$0" check no-such-file.toml >/dev/full 2>/dev/full'
    assert subprocess.run(["sh", "-c", line, COMMAND], check=False).returncode == 2


def a_terminal(columns: int, lines: int = 24) -> tuple[int, int]:
    """The two ends of a terminal of the given size."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    return leader, follower


def all_of(leader: int) -> str:
    """Everything that was written to a terminal, until the last writer has left."""
    seen = b""
    with os.fdopen(leader, "rb", buffering=0) as end:
        while True:
            try:
                chunk = end.read(65536)
            except OSError:  # what Linux says when the last writer has left
                chunk = b""
            if not chunk:
                return seen.decode("utf-8")
            seen += chunk


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
        seen = all_of(leader)
    assert process.returncode == 0
    return seen


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


def test_on_a_narrow_terminal_a_line_is_broken_between_words_and_elsewhere_never() -> None:
    words = "  0:50.5  holding           −19.9°  Stay with the patient. Press PRESENCE when it flashes."
    leader, follower = a_terminal(79)
    with os.fdopen(follower, "w", encoding="utf-8") as stream:
        Voice(stream).say(words, 35)
    lines = all_of(leader).replace("\r", "").splitlines()
    assert lines == [words[:-12], f"{'':35}it flashes."]
    piped = io.BytesIO()
    reader = io.TextIOWrapper(piped, "utf-8")
    Voice(reader).say(words, 35)
    assert piped.getvalue().decode() == f"{words}\n"


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
    seen = all_of(leader)
    assert "EMERGENCY RETURN" in seen
    assert "H04 " in seen
    assert "2 contacts open, limit 1" in seen
    assert ("[1;31m" in seen) is coloured


class Screen:
    """A live view on a terminal whose size may change; `shown` is what was written since the last time."""

    def __init__(self, columns: int, lines: int) -> None:
        self.leader, self.follower = a_terminal(columns, lines)
        self.stream = os.fdopen(self.follower, "w", encoding="utf-8")
        self.view = LiveView(self.stream, Heading("short", "simulated", "seed 0", -2000, 1, 170, "Turn the crank."))

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.follower, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def shown(self) -> str:
        self.stream.write("\0")
        self.stream.flush()
        seen = b""
        while not seen.endswith(b"\0"):
            seen += os.read(self.leader, 65536)
        return seen[:-1].decode()


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("CI", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    screen = Screen(80, 24)
    with screen.view:
        yield screen
    screen.stream.close()
    os.close(screen.leader)


def test_what_has_not_changed_is_not_drawn_again(screen: Screen) -> None:
    snapshots = strap_opens_visit().snapshots
    screen.view.show(snapshots[1500:1501])
    assert "EMERGENCY RETURN" in screen.shown()
    screen.view.show(snapshots[1500:1501])
    assert screen.shown() == ""
    screen.view.show(snapshots[1501:1700])
    assert "EMERGENCY RETURN" in screen.shown()


def test_a_terminal_that_changes_its_size_is_cleared_and_keeps_what_was_said(screen: Screen) -> None:
    snapshots = strap_opens_visit().snapshots
    screen.view.show(snapshots[1500:1501])
    screen.view.say("The panel is yours.")
    screen.shown()
    screen.resize(60, 14)
    screen.view.show(snapshots[1501:1502])
    small = screen.shown()
    assert "\x1b[2J" in small
    assert "The panel is yours." in small
    for words in ("EMERGENCY RETURN, angle −", "NOW", "H04 ", "80x23"):
        assert words in small
    screen.resize(120, 40)
    screen.view.show(snapshots[1502:1503])
    assert "min" in screen.shown().split("sound")[1], "the time under the chart"


def test_no_stream_at_all_gets_no_picture() -> None:
    assert not full_picture(None, {"TERM": "xterm"})
    Voice(None, None).say("nobody hears this")


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


def test_ctrl_c_above_level_says_so_and_stops_the_table_first() -> None:
    ran = AShortSession({State.IDLE: send("SIGINT")})
    assert ran.said == ["Ctrl-C: the table is stopped first (+20.0° now, above level), then the program ends."]
    assert ran.recorder.rows()[-1].true_angle_cdeg == pytest.approx(2000, abs=10)


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
