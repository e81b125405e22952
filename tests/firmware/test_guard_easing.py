"""Easing a hold under the guard: a little toward level, and staying there (LESS). It is no return and ends nothing."""

import pytest

from safety.signals import PLAN_DOWN, PLAN_UP, STOP, TILT, Demand, GuardState
from tests.firmware.bench import Bench

pytestmark = pytest.mark.needs("cc")


def eased(b: Bench, by_cdeg: int = 500) -> Bench:
    """The host eases a hold by some centidegrees, and stands there."""
    to = b.angle + by_cdeg
    b.until(lambda bench: bench.angle >= to - 60, host_velocity=100)
    assert not b.out.returning
    b.run(3, host_velocity=0)
    assert abs(b.angle - to) < 80, b.told
    return b


def test_a_hold_is_eased_toward_level_and_stays_where_it_was_eased_to() -> None:
    b = eased(Bench().at(-3000))
    here = b.angle
    b.run(20)
    assert (b.angle, b.applied, b.causes, b.state) == (here, 0, set(), GuardState.ARMED)
    assert not b.out.tone


def test_easing_goes_on_where_the_host_lets_nothing_go_deeper() -> None:
    b = Bench().at(-3000).run(3, host_demand=Demand.NO_DEEPENING, host_velocity=100)
    assert b.applied == 100 and not b.out.returning


@pytest.mark.parametrize("keys", [STOP, PLAN_UP | PLAN_DOWN])
def test_easing_ends_with_a_stop(keys: int) -> None:
    b = Bench().at(-3000).run(2, host_velocity=100)
    assert b.applied > 0
    b.run(2, buttons=keys)
    here = b.angle
    b.run(5, buttons=0)
    assert (b.demand, b.applied, b.angle) == (Demand.STOP, 0, here)


def test_the_time_inverted_counts_on_while_a_hold_is_eased() -> None:
    b = Bench().at(-3000, set_limit_s=60)
    before_s, before_ms = b.out.inverted_s, b.t_ms
    eased(b, 1000)
    assert abs(b.out.inverted_s - before_s - (b.t_ms - before_ms) / 1000) <= 1
    b.until(lambda bench: "H03" in bench.causes, 60)
    assert b.out.inverted_s == 60 and b.demand is Demand.RETURN


@pytest.mark.parametrize("held_tilt", [True, False])
def test_what_was_eased_goes_deeper_only_by_a_fresh_press(held_tilt: bool) -> None:
    b = Bench().armed(held_tilt=held_tilt).run(5.2)
    b.run(10, buttons=TILT, host_velocity=-200).run(2.5, host_velocity=0)
    assert b.angle < -1000
    eased(b, 300)
    here = b.angle
    b.run(3, host_velocity=-200)
    assert (b.angle, b.applied) == (here, 0)
    b.run(0.1, buttons=0).run(1.5, buttons=TILT)
    assert b.applied < 0


def test_easing_ends_at_level_whatever_is_wished() -> None:
    b = Bench().at(-1000).run(30, host_velocity=200)
    assert b.level() and -80 <= b.angle <= -40
