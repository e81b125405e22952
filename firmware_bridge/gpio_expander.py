"""MCP23S17 expanders: the panel's keys and lamps, sixteen lines a chip, both chips at one select pin.

A chip that is gone, or that a dip of the supply has reset, must not look like keys that are pressed. So every reading
takes the pull-ups with it: they read as they were set, or nobody knows anything.
"""

from collections.abc import Sequence
from typing import Any, Final

from firmware_bridge.gpio_factory import pin_faults

WRITE: Final = 0x40
READ: Final = 0x41
# Registers in pairs (IOCON.BANK = 0), port A first.
IODIR: Final = 0x00
IOCON: Final = 0x0A
GPPU: Final = 0x0C
OLAT: Final = 0x14
# Look at the address pins; until a chip has this it takes everything for its own.
HAEN: Final = 0x08


class Expander:
    """One chip.

    Args:
        spi: gpiozero's interface to its select pin.
        address: what its address pins are wired to.
        inputs: bits of the lines that are contacts to ground; every other line is an output.
    """

    def __init__(self, spi: Any, address: int, inputs: int) -> None:
        self._spi = spi
        self._faults = pin_faults()
        self._inputs = inputs
        self._write = WRITE | address << 1
        self._pull_ups = [inputs & 0xFF, inputs >> 8]
        # From the pull-ups to the levels: eight registers.
        self._ask = [READ | address << 1, GPPU, *[0] * 8]
        self.lit = 0

    def set_up(self) -> None:
        """Tell the chip what it is to be, outputs first; done again now and then, since its supply may have dipped."""
        directions = [self._inputs & 0xFF, self._inputs >> 8]
        self._send([WRITE, IOCON, HAEN])
        self._send([self._write, IOCON, HAEN])
        self._send([self._write, OLAT, self.lit & 0xFF, self.lit >> 8])
        self._send([self._write, IODIR, *directions])
        self._send([self._write, GPPU, *self._pull_ups])

    def light(self, word: int) -> None:
        """Put out sixteen levels; lines that are inputs do not mind."""
        if word != self.lit:
            self.lit = word
            self._send([self._write, OLAT, word & 0xFF, word >> 8])

    def closed(self) -> int | None:
        """Return the contacts that are closed, a bit each, or None when the chip does not answer as it should."""
        try:
            answer: list[int] = self._spi.transfer(self._ask)
        except self._faults:
            return None
        if answer[2:4] != self._pull_ups:
            return None
        return ~(answer[8] | answer[9] << 8) & self._inputs

    def _send(self, words: Sequence[int]) -> None:
        """Send some words. A bus that fails is seen where contacts are read; a lamp is no reason to stop."""
        try:
            self._spi.transfer(list(words))
        except self._faults:
            return
