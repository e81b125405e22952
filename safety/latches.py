"""What stays in force when its condition is gone, and what clears it.

NO_DEEPENING and a link lapse under 1 s clear by themselves; a person's STOP, H25 and H26 by a fresh press of a motion
button; everything else by RESET (ACK held for 2 s at level or above, still, every condition gone), H11 by
the service tool only. The first latched cause stays first.
"""

from typing import Final

import msgspec

from config.limits import LEVEL_BAND_CDEG
from safety import link as links
from safety.angle import Angles, restorable
from safety.link import Link
from safety.moving import STOOD_MS
from safety.people import People
from safety.signals import DEMAND_HOLD, DEMAND_RETURN, DEMAND_STOP, RAISE, RETURN, TILT, Cause, Demand

PRESS_CLEARED: Final = ("STOP", "H25", "H26")
STRAP_CODES: Final = ("H04", "H05", "H06")
SENSOR_CODES: Final = ("H08", "H09", "H10")
SERVICE_ONLY: Final = "H11"
ESTOP: Final = "H20"
LAPSES: Final = ("H17", "H18")
BOTH_SIDES: Final = "both"
STRAP_WAIT_MS: Final = 10_000


def kept(latched: tuple[Cause, ...], now: list[Cause], link: Link, people: People, still_ms: int) -> tuple[Cause, ...]:
    """Add this step's causes of STOP and worse; drop what a fresh press clears.

    RETURN clears at any time; TILT and RAISE only once the table has come to rest. What the guard says keeps its place
    here as long as the guard says it; the guard latches it by itself, and here it holds nothing.
    """
    after = latched
    for cause in now:
        if cause.demand < DEMAND_STOP or (cause.code in LAPSES and cause.by != "guard" and not links.latches(link)):
            continue
        for index, old in enumerate(after):
            if old.code == cause.code:
                if cause.by == "guard" and old.by != "guard":
                    break
                # The e-stop's CUT becomes a HOLD; no other cause grows milder.
                worse = (
                    old.by == "guard"
                    or cause.demand > old.demand
                    or cause.alarm > old.alarm
                    or (cause.code == "H20" and cause.demand != old.demand)
                )
                where = either(old.where, cause.where)
                if worse or where != old.where:
                    grown = msgspec.structs.replace(cause if worse else old, where=where)
                    after = (*after[:index], grown, *after[index + 1 :])
                break
        else:
            after = (*after, cause)
    if any(cause.by == "guard" for cause in after):
        said = [cause.code for cause in now if cause.demand >= DEMAND_STOP]
        after = tuple(cause for cause in after if cause.by != "guard" or cause.code in said)
    presses = TILT | RAISE | RETURN if STOOD_MS <= still_ms else RETURN
    if people.pressed & presses and any(cause.code in PRESS_CLEARED for cause in after):
        active = [cause.code for cause in now]
        after = tuple(cause for cause in after if cause.code not in PRESS_CLEARED or cause.code in active)
    return after


def either(one: str, other: str) -> str:
    """Where two findings of one hazard are, taken together: a side stays named when the other one follows."""
    return BOTH_SIDES if one and other and one != other else one or other


def waited(latched: tuple[Cause, ...], wait_ms: int, waiting: bool, elapsed_ms: int) -> tuple[tuple[Cause, ...], int]:
    """H04 under the policy `wait`: the STOP becomes the RETURN after 10 s or without presence, refastened or not."""
    for index, cause in enumerate(latched):
        if cause.code == "H04" and cause.demand == DEMAND_STOP and cause.by != "guard":
            wait_ms = min(wait_ms + elapsed_ms, STRAP_WAIT_MS + 1)
            if not waiting or wait_ms > STRAP_WAIT_MS:
                turned = msgspec.structs.replace(cause, demand=DEMAND_RETURN)
                return (*latched[:index], turned, *latched[index + 1 :]), wait_ms
            return latched, wait_ms
    return latched, wait_ms


def ends_session(latched: tuple[Cause, ...]) -> bool:
    """Whether a latched cause ends the session, so that no set may start before a new ARM; the guard's ends its own."""
    return any(cause.code not in PRESS_CLEARED and cause.by != "guard" for cause in latched)


def level_now(angles: Angles) -> bool:
    """Whether the table is at level or above by both sensors as they read now, believed or not."""
    a, b = angles.a_cdeg, angles.b_cdeg
    if not restorable(a, b):
        return False
    assert a is not None and b is not None
    return (a + b) // 2 >= -LEVEL_BAND_CDEG


def clears(latched: tuple[Cause, ...], now: list[Cause], angles: Angles, at_level: bool, still_ms: int) -> bool:
    """Whether RESET may clear: at level or above, still, every cause gone. Straps may be open."""
    if not latched or not at_level or not still_ms:
        return False
    for cause in now:
        if cause.demand < DEMAND_STOP or cause.code in STRAP_CODES or cause.code in SENSOR_CODES:
            continue
        if cause.code == "H20" and cause.demand == DEMAND_HOLD:
            continue
        return False
    return all(cause.code != SERVICE_ONLY for cause in latched)


def shown(latched: tuple[Cause, ...], now: list[Cause]) -> tuple[Cause, ...]:
    """Every cause at once: the latched ones first and in the order they came, then those that only stand now."""
    if not now:
        return latched
    codes = [cause.code for cause in latched]
    return latched + tuple(cause for cause in now if cause.code not in codes)


def behind(causes: tuple[Cause, ...], demand: Demand) -> str:
    """The code that the guard is told with the demand: the first cause's; of a HOLD or CUT that of who asks for it.

    The guard keeps a HOLD and a CUT by this code, so it is the host's own: what is adopted from the guard would come
    back as a second cause and outlast the first. The e-stop only where there is no other; the guard judges that itself.
    """
    if demand < DEMAND_HOLD:
        return causes[0].code if causes else ""
    codes = [cause.code for cause in causes if cause.demand == demand and cause.by != "guard"]
    return next((code for code in codes if code != ESTOP), codes[0] if codes else "")
