"""Pins and SPI of a Raspberry Pi that hangs on the simulated table: gpiozero's mock pins, coupled and forgetful.

gpiozero's own mock remembers every change of every pin for ever and passes SPI bit by bit, 48 changes for one
conversion; a session has millions of them. Here a pin remembers nothing, tells whoever is wired to it what is put on
it, follows what is wired to it, and SPI carries whole words, as the kernel's driver does.

Everything hangs on one factory; nothing is shared between two, and gpiozero's default factory is left alone.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from gpiozero.exc import SPIInvalidClockMode
from gpiozero.pins import SPI
from gpiozero.pins.mock import MockFactory, MockPWMPin

PI_4B = "c03111"
SPIDEV_RATE_HZ = 500_000  # what gpiozero sets when nobody else does

Output = Callable[[float | None], None]


class Chip(Protocol):
    """What answers on an SPI bus while its select pin is low."""

    def transfer(self, words: Sequence[int]) -> list[int]:
        """Take 8-bit words and return as many. Raises OSError where the bus itself is gone."""
        ...


class TablePin(MockPWMPin):  # type: ignore[misc] # gpiozero publishes no types
    """One pin of the header.

    Attributes:
        drives: called with what is put on the pin, 0…1 (between them: PWM), or None when it is no output any more.
        level: what is wired to the pin puts on it as an input; None: nothing does, and the pull decides.
    """

    def __init__(self, factory: "TableFactory", info: Any) -> None:
        self.drives: Output | None = None
        self.level: bool | None = None
        self._state: float = False
        super().__init__(factory, info)

    def put(self, level: bool | None) -> None:
        """Put a level on the pin from outside."""
        self.level = level
        if self._function == "input":
            self._follow()

    def _follow(self) -> None:
        level = self.level
        if level is None:
            level = self._pull == "up"
        if level:
            self.drive_high()
        else:
            self.drive_low()

    def _change_state(self, value: float) -> bool:
        if self._state == value:
            return False
        self._state = value
        if self.drives is not None and self._function == "output":
            self.drives(value)
        return True

    def _set_function(self, value: str) -> None:
        was = self._function
        super()._set_function(value)
        if self.drives is not None and was != value:
            self.drives(None if value == "input" else self._state)

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        self._follow()


class WordSpi(SPI):  # type: ignore[misc] # gpiozero publishes no types
    """One SPI device, by whole words. Chip and bus are the factory's; this is what a gpiozero device holds of them."""

    def __init__(self, factory: "TableFactory", chip: Chip, pins: dict[str, Any], shared: bool) -> None:
        self._chip: Chip | None = None
        super().__init__(pin_factory=factory)
        self._shared = shared
        self._select = pins["select_pin"]
        self._clock_mode = 0
        self._rate = SPIDEV_RATE_HZ
        factory.reserve_pins(self, *(pin for pin in pins.values() if pin is not None))
        self._chip = chip

    def _conflicts_with(self, other: object) -> bool:
        if not isinstance(other, WordSpi):
            return True
        return self._select == other._select and not (self._shared and other._shared)

    def close(self) -> None:
        """Let go of the bus."""
        if getattr(self, "_chip", None) is not None:
            self._chip = None
            self.pin_factory.release_all(self)
        super().close()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._chip is None

    def transfer(self, words: Sequence[int]) -> list[int]:
        """Send words and return as many, received meanwhile. Raises OSError, DeviceClosed."""
        chip = self._chip
        if chip is None:
            self._check_open()
            return []
        return chip.transfer(words)

    def _get_clock_mode(self) -> int:
        return self._clock_mode

    def _set_clock_mode(self, value: int) -> None:
        if not 0 <= value < 4:
            raise SPIInvalidClockMode(f"{value} is not a valid clock mode")
        self._clock_mode = value

    def _get_rate(self) -> int:
        return self._rate

    def _set_rate(self, value: int) -> None:
        self._rate = int(value)


class TableFactory(MockFactory):  # type: ignore[misc] # gpiozero publishes no types
    """Makes the pins of one Raspberry Pi 4.

    Attributes:
        chips: what answers on SPI, by the number of its select pin; where there is none the bus reads high.
    """

    def __init__(self) -> None:
        super().__init__(revision=PI_4B, pin_class=TablePin)
        self.chips: dict[int, Chip] = {}

    def wire(self, number: int) -> TablePin:
        """Return a pin by its GPIO number, to hang something on."""
        pin = self.pin(number)
        assert isinstance(pin, TablePin)
        return pin

    def spi(self, **spi_args: Any) -> WordSpi:
        """Return the interface to one chip; takes what any gpiozero factory takes."""
        pins, others = self._extract_spi_args(**spi_args)
        shared = bool(others.pop("shared", False))
        if others:
            raise TypeError(f"unrecognised keyword argument {next(iter(others))}")
        select = int(str(pins["select_pin"]).removeprefix("GPIO"))
        return WordSpi(self, self.chips.get(select, _Nobody()), pins, shared)


class _Nobody:
    """A select pin without a chip: nothing pulls the line low."""

    def transfer(self, words: Sequence[int]) -> list[int]:
        return [0xFF] * len(words)
