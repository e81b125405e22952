"""Whether frames come and ticks are on time: H18, H27, and where no guard is H17 and H19.

A table without a guard stops by itself when this process hangs for longer than the lease; what follows from that is
for this process to judge when it is back, by the same rule as a guard's.
"""

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
LONGEST_MS: Final = 1_000_000


class Link(msgspec.Struct, frozen=True, gc=False):
    """Counters of the link and the tick. `lapses_ms` hold how long ago the last two lapses began, newest first.

    `hung` says that the present lapse is this process's own, `kept_ms` how long ago a lapse began that has to be
    cleared by RESET, `due` that without a guard it is now for this process to return, `by_hang` whose lapse it was.
    """

    booted: bool = False
    sequence: int = -1
    lapse_ms: int = 0
    lapses_ms: tuple[int, ...] = ()
    third: bool = False
    late_ms: int = 0
    gap_ms: int = 0
    hung: bool = False
    kept_ms: int = 0
    by_hang: bool = False
    due: bool = False


def follow(
    was: Link, readings: Readings, fresh: bool, unread_ms: int, watched: bool = True, moving: bool = False
) -> Link:
    """Take in one step, with or without a new frame.

    A hang is a lapse where somebody is on the table (`watched`: armed, or below level); a table that was `moving` else
    is stopped by it, so that nothing goes on without a fresh press.
    """
    elapsed_ms = readings.elapsed_ms
    late = not elapsed_ms <= LATE_MS
    silent = not (0 <= readings.age_ms <= LAPSE_MS and unread_ms <= LAPSE_MS)
    if was.booted and fresh and not (late or silent or was.late_ms or was.lapse_ms or was.lapses_ms or was.kept_ms):
        return Link(True, readings.sequence)
    late_ms = CLEAN_MS if late else max(was.late_ms - elapsed_ms, 0)
    gap_ms = elapsed_ms if late else was.gap_ms
    lapses_ms = tuple(ago for then in was.lapses_ms if (ago := then + elapsed_ms) <= LAPSES_IN_MS)
    hung = was.booted and (watched or moving) and alone(readings) and elapsed_ms > LAPSE_MS
    third = False
    lapse_ms = 0
    if silent or hung:
        third = was.third
        lapse_ms = was.lapse_ms + elapsed_ms
        if not was.lapse_ms:
            third = len(lapses_ms) >= LAPSES - 1
            lapses_ms = (0, *lapses_ms)[: LAPSES - 1]
            # The lease covers the beginning of a hang, as the age of the last frame does that of a silence.
            lapse_ms -= LAPSE_MS if hung else 0
        lapse_ms = min(lapse_ms, LONGEST_MS)
        if hung and not (watched or silent):
            lapse_ms, third = min(lapse_ms, LATCH_MS), False
    kept_ms, by_hang = was.kept_ms, was.by_hang
    if was.due:
        kept_ms = 0
    elif kept_ms:
        kept_ms = min(kept_ms + elapsed_ms, LONGEST_MS)
    elif third or lapse_ms > LATCH_MS:
        kept_ms, by_hang = max(lapse_ms, 1), hung
    due = kept_ms > ALONE_MS and not silent and alone(readings)
    return Link(
        was.booted or fresh,
        readings.sequence,
        lapse_ms,
        lapses_ms,
        third,
        late_ms,
        gap_ms,
        hung,
        kept_ms,
        by_hang,
        due,
    )


def alone(readings: Readings) -> bool:
    """Whether there is no guard."""
    return readings.guard is None or readings.guard.state is ABSENT


def cleared(link: Link) -> Link:
    """RESET: nothing is counted on."""
    return msgspec.structs.replace(link, kept_ms=0, due=False)


def latches(link: Link) -> bool:
    """Whether the present lapse has to be cleared by RESET: longer than 1 s, or the third within 60 s."""
    return link.lapse_ms > LATCH_MS or link.third or link.due


def causes(link: Link, readings: Readings, below: bool, now: list[Cause]) -> None:
    """Add H17, H18 and H27; the first expression is the all-clear of the checks that follow it."""
    if (
        not (link.late_ms or link.lapse_ms or link.due)
        and readings.age_ms <= FRESH_MS
        and readings.slow_age_ms <= SLOW_FRESH_MS
        and whole(readings)
    ):
        return
    hang(link, now)
    lapse(link, readings, below, now)
    late_tick(link, now)


def hang(link: Link, now: list[Cause]) -> None:
    """H17, where no guard is: this process hung for longer than the lease. Past 1 s it is kept, after 3 s RETURN."""
    if link.due and link.by_hang:
        now.append(Cause("H17", Demand.RETURN, Alarm.MEDIUM, link.kept_ms, ALONE_MS, "ms"))
    elif link.hung:
        now.append(Cause("H17", Demand.STOP, Alarm.MEDIUM, link.gap_ms, LAPSE_MS, "ms"))


def lapse(link: Link, readings: Readings, below: bool, now: list[Cause]) -> None:
    """H18: STOP without a fresh frame for 150 ms; before that, or with a frame that is not whole, no deepening.

    Past 3 s a guard returns by itself. Where there is none nobody can while no frame comes, only people help; when the
    frames are back, this process returns.
    """
    if link.due and not link.by_hang:
        now.append(Cause("H18", Demand.RETURN, Alarm.MEDIUM, link.kept_ms, ALONE_MS, "ms"))
    elif link.lapse_ms and not link.hung:
        alarm = Alarm.HIGH if below and alone(readings) and link.lapse_ms > ALONE_MS else Alarm.MEDIUM
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
