"""Whether the drive does what it is told: H10 to H15.

"Applied" is the set-point that the drive follows now, after every ramp; everything here compares with it, never
with a wish. Travel is judged sensor by sensor; H11 and H12 need the word of both, or of the only one left.
"""

from typing import Final

import msgspec

from config.limits import LEVEL_BAND_CDEG, Limits
from safety import track as tracking
from safety.angle import BOTH, NONE, A, Angles, B
from safety.signals import Alarm, Cause, Demand, Readings
from safety.track import Track

DEGREE_CDEG: Final = 100
HALF_DEGREE_CDEG: Final = 50
SETTLE_MS: Final = 500
SPRING_MS: Final = 1000
AGAINST_CDEG_S: Final = 50
CREEP_CDEG_S: Final = 50
CLIMBING_CDEG: Final = 300
REST_MS: Final = 1000
SLOWING_MS: Final = 200
LATELY_MS: Final = 100
LATELY_CDEG_S: Final = 100
CAUGHT_LIMIT_MS: Final = 2000
OVERSPEED_CDEG_S: Final = 70
STALL_MS: Final = 150
BLOCK_MS: Final = 500
CAP_MS: Final = 5000

FREE: Final = 0
SLOWING: Final = 1
CAUGHT: Final = 2
LET_GO: Final = 3


class Mark(msgspec.Struct, frozen=True, gc=False):
    """Half a window: where both sensors stood at its start, how far it was driven, the largest current in it."""

    a_cdeg: int | None = None
    b_cdeg: int | None = None
    driven: int = 0
    peak_ma: int = 0


NO_MARK: Final = Mark()


class Drive(msgspec.Struct, frozen=True, gc=False):
    """What is remembered of the drive.

    `driven` values are centidegrees a second times milliseconds. `far_*` is the furthest that a sensor went in
    the direction applied; `rest_*` where it stood after 1 s of zero set-point, None before.
    """

    sign: int = 0
    since_ms: int = 0
    reversed_: bool = False
    far_a: int | None = None
    far_b: int | None = None
    before: Mark = NO_MARK
    half_from: Mark = NO_MARK
    half_driven: int = 0
    half_ma: int = 0
    halves: int = 0
    block_before: Mark = NO_MARK
    block_from: Mark = NO_MARK
    block_driven: int = 0
    block_ms: int = 0
    block_halves: int = 0
    stall_ms: int = 0
    zero_ms: int = 0
    rest_a: int | None = None
    rest_b: int | None = None
    caught: int = FREE
    caught_ms: int = 0
    caught_cdeg_s: int = 0


NOTHING: Final[tuple[Cause, ...]] = ()


# What one step of these checks found: what to remember, causes in the order of the table, sensors found frozen, and
# whether H10 to H13 are clean.
Step = tuple[Drive, tuple[Cause, ...], int, bool]


def follow(
    was: Drive,
    readings: Readings,
    elapsed_ms: int,
    angles: Angles,
    track: Track,
    armed: bool,
    held: bool,
    limits: Limits,
) -> Step:
    """Judge one new frame, `elapsed_ms` after the last, against H10 to H15; `held` says that a held button moves it.

    With an unknown set-point, or no sensor, nothing can be judged here.
    """
    applied = readings.applied_cdeg_s
    if applied is None:
        return was, NOTHING, NONE, True
    if angles.lost == BOTH:
        return Drive(caught=was.caught), NOTHING, NONE, True
    if applied == 0:
        return resting(was, readings, elapsed_ms, angles, track, armed, limits)
    return driven(was, applied, readings, elapsed_ms, angles, track, held, limits)


def at_rest_here(was: Drive, angles: Angles) -> Drive:
    """Take where the table stands now as where it came to rest: whoever climbed on may have moved it (H12)."""
    return msgspec.structs.replace(was, rest_a=angles.a_cdeg, rest_b=angles.b_cdeg)


