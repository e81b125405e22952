"""The panel's lamps beside those of the alarms: what is waited for, straps, the patient's own, the lamp test."""

from itertools import pairwise

import pytest

from controller import alarm_patterns as patterns
from safety.signals import (
    ALL_LAMPS,
    LAMP_ARMED,
    LAMP_BREATHE,
    LAMP_CONFIRM,
    LAMP_PLAN,
    LAMP_PRESENCE,
    LAMP_RED,
    LAMP_RETURN,
    LAMP_STRAP_LEFT,
    LAMP_STRAP_RIGHT,
    LAMP_TILT,
    LAMP_YELLOW,
    STOP,
    TILT,
    Alarm,
    Contacts,
    Demand,
    Guide,
    Region,
    State,
)
from tests.controller.alarm_bench import ARM, H04, H22, UNEVEN_MS, Bench, cause, near

TICK_MS = max(UNEVEN_MS)


# Lamps that guide.


@pytest.mark.parametrize(
    ("guide", "lamps"),
    [
        (Guide.TILT, LAMP_TILT),
        (Guide.TILT_AGAIN, LAMP_TILT),
        (Guide.CONFIRM_STRAPS, LAMP_CONFIRM),
        (Guide.READ_BACK, LAMP_CONFIRM),
        (Guide.CHOOSE_PLAN, LAMP_CONFIRM | LAMP_PLAN),
        (Guide.OPEN_STRAPS, LAMP_STRAP_LEFT | LAMP_STRAP_RIGHT),
    ],
)
def test_what_the_panel_waits_for_flashes_slowly(guide: Guide, lamps: int) -> None:
    bench = Bench()
    bench.run(300)
    bench.wishes(guide=guide)
    since_ms = bench.t_ms
    bench.run(10_000)
    flashes = bench.lit(lamps, since_ms)
    assert flashes[0].pitch_hz == lamps, "all of them together"
    assert flashes[0].begin_ms - since_ms <= TICK_MS
    rate_hz = 1000 * (len(flashes) - 1) / (flashes[-1].begin_ms - flashes[0].begin_ms)
    assert 0.8 < rate_hz < 1.4, "at no alarm's rate"


@pytest.mark.parametrize(
    ("region", "lamp"), [(Region.ABOVE, LAMP_TILT), (Region.BELOW, LAMP_RETURN), (Region.INVERTED, LAMP_RETURN)]
)
def test_the_way_to_level_is_shown_by_the_button_that_leads_there(region: Region, lamp: int) -> None:
    bench = Bench()
    bench.wishes(guide=Guide.LEVEL)
    bench.causes(region=region)
    bench.tick()
    assert bench.now().lamps & (LAMP_TILT | LAMP_RETURN) == lamp


def test_the_button_that_brings_the_table_to_level_stays_lit_to_the_end_of_the_way() -> None:
    bench = Bench()
    bench.wishes(guide=Guide.LEVEL)
    bench.read(buttons=TILT)
    for region in (Region.ABOVE, Region.LEVEL):
        bench.causes(region=region)
        since_ms = bench.t_ms
        bench.run(2_000)
        assert all(signals.lamps & LAMP_TILT for t_ms, signals in bench.ticks if t_ms > since_ms), region


def test_a_button_that_was_waited_for_and_is_held_is_steady() -> None:
    bench = Bench()
    bench.wishes(guide=Guide.TILT)
    bench.run(100)
    bench.read(buttons=TILT)
    since_ms = bench.t_ms
    bench.run(3_000)
    assert all(signals.lamps & LAMP_TILT for t_ms, signals in bench.ticks if t_ms > since_ms)


def test_a_button_to_let_go_of_flashes() -> None:
    bench = Bench()
    bench.wishes(guide=Guide.RELEASE)
    bench.read(buttons=TILT | STOP)
    bench.run(3_000)
    assert len(bench.lit(LAMP_TILT)) == 3
    bench.read(buttons=STOP)
    bench.run(600)
    assert not bench.now().lamps & LAMP_TILT


def test_presence_flashes_when_it_is_due() -> None:
    bench = Bench()
    bench.causes(prompts=("H24",))
    bench.run(3_000)
    assert len(bench.lit(LAMP_PRESENCE)) == 3
    assert not bench.heard()


