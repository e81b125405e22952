"""Which motion is allowed now: held motion, tilting, returning, backing off; regions, pauses and grants.

Above level the table moves only while a button is held; automatic motion exists below level and ends at level.
`follow` keeps what has to be remembered, `velocity` says how fast, both from what the judge demands.
"""

from math import isqrt
from typing import Final

import msgspec

from config.limits import LEVEL_BAND_CDEG, LONGEST_BLIND_RETURN_MS, RETURN_AIM_CDEG, Limits
from safety.angle import A, Angles, B, votes_for_level
from safety.link import LATE_MS
from safety.people import People
from safety.signals import (
    DEMAND_ALLOW,
    DEMAND_HOLD,
    DEMAND_NO_DEEPENING,
    RAISE,
    RETURN,
    TILT,
    Arm,
    Demand,
    Readings,
    Wish,
)
from safety.straps import OPEN, Straps
from safety.timing import Timing

DEGREE_CDEG: Final = 100
SLOWEST_CDEG_S: Final = 15
CREEP_CDEG_S: Final = 50
ARRIVED_CDEG: Final = 10
PAUSE_MS: Final = 10_000
STILL_BEFORE_TILT_MS: Final = 5000
# A table is first found still when the last 500 ms were slow; 500 ms later it has stood for that long.
STOOD_MS: Final = 1000
FRESH_PRESS_MS: Final = 20_000
RAISE_PAUSE_CDEG: Final = 3000
RAISE_PAUSE_MS: Final = 10_000
BACK_OFF_CDEG: Final = 200
BACK_OFF_BELOW_CDEG: Final = -300
RELIEF_CDEG: Final = 100
EXCURSION_MS: Final = 6000
BLIND_MARGIN_MS: Final = 3000
CAP_MS: Final = 100_000

NO_GRANT: Final = 0
LOWER: Final = 1
DEEPEN: Final = 2
LIFT: Final = 3

NOT_HELD: Final = 0
HELD: Final = 1
HELD_IN_TROUBLE: Final = 2

NOT_RETURNING: Final = 0
PLAN_RETURN: Final = 1
JUDGED_RETURN: Final = 2

NO_EXCURSION_KIND: Final = 0
BACK_OFF: Final = 1
RELIEF: Final = 2


class Return(msgspec.Struct, frozen=True, gc=False):
    """A return under way: whose it is, its tone, its pause, and where both sensors stood when it began.

    `blind_ms` counts motion on a doubtful angle; `blind_out` says that it lasted too long (H08's HOLD).
    """

    kind: int = NOT_RETURNING
    tone_ms: int = 0
    pause_ms: int = 0
    from_a: int | None = None
    from_b: int | None = None
    blind_ms: int = 0
    blind_limit_ms: int = 0


NO_RETURN: Final = Return()


class Excursion(msgspec.Struct, frozen=True, gc=False):
    """A short creep that a block asks for: back off toward level (H14) or relieve outward (H15), and its end.

    It has `begun` when the table came to rest after the block; `spent_ms` counts the wait, then the creep.
    """

    kind: int = NO_EXCURSION_KIND
    to_cdeg: int = 0
    spent_ms: int = 0
    begun: bool = False


NO_EXCURSION: Final = Excursion()


class Moving(msgspec.Struct, frozen=True, gc=False):
    """What motion has led to: grants, the return, excursions, and the last command.

    `start_cdeg` is where the present motion started, None at rest. `held_panel` and
    `held_patient` are true from a fresh press of a held-motion button until its release. `blocked`, `demand` and
    `held` (whether a held button moves it, and whether in trouble) are the last step's.
    """

    grant: int = NO_GRANT
    back: Return = NO_RETURN
    pause_used: bool = False
    blind_out: bool = False
    excursion: Excursion = NO_EXCURSION
    relief_used: bool = False
    held_panel: bool = False
    held_patient: bool = False
    raise_free: bool = False
    raise_pause_ms: int = 0
    start_cdeg: int | None = None
    command_cdeg_s: int = 0
    useless_ms: int = 0
    blocked: bool = False
    demand: Demand = DEMAND_ALLOW
    held: int = NOT_HELD


