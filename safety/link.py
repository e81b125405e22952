"""Whether frames come and ticks are on time: H18, H19 (where no guard is), H27."""

from typing import Final

import msgspec

from config.limits import LEVEL_BAND_CDEG
from safety.signals import Alarm, Cause, Demand, GuardState, Readings

ABSENT: Final = GuardState.ABSENT
FRESH_MS: Final = 50
SLOW_FRESH_MS: Final = 150
LAPSE_MS: Final = 150
LATCH_MS: Final = 1000
ALONE_MS: Final = 3000
LAPSES: Final = 3
LAPSES_IN_MS: Final = 60_000
LATE_MS: Final = 50
CLEAN_MS: Final = 1000


class Link(msgspec.Struct, frozen=True, gc=False):
    """Counters of the link and the tick. `lapses_ms` hold how long ago the last two lapses began, newest first."""

    booted: bool = False
    sequence: int = -1
    lapse_ms: int = 0
    lapses_ms: tuple[int, ...] = ()
    third: bool = False
    late_ms: int = 0
    gap_ms: int = 0


def follow(was: Link, readings: Readings, fresh: bool, unread_ms: int) -> Link:
    """Take in one step, with or without a new frame."""
    elapsed_ms = readings.elapsed_ms
    late = not elapsed_ms <= LATE_MS
    lapsed = not (0 <= readings.age_ms <= LAPSE_MS and unread_ms <= LAPSE_MS)
    if was.booted and fresh and not (late or lapsed or was.late_ms or was.lapse_ms or was.lapses_ms):
        return Link(True, readings.sequence)
    late_ms = CLEAN_MS if late else max(was.late_ms - elapsed_ms, 0)
    gap_ms = elapsed_ms if late else was.gap_ms
    lapses_ms = tuple(ago for then in was.lapses_ms if (ago := then + elapsed_ms) <= LAPSES_IN_MS)
    third = False
    if lapsed:
        third = was.third
        if not was.lapse_ms:
            third = len(lapses_ms) >= LAPSES - 1
            lapses_ms = (0, *lapses_ms)[: LAPSES - 1]
    lapse_ms = min(was.lapse_ms + elapsed_ms, ALONE_MS + 1) if lapsed else 0
    return Link(was.booted or fresh, readings.sequence, lapse_ms, lapses_ms, third, late_ms, gap_ms)


def latches(link: Link) -> bool:
    """Whether the present lapse has to be cleared by RESET: longer than 1 s, or the third within 60 s."""
    return link.lapse_ms > LATCH_MS or link.third


def causes(link: Link, readings: Readings, below: bool, now: list[Cause]) -> None:
    """Add H18 and H27; the first expression is the all-clear of the checks that follow it."""
    if (
        not (link.late_ms or link.lapse_ms)
        and readings.age_ms <= FRESH_MS
        and readings.slow_age_ms <= SLOW_FRESH_MS
        and whole(readings)
    ):
        return
    lapse(link, readings, below, now)
    late_tick(link, now)


def lapse(link: Link, readings: Readings, below: bool, now: list[Cause]) -> None:
    """H18: STOP without a fresh frame for 150 ms; before that, or with a frame that is not whole, no deepening."""
    if link.lapse_ms:
        # Past 3 s a guard returns by itself; where there is none, nobody electric can: only people help.
        guarded = readings.guard is not None and readings.guard.state is not ABSENT
        alarm = Alarm.HIGH if below and not guarded and link.lapse_ms > ALONE_MS else Alarm.MEDIUM
        now.append(Cause("H18", Demand.STOP, alarm, max(readings.age_ms, link.lapse_ms), LAPSE_MS, "ms"))
    elif not (readings.age_ms <= FRESH_MS and readings.slow_age_ms <= SLOW_FRESH_MS) or not whole(readings):
        age_ms = max(readings.age_ms, readings.slow_age_ms)
        now.append(Cause("H18", Demand.NO_DEEPENING, Alarm.LOW, age_ms, FRESH_MS, "ms"))


def whole(readings: Readings) -> bool:
    """Whether everything that deepening needs is known; angles and people's circuits have checks of their own."""
    return not (
        readings.applied_cdeg_s is None
        or readings.current_ma is None
        or readings.brake_set is None
        or readings.drive_power is None
        or readings.buttons is None
        or readings.level_switch is None
        or readings.end_down is None
        or readings.end_up is None
    )


def booted_below(angle_cdeg: int | None, now: list[Cause]) -> None:
    """H19, where no guard is: the first frame finds the table below −1°: held, and only the held button moves it."""
    if angle_cdeg is not None and not angle_cdeg >= -LEVEL_BAND_CDEG:
        now.append(Cause("H19", Demand.HOLD, Alarm.HIGH, angle_cdeg, -LEVEL_BAND_CDEG, "cdeg"))


def late_tick(link: Link, now: list[Cause]) -> None:
    """H27: a gap of more than 50 ms between ticks: no deepening until 1 s of clean ticks."""
    if link.late_ms:
        now.append(Cause("H27", Demand.NO_DEEPENING, Alarm.LOW, link.gap_ms, LATE_MS, "ms"))
