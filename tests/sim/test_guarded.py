"""The guard in the loop of the simulated table: whole sessions with it, and what it does when the host does not."""

from collections.abc import Iterator

import pytest

from config.errors import DeviceMissingError
from config.loading import load_profile
from firmware_bridge import guard_build
from safety.signals import Alarm, Command, Contacts, Demand, GuardState, Host, Signals, State
from sim import guard as guard_binding
from sim.body import Person
from sim.faults.catalogue import KINDS
from sim.guarded import GuardedActuation
from sim.habits import Habits
from sim.pytest_plugin import Rig
from sim.table import build
from tests.sessions.invariants import violations
from tests.sessions.runs import Watched, in_phase

pytestmark = pytest.mark.needs("cc")

HOST, SIGNALS = Host(), Signals()
TICK_MS = 10
LEVEL_CDEG = 150
BACK_S = 90
KEPT_CDEG = 50
TONE_RETURN, TONE_ALONE = 1, 2
PHASES = (State.TILTING, State.HOLDING, State.RETURNING)


class Alone:
    """A table in mid-session whose host is gone; the guard alone is left.

    Attributes:
        deepest_cdeg: how deep it went since the host was gone; `tones`: what the guard sounded; `fastest_cdeg_s`.
    """

    def __init__(self, watched: Watched) -> None:
        self.table = watched.rig.table
        self.bridge = self.table.bridge
        actuation = self.table.actuation
        assert isinstance(actuation, GuardedActuation)
        self.actuation = actuation
        self.began_cdeg = self.deepest_cdeg = self.table.truth().angle_cdeg
        self.fastest_cdeg_s = 0
        self.tones: set[int] = set()
        self.states: list[GuardState] = []
        self.passed_ms = 0

    @property
    def angle_cdeg(self) -> int:
        return self.table.truth().angle_cdeg

    def ticks(self, seconds: float, command: Command | None = None, echo: int | None = None) -> Iterator[int]:
        """Let time pass, by frames; with `command` a host sends it each time, echoing the newest frame or `echo`."""
        for _ in range(round(seconds * 1000 / TICK_MS)):
            if command is None:
                self.table.forward_alone(TICK_MS)
            else:
                readings = self.bridge.read(self.table.clock.ms + TICK_MS, HOST)
                fields = {name: getattr(command, name) for name in command.__struct_fields__}
                fields["echo"] = readings.sequence if echo is None else echo
                self.bridge.write(Command(**fields), SIGNALS)
            self.passed_ms += TICK_MS
            angle_cdeg, speed_cdeg_s = self.table.truth()
            self.deepest_cdeg = min(self.deepest_cdeg, angle_cdeg)
            self.fastest_cdeg_s = max(self.fastest_cdeg_s, abs(speed_cdeg_s))
            self.tones.add(self.actuation.tone)
            state = self.actuation.told.state
            if not self.states or self.states[-1] is not state:
                self.states.append(state)
            yield angle_cdeg

    def run(self, seconds: float, command: Command | None = None, echo: int | None = None) -> None:
        for _ in self.ticks(seconds, command, echo):
            pass

    def seconds_to_level(self, command: Command | None = None, echo: int | None = None) -> float:
        """Let time pass until the table is at level, its brake set; fail when it does not come there."""
        for angle_cdeg in self.ticks(BACK_S, command, echo):
            if angle_cdeg > -LEVEL_CDEG and not self.actuation.brake_released:
                return self.passed_ms / 1000
        told = self.actuation.told
        raise AssertionError(f"after {BACK_S} s still at {self.angle_cdeg} cdeg: {told}, {self.actuation.phase}")


def alone_in(state: State, offset_ms: int = 1000) -> Alone:
    return Alone(in_phase(state, offset_ms, guard=True))


def session_of(alone: Alone) -> int:
    return alone.actuation.told.session_id


# Whole sessions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", ["short", "first-visit"])
@pytest.mark.parametrize(("mass_kg", "offset_cm"), [(40, -15), (75, 15), (135, 15), (135, -15)])
def test_a_whole_session_is_carried_out_by_the_guard_as_planned(plan: str, mass_kg: int, offset_cm: int) -> None:
    rig = Rig(plan, person=Person(float(mass_kg), 175.0, float(offset_cm)), guard=True)
    result = rig.finish()
    assert (result.result, result.at_level, rig.trips) == ("completed", True, [])
    aim_cdeg = rig.session.plan.cap_cdeg
    deepest = min(s.decision.angle_cdeg or 0 for s in rig.snapshots)
    held = [s.decision.angle_cdeg for s in rig.snapshots if s.wish.state is State.HOLDING]
    assert abs(deepest - aim_cdeg) <= KEPT_CDEG
    assert all(angle is not None and abs(angle - aim_cdeg) <= KEPT_CDEG for angle in held)
    assert {s.readings.guard.state for s in rig.snapshots if s.readings.guard} == {GuardState.IDLE, GuardState.ARMED}


