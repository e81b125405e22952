"""A table wired to the Raspberry Pi's own pins: the table `[gpio]` of a profile.

Which pin does what, and how counts of the converter become degrees and milliamperes. What is wired is told in
docs/gpio.md: a MCP3208 converter at SPI 0, two MCP23S17 expanders at most, contacts to ground, outputs that a reset
switches off.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from config import limits
from config.device_limits import DeviceLimits
from config.keys import keys_of, quantity, submodel
from config.pins import CHIPS, PinNumber, bit_of, chip_of, name_of, on_expander
from config.quantities import Contradiction, Model, deg, degrees, degrees_per_second, whole
from config.table import Battery

FULL_SCALE: Final = 4095
# Nearer to an end of the converter's range than this is a broken wire, not an angle.
MARGIN_COUNTS: Final = 20
# A word of the converter stands for 0.056° at the most: with five samples a frame within the page's 0.05° rms.
LEAST_COUNTS_A_DEGREE: Final = 18
# Buttons whose contact opens when they are pressed: a broken wire asks for what brings the patient back or stops.
NORMALLY_CLOSED: Final = frozenset({"RETURN", "STOP"})
LEAST_SPAN_CDEG: Final = 4500
# Pulses are made by a thread that Linux may wake 50 µs late (timer_slack_ns): a twentieth of a pulse at the most.
FASTEST_PWM_HZ: Final = 1000
BLIND_MARGIN_MS: Final = 3000

_Input = Annotated[int, PinNumber()]
_Anywhere = Annotated[int, PinNumber(own=False)]
_MaybeAnywhere = Annotated[int | None, PinNumber(own=False)]
_Output = Annotated[int, PinNumber(output=True)]
_MaybeOutput = Annotated[int | None, PinNumber(output=True)]
_Channel = Annotated[int, whole("", 0, 7)]
_Counts = Annotated[int, whole("counts", 0, FULL_SCALE)]


class DrivePins(Model):
    """How the drive is switched.

    `kind` is `h-bridge`: `pwm` carries the duty at `pwm_hz`, `direction` is high for head-up, and `start_percent` is
    the duty at which the loaded drive just begins to turn; or `two-relay`: `relay_down` and `relay_up` each close one
    way, never both, with `dead_time_ms` between them, and the drive turns at `relay_deg_s` whatever is asked.
    `brake` is high to open the spring-applied brake, `enable` high to power the drive. `safety_relay` changes its level
    in every tick; the relay that it feeds drops drive and brake when it does not.
    """

    kind: Literal["h-bridge", "two-relay"]
    pwm: _MaybeOutput = None
    direction: _MaybeOutput = None
    pwm_hz: Annotated[int | None, whole("Hz", 100, FASTEST_PWM_HZ)] = None
    start_percent: Annotated[int | None, whole("%", 0, 40)] = None
    relay_down: _MaybeOutput = None
    relay_up: _MaybeOutput = None
    dead_time_ms: Annotated[int | None, whole("ms", 50, 1000)] = None
    relay_cdeg_s: Annotated[int | None, degrees_per_second(10, limits.FIRST_DEGREE_CDEG_S)] = None
    brake: _Output
    enable: _Output
    safety_relay: _Output


class Converter(Model):
    """The MCP3208 at SPI 0: which chip select it has, and what is on its channels.

    `device` is 0 or 1 for CE0 or CE1; the expanders have the other. `angle_a`, `angle_b` and `current` are channels.
    """

    device: Annotated[int, whole("", 0, 1)] = 0
    angle_a: _Channel
    angle_b: _Channel
    current: _Channel


class Scale(Model):
    """What one angle sensor reads at two angles, as measured with an inclinometer.

    At `low_cdeg` the converter reads `low_counts`, at `high_cdeg` it reads `high_counts`. The higher angle is the one
    nearer to head-up; between and beyond them the scale is a straight line.
    """

    low_cdeg: Annotated[int, degrees(limits.HARD_STOP_CDEG, limits.SENSOR_HIGH_CDEG)]
    low_counts: _Counts
    high_cdeg: Annotated[int, degrees(limits.HARD_STOP_CDEG, limits.SENSOR_HIGH_CDEG)]
    high_counts: _Counts


class CurrentScale(Model):
    """What the current sensor reads: `zero_counts` without a current, `ua_per_count` for each count more or less."""

    zero_counts: _Counts
    ua_per_count: Annotated[int, whole("µA", 100, 50_000)]


class InputPins(Model):
    """The table's own contacts, each between its pin and ground.

    Two contacts for each strap (`strap_left_1`, `strap_left_2`, `strap_right_1`, `strap_right_2`) and for the
    emergency stop (`estop_1`, `estop_2`). All are closed where nothing is wrong, so that a broken wire says what the
    switch says: `patient_button` pressed, `level_switch` below, `end_down` and `end_up` reached, `mains` lost,
    `battery_ok` not passed, `drive_fault` a fault. `battery_ok` may be left out where no battery is fitted.
    """

    strap_left_1: _Input
    strap_left_2: _Input
    strap_right_1: _Input
    strap_right_2: _Input
    estop_1: _Input
    estop_2: _Input
    patient_button: _Input
    level_switch: _Input
    end_down: _Input
    end_up: _Input
    mains: _Input
    battery_ok: _MaybeAnywhere = None
    drive_fault: _Anywhere


class ButtonPins(Model):
    """The panel's buttons, each between its pin and ground.

    `tilt`, `raise`, `return` and `stop` need pins of the Pi itself; `presence`, `ack`, `confirm`, `plan_up` and
    `plan_down` may be on an expander. Those of `return` and `stop` open when pressed, so that a broken wire is a press;
    all others close.
    """

    tilt: _Input
    raise_: _Input = Field(alias="raise")
    return_: _Input = Field(alias="return")
    stop: _Input
    presence: _Anywhere
    ack: _Anywhere
    confirm: _Anywhere
    plan_up: _Anywhere
    plan_down: _Anywhere


class LampPins(Model):
    """The panel's lamps, each lit while its pin is high.

    The alarm lamps `red`, `yellow` and `cyan` are needed, the others may be left out: `armed`; those in the buttons,
    `tilt`, `raise`, `return`, `stop`, `presence`, `ack`, `confirm` and `plan`; `strap_left` and `strap_right`; and the
    patient's own, `breathe`.
    """

    red: _Anywhere
    yellow: _Anywhere
    cyan: _Anywhere
    armed: _MaybeAnywhere = None
    tilt: _MaybeAnywhere = None
    raise_: _MaybeAnywhere = Field(alias="raise", default=None)
    return_: _MaybeAnywhere = Field(alias="return", default=None)
    stop: _MaybeAnywhere = None
    presence: _MaybeAnywhere = None
    ack: _MaybeAnywhere = None
    confirm: _MaybeAnywhere = None
    plan: _MaybeAnywhere = None
    strap_left: _MaybeAnywhere = None
    strap_right: _MaybeAnywhere = None
    breathe: _MaybeAnywhere = None


class Gpio(Model):
    """A table on the Pi's own pins: the pins as `17`, `"GPIO17"`, `"BOARD11"`, `"J8:11"`, an expander's as `"X0.A3"`.

    `expanders` is how many MCP23S17 there are, addresses 0 and 1; `buzzer` is a pin of the Pi, since the pitch is made
    there. The tables: `drive`, `converter`, `angle_a` and `angle_b`, `current`, `inputs`, `buttons` and `lamps`.
    """

    expanders: Annotated[int, whole("", 0, CHIPS)] = 0
    buzzer: _Output
    drive: DrivePins
    converter: Converter
    angle_a: Scale
    angle_b: Scale
    current: CurrentScale
    inputs: InputPins
    buttons: ButtonPins
    lamps: LampPins

    def pins(self) -> Iterator[tuple[str, int]]:
        """Yield every pin that is given, by its key in a profile."""
        yield from _pins(self, "gpio.")

    def contradictions(self, table: DeviceLimits, battery: Battery) -> Iterator[Contradiction]:
        """Yield what cannot be built, or cannot work with these limits of the table."""
        yield from _used_twice(self)
        yield from _expanders(self)
        yield from _kind(self.drive, table)
        yield from _channels(self.converter)
        if battery.fitted and self.inputs.battery_ok is None:
            yield Contradiction(
                ("gpio.inputs.battery_ok", "battery.fitted"), "", "needed where battery.fitted = true", "is missing"
            )
        for key, scale in (("angle_a", self.angle_a), ("angle_b", self.angle_b)):
            yield from _scale(f"gpio.{key}", scale)
        if _rising(self.angle_a) == _rising(self.angle_b):
            yield Contradiction(
                ("gpio.angle_b.high_counts", "gpio.angle_a.high_counts", "gpio.angle_b.low_counts"),
                str(self.angle_b.high_counts),
                "counts that fall where those of gpio.angle_a rise, or the other way round",
                "both sensors would agree on one stuck channel: B is wired with the opposite slope",
            )


def counts_at(scale: Scale, cdeg: int) -> int:
    """Return what a sensor reads at an angle, rounded down; it may lie beyond the converter's range."""
    span = scale.high_cdeg - scale.low_cdeg
    return scale.low_counts + (scale.high_counts - scale.low_counts) * (cdeg - scale.low_cdeg) // span


