"""Living with the second judge: its demand is adopted, ARM and DISARM are true by its echo, its latches go first."""

from typing import Any

import pytest

from safety import echo
from safety.signals import RETURN as RETURN_KEY
from safety.signals import Alarm, Contacts, Demand, Guard, GuardState, Region
from tests.safety.table import ARM, Bench, ready, tilted

ALLOW, NO_DEEPENING, STOP, RETURN, HOLD, CUT = Demand
IDLE = Guard(GuardState.IDLE)
ARMED = Guard(GuardState.ARMED, session_id=7)


def says(demand: Demand, *causes: str, value: int = 0) -> Guard:
    return Guard(GuardState.ARMED, demand, causes, 7, first_value=value)


def guarded(angle_cdeg: int = -3000) -> Bench:
    """Tilted under both judges."""
    bench = tilted(angle_cdeg, obeys=False)
    bench.run(10, guard=ARMED)
    return bench


# Its demand and causes.


@pytest.mark.parametrize(
    ("demand", "alarm"),
    [(NO_DEEPENING, Alarm.LOW), (STOP, Alarm.MEDIUM), (RETURN, Alarm.MEDIUM), (HOLD, Alarm.HIGH), (CUT, Alarm.HIGH)],
)
def test_what_the_guard_demands_is_adopted_as_one_more_cause(demand: Demand, alarm: Alarm) -> None:
    bench = guarded()
    bench.run(10, guard=says(demand, "H13", "H12", value=612))
    cause = bench.cause("H13")
    assert (cause.demand, cause.alarm, cause.value, cause.by) == (demand, alarm, 612, "guard")
    assert bench.demand == demand
    assert bench.codes == ("H13",)


def test_a_demand_without_a_cause_is_the_hosts_own_death() -> None:
    bench = guarded()
    bench.run(10, guard=says(STOP))
    assert bench.codes == ("H17",)


def test_a_guard_that_allows_or_is_absent_adds_nothing() -> None:
    bench = guarded()
    bench.run(1000)
    assert bench.codes == ()
    bench = tilted(obeys=False)
    bench.run(1000, guard=Guard(GuardState.ABSENT, CUT, ("H11",)))
    assert bench.codes == ()


def test_what_the_guard_demands_beyond_a_cause_that_the_host_knows_for_less_is_told_and_sounds() -> None:
    bench = guarded()
    bench.run(400, guard=ARMED, strap_left=Contacts.DISCREPANT)
    mild = bench.cause("H06")
    assert mild.by == "host"
    bench.run(20, guard=says(HOLD, "H06", "H13"), strap_left=Contacts.DISCREPANT)
    assert (bench.cause("H13").demand, bench.cause("H13").by) == (HOLD, "guard")
    assert bench.cause("H06") == mild
    assert bench.decision.alarm is Alarm.HIGH


def test_a_hold_for_a_cause_that_the_host_latched_for_less_sounds_too() -> None:
    bench = guarded()
    bench.run(400, guard=ARMED, strap_left=Contacts.DISCREPANT)
    bench.run(20, guard=says(HOLD, "H06"), strap_left=Contacts.CLOSED)
    assert bench.demand == HOLD
    assert bench.decision.alarm is Alarm.HIGH


def test_a_return_that_was_pressed_for_is_not_one_more_cause() -> None:
    bench = tilted(-300, obeys=False)
    bench.run(400, guard=ARMED, strap_left=Contacts.DISCREPANT)
    bench.run(30, guard=says(NO_DEEPENING, "H06"), strap_left=Contacts.DISCREPANT, buttons=RETURN_KEY)
    bench.run(100, guard=says(RETURN, "H06"), strap_left=Contacts.DISCREPANT, buttons=RETURN_KEY)
    assert (bench.cause("H06").by, bench.cause("H06").demand) == ("host", NO_DEEPENING)
    assert bench.demand == RETURN


