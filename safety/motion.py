"""How the worst demand becomes one velocity: the order of demands, returns made by the judge, held motion."""

import msgspec

from config.limits import LEVEL_BAND_CDEG, RETURN_AIM_CDEG, Limits
from safety import moving
from safety.link import LAPSE_MS
from safety.moving import (
    JUDGED_RETURN,
    NO_EXCURSION,
    NO_RETURN,
    NOT_RETURNING,
    PLAN_RETURN,
    Excursion,
    Moving,
    Return,
    Seen,
)
from safety.people import PROMPT_MS, USELESS_MS
from safety.signals import (
    DEMAND_ALLOW,
    DEMAND_CUT,
    DEMAND_HOLD,
    DEMAND_RETURN,
    DEMAND_STOP,
    RAISE,
    RETURN,
    STOP,
    TILT,
    Cause,
    Demand,
    Wish,
)
from safety.straps import check_the_buckle


def decide(
    was: Moving,
    seen: Seen,
    wish: Wish,
    latched: tuple[Cause, ...],
    now: list[Cause],
    reset: bool,
    limits: Limits,
) -> tuple[Moving, Demand, int]:
    """Return what to remember, the demand in force and the velocity to command (centidegrees a second)."""
    if reset:
        was = Moving(raise_free=was.raise_free, raise_pause_ms=was.raise_pause_ms)
    calm = not latched and not now
    idle = calm and not (was.command_cdeg_s or was.back.kind or was.grant or was.pause_used or was.useless_ms)
    if idle and not (wish.velocity_cdeg_s or wish.plan_return or wish.return_because or seen.people.raw):
        free, pause_ms = moving.raise_pause(was, seen)
        if free == was.raise_free and pause_ms == was.raise_pause_ms and was.demand == DEMAND_ALLOW:
            return was, DEMAND_ALLOW, 0
    worst = DEMAND_ALLOW
    slow = False
    wants_return = False
    for causes in (latched, now):
        for cause in causes:
            if cause.demand == DEMAND_RETURN:
                wants_return = True
                slow = slow or cause.slow
            if cause.demand > worst:
                worst = cause.demand
    back, pause_used = returning(was, seen, wish, worst, wants_return, now, limits)
    demand = worst
    if back.kind == JUDGED_RETURN:
        demand = max(worst, DEMAND_RETURN)
    elif worst == DEMAND_RETURN:
        demand = DEMAND_STOP
    elif back.kind == PLAN_RETURN and worst == DEMAND_STOP:
        # The plan's own way back is a return under way: a lesser cause does not end it.
        demand = DEMAND_RETURN
    going, relief_used = NO_EXCURSION, was.relief_used
    if now or was.excursion is not NO_EXCURSION:
        going, relief_used = excursion(was, seen, demand, now, limits)
    panel, patient = held_freshly(was, seen, now, demand)
    grant = moving.granted(was, demand, seen) if back.kind == NOT_RETURNING else moving.NO_GRANT
    free, pause_ms = moving.raise_pause(was, seen)
    velocity = 0
    if demand != DEMAND_CUT:
        velocity = velocity_of(was, demand, back, going, grant, free, panel, patient, slow, seen, wish, limits)
    if velocity == 0:
        start = None
    elif was.start_cdeg is None or velocity * was.command_cdeg_s <= 0:
        start = seen.angle_cdeg
    else:
        start = was.start_cdeg
    useless_ms = 0
    # In a return that sounds its tone or is paused, a held RETURN is not held in vain.
    if not velocity and seen.people.raw & (TILT | RAISE | RETURN if back.kind == NOT_RETURNING else TILT | RAISE):
        useless_ms = min(was.useless_ms + seen.elapsed_ms, USELESS_MS)
    after = Moving(
        grant,
        back,
        pause_used,
        was.blind_out or (back.kind != NOT_RETURNING and 0 < back.blind_limit_ms <= back.blind_ms),
        going,
        relief_used,
        panel,
        patient,
        free,
        pause_ms,
        start,
        velocity,
        useless_ms,
        bool(now) and any(cause.code in ("H14", "H15") for cause in now),
        demand,
        held_by(velocity, demand, back, going, grant),
    )
    return after, demand, velocity


def held_by(velocity: int, demand: Demand, back: Return, going: Excursion, grant: int) -> int:
    """Whether a held button moves the table, and whether in trouble."""
    if not velocity or back.kind != NOT_RETURNING or going.begun:
        return moving.NOT_HELD
    if demand >= DEMAND_STOP:
        return moving.HELD_IN_TROUBLE
    return moving.HELD if grant in (moving.LOWER, moving.LIFT) else moving.NOT_HELD


def velocity_of(
    was: Moving,
    demand: Demand,
    back: Return,
    going: Excursion,
    grant: int,
    raise_free: bool,
    panel: bool,
    patient: bool,
    slow: bool,
    seen: Seen,
    wish: Wish,
    limits: Limits,
) -> int:
    """The velocity that a demand below CUT leaves."""
    if demand >= DEMAND_STOP and (demand == DEMAND_HOLD or back.kind == NOT_RETURNING):
        creep = excursion_speed(going, seen, limits)
        return creep or moving.held_toward_level(was, panel, patient, demand, seen, limits)
    if back.kind != NOT_RETURNING:
        return moving.return_speed(was, back, slow, seen, wish, limits)
    velocity = moving.wished(was, grant, raise_free, seen, wish, limits)
    deepening = velocity < 0 and seen.angle_cdeg < LEVEL_BAND_CDEG and grant != moving.LOWER
    return 0 if deepening and demand != DEMAND_ALLOW else velocity


