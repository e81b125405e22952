"""Lamps as an eye sees them, whatever the pace at which a session is shown.

A lamp that flashes 2.8 times a second is seen flashing by whoever looks twenty times a second. Shown ten times faster
than life, each look would find it lit or dark at random: then it is said to be flashing, and stands still.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

from safety.signals import LAMP_BREATHE, Snapshot

# Two edges within this time are flashing: the slowest alarm lamp turns at least every 2.1 s (0.4 Hz, lit 20–60 %).
WINDOW_MS: Final = 2600
# Looks further apart than this miss flashes: the fastest lamp is lit for 150 ms.
TOO_FAR_MS: Final = 100
# A breath is 10 s long: this long without an edge, nobody is asked to breathe.
BREATH_MS: Final = 11_000
NEVER_MS: Final = -1_000_000


class LampWatch:
    """Follows the lamps through every tick; `see` takes the snapshots since the last look.

    Attributes:
        lamps: lit now. flashing: those of them that flash too fast to be shown so, lit or dark at the moment.
    """

    def __init__(self) -> None:
        """Begin with all lamps dark."""
        self.lamps = 0
        self.flashing = 0
        self._edges: deque[tuple[int, int]] = deque()
        self._t_ms = 0
        self._breath_ms = NEVER_MS

    def see(self, snapshots: Iterable[Snapshot]) -> None:
        """Follow these ticks."""
        lamps, edges, before_ms = self.lamps, self._edges, self._t_ms
        for snapshot in snapshots:
            now = snapshot.signals.lamps
            if now != lamps:
                edges.append((snapshot.t_ms, now ^ lamps))
                if (now ^ lamps) & LAMP_BREATHE:
                    self._breath_ms = snapshot.t_ms
                lamps = now
            self._t_ms = snapshot.t_ms
        self.lamps = lamps
        while edges and edges[0][0] < self._t_ms - WINDOW_MS:
            edges.popleft()
        once = twice = 0
        if self._t_ms - before_ms > TOO_FAR_MS:
            for _, changed in edges:
                twice |= once & changed
                once |= changed
        self.flashing = twice

    @property
    def breath(self) -> str:
        """What the patient's lamp asks for: `in`, `out`, or nothing while nobody is asked to breathe."""
        if self.lamps & LAMP_BREATHE:
            return "in"
        return "out" if self._t_ms - self._breath_ms <= BREATH_MS else ""
