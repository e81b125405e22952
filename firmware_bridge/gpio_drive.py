"""How commands become motion on the Pi's own pins: the lease, the ramp, and the order of drive and brake.

The same phases, in the same order and for the same times, as in the microcontroller and in the simulated drive:

| phase | brake | drive | until |
|---|---|---|---|
| `RESTING` | set | off; at zero speed beside the brake under HOLD | a velocity is commanded |
| `TAKING_UP` | set | torque | the current shows the backlash taken up, ≤ 700 ms; the load on its flank: 50 ms |
| `OPENING` | opening | zero speed | the brake is open |
| `RUNNING` | open | follows the ramp | the ramp has come to zero |
| `STILLING` | open | zero speed | still for 300 ms, at most 1.5 s |
| `SETTING` | setting | zero speed | the brake has set; then power off, but under HOLD |
| `CUTTING` | set | both legs low; off when the brake has set | the demand is not CUT, chain and supply are there |

It trusts the command it is given: whether a motion is allowed is the safety layer's business.
"""

import math
from enum import Enum
from typing import Final, NamedTuple

from firmware_bridge.gpio_power import Stage, Switches
from firmware_bridge.gpio_velocity import VelocityLoop
from firmware_bridge.ramp import Ramp
from safety.signals import Command, Demand

LONGEST_TAKE_UP_MS: Final = 700
ON_FLANK_MS: Final = 50
TAKE_UP_CDEG_S: Final = 60.0  # 0.4° of backlash in 700 ms
# While the current does not show the teeth in contact the push grows, by half the full voltage a second.
PUSH_GROWS_S: Final = 0.5
TAKEN_UP_MA: Final = 1000  # above twice the idle current, as on the microcontroller
IN_GAP_MA: Final = 200  # above twice the idle current and the drive's own friction; whatever resists takes more
OPENING_MS: Final = 40
STILL_CDEG_S: Final = 20.0
STILL_MS: Final = 300
LONGEST_STILLING_MS: Final = 1500

_HOLD, _CUT = int(Demand.HOLD), int(Demand.CUT)


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


class Figures(NamedTuple):
    """What of the profile the sequence needs: milliseconds, milliamperes, centidegrees a second."""

    lease_ms: int
    brake_ms: int
    brake_on_motor_side: bool
    idle_ma: int
    friction_ma: int
    top_cdeg_s: int


class Seen(NamedTuple):
    """What the sequence looks at in one sample; the velocity and the current are None where nobody knows them."""

    now_ms: int
    elapsed_ms: int
    velocity_cdeg_s: float | None
    current_ma: int | None
    end_down: bool
    end_up: bool
    cut_by_wire: bool


