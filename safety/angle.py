"""Which angle sensors are believed, the angle they agree on, and its hazards: H01, H02, H08, H09, H36.

Two sensors are believed until one is missing, out of range or jumps alone (then it is lost), or both stay
apart for longer than sampling skew explains (then they are disputed and the deeper one counts). Neither heals
by itself: `restored` is called by RESET.
"""

from typing import Final

import msgspec

from config.limits import (
    DEVICE_LIMIT_CDEG,
    HIGHEST_BOARDING_CDEG,
    LEVEL_BAND_CDEG,
    RETURN_AIM_CDEG,
    SENSOR_HIGH_CDEG,
    SENSOR_LOW_CDEG,
)
from safety.link import FRESH_MS, LAPSE_MS
from safety.signals import Alarm, Cause, Demand

NONE: Final = 0
A: Final = 1
B: Final = 2
BOTH: Final = 3
APART_CDEG: Final = 200
APART_MS: Final = 200
JUMP_CDEG: Final = 150
BEYOND_CAP_CDEG: Final = 100
BEYOND_BOARDING_CDEG: Final = 200
VOTES: Final = 2
SWITCH_CDEG: Final = 300
NAMES: Final = ("", "A", "B", "both")


class Angles(msgspec.Struct, frozen=True, gc=False):
    """The sensors' last words; `lost` has a bit for each sensor no longer believed.

    `angle_cdeg` is the mean of both, the only one left, or the deeper one while they are disputed.
    """

    a_cdeg: int | None = None
    b_cdeg: int | None = None
    lost: int = NONE
    apart_ms: int = 0
    disputed: bool = False
    angle_cdeg: int | None = None
    deeper_cdeg: int | None = None

    @property
    def doubtful(self) -> bool:
        """Whether fewer than two sensors agree."""
        return self.lost != NONE or self.disputed


def follow(was: Angles, a: int | None, b: int | None, elapsed_ms: int) -> Angles:
    """Take in one new frame's two angles (centidegrees, None when not known).

    After a pause both have moved on, and which of them stepped cannot be told; apart they are found all the same.
    """
    lost = was.lost
    if a is None or not SENSOR_LOW_CDEG <= a <= SENSOR_HIGH_CDEG:
        lost |= A
    if b is None or not SENSOR_LOW_CDEG <= b <= SENSOR_HIGH_CDEG:
        lost |= B
    if lost == NONE and was.a_cdeg is not None and was.b_cdeg is not None and elapsed_ms <= LAPSE_MS:
        assert a is not None and b is not None
        steady_a = -JUMP_CDEG <= a - was.a_cdeg <= JUMP_CDEG
        steady_b = -JUMP_CDEG <= b - was.b_cdeg <= JUMP_CDEG
        if steady_a != steady_b:
            lost = B if steady_a else A
    return weigh(a, b, lost, was.apart_ms, was.disputed, elapsed_ms)


