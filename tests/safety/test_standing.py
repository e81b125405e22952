"""A table that moves by itself, or too fast: H12 and H13 at the edges of their limits."""

from collections.abc import Callable

import pytest

from config.limits import Limits
from firmware_bridge.ramp import Ramp
from safety import overspeed, standing
from safety.signals import Alarm, Demand, Region
from safety.springing import SLACK
from safety.track import Sample, Track
from tests.safety.table import ARM, BELIEVED, LIMITS, RUNNING, Bench, armed, at_depth, driven, ready, tilted

# H12: motion without a command.


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize(
    ("brake_set", "drive_power", "demand"),
    [
        (True, False, Demand.HOLD),
        (False, False, Demand.CUT),
        (True, True, Demand.CUT),
        (None, False, Demand.CUT),
        (True, None, Demand.CUT),
    ],
)
def test_h12_creeping_further_than_one_degree_and_the_backlash(
    way: int, brake_set: bool | None, drive_power: bool | None, demand: Demand
) -> None:
    bench = at_depth()
    bench.put(brake_set=brake_set, drive_power=drive_power)
    bench.turn(way * 40, 3250)
    assert "H12" not in bench.codes
    bench.turn(way * 40, 30)
    cause = bench.cause("H12")
    assert (cause.demand, cause.alarm, cause.value, cause.limit) == (demand, Alarm.HIGH, 131, 130)
    assert bench.demand == demand


@pytest.mark.parametrize(("speed", "limit_ms", "trips"), [(50, 2500, False), (55, 600, True), (-55, 600, True)])
def test_h12_faster_than_half_a_degree_a_second_for_500_ms(speed: int, limit_ms: int, trips: bool) -> None:
    bench = at_depth()
    bench.turn(speed, limit_ms)
    assert ("H12" in bench.codes) is trips
    if trips:
        assert bench.cause("H12").unit == "cdeg/s"


@pytest.mark.parametrize("sensor", ["angle_a_cdeg", "angle_b_cdeg"])
def test_h12_one_sensor_alone_says_nothing(sensor: str) -> None:
    bench = at_depth()
    for tick in range(100):
        bench.run(20, **{sensor: -3000 + 2 * tick})
    assert "H12" not in bench.codes


@pytest.mark.parametrize(("angle", "trips"), [(300, False), (301, True), (-199, False)])
def test_h12_unarmed_with_the_brake_set_people_may_move_the_table_by_three_degrees(angle: int, trips: bool) -> None:
    bench = Bench()
    bench.run(2000)
    bench.turn(100 if angle > 0 else -100, abs(angle) * 10)
    assert ("H12" in bench.codes) is trips


def test_h12_unarmed_without_the_brake_there_is_no_such_leave() -> None:
    bench = Bench()
    bench.run(2000, brake_set=False)
    bench.turn(100, 1400)
    assert bench.cause("H12").demand == Demand.CUT


def test_h12_where_people_left_the_table_is_its_rest_when_it_is_armed() -> None:
    bench = ready()
    bench.turn(90, 1000)
    assert bench.angle_cdeg == 90
    bench.turn(-90, 2000)
    bench.run(2000)
    assert bench.angle_cdeg == -90
    bench.run(10, arm=ARM)
    assert bench.decision.armed is not None
    bench.turn(40, 3200)
    assert bench.codes == ()


def test_h12_the_first_second_after_a_stop_belongs_to_the_stop() -> None:
    bench = at_depth()
    driven(bench, 100, 100, 1000)
    driven(bench, 0, 60, 900)
    assert "H12" not in bench.codes
    driven(bench, 0, 60, 200)
    assert "H12" in bench.codes


def test_h12_is_judged_from_a_second_of_zero_set_point() -> None:
    bench = at_depth()
    driven(bench, 100, 100, 1000)
    driven(bench, 0, 60, 990)
    assert "H12" not in bench.codes
    driven(bench, 0, 60, 10)
    assert "H12" in bench.codes


def caught() -> Bench:
    """A table that slipped on its brake and was stopped by the drive, powered at zero speed."""
    bench = at_depth()
    bench.turn(-100, 700)
    assert bench.demand == Demand.HOLD
    bench.put(drive_power=True)
    return bench


def test_h12_a_table_that_the_drive_has_stopped_is_held_and_no_more() -> None:
    bench = caught()
    bench.turn(-30, 200)
    bench.run(3000)
    assert bench.demand == Demand.HOLD
    assert bench.judged.drive.caught == standing.CAUGHT