def resting(
    was: Drive, readings: Readings, elapsed_ms: int, angles: Angles, track: Track, armed: bool, limits: Limits
) -> Step:
    """H12 and H13 with the set-point at zero."""
    if was.zero_ms >= CAP_MS and was.caught == FREE and track.quiet_at is not None:
        # All clear: both sensors stand within 1° of where they came to rest, and the track says still.
        a, b, from_a, from_b = angles.a_cdeg, angles.b_cdeg, was.rest_a, was.rest_b
        if angles.lost == NONE and a is not None and b is not None and from_a is not None and from_b is not None:
            if -DEGREE_CDEG <= a - from_a <= DEGREE_CDEG and -DEGREE_CDEG <= b - from_b <= DEGREE_CDEG:
                return was, NOTHING, NONE, True
    zero_ms = min(was.zero_ms + elapsed_ms, CAP_MS)
    rest_a, rest_b = was.rest_a, was.rest_b
    if zero_ms >= REST_MS and rest_a is None and rest_b is None:
        rest_a, rest_b = angles.a_cdeg, angles.b_cdeg
    drive = Drive(
        zero_ms=zero_ms,
        rest_a=rest_a,
        rest_b=rest_b,
        caught=was.caught,
        caught_ms=was.caught_ms,
        caught_cdeg_s=was.caught_cdeg_s,
    )
    if was.caught in (SLOWING, CAUGHT):
        return watched(drive, elapsed_ms, angles, track, limits)
    causes = []
    if zero_ms >= REST_MS and (cause := uncommanded(drive, readings, angles, track, armed, limits)):
        causes.append(cause)
    if cause := overspeed(0, readings, angles, track, limits):
        causes.append(cause)
    if not causes:
        return drive, NOTHING, NONE, True
    if track.still_ms >= REST_MS:
        # It has come to rest elsewhere; the cause is latched, the mark may not keep RESET away for ever.
        drive = msgspec.structs.replace(drive, rest_a=angles.a_cdeg, rest_b=angles.b_cdeg)
    if causes[0].demand == Demand.HOLD:
        speed = abs(track.short_cdeg_s or 0)
        drive = Drive(zero_ms=zero_ms, rest_a=angles.a_cdeg, rest_b=angles.b_cdeg, caught=SLOWING, caught_cdeg_s=speed)
    return drive, tuple(causes), NONE, False


def watched(drive: Drive, elapsed_ms: int, angles: Angles, track: Track, limits: Limits) -> Step:
    """H12 after the drive was powered at zero speed: not slowing within 200 ms, or moving again, is a CUT."""
    caught_ms = min(drive.caught_ms + elapsed_ms, CAP_MS)
    speed = abs(track.short_cdeg_s or 0)
    if drive.caught == SLOWING:
        if track.still_ms:
            state = CAUGHT
        elif caught_ms >= CAUGHT_LIMIT_MS or (
            # The last 100 ms only: a 250 ms window still shows the fall that the drive has already ended.
            caught_ms >= SLOWING_MS
            and all_sensors_beyond(track, angles, LATELY_MS, max(drive.caught_cdeg_s, LATELY_CDEG_S))
        ):
            state = LET_GO
        else:
            state = SLOWING
        rest_a, rest_b = angles.a_cdeg, angles.b_cdeg
    else:
        # A held motion that has just ended still stands in the 500 ms window.
        rested = drive.zero_ms >= REST_MS
        moving = max_travel(drive, angles) > DEGREE_CDEG + limits.backlash_cdeg
        creeping = all_sensors_beyond(track, angles, tracking.LONG_MS, CREEP_CDEG_S)
        state = LET_GO if rested and (moving or creeping) else CAUGHT
        rest_a, rest_b = drive.rest_a, drive.rest_b
    after = Drive(
        zero_ms=drive.zero_ms,
        rest_a=rest_a,
        rest_b=rest_b,
        caught=state,
        caught_ms=caught_ms,
        caught_cdeg_s=drive.caught_cdeg_s,
    )
    if state != LET_GO:
        return after, NOTHING, NONE, state == CAUGHT
    return after, (Cause("H12", Demand.CUT, Alarm.HIGH, speed, CREEP_CDEG_S, "cdeg/s"),), NONE, False


