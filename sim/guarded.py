"""The guard in the table's loop: the C of the microcontroller, run on this machine, carries the commands out.

In each frame the guard sees what the pins say, as sensors and contacts were sampled for the frame before, and what the
host sent since; plant, brake and power follow its outputs. Ramp, order of switching, lease and the guard's own returns
are its doing, so the table is brought back when no host is there. What turns its outputs into torque is the drive's
own firmware and stands here: the torque that held the load, and the push through the gap of the gear.

Nothing is lost between host and guard but what `LinkHooks` take away; a wire does more.
"""

import math
from typing import Final

from config.limits import Limits
from firmware_bridge.protocol import BUZZER_STEP_HZ, hazard_codes, hazard_number
from safety.signals import Arm, Command, Demand, GuardState, Signals
from safety.signals import Guard as GuardTold
from sim.actuation import TAKE_UP_DEG_S, TAKE_UP_NM, Phase
from sim.guard import NO_ANGLE, NO_CURRENT, Guard, config_fields, switches
from sim.panel import Panel
from sim.plant import Plant
from sim.sensors import Sensors

CONFIGURE_EVERY_MS: Final = 100
NO_SIGNALS: Final = Signals()

_STATES: Final = tuple(state for state in GuardState if state is not GuardState.ABSENT)
_DEMANDS: Final = tuple(Demand)
_PHASES: Final = tuple(Phase)
_RUNNING: Final = _PHASES.index(Phase.RUNNING)
_REFUSED: Final = 2
_LARGEST_CDEG: Final = 2**15 - 1
_FASTEST_CDEG_S: Final = 2**15 - 1
_RAD_OF_CDEG: Final = math.pi / 18000.0
_TAKE_UP_RAD_S: Final = math.radians(TAKE_UP_DEG_S)


