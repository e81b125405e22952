"""One angle sensor at the converter, sampled every 2 ms: the mean of a frame, and the slope of the last 150 ms."""

from collections.abc import Callable
from typing import Final

from firmware_bridge.gpio_converter import AngleScale, plausible
from firmware_bridge.gpio_velocity import Slope

# With more samples than this lost in one frame the angle is unknown.
_MOST_LOST: Final = 2


class AngleSensor:
    """One channel of the converter.

    Args:
        convert: returns the counts of a channel, None when there is no answer.
        channel: which channel.
        scale: what its counts mean.
    """

    __slots__ = ("_channel", "_convert", "_lost", "_samples", "_scale", "_slope", "_sum")

    def __init__(self, convert: Callable[[int], int | None], channel: int, scale: AngleScale) -> None:
        self._convert = convert
        self._channel = channel
        self._scale = scale
        self._slope = Slope()
        self._sum = self._samples = self._lost = 0

    def sample(self, missed: int = 0) -> bool:
        """Take one sample, after `missed` that nobody took in time; return whether it was an angle."""
        counts = self._take()
        if missed:
            self._slope.fill(counts, missed)
        self._slope.take(counts)
        return counts is not None

    def begin_frame(self, samples: int) -> None:
        """Begin the frame anew, with some samples of this very moment that are none of the slope's."""
        self._sum = self._samples = self._lost = 0
        for _ in range(samples):
            self._take()

    def forget(self) -> None:
        """Begin the slope anew: the last samples are too long ago to be joined to the next."""
        self._slope = Slope()

    def frame(self) -> int | None:
        """Return the angle of this frame, and begin the next."""
        known = self._samples > 0 and self._lost <= _MOST_LOST
        angle = self._scale.cdeg(self._sum / self._samples) if known else None
        self._sum = self._samples = self._lost = 0
        return angle

    @property
    def velocity_cdeg_s(self) -> float | None:
        """How fast it turns, or None while the window has holes."""
        return self._slope.counts_s * self._scale.per_count if self._slope.known else None

    def _take(self) -> int | None:
        counts = self._convert(self._channel)
        if counts is None or not plausible(counts):
            self._lost += 1
            return None
        self._sum += counts
        self._samples += 1
        return counts
