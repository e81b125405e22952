"""Running the command and whole sessions in tests: what a run left behind, and a session that signals may reach."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.loading import load_plan, load_profile
from controller.app import InProcess
from controller.recording import Recorder
from controller.runner import Pace, run
from controller.session import Session
from safety.signals import Snapshot, State

COMMAND = str(Path(sys.executable).parent / "inversion-table")
SHORT = ["session", "--plan", "short", "--fast"]


class Ran:
    """One run of the command: exit code, what it printed, and its folder."""

    def __init__(self, code: int, out: str, err: str, folder: Path) -> None:
        self.code, self.out, self.err, self.folder = code, out, err, folder


Command = Callable[..., Ran]


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