def test_h12_not_slowing_within_200_ms_is_a_cut() -> None:
    bench = caught()
    bench.turn(-100, 150)
    assert bench.demand == Demand.HOLD
    bench.turn(-120, 150)
    assert bench.demand == Demand.CUT
    assert bench.cause("H12").demand == Demand.CUT


def test_h12_slowing_for_ever_is_a_cut_in_the_end() -> None:
    bench = caught()
    bench.turn(-40, 1500)
    assert bench.demand == Demand.HOLD
    bench.turn(-40, 600)
    assert bench.demand == Demand.CUT


def ms_to_cut(bench: Bench, speed_cdeg_s: int) -> int:
    """Turn a table that was just caught until it is let go, and say after how long; 5 s when it is not."""
    ms = 0
    while bench.demand != Demand.CUT and ms < 5000:
        bench.turn(speed_cdeg_s, 10)
        ms += 10
    return ms


def just_caught() -> Bench:
    """In the very step in which a table that crept further than it may was found out."""
    bench = at_depth()
    while bench.demand != Demand.HOLD:
        bench.turn(-40, 10)
    return bench


@pytest.mark.parametrize(("speed", "ms"), [(-300, 200), (-110, 200), (-100, 2000), (-40, 2000), (0, 5000)])
def test_h12_the_drive_has_200_ms_to_slow_it_below_a_degree_a_second_and_two_seconds_to_stop_it(
    speed: int, ms: int
) -> None:
    assert ms_to_cut(just_caught(), speed) == ms


@pytest.mark.parametrize("speed", [-40, 40, 60])
def test_h12_moving_again_after_it_was_caught_is_a_cut(speed: int) -> None:
    bench = caught()
    bench.run(3000)
    bench.turn(speed, 3400)
    assert bench.demand == Demand.CUT


@pytest.mark.parametrize(("travel", "moves"), [(130, False), (131, True)])
def test_h12_once_caught_one_degree_and_the_backlash_are_allowed(travel: int, moves: bool) -> None:
    bench = caught()
    bench.run(3000)
    start = bench.angle_cdeg
    while bench.angle_cdeg < start + travel:
        bench.turn(40, 10)
    assert (bench.judged.drive.caught == standing.LET_GO) is moves


def test_h12_the_end_of_a_held_motion_is_not_moving_again() -> None:
    bench = caught()
    bench.run(3000)
    bench.obeys = True
    bench.hold("RETURN").run(6000)
    assert bench.velocity == 90
    bench.let_go().run(5000)
    assert bench.demand == Demand.HOLD
    bench.hold("RETURN").wait(60)
    assert bench.decision.region == Region.LEVEL


def test_h12_reset_at_level_ends_the_watch() -> None:
    bench = caught()
    bench.run(3000)
    bench.obeys = True
    bench.hold("RETURN").wait(60)
    bench.let_go().run(2000)
    bench.hold("ACK").run(2200)
    assert bench.decision.causes == ()
    assert bench.judged.drive.caught == standing.FREE


def test_h12_a_table_that_slipped_and_rests_elsewhere_can_be_reset_there() -> None:
    bench = armed()
    bench.put(brake_set=False)
    bench.turn(40, 4000)
    assert bench.demand == Demand.CUT
    bench.run(3000)
    bench.hold("ACK").run(2100)
    assert bench.codes == ()


# H13: overspeed.


@pytest.mark.parametrize(
    ("applied", "backlash", "limit"),
    [(0, 30, 190), (50, 30, 240), (100, 30, 290), (100, 40, 330), (-200, 20, 350), (200, 20, 350)],
)
def test_h13_the_limit_is_the_greater_margin_and_one_backlash(applied: int, backlash: int, limit: int) -> None:
    sign = -1 if applied < 0 else 1
    for speed, expected in ((limit - 5, False), (limit + 5, True)):
        bench = tilted(-3000, limits=Limits(backlash_cdeg=backlash), obeys=False)
        driven(bench, applied, sign * speed, 800, brake_set=False)
        assert ("H13" in bench.codes) is expected, speed
    cause = bench.cause("H13")
    assert (cause.demand, cause.alarm, cause.limit, cause.unit) == (Demand.CUT, Alarm.HIGH, limit, "cdeg/s")


