"""Being on time: what the system permits of it, and how late the ticks were.

Nothing here is needed for safety: a late tick is counted, and the judge acts on it (H27), whatever this process was
permitted. What was not permitted is told in one sentence.
"""

import ctypes
import gc
import math
import os
import resource
from array import array
from typing import Final

from safety.link import LATE_MS

PRIORITY: Final = 50
"""Among the real-time priorities (1–99): above nothing but what the kernel's own threads need."""
MCL_CURRENT: Final = 1
MCL_FUTURE: Final = 2
SECONDS: Final = 60
BINS: Final = 256


class RealTime:
    """Real-time scheduling, memory that stays in place, and a garbage collector that waits; taken once, at the end.

    To be taken when everything else exists: what is started afterwards begins as an ordinary process all the same, and
    what was made before is never looked through again.

    Attributes:
        missing: what was not permitted; `told` is that and what would change it, in a sentence, else nothing.
    """

    def __init__(self) -> None:
        """Take nothing yet."""
        self.missing: tuple[str, ...] = ()
        self.told = ""

    def take(self) -> None:
        """Take what is permitted."""
        gc.collect()
        gc.freeze()
        missing = []
        if why := _scheduled():
            missing.append(f"the scheduler does not put it first ({why})")
        if why := _locked():
            missing.append(f"its memory may be swapped out ({why})")
        self.missing = tuple(missing)
        self.told = (
            ""
            if not missing
            else (
                f"Not in real time: {' and '.join(missing)}. Late ticks are counted and deepen nothing; "
                "LimitRTPRIO=50 and LimitMEMLOCK=infinity in its systemd unit, or root, permit it."
            )
        )

    def armed(self, armed: bool) -> None:
        """Collect no garbage while a patient is armed: what a tick leaves behind needs none."""
        if armed:
            gc.disable()
        else:
            gc.enable()


def _scheduled() -> str:
    """Ask for SCHED_FIFO; return why not."""
    set_scheduler = getattr(os, "sched_setscheduler", None)
    if set_scheduler is None:
        return "this system has no such scheduler"
    try:
        # What this process starts later is no control loop.
        set_scheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _locked() -> str:
    """Keep every page in memory; return why not.

    Where only so much may be locked, memory that is asked for later would be refused, in the middle of a tick.
    """
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] != resource.RLIM_INFINITY and os.geteuid() != 0:
        return "only some of it may be locked"
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        failed = libc.mlockall(MCL_CURRENT | MCL_FUTURE)
    except (OSError, AttributeError):
        return "this system cannot keep it there"
    return os.strerror(ctypes.get_errno()) if failed else ""


class Lateness:
    """How far apart the ticks were: of all of them, and of the last minute. Nothing is allocated after the beginning.

    Attributes:
        overruns: ticks that came more than 50 ms after the one before (H27).
    """

    def __init__(self) -> None:
        """Begin with no tick."""
        self.overruns = 0
        self._worst = array("l", [0] * SECONDS)
        self._counts = array("L", [0] * BINS)
        self._second = 0

    def note(self, t_ms: int, gap_ms: int) -> None:
        """Take in a tick at `t_ms` that came `gap_ms` after the one before."""
        second = t_ms // 1000
        if second != self._second:
            self._turn(second)
        if gap_ms > self._worst[second % SECONDS]:
            self._worst[second % SECONDS] = gap_ms
        self._counts[gap_ms if 0 <= gap_ms < BINS else BINS - 1] += 1
        if gap_ms > LATE_MS:
            self.overruns += 1

    @property
    def worst_ms(self) -> int:
        """The longest gap between two ticks of the last minute."""
        return max(self._worst)

    @property
    def told(self) -> str:
        """Return how it was, in a sentence."""
        return (
            f"{sum(self._counts)} ticks, one every {self.percentile_ms(50)} ms; 99.9 % within "
            f"{self.percentile_ms(99.9)} ms; {self.overruns} were late by more than {LATE_MS} ms."
        )

    def percentile_ms(self, percent: float) -> int:
        """Return the gap that so many percent of all ticks did not exceed; 255 stands for as much or more."""
        left = math.ceil(round(percent * sum(self._counts) / 100, 6))
        for gap_ms, count in enumerate(self._counts):
            left -= count
            if left <= 0:
                return gap_ms
        return BINS - 1

    def _turn(self, second: int) -> None:
        """Forget what is older than a minute."""
        for passed in range(self._second + 1, min(second, self._second + SECONDS) + 1):
            self._worst[passed % SECONDS] = 0
        # After a longer gap every place was cleared, the present second's among them.
        self._worst[second % SECONDS] = 0
        self._second = second