@pytest.mark.parametrize("code", ["H17", "H18"])
def test_a_return_for_silence_is_always_adopted(code: str) -> None:
    bench = tilted(-300, obeys=False)
    bench.run(30, guard=ARMED, buttons=RETURN_KEY)
    bench.run(100, guard=says(RETURN, code), buttons=RETURN_KEY)
    assert (bench.cause(code).by, bench.cause(code).demand) == ("guard", RETURN)


@pytest.mark.parametrize("demand", [STOP, RETURN, HOLD])
def test_of_one_reason_that_both_judges_see_the_worse_word_counts_and_is_told_once(demand: Demand) -> None:
    bench = guarded()
    bench.run(10, strap_left=Contacts.OPEN, guard=says(demand, "H04", value=2))
    cause = bench.cause("H04")
    assert (cause.demand, cause.by) == ((demand, "guard") if demand > RETURN else (RETURN, "host"))


def test_reasons_of_both_judges_stand_beside_each_other_in_the_order_of_the_table() -> None:
    bench = guarded()
    bench.run(10, strap_left=Contacts.OPEN, drive_fault=True, guard=says(CUT, "H13"))
    assert bench.codes == ("H04", "H13", "H16")
    assert bench.demand == CUT


def test_without_a_request_there_is_nothing_to_wait_for() -> None:
    assert echo.heard(echo.NOTHING_ASKED, guarded().readings, 10) == (echo.NOTHING_ASKED, False, ())


def test_a_lapse_of_the_lease_clears_when_the_guard_says_so() -> None:
    bench = guarded()
    bench.run(500, guard=says(STOP, "H17"))
    assert bench.demand == STOP
    bench.run(10, guard=ARMED)
    assert (bench.codes, bench.decision.over) == ((), False)


@pytest.mark.parametrize("demand", [STOP, RETURN, HOLD, CUT])
def test_what_the_guard_says_is_the_guards_to_keep(demand: Demand) -> None:
    bench = guarded()
    bench.run(500, guard=says(demand, "H13"))
    assert (bench.codes, bench.demand) == (("H13",), demand)
    bench.run(10, guard=ARMED)
    assert (bench.codes, bench.judged.latched) == ((), ())


@pytest.mark.parametrize("demand", [STOP, RETURN, HOLD, CUT])
def test_a_cause_that_the_guard_saw_first_stays_first(demand: Demand) -> None:
    bench = guarded()
    bench.run(20, guard=says(demand, "H13"))
    bench.run(20, strap_left=Contacts.OPEN)
    bench.run(20, drive_fault=True)
    assert bench.codes == ("H13", "H04", "H16")
    assert bench.decision.command.stop_cause == ("H13" if demand < HOLD else "")
    bench.run(20, guard=ARMED)
    assert bench.codes == ("H04", "H16")


def test_a_cause_that_the_host_saw_first_stays_first_when_the_guards_comes() -> None:
    bench = guarded()
    bench.run(20, strap_left=Contacts.OPEN)
    bench.run(20, guard=says(CUT, "H13"))
    assert bench.codes == ("H04", "H13")


def test_what_the_host_finds_later_takes_the_place_that_the_guards_word_had() -> None:
    bench = guarded()
    bench.run(20, guard=says(STOP, "H04"))
    bench.run(20, drive_fault=True)
    bench.run(20, strap_left=Contacts.OPEN)
    assert bench.codes == ("H04", "H16")
    assert (bench.cause("H04").by, bench.cause("H04").demand) == ("host", RETURN)
    bench.run(20, guard=ARMED)
    assert bench.codes == ("H04", "H16"), "and from then on the host holds it"


def test_a_cause_of_the_guards_is_told_as_it_says_it_now() -> None:
    bench = guarded()
    bench.run(20, guard=says(CUT, "H20"))
    bench.run(20, guard=says(HOLD, "H20"))
    assert [(cause.code, cause.demand) for cause in bench.decision.causes] == [("H20", HOLD)]
    bench.run(20, guard=says(NO_DEEPENING, "H20"))
    assert bench.judged.latched == () and bench.demand == NO_DEEPENING