def _rising(scale: Scale) -> bool:
    return scale.high_counts > scale.low_counts


def _pins(table: BaseModel, prefix: str) -> Iterator[tuple[str, int]]:
    for (key, field), name in zip(keys_of(type(table)).items(), type(table).model_fields, strict=True):
        value: Any = getattr(table, name)
        if submodel(field) is not None:
            yield from _pins(value, f"{prefix}{key}.")
        elif isinstance(quantity(field), PinNumber) and value is not None:
            yield prefix + key, value


def _used_twice(gpio: Gpio) -> Iterator[Contradiction]:
    taken: dict[int, str] = {}
    for key, pin in gpio.pins():
        other = taken.setdefault(pin, key)
        if other != key:
            yield Contradiction((key, other), name_of(pin), f"a pin of its own: {other} has this one", "is used twice")


def _expanders(gpio: Gpio) -> Iterator[Contradiction]:
    """Yield lines of chips that are not there, and keys whose loss nobody would see."""
    watched = gpio.inputs.drive_fault
    for key, pin in gpio.pins():
        if not on_expander(pin):
            continue
        if not chip_of(pin) < gpio.expanders:
            yield Contradiction(
                (key, "gpio.expanders"),
                name_of(pin),
                f"gpio.expanders = {chip_of(pin) + 1}",
                "there is no such expander",
            )
        elif key.startswith("gpio.buttons.") and not (on_expander(watched) and chip_of(watched) == chip_of(pin)):
            yield Contradiction(
                (key, "gpio.inputs.drive_fault"),
                name_of(pin),
                "the expander that has gpio.inputs.drive_fault too, so that its loss is a fault and not a silence",
                "nobody would notice when this expander fails",
            )


