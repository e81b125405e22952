"""What the host knows of itself: H29, an inversion that another run of it began; H33, nothing is recorded any more."""

import msgspec
import pytest

from safety.signals import Alarm, Demand, Guard, GuardState, Host
from tests.safety.table import ARM, HOST, Bench, armed, ready, tilted

UNRECORDED = msgspec.structs.replace(HOST, records_ok=False)
UNFINISHED = msgspec.structs.replace(HOST, unfinished=True)
STRANGER = Guard(GuardState.ARMED, session_id=9)


def found_at(angle_cdeg: int, guard: Guard, host: Host = HOST) -> Bench:
    bench = Bench().put(angle_cdeg=angle_cdeg, guard=guard, host=host)
    bench.run(10)
    return bench


@pytest.mark.parametrize("angle_cdeg", [-101, -102, -501, -3000])
def test_h29_below_level_with_a_guard_that_is_armed_for_somebody_else_returns(angle_cdeg: int) -> None:
    bench = found_at(angle_cdeg, STRANGER)
    cause = bench.cause("H29")
    assert (cause.demand, cause.alarm, cause.value, cause.limit) == (Demand.RETURN, Alarm.MEDIUM, angle_cdeg, -100)
    assert bench.decision.demand is Demand.RETURN


@pytest.mark.parametrize("angle_cdeg", [-100, -99, 0, 2000])
def test_at_level_or_above_a_guard_that_is_still_armed_is_no_trouble(angle_cdeg: int) -> None:
    assert "H29" not in found_at(angle_cdeg, STRANGER).codes


def test_h29_comes_first_since_it_is_why_everything_else_is_so() -> None:
    bench = Bench().put(angle_cdeg=-3000, guard=Guard(GuardState.STOP, Demand.STOP, ("H17",), 9))
    bench.run(10)
    assert bench.codes[0] == "H29"
    assert len(bench.codes) > 1


def test_h29_commands_carry_no_session_so_that_they_renew_no_lease() -> None:
    bench = found_at(-3000, STRANGER)
    for _ in range(100):
        bench.run(10)
        assert bench.decision.command.session_id == 0


def test_h29_the_records_of_the_last_run_alone_say_it_too() -> None:
    idle = Guard(GuardState.IDLE)
    assert "H29" not in found_at(-3000, idle).codes
    assert "H29" in found_at(-3000, idle, UNFINISHED).codes


def test_h29_where_the_guard_was_reset_the_hold_wins() -> None:
    reset = Guard(GuardState.HOLD, Demand.HOLD, ("H19",))
    bench = found_at(-3000, reset, UNFINISHED)
    assert bench.decision.demand is Demand.HOLD
    assert bench.decision.alarm is Alarm.HIGH
    assert {"H19", "H29"} <= set(bench.codes)


def test_h29_without_a_guard_at_all_the_table_is_held() -> None:
    bench = found_at(-3000, Guard(GuardState.ABSENT), UNFINISHED)
    assert bench.decision.demand is Demand.HOLD
    assert bench.decision.causes[0].code == "H19"


def test_h29_stays_until_it_is_reset_at_level() -> None:
    bench = found_at(-3000, STRANGER)
    bench.put(angle_cdeg=-50, guard=Guard(GuardState.IDLE)).run(3000)
    assert "H29" in bench.codes
    bench.hold("ACK").run(2200)
    assert bench.codes == ()


def test_an_own_session_below_level_is_none_of_somebody_else() -> None:
    assert "H29" not in tilted(-3000).codes


# H33.


def test_h33_what_is_not_recorded_is_not_armed() -> None:
    decision = ready().put(host=UNRECORDED).run(10, arm=ARM)
    assert [cause.code for cause in decision.refusals] == ["H33"]
    assert decision.armed is None


def test_h33_a_set_under_way_goes_on_and_people_are_told() -> None:
    bench = tilted(-3000).put(host=UNRECORDED)
    bench.run(100)
    cause = bench.cause("H33")
    assert (cause.demand, cause.alarm, bench.decision.demand) == (Demand.ALLOW, Alarm.LOW, Demand.ALLOW)


def test_h33_at_level_no_set_begins() -> None:
    bench = armed().put(host=UNRECORDED)
    bench.run(6000)
    assert bench.decision.demand is Demand.NO_DEEPENING
    bench.hold("TILT").put(velocity_cdeg_s=-50)
    for _ in range(300):
        bench.run(10)
        assert bench.decision.command.velocity_cdeg_s == 0


def test_h33_is_gone_when_records_are_written_again() -> None:
    bench = armed().put(host=UNRECORDED)
    bench.run(100)
    assert bench.codes == ("H33",)
    bench.put(host=HOST).run(10)
    assert bench.codes == ()
    assert bench.decision.demand is Demand.ALLOW


def test_a_host_that_says_nothing_of_its_records_has_none() -> None:
    assert Host().records_ok is False