def test_a_table_boarded_above_level_is_lowered_before_the_guard_knows_its_constants() -> None:
    rig = Rig(habits=Habits(boards_at_deg=60.0), guard=True)
    actuation = rig.table.actuation
    assert isinstance(actuation, GuardedActuation)
    rig.forward(until=lambda s: (s.readings.applied_cdeg_s or 0) < 0)
    assert actuation.guard.out.config_hash == 0
    assert rig.finish().result == "completed"
    assert actuation.guard.out.config_hash == actuation.config_hash
    assert rig.trips == []


@pytest.mark.parametrize(("guard", "state"), [(False, GuardState.ABSENT), (True, GuardState.IDLE)])
def test_a_table_says_whether_it_has_a_guard(guard: bool, state: GuardState) -> None:
    told = build(load_profile("simulated"), guard=guard).bridge.read(TICK_MS, HOST).guard
    assert told is not None and told.state is state


def test_a_guard_is_refused_in_words_where_there_is_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_binding, "guard_library", lambda: None)
    guard_binding._loaded.cache_clear()
    try:
        with pytest.raises(DeviceMissingError, match="C compiler"):
            build(load_profile("simulated"), guard=True)
    finally:
        guard_binding._loaded.cache_clear()
    assert guard_build.compiler() is not None


def test_a_copy_of_a_guarded_table_goes_on_as_the_first_one_does() -> None:
    one, other = alone_in(State.HOLDING), alone_in(State.HOLDING)
    assert one.actuation.guard is not other.actuation.guard
    assert one.actuation.guard.memory == other.actuation.guard.memory
    one.run(5)
    assert one.actuation.guard.memory != other.actuation.guard.memory
    other.run(5)
    assert one.actuation.guard.memory == other.actuation.guard.memory
    assert one.table.truth() == other.table.truth()


# The host is gone ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", PHASES)
@pytest.mark.parametrize("offset_ms", [0, 700, 2500])
def test_with_the_host_dead_the_guard_alone_stops_sounds_and_brings_the_table_to_level(
    state: State, offset_ms: int
) -> None:
    alone = alone_in(state, offset_ms)
    took_s = alone.seconds_to_level()
    alone.run(10)
    assert took_s < BACK_S
    assert alone.angle_cdeg > -LEVEL_CDEG
    assert alone.deepest_cdeg > alone.began_cdeg - 100
    assert alone.fastest_cdeg_s < 230
    if alone.began_cdeg < -LEVEL_CDEG:
        assert TONE_RETURN in alone.tones
    assert TONE_ALONE in alone.tones
    assert alone.actuation.told.demand >= Demand.STOP
    assert alone.actuation.told.causes[0] == "H17"


def test_a_host_that_comes_back_too_late_does_not_stop_the_return() -> None:
    alone = alone_in(State.HOLDING)
    alone.run(2)
    took_s = alone.seconds_to_level(Command(session_id=session_of(alone)))
    assert took_s < BACK_S
    assert alone.actuation.told.causes[0] == "H17"


def test_a_host_that_was_gone_for_a_moment_is_followed_again() -> None:
    alone = alone_in(State.HOLDING)
    alone.run(0.4)
    alone.run(1, Command(session_id=session_of(alone)))
    assert alone.states[-2:] == [GuardState.STOP, GuardState.ARMED]
    assert alone.deepest_cdeg > alone.began_cdeg - 100


# The host is wrong ---------------------------------------------------------------------------------------------------


def test_a_host_that_only_sends_zeros_stays_until_the_guards_own_clock_ends_it() -> None:
    alone = alone_in(State.HOLDING)
    zeros = Command(session_id=session_of(alone))
    limit_s = alone.actuation.guard.out.inverted_s
    alone.run(20, zeros)
    assert alone.actuation.told.state is GuardState.ARMED
    assert alone.actuation.told.inverted_s >= limit_s + 19
    alone.seconds_to_level(zeros)
    assert alone.actuation.told.causes[0] == "H03"


def test_zeros_do_not_stop_a_return_that_the_patient_asked_for() -> None:
    alone = alone_in(State.HOLDING)
    alone.table.hands.press("PATIENT")
    assert alone.seconds_to_level(Command(session_id=session_of(alone))) < BACK_S
    assert alone.actuation.told.causes[0] == "H22"


