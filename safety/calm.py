"""The short way through a step: a table that rests as it rested, with nobody touching anything.

Most of a session is rest, and in a step of rest only clocks move on. When a step that made every check found nothing,
changed nothing that any check looks at, and was asked for nothing, then `found` notes what it saw; as long as the next
steps see the same, within bounds in which no check can change its mind, `again` says what all of them would say.
Whatever it cannot vouch for it leaves to the full step by returning None. It never decides anything: a motion, a
press, a cause, a prompt or a doubt each ends it. The tests take both ways in every step of theirs, and compare.
"""

from typing import Final

from msgspec.structs import astuple

from config.limits import DEVICE_LIMIT_CDEG, INVERTED_CDEG, LEVEL_BAND_CDEG, Limits
from safety import link, people, timing, track
from safety.angle import BEYOND_CAP_CDEG, NONE, Angles
from safety.judged import NOTHING, Calm, Judged
from safety.link import Link
from safety.people import PROMPT_MS, RELEASED, People
from safety.signals import DEMAND_ALLOW, Alarm, Command, Decision, Readings, Region, Wish
from safety.standing import DEGREE_CDEG

# Elapsed time, sequence, two ages and two angles come first in `Readings`.
COUNTED: Final = 6
# Half of what a sensor may jump (1.5°), and far less than two may differ (2°).
NEAR_CDEG: Final = 50
NO_ALARM: Final = Alarm.NONE


def asks_nothing(wish: Wish) -> bool:
    """Whether the session wishes for no motion and has no request."""
    return not (
        wish.velocity_cdeg_s
        or wish.plan_return
        or wish.arm is not None
        or wish.disarm
        or wish.stop_because
        or wish.return_because
    )


def found(was: Judged, now: Judged, readings: Readings, wish: Wish, decision: Decision, limits: Limits) -> Calm | None:
    """Note what a full step saw, if it left an armed table at rest and everything as it was but clocks."""
    angles, drive, crowd, armed = now.angles, now.drive, now.people, now.armed
    quiet_at, from_a, from_b = now.track.quiet_at, drive.rest_a, drive.rest_b
    a, b, current = angles.a_cdeg, angles.b_cdeg, readings.current_ma
    if quiet_at is None or armed is None or from_a is None or from_b is None or a is None or b is None:
        return None
    unchanged = (
        now.moving is was.moving
        and drive is was.drive
        and now.straps is was.straps
        and now.supply is was.supply
        and armed is was.armed
        and now.echo is was.echo
        and now.over is was.over
        and now.switch_wrong is was.switch_wrong
        and crowd.patient == was.people.patient
        and crowd.patient_open is was.people.patient_open
    )
    quiet = (
        not decision.causes
        and decision.demand == DEMAND_ALLOW
        and decision.prompts == ()
        and decision.refusals == ()
        and not now.latched
        and asks_nothing(wish)
        and not (now.host_stop or now.unread_ms or now.strap_wait_ms)
        and not (now.supply.heat or now.supply.mains_ms)
        and readings.mains is True
        and current is not None
        and current * current <= limits.thermal_leak_ma2
        and now.link == Link(True, readings.sequence)
        and crowd
        == People(presence_ms=crowd.presence_ms, patient_open=crowd.patient_open, patient=crowd.patient, booted=True)
        and angles.lost == NONE
        and not angles.disputed
        and now.track.short_cdeg_s == 0
    )
    if not unchanged or not quiet:
        return None
    near = quiet_at // 2
    low = max(
        near - NEAR_CDEG,
        from_a - DEGREE_CDEG,
        from_b - DEGREE_CDEG,
        armed.cap_cdeg - BEYOND_CAP_CDEG,
        DEVICE_LIMIT_CDEG,
    )
    high = min(near + NEAR_CDEG, from_a + DEGREE_CDEG, from_b + DEGREE_CDEG, LEVEL_BAND_CDEG)
    region = decision.region
    if region == Region.LEVEL:
        low = max(low, -LEVEL_BAND_CDEG)
    elif region == Region.BELOW:
        low, high = max(low, INVERTED_CDEG), min(high, -LEVEL_BAND_CDEG - 1)
    elif region == Region.INVERTED:
        high = min(high, INVERTED_CDEG - 1)
    else:
        return None
    # From beyond these bounds a reading could come back within them by a jump that only the full step sees.
    if not (low <= a <= high and low <= b <= high):
        return None
    seen = astuple(readings)[COUNTED:]
    return Calm(seen, limits, low, high, armed.set_limit_s * 1000, region, decision.proofs)


def again(was: Judged, calm: Calm, readings: Readings, wish: Wish, limits: Limits) -> tuple[Judged, Decision] | None:
    """Say what a full step would, when all that it sees is what `calm` saw; None when it is not."""
    read = astuple(readings)
    elapsed_ms, sequence, age_ms, slow_age_ms, a, b = read[:COUNTED]
    if read[COUNTED:] != calm.seen or limits is not calm.limits or not asks_nothing(wish):
        return None
    if sequence == was.link.sequence or not 0 <= elapsed_ms <= link.LATE_MS:
        return None
    if not (0 <= age_ms <= link.FRESH_MS and 0 <= slow_age_ms <= link.SLOW_FRESH_MS):
        return None
    low, high = calm.low_cdeg, calm.high_cdeg
    if a is None or b is None or not (low <= a <= high and low <= b <= high):
        return None
    angle = (a + b) // 2
    angles = Angles(a, b, NONE, 0, False, angle, a if a < b else b)
    speed = track.follow(was.track, angles, 0, elapsed_ms)
    if speed.quiet_at is None or speed.short_cdeg_s:
        return None
    time = timing.follow(was.timing, angle, elapsed_ms, limits.rest_s)
    presence_ms = was.people.presence_ms + elapsed_ms
    if presence_ms > people.CAP_MS:
        presence_ms = people.CAP_MS
    inverted_ms = time.inverted_ms
    if angle < -LEVEL_BAND_CDEG and (presence_ms >= PROMPT_MS or not inverted_ms <= calm.set_limit_ms):
        return None
    crowd = was.people
    armed = was.armed
    assert armed is not None
    state = Judged(
        angles,
        speed,
        was.drive,
        was.supply,
        was.straps,
        People(True, 0, 0, 0, 0, 0, 0, presence_ms, RELEASED, crowd.patient, crowd.patient_open),
        time,
        Link(True, sequence),
        was.moving,
        NOTHING,
        armed,
        was.over,
        0,
        0,
        False,
        angle,
        was.switch_wrong,
        was.echo,
        calm,
    )
    command = Command(
        0, DEMAND_ALLOW, True, None, False, False, "", sequence, armed.session_id, False, presence_ms <= PROMPT_MS
    )
    return state, Decision(
        command,
        DEMAND_ALLOW,
        NOTHING,
        NO_ALARM,
        calm.region,
        angle,
        speed.still_ms,
        armed,
        False,
        False,
        (),
        (),
        calm.proofs,
        inverted_ms,
        presence_ms,
        was.over,
    )
