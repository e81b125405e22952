"""The angle at the edges of its limits: H01, H02, H08, H09, H36."""

import pytest

from config.limits import Limits
from safety import angle as angle_checks
from safety.signals import Alarm, Demand, Region
from tests.safety.table import ARM, Bench, arm_with, armed, driven, permit_with, tilted

DEEP = arm_with(cap_cdeg=-6000)


# H01: deeper than the session's cap.


def test_h01_one_degree_beyond_the_cap_is_allowed_and_a_hundredth_more_is_a_return() -> None:
    bench = tilted(-4500, obeys=False)
    bench.glide(-4600).run(100)
    assert bench.codes == ()
    bench.run(10, angle_cdeg=-4601)
    cause = bench.cause("H01")
    assert (cause.demand, cause.alarm, cause.value, cause.limit, cause.unit) == (3, 2, -4601, -4600, "cdeg")
    assert bench.demand == Demand.RETURN
    assert bench.decision.alarm == Alarm.MEDIUM


def test_h01_follows_the_cap_of_the_session_not_that_of_the_table() -> None:
    bench = tilted(-2000, arm_with(cap_cdeg=-2000), obeys=False)
    assert bench.glide(-2100).run(100).causes == ()
    assert bench.run(10, angle_cdeg=-2101).causes[0].code == "H01"


def test_h01_is_about_the_mean_of_both_sensors() -> None:
    bench = tilted(-4500, obeys=False)
    bench.glide(-4590)
    bench.run(100, angle_a_cdeg=-4600, angle_b_cdeg=-4600)
    bench.run(100, angle_b_cdeg=-4550, angle_a_cdeg=-4650)
    assert bench.codes == ()
    assert bench.run(10, angle_a_cdeg=-4652).causes[0].value == -4601


def test_h01_without_arm_the_cap_is_one_degree_below_level() -> None:
    bench = Bench()
    bench.run(10)
    bench.press("PRESENCE")
    assert bench.glide(-200).run(100).causes == ()
    assert bench.run(10, angle_cdeg=-201).causes[0].code == "H01"
    assert bench.demand == Demand.RETURN


# H02: deeper than the device allows.


def test_h02_starts_a_hundredth_beyond_the_device_limit_by_the_deeper_sensor() -> None:
    bench = tilted(-6000, DEEP, obeys=False)
    bench.glide(-6100)
    bench.put(angle_a_cdeg=-6200).run(10)
    assert "H02" not in bench.codes
    bench.run(10, angle_a_cdeg=-6201)
    cause = bench.cause("H02")
    assert (cause.demand, cause.alarm, cause.value, cause.limit, cause.slow) == (3, 3, -6201, -6200, True)
    assert bench.demand == Demand.RETURN


def test_h02_is_a_hold_while_the_drive_is_not_clean() -> None:
    bench = tilted(-6000, DEEP, obeys=False)
    bench.glide(-6100)
    bench.turn(-600, 400)
    assert bench.cause("H02").demand == Demand.HOLD
    assert {"H12", "H13"} & set(bench.codes)


def test_h02_never_lets_the_table_go_outward() -> None:
    bench = tilted(-6000, DEEP, obeys=False)
    bench.glide(-6201)
    bench.hold("TILT").run(3000, velocity_cdeg_s=-200)
    assert min(bench.commands) >= 0


def test_the_return_from_beyond_the_device_limit_is_slow_and_ends_at_level() -> None:
    bench = tilted(-6000, DEEP, obeys=False)
    bench.glide(-6201)
    bench.obeys = True
    bench.commands.clear()
    bench.wait(85)
    assert max(bench.commands) == 90
    assert bench.decision.region == Region.LEVEL
    assert not bench.decision.returning


# H08: sensors disagree, or one is lost.


def test_h08_two_degrees_apart_is_sampling_skew_for_ever() -> None:
    bench = tilted(obeys=False)
    bench.run(1000, angle_b_cdeg=-2900)
    bench.wait(3, angle_b_cdeg=-2800)
    assert bench.codes == ()


