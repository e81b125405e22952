"""What hangs on the Pi's inputs at a simulated table: contacts to ground, and three voltages to convert."""

import random
from collections.abc import Callable
from typing import Final

from config.gpio import FULL_SCALE, NORMALLY_CLOSED, CurrentScale, Gpio, Scale
from config.pins import bit_of, chip_of, on_expander
from safety.signals import BUTTONS
from sim.clock import VirtualClock
from sim.gpio_chips import Expanders
from sim.gpio_pins import TableFactory, TablePin
from sim.hooks import AngleHooks, SensorHooks
from sim.panel import Panel
from sim.plant import Plant
from sim.sensors import Sensors, noise_source

_CDEG: Final = 5729.577951308232
CURRENT_NOISE_MA: Final = 20.0
MOUNTING_CDEG: Final = 5.0  # what is left after calibration


class Contacts:
    """Every contact of the table and its panel, and the pin or expander's line that each hangs on.

    Args:
        gpio: which pin each has.
        factory, expanders: where they hang.
        panel, sensors, plant: what moves them.
    """

    def __init__(
        self, gpio: Gpio, factory: TableFactory, expanders: Expanders, panel: Panel, sensors: Sensors, plant: Plant
    ) -> None:
        self._panel = panel
        self._sensors = sensors
        self._plant = plant
        self._expanders = expanders.chips
        self._closed: dict[str, bool] = {}
        self._pins: dict[str, TablePin] = {}
        self._lines: dict[str, tuple[int, int]] = {}
        named = {f"inputs.{key}": pin for key, pin in gpio.inputs.model_dump().items()}
        named |= {f"buttons.{key.rstrip('_')}": pin for key, pin in gpio.buttons.model_dump().items()}
        for name, pin in named.items():
            if pin is None:
                continue
            if on_expander(pin):
                self._lines[name] = chip_of(pin), bit_of(pin)
            else:
                self._pins[name] = factory.wire(pin)
        self._supply = (True, True, False)
        self.follow()

    @property
    def changed(self) -> bool:
        """Whether mains, battery or the driver's fault line say something else than the pins do."""
        plant = self._plant
        return (plant.mains_ok, plant.battery_ok, plant.fault_line) != self._supply

    def follow(self) -> None:
        """Put every contact that has moved on its pin."""
        panel, sensors, plant = self._panel, self._sensors, self._plant
        self._supply = supply = (plant.mains_ok, plant.battery_ok, plant.fault_line)
        left, right, estop = panel.pair("left"), panel.pair("right"), panel.pair("estop")
        closed = {
            "inputs.strap_left_1": left.first.reads,
            "inputs.strap_left_2": left.second.reads,
            "inputs.strap_right_1": right.first.reads,
            "inputs.strap_right_2": right.second.reads,
            "inputs.estop_1": estop.first.reads,
            "inputs.estop_2": estop.second.reads,
            "inputs.patient_button": not panel.patient_open,
            "inputs.level_switch": not sensors.level_switch,
            "inputs.end_down": not sensors.end_down,
            "inputs.end_up": not sensors.end_up,
            "inputs.mains": supply[0],
            "inputs.battery_ok": supply[1],
            "inputs.drive_fault": not supply[2],
        }
        for name, bit in BUTTONS.items():
            closed[f"buttons.{name.lower()}"] = bool(panel.buttons & bit) is not (name in NORMALLY_CLOSED)
        before = self._closed
        for name, is_closed in closed.items():
            if before.get(name) is not is_closed:
                self._put(name, is_closed)
        self._closed = closed

    def _put(self, name: str, closed: bool) -> None:
        if name in self._pins:
            # An open contact leaves the pin to its pull-up.
            self._pins[name].put(False if closed else None)
        elif name in self._lines:
            number, bit = self._lines[name]
            chip = self._expanders[number]
            chip.closed = chip.closed | bit if closed else chip.closed & ~bit


class AngleVoltage:
    """One angle sensor as the converter sees it: a voltage along a line, noise on it, and what goes wrong.

    Args:
        scale: the line, as measured; the sensor is mounted some hundredths of a degree beside it.
        hooks, shared: what goes wrong with it, and with the converter's input.
        plant, clock: where the table is, and when.
        rng: its noise, and how far off it was mounted.
        noise_deg: noise of one conversion, before its quantisation.
        length: how many noise values there are before they come round again.
    """

    def __init__(
        self,
        scale: Scale,
        hooks: AngleHooks,
        shared: SensorHooks,
        plant: Plant,
        clock: VirtualClock,
        rng: random.Random,
        noise_deg: float,
        length: int,
    ) -> None:
        per_cdeg = (scale.high_counts - scale.low_counts) / (scale.high_cdeg - scale.low_cdeg)
        off_cdeg = rng.uniform(-MOUNTING_CDEG, MOUNTING_CDEG)
        self._motion = plant.motion
        self._clock = clock
        self._hooks = hooks
        self._shared = shared
        self._noise = noise_source(rng, length, 100.0 * noise_deg * per_cdeg)
        self._per_rad = per_cdeg * _CDEG
        # What was measured is the mean of many words, so that a word means the middle of its step.
        self._base = scale.low_counts - per_cdeg * (scale.low_cdeg - off_cdeg) + 0.5
        self._last = 0
        self._drift_from_ms: int | None = None

    def __call__(self) -> int:
        """Convert once, to a word of 0…4095."""
        if self._hooks.active or self._shared.active or self._drift_from_ms is not None:
            self._last = word = self._spoiled()
            return word
        word = int(self._motion.angle_rad * self._per_rad + self._base + self._noise())
        self._last = word = 0 if word < 0 else word if word <= FULL_SCALE else FULL_SCALE
        return word

    def _spoiled(self) -> int:
        hooks = self._hooks
        if self._shared.shared_word is not None:
            return self._shared.shared_word
        if hooks.lost:
            return 0  # a broken wire; a resistor pulls the input to ground
        if hooks.stuck:
            return self._last
        off_deg = hooks.offset_deg
        if not hooks.drift_deg_s:
            self._drift_from_ms = None
        else:
            if self._drift_from_ms is None:
                self._drift_from_ms = self._clock.ms
            drift_deg = hooks.drift_deg_s * (self._clock.ms - self._drift_from_ms) / 1000.0
            off_deg += min(max(drift_deg, -hooks.drift_most_deg), hooks.drift_most_deg)
        angle_rad = self._motion.angle_rad + off_deg * 100.0 / _CDEG
        if hooks.reading_cdeg is not None:
            angle_rad = hooks.reading_cdeg / _CDEG
        word = int(angle_rad * self._per_rad + self._base + self._noise())
        return min(max(word, 0), FULL_SCALE)


def current_voltage(scale: CurrentScale, hooks: SensorHooks, plant: Plant, rng: random.Random) -> Callable[[], int]:
    """Return what converts the drive's current: noise on it, and what goes wrong with its sensor."""
    noise = noise_source(rng, 997, CURRENT_NOISE_MA)
    per_ma = 1000.0 / scale.ua_per_count

    def convert() -> int:
        current_ma = plant.current_ma
        if hooks.active:
            if hooks.current_lost:
                return FULL_SCALE  # the sensor's output floats to its supply
            if hooks.current_ma is not None:
                current_ma = hooks.current_ma
        word = int(scale.zero_counts + (current_ma + noise()) * per_ma + 0.5)
        return min(max(word, 0), FULL_SCALE)

    return convert