class Drive:
    """Drive and brake of one table.

    Args:
        stage: what puts a voltage on the motor.
        switches: brake and enable.
        figures: what the profile says.

    Attributes:
        applied_cdeg_s: the set-point that the drive follows now, after the ramp and the end switches.
        phase: where drive and brake stand.
    """

    def __init__(self, stage: Stage, switches: Switches, figures: Figures) -> None:
        self._stage = stage
        self._switches = switches
        self._figures = figures
        self._ramp = Ramp()
        self._loop = VelocityLoop(figures.top_cdeg_s)
        self._velocity = 0
        self._demand = 0
        self._command_age_ms = 0
        self._in_phase_ms = 0
        self._still_ms = 0
        # What held the load when the brake set last.
        self._hold_cdeg_s = 0.0
        self._on_flank = figures.brake_on_motor_side
        self.applied_cdeg_s = 0
        self.phase = _RESTING

    def accept(self, command: Command) -> None:
        """Take over a command; it holds until the lease runs out."""
        self._command_age_ms = 0
        fastest = self._figures.top_cdeg_s
        self._velocity = min(max(command.velocity_cdeg_s, -fastest), fastest)
        self._demand = int(command.demand)
        if command.disarm:
            # The next person's weight pulls elsewhere.
            self._hold_cdeg_s = 0.0
            self._on_flank = self._figures.brake_on_motor_side
        if self._demand == _CUT and self.phase is not _CUTTING:
            self._enter(_CUTTING)

    def step(self, seen: Seen) -> None:
        """Let one sample's time pass, and switch what follows from it."""
        self._command_age_ms += seen.elapsed_ms
        self._in_phase_ms += seen.elapsed_ms
        # Whoever was away for longer than the lease finds a table that the safety relay stopped: nothing is resumed.
        away = seen.elapsed_ms > self._figures.lease_ms
        cut = self._demand == _CUT or seen.cut_by_wire or away
        phase = self.phase
        if phase is _RESTING and not cut and not self._velocity and not self._switches.enabled:
            # Nearly all of a table's time.
            if self._demand == _HOLD:
                self._rest(0, seen)
            return
        if cut and phase is not _CUTTING:
            self._enter(_CUTTING)
            return
        target = 0 if cut or self._command_age_ms > self._figures.lease_ms else self._velocity
        if target and (seen.end_down if target < 0 else seen.end_up):
            target = 0
        if phase is _RUNNING:
            self._run(target, seen)
        elif phase is _RESTING:
            self._rest(target, seen)
        elif phase is _CUTTING:
            self._cut(cut, seen)
        elif phase is _TAKING_UP:
            self._take_up(target, seen)
        elif phase is _OPENING:
            self._hold(seen)
            if self._in_phase_ms > OPENING_MS:
                self._enter(_RUNNING)
        elif phase is _STILLING:
            self._still(target, seen)
        else:
            self._set(target, seen)

    def _enter(self, phase: Phase) -> None:
        """Begin a phase: switch what it switches."""
        stage, switches = self._stage, self._switches
        self.phase = phase
        self._in_phase_ms = 0
        if phase is _CUTTING:
            switches.set_brake(True)
            stage.short()
            self._ramp.cut()
            self.applied_cdeg_s = 0
        elif phase is _RESTING:
            stage.short()
            switches.power(False)
        elif phase is _TAKING_UP:
            self._loop.start(self._hold_cdeg_s)
            switches.power(True)
        elif phase is _OPENING:
            switches.set_brake(False)
        elif phase is _STILLING:
            self._still_ms = 0
        elif phase is _SETTING:
            self._hold_cdeg_s = self._loop.integral_cdeg_s
            # Nothing moves the teeth while the brake is set.
            self._on_flank = True
            switches.set_brake(True)

    def _rest(self, target: int, seen: Seen) -> None:
        if target:
            self._enter(_TAKING_UP)
        elif self._demand == _HOLD:
            if not self._switches.enabled:
                self._loop.start(self._hold_cdeg_s)
                self._switches.power(True)
            self._hold(seen)
        else:
            self._stage.short()
            self._switches.power(False)

    def _hold(self, seen: Seen) -> None:
        """Hold zero by the loop; it learns only while the brake lets the table move."""
        loop = self._loop
        kept = loop.integral_cdeg_s
        output = loop.step(0.0, seen.velocity_cdeg_s)
        if self._switches.brake_set and seen.velocity_cdeg_s is not None and abs(seen.velocity_cdeg_s) < STILL_CDEG_S:
            loop.integral_cdeg_s = output = kept
        self._stage.put(output, 0.0, seen.now_ms)

    def _take_up(self, target: int, seen: Seen) -> None:
        """Push with the brake set: with what held the load last, or through the gap, the way it will go."""
        figures = self._figures
        if not target:
            self._enter(_RESTING)
        elif self._on_flank:
            self._stage.put(self._hold_cdeg_s, 0.0, seen.now_ms)
            if self._in_phase_ms > ON_FLANK_MS:
                self._enter(_OPENING)
        else:
            push = TAKE_UP_CDEG_S + PUSH_GROWS_S * figures.top_cdeg_s * self._in_phase_ms / 1000.0
            push = math.copysign(min(push, figures.top_cdeg_s), target)
            self._stage.put(push, push, seen.now_ms)
            taken_up = seen.current_ma is not None and seen.current_ma >= 2 * figures.idle_ma + TAKEN_UP_MA
            if taken_up or self._in_phase_ms > LONGEST_TAKE_UP_MS:
                self._enter(_OPENING)

    def _run(self, target: int, seen: Seen) -> None:
        ramp = self._ramp
        velocity = ramp.step(target, seen.elapsed_ms)
        if velocity and (seen.end_down if velocity < 0.0 else seen.end_up):
            # The wire has taken the drive's outward leg already; what the drive follows now is zero.
            ramp.cut()
            velocity = 0.0
        current_ma = seen.current_ma
        free = current_ma is not None and current_ma < 2 * self._figures.idle_ma + self._figures.friction_ma + IN_GAP_MA
        self._stage.put(self._loop.step(velocity, seen.velocity_cdeg_s, free), velocity, seen.now_ms)
        self.applied_cdeg_s = self._stage.applied(velocity)
        if not velocity and not target:
            self._enter(_STILLING)

    def _still(self, target: int, seen: Seen) -> None:
        if target:
            self._enter(_RUNNING)
            return
        self._hold(seen)
        self.applied_cdeg_s = self._stage.applied(0.0)
        velocity = seen.velocity_cdeg_s
        still = velocity is not None and abs(velocity) < STILL_CDEG_S
        self._still_ms = self._still_ms + seen.elapsed_ms if still else 0
        if self._still_ms >= STILL_MS or self._in_phase_ms > LONGEST_STILLING_MS:
            self._enter(_SETTING)

    def _set(self, target: int, seen: Seen) -> None:
        self._hold(seen)
        if target:
            self._enter(_TAKING_UP)
        elif self._in_phase_ms > self._figures.brake_ms:
            if self._demand == _HOLD:
                self.phase = _RESTING
            else:
                self._enter(_RESTING)

    def _cut(self, cut: bool, seen: Seen) -> None:
        if self._in_phase_ms <= self._figures.brake_ms:
            return
        self._switches.power(False)
        if not cut:
            self._enter(_RESTING)
            self._rest(0, seen)
