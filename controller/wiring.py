"""How one table is wired, as its profile says: every wire with its pin, and what a break of it reads as.

The same values become a page on the terminal, Markdown, JSON and a drawing. The microcontroller's pins come from the
one pin map that its firmware is built from, a Raspberry Pi's from the profile's `[gpio]`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from config.errors import UsageError
from config.gpio import MARGIN_COUNTS, Gpio
from config.pins import PLACE, SPI, chip_of, name_of, on_expander
from config.profile import Profile
from firmware_bridge.circuits import GROUPS, Circuit, circuits_of
from firmware_bridge.pin_map import MOVING, load_pin_map

BOARDS: Final = {"mega-2560": "Arduino Mega 2560", "raspberry-pi": "Raspberry Pi"}
# A pin that moves something is held low by this until the program runs, whatever the chip's own resistors do.
MOVING_PULL_KOHM: Final = 10
PI_MOVING: Final = (*MOVING, "drive_direction", "relay_down", "relay_up", "safety_relay")

# These two have a resistor on the Pi itself, since they are made for I²C.
PULLED_UP_BY_PI: Final = (2, 3)

# Places on the chips, from their data sheets: MCP3208 CH0 is pin 1; MCP23S17 GPA0 is pin 21 and GPB0 pin 1.
CONVERTER_FIRST_PIN: Final = 1
EXPANDER_FIRST_PINS: Final = {"A": 21, "B": 1}

# Fuses of the common blade series, and the copper that each protects in a cable channel at 40 °C (IEC 60204-1, table 6,
# method B1: 1.5 mm² carries 13.5 A, 2.5: 18.3, 4: 24, 6: 31, 10: 44, 16: 59, 25: 77).
FUSES_A: Final = (5, 7.5, 10, 15, 20, 25, 30, 40, 50, 60)
COPPER: Final = ((13.5, "1.5"), (18.3, "2.5"), (24.0, "4"), (31.0, "6"), (44.0, "10"), (59.0, "16"), (77.0, "25"))


@dataclass(frozen=True, slots=True)
class Row:
    """One wire: what it is, where it goes, and what a break of it reads as.

    `pin` is where the wire is put, as it is printed there; `port` what the chip calls it, `function` what of the chip
    it needs, both empty where there is nothing to say. `electrical` tells direction and resistors.
    """

    signal: str
    title: str
    group: str
    kind: str
    pin: str
    port: str
    function: str
    electrical: str
    to: str
    open_reads: str
    why: str


@dataclass(frozen=True, slots=True)
class Connector:
    """The wires of one plug."""

    name: str
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Wiring:
    """How one table is wired.

    `drive` is `h-bridge` or `two-relay`, `fuse_a` the drive's fuse in amperes and `copper_mm2` its wires.
    """

    profile: Profile
    board: str
    drive: str
    connectors: tuple[Connector, ...]
    fuse_a: float
    copper_mm2: str

    @property
    def board_title(self) -> str:
        """What the board is called by people."""
        return BOARDS[self.board]

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every wire, plug by plug."""
        return tuple(row for connector in self.connectors for row in connector.rows)

    def has(self, signal: str) -> bool:
        """Tell whether this table has such a wire."""
        return any(row.signal == signal for row in self.rows)

    def row(self, signal: str) -> Row:
        """Return one wire. Raises KeyError: this table has none of that name."""
        for row in self.rows:
            if row.signal == signal:
                return row
        raise KeyError(signal)


def wiring_of(profile: Profile) -> Wiring:
    """Return how the table of a profile is wired.

    Raises:
        UsageError: it is simulated, so that there is nothing to wire.
        ConfigurationError: the pin map cannot be used.
    """
    if profile.gpio is not None:
        board, drive = "raspberry-pi", profile.gpio.drive.kind
        rows = list(_pi_rows(profile, profile.gpio))
    elif profile.bridge == "serial":
        board, drive = "mega-2560", "h-bridge"
        rows = list(_mega_rows())
    else:
        raise UsageError(
            f"the table of {profile.name} is simulated, so nothing is to be wired: name a real one, such as "
            "--profile mega-serial or --profile pi-gpio"
        )
    battery = profile.battery.fitted
    connectors: list[Connector] = []
    for group, title in GROUPS.items():
        members = tuple(row for row in rows if row.group == group and (row.signal != "battery" or battery))
        if members:
            connectors.append(Connector(f"P{len(connectors) + 1}", title, members))
    stall_a = profile.drive.stall_ma / 1000
    fuse_a = next((fuse for fuse in FUSES_A if stall_a <= fuse), FUSES_A[-1])
    copper = next((area for carries_a, area in COPPER if fuse_a <= carries_a), COPPER[-1][1])
    return Wiring(profile, board, drive, tuple(connectors), fuse_a, copper)