class GuardedActuation:
    """A table's drive sequence with the guard in it; what `sim.actuation.Actuation` is without one.

    Args:
        plant, sensors, panel: the table, where the pins are.
        limits: the table's; CONFIGURE brings them as soon as the guard takes them: unarmed, at level and still.

    Attributes:
        applied_cdeg_s: the set-point that the drive follows now.
        brake_released, drive_power: what the guard commands, in force or not.
        told: what the guard says of itself in telemetry.
        edge: whether the last stretch had something to tell at once.
        settled: never: the guard counts time.

    Raises:
        DeviceMissingError: there is no C compiler, and no library built before.
    """

    settled: Final = False

    def __init__(self, plant: Plant, sensors: Sensors, panel: Panel, limits: Limits) -> None:
        self._plant = plant
        self._sensors = sensors
        self._panel = panel
        motor_side = plant.constants.brake_on_motor_side
        self._config = config_fields(limits, brake_on_motor_side=motor_side)
        self.config_hash = self._config["hash"]
        self._configure_in_ms = 0
        self._switched: tuple[object, ...] = ()
        self._word = 0
        # Sensors and contacts are powered before the guard looks at them first.
        panel.settle()
        sensors.switch()
        plant.wire(panel.chain_open, sensors.end_down, sensors.end_up)
        sensors.sample(0)
        self.guard = self._booted(self._pins())
        self._phase = 0
        self._asked: Arm | int | None = None
        self._refused: tuple[str, ...] = ()
        self._session_id = 0
        self._inverted_s = 0
        self._state = 0
        self._hold_torque_nm = 0.0
        self.applied_cdeg_s = 0
        self.brake_released = False
        self.drive_power = False
        self.edge = False
        self.told = self._tell()
        self._shown = NO_SIGNALS
        panel.lights = self.lights

    def _booted(self, pins: tuple[int, int, int, int, int]) -> Guard:
        """Return the guard at its boot; behind a wire it is another one."""
        return Guard(*pins)

    @property
    def phase(self) -> Phase:
        """Where drive and brake stand."""
        return _PHASES[self._phase]

    @property
    def tone(self) -> int:
        """What the guard sounds by itself: 0 nothing, 1 before and during a return, 2 its alarm without a host."""
        return int(self.guard.out.tone)

    @property
    def alarm(self) -> int:
        """Priority of the guard's own alarm, as `safety.signals.Alarm` counts."""
        return int(self.guard.out.alarm)

    def lights(self) -> tuple[int, int]:
        """Return the lamps that are lit now, and what the buzzer sounds, in Hz: the host's and the guard's own."""
        lights = self.guard.lights
        return lights.lamps, lights.buzzer * BUZZER_STEP_HZ

    def show(self, signals: Signals) -> None:
        """Take in what the host would show and sound; the panel does so, and its own, from the next millisecond on."""
        if signals is not self._shown:
            self._shown = signals
            panel = self.guard.panel
            panel.lamps = signals.lamps
            panel.buzzer = signals.buzzer_hz // BUZZER_STEP_HZ
            panel.alarm = signals.alarm
            panel.tone = signals.tone

    def accept(self, command: Command) -> None:
        """Take in a command that has arrived; the guard judges it in its next millisecond."""
        velocity = command.velocity_cdeg_s
        if not -_FASTEST_CDEG_S <= velocity <= _FASTEST_CDEG_S:
            velocity = _FASTEST_CDEG_S if velocity > 0 else -_FASTEST_CDEG_S
        self.guard.tell(
            command.session_id,
            command.echo & 0xFFFF,
            velocity,
            command.demand,
            hazard_number(command.stop_cause) if command.stop_cause else 0,
            command.plan_return,
            command.presence_fresh,
        )
        if command.arm is not None:
            self._ask_to_arm(command.arm)
        elif command.disarm:
            self._ask_to_disarm()
        else:
            self._asked = None

    def sent(self, sequence: int) -> None:
        """Note that the frame with this number leaves now."""
        self.guard.sent(sequence & 0xFFFF)

    def step(self, elapsed_ms: int) -> None:
        """Let the guard have `elapsed_ms`, at most 1000, on the pins of the last frame; tell the plant what follows."""
        guard = self.guard
        out = guard.out
        if out.config_hash != self.config_hash:
            self._configure(elapsed_ms)
        self.edge = edge = guard.step(elapsed_ms, *self._pins())
        phase, power = out.phase, out.drive_power
        if phase != self._phase or power != self.drive_power:
            self._switch(phase, power)
        if phase == _RUNNING:
            self.applied_cdeg_s = last = out.applied_cdeg_s
            applied = guard.applied
            # The distance of each millisecond counts; within one frame the plant need not know their order.
            mean = last if applied[0] == last else sum(applied[0:elapsed_ms]) / elapsed_ms
            self._plant.drive(mean * _RAD_OF_CDEG)
        if edge or out.state != self._state or out.inverted_s != self._inverted_s:
            self.told = self._tell()

    def _pins(self) -> tuple[int, int, int, int, int]:
        """Say what the pins say: what was sampled for the last frame."""
        sensors, panel, plant = self._sensors, self._panel, self._plant
        switched = (
            panel.strap_left,
            panel.strap_right,
            panel.estop_contacts,
            panel.patient_open,
            sensors.level_switch,
            sensors.end_down,
            sensors.end_up,
            plant.mains_ok,
            plant.battery_ok,
            plant.fault_line,
            plant.supplied,
        )
        if switched != self._switched:
            self._switched = switched
            self._word = switches(
                panel.strap_left,
                panel.strap_right,
                panel.estop_contacts,
                patient_open=panel.patient_open,
                level_switch_below=sensors.level_switch,
                end_down=sensors.end_down,
                end_up=sensors.end_up,
                mains=plant.mains_ok,
                battery=plant.battery_ok,
                drive_fault=plant.fault_line,
                supply_gone=not plant.supplied,
            )
        a_cdeg, b_cdeg, current_ma = sensors.a_cdeg, sensors.b_cdeg, sensors.current_ma
        return (
            NO_ANGLE if a_cdeg is None else min(max(a_cdeg, -_LARGEST_CDEG), _LARGEST_CDEG),
            NO_ANGLE if b_cdeg is None else min(max(b_cdeg, -_LARGEST_CDEG), _LARGEST_CDEG),
            NO_CURRENT if current_ma is None else min(current_ma, NO_CURRENT - 1),
            panel.buttons,
            self._word,
        )

    def _switch(self, phase: int, power: bool) -> None:
        """Switch power, motor and brake as the guard now says."""
        plant, out = self._plant, self.guard.out
        released = out.brake_released
        if not power:
            plant.power_off()
        elif out.short_motor:
            plant.short()
        elif out.preload and not out.held_torque:
            plant.drive(math.copysign(_TAKE_UP_RAD_S, out.direction), TAKE_UP_NM)
        else:
            plant.drive(0.0)
        if out.preload and out.held_torque:
            plant.preset(self._hold_torque_nm)
        if released != self.brake_released:
            self.brake_released = released
            if released and self._hold_torque_nm:
                plant.preset(self._hold_torque_nm)
            elif not released and not out.short_motor:
                self._hold_torque_nm = plant.motion.torque_nm
            plant.brake(not released)
        if phase != _RUNNING:
            self.applied_cdeg_s = 0
        self._phase, self.drive_power = phase, power

    def _configure(self, elapsed_ms: int) -> None:
        """Ask for this table's constants until the guard has them; while it stands above level it refuses."""
        self._configure_in_ms -= elapsed_ms
        request = self.guard.request
        if self._configure_in_ms <= 0 and not (request.arm or request.disarm) and self.guard.out.still:
            self._configure_in_ms = CONFIGURE_EVERY_MS
            self.guard.configure(self._config)

    def _ask_to_arm(self, arm: Arm) -> None:
        """Send ARM until it is accepted or no longer asked for; the last answer counts."""
        if self._session_id == arm.session_id:
            return
        if self._asked is not arm:
            self._asked, self._refused = arm, ()
        self.guard.arm(
            session_id=arm.session_id,
            config_hash=self.config_hash,
            cap_cdeg=arm.cap_cdeg,
            set_limit_s=arm.set_limit_s,
            travel_limit_s=-(-arm.travel_limit_ms // 1000),
            hold_today_s=arm.used_today_s + arm.hold_s * arm.sets,
            speed_cdeg_s=arm.speed_cdeg_s,
            sets=arm.sets,
            strap_wait=arm.strap_wait,
            held_tilt=arm.held_tilt,
        )

    def _ask_to_disarm(self) -> None:
        session_id = self._session_id
        if session_id:
            if self._asked != session_id:
                self._asked, self._refused = session_id, ()
            self.guard.disarm(session_id)

    def _tell(self) -> GuardTold:
        """Put into words what the guard says of itself."""
        out = self.guard.out
        self._state, self._inverted_s = out.state, out.inverted_s
        session_id = out.session_id
        if session_id != self._session_id:
            # The next person's weight pulls elsewhere.
            self._hold_torque_nm = self._hold_torque_nm if session_id else 0.0
            self._session_id = session_id
        if self._asked is not None:
            refused = out.answer == _REFUSED
            self._refused = hazard_codes(out.refusals_low | out.refusals_high << 32) if refused else ()
        return GuardTold(
            _STATES[out.state],
            _DEMANDS[out.demand],
            hazard_codes(out.causes, out.first_cause),
            session_id,
            self._refused,
            out.first_value,
            out.inverted_s,
        )
