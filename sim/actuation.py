"""How commands become motion: the lease, the ramp, and the order in which drive and brake are switched.

This is what a microcontroller's actuator code does below its judge. It trusts the command it is given: whether a
motion is allowed is the safety layer's business, how it begins and ends is this file's.

| phase | brake | drive | until |
|---|---|---|---|
| `RESTING` | set | off; at zero speed beside the brake under HOLD | a velocity is commanded |
| `TAKING_UP` | set | torque | the backlash is taken up, ≤ 700 ms; the load on its flank already: 50 ms |
| `OPENING` | opening | zero speed | the brake is open |
| `RUNNING` | open | follows the ramp | the ramp has come to zero |
| `STILLING` | open | zero speed | still for 300 ms |
| `SETTING` | setting | zero speed | the brake has set; then power off, but under HOLD |
| `CUTTING` | set | both legs low; off when it has set | the demand is not CUT, e-stop chain and supply are there |
"""

import math
from enum import Enum

from firmware_bridge.ramp import Ramp
from safety.signals import Command, Demand
from sim.plant import Plant

_HOLD, _CUT = int(Demand.HOLD), int(Demand.CUT)
_RAD_OF_CDEG = math.pi / 18000.0

LONGEST_TAKE_UP_MS = 700
ON_FLANK_MS = 50
TAKE_UP_DEG_S = 0.6  # 0.4° of backlash in 700 ms
TAKE_UP_NM = 80.0  # a fifth of what the brake holds
TAKEN_UP_MA = 1000  # above the idle current: 40 Nm, five times the drive's own friction
OPENING_MS = 40
STILL_RAD_S = math.radians(0.2)
STILL_MS = 300
LONGEST_STILLING_MS = 1500


class Phase(Enum):
    """Where drive and brake stand; the table in this module's docstring says how each ends."""

    RESTING = "resting"
    TAKING_UP = "taking up"
    OPENING = "opening"
    RUNNING = "running"
    STILLING = "stilling"
    SETTING = "setting"
    CUTTING = "cutting"


_RESTING, _TAKING_UP, _OPENING = Phase.RESTING, Phase.TAKING_UP, Phase.OPENING
_RUNNING, _STILLING, _SETTING, _CUTTING = Phase.RUNNING, Phase.STILLING, Phase.SETTING, Phase.CUTTING


