"""A plan: sets × angle × hold × rest, the speed, and whether the way down is staged.

Angles are centidegrees, negative head-down; times are whole seconds. A plan knows how long it keeps a person
below −5°, reckoned so that no jerk-limited motion within the table's limits takes longer; one that needs more
than the ceiling is refused with that number, never shortened.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import model_validator

from config.limits import BOUNDS, FASTEST_CDEG_S, FIRST_DEGREE_CDEG_S, INVERTED_CDEG, SET_MARGIN_S, Limits
from config.quantities import Contradiction, Model, deg, degrees, degrees_per_second, refuse, whole
from config.words import Name, Title

FORMAT = "inversion-table/plan@1"

# The motion profile's own figures (see docs/configuration.md); slowing down is the table's `deceleration_cdeg_s2`.
ACCELERATION_CDEG_S2 = 200
JERK_CDEG_S3 = 400
# HAZARDS, "From standstill the brake is released": torque first, at most this long.
BRAKE_RELEASE_S = 0.7
# From the end of the reckoned motion until known to be still: 500 ms below 0.2°/s, and what a loop creeps before that.
SETTLE_S = 2.0
# A stage ends the press of TILT; this is how long a supervisor takes to press anew.
REACTION_S = 5.0
# The table's first degree after each standstill is the proof of its direction and goes slower.
FIRST_DEGREE_CDEG = 100
# A stage that ends this near −5° counts as below it: the cap is kept to ±0.5°, the sensors to less.
_NEAR_CDEG = 100
# Lowering 75° at 1.5°/s, closing and proving the straps, the button and the read-back, as simulated people do it.
BOARDING_S = 60
# HAZARDS H25: TILT held longer than the planned travel and this is a stuck button.
STUCK_MARGIN_MS = 60_000
_DEFAULT = Limits()


def _ramp_s(speed: float, acceleration: float) -> float:
    """Return the time from rest to `speed` (or back) at bounded acceleration and jerk."""
    if speed * JERK_CDEG_S3 >= acceleration**2:
        return speed / acceleration + acceleration / JERK_CDEG_S3
    return 2.0 * math.sqrt(speed / JERK_CDEG_S3)


def _ramped_s(way: float, speed: float, deceleration: float) -> float:
    """Return an upper bound of the time from rest to rest over `way`, at most `speed`.

    A long way takes `way / speed` and half of both ramps; one too short to reach the speed takes no longer than both.
    """
    if way <= 0:
        return 0.0
    ramps = _ramp_s(speed, ACCELERATION_CDEG_S2) + _ramp_s(speed, min(deceleration, ACCELERATION_CDEG_S2))
    return max(ramps, way / speed + ramps / 2.0)


def _from_rest_s(way: float, speed: float, limits: Limits) -> float:
    """Return an upper bound of the time over `way` from standstill: brake, slow first degree, the rest, until still."""
    if way <= 0:
        return 0.0
    slow = min(speed, limits.first_degree_cdeg_s)
    proof = min(way, FIRST_DEGREE_CDEG)
    return (
        BRAKE_RELEASE_S
        + _ramped_s(proof, slow, limits.deceleration_cdeg_s2)
        + _ramped_s(way - proof, speed, limits.deceleration_cdeg_s2)
        + SETTLE_S
    )


class Staged(Model):
    """A descent in steps: after every `step_cdeg` the table stands for `wait_s`, then TILT is pressed anew."""

    step_cdeg: Annotated[int, degrees(100, 3000)]
    wait_s: Annotated[int, whole("s", 5, 300)]


class Plan(Model):
    """What one visit does.

    `name` is what it is called by, `title` what people read. In each of `sets` the table goes to `angle_cdeg` at no
    more than `speed_cdeg_s` (never slower than the first degree of a tilt), holds for `hold_s`, returns to level and
    rests for `rest_s`. `staged` is left out where it goes down in one move.
    """

    format: Literal["inversion-table/plan@1"]
    name: Name
    title: Title
    sets: Annotated[int, whole("", *BOUNDS["sets_limit"])]
    angle_cdeg: Annotated[int, degrees(BOUNDS["cap_cdeg"][0], INVERTED_CDEG)]
    hold_s: Annotated[int, whole("s", *BOUNDS["hold_limit_s"])]
    rest_s: Annotated[int, whole("s", *BOUNDS["rest_s"])]
    speed_cdeg_s: Annotated[int, degrees_per_second(FIRST_DEGREE_CDEG_S, FASTEST_CDEG_S)]
    staged: Staged | None = None

    @model_validator(mode="after")
    def _within_the_ceilings(self) -> Self:
        """Refuse what no table may do."""
        refuse(list(self.contradictions(_DEFAULT, "the ceiling")))
        return self

    @property
    def cap_cdeg(self) -> int:
        """The deepest angle of the plan, which is the session's cap."""
        return self.angle_cdeg

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that change with any figure or word of the plan."""
        return digest(self)

    @property
    def stages_cdeg(self) -> tuple[int, ...]:
        """The angles at which the way down stands, the target last; less than a degree before it nothing stands."""
        if self.staged is None:
            return (self.angle_cdeg,)
        step = self.staged.step_cdeg
        return (*range(-step, self.angle_cdeg + FIRST_DEGREE_CDEG - 1, -step), self.angle_cdeg)

    def planned_inverted_s(self, limits: Limits) -> int:
        """Return an upper bound of the seconds that one set spends below −5°, rounded up.

        It adds, as if each move began and ended at rest: every move down as far as it lies below −5°, with
        the brake's release and a slow first degree for each; after each stage below −5° its wait, the time to press
        TILT anew and the tone; the hold; the tone, the brake's release, the slow first degree and the way back to −5°.
        """
        speed = min(self.speed_cdeg_s, limits.speed_cdeg_s)
        total = 0.0
        start = 0
        for end in self.stages_cdeg:
            total += _from_rest_s(min(start, INVERTED_CDEG) - end, speed, limits)
            if end != self.angle_cdeg and self.staged is not None and end <= INVERTED_CDEG + _NEAR_CDEG:
                total += self.staged.wait_s + REACTION_S + limits.tone_ms / 1000
            start = end
        total += self.hold_s + limits.tone_ms / 1000 + _from_rest_s(INVERTED_CDEG - self.angle_cdeg, speed, limits)
        return math.ceil(total)

    def set_limit_s(self, limits: Limits) -> int:
        """Return the seconds below −5° after which a set is ended: the planned ones and a margin."""
        return self.planned_inverted_s(limits) + SET_MARGIN_S

    @property
    def travel_limit_ms(self) -> int:
        """How long TILT may be held in one set, in milliseconds: the planned travel with its tones, and a minute."""
        return math.ceil(1000 * self._tilt_s(waits=False)) + STUCK_MARGIN_MS

    @property
    def planned_s(self) -> int:
        """About how many seconds the whole visit takes, boarding to the last rest, on a table at the ceilings."""
        back = _DEFAULT.tone_ms / 1000 + _from_rest_s(-self.angle_cdeg, self.speed_cdeg_s, _DEFAULT)
        one_set = REACTION_S + self._tilt_s(waits=True) + self.hold_s + back + self.rest_s
        return math.ceil(BOARDING_S + self.sets * one_set)

    def _tilt_s(self, waits: bool) -> float:
        """Return an upper bound of the seconds from level to the target, tones and all, with or without waits."""
        total = 0.0
        start = 0
        for end in self.stages_cdeg:
            total += _DEFAULT.tone_ms / 1000 + _from_rest_s(start - end, self.speed_cdeg_s, _DEFAULT)
            start = end
        if waits and self.staged is not None:
            total += (len(self.stages_cdeg) - 1) * (self.staged.wait_s + REACTION_S)
        return total

    def contradictions(self, limits: Limits, whose: str) -> Iterator[Contradiction]:
        """Yield everything in this plan that `limits` do not allow; `whose` names them in the bounds."""
        if not limits.cap_cdeg <= self.angle_cdeg:
            bound = f"{deg(limits.cap_cdeg)} ° or less deep, {whose}"
            yield Contradiction(("angle_deg",), deg(self.angle_cdeg), bound, "is deeper than the cap")
        if not self.speed_cdeg_s <= limits.speed_cdeg_s:
            bound = f"up to {deg(limits.speed_cdeg_s)} °/s, {whose}"
            yield Contradiction(("speed_deg_s",), deg(self.speed_cdeg_s), bound, "is faster than the limit")
        if not self.hold_s <= limits.hold_limit_s:
            bound = f"up to {limits.hold_limit_s} s, {whose}"
            yield Contradiction(("hold_s",), str(self.hold_s), bound, "is held longer than the limit")
        if not self.sets <= limits.sets_limit:
            yield Contradiction(("sets",), str(self.sets), f"up to {limits.sets_limit}, {whose}", "are too many sets")
        if not self.sets * self.hold_s <= limits.hold_a_day_s:
            bound = f"up to {limits.hold_a_day_s} s a day, {whose}"
            message = f"{self.sets} sets of it hold {self.sets * self.hold_s} s altogether"
            yield Contradiction(("hold_s", "sets"), str(self.hold_s), bound, message)
        if not self.rest_s >= limits.rest_s:
            bound = f"{limits.rest_s} s or more, {whose}"
            yield Contradiction(("rest_s",), str(self.rest_s), bound, "is too short a rest")
        needed = self.set_limit_s(limits)
        if not needed <= limits.set_limit_s:
            message = (
                f"one set needs {needed} s below -5° ({needed - SET_MARGIN_S} s as planned: ramps, stages and their "
                f"waits, tone, first degrees and hold; {SET_MARGIN_S} s margin)"
            )
            keys = ("hold_s", "angle_deg", "speed_deg_s", "staged.step_deg", "staged.wait_s")
            yield Contradiction(keys, str(self.hold_s), f"up to {limits.set_limit_s} s below -5°, {whose}", message)


def digest(model: Model) -> str:
    """Return the first sixteen hexadecimal digits of the SHA-256 of a model's values in canonical JSON."""
    text = json.dumps(model.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]
