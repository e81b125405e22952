"""What feeds the drive: its heat (H16) and the mains (H21)."""

from typing import Final

import msgspec

from config.limits import Limits
from safety.signals import Alarm, Cause, Demand, Readings

MAINS_MS: Final = 500
CAP_MS: Final = 5000


class Supply(msgspec.Struct, frozen=True, gc=False):
    """Heat in the drive (mA² times seconds, 0 cold) and how long mains is away."""

    heat: int = 0
    mains_ms: int = 0


def follow(was: Supply, readings: Readings, elapsed_ms: int, limits: Limits) -> Supply:
    """Follow heat and mains; an unknown current counts as the drive's limit, unknown mains as lost."""
    current = readings.current_ma
    heat = was.heat
    if current is None:
        current = limits.stall_ma
    gain = current * current - limits.thermal_leak_ma2
    if heat or gain > 0:
        heat += gain * elapsed_ms // 1000
        heat = 0 if heat < 0 else heat if heat < limits.thermal_budget_ma2_s else limits.thermal_budget_ma2_s
    mains_ms = 0 if readings.mains is True else min(was.mains_ms + elapsed_ms, CAP_MS)
    return was if heat == was.heat and mains_ms == was.mains_ms else Supply(heat, mains_ms)


def causes(state: Supply, readings: Readings, limits: Limits, now: list[Cause]) -> None:
    """Add heat and mains; the first expression is the all-clear of the checks that follow it."""
    if not state.heat and not state.mains_ms and readings.drive_fault is False:
        return
    hot(state, readings, limits, now)
    mains_lost(state, readings, limits, now)


def hot(state: Supply, readings: Readings, limits: Limits, now: list[Cause]) -> None:
    """H16: the heat budget is used up to the reserve kept for a return, or the drive says so itself."""
    limit = limits.thermal_budget_ma2_s * (1000 - limits.thermal_reserve_permille) // 1000
    if not state.heat <= limit:
        percent = state.heat * 100 // limits.thermal_budget_ma2_s
        now.append(Cause("H16", Demand.RETURN, Alarm.MEDIUM, percent, 100 - limits.thermal_reserve_permille // 10, "%"))
    elif readings.drive_fault is not False:
        now.append(Cause("H16", Demand.RETURN, Alarm.MEDIUM, 1, 0, "drive fault"))


def mains_lost(state: Supply, readings: Readings, limits: Limits, now: list[Cause]) -> None:
    """H21: mains away for more than 500 ms: a slow return on battery, without one HOLD."""
    if not state.mains_ms <= MAINS_MS:
        if limits.has_battery and readings.battery is True:
            now.append(Cause("H21", Demand.RETURN, Alarm.MEDIUM, state.mains_ms, MAINS_MS, "ms", slow=True))
        else:
            now.append(Cause("H21", Demand.HOLD, Alarm.HIGH, state.mains_ms, MAINS_MS, "ms"))