def straight(a: int, b: int, applied: int = 0) -> tuple[Sample, ...]:
    """Both sensors go so far in 200 ms, evenly."""
    times = (0, 50, 100, 150, 200)
    return tuple((ms, a * ms // 200, b * ms // 200, (a + b) * ms // 200, applied) for ms in times)


@pytest.mark.parametrize(
    ("speed", "a", "b", "trips"), [(191, 39, 39, True), (190, 39, 39, False), (191, 38, 39, False)]
)
def test_h13_the_mean_and_both_sensors_must_be_beyond_the_limit(speed: int, a: int, b: int, trips: bool) -> None:
    # 38 in 200 ms are the 190 that are allowed at a set-point of zero.
    track = Track(straight(a, b), short_cdeg_s=speed)
    found = overspeed.overspeed(0, at_depth().readings, BELIEVED, track, SLACK, LIMITS)
    assert (found is not None) is trips


@pytest.mark.parametrize(("applied", "limit"), [(200, 270), (233, 303), (234, 304), (300, 390)])
def test_h13_the_margin_is_seven_tenths_of_a_degree_a_second_or_three_tenths_of_the_set_point(
    applied: int, limit: int
) -> None:
    fast = straight(200, 200, applied)
    limits = Limits(backlash_cdeg=0)
    for speed, expected in ((limit, False), (limit + 1, True)):
        track = Track(fast, short_cdeg_s=speed)
        found = overspeed.faster_than_told(applied, at_depth().readings, BELIEVED, track, limits)
        assert (found is not None) is expected


def test_h13_compares_with_the_greatest_set_point_of_the_last_500_ms() -> None:
    bench = at_depth()
    driven(bench, 200, 200, 1000)
    driven(bench, 0, 200, 490)
    assert bench.codes == ()
    driven(bench, 0, 200, 30)
    assert "H13" in bench.codes


def test_h13_one_sensor_alone_says_nothing() -> None:
    bench = at_depth()
    for tick in range(60):
        bench.run(10, angle_a_cdeg=-3000 - 5 * tick)
    assert "H13" not in bench.codes


def test_h13_with_brake_set_and_drive_off_it_is_caught_as_h12_is() -> None:
    bench = at_depth()
    driven(bench, -50, -50, 500)
    bench.run(600, applied_cdeg_s=0, current_ma=0, brake_set=True, drive_power=False)
    bench.turn(-400, 150)
    assert (bench.cause("H13").demand, bench.demand) == (Demand.HOLD, Demand.HOLD)
    bench.turn(-400, 300)
    assert bench.demand == Demand.CUT


@pytest.mark.parametrize("acceleration_cdeg_s2", [5000, 10_000, 20_000])
@pytest.mark.parametrize("applied", [0, -200])
def test_h13_a_runaway_is_found_within_150_ms_of_the_true_crossing(acceleration_cdeg_s2: int, applied: int) -> None:
    bench = at_depth()
    driven(bench, applied, applied, 1000)
    limit = 190 if applied == 0 else 390
    speed, angle, crossed_ms = float(abs(applied)), float(bench.angle_cdeg), None
    while "H13" not in bench.codes:
        speed += acceleration_cdeg_s2 * 0.01
        angle -= speed * 0.01
        if crossed_ms is None and speed > limit:
            crossed_ms = bench.t_ms
        bench.run(10, angle_cdeg=angle)
    assert crossed_ms is not None
    assert bench.t_ms - crossed_ms <= 150


# No window trips on an ordinary start, stop, reversal or slow-down.


@pytest.mark.parametrize("backlash", [0, 30, 60])
def test_nothing_trips_on_ordinary_motion_with_noise_and_backlash(backlash: int, noise: Callable[[], int]) -> None:
    bench = tilted(-3000, limits=Limits(backlash_cdeg=backlash), obeys=False)
    ramp = Ramp()
    gear = angle = -3000.0
    targets = [100, 0, -100, 50, -50, 200, -200, 0, 200, 100, 0, -90, 90, 0]
    for target in targets:
        for _ in range(150):
            applied = ramp.step(target, 10)
            gear += applied * 0.01
            angle = min(max(angle, gear - backlash / 2), gear + backlash / 2)
            bench.put(applied_cdeg_s=round(applied), **(RUNNING if applied or target else {"current_ma": 0}))
            bench.put(angle_a_cdeg=round(angle) + noise(), angle_b_cdeg=round(angle) + noise())
            bench.tick()
            if bench.t_ms % 10_000 == 0:
                bench.hold("PRESENCE").tick()
                bench.let_go()
            assert bench.codes == (), (target, bench.t_ms)