def test_a_stop_of_the_guards_ends_no_session_and_waits_for_no_strap() -> None:
    bench = guarded()
    bench.run(12_000, guard=says(STOP, "H04"))
    assert (bench.demand, bench.decision.over) == (STOP, False)


def test_a_return_that_a_press_asked_for_has_no_cause() -> None:
    bench = guarded()
    bench.run(100, guard=says(RETURN))
    assert bench.codes == ()


@pytest.mark.parametrize("demand", [RETURN, HOLD, CUT])
def test_a_guard_that_returns_or_worse_ends_the_session(demand: Demand) -> None:
    bench = guarded()
    bench.run(10, guard=says(demand, "H13"))
    assert bench.decision.over


def test_boot_below_level_is_the_guards_to_judge_where_there_is_one() -> None:
    bench = Bench()
    bench.run(10, angle_cdeg=-3000, guard=IDLE)
    assert "H19" not in bench.codes


@pytest.mark.parametrize(("demand", "clears"), [(ALLOW, True), (NO_DEEPENING, True), (STOP, False), (CUT, False)])
def test_the_hosts_latches_clear_only_after_the_guards(demand: Demand, clears: bool) -> None:
    bench = ready().put(guard=IDLE)
    bench.run(20, drive_fault=True)
    bench.run(1000, drive_fault=False)
    bench.hold("ACK").run(3000, guard=says(demand, "H16"))
    assert ("H16" not in [cause.code for cause in bench.judged.latched]) is clears


def falling(**changes: Any) -> Bench:
    """A table whose brake slips, and which the guard has just found and powered its drive for."""
    bench = guarded()
    bench.run(1500)
    bench.turn(-200, 100)
    assert bench.demand == ALLOW
    bench.turn(-200, 20, guard=says(HOLD, "H13"), drive_power=True, **changes)
    return bench


def test_a_fall_that_the_guard_has_powered_its_drive_for_is_being_caught_and_no_new_one() -> None:
    bench = falling()
    bench.turn(-100, 50)
    bench.run(3000)
    assert (bench.codes, bench.demand) == (("H13",), HOLD)
    bench.turn(-60, 2500)
    assert bench.demand == CUT, "moving again"


def test_a_fall_that_the_guards_drive_does_not_slow_is_cut() -> None:
    bench = falling()
    bench.turn(-200, 150)
    assert bench.demand == HOLD
    bench.turn(-200, 100)
    assert bench.demand == CUT


@pytest.mark.parametrize("changes", [{"brake_set": False}, {"brake_set": None}])
def test_with_the_brake_open_nobody_catches_a_fall(changes: dict[str, Any]) -> None:
    bench = falling(**changes)
    bench.turn(-200, 400)
    assert bench.demand == CUT


def test_a_creep_that_the_guard_found_is_measured_anew_once_its_drive_holds() -> None:
    bench = guarded()
    bench.turn(-18, 6500)
    assert bench.demand == ALLOW
    bench.turn(-18, 5000, guard=says(HOLD, "H12"), drive_power=True)
    assert bench.demand == HOLD
    bench.turn(-18, 3000)
    assert bench.demand == CUT


def test_what_the_guard_let_go_of_after_a_reset_is_caught_anew() -> None:
    bench = falling()
    bench.run(3000)
    bench.run(1000, guard=ARMED, drive_power=False)
    assert bench.demand == ALLOW
    bench.turn(-200, 350)
    assert (bench.codes, bench.demand) == (("H12", "H13"), HOLD) or bench.codes == ("H12",)
    assert bench.demand == HOLD


# ARM and DISARM by echo.


def asked(**changes: Any) -> Bench:
    bench = ready().put(guard=IDLE)
    bench.run(100)
    bench.run(10, arm=ARM, **changes)
    return bench