def caught_by(readings: Readings) -> Demand:
    """HOLD where brake set and drive off can still be helped by powering the drive, else CUT."""
    return Demand.HOLD if readings.brake_set is True and readings.drive_power is False else Demand.CUT


def uncommanded(
    drive: Drive, readings: Readings, angles: Angles, track: Track, armed: bool, limits: Limits
) -> Cause | None:
    """H12: set-point zero for 1 s, then 1° and the backlash from rest, or 0.5°/s for 500 ms."""
    climbing = not armed and readings.brake_set is True
    limit = CLIMBING_CDEG if climbing else DEGREE_CDEG + limits.backlash_cdeg
    travel = max_travel(drive, angles)
    if travel > limit:
        return Cause("H12", caught_by(readings), Alarm.HIGH, travel, limit, "cdeg")
    if climbing:
        return None
    speed = track.long_cdeg_s
    if speed is None or -CREEP_CDEG_S <= speed <= CREEP_CDEG_S:
        return None
    if not all_sensors_beyond(track, angles, tracking.LONG_MS, CREEP_CDEG_S):
        return None
    return Cause("H12", caught_by(readings), Alarm.HIGH, abs(speed), CREEP_CDEG_S, "cdeg/s")


def max_travel(drive: Drive, angles: Angles) -> int:
    """How far every believed sensor went from rest: the least of them, so that one alone says nothing."""
    travels = []
    if not angles.lost & A and angles.a_cdeg is not None and drive.rest_a is not None:
        travels.append(abs(angles.a_cdeg - drive.rest_a))
    if not angles.lost & B and angles.b_cdeg is not None and drive.rest_b is not None:
        travels.append(abs(angles.b_cdeg - drive.rest_b))
    return min(travels, default=0)


def all_sensors_beyond(track: Track, angles: Angles, window_ms: int, limit_cdeg_s: int, direction: int = 0) -> bool:
    """Whether every believed sensor's own slope is beyond a limit; with a direction (±1), that way only."""
    for sensor in (A, B):
        if angles.lost & sensor:
            continue
        speed = tracking.slope_of(track, sensor, window_ms)
        if speed is None:
            return False
        if not (abs(speed) if direction == 0 else direction * speed) > limit_cdeg_s:
            return False
    return True


