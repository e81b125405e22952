"""What must hold in every run, whatever is injected: the eight sentences of the hazard page, judged on finished runs.

`violations(run)` returns one sentence for each breach, none when all is well. Judged is what the plant really did,
never what sensors or judge made of it. Where a sentence has exceptions on the hazard page they are named here, by
the fault that makes them.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

from safety.signals import ACK, RAISE, RETURN, TILT, Alarm, Cause, Demand, Snapshot
from tests.sessions.runs import Run, Tick

LEVEL_CDEG = 100
INVERTED_CDEG = -500
HARD_STOP_CDEG = -7000
OVER_CAP_CDEG = 200
STOPPING_CDEG = 100
NOISE_CDEG = 15
RUNAWAY_CDEG = 800
RELIEF_CDEG = 100
ABOVE_CDEG = 150
TOO_FAST_SHARE = 1.15
TOO_FAST_CDEG_S = 20
SLOWING_MS = 2000
CRANK_CDEG_S = 200
MOVING_CDEG_S = 10
STANDING_MS = 500
BACK_MS = 90_000
PAUSE_MS = 10_000
UNANNOUNCED_MS = 20_000
BRAKE_BITES_CDEG_S = 150
PERSONS = ("STOP", "H25", "H26")

DRIVE_OR_BRAKE = frozenset({"drive-dead", "drive-reversed", "drive-overspeeds", "drive-runs-away", "brake-slips"})
"""Faults with which the table moves otherwise than it is told: 8° until the brake grips."""

COMMON_MODE = frozenset({"angles-shift", "raised-too-far", "device-limit"})
"""Faults in which both sensors agree on a wrong angle: nothing on the table can know the true one."""

BLOCKED = frozenset({"obstruction", "obstruction-homeward"})
"""Faults with which the table springs back from what is in its way."""

BLIND = frozenset({"frames-stop", "frames-repeat"})
"""Faults after which the host knows nothing of the table any more; the second judge would."""


def _nothing_holds(run: Run) -> bool:
    """A brake that holds nothing at all, and a second fault that takes the drive or the sight of it: the body falls.

    The spring-applied brake is part of the wired chain, which no software replaces.
    """
    return "brake-slips" in run.faults and len(run.faults) > 1


def _nobody_sees_it_fall(run: Run) -> bool:
    """Both angles frozen and the drive dead when its brake opens: neither sensor nor motor tells that the body falls.

    Found out by H10 once 1° and the backlash were commanded. The current would tell sooner; but a current sensor that
    died would then leave every patient where he is, so one sensor alone has no such word.
    """
    return {"drive-dead", "angle-freezes"} <= run.faults


def violations(run: Run) -> list[str]:
    """Return one sentence for each breach of the eight, in their order."""
    found: list[str] = []
    for judge in JUDGES:
        found.extend(judge(run))
    return found


def too_deep(run: Run) -> Iterator[str]:
    """1: never deeper than the cap, 2° and the stopping distance; 8° more with a drive or brake fault; never −70°."""
    if _nothing_holds(run) or _nobody_sees_it_fall(run):
        return
    deepest = min(run.ticks, key=lambda tick: tick.angle_cdeg)
    first = run.ticks[0].angle_cdeg
    limit = min(run.cap_cdeg, first) - OVER_CAP_CDEG - STOPPING_CDEG
    if run.faults & DRIVE_OR_BRAKE:
        limit -= RUNAWAY_CDEG
    if run.faults & COMMON_MODE:
        limit = HARD_STOP_CDEG
    if not deepest.angle_cdeg >= max(limit, HARD_STOP_CDEG):
        yield f"1: {deepest.angle_cdeg} cdeg at {_at(deepest)}, beyond {limit} cdeg"


def too_fast(run: Run) -> Iterator[str]:
    """1: never faster than the ceiling, and never faster than 1°/s on a slow return."""
    if run.faults & (DRIVE_OR_BRAKE | BLOCKED):
        return
    slow_ms = 0
    for tick in run.ticks:
        limit = run.limits.speed_cdeg_s if tick.angle_cdeg < LEVEL_CDEG else run.limits.above_cdeg_s
        seen = tick.seen.decision
        slow = seen.demand == Demand.RETURN and any(cause.slow for cause in seen.causes)
        slow_ms = slow_ms + tick.seen.readings.elapsed_ms if slow else 0
        if slow_ms > SLOWING_MS:
            limit = run.limits.degraded_cdeg_s
        if tick.cranked:
            limit = max(limit, CRANK_CDEG_S)
        said = tick.seen.readings
        # What the guard commands of the drive's power means nothing where there is no supply.
        if not said.drive_power or not (said.mains or said.battery):
            limit += BRAKE_BITES_CDEG_S  # the load is on its own until the brake grips, at most 60 ms
        if abs(tick.velocity_cdeg_s) > limit * TOO_FAST_SHARE + TOO_FAST_CDEG_S:
            yield f"1: {tick.velocity_cdeg_s} cdeg/s at {_at(tick)}, above {limit}"
            return


def deeper_after_a_cause(run: Run) -> Iterator[str]:
    """2: while a cause is latched the inversion grows by no more than the stopping distance, H15's relief aside."""
    if run.faults & COMMON_MODE or _nothing_holds(run) or _nobody_sees_it_fall(run):
        return
    allowed = STOPPING_CDEG + NOISE_CDEG
    if run.faults & DRIVE_OR_BRAKE:
        allowed += RUNAWAY_CDEG
    for stretch in _stretches(run.ticks, lambda tick: tick.seen.decision.demand >= Demand.STOP):
        from_cdeg = min(stretch[0].angle_cdeg, LEVEL_CDEG)
        deepest = min(stretch, key=lambda tick: tick.angle_cdeg)
        relief = RELIEF_CDEG if any(cause.code == "H15" for cause in _causes(stretch)) else 0
        if not deepest.angle_cdeg >= from_cdeg - allowed - relief:
            yield (
                f"2: {from_cdeg - deepest.angle_cdeg} cdeg deeper at {_at(deepest)} than at {_at(stretch[0])},"
                f" when {_names(stretch[0].seen)} came"
            )


