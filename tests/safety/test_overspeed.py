"""H13 a: what falls or runs away is found within 100 ms, and neither a sensor that steps nor noise is."""

import random
from collections.abc import Callable
from itertools import count

import pytest

from config.limits import Limits
from safety import track as tracking
from safety.angle import NONE, A, Angles
from safety.overspeed import LEAST_SPREAD_MS2, lately, ran, runaway, speed_of
from safety.signals import Alarm, Demand
from safety.track import Sample, Track
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


TICKS: dict[str, tuple[Callable[[random.Random], int], int]] = {
    "every 10 ms": (lambda _: 10, 80),
    "every 20 ms": (lambda _: 20, 100),
    "every 10 ms, more or less": (lambda chance: chance.choice([5, 10, 10, 10, 15, 20]), 90),
    "every 20 ms, more or less": (lambda chance: chance.randint(10, 30), 100),
    # Neither is late yet, but with fewer frames noise takes longer to tell from a fall.
    "every 50 ms": (lambda _: 50, 150),
    "now and then one is nearly late": (lambda chance: chance.choice([10] * 8 + [40, 50]), 150),
}


@pytest.mark.parametrize("ticks", TICKS)
@pytest.mark.parametrize(("applied", "cdeg_s2"), [(0, 5000), (200, 5000), (-200, 20_000)])
def test_h13_a_fall_is_found_however_the_frames_come(ticks: str, applied: int, cdeg_s2: int) -> None:
    next_ms, within_ms = TICKS[ticks]
    for seed in range(15):
        chance = random.Random(seed)
        now, angle, speed, t_ms, crossed_ms, found = tracking.UNKNOWN, -3000.0, float(applied), 0, 0, False
        while not found and t_ms < 2000:
            elapsed_ms = next_ms(chance)
            for _ in range(elapsed_ms):
                t_ms += 1
                speed += (cdeg_s2 if applied >= 0 else -cdeg_s2) / 1000 * (t_ms > 600)
                angle += speed / 1000
                crossed_ms = crossed_ms or (t_ms if abs(speed) >= 400 else 0)
            a, b = (round(angle + chance.gauss(0, 5)) for _ in range(2))
            now = tracking.follow(now, Angles(a, b, NONE, 0, False, (a + b) // 2, a), applied, elapsed_ms)
            found = runaway(at_depth().readings, BELIEVED, now) is not None
            assert not found or crossed_ms, f"seed {seed}: a false trip at {t_ms} ms"
        assert found and t_ms - crossed_ms <= within_ms, (seed, t_ms - crossed_ms)


def frames(*words: int, every_ms: int = 10) -> tuple[Sample, ...]:
    """Sensor A reads these words, one a frame; B stands still."""
    return tuple((number * every_ms, word, 0, word, 0) for number, word in enumerate(words))


@pytest.mark.parametrize("spike", [80, 110, 140, -140])
@pytest.mark.parametrize("speed", [200, -200])
@pytest.mark.parametrize("long", [1, 2, 3])
def test_h13_a_word_that_jumps_out_and_back_again_is_no_fall(spike: int, speed: int, long: int) -> None:
    words = [number * speed // 100 + (spike if 30 <= number < 30 + long else 0) for number in range(60)]
    for end in range(11, 60):
        track = Track(frames(*words[:end]))
        assert runaway(at_depth().readings, BELIEVED, track) is None, end


def test_h13_what_went_in_steps_has_run_when_enough_is_left_without_the_largest() -> None:
    # 6°/s over 60 ms are 36 cdeg.
    assert ran(frames(0, 50, 60, 70, 86), A, 600, 600)
    assert not ran(frames(0, 50, 60, 70, 85), A, 600, 600)
    assert ran(frames(0, -50, -60, -70, -86), A, -600, 600)
    assert not ran(frames(0, -50, -60, -70, -86), A, 600, 600), "it goes the other way"
    # A step back takes nothing off, but what it lost is lost.
    assert not ran(frames(0, 80, 20, 25, 71), A, 600, 600)


def test_h13_the_window_is_100_ms_and_reaches_back_to_150_only_for_four_samples() -> None:
    assert len(lately(frames(*range(40)))) == 11
    assert len(lately(frames(*range(40), every_ms=1))) == 40
    assert len(lately(frames(*range(40), every_ms=50))) == 4
    assert len(lately(frames(*range(40), every_ms=51))) == 3
    assert lately(()) == ()


def test_h13_samples_that_are_too_few_or_too_close_together_tell_no_speed() -> None:
    # After a gap there are eight frames before a speed is told: their times' squares from the mean are 4,200 ms².
    for number in (4, 7, 8, 9):
        assert (speed_of(frames(*range(number)), A) is not None) is (number >= 8)
    assert speed_of(frames(0, 50, 100, every_ms=50), A) is None
    assert speed_of(frames(0, 50, 100, 150, every_ms=50), A) == 1000
    # Evenly four: 5 · every².
    near = next(every for every in count(1) if 5 * every * every >= LEAST_SPREAD_MS2)
    assert speed_of(frames(0, 9, 18, 27, every_ms=near), A) is not None
    assert speed_of(frames(0, 9, 18, 27, every_ms=near - 1), A) is None


def test_h13_after_a_pause_a_few_frames_tell_noise() -> None:
    assert runaway(at_depth().readings, BELIEVED, Track()) is None
    # Six frames in a bunch after a gap: a hundredth of a degree of noise in 1 ms is 10°/s.
    bunch = tuple((number, -3000 - number, -3000 - number, -6000 - 2 * number, 0) for number in range(6))
    assert runaway(at_depth().readings, BELIEVED, Track(bunch)) is None
    fall = going(-900, -900, 400)
    assert "H13" in fall.codes
    for pause_ms in (150, 300, 1000):
        for seed in range(30):
            chance = random.Random(seed)
            now = tracking.UNKNOWN
            for tick in range(80):
                a, b = (round(2 * tick + chance.gauss(0, 5)) for _ in range(2))
                elapsed_ms = pause_ms if tick == 40 else 10
                now = tracking.follow(now, Angles(a, b, NONE, 0, False, (a + b) // 2, a), 200, elapsed_ms)
                assert runaway(at_depth().readings, BELIEVED, now) is None


@pytest.mark.parametrize("pause_ms", [160, 300, 1000])
def test_h13_a_fall_that_began_in_a_pause_is_found_within_100_ms_of_its_end(pause_ms: int) -> None:
    bench = tilted(-3000, limits=LOOSE, obeys=False)
    driven(bench, -200, -200, 500)
    bench.tick(pause_ms)
    start_ms = bench.t_ms
    bench._speed = -600
    while "H13" not in bench.codes and bench.t_ms - start_ms < 1000:
        bench.tick()
    assert bench.t_ms - start_ms <= 100


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
