"""The table as a whole: what is commanded, wired, cranked or broken, and what that makes of the motion.

Here are the power stage, the spring brake, the wired chain, the supply with its battery, the drive's thermal duty and
the hand crank; the equations themselves are in `sim.motion`. Time is integrated in steps of 1 ms while anything moves.
When a whole stretch has changed nothing, no later one can: then the plant rests, and costs nothing until it is touched.
"""

import math

from config.errors import UsageError
from sim.body import Person, PlantConstants
from sim.hooks import PlantHooks
from sim.motion import Motion

OFF, SHORTED, DRIVING, FED = 0, 1, 2, 3
"""What the drive's power stage does: legs floating, both legs low, the drive's own velocity loop at work, or the bare
motor fed with a voltage."""

_CRANK_DONE_RAD = math.radians(0.2)
# Heat and charge of a resting plant are brought up to date this often while it draws current.
_ACCOUNT_MS = 1000
# Folded back the drive still draws more than it bears for ever; the model ends here.
_HOTTEST = 1.2


class Plant:
    """One table with one person on it.

    Args:
        constants: what the table is made of.
        person: who lies on it.
        start_deg: where it stands at first, brake set, power off.

    Attributes:
        hooks: what can be made to go wrong.
        motion: where table and drive are.
        crank_turning: somebody works the manual return; its lever holds the brake open meanwhile.
        estop_open: the wired chain is open: brake set, motor shorted, whatever is commanded.
        end_down, end_up: a wired end switch is reached: outward motion that way is blocked by wire.
        current_ma: what the drive draws from its supply.
        powered: the power stage has power: enabled, supplied, chain closed.
        brake_commanded: the brake is commanded to set, by whoever: software, the wired chain, the loss of supply.
        fault_line: the driver reports a fault: told to, or its thermal duty used up.
        mains_ok, battery_ok: the mains are there; the battery passes its check. supplied: either carries the drive.
        battery_share: what is left in the battery, 0…1.

    Raises:
        UsageError: `start_deg` is beyond a hard stop.
    """

    def __init__(self, constants: PlantConstants, person: Person, start_deg: float = 0.0) -> None:
        low, high = constants.hard_stop_low_deg, constants.hard_stop_high_deg
        if not low <= start_deg <= high:
            raise UsageError(f"the table cannot stand at {start_deg:g}°, only between its stops, {low:g}° … {high:g}°")
        self.constants = constants
        self.hooks = PlantHooks()
        self.motion = Motion(constants, math.radians(start_deg))
        self.estop_open = self.end_down = self.end_up = self.crank_turning = False
        self.current_ma = 0.0
        self.battery_share = 1.0 if constants.battery_mas else 0.0
        self._heat_ma2_s = 0.0
        self._tripped = False
        self._mode = OFF
        self._set_rad_s = 0.0
        self._limit_nm = constants.stall_nm
        self._gain = constants.loop_gain_nm_s_rad
        self._integral_gain = constants.loop_integral_nm_rad
        self._brake_commanded = True
        self._grip = self._grip_aim = 1.0
        self._grip_waits_ms = 0
        self._crank_holds = False
        self._crank_rad_s = 0.0
        self._rests = False
        self._stale = True
        self._rested_ms = 0
        self.place(person)
        self.motion.lean()
        self._look()

    def place(self, person: Person) -> None:
        """Put another person on the table."""
        self.person = person
        constants = self.constants
        self.motion.load(
            person.moment_nm + constants.table_moment_nm, person.inertia_kg_m2 + constants.table_inertia_kg_m2
        )
        self._touch()

    def drive(self, velocity_rad_s: float, limit_nm: float | None = None) -> None:
        """Let the velocity loop follow a set-point, with at most `limit_nm` (None: the current limit)."""
        limit = self.constants.stall_nm if limit_nm is None else limit_nm
        if self._mode != DRIVING:
            self._mode = DRIVING
            self._gain = self.constants.loop_gain_nm_s_rad
            self._integral_gain = self.constants.loop_integral_nm_rad
            self.motion.integral_nm = 0.0
            self._stale = True
        elif velocity_rad_s == self._set_rad_s and limit == self._limit_nm:
            return
        self._set_rad_s = velocity_rad_s
        self._limit_nm = limit
        self._rests = False

    def feed(self, duty: float) -> None:
        """Put a share of the supply's voltage on the bare motor, −1…1, head-up positive; there is no loop but its own.

        A motor pulls with what the voltage leaves over its back-EMF: torque = gain × (duty × no-load speed − speed),
        up to the current limit, where the gain is the drag of the shorted motor. Duty 0 is that very drag.
        """
        set_rad_s = duty * self.constants.no_load_rad_s
        if self._mode != FED:
            self._mode = FED
            self._gain, self._integral_gain = self.constants.short_nm_s_rad, 0.0
            self._limit_nm = self.constants.stall_nm
            self.motion.integral_nm = 0.0
            self._stale = True
        elif set_rad_s == self._set_rad_s:
            return
        self._set_rad_s = set_rad_s
        self._rests = False

    def preset(self, torque_nm: float) -> None:
        """Begin the velocity loop at a torque, as a hoist drive does before its brake opens."""
        self.motion.integral_nm = torque_nm
        self._rests = False

    def short(self) -> None:
        """Put both legs low: the motor drags."""
        self._mode = SHORTED
        self._touch()

    def power_off(self) -> None:
        """Drop the enable: the legs float, and nothing but friction holds the drive."""
        if self._mode != OFF:
            self._mode = OFF
            self._touch()

    def brake(self, set_: bool) -> None:
        """Command the brake to set, or to open."""
        if set_ != self._brake_commanded:
            self._brake_commanded = set_
            self._touch()

    def crank(self, turning: bool) -> None:
        """Work the manual return, or leave it; hands hold the crank until the brake grips again."""
        if turning != self.crank_turning:
            self.crank_turning = turning
            self._crank_rad_s = 0.0
            if not self._crank_holds:
                self._crank_holds = True
                self.motion.integral_nm = 0.0
            self._touch()

    def wire(self, estop_open: bool, end_down: bool, end_up: bool) -> None:
        """Tell the wired chain what its switches do."""
        if estop_open != self.estop_open or end_down != self.end_down or end_up != self.end_up:
            self.estop_open = estop_open
            self.end_down = end_down
            self.end_up = end_up
            self._touch()

    @property
    def resting(self) -> bool:
        """Whether nothing moves, and nothing will until something is touched."""
        return self._rests and not self.hooks.touched

    def _touch(self) -> None:
        self._stale = True
        self._rests = False

    def advance(self, duration_ms: int) -> None:
        """Let `duration_ms` pass."""
        resting = self._rests and not self.hooks.touched
        if resting:
            self._rested_ms += duration_ms
            if not self.current_ma or self._rested_ms < _ACCOUNT_MS:
                return
        if self._rested_ms:
            self._account(self._rested_ms)
            self._rested_ms = 0
            if resting:
                return
        if self._stale or self.hooks.touched:
            self._look()
        motion = self.motion
        if motion.speed_rad_s or motion.drive_rad_s:
            self._integrate(duration_ms)
            self._rests = False
        else:
            before = (motion.stance, self._grip, self._grip_waits_ms, self._crank_holds)
            self._integrate(duration_ms)
            self._rests = before == (motion.stance, self._grip, self._grip_waits_ms, self._crank_holds)
        if self._follows and not self._crank_holds:
            constants = self.constants
            self.current_ma = constants.powered_ma + abs(motion.torque_nm) / constants.torque_nm_a * 1000.0
        else:
            self.current_ma = 0.0
        self._account(duration_ms)

    def _integrate(self, duration_ms: int) -> None:
        """Hand the motion what acts on it; millisecond by millisecond while the brake's grip changes."""
        if self._obeys and not self._grip and not self._grip_aim:
            # Ordinary motion: the brake is open, nothing is wrong, and loop or motor follow their set-point.
            self.motion.run(
                duration_ms, self._set_rad_s, self._gain, self._integral_gain, self._limit_nm, 0.0, 0.0, None
            )
            return
        set_rad_s, gain, integral_gain, limit_nm = self._push(duration_ms)
        obstacle = self.hooks.obstacle
        left_ms = duration_ms
        while left_ms:
            stretch_ms = left_ms
            if self._grip != self._grip_aim:
                stretch_ms = 1
                self._move_brake()
            held_nm = self._grip * self._grip_nm
            table_nm, drive_nm = (0.0, held_nm) if self.constants.brake_on_motor_side else (held_nm, 0.0)
            self.motion.run(stretch_ms, set_rad_s, gain, integral_gain, limit_nm, table_nm, drive_nm, obstacle)
            left_ms -= stretch_ms
        if self._crank_holds and not self.crank_turning and self._grip == self._grip_aim:
            self._crank_holds = False
            self.motion.integral_nm = 0.0
            self._stale = True

    def _push(self, duration_ms: int) -> tuple[float, float, float, float]:
        """Say what drives now: set-point, gain, integral gain and torque limit of the loop."""
        constants, hooks = self.constants, self.hooks
        gain, integral_gain = constants.loop_gain_nm_s_rad, constants.loop_integral_nm_rad
        if self._crank_holds:
            return self._turn_crank(duration_ms), gain, integral_gain, constants.crank_nm
        if self.estop_open or (self._mode == SHORTED and self.supplied):
            return 0.0, constants.short_nm_s_rad, 0.0, math.inf
        if not self._follows:
            return 0.0, 0.0, 0.0, 0.0
        if self._mode == FED:
            gain, integral_gain = self._gain, self._integral_gain
        wanted = self._set_rad_s * hooks.drive_gain
        if hooks.drive_runaway_deg_s is not None:
            wanted = math.radians(hooks.drive_runaway_deg_s)
        if hooks.drive_reversed:
            wanted = -wanted
        # The wire knows the true direction: it opens the leg that would drive outward.
        if wanted and (self.end_down if wanted < 0.0 else self.end_up):
            wanted = 0.0
        limit = self._limit_nm
        if self._tripped or hooks.drive_hot:
            limit = min(limit, constants.folded_ma / 1000.0 * constants.torque_nm_a)
        return wanted, gain, integral_gain, limit

    def _turn_crank(self, duration_ms: int) -> float:
        """Return the speed of a hand that turns toward level and stops there."""
        constants, angle = self.constants, self.motion.angle_rad
        if not self.crank_turning or abs(angle) <= _CRANK_DONE_RAD:
            self._crank_rad_s = 0.0
            return 0.0
        aim = -math.copysign(math.radians(constants.crank_deg_s), angle)
        change = math.radians(constants.crank_start_deg_s2) * duration_ms * 0.001
        self._crank_rad_s = min(max(aim, self._crank_rad_s - change), self._crank_rad_s + change)
        return self._crank_rad_s

    def _aim_brake(self) -> None:
        """Work out whether the brake should grip, and start its coil's dead time when that has changed."""
        hooks = self.hooks
        grips = self.brake_commanded and not self.crank_turning
        aim = 1.0 if (grips and not hooks.brake_never_sets) or hooks.brake_never_releases else 0.0
        if aim != self._grip_aim:
            self._grip_aim = aim
            self._grip_waits_ms = self.constants.brake_dead_ms if aim else 0

    def _move_brake(self) -> None:
        """Let the spring, or the coil, have one millisecond."""
        constants = self.constants
        if self._grip_waits_ms:
            self._grip_waits_ms -= 1
        elif self._grip_aim:
            self._grip = min(1.0, self._grip + 1.0 / (constants.brake_setting_ms - constants.brake_dead_ms))
        else:
            self._grip = max(0.0, self._grip - 1.0 / constants.brake_release_ms)

    def _look(self) -> None:
        """Work out what is supplied and what the table's electronics can see; true until something is touched."""
        hooks = self.hooks
        hooks.touched = False
        self._stale = False
        self.mains_ok = not hooks.mains_off
        battery = not (hooks.battery_absent or hooks.battery_empty)
        self.battery_ok = battery and self.battery_share > self.constants.battery_low_share
        self.supplied = supplied = self.mains_ok or (battery and self.battery_share > 0.0)
        self.powered = self._mode != OFF and not self.estop_open and supplied
        self.brake_commanded = self._brake_commanded or self.estop_open or not supplied
        self.fault_line = self._tripped or hooks.driver_fault or hooks.drive_hot
        self._follows = self.powered and self._mode >= DRIVING and not hooks.drive_dead
        self._obeys = self._follows and not (
            self._crank_holds or hooks.active or self._tripped or self.end_down or self.end_up
        )
        self._grip_nm = self.constants.brake_nm * max(0.0, hooks.brake_grip)
        self._aim_brake()

    def _account(self, duration_ms: int) -> None:
        """Keep the books on heat and charge for a stretch of constant current."""
        constants, current_ma = self.constants, self.current_ma
        if not self._heat_ma2_s and self.mains_ok and current_ma * current_ma <= constants.thermal_leak_ma2:
            return
        heat = self._heat_ma2_s + (current_ma * current_ma - constants.thermal_leak_ma2) * duration_ms * 0.001
        if heat <= 0.0:
            heat = 0.0
        budget = constants.thermal_budget_ma2_s
        if heat > _HOTTEST * budget:
            heat = _HOTTEST * budget
        self._heat_ma2_s = heat
        # It comes back when a tenth of the budget has cooled away.
        tripped = heat > (0.9 * budget if self._tripped else budget)
        if tripped != self._tripped:
            self._tripped = tripped
            self._touch()
        if self.hooks.mains_off and current_ma and constants.battery_mas:
            used = current_ma * duration_ms * 0.001 / constants.battery_mas
            was_ok, self.battery_share = self.battery_share > constants.battery_low_share, self.battery_share - used
            if self.battery_share <= 0.0 or was_ok != (self.battery_share > constants.battery_low_share):
                self.battery_share = max(0.0, self.battery_share)
                self._touch()
