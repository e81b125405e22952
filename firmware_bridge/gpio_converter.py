"""The MCP3208 converter: counts of its channels, angles and current out of them, and None for what is no answer."""

from typing import Any, Final

from config.gpio import FULL_SCALE, MARGIN_COUNTS, CurrentScale, Scale
from firmware_bridge.gpio_factory import pin_faults

# 1 MHz is what a MCP3208 takes at 2.7 V; at 3.3 V and the end of some cable there is nothing to be won beyond.
RATE_HZ: Final = 1_000_000
# Between the channel and the twelve bits it answers with one zero; a line that nobody holds reads one.
_NULL: Final = 0x10
_START: Final = 0x06


class Converter:
    """One MCP3208 behind an SPI interface of gpiozero; each conversion is three whole words."""

    def __init__(self, spi: Any) -> None:
        self._transfer = spi.transfer
        self._faults = pin_faults()
        self._asks = tuple([_START | channel >> 2, (channel & 3) << 6, 0] for channel in range(8))

    def convert(self, channel: int) -> int | None:
        """Return what a channel reads, 0…4095, or None when the chip gives no answer."""
        try:
            _, high, low = self._transfer(self._asks[channel])
        except self._faults:
            return None
        return None if high & _NULL else (high & 0x0F) << 8 | low


class AngleScale:
    """Counts of one angle sensor to angles, by the two that were measured.

    Attributes:
        per_count: centidegrees for each count; negative where counts fall while the angle rises.
    """

    __slots__ = ("_counts", "_low_cdeg", "per_count")

    def __init__(self, scale: Scale) -> None:
        self.per_count = (scale.high_cdeg - scale.low_cdeg) / (scale.high_counts - scale.low_counts)
        self._low_cdeg = scale.low_cdeg
        self._counts = scale.low_counts

    def cdeg(self, counts: float) -> int:
        """Return the angle in centidegrees; `counts` may be a mean of several."""
        return round(self._low_cdeg + (counts - self._counts) * self.per_count)


def plausible(counts: int | None) -> bool:
    """Whether an angle's counts can be an angle: near either end of the range the wire is broken."""
    return counts is not None and MARGIN_COUNTS <= counts <= FULL_SCALE - MARGIN_COUNTS


class CurrentMeter:
    """Counts of the current sensor to milliamperes, whichever way it flows."""

    __slots__ = ("_ma_per_count", "_zero")

    def __init__(self, scale: CurrentScale) -> None:
        self._ma_per_count = scale.ua_per_count / 1000.0
        self._zero = scale.zero_counts

    def ma(self, counts: float) -> int | None:
        """Return the current, or None where the sensor's output has gone to its supply; `counts` may be a mean."""
        if counts > FULL_SCALE - MARGIN_COUNTS:
            return None
        return round(abs(counts - self._zero) * self._ma_per_count)
