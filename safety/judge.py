"""The judge: one pure step from what was remembered and what is read and wished, to what is allowed and why.

`step(state, readings, wish, limits)` has no clock, no input or output and no floats. Its list of checks reads
like the hazard table: same ids, same order. Every check adds its causes; the worst demand wins; causes from
STOP upward stay latched until what clears them happens.
"""

from typing import Final

import msgspec

from config.limits import INVERTED_CDEG, LEVEL_BAND_CDEG, Limits
from safety import angle as angle_checks
from safety import (
    arming,
    calm,
    drive,
    echo,
    host,
    latches,
    link,
    motion,
    people,
    standing,
    straps,
    supply,
    timing,
    track,
)
from safety.echo import Echo
from safety.judged import NOTHING, Judged
from safety.moving import JUDGED_RETURN, NOT_RETURNING, PLAN_RETURN, Seen
from safety.signals import (
    DEMAND_ALLOW,
    DEMAND_RETURN,
    DEMAND_STOP,
    Alarm,
    Arm,
    Cause,
    Command,
    Decision,
    Demand,
    Proofs,
    Readings,
    Region,
    Wish,
)
from safety.standing import Drive
from safety.supply import Supply
from safety.timing import Timing

NO_PROMPTS: Final[tuple[str, ...]] = ()
UNKNOWN, ABOVE, LEVEL, BELOW, INVERTED = Region
NO_ALARM: Final = Alarm.NONE
AT_BOOT: Final = ("H19", "H29")
UNARMED_CAP_CDEG: Final = -100
LONGEST_GAP_MS: Final = 1_000_000
YES_NO: Final = (False, True)
PROOFS: Final = tuple(
    Proofs(proven, confirmed, read_back, patient)
    for proven in YES_NO
    for confirmed in YES_NO
    for read_back in YES_NO
    for patient in YES_NO
)


def step(was: Judged, readings: Readings, wish: Wish, limits: Limits) -> tuple[Judged, Decision]:
    """Judge one tick. Returns what to remember and the decision."""
    if was.calm is not None:
        again = calm.again(was, was.calm, readings, wish, limits)
        if again is not None:
            return again
    return in_full(was, readings, wish, limits)