AT_REST: Final = Moving()


class Seen(msgspec.Struct, frozen=True, gc=False):
    """What the motion rules need to know of this step. `angle_cdeg` is the last angle known."""

    readings: Readings
    angles: Angles
    straps: Straps
    people: People
    timing: Timing
    angle_cdeg: int
    still_ms: int
    armed: Arm | None
    over: bool
    elapsed_ms: int
    fresh: bool


def straps_open(seen: Seen) -> bool:
    """Whether a strap is open now, or not known."""
    straps = seen.straps
    return straps.left.contacts in (OPEN, None) or straps.right.contacts in (OPEN, None)


def may_deepen(seen: Seen) -> bool:
    """Whether everything that deepening needs is healthy, beyond a demand of ALLOW.

    Both sensors believed, straps closed, the patient's circuit closed, mains on, a session that is not over, a set
    left to begin or begun, and rest: a set that came back to level is not resumed before its 60 s.
    """
    timing = seen.timing
    armed = seen.armed
    if armed is None or seen.over or seen.angles.doubtful or not seen.straps.closed:
        return False
    if seen.people.patient_open or seen.readings.mains is not True or not seen.fresh:
        return False
    begun = timing.inverted_ms > 0
    if begun and (timing.rest_ms > 0 or seen.angle_cdeg >= -LEVEL_BAND_CDEG):
        return False
    return begun or timing.sets < armed.sets


def may_raise(seen: Seen) -> bool:
    """Whether the patient may be raised above level: rested for 60 s since the last inversion (H32), straps closed."""
    if seen.timing.inverted_ms or seen.angles.doubtful or not seen.fresh:
        return False
    return not (seen.armed is not None and straps_open(seen))


def approach(distance_cdeg: int, limit_cdeg_s: int, limits: Limits) -> int:
    """The speed at which the table can still come to rest gently within a distance; 0 when there is none left."""
    if distance_cdeg <= 0:
        return 0
    return min(limit_cdeg_s, max(SLOWEST_CDEG_S, isqrt(2 * limits.deceleration_cdeg_s2 * distance_cdeg)))


