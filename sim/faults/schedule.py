"""Starting and ending faults at their moment, as a session goes on."""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count

from config.limits import LEVEL_BAND_CDEG
from safety.signals import Snapshot, State
from sim.faults.catalogue import parse_now
from sim.faults.effects import BRIEF_MS
from sim.faults.kinds import Fault
from sim.table import TableParts

_NEVER_MS = 1 << 60


class FaultMoments:
    """The moments at which the faults of a session begin; give `observe` to the control loop.

    A fault in a state begins the first time that a stay in that state lasts long enough. What beginning means is for
    those who inherit to say, in `_start`.
    """

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        """Take what is to happen; what must be there at boot is no moment of a session."""
        self.faults = tuple(faults)
        self._now_ms = 0
        self._waiting = [fault for fault in self.faults if not fault.kind.at_boot]
        self._in_state: list[tuple[int, Fault]] = []
        self._timed: list[tuple[int, Fault]] = []
        self._due_ms = _NEVER_MS
        self._state: State | None = None
        self._watches_motion = any(fault.when.state is None for fault in self._waiting)

    @property
    def unreached(self) -> tuple[Fault, ...]:
        """The faults whose moment has not come, in the order in which they were given."""
        return tuple(self._waiting)

    def observe(self, snapshot: Snapshot) -> None:
        """Take in one tick: start and end what is due. Costs about 0.1 µs when nothing is."""
        now_ms = self._now_ms = snapshot.t_ms
        if now_ms >= self._due_ms or snapshot.wish.state is not self._state or self._watches_motion:
            self._look(snapshot, now_ms)

    def _look(self, snapshot: Snapshot, now_ms: int) -> None:
        state = snapshot.wish.state
        if state is not self._state:
            self._state = state
            self._in_state = [(now_ms + f.when.offset_ms, f) for f in self._waiting if f.when.state is state]
        if self._watches_motion and _driven_below_level(snapshot):
            self._watches_motion = False
            self._timed = [(now_ms + f.when.offset_ms, f) for f in self._waiting if f.when.state is None]
        # What ends now ends before anything begins, so that one fault may follow another without a gap.
        self._end_due(now_ms)
        for moments in (self._in_state, self._timed):
            for moment in [moment for moment in moments if moment[0] <= now_ms]:
                moments.remove(moment)
                self._waiting.remove(moment[1])
                self._start(moment[1])
        self._plan()

    def _start(self, fault: Fault) -> None:
        """Let a fault begin."""
        raise NotImplementedError

    def _end_due(self, now_ms: int) -> None:
        """End what is to end by now."""

    def _plan(self) -> None:
        """Work out when there is something to do next."""
        self._due_ms = min((moment for moment, _ in (*self._in_state, *self._timed)), default=_NEVER_MS)


class FaultSchedule(FaultMoments):
    """The faults of one session on one table of this process.

    Faults that must be there at boot begin when the schedule is made. `Hands.inject` on this table is carried out here
    too.
    """

    def __init__(self, table: TableParts, faults: Iterable[Fault] = ()) -> None:
        """Take the table and what is to happen to it."""
        super().__init__(faults)
        self._table = table
        self._ends: list[tuple[int, int, Callable[[TableParts], None]]] = []
        self._number = count()
        for fault in self.faults:
            if fault.kind.at_boot:
                self._start(fault)
        table.panel.injector = self.inject

    def inject(self, text: str) -> None:
        """Let a fault begin now, written `NAME[+DURATION][:key=value,…]`. Raises FaultError."""
        self._start(parse_now(text))

    def pass_to(self, now_ms: int) -> None:
        """Note that it is `now_ms` by now, where nobody sees snapshots: what was injected ends when it is time."""
        self._now_ms = now_ms
        if now_ms >= self._due_ms:
            self._end_due(now_ms)
            self._plan()

    def _end_due(self, now_ms: int) -> None:
        while self._ends and self._ends[0][0] <= now_ms:
            heappop(self._ends)[2](self._table)

    def _start(self, fault: Fault) -> None:
        fault.start(self._table)
        heappush(self._ends, (self._now_ms + BRIEF_MS, next(self._number), fault.let_go))
        if fault.duration_ms is not None:
            heappush(self._ends, (self._now_ms + fault.duration_ms, next(self._number), fault.end))
        self._plan()

    def _plan(self) -> None:
        super()._plan()
        if self._ends:
            self._due_ms = min(self._due_ms, self._ends[0][0])


def _driven_below_level(snapshot: Snapshot) -> bool:
    """Whether the drive turns the table below −1°: what plain times count from, the first time."""
    angle_cdeg = snapshot.decision.angle_cdeg
    return angle_cdeg is not None and angle_cdeg < -LEVEL_BAND_CDEG and bool(snapshot.readings.applied_cdeg_s)
