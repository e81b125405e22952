"""The motion profile: gentle starts and ends, no overshoot, the first degree slow."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from controller.motion_profile import ACCELERATION_CDEG_S2, JERK_CDEG_S3, MotionProfile

TICK_MS = 10


def travel(start_cdeg: int, target_cdeg: int, speed_cdeg_s: int) -> list[tuple[float, float, float]]:
    """Follow the profile on a table that does just what it is told: (angle, velocity, acceleration) a tick."""
    profile = MotionProfile(60, 50)
    angle = float(start_cdeg)
    seen = []
    for _ in range(200_000):
        velocity = profile.toward(target_cdeg, round(angle), speed_cdeg_s, TICK_MS)
        seen.append((angle, profile.velocity, profile.acceleration))
        if velocity == 0 and len(seen) > 100:
            return seen
        angle += profile.velocity * TICK_MS / 1000
    raise AssertionError(f"{target_cdeg} was never reached, the last angle is {angle}")


@given(st.integers(-6000, -30), st.integers(10, 200))
def test_a_tilt_ends_within_a_tenth_of_a_degree_and_never_beyond(target_cdeg: int, speed_cdeg_s: int) -> None:
    path = travel(0, target_cdeg, speed_cdeg_s)
    assert abs(path[-1][0] - target_cdeg) <= 11
    assert min(angle for angle, _, _ in path) >= target_cdeg


@given(st.integers(-6000, -300), st.integers(10, 200))
def test_speed_acceleration_and_jerk_are_bounded(target_cdeg: int, speed_cdeg_s: int) -> None:
    path = travel(0, target_cdeg, speed_cdeg_s)
    tick_s = TICK_MS / 1000
    assert max(abs(velocity) for _, velocity, _ in path) <= speed_cdeg_s
    assert max(abs(acceleration) for _, _, acceleration in path) <= ACCELERATION_CDEG_S2
    # The last tick at a goal sets the acceleration to zero: what is left of it is one tick's worth of velocity.
    jerks = [abs(b[2] - a[2]) / tick_s for a, b in pairwise(path)]
    steps = [abs(b[1] - a[1]) / tick_s for a, b in pairwise(path[:-1])]
    assert max(steps) <= ACCELERATION_CDEG_S2
    assert sorted(jerks)[-len(jerks) // 10] <= JERK_CDEG_S3 + 1e-6


@given(st.integers(-6000, -300))
def test_the_first_degree_goes_no_faster_than_half_a_degree_a_second(target_cdeg: int) -> None:
    path = travel(0, target_cdeg, 200)
    assert max(abs(velocity) for angle, velocity, _ in path if angle > -99) <= 50


def test_at_the_target_there_is_nothing_to_wish() -> None:
    profile = MotionProfile(60, 50)
    assert profile.toward(-2000, -1995, 200, TICK_MS) == 0
    assert profile.toward(-2000, -2005, 200, TICK_MS) == 0


def test_after_a_rest_the_next_motion_starts_from_nothing() -> None:
    profile = MotionProfile(60, 50)
    for _ in range(100):
        profile.toward(-3000, -1000, 200, TICK_MS)
    assert profile.rest() == 0
    assert abs(profile.toward(-3000, -1500, 200, TICK_MS)) <= 1