def _row(circuit: Circuit, pin: str, port: str, function: str, electrical: str) -> Row:
    return Row(
        signal=circuit.name,
        title=circuit.title,
        group=circuit.group,
        kind=circuit.kind,
        pin=pin,
        port=port,
        function=function,
        electrical=electrical,
        to=circuit.to,
        open_reads=circuit.open_reads,
        why=circuit.why,
    )


# The microcontroller -------------------------------------------------------------------------------------------------


def _mega_rows() -> Iterator[Row]:
    pins = load_pin_map()
    for name, circuit in circuits_of("mega-2560").items():
        pin = pins.of(name)
        down = f"{pin.pull_down_kohm} kΩ to ground"
        electrical = {
            "contact": "in, 2.2 kΩ to 5 V",
            "analogue": f"in, 0 … 5 V, {down}",
            "output": f"out, {down}" if pin.pull_down_kohm else "out",
            "bus": "UART, 115,200 baud",
        }[circuit.kind]
        yield _row(circuit, pin.printed, pin.port, pin.function, electrical)


# The Raspberry Pi ----------------------------------------------------------------------------------------------------


def _pi_rows(profile: Profile, gpio: Gpio) -> Iterator[Row]:
    """Yield a row for each wire that the profile gives a pin, in the order of the catalogue."""
    given = dict(_pi_pins(gpio))
    for name, circuit in circuits_of("raspberry-pi").items():
        pin = given.pop(name, None)
        if pin is not None:
            yield _row(circuit, *_pi_place(pin, circuit.kind, name))
        elif circuit.kind == "analogue":
            yield _analogue(circuit, gpio)
        elif circuit.group == "bus" and (name != "spi_expanders" or gpio.expanders):
            yield _spi(circuit, gpio)
    # A pin that the catalogue does not know would be a wire that nobody is told of.
    assert not given, f"pins without a wire: {', '.join(given)}"


def _pi_pins(gpio: Gpio) -> Iterator[tuple[str, int]]:
    """Yield every pin of the profile by the name of its wire."""
    drive = {"pwm": "drive_pwm", "direction": "drive_direction", "enable": "drive_enable", "brake": "brake_release"}
    for key, pin in gpio.pins():
        table, _, name = key.removeprefix("gpio.").rpartition(".")
        match table:
            case "drive":
                yield drive.get(name, name), pin
            case "buttons" | "lamps":
                yield f"{table[:-1]}_{name}", pin
            case _:
                yield {"battery_ok": "battery"}.get(name, name), pin


def _pi_place(pin: int, kind: str, name: str) -> tuple[str, str, str, str]:
    """Return pin, port, function and electrical side of one pin of the Pi or of an expander."""
    if on_expander(pin):
        called = name_of(pin)
        chip, port, bit = chip_of(pin), called[3], int(called[4:])
        electrical = "in, 2.2 kΩ to 3.3 V" if kind == "contact" else "out, 100 kΩ to ground"
        return f"X{chip}: {EXPANDER_FIRST_PINS[port] + bit}", f"GP{port}{bit}", "", electrical
    if kind == "contact":
        electrical = "in, 1.8 kΩ to 3.3 V on the Pi" if pin in PULLED_UP_BY_PI else "in, 2.2 kΩ to 3.3 V"
    elif name in PI_MOVING:
        electrical = f"out, {MOVING_PULL_KOHM} kΩ to ground"
    else:
        electrical = "out, 100 kΩ to ground"
    return str(PLACE[pin]), name_of(pin), "", electrical


def _analogue(circuit: Circuit, gpio: Gpio) -> Row:
    converter = gpio.converter
    channel = {"angle_a": converter.angle_a, "angle_b": converter.angle_b, "current": converter.current}[circuit.name]
    row = _row(circuit, f"ADC: {CONVERTER_FIRST_PIN + channel}", f"CH{channel}", "", "in, 0 … 3.3 V, 100 kΩ to ground")
    if circuit.name == "current" and gpio.current.zero_counts < MARGIN_COUNTS:
        # Such a sensor reads at rest what a broken wire reads.
        return replace(
            row,
            to="Current output of the drive: 0 V at no current, below 3.3 V at the most that it gives.",
            open_reads="0 V: no current",
            why="Commanded and without a current it does not turn: it is held, and the alarm is HIGH (H10).",
        )
    return row


def _spi(circuit: Circuit, gpio: Gpio) -> Row:
    select = gpio.converter.device if circuit.name == "spi_converter" else 1 - gpio.converter.device
    wanted = {"spi_clock": "clock", "spi_out": "MOSI", "spi_in": "MISO"}.get(circuit.name, f"CE{select}")
    pin = next(pin for pin, called in SPI.items() if called == wanted)
    electrical = "in, 10 kΩ to 3.3 V" if circuit.name == "spi_in" else "out"
    return _row(circuit, str(PLACE[pin]), name_of(pin), f"SPI0 {wanted}", electrical)
