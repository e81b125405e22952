"""A pause of the process or of its frames: it is told and judged as one (H17, H28), and nothing else is made of it."""

import random
from collections.abc import Callable

import msgspec
import pytest

from safety import link
from safety.signals import Alarm, Contacts, Demand, Guard, GuardState
from tests.safety.table import ARM, RUNNING, Bench, armed, at_depth, driven, ready, tilted

NOISE_CDEG = 5.0
FALSE_ACCUSATIONS = {"H08", "H09", "H10", "H11", "H12", "H13", "H14", "H15", "H16", "H21"}


def above() -> Bench:
    """Armed, raised to 20° and standing there."""
    bench = armed()
    bench.obeys = True
    bench.hold("RAISE").run(16_000, velocity_cdeg_s=150)
    bench.let_go().run(3000, velocity_cdeg_s=0)
    return bench


def in_a_tilt() -> Bench:
    bench = armed()
    bench.obeys = True
    bench.hold("TILT").run(8000, velocity_cdeg_s=-200)
    assert bench.velocity < 0
    return bench


def in_a_return() -> Bench:
    bench = tilted()
    bench.press("RETURN")
    bench.run(6000)
    assert bench.velocity > 0
    return bench


def in_the_plans_return() -> Bench:
    bench = tilted()
    bench.run(6000, velocity_cdeg_s=200, plan_return=True)
    assert bench.velocity > 0
    return bench


def hang(bench: Bench, gap_ms: int) -> None:
    """Nobody is there for so long, and what was driven has stopped by itself when the process is back."""
    obeys, bench.obeys = bench.obeys, False
    bench._ramp.cut()
    bench.put(applied_cdeg_s=0, brake_set=True, drive_power=False, current_ma=0).tick(gap_ms)
    bench.obeys = obeys


EVERYWHERE: dict[str, Callable[[], Bench]] = {
    "armed at level": armed,
    "above": above,
    "in a tilt": in_a_tilt,
    "in a hold": tilted,
    "in a return": in_a_return,
    "in the plan's return": in_the_plans_return,
}
BELOW = [name for name in EVERYWHERE if name not in ("armed at level", "above")]


# H17 where no guard is: this process hung for longer than the lease.


@pytest.mark.parametrize(("gap_ms", "told"), [(150, False), (151, True), (1150, True)])
@pytest.mark.parametrize("where", EVERYWHERE)
def test_h17_a_hang_past_the_lease_is_a_stop_that_clears_by_itself_within_a_second(
    where: str, gap_ms: int, told: bool
) -> None:
    bench = EVERYWHERE[where]()
    hang(bench, gap_ms)
    assert ("H17" in bench.codes) is told
    if told:
        cause = bench.cause("H17")
        assert (cause.demand, cause.alarm, cause.value, cause.limit) == (Demand.STOP, Alarm.MEDIUM, gap_ms, 150)
        # The table's own word is fresh, so it is told to stop at once.
        assert bench.decision.command.send
    bench.tick()
    assert "H17" not in bench.codes
    assert not bench.decision.over
    bench.run(5000)
    assert bench.codes == ()


@pytest.mark.parametrize("where", EVERYWHERE)
def test_h17_past_a_second_it_is_latched(where: str) -> None:
    bench = EVERYWHERE[where]()
    hang(bench, 1151)
    bench.run(500)
    assert bench.codes[0] == "H17"
    assert (bench.cause("H17").demand, bench.decision.over) == (Demand.STOP, True)
    assert bench.demand == (Demand.RETURN if "return" in where else Demand.STOP)


@pytest.mark.parametrize("where", BELOW)
def test_h17_the_count_to_the_return_goes_on_while_everything_is_back(where: str) -> None:
    bench = EVERYWHERE[where]()
    hang(bench, 1200)
    # The lapse began 150 ms after the last tick before it.
    bench.run(1950)
    assert bench.cause("H17").demand == Demand.STOP
    bench.run(10)
    cause = bench.cause("H17")
    assert (cause.demand, cause.alarm, cause.value, cause.limit) == (Demand.RETURN, Alarm.MEDIUM, 3010, 3000)
    assert (bench.demand, bench.decision.returning, bench.decision.tone) == (Demand.RETURN, True, True)
    bench.obeys = True
    bench.run(40_000)
    assert -100 <= bench.angle_cdeg <= 0
    bench.let_go().run(100)
    bench.hold("ACK").run(2100)
    assert bench.codes == ()
    bench.let_go().run(10_000)
    assert bench.codes == (), "what was counted is forgotten"


@pytest.mark.parametrize("where", BELOW)
def test_h17_whoever_comes_back_after_three_seconds_returns_at_once(where: str) -> None:
    bench = EVERYWHERE[where]()
    hang(bench, 3151)
    assert (bench.cause("H17").demand, bench.demand, bench.cause("H17").value) == (Demand.RETURN, Demand.RETURN, 3001)


