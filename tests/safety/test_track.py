"""Slopes against a brute-force least squares, windows with uneven ticks and lost sensors, stillness, noise."""

import random
from collections import deque
from collections.abc import Callable, Iterable

import pytest

from safety import track
from safety.angle import BOTH, NONE, A, Angles, B
from safety.track import QUIET_CDEG, UNKNOWN, Track

Point = tuple[int, int, int]


def angles(a: int | None, b: int | None, lost: int = NONE) -> Angles:
    return Angles(a, b, lost, 0, False, a, a)


def least_squares(points: Iterable[tuple[int, float]]) -> float | None:
    """The slope in centidegrees a second, by the textbook's centred formula."""
    data = list(points)
    if len({t for t, _ in data}) < 2:
        return None
    mean_t = sum(t for t, _ in data) / len(data)
    mean_x = sum(x for _, x in data) / len(data)
    over = sum((t - mean_t) * (x - mean_x) for t, x in data)
    return 1000 * over / sum((t - mean_t) ** 2 for t, _ in data)


def agree(slope: int | None, textbook: float | None) -> bool:
    """Whether a slope is the textbook's, rounded down."""
    if slope is None or textbook is None:
        return slope is textbook
    return slope <= textbook + 1e-6 and textbook - 1 - 1e-6 < slope


def believed(point: Point, lost: int) -> float:
    _, a, b = point
    return b if lost == A else a if lost == B else (a + b) / 2


class Reference:
    """All frames of the last 500 ms, and what the textbook says of them."""

    def __init__(self) -> None:
        self.time = 0
        self.points: deque[Point] = deque()

    def add(self, elapsed_ms: int, a: int, b: int) -> None:
        self.time += elapsed_ms
        self.points.append((self.time, a, b))
        while self.points[0][0] < self.time - track.LONG_MS:
            self.points.popleft()

    def slope(self, window_ms: int, lost: int) -> float | None:
        recent = [p for p in self.points if p[0] >= self.time - window_ms]
        return least_squares((p[0], believed(p, lost)) for p in recent)

    def own(self, window_ms: int, sensor: int) -> float | None:
        recent = [p for p in self.points if p[0] >= self.time - window_ms]
        return least_squares((p[0], p[sensor]) for p in recent)

    def filled(self, window_ms: int, filled_ms: int) -> bool:
        recent = [p[0] for p in self.points if p[0] >= self.time - window_ms]
        return len(recent) >= 4 and recent[-1] - recent[0] >= filled_ms


