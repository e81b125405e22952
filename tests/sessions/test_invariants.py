"""The judge of finished runs finds what it is there to find: each sentence of it has a breach planted here."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from safety.signals import ACK, RAISE, RETURN, TILT, Alarm, Cause, Decision, Demand, State
from tests.sessions.invariants import violations
from tests.sessions.runs import Run, Tick, Watched

STRAP = Cause("H04", Demand.RETURN, Alarm.HIGH, 2, 0, "straps open", slow=True)
ESTOP = Cause("H20", Demand.CUT, Alarm.HIGH, 2, 0, "contacts open")
OWN = Cause("STOP", Demand.STOP, Alarm.LOW, 1, 0, "pressed")
LINK = Cause("H18", Demand.STOP, Alarm.MEDIUM, 200, 150, "ms")
BLOCKED = Cause("H15", Demand.HOLD, Alarm.HIGH, 12_000, 12_000, "mA")


@pytest.fixture(scope="module")
def healthy() -> Run:
    return Watched().finish(200)


@pytest.fixture(scope="module")
def tripped() -> Run:
    """A strap opens on the way down: stop, tone, slow return."""
    return Watched(faults=["strap-opens@tilting+6s"]).finish(200)


def planted(run: Run, change: Callable[[Tick], Tick], belongs: Callable[[Tick], bool], **kept: Any) -> Run:
    """A copy of a run in which some ticks are changed."""
    return replace(run, ticks=[change(tick) if belongs(tick) else tick for tick in run.ticks], **kept)


def decides(*causes: Cause, demand: Demand, alarm: Alarm = Alarm.NONE) -> Callable[[Tick], Tick]:
    """A change: the judge's decision says this."""

    def change(tick: Tick) -> Tick:
        decision: Decision = msgspec.structs.replace(tick.seen.decision, causes=causes, demand=demand, alarm=alarm)
        return tick._replace(seen=msgspec.structs.replace(tick.seen, decision=decision))

    return change


def reads(**values: Any) -> Callable[[Tick], Tick]:
    """A change: the readings say this."""

    def change(tick: Tick) -> Tick:
        readings = msgspec.structs.replace(tick.seen.readings, **values)
        return tick._replace(seen=msgspec.structs.replace(tick.seen, readings=readings))

    return change


def both(*changes: Callable[[Tick], Tick]) -> Callable[[Tick], Tick]:
    """One change after the other."""

    def change(tick: Tick) -> Tick:
        for one in changes:
            tick = one(tick)
        return tick

    return change


def in_state(state: State, from_s: float = 0.0, to_s: float = 1e9) -> Callable[[Tick], bool]:
    return lambda tick: tick.seen.wish.state is state and from_s * 1000 <= tick.seen.t_ms < to_s * 1000


def once(state: State) -> Callable[[Tick], bool]:
    """Only the hundredth tick in a state."""
    count = 0

    def belongs(tick: Tick) -> bool:
        nonlocal count
        count += tick.seen.wish.state is state
        return count == 100 and tick.seen.wish.state is state

    return belongs


def told(run: Run) -> set[str]:
    """The numbers of the sentences that a run breaks."""
    return {sentence[0] for sentence in violations(run)}


def test_nothing_is_found_where_nothing_is_wrong(healthy: Run, tripped: Run) -> None:
    assert violations(healthy) == []
    assert violations(tripped) == []


@pytest.mark.parametrize(
    ("deeper_cdeg", "faults", "found"),
    [
        (300, set(), set()),
        (301, set(), {"1"}),
        (1100, {"brake-slips"}, set()),
        (1101, {"brake-slips"}, {"1"}),
        (5800, {"angles-shift"}, set()),
        (5801, {"angles-shift"}, {"1"}),
    ],
)
def test_too_deep_is_found(healthy: Run, deeper_cdeg: int, faults: set[str], found: set[str]) -> None:
    deep = healthy.cap_cdeg - deeper_cdeg
    run = planted(healthy, lambda t: t._replace(angle_cdeg=deep), once(State.HOLDING), faults=frozenset(faults))
    assert told(run) == found


