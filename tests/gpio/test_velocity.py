"""How well the velocity loop drives a motor that knows nothing but a duty, over all that the table may carry."""

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from firmware_bridge.gpio_drive import Phase
from firmware_bridge.gpio_news import PinNews
from safety.signals import Command, Demand
from tests.gpio.driven import Driven, Row, applied_deg, driven

LOADS = [(mass_kg, offset_cm) for mass_kg in (40.0, 75.0, 135.0) for offset_cm in (-15.0, 0.0, 15.0)]
# H13 judges a velocity over 250 ms; shorter than that it is a knock, not a speed.
KNOCK_TICKS = 25


ENDS = {(40.0, 0.0), (75.0, -15.0), (135.0, -15.0), (135.0, 15.0)}


@pytest.fixture(
    params=[load if load in ENDS else pytest.param(load, marks=pytest.mark.nightly) for load in LOADS],
    ids=lambda load: f"{load[0]:.0f}kg{load[1]:+.0f}cm",
)
def table(request: pytest.FixtureRequest) -> Iterator[Driven]:
    mass_kg, offset_cm = request.param
    made = driven(mass_kg, offset_cm, seed=round(mass_kg))
    yield made
    made.close()


@dataclass
class Counted:
    """What a bridge counts."""

    samples: int = 0
    overruns: int = 0


def fastest_deg_s(rows: list[Row]) -> float:
    """The greatest speed over any 250 ms."""
    return max(
        abs(late.angle_deg - early.angle_deg) / (0.001 * (late.t_ms - early.t_ms))
        for early, late in zip(rows, rows[KNOCK_TICKS:], strict=False)
    )


def errors_deg_s(rows: list[Row], set_deg_s: float) -> list[float]:
    return [row.speed_deg_s - set_deg_s for row in rows]


def test_any_load_is_tilted_stopped_held_and_brought_back_as_it_was_set(table: Driven) -> None:
    # The first degree, from rest, through whatever gap there is in the gear.
    first = table.go(-50, 3.5)
    assert fastest_deg_s(first) <= 0.65
    assert 1.0 <= -table.angle_deg <= 1.8
    # It never gave way before it went.
    assert max(row.angle_deg for row in first) <= 0.1

    # Steady at full speed.
    table.go(-200, 3.0)
    steady = table.go(-200, 4.0)
    error = errors_deg_s(steady, -2.0)
    assert max(map(abs, error)) <= 0.2
    assert statistics.pstdev(error) <= 0.08
    assert abs(statistics.fmean(error)) <= 0.03
    assert table.angle_deg - steady[0].angle_deg == pytest.approx(applied_deg(steady[1:]), abs=0.05)

    # Stopped within a degree, held by the loop alone at first, then by the brake.
    before_deg = table.angle_deg
    stopped = table.rest(4.0)
    assert 0.3 <= before_deg - table.angle_deg <= 1.0
    held = [row for row in stopped if row.phase in (Phase.STILLING, Phase.SETTING)]
    assert max(row.angle_deg for row in held) - min(row.angle_deg for row in held) <= 0.05
    assert stopped[-1].readings.brake_set and not stopped[-1].readings.drive_power
    standing = table.rest(2.0)
    assert max(row.angle_deg for row in standing) - min(row.angle_deg for row in standing) <= 0.01

    # And back, the load now the other way round at the motor.
    deepest_deg = table.angle_deg
    back = table.go(50, 1.5)
    assert deepest_deg - min(row.angle_deg for row in back) <= 0.1
    back += table.go(200, 4.0)
    assert fastest_deg_s(back) <= 2.3
    assert statistics.pstdev(errors_deg_s(back[-150:], 2.0)) <= 0.08


def test_the_teeth_of_a_balanced_table_do_not_meet_with_a_blow() -> None:
    # Nothing leans on either flank: the drive crosses the whole gap before the table follows.
    table = driven(75.0, 0.0, seed=3)
    rows = table.go(-50, 2.0)
    assert rows[60].angle_deg == pytest.approx(0.0, abs=0.01)
    assert max(abs(row.speed_deg_s) for row in rows) <= 1.0
    assert fastest_deg_s(rows) <= 0.65
    table.close()


def test_hold_keeps_the_loop_at_work_beside_the_brake_and_nothing_moves() -> None:
    table = driven(135.0, 15.0, start_deg=-20.0)
    table.go(100, 2.0)
    rows = table.go(0, 6.0, Demand.HOLD)
    assert rows[-1].readings.brake_set and rows[-1].readings.drive_power
    standing = rows[-200:]
    assert max(row.angle_deg for row in standing) - min(row.angle_deg for row in standing) <= 0.02
    table.close()


def test_a_cut_stands_within_a_degree_even_where_the_load_pulls() -> None:
    table = driven(135.0, 15.0)
    table.go(-50, 3.0)
    table.go(-200, 3.0)
    before_deg = table.angle_deg
    rows = table.run(1.0, Command(demand=Demand.CUT))
    assert before_deg - table.angle_deg <= 0.3
    assert rows[1].readings.brake_set
    assert not rows[-1].readings.drive_power
    assert rows[-1].duty == 0.0
    table.close()


@pytest.mark.parametrize("late_ms", [6, 15])
def test_a_computer_that_is_late_again_and_again_drives_on_and_counts_it(late_ms: int) -> None:
    # As a screen that is drawn every 50 ms, in the program that drives the table.
    table = driven(135.0, -15.0)
    bridge = table.table.bridge
    assert bridge.overruns == 0

    def go(cdeg_s: int, times: int) -> list[Row]:
        rows: list[Row] = []
        for _ in range(times):
            rows += table.go(cdeg_s, 0.05)
            table.table.forward_alone(late_ms)
        return rows

    go(-50, 60)
    go(-200, 40)
    error = errors_deg_s(go(-200, 60), -2.0)
    assert bridge.overruns == pytest.approx(160 * (late_ms // 2 - 1), rel=0.05)
    assert abs(statistics.fmean(error)) <= 0.1
    assert max(map(abs, error)) <= 0.4
    table.close()


def test_people_are_told_of_a_computer_that_is_too_busy_and_of_no_other() -> None:
    counted = Counted()
    news = PinNews(counted)
    counted.samples, counted.overruns = 29_000, 1_400
    assert news.take() == []
    counted.samples, counted.overruns = 60_000, 1_400 + 10_000
    (told,) = news.take()
    assert told.startswith("this computer was too busy for 24 % of the samples of the pins")
    assert news.take() == []


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(20))
def test_no_noise_makes_it_ripple(seed: int) -> None:
    table = driven(75.0 + 3.0 * seed, 15.0 * math.sin(seed), seed=100 + seed)
    table.go(-50, 3.5)
    table.go(-200, 3.0)
    error = errors_deg_s(table.go(-200, 15.0), -2.0)
    assert max(map(abs, error)) <= 0.25
    assert statistics.pstdev(error) <= 0.08
    table.close()
