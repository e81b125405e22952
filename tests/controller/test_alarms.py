"""What the panel shows and sounds, in virtual time at uneven ticks: rates, bursts, pauses, escalation, lamps."""

import random
from itertools import pairwise

import msgspec
import pytest

from controller import alarm_patterns as patterns
from controller.alarm_state import INITIAL
from controller.alarms import ACK_MS, ESCALATE_MS, PAUSE_MS, Alarms, step
from safety.signals import (
    ACK,
    LAMP_ACK,
    LAMP_CYAN,
    LAMP_RED,
    LAMP_YELLOW,
    RETURN,
    STOP,
    TILT,
    Alarm,
    Cause,
    Command,
    Contacts,
    Decision,
    Demand,
    Guide,
    Readings,
    Region,
    State,
    Wish,
)
from tests.controller.alarm_bench import ARM, H04, H08, H15, H21, H22, H26, H27, UNEVEN_MS, Bench, Span, cause, near

TICK_MS = max(UNEVEN_MS)
ALARM_LAMPS = LAMP_RED | LAMP_YELLOW | LAMP_CYAN


# Lamps.


@pytest.mark.parametrize(
    ("one", "lamp", "low_hz", "high_hz"), [(H04, LAMP_RED, 1.4, 2.8), (H21, LAMP_YELLOW, 0.4, 0.8)]
)
@pytest.mark.parametrize("ticks_ms", [UNEVEN_MS, (10,), (25,), (7, 19)])
def test_an_alarm_lamp_flashes_at_the_standards_rate(
    one: Cause, lamp: int, low_hz: float, high_hz: float, ticks_ms: tuple[int, ...]
) -> None:
    bench = Bench(ticks_ms)
    bench.causes(one)
    bench.run(30_000)
    flashes = bench.lit(lamp)
    assert flashes[0].begin_ms == ticks_ms[0], "it is lit in the tick in which the alarm comes"
    for this, after in pairwise(flashes):
        round_ms = after.begin_ms - this.begin_ms
        assert low_hz <= 1000 / round_ms <= high_hz
        assert 20 <= 100 * this.length_ms / round_ms <= 60
    rounds = len(flashes) - 1
    assert low_hz <= 1000 * rounds / (flashes[-1].begin_ms - flashes[0].begin_ms) <= high_hz


def test_a_low_alarm_is_steadily_cyan() -> None:
    bench = Bench()
    bench.causes(H26)
    bench.run(20_000)
    assert all(signals.lamps & ALARM_LAMPS == LAMP_CYAN for _, signals in bench.ticks)


def test_the_highest_priority_flashes_and_lower_ones_stay_lit() -> None:
    bench = Bench()
    bench.causes(H21, H04, H27)
    bench.run(5_000)
    assert all(signals.lamps & LAMP_YELLOW and signals.lamps & LAMP_CYAN for _, signals in bench.ticks)
    assert len(bench.lit(LAMP_RED)) >= 8


def test_without_an_alarm_no_alarm_lamp_is_lit_and_nothing_sounds() -> None:
    bench = Bench()
    bench.run(5_000)
    assert not any(signals.lamps & ALARM_LAMPS or signals.buzzer_hz for _, signals in bench.ticks)


# Bursts.


def pulses_of(bench: Bench, pitch_hz: int, since_ms: int = 0) -> list[Span]:
    heard = bench.heard(since_ms)
    assert {pulse.pitch_hz for pulse in heard} == {pitch_hz}
    return heard


