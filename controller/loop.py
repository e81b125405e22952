"""The control loop: one thread, one tick, one path from the table and back to it.

A tick reads what the table says, asks the session what it would like, has it judged, and passes on what is allowed with
the lamps and the sound that go with it; everybody else gets a snapshot. Time is injected: nothing here knows a clock
but the one it is given.
"""

from collections.abc import Callable
from typing import Final, Protocol

from config.limits import Limits
from controller.alarms import Alarms
from firmware_bridge.bridge import Bridge
from safety.judge import step
from safety.judged import INITIAL, Judged
from safety.signals import Command, Decision, Host, Readings, Snapshot, Wish

TICK_MS: Final = 10
UNDECIDED: Final = Decision(Command(send=False))
Observer = Callable[[Snapshot], None]


class Clock(Protocol):
    """A monotonic clock."""

    def now_ms(self) -> int:
        """Milliseconds since some moment that does not change."""
        ...


class Wisher(Protocol):
    """Whoever says what the session would like; `controller.machine.SessionMachine` in a session."""

    def decide(self, readings: Readings, decision: Decision) -> Wish:
        """Return this tick's wish, knowing the readings and the judge's last decision."""
        ...


class ControlLoop:
    """Reads, wishes, judges, writes and publishes, tick by tick.

    `host` is what the host knows of itself; whoever learns more replaces it. Observers get each snapshot, in the order
    in which they were added; they must neither block nor raise.
    """

    def __init__(self, bridge: Bridge, machine: Wisher, limits: Limits, clock: Clock, host: Host) -> None:
        """Begin with nothing judged; nothing moves before the first tick."""
        self.bridge = bridge
        self.machine = machine
        self.limits = limits
        self.clock = clock
        self.host = host
        self.alarms = Alarms()
        self.observers: list[Observer] = []
        self.judged: Judged = INITIAL
        self.decision: Decision = UNDECIDED
        self.ticks = 0
        self._started_ms = clock.now_ms()

    @property
    def t_ms(self) -> int:
        """Milliseconds since this loop began, as snapshots count them."""
        return self.clock.now_ms() - self._started_ms

    def tick(self, deadline_ms: int) -> Snapshot:
        """Run one tick; it ends at a new frame, or at `deadline_ms` on the injected clock."""
        readings = self.bridge.read(deadline_ms, self.host)
        wish = self.machine.decide(readings, self.decision)
        self.judged, decision = step(self.judged, readings, wish, self.limits)
        self.decision = decision
        signals = self.alarms.signals(readings, wish, decision)
        self.bridge.write(decision.command, signals)
        self.ticks += 1
        now_ms = self.clock.now_ms() - self._started_ms
        snapshot = Snapshot(self.ticks, now_ms, readings, wish, decision, signals)
        for observe in self.observers:
            observe(snapshot)
        return snapshot