@pytest.mark.parametrize("seed", range(4))
def test_slopes_are_the_textbooks_whatever_the_ticks_the_motion_and_the_sensors_lost(seed: int) -> None:
    chance = random.Random(seed)
    reference, now = Reference(), UNKNOWN
    angle, speed, lost, applied = 0.0, 0.0, NONE, 0
    compared = quiet = 0
    for number in range(2000):
        if chance.random() < 0.01:
            speed = chance.choice([0, 0, 0, 50, -200, 200, -600])
            applied = round(speed)
        if chance.random() < 0.004:
            lost = chance.choice([NONE, A, B])
        elapsed = chance.choice([1, 5, 10, 10, 10, 10, 23, 50, 60 if seed % 2 else 10])
        angle += speed * elapsed / 1000
        a, b = round(angle + chance.gauss(0, 3)), round(angle + chance.gauss(0, 3))
        reference.add(elapsed, a, b)
        now = track.follow(now, angles(a, b, lost), applied, elapsed)
        if now.quiet_at is not None and now.short_cdeg_s == 0 == now.long_cdeg_s:
            # The fast path: what it promises is that the angle is where the table came to rest.
            assert abs(2 * believed(reference.points[-1], lost) - now.quiet_at) <= 2 * QUIET_CDEG
            assert applied == 0
            quiet += 1
        else:
            compared += 1
            expected = reference.slope(track.LONG_MS, lost) if reference.filled(track.LONG_MS, 480) else None
            assert agree(now.long_cdeg_s, expected)
            expected = reference.slope(track.SHORT_MS, lost) if reference.filled(track.SHORT_MS, 200) else None
            assert agree(now.short_cdeg_s, expected)
        if number % 10:
            continue
        for window_ms in (track.SHORT_MS, track.DIRECTION_MS, track.LONG_MS):
            for sensor in (A, B):
                full = reference.filled(window_ms, window_ms * 4 // 5)
                expected = reference.own(window_ms, sensor) if full else None
                assert agree(track.slope_of(now, sensor, window_ms), expected)
    assert compared > 300
    assert quiet > 50


def test_the_sums_that_slide_are_those_made_anew() -> None:
    chance = random.Random(1)
    now = UNKNOWN
    slid = 0
    for number in range(1500):
        angle = round(2 * number + chance.gauss(0, 5))
        now = track.follow(now, angles(angle, angle + 7), 200, chance.choice([3, 10, 10, 30]))
        time = now.samples[-1][0]
        assert now.long == track.total(now.samples)
        assert now.short == track.total([s for s in now.samples if s[0] >= time - track.SHORT_MS])
        assert now.samples[0][0] >= time - track.LONG_MS
        slid += now.long[0] > 2
    assert slid > 1400


def moved(now: Track, cdeg_s: int, ticks: int, start: float = 0.0, applied: int = 200) -> tuple[Track, float]:
    for _ in range(ticks):
        start += cdeg_s / 100
        now = track.follow(now, angles(round(start), round(start)), applied, 10)
    return now, start


@pytest.mark.parametrize("ticks", [21, 49])
@pytest.mark.parametrize("paused", [False, True])
def test_a_window_speaks_when_it_is_filled_and_not_before(ticks: int, paused: bool) -> None:
    # 250 ms to four fifths, 500 ms but for two frames; what was before a pause does not fill it.
    now, start = moved(UNKNOWN, 100, 60) if paused else (UNKNOWN, 0.0)
    if paused:
        start += 500
        now = track.follow(now, angles(round(start), round(start)), 200, 510)
    now, start = moved(now, 100, ticks - 1 - paused, start)
    assert (now.short_cdeg_s, now.long_cdeg_s) == (None if ticks == 21 else 100, None)
    now, _ = moved(now, 100, 1, start)
    assert (now.short_cdeg_s, now.long_cdeg_s) == (100, None if ticks == 21 else 100)


@pytest.mark.parametrize("pause_ms", range(210, 500, 40))
def test_after_a_pause_noise_is_no_speed(pause_ms: int) -> None:
    chance = random.Random(pause_ms)
    for _ in range(20):
        now = UNKNOWN
        for tick in range(120):
            a, b = round(chance.gauss(0, 5)), round(chance.gauss(0, 5))
            now = track.follow(now, angles(a, b), 200, pause_ms if tick == 60 else 10)
            assert abs(now.short_cdeg_s or 0) < 70
            for window_ms in (track.SHORT_MS, track.DIRECTION_MS, track.LONG_MS):
                assert min(abs(track.slope_of(now, sensor, window_ms) or 0) for sensor in (A, B)) < 70


@pytest.mark.parametrize(("speed", "still"), [(19, True), (-19, True), (20, False), (-20, False), (0, True)])
def test_still_is_slower_than_a_fifth_of_a_degree_a_second(speed: int, still: bool) -> None:
    samples = tuple((1000 * i, 0, 0, 2 * speed * i, 0) for i in range(11))
    assert track.slope(track.total(samples)) == speed
    judged = track.judged(UNKNOWN, samples, NONE, track.total(samples), track.total(samples), 0, 10)
    assert (judged.still_ms > 0) is still


@pytest.mark.parametrize(("applied", "still"), [(0, True), (1, False), (-1, False), (None, False)])
def test_still_needs_a_set_point_of_zero_that_is_known(applied: int | None, still: bool) -> None:
    now = UNKNOWN
    for _ in range(100):
        now = track.follow(now, angles(0, 0), applied, 10)
    assert (now.still_ms > 0) is still


def test_still_counts_from_the_half_second_that_it_took_to_see_it() -> None:
    now = UNKNOWN
    seen = []
    for _ in range(60):
        now = track.follow(now, angles(0, 0), 0, 10)
        seen.append(now.still_ms)
    assert seen[47:50] == [0, 500, 510]


def test_still_saturates() -> None:
    now = UNKNOWN
    for tick in range(250):
        now = track.follow(now, angles(0, 0), 0, 10 if tick < 60 else 500)
    assert now.still_ms == track.LONGEST_MS


def test_a_table_that_creeps_is_still_for_the_slope_and_followed_all_the_same() -> None:
    now, angle = UNKNOWN, 0.0
    for _ in range(1000):
        angle += 0.1
        now = track.follow(now, angles(round(angle), round(angle)), 0, 10)
    assert now.still_ms > 5000
    assert now.quiet_at is not None
    assert abs(now.quiet_at - 2 * angle) <= 2 * QUIET_CDEG


def test_leaving_the_quiet_band_brings_the_slopes_back_with_all_they_knew() -> None:
    now, angle = moved(UNKNOWN, 0, 300, applied=0)
    assert now.still_ms > 0
    for _ in range(60):
        now, angle = moved(now, 100, 1, angle, 0)
    assert now.still_ms == 0
    assert now.long_cdeg_s == 100


@pytest.mark.parametrize("sensor", [A, B])
def test_when_a_sensor_is_lost_the_other_ones_past_counts(sensor: int) -> None:
    now = UNKNOWN
    for tick in range(60):
        good, bad = 2 * tick, -5 * tick
        a, b = (bad, good) if sensor == A else (good, bad)
        now = track.follow(now, angles(a, b), 200, 10)
    assert now.long_cdeg_s == -150
    left = angles(None, 120, A) if sensor == A else angles(120, None, B)
    now = track.follow(now, left, 200, 10)
    assert now.long_cdeg_s == 200


def test_samples_without_the_sensor_that_is_believed_keep_what_they_said() -> None:
    assert track.believed((0, None, 7, 14, 0), B) == 14
    assert track.believed((0, 7, None, 14, 0), A) == 14
    assert track.believed((0, None, 7, 14, 0), NONE) == 14
    assert track.believed((0, 3, 7, 99, 0), NONE) == 10
    assert (track.believed((0, 3, 7, 99, 0), A), track.believed((0, 3, 7, 99, 0), B)) == (14, 6)


def test_with_both_lost_but_readable_it_is_still_known_whether_the_table_is_still() -> None:
    now = UNKNOWN
    for _ in range(60):
        now = track.follow(now, angles(-3000, -3000, BOTH), 0, 10)
    assert now.still_ms > 0
    assert track.follow(now, angles(None, -3000, BOTH), 0, 10) == UNKNOWN
    assert track.follow(now, angles(-3000, None, BOTH), 0, 10) == UNKNOWN


@pytest.mark.parametrize("tick_ms", [1, 5, 10, 50])
def test_however_quick_the_ticks_nothing_of_the_last_half_second_is_forgotten(tick_ms: int) -> None:
    reference, now = Reference(), UNKNOWN
    for _ in range(3000 // tick_ms):
        reference.add(tick_ms, 0, 0)
        now = track.follow(now, angles(0, 0), 0, tick_ms)
    assert now.still_ms > 0
    reference.add(tick_ms, 100, 100)
    now = track.follow(now, angles(100, 100), 0, tick_ms)
    assert now.long_cdeg_s is not None
    assert agree(now.long_cdeg_s, reference.slope(track.LONG_MS, NONE))
    assert agree(now.short_cdeg_s, reference.slope(track.SHORT_MS, NONE))


def test_its_clock_starts_over_and_nobody_notices() -> None:
    here, there = UNKNOWN, UNKNOWN
    here = track.follow(here, angles(0, 0), 0, 10)
    there = track.follow(there, angles(0, 0), 0, 10)
    here = track.follow(here, angles(0, 0), 0, track.REBASE_MS - 300)
    there = track.follow(there, angles(0, 0), 0, 600)
    for tick in range(200):
        angle = round(tick * 1.37)
        applied = 100 if tick < 100 else 0
        here = track.follow(here, angles(angle, angle), applied, 10)
        there = track.follow(there, angles(angle, angle), applied, 10)
        assert (here.short_cdeg_s, here.long_cdeg_s) == (there.short_cdeg_s, there.long_cdeg_s)
        assert track.fastest_applied(here) == track.fastest_applied(there)
        assert track.slope_of(here, A, 300) == track.slope_of(there, A, 300)


def test_its_clock_starts_over_while_quiet_too() -> None:
    now = UNKNOWN
    for _ in range(100):
        now = track.follow(now, angles(0, 0), 0, 10)
    for _ in range(50):
        before = now.still_ms
        now = track.follow(now, angles(0, 0), 0, 50_000)
        assert now.still_ms >= before or now.still_ms == 0
    for _ in range(100):
        now = track.follow(now, angles(0, 0), 0, 10)
    assert now.still_ms > 0


@pytest.mark.parametrize("applied", [150, -150])
def test_the_fastest_set_point_of_the_last_half_second(applied: int) -> None:
    now = track.follow(UNKNOWN, angles(0, 0), applied, 10)
    for ms in range(10, 520, 10):
        assert track.fastest_applied(now) == (150 if ms <= 510 else 0)
        now = track.follow(now, angles(0, 0), 0, 10)
    assert track.fastest_applied(now) == 0
    assert track.fastest_applied(UNKNOWN) == 0


@pytest.mark.parametrize("speed", [0, 100, -200])
def test_noise_at_the_edge_of_what_is_allowed_trips_no_window(noise: Callable[[], int], speed: int) -> None:
    now, angle = UNKNOWN, 0.0
    for number in range(6000):
        angle += speed / 100
        at = round(angle)
        now = track.follow(now, angles(at + noise(), at + noise()), speed, 10)
        if number > 60:
            assert now.short_cdeg_s is not None
            assert now.long_cdeg_s is not None
            # H13 allows 70, H12 and H11 50, stillness 20.
            assert abs(now.short_cdeg_s - speed) < 50
            assert abs(now.long_cdeg_s - speed) < 20
            assert (now.still_ms > 0) is (speed == 0)


def test_a_slope_of_one_moment_is_none() -> None:
    assert track.slope(track.total([(5, 0, 0, 10, 0), (5, 0, 0, 20, 0)])) is None
    assert track.slope_of(UNKNOWN, A, 300) is None
    assert track.slope_of(track.follow(UNKNOWN, angles(0, 0), 0, 10), A, 300) is None
