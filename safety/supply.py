"""What feeds the drive: its heat (H16) and the mains (H21)."""

from typing import Final

import msgspec

from config.limits import Limits
from safety.link import LAPSE_MS
from safety.signals import Alarm, Cause, Demand, GuardState, Readings

ABSENT: Final = GuardState.ABSENT
MAINS_MS: Final = 500
# Torque first takes 700 ms at most, the brake 40 ms, the ramp's first step less; twice that without a start is dead.
DEAD_MS: Final = 1500
CAP_MS: Final = 5000


class Supply(msgspec.Struct, frozen=True, gc=False):
    """Heat in the drive (mA² times seconds, 0 cold), and what is known of mains and battery.

    `mains_ms` is how long mains is away. `carried`: the battery was good at some time since mains went, or in the
    return that has been under way since. `dead_ms` is how long a return without mains is asked for in vain.
    """

    heat: int = 0
    mains_ms: int = 0
    carried: bool = False
    dead_ms: int = 0


def follow(
    was: Supply, readings: Readings, elapsed_ms: int, limits: Limits, returning: bool = False, asked: bool = False
) -> Supply:
    """Follow heat and mains; an unknown current counts as the drive's limit, unknown mains as lost.

    What is seen for the first time after a pause may have begun just now: a pause is heat, but not time without mains.

    Args:
        was: what was remembered.
        readings: the new frame.
        elapsed_ms: since the last one.
        limits: the table's.
        returning: whether a return is under way; a battery that has begun it may finish it, whatever its check says.
        asked: whether motion toward level was commanded in the last step.
    """
    current = readings.current_ma
    heat = was.heat
    if current is None:
        current = limits.stall_ma
    gain = current * current - limits.thermal_leak_ma2
    if heat or gain > 0:
        heat += gain * elapsed_ms // 1000
        heat = 0 if heat < 0 else heat if heat < limits.thermal_budget_ma2_s else limits.thermal_budget_ma2_s
    if readings.mains is True:
        carried = was.carried and returning
        if heat == was.heat and not was.mains_ms and carried is was.carried:
            return was
        return Supply(heat, 0, carried)
    carried = was.carried or (limits.has_battery and readings.battery is True)
    looked_ms = elapsed_ms if elapsed_ms <= LAPSE_MS else 0
    # A guard sees the drive's rail; without one, only a drive that does not start tells that nothing carries it.
    alone = readings.guard is None or readings.guard.state is ABSENT
    dead_ms = was.dead_ms
    if not (asked and alone and readings.applied_cdeg_s == 0):
        dead_ms = 0
    elif dead_ms <= DEAD_MS:
        dead_ms += looked_ms
    mains_ms = was.mains_ms + (elapsed_ms if was.mains_ms else looked_ms)
    return Supply(heat, min(mains_ms, CAP_MS), carried, dead_ms)


def causes(state: Supply, readings: Readings, limits: Limits, now: list[Cause]) -> None:
    """Add heat and mains; the first expression is the all-clear of the checks that follow it."""
    if not state.heat and not state.mains_ms and readings.drive_fault is False:
        return
    hot(state, readings, limits, now)
    mains_lost(state, now)


def hot(state: Supply, readings: Readings, limits: Limits, now: list[Cause]) -> None:
    """H16: the heat budget is used up to the reserve kept for a return, or the drive says so itself."""
    limit = limits.thermal_budget_ma2_s * (1000 - limits.thermal_reserve_permille) // 1000
    if not state.heat <= limit:
        percent = state.heat * 100 // limits.thermal_budget_ma2_s
        now.append(Cause("H16", Demand.RETURN, Alarm.MEDIUM, percent, 100 - limits.thermal_reserve_permille // 10, "%"))
    elif readings.drive_fault is not False:
        now.append(Cause("H16", Demand.RETURN, Alarm.MEDIUM, 1, 0, "drive fault"))


def mains_lost(state: Supply, now: list[Cause]) -> None:
    """H21: mains away for more than 500 ms: a slow return on battery, without one HOLD.

    The battery's check is a condition of starting; a return under way goes on until nothing carries the drive.
    """
    if not state.mains_ms <= MAINS_MS:
        if state.carried and state.dead_ms <= DEAD_MS:
            now.append(Cause("H21", Demand.RETURN, Alarm.MEDIUM, state.mains_ms, MAINS_MS, "ms", slow=True))
        else:
            now.append(Cause("H21", Demand.HOLD, Alarm.HIGH, state.mains_ms, MAINS_MS, "ms"))
