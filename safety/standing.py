"""What is remembered of the drive, and whether it stands when it is told to: H12.

H12 needs the word of both sensors, or of the only one left.
"""

from typing import Final

import msgspec

from config.limits import Limits
from safety import track as tracking
from safety.angle import NONE, A, Angles, B
from safety.overspeed import all_sensors_beyond, caught_by, overspeed
from safety.signals import Alarm, Cause, Demand, Readings
from safety.springing import SLACK, Spring
from safety.track import Track

DEGREE_CDEG: Final = 100
CREEP_CDEG_S: Final = 50
CLIMBING_CDEG: Final = 300
REST_MS: Final = 1000
SLOWING_MS: Final = 200
LATELY_MS: Final = 100
LATELY_CDEG_S: Final = 100
CAUGHT_LIMIT_MS: Final = 2000
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
    the direction applied; `rest_*` where it stood after 1 s of zero set-point, None before. `powered`: whether the
    drive had power in the last frame at rest; not known counts as yes. `vain_ms`: how long it was asked to start toward
    level, and did not. `spring`: what was pressed when it was blocked.
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
    powered: bool = True
    vain_ms: int = 0
    spring: Spring = SLACK


NOTHING: Final[tuple[Cause, ...]] = ()


# What one step of these checks found: what to remember, causes in the order of the table, sensors found frozen, and
# whether H10 to H13 are clean.
Step = tuple[Drive, tuple[Cause, ...], int, bool]


def at_rest_here(was: Drive, angles: Angles) -> Drive:
    """Take where the table stands now as where it came to rest: whoever climbed on may have moved it (H12)."""
    return msgspec.structs.replace(was, rest_a=angles.a_cdeg, rest_b=angles.b_cdeg)


def resting(
    was: Drive, readings: Readings, elapsed_ms: int, angles: Angles, track: Track, armed: bool, limits: Limits
) -> Step:
    """H12 and H13 with the set-point at zero."""
    powered = readings.drive_power is not False
    still = track.quiet_at is not None and not track.short_cdeg_s
    if still and was.zero_ms >= REST_MS and was.caught == FREE and powered is was.powered:
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
        powered=powered,
        spring=was.spring,
    )
    if powered and not was.powered and was.caught == FREE and helped(readings):
        if not track.still_ms:
            return caught(zero_ms, angles, track, powered), NOTHING, NONE, False
        drive = msgspec.structs.replace(drive, rest_a=angles.a_cdeg, rest_b=angles.b_cdeg)
    if was.caught in (SLOWING, CAUGHT) and was.powered and not powered:
        drive = msgspec.structs.replace(drive, caught=FREE)  # RESET let go of it
    elif was.caught in (SLOWING, CAUGHT):
        return watched(drive, elapsed_ms, angles, track, limits)
    causes = []
    if zero_ms >= REST_MS and (cause := uncommanded(drive, readings, angles, track, armed, limits)):
        causes.append(cause)
    if cause := overspeed(0, readings, angles, track, drive.spring, limits):
        causes.append(cause)
    if not causes:
        return drive, NOTHING, NONE, True
    if track.still_ms >= REST_MS:
        # It has come to rest elsewhere; the cause is latched, the mark may not keep RESET away for ever.
        drive = msgspec.structs.replace(drive, rest_a=angles.a_cdeg, rest_b=angles.b_cdeg)
    if causes[0].demand == Demand.HOLD:
        drive = caught(zero_ms, angles, track, powered)
    return drive, tuple(causes), NONE, False


def helped(readings: Readings) -> bool:
    """Whether the guard holds the table now, with its drive beside the set brake."""
    return readings.guard is not None and readings.guard.demand == Demand.HOLD and readings.brake_set is True


def caught(zero_ms: int, angles: Angles, track: Track, powered: bool) -> Drive:
    """A table that the drive, powered at zero speed from now on, has to bring to rest beside its brake.

    Whichever judge finds it first has it powered. For the other the same motion would be one that even a powered drive
    does not hold, and its CUT would drop what is being caught.
    """
    return Drive(
        zero_ms=zero_ms,
        rest_a=angles.a_cdeg,
        rest_b=angles.b_cdeg,
        caught=SLOWING,
        caught_cdeg_s=abs(track.short_cdeg_s or 0),
        powered=powered,
    )


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
        powered=drive.powered,
    )
    if state != LET_GO:
        return after, NOTHING, NONE, state == CAUGHT
    return after, (Cause("H12", Demand.CUT, Alarm.HIGH, speed, CREEP_CDEG_S, "cdeg/s"),), NONE, False


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
