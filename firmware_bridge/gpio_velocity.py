"""How fast the table turns, and what voltage that takes: the velocity loop of a drive that knows nothing but a duty.

The slope is a least-squares line through the last 150 ms of both angle sensors; differences of two samples would be
nothing but noise. The loop puts on the set-point itself (feed-forward) and corrects by the slope, proportional and
integral. Its figures are told, with where they come from, in docs/gpio.md.
"""

from collections import deque
from typing import Final

SAMPLE_MS: Final = 2
SAMPLES: Final = 75
# Over 1 s/s the integral closes a wrong feed-forward in a fifth of a second; the slope is 75 ms old, so that the loop
# crosses over at 0.8 Hz with 80° to spare.
GAIN: Final = 0.3
INTEGRAL_GAIN_S: Final = 5.0
# A set-point is compared with the slope that belongs to it: half a window and a sample ago.
DELAY_SAMPLES: Final = SAMPLES // 2 + 1
# Slower than this share of the set-point the table does not follow yet; 50 cdeg/s against 12 of noise.
STANDS_SHARE: Final = 0.5
# Two sensors that differ by more than this do not see one table; four times their noise.
APART_CDEG_S: Final = 100.0


class Slope:
    """The slope of one sensor's counts over the last `SAMPLES`, kept exactly, in whole numbers.

    Attributes:
        known: every sample of the window was an angle.
    """

    __slots__ = ("_counts", "_good", "_last", "_sum", "_weighted", "known")

    _DIVISOR: Final = SAMPLES * (SAMPLES * SAMPLES - 1)

    def __init__(self) -> None:
        self._counts: deque[int] = deque()
        self._sum = self._weighted = self._good = self._last = 0
        self.known = False

    def take(self, counts: int | None) -> None:
        """Slide on by one sample; None is one that was no angle."""
        if counts is None:
            self._good = 0
            counts = self._last
        else:
            self._good += 1
            self._last = counts
        window = self._counts
        if len(window) < SAMPLES:
            # As if it had stood here for ever.
            window.extend([counts] * SAMPLES)
            self._sum = SAMPLES * counts
            self._weighted = counts * SAMPLES * (SAMPLES - 1) // 2
        oldest = window.popleft()
        window.append(counts)
        self._weighted += (SAMPLES - 1) * counts - (self._sum - oldest)
        self._sum += counts - oldest
        self.known = self._good >= SAMPLES

    def fill(self, counts: int | None, missed: int) -> None:
        """Slide on over samples that nobody took, along a line from the last one to `counts`, which is taken next."""
        if counts is not None and self._good:
            last = self._last
            for place in range(1, missed + 1):
                self.take(last + (counts - last) * place // (missed + 1))

    @property
    def counts_s(self) -> float:
        """Counts a second."""
        twelve = 12 * self._weighted - 6 * (SAMPLES - 1) * self._sum
        return twelve * (1000.0 / SAMPLE_MS) / self._DIVISOR


def velocity_of(a_cdeg_s: float | None, b_cdeg_s: float | None) -> float | None:
    """Return the table's velocity by two sensors: their mean, or the faster where they see different things.

    A sensor that is stuck reads slower than the table; a loop that believed it would push harder and harder.
    """
    if a_cdeg_s is None or b_cdeg_s is None:
        return a_cdeg_s if b_cdeg_s is None else b_cdeg_s
    if -APART_CDEG_S <= a_cdeg_s - b_cdeg_s <= APART_CDEG_S:
        return 0.5 * (a_cdeg_s + b_cdeg_s)
    return a_cdeg_s if abs(a_cdeg_s) >= abs(b_cdeg_s) else b_cdeg_s


class VelocityLoop:
    """Set-point and slope in, voltage out: as the speed in cdeg/s that the drive without a load would take it for.

    Args:
        top_cdeg_s: the drive's speed at full voltage without a load; no output is beyond it.

    Attributes:
        integral_cdeg_s: what holds the load and overcomes friction, as it has been learned.
    """

    __slots__ = ("_most", "_sets", "_top", "integral_cdeg_s")

    def __init__(self, top_cdeg_s: int) -> None:
        self._top = float(top_cdeg_s)
        # A load that takes more than this from the speed is beyond what the drive was chosen for.
        self._most = 0.6 * top_cdeg_s
        self.integral_cdeg_s = 0.0
        self._sets: deque[float] = deque([0.0] * DELAY_SAMPLES, DELAY_SAMPLES)

    def start(self, integral_cdeg_s: float) -> None:
        """Begin from rest with what held the load last."""
        self.integral_cdeg_s = integral_cdeg_s
        self._sets.extend([0.0] * DELAY_SAMPLES)

    def step(self, set_cdeg_s: float, velocity_cdeg_s: float | None, free: bool = False) -> float:
        """Let `SAMPLE_MS` pass, and return what to put on; without a velocity what was learned is kept.

        While the table stands and nothing resists (`free`: no current to speak of) the drive is in the gap of the gear:
        whatever corrects or is learned there would throw the table when the teeth meet. What was learned of a load that
        the motion now goes with is unlearned all the same.
        """
        sets = self._sets
        due = sets[0]
        sets.append(set_cdeg_s)
        integral = self.integral_cdeg_s
        if velocity_cdeg_s is None:
            return self._within(set_cdeg_s + integral)
        error = due - velocity_cdeg_s
        if free and abs(velocity_cdeg_s) < STANDS_SHARE * abs(due) and integral * due >= 0.0:
            return self._within(set_cdeg_s + integral)
        output = set_cdeg_s + GAIN * error + integral
        # What is beyond the drive is not learned from, but for the way back.
        if -self._top <= output <= self._top or output * error < 0.0:
            integral += INTEGRAL_GAIN_S * error * (SAMPLE_MS / 1000.0)
            self.integral_cdeg_s = min(max(integral, -self._most), self._most)
        return self._within(output)

    def _within(self, output: float) -> float:
        return min(max(output, -self._top), self._top)
