"""The terminal panel without a terminal: a plain line a change, no colours, no keys."""

import select
import time
from collections.abc import Callable, Sequence
from typing import Final

from controller.messages import Event, Frame, News
from controller.progress import clock, degrees
from controller.runner import Interrupts
from controller.tui.control import Link

LOOK_S: Final = 0.2
LINE_EVERY_MS: Final = 10_000
# Every press is in the journal.
UNTOLD: Final = ("input", "demand")


class PlainPanel:
    """Tells what happens, line by line, until somebody or something ends it.

    Args:
        link: to the control process.
        say: takes a line.
        leave: asked when a signal comes; true: at once.
        look: sees how what was started is; returns the exit code once everything has ended.
        heard: takes the events.
        busy: what is being started, in a sentence; empty otherwise.
    """

    def __init__(
        self,
        link: Link,
        say: Callable[[str], None],
        leave: Callable[[], bool],
        look: Callable[[], int | None],
        heard: Callable[[Sequence[Event]], None],
        busy: Callable[[], str] = str,
    ) -> None:
        self._link, self._say, self._leave, self._look, self._heard = link, say, leave, look, heard
        self._busy = busy
        self._number = 0
        self._boot = ""
        self._why = ""
        self._told_ms = -LINE_EVERY_MS

    def run(self) -> int:
        """Tell until the end; return the exit code."""
        with Interrupts() as interrupts:
            while True:
                self._take(self._link.look())
                if (code := self._look()) is not None:
                    self._take(self._link.look())
                    return code
                if interrupts.take() and self._leave():
                    return 0
                self._wait()

    def _wait(self) -> None:
        control = self._link.control
        if control is None:
            time.sleep(LOOK_S)
        else:
            select.select([control], [], [], LOOK_S)

    def _take(self, came: Sequence[Frame | News]) -> None:
        link = self._link
        why = "" if link.control is not None else self._busy() or link.why
        if why != self._why:
            self._why = why
            if self._why:
                self._say(self._why)
        if link.welcome is not None and link.welcome.boot != self._boot:
            self._boot, self._number, self._told_ms = link.welcome.boot, 0, -LINE_EVERY_MS
            self._say(f"{link.welcome.title} ({link.welcome.table_id}), guard: {link.welcome.guard}")
        events = [one.event for one in came if isinstance(one, News) and one.event.number > self._number]
        for event in events:
            self._number = event.number
            if event.kind not in UNTOLD:
                code = f"{event.code}: " if event.code and event.code not in event.text else ""
                self._say(f"{clock(event.t_ms):>6}  {code}{event.text}")
        self._heard(events)
        frames = [one for one in came if isinstance(one, Frame)]
        if frames and frames[-1].snapshot.t_ms - self._told_ms >= LINE_EVERY_MS:
            self._tell(frames[-1])

    def _tell(self, frame: Frame) -> None:
        snapshot = frame.snapshot
        self._told_ms = snapshot.t_ms
        wish, decision = snapshot.wish, snapshot.decision
        left = f", left {clock(wish.left_ms)}" if wish.left_ms else ""
        state = wish.state.replace("_", " ")
        self._say(f"{clock(snapshot.t_ms):>6}  {state}, angle {degrees(decision.angle_cdeg)}{left}")
