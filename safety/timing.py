"""How long the patient has been inverted, how long at rest, how deep, and how many sets were used (H03)."""

from typing import Final

import msgspec

from config.limits import INVERTED_CDEG, LEVEL_BAND_CDEG, Limits
from safety.link import FRESH_MS
from safety.signals import Alarm, Arm, Cause, Demand

CAP_MS: Final = 1_000_000


class Timing(msgspec.Struct, frozen=True, gc=False):
    """Counters of the present set.

    `inverted_ms` is zeroed by the table's rest (60 s or more) at level or above, and only by that.
    `deepest_cdeg` is the deepest angle of the set, `sets` how many were begun since ARM. An angle that nobody
    knows counts as the last one known.
    """

    inverted_ms: int = 0
    rest_ms: int = 0
    deepest_cdeg: int = 0
    sets: int = 0
    last_cdeg: int = 0


def follow(was: Timing, angle_cdeg: int | None, elapsed_ms: int, rest_s: int) -> Timing:
    """Count one step; `rest_s` is the shortest rest of this table.

    Whoever was below when nobody looked came to level at some time since: the rest begins now.
    """
    angle = was.last_cdeg if angle_cdeg is None else angle_cdeg
    if angle >= -LEVEL_BAND_CDEG:
        if not was.inverted_ms and not was.deepest_cdeg and angle == was.last_cdeg:
            return was
        rest_ms = was.rest_ms + (elapsed_ms if was.last_cdeg >= -LEVEL_BAND_CDEG else min(elapsed_ms, FRESH_MS))
        if rest_ms >= rest_s * 1000:
            return Timing(0, rest_s * 1000, 0, was.sets, angle)
        return Timing(was.inverted_ms, rest_ms, was.deepest_cdeg, was.sets, angle)
    deepest = angle if angle < was.deepest_cdeg else was.deepest_cdeg
    if angle >= INVERTED_CDEG:
        return Timing(was.inverted_ms, 0, deepest, was.sets, angle)
    sets = was.sets if was.inverted_ms else min(was.sets + 1, 100)
    return Timing(min(was.inverted_ms + elapsed_ms, CAP_MS), 0, deepest, sets, angle)


def inverted_too_long(timing: Timing, inverted: bool, armed: Arm | None, limits: Limits, now: list[Cause]) -> None:
    """H03: below −5° for longer than this set may be."""
    if not inverted or not timing.inverted_ms:
        return
    limit_s = limits.set_limit_s if armed is None else armed.set_limit_s
    if not timing.inverted_ms <= limit_s * 1000:
        now.append(Cause("H03", Demand.RETURN, Alarm.LOW, timing.inverted_ms // 1000, limit_s, "s"))
