"""The equations of motion: a body on a pivot and a geared drive, a gap between them, dry friction on both.

Two masses share the pivot's axis: the table with the person on it, and the drive as the gear shows it. Between them is
the backlash: a gap that is either open, or closed on one side, where the masses move as one until the contact
would have to pull. Dry friction and brake are clamps on the change of momentum, so that what stands, stands exactly.
Steps are 1 ms, semi-implicit; gain and drag of the drive are implicit, so that they are stable at any stiffness.

Angles are radians, speeds rad/s, torques Nm at the pivot; positive is head-up.
"""

import math

from sim.body import PlantConstants
from sim.hooks import Obstacle

STEP_S = 0.001
# Slower than this the weight's torque changes by less than 0.1 % within a frame, and is worked out once for it.
_QUICK_RAD_S = 0.1
_STOP_MARGIN_RAD = 0.01
# Slower than this (a degree in sixteen hours) the teeth stand: dry friction does not creep.
_STANDS_RAD_S = 3e-7


class Motion:
    """Where table and drive are, and how they move on.

    Args:
        constants: what the table is made of.
        angle_rad: where it stands at first.

    Attributes:
        angle_rad, speed_rad_s: the table.
        drive_rad_s: the drive, as the gear shows it.
        torque_nm: what the motor pushes with.
        integral_nm: the velocity loop's memory.
    """

    __slots__ = (
        "_fixed",
        "_gap_rad",
        "_inertia",
        "_moment_nm",
        "_side",
        "angle_rad",
        "constants",
        "drive_rad_s",
        "integral_nm",
        "speed_rad_s",
        "torque_nm",
    )

    def __init__(self, constants: PlantConstants, angle_rad: float) -> None:
        self.constants = constants
        self.angle_rad = angle_rad
        self.speed_rad_s = 0.0
        self.drive_rad_s = 0.0
        self.torque_nm = 0.0
        self.integral_nm = 0.0
        # The flank that the teeth lie on: +1 where the table pushes the drive head-up, −1 head-down, 0 in the gap.
        self._side = 0.0
        self._gap_rad = 0.0
        self.load(0.0, constants.table_inertia_kg_m2)

    def load(self, moment_nm: float, inertia_kg_m2: float) -> None:
        """Put a body on the table: its moment at level, positive head-down, and the inertia of both about the pivot."""
        constants = self.constants
        self._moment_nm = moment_nm
        self._inertia = inertia_kg_m2
        # Everything that no frame changes, in the order in which `run` takes it up.
        self._fixed = (
            constants.backlash_rad / 2.0,
            math.radians(constants.hard_stop_low_deg),
            math.radians(constants.hard_stop_high_deg),
            constants.gear_friction,
            moment_nm,
            inertia_kg_m2,
            inertia_kg_m2 + STEP_S * constants.bearing_viscous_nm_s_rad,
            constants.bearing_friction_nm,
            constants.drive_inertia_kg_m2,
            constants.drive_inertia_kg_m2 + STEP_S * constants.drive_viscous_nm_s_rad,
            constants.drive_friction_nm,
        )

    def lean(self) -> None:
        """Let the load lie on its flank of the gear, as it does after standing for a while."""
        self._side = -math.copysign(1.0, self._moment_nm)
        self._gap_rad = self._side * self.constants.backlash_rad / 2.0

    @property
    def energy_j(self) -> float:
        """Kinetic energy of both masses and potential energy of the body; level is zero."""
        kinetic = self._inertia * self.speed_rad_s**2 + self.constants.drive_inertia_kg_m2 * self.drive_rad_s**2
        return 0.5 * kinetic + self._moment_nm * math.sin(self.angle_rad)

    @property
    def stance(self) -> tuple[float, ...]:
        """Everything that the next step depends on; equal before and after means that it stays so for ever."""
        return (self.angle_rad, self.speed_rad_s, self.drive_rad_s, self._gap_rad, self._side, self.integral_nm)

    def run(
        self,
        duration_ms: int,
        set_rad_s: float,
        gain_nm_s: float,
        integral_gain_nm: float,
        limit_nm: float,
        table_grip_nm: float,
        drive_grip_nm: float,
        obstacle: Obstacle | None,
    ) -> None:
        """Move on for `duration_ms` under a velocity loop that is limited to `limit_nm`, with brakes on either mass.

        A gain without an integral and without a limit is a drag: that is what a shorted motor is.
        """
        # What brings momentum to a speed (`_a`) is the inertia and what drags in proportion to speed.
        half, low, high, teeth, moment, table_j, table_a, table_dry_nm, drive_j, bare_a, drive_dry_nm = self._fixed
        cos = math.cos
        angle, speed, drive_speed = self.angle_rad, self.speed_rad_s, self.drive_rad_s
        gap, side, torque = self._gap_rad, self._side, self.torque_nm
        integral = self.integral_nm if integral_gain_nm else 0.0
        integral_step = integral_gain_nm * STEP_S
        # What dry friction can take from each mass's momentum in a step.
        table_clamp = (table_dry_nm + table_grip_nm) * STEP_S
        drive_clamp = (drive_dry_nm + drive_grip_nm) * STEP_S
        loop_a = bare_a + STEP_S * gain_nm_s
        # What the loop would ask for before the step may exceed its limit by what the step itself takes from the error.
        limit_both = limit_nm * ((loop_a + table_a) / (bare_a + table_a))
        weight = -moment * cos(angle)
        obstacle_rad, blocks = (0.0, 0) if obstacle is None else (math.radians(obstacle.angle_deg), obstacle.blocks)

        steps = duration_ms
        clear = low + _STOP_MARGIN_RAD < angle < high - _STOP_MARGIN_RAD
        if side and clear and not blocks and speed == drive_speed and 0.0 < abs(speed) < _QUICK_RAD_S:
            # Almost all motion: teeth in contact, slow, nothing in the way. The same equations as below, with all that
            # does not change within a frame taken out of the loop; the first step that does not fit ends it.
            way = 1.0 if speed > 0.0 else -1.0
            share = 1.0 - way * side * teeth
            both_a = loop_a + share * table_a
            keep = (drive_j + share * table_j) / both_a
            push = STEP_S * (gain_nm_s * set_rad_s + share * weight) - way * (drive_clamp + share * table_clamp)
            push /= both_a
            pull = STEP_S / both_a
            # Toward their flank the teeth are pressed by the momentum that the table would have alone.
            before, bearing, after = side * table_j, side * (STEP_S * weight - way * table_clamp), side * table_a
            least, most = -limit_both, limit_both
            missing = set_rad_s - speed
            for step in range(duration_ms):
                new = keep * speed + push + pull * integral
                if (
                    not least <= gain_nm_s * missing + integral <= most
                    or new * way <= _STANDS_RAD_S
                    or before * speed + bearing < after * new
                ):
                    steps = duration_ms - step
                    break
                speed = new
                missing = set_rad_s - new
                integral += integral_step * missing
                angle += new * STEP_S
            else:
                steps = 0
            drive_speed = speed
            torque = gain_nm_s * missing + integral - integral_step * missing

        limit_free = limit_nm * (loop_a / bare_a)
        for _ in range(steps):
            if not -_QUICK_RAD_S < speed < _QUICK_RAD_S:
                weight = -moment * cos(angle)
            load = weight
            if obstacle is not None:
                depth = (angle - obstacle_rad) * blocks
                if depth > 0.0:
                    press = obstacle.stiffness_nm_rad * depth + obstacle.damping_nm_s_rad * speed * blocks
                    load -= blocks * max(0.0, press)

            # Momentum of each mass after this step, before contact and dry friction.
            torque = gain_nm_s * (set_rad_s - drive_speed) + integral
            most = limit_both if side else limit_free
            saturated = not -most <= torque <= most
            if saturated:
                torque = limit_nm if torque > 0.0 else -limit_nm
                drive_a = bare_a
                drive_p = drive_j * drive_speed + STEP_S * torque
            else:
                drive_a = loop_a
                drive_p = drive_j * drive_speed + STEP_S * (gain_nm_s * set_rad_s + integral)
            table_p = table_j * speed + STEP_S * load

            table_alone = (
                table_p - table_clamp if table_p > table_clamp else min(0.0, table_p + table_clamp)
            ) / table_a
            drive_alone = (
                drive_p - drive_clamp if drive_p > drive_clamp else min(0.0, drive_p + drive_clamp)
            ) / drive_a
            if side:
                if (table_alone - drive_alone) * side < 0.0:
                    side = 0.0
                    gap += (table_alone - drive_alone) * STEP_S
            else:
                gap += (table_alone - drive_alone) * STEP_S
                if not -half < gap < half:
                    # They meet and go on together; the blow is lost in the teeth.
                    side = 1.0 if gap > 0.0 else -1.0
            if side:
                # The teeth touch: one speed for both. The load's share is more or less than itself by what they lose.
                gap = side * half
                ahead = speed or (table_p + drive_p)
                way = 1.0 if ahead > 0.0 else -1.0
                share = 1.0 - way * side * teeth
                new = (drive_p + share * table_p - way * (drive_clamp + share * table_clamp)) / (
                    drive_a + share * table_a
                )
                speed = drive_speed = new if new * way > _STANDS_RAD_S else 0.0
            else:
                speed, drive_speed = table_alone, drive_alone

            if not saturated:
                torque = gain_nm_s * (set_rad_s - drive_speed) + integral
                integral += integral_step * (set_rad_s - drive_speed)
            angle += speed * STEP_S
            if not low <= angle <= high:
                angle = low if angle < low else high
                speed = 0.0
                if side:
                    drive_speed = 0.0

        self.angle_rad, self.speed_rad_s, self.drive_rad_s = angle, speed, drive_speed
        self._gap_rad, self._side, self.torque_nm = gap, side, torque
        if integral_gain_nm:
            self.integral_nm = integral
