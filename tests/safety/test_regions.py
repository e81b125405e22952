"""Where the table may go, and by whose hand: above level, at level, below; H32; grants and approaches."""

import pytest

from config.limits import Limits
from safety import moving
from safety.signals import Contacts, Demand, Region
from tests.safety.table import LIMITS, Bench, arm_with, armed, ready, tilted


def above(angle_cdeg: int, bench: Bench | None = None) -> Bench:
    """A table above level that obeys, at rest there."""
    bench = bench or armed()
    bench.glide(angle_cdeg)
    bench.run(2000)
    bench.obeys = True
    return bench


# Automatic motion ends at level, and none exists above.


@pytest.mark.parametrize("wish", [-200, -1, 1, 200])
@pytest.mark.parametrize("angle", [-50, 0, 60, 100, 101, 2000])
def test_at_level_and_above_nothing_moves_by_itself(angle: int, wish: int) -> None:
    bench = above(angle)
    bench.commands.clear()
    bench.run(1000, velocity_cdeg_s=wish, plan_return=True, return_because="test")
    assert set(bench.commands) == {0}


def test_noise_about_level_moves_nothing() -> None:
    bench = armed()
    bench.put(velocity_cdeg_s=50)
    for number in range(300):
        bench.run(10, angle_cdeg=-50 + (number % 7 - 3) * 5)
    assert set(bench.commands) == {0}


def test_a_wish_toward_level_ends_at_level() -> None:
    bench = tilted(-1000)
    bench.run(20_000, velocity_cdeg_s=200)
    assert -70 <= bench.angle_cdeg <= -40
    assert bench.velocity == 0


@pytest.mark.parametrize("because", ["the plan", "the host", "RETURN"])
def test_every_return_aims_at_half_a_degree_below_level_and_never_crosses(because: str) -> None:
    bench = tilted(-1500)
    if because == "RETURN":
        bench.press("RETURN")
    else:
        bench.put(plan_return=because == "the plan", return_because="host" if because == "the host" else "")
    bench.commands.clear()
    highest = -1500
    for _ in range(2500):
        bench.tick()
        highest = max(highest, bench.angle_cdeg)
    assert highest <= 0
    assert bench.decision.region == Region.LEVEL
    assert max(bench.commands) == 200
    assert min(bench.commands) >= 0


# TILT: lowering from above stops at 0°, inverting needs a release, stillness and a new press.


def test_a_tilt_held_from_above_stops_at_zero_and_goes_no_further() -> None:
    bench = above(1000)
    bench.hold("TILT").run(25_000, velocity_cdeg_s=-200)
    assert -20 <= bench.angle_cdeg <= 30
    assert min(bench.commands) == -150
    assert bench.velocity == 0


def test_lowering_needs_neither_arm_nor_straps() -> None:
    bench = Bench()
    bench.run(1000, angle_cdeg=1000)
    bench.obeys = True
    bench.hold("TILT").run(3000, velocity_cdeg_s=-200)
    assert bench.velocity == -150


def test_the_first_degree_of_lowering_is_slow() -> None:
    bench = above(1000)
    bench.hold("TILT").run(100, velocity_cdeg_s=-200)
    while bench.angle_cdeg > 900:
        assert bench.velocity >= -50
        bench.tick()
    bench.run(100)
    assert bench.velocity == -150


def test_lowering_stops_when_tilt_is_let_go() -> None:
    bench = above(1000)
    bench.hold("TILT").run(1000, velocity_cdeg_s=-200)
    bench.let_go().run(10)
    assert bench.velocity == 0


@pytest.mark.parametrize(("still_ms", "starts"), [(4990, False), (5000, True)])
def test_inverting_needs_five_seconds_of_stillness_at_level(still_ms: int, starts: bool) -> None:
    bench = above(200)
    bench.hold("TILT").put(velocity_cdeg_s=-200)
    while not bench.decision.still or bench.decision.still_ms < still_ms - 1000:
        bench.tick()
    bench.let_go()
    while bench.decision.still_ms < still_ms - 10:
        bench.tick()
    bench.hold("TILT").tick()
    assert bench.decision.still_ms == still_ms
    assert (bench.velocity < 0) is starts
    # A press that came too early stays a press that came too early.
    bench.run(1000)
    assert (bench.velocity < 0) is starts


def test_a_tilt_held_on_after_lowering_never_inverts() -> None:
    bench = above(300)
    bench.hold("TILT").put(velocity_cdeg_s=-200)
    bench.wait(30)
    assert bench.angle_cdeg > -20


def test_deepening_ends_when_tilt_is_let_go_and_a_table_by_one_press_goes_on() -> None:
    for held_tilt, goes_on in ((True, False), (False, True)):
        bench = armed(arm_with(held_tilt=held_tilt))
        bench.obeys = True
        bench.hold("TILT").run(1000, velocity_cdeg_s=-200)
        bench.let_go().run(50)
        assert (bench.velocity < 0) is goes_on