def test_h17_the_third_hang_within_a_minute_latches_and_so_does_a_hang_after_two_lapses() -> None:
    for silent in (False, True):
        bench = tilted()
        for _ in range(2):
            if silent:
                bench.silence(170)
            else:
                hang(bench, 170)
            bench.run(1500)
            assert bench.codes == ()
        hang(bench, 170)
        bench.run(100)
        assert (bench.codes, bench.demand) == (("H17", "H27"), Demand.STOP)
        bench.run(2900)
        assert bench.demand == Demand.RETURN


def test_h17_a_tilt_that_was_held_through_a_hang_goes_no_deeper_without_a_fresh_press() -> None:
    bench = in_a_tilt()
    hang(bench, 200)
    bench.commands.clear()
    bench.run(3000)
    assert min(bench.commands) == 0
    bench.let_go().run(100)
    bench.hold("TILT").run(100)
    assert bench.velocity < 0


@pytest.mark.parametrize(("button", "wish"), [("RAISE", 150), ("TILT", -150)])
@pytest.mark.parametrize("gap_ms", [200, 5000])
def test_h17_unarmed_a_motion_above_level_that_hung_waits_for_a_fresh_press_and_latches_nothing(
    button: str, wish: int, gap_ms: int
) -> None:
    bench = Bench()
    bench.run(6000, angle_cdeg=1500)
    bench.obeys = True
    bench.hold(button).run(3000, velocity_cdeg_s=wish)
    assert bench.velocity != 0
    hang(bench, gap_ms)
    assert (bench.codes[0], bench.velocity) == ("H17", 0)
    bench.commands.clear()
    bench.run(3000)
    assert set(bench.commands) == {0}
    assert bench.codes == ()
    bench.let_go().run(100)
    bench.hold(button).run(100)
    assert bench.velocity != 0


def test_h17_a_table_at_rest_at_level_that_nobody_armed_is_no_case() -> None:
    bench = ready()
    hang(bench, 5000)
    assert bench.codes == ("H27",)


def test_h17_with_a_guard_it_is_the_guards_to_tell() -> None:
    bench = tilted()
    bench.put(guard=Guard(GuardState.ARMED, session_id=ARM.session_id)).run(100)
    hang(bench, 5000)
    assert "H17" not in bench.codes
    bench.run(5000)
    assert bench.demand == Demand.ALLOW


def test_h17_a_start_that_takes_long_is_no_hang() -> None:
    bench = Bench()
    bench.tick(20_000)
    assert bench.codes == ("H27",)


def test_h17_before_the_first_frame_below_level_it_is_the_boot_that_counts() -> None:
    bench = Bench()
    bench.put(angle_cdeg=-1000).tick(20_000)
    assert "H17" not in bench.codes
    assert bench.codes[0] == "H19"


def test_h17_the_policy_wait_ends_with_the_lease() -> None:
    bench = tilted(arm=msgspec.structs.replace(ARM, strap_wait=True))
    bench.press("PRESENCE")
    bench.run(500, strap_left=Contacts.OPEN)
    assert bench.demand == Demand.STOP
    hang(bench, 160)
    assert bench.demand == Demand.RETURN


# H18 without a guard: the count goes on as well.


def test_h18_frames_that_come_back_after_a_second_find_the_count_to_the_return() -> None:
    bench = tilted()
    bench.silence(1200)
    bench.run(1940)
    assert (bench.cause("H18").demand, bench.demand) == (Demand.STOP, Demand.STOP)
    bench.run(20)
    assert (bench.cause("H18").demand, bench.demand) == (Demand.RETURN, Demand.RETURN)


def test_h18_while_no_frame_comes_nothing_is_promised_and_when_one_does_it_returns() -> None:
    bench = tilted()
    bench.silence(8000)
    assert (bench.demand, bench.decision.alarm) == (Demand.STOP, Alarm.HIGH)
    bench.run(10)
    assert bench.demand == Demand.RETURN


def test_h18_with_a_guard_its_return_is_the_guards() -> None:
    bench = tilted()
    bench.put(guard=Guard(GuardState.ARMED, session_id=ARM.session_id)).run(100)
    bench.silence(1500)
    bench.run(6000)
    assert bench.demand == Demand.STOP


def test_a_hang_without_a_frame_at_its_end_is_both() -> None:
    was = link.Link(True, 5)
    readings = msgspec.structs.replace(tilted().readings, elapsed_ms=500, age_ms=500)
    now = link.follow(was, readings, False, 500)
    assert (now.hung, now.lapse_ms) == (True, 350)
    after = link.follow(now, msgspec.structs.replace(readings, elapsed_ms=10, age_ms=510), False, 510)
    assert (after.hung, after.lapse_ms, len(after.lapses_ms)) == (False, 360, 1)


# Nothing else is made of a pause.


