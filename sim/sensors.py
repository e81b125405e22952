"""What the table's own electronics can see of the plant: two angle sensors, the cam, the end switches, the current."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle

from sim.hooks import AngleHooks, SensorHooks
from sim.plant import Plant

_DEG = 180.0 / math.pi
_MARGIN_DEG = 5.0


@dataclass(frozen=True, slots=True)
class SensorConstants:
    """The sensors' figures, as the hazard page asks for them and data sheets give them."""

    low_deg: float = -90.0  # angle of one end of the span; 4096 words over 200° are 0.049° each
    high_deg: float = 110.0
    words: int = 4096  # 12 bits after oversampling
    noise_deg: float = 0.03  # rms of each, after oversampling; with the quantisation 0.033, the page allows 0.05
    mounting_deg: float = 0.05  # each sits this far off at most, after calibration
    skew_ms: float = 2.0  # B is converted this much before A: one converter, one channel at a time
    cam_deg: float = -0.5  # the level switch closes below this …
    cam_spread_deg: float = 0.5  # … give or take this, once for each table
    hysteresis_deg: float = 0.1  # of cam and end switches
    current_noise_ma: float = 20.0  # Hall sensor of ±20 A
    current_step_ma: int = 10  # 12 bits over ±20 A


@lru_cache(maxsize=8)
def _unit_noise(length: int) -> tuple[float, ...]:
    """Return a ring of normal noise of standard deviation 1; a draw would cost more than all the rest of a sample."""
    rng = random.Random(length)
    return tuple(rng.gauss(0.0, 1.0) for _ in range(length))


def noise_source(rng: random.Random, length: int, scale: float) -> Callable[[], float]:
    """Return a source of noise that goes round its ring for ever, from a place of its own.

    Rings whose lengths are different primes repeat as a set only after the product of their lengths.
    """
    ring, start = _unit_noise(length), rng.randrange(length)
    return cycle([scale * value for value in ring[start:] + ring[:start]]).__next__


@lru_cache(maxsize=8)
def _angles_of_words(zero_deg: float, step_deg: float, words: int) -> tuple[int, ...]:
    """Return the angle in centidegrees that each word of a converter stands for."""
    return tuple(round(100.0 * (zero_deg + (word + 0.5) * step_deg)) for word in range(words))


class AngleSensor:
    """One angle sensor: a voltage that rises (A) or falls (B) with the angle, noise, a converter, and what goes wrong.

    Args:
        constants: the sensor's figures.
        rng: its noise, and how far off it was mounted.
        falling: whether the voltage falls while the angle rises, as it does for B.
        length: how many noise values there are before they come round again.

    Attributes:
        hooks: what goes wrong with it.
        per_rad, base: the angle in words of the converter, base + per_rad × angle.
        noise: what to add to that; each call goes on to the next.
        words: centidegrees that each word stands for.
    """

    __slots__ = ("_drift_from_ms", "base", "hooks", "noise", "per_rad", "words")

    def __init__(self, constants: SensorConstants, rng: random.Random, falling: bool, length: int) -> None:
        step_deg = (constants.high_deg - constants.low_deg) / constants.words
        slope = -1.0 if falling else 1.0
        zero_deg = constants.high_deg if falling else constants.low_deg
        off_deg = rng.uniform(-constants.mounting_deg, constants.mounting_deg)
        self.hooks = AngleHooks()
        self.per_rad = slope * _DEG / step_deg
        self.base = slope * (off_deg - zero_deg) / step_deg
        self.words = _angles_of_words(zero_deg, slope * step_deg, constants.words)
        self.noise = noise_source(rng, length, constants.noise_deg / step_deg)
        self._drift_from_ms: int | None = None

    def sample(self, angle_rad: float, now_ms: int, last_cdeg: int | None) -> int | None:
        """Convert the angle to centidegrees, None when there is nothing to read; `last_cdeg` was read before."""
        hooks = self.hooks
        hooks.touched = hooks.active
        if not hooks.drift_deg_s:
            self._drift_from_ms = None
        elif self._drift_from_ms is None:
            self._drift_from_ms = now_ms
        if hooks.lost:
            return None
        if hooks.reading_cdeg is not None:
            return hooks.reading_cdeg
        if hooks.stuck:
            return last_cdeg
        off_deg = hooks.offset_deg
        if self._drift_from_ms is not None:
            drift_deg = hooks.drift_deg_s * (now_ms - self._drift_from_ms) / 1000.0
            off_deg += min(max(drift_deg, -hooks.drift_most_deg), hooks.drift_most_deg)
        return self.convert(int((angle_rad + off_deg / _DEG) * self.per_rad + self.base + self.noise()))

    def convert(self, word: int) -> int:
        """Return the angle that a word of the converter stands for; beyond its ends it saturates."""
        return self.words[min(max(word, 0), len(self.words) - 1)]