def weigh(a: int | None, b: int | None, lost: int, apart_ms: int, disputed: bool, elapsed_ms: int) -> Angles:
    """Say which angle counts, given which sensors are lost."""
    if lost == BOTH:
        return Angles(a, b, BOTH, 0, disputed, None, None)
    if lost == A:
        return Angles(a, b, A, 0, disputed, b, b)
    if lost == B:
        return Angles(a, b, B, 0, disputed, a, a)
    assert a is not None and b is not None
    if -APART_CDEG <= a - b <= APART_CDEG:
        apart_ms = 0
    else:
        apart_ms = min(apart_ms + min(elapsed_ms, FRESH_MS), APART_MS + 1)
        disputed = disputed or apart_ms > APART_MS
    deeper = a if a < b else b
    return Angles(a, b, NONE, apart_ms, disputed, deeper if disputed else (a + b) // 2, deeper)


def without(angles: Angles, sensors: int) -> Angles:
    """Stop believing some sensors, as when one is found frozen (H10)."""
    return weigh(angles.a_cdeg, angles.b_cdeg, angles.lost | sensors, angles.apart_ms, angles.disputed, 0)


def names_of(sensors: int) -> str:
    """What a cause calls some sensors in `where`; empty for none."""
    return NAMES[sensors]


def restorable(a: int | None, b: int | None) -> bool:
    """Whether both sensors, as they read now, could be believed again."""
    if a is None or b is None:
        return False
    in_range = SENSOR_LOW_CDEG <= a <= SENSOR_HIGH_CDEG and SENSOR_LOW_CDEG <= b <= SENSOR_HIGH_CDEG
    return in_range and -APART_CDEG <= a - b <= APART_CDEG


def restored(angles: Angles) -> Angles:
    """Believe both sensors again; called by RESET after `restorable` said yes."""
    return weigh(angles.a_cdeg, angles.b_cdeg, NONE, 0, False, 0)


def causes(angles: Angles, cap_cdeg: int, boarding_cdeg: int, clean: bool, blind_out: bool, now: list[Cause]) -> None:
    """Add every cause of this file; the first expression is the all-clear of the checks that follow it."""
    angle, deeper = angles.angle_cdeg, angles.deeper_cdeg
    if not angles.lost and not angles.disputed and angle is not None and deeper is not None:
        if cap_cdeg - BEYOND_CAP_CDEG <= angle <= boarding_cdeg and DEVICE_LIMIT_CDEG <= deeper:
            return
    beyond_cap(angles, cap_cdeg, now)
    beyond_device(angles, clean, now)
    one_sensor_left(angles, blind_out, now)
    no_sensor_left(angles, now)
    raised_too_far(angles, boarding_cdeg, now)


def beyond_cap(angles: Angles, cap_cdeg: int, now: list[Cause]) -> None:
    """H01: the mean angle is 1° beyond the session's cap, or beyond −1° while nothing is armed."""
    angle = angles.angle_cdeg
    if angle is not None and not cap_cdeg - BEYOND_CAP_CDEG <= angle:
        now.append(
            Cause("H01", Demand.RETURN, Alarm.MEDIUM, angle, cap_cdeg - BEYOND_CAP_CDEG, "cdeg"),
        )


def beyond_device(angles: Angles, motion_clean: bool, now: list[Cause]) -> None:
    """H02: the deeper reading is beyond −62°: a slow return if H10 to H13 are clean, else HOLD."""
    deeper = angles.deeper_cdeg
    if deeper is not None and not DEVICE_LIMIT_CDEG <= deeper:
        demand = Demand.RETURN if motion_clean else Demand.HOLD
        now.append(Cause("H02", demand, Alarm.HIGH, deeper, DEVICE_LIMIT_CDEG, "cdeg", slow=True))


def one_sensor_left(angles: Angles, blind_out: bool, now: list[Cause]) -> None:
    """H08: the sensors disagree, or one is lost: a slow return on what is left, HOLD when that took too long."""
    demand = Demand.HOLD if blind_out else Demand.RETURN
    if angles.lost in (A, B):
        now.append(Cause("H08", demand, Alarm.HIGH, 1, 2, "sensors", slow=True, where=names_of(angles.lost)))
    elif angles.disputed and angles.lost == NONE:
        assert angles.a_cdeg is not None and angles.b_cdeg is not None
        apart = abs(angles.a_cdeg - angles.b_cdeg)
        # Nobody knows which of them is wrong.
        now.append(Cause("H08", demand, Alarm.HIGH, apart, APART_CDEG, "cdeg", slow=True, where=names_of(BOTH)))


def no_sensor_left(angles: Angles, now: list[Cause]) -> None:
    """H09: both angles are lost, nothing electric can be trusted to bring the patient back."""
    if angles.lost == BOTH:
        now.append(Cause("H09", Demand.CUT, Alarm.HIGH, 0, 1, "sensors"))


def raised_too_far(angles: Angles, boarding_cdeg: int, now: list[Cause]) -> None:
    """H36: raised 2° beyond the boarding angle of this table (never beyond +85°)."""
    limit = min(boarding_cdeg + BEYOND_BOARDING_CDEG, HIGHEST_BOARDING_CDEG)
    angle = angles.angle_cdeg
    if angle is not None and not angle <= limit:
        now.append(Cause("H36", Demand.STOP, Alarm.MEDIUM, angle, limit, "cdeg"))


def where(angles: Angles, level_switch: bool | None) -> int | None:
    """The angle that counts: in doubt it is level as soon as two of A, B and the level switch say level."""
    angle = angles.angle_cdeg
    if angle is None or angle >= -LEVEL_BAND_CDEG or not (angles.lost or angles.disputed):
        return angle
    return -LEVEL_BAND_CDEG if votes_for_level(angles, level_switch) >= VOTES else angle


def switch_agrees(level_switch: bool | None, angle_cdeg: int) -> bool:
    """Whether the level switch is within 3° of the angle that both sensors agree on."""
    if level_switch is None:
        return False
    if level_switch:
        return angle_cdeg <= RETURN_AIM_CDEG + SWITCH_CDEG
    return angle_cdeg >= RETURN_AIM_CDEG - SWITCH_CDEG


def switch_wrong(was: bool, angles: Angles, level_switch: bool | None) -> bool:
    """Whether the level switch was caught more than 3° from the agreed angle, and has not been right there since.

    At level a stuck switch cannot be told from a good one; on the way down from boarding it can.
    """
    angle = angles.angle_cdeg
    if angle is None or angles.lost or angles.disputed:
        return was
    if not switch_agrees(level_switch, angle):
        return True
    telling = not -SWITCH_CDEG <= angle - RETURN_AIM_CDEG <= SWITCH_CDEG
    return was and not telling


def votes_for_level(angles: Angles, level_switch: bool | None) -> int:
    """How many of A, B and the level switch say level or above (H08's end of a blind return)."""
    votes = 0
    if not angles.lost & A and angles.a_cdeg is not None and angles.a_cdeg >= -LEVEL_BAND_CDEG:
        votes += 1
    if not angles.lost & B and angles.b_cdeg is not None and angles.b_cdeg >= -LEVEL_BAND_CDEG:
        votes += 1
    if level_switch is False:
        votes += 1
    return votes