def not_brought_back(run: Run) -> Iterator[str]:
    """3: level within 90 s of a RETURN, or a HIGH alarm that names the manual return."""
    if run.faults & COMMON_MODE:
        return
    for stretch in _stretches(run.ticks, _is_returning):
        for tick in stretch:
            late_ms = tick.seen.t_ms - stretch[0].seen.t_ms
            if late_ms > BACK_MS + PAUSE_MS and _alarm(run, tick) < Alarm.HIGH:
                yield f"3: still at {tick.angle_cdeg} cdeg {late_ms} ms after {_names(stretch[0].seen)} asked to return"
                return


def _alarm(run: Run, tick: Tick) -> int:
    """The alarm that people get; of a table that the host no longer hears, also the one that the table itself gives."""
    host = tick.seen.decision.alarm
    return max(host, tick.guard_alarm) if run.faults & BLIND else host


def _is_returning(tick: Tick) -> bool:
    return tick.angle_cdeg < -ABOVE_CDEG and tick.seen.decision.demand >= Demand.RETURN


def raised_by_itself(run: Run) -> Iterator[str]:
    """4: never above +1.5° by itself: only a held RAISE, or a hand on the crank, raises the table there."""
    if run.faults & (DRIVE_OR_BRAKE | COMMON_MODE | BLOCKED):
        return
    for tick in run.ticks:
        rising = tick.angle_cdeg > ABOVE_CDEG and tick.velocity_cdeg_s > MOVING_CDEG_S
        if rising and not (tick.seen.readings.buttons or 0) & RAISE and not tick.cranked:
            yield f"4: rising by itself at {_at(tick)}, {tick.angle_cdeg} cdeg"
            return


def moved_after_a_stop(run: Run) -> Iterator[str]:
    """5: after an unplanned stop of outward motion still for 500 ms, then only toward level without a new press."""
    if run.faults & COMMON_MODE:
        return
    for number, (before, after) in enumerate(pairwise(run.ticks), start=1):
        begins = before.seen.decision.demand < Demand.STOP <= after.seen.decision.demand
        if begins and (after.seen.readings.applied_cdeg_s or 0) < 0 and after.angle_cdeg < LEVEL_CDEG:
            yield from _after_the_stop(run, number)


def _after_the_stop(run: Run, start: int) -> Iterator[str]:
    stood_ms: int | None = None
    for tick in run.ticks[start:]:
        seen = tick.seen
        applied = seen.readings.applied_cdeg_s or 0
        if (seen.readings.buttons or 0) & (TILT | RAISE | RETURN) and stood_ms is not None:
            return
        if seen.decision.demand < Demand.STOP:
            return
        if stood_ms is None:
            stood_ms = seen.t_ms if applied == 0 else None
        elif applied < 0 and not any(cause.code == "H15" for cause in seen.decision.causes):
            yield f"5: outward again at {_at(tick)} after a stop"
            return
        elif applied and seen.t_ms - stood_ms < STANDING_MS:
            yield f"5: moving again at {_at(tick)}, {seen.t_ms - stood_ms} ms after a stop"
            return
        elif applied:
            return


