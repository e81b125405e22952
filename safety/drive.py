"""Whether the drive turns as it is told, or at all: H10, H11, H14 and H15; `safety.standing` says what it does at rest.

"Applied" is the set-point that the drive follows now, after every ramp; everything here compares with it, never
with a wish. Travel is judged sensor by sensor; H11 needs the word of both, or of the only one left.
"""

from typing import Final

import msgspec

from config.limits import LEVEL_BAND_CDEG, Limits
from safety import springing
from safety import track as tracking
from safety.angle import BOTH, NONE, A, Angles, B, names_of
from safety.link import FRESH_MS, LAPSE_MS
from safety.overspeed import all_sensors_beyond, overspeed
from safety.signals import Alarm, Cause, Demand, GuardState, Readings
from safety.standing import (
    CAP_MS,
    CAUGHT,
    CREEP_CDEG_S,
    DEGREE_CDEG,
    NOTHING,
    SLOWING,
    Drive,
    Mark,
    Step,
    resting,
)
from safety.track import Track

HALF_DEGREE_CDEG: Final = 50
SETTLE_MS: Final = 500
SPRING_MS: Final = 1000
AGAINST_CDEG_S: Final = 50
STALL_MS: Final = 150
BLOCK_MS: Final = 500
# Torque first and the brake take 740 ms at most, one dip of the supply 500 ms more.
VAIN_MS: Final = 2000
ABSENT: Final = GuardState.ABSENT


def follow(
    was: Drive,
    readings: Readings,
    elapsed_ms: int,
    angles: Angles,
    track: Track,
    armed: bool,
    held: bool,
    asked: bool,
    limits: Limits,
) -> Step:
    """Judge one new frame, `elapsed_ms` after the last, against H10 to H15.

    `held` says that a held button moves it, `asked` that below level motion toward it was commanded in the last step.
    With an unknown set-point, or no sensor, nothing can be judged here.
    """
    applied = readings.applied_cdeg_s
    if applied is None:
        return was, NOTHING, NONE, True
    if angles.lost == BOTH:
        return Drive(caught=was.caught), NOTHING, NONE, True
    if elapsed_ms > LAPSE_MS:
        was, elapsed_ms = after_pause(was, readings), 0
    if was.spring.sign:
        was = msgspec.structs.replace(was, spring=springing.follow(was.spring, angles, elapsed_ms))
    if applied:
        return driven(was, applied, readings, elapsed_ms, angles, track, held, limits)
    if not asked and not was.vain_ms:
        return resting(was, readings, elapsed_ms, angles, track, armed, limits)
    drive, causes, frozen, clean = resting(was, readings, elapsed_ms, angles, track, armed, limits)
    vain_ms = 0
    if asked and (readings.guard is None or readings.guard.state is ABSENT):
        vain_ms = min(was.vain_ms + elapsed_ms, CAP_MS)
    if not vain_ms <= VAIN_MS:
        causes, clean = (*causes, asked_in_vain(vain_ms)), False
    return msgspec.structs.replace(drive, vain_ms=vain_ms), causes, frozen, clean


def after_pause(was: Drive, readings: Readings) -> Drive:
    """What is left of what was remembered, when nobody looked for longer than the lease.

    How it was driven is not known. It may have stopped, turned round or gone on; without a guard nobody but this
    process can have driven it, so that a table that rested still has to stand where it did.
    """
    rested = was.sign == 0 and (readings.guard is None or readings.guard.state is ABSENT)
    return Drive(
        zero_ms=was.zero_ms if rested else 0,
        rest_a=was.rest_a if rested else None,
        rest_b=was.rest_b if rested else None,
        caught=was.caught,
        caught_ms=was.caught_ms,
        caught_cdeg_s=was.caught_cdeg_s,
        powered=was.powered,
        vain_ms=was.vain_ms,
        spring=was.spring,
    )


def asked_in_vain(vain_ms: int) -> Cause:
    """H10 before any travel: toward level is asked for and the set-point stays zero, so that nobody comes back.

    An end switch that is stuck takes the drive's way, or a supply that comes and goes never lets it start. A guard
    finds that by itself: it alone knows what it asks its own ramp for.
    """
    return Cause("H10", Demand.HOLD, Alarm.HIGH, vain_ms, VAIN_MS, "ms without a start")


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
        # From rest the start itself is the reference; after a reversal the table may coast for 500 ms, and what pressed
        # against a block is let go of at first.
        here = Mark(angles.a_cdeg, angles.b_cdeg)
        was = Drive(
            sign=sign,
            reversed_=was.sign != 0 or was.zero_ms < SETTLE_MS or was.spring.sign == -sign,
            far_a=angles.a_cdeg,
            far_b=angles.b_cdeg,
            half_from=here,
            block_from=here,
            caught=was.caught,
            spring=was.spring,
        )
    since_ms = was.since_ms if start or was.since_ms >= CAP_MS else was.since_ms + elapsed_ms
    if was.reversed_ and not since_ms >= SETTLE_MS:
        far_a, far_b = angles.a_cdeg, angles.b_cdeg
    else:
        far_a = springing.further(was.far_a, angles.a_cdeg, sign)
        far_b = springing.further(was.far_b, angles.b_cdeg, sign)
    step = sign * applied * elapsed_ms
    half_from, half_driven, half_ma = was.half_from, was.half_driven, was.half_ma
    block_from, block_driven, block_ms = was.block_from, was.block_driven, was.block_ms
    if since_ms >= 0:
        # What springs back tells nothing of frozen sensors, and the block that it springs back from is known.
        half_driven, half_ma = half_driven + step, size_ma if size_ma > half_ma else half_ma
        block_driven, block_ms = block_driven + step, block_ms + elapsed_ms
    before, halves, block_before, block_halves = was.before, was.halves, was.block_before, was.block_halves
    stall_ms = 0
    # After a reversal the current is at first still that of pressing the other way.
    settled = since_ms >= SETTLE_MS or not was.reversed_
    if settled and size_ma * 100 >= limits.stall_ma * 95:
        stall_ms = min(was.stall_ms + min(elapsed_ms, FRESH_MS), CAP_MS)
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
    spring = was.spring
    if cause := overspeed(applied, readings, angles, track, spring, limits):
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
        spring = springing.pressed(sign, angles)
        half_from = block_from = Mark(angles.a_cdeg, angles.b_cdeg)
        halves = block_halves = half_driven = half_ma = block_driven = block_ms = 0
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
        spring=spring,
    )
    return drive, tuple(causes) if causes else NOTHING, frozen, clean


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
    pressing = size_ma * 10 >= limits.stall_ma * 6
    if frozen | angles.lost != BOTH:
        if pressing:
            # What is blocked hardly moves, and noise would name one of them; apart they are found as H08.
            return NONE, None
        least, name = min(travel_a, travel_b), names_of(frozen)
        return frozen, Cause("H10", Demand.RETURN, Alarm.HIGH, least, limit, "cdeg", slow=True, where=name)
    # The newer half alone tells the current: a drive that died in the older one still pulled then.
    peak_ma = half.peak_ma
    if peak_ma <= limits.idle_ma:
        return NONE, Cause("H10", Demand.HOLD, Alarm.HIGH, peak_ma, limits.idle_ma, "mA")
    if pressing:
        return NONE, None
    return NONE, Cause("H10", Demand.CUT, Alarm.HIGH, max(travel_a, travel_b), limit, "cdeg", where=names_of(BOTH))


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
