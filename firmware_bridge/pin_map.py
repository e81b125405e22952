"""The pin map of the microcontroller: `firmware/pins.toml`, held against the board, the chip and the wires there are.

The firmware is built from this file and `inversion-table wiring` prints it, so a pin that cannot do what it is chosen
for is refused here, by name. Loaded by commands and generators, never in a tick.
"""

import os
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from config.errors import ConfigurationError
from config.mistakes import problems_of
from config.quantities import Contradiction, Model, refuse, whole
from config.reading import parse, read_bytes, read_shipped
from firmware_bridge.circuits import Circuit, Kind, Signal, circuits_of
from firmware_bridge.mega_pins import NOT_QUIET, ONE_INSTRUCTION, PORTS, functions, printed

BOARD: Final = "mega-2560"

# What a signal needs of the chip, and what for. Timer 1 has 16 bits and three outputs; an edge interrupt from INT4 on
# tells either edge; A and B are neighbours, so that they are sampled one conversion apart.
NEEDED: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "estop_1": (("INT4",), "an edge of the e-stop interrupts whatever runs"),
    "drive_pwm": (("OC1A", "OC1B", "OC1C"), "timer 1 makes the PWM"),
    "angle_a": (("ADC0",), "A and B are converted one after the other"),
    "angle_b": (("ADC1",), "A and B are converted one after the other"),
    "current": (tuple(f"ADC{channel}" for channel in range(2, 16)), "it is a voltage"),
    "buzzer": (("OC3A", "OC3B", "OC3C", "OC4A", "OC4B", "OC4C", "OC5A", "OC5B", "OC5C"), "a timer makes its pitch"),
    "host_rx": (("RXD0",), "the USB plug is wired to UART 0"),
    "host_tx": (("TXD0",), "the USB plug is wired to UART 0"),
}
# What moves the table or lets it go. Until main() has run these pins float, so resistors have to hold them low: weaker
# ones do not against a long cable beside the motor's, stronger ones load the pin.
MOVING: Final = ("drive_pwm", "drive_down", "drive_up", "drive_enable", "brake_release")
MOVING_KOHM: Final = (1, 22)
# A loose sensor must read 0 V within a sample, and the resistor must not bend what the sensor says (< 1 kΩ inside).
ANALOGUE_KOHM: Final = (47, 470)


class Pin(Model):
    """One pin.

    `signal` is the wire's name in circuits.toml, `pin` the board's number (54 … 69 are A0 … A15), `port` the chip's.
    `kind` is what the wire is, `function` what of the chip it needs, `pull_down_kohm` the resistor to ground that is
    fitted beside the plug; 0 where there is none.
    """

    signal: Signal
    pin: Annotated[int, whole("", 0, len(PORTS) - 1)]
    port: Annotated[str, StringConstraints(pattern=r"^P[A-HJ-L][0-7]$")]
    kind: Kind
    function: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]*$", max_length=8)] = ""
    pull_down_kohm: Annotated[int, whole("kΩ", 0, 1000)] = 0

    @property
    def printed(self) -> str:
        """What is printed on the board beside it."""
        return printed(self.pin)


class PinMap(Model):
    """Every pin that is used, each for one wire."""

    format: Literal["inversion-table/pins@1"]
    board: Literal["mega-2560"]
    pins: tuple[Pin, ...] = Field(alias="pin", strict=False, min_length=1, max_length=len(PORTS))

    @model_validator(mode="after")
    def _no_contradictions(self) -> Self:
        """Refuse a map that the board cannot have or that leaves a wire out."""
        refuse(list(self._contradictions()))
        return self

    def of(self, signal: str) -> Pin:
        """Return the pin of one wire. Raises KeyError: it has none."""
        return self.by_signal[signal]

    @property
    def by_signal(self) -> dict[str, Pin]:
        """Every pin by its wire's name, in the file's order."""
        return {pin.signal: pin for pin in self.pins}

    def _contradictions(self) -> Iterator[Contradiction]:
        wires = circuits_of(BOARD)
        taken: dict[int, str] = {}
        seen: set[str] = set()
        for pin in self.pins:
            if pin.signal in seen:
                yield Contradiction((f"{pin.signal}.signal",), pin.signal, "each wire once", "has a pin already")
            seen.add(pin.signal)
            other = taken.setdefault(pin.pin, pin.signal)
            if other != pin.signal:
                bound = f"a pin that {other} does not have"
                yield Contradiction((f"{pin.signal}.pin", f"{other}.pin"), pin.printed, bound, f"is {other}'s too")
            wire = wires.get(pin.signal)
            if wire is None:
                yield Contradiction((f"{pin.signal}.signal",), pin.signal, "a name in circuits.toml", "is no wire")
            else:
                yield from _as_the_chip_can(pin, wire)
        for name in (name for name in wires if name not in seen):
            yield Contradiction((f"{name}.pin",), "none", "one pin", "this wire has no pin")


