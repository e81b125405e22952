"""The simulated table with the microcontroller's own program: its pins on the plant, its line for whoever comes.

In each millisecond the pins are set to what switches and sensors say, the board runs 16,000 cycles, and the plant
follows its outputs. The motor is fed with what the bridge puts on it: no loop but the firmware's own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from config.profile import Profile
from safety.signals import BUTTONS, Contacts
from sim.hooks import LinkHooks
from sim.machine_code.board import CYCLES_A_MS, Board
from sim.sensors import AngleSensor
from sim.table import TableParts, build

SAMPLE_MS: Final = 10
MOST_WAITING: Final = 4096
_MV: Final = 5000.0
_SPAN_CDEG: Final = 20_000.0
_LOW_CDEG, _HIGH_CDEG = -9_000.0, 11_000.0
_HALF_MV: Final = 2500.0
_MA_A_MV: Final = 8.0  # ±20 A over 5 V
_NORMALLY_CLOSED: Final = ("RETURN", "STOP")
_KEYS: Final = {
    name: ("button_" + name.lower().replace(" ", "_"), bit, name in _NORMALLY_CLOSED) for name, bit in BUTTONS.items()
}


class Pins:
    """The wires between one board and one plant."""

    def __init__(self, parts: TableParts, board: Board) -> None:
        """Wire them; nothing moves yet."""
        self._parts = parts
        self.board = board
        self.brake_released = False
        self.drive_power = False
        parts.panel.lights = lambda: (board.lamps, board.buzzer_hz)

    def set_inputs(self) -> None:
        """Put what switches and sensors say on the board's pins."""
        parts, put = self._parts, self.board.put
        panel, sensors, plant = parts.panel, parts.sensors, parts.plant
        for name, pair in (("estop", panel.estop_contacts), ("strap_left", panel.strap_left)):
            self._pair(name, pair)
        self._pair("strap_right", panel.strap_right)
        buttons = panel.buttons
        for signal, bit, normally_closed in _KEYS.values():
            put(signal, bool(buttons & bit) is normally_closed)
        put("patient_button", panel.patient_open)
        put("level_switch", sensors.level_switch)
        put("end_down", sensors.end_down)
        put("end_up", sensors.end_up)
        put("mains", not plant.mains_ok)
        put("battery", not plant.battery_ok)
        put("supply_rail", not plant.supplied)
        put("drive_fault", plant.fault_line)
        self._voltages()

    def _pair(self, name: str, contacts: Contacts) -> None:
        self.board.put(f"{name}_1", contacts is Contacts.OPEN)
        self.board.put(f"{name}_2", contacts is not Contacts.CLOSED)

    def _voltages(self) -> None:
        sensors, plant = self._parts.sensors, self._parts.plant
        a, b, hooks = sensors.angle_a, sensors.angle_b, sensors.hooks
        if a.hooks.active or b.hooks.active or hooks.active:
            # What is wrong with them is in what was sampled.
            self.board.sense(0, _millivolts(sensors.a_cdeg, _LOW_CDEG, 1.0))
            self.board.sense(1, _millivolts(sensors.b_cdeg, _HIGH_CDEG, -1.0))
        else:
            angle_rad = plant.motion.angle_rad
            self.board.sense(0, _of_angle(a, angle_rad))
            self.board.sense(1, _of_angle(b, angle_rad))
        current_ma: float | None = sensors.current_ma if hooks.active else plant.current_ma
        if current_ma is not None and plant.motion.torque_nm < 0.0:
            current_ma = -current_ma
        self.board.sense(2, 0.0 if current_ma is None else _HALF_MV + current_ma / _MA_A_MV)

    def take_outputs(self) -> None:
        """Let drive and brake follow the board's pins."""
        board, plant = self.board, self._parts.plant
        power, up, down = board.high("drive_enable"), board.high("drive_up"), board.high("drive_down")
        if not power:
            plant.power_off()
        elif up is down:
            # Both low: the legs short the motor. Both high would too, through the other transistors.
            plant.short()
        else:
            duty = board.duty
            plant.feed(duty if up else -duty)
        self.drive_power = power
        released = board.high("brake_release")
        if released is not self.brake_released:
            self.brake_released = released
            plant.brake(not released)


def _millivolts(cdeg: int | None, zero_cdeg: float, slope: float) -> float:
    return 0.0 if cdeg is None else (cdeg - zero_cdeg) * slope / _SPAN_CDEG * _MV


def _of_angle(sensor: AngleSensor, angle_rad: float) -> float:
    return (sensor.base + sensor.per_rad * angle_rad) / len(sensor.words) * _MV


@dataclass(slots=True, kw_only=True)
class MachineTable(TableParts):
    """One simulated table with a real board's program; `pass_ms` makes its time pass.

    `each_ms` are called in every millisecond with the time, before anything else. `sent` is what left in the last one.
    """

    pins: Pins
    each_ms: list[Callable[[int], None]] = field(default_factory=list)

    @property
    def board(self) -> Board:
        """The microcontroller."""
        return self.pins.board

    @property
    def room(self) -> int:
        """How many bytes may be handed to `hear` now."""
        return MOST_WAITING

    def hear(self, data: bytes) -> None:
        """Take in bytes from the line."""
        if not self.link.commands_lost:
            self.board.hear(data)

    def pass_ms(self) -> bytes:
        """Let one millisecond pass, and return the bytes that were sent in it."""
        clock, plant, sensors, panel = self.clock, self.plant, self.sensors, self.panel
        clock.ms += 1
        for observe in self.each_ms:
            observe(clock.ms)
        if panel.moving or panel.hooks.touched or sensors.hooks.touched:
            panel.settle()
        sensors.switch()
        plant.wire(panel.chain_open, sensors.end_down, sensors.end_up)
        if clock.ms % SAMPLE_MS == 0:
            sensors.sample(clock.ms)
        self.pins.set_inputs()
        self.board.run_to(clock.ms * CYCLES_A_MS)
        self.pins.take_outputs()
        plant.advance(1)
        said = self.board.said()
        return b"" if self.link.frames_stop else said


def build_machine(
    profile: Profile,
    *,
    image: bytes | None = None,
    seed: int = 0,
    mass_kg: float = 75.0,
    height_cm: float = 175.0,
    offset_cm: float = 3.0,
    start_deg: float = 0.0,
) -> MachineTable:
    """Build the simulated table of a profile with the firmware's image; as `sim.table.build`.

    Raises:
        UsageError: the person or the angle is beyond what the plant was made for.
        DeviceMissingError: there is no simavr, no C compiler, or no image.
    """
    parts = build(
        profile,
        seed=seed,
        mass_kg=mass_kg,
        height_cm=height_cm,
        offset_cm=offset_cm,
        start_deg=start_deg,
        guard=False,
    )
    parts.panel.settle()
    parts.sensors.switch()
    parts.sensors.sample(0)
    table = MachineTable(
        clock=parts.clock,
        plant=parts.plant,
        sensors=parts.sensors,
        panel=parts.panel,
        link=LinkHooks(),
        pins=Pins(parts, Board(image)),
    )
    table.pins.set_inputs()
    return table