def test_a_high_alarm_sounds_ten_pulses_three_and_two_and_again() -> None:
    bench = Bench()
    bench.causes(H04)
    bench.run(20_000)
    heard = pulses_of(bench, patterns.HIGH.pitch_hz)
    assert heard[0].begin_ms == UNEVEN_MS[0]
    assert len(heard) == 30
    for first in range(0, 30, 10):
        ten = heard[first : first + 10]
        assert all(75 <= pulse.length_ms <= 200 for pulse in ten)
        gaps = [after.begin_ms - this.end_ms for this, after in pairwise(ten)]
        x = patterns.X_MS
        wide = 2 * x + patterns.HIGH_PULSE_MS
        assert all(near(gap, x) and 50 <= gap <= 125 for gap in (gaps[i] for i in (0, 1, 3, 5, 6, 8)))
        assert all(near(gaps[i], wide) for i in (2, 7))
        assert 350 <= gaps[4] <= 1300
    assert all(2500 <= heard[i].begin_ms - heard[i - 1].end_ms <= 15_000 for i in (10, 20))


def test_a_medium_alarm_sounds_three_pulses() -> None:
    bench = Bench()
    bench.causes(H21)
    bench.run(30_000)
    heard = pulses_of(bench, patterns.MEDIUM.pitch_hz)
    assert len(heard) == 9
    assert all(125 <= pulse.length_ms <= 250 for pulse in heard)
    gaps = [after.begin_ms - this.end_ms for this, after in pairwise(heard)]
    assert all(125 <= gaps[i] <= 250 for i in (0, 1, 3, 4, 6, 7))
    assert all(2500 <= gaps[i] <= 30_000 for i in (2, 5))


def test_a_low_alarm_sounds_once() -> None:
    bench = Bench()
    bench.causes(H26)
    bench.run(60_000)
    (only,) = pulses_of(bench, patterns.LOW.pitch_hz)
    assert 125 <= only.length_ms <= 250


def test_every_pitch_can_be_sounded_and_no_two_mean_the_same() -> None:
    pitches = [pattern.pitch_hz for pattern in (patterns.LOW, patterns.MEDIUM, patterns.HIGH, patterns.ESCALATED)]
    pitches.append(patterns.MOTION.pitch_hz)
    assert len(set(pitches)) == 5 and set(pitches) == set(patterns.TEST_PITCHES_HZ)
    assert all(150 <= pitch <= 1000 and pitch % 10 == 0 for pitch in pitches)


def test_a_worse_alarm_breaks_into_a_burst_at_once() -> None:
    bench = Bench()
    bench.causes(H21)
    bench.run(300)
    bench.causes(H21, H04)
    bench.tick()
    assert bench.now().buzzer_hz == patterns.HIGH.pitch_hz and bench.now().lamps & LAMP_RED
    since_ms = bench.t_ms
    bench.run(6_500)
    assert len(pulses_of(bench, patterns.HIGH.pitch_hz, since_ms)) == 10