def _as_the_chip_can(pin: Pin, wire: Circuit) -> Iterator[Contradiction]:
    """Yield what one pin cannot do, and what it may not."""
    if pin.port != PORTS[pin.pin]:
        bound = f"{PORTS[pin.pin]}, which is where pin {pin.printed} is"
        yield Contradiction((f"{pin.signal}.port", f"{pin.signal}.pin"), pin.port, bound, "is another pin of the chip")
    if pin.kind != wire.kind:
        yield Contradiction((f"{pin.signal}.kind",), f'"{pin.kind}"', f'"{wire.kind}"', "is not what the wire is")
    able = functions(PORTS[pin.pin])
    if pin.function and pin.function not in able:
        bound = f"pin {pin.printed} can be {' or '.join(able)}" if able else f"pin {pin.printed} is a plain pin"
        yield Contradiction((f"{pin.signal}.function",), pin.function, bound, "is no function of this pin")
    wanted, why = NEEDED.get(pin.signal, ((), ""))
    if wanted and pin.function not in wanted:
        listed = wanted[0] if len(wanted) == 1 else f"{', '.join(wanted[:-1])} or {wanted[-1]}"
        told = pin.function or "none"
        yield Contradiction((f"{pin.signal}.function",), told, listed, f"is not what this wire needs: {why}")
    if pin.signal in MOVING:
        yield from _safe_at_reset(pin)
    elif wire.kind == "analogue":
        yield from _between(pin, ANALOGUE_KOHM, "a loose sensor must read 0 V")
    elif wire.kind == "contact" and pin.pull_down_kohm:
        told = str(pin.pull_down_kohm)
        yield Contradiction((f"{pin.signal}.pull_down_kohm",), told, "0", "a contact is pulled up: open must be high")


def _safe_at_reset(pin: Pin) -> Iterator[Contradiction]:
    yield from _between(pin, MOVING_KOHM, "after a reset the pin floats and must be low")
    if pin.pin in NOT_QUIET:
        bound = f"not {', '.join(printed(one) for one in sorted(NOT_QUIET))}"
        message = "the boot loader or a programmer drives this pin"
        yield Contradiction((f"{pin.signal}.pin",), pin.printed, bound, message)
    if PORTS[pin.pin][1] not in ONE_INSTRUCTION:
        message = "an interrupt could come between the instructions that clear it"
        yield Contradiction((f"{pin.signal}.port",), PORTS[pin.pin], "a port from PA to PG", message)


def _between(pin: Pin, ends: tuple[int, int], why: str) -> Iterator[Contradiction]:
    low, high = ends
    if not low <= pin.pull_down_kohm <= high:
        bound = f"{low} … {high} kΩ"
        yield Contradiction((f"{pin.signal}.pull_down_kohm",), str(pin.pull_down_kohm), bound, why)


def load_pin_map(path: str | os.PathLike[str] | None = None) -> PinMap:
    """Return the shipped pin map, or the one in a file.

    Raises:
        ConfigurationError: the file cannot be used; it carries every reason.
    """
    shipped = _parsed_shipped()
    label = "pins.toml" if path is None else str(path)
    data = shipped if path is None else parse(read_bytes(Path(path)), label)
    try:
        return PinMap.model_validate(data)
    except ValidationError as error:
        raise ConfigurationError(list(problems_of(PinMap, data, error, shipped, label))) from None


def _parsed_shipped() -> dict[str, Any]:
    return parse(read_shipped(resources.files("firmware_bridge").joinpath("firmware", "pins.toml")), "pins.toml")