@pytest.mark.parametrize(("velocity_cdeg_s", "found"), [(-245, set()), (-255, {"1"}), (255, {"1"})])
def test_too_fast_is_found(healthy: Run, velocity_cdeg_s: int, found: set[str]) -> None:
    run = planted(healthy, lambda t: t._replace(velocity_cdeg_s=velocity_cdeg_s), once(State.TILTING))
    assert told(run) == found


def test_too_fast_on_a_slow_return_is_found(tripped: Run) -> None:
    fast = planted(tripped, lambda t: t._replace(velocity_cdeg_s=150), in_state(State.EMERGENCY_RETURN, from_s=30))
    assert told(fast) == {"1"}


def test_too_fast_above_level_is_found(healthy: Run) -> None:
    up = both(lambda t: t._replace(angle_cdeg=3000, velocity_cdeg_s=200), reads(buttons=RAISE, drive_power=True))
    assert told(planted(healthy, up, once(State.RESTING))) == {"1"}


def test_going_deeper_under_a_cause_is_found(healthy: Run) -> None:
    held = decides(STRAP, demand=Demand.HOLD, alarm=Alarm.HIGH)
    assert "2" in told(planted(healthy, held, in_state(State.TILTING, from_s=24)))


def test_the_relief_of_a_blocked_return_is_no_breach(healthy: Run) -> None:
    deep = planted(healthy, lambda t: t._replace(angle_cdeg=t.angle_cdeg - 190), in_state(State.HOLDING, from_s=31))
    blocked = decides(BLOCKED, demand=Demand.HOLD, alarm=Alarm.HIGH)
    strap = decides(STRAP, demand=Demand.HOLD, alarm=Alarm.HIGH)
    assert told(planted(deep, blocked, in_state(State.HOLDING))) == set()
    assert told(planted(deep, strap, in_state(State.HOLDING))) == {"2"}


def test_a_return_that_does_not_arrive_is_found(healthy: Run) -> None:
    ticks = [tick for tick in healthy.ticks if tick.seen.wish.state is State.HOLDING]
    moving = [
        tick._replace(
            seen=msgspec.structs.replace(tick.seen, t_ms=100 * number, number=number),
            velocity_cdeg_s=20,
        )
        for number, tick in enumerate(ticks * 3)
    ]
    late = replace(healthy, ticks=[decides(LINK, demand=Demand.RETURN, alarm=Alarm.MEDIUM)(tick) for tick in moving])
    assert "3" in told(late)
    loud = replace(healthy, ticks=[decides(LINK, demand=Demand.RETURN, alarm=Alarm.HIGH)(tick) for tick in moving])
    assert told(loud) == set()


def test_rising_above_level_by_itself_is_found(healthy: Run) -> None:
    up = both(lambda t: t._replace(angle_cdeg=160, velocity_cdeg_s=50), reads(drive_power=True))
    assert told(planted(healthy, up, once(State.RESTING))) == {"4"}
    assert told(planted(healthy, both(up, reads(buttons=RAISE)), once(State.RESTING))) == set()


def test_going_outward_again_after_a_stop_is_found(tripped: Run) -> None:
    stopped_ms = next(t.seen.t_ms for t in tripped.ticks if t.seen.decision.demand >= Demand.STOP)
    outward = planted(
        tripped, reads(applied_cdeg_s=-50), lambda t: stopped_ms + 1500 <= t.seen.t_ms < stopped_ms + 1600
    )
    assert told(outward) == {"5"}
    pressed = both(reads(applied_cdeg_s=-50), reads(buttons=TILT))
    again = planted(tripped, pressed, lambda t: stopped_ms + 1500 <= t.seen.t_ms < stopped_ms + 1600)
    assert told(again) == set()