@pytest.mark.parametrize("sign", [-1, 1])
def test_h08_more_than_two_degrees_apart_is_a_dispute_after_200_ms_and_not_before(sign: int) -> None:
    bench = tilted(obeys=False)
    # In two steps, each too small to be a jump, and so far apart that they are no fall (H13).
    bench.run(150, angle_b_cdeg=-3000 + sign * 100)
    bench.run(200, angle_b_cdeg=-3000 + sign * 201)
    assert bench.codes == ()
    bench.run(10)
    cause = bench.cause("H08")
    assert (cause.demand, cause.alarm, cause.value, cause.limit, cause.slow) == (3, 3, 201, 200, True)
    # The deeper one counts.
    assert bench.decision.angle_cdeg == min(-3000, -3000 + sign * 201)


def test_h08_the_200_ms_are_of_one_piece() -> None:
    bench = tilted(obeys=False)
    bench.run(150, angle_b_cdeg=-3100)
    for _ in range(3):
        bench.run(190, angle_b_cdeg=-3201)
        bench.run(10, angle_b_cdeg=-3200)
    assert bench.codes == ()


@pytest.mark.parametrize("sensor", ["angle_a_cdeg", "angle_b_cdeg"])
@pytest.mark.parametrize(("jump", "lost"), [(150, False), (151, True), (-150, False), (-151, True)])
def test_h08_a_sensor_that_jumps_alone_is_missing(sensor: str, jump: int, lost: bool) -> None:
    bench = tilted(obeys=False)
    bench.run(10, **{sensor: -3000 + jump})
    assert ("H08" in bench.codes) is lost
    if lost:
        assert (bench.cause("H08").value, bench.cause("H08").limit, bench.cause("H08").unit) == (1, 2, "sensors")
        assert bench.decision.angle_cdeg == -3000


def test_h08_a_jump_of_both_sensors_is_no_fault_of_one() -> None:
    bench = tilted(obeys=False)
    bench.run(10, angle_cdeg=-3160)
    assert "H08" not in bench.codes


@pytest.mark.parametrize("sensor", ["angle_a_cdeg", "angle_b_cdeg"])
def test_h08_a_missing_sensor_is_a_slow_return_at_once_and_the_other_one_counts(sensor: str) -> None:
    bench = tilted(obeys=False)
    bench.run(10, **{sensor: None})
    assert bench.codes == ("H08",)
    assert bench.demand == Demand.RETURN
    assert bench.decision.angle_cdeg == -3000
    assert bench.cause("H08").where == {"angle_a_cdeg": "A", "angle_b_cdeg": "B"}[sensor]


def test_h08_of_two_that_disagree_nobody_knows_which_is_wrong() -> None:
    bench = tilted(obeys=False)
    bench.run(10, angle_b_cdeg=-3100)
    bench.run(220, angle_b_cdeg=-3201)
    assert bench.cause("H08").where == "both"


@pytest.mark.parametrize(("reading", "lost"), [(-7200, 0), (-7201, 1), (9200, 0), (9201, 1), (None, 1)])
def test_a_sensor_outside_its_range_is_lost(reading: int | None, lost: int) -> None:
    near = 0 if reading is None else reading
    assert angle_checks.follow(angle_checks.Angles(), reading, near, 10).lost & 1 == lost
    assert angle_checks.follow(angle_checks.Angles(), near, reading, 10).lost >> 1 == lost


def test_h08_a_lost_sensor_does_not_heal_by_itself() -> None:
    bench = tilted(obeys=False)
    bench.run(10, angle_a_cdeg=None)
    bench.run(1000, angle_a_cdeg=-3000)
    assert bench.judged.angles.lost == angle_checks.A
    assert bench.codes == ("H08",)


def test_h08_with_one_sensor_the_table_comes_back_slowly_to_level_and_stands() -> None:
    bench = tilted()
    bench.put(angle_a_cdeg=None).tick()
    bench.commands.clear()
    for _ in range(50 * 100):
        bench.tick()
        bench.put(angle_a_cdeg=None)
    assert max(bench.commands) == 90
    assert bench.decision.region == Region.LEVEL
    assert -100 <= bench.angle_cdeg <= 100
    assert (bench.velocity, bench.demand) == (0, Demand.STOP)


def test_h08_a_disputed_return_ends_when_two_of_three_say_level() -> None:
    bench = tilted(-1000)
    for _ in range(30 * 100):
        # A stays behind by 3°; B and the level switch come to level.
        bench.put(angle_a_cdeg=bench.angle_cdeg - 300)
        bench.tick()
        bench.put(angle_a_cdeg=bench.angle_cdeg - 300)
    assert "H08" in bench.codes
    assert not bench.decision.returning
    assert -100 <= bench.angle_cdeg <= 0


