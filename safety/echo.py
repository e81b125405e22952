"""Living with the second judge: its causes are adopted, and ARM and DISARM are true only by its echo.

Where there is no guard (GPIO, or not built) the host's own acceptance is the echo.
"""

from typing import Final

import msgspec

from safety.arming import refusal
from safety.signals import Alarm, Arm, Cause, Demand, Guard, GuardState, Readings

ANSWER_MS: Final = 1000
# What the guard said of an older request still stands in the frames that were under way.
SETTLE_MS: Final = 200
ABSENT: Final = GuardState.ABSENT
ALLOW: Final = Demand.ALLOW
STOP: Final = Demand.STOP
RETURN: Final = Demand.RETURN

ALARMS: Final[dict[Demand, Alarm]] = {
    Demand.ALLOW: Alarm.LOW,
    Demand.NO_DEEPENING: Alarm.LOW,
    Demand.STOP: Alarm.MEDIUM,
    Demand.RETURN: Alarm.MEDIUM,
    Demand.HOLD: Alarm.HIGH,
    Demand.CUT: Alarm.HIGH,
}

# How long a host was silent is known to the guard alone.
SILENCE: Final = ("H17", "H18")


class Echo(msgspec.Struct, frozen=True, gc=False):
    """An ARM (`asked`) or a DISARM (`leaving`) that was passed on and waits for the guard's word."""

    asked: Arm | None = None
    leaving: bool = False
    waited_ms: int = 0


NOTHING_ASKED: Final = Echo()


def guard_of(readings: Readings) -> Guard | None:
    """The second judge, or None where there is none."""
    guard = readings.guard
    return None if guard is None or guard.state is ABSENT else guard


def causes(guard: Guard, now: list[Cause], latched: tuple[Cause, ...], returning: bool) -> None:
    """Adopt what the guard demands as one more cause, unless the host says at least as much for the same reason.

    A return that has no cause was asked for by a press, which the host sees too; so was one whose every cause the host
    knows for less, while the host is `returning` itself. Only silence is for the guard to tell. Where the host knows
    the guard's first cause for less, the guard demands more for another one, if it tells any.
    """
    if guard.demand == ALLOW or (guard.demand == RETURN and not guard.causes):
        return
    code = guard.causes[0] if guard.causes else "H17"
    value = guard.first_value
    if now or latched:
        known = {cause.code: cause.demand for cause in (*latched, *now) if cause.by != "guard"}
        if code in known:
            if known[code] >= guard.demand:
                return
            if returning and guard.demand == RETURN and code not in SILENCE and known.keys() >= set(guard.causes):
                return
            if other := next((told for told in guard.causes if told not in known), ""):
                code, value = other, 0
    # Silence alone is no reason to come back slowly.
    slow = any(told not in SILENCE for told in guard.causes)
    adopted = Cause(code, guard.demand, ALARMS[guard.demand], value, 0, "by the guard", "guard", slow=slow)
    for index, cause in enumerate(now):
        if cause.code == code:
            now[index] = adopted
            return
    now.append(adopted)


def holds_latches(readings: Readings) -> bool:
    """Whether the guard still holds something: the host's latches clear only after the guard's."""
    guard = guard_of(readings)
    return guard is not None and guard.demand >= STOP


def heard(was: Echo, readings: Readings, elapsed_ms: int) -> tuple[Echo, bool, tuple[Cause, ...]]:
    """Wait for the echo of what was passed on.

    Returns:
        What is still waited for; whether what was asked is true now; why not, where the guard refused or kept silent.
    """
    if was.asked is None and not was.leaving:
        return was, False, ()
    guard = guard_of(readings)
    wanted = 0 if was.asked is None else was.asked.session_id
    if guard is None or guard.session_id == wanted:
        return NOTHING_ASKED, True, ()
    waited_ms = was.waited_ms + elapsed_ms
    if waited_ms >= SETTLE_MS and guard.refused:
        return NOTHING_ASKED, False, tuple(refusal(code, 1, 0, "refused by the guard") for code in guard.refused)
    if waited_ms >= ANSWER_MS:
        return NOTHING_ASKED, False, (refusal("H18", waited_ms, ANSWER_MS, "ms without the guard's answer"),)
    return Echo(was.asked, was.leaving, waited_ms), False, ()
