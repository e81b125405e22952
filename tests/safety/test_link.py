"""Frames and ticks at the edges of their limits: H18, H19, H27."""

import msgspec
import pytest

from safety import link
from safety.judge import step
from safety.judged import INITIAL
from safety.signals import Alarm, Contacts, Demand, Guard, GuardState, Region, Wish
from tests.safety.table import ARM, LIMITS, WHOLE, Bench, armed, ready, tilted

# H18: link lost or corrupt.


def test_h18_fifty_milliseconds_are_fresh_and_more_forbid_deepening() -> None:
    bench = tilted()
    bench.silence(50)
    assert bench.codes == ()
    bench = tilted()
    bench.silence(60)
    assert (bench.cause("H18").demand, bench.cause("H18").alarm) == (Demand.NO_DEEPENING, Alarm.LOW)
    bench.run(10)
    assert bench.codes == ()


def test_h18_without_a_fresh_frame_for_150_ms_it_is_a_stop_and_nothing_is_sent() -> None:
    bench = tilted()
    bench.silence(150)
    assert (bench.demand, bench.decision.command.send) == (Demand.NO_DEEPENING, True)
    bench = tilted()
    bench.silence(160)
    cause = bench.cause("H18")
    assert (cause.demand, cause.alarm, cause.value, cause.limit) == (Demand.STOP, Alarm.MEDIUM, 160, 150)
    assert not bench.decision.command.send


def test_h18_a_bridge_that_says_fresh_and_repeats_the_same_frame_is_silent_all_the_same() -> None:
    bench = tilted()
    for _ in range(15):
        bench.tick(news=False)
    assert bench.decision.command.send
    bench.tick(news=False)
    assert bench.demand == Demand.STOP
    assert not bench.decision.command.send


@pytest.mark.parametrize("age_ms", [-1, 51])
def test_h18_a_frame_with_an_impossible_or_stale_age_is_not_read(age_ms: int) -> None:
    bench = tilted()
    bench.run(10, age_ms=age_ms, strap_left=Contacts.OPEN)
    assert "H04" not in bench.codes
    bench.run(160)
    assert bench.cause("H18").demand == Demand.STOP


def test_h18_frames_that_are_numbered_but_older_than_150_ms_are_a_lapse() -> None:
    bench = tilted()
    bench.run(10, age_ms=151)
    assert bench.cause("H18").demand == Demand.STOP


@pytest.mark.parametrize(("slow_age_ms", "forbids"), [(150, False), (151, True)])
def test_h18_the_slower_readings_may_be_150_ms_old(slow_age_ms: int, forbids: bool) -> None:
    bench = armed()
    bench.run(10, slow_age_ms=slow_age_ms)
    assert ("H18" in bench.codes) is forbids


@pytest.mark.parametrize(
    "name",
    [
        "applied_cdeg_s",
        "current_ma",
        "brake_set",
        "drive_power",
        "buttons",
        "level_switch",
        "end_down",
        "end_up",
    ],
)
def test_h18_a_frame_that_is_not_whole_forbids_deepening_and_nothing_more(name: str) -> None:
    bench = tilted()
    bench.run(10, **{name: None})
    assert bench.codes == ("H18",)
    assert bench.demand == Demand.NO_DEEPENING
    bench.run(10, **{name: WHOLE[name]})
    assert bench.codes == ()


def test_h18_a_lapse_under_a_second_clears_by_itself_but_deeper_needs_a_fresh_tilt() -> None:
    bench = armed()
    bench.obeys = True
    bench.hold("TILT").run(3000, velocity_cdeg_s=-200)
    assert bench.velocity < 0
    bench.silence(1000)
    bench.run(2000)
    assert (bench.codes, bench.decision.over) == ((), False)
    assert bench.velocity == 0
    bench.let_go().run(1500)
    bench.hold("TILT").run(100)
    assert bench.velocity < 0


@pytest.mark.parametrize(("ms", "latches"), [(1150, False), (1160, True)])
def test_h18_past_a_second_it_latches(ms: int, latches: bool) -> None:
    # The lapse begins when the last frame is 150 ms old.
    bench = tilted()
    bench.silence(ms)
    bench.run(100)
    assert (bench.codes == ("H18",)) is latches
    assert bench.decision.over is latches


@pytest.mark.parametrize(("between_s", "latches"), [(29.8, True), (30.1, False)])
def test_h18_the_third_lapse_within_sixty_seconds_latches(between_s: float, latches: bool) -> None:
    bench = Bench()
    bench.run(1000)
    bench.silence(160)
    bench.wait(between_s)
    bench.silence(160)
    bench.wait(between_s)
    assert bench.demand == Demand.ALLOW
    bench.silence(160)
    bench.run(100)
    assert (bench.demand == Demand.STOP) is latches


@pytest.mark.parametrize(("ago_ms", "third"), [(59_990, True), (60_000, False)])
def test_h18_the_sixty_seconds_are_sixty_seconds(ago_ms: int, third: bool) -> None:
    # One step later the older of two lapses is 10 ms older.
    was = link.Link(True, 5, lapses_ms=(30_000, ago_ms))
    silent = Bench().put(age_ms=160).readings
    assert link.follow(was, silent, False, 160).third is third


def test_h18_four_lapses_far_apart_do_not_latch() -> None:
    bench = Bench()
    bench.run(1000)
    for _ in range(4):
        bench.silence(160)
        bench.wait(31)
    assert bench.demand == Demand.ALLOW


def test_h18_a_return_under_way_goes_on_when_the_frames_are_back() -> None:
    bench = tilted()
    bench.press("RETURN")
    bench.run(3000)
    bench.silence(500)
    bench.run(10)
    assert bench.decision.returning
    assert bench.velocity == 200


