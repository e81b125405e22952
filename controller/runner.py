"""Running a session to its end: at a pace, watched, and with the patient brought back before the program leaves.

The pace is kept here, by sleeping between batches of ticks, never in the loop. Signals only ask: the session goes
on, at the same pace, until the patient is at level.
"""

import gc
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Self

from config.plan import Plan
from controller.loop import TICK_MS, Clock, Observer
from controller.progress import degrees
from controller.recording import Recorder, Truth
from controller.session import Session
from firmware_bridge.bridge import Bridge
from firmware_bridge.hands import Hands
from safety.signals import Host, Permit, Region, Snapshot, State

LOOKS_A_SECOND = 20
FAST_TICKS = 500
LONGEST_DEBT_S = 0.5
PATIENCE_S = 1800
LAST_WAIT_MS = 120_000
# A table that is gone for good is watched until the judge has latched the loss, so that the result tells it.
LOSS_MS = 1_500
BELOW = (Region.UNKNOWN, Region.BELOW, Region.INVERTED)
STAYS = "Ctrl-Z: a person may be on this table, so the program goes on; Ctrl-C brings the patient back, then it ends."
CTRL_Z = "Ctrl-Z"
SIGNALS = {"SIGINT": "Ctrl-C", "SIGTERM": "SIGTERM", "SIGHUP": "SIGHUP", "SIGTSTP": CTRL_Z}


@dataclass(frozen=True, slots=True)
class OpenedTable:
    """A table with everything that goes with it for one session.

    `guard` is the second judge's kind, `permit` the leave to use it, `host` what the program knows of itself.
    `observers` see each tick after the recorder. `truth` is the plant's own word, None on a real table. `gave_up` says
    why the people stopped trying, or nothing; `unreached` the faults whose moment never came. On a table in `real_time`
    a tick takes as long as it takes. `news` returns what people must be told of the line, each once, `lost` why nothing
    more can come of the table, or nothing. `close` lets it go. `hands` are its switches, where they are simulated;
    `stand_aside` has the simulated supervisor let go of everything, for good. `permit_for` makes the permit of another
    plan for the same person, where plans may be chosen. Without a `permit` the screening list is answered at the panel.
    """

    bridge: Bridge
    clock: Clock
    guard: str
    permit: Permit | None
    host: Host
    observers: tuple[Observer, ...]
    truth: Truth | None
    gave_up: Callable[[], str]
    unreached: Callable[[], list[str]]
    real_time: bool = False
    news: Callable[[], list[str]] = list
    lost: Callable[[], str] = str
    close: Callable[[], None] = lambda: None
    hands: Hands | None = None
    stand_aside: Callable[[], None] = lambda: None
    permit_for: Callable[[Plan], Permit] | None = None


class Pace:
    """How fast a session is shown: `speed` times real time, or as fast as it goes (None).

    With `real_time` the table itself keeps the time, and `speed` does not matter.
    """

    def __init__(
        self,
        speed: float | None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        *,
        real_time: bool = False,
    ) -> None:
        """Begin now."""
        self._speed = None if real_time else speed
        self._now, self._sleep = now, sleep
        self._start_s = now()
        shown = 1.0 if real_time else speed
        self.ticks = FAST_TICKS if shown is None else max(1, round(shown * 1000 / TICK_MS / LOOKS_A_SECOND))

    def to_real_time(self, t_ms: int) -> None:
        """Go on at real time from the session's time `t_ms`; a table that keeps the time itself does so anyhow."""
        if self._speed is not None:
            self._speed = 1.0
            self._start_s = self._now() - t_ms / 1000
            self.ticks = round(1000 / TICK_MS / LOOKS_A_SECOND)

    def keep(self, t_ms: int) -> None:
        """Wait until the session's time `t_ms` is due; what cannot be kept up with is not made up for later."""
        if self._speed is None:
            return
        early_s = self._start_s + t_ms / 1000 / self._speed - self._now()
        if early_s > 0:
            self._sleep(early_s)
        elif early_s < -LONGEST_DEBT_S:
            self._start_s -= early_s


