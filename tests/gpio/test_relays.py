"""The drive of two relays: one speed, never both contacts, and a pause between one way and the other."""

from collections.abc import Callable

import pytest

from safety.signals import Demand, State
from sim.body import Person
from sim.gpio_power import PowerStage
from tests.gpio.conftest import RigFactory
from tests.gpio.driven import Driven, driven
from tests.gpio.profiles import DEAD_TIME_MS, RELAY_CDEG_S, two_relays
from tests.sessions.runs import BRIEF

Edge = tuple[int, bool, bool]


class Log:
    """Every change of the two coils, with its millisecond."""

    def __init__(self, power: PowerStage, now_ms: Callable[[], int]) -> None:
        assert power.pair is not None
        self.edges: list[Edge] = [(now_ms(), False, False)]
        down, up = power.pair

        def look() -> None:
            edge = (now_ms(), down.coil, up.coil)
            if edge[1:] != self.edges[-1][1:]:
                self.edges.append(edge)

        power.changed = look

    @property
    def changes_of_way_ms(self) -> list[int]:
        """How long both were off each time before the other way was switched on."""
        pauses, off_ms, last = [], 0, (False, False)
        for at_ms, down, up in self.edges:
            if down or up:
                if last not in ((False, False), (down, up)):
                    pauses.append(at_ms - off_ms)
                last = (down, up)
            else:
                off_ms = at_ms
        return pauses


def relays(dead_time_ms: int = DEAD_TIME_MS) -> tuple[Driven, Log]:
    table = driven(profile=two_relays(dead_time_ms))
    return table, Log(table.table.power, table.table.clock.now_ms)


def test_a_set_point_is_followed_at_the_one_speed_there_is() -> None:
    table, _ = relays()
    for asked in (-50, -200):
        rows = table.go(asked, 4.0)
        assert rows[-1].readings.applied_cdeg_s == -RELAY_CDEG_S
        assert rows[-1].speed_deg_s == pytest.approx(-RELAY_CDEG_S / 100, abs=0.1)
    table.close()


@pytest.mark.parametrize("dead_time_ms", [50, pytest.param(100, marks=pytest.mark.nightly), 400])
def test_the_way_is_never_changed_without_the_dead_time(dead_time_ms: int) -> None:
    table, log = relays(dead_time_ms)
    for index in range(8):
        # At every moment of the ramp, once as a reversal, once through a CUT.
        table.go(-200, 1.2 + 0.03 * index)
        if index % 2:
            table.go(0, 0.02, Demand.CUT)
        table.go(200, 1.0 + 0.07 * index)
    pauses = log.changes_of_way_ms
    assert len(pauses) >= 12
    assert min(pauses) >= dead_time_ms
    assert not any(down and up for _, down, up in log.edges)
    assert table.table.power.both_ms == 0
    table.close()


def test_whatever_comes_between_a_cut_the_relays_are_off_at_once() -> None:
    table, log = relays()
    table.go(-200, 2.0)
    assert log.edges[-1][1:] == (True, False)
    at_ms = table.table.clock.ms
    table.go(-200, 0.02, Demand.CUT)
    assert log.edges[-1][1:] == (False, False)
    assert log.edges[-1][0] <= at_ms + 2
    table.close()


def test_a_relay_that_is_stuck_closed_is_stopped_by_brake_and_enable() -> None:
    table, _ = relays()
    table.go(-200, 2.0)
    assert table.table.power.pair is not None
    table.table.power.pair[0].stuck = True
    rows = table.go(0, 3.0, Demand.CUT)
    assert rows[-1].readings.brake_set and not rows[-1].readings.drive_power
    assert rows[-1].speed_deg_s == 0.0
    assert rows[0].angle_deg - rows[-1].angle_deg <= 1.0
    table.close()


@pytest.mark.parametrize("offset_cm", [15.0, pytest.param(-15.0, marks=pytest.mark.nightly)])
def test_a_whole_session_runs_on_relays(on_pins: RigFactory, offset_cm: float) -> None:
    rig = on_pins(BRIEF, two_relays(), person=Person(100.0, 175.0, offset_cm))
    log = Log(rig.table.power, rig.table.clock.now_ms)
    rig.forward(until=State.HOLDING)
    rig.forward(until=State.RESTING)
    assert rig.causes_ever == {}
    assert rig.angle_deg == pytest.approx(-0.5, abs=0.5)
    assert -12.5 <= min(row.true_angle_cdeg or 0 for row in rig.rows) / 100 <= -11.5
    assert rig.table.power.both_ms == 0
    assert len(log.edges) >= 4


def test_the_dead_time_counts_from_letting_go_also_after_a_pause_in_which_nobody_did() -> None:
    # A hung program leaves the relay pulled; it lets go when the program is back, and the pause is none of the time.
    table, log = relays(dead_time_ms=400)
    table.go(-200, 2.0)
    table.table.forward_alone(1000)
    table.go(200, 3.0)
    ways = [edge[1:] for edge in log.edges]
    assert ways[-1] == (False, True)
    assert min(log.changes_of_way_ms) >= 400
    table.close()


def test_hung_relays_stay_pulled_and_the_safety_relay_stops_the_table() -> None:
    table, log = relays()
    table.go(-200, 2.0)
    before_deg = table.angle_deg
    table.table.forward_alone(2000)
    assert log.edges[-1][1:] == (True, False)
    assert table.table.safety.dropped
    assert before_deg - table.angle_deg <= 0.3
    assert table.speed_deg_s == 0.0
    table.close()
