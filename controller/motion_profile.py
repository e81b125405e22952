"""A jerk-limited motion profile: which velocity to wish next, so that every start and every end is gentle.

The profile follows a goal velocity with bounded acceleration and bounded jerk, and slows down in time for where it is
to end. Angles are degrees × 100 (centidegrees), velocities centidegrees a second; it keeps fractions
for itself and hands out whole numbers.
"""

import math
from typing import Final

# At 2°/s² a start to 2°/s takes 1.5 s: a body does not notice more than a lift does (lifts: 1 m/s², 1–2 m/s³).
ACCELERATION_CDEG_S2: Final = 200.0
JERK_CDEG_S3: Final = 400.0
SLOWEST_CDEG_S: Final = 15.0
REACHED_CDEG: Final = 10
FIRST_DEGREE_CDEG: Final = 100


class MotionProfile:
    """The velocity of one motion, from its start to its end.

    Attributes:
        start_cdeg: where the motion began; None while there is none.
        velocity, acceleration: of the motion now, unrounded.
    """

    def __init__(self, deceleration_cdeg_s2: int, first_degree_cdeg_s: int) -> None:
        """Slow down toward an end with `deceleration_cdeg_s2`; go no faster than `first_degree_cdeg_s` at first."""
        self._deceleration = float(deceleration_cdeg_s2)
        self._first_degree = float(first_degree_cdeg_s)
        self.start_cdeg: int | None = None
        self.velocity = 0.0
        self.acceleration = 0.0

    def rest(self) -> int:
        """Forget the motion: the next one starts anew, from rest."""
        self.start_cdeg = None
        self.velocity = self.acceleration = 0.0
        return 0

    def toward(self, target_cdeg: int, angle_cdeg: int, speed_cdeg_s: int, elapsed_ms: int) -> int:
        """Return the velocity to wish on the way to `target_cdeg`, at most `speed_cdeg_s`; 0 once it is reached."""
        left = target_cdeg - angle_cdeg
        sign = 1.0 if left > 0 else -1.0
        distance = abs(left)
        if distance <= REACHED_CDEG:
            return self.rest()
        if self.start_cdeg is None:
            self.start_cdeg = angle_cdeg
        limit = float(speed_cdeg_s)
        if limit > self._first_degree and abs(angle_cdeg - self.start_cdeg) < FIRST_DEGREE_CDEG:
            limit = self._first_degree
        # The square of the speed from which it can still slow down in time.
        stoppable = 2.0 * self._deceleration * (distance - REACHED_CDEG)
        if stoppable < limit * limit:
            limit = min(limit, max(SLOWEST_CDEG_S, math.sqrt(stoppable)))
        return round(self.step(sign * limit, elapsed_ms))

    def step(self, goal_cdeg_s: float, elapsed_ms: int) -> float:
        """Move the velocity toward a goal for `elapsed_ms`, with acceleration and jerk bounded."""
        gap = goal_cdeg_s - self.velocity
        if not gap and not self.acceleration:
            return goal_cdeg_s
        seconds = elapsed_ms / 1000.0
        # The largest acceleration from which it can still ease off to zero when the goal is reached.
        wanted = math.copysign(min(ACCELERATION_CDEG_S2, math.sqrt(2.0 * JERK_CDEG_S3 * abs(gap))), gap)
        change = JERK_CDEG_S3 * seconds
        self.acceleration += max(-change, min(change, wanted - self.acceleration))
        step = self.acceleration * seconds
        if abs(step) >= abs(gap):
            self.velocity, self.acceleration = goal_cdeg_s, 0.0
        else:
            self.velocity += step
        return self.velocity