def test_stopped_below_level_return_flashes_and_during_a_return_it_is_lit() -> None:
    bench = Bench()
    bench.causes(cause("STOP", Demand.STOP, Alarm.LOW), region=Region.INVERTED)
    bench.run(2_000)
    assert len(bench.lit(LAMP_RETURN)) == 2
    bench.causes(H22, region=Region.INVERTED, returning=True)
    since_ms = bench.t_ms
    bench.run(2_000)
    assert all(signals.lamps & LAMP_RETURN for t_ms, signals in bench.ticks if t_ms > since_ms)


def test_armed_is_lit_while_armed() -> None:
    bench = Bench()
    bench.causes(armed=ARM)
    bench.tick()
    assert bench.now().lamps & LAMP_ARMED
    bench.causes(armed=None)
    bench.tick()
    assert not bench.now().lamps & LAMP_ARMED


def test_strap_lamps_tell_closed_needed_and_doubted() -> None:
    bench = Bench()
    bench.run(2_000)
    both = LAMP_STRAP_LEFT | LAMP_STRAP_RIGHT
    assert all(signals.lamps & both == both for _, signals in bench.ticks)
    bench.read(strap_left=Contacts.OPEN)
    bench.tick()
    since_ms = bench.t_ms
    bench.run(2_000)
    assert not bench.lit(LAMP_STRAP_LEFT, since_ms), "nobody needs it closed"
    bench.wishes(guide=Guide.CLOSE_STRAPS)
    since_ms = bench.t_ms
    bench.run(6_000)
    slow = bench.lit(LAMP_STRAP_LEFT, since_ms)
    bench.read(strap_left=Contacts.DISCREPANT)
    since_ms = bench.t_ms
    bench.run(6_000)
    fast = bench.lit(LAMP_STRAP_LEFT, since_ms)
    assert len(fast) > 3 * len(slow) > 0
    assert bench.now().lamps & LAMP_STRAP_RIGHT


def test_a_closed_strap_that_nobody_trusts_flashes_fast() -> None:
    bench = Bench()
    bench.causes(cause("H06", Demand.NO_DEEPENING, Alarm.MEDIUM, where="right"))
    bench.run(3_000)
    assert len(bench.lit(LAMP_STRAP_RIGHT)) >= 9
    assert all(signals.lamps & LAMP_STRAP_LEFT for _, signals in bench.ticks)


def test_the_patients_lamp_breathes_six_times_a_minute() -> None:
    bench = Bench()
    bench.wishes(state=State.TILTING)
    bench.run(15_000)
    bench.wishes(state=State.HOLDING)
    bench.run(30_000)
    bench.wishes(state=State.RETURNING)
    bench.run(15_000)
    breaths = bench.lit(LAMP_BREATHE)
    assert len(breaths) == 6
    assert breaths[0].begin_ms == UNEVEN_MS[0], "in first"
    assert all(near(breath.length_ms, 4_000) for breath in breaths)
    assert all(near(after.begin_ms - this.begin_ms, 10_000) for this, after in pairwise(breaths))


@pytest.mark.parametrize("state", [State.IDLE, State.STRAPPED, State.RESTING, State.STOPPED, State.EMERGENCY_RETURN])
def test_the_patients_lamp_is_dark_otherwise(state: State) -> None:
    bench = Bench()
    bench.wishes(state=state)
    bench.run(11_000)
    assert not any(signals.lamps & LAMP_BREATHE for _, signals in bench.ticks)


# The lamp test.


def test_the_lamp_test_lights_every_lamp_and_sounds_every_pitch() -> None:
    bench = Bench()
    bench.run(100)
    bench.wishes(guide=Guide.LAMP_TEST)
    since_ms = bench.t_ms
    bench.run(3_000)
    assert all(signals.lamps == ALL_LAMPS for t_ms, signals in bench.ticks if t_ms > since_ms)
    heard = bench.heard()
    assert [pulse.pitch_hz for pulse in heard] == list(patterns.TEST_PITCHES_HZ)
    assert all(near(pulse.length_ms, 400) for pulse in heard)
    bench.wishes(guide=Guide.NOTHING)
    bench.tick()
    assert bench.now().lamps != ALL_LAMPS and not bench.now().buzzer_hz


def test_no_lamp_test_hides_an_alarm() -> None:
    bench = Bench()
    bench.wishes(guide=Guide.LAMP_TEST)
    bench.run(500)
    bench.causes(H04)
    bench.tick()
    assert bench.now().alarm is Alarm.HIGH and bench.now().buzzer_hz == patterns.HIGH.pitch_hz
    bench.run(1_000)
    assert len(bench.lit(LAMP_RED)) >= 2
    assert not bench.now().lamps & LAMP_YELLOW