def nameless_cause(run: Run) -> Iterator[str]:
    """7: every trip names its cause with value, limit and unit; the first stays first until it is cleared."""
    for cause in _causes(run.ticks):
        if not (cause.code == "STOP" or (cause.code[:1] == "H" and cause.code[1:].isdigit())) or not cause.unit:
            yield f"7: a cause without a name or a unit: {cause}"
        if cause.demand >= Demand.STOP and cause.alarm == Alarm.NONE:
            yield f"7: {cause.code} demands {cause.demand.name} and alarms nobody"
    for tick in run.ticks:
        if tick.seen.decision.demand >= Demand.STOP and not tick.seen.decision.causes and not _asked(tick.seen):
            yield f"7: {tick.seen.decision.demand.name} without a cause at {_at(tick)}"
            break
    for before, after in pairwise(run.ticks):
        if before.seen.decision.causes is after.seen.decision.causes:
            continue
        was, now = _first(before.seen), _first(after.seen)
        if was is None or now is None or was.code == now.code:
            continue
        if not _may_clear(run, was, after):
            yield f"7: the first cause {was.code} gave way to {now.code} at {_at(after)}"
            break


def _asked(seen: Snapshot) -> bool:
    """A RETURN that a person asked for needs no cause."""
    return seen.decision.returning or seen.wish.stop_because != "" or seen.wish.return_because != ""


def _first(seen: Snapshot) -> Cause | None:
    return next((cause for cause in seen.decision.causes if cause.demand >= Demand.STOP), None)


def _may_clear(run: Run, was: Cause, after: Tick) -> bool:
    """Whether a cause may go here: a short lapse by itself, a person's by a press, the rest by ACK."""
    buttons = after.seen.readings.buttons or 0
    if was.code == "H18":
        return True
    if was.code in PERSONS:
        return buttons != 0
    return buttons & ACK != 0


def left_inverted(run: Run) -> Iterator[str]:
    """8: nobody below −5° with nothing moving and no HIGH alarm, when the table is held, cut or waits for nothing."""
    if _nothing_holds(run) and run.faults & BLIND:
        return
    standing_ms = inverted_ms = 0
    for tick in run.ticks:
        elapsed_ms = tick.seen.readings.elapsed_ms
        decision = tick.seen.decision
        if not tick.angle_cdeg < INVERTED_CDEG:
            standing_ms = inverted_ms = 0
            continue
        inverted_ms += elapsed_ms
        still = abs(tick.velocity_cdeg_s) < MOVING_CDEG_S
        # A person's own STOP may last as long as the set; that is the last of the three questions.
        stopped = any(cause.demand >= Demand.STOP and cause.code not in PERSONS for cause in decision.causes)
        standing_ms = standing_ms + elapsed_ms if still and stopped and _alarm(run, tick) < Alarm.HIGH else 0
        if still and decision.demand >= Demand.HOLD and _alarm(run, tick) < Alarm.HIGH:
            yield f"8: {decision.demand.name} without a HIGH alarm at {_at(tick)}, {tick.angle_cdeg} cdeg"
            return
        if standing_ms > UNANNOUNCED_MS:
            yield f"8: standing at {tick.angle_cdeg} cdeg for {standing_ms} ms under {_names(tick.seen)}, unannounced"
            return
        if inverted_ms > run.set_limit_s * 1000 + BACK_MS and _alarm(run, tick) < Alarm.HIGH:
            yield f"8: inverted for {inverted_ms} ms at {_at(tick)}, unannounced"
            return


def _stretches(ticks: list[Tick], belongs: Callable[[Tick], bool]) -> Iterator[list[Tick]]:
    """Split a run into its unbroken stretches of ticks that belong."""
    stretch: list[Tick] = []
    for tick in ticks:
        if belongs(tick):
            stretch.append(tick)
        elif stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _causes(ticks: list[Tick]) -> set[Cause]:
    found: set[Cause] = set()
    last: tuple[Cause, ...] = ()
    for tick in ticks:
        if tick.seen.decision.causes is not last:
            last = tick.seen.decision.causes
            found.update(last)
    return found


def _names(seen: Snapshot) -> str:
    return "+".join(cause.code for cause in seen.decision.causes) or "nothing"


def _at(tick: Tick) -> str:
    return f"{tick.seen.t_ms / 1000:.2f} s ({tick.seen.wish.state})"


JUDGES: tuple[Callable[[Run], Iterator[str]], ...] = (
    too_deep,
    too_fast,
    deeper_after_a_cause,
    not_brought_back,
    raised_by_itself,
    moved_after_a_stop,
    nameless_cause,
    left_inverted,
)