class Sensors:
    """Everything the electronics measure. `sample` takes one look at the plant; the attributes are what it found.

    Args:
        constants: the sensors' figures.
        plant: what is measured.
        rng: noise, mounting, where the cam sits.

    Attributes:
        hooks: what can go wrong with contacts, cam and current; `angle_a.hooks`, `angle_b.hooks`: with an angle.
        a_cdeg, b_cdeg: the two angles; current_ma; level_switch (True says "below"); end_down, end_up (True: reached).
        calm_low_rad, calm_high_rad: between these no switch changes.

    Raises:
        ValueError: a hard stop lies less than 5° inside the sensors' span.
    """

    def __init__(self, constants: SensorConstants, plant: Plant, rng: random.Random) -> None:
        table = plant.constants
        low_deg, high_deg = constants.low_deg + _MARGIN_DEG, constants.high_deg - _MARGIN_DEG
        if not low_deg <= table.hard_stop_low_deg < table.hard_stop_high_deg <= high_deg:
            raise ValueError(
                f"the hard stops must lie between {low_deg:g}° and {high_deg:g}°, where the sensors see them"
            )
        self._plant = plant
        self.hooks = SensorHooks()
        self.angle_a = AngleSensor(constants, rng, falling=False, length=4093)
        self.angle_b = AngleSensor(constants, rng, falling=True, length=3989)
        self._current_noise = noise_source(rng, 997, constants.current_noise_ma)
        self._current_step_ma = constants.current_step_ma
        self._skew_s = constants.skew_ms / 1000.0
        self._cam_rad = (constants.cam_deg + rng.uniform(-1.0, 1.0) * constants.cam_spread_deg) / _DEG
        self._down_rad = table.end_down_deg / _DEG
        self._up_rad = table.end_up_deg / _DEG
        self._half_rad = constants.hysteresis_deg / 2.0 / _DEG
        self._cam = plant.motion.angle_rad < self._cam_rad
        self._down = self._up = False
        self.level_switch = self._cam
        self.end_down = self.end_up = False
        self.a_cdeg: int | None = 0
        self.b_cdeg: int | None = 0
        self.current_ma: int | None = 0
        self.calm_low_rad = self.calm_high_rad = 0.0
        self.switch()

    def switch(self) -> None:
        """Let cam and end switches follow the table; needed when it has left the calm or a hook was touched."""
        hooks, half = self.hooks, self._half_rad
        angle = self._plant.motion.angle_rad
        low, high = -math.inf, math.inf
        states = []
        for at_rad, below in ((self._cam_rad, self._cam), (self._down_rad, self._down), (self._up_rad, not self._up)):
            now_below = angle < (at_rad + half if below else at_rad - half)
            states.append(now_below)
            if now_below:
                high = min(high, at_rad + half)
            else:
                low = max(low, at_rad - half)
        self.calm_low_rad, self.calm_high_rad = low, high
        self._cam, self._down, self._up = states[0], states[1], not states[2]
        self.level_switch = self._cam if hooks.level_switch is None else hooks.level_switch
        self.end_down = self._down if hooks.end_down is None else hooks.end_down
        self.end_up = self._up if hooks.end_up is None else hooks.end_up

    def sample(self, now_ms: int) -> None:
        """Take one frame's look at angles and current."""
        plant = self._plant
        motion = plant.motion
        a, b, angle_rad = self.angle_a, self.angle_b, motion.angle_rad
        earlier_rad = angle_rad - motion.speed_rad_s * self._skew_s
        if a.hooks.touched or b.hooks.touched:
            self.a_cdeg = a.sample(angle_rad, now_ms, self.a_cdeg)
            self.b_cdeg = b.sample(earlier_rad, now_ms, self.b_cdeg)
        else:
            # The same without a call: the hard stops lie well inside the span, so a word is always one of the table's.
            self.a_cdeg = a.words[int(angle_rad * a.per_rad + a.base + a.noise())]
            self.b_cdeg = b.words[int(earlier_rad * b.per_rad + b.base + b.noise())]
        drawn_ma = plant.current_ma
        if drawn_ma:
            step_ma = self._current_step_ma
            drawn_ma += self._current_noise()
            self.current_ma = int(drawn_ma / step_ma + 0.5) * step_ma if drawn_ma > 0.0 else 0
        else:
            self.current_ma = 0
        if self.hooks.touched:
            self._spoil()

    def _spoil(self) -> None:
        """Replace what was sampled by what the faults say, and forget a touch that left no fault."""
        hooks = self.hooks
        hooks.touched = hooks.active
        if hooks.shared_word is not None:
            self.a_cdeg = self.angle_a.convert(hooks.shared_word)
            self.b_cdeg = self.angle_b.convert(hooks.shared_word)
        if hooks.current_ma is not None:
            self.current_ma = hooks.current_ma
        if hooks.current_lost:
            self.current_ma = None
