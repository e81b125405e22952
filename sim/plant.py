"""The physics of the table: a body on a pivot, a geared drive behind a gap, a spring brake, the supply, a hand crank.

Two masses share the pivot's axis: the table with the person on it, and the drive as the gear shows it. Between them is
the backlash: a gap that is either open, or closed on one side, where the masses move as one until the contact
would have to pull. Dry friction and brake are clamps on the change of speed, so that what stands, stands exactly, and
a step that changes nothing is known to change nothing ever after: then the plant rests and costs nothing until
something is touched. Steps are 1 ms, semi-implicit; the velocity loop's gain and the shorted motor's drag are implicit, so that they
are stable at any stiffness.

Inside, angles are radians and speeds rad/s; outside, names say what they are.
"""

import math

from config.errors import UsageError
from sim.body import Person, PlantConstants
from sim.hooks import PlantHooks

OFF, SHORTED, DRIVING = 0, 1, 2
"""What the drive's power stage does: legs floating, both legs low, or the velocity loop at work."""

_STEP_S = 0.001
_QUICK_RAD_S = 0.1
_CRANK_DONE_RAD = math.radians(0.2)


class Plant:
    """One table with one person on it.

    Args:
        constants: what the table is made of.
        person: who lies on it.
        start_deg: where it stands at first, brake set, power off; between the hard stops.

    Attributes:
        hooks: what can be made to go wrong.
        angle_rad, velocity_rad_s: the table itself, exactly.
        crank_turning: somebody works the manual return; its lever holds the brake open meanwhile.
        estop_open: the wired chain is open: brake set, motor shorted, whatever is commanded.
        end_down, end_up: the wired end switches are reached: outward motion that way is blocked by wire.
        current_ma: what the drive draws from its supply.
        powered: the power stage has power: enabled, supplied, chain closed.
        brake_commanded: the brake is commanded to set, by whoever: software, the wired chain, the loss of supply.
        fault_line: the driver reports a fault: told to, or its thermal duty used up.
        mains_ok, battery_ok: the mains are there; the battery passes its check.

    Raises:
        UsageError: `start_deg` is beyond a hard stop.
    """

    def __init__(self, constants: PlantConstants, person: Person, start_deg: float = 0.0) -> None:
        if not constants.hard_stop_low_deg <= start_deg <= constants.hard_stop_high_deg:
            low, high = constants.hard_stop_low_deg, constants.hard_stop_high_deg
            raise UsageError(
                f"the table cannot stand at {start_deg:g}°, only between its hard stops, {low:g}° … {high:g}°"
            )
        self.constants = constants
        self.hooks = PlantHooks()
        self.angle_rad = math.radians(start_deg)
        self.velocity_rad_s = 0.0
        self.drive_rad_s = 0.0
        self.estop_open = False
        self.end_down = False
        self.end_up = False
        self.crank_turning = False
        self.battery_share = 1.0
        self._heat_ma2_s = 0.0
        self._tripped = False
        self._mode = OFF
        self._set_rad_s = 0.0
        self._limit_nm = constants.stall_nm
        self._brake_commanded = True
        self._brake_target = 1.0
        self._brake_waits_ms = 0
        self._grip = 1.0
        self._integral_nm = 0.0
        self._torque_nm = 0.0
        self._crank_rad_s = 0.0
        self._crank_integral_nm = 0.0
        self._resting = False
        self._rested_ms = 0
        self.current_ma = 0.0
        self.place(person)
        # The load has long pulled the table onto one flank of the gear.
        half = constants.backlash_rad / 2.0
        self._gap_rad = math.copysign(half, -self._moment_nm) if half else 0.0
        self._side = math.copysign(1.0, -self._moment_nm)
        self._show()

    # What is commanded ------------------------------------------------------------------------------------------------

    def place(self, person: Person) -> None:
        """Put another person on the table."""
        self.person = person
        self._moment_nm = person.moment_nm + self.constants.table_moment_nm
        self._inertia_kg_m2 = self.constants.table_inertia_kg_m2 + person.inertia_kg_m2
        self._wake()

    def drive(self, velocity_rad_s: float, limit_nm: float | None = None) -> None:
        """Let the velocity loop follow a set-point, with at most `limit_nm` (None: the current limit)."""
        limit = self.constants.stall_nm if limit_nm is None else limit_nm
        if self._mode != DRIVING:
            self._mode = DRIVING
            self._integral_nm = 0.0
        elif velocity_rad_s == self._set_rad_s and limit == self._limit_nm:
            return
        self._set_rad_s = velocity_rad_s
        self._limit_nm = limit
        self._wake()

    def preset(self, torque_nm: float) -> None:
        """Begin the velocity loop's integral at a torque, as a hoist drive does before its brake opens."""
        self._integral_nm = torque_nm
        self._wake()

    def short(self) -> None:
        """Put both legs low: the motor drags."""
        if self._mode != SHORTED:
            self._mode = SHORTED
            self._wake()

    def power_off(self) -> None:
        """Drop the enable: the legs float, and nothing but friction holds the drive."""
        if self._mode != OFF:
            self._mode = OFF
            self._wake()

    def brake(self, set_: bool) -> None:
        """Command the brake to set, or to open."""
        if set_ != self._brake_commanded:
            self._brake_commanded = set_
            self._wake()

    def crank(self, turning: bool) -> None:
        """Work the manual return, or leave it."""
        if turning != self.crank_turning:
            self.crank_turning = turning
            self._crank_rad_s = 0.0
            self._crank_integral_nm = 0.0
            self._wake()

    def wire(self, estop_open: bool, end_down: bool, end_up: bool) -> None:
        """Tell the wired chain what its switches do."""
        if estop_open != self.estop_open or end_down != self.end_down or end_up != self.end_up:
            self.estop_open = estop_open
            self.end_down = end_down
            self.end_up = end_up
            self._wake()

    # What it shows ----------------------------------------------------------------------------------------------------

    @property
    def supplied(self) -> bool:
        """Whether mains or battery carry the drive."""
        hooks = self.hooks
        return not hooks.mains_off or not (hooks.battery_absent or hooks.battery_empty or self.battery_share <= 0.0)

    @property
    def loop_torque_nm(self) -> float:
        """What the motor pushes with now, at the pivot, positive head-up."""
        return self._torque_nm

    @property
    def energy_j(self) -> float:
        """Kinetic and potential energy of body and table; level is zero."""
        kinetic = 0.5 * (
            self._inertia_kg_m2 * self.velocity_rad_s**2 + self.constants.drive_inertia_kg_m2 * self.drive_rad_s**2
        )
        return kinetic + self._moment_nm * math.sin(self.angle_rad)

    @property
    def resting(self) -> bool:
        """Whether nothing moves and nothing will until something is touched."""
        return self._resting and not self.hooks.touched

    # Time -------------------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        self._resting = False

    def advance(self, duration_ms: int) -> None:
        """Let `duration_ms` pass."""
        if self._resting and not self.hooks.touched:
            self._rested_ms += duration_ms
            if self._rested_ms < 1000 or not self.powered:
                return
        if self._rested_ms:
            self._account(self._rested_ms)
            self._rested_ms = 0
            if self._resting and not self.hooks.touched:
                return
        self.hooks.touched = False
        before = (self.angle_rad, self._gap_rad, self._grip, self._integral_nm, self._brake_waits_ms, self._crank_rad_s)
        self._integrate(duration_ms)
        self._show()
        self._account(duration_ms)
        self._resting = (
            not self.velocity_rad_s
            and not self.drive_rad_s
            and before
            == (self.angle_rad, self._gap_rad, self._grip, self._integral_nm, self._brake_waits_ms, self._crank_rad_s)
        )

    def _show(self) -> None:
        """Work out what the table's own electronics can see; it stays true while the plant rests."""
        hooks, supplied = self.hooks, self.supplied
        self.powered = self._mode != OFF and not self.estop_open and supplied
        self.brake_commanded = self._brake_commanded or self.estop_open or not supplied
        self.fault_line = self._tripped or hooks.driver_fault or hooks.drive_hot
        self.mains_ok = not hooks.mains_off
        charged = self.battery_share > self.constants.battery_low_share
        self.battery_ok = charged and not (hooks.battery_absent or hooks.battery_empty)
        if self._mode == DRIVING and self.powered and not (hooks.drive_dead or self.crank_turning):
            self.current_ma = self.constants.powered_ma + abs(self._torque_nm) / self.constants.torque_nm_a * 1000.0
        else:
            self.current_ma = 0.0

    def _account(self, duration_ms: int) -> None:
        """Keep the books on heat and charge for a stretch of constant current."""
        current_ma = self.current_ma
        heat = self._heat_ma2_s + (current_ma * current_ma - self.constants.thermal_leak_ma2) * duration_ms * 0.001
        budget = self.constants.thermal_budget_ma2_s
        self._heat_ma2_s = heat = min(max(heat, 0.0), 1.2 * budget)
        tripped = heat > (0.9 * budget if self._tripped else budget)
        if tripped != self._tripped:
            self._tripped = tripped
            self._wake()
        if self.hooks.mains_off and current_ma and not self.hooks.battery_absent:
            self.battery_share = max(
                0.0, self.battery_share - current_ma * duration_ms * 0.001 / self.constants.battery_mas
            )
            if self.battery_share <= 0.0:
                self._wake()

    def _loop(self, duration_ms: int) -> tuple[float, float, float, float, float]:
        """Say what drives now: set-point, gain, integral gain, integral, and torque limit."""
        constants, hooks = self.constants, self.hooks
        if self.crank_turning:
            aim = -math.copysign(math.radians(constants.crank_deg_s), self.angle_rad)
            if abs(self.angle_rad) <= _CRANK_DONE_RAD:
                aim = 0.0
            change = math.radians(constants.crank_start_deg_s2) * duration_ms * 0.001
            speed = min(max(aim, self._crank_rad_s - change), self._crank_rad_s + change) if aim else 0.0
            self._crank_rad_s = speed
            return (
                speed,
                constants.loop_gain_nm_s_rad,
                constants.loop_integral_nm_rad,
                self._crank_integral_nm,
                constants.crank_nm,
            )
        if self.estop_open or (self._mode == SHORTED and self.supplied):
            return 0.0, constants.torque_nm_a**2 / constants.winding_ohm, 0.0, 0.0, math.inf
        if self._mode == OFF or not self.supplied or hooks.drive_dead:
            return 0.0, 0.0, 0.0, 0.0, 0.0
        wanted = self._set_rad_s * hooks.drive_gain
        if hooks.drive_runaway_deg_s is not None:
            wanted = math.radians(hooks.drive_runaway_deg_s)
        if hooks.drive_reversed:
            wanted = -wanted
        # The wire knows the true direction: it opens the leg that would drive outward.
        if (self.end_down and wanted < 0.0) or (self.end_up and wanted > 0.0):
            wanted = 0.0
        limit = self._limit_nm
        if self._tripped or hooks.drive_hot:
            limit = min(limit, constants.folded_ma / 1000.0 * constants.torque_nm_a)
        return wanted, constants.loop_gain_nm_s_rad, constants.loop_integral_nm_rad, self._integral_nm, limit

    def _brake_step_per_ms(self) -> tuple[float, float]:
        """Say where the brake's grip is going, and by how much in a millisecond."""
        constants, hooks = self.constants, self.hooks
        sets = (self._brake_commanded or self.estop_open or not self.supplied) and not self.crank_turning
        target = 1.0 if sets else 0.0
        if hooks.brake_never_sets:
            target = 0.0
        elif hooks.brake_never_releases:
            target = 1.0
        if target != self._brake_target:
            self._brake_target = target
            self._brake_waits_ms = constants.brake_dead_ms if target else 0
        if target:
            return target, 1.0 / (constants.brake_setting_ms - constants.brake_dead_ms)
        return target, -1.0 / constants.brake_release_ms

    def _integrate(self, duration_ms: int) -> None:
        """Integrate in steps of 1 ms. One long function, because a call a step would double its cost."""
        constants = self.constants
        half, moment, cos = constants.backlash_rad / 2.0, self._moment_nm, math.cos
        low, high = math.radians(constants.hard_stop_low_deg), math.radians(constants.hard_stop_high_deg)
        set_rad_s, gain, integral_gain, integral, limit = self._loop(duration_ms)
        integral_step = integral_gain * _STEP_S
        grip_target, grip_step = self._brake_step_per_ms()
        waits_ms, grip = self._brake_waits_ms, self._grip
        grip_nm = constants.brake_nm * max(0.0, self.hooks.brake_grip)
        motor_side = constants.brake_on_motor_side
        table_dry = constants.bearing_friction_nm * _STEP_S
        drive_dry = constants.drive_friction_nm * _STEP_S
        table_clamp = table_dry if motor_side else table_dry + grip * grip_nm * _STEP_S
        drive_clamp = drive_dry + grip * grip_nm * _STEP_S if motor_side else drive_dry
        teeth = constants.gear_friction
        table_j = self._inertia_kg_m2
        table_a = table_j + _STEP_S * constants.bearing_viscous_nm_s_rad
        drive_j = constants.drive_inertia_kg_m2
        bare_a = drive_j + _STEP_S * constants.drive_viscous_nm_s_rad
        loop_a = bare_a + _STEP_S * gain
        obstacle = self.hooks.obstacle
        if obstacle is not None:
            obstacle_rad, blocks = math.radians(obstacle.angle_deg), obstacle.blocks
        angle, speed, drive_speed = self.angle_rad, self.velocity_rad_s, self.drive_rad_s
        gap, side, torque = self._gap_rad, self._side, self._torque_nm
        weight = -moment * cos(angle)

        for _ in range(duration_ms):
            if grip != grip_target:
                if waits_ms:
                    waits_ms -= 1
                else:
                    grip = min(1.0, max(0.0, grip + grip_step))
                    if motor_side:
                        drive_clamp = drive_dry + grip * grip_nm * _STEP_S
                    else:
                        table_clamp = table_dry + grip * grip_nm * _STEP_S
            if not -_QUICK_RAD_S < speed < _QUICK_RAD_S:
                weight = -moment * cos(angle)
            load = weight
            if obstacle is not None:
                depth = (angle - obstacle_rad) * blocks
                if depth > 0.0:
                    push = obstacle.stiffness_nm_rad * depth + obstacle.damping_nm_s_rad * speed * blocks
                    load -= blocks * max(0.0, push)

            # Momentum of each mass after this step, before contact and dry friction.
            torque = gain * (set_rad_s - drive_speed) + integral
            if -limit <= torque <= limit:
                saturated = False
                drive_a = loop_a
                drive_p = drive_j * drive_speed + _STEP_S * (gain * set_rad_s + integral)
            else:
                saturated = True
                torque = limit if torque > 0.0 else -limit
                drive_a = bare_a
                drive_p = drive_j * drive_speed + _STEP_S * torque
            table_p = table_j * speed + _STEP_S * load

            if side:
                # The teeth touch: one speed for both, unless the contact would have to pull.
                ahead = speed or (table_p + drive_p)
                way = 1.0 if ahead > 0.0 else -1.0
                share = 1.0 - way * side * teeth
                new = (drive_p + share * table_p - way * (drive_clamp + share * table_clamp)) / (
                    drive_a + share * table_a
                )
                if new * way > 0.0:
                    if (table_p - way * table_clamp - table_a * new) * side < 0.0:
                        side = 0.0
                else:
                    new = 0.0
                    alone = table_p - table_clamp if table_p > table_clamp else min(0.0, table_p + table_clamp)
                    other = drive_p - drive_clamp if drive_p > drive_clamp else min(0.0, drive_p + drive_clamp)
                    if (alone / table_a - other / drive_a) * side < 0.0:
                        side = 0.0
                if side:
                    speed = drive_speed = new
            if not side:
                speed = (table_p - table_clamp if table_p > table_clamp else min(0.0, table_p + table_clamp)) / table_a
                drive_speed = (
                    drive_p - drive_clamp if drive_p > drive_clamp else min(0.0, drive_p + drive_clamp)
                ) / drive_a
                gap += (speed - drive_speed) * _STEP_S
                if not -half < gap < half:
                    side = 1.0 if gap > 0.0 else -1.0
                    gap = side * half
                    # They meet and go on together; the blow is lost in the teeth.
                    way = 1.0 if table_p + drive_p > 0.0 else -1.0
                    share = 1.0 - way * side * teeth
                    new = (drive_p + share * table_p - way * (drive_clamp + share * table_clamp)) / (
                        drive_a + share * table_a
                    )
                    speed = drive_speed = new if new * way > 0.0 else 0.0

            if not saturated:
                torque = gain * (set_rad_s - drive_speed) + integral
                integral += integral_step * (set_rad_s - drive_speed)
            angle += speed * _STEP_S
            if not low <= angle <= high:
                angle = low if angle < low else high
                speed = 0.0
                if side:
                    drive_speed = 0.0

        self.angle_rad, self.velocity_rad_s, self.drive_rad_s = angle, speed, drive_speed
        self._gap_rad, self._side, self._torque_nm = gap, side, torque
        self._grip, self._brake_waits_ms = grip, waits_ms
        if self.crank_turning:
            self._crank_integral_nm = integral
        elif integral_gain:
            self._integral_nm = integral