def test_a_tilt_by_one_press_ends_with_any_demand_and_needs_a_new_one() -> None:
    bench = armed(arm_with(held_tilt=False))
    bench.obeys = True
    bench.hold("TILT").run(1000, velocity_cdeg_s=-200)
    bench.let_go().run(100)
    bench.tick(60)
    bench.run(3000)
    assert bench.velocity == 0


@pytest.mark.parametrize("end_down", [True, None])
def test_the_end_switch_ends_deepening(end_down: bool | None) -> None:
    bench = armed()
    bench.obeys = True
    bench.hold("TILT").run(2000, velocity_cdeg_s=-200)
    bench.run(20, end_down=end_down)
    assert bench.velocity == 0


def test_deepening_unarmed_is_nothing() -> None:
    bench = ready()
    bench.hold("TILT").run(1000, velocity_cdeg_s=-200)
    assert set(bench.commands[-100:]) == {0}


@pytest.mark.parametrize(
    ("speed", "limit", "wish", "expected"), [(200, 150, -200, 150), (100, 200, -200, 100), (200, 200, -80, 80)]
)
def test_deepening_is_as_fast_as_plan_table_and_wish_allow(speed: int, limit: int, wish: int, expected: int) -> None:
    bench = armed(arm_with(speed_cdeg_s=min(speed, limit)), Limits(speed_cdeg_s=limit))
    bench.obeys = True
    bench.hold("TILT").run(5000, velocity_cdeg_s=wish)
    assert bench.velocity == -expected
    assert min(bench.commands) == -expected


def test_deepening_comes_to_rest_at_the_cap() -> None:
    bench = armed(arm_with(cap_cdeg=-700))
    bench.obeys = True
    bench.hold("TILT").run(12_000, velocity_cdeg_s=-200)
    assert -760 <= bench.angle_cdeg <= -690
    assert bench.velocity == 0
    assert bench.codes == ()


def test_the_first_degree_of_a_tilt_is_slow_each_time_it_starts() -> None:
    bench = armed()
    bench.obeys = True
    for _ in range(2):
        start = bench.angle_cdeg
        bench.hold("TILT").put(velocity_cdeg_s=-200).tick()
        while bench.angle_cdeg > start - 100:
            assert bench.velocity == -50
            bench.tick()
        bench.run(200)
        assert bench.velocity == -200
        bench.let_go().run(2500)


def test_below_level_a_fresh_tilt_needs_a_table_at_rest() -> None:
    bench = armed()
    bench.obeys = True
    bench.hold("TILT").run(4000, velocity_cdeg_s=-200)
    bench.let_go().run(50)
    bench.hold("TILT").run(2000)
    assert bench.velocity == 0
    bench.let_go().run(1500)
    bench.hold("TILT").run(20)
    assert bench.velocity < 0


# H32: raising.


def raised(bench: Bench, ms: int = 2000) -> Bench:
    bench.hold("RAISE").run(ms, velocity_cdeg_s=200)
    return bench


def test_h32_raising_is_by_a_held_raise_and_no_faster_than_one_and_a_half_degrees_a_second() -> None:
    bench = armed()
    bench.obeys = True
    raised(bench, 6000)
    assert bench.velocity == 150
    assert max(bench.commands) == 150
    bench.let_go().run(10)
    assert bench.velocity == 0


def test_h32_its_first_degree_is_slow() -> None:
    bench = armed()
    bench.obeys = True
    raised(bench, 100)
    while bench.angle_cdeg < 100:
        assert bench.velocity == 50
        bench.tick()


def test_h32_after_an_inversion_nobody_is_raised_before_the_rest_is_over() -> None:
    bench = tilted(-1000)
    bench.press("RETURN")
    bench.run(15_000)
    bench.wait(59 - bench.judged.timing.rest_ms / 1000)
    bench.commands.clear()
    raised(bench, 500)
    assert set(bench.commands) == {0}
    # A button held since before is no new press.
    bench.wait(3)
    assert set(bench.commands) == {0}
    bench.let_go().run(100)
    raised(bench, 500)
    assert bench.velocity == 50


def test_h32_it_pauses_at_thirty_degrees_for_ten_seconds_and_wants_a_new_press() -> None:
    bench = above(2500)
    raised(bench, 15_000)
    assert 2960 <= bench.angle_cdeg <= 3010
    assert bench.velocity == 0
    bench.wait(20)
    assert bench.velocity == 0, "held on, it stays"
    bench.let_go().run(100)
    raised(bench, 3000)
    assert bench.velocity > 50


@pytest.mark.parametrize(("pause_ms", "goes_on"), [(9990, False), (10_000, True)])
def test_h32_the_pause_is_ten_seconds(pause_ms: int, goes_on: bool) -> None:
    bench = above(2500)
    raised(bench, 15_000)
    bench.let_go()
    while bench.judged.moving.raise_pause_ms < pause_ms - 10:
        bench.tick()
    bench.hold("RAISE").run(10)
    assert bench.judged.moving.raise_pause_ms == pause_ms
    assert (bench.velocity > 0) is goes_on