@pytest.mark.parametrize("gap_ms", [60, 150, 160, 240, 250, 300, 400, 480, 490, 510, 750, 990, 1500, 2500, 10_000])
@pytest.mark.parametrize("applied", [-200, -50, 50, 200])
def test_a_pause_of_a_driven_table_accuses_nobody(applied: int, gap_ms: int) -> None:
    for seed in range(4):
        chance = random.Random(seed)
        bench = at_depth()
        angle = -3000.0
        bench.put(applied_cdeg_s=applied, **RUNNING)
        for tick in range(160):
            elapsed_ms = gap_ms if tick == 100 else 10
            # Past the lease the table stood; meanwhile it went on.
            angle += applied / 1000 * min(elapsed_ms, 300)
            a, b = (round(angle + chance.gauss(0, NOISE_CDEG)) for _ in range(2))
            bench.put(angle_a_cdeg=a, angle_b_cdeg=b).tick(elapsed_ms)
            assert not FALSE_ACCUSATIONS & set(bench.codes), (seed, tick, bench.codes)


@pytest.mark.parametrize("gap_ms", [160, 400, 990, 2500])
def test_a_pause_of_a_table_that_was_stopped_in_it_accuses_nobody(gap_ms: int) -> None:
    bench = at_depth()
    driven(bench, 200, 200, 2000)
    bench.put(applied_cdeg_s=0, brake_set=True, drive_power=False, current_ma=0)
    bench.put(angle_cdeg=bench.angle_cdeg + 60).tick(gap_ms)
    bench.run(2500)
    assert not FALSE_ACCUSATIONS & set(bench.codes)


def test_both_sensors_move_on_in_a_pause_and_neither_is_lost_for_it() -> None:
    bench = at_depth()
    driven(bench, 200, 200, 1000)
    here = bench.angle_cdeg
    bench.put(angle_a_cdeg=here + 151, angle_b_cdeg=here + 149).tick(750)
    assert "H08" not in bench.codes
    # Within the lease one that jumps alone is lost all the same.
    bench.put(angle_a_cdeg=here + 302, angle_b_cdeg=here + 149).tick(150)
    assert "H08" in bench.codes


def test_sensors_that_are_apart_after_a_pause_are_apart_for_200_ms_before_it_is_said() -> None:
    bench = at_depth()
    bench.put(angle_a_cdeg=-3000, angle_b_cdeg=-2790).tick(400)
    bench.run(150)
    assert "H08" not in bench.codes
    bench.run(10)
    assert "H08" in bench.codes


def test_a_table_that_a_guard_brought_back_in_a_pause_did_not_move_by_itself() -> None:
    for guarded in (True, False):
        bench = tilted()
        bench.run(3000)
        if guarded:
            bench.put(guard=Guard(GuardState.ARMED, session_id=ARM.session_id)).run(100)
        bench.obeys = False
        bench.put(angle_cdeg=-1000, brake_set=True, drive_power=False).tick(20_000)
        bench.run(2000)
        assert ("H12" in bench.codes) is not guarded


def test_a_current_and_a_supply_that_are_seen_after_a_pause_may_have_begun_just_now() -> None:
    bench = at_depth()
    driven(bench, -200, -200, 1000)
    bench.put(current_ma=12_000).tick(150)
    bench.tick()
    assert "H14" not in bench.codes, "a single frame is no 150 ms"
    bench = tilted()
    bench.put(mains=False).tick(2000)
    assert "H21" not in bench.codes
    bench.run(500)
    assert "H21" not in bench.codes
    bench.run(10)
    assert "H21" in bench.codes
    bench = tilted()
    bench.put(mains=False).run(100)
    bench.tick(2000)
    assert "H21" in bench.codes, "it was away before"


def test_a_hang_is_no_start_in_vain_and_no_tone() -> None:
    bench = in_a_return()
    bench.obeys = False
    bench.put(applied_cdeg_s=0, brake_set=True, drive_power=False, current_ma=0).tick(9000)
    assert "H10" not in bench.codes
    bench = tilted()
    bench.hold("RETURN").tick()
    assert (bench.decision.tone, bench.velocity) == (True, 0)
    left_ms = bench.judged.moving.back.tone_ms
    bench.tick(5000)
    assert bench.judged.moving.back.tone_ms == left_ms - 50


def test_a_patient_who_came_back_in_a_pause_rests_from_its_end() -> None:
    bench = tilted()
    bench.put(guard=Guard(GuardState.ARMED, session_id=ARM.session_id)).run(100)
    bench.obeys = False
    bench.put(angle_cdeg=-50).tick(90_000)
    assert bench.judged.timing.rest_ms == 50
    bench.tick(20_000)
    assert bench.judged.timing.rest_ms == 20_050


def test_on_a_doubtful_angle_a_pause_is_no_motion() -> None:
    bench = tilted()
    bench.obeys = True
    bench.run(10, angle_a_cdeg=None)
    bench.run(6000)
    assert bench.velocity > 0
    blind_ms = bench.judged.moving.back.blind_ms
    bench.tick(20_000)
    assert bench.judged.moving.back.blind_ms == blind_ms
