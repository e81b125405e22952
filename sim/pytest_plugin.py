"""The pytest plugin for engineers who test against the simulated table: `inversion_table` makes whole sessions.

A rig is a table, the people around it, the session, and virtual time: `rig.forward(seconds=…)` and
`rig.forward(until=…)` let it pass, and raise `TableFaulted` the moment the table faults in a way that the test did not
announce with `rig.expect("H04")`. docs/testing.md shows how it is used.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

import pytest

from config.errors import InversionTableError, TooLateError
from config.loading import load_plan, load_profile
from config.plan import Plan
from config.profile import Profile
from controller import permits
from controller.recording import Recorder, Row, Trip
from controller.session import Outcome, Session
from safety.signals import Cause, Demand, Host, Snapshot, State
from sim.body import Person
from sim.faults.catalogue import parse
from sim.faults.papers import boot_angle_deg, tamper
from sim.faults.schedule import FaultSchedule
from sim.habits import Habits
from sim.panel import Panel
from sim.people import People
from sim.table import SimulatedTable, build

WALL_S = 1_800_000_000
"""The date of every rig: a label, so that one seed gives one run."""

LONGEST_S = 3600.0
DONE_MS = 10_000


class TableFaulted(InversionTableError, AssertionError):  # noqa: N818 it tells what happened, like pytest's own Failed
    """The table faulted though the test did not expect it; `cause` says why, `snapshot` when."""

    def __init__(self, cause: Cause, snapshot: Snapshot) -> None:
        self.cause = cause
        self.snapshot = snapshot
        super().__init__(cause, snapshot)

    def __str__(self) -> str:
        """Say what, where and when, with value and limit."""
        cause, snapshot = self.cause, self.snapshot
        return (
            f"{cause.code} demands {cause.demand.name} {snapshot.t_ms / 1000:.2f} s into the run, in state "
            f"{snapshot.wish.state}: {cause.value} against {cause.limit} {cause.unit}; "
            f'announce it with expect("{cause.code}") if it is meant'
        )


class Rig:
    """One session on one simulated table, with simulated people, in virtual time.

    Args:
        plan, profile: names or files as on the command line, or loaded ones.
        faults: as on the command line, `NAME@WHEN[+DURATION][:key=value,…]`.
        habits: how the people are; by default they board at level, which saves a minute of lowering.
        person: who lies on the table.
        seed: of noise and bouncing; one seed gives one run.
        people: False leaves table and panel to the test.
        guard: whether the second judge is in the loop; None as `sim.table.build` usually does.

    Attributes:
        hands: the switches, as people work them.
        snapshot: the last tick; `snapshots` has all of them.
        table, session, people, faults: what the rig is made of.
    """

    def __init__(
        self,
        plan: str | Plan = "short",
        profile: str | Profile = "simulated",
        *,
        faults: Iterable[str] = (),
        habits: Habits | None = None,
        person: Person | None = None,
        seed: int = 0,
        people: bool = True,
        guard: bool | None = None,
    ) -> None:
        """Put everything together; no time has passed yet."""
        table_profile = load_profile(profile) if isinstance(profile, str) else profile
        limits = table_profile.limits()
        todo = load_plan(plan, limits) if isinstance(plan, str) else plan
        habits = habits or Habits(boards_at_deg=0.0)
        person = person or Person()
        parsed = [parse(text) for text in faults]
        self.table: SimulatedTable = build(
            table_profile,
            seed=seed,
            mass_kg=person.mass_kg,
            height_cm=person.height_cm,
            offset_cm=person.offset_cm,
            start_deg=boot_angle_deg(parsed, habits.boards_at_deg),
            guard=guard,
        )
        self.faults = FaultSchedule(self.table, parsed)
        self.session = Session(
            self.table.bridge,
            self.table.clock,
            todo,
            limits,
            tamper(permits.simulated(todo, limits.screening_version, WALL_S), self.table),
            Host(clock_ok=True, config_ok=True, started_table=True, wall_s=WALL_S, records_ok=True),
            held_tilt=table_profile.session.held_tilt,
            strap_wait=table_profile.session.strap_wait,
        )
        self.people = People(self.table.hands, habits)
        self._recorder = Recorder(self.table.recorded)
        self._expected: set[str] = set()
        self._done_ms = 0
        # The recorder first: a row has the faults under which its tick was made.
        observers = [self._recorder.observe, self.faults.observe]
        self.session.loop.observers += [*observers, self.people.observe] if people else observers

    # What it is ------------------------------------------------------------------------------------------------------

    @property
    def hands(self) -> Panel:
        """The switches, as people work them."""
        return self.table.hands

    @property
    def snapshots(self) -> list[Snapshot]:
        """Every tick so far."""
        return self._recorder.snapshots

    @property
    def snapshot(self) -> Snapshot:
        """The last tick. Raises LookupError before the first."""
        if self.session.snapshot is None:
            raise LookupError("no time has passed yet")
        return self.session.snapshot

    @property
    def state(self) -> State:
        """The state of the session in the last tick."""
        return self.snapshot.wish.state

    @property
    def rows(self) -> list[Row]:
        """The trace so far, with the plant's truth."""
        return self._recorder.rows()

    @property
    def trips(self) -> list[Trip]:
        """Each cause that demanded STOP or worse, in the order in which they appeared."""
        return self._recorder.trips()

    @property
    def result(self) -> Outcome:
        """What the session came to, or has come to so far."""
        return self.session.outcome()

    # What can be done ------------------------------------------------------------------------------------------------

    def expect(self, *codes: str) -> None:
        """Announce causes that are meant; `"*"` announces every one."""
        self._expected.update(codes)

    def inject(self, fault: str) -> None:
        """Let a fault begin now, written `NAME[+DURATION][:key=value,…]`. Raises FaultError."""
        self.faults.inject(fault)

    def forward(
        self,
        seconds: float | None = None,
        until: State | str | Callable[[Snapshot], bool] | None = None,
        at_most_s: float = LONGEST_S,
    ) -> Snapshot:
        """Let time pass: for `seconds`, or until a state is reached or a question about a snapshot is answered yes.

        Returns:
            The last tick.

        Raises:
            TableFaulted: a cause of STOP or worse came that was not announced.
            TooLateError: `until` did not come within `at_most_s`.
            ValueError: neither or both of `seconds` and `until` are given, or `seconds` is negative.
        """
        if (seconds is None) == (until is None):
            raise ValueError("say either how many seconds, or until what")
        if until is None:
            return self._for(seconds or 0.0)
        if isinstance(until, str):
            return self._until(_in_state(State(until)), until, at_most_s)
        return self._until(until, getattr(until, "__name__", "what was awaited"), at_most_s)

    def finish(self, at_most_s: float = LONGEST_S) -> Outcome:
        """Let time pass until the session is over, and return what it came to.

        Raises:
            TableFaulted: a cause of STOP or worse came that was not announced.
            TooLateError: it was not over within `at_most_s`.
        """
        self._until(self._is_over, "the end of the session", at_most_s)
        return self.result

    def _is_over(self, snapshot: Snapshot) -> bool:
        """Whether the session is over, or the people have long let the patient off a table that stands."""
        if self.people.supervisor.done:
            self._done_ms += snapshot.readings.elapsed_ms
        return self.session.finished or (self._done_ms >= DONE_MS and snapshot.decision.still)

    def _until(self, reached: Callable[[Snapshot], bool], what: str, at_most_s: float) -> Snapshot:
        clock = self.table.clock
        end_ms = clock.ms + at_most_s * 1000
        while True:
            snapshot = self._tick()
            if reached(snapshot):
                return snapshot
            if clock.ms >= end_ms:
                raise TooLateError(f"{what} did not come within {at_most_s:g} s; the session is {self.state}")

    def _for(self, seconds: float) -> Snapshot:
        if seconds < 0:
            raise ValueError(f"time does not go back: {seconds:g} s")
        end_ms = self.table.clock.now_ms() + round(seconds * 1000)
        while self.table.clock.now_ms() < end_ms:
            self._tick()
        return self.snapshot

    def _tick(self) -> Snapshot:
        snapshot = self.session.tick()
        if self.people.supervisor.gave_up and not self.session.gave_up:
            self.session.give_up(self.people.supervisor.gave_up)
        if snapshot.decision.causes:
            self._judge(snapshot)
        return snapshot

    def _judge(self, snapshot: Snapshot) -> None:
        if "*" in self._expected:
            return
        for cause in snapshot.decision.causes:
            if cause.demand >= Demand.STOP and cause.code not in self._expected:
                raise TableFaulted(cause, snapshot)


def _in_state(state: State) -> Callable[[Snapshot], bool]:
    return lambda snapshot: snapshot.wish.state is state


class RigFactory(Protocol):
    """Makes rigs; takes what `Rig` takes."""

    def __call__(
        self,
        plan: str | Plan = "short",
        profile: str | Profile = "simulated",
        *,
        faults: Iterable[str] = (),
        habits: Habits | None = None,
        person: Person | None = None,
        seed: int = 0,
        people: bool = True,
        guard: bool | None = None,
    ) -> Rig:
        """Return a new rig; no time has passed on it."""
        ...


@pytest.fixture
def inversion_table() -> RigFactory:
    """Make rigs: a whole session on a simulated table each, in virtual time."""
    return Rig