class Interrupts:
    """Takes Ctrl-C, SIGTERM and SIGHUP as requests while it is entered; `take` returns those that are new.

    With `stays` Ctrl-Z too: a program that is suspended controls no table, and leaves a real one to its guard.
    Where a signal was ignored from outside (nohup) it stays ignored; outside the main thread nothing is taken.
    """

    def __init__(self, stays: bool = False) -> None:
        """Take nothing yet."""
        self._names = [name for name in SIGNALS if stays or SIGNALS[name] != CTRL_Z]
        self._new: list[str] = []
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        """Begin to take signals."""
        for name in self._names:
            number = getattr(signal, name, None)
            if number is None or signal.getsignal(number) is signal.SIG_IGN:
                continue
            try:
                self._before[number] = signal.signal(number, self._note)
            except ValueError:
                break
        return self

    def __exit__(self, *_: object) -> None:
        """Put back what was there before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._new.append(SIGNALS[signal.Signals(number).name])

    def take(self) -> list[str]:
        """Return the names of the signals since the last time."""
        new, self._new = self._new, []
        return new


def run(
    session: Session,
    table: OpenedTable,
    recorder: Recorder,
    pace: Pace,
    show: Callable[[Sequence[Snapshot]], None],
    say: Callable[[str], None],
    attend: Callable[[Snapshot], None] | None = None,
) -> str:
    """Run a session to its end and return who ended it from outside (`Ctrl-C`), or an empty text.

    `show` gets the snapshots since the last look, `say` what concerns people at once; `attend` takes what somebody at
    the keyboard did meanwhile, just before the session goes on. A session that does not end (people who go round in
    circles) is given up half an hour after it should have.
    """
    longest_ms = (session.plan.planned_s + PATIENCE_S) * 1000
    # The recorder first: a row has the faults under which its tick was made.
    session.loop.observers += [recorder.observe, *table.observers]
    snapshots = recorder.snapshots
    asked_by = ""
    seen = 0
    lost_ms: int | None = None
    collecting = gc.isenabled()
    # Snapshots hold nothing that refers back to them, and looking through all of them again and again takes long.
    gc.disable()
    try:
        with Interrupts(stays=table.hands is None) as interrupts:
            while not session.finished and not (asked_by and _may_leave(session.snapshot)):
                _advance(session, pace.ticks)
                if why := table.gave_up():
                    session.give_up(why)
                for words in table.news():
                    say(words)
                for name in interrupts.take():
                    if name == CTRL_Z:
                        say(STAYS)
                        continue
                    say(_answer(name, session.snapshot, again=bool(asked_by)))
                    if not asked_by:
                        asked_by = name
                        session.bring_patient_back(name)
                show(snapshots[seen:])
                seen = len(snapshots)
                t_ms = 0 if session.snapshot is None else session.snapshot.t_ms
                if not session.gave_up and (why := table.lost()):
                    say(why)
                    session.give_up(why)
                    lost_ms = t_ms
                if lost_ms is not None and t_ms >= lost_ms + LOSS_MS:
                    break
                if t_ms >= longest_ms:
                    session.give_up(f"it did not come to an end within {longest_ms // 60_000} min")
                    if t_ms >= longest_ms + LAST_WAIT_MS:
                        break
                pace.keep(t_ms)
                if attend is not None and session.snapshot is not None:
                    attend(session.snapshot)
    finally:
        if collecting:
            gc.enable()
    return asked_by


def _advance(session: Session, ticks: int) -> None:
    tick = session.tick
    for _ in range(ticks):
        tick()
        if session.finished:
            return


def _may_leave(snapshot: Snapshot | None) -> bool:
    """Whether the patient is at level or above, and nothing moves."""
    if snapshot is None:
        return True
    decision = snapshot.decision
    moving = decision.command.velocity_cdeg_s or snapshot.readings.applied_cdeg_s or decision.returning
    return not moving and decision.still and decision.region not in BELOW


def _answer(name: str, snapshot: Snapshot | None, again: bool) -> str:
    """Return what is said to somebody who wants the program to end."""
    if snapshot is None:
        return f"{name}: nothing has moved; the session ends here."
    angle = degrees(snapshot.decision.angle_cdeg)
    if snapshot.decision.region is Region.ABOVE:
        if _may_leave(snapshot):
            return f"{name}: the table stands at {angle}, above level; the session ends here."
        return f"{name}: the table is stopped first ({angle} now, above level), then the program ends."
    if _may_leave(snapshot):
        return f"{name}: the patient is at level; the session ends here."
    if not again:
        return f"{name}: the patient is brought back to level first ({angle} now), then the program ends."
    state = snapshot.wish.state
    if state is State.STOPPED:
        why = "the table is stopped, and somebody has to bring the patient back"
    elif snapshot.decision.angle_cdeg is None:
        why = "nobody knows the angle"
    else:
        why = f"the patient is at {angle}, on the way to level"
    return f"{name}: still waiting, because {why}. Leaving now would leave a person on a moving or tilted table."
