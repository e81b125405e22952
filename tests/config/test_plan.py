"""A plan: its figures, its hash, and the time below −5° that it is held to."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from config.errors import ConfigurationError
from config.limits import Limits
from config.loading import check_plan, load_plan
from config.plan import (
    ACCELERATION_CDEG_S2,
    BRAKE_RELEASE_S,
    JERK_CDEG_S3,
    REACTION_S,
    Plan,
    Staged,
    _from_rest_s,
    _ramped_s,
)
from controller.motion_profile import MotionProfile
from tests.config.writing import GONE, PLAN, changed

STEP_S = 0.02


def plan(**changes: Any) -> Plan:
    return Plan.model_validate(changed(PLAN, {key.replace("__", "."): value for key, value in changes.items()}))


def ramp(speed: float, acceleration: float) -> Iterator[float]:
    """The velocities of a jerk-limited start from rest to `speed`, a step apart; backwards it is a stop."""
    peak = min(acceleration, math.sqrt(speed * JERK_CDEG_S3))
    rise = peak / JERK_CDEG_S3
    even = max(0.0, speed / peak - rise)
    now = 0.0
    while now < 2 * rise + even:
        if now < rise:
            yield JERK_CDEG_S3 * now**2 / 2
        elif now < rise + even:
            yield peak * (now - rise / 2)
        else:
            yield speed - JERK_CDEG_S3 * (2 * rise + even - now) ** 2 / 2
        now += STEP_S


def move(way: float, speed: float, deceleration: float) -> list[float]:
    """The positions of a move from rest to rest, a step apart, as fast as the bounds allow."""
    low, high = 0.0, speed
    for _ in range(40):
        middle = (low + high) / 2
        ways = sum(ramp(middle, ACCELERATION_CDEG_S2)) + sum(ramp(middle, deceleration))
        low, high = (middle, high) if ways * STEP_S <= way else (low, middle)
    up, down = list(ramp(low, ACCELERATION_CDEG_S2)), list(ramp(low, deceleration))[::-1]
    even = way - (sum(up) + sum(down)) * STEP_S
    velocities = [*up, *[low] * math.ceil(even / low / STEP_S), *down]
    position, positions = 0.0, []
    for velocity in velocities:
        position = min(way, position + velocity * STEP_S)
        positions.append(position)
    return positions


def travelled(way: float, speed: float, limits: Limits) -> list[float]:
    """A move with its brake released at the latest moment and its first degree proven, a step apart."""
    still = [0.0] * math.ceil(BRAKE_RELEASE_S / STEP_S)
    first = min(100.0, way)
    slow = move(first, min(speed, limits.first_degree_cdeg_s), limits.deceleration_cdeg_s2)
    rest = move(way - first, speed, limits.deceleration_cdeg_s2) if way > first else []
    return [*still, *slow, *(first + one for one in rest)]


def inverted_s(plan: Plan, limits: Limits) -> float:
    """The time below −5° of one set, walked step by step as a table and a slow supervisor would."""
    speed = min(plan.speed_cdeg_s, limits.speed_cdeg_s)
    angles: list[float] = []
    depth = 0.0
    for stage in plan.stages_cdeg:
        angles += [depth + one for one in travelled(-stage - depth, speed, limits)]
        depth = -stage
        if plan.staged is not None and stage != plan.angle_cdeg:
            angles += [depth] * round((plan.staged.wait_s + REACTION_S + limits.tone_ms / 1000) / STEP_S)
    angles += [depth] * round((plan.hold_s + limits.tone_ms / 1000) / STEP_S)
    angles += [depth - one for one in travelled(depth, speed, limits)]
    return sum(angle > 500 for angle in angles) * STEP_S


@pytest.mark.parametrize("name", ["first-visit", "standard", "three-sets", "short"])
def test_a_shipped_plan_is_promised_no_less_than_its_motion_takes_and_little_more(name: str) -> None:
    limits = Limits()
    shipped = load_plan(name, limits)
    walked = inverted_s(shipped, limits)
    assert walked <= shipped.planned_inverted_s(limits) <= walked + 15


@settings(max_examples=30)
@given(
    angle=st.integers(-6000, -500),
    speed=st.integers(10, 200),
    staged=st.none() | st.tuples(st.integers(100, 3000), st.integers(5, 60)),
    deceleration=st.integers(20, 1000),
    first=st.integers(10, 50),
    tone=st.integers(500, 3000),
)
@example(angle=-510, speed=200, staged=(500, 5), deceleration=60, first=50, tone=1000)
@example(angle=-501, speed=10, staged=(100, 5), deceleration=20, first=10, tone=500)
def test_no_motion_within_the_limits_takes_longer_than_the_plan_promises(
    angle: int, speed: int, staged: tuple[int, int] | None, deceleration: int, first: int, tone: int
) -> None:
    limits = Limits(deceleration_cdeg_s2=deceleration, first_degree_cdeg_s=first, tone_ms=tone)
    stages = None if staged is None else Staged.model_validate({"step_deg": staged[0] / 100, "wait_s": staged[1]})
    # Copied, so that nothing refuses it: the reckoning must be right for plans that are refused, too.
    some = plan().model_copy(update={"angle_cdeg": angle, "speed_cdeg_s": speed, "hold_s": 1, "staged": stages})
    assert inverted_s(some, limits) <= some.planned_inverted_s(limits)


@pytest.mark.parametrize("way", [1, 5, 20, 50, 100, 200, 400, 498, 499, 500, 1000, 4000])
@pytest.mark.parametrize("speed", [10, 50, 90, 200])
@pytest.mark.parametrize("deceleration", [20, 60, 200, 1000])
def test_a_single_move_takes_no_longer_than_reckoned_however_short(way: int, speed: int, deceleration: int) -> None:
    walked = len(move(way, speed, deceleration)) * STEP_S
    # Each of the three parts of a walked move is rounded up to a step.
    assert walked <= _ramped_s(way, speed, deceleration) + 3 * STEP_S


@pytest.mark.parametrize(("step", "counts"), [(3.99, False), (4.0, True), (5.0, True), (5.01, True)])
def test_a_stage_as_near_five_degrees_as_the_sensors_tell_counts_its_wait(step: float, counts: bool) -> None:
    limits = Limits()
    short, long = (plan(angle_deg=-7.5, staged={"step_deg": step, "wait_s": wait}) for wait in (5, 105))
    assert long.planned_inverted_s(limits) - short.planned_inverted_s(limits) == (100 if counts else 0)


def test_the_set_is_ended_ten_seconds_after_the_planned_time() -> None:
    limits = Limits()
    assert plan().set_limit_s(limits) == plan().planned_inverted_s(limits) + 10


def test_a_plan_beyond_the_ceiling_is_refused_with_its_number() -> None:
    staged = {"step_deg": 10.0, "wait_s": 30}
    with pytest.raises(ValueError, match=r"one set needs (\d+) s below -5°") as caught:
        plan(angle_deg=-60.0, hold_s=300, staged=staged)
    told = int(str(caught.value).split("one set needs ")[1].split()[0])
    shorter = plan(angle_deg=-60.0, hold_s=200, staged=staged)
    assert told == shorter.set_limit_s(Limits()) + 100
    assert told > 540
    assert "540 s below -5°, the ceiling" in str(caught.value)


def test_the_longest_hold_that_the_ceiling_allows_is_taken_and_one_second_more_is_not() -> None:
    staged = {"step_deg": 10.0, "wait_s": 30}
    spare = 540 - plan(angle_deg=-60.0, hold_s=200, staged=staged).set_limit_s(Limits())
    longest = plan(angle_deg=-60.0, hold_s=200 + spare, staged=staged)
    assert longest.set_limit_s(Limits()) == 540
    with pytest.raises(ValueError, match="one set needs 541 s"):
        plan(angle_deg=-60.0, hold_s=201 + spare, staged=staged)


def test_a_plan_is_no_slower_than_the_first_degree_of_a_tilt() -> None:
    assert plan(speed_deg_s=0.5).speed_cdeg_s == Limits().first_degree_cdeg_s
    with pytest.raises(ValueError, match="below the lowest allowed"):
        plan(speed_deg_s=0.49)


@pytest.mark.parametrize("speed", [50, 125, 200])
@pytest.mark.parametrize("deceleration", [20, 60, 200, 1000])
@pytest.mark.parametrize("way", [50, 100, 101, 250, 1000, 6000])
def test_the_controllers_own_motion_keeps_to_the_reckoning(way: int, speed: int, deceleration: int) -> None:
    limits = Limits(deceleration_cdeg_s2=deceleration)
    motion = MotionProfile(deceleration, limits.first_degree_cdeg_s)
    angle, walked_ms = 0.0, 0
    while velocity := motion.toward(-way, round(angle), speed, 10):
        angle += velocity * 0.01
        walked_ms += 10
        assert walked_ms < 1_000_000
    assert walked_ms / 1000 + BRAKE_RELEASE_S <= _from_rest_s(way, speed, limits) - 1


@pytest.mark.parametrize(
    ("limits", "key", "value", "bound"),
    [
        (Limits(cap_cdeg=-1999), "angle_deg", "-20", "-19.99 ° or less deep, this table's limit"),
        (Limits(speed_cdeg_s=199), "speed_deg_s", "2", "up to 1.99 °/s, this table's limit"),
        (Limits(hold_limit_s=59), "hold_s", "60", "up to 59 s, this table's limit"),
        (Limits(sets_limit=1), "sets", "2", "up to 1, this table's limit"),
        (Limits(hold_a_day_s=119), "hold_s", "60", "up to 119 s a day, this table's limit"),
        (Limits(rest_s=121), "rest_s", "120", "121 s or more, this table's limit"),
        (Limits(set_limit_s=101), "hold_s", "60", "up to 101 s below -5°, this table's limit"),
    ],
)
def test_a_table_may_allow_less(limits: Limits, key: str, value: str, bound: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_plan(plan(sets=2), limits, "evening.toml")
    (problem,) = caught.value.problems
    assert (problem.file, problem.key, problem.value, problem.bound) == ("evening.toml", key, value, bound)


def test_a_plan_exactly_at_a_tables_limits_is_allowed() -> None:
    limits = Limits(
        cap_cdeg=-2000, hold_limit_s=60, sets_limit=2, hold_a_day_s=120, rest_s=120, set_limit_s=102, speed_cdeg_s=200
    )
    assert plan(sets=2).set_limit_s(limits) == 102
    check_plan(plan(sets=2), limits)


def test_everything_that_a_table_does_not_allow_is_told_at_once() -> None:
    limits = Limits(cap_cdeg=-1000, speed_cdeg_s=100, hold_limit_s=30, rest_s=300)
    with pytest.raises(ConfigurationError) as caught:
        load_plan("first-visit", limits)
    assert [problem.key for problem in caught.value.problems] == ["angle_deg", "speed_deg_s", "hold_s", "rest_s"]


@pytest.mark.parametrize(
    ("step", "stages"),
    [
        (10.0, (-1000, -2000, -3000, -4000, -4500)),
        (15.0, (-1500, -3000, -4500)),
        (30.0, (-3000, -4500)),
        (22.5, (-2250, -4500)),
        (22.0, (-2200, -4400, -4500)),
        (22.01, (-2201, -4500)),
    ],
)
def test_a_staged_descent_stops_at_each_step_and_ends_at_the_angle(step: float, stages: tuple[int, ...]) -> None:
    staged = plan(angle_deg=-45.0, staged={"step_deg": step, "wait_s": 5})
    assert staged.stages_cdeg == stages


def test_a_descent_without_stages_goes_there_at_once() -> None:
    assert plan(angle_deg=-45.0).stages_cdeg == (-4500,)
    assert plan(angle_deg=-20.0, staged={"step_deg": 30.0, "wait_s": 5}).stages_cdeg == (-2000,)


def test_stages_make_a_set_longer_by_their_waits() -> None:
    limits = Limits()
    one_move = plan(angle_deg=-40.0).planned_inverted_s(limits)
    staged = plan(angle_deg=-40.0, staged={"step_deg": 20.0, "wait_s": 60}).planned_inverted_s(limits)
    assert 65 <= staged - one_move <= 80


def test_a_stage_above_five_degrees_does_not_count_its_wait() -> None:
    limits = Limits()
    short, long = (plan(angle_deg=-5.5, staged={"step_deg": 3.5, "wait_s": wait}) for wait in (5, 100))
    assert short.planned_inverted_s(limits) == long.planned_inverted_s(limits)
    assert long.planned_s > short.planned_s + 90


def test_the_visit_is_estimated_whole() -> None:
    assert 280 <= load_plan("first-visit").planned_s <= 300
    one, three = (load_plan("three-sets").model_copy(update={"sets": sets}).planned_s for sets in (1, 3))
    assert three - 60 == pytest.approx(3 * (one - 60), abs=3)


def test_tilt_may_be_held_for_the_travel_and_a_minute() -> None:
    slow, fast = plan(speed_deg_s=0.5), plan(speed_deg_s=2.0)
    assert 60_000 + 40_000 < slow.travel_limit_ms < 60_000 + 50_000
    assert 60_000 + 10_000 < fast.travel_limit_ms < 60_000 + 20_000
    waiting = plan(staged={"step_deg": 20.0, "wait_s": 300})
    assert waiting.travel_limit_ms == fast.travel_limit_ms


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"title": "Other"},
        {"sets": 2},
        {"angle_deg": -20.01},
        {"hold_s": 61},
        {"rest_s": 121},
        {"speed_deg_s": 1.99},
        {"staged": {"step_deg": 10.0, "wait_s": 30}},
    ],
)
def test_the_hash_changes_with_anything(change: dict[str, Any]) -> None:
    assert plan(**change).hash != plan().hash


def test_the_hash_is_the_same_for_the_same_plan_however_written() -> None:
    backwards = dict(reversed(changed(PLAN, {"angle_deg": -20, "speed_deg_s": 2}).items()))
    assert Plan.model_validate(backwards).hash == plan().hash == "43326b909357b962"


def test_a_plan_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        plan().hold_s = 300  # type: ignore[misc]


@pytest.mark.parametrize("key", ["format", "name", "title", "sets", "angle_deg", "hold_s", "rest_s", "speed_deg_s"])
def test_no_key_but_staged_may_be_left_out(key: str) -> None:
    with pytest.raises(ValueError, match="Field required"):
        plan(**{key: GONE})
