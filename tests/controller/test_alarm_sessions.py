"""Lamps and sound in whole sessions on the simulated table: a tone before every motion, every trip heard at once."""

from collections.abc import Sequence

import pytest

from controller import alarm_patterns as patterns
from safety.signals import (
    LAMP_ARMED,
    LAMP_BREATHE,
    LAMP_CYAN,
    LAMP_RED,
    LAMP_YELLOW,
    Alarm,
    Guide,
    Snapshot,
    State,
)
from sim.habits import Habits
from sim.pytest_plugin import Rig

PITCHES = {
    Alarm.LOW: (patterns.LOW.pitch_hz,),
    Alarm.MEDIUM: (patterns.MEDIUM.pitch_hz,),
    Alarm.HIGH: (patterns.HIGH.pitch_hz, patterns.ESCALATED.pitch_hz),
}
LAMPS = {Alarm.LOW: LAMP_CYAN, Alarm.MEDIUM: LAMP_YELLOW, Alarm.HIGH: LAMP_RED}
# Between the end of the tone and the first step of the jerk-limited start.
STARTING_MS = 200
STOOD_MS = 500


def session(*faults: str, plan: str = "short", boards_at_deg: float = 0.0) -> Rig:
    rig = Rig(plan, faults=faults, habits=Habits(boards_at_deg=boards_at_deg))
    rig.expect("*")
    rig.finish()
    return rig


def begun_motions(snapshots: Sequence[Snapshot]) -> list[tuple[Snapshot, int, int]]:
    """Every start from rest: its tick, how long the tone lasted before it, and how long ago that ended."""
    found = []
    toned_ms, since_ms, stood_ms = 0, 10**9, 10**9
    for snapshot in snapshots:
        elapsed_ms = snapshot.readings.elapsed_ms
        if snapshot.decision.command.velocity_cdeg_s:
            if stood_ms >= STOOD_MS:
                found.append((snapshot, toned_ms, since_ms))
            stood_ms = 0
        else:
            stood_ms += elapsed_ms
        if snapshot.signals.tone:
            toned_ms = toned_ms + elapsed_ms if since_ms == 0 else elapsed_ms
            since_ms = 0
        else:
            since_ms += elapsed_ms
    return found


@pytest.mark.parametrize(
    ("fault", "boards_at_deg", "least"),
    [("", 20.0, 3), ("strap-opens@holding+2s", 0.0, 2), ("patient-presses@holding+2s", 0.0, 2)],
    ids=["calm, boarded above level", "strap", "patient's button"],
)
def test_a_tone_precedes_every_motion(fault: str, boards_at_deg: float, least: int) -> None:
    rig = session(*([fault] if fault else []), boards_at_deg=boards_at_deg)
    tone_ms = rig.session.loop.limits.tone_ms
    motions = begun_motions(rig.snapshots)
    assert len(motions) >= least
    for snapshot, toned_ms, since_ms in motions:
        at = f"{snapshot.t_ms} ms, {snapshot.wish.state}"
        assert toned_ms >= tone_ms - 20, at
        assert since_ms <= STARTING_MS, at


def motions_of(snapshots: Sequence[Snapshot]) -> list[int]:
    """How many milliseconds each motion was commanded, from one zero to the next."""
    lasted, found = 0, []
    for snapshot in snapshots:
        if snapshot.decision.command.velocity_cdeg_s:
            lasted += snapshot.readings.elapsed_ms
        elif lasted:
            found.append(lasted)
            lasted = 0
    return found


def test_a_motion_once_begun_goes_on_to_its_end_and_at_its_end_nothing_begins_anew() -> None:
    # Down to level by a held TILT, the tilt, and the way back: a command that blinks works brake and relay for nothing.
    motions = motions_of(session(boards_at_deg=20.0).snapshots)
    assert len(motions) == 3, motions
    assert min(motions) > 5000