def test_when_the_worst_goes_the_next_one_sounds_after_a_short_silence() -> None:
    bench = Bench()
    bench.causes(H21, H04)
    bench.run(700)
    bench.causes(H21)
    since_ms = bench.t_ms
    bench.run(3_000)
    heard = pulses_of(bench, patterns.MEDIUM.pitch_hz, since_ms + TICK_MS)
    assert len(heard) == 3
    assert near(heard[0].begin_ms - since_ms, 600 + TICK_MS // 2)


def test_another_alarm_of_the_same_priority_sounds_at_once_where_it_is_silent() -> None:
    bench = Bench()
    bench.causes(H21)
    bench.run(5_000)
    assert not bench.now().buzzer_hz
    bench.causes(H21, H22)
    assert bench.tick().buzzer_hz == patterns.MEDIUM.pitch_hz


def test_what_the_guard_demands_sounds_also_where_the_cause_is_known_for_less() -> None:
    bench = Bench()
    bench.causes(H26, alarm=Alarm.HIGH)
    bench.run(1_000)
    assert {pulse.pitch_hz for pulse in bench.heard()} == {patterns.HIGH.pitch_hz}
    assert bench.now().alarm is Alarm.HIGH


# Acknowledge and pause.


def hold_ack(bench: Bench, ms: int = ACK_MS + 50) -> None:
    bench.read(buttons=ACK)
    bench.run(ms)
    bench.read(buttons=0)
    bench.tick()


def test_ack_for_half_a_second_pauses_the_sound_and_not_the_lamp() -> None:
    bench = Bench()
    bench.causes(H04)
    bench.run(1_000)
    hold_ack(bench)
    since_ms = bench.t_ms
    bench.run(PAUSE_MS - 1_000)
    assert not bench.heard(since_ms)
    assert len(bench.lit(LAMP_RED, since_ms)) >= 200
    assert all(signals.lamps & LAMP_ACK for t_ms, signals in bench.ticks if t_ms > since_ms), "the pause is shown"
    assert all(signals.alarm is Alarm.HIGH for t_ms, signals in bench.ticks if t_ms > since_ms)
    bench.run(2_000)
    assert bench.heard(since_ms)[0].begin_ms <= since_ms + PAUSE_MS
    assert bench.alarms.state.occurrences[0].acknowledged, "a pause that ends takes no acknowledgement back"


def test_a_shorter_ack_does_nothing() -> None:
    bench = Bench()
    bench.causes(H04)
    bench.run(1_000)
    hold_ack(bench, ACK_MS - 60)
    assert not bench.is_paused()
    assert not bench.alarms.state.occurrences[0].acknowledged


def test_the_host_can_pause_the_sound_too() -> None:
    bench = Bench()
    bench.causes(H21)
    bench.run(500)
    bench.tick(acknowledge=True)
    assert bench.is_paused()


def test_there_is_nothing_to_pause_without_an_alarm() -> None:
    bench = Bench()
    bench.run(500)
    bench.tick(acknowledge=True)
    hold_ack(bench)
    bench.causes(H21)
    assert bench.tick().buzzer_hz == patterns.MEDIUM.pitch_hz


@pytest.mark.parametrize(
    "then",
    [
        (H04, H08),
        (H04, H27),
        (H04, cause("H04", Demand.RETURN, Alarm.HIGH, by="guard")),
        (cause("H04", Demand.HOLD, Alarm.HIGH),),
    ],
    ids=["another code", "another code of low priority", "found by the guard too", "asks for more"],
)
def test_what_is_new_ends_a_pause_at_once(then: tuple[Cause, ...]) -> None:
    bench = Bench()
    bench.causes(H04)
    bench.run(1_000)
    hold_ack(bench)
    bench.run(5_000)
    bench.causes(*then)
    bench.tick()
    assert bench.now().buzzer_hz == patterns.HIGH.pitch_hz
    assert not bench.is_paused()


@pytest.mark.parametrize(
    ("before", "then", "sounds"),
    [
        ("left", "both", True),
        ("left", "right", True),
        ("both", "left", False),
        ("left", "left", False),
        ("", "left", False),
        ("left", "", False),
    ],
)
def test_the_other_strap_that_opens_in_a_pause_is_heard(before: str, then: str, sounds: bool) -> None:
    bench = Bench()
    bench.causes(cause("H04", Demand.RETURN, Alarm.HIGH, where=before))
    bench.run(1_000)
    hold_ack(bench)
    bench.run(5_000)
    bench.causes(cause("H04", Demand.RETURN, Alarm.HIGH, where=then))
    assert bool(bench.tick().buzzer_hz) is sounds
    assert bench.is_paused() is not sounds
    assert bench.alarms.state.occurrences[0].acknowledged is not sounds


@pytest.mark.parametrize(
    ("opened", "above", "sounds"),
    [("left", "left", False), ("both", "right", False), ("left", "right", True), ("left", "both", True)],
)
def test_a_strap_that_opened_below_five_degrees_is_no_other_alarm_above_them(
    opened: str, above: str, sounds: bool
) -> None:
    bench = Bench()
    below = cause("H04", Demand.RETURN, Alarm.HIGH, where=opened)
    bench.causes(below)
    bench.run(1_000)
    hold_ack(bench)
    bench.run(5_000)
    bench.causes(below, cause("H05", Demand.STOP, Alarm.MEDIUM, where=above))
    assert bool(bench.tick().buzzer_hz) is sounds
    assert bench.is_paused() is not sounds
    assert [one.acknowledged for one in bench.alarms.state.occurrences] == [True, not sounds]
    # It is an alarm of its own all the same: its lamp stays lit beside the red one, and it may outlast it.
    bench.run(500)
    assert bench.now().lamps & LAMP_YELLOW


def test_a_strap_that_opens_above_five_degrees_and_is_open_below_them_is_worse_and_heard() -> None:
    bench = Bench()
    above = cause("H05", Demand.STOP, Alarm.MEDIUM, where="left")
    bench.causes(above)
    bench.run(1_000)
    hold_ack(bench)
    bench.run(5_000)
    bench.causes(above, cause("H04", Demand.RETURN, Alarm.HIGH, where="left"))
    assert bench.tick().buzzer_hz == patterns.HIGH.pitch_hz
    assert not bench.is_paused()


def test_the_same_alarm_again_is_a_new_occurrence_and_sounds() -> None:
    bench = Bench()
    bench.causes(H04, H21)
    bench.run(1_000)
    hold_ack(bench)
    bench.causes(H04)
    bench.run(2_000)
    assert bench.is_paused(), "that one goes does not end a pause"
    bench.causes(H04, H21)
    assert bench.tick().buzzer_hz
    assert [one.acknowledged for one in bench.alarms.state.occurrences] == [True, False]


def test_a_risen_priority_ends_a_pause_and_asks_for_a_new_acknowledgement() -> None:
    bench = Bench()
    bench.causes(H21)
    bench.run(1_000)
    hold_ack(bench)
    bench.run(3_000)
    bench.causes(msgspec.structs.replace(H21, alarm=Alarm.HIGH))
    assert bench.tick().buzzer_hz == patterns.HIGH.pitch_hz
    assert not bench.alarms.state.occurrences[0].acknowledged


def test_an_ack_that_an_alarm_came_into_does_not_silence_it() -> None:
    bench = Bench()
    bench.causes(H21)
    bench.run(1_000)
    bench.read(buttons=ACK)
    bench.run(ACK_MS - 100)
    bench.causes(H21, H04)
    bench.run(3_000)
    assert not bench.is_paused()
    bench.read(buttons=0)
    bench.tick()
    hold_ack(bench)
    assert bench.is_paused()


def test_an_ack_held_since_before_the_start_counts_for_nothing() -> None:
    bench = Bench()
    bench.read(buttons=ACK)
    bench.causes(H21)
    bench.run(5_000)
    assert not bench.is_paused()


def test_an_ack_that_nobody_can_see_does_not_go_on() -> None:
    bench = Bench()
    bench.causes(H21)
    bench.run(1_000)
    bench.read(buttons=ACK)
    bench.run(300)
    bench.read(slow_age_ms=400)
    bench.run(500)
    bench.read(slow_age_ms=0)
    bench.run(400)
    assert not bench.is_paused()


def test_a_cleared_alarm_is_gone_with_its_pause() -> None:
    bench = Bench()
    bench.causes(H04)
    bench.run(1_000)
    hold_ack(bench)
    bench.causes()
    bench.run(500)
    assert not bench.now().lamps & (ALARM_LAMPS | LAMP_ACK)
    bench.causes(H04)
    assert bench.tick().buzzer_hz == patterns.HIGH.pitch_hz


def test_the_ack_lamp_flashes_while_ack_would_help() -> None:
    bench = Bench()
    bench.causes(H21)
    bench.run(4_000)
    assert len(bench.lit(LAMP_ACK)) == 4


# Critical: inverted under HOLD or CUT.


def inverted_and_held(ticks_ms: tuple[int, ...] = UNEVEN_MS) -> Bench:
    bench = Bench(ticks_ms)
    bench.run(100)
    bench.causes(H15, region=Region.INVERTED, demand=Demand.HOLD)
    return bench


def test_below_five_degrees_under_hold_any_alarm_is_high() -> None:
    bench = Bench()
    low = msgspec.structs.replace(H26, demand=Demand.HOLD)
    bench.causes(low, region=Region.LEVEL)
    bench.run(1_000)
    assert bench.now().alarm is Alarm.LOW
    bench.causes(low, region=Region.INVERTED)
    bench.tick()
    assert bench.now().alarm is Alarm.HIGH
    assert bench.now().buzzer_hz == patterns.HIGH.pitch_hz


def test_a_pause_of_a_critical_alarm_ends_after_30_s_at_the_latest() -> None:
    bench = inverted_and_held()
    bench.run(2_000)
    hold_ack(bench)
    since_ms = bench.t_ms
    assert bench.is_paused()
    bench.run(ESCALATE_MS)
    assert bench.longest_silence_ms(since_ms) <= ESCALATE_MS
    assert not bench.is_paused() and bench.is_escalated()


def test_an_escalated_alarm_sounds_denser_and_higher_and_takes_no_pause() -> None:
    bench = inverted_and_held()
    bench.run(ESCALATE_MS)
    calm = [pulse for pulse in bench.heard() if pulse.pitch_hz == patterns.HIGH.pitch_hz]
    since_ms = bench.t_ms
    hold_ack(bench)
    bench.tick(acknowledge=True)
    assert not bench.is_paused()
    bench.run(ESCALATE_MS - (bench.t_ms - since_ms))
    dense = pulses_of(bench, patterns.ESCALATED.pitch_hz, since_ms + TICK_MS)
    assert len(dense) > len(calm)
    silences = [after.begin_ms - this.end_ms for this, after in pairwise(dense)]
    assert max(silences) >= 2500, "no denser than the standard allows"
    assert bench.alarms.state.occurrences[0].acknowledged, "that somebody took notice is kept all the same"


def test_what_is_left_of_a_pause_is_told_truly_also_where_it_ends_early() -> None:
    bench = inverted_and_held()
    bench.run(10_000)
    bench.tick(acknowledge=True)
    assert ESCALATE_MS - 10_100 < bench.alarms.pause_left_ms <= ESCALATE_MS - 10_000 + TICK_MS
    bench.run(5_000)
    assert bench.alarms.pause_left_ms <= ESCALATE_MS - 15_000 + TICK_MS
    bench.run(ESCALATE_MS)
    assert bench.alarms.pause_left_ms == 0


def test_an_ack_that_is_refused_changes_nothing_of_the_sound() -> None:
    bench = inverted_and_held()
    bench.run(ESCALATE_MS + patterns.ESCALATED.busy_ms + 500)
    assert not bench.now().buzzer_hz
    since_ms = bench.t_ms
    bench.tick(acknowledge=True)
    bench.run(1_000)
    assert not bench.heard(since_ms), "the silence between two bursts goes on"


def test_an_escalated_alarm_is_over_when_the_patient_is_up_again() -> None:
    bench = inverted_and_held()
    bench.run(ESCALATE_MS + 1_000)
    bench.causes(H15, region=Region.BELOW)
    bench.run(3_000)
    assert not bench.is_escalated()
    assert bench.now().alarm is Alarm.HIGH, "its own cause is still there"
    hold_ack(bench)
    assert bench.is_paused()


def test_noise_at_five_degrees_neither_starts_the_30_s_anew_nor_chatters() -> None:
    bench = inverted_and_held(ticks_ms=(10,))
    for tick in range(ESCALATE_MS // 10):
        bench.causes(H15, region=Region.BELOW if tick % 3 else Region.INVERTED)
        bench.tick()
    bench.run(TICK_MS)
    assert bench.is_escalated()
    assert len(bench.heard()) == 47, "four whole bursts, and the fifth up to where it escalates"


def test_an_angle_that_nobody_knows_counts_as_where_it_was() -> None:
    lost = cause("H09", Demand.CUT, Alarm.HIGH)
    above = Bench()
    above.run(100)
    above.causes(lost, region=Region.UNKNOWN)
    above.run(ESCALATE_MS + 1_000)
    assert not above.is_escalated(), "last seen at level"
    below = Bench()
    below.causes(region=Region.INVERTED)
    below.run(100)
    below.causes(lost, region=Region.UNKNOWN)
    below.run(ESCALATE_MS + 1_000)
    assert below.is_escalated()
    never = Bench()
    never.causes(lost, region=Region.UNKNOWN)
    never.run(ESCALATE_MS + 1_000)
    assert never.is_escalated(), "never seen at all"


def test_critical_that_comes_into_a_pause_ends_it() -> None:
    estop = cause("H20", Demand.CUT, Alarm.HIGH)
    bench = Bench()
    bench.causes(estop, region=Region.BELOW)
    bench.run(1_000)
    hold_ack(bench)
    bench.run(1_000)
    bench.causes(estop, region=Region.INVERTED)
    assert bench.tick().buzzer_hz == patterns.HIGH.pitch_hz


@pytest.mark.parametrize("seed", range(12))
def test_a_critical_alarm_is_never_silent_for_more_than_30_s(seed: int) -> None:
    """Whatever is pressed, asked, found or lost meanwhile, at ticks of any length up to 40 ms."""
    chance = random.Random(seed)
    bench = Bench([chance.randint(1, 40) for _ in range(499)])
    bench.causes(H22, region=Region.INVERTED)
    bench.run(chance.randint(1, 4_000))
    if chance.random() < 0.5:
        bench.tick(acknowledge=True)
    held = [H15]
    bench.causes(*held, region=Region.INVERTED)
    bench.tick()
    since_ms = bench.t_ms
    while bench.t_ms < since_ms + 150_000:
        happens = chance.random()
        if happens < 0.1:
            held = [H15, *chance.sample([H04, H08, H21, H22, H27], chance.randint(0, 3))]
        elif happens < 0.5:
            bench.read(buttons=chance.choice([0, ACK, ACK, RETURN, ACK | TILT]))
        elif happens < 0.6:
            bench.tick(acknowledge=True)
        for region, ms in ((chance.choice([Region.UNKNOWN, Region.BELOW]), 500), (Region.INVERTED, 1_500)):
            bench.causes(*held, region=region, demand=chance.choice([Demand.HOLD, Demand.CUT]))
            bench.run(chance.randint(1, ms))
    assert bench.longest_silence_ms(since_ms) <= ESCALATE_MS
    assert all(signals.alarm is Alarm.HIGH for t_ms, signals in bench.ticks if t_ms > since_ms)


# The tone of a motion.


@pytest.mark.parametrize("asks", ["wish", "judge"])
def test_the_tone_sounds_at_once_in_its_own_pitch_and_beat(asks: str) -> None:
    bench = Bench()
    bench.run(500)
    if asks == "wish":
        bench.wishes(tone=True)
    else:
        bench.causes(tone=True)
    since_ms = bench.t_ms
    bench.tick()
    assert bench.now().tone and bench.now().buzzer_hz == patterns.MOTION.pitch_hz
    bench.run(4_000)
    heard = pulses_of(bench, patterns.MOTION.pitch_hz)
    assert heard[0].begin_ms - since_ms <= TICK_MS
    assert all(near(pulse.length_ms, 400) for pulse in heard)
    bench.wishes(tone=False)
    bench.causes(tone=False)
    bench.tick()
    assert not bench.now().buzzer_hz and not bench.now().tone


@pytest.mark.parametrize(("demand", "sounds"), [(Demand.NO_DEEPENING, False), (Demand.STOP, True), (Demand.HOLD, True)])
def test_a_table_that_is_moved_in_trouble_is_heard(demand: Demand, sounds: bool) -> None:
    bench = Bench()
    bench.causes(cause("H12", demand, Alarm.HIGH), command=Command(0))
    bench.run(1_000)
    assert not bench.now().tone
    bench.causes(cause("H12", demand, Alarm.HIGH), command=Command(50))
    bench.tick()
    assert bench.now().tone is sounds
    bench.run(5_000)
    assert (patterns.MOTION.pitch_hz in {pulse.pitch_hz for pulse in bench.heard()}) is sounds
    bench.causes(cause("H12", demand, Alarm.HIGH), command=Command(0))
    bench.tick()
    assert not bench.now().tone


def test_the_tone_yields_to_a_burst_and_sounds_between_bursts() -> None:
    bench = Bench()
    bench.causes(H22, tone=True)
    bench.run(patterns.MEDIUM.busy_ms - TICK_MS)
    assert {pulse.pitch_hz for pulse in bench.heard()} == {patterns.MEDIUM.pitch_hz}
    since_ms = bench.t_ms + 2 * TICK_MS
    bench.run(5_000)
    assert {pulse.pitch_hz for pulse in bench.heard(since_ms)} == {patterns.MOTION.pitch_hz}


def test_a_pause_does_not_silence_the_tone() -> None:
    bench = Bench()
    bench.causes(H22, tone=True)
    bench.run(500)
    bench.tick(acknowledge=True)
    since_ms = bench.t_ms
    bench.run(20_000)
    assert {pulse.pitch_hz for pulse in bench.heard(since_ms)} == {patterns.MOTION.pitch_hz}


# Refusals.


def test_a_refusal_lights_cyan_for_a_while_and_sounds_once() -> None:
    bench = Bench()
    bench.run(100)
    bench.tick(refusals=(cause("H07", Demand.NO_DEEPENING, Alarm.LOW),))
    assert bench.now().buzzer_hz == patterns.LOW.pitch_hz
    bench.run(15_000)
    (lit,) = bench.lit(LAMP_CYAN)
    assert near(lit.length_ms, 10_000)
    assert len(bench.heard()) == 1


# The engine itself.


@pytest.mark.parametrize("seed", range(8))
def test_the_loops_engine_says_in_each_tick_what_the_pure_step_says(seed: int) -> None:
    chance = random.Random(seed)
    engine, state = Alarms(), INITIAL
    causes = [H04, H08, H15, H21, H22, H26, H27, cause("H06", Demand.STOP, Alarm.MEDIUM, where="left")]
    readings, wish, decision = Readings(10, buttons=0), Wish(), Decision(Command())
    for _ in range(20_000):
        if chance.random() < 0.01:
            picked = tuple(chance.sample(causes, chance.choice([0, 0, 1, 1, 2, 3])))
            decision = Decision(
                Command(chance.choice([0, 0, 50, -50])),
                chance.choice(list(Demand)),
                picked,
                max([one.alarm for one in picked], default=Alarm.NONE),
                chance.choice(list(Region)),
                armed=chance.choice([None, ARM]),
                returning=chance.random() < 0.2,
                tone=chance.random() < 0.2,
                prompts=chance.choice([(), (), ("H24",), ("H25",)]),
                refusals=(H26,) if chance.random() < 0.1 else (),
            )
        if chance.random() < 0.01:
            wish = Wish(
                state=chance.choice(list(State)),
                guide=chance.choice(list(Guide)),
                tone=chance.random() < 0.2,
                acknowledge=chance.random() < 0.1,
            )
        if chance.random() < 0.01:
            readings = Readings(
                10,
                buttons=chance.choice([None, 0, 0, ACK, TILT, STOP | ACK]),
                slow_age_ms=chance.choice([0, 0, 200]),
                strap_left=chance.choice([None, *Contacts]),
                strap_right=chance.choice(list(Contacts)),
            )
        readings = msgspec.structs.replace(readings, elapsed_ms=chance.randint(-1, 60))
        state, wanted = step(state, readings, wish, decision)
        assert engine.signals(readings, wish, decision) == wanted


def test_at_rest_the_loops_engine_gives_the_very_same_answer_again() -> None:
    engine = Alarms()
    closed = Contacts.CLOSED
    readings, wish, decision = (
        Readings(10, buttons=0, strap_left=closed, strap_right=closed),
        Wish(),
        Decision(Command()),
    )
    engine.signals(readings, wish, decision)
    first = engine.signals(readings, wish, decision)
    assert all(engine.signals(readings, wish, decision) is first for _ in range(1_000))
