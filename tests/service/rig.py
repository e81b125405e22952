"""A service on a simulated table in this very process, in virtual time, people around it or not."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from config.errors import TooLateError
from config.loading import load_plan, load_profile, load_screening
from config.plan import Plan
from controller import messages as say
from controller import permits
from controller.messages import Answer, Event, Welcome
from controller.service import Served, Service
from controller.visits import Rules
from safety.judged import Judged
from safety.signals import Guide, Host, Permit, Proofs, Snapshot, State
from sim.habits import Habits
from sim.people import People
from sim.table import SimulatedTable, build

WALL_S = 1_800_000_000
PROFILE = load_profile("simulated")
LIMITS = PROFILE.limits()
SHORT = load_plan("short", LIMITS)
AT_LEVEL = Habits(boards_at_deg=0.0)
ME = "console (uid 1000)"


class Recorded:
    """A recorder that keeps all in memory, and has what trouble a test gives it."""

    def __init__(self) -> None:
        self.ok = True
        self.trouble = ""
        self.snapshots: list[Snapshot] = []
        self.events: list[Event] = []
        self.told: list[str] = []

    def observe(self, snapshot: Snapshot, events: Sequence[Event], judged: Judged) -> None:
        assert isinstance(judged, Judged)
        self.snapshots.append(snapshot)
        self.events += events

    def news(self) -> list[str]:
        told, self.told = self.told, []
        return told

    def fail(self, trouble: str) -> None:
        self.ok, self.trouble = not trouble, trouble


class Rig:
    """One simulated table and its service; `people` come when asked, one visit's after another's."""

    def __init__(
        self,
        *,
        table: SimulatedTable | None = None,
        start_deg: float = 0.0,
        at_panel: bool = False,
        plans: Sequence[Plan] = (SHORT,),
        unfinished: bool = False,
        simulated: bool = True,
        salt: int = 0,
        guard: bool | None = None,
        host: Host | None = None,
    ) -> None:
        self.table = table or build(PROFILE, start_deg=start_deg, guard=guard)
        self.records = Recorded()
        self.wall_s = WALL_S
        self.clock_ok = True
        self.people: People | None = None
        self.armed: list[bool] = []
        self.hidden = False
        known = Host(clock_ok=True, config_ok=True, started_table=simulated, wall_s=WALL_S, unfinished=unfinished)
        self.service = Service(
            Served(
                bridge=self.table.bridge,
                clock=self.table.clock,
                limits=LIMITS,
                host=host or known,
                rules=Rules(screening=load_screening() if at_panel else None, plans=plans, salt=salt),
                welcome=Welcome(1, "inversion-table", "sim", "A table", "simulated", "host build", "b", 1, True, ""),
                wall_ms=lambda: self.wall_s * 1000,
                records=self.records,
                clock_ok=lambda wall_s: self.clock_ok and wall_s >= WALL_S,
                on_armed=self.armed.append,
                manual_return_text=PROFILE.manual_return_text,
                configuration={"profile": "simulated"},
            )
        )

    # Time ---------------------------------------------------------------------------------------------------------

    def tick(self) -> Snapshot:
        snapshot = self.service.tick()
        if self.people is not None:
            self.people.observe(snapshot)
        return snapshot

    def forward(self, seconds: float) -> Snapshot:
        end_ms = self.table.clock.ms + round(seconds * 1000)
        snapshot = self.tick()
        while self.table.clock.ms < end_ms:
            snapshot = self.tick()
        return snapshot

    def until(self, reached: Callable[[Snapshot], Any], at_most_s: float = 600) -> Snapshot:
        end_ms = self.table.clock.ms + round(at_most_s * 1000)
        while True:
            snapshot = self.tick()
            if reached(snapshot):
                return snapshot
            if self.table.clock.ms >= end_ms:
                raise TooLateError(f"not within {at_most_s:g} s; the session is {snapshot.wish.state}")

    def until_state(self, state: State, at_most_s: float = 600) -> Snapshot:
        return self.until(lambda snapshot: snapshot.wish.state is state, at_most_s)

    # What is there ------------------------------------------------------------------------------------------------

    @property
    def snapshot(self) -> Snapshot:
        assert self.service.snapshot is not None
        return self.service.snapshot

    @property
    def true_deg(self) -> float:
        return self.table.truth().angle_cdeg / 100

    def events(self, kind: str) -> list[Event]:
        return [event for event in self.records.events if event.kind == kind]

    def codes(self) -> list[str]:
        return [cause.code for cause in self.snapshot.decision.causes]

    def guide(self) -> Guide:
        return self.snapshot.wish.guide

    def offered(self) -> bool:
        return self.service.state.offered

    def proofs(self) -> Proofs:
        return self.snapshot.decision.proofs

    # What is asked ------------------------------------------------------------------------------------------------

    def ask(self, request: say.Request, by: str = ME, trusted: bool = True) -> Answer:
        return self.service.handle(request, by, trusted)

    @property
    def seen(self) -> int:
        return self.snapshot.number

    def offer(self, plan: Plan = SHORT, permit: Permit | None = None, data: Any = None, **changes: Any) -> Answer:
        if permit is None:
            permit = permits.simulated(plan, LIMITS.screening_version, self.wall_s)
        permit = msgspec.structs.replace(permit, **changes)
        return self.ask(say.Offer(1, self.seen, as_in_a_file(plan) if data is None else data, permit))

    def stop(self, seen: int | None = None) -> Answer:
        return self.ask(say.Stop(2, self.seen if seen is None else seen, "a test"))

    def bring_back(self, seen: int | None = None) -> Answer:
        return self.ask(say.Return(3, self.seen if seen is None else seen, "a test"))

    def disarm(self) -> Answer:
        return self.ask(say.Disarm(4, self.seen, "a test"))

    def come(self, habits: Habits = AT_LEVEL) -> People:
        """Let a supervisor and a patient come to the table."""
        self.people = People(self.table.hands, habits)
        return self.people

    def visit(self, plan: Plan = SHORT) -> None:
        """Offer a plan, and let people do it from its beginning to the open straps."""
        before = self.ended()
        assert self.offer(plan).ok
        people = self.come()
        self.until(lambda _: people.done)
        self.until(lambda _: self.ended() >= before + 1, 60)
        self.people = None

    def ended(self) -> int:
        """Return how many visits have ended."""
        return sum(event.values["step"] == "ended" for event in self.events("visit"))


def as_in_a_file(plan: Plan) -> dict[str, Any]:
    """Return a plan by the keys of a plan file, as clients send it."""
    return {
        "format": plan.format,
        "name": plan.name,
        "title": plan.title,
        "sets": plan.sets,
        "angle_deg": plan.angle_cdeg / 100,
        "hold_s": plan.hold_s,
        "rest_s": plan.rest_s,
        "speed_deg_s": plan.speed_cdeg_s / 100,
    }


def with_name(plan: Plan, name: str) -> Plan:
    """Return a plan that is the same but for its name."""
    return plan.model_copy(update={"name": name})