def test_going_back_at_once_after_a_stop_is_found(tripped: Run) -> None:
    stopped_ms = next(t.seen.t_ms for t in tripped.ticks if t.seen.decision.demand >= Demand.STOP)
    rest_ms = next(
        t.seen.t_ms for t in tripped.ticks if t.seen.t_ms > stopped_ms and not t.seen.readings.applied_cdeg_s
    )
    early = planted(tripped, reads(applied_cdeg_s=30), lambda t: rest_ms + 400 <= t.seen.t_ms < rest_ms + 600)
    assert told(early) == {"5"}


@pytest.mark.parametrize(
    "wrong",
    [
        msgspec.structs.replace(STRAP, code="trip"),
        msgspec.structs.replace(STRAP, unit=""),
        msgspec.structs.replace(STRAP, alarm=Alarm.NONE),
    ],
)
def test_a_cause_that_says_too_little_is_found(tripped: Run, wrong: Cause) -> None:
    change = decides(wrong, demand=Demand.RETURN, alarm=Alarm.HIGH)
    assert told(planted(tripped, change, in_state(State.EMERGENCY_RETURN))) == {"7"}


def test_a_demand_without_a_cause_is_found(healthy: Run) -> None:
    assert told(planted(healthy, decides(demand=Demand.STOP, alarm=Alarm.HIGH), in_state(State.RESTING))) == {"7"}


def test_a_first_cause_that_gives_way_to_another_is_found(healthy: Run) -> None:
    first = decides(STRAP, demand=Demand.CUT, alarm=Alarm.HIGH)
    second = decides(ESTOP, demand=Demand.CUT, alarm=Alarm.HIGH)
    strap = planted(healthy, first, in_state(State.RESTING, to_s=47))
    assert told(planted(strap, second, in_state(State.RESTING, from_s=47))) == {"7"}
    reset = both(second, reads(buttons=ACK))
    assert told(planted(strap, reset, in_state(State.RESTING, from_s=47))) == set()
    own = planted(healthy, decides(OWN, demand=Demand.STOP), in_state(State.RESTING, to_s=47))
    own = planted(own, both(second, reads(buttons=RETURN)), in_state(State.RESTING, from_s=47))
    assert told(own) == set()


def test_somebody_held_inverted_without_a_high_alarm_is_found(healthy: Run) -> None:
    quiet = decides(ESTOP, demand=Demand.HOLD, alarm=Alarm.MEDIUM)
    loud = decides(ESTOP, demand=Demand.HOLD, alarm=Alarm.HIGH)
    assert told(planted(healthy, quiet, in_state(State.HOLDING))) == {"8"}
    assert told(planted(healthy, loud, in_state(State.HOLDING))) == set()


def standing(healthy: Run, seconds: int, change: Callable[[Tick], Tick]) -> Run:
    """Somebody stands inverted for so long."""
    tick = next(t for t in healthy.ticks if t.seen.wish.state is State.HOLDING and not t.velocity_cdeg_s)
    tick = change(reads(elapsed_ms=10)(tick))
    ticks = [
        tick._replace(seen=msgspec.structs.replace(tick.seen, t_ms=10 * number)) for number in range(100 * seconds)
    ]
    return replace(healthy, ticks=ticks)


@pytest.mark.parametrize(
    ("cause", "seconds", "alarm", "found"),
    [
        (LINK, 19, Alarm.MEDIUM, set()),
        (LINK, 21, Alarm.MEDIUM, {"8"}),
        (LINK, 60, Alarm.HIGH, set()),
        (OWN, 60, Alarm.LOW, set()),
        (OWN, 180, Alarm.LOW, {"8"}),
    ],
)
def test_somebody_left_standing_inverted_is_found(
    healthy: Run, cause: Cause, seconds: int, alarm: Alarm, found: set[str]
) -> None:
    run = standing(healthy, seconds, decides(cause, demand=Demand.STOP, alarm=alarm))
    assert told(run) == found


def test_an_inversion_that_nothing_ends_is_found(healthy: Run) -> None:
    forgotten = standing(healthy, healthy.set_limit_s + 91, decides(demand=Demand.ALLOW))
    assert told(forgotten) == {"8"}
