"""Easing a hold: the session goes a little toward level and stays there (LESS). It is no return and ends nothing."""

import pytest

from safety.moving import NO_RETURN
from safety.signals import Demand, State
from tests.safety.table import Bench, arm_with, armed, tilted


def eased(bench: Bench, by_cdeg: int = 500, *buttons: str) -> Bench:
    """The session eases a hold by some centidegrees and stands there; whoever holds something goes on holding it."""
    bench.hold(*buttons)
    to = bench.angle_cdeg + by_cdeg
    bench.put(state=State.HOLDING, velocity_cdeg_s=100)
    while bench.angle_cdeg < to - 30:
        bench.tick()
        assert not bench.decision.returning
    bench.run(2000, velocity_cdeg_s=0)
    assert abs(bench.angle_cdeg - to) < 60
    return bench


def test_a_hold_is_eased_toward_level_and_stays_where_it_was_eased_to() -> None:
    bench = eased(tilted())
    here = bench.angle_cdeg
    bench.run(10_000)
    assert (bench.angle_cdeg, bench.codes, bench.decision.over) == (here, (), False)
    assert bench.judged.moving.back is NO_RETURN
    assert not bench.decision.command.plan_return
    assert not bench.decision.tone


def test_the_first_degree_of_easing_is_slow_and_the_rest_as_wished() -> None:
    bench = tilted()
    start = bench.angle_cdeg
    bench.put(velocity_cdeg_s=150)
    bench.tick()
    while bench.angle_cdeg < start + 100:
        assert bench.velocity == 50
        bench.tick()
    bench.run(200)
    assert bench.velocity == 150


def test_easing_goes_on_where_nothing_may_go_deeper() -> None:
    bench = tilted()
    bench.wait((31_000 - bench.decision.presence_ms) / 1000)
    assert (bench.demand, bench.codes) == (Demand.NO_DEEPENING, ("H24",))
    start = bench.angle_cdeg
    bench.run(3000, velocity_cdeg_s=100)
    assert bench.velocity == 100
    assert bench.angle_cdeg > start + 100


@pytest.mark.parametrize("stops", ["STOP", "two plan keys"])
def test_easing_ends_with_a_stop(stops: str) -> None:
    bench = tilted()
    bench.run(2000, velocity_cdeg_s=100)
    assert bench.velocity > 0
    if stops == "STOP":
        bench.press("STOP", 20)
    else:
        bench.hold("PLAN_UP", "PLAN_DOWN").run(20)
    assert (bench.demand, bench.velocity) == (Demand.STOP, 0)
    here = bench.run(1000).angle_cdeg
    bench.let_go().run(3000)
    assert (bench.velocity, bench.decision.angle_cdeg) == (0, here)


def test_presence_and_the_time_inverted_count_on_while_a_hold_is_eased() -> None:
    bench = tilted()
    presence_ms, inverted_ms, sets = bench.decision.presence_ms, bench.decision.inverted_ms, bench.judged.timing.sets
    before = bench.t_ms
    eased(bench, 1000)
    passed = bench.t_ms - before
    assert bench.decision.presence_ms == presence_ms + passed
    assert bench.decision.inverted_ms == inverted_ms + passed
    assert bench.judged.timing.sets == sets


def test_too_long_inverted_is_too_long_wherever_it_was_eased_to() -> None:
    bench = eased(tilted(arm=arm_with(set_limit_s=60)))
    while bench.decision.inverted_ms <= 60_000:
        bench.press("PRESENCE", 20)
        bench.run(10_000)
    assert (bench.codes, bench.demand) == (("H03",), Demand.RETURN)


@pytest.mark.parametrize("held_tilt", [True, False])
def test_what_was_eased_goes_deeper_only_by_a_fresh_press(held_tilt: bool) -> None:
    bench = armed(arm_with(held_tilt=held_tilt))
    bench.obeys = True
    bench.hold("TILT").run(10_000, velocity_cdeg_s=-200)
    bench.run(2000, velocity_cdeg_s=0)
    eased(bench, 300)
    here = bench.angle_cdeg
    bench.run(3000, velocity_cdeg_s=-200)
    assert (bench.angle_cdeg, bench.velocity) == (here, 0)
    bench.let_go().run(100)
    bench.hold("TILT").run(100)
    assert bench.velocity < 0


def test_easing_ends_at_level_whatever_is_wished() -> None:
    bench = tilted(-1000)
    bench.run(25_000, velocity_cdeg_s=200, state=State.HOLDING)
    assert -70 <= bench.angle_cdeg <= -40
    bench.run(3000)
    assert bench.velocity == 0