def overspeed(applied_cdeg_s: int, readings: Readings, angles: Angles, track: Track, limits: Limits) -> Cause | None:
    """H13 b: over 250 ms faster than the greatest of 1.3 × applied and applied + 0.7°/s, one backlash allowed for."""
    speed = abs(track.short_cdeg_s or 0)
    applied = abs(applied_cdeg_s)
    if not speed > applied + OVERSPEED_CDEG_S:
        return None
    applied = tracking.fastest_applied(track)
    backlash_cdeg_s = limits.backlash_cdeg * 1000 // tracking.SHORT_MS
    limit = max(applied * 13 // 10, applied + OVERSPEED_CDEG_S) + backlash_cdeg_s
    if not speed > limit or not all_sensors_beyond(track, angles, tracking.SHORT_MS, limit):
        return None
    return Cause("H13", caught_by(readings), Alarm.HIGH, speed, limit, "cdeg/s")


def driven(
    was: Drive,
    applied: int,
    readings: Readings,
    elapsed_ms: int,
    angles: Angles,
    track: Track,
    held: bool,
    limits: Limits,
) -> Step:
    """H10, H11, H13, H14 and H15 while the drive is told to turn."""
    sign = 1 if applied > 0 else -1
    current = readings.current_ma
    size_ma = 0 if current is None else abs(current)
    start = sign != was.sign
    if start:
        # From rest the start itself is the reference; after a reversal the table may coast for 500 ms.
        here = Mark(angles.a_cdeg, angles.b_cdeg)
        was = Drive(
            sign=sign,
            reversed_=was.sign != 0 or track.still_ms == 0,
            far_a=angles.a_cdeg,
            far_b=angles.b_cdeg,
            half_from=here,
            block_from=here,
            caught=was.caught,
        )
    since_ms = was.since_ms if start or was.since_ms >= CAP_MS else was.since_ms + elapsed_ms
    if was.reversed_ and not since_ms >= SETTLE_MS:
        far_a, far_b = angles.a_cdeg, angles.b_cdeg
    else:
        far_a = further(was.far_a, angles.a_cdeg, sign)
        far_b = further(was.far_b, angles.b_cdeg, sign)
    step = sign * applied * elapsed_ms
    half_from, half_driven = was.half_from, was.half_driven + step
    half_ma = size_ma if size_ma > was.half_ma else was.half_ma
    block_from, block_driven, block_ms = was.block_from, was.block_driven + step, was.block_ms + elapsed_ms
    before, halves, block_before, block_halves = was.before, was.halves, was.block_before, was.block_halves
    stall_ms = 0
    # After a reversal the current is at first still that of pressing the other way.
    settled = since_ms >= SETTLE_MS or not was.reversed_
    if settled and size_ma * 100 >= limits.stall_ma * 95:
        stall_ms = min(was.stall_ms + elapsed_ms, CAP_MS)
    causes: list[Cause] = []
    frozen = NONE
    if half_driven * 2 >= (DEGREE_CDEG + limits.backlash_cdeg) * 1000:
        # Half a window is full: it is judged together with the half before it.
        half = Mark(half_from.a_cdeg, half_from.b_cdeg, half_driven, half_ma)
        if halves:
            frozen, cause = frozen_sensors(before, half, size_ma, sign, angles, limits)
            if cause is not None:
                causes.append(cause)
        before, halves = half, 1
        half_from, half_driven, half_ma = Mark(angles.a_cdeg, angles.b_cdeg), 0, 0
    if since_ms >= SETTLE_MS and (cause := wrong_direction(far_a, far_b, sign, angles, track, held, limits)):
        causes.append(cause)
    if cause := overspeed(applied, readings, angles, track, limits):
        causes.append(cause)
    clean = not causes and frozen == NONE
    slow_block = False
    if block_ms >= BLOCK_MS:
        block = Mark(block_from.a_cdeg, block_from.b_cdeg, block_driven)
        if block_halves:
            slow_block = held_back(block_before, block, size_ma, sign, angles, limits)
        block_before, block_halves = block, 1
        block_from, block_driven, block_ms = Mark(angles.a_cdeg, angles.b_cdeg), 0, 0
    reversed_ = was.reversed_
    if stall_ms >= STALL_MS or slow_block:
        causes.append(blocked(sign, size_ma, angles, limits, stall_ms >= STALL_MS))
        # What blocks it is elastic: it springs back while the set-point still ramps to zero.
        since_ms, reversed_ = -SPRING_MS, True
        far_a, far_b = angles.a_cdeg, angles.b_cdeg
    drive = Drive(
        sign,
        since_ms,
        reversed_,
        far_a,
        far_b,
        before,
        half_from,
        half_driven,
        half_ma,
        halves,
        block_before,
        block_from,
        block_driven,
        block_ms,
        block_halves,
        stall_ms,
        0,
        None,
        None,
        CAUGHT if was.caught == SLOWING else was.caught,
    )
    return drive, tuple(causes) if causes else NOTHING, frozen, clean


def further(far: int | None, angle: int | None, sign: int) -> int | None:
    """The furthest of two angles in a direction; None where nothing is known."""
    if far is None or angle is None:
        return angle
    return angle if sign * angle > sign * far else far


def moved(mark: int | None, angle: int | None, sign: int) -> int:
    """Travel in a direction since a mark; none where either end is unknown."""
    return 0 if mark is None or angle is None else sign * (angle - mark)


def frozen_sensors(
    before: Mark, half: Mark, size_ma: int, sign: int, angles: Angles, limits: Limits
) -> tuple[int, Cause | None]:
    """H10: less than a quarter of what was driven was travelled, over the latest 1° and backlash, current normal."""
    driven_cdeg = (before.driven + half.driven) // 1000
    limit = driven_cdeg // 4
    travel_a = moved(before.a_cdeg, angles.a_cdeg, sign)
    travel_b = moved(before.b_cdeg, angles.b_cdeg, sign)
    frozen = NONE
    if not angles.lost & A and 4 * travel_a < driven_cdeg:
        frozen |= A
    if not angles.lost & B and 4 * travel_b < driven_cdeg:
        frozen |= B
    if frozen == NONE:
        return NONE, None
    if frozen | angles.lost != BOTH:
        return frozen, Cause("H10", Demand.RETURN, Alarm.HIGH, min(travel_a, travel_b), limit, "cdeg", slow=True)
    # The newer half alone tells the current: a drive that died in the older one still pulled then.
    peak_ma = half.peak_ma
    if peak_ma <= limits.idle_ma:
        return NONE, Cause("H10", Demand.HOLD, Alarm.HIGH, peak_ma, limits.idle_ma, "mA")
    if size_ma * 10 >= limits.stall_ma * 6:
        return NONE, None
    return NONE, Cause("H10", Demand.CUT, Alarm.HIGH, max(travel_a, travel_b), limit, "cdeg")


def wrong_direction(
    far_a: int | None, far_b: int | None, sign: int, angles: Angles, track: Track, held: bool, limits: Limits
) -> Cause | None:
    """H11: 1° (held motion: 0.5°) and the backlash against the set-point, or 0.5°/s against it over 300 ms."""
    limit = (HALF_DEGREE_CDEG if held else DEGREE_CDEG) + limits.backlash_cdeg
    back_a = limit + 1 if angles.lost & A else -moved(far_a, angles.a_cdeg, sign)
    back_b = limit + 1 if angles.lost & B else -moved(far_b, angles.b_cdeg, sign)
    # A lost sensor has no word, so the other's is enough.
    back = min(back_a, back_b)
    if back > limit:
        return Cause("H11", Demand.CUT, Alarm.HIGH, back, limit, "cdeg")
    speed = track.short_cdeg_s
    # The shorter slope tells cheaply whether the question is worth asking.
    if speed is None or not -sign * speed > AGAINST_CDEG_S // 2:
        return None
    if not all_sensors_beyond(track, angles, tracking.DIRECTION_MS, AGAINST_CDEG_S, -sign):
        return None
    return Cause("H11", Demand.CUT, Alarm.HIGH, abs(speed), AGAINST_CDEG_S, "cdeg/s")


def held_back(before: Mark, block: Mark, size_ma: int, sign: int, angles: Angles, limits: Limits) -> bool:
    """H14, H15 without a full stall: over 1 s at ≥ 0.5°/s hardly any travel, at 60 % of the current limit or more."""
    driven_cdeg = (before.driven + block.driven) // 1000
    if driven_cdeg < CREEP_CDEG_S or size_ma * 10 < limits.stall_ma * 6:
        return False
    travels = []
    if not angles.lost & A:
        travels.append(moved(before.a_cdeg, angles.a_cdeg, sign))
    if not angles.lost & B:
        travels.append(moved(before.b_cdeg, angles.b_cdeg, sign))
    return 4 * (max(travels) + limits.backlash_cdeg) < driven_cdeg


def blocked(sign: int, size_ma: int, angles: Angles, limits: Limits, stalled: bool) -> Cause:
    """H15 on the way back from below, H14 anywhere else."""
    limit = limits.stall_ma if stalled else limits.stall_ma * 6 // 10
    angle = angles.angle_cdeg
    if sign > 0 and angle is not None and angle < -LEVEL_BAND_CDEG:
        return Cause("H15", Demand.HOLD, Alarm.HIGH, size_ma, limit, "mA")
    return Cause("H14", Demand.STOP, Alarm.MEDIUM, size_ma, limit, "mA")
