"""What blocked the table is elastic, and so is the gear that pressed against it: what springs back has not run away.

As long as the drive presses, something is bent: what it pressed into, the frame, the gear on one flank. When the drive
lets go, the table jumps back by that and by the gap of the gear, against a brake that holds: a fraction of a degree
within 100 ms, which H13 would take for a fall and hold whoever lies on it upside down, where H14 only stops and then
backs off.
"""

from typing import Final

import msgspec

from config.limits import Limits
from safety.angle import A, Angles, B

# A ramp of 2°/s to rest, standing, and the brake's setting take 1.5 s; 7 s later the last back-off or relief has begun.
SPRING_MS: Final = 8000
# A degree and the gap: what H12 allows a table at rest as well.
MOST_CDEG: Final = 100
# Further than noise.
LEAST_CDEG: Final = 10


class Spring(msgspec.Struct, frozen=True, gc=False):
    """The direction in which it was blocked (±1, 0: it was not), for how long that counts, how far it was pressed."""

    sign: int = 0
    left_ms: int = 0
    a_cdeg: int | None = None
    b_cdeg: int | None = None


SLACK: Final = Spring()


def pressed(sign: int, angles: Angles) -> Spring:
    """It is blocked now in this direction."""
    return Spring(sign, SPRING_MS, angles.a_cdeg, angles.b_cdeg)


def follow(was: Spring, angles: Angles, elapsed_ms: int) -> Spring:
    """Take in one new frame."""
    left_ms = was.left_ms - elapsed_ms
    if left_ms <= 0:
        return SLACK
    sign = was.sign
    return Spring(sign, left_ms, further(was.a_cdeg, angles.a_cdeg, sign), further(was.b_cdeg, angles.b_cdeg, sign))


def further(far: int | None, angle: int | None, sign: int) -> int | None:
    """The furthest of two angles in a direction; None where nothing is known."""
    if far is None or angle is None:
        return angle
    return angle if sign * angle > sign * far else far


def explains(spring: Spring, angles: Angles, limits: Limits) -> bool:
    """Whether every believed sensor is away from what blocked it, and no further than a table springs."""
    if spring.sign == 0:
        return False
    by_a = bool(angles.lost & A) or is_sprung(spring.sign, spring.a_cdeg, angles.a_cdeg, limits)
    return by_a and (bool(angles.lost & B) or is_sprung(spring.sign, spring.b_cdeg, angles.b_cdeg, limits))


def is_sprung(sign: int, far: int | None, angle: int | None, limits: Limits) -> bool:
    """Whether one sensor went back by more than noise and by no more than a table springs."""
    if far is None or angle is None:
        return False
    return LEAST_CDEG <= sign * (far - angle) <= MOST_CDEG + limits.backlash_cdeg