def test_a_held_raise_comes_to_rest_at_its_pause_and_at_its_end() -> None:
    rig = Rig("short", habits=Habits(boards_at_deg=20.0), people=False)
    rig.forward(seconds=1)
    for stands_at_deg in (30, rig.session.loop.limits.boarding_cdeg / 100):
        rig.hands.press("RAISE")
        rig.forward(seconds=40)
        rig.hands.release("RAISE")
        rig.forward(seconds=1)
        assert abs(rig.table.truth().angle_cdeg / 100 - stands_at_deg) < 0.3
    assert len(motions_of(rig.snapshots)) == 2


def test_a_motion_without_a_tone_would_be_seen() -> None:
    rig = session()
    silent = [snapshot for snapshot in rig.snapshots if not snapshot.signals.tone]
    assert all(since_ms > STARTING_MS for _, _, since_ms in begun_motions(silent))


FAULTS = (
    "strap-opens@holding+2s",
    "strap-opens@tilting+5s",
    "estop-pressed@holding+2s",
    "mains-lost@holding+2s",
    "angle-lost@holding+2s",
    "patient-presses@holding+2s",
    "supervisor-leaves@holding+1s",
    "obstruction-homeward@returning+2s+10s",
)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_trip_is_heard_and_seen_in_its_own_tick(fault: str) -> None:
    rig = session(fault, plan="first-visit" if "leaves" in fault else "short")
    assert rig.trips, "this fault is one that trips"
    heard = 0
    worst = Alarm.NONE
    for snapshot in rig.snapshots:
        decision, signals = snapshot.decision, snapshot.signals
        here = {(cause.code, cause.by) for cause in decision.causes}
        assert signals.alarm >= decision.alarm
        if decision.alarm > worst:
            # Something more urgent than before: its burst begins now, its lamp is lit now.
            assert signals.buzzer_hz in PITCHES[signals.alarm], f"{here} at {snapshot.t_ms} ms"
            assert signals.lamps & LAMPS[signals.alarm]
            heard += 1
        worst = decision.alarm
    assert heard >= 1


def test_a_paused_strap_alarm_stays_silent_past_five_degrees_and_is_heard_again_for_the_other_strap() -> None:
    rig = Rig("short", habits=Habits(boards_at_deg=0.0))
    rig.expect("*")
    rig.forward(until=State.HOLDING)
    rig.inject("strap-opens:side=left")
    rig.forward(seconds=1)
    rig.people.supervisor.leave()
    rig.hands.press("ACK")
    rig.forward(seconds=0.7)
    rig.hands.release("ACK")
    paused = [rig.session.loop.alarms.pause_left_ms > 0]
    rig.forward(until=lambda seen: any(cause.code == "H05" for cause in seen.decision.causes))
    rig.forward(seconds=1)
    paused.append(rig.session.loop.alarms.pause_left_ms > 0)
    rig.hands.strap("right", False)
    rig.forward(seconds=0.3)
    paused.append(rig.session.loop.alarms.pause_left_ms > 0)
    assert paused == [True, True, False]
    assert rig.snapshots[-1].signals.alarm is Alarm.HIGH


def test_a_calm_session_has_no_alarm_and_breathes_with_the_patient() -> None:
    rig = session()
    sounds = {snapshot.signals.buzzer_hz for snapshot in rig.snapshots if snapshot.wish.guide is not Guide.LAMP_TEST}
    assert sounds == {0, patterns.MOTION.pitch_hz}
    breathing = (State.TILTING, State.HOLDING, State.RETURNING)
    inverted = [one for one in rig.snapshots if one.wish.state in breathing]
    others = [one for one in rig.snapshots if one.wish.state not in breathing and one.wish.guide is not Guide.LAMP_TEST]
    assert any(one.signals.lamps & LAMP_BREATHE for one in inverted)
    assert not any(one.signals.lamps & LAMP_BREATHE for one in others)
    assert all(bool(one.signals.lamps & LAMP_ARMED) is (one.decision.armed is not None) for one in inverted)


def test_the_bridge_is_told_what_observers_see() -> None:
    rig = Rig("short", habits=Habits(boards_at_deg=0.0))
    told = []
    rig.session.loop.observers.append(lambda seen: told.append((rig.table.bridge.signals, seen.signals)))
    rig.forward(until=State.HOLDING)
    assert [pair for pair in told if pair[0] is not pair[1]] == []
    assert len({seen.lamps for _, seen in told}) > 5
