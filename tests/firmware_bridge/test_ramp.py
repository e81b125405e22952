"""The ramp bounds acceleration and jerk whatever is commanded, stops within a degree and never passes its target."""

import math
import random
from itertools import pairwise

import pytest

from firmware_bridge.ramp import ACCELERATION_CDEG_S2, DECELERATION_CDEG_S2, JERK_CDEG_S3, Ramp

TICK_MS = 10
# The last step snaps onto the target; what that may add is one step's worth of jerk.
SNAP = 1.0 + 1e-9


def follow(ramp: Ramp, target_cdeg_s: float, ticks: int) -> list[float]:
    return [ramp.step(target_cdeg_s, TICK_MS) for _ in range(ticks)]


def travelled_cdeg(velocities: list[float]) -> float:
    return sum(velocities) * TICK_MS / 1000.0


@pytest.mark.parametrize("target", [-200.0, -50.0, -1.0, 1.0, 90.0, 150.0, 200.0])
def test_it_reaches_its_target_exactly_and_stays(target: float) -> None:
    ramp = Ramp()
    velocities = follow(ramp, target, 300)
    assert velocities[-1] == target
    assert ramp.acceleration_cdeg_s2 == 0.0
    assert max(abs(v) for v in velocities) <= abs(target) + 1e-6


@pytest.mark.parametrize("speed", [-200.0, -37.0, 5.0, 150.0, 200.0])
def test_a_stop_takes_at_most_a_degree_and_ends_at_exactly_zero(speed: float) -> None:
    ramp = Ramp()
    follow(ramp, speed, 300)
    stopping = follow(ramp, 0.0, 120)
    assert stopping[-1] == 0.0
    assert all(v * speed >= 0.0 for v in stopping)
    assert abs(travelled_cdeg(stopping)) <= 100.0


def test_a_stop_from_the_middle_of_a_start_takes_at_most_a_degree() -> None:
    for ticks in range(1, 150):
        ramp = Ramp()
        follow(ramp, -200.0, ticks)
        stopping = follow(ramp, 0.0, 150)
        assert stopping[-1] == 0.0
        assert -100.0 <= travelled_cdeg(stopping) <= 0.0
        assert all(v <= 0.0 for v in stopping)


def test_a_reversal_passes_through_rest() -> None:
    ramp = Ramp()
    follow(ramp, -200.0, 300)
    velocities = follow(ramp, 200.0, 400)
    turned = next(i for i, v in enumerate(velocities) if v >= 0.0)
    assert velocities[turned] == 0.0
    assert velocities[-1] == 200.0


@pytest.mark.parametrize("seed", range(20))
def test_acceleration_and_jerk_are_bounded_under_any_commands(seed: int) -> None:
    rng = random.Random(seed)
    ramp = Ramp()
    velocities, target = [0.0], 0.0
    for _ in range(3000):
        if rng.random() < 0.05:
            target = float(rng.randint(-200, 200))
        velocities.append(ramp.step(target, TICK_MS))
    seconds = TICK_MS / 1000.0
    rates = [(b - a) / seconds for a, b in pairwise(velocities)]
    jerks = [(b - a) / seconds for a, b in pairwise(rates)]
    assert max(map(abs, rates)) <= DECELERATION_CDEG_S2 * SNAP
    assert max(map(abs, jerks)) <= 2.0 * JERK_CDEG_S3 * SNAP
    growing = [rate for rate, v in zip(rates, velocities[1:], strict=True) if rate * v > 0.0]
    # While a stop turns into a start the rate may still be falling from the firmer bound.
    assert max(map(abs, growing)) <= DECELERATION_CDEG_S2 * SNAP


def test_a_start_from_rest_keeps_to_the_gentler_bound() -> None:
    velocities = [0.0, *follow(Ramp(), -200.0, 300)]
    assert max(abs(b - a) for a, b in pairwise(velocities)) <= ACCELERATION_CDEG_S2 * TICK_MS / 1000.0 * SNAP


def test_uneven_ticks_do_not_change_where_it_ends() -> None:
    rng = random.Random(1)
    ramp = Ramp()
    elapsed = 0
    while elapsed < 3000:
        step_ms = rng.randint(0, 10)
        elapsed += step_ms
        ramp.step(-150.0, step_ms)
    assert ramp.velocity_cdeg_s == -150.0


def test_no_time_is_no_change() -> None:
    ramp = Ramp()
    follow(ramp, 100.0, 10)
    before = ramp.velocity_cdeg_s
    assert ramp.step(-200.0, 0) == before


def test_a_cut_is_zero_at_once_and_the_next_start_is_gentle_again() -> None:
    ramp = Ramp()
    follow(ramp, 200.0, 300)
    ramp.cut()
    assert ramp.velocity_cdeg_s == 0.0
    assert 0.0 < ramp.step(200.0, TICK_MS) < 1.0


@pytest.mark.parametrize("bound", [0.0, -1.0, math.nan, math.inf])
def test_a_bound_that_is_none_is_refused(bound: float) -> None:
    with pytest.raises(ValueError, match="positive finite"):
        Ramp(jerk_cdeg_s3=bound)
