"""What a person at the simulated table sees and hears: the host's lamps and sounds, and the table's own over them."""

import random
from collections.abc import Iterator

import pytest

from safety.signals import LAMP_RED, LAMP_YELLOW, Snapshot, State
from sim.hooks import SensorHooks
from sim.panel import Panel
from sim.pytest_plugin import Rig

TICK_MS = 10
LEASE_MS = 150
BURST_HZ, MOTION_HZ = 600, 440
GUARDED = [pytest.param(True, marks=pytest.mark.needs("cc"), id="with the guard"), pytest.param(False, id="without")]


def shown(panel: Panel) -> tuple[int, int]:
    assert (panel.lamps, panel.buzzer_hz) == panel.lights()
    return panel.lights()


@pytest.mark.parametrize("guard", GUARDED)
def test_in_a_usual_visit_the_panel_shows_what_the_host_says_and_nothing_else(guard: bool) -> None:
    rig = Rig(guard=guard)
    told, seen = [], []

    def look(snapshot: Snapshot) -> None:
        told.append((snapshot.signals.lamps, snapshot.signals.buzzer_hz))
        seen.append(shown(rig.table.panel))

    rig.session.loop.observers.append(look)
    assert rig.finish() is not None
    # With the guard its microcontroller puts the signals out in its next millisecond, which the next frame brings.
    assert seen[guard:] == told[: -1 if guard else None]
    assert len(set(seen)) > 20, "and that was something"
    assert {LAMP_RED, LAMP_YELLOW} <= {lamps & bit for lamps, _ in seen for bit in (LAMP_RED, LAMP_YELLOW)}, "the test"


def silence(rig: Rig, seconds: float) -> Iterator[tuple[int, tuple[int, int]]]:
    """The host is gone; yield time since then and what is shown."""
    for passed_ms in range(TICK_MS, round(1000 * seconds) + 1, TICK_MS):
        rig.table.forward_alone(TICK_MS)
        yield passed_ms, shown(rig.table.panel)


@pytest.mark.needs("cc")
def test_when_the_host_is_gone_the_guard_shows_its_alarm_and_sounds_it_and_its_return() -> None:
    rig = Rig(guard=True)
    rig.forward(until=State.HOLDING)
    rig.forward(seconds=1)
    rows = list(silence(rig, 12))
    after = [what for passed_ms, what in rows if passed_ms > LEASE_MS + TICK_MS]
    assert {lamps for lamps, _ in after} == {0, LAMP_YELLOW}
    assert {buzzer_hz for _, buzzer_hz in after} == {0, BURST_HZ, MOTION_HZ}
    first = {
        buzzer_hz: next(ms for ms, (_, heard) in rows if heard == buzzer_hz) for buzzer_hz in (BURST_HZ, MOTION_HZ)
    }
    assert first[BURST_HZ] <= LEASE_MS + 2 * TICK_MS, "it says at once that it is alone"
    assert 3000 < first[MOTION_HZ] < 3300, "and that it returns, before it does"
    assert rig.table.truth().velocity_cdeg_s > 100


def test_without_a_guard_a_gone_host_leaves_the_panel_dark() -> None:
    rig = Rig(guard=False)
    rig.forward(until=State.HOLDING)
    assert shown(rig.table.panel)[0]
    rows = list(silence(rig, 5))
    assert all(what == (0, 0) for passed_ms, what in rows if passed_ms > LEASE_MS)
    assert all(what[0] for passed_ms, what in rows if passed_ms <= LEASE_MS)


@pytest.mark.parametrize("guard", GUARDED)
def test_signals_that_are_lost_on_the_way_are_not_shown(guard: bool) -> None:
    rig = Rig(guard=guard)
    rig.expect("*")
    rig.forward(until=State.STRAPPED)
    rig.table.link.commands_lost = True
    rig.forward(seconds=1)
    assert rig.snapshot.signals.lamps
    assert shown(rig.table.panel)[0] & ~(LAMP_RED | LAMP_YELLOW) == 0


def test_a_panel_that_nobody_works_is_dark() -> None:
    rig = Rig(guard=False)
    assert shown(rig.table.panel) == (0, 0)
    panel = Panel(rig.table.clock, rig.table.plant, SensorHooks(), random.Random(1))
    assert shown(panel) == (0, 0)