@pytest.mark.parametrize("angle", [2995, 3005, 3050, 3100])
def test_h32_noise_about_the_pause_is_no_leave_to_go_on(angle: int) -> None:
    bench = above(2990)
    bench.obeys = False
    bench.glide(angle, 50)
    bench.commands.clear()
    raised(bench, 300)
    assert set(bench.commands) == {0}


def test_h32_whoever_boards_higher_than_the_pause_is_not_paused_there() -> None:
    bench = Bench()
    bench.run(1000, angle_cdeg=4000)
    bench.obeys = True
    raised(bench, 3000)
    assert bench.velocity == 150


def test_h32_below_the_pause_it_starts_over() -> None:
    bench = above(2500)
    raised(bench, 15_000)
    bench.wait(11)
    bench.let_go().run(2000)
    bench.hold("TILT").run(5000, velocity_cdeg_s=-150)
    bench.let_go().run(1500)
    assert bench.angle_cdeg < 2900
    bench.commands.clear()
    raised(bench, 15_000)
    assert bench.angle_cdeg <= 3010
    assert bench.velocity == 0


def test_h32_raising_ends_at_the_boarding_angle() -> None:
    bench = above(7300)
    raised(bench, 8000)
    assert 7450 <= bench.angle_cdeg <= 7510
    assert bench.velocity == 0
    assert bench.codes == ()


@pytest.mark.parametrize(
    "trouble",
    [
        {"end_up": True},
        {"end_up": None},
        {"strap_left": Contacts.OPEN},
        {"strap_right": None},
        {"angle_a_cdeg": None},
        {"patient_button": True},
    ],
)
def test_h32_nobody_is_raised_into_trouble(trouble: dict[str, object]) -> None:
    bench = armed()
    bench.put(**trouble)
    bench.commands.clear()
    raised(bench, 500)
    assert set(bench.commands) == {0}


@pytest.mark.parametrize("trouble", [{"end_up": True}, {"strap_left": Contacts.OPEN}, {"angle_b_cdeg": None}])
def test_h32_trouble_on_the_way_ends_raising(trouble: dict[str, object]) -> None:
    bench = armed()
    bench.obeys = True
    raised(bench, 3000)
    assert bench.velocity > 0
    bench.obeys = False
    bench.run(20, **trouble)
    assert bench.velocity == 0


def test_h32_a_stop_ends_raising_until_a_fresh_press() -> None:
    bench = armed()
    bench.obeys = True
    raised(bench, 3000)
    bench.press("STOP")
    bench.run(3000)
    assert bench.velocity == 0
    # RETURN clears the stop, and the button that is still held raises nobody.
    bench.press("RETURN")
    bench.run(2000)
    assert bench.velocity == 0
    bench.let_go().run(100)
    raised(bench, 100)
    assert bench.velocity == 50


def test_h32_unarmed_with_open_straps_the_table_is_positioned_by_hand() -> None:
    bench = Bench()
    bench.run(6000)
    bench.obeys = True
    raised(bench, 3000)
    assert bench.velocity == 150


def test_raising_from_just_below_level_is_raising() -> None:
    bench = above(-90)
    raised(bench, 100)
    assert bench.velocity == 50


# Above level in trouble: only toward level, by a fresh press, from rest, slow.


@pytest.mark.parametrize("trouble", [{"patient_button": True}, {"angle_a_cdeg": None}, {"mains": False}])
def test_above_level_a_return_is_a_stop_and_a_held_tilt_lowers(trouble: dict[str, object]) -> None:
    bench = above(1000)
    bench.run(2000, **trouble)
    assert (bench.demand, bench.velocity, bench.decision.returning) == (Demand.STOP, 0, False)
    bench.obeys = "angle_a_cdeg" not in trouble
    bench.hold("TILT").run(100)
    assert bench.velocity == -50
    if bench.obeys:
        bench.wait(20)
        assert 0 <= bench.angle_cdeg <= 110
        assert min(bench.commands) == -90


def test_above_level_the_same_press_does_not_lower_through_a_new_stop() -> None:
    bench = above(1000)
    bench.hold("TILT").run(3000, velocity_cdeg_s=-150)
    bench.run(10, patient_button=True)
    assert bench.velocity == 0
    bench.run(3000)
    assert bench.velocity == 0
    bench.let_go().run(50)
    bench.hold("TILT").run(50)
    assert bench.velocity == -50


def test_above_level_lowering_goes_on_while_only_deepening_is_forbidden() -> None:
    bench = above(1000)
    bench.hold("TILT").run(3000, velocity_cdeg_s=-150)
    bench.tick(60)
    bench.run(100)
    assert bench.codes == ("H27",)
    assert bench.velocity < 0


# How motion comes to rest.


@pytest.mark.parametrize(
    ("distance", "limit", "speed"),
    [(-5, 200, 0), (0, 200, 0), (1, 200, 15), (2, 200, 15), (100, 200, 109), (10_000, 200, 200), (100, 10, 10)],
)
def test_an_approach_is_as_fast_as_it_can_still_come_to_rest(distance: int, limit: int, speed: int) -> None:
    assert moving.approach(distance, limit, LIMITS) == speed
