"""A recorder to be tested: a real child process, fed by made-up ticks or by a whole session in virtual time."""

import os
import select
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from config.limits import Limits
from controller.journal_rotation import LARGEST_BYTES
from controller.messages import Event
from controller.recorder import RecorderLink, journal_path
from safety.judged import INITIAL, Judged
from safety.signals import Command, Decision, Host, Readings, Snapshot, Wish
from sim.pytest_plugin import Rig

# No test waits for so long; it only ends one that would wait for ever.
HANGS_S = 20.0
TABLE = "sim-1"
WALL_MS = 1_800_000_000_000
ABOUT: dict[str, object] = {"profile": "simulated", "guard": "host build", "program": "test", "limits": Limits()}


def real_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Clock:
    """A clock that stands until it is turned."""

    def __init__(self) -> None:
        self.ms = 0

    def __call__(self) -> int:
        return self.ms


def tick(number: int, moving: bool = True, angle_cdeg: int = 0) -> Snapshot:
    """One tick of 10 ms; a moving table is recorded in full."""
    readings = Readings(10, sequence=number, angle_a_cdeg=angle_cdeg, angle_b_cdeg=angle_cdeg, host=Host(clock_ok=True))
    decision = Decision(Command(velocity_cdeg_s=50 if moving else 0), angle_cdeg=angle_cdeg)
    return Snapshot(number, 10 * number, readings, Wish(), decision)


def event(number: int, text: str = "something", kind: str = "request", t_ms: int = 0) -> Event:
    return Event(number, t_ms, WALL_MS + t_ms, kind, text, values={"gap_ms": 70})


class Recorded:
    """A recorder and how far it was fed."""

    def __init__(
        self,
        state: Path,
        *,
        clock: Callable[[], int] = real_ms,
        largest_bytes: int = LARGEST_BYTES,
        limits: Limits | None = None,
    ) -> None:
        self.path = journal_path(state, TABLE)
        self.ticks = 0
        about = {**ABOUT, "limits": limits or Limits()}
        self.link = RecorderLink.start(state, TABLE, about, now_ms=clock, largest_bytes=largest_bytes)

    def __enter__(self) -> Self:
        self.until(lambda: self.link.ok)
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    def feed(self, ticks: int, moving: bool = True, events: Sequence[Event] = (), judged: Judged = INITIAL) -> None:
        """Hand over further ticks, without waiting."""
        for _ in range(ticks):
            self.ticks += 1
            self.link.observe(tick(self.ticks, moving, angle_cdeg=self.ticks * self.ticks * 31 % 977), events, judged)
            events = ()

    def until(self, question: Callable[[], bool]) -> None:
        """Listen to the recorder until a question is answered yes."""
        until_s = time.monotonic() + HANGS_S
        while not question():
            assert time.monotonic() < until_s, f"{self.link.trouble} ({self.link.committed} of {self.ticks})"
            select.select([self.link], [], [], 0.1)
            self.link.attend()

    def feed_until(self, question: Callable[[], bool], ticks: int = 10, moving: bool = True) -> None:
        """Hand over ticks, as a table does, until a question is answered yes."""

        def fed() -> bool:
            if self.ticks - self.link.committed < 1000 or not self.link.ok:
                self.feed(ticks, moving)
            return question()

        self.until(fed)


def ended(*pids: int) -> None:
    """Wait until processes, children or not, are gone."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        ready, _, _ = select.select([descriptor], [], [], HANGS_S)
        os.close(descriptor)
        assert ready, f"process {pid} did not end"


def record(rig: Rig, state: Path, watch: Callable[[Snapshot], Sequence[Event]] = lambda _: ()) -> Path:
    """Run a session to its end in virtual time, recorded by a real child process; return its journal."""
    loop = rig.session.loop
    rig.expect("*")
    with Recorded(state, limits=loop.limits) as recorded:
        link = recorded.link
        while not rig.session.finished:
            snapshot = rig.session.tick()
            link.observe(snapshot, watch(snapshot), loop.judged)
            recorded.ticks = snapshot.number
            if snapshot.number - link.committed > 1000:
                # Virtual time is faster than any disk.
                recorded.until(lambda: recorded.ticks - link.committed < 500)
        assert link.close("the session is over")
    return link.path