def test_arm_is_passed_on_until_it_is_echoed_and_true_from_then() -> None:
    bench = asked()
    for _ in range(20):
        assert (bench.decision.armed, bench.decision.command.arm) == (None, ARM)
        assert bench.decision.command.session_id == 0
        bench.tick()
    bench.run(10, guard=ARMED)
    assert bench.decision.armed is ARM
    bench.run(10)
    assert (bench.decision.command.arm, bench.decision.command.session_id) == (None, 7)


def test_an_echo_of_another_session_is_none() -> None:
    bench = asked()
    bench.run(500, guard=Guard(GuardState.ARMED, session_id=8))
    assert bench.decision.armed is None


def test_what_the_guard_refused_is_told_once_older_words_have_passed() -> None:
    bench = asked(guard=Guard(GuardState.IDLE, refused=("H07", "H23")))
    assert bench.run(180).refusals == ()
    bench.run(10)
    assert bench.refused == ("H07", "H23")
    assert bench.decision.armed is None
    bench.run(10)
    assert (bench.refused, bench.decision.command.arm) == ((), None)


@pytest.mark.parametrize(("ms", "refused"), [(980, ()), (990, ("H18",))])
def test_a_guard_that_keeps_silent_for_a_second_refuses(ms: int, refused: tuple[str, ...]) -> None:
    bench = asked()
    bench.run(ms)
    assert bench.refused == refused


def test_disarm_is_true_by_its_echo_too() -> None:
    bench = asked()
    bench.run(10, guard=ARMED)
    asking = bench.run(10, disarm=True)
    assert (asking.armed, asking.command.disarm) == (ARM, True)
    assert bench.run(10, guard=IDLE).armed is None
    assert not bench.proved("straps_proven")


def test_a_refused_disarm_leaves_the_session_as_it_was() -> None:
    bench = asked()
    bench.run(10, guard=ARMED)
    bench.run(10, disarm=True)
    bench.run(1000)
    assert bench.decision.armed is ARM
    assert bench.proved("straps_proven")


def test_what_is_refused_here_is_not_passed_on() -> None:
    bench = Bench().put(guard=IDLE)
    bench.run(10, arm=ARM)
    assert bench.refused != ()
    assert bench.decision.command.arm is None


@pytest.mark.parametrize(("angle", "armed"), [(-3000, True), (0, False)])
def test_a_guard_that_follows_another_session_ends_this_one(angle: int, armed: bool) -> None:
    bench = guarded() if angle else asked()
    bench.run(10, guard=ARMED)
    bench.run(10, guard=Guard(GuardState.IDLE))
    assert (bench.decision.armed is not None) is armed
    assert bench.decision.over
    assert bench.decision.region == (Region.INVERTED if angle else Region.LEVEL)


def test_a_stale_frame_is_no_word_of_the_guard() -> None:
    bench = guarded()
    bench.put(guard=Guard(GuardState.IDLE)).tick(news=False)
    assert not bench.decision.over


def test_behind_a_hold_the_guard_is_told_the_cause_that_asks_for_it() -> None:
    bench = guarded()
    bench.run(20, strap_left=Contacts.OPEN)
    assert bench.decision.command.stop_cause == "H04"
    bench.run(520, mains=False, battery=False)
    assert (bench.codes, bench.demand, bench.decision.command.stop_cause) == (("H04", "H21"), HOLD, "H21")


@pytest.mark.parametrize("demand", [HOLD, CUT])
def test_what_is_adopted_from_the_guard_does_not_come_back_to_it_as_the_hosts(demand: Demand) -> None:
    bench = guarded()
    bench.run(20, strap_left=Contacts.OPEN)
    bench.run(20, guard=says(demand, "H04", "H13"))
    assert (bench.demand, bench.decision.command.stop_cause) == (demand, "")


def test_the_emergency_stop_hides_no_cause_that_asks_for_as_much() -> None:
    bench = guarded()
    bench.run(20, estop=Contacts.OPEN)
    assert bench.decision.command.stop_cause == "H20"
    bench.run(20, angle_a_cdeg=None, angle_b_cdeg=None)
    assert bench.codes[0] == "H20"
    assert bench.decision.command.stop_cause == "H09"
