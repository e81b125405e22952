"""How long, how deep, how often: H03 at the edge of its limits, sets and rests."""

import pytest

from config.limits import Limits
from safety import timing
from safety.signals import Alarm, Cause, Demand, Region
from safety.timing import Timing
from tests.safety.table import LIMITS, arm_with, armed, tilted

SHORT = arm_with(set_limit_s=40)


def counted(was: Timing, angle_cdeg: int | None, seconds: float, rest_s: int = 60) -> Timing:
    for _ in range(round(seconds * 100)):
        was = timing.follow(was, angle_cdeg, 10, rest_s)
    return was


def test_h03_the_last_moment_of_the_set_is_allowed_and_ten_milliseconds_more_are_a_return() -> None:
    bench = tilted(-1000, SHORT)
    while bench.decision.inverted_ms < 40_000:
        bench.tick()
        if bench.t_ms % 10_000 == 0:
            bench.press("PRESENCE", 50)
    assert bench.decision.inverted_ms == 40_000
    assert bench.codes == ()
    bench.tick()
    cause = bench.cause("H03")
    assert (cause.demand, cause.alarm, cause.limit, cause.unit) == (Demand.RETURN, Alarm.LOW, 40, "s")
    assert bench.demand == Demand.RETURN
    bench.run(20_000)
    assert bench.decision.region == Region.LEVEL


@pytest.mark.parametrize(("angle", "counts"), [(-500, False), (-501, True), (-101, False), (0, False), (3000, False)])
def test_h03_counts_only_deeper_than_five_degrees(angle: int, counts: bool) -> None:
    assert (counted(Timing(), angle, 1).inverted_ms > 0) is counts


def test_h03_an_angle_that_nobody_knows_counts_as_the_last_one_known() -> None:
    assert counted(counted(Timing(), -3000, 1), None, 2).inverted_ms == 3000


def test_h03_counts_time_without_frames_too() -> None:
    bench = tilted(-1000)
    before = bench.decision.inverted_ms
    bench.silence(100)
    assert bench.decision.inverted_ms == before + 100


def test_h03_is_not_zeroed_by_coming_up_below_level_nor_by_a_short_rest() -> None:
    inverted = counted(Timing(), -3000, 5)
    assert counted(inverted, -400, 100).inverted_ms == 5000
    assert counted(inverted, 0, 59.99).inverted_ms == 5000
    broken = counted(counted(counted(inverted, 0, 40), -101, 0.01), 0, 40)
    assert broken.inverted_ms == 5000


@pytest.mark.parametrize("angle", [-100, 0, 100, 2000])
def test_h03_is_zeroed_by_sixty_seconds_at_level_or_above(angle: int) -> None:
    rested = counted(counted(Timing(), -3000, 5), angle, 60)
    assert (rested.inverted_ms, rested.deepest_cdeg, rested.sets) == (0, 0, 1)


def test_h03_a_table_with_a_longer_rest_asks_for_it() -> None:
    inverted = counted(Timing(), -3000, 5)
    assert counted(inverted, 0, 89.99, rest_s=90).inverted_ms == 5000
    assert counted(inverted, 0, 90, rest_s=90).inverted_ms == 0


def test_the_deepest_angle_of_the_set_is_kept_while_it_lasts() -> None:
    track = counted(counted(counted(Timing(), -3000, 1), -4000, 1), -2000, 1)
    assert track.deepest_cdeg == -4000


def test_a_set_is_counted_once_however_often_five_degrees_are_crossed() -> None:
    track = Timing()
    for angle in (-600, -400, -600, -50, -600):
        track = counted(track, angle, 2)
    assert track.sets == 1
    track = counted(counted(track, 0, 60), -600, 1)
    assert track.sets == 2


def test_without_arm_the_limit_of_the_table_holds() -> None:
    limits = Limits(set_limit_s=10)
    for ms, expected in ((10_000, 0), (10_010, 1)):
        now: list[Cause] = []
        timing.inverted_too_long(Timing(inverted_ms=ms), True, None, limits, now)
        assert len(now) == expected


def test_nothing_is_counted_against_somebody_who_is_not_inverted() -> None:
    now: list[Cause] = []
    timing.inverted_too_long(Timing(inverted_ms=900_000), False, None, LIMITS, now)
    timing.inverted_too_long(Timing(), True, None, LIMITS, now)
    assert now == []


def test_every_counter_ends_somewhere() -> None:
    track = Timing()
    for _ in range(100):
        track = timing.follow(track, -3000, 50_000, 60)
    assert track.inverted_ms == timing.CAP_MS


# Sets and rests, as the judge grants them.


def test_after_a_set_the_table_does_not_tilt_before_its_rest_is_over() -> None:
    bench = tilted(-1000)
    bench.press("RETURN")
    bench.run(15_000)
    assert bench.decision.region == Region.LEVEL
    rested_ms = bench.judged.timing.rest_ms
    bench.wait((59_900 - rested_ms) / 1000)
    bench.hold("TILT").put(velocity_cdeg_s=-200).run(50)
    assert bench.velocity == 0
    bench.let_go("TILT").run(100)
    bench.wait(1)
    bench.hold("TILT").run(100)
    assert bench.velocity < 0


def test_no_more_sets_than_armed_for() -> None:
    bench = tilted(-1000, arm_with(sets=1))
    bench.press("RETURN")
    bench.run(15_000)
    bench.wait(65)
    bench.hold("TILT").run(500, velocity_cdeg_s=-200)
    assert bench.velocity == 0


def test_a_set_interrupted_below_level_goes_on_as_the_same_set() -> None:
    bench = tilted(-1000, arm_with(sets=1))
    bench.press("STOP")
    bench.run(1500)
    bench.hold("TILT").run(500, velocity_cdeg_s=-200)
    assert bench.velocity < 0


@pytest.mark.parametrize(("waits_s", "ends"), [(58, False), (62, True)])
def test_disarm_needs_level_stillness_and_the_rest(waits_s: int, ends: bool) -> None:
    bench = tilted(-1000)
    bench.run(10, disarm=True)
    assert (bench.decision.armed is not None, bench.refused) == (True, ("H32",))
    bench.press("RETURN")
    bench.run(15_000)
    bench.wait(waits_s - bench.judged.timing.rest_ms / 1000)
    bench.run(10, disarm=True)
    assert (bench.decision.armed is None) is ends
    assert bench.decision.command.disarm is ends


def test_disarm_is_refused_while_it_moves_and_where_the_angle_is_unknown() -> None:
    bench = armed()
    bench.obeys = True
    bench.hold("TILT").run(600, velocity_cdeg_s=-200)
    bench.run(10, disarm=True)
    assert bench.refused == ("H32",)
    bench = armed()
    bench.run(1000, angle_a_cdeg=None, angle_b_cdeg=None)
    bench.run(10, disarm=True)
    assert bench.refused == ("H32",)