@pytest.mark.parametrize("behind", ["angle_a_cdeg", "angle_b_cdeg"])
def test_h08_with_the_level_switch_broken_a_disputed_return_ends_when_the_moving_sensor_reads_zero(behind: str) -> None:
    bench = tilted(-1000)
    for _ in range(40 * 100):
        bench.put(level_switch=True, **{behind: bench.angle_cdeg - 300})
        bench.tick()
    assert not bench.decision.returning
    assert 0 <= bench.angle_cdeg <= 100


def test_h08_a_lost_sensor_that_flaps_does_not_end_a_return() -> None:
    bench = tilted()
    bench.put(angle_a_cdeg=-7000).tick()
    for number in range(5 * 100):
        bench.put(angle_a_cdeg=500 if number % 2 else -7000)
        bench.tick()
    assert bench.decision.returning
    assert bench.velocity > 0


@pytest.mark.parametrize(("depth", "limit_ms"), [(1000, 13_333 + 3000), (3000, 43_000), (6000, 80_000)])
def test_h08_a_blind_return_that_takes_too_long_becomes_a_hold(depth: int, limit_ms: int) -> None:
    bench = tilted(-depth, DEEP, obeys=False)
    # 1.2 × depth at 0.9°/s and 3 s, at most 80 s, of motion; the tone comes first.
    bench.run(1020, angle_a_cdeg=None)
    assert bench.velocity > 0
    before = bench.t_ms
    while bench.cause("H08").demand != Demand.HOLD:
        # Slower than it is driven, and not so slow that it counts as frozen.
        driven(bench, 90, 27, 50)
    assert limit_ms - 100 <= bench.t_ms - before <= limit_ms + 100
    assert (bench.demand, bench.decision.alarm) == (Demand.HOLD, Alarm.HIGH)


def test_h08_the_level_switch_alone_has_no_say_in_a_session() -> None:
    bench = tilted()
    bench.run(3000, level_switch=False)
    assert bench.codes == ()


@pytest.mark.parametrize(("switch", "refused"), [(False, False), (True, True)])
def test_h08_a_level_switch_caught_wrong_on_the_way_down_is_remembered_at_level(switch: bool, refused: bool) -> None:
    bench = Bench()
    bench.run(1000, angle_cdeg=1000, level_switch=switch)
    for angle_cdeg in range(1000, -1, -1):
        bench.run(10, angle_cdeg=angle_cdeg, applied_cdeg_s=-100, current_ma=3000, level_switch=switch)
    bench.run(1500, applied_cdeg_s=0, level_switch=False)
    bench.run(10, arm=ARM)
    assert ("H08" in bench.refused) is refused


def test_h08_a_level_switch_that_is_right_again_where_it_can_be_told_is_forgiven() -> None:
    bench = Bench()
    bench.run(1000, angle_cdeg=1000, level_switch=True)
    bench.run(100, level_switch=False)
    bench.run(10, arm=ARM)
    assert "H08" not in bench.refused


@pytest.mark.parametrize(("angle", "wrong"), [(251, False), (250, True), (-350, True), (-351, False)])
def test_h08_the_switch_is_forgiven_only_more_than_three_degrees_from_its_threshold(angle: int, wrong: bool) -> None:
    there = angle_checks.weigh(angle, angle, 0, 0, False, 10)
    assert angle_checks.switch_wrong(True, there, angle < -50) is wrong


def test_h08_a_doubtful_angle_tells_nothing_of_the_switch() -> None:
    for lost, disputed in ((1, False), (2, False), (3, False), (0, True)):
        doubt = angle_checks.weigh(1000, 1000, lost, 0, disputed, 10)
        assert angle_checks.switch_wrong(False, doubt, True) is False
        assert angle_checks.switch_wrong(True, doubt, False) is True


@pytest.mark.parametrize(
    ("a", "b", "lost", "switch", "votes"),
    [
        (-100, -100, 0, False, 3),
        (-101, -100, 0, False, 2),
        (-100, -101, 0, False, 2),
        (-101, -101, 0, False, 1),
        (-100, -100, 0, True, 2),
        (-100, -100, 0, None, 2),
        (-101, -101, 0, True, 0),
        (0, -100, angle_checks.A, False, 2),
        (0, -101, angle_checks.A, False, 1),
        (-100, 0, angle_checks.B, False, 2),
        (-101, 0, angle_checks.B, True, 0),
        (0, 0, angle_checks.BOTH, False, 1),
        (None, 0, angle_checks.A, False, 2),
        (0, None, angle_checks.B, False, 2),
    ],
)
def test_h08_whoever_is_believed_and_reads_level_and_the_switch_have_a_vote(
    a: int | None, b: int | None, lost: int, switch: bool | None, votes: int
) -> None:
    now = angle_checks.weigh(a, b, lost, 0, True, 10)
    assert angle_checks.votes_for_level(now, switch) == votes


