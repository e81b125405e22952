"""Whole sessions on the pins: the real bridge, judge and session, simulated people, a supervisor's declaration."""

import math
from collections.abc import Callable, Iterable

from config.loading import load_plan, load_profile, load_screening
from config.plan import Plan
from config.profile import Profile
from controller.permits import Declaration, declared
from controller.recording import Recorder, Row
from controller.session import Outcome, Session
from safety.signals import Cause, Host, Permit, Snapshot, State
from sim.body import Person
from sim.faults.catalogue import parse
from sim.faults.schedule import FaultSchedule
from sim.gpio_table import build_gpio
from sim.habits import Habits
from sim.people import People

WALL_S = 1_800_000_000
LONGEST_S = 900.0


class GpioRig:
    """One session on one table behind pins, in virtual time. Its permit is declared: nothing else is accepted here."""

    def __init__(
        self,
        plan: str | Plan = "short",
        profile: str | Profile = "pi-gpio",
        *,
        faults: Iterable[str] = (),
        person: Person | None = None,
        seed: int = 0,
        people: bool = True,
        relay_drop_ms: int = 150,
        habits: Habits | None = None,
        permit: Permit | None = None,
    ) -> None:
        self.profile = load_profile(profile) if isinstance(profile, str) else profile
        limits = self.profile.limits()
        self.plan = load_plan(plan, limits) if isinstance(plan, str) else plan
        habits = habits or Habits(boards_at_deg=0.0)
        person = person or Person()
        self.table = table = build_gpio(
            self.profile,
            seed=seed,
            mass_kg=person.mass_kg,
            height_cm=person.height_cm,
            offset_cm=person.offset_cm,
            start_deg=habits.boards_at_deg,
            relay_drop_ms=relay_drop_ms,
        )
        screening = load_screening()
        nothing = {item.id: False for item in screening.items}
        declaration = Declaration("P-17", nothing, last_deg=self.plan.cap_cdeg / 100, last_hold_s=self.plan.hold_s)
        self.session = Session(
            table.bridge,
            table.clock,
            self.plan,
            limits,
            permit or declared(self.plan, screening, declaration, WALL_S),
            Host(clock_ok=True, config_ok=True, wall_s=WALL_S, records_ok=True),
            held_tilt=self.profile.session.held_tilt,
            strap_wait=self.profile.session.strap_wait,
        )
        self.people = People(table.hands, habits)
        self.faults = FaultSchedule(table, [parse(text) for text in faults])
        self.recorder = Recorder(table.recorded)
        self.session.loop.observers += [self.recorder.observe, self.faults.observe]
        if people:
            self.session.loop.observers.append(self.people.observe)

    @property
    def snapshot(self) -> Snapshot:
        assert self.session.snapshot is not None
        return self.session.snapshot

    @property
    def rows(self) -> list[Row]:
        return self.recorder.rows()

    @property
    def codes(self) -> list[str]:
        """Every cause of STOP or worse, in the order in which they came."""
        return [cause.code for cause in self.session.causes]

    @property
    def causes_ever(self) -> dict[str, Cause]:
        """Every cause of any demand, by its code, as it first was."""
        seen: dict[str, Cause] = {}
        for snapshot in self.recorder.snapshots:
            for cause in snapshot.decision.causes:
                seen.setdefault(cause.code, cause)
        return seen

    @property
    def angle_deg(self) -> float:
        """Where the table really is."""
        return math.degrees(self.table.plant.motion.angle_rad)

    @property
    def speed_deg_s(self) -> float:
        """How fast it really moves."""
        return math.degrees(self.table.plant.motion.speed_rad_s)

    def tick(self) -> Snapshot:
        snapshot = self.session.tick()
        if self.people.supervisor.gave_up and not self.session.gave_up:
            self.session.give_up(self.people.supervisor.gave_up)
        return snapshot

    def inject(self, fault: str) -> None:
        """Let a fault begin now."""
        self.faults.inject(fault)

    def forward(
        self, seconds: float | None = None, until: State | Callable[[Snapshot], bool] | None = None
    ) -> Snapshot:
        """Let time pass, or wait for a state or for the answer yes."""
        end_ms = self.table.clock.ms + 1000 * (LONGEST_S if seconds is None else seconds)
        while self.table.clock.ms < end_ms:
            snapshot = self.tick()
            if until is not None and (snapshot.wish.state is until if isinstance(until, State) else until(snapshot)):
                return snapshot
        assert until is None, f"{until} did not come; the session is {self.snapshot.wish.state}"
        return self.snapshot

    def finish(self) -> Outcome:
        self.forward(until=lambda _: self.session.finished)
        return self.session.outcome()
