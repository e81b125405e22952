"""Control process, recorder, simulated table, people and panel as whole processes, in real time; nothing is timed."""

import contextlib
import json
import os
import re
import select
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from controller.client import Client
from controller.journal import Journal, last_run
from controller.messages import Frame
from safety.signals import Region, Snapshot
from tests.api.peers import short_folder
from tests.controller.running import COMMAND
from tests.journal.recording import ended

pytestmark = [pytest.mark.needs("cc"), pytest.mark.timeout(400)]

# Nothing here waits so long; it ends a test that would wait for ever.
PATIENCE_S = 120
TABLE = "wire"


class Run:
    """One command and what it says, line by line."""

    def __init__(self, state: Path, *words: str) -> None:
        self.state = state
        environment = {**os.environ, "RUNTIME_DIRECTORY": str(state), "CI": "1"}
        self.process = subprocess.Popen(
            [COMMAND, *words, "--state", str(state)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
        )
        self.said = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()

    def until(self, pattern: str) -> str:
        """Read until something is said that matches; return what it was."""
        while not (found := re.search(pattern, self.said)):
            assert self._read(), f"it ended, and never said {pattern!r}:\n{self.said}"
        return found[0]

    def end(self, number: int | None = None) -> int:
        """Send a signal, read to the end, and return the exit code."""
        if number is not None:
            self.process.send_signal(number)
        while self._read():
            pass
        return self.process.wait(PATIENCE_S)

    def _read(self) -> bool:
        stream = self.process.stderr
        assert stream is not None
        assert select.select([stream], [], [], PATIENCE_S)[0], f"nothing more is said:\n{self.said}"
        data = os.read(stream.fileno(), 1 << 16)
        self.said += data.decode()
        return bool(data)


def of_state(state: Path) -> dict[int, str]:
    """Every process that has to do with a state folder, but for this one: number and command line."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(state) in words and int(place.name) != os.getpid():
                found[int(place.name)] = words
    return found


@pytest.fixture
def state() -> Iterator[Path]:
    with short_folder() as folder:
        try:
            yield folder
        finally:
            left = of_state(folder)
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            ended(*left)


def last_snapshot(state: Path) -> Snapshot:
    """The last tick that the last run recorded."""
    found = last_run(state, TABLE)
    assert found is not None
    assert found.snapshot is not None
    return found.snapshot


def words_in(state: Path, query: str) -> list[str]:
    """What plain sqlite3 reads of the journal."""
    with contextlib.closing(sqlite3.connect(state / "journal" / f"{TABLE}.sqlite3")) as database:
        return [str(row[0]) for row in database.execute(query)]


def test_everything_is_started_for_a_visit_and_a_signal_ends_it_with_the_patient_at_level(state: Path) -> None:
    with Run(state, "panel", "--start", "--plan", "short") as panel:
        panel.until("The session is tilting")
        panel.until(r"tilting, angle −\d")
        names = " ".join(of_state(state).values())
        for part in ("serve", "sim --table wire", "recorder_worker", "sim.visitors"):
            assert part in names
        code = panel.end(signal.SIGTERM)
    assert code == 6, panel.said
    assert "Ended by a person; the patient is at level." in panel.said
    assert of_state(state) == {}
    assert last_snapshot(state).decision.region is Region.LEVEL
    assert words_in(state, "select result from visits") == ["stopped"]
    assert not (state / f"{TABLE}.sock").exists()


def test_killed_in_mid_inversion_the_next_control_process_watches_the_return(state: Path) -> None:
    path = state / f"{TABLE}.sock"
    with contextlib.ExitStack() as runs:
        first = runs.enter_context(Run(state, "serve", "--offer", "short"))
        first.until("Ctrl-C brings")
        second = runs.enter_context(Run(state, "serve"))
        assert second.end() == 4
        assert str(first.process.pid) in second.said
        with Client(path, "a test", PATIENCE_S) as client:
            people = runs.enter_context(visitors(state, client.welcome.hands))
            first.until("The session is tilting")
            client.watch(20)
            depth = deepest(client, -300)
        first.process.kill()
        first.process.wait()
        # Whoever watched is told, and whoever held a button has let go of it.
        assert people.wait(PATIENCE_S) == 7
        third = runs.enter_context(Run(state, "serve"))
        third.until("found where it was left")
        third.until("H29: The computer was started again")
        with Client(path, "a test", PATIENCE_S) as client:
            client.watch(20)
            home(client, depth)
        assert third.end(signal.SIGTERM) == 0, third.said
    ended(*of_state(state))
    assert words_in(state, "select ending from runs order by run") == ["cut off", "left"]
    with Journal(state / "journal" / f"{TABLE}.sqlite3") as journal:
        numbers = [snapshot.number for snapshot in journal.snapshots(1, 1, 2**31)]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.nightly
def test_a_panel_that_is_killed_takes_everything_with_it_and_the_patient_to_level_first(state: Path) -> None:
    with Run(state, "panel", "--start", "--plan", "short") as panel:
        panel.until(r"tilting, angle −\d")
        panel.process.kill()
        panel.process.wait()
        ended(*of_state(state))
    assert of_state(state) == {}
    assert last_snapshot(state).decision.region is Region.LEVEL
    log = (state / "serve.log").read_text()
    assert "the program that started this is gone" in log


@pytest.mark.nightly
def test_without_a_terminal_a_visit_ends_by_itself(state: Path) -> None:
    with Run(state, "panel", "--start", "--plan", "short") as panel:
        assert panel.end() == 0, panel.said
    assert "The visit was completed as planned; the patient is at level." in panel.said
    assert of_state(state) == {}
    assert words_in(state, "select result from visits") == ["completed"]


@contextlib.contextmanager
def visitors(state: Path, hands: str) -> "Iterator[subprocess.Popen[bytes]]":
    program = [str(Path(COMMAND).parent / "python"), "-P", "-m", "sim.visitors"]
    words = [*program, f"--socket={state / TABLE}.sock", f"--hands={hands}"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as people:
        try:
            yield people
            assert people.stdout is not None
            assert json.loads(people.stdout.read())["schema"] == "inversion-table.visitors/1"
        finally:
            people.kill()


def frames(client: Client) -> Iterator[Snapshot]:
    while True:
        came = client.receive(PATIENCE_S)
        assert came, "no frame came"
        for one in came:
            if isinstance(one, Frame):
                yield one.snapshot


def deepest(client: Client, below_cdeg: int) -> int:
    """Wait until the table is deeper than an angle; return where it is then."""
    for snapshot in frames(client):
        angle = snapshot.decision.angle_cdeg
        if angle is not None and angle < below_cdeg:
            return angle
    raise AssertionError("no frames")


def home(client: Client, depth_cdeg: int) -> None:
    """Watch the table come back, no lease renewed, no deeper than it rolls out."""
    for snapshot in frames(client):
        decision, angle = snapshot.decision, snapshot.decision.angle_cdeg
        assert decision.armed is None
        assert decision.command.session_id == 0
        assert angle is None or angle > depth_cdeg - 150
        if decision.region is Region.LEVEL and decision.still:
            return
