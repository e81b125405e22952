"""What the table's own electronics can see of the plant: two angle sensors, the cam, the end switches, the current."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle

from sim.hooks import AngleHooks, SensorHooks
from sim.plant import Plant

_DEG = 180.0 / math.pi


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
    current_step_ma: float = 10.0  # 12 bits over ±20 A


class AngleSensor:
    """One angle sensor: a voltage that rises (A) or falls (B) with the angle, noise, a converter, and what goes wrong."""

    __slots__ = ("_base", "_failing", "_noise", "_per_rad", "_reading", "_since_ms", "_words", "hooks")

    def __init__(self, constants: SensorConstants, rng: random.Random, falling: bool, length: int) -> None:
        span_deg = constants.high_deg - constants.low_deg
        step_deg = span_deg / constants.words
        slope = -1.0 if falling else 1.0
        zero_deg = constants.high_deg if falling else constants.low_deg
        off_deg = rng.uniform(-constants.mounting_deg, constants.mounting_deg)
        self.hooks = AngleHooks()
        self._per_rad = slope * _DEG / step_deg
        self._base = slope * (off_deg - zero_deg) / step_deg
        self._words = [round(100.0 * (zero_deg + slope * (word + 0.5) * step_deg)) for word in range(constants.words)]
        # Drawn once and read round and round; the rings' lengths are primes, so that the pair never repeats in a run.
        ring = [rng.gauss(0.0, constants.noise_deg / step_deg) for _ in range(length)]
        self._noise: Callable[[], float] = cycle(ring).__next__
        self._reading: int | None = 0
        self._since_ms = 0
        self._failing = False

    def sample(self, angle_rad: float, now_ms: int) -> int | None:
        """Convert the angle, in centidegrees; None when there is nothing to read."""
        if self.hooks.active or self._failing:
            return self._sample_badly(angle_rad, now_ms)
        word = int(angle_rad * self._per_rad + self._base + self._noise())
        self._reading = reading = (
            self._words[word] if 0 <= word < len(self._words) else self._words[0 if word < 0 else -1]
        )
        return reading

    def convert(self, word: int) -> int:
        """Return the angle that a word of the converter stands for."""
        return self._words[min(max(word, 0), len(self._words) - 1)]

    def _sample_badly(self, angle_rad: float, now_ms: int) -> int | None:
        hooks = self.hooks
        if not self._failing:
            self._since_ms = now_ms
        self._failing = hooks.active
        if hooks.lost:
            return None
        if hooks.reading_cdeg is not None:
            return hooks.reading_cdeg
        if hooks.stuck:
            return self._reading
        off_deg = hooks.offset_deg + hooks.drift_deg_s * (now_ms - self._since_ms) / 1000.0
        word = int((angle_rad + off_deg / _DEG) * self._per_rad + self._base + self._noise())
        self._reading = self.convert(word)
        return self._reading


class Sensors:
    """Everything the electronics measure. `sample` takes one look at the plant; the attributes are what it found.

    Args:
        constants: the sensors' figures.
        plant: what is measured.
        rng: noise, mounting, where the cam sits.

    Attributes:
        hooks: what can go wrong with contacts, cam and current; `angle_a.hooks`, `angle_b.hooks`: with an angle.
        a_cdeg, b_cdeg: the two angles; current_ma; level_switch (True says "below"); end_down, end_up (True: reached).
    """

    def __init__(self, constants: SensorConstants, plant: Plant, rng: random.Random) -> None:
        self.constants = constants
        self._plant = plant
        self.hooks = SensorHooks()
        self.angle_a = AngleSensor(constants, rng, falling=False, length=4093)
        self.angle_b = AngleSensor(constants, rng, falling=True, length=3989)
        self._current_noise: Callable[[], float] = cycle(
            [rng.gauss(0.0, constants.current_noise_ma) for _ in range(997)]
        ).__next__
        self._skew_s = constants.skew_ms / 1000.0
        self._cam_rad = (constants.cam_deg + rng.uniform(-1.0, 1.0) * constants.cam_spread_deg) / _DEG
        self._down_rad = plant.constants.end_down_deg / _DEG
        self._up_rad = plant.constants.end_up_deg / _DEG
        self._half_rad = constants.hysteresis_deg / 2.0 / _DEG
        self.level_switch = plant.angle_rad < self._cam_rad
        self.end_down = self.end_up = False
        self.a_cdeg: int | None = 0
        self.b_cdeg: int | None = 0
        self.current_ma: int | None = 0
        self._looked_rad = math.nan
        self.switch()

    def switch(self) -> None:
        """Let cam and end switches follow the table; cheap while it stands."""
        plant, hooks = self._plant, self.hooks
        angle = plant.angle_rad
        if angle == self._looked_rad and not hooks.touched:
            return
        self._looked_rad = angle
        half = self._half_rad
        self.level_switch = angle < (self._cam_rad + half if self.level_switch else self._cam_rad - half)
        self.end_down = angle < (self._down_rad + half if self.end_down else self._down_rad - half)
        self.end_up = angle > (self._up_rad - half if self.end_up else self._up_rad + half)
        if hooks.active:
            self.level_switch = self.level_switch if hooks.level_switch is None else hooks.level_switch
            self.end_down = self.end_down if hooks.end_down is None else hooks.end_down
            self.end_up = self.end_up if hooks.end_up is None else hooks.end_up

    def sample(self, now_ms: int) -> None:
        """Take one frame's look at angles and current."""
        plant = self._plant
        angle = plant.angle_rad
        self.a_cdeg = self.angle_a.sample(angle, now_ms)
        self.b_cdeg = self.angle_b.sample(angle - plant.velocity_rad_s * self._skew_s, now_ms)
        drawn = plant.current_ma
        if drawn:
            step = self.constants.current_step_ma
            drawn = max(0.0, round((drawn + self._current_noise()) / step) * step)
        self.current_ma = int(drawn)
        hooks = self.hooks
        if hooks.active:
            if hooks.shared_word is not None:
                self.a_cdeg = self.angle_a.convert(hooks.shared_word)
                self.b_cdeg = self.angle_b.convert(hooks.shared_word)
            if hooks.current_ma is not None:
                self.current_ma = hooks.current_ma
            if hooks.current_lost:
                self.current_ma = None
        if hooks.touched:
            hooks.touched = False
