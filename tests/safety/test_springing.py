"""What blocked the table is elastic: springing back is neither a fall nor a reversal, and a real fall still is one."""

import pytest

from config.limits import Limits
from safety import springing
from safety.angle import BOTH, NONE, A, Angles, B
from safety.signals import Demand
from safety.springing import SLACK, Spring
from tests.safety.table import LIMITS, RUNNING, Bench, at_depth, driven, tilted

PRESSED = {"current_ma": 12_000, "brake_set": False, "drive_power": True}
LET_GO = {"applied_cdeg_s": 0, "current_ma": 0, "brake_set": True, "drive_power": False}


def blocked(applied: int = -200, limits: Limits = LIMITS) -> Bench:
    """Pressed against something at −30°, stopped, standing, and the brake is set."""
    bench = tilted(-3000, limits=limits, obeys=False)
    driven(bench, applied, 0, 300, **PRESSED)
    assert bench.codes == ("H14" if applied < 0 else "H15",)
    driven(bench, applied // 4, 0, 500, **PRESSED)
    bench.run(600, **{**PRESSED, "applied_cdeg_s": 0})
    return bench


def springs(bench: Bench, by_cdeg: int, in_ms: int = 80) -> None:
    """The drive lets go, and the table goes so far in so short a time."""
    bench.turn(by_cdeg * 1000 // in_ms, in_ms, **LET_GO)


@pytest.mark.parametrize(("by_cdeg", "told"), [(40, False), (80, False), (120, False), (160, True), (200, True)])
def test_after_a_block_a_degree_and_the_gap_of_the_gear_spring_back(by_cdeg: int, told: bool) -> None:
    bench = blocked()
    springs(bench, by_cdeg)
    bench.run(500)
    assert ("H13" in bench.codes) is told


@pytest.mark.parametrize("by_cdeg", [-40, -80])
def test_what_goes_further_into_the_block_has_not_sprung(by_cdeg: int) -> None:
    bench = blocked()
    springs(bench, by_cdeg)
    assert "H13" in bench.codes


def test_the_same_without_a_block_is_a_fall() -> None:
    bench = at_depth()
    bench.run(2000)
    springs(bench, 80)
    assert bench.cause("H13").demand == Demand.HOLD


def test_a_fall_after_a_block_is_one_as_soon_as_it_is_further_than_anything_springs() -> None:
    bench = blocked()
    start, speed = bench.angle_cdeg, 0.0
    bench.put(**LET_GO)
    while "H13" not in bench.codes:
        speed += 50.0
        bench.run(10, angle_cdeg=bench.angle_cdeg + speed / 100)
        assert bench.angle_cdeg - start < 170


def test_eight_seconds_after_the_block_nothing_springs_any_more() -> None:
    for wait_ms, told in ((6000, False), (7200, True)):
        bench = blocked()
        bench.run(wait_ms)
        springs(bench, 80)
        assert ("H13" in bench.codes) is told


def test_after_reset_nothing_springs() -> None:
    bench = tilted(-1000)
    bench.obeys = False
    bench.glide(0).run(1000)
    driven(bench, -200, 0, 300, **PRESSED)
    assert "H14" in bench.codes
    bench.run(1500, **LET_GO)
    bench.hold("ACK").run(2100)
    assert bench.codes == ()
    assert bench.judged.drive.spring == SLACK


def test_h14_is_followed_by_its_back_off_though_the_table_springs_back() -> None:
    bench = blocked()
    springs(bench, 40)
    bench.obeys = True
    bench.commands.clear()
    bench.run(8000)
    assert (bench.codes, bench.demand) == (("H14",), Demand.STOP)
    assert max(bench.commands) == 50
    assert bench.angle_cdeg >= -3000 + 180


def test_h15_is_followed_by_its_relief_though_the_current_is_at_first_that_of_pressing() -> None:
    bench = blocked(200)
    bench.obeys = False
    bench.run(1000)
    assert bench.velocity == 0, "never below the deepest of the set"
    bench = tilted(-3000)
    bench.obeys = False
    bench.glide(-2500).run(1000)
    driven(bench, 200, 0, 300, **PRESSED)
    bench.run(1300, **{**PRESSED, "applied_cdeg_s": 0})
    assert (bench.codes, bench.velocity) == (("H15",), -50)
    # It lets go of what it pressed against within the first half second.
    driven(bench, -50, 0, 450, **PRESSED)
    assert (bench.codes, bench.velocity) == (("H15",), -50)
    driven(bench, -50, -50, 1000, **RUNNING)
    assert bench.codes == ("H15",)


def test_a_relief_that_is_blocked_itself_is_found_half_a_second_later() -> None:
    bench = tilted(-3000)
    bench.obeys = False
    bench.glide(-2500).run(1000)
    driven(bench, 200, 0, 300, **PRESSED)
    bench.run(1300, **{**PRESSED, "applied_cdeg_s": 0})
    driven(bench, -50, 0, 640, **PRESSED)
    assert "H14" not in bench.codes
    driven(bench, -50, 0, 10, **PRESSED)
    assert "H14" in bench.codes


# H10 does not name a sensor for what is blocked.


@pytest.mark.parametrize("sensor", ["angle_a_cdeg", "angle_b_cdeg"])
@pytest.mark.parametrize("applied", [-200, 200])
def test_h10_in_the_ramp_down_after_a_block_no_sensor_is_accused(applied: int, sensor: str) -> None:
    bench = at_depth()
    driven(bench, applied, applied, 2000)
    driven(bench, applied, 0, 300, **PRESSED)
    # The ramp to zero, while it springs back; one sensor's noise is on the wrong side of a quarter of the way.
    for tick in range(100):
        here = bench.angle_cdeg + (12 if applied > 0 else -12) * tick // 40
        bench.run(
            10, applied_cdeg_s=applied * (100 - tick) // 100, angle_a_cdeg=here, angle_b_cdeg=here, current_ma=500
        )
        bench.run(10, **{sensor: here - (6 if applied > 0 else -6)})
        assert not {"H10", "H08"} & set(bench.codes), tick


@pytest.mark.parametrize(("current_ma", "accused"), [(7190, True), (7200, False)])
def test_h10_while_it_presses_no_sensor_is_accused(current_ma: int, accused: bool) -> None:
    bench = at_depth()
    bench.put(applied_cdeg_s=100, **{**RUNNING, "current_ma": current_ma})
    for tick in range(1, 131):
        bench.put(angle_cdeg=-3000 + tick // 3, angle_a_cdeg=-3000 + tick // 5).tick()
    assert ("H10" in bench.codes) is accused


def test_h10_a_sensor_frozen_while_the_drive_presses_is_apart_from_the_other_soon() -> None:
    bench = at_depth()
    bench.put(applied_cdeg_s=100, **{**RUNNING, "current_ma": 8000})
    for tick in range(1, 231):
        bench.put(angle_cdeg=-3000 + tick, angle_a_cdeg=-3000).tick()
    assert "H08" in bench.codes


# The rule itself.


@pytest.mark.parametrize(
    ("a", "b", "lost", "explained"),
    [
        (-10, -10, NONE, True),
        (-130, -130, NONE, True),
        (-9, -10, NONE, False),
        (-10, -9, NONE, False),
        (-131, -130, NONE, False),
        (-130, -131, NONE, False),
        (0, -50, A, True),
        (-50, 0, B, True),
        (0, -50, B, False),
        (-50, 0, A, False),
        (0, 0, BOTH, True),
    ],
)
def test_what_springs_back(a: int, b: int, lost: int, explained: bool) -> None:
    for sign in (1, -1):
        spring = springing.pressed(sign, Angles(0, 0))
        assert springing.explains(spring, Angles(sign * a, sign * b, lost), LIMITS) is explained
        assert not springing.explains(SLACK, Angles(sign * a, sign * b, lost), LIMITS)


def test_it_is_measured_from_the_furthest_point_and_for_eight_seconds() -> None:
    spring = springing.pressed(1, Angles(100, 90))
    assert spring == Spring(1, 8000, 100, 90)
    spring = springing.follow(spring, Angles(120, 80), 10)
    assert spring == Spring(1, 7990, 120, 90)
    assert springing.follow(spring, Angles(None, 95), 10) == Spring(1, 7980, None, 95)
    assert springing.follow(spring, Angles(0, 0), 7980).sign == 1
    assert springing.follow(spring, Angles(0, 0), 7990) == SLACK
    assert not springing.explains(Spring(1, 10, None, 90), Angles(50, 50), LIMITS)
    assert not springing.explains(Spring(1, 10, 90, 90), Angles(50, None), LIMITS)
