"""One run of a session with faults, as the judges of this folder read it: every tick with the plant's own truth."""

import copy
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from unittest.mock import patch

import msgspec

from config.errors import TooLateError
from config.limits import Limits
from config.plan import Plan
from safety.signals import Demand, Snapshot, State
from sim.body import Person
from sim.faults.catalogue import KINDS
from sim.guarded import GuardedActuation
from sim.habits import Habits
from sim.pytest_plugin import Rig

AT_LEVEL = Habits(boards_at_deg=0.0)
BRIEF = Plan.model_validate(
    {
        "format": "inversion-table/plan@1",
        "name": "brief",
        "title": "As short as a session with every phase can be",
        "sets": 1,
        "angle_deg": -12.0,
        "hold_s": 5,
        "rest_s": 60,
        "speed_deg_s": 2.0,
    }
)
"""The plan of the matrix: 12° leave room for every phase, and half a minute is saved in each of its runs."""

LEVEL_CDEG = 150
STILL_CDEG_S = 5
SETTLED_MS = 3000
MOVING_STATES = (State.STRAPPED, State.TILTING, State.HOLDING, State.RETURNING)

ORDER = (State.IDLE, State.STRAPPED, State.TILTING, State.HOLDING, State.RETURNING, State.RESTING)


class Tick(NamedTuple):
    """One tick: what everybody saw, and what only the plant knows (centidegrees, centidegrees a second).

    `guard_alarm` is the priority of what the table's own judge sounds there, also where the host cannot hear it.
    """

    seen: Snapshot
    angle_cdeg: int
    velocity_cdeg_s: int
    cranked: bool
    injected: str
    guard_alarm: int = 0


@dataclass(slots=True)
class Run:
    """A finished run, with what is needed to judge it; `faults` are the names of those that were there."""

    ticks: list[Tick]
    limits: Limits
    cap_cdeg: int
    set_limit_s: int
    faults: frozenset[str] = frozenset()
    unreached: tuple[str, ...] = ()
    refused: set[str] = field(default_factory=set)


class Watched:
    """A rig of which every tick is kept with the plant's truth."""

    def __init__(
        self,
        plan: str | Plan = BRIEF,
        faults: Sequence[str] = (),
        habits: Habits = AT_LEVEL,
        person: Person | None = None,
        seed: int = 0,
        guard: bool | None = None,
    ) -> None:
        """Put a session together; whatever happens in it is expected here, and judged afterwards."""
        self.rig = Rig(plan, faults=faults, habits=habits, person=person, seed=seed, guard=guard)
        self.rig.expect("*")
        self.ticks: list[Tick] = []
        self._quiet_ms = 0
        # In the place of the rig's own recorder, first of all: a tick is kept with the faults under which it was made.
        self.rig.session.loop.observers[0] = self._keep

    def _keep(self, snapshot: Snapshot) -> None:
        table = self.rig.table
        angle_cdeg, velocity_cdeg_s = table.truth()
        actuation = table.actuation
        alarm = actuation.alarm if isinstance(actuation, GuardedActuation) else 0
        self.ticks.append(Tick(snapshot, angle_cdeg, velocity_cdeg_s, table.plant.crank_turning, table.injected, alarm))

    def until(self, question: Callable[[Tick], bool], at_most_s: float) -> bool:
        """Let time pass until a tick answers yes; false when it was over before."""
        try:
            self.rig.forward(until=lambda _: question(self.ticks[-1]), at_most_s=at_most_s)
        except TooLateError:
            return False
        return True

    def finish(self, at_most_s: float, watch_ms: int = 0) -> Run:
        """Let time pass until nothing more is to be seen, and return the run.

        That is when every fault has come, `watch_ms` have passed since the last one, and the patient is at level,
        still, for some seconds, in a state from which the table does not go on by itself.
        """
        last_ms = 0

        def over(tick: Tick) -> bool:
            nonlocal last_ms
            waiting = bool(self.rig.faults.unreached)
            if waiting or tick.injected != (self.ticks[-2].injected if len(self.ticks) > 1 else ""):
                last_ms = tick.seen.t_ms
            settled = abs(tick.velocity_cdeg_s) < STILL_CDEG_S and -LEVEL_CDEG < tick.angle_cdeg < LEVEL_CDEG
            settled = settled and tick.seen.wish.state not in MOVING_STATES
            self._quiet_ms = self._quiet_ms + tick.seen.readings.elapsed_ms if settled else 0
            long_quiet = SETTLED_MS if tick.seen.decision.demand >= Demand.STOP else 2 * SETTLED_MS
            watched = not waiting and tick.seen.t_ms - last_ms >= max(watch_ms, long_quiet)
            in_idle = tick.seen.wish.state is State.IDLE and tick.seen.decision.demand < Demand.STOP
            done = self.rig.people.done or self.rig.session.finished
            return watched and (done or (self._quiet_ms >= long_quiet and not in_idle))

        self.until(over, at_most_s)
        return self.run()

    def branch(self) -> "Watched":
        """Return a second session that has come to just where this one is, and goes on by itself.

        Only before any fault has come: faults hold parts of their own table. The values of a tick are shared, since
        they are immutable and the judge knows some of them by identity.
        """
        kept, self.ticks = self.ticks, []
        try:
            with patch.object(msgspec.Struct, "__deepcopy__", lambda struct, _memo: struct, create=True):
                twin = copy.deepcopy(self)
        finally:
            self.ticks = kept
        twin.ticks = list(kept)
        return twin

    def run(self) -> Run:
        """Return the run so far."""
        session = self.rig.session
        return Run(
            self.ticks,
            session.loop.limits,
            session.plan.cap_cdeg,
            session.plan.set_limit_s(session.loop.limits),
            frozenset(name for tick in self.ticks for name in tick.injected.split("+") if name in KINDS),
            tuple(str(fault) for fault in self.rig.faults.unreached),
            {cause.code for tick in self.ticks for cause in tick.seen.decision.refusals},
        )


@functools.cache
def _come_to(state: State, guard: bool | None) -> Watched:
    """The usual session, brought once to the entry of a state; to be branched, never used itself."""
    before = ORDER.index(state)
    watched = _come_to(ORDER[before - 1], guard).branch() if before else Watched(guard=guard)
    assert watched.until(lambda tick: tick.seen.wish.state is state, 100)
    return watched


def in_phase(state: State, offset_ms: int, guard: bool | None = None) -> Watched:
    """Return the usual session (brief plan, usual people), `offset_ms` after the entry of a state."""
    watched = _come_to(state, guard).branch()
    if offset_ms:
        watched.until(lambda _: False, offset_ms / 1000)
    return watched