def begin_return(kind: int, seen: Seen, limits: Limits) -> Return:
    """Start a return: with a tone first, unless the table moves toward level already."""
    applied = seen.readings.applied_cdeg_s
    tone_ms = 0 if applied is not None and applied > 0 else limits.tone_ms
    deeper = seen.angles.deeper_cdeg
    depth = 0 if deeper is None else max(-deeper, 0)
    blind_limit_ms = min(12 * depth * 100 // limits.slow_cdeg_s + BLIND_MARGIN_MS, LONGEST_BLIND_RETURN_MS)
    return Return(kind, tone_ms, 0, seen.angles.a_cdeg, seen.angles.b_cdeg, 0, blind_limit_ms)


def arrived(back: Return, seen: Seen) -> bool:
    """Whether a return has reached level: by both sensors, or in doubt by two of three, or a moving one past 0°."""
    angles = seen.angles
    if not angles.doubtful:
        return seen.angle_cdeg >= RETURN_AIM_CDEG - ARRIVED_CDEG
    if votes_for_level(angles, seen.readings.level_switch) >= 2:
        return True
    # A lost sensor has no word: a loose contact may read anything.
    if not angles.lost & A and past_level(angles.a_cdeg, back.from_a):
        return True
    return not angles.lost & B and past_level(angles.b_cdeg, back.from_b)


def past_level(angle_cdeg: int | None, from_cdeg: int | None) -> bool:
    """Whether a sensor moved with the return and reads 0° or more."""
    return (
        angle_cdeg is not None and from_cdeg is not None and angle_cdeg >= 0 and angle_cdeg - from_cdeg >= CREEP_CDEG_S
    )


def follow_return(was: Return, seen: Seen, moving_ms: int) -> Return:
    """Count down tone and pause, and count motion on a doubtful angle; nobody sounded anything in a tick that hung."""
    applied = seen.readings.applied_cdeg_s
    pause_ms = max(was.pause_ms - seen.elapsed_ms, 0)
    tone_ms = was.tone_ms
    if tone_ms and not (applied is not None and applied < 0) and not was.pause_ms:
        tone_ms = max(tone_ms - min(seen.elapsed_ms, LATE_MS), 0)
    blind_ms = min(was.blind_ms + moving_ms, CAP_MS) if seen.angles.doubtful else 0
    return Return(was.kind, tone_ms, pause_ms, was.from_a, was.from_b, blind_ms, was.blind_limit_ms)


def return_speed(was: Moving, back: Return, slow: bool, seen: Seen, wish: Wish, limits: Limits) -> int:
    """How fast a return under way may go now: never toward the floor, slower near level, 0 while it waits."""
    if back.tone_ms or back.pause_ms:
        return 0
    limit = limits.speed_cdeg_s
    if seen.angles.doubtful:
        limit = min(limit, limits.degraded_cdeg_s)
    if slow:
        limit = min(limit, limits.slow_cdeg_s)
        limit = first_degree(was, 1, limit, seen, limits)
    if back.kind == PLAN_RETURN and seen.armed is not None:
        limit = min(limit, seen.armed.speed_cdeg_s)
    speed = approach(RETURN_AIM_CDEG - seen.angle_cdeg, limit, limits)
    if seen.angles.doubtful:
        return max(speed, CREEP_CDEG_S)
    if back.kind == PLAN_RETURN and SLOWEST_CDEG_S <= wish.velocity_cdeg_s < speed:
        return wish.velocity_cdeg_s
    return speed


def first_degree(was: Moving, sign: int, limit_cdeg_s: int, seen: Seen, limits: Limits) -> int:
    """The first degree of a motion proves its direction, at no more than 0.5°/s."""
    start = was.start_cdeg
    if start is None or was.command_cdeg_s * sign <= 0 or sign * (seen.angle_cdeg - start) < DEGREE_CDEG:
        return min(limit_cdeg_s, limits.first_degree_cdeg_s)
    return limit_cdeg_s


def held_toward_level(was: Moving, panel: bool, patient: bool, demand: Demand, seen: Seen, limits: Limits) -> int:
    """Motion by a held button under HOLD, and under STOP above level: from rest, toward level, slow."""
    held = seen.people.held
    angle = seen.angle_cdeg
    if was.held != HELD_IN_TROUBLE and not STOOD_MS <= seen.still_ms:
        return 0
    if angle < RETURN_AIM_CDEG and demand == DEMAND_HOLD:
        if (panel and held & RETURN) or patient:
            return approach(RETURN_AIM_CDEG - angle, first_degree(was, 1, limits.slow_cdeg_s, seen, limits), limits)
    elif angle > LEVEL_BAND_CDEG and panel and held & TILT and not (seen.armed is not None and straps_open(seen)):
        return -approach(angle, first_degree(was, -1, limits.slow_cdeg_s, seen, limits), limits)
    return 0


def wished(was: Moving, grant: int, raise_free: bool, seen: Seen, wish: Wish, limits: Limits) -> int:
    """The wish, cut to what region, grant, held button and limits allow, while nothing forbids motion."""
    want = wish.velocity_cdeg_s
    angle = seen.angle_cdeg
    if want < 0:
        if grant == LOWER and angle > 0:
            limit = first_degree(was, -1, min(-want, limits.above_cdeg_s), seen, limits)
            return -approach(angle - ARRIVED_CDEG, limit, limits)
        armed = seen.armed
        if grant != DEEPEN or armed is None or not may_deepen(seen) or seen.readings.end_down is not False:
            return 0
        # A tilt needs a press no older than 20 s (H24); one under way goes on.
        if was.command_cdeg_s >= 0 and not seen.people.presence_ms <= FRESH_PRESS_MS:
            return 0
        limit = first_degree(was, -1, min(-want, armed.speed_cdeg_s, limits.speed_cdeg_s), seen, limits)
        return -approach(angle - armed.cap_cdeg, limit, limits)
    if want > 0:
        # Within level a table that stands is left standing: noise about the aim is no reason to move.
        if angle < -LEVEL_BAND_CDEG or (was.command_cdeg_s > 0 and angle < RETURN_AIM_CDEG and grant != LIFT):
            limit = first_degree(was, 1, min(want, limits.speed_cdeg_s), seen, limits)
            return approach(RETURN_AIM_CDEG - angle, limit, limits)
        if grant == LIFT and may_raise(seen) and angle >= -LEVEL_BAND_CDEG and seen.readings.end_up is False:
            pausing = not raise_free and angle <= RAISE_PAUSE_CDEG + DEGREE_CDEG
            stops_at = RAISE_PAUSE_CDEG if pausing else limits.boarding_cdeg
            limit = first_degree(was, 1, min(want, limits.above_cdeg_s), seen, limits)
            return approach(stops_at - angle - ARRIVED_CDEG, limit, limits)
    return 0


def granted(was: Moving, demand: Demand, seen: Seen) -> int:
    """What TILT and RAISE give leave to do: a fresh TILT lowers to 0° from above, else deepens; a fresh RAISE lifts.

    The table must be still before a press that deepens, at level for 5 s. Anything but ALLOW takes the leave away, and
    so do letting go and any motion toward level; a tilt by one press goes on where the profile asks for no held TILT.
    """
    people = seen.people
    armed = seen.armed
    if people.held & RETURN:
        return NO_GRANT
    if demand != DEMAND_ALLOW:
        # Neither lowering from above nor raising is deepening.
        return NO_GRANT if demand != DEMAND_NO_DEEPENING or was.grant == DEEPEN else still_granted(was.grant, seen)
    if people.pressed & TILT:
        if seen.angle_cdeg > LEVEL_BAND_CDEG:
            return LOWER
        if armed is None or not may_deepen(seen):
            return NO_GRANT
        still_ms = STILL_BEFORE_TILT_MS if seen.angle_cdeg >= -LEVEL_BAND_CDEG else STOOD_MS
        return DEEPEN if still_ms <= seen.still_ms else NO_GRANT
    if people.pressed & RAISE:
        # A button held since before the rest was over lifts nobody when it is.
        return LIFT if may_raise(seen) else NO_GRANT
    if was.grant == DEEPEN and was.command_cdeg_s > 0:
        # Eased toward level, the table goes deeper only by a fresh press.
        return NO_GRANT
    if was.grant == DEEPEN and armed is not None and not armed.held_tilt:
        return DEEPEN
    return still_granted(was.grant, seen)


def still_granted(grant: int, seen: Seen) -> int:
    """A leave lasts as long as its button is held."""
    return grant if seen.people.held & (RAISE if grant == LIFT else TILT) else NO_GRANT


def raise_pause(was: Moving, seen: Seen) -> tuple[bool, int]:
    """The pause at +30°: raised further only after 10 s there and by a fresh press."""
    angle = seen.angle_cdeg
    if angle < RAISE_PAUSE_CDEG - DEGREE_CDEG:
        return False, 0
    pause_ms = was.raise_pause_ms
    if pause_ms < RAISE_PAUSE_MS and seen.readings.applied_cdeg_s == 0:
        pause_ms = pause_ms + seen.elapsed_ms
    free = was.raise_free or (seen.people.pressed & RAISE != 0 and pause_ms >= RAISE_PAUSE_MS)
    return free or angle > RAISE_PAUSE_CDEG + DEGREE_CDEG, pause_ms