@pytest.mark.parametrize(("ms", "alarm"), [(3150, Alarm.MEDIUM), (3160, Alarm.HIGH)])
def test_h18_below_level_without_a_guard_the_alarm_is_high_after_three_seconds(ms: int, alarm: Alarm) -> None:
    bench = tilted()
    bench.silence(ms)
    assert bench.decision.alarm == alarm


@pytest.mark.parametrize("guard", [Guard(GuardState.ABSENT), None, Guard(GuardState.ARMED)])
def test_h18_a_guard_that_returns_by_itself_needs_no_high_alarm(guard: Guard | None) -> None:
    bench = tilted()
    bench.put(guard=guard).run(10)
    bench.silence(3200)
    guarded = guard is not None and guard.state is GuardState.ARMED
    assert bench.decision.alarm == (Alarm.MEDIUM if guarded else Alarm.HIGH)


def test_h18_at_level_the_alarm_stays_medium() -> None:
    bench = armed()
    bench.silence(5000)
    assert bench.decision.alarm == Alarm.MEDIUM


def test_h18_arming_on_a_stale_frame_is_refused() -> None:
    bench = ready()
    bench.put(arm=ARM, age_ms=60).tick(news=False)
    assert "H18" in bench.refused


# H19: the first frame finds the table below level, where no guard is.


@pytest.mark.parametrize(("angle", "held"), [(-100, False), (-101, True), (-3000, True)])
def test_h19_boot_below_one_degree_is_a_hold(angle: int, held: bool) -> None:
    bench = Bench()
    bench.run(10, angle_cdeg=angle)
    assert ("H19" in bench.codes) is held
    if held:
        cause = bench.cause("H19")
        assert (cause.demand, cause.alarm, cause.value, cause.limit) == (Demand.HOLD, Alarm.HIGH, angle, -100)
        assert bench.demand == Demand.HOLD


def test_h19_only_the_held_button_moves_it_toward_level_then_reset() -> None:
    bench = Bench()
    bench.run(3000, angle_cdeg=-1000, straps=Contacts.CLOSED)
    bench.obeys = True
    assert set(bench.commands) == {0}
    bench.hold("RETURN").wait(20)
    assert bench.decision.region == Region.LEVEL
    bench.let_go().run(2000)
    bench.hold("ACK").run(2200)
    assert bench.codes == ()


def test_h19_is_about_the_first_frame_and_no_later_one() -> None:
    bench = Bench()
    for _ in range(50):
        bench.put(age_ms=500).tick(news=False)
    bench.run(10, angle_cdeg=-1000, age_ms=0)
    assert "H19" in bench.codes
    bench = Bench()
    bench.run(10)
    bench.press("PRESENCE")
    bench.glide(-150)
    assert "H19" not in bench.codes


def test_h19_boot_without_any_angle_is_a_cut() -> None:
    bench = Bench()
    bench.run(10, angle_a_cdeg=None, angle_b_cdeg=None)
    assert bench.codes == ("H09",)


# H27: the controller is late.


@pytest.mark.parametrize(("gap_ms", "late"), [(50, False), (51, True), (5000, True)])
def test_h27_a_gap_of_more_than_50_ms_forbids_deepening(gap_ms: int, late: bool) -> None:
    bench = armed()
    bench.tick(gap_ms)
    assert ("H27" in bench.codes) is late
    if late:
        cause = bench.cause("H27")
        assert (cause.demand, cause.alarm, cause.value, cause.limit) == (Demand.NO_DEEPENING, Alarm.LOW, gap_ms, 50)


def test_h27_clears_after_a_second_of_clean_ticks_and_not_before() -> None:
    bench = armed()
    bench.tick(60)
    bench.run(990)
    assert bench.codes == ("H27",)
    bench.run(10)
    assert bench.codes == ()
    bench.tick(60)
    bench.run(500)
    bench.tick(70)
    bench.run(990)
    assert bench.cause("H27").value == 70


def test_h27_does_not_delay_the_plans_own_return() -> None:
    bench = tilted()
    bench.run(2000, plan_return=True, velocity_cdeg_s=200)
    bench.tick(80)
    assert bench.codes == ("H27",)
    bench.run(100)
    assert bench.velocity > 0


# Time itself.


def test_a_clock_that_runs_backward_counts_nothing() -> None:
    bench = tilted()
    before = bench.decision.inverted_ms
    bench.tick(-5000)
    assert bench.decision.inverted_ms == before
    assert bench.codes == ()


def test_after_a_pause_of_days_every_counter_is_at_its_end_and_the_patient_returns() -> None:
    bench = tilted()
    bench.tick(3 * 24 * 3600 * 1000)
    assert {"H03", "H24", "H27"} <= set(bench.codes)
    assert bench.demand == Demand.RETURN
    assert bench.cause("H27").value == 1_000_000


def test_what_the_wall_clock_says_changes_nothing_once_armed() -> None:
    here, there = tilted(), tilted()
    there.put(host=msgspec.structs.replace(there.readings.host, wall_s=-(10**9), clock_ok=False))
    for _ in range(100):
        here.tick()
        there.tick()
    assert here.decision == there.decision


def test_before_the_first_frame_nothing_is_known_and_nothing_moves() -> None:
    readings = Bench().put(age_ms=500, slow_age_ms=500).readings
    state, decision = step(INITIAL, readings, Wish(velocity_cdeg_s=-200), LIMITS)
    assert decision.command.velocity_cdeg_s == 0
    assert not decision.command.send
    assert decision.region == Region.UNKNOWN
    assert not state.link.booted
    assert link.latches(state.link) is False
