"""A whole simulated table behind the pins of a Raspberry Pi, for tests: the real GPIO bridge drives it, unchanged.

PWM, direction, relays, brake, enable and the safety relay's pin act on the plant; contacts, expanders and converter
follow it. No command builds this: on the command line `gpio` is always a real table.
"""

import dataclasses
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from config.errors import UsageError
from config.gpio import Gpio, Scale
from config.pins import bit_of, chip_of, on_expander
from config.profile import Profile
from firmware_bridge.gpio_bridge import GpioBridge
from sim.body import Person, PlantConstants
from sim.clock import VirtualClock
from sim.faults.kinds import FaultError
from sim.gpio_chips import Expanders, Mcp3208
from sim.gpio_pins import TableFactory, TablePin
from sim.gpio_power import PowerStage, SafetyRelay
from sim.gpio_senses import AngleVoltage, Contacts, current_voltage
from sim.hooks import AngleHooks, LinkHooks
from sim.panel import Panel
from sim.plant import Plant
from sim.sensors import SensorConstants, Sensors
from sim.table import TableParts, plant_constants

CE: Final = (8, 7)  # the pins of chip select 0 and 1
# What a wire monostable of the shelf is set to where nobody measured it.
RELAY_DROP_MS: Final = 150
# Mechanical time constant of a permanent-magnet motor, speed after a step of voltage: data sheets say 5…30 ms.
MOTOR_S: Final = 0.02
# Dry friction of motor and first gear stage, as a share of the stall torque, where the profile does not say it.
DRY_PERCENT: Final = 2
HUNG_ALARM_RAD: Final = math.radians(-5.0)
LONGEST_STEP_MS: Final = 10
SAMPLES: Final = 5


class NoLine(LinkHooks):
    """What can go wrong between a table on pins and its host: the host hangs. There is no line that could fail."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Set the pause; refuse everything else, since a fault that does nothing is no fault."""
        if name != "pause_ms" and hasattr(self, name):
            raise FaultError(f"a table on the Pi's own pins has no line between it and the host: no {name} there")
        super().__setattr__(name, value)


class TableClock(VirtualClock):
    """The table's time; waiting is what makes it pass."""

    __slots__ = ("pass_to",)

    def __init__(self) -> None:
        super().__init__()
        self.pass_to: Callable[[int], None] = self._jump

    def wait_until_ms(self, at_ms: int) -> None:
        """Let the table's time pass until a moment; one that is over takes no time."""
        if at_ms > self.ms:
            self.pass_to(at_ms)

    def _jump(self, at_ms: int) -> None:
        self.ms = at_ms


@dataclass(slots=True, kw_only=True)
class GpioTable(TableParts):
    """One simulated table on the pins of a Raspberry Pi, with the real bridge on them.

    `bridge` is for the control loop; its waiting on `clock` is what lets time pass. `factory` has the pins, `converter`
    and `expanders` hang on its SPI, `power` is what the outputs switch, `safety` the relay beside it.
    """

    clock: TableClock
    factory: TableFactory
    converter: Mcp3208
    expanders: Expanders
    power: PowerStage
    contacts: Contacts
    gpio: Gpio
    bridge: GpioBridge

    @property
    def safety(self) -> SafetyRelay:
        """The relay that drops drive and brake when its pin stops changing."""
        return self.power.safety

    @property
    def hung_alarm(self) -> bool:
        """Whether the safety relay's own buzzer and lamp are on: it has dropped, and a cam says “head-down”."""
        return self.power.safety.dropped and self.plant.motion.angle_rad < HUNG_ALARM_RAD

    def lit(self, lamp: str) -> bool:
        """Return whether a lamp is lit, by its key in the profile."""
        pin = getattr(self.gpio.lamps, lamp, None) or getattr(self.gpio.lamps, f"{lamp}_")
        if on_expander(pin):
            return bool(self.expanders.chips[chip_of(pin)].outputs & bit_of(pin))
        return self._output(pin) > 0.0

    @property
    def buzzer_hz(self) -> float:
        """The pitch that sounds now; 0 is silence."""
        pin = self.factory.wire(self.gpio.buzzer)
        return float(pin.frequency or 0.0) if self._output(self.gpio.buzzer) else 0.0

    def _output(self, number: int) -> float:
        pin: TablePin = self.factory.wire(number)
        return float(pin.state) if pin.function == "output" else 0.0

    def forward_alone(self, duration_ms: int) -> None:
        """Let time pass without the control process: nobody reads, nothing toggles, every pin stays as it is."""
        self.pass_to(self.clock.ms + duration_ms)

    def pass_to(self, at_ms: int) -> None:
        """Let the table's time pass until a moment."""
        clock, plant, sensors, panel, power = self.clock, self.plant, self.sensors, self.panel, self.power
        pause_ms = self.link.pause_ms
        if pause_ms:
            at_ms += pause_ms
            self.link.pause_ms = 0
        if clock.ms >= at_ms:
            return
        if panel.hooks.touched or sensors.hooks.touched:
            self._follow()
        else:
            self._wire()
        while (now_ms := clock.ms) < at_ms:
            step_ms = 1 if panel.moving else LONGEST_STEP_MS
            next_ms = min(at_ms, now_ms + step_ms, max(power.due_ms, now_ms + 1))
            plant.advance(next_ms - now_ms)
            clock.ms = next_ms
            if next_ms >= power.due_ms or power.pair is not None:
                was = power.safety.dropped
                power.pass_to(next_ms, next_ms - now_ms)
                if was != power.safety.dropped:
                    self._wire()
            if (
                panel.moving
                or not sensors.calm_low_rad <= plant.motion.angle_rad < sensors.calm_high_rad
                or self.contacts.changed
            ):
                self._follow()

    def _follow(self) -> None:
        """Let contacts and switches follow hands, faults and the table, and put them on their pins."""
        self.panel.settle()
        self.sensors.switch()
        self.sensors.hooks.touched = False
        self._wire()
        self.contacts.follow()

    def _wire(self) -> None:
        """Tell the plant what the wired chain does: the e-stop and the safety relay are in it one behind the other."""
        chain_open = self.panel.chain_open or self.power.safety.dropped
        self.plant.wire(chain_open, self.sensors.end_down, self.sensors.end_up)