def test_a_host_deaf_to_telemetry_renews_no_lease() -> None:
    alone = alone_in(State.HOLDING)
    deaf = Command(velocity_cdeg_s=-200, session_id=session_of(alone))
    alone.seconds_to_level(deaf, echo=1)
    assert alone.actuation.told.causes[0] == "H18"
    assert alone.deepest_cdeg > alone.began_cdeg - 100


@pytest.mark.parametrize("state", PHASES)
def test_a_host_that_asks_for_70_degrees_gets_no_deeper_than_the_cap(state: State) -> None:
    alone = alone_in(state)
    wrong = Command(velocity_cdeg_s=-200, session_id=session_of(alone), presence_fresh=True)
    alone.table.hands.press("TILT")
    for _ in alone.ticks(60, wrong):
        pass
    assert alone.deepest_cdeg > -1200 - 200 - 100
    alone.seconds_to_level(wrong)


def test_a_host_of_another_session_moves_nothing_and_the_table_comes_back() -> None:
    alone = alone_in(State.HOLDING)
    alone.seconds_to_level(Command(velocity_cdeg_s=-200, session_id=session_of(alone) ^ 1))
    assert alone.deepest_cdeg > alone.began_cdeg - 100


# More than one thing is wrong ----------------------------------------------------------------------------------------


def test_a_strap_that_opens_while_the_host_is_dead_brings_the_table_back_slowly() -> None:
    alone = alone_in(State.HOLDING)
    alone.run(0.5)
    alone.table.hands.strap("left", closed=False)
    assert alone.seconds_to_level() < BACK_S
    assert "H04" in alone.actuation.told.causes
    assert alone.table.panel.strap_left is Contacts.OPEN
    assert alone.actuation.alarm == Alarm.HIGH
    assert alone.fastest_cdeg_s < 130


def test_mains_lost_besides_a_dead_host_and_an_open_strap_end_at_level_on_the_battery() -> None:
    alone = alone_in(State.HOLDING)
    alone.run(0.5)
    alone.table.hands.strap("left", closed=False)
    alone.table.plant.hooks.mains_off = True
    assert alone.seconds_to_level() < BACK_S
    assert {"H04", "H17", "H21"} <= set(alone.actuation.told.causes)


def test_the_emergency_stop_acts_with_the_host_dead() -> None:
    alone = alone_in(State.RETURNING)
    alone.run(0.5)
    alone.table.hands.estop(pressed=True)
    alone.run(0.1)
    stopped_cdeg = alone.angle_cdeg
    alone.run(10)
    assert alone.actuation.told.state is GuardState.CUT
    assert abs(alone.angle_cdeg - stopped_cdeg) < 100
    assert alone.actuation.alarm == Alarm.HIGH


MISLED = ("device-limit", "raised-too-far")
"""Both sensors agree on a wrong angle: nothing on the table knows which level is the true one."""


@pytest.mark.parametrize("fault", sorted(name for name, kind in KINDS.items() if not kind.at_boot))
def test_a_fault_with_the_guard_in_the_loop_ends_at_level_or_with_a_high_alarm(fault: str) -> None:
    watched = in_phase(State.HOLDING, 1000, guard=True)
    watched.rig.inject(fault)
    run = watched.finish(150, watch_ms=20_000)
    last = run.ticks[-1]
    at_level = abs(last.angle_cdeg) <= LEVEL_CDEG
    assert at_level or fault in MISLED or last.seen.decision.alarm == Alarm.HIGH
    assert violations(run) == []


@pytest.mark.parametrize(
    ("mass_kg", "offset_cm", "holds_percent"), [(75, 15, 0), (75, 3, 0), (135, 15, 40), (40, -15, 10)]
)
@pytest.mark.parametrize("offset_ms", [1000, 2500])
def test_a_brake_that_slips_is_caught_and_brought_back_whichever_judge_finds_it_first(
    mass_kg: int, offset_cm: int, holds_percent: int, offset_ms: int
) -> None:
    watched = Watched(person=Person(float(mass_kg), 175.0, float(offset_cm)), guard=True)
    watched.until(lambda tick: tick.seen.wish.state is State.HOLDING, 100)
    watched.until(lambda _: False, offset_ms / 1000)
    watched.rig.inject(f"brake-slips:hold_percent={holds_percent}")
    began = len(watched.ticks)
    run = watched.finish(60, watch_ms=15_000)
    ticks = run.ticks[began:]
    assert {Demand.HOLD} <= {tick.seen.decision.demand for tick in ticks}
    assert Demand.CUT not in {tick.seen.decision.demand for tick in ticks}
    assert max(abs(tick.angle_cdeg - ticks[0].angle_cdeg) for tick in ticks[:300]) < 200
    assert max(tick.angle_cdeg for tick in ticks) > -LEVEL_CDEG
    assert violations(run) == []