@pytest.mark.parametrize(
    ("a", "b", "lost", "disputed", "switch", "where"),
    [
        (-3000, -3000, 0, False, False, -3000),
        (-3000, 0, 0, True, False, -100),
        (-3000, 0, 0, True, True, -3000),
        (-3000, -101, 0, True, False, -3000),
        (-3000, 0, angle_checks.A, False, True, 0),
        (-101, 0, angle_checks.B, False, False, -101),
        (0, 0, angle_checks.BOTH, True, False, None),
    ],
)
def test_h08_in_doubt_it_is_level_as_soon_as_two_of_three_say_so(
    a: int, b: int, lost: int, disputed: bool, switch: bool, where: int | None
) -> None:
    assert angle_checks.where(angle_checks.weigh(a, b, lost, 0, disputed, 10), switch) == where


# H09: both angles lost.


@pytest.mark.parametrize("reading", [None, -7201, 9201])
def test_h09_both_angles_lost_is_a_cut(reading: int | None) -> None:
    bench = tilted(obeys=False)
    bench.run(10, angle_a_cdeg=reading, angle_b_cdeg=reading)
    cause = bench.cause("H09")
    assert (cause.demand, cause.alarm, cause.value, cause.limit) == (Demand.CUT, Alarm.HIGH, 0, 1)
    assert bench.demand == Demand.CUT
    assert bench.decision.angle_cdeg is None
    assert bench.decision.region == Region.UNKNOWN


def test_h09_comes_also_when_the_second_sensor_follows_the_first() -> None:
    bench = tilted()
    bench.run(500, angle_a_cdeg=None)
    bench.obeys = False
    bench.run(10, angle_a_cdeg=None, angle_b_cdeg=None)
    assert bench.codes == ("H08", "H09")
    assert bench.demand == Demand.CUT
    assert bench.velocity == 0


# H36: raised beyond the boarding angle.


@pytest.mark.parametrize(("boarding", "limit"), [(7500, 7700), (8300, 8500), (8400, 8500), (8500, 8500)])
def test_h36_two_degrees_beyond_the_boarding_angle_but_never_beyond_85(boarding: int, limit: int) -> None:
    bench = Bench(Limits(boarding_cdeg=boarding))
    bench.run(20, angle_cdeg=limit)
    assert bench.codes == ()
    bench.run(10, angle_cdeg=limit + 1)
    cause = bench.cause("H36")
    assert (cause.demand, cause.alarm, cause.value, cause.limit) == (Demand.STOP, Alarm.MEDIUM, limit + 1, limit)


def test_h36_inhibits_raising_and_lets_a_held_tilt_lower_again() -> None:
    bench = Bench()
    bench.run(1000, angle_cdeg=7701)
    bench.obeys = True
    bench.hold("RAISE").run(2000, velocity_cdeg_s=150)
    assert max(bench.commands) == 0
    bench.let_go().run(1000)
    bench.hold("TILT").run(5000, velocity_cdeg_s=-150)
    assert -100 <= min(bench.commands) < 0
    assert bench.angle_cdeg < 7600


# Regions.


@pytest.mark.parametrize(
    ("reading", "region"),
    [
        (101, Region.ABOVE),
        (100, Region.LEVEL),
        (-100, Region.LEVEL),
        (-101, Region.BELOW),
        (-500, Region.BELOW),
        (-501, Region.INVERTED),
    ],
)
def test_each_region_ends_where_the_words_say(reading: int, region: Region) -> None:
    bench = Bench()
    assert bench.run(10, angle_cdeg=reading).region == region


def test_beyond_a_tightened_cap_the_session_is_over() -> None:
    bench = armed(permit_with(prescribed_cdeg=-4500))
    assert bench.decision.armed is not None
    assert bench.decision.armed.cap_cdeg == ARM.cap_cdeg
    assert not bench.decision.over
    bench.glide(-4601)
    bench.run(10)
    assert bench.decision.over