def in_full(was: Judged, readings: Readings, wish: Wish, limits: Limits) -> tuple[Judged, Decision]:
    """Judge one tick with every check."""
    elapsed_ms = readings.elapsed_ms
    if not 0 <= elapsed_ms <= LONGEST_GAP_MS:
        # No clock runs backward, and after so long a gap every counter is at its end.
        elapsed_ms = 0 if elapsed_ms < 0 else LONGEST_GAP_MS
        readings = msgspec.structs.replace(readings, elapsed_ms=elapsed_ms)
    unread_ms = was.unread_ms + elapsed_ms
    if unread_ms > LONGEST_GAP_MS:
        unread_ms = LONGEST_GAP_MS
    fresh = readings.sequence != was.link.sequence and 0 <= readings.age_ms <= link.FRESH_MS
    armed = was.armed
    watched = armed is not None or was.timing.last_cdeg < -LEVEL_BAND_CDEG
    new_link = link.follow(
        was.link, readings, fresh, 0 if fresh else unread_ms, watched, was.moving.command_cdeg_s != 0
    )
    angles, speed, straps_now, drive_now = was.angles, was.track, was.straps, was.drive
    found = NOTHING
    clean = True
    agreed = angles
    switch_wrong = was.switch_wrong
    if fresh:
        angles = angle_checks.follow(angles, readings.angle_a_cdeg, readings.angle_b_cdeg, unread_ms)
        speed = track.follow(speed, angles, readings.applied_cdeg_s, unread_ms)
        seen_ms = unread_ms if unread_ms < link.FRESH_MS else link.FRESH_MS
        people_now = people.follow(was.people, readings, seen_ms, armed, limits)
        below_5 = was.timing.last_cdeg < INVERTED_CDEG
        straps_now = straps.follow(
            straps_now,
            readings.strap_left,
            readings.strap_right,
            people.confirm_pressed(people_now),
            seen_ms,
            armed is not None or below_5,
        )
        moving = was.moving
        asked = moving.command_cdeg_s > 0 and was.timing.last_cdeg < -LEVEL_BAND_CDEG
        drive_now, found, frozen, clean = drive.follow(
            drive_now, readings, unread_ms, angles, speed, armed is not None, moving.held != 0, asked, limits
        )
        # A sensor found frozen is lost from here on; what is said of it in this step is H10.
        agreed = angles
        if frozen:
            angles = angle_checks.without(angles, frozen)
        heat = supply.follow(
            was.supply, readings, unread_ms, limits, moving.back.kind != NOT_RETURNING, moving.command_cdeg_s > 0
        )
        at = angle_checks.where(angles, readings.level_switch)
        if armed is None:
            switch_wrong = angle_checks.switch_wrong(switch_wrong, angles, readings.level_switch)
        timing_now = timing.follow(was.timing, at, elapsed_ms, limits.rest_s)
        unread_ms = 0
    else:
        people_now = people.without_news(was.people, elapsed_ms)
        heat = was.supply
        at = was.at_cdeg
        timing_now = timing.follow(was.timing, None, elapsed_ms, limits.rest_s)

    where = timing_now.last_cdeg
    below = where < -LEVEL_BAND_CDEG
    inverted = where < INVERTED_CDEG
    host_stop = wish.stop_because != ""
    recent = unread_ms <= link.FRESH_MS and 0 <= readings.age_ms <= link.FRESH_MS
    waiting = armed is not None and armed.strap_wait and not new_link.lapse_ms
    if waiting:
        waiting = was.strap_wait_ms <= latches.STRAP_WAIT_MS and people_now.presence_ms <= people.PROMPT_MS

    # The hazard table, one file a concern; the causes are put in the table's order below.
    now: list[Cause] = []
    angle_checks.causes(
        agreed,
        UNARMED_CAP_CDEG if armed is None else armed.cap_cdeg,
        limits.boarding_cdeg,
        clean and drive_now.caught == standing.FREE,
        was.moving.blind_out,
        now,
    )
    if inverted:
        timing.inverted_too_long(timing_now, inverted, armed, limits, now)
    if armed is not None or inverted:
        straps.causes(straps_now, inverted, armed is not None, waiting, now)
    if found:
        now.extend(found)
    supply.causes(heat, readings, limits, now)
    link.causes(new_link, readings, below, now)
    guard = echo.guard_of(readings)
    if guard is not None:
        echo.causes(guard, now, was.latched, was.moving.back.kind == JUDGED_RETURN)
    elif not was.link.booted and fresh:
        link.booted_below(angles.angle_cdeg, now)
    host.began_elsewhere(readings, guard, armed, was.echo.asked, where, now)
    host.unrecorded(readings, armed, below, now)
    people.causes(people_now, readings, armed is not None, below, host_stop and not was.host_stop, now)
    if len(now) > 1:
        now.sort(key=code_of)
        if not was.link.booted and now[0].code not in AT_BOOT:
            now.sort(key=is_not_boot)

    latched = was.latched
    strap_wait_ms = was.strap_wait_ms
    over = was.over
    reset = False
    if now or latched:
        latched = latches.kept(latched, now, new_link, people_now, speed.still_ms)
        if len(latched) > len(was.latched):
            people_now = people.without_ack(people_now)
        latched, strap_wait_ms = latches.waited(latched, strap_wait_ms, waiting, elapsed_ms)
        over = over or latches.ends_session(latched)
        level_now = latches.level_now(angles)
        resettable = people_now.ack_ms >= people.RESET_MS and not echo.holds_latches(readings)
        if resettable and latches.clears(latched, now, angles, level_now, speed.still_ms):
            reset = True
            latched = NOTHING
            angles = angle_checks.restored(angles)
            people_now = people.without_ack(people.after_reset(people_now))
            straps_now = straps.excused(straps_now)
            drive_now = Drive()
            new_link = link.cleared(new_link)
            strap_wait_ms = 0
            now = [cause for cause in now if cause.demand < DEMAND_STOP]
    else:
        strap_wait_ms = 0

    if guard is not None and guard.demand >= DEMAND_RETURN:
        over = True
    seen = Seen(
        readings,
        angles,
        straps_now,
        people_now,
        timing_now,
        where,
        speed.still_ms,
        armed,
        over,
        elapsed_ms,
        recent,
    )
    moving_now, demand, command_cdeg_s = motion.decide(was.moving, seen, wish, latched, now, reset, limits)

    refusals: tuple[Cause, ...] = NOTHING
    waiting_for = was.echo
    if wish.arm is not None:
        refusals = arm_refusals(wish.arm, seen, heat, switch_wrong, demand, limits)
        if not refusals:
            waiting_for = Echo(wish.arm)
    elif wish.disarm:
        if armed is None or motion.may_disarm(seen):
            waiting_for = Echo(leaving=True)
        else:
            refusals = (arming.refusal("H32", timing_now.rest_ms // 1000, limits.rest_s, "s of rest, level and still"),)
    arm, disarm = waiting_for.asked, waiting_for.leaving
    if arm is not None or disarm:
        waiting_for, so, why_not = echo.heard(waiting_for, readings, elapsed_ms)
        refusals += why_not
        if so and arm is not None:
            armed, over = arm, False
            timing_now = Timing(last_cdeg=where)
            drive_now = standing.at_rest_here(drive_now, angles)
        elif so:
            armed, over = None, False
            straps_now = straps.forgotten(straps_now)
            people_now = people.forgotten(people_now)
    elif armed is not None and guard is not None and fresh and guard.session_id != armed.session_id:
        # The guard was reset, or follows somebody else: nothing goes on as if it had not.
        over = True
        if not below:
            armed = None

    state = Judged(
        angles,
        speed,
        drive_now,
        heat,
        straps_now,
        people_now,
        timing_now,
        new_link,
        moving_now,
        latched,
        armed,
        over,
        unread_ms,
        strap_wait_ms,
        host_stop,
        at,
        switch_wrong,
        waiting_for,
    )
    causes, alarm, trip = NOTHING, NO_ALARM, ""
    if now or latched:
        causes = latches.shown(latched, now)
        # What the guard demands sounds as it must, also where the host knows its cause already and for less.
        alarm = max([cause.alarm for cause in (*causes, *now)], default=NO_ALARM)
        trip = latches.behind(causes, demand) if demand >= DEMAND_STOP else ""
    command = Command(
        command_cdeg_s,
        demand,
        not new_link.lapse_ms or (new_link.hung and recent),
        arm,
        disarm,
        reset,
        trip,
        readings.sequence,
        0 if armed is None else armed.session_id,
        moving_now.back.kind == PLAN_RETURN,
        people_now.presence_ms <= people.PROMPT_MS,
    )
    back = moving_now.back.kind != NOT_RETURNING
    prompting = people_now.raw or below or not straps_now.read_back
    decision = Decision(
        command,
        demand,
        causes,
        alarm,
        region_of(at),
        at,
        speed.still_ms,
        armed,
        back,
        back and demand <= DEMAND_RETURN,
        motion.prompts(moving_now, seen) if prompting else NO_PROMPTS,
        refusals,
        PROOFS[
            8 * straps_now.proven
            + 4 * straps_now.confirmed
            + 2 * straps_now.read_back
            + (people_now.patient == people.PROVEN)
        ],
        timing_now.inverted_ms,
        people_now.presence_ms,
        over,
    )
    if speed.quiet_at is not None and armed is not None:
        rests = calm.found(was, state, readings, wish, decision, limits)
        if rests is not None:
            state = msgspec.structs.replace(state, calm=rests)
    return state, decision


def code_of(cause: Cause) -> str:
    """The order of causes that appear together: that of the hazard table."""
    return cause.code


def is_not_boot(cause: Cause) -> bool:
    """At the first frame, that it was begun elsewhere, or by nobody, is why everything else is so."""
    return cause.code not in AT_BOOT


def arm_refusals(
    arm: Arm, seen: Seen, heat: Supply, switch_wrong: bool, demand: Demand, limits: Limits
) -> tuple[Cause, ...]:
    """Every reason against ARM, in the order of the table; while armed, the session has to be ended first."""
    found = arming.of_table(
        seen.readings, seen.angles, switch_wrong, seen.straps, seen.people, heat, seen.still_ms > 0, limits
    )
    found += arming.of_plan(arm, limits)
    found += arming.of_person(arm, seen.readings, seen.straps, limits)
    if seen.armed is not None:
        found.append(arming.refusal("H30", 1, 0, "sessions armed already"))
    if demand != DEMAND_ALLOW:
        found.append(arming.refusal("H30", int(demand), 0, "demand still in force"))
    if seen.timing.inverted_ms:
        found.append(arming.refusal("H32", seen.timing.rest_ms // 1000, limits.rest_s, "s of rest"))
    if not seen.fresh:
        found.append(arming.refusal("H18", seen.readings.age_ms, link.FRESH_MS, "ms"))
    return tuple(sorted(found, key=lambda cause: cause.code))


def region_of(angle_cdeg: int | None) -> Region:
    """Name the region of an angle."""
    if angle_cdeg is None:
        return UNKNOWN
    if angle_cdeg > LEVEL_BAND_CDEG:
        return ABOVE
    if angle_cdeg >= -LEVEL_BAND_CDEG:
        return LEVEL
    return INVERTED if angle_cdeg < INVERTED_CDEG else BELOW