def _kind(drive: DrivePins, table: DeviceLimits) -> Iterator[Contradiction]:
    """Yield what the kind of drive lacks, and what only the other has."""
    kinds = {
        "h-bridge": ("pwm", "direction", "pwm_hz", "start_percent"),
        "two-relay": ("relay_down", "relay_up", "dead_time_ms", "relay_cdeg_s"),
    }
    for kind, names in kinds.items():
        for name in names:
            key = f"gpio.drive.{name.replace('_cdeg', '_deg')}"
            value = getattr(drive, name)
            if kind == drive.kind and value is None:
                yield Contradiction((key, "gpio.drive.kind"), "", f"needed with {kind}", "is missing")
            elif kind != drive.kind and value is not None:
                bound = f"left out with {drive.kind}"
                yield Contradiction((key, "gpio.drive.kind"), str(value), bound, f"belongs to {kind}")
    speed = drive.relay_cdeg_s
    if drive.kind == "h-bridge" or speed is None:
        return
    if not speed <= table.first_degree_cdeg_s:
        yield Contradiction(
            ("gpio.drive.relay_deg_s", "limits.first_degree_deg_s"),
            deg(speed),
            f"up to {deg(table.first_degree_cdeg_s)} °/s, which is limits.first_degree_deg_s",
            "relays know one speed, and the first degree of every tilt is no faster",
        )
    # A return on a doubtful sensor (H08) takes 1.2 × angle / speed + 3 s, and 80 s at the most.
    deepest = -(speed * (limits.LONGEST_BLIND_RETURN_MS - BLIND_MARGIN_MS) // 1200)
    if not table.cap_cdeg >= deepest:
        yield Contradiction(
            ("limits.cap_deg", "gpio.drive.relay_deg_s"),
            deg(table.cap_cdeg),
            f"{deg(deepest)} ° or less deep at {deg(speed)} °/s",
            "a return from there on one sensor takes longer than 80 s",
        )


def _channels(converter: Converter) -> Iterator[Contradiction]:
    taken: dict[int, str] = {}
    for name in ("angle_a", "angle_b", "current"):
        channel, key = getattr(converter, name), f"gpio.converter.{name}"
        other = taken.setdefault(channel, key)
        if other != key:
            bound = f"a channel of its own: {other} has this one"
            yield Contradiction((key, other), str(channel), bound, "is used twice")


def _scale(key: str, scale: Scale) -> Iterator[Contradiction]:
    """Yield a calibration of too short a stretch, too coarse, or that runs out of the converter's range."""
    low, high = f"{key}.low_deg", f"{key}.high_deg"
    if not scale.low_cdeg + LEAST_SPAN_CDEG <= scale.high_cdeg:
        bound = f"{deg(scale.low_cdeg + LEAST_SPAN_CDEG)} ° or more: {deg(LEAST_SPAN_CDEG)}° above {low}"
        yield Contradiction((high, low), deg(scale.high_cdeg), bound, "lies too near for a scale to be drawn through")
        return
    counts = abs(scale.high_counts - scale.low_counts)
    if not counts * 100 >= LEAST_COUNTS_A_DEGREE * (scale.high_cdeg - scale.low_cdeg):
        yield Contradiction(
            (f"{key}.high_counts", f"{key}.low_counts", low, high),
            str(scale.high_counts),
            f"{LEAST_COUNTS_A_DEGREE} counts or more for each degree",
            "is too coarse",
        )
        return
    ends = sorted(counts_at(scale, at) for at in (limits.SENSOR_LOW_CDEG, limits.SENSOR_HIGH_CDEG))
    if not (ends[0] >= MARGIN_COUNTS and ends[1] <= FULL_SCALE - MARGIN_COUNTS):
        yield Contradiction(
            (f"{key}.high_counts", f"{key}.low_counts", low, high),
            str(scale.high_counts),
            f"{MARGIN_COUNTS} … {FULL_SCALE - MARGIN_COUNTS} counts from -72° to 92°",
            f"the scale runs from {ends[0]} to {ends[1]} counts there, which may also be a broken wire",
        )


def used_bits(pins: Iterator[int], chip: int) -> int:
    """Return the bits of one expander that are among some pins."""
    word = 0
    for pin in pins:
        if on_expander(pin) and chip_of(pin) == chip:
            word |= bit_of(pin)
    return word
