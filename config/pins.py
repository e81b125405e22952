"""Pins as an integrator writes them: the Pi's own, by number or by their place on the header, and an expander's lines.

Every way of writing a pin becomes one number, so that one pin is never taken for two: `17`, `"GPIO17"`, `"BOARD11"` and
`"J8:11"` are the same. A line of an expander is written `"X0.A3"`: chip 0, port A, line 3.
"""

import re
from dataclasses import dataclass
from typing import Final

from pydantic_core import PydanticCustomError

from config.errors import nearest
from config.quantities import Quantity, told

# The Pi's header of 40 pins: what stands at each place. The other places are supply and ground.
_PLACES: Final = (
    (3, 2), (5, 3), (7, 4), (8, 14), (10, 15), (11, 17), (12, 18), (13, 27), (15, 22), (16, 23), (18, 24), (19, 10),
    (21, 9), (22, 25), (23, 11), (24, 8), (26, 7), (27, 0), (28, 1), (29, 5), (31, 6), (32, 12), (33, 13), (35, 19),
    (36, 16), (37, 26), (38, 20), (40, 21),
)  # fmt: skip
HEADER: Final = dict(_PLACES)
PLACE: Final = {gpio: place for place, gpio in _PLACES}

HIGHEST_GPIO: Final = 27
# With these an add-on board tells what it is, before anything of ours runs.
IDENTITY: Final = frozenset({0, 1})
# SPI 0: chip select 1 and 0, MISO, MOSI, clock. Its driver takes all five, whichever of them we use.
SPI: Final = {7: "CE1", 8: "CE0", 9: "MISO", 10: "MOSI", 11: "clock"}
# A reset leaves these pulled up (BCM2835 ARM Peripherals, table 6-31): an output there would be on until we run.
PULLED_UP_AT_RESET: Final = frozenset(range(9))
# The serial console has these wherever it is on: the one idles high, the other is pulled up.
CONSOLE: Final = frozenset({14, 15})

CHIPS: Final = 2
LINES: Final = 16
FIRST_LINE: Final = 100

_GPIO = re.compile(r"(?:GPIO|BCM)(\d{1,3})", re.IGNORECASE)
_BOARD = re.compile(r"(?:BOARD|J8:)(\d{1,3})", re.IGNORECASE)
_LINE = re.compile(r"X([01])\.([AB])([0-7])", re.IGNORECASE)
_FORMS = '17, "GPIO17", "BOARD11", "J8:11" or "X0.A3"'


def line(chip: int, place: int) -> int:
    """Return the number that stands for one line of an expander; `place` counts A0 to B7 as 0 to 15."""
    return FIRST_LINE + LINES * chip + place


def on_expander(pin: int) -> bool:
    """Tell whether a pin is an expander's line."""
    return pin >= FIRST_LINE


def chip_of(pin: int) -> int:
    """Return the expander of a line."""
    return (pin - FIRST_LINE) // LINES


def bit_of(pin: int) -> int:
    """Return a line's bit among the sixteen of its expander, A0 lowest."""
    return 1 << (pin - FIRST_LINE) % LINES


def name_of(pin: int) -> str:
    """Return a pin as people call it: `GPIO17` or `X0.A3`."""
    if not on_expander(pin):
        return f"GPIO{pin}"
    place = (pin - FIRST_LINE) % LINES
    return f"X{chip_of(pin)}.{'AB'[place // 8]}{place % 8}"


def gpio_of(value: int) -> int:
    """Return a pin of the Pi that is free for use.

    Raises:
        PydanticCustomError: there is no such pin, or it is not for us.
    """
    if not 0 <= value <= HIGHEST_GPIO:
        raise PydanticCustomError("pin", "there is no such pin: a Raspberry Pi has GPIO2 … GPIO27")
    if value in IDENTITY:
        raise PydanticCustomError("pin", "is kept for add-on boards to tell what they are; take another pin")
    if value in SPI:
        raise PydanticCustomError(
            "pin", "belongs to SPI, where the converter sits ({name}); take another pin", {"name": SPI[value]}
        )
    return value


@dataclass(frozen=True, slots=True)
class PinNumber(Quantity):
    """A pin as metadata of an `int` field.

    `own` allows only the Pi's own pins; with `output` a pin that may be high before this program runs is refused too.
    """

    unit: str = ""
    scale: int = 1
    low: int = 2
    high: int = FIRST_LINE + LINES * CHIPS - 1
    own: bool = True
    output: bool = False

    @property
    def bound(self) -> str:
        """What is allowed."""
        if self.output:
            return "a pin of the Pi that a reset pulls down: GPIO12, GPIO13, GPIO16 … GPIO27"
        ours = "a pin of the Pi: GPIO2 … GPIO6, GPIO12 … GPIO27"
        return ours if self.own else f"{ours}; or a line of an expander: X0.A0 … X1.B7"

    @property
    def span(self) -> str:
        """The same, shortly."""
        if self.output:
            return "GPIO12, 13, 16 … 27"
        ours = "GPIO2 … 6, 12 … 27"
        return ours if self.own else f"{ours}, X0.A0 … X1.B7"

    def shown(self, stored: int) -> str:
        """Return a pin as people call it."""
        return name_of(stored)

    def convert(self, value: object) -> int:
        """Return the pin's number, whatever way it is written in.

        Raises:
            PydanticCustomError: it is no pin, or none for this use.
        """
        pin = _read(value)
        if on_expander(pin):
            if self.own:
                raise PydanticCustomError("pin", "is a line of an expander, and this needs a pin of the Pi itself")
            return pin
        if self.output and pin in PULLED_UP_AT_RESET:
            raise PydanticCustomError("pin", "is pulled up by a reset, so that this output would be on before we run")
        if self.output and pin in CONSOLE:
            raise PydanticCustomError("pin", "is the serial console's, which may hold it high before we run")
        return pin


def _read(value: object) -> int:
    """Return any pin by any of its names."""
    match value:
        case bool():
            raise PydanticCustomError("pin", "is a yes or no, a pin is wanted")
        case int():
            return gpio_of(value)
        case str():
            return _named(value)
        case _:
            raise PydanticCustomError("pin", "is no pin; write {forms}", {"forms": _FORMS})


def _named(text: str) -> int:
    if found := _GPIO.fullmatch(text):
        return gpio_of(int(found[1]))
    if found := _BOARD.fullmatch(text):
        gpio = HEADER.get(int(found[1]))
        if gpio is None:
            raise PydanticCustomError("pin", "is no signal on the header: supply, ground or nothing at all")
        return gpio_of(gpio)
    if found := _LINE.fullmatch(text):
        return line(int(found[1]), 8 * "AB".index(found[2].upper()) + int(found[3]))
    near = nearest(text, [f"GPIO{gpio}" for gpio in PLACE])
    guess = f"; did you mean {near}?" if near else ""
    raise PydanticCustomError("pin", "{text} is no pin{guess}; write {forms}", {
        "text": told(text), "guess": guess, "forms": _FORMS
    })  # fmt: skip