class Actuation:
    """The drive sequence of one table.

    Args:
        plant: what is driven.
        ramp: how fast the set-point may change.
        lease_ms: a command older than this brings the table to rest.

    Attributes:
        lease_ms: as it was given.
        applied_cdeg_s: the set-point that the drive follows now, after the ramp and the wired end switches.
        phase: where drive and brake stand.
        settled: until a command changes something or the e-stop's chain opens, `step` need not be called.
    """

    def __init__(self, plant: Plant, ramp: Ramp, lease_ms: int) -> None:
        self._plant = plant
        self._ramp = ramp
        self.lease_ms = lease_ms
        self._fastest = round(100.0 * plant.constants.top_speed_deg_s)
        self._velocity = 0
        self._demand = 0
        self._command_age_ms = 0
        self._hold_torque_nm = 0.0
        # With the brake on the motor's side the load always lies on its flank of the gear; with the brake at the table
        # it does so once the drive has held it, since nothing moves the teeth while the brake is set.
        self._on_flank = plant.constants.brake_on_motor_side
        self._in_phase_ms = 0
        self._still_ms = 0
        # Unrounded what `applied_cdeg_s` is; every phase but `RUNNING` follows zero.
        self._followed_cdeg_s = 0.0
        self.settled = True
        self.applied_cdeg_s = 0
        self.phase = _RESTING

    def accept(self, command: Command) -> None:
        """Take over a command that has arrived; it holds until the lease runs out."""
        self._command_age_ms = 0
        velocity, demand = command.velocity_cdeg_s, command.demand
        if velocity or self._velocity or demand != self._demand:
            fastest = self._fastest
            self._velocity = velocity if -fastest <= velocity <= fastest else fastest if velocity > 0 else -fastest
            self._demand = int(demand)
            self.settled = False
        if command.disarm:
            # The next person's weight pulls elsewhere.
            self._hold_torque_nm = 0.0
            self._on_flank = self._plant.constants.brake_on_motor_side

    def step(self, elapsed_ms: int) -> None:
        """Let `elapsed_ms` pass, and tell the plant what follows from it."""
        plant = self._plant
        self._command_age_ms += elapsed_ms
        self._in_phase_ms += elapsed_ms
        cut = self._demand == _CUT or plant.estop_open or not plant.supplied
        if cut and self.phase is not _CUTTING:
            self._enter(_CUTTING)
        target = 0 if cut or self._command_age_ms > self.lease_ms else self._velocity
        if target and (plant.end_down if target < 0 else plant.end_up):
            target = 0
        phase = self.phase
        if phase is _RUNNING:
            self._run(target, elapsed_ms)
        elif phase is _RESTING:
            self._rest(target)
        elif phase is _CUTTING:
            self._cut(cut)
        elif phase is _TAKING_UP:
            self._take_up(target)
        elif phase is _OPENING:
            if self._in_phase_ms > OPENING_MS:
                self._enter(_RUNNING)
        elif phase is _STILLING:
            self._still(target, elapsed_ms)
        elif target:
            self._enter(_TAKING_UP)
        elif self._in_phase_ms > plant.constants.brake_setting_ms:
            self._enter(_RESTING)
            self._rest(0)

    def _enter(self, phase: Phase) -> None:
        """Begin a phase: switch what it switches."""
        plant = self._plant
        self.phase = phase
        self._in_phase_ms = 0
        if phase is _TAKING_UP:
            self._begin_take_up()
        elif phase is _OPENING:
            plant.drive(0.0)
            if self._hold_torque_nm:
                plant.preset(self._hold_torque_nm)
            plant.brake(False)
        elif phase is _STILLING:
            self._still_ms = 0
            plant.drive(0.0)
        elif phase is _SETTING:
            self._hold_torque_nm = plant.motion.torque_nm
            self._on_flank = True
            plant.brake(True)
        elif phase is _CUTTING:
            self._ramp.cut()
            self.applied_cdeg_s = 0
            self._followed_cdeg_s = 0.0
            plant.brake(True)
            plant.short()

    def _rest(self, target: int) -> None:
        plant = self._plant
        if target:
            self._enter(_TAKING_UP)
        elif self._demand == _HOLD:
            plant.drive(0.0)
            self.settled = True
        else:
            plant.power_off()
            self.settled = True

    def _begin_take_up(self) -> None:
        """Push with the brake set: with the torque that held the load last, or through the gap, the way it will go."""
        plant = self._plant
        if self._on_flank:
            plant.drive(0.0)
            plant.preset(self._hold_torque_nm)
        else:
            plant.drive(math.copysign(math.radians(TAKE_UP_DEG_S), self._velocity), TAKE_UP_NM)

    def _take_up(self, target: int) -> None:
        plant = self._plant
        constants = plant.constants
        if not target:
            self._enter(_RESTING)
            self._rest(0)
        elif self._on_flank:
            if self._in_phase_ms > ON_FLANK_MS:
                self._enter(_OPENING)
        elif plant.current_ma >= constants.powered_ma + TAKEN_UP_MA or self._in_phase_ms > LONGEST_TAKE_UP_MS:
            self._enter(_OPENING)

    def _run(self, target: int, elapsed_ms: int) -> None:
        plant = self._plant
        ramp = self._ramp
        velocity = ramp.step(target, elapsed_ms)
        if velocity and (plant.end_down if velocity < 0.0 else plant.end_up):
            # The wire has taken the drive's outward leg already; what the drive follows now is zero.
            ramp.cut()
            velocity = 0.0
        if velocity != self._followed_cdeg_s:
            self._followed_cdeg_s = velocity
            self.applied_cdeg_s = round(velocity)
            plant.drive(velocity * _RAD_OF_CDEG)
        if not velocity and not target:
            self._enter(_STILLING)

    def _still(self, target: int, elapsed_ms: int) -> None:
        plant = self._plant
        if target:
            self._enter(_RUNNING)
            return
        self._still_ms = self._still_ms + elapsed_ms if abs(plant.motion.drive_rad_s) < STILL_RAD_S else 0
        if self._still_ms >= STILL_MS or self._in_phase_ms > LONGEST_STILLING_MS:
            self._enter(_SETTING)

    def _cut(self, cut: bool) -> None:
        plant = self._plant
        if self._in_phase_ms <= plant.constants.brake_setting_ms:
            return
        plant.power_off()
        if cut:
            # Nothing more happens until the demand changes, the chain closes or the supply is back.
            self.settled = self._demand == _CUT
        else:
            self._enter(_RESTING)
            self._rest(0)