def motor_constants(profile: Profile) -> PlantConstants:
    """Return the plant that a profile describes, with the bare motor in place of a drive that has a loop of its own.

    The motor's line goes from the stall torque at rest to no torque at its top speed, and its dry friction is what the
    duty overcomes at which it begins to turn. Two relays know full voltage only, and a motor that turns at their speed
    then.
    """
    constants = plant_constants(profile)
    assert profile.gpio is not None
    drive = profile.gpio.drive
    relay_cdeg_s = drive.relay_cdeg_s
    dry_percent = DRY_PERCENT if drive.start_percent is None else drive.start_percent
    if relay_cdeg_s is not None:
        constants = dataclasses.replace(constants, top_speed_deg_s=relay_cdeg_s / 100.0)
    gain = constants.stall_nm / constants.no_load_rad_s
    return dataclasses.replace(
        constants,
        winding_ohm=constants.torque_nm_a**2 / gain,
        drive_inertia_kg_m2=max(constants.drive_inertia_kg_m2, MOTOR_S * gain),
        drive_friction_nm=dry_percent / 100.0 * constants.stall_nm,
    )


def conversion_noise_deg(profile: Profile, scale: Scale) -> float:
    """Return the noise of one conversion, where the mean of a frame's has the profile's, quantisation included."""
    step_cdeg = (scale.high_cdeg - scale.low_cdeg) / abs(scale.high_counts - scale.low_counts)
    mean_cdeg2 = float(profile.sensors.noise_cdeg**2)
    return math.sqrt(max(0.0, mean_cdeg2 * SAMPLES - step_cdeg**2 / 12.0)) / 100.0


def build_gpio(
    profile: Profile,
    *,
    seed: int = 0,
    mass_kg: float = 75.0,
    height_cm: float = 175.0,
    offset_cm: float = 3.0,
    start_deg: float = 0.0,
    relay_drop_ms: int = RELAY_DROP_MS,
) -> GpioTable:
    """Build the simulated table of a profile with pins, one person on it, and the real bridge on the pins.

    Args:
        profile: a table whose bridge is `gpio`.
        seed: of noise, mounting and bouncing.
        mass_kg: 20–250.
        height_cm: 80–230.
        offset_cm: centre of mass from the pivot, −40…+40, positive toward the head.
        start_deg: where the table stands when it is switched on, between the hard stops.
        relay_drop_ms: how long after the last edge of its pin the safety relay drops.

    Raises:
        UsageError: the profile has no pins; the person or the angle is beyond what the plant was made for.
    """
    gpio = profile.gpio
    if gpio is None:
        raise UsageError(f"the profile {profile.name} has no pins: its bridge is {profile.bridge}, not gpio")
    clock = TableClock()
    plant = Plant(motor_constants(profile), Person(mass_kg, height_cm, offset_cm), start_deg)
    switches = SensorConstants(cam_deg=profile.switches.level_cdeg / 100.0)
    sensors = Sensors(switches, plant, random.Random(f"sensors {seed}"))
    panel = Panel(clock, plant, sensors.hooks, random.Random(f"contacts {seed}"))
    factory, expanders = TableFactory(), Expanders(gpio.expanders)
    rng = random.Random(f"voltages {seed}")
    wired = gpio.converter

    def angle(scale: Scale, hooks: AngleHooks, length: int) -> AngleVoltage:
        noise_deg = conversion_noise_deg(profile, scale)
        return AngleVoltage(scale, hooks, sensors.hooks, plant, clock, rng, noise_deg, length)

    converter = Mcp3208(
        {
            wired.angle_a: angle(gpio.angle_a, sensors.angle_a.hooks, 4093),
            wired.angle_b: angle(gpio.angle_b, sensors.angle_b.hooks, 3989),
            wired.current: current_voltage(gpio.current, sensors.hooks, plant, rng),
        }
    )
    factory.chips[CE[wired.device]] = converter
    factory.chips[CE[1 - wired.device]] = expanders
    power = PowerStage(plant, clock, SafetyRelay(clock, relay_drop_ms), relays=gpio.drive.kind == "two-relay")
    _solder(gpio, factory, power)
    # The contacts are there before the bridge looks at them first.
    contacts = Contacts(gpio, factory, expanders, panel, sensors, plant)
    table = GpioTable(
        clock=clock,
        plant=plant,
        sensors=sensors,
        panel=panel,
        link=NoLine(),
        factory=factory,
        converter=converter,
        expanders=expanders,
        power=power,
        contacts=contacts,
        gpio=gpio,
        bridge=GpioBridge(profile, clock=clock, factory=factory),
    )
    clock.pass_to = table.pass_to
    return table


def _solder(gpio: Gpio, factory: TableFactory, power: PowerStage) -> None:
    """Hang what the outputs switch on their pins."""
    drive = gpio.drive
    for pin, acts in (
        (drive.pwm, power.pwm),
        (drive.direction, power.direction),
        (drive.enable, power.enable),
        (drive.brake, power.brake),
        (drive.safety_relay, power.toggle),
    ):
        if pin is not None:
            factory.wire(pin).drives = acts
    for which, pin in enumerate((drive.relay_down, drive.relay_up)):
        if pin is not None:
            factory.wire(pin).drives = power.coil(which)