def returning(
    was: Moving, seen: Seen, wish: Wish, worst: Demand, wants_return: bool, now: list[Cause], limits: Limits
) -> tuple[Return, bool]:
    """Begin, carry on, pause or end a return; also whether its one pause is used up."""
    back = was.back
    if worst >= DEMAND_HOLD:
        return NO_RETURN, was.pause_used
    below = seen.angle_cdeg < -LEVEL_BAND_CDEG
    pressed = seen.people.pressed & RETURN != 0
    asked = pressed or wish.return_because != ""
    if back.kind == NOT_RETURNING:
        if below and (wants_return or asked):
            return moving.begin_return(JUDGED_RETURN, seen, limits), was.pause_used
        if below and wish.plan_return and worst < DEMAND_STOP:
            return moving.begin_return(PLAN_RETURN, seen, limits), was.pause_used
        return NO_RETURN, was.pause_used and (wants_return or worst >= DEMAND_STOP)
    moved_ms = seen.elapsed_ms if was.command_cdeg_s > 0 and seen.elapsed_ms <= LAPSE_MS else 0
    back = moving.follow_return(back, seen, moved_ms)
    if moving.arrived(back, seen):
        return NO_RETURN, was.pause_used
    if back.kind == PLAN_RETURN and (wants_return or asked):
        back = msgspec.structs.replace(back, kind=JUDGED_RETURN)
    if pressed:
        back = msgspec.structs.replace(back, pause_ms=0)
    elif not was.pause_used and stop_pressed(seen, now):
        return msgspec.structs.replace(back, pause_ms=moving.PAUSE_MS), True
    return back, was.pause_used


def stop_pressed(seen: Seen, now: list[Cause]) -> bool:
    """Whether STOP was pressed afresh in this step, or the host asked for it; one that is held does nothing."""
    return seen.people.pressed & STOP != 0 or any(cause.code == "STOP" and cause.by == "host" for cause in now)


def excursion(was: Moving, seen: Seen, demand: Demand, now: list[Cause], limits: Limits) -> tuple[Excursion, bool]:
    """Start, carry on or end a back-off (H14) or the one relief (H15); also whether the relief is used up."""
    angle = seen.angle_cdeg
    going, used = was.excursion, was.relief_used
    for cause in now:
        if cause.code == "H14":
            if was.blocked:
                continue
            going = NO_EXCURSION
            if was.excursion is NO_EXCURSION and angle < moving.BACK_OFF_BELOW_CDEG:
                going = Excursion(moving.BACK_OFF, min(angle + moving.BACK_OFF_CDEG, RETURN_AIM_CDEG))
        elif cause.code == "H15":
            if was.blocked:
                continue
            going = NO_EXCURSION
            if not used:
                going = Excursion(moving.RELIEF, max(angle - moving.RELIEF_CDEG, seen.timing.deepest_cdeg))
            used = True
    if going is NO_EXCURSION:
        return going, used
    spent_ms = going.spent_ms + seen.elapsed_ms
    begun = going.begun
    if not begun and moving.STOOD_MS <= seen.still_ms:
        spent_ms, begun = 0, True
    fits = demand == DEMAND_STOP if going.kind == moving.BACK_OFF else demand == DEMAND_HOLD and seen.straps.closed
    if not fits or seen.angles.doubtful or spent_ms > moving.EXCURSION_MS:
        return NO_EXCURSION, used
    going = Excursion(going.kind, going.to_cdeg, spent_ms, begun)
    return NO_EXCURSION if begun and not excursion_speed(going, seen, limits) else going, used


def excursion_speed(going: Excursion, seen: Seen, limits: Limits) -> int:
    """The velocity of a back-off or relief: from rest, creeping to its end; 0 without one."""
    if not going.begun:
        return 0
    left = going.to_cdeg - seen.angle_cdeg
    if going.kind == moving.BACK_OFF:
        return moving.approach(left - moving.ARRIVED_CDEG, limits.first_degree_cdeg_s, limits)
    return -moving.approach(-left - moving.ARRIVED_CDEG, limits.first_degree_cdeg_s, limits)


def held_freshly(was: Moving, seen: Seen, now: list[Cause], demand: Demand) -> tuple[bool, bool]:
    """Whether a held-motion button of the panel, and the patient's own, was freshly pressed and is held since.

    A press counts only under the demand that it answers; being blocked, or STOP, asks for a new one.
    """
    if demand not in (DEMAND_STOP, DEMAND_HOLD) or demand != was.demand or seen.people.pressed & STOP:
        return False, False
    if now and any(cause.code in ("H14", "H15") for cause in now):
        return False, False
    people = seen.people
    panel = people.pressed & (RETURN | TILT) != 0 or (was.held_panel and people.held & (RETURN | TILT) != 0)
    patient = people.patient_pressed or (was.held_patient and people.patient_open)
    return panel, patient


def may_disarm(seen: Seen) -> bool:
    """Whether DISARM may be accepted: at level or above, still, rested."""
    at_level = seen.angles.angle_cdeg is not None and seen.angle_cdeg >= -LEVEL_BAND_CDEG
    return at_level and seen.still_ms > 0 and seen.timing.inverted_ms == 0


def prompts(state: Moving, seen: Seen) -> tuple[str, ...]:
    """Codes to be shown although they demand nothing yet: presence due, a button held in vain, a buckle to check."""
    shown = []
    if check_the_buckle(seen.straps):
        shown.append("H06")
    if seen.angle_cdeg < -LEVEL_BAND_CDEG and seen.people.presence_ms >= PROMPT_MS:
        shown.append("H24")
    if state.useless_ms >= USELESS_MS:
        shown.append("H25")
    return tuple(shown)
