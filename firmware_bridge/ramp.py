"""The velocity ramp: turns a commanded velocity into the set-point that the drive follows, without a jerk.

A stop is never a jerk and a start is never a kick: acceleration and its rate of change are bounded whatever is
commanded, and a change of direction passes through rest. What the ramp gives out is `Readings.applied_cdeg_s`,
so it is the set-point after every limit but the wired ones.
"""

import math

# A person on the table hardly feels 2°/s² (at 1 m from the pivot 0.035 m/s², a third of a percent of gravity); a
# stop may be twice as firm, so that 2°/s end within 1°: 0.7° with these figures.
ACCELERATION_CDEG_S2 = 200.0
DECELERATION_CDEG_S2 = 400.0
JERK_CDEG_S3 = 2000.0
_ROUNDING = 1.0 + 1e-9


class Ramp:
    """A velocity that follows its target within bounds on acceleration and jerk.

    Args:
        acceleration_cdeg_s2: the most by which speed grows, above 0.
        deceleration_cdeg_s2: the most by which speed falls, above 0.
        jerk_cdeg_s3: the most by which acceleration changes, above 0.

    Raises:
        ValueError: one of the bounds is not a positive finite number.
    """

    __slots__ = ("_acceleration", "_deceleration", "_jerk", "_rate", "_velocity")

    def __init__(
        self,
        acceleration_cdeg_s2: float = ACCELERATION_CDEG_S2,
        deceleration_cdeg_s2: float = DECELERATION_CDEG_S2,
        jerk_cdeg_s3: float = JERK_CDEG_S3,
    ) -> None:
        for bound in (acceleration_cdeg_s2, deceleration_cdeg_s2, jerk_cdeg_s3):
            if not 0.0 < bound < math.inf:
                raise ValueError(f"a ramp's bounds are positive finite numbers, not {bound}")
        self._acceleration = acceleration_cdeg_s2
        self._deceleration = deceleration_cdeg_s2
        self._jerk = jerk_cdeg_s3
        self._velocity = 0.0
        self._rate = 0.0

    @property
    def velocity_cdeg_s(self) -> float:
        """The set-point now, unrounded."""
        return self._velocity

    @property
    def acceleration_cdeg_s2(self) -> float:
        """How fast the set-point changes now."""
        return self._rate

    def step(self, target_cdeg_s: float, elapsed_ms: int) -> float:
        """Move toward a finite target for `elapsed_ms`, and return the new set-point in centidegrees a second.

        Nothing moves when `elapsed_ms` is 0 or less.
        """
        velocity = self._velocity
        if velocity == target_cdeg_s and not self._rate:
            return velocity
        if elapsed_ms <= 0:
            return velocity
        # A change of direction passes through rest, so that motion toward level never grows out of outward motion.
        target = 0.0 if velocity * target_cdeg_s < 0.0 else target_cdeg_s
        bound = self._deceleration if abs(target) < abs(velocity) else self._acceleration
        step_s = elapsed_ms / 1000.0
        change = self._jerk * step_s
        missing = target - velocity
        if abs(missing) <= _ROUNDING * change * step_s and abs(self._rate) <= _ROUNDING * 2.0 * change:
            self._velocity, self._rate = target, 0.0
            return target
        # The greatest rate from which the jerk bound still lets the rate end at zero just as the target is reached.
        reachable = math.sqrt(0.25 * change * change + 2.0 * self._jerk * abs(missing)) - 0.5 * change
        wanted = math.copysign(min(bound, reachable), missing)
        rate = self._rate
        rate = min(max(wanted, rate - change), rate + change)
        self._rate = rate
        self._velocity = velocity = velocity + rate * step_s
        return velocity

    def cut(self) -> None:
        """Set-point zero at once: the drive has been cut off, and there is nothing left to ramp."""
        self._velocity = 0.0
        self._rate = 0.0
