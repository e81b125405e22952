"""Lamps and buzzer as they are at one instant, out of what the alarm engine remembers; see `controller.alarms`."""

from typing import Final

import msgspec

from controller import alarm_patterns as patterns
from controller.alarm_lamps import lamps_of
from controller.alarm_patterns import Pattern
from controller.alarm_state import NEVER, AlarmState
from safety.signals import (
    ALL_LAMPS,
    LAMP_ACK,
    LAMP_BREATHE,
    LAMP_CYAN,
    LAMP_RED,
    LAMP_YELLOW,
    Alarm,
    Decision,
    Guide,
    Readings,
    Signals,
    Wish,
)

NO_ALARM: Final = Alarm.NONE
LAMP_TEST: Final = Guide.LAMP_TEST
# By priority; the last sound is that of a critical alarm that has escalated.
SOUNDS: Final[tuple[Pattern | None, ...]] = (None, patterns.LOW, patterns.MEDIUM, patterns.HIGH, patterns.ESCALATED)
ALARM_LAMPS: Final = (0, LAMP_CYAN, LAMP_YELLOW, LAMP_RED)
FLASHES: Final[tuple[Pattern | None, ...]] = (None, None, patterns.YELLOW, patterns.RED)


def put_together(state: AlarmState, readings: Readings, wish: Wish, decision: Decision) -> tuple[AlarmState, Signals]:
    """Return the signals of a state, and the state with how long they last."""
    t_ms, top = state.t_ms, state.top
    steady_ms = state.steady_ms
    buzzer_hz = 0
    if state.guide is LAMP_TEST and top is NO_ALARM:
        since_ms = t_ms - state.guide_at_ms
        on, left_ms = patterns.TEST.at(since_ms)
        if on:
            buzzer_hz = patterns.test_pitch_hz(since_ms)
        signals = Signals(NO_ALARM, state.tone_at_ms != NEVER, ALL_LAMPS, buzzer_hz)
        return msgspec.structs.replace(state, steady_ms=min(steady_ms, left_ms)), signals

    lamps, slow, fast = lamps_of(readings, wish, decision)
    if top is not NO_ALARM:
        flash = FLASHES[top]
        if flash is None:
            lamps |= ALARM_LAMPS[top]
        else:
            on, left_ms = flash.at(t_ms - state.top_at_ms)
            steady_ms = min(steady_ms, left_ms)
            if on:
                lamps |= ALARM_LAMPS[top]
        for one in state.occurrences:
            if one.alarm is not top:
                lamps |= ALARM_LAMPS[one.alarm]
        if state.paused:
            lamps |= LAMP_ACK
        elif not state.escalated or not all(one.acknowledged for one in state.occurrences):
            slow |= LAMP_ACK
    if slow:
        on, left_ms = patterns.WAITED_FOR.at(t_ms - state.guide_at_ms)
        steady_ms = min(steady_ms, left_ms)
        if on:
            lamps |= slow
    if fast:
        on, left_ms = patterns.DISCREPANT.at(t_ms)
        steady_ms = min(steady_ms, left_ms)
        if on:
            lamps |= fast
    if state.breath_at_ms != NEVER:
        on, left_ms = patterns.BREATH.at(t_ms - state.breath_at_ms)
        steady_ms = min(steady_ms, left_ms)
        if on:
            lamps |= LAMP_BREATHE

    pattern = SOUNDS[state.sound]
    in_burst = False
    if pattern is not None and not state.paused:
        since_ms = t_ms - state.sound_at_ms
        on, left_ms = pattern.at(since_ms)
        in_burst = pattern.in_burst(since_ms)
        steady_ms = min(steady_ms, left_ms)
        if on:
            buzzer_hz = pattern.pitch_hz
    tone = state.tone_at_ms != NEVER
    if tone and not in_burst:
        on, left_ms = patterns.MOTION.at(t_ms - state.tone_at_ms)
        steady_ms = min(steady_ms, left_ms)
        if on:
            buzzer_hz = patterns.MOTION.pitch_hz
    return msgspec.structs.replace(state, steady_ms=steady_ms), Signals(top, tone, lamps, buzzer_hz)
