"""H13 a: what falls or runs away is found within 100 ms, and neither a sensor that steps nor noise is."""

from collections.abc import Callable

import pytest

from config.limits import Limits
from safety.overspeed import runaway
from safety.signals import Alarm, Demand
from safety.track import Track
from tests.safety.table import BELIEVED, RUNNING, Bench, at_depth, driven, tilted

# So much backlash that the other rung (b) does not speak here.
LOOSE = Limits(backlash_cdeg=200)


def going(a_cdeg_s: int, b_cdeg_s: int, ms: int = 400, tick_ms: int = 10) -> Bench:
    """Driven down at full speed, and then each sensor goes as fast as it is told."""
    bench = tilted(-3000, limits=LOOSE, obeys=False)
    driven(bench, -200, -200, 500)
    a = b = float(bench.angle_cdeg)
    for _ in range(ms // tick_ms):
        a += a_cdeg_s * tick_ms / 1000
        b += b_cdeg_s * tick_ms / 1000
        bench.put(angle_a_cdeg=round(a), angle_b_cdeg=round(b))
        bench.tick(tick_ms)
    return bench


@pytest.mark.parametrize(
    ("a", "b", "trips"),
    [
        (-390, -390, False),
        (-405, -405, True),
        (-520, -290, False),
        (-520, -305, True),
        (405, 405, True),
        (-405, 405, False),
    ],
)
def test_h13_four_degrees_a_second_by_both_is_a_runaway(a: int, b: int, trips: bool) -> None:
    bench = going(a, b, 200)
    assert ("H13" in bench.codes) is trips
    if trips:
        cause = bench.cause("H13")
        assert (cause.demand, cause.alarm, cause.limit, cause.unit) == (Demand.CUT, Alarm.HIGH, 400, "cdeg/s")


@pytest.mark.parametrize(("speed", "trips"), [(-590, False), (-610, True)])
@pytest.mark.parametrize("first", [True, False])
def test_h13_six_degrees_a_second_are_believed_of_either(speed: int, trips: bool, first: bool) -> None:
    bench = going(speed if first else -190, -190 if first else speed, 200)
    assert ("H13" in bench.codes) is trips
    if trips:
        assert bench.cause("H13").limit == 600


@pytest.mark.parametrize("step", [-140, -60, 60, 140])
@pytest.mark.parametrize("sensors", [("angle_a_cdeg",), ("angle_a_cdeg", "angle_b_cdeg")])
def test_h13_a_step_is_no_fall(step: int, sensors: tuple[str, ...]) -> None:
    bench = tilted(-3000, limits=LOOSE, obeys=False)
    bench.run(500)
    for _ in range(30):
        bench.run(10, **dict.fromkeys(sensors, -3000 + step))
        assert "H13" not in bench.codes


@pytest.mark.parametrize("lost", ["angle_a_cdeg", "angle_b_cdeg"])
def test_h13_the_only_sensor_left_speaks_for_both(lost: str) -> None:
    bench = tilted(-3000, limits=LOOSE, obeys=False)
    bench.run(600, **{lost: None})
    other = "angle_b_cdeg" if lost == "angle_a_cdeg" else "angle_a_cdeg"
    for tick in range(15):
        bench.run(10, **{other: -3000 - round(4.1 * tick)})
    assert "H13" in bench.codes


@pytest.mark.parametrize("acceleration_cdeg_s2", [5000, 10_000, 20_000])
@pytest.mark.parametrize("applied", [0, -200, 200])
def test_h13_a_runaway_is_found_within_100_ms_of_its_true_crossing(acceleration_cdeg_s2: int, applied: int) -> None:
    bench = tilted(-3000, limits=LOOSE, obeys=False)
    driven(bench, applied, applied, 500)
    speed, angle, crossed_ms = float(abs(applied)), float(bench.angle_cdeg), None
    way = 1 if applied > 0 else -1
    while "H13" not in bench.codes:
        speed += acceleration_cdeg_s2 * 0.01
        angle += way * speed * 0.01
        if crossed_ms is None and speed >= 400:
            crossed_ms = bench.t_ms
        bench.run(10, angle_cdeg=angle)
    assert crossed_ms is not None
    assert bench.t_ms - crossed_ms <= 90


def test_h13_a_few_frames_tell_noise() -> None:
    assert "H13" not in going(-410, -410, 200, tick_ms=50).codes
    assert runaway(at_depth().readings, BELIEVED, Track()) is None
    # Six frames in a bunch after a gap: a hundredth of a degree of noise in 1 ms is 10°/s.
    bunch = tuple((number, -3000 - number, -3000 - number, -6000 - 2 * number, 0) for number in range(6))
    assert runaway(at_depth().readings, BELIEVED, Track(bunch)) is None


def test_h13_at_rest_with_brake_set_and_drive_off_it_is_caught_before_it_is_cut() -> None:
    bench = at_depth()
    bench.run(1000)
    bench.turn(-650, 150)
    assert (bench.cause("H13").demand, bench.demand) == (Demand.HOLD, Demand.HOLD)


def test_h13_full_speed_with_all_the_noise_that_is_allowed_is_no_runaway(noise: Callable[[], int]) -> None:
    bench = at_depth(-4400)
    bench.put(applied_cdeg_s=200, **RUNNING)
    angle = -4400.0
    for _ in range(2000):
        angle += 2.0
        bench.put(angle_a_cdeg=round(angle) + noise(), angle_b_cdeg=round(angle) + noise())
        bench.tick()
        assert not bench.codes, bench.t_ms
