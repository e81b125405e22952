"""Who lies on the simulated table, and what the table is made of: every physical constant, with unit and origin."""

import math
from dataclasses import dataclass

from config.errors import UsageError

GRAVITY_M_S2 = 9.81
# Radius of gyration of a body lying along the table, about a sideways axis through its centre of mass, as a share of
# its height: 12 kg m² for 77 kg and 1.75 m (Chandler 1975; Winter, Biomechanics and Motor Control of Human Movement).
GYRATION_OF_HEIGHT = 0.229

LIGHTEST_KG, HEAVIEST_KG = 20.0, 250.0
SHORTEST_CM, TALLEST_CM = 80.0, 230.0
FARTHEST_OFFSET_CM = 40.0


@dataclass(frozen=True, slots=True)
class Person:
    """A body on the table.

    `offset_cm` is how far the centre of mass lies from the pivot, positive toward the head: a head-heavy
    person falls head-down. The plant takes 20–250 kg, 80–230 cm and ±40 cm; what the table promises to carry is less.

    Raises:
        UsageError: a value is outside these ranges.
    """

    mass_kg: float = 75.0
    height_cm: float = 175.0
    offset_cm: float = 3.0

    def __post_init__(self) -> None:
        """Refuse what the plant was not made for."""
        for name, low, high in (
            ("mass_kg", LIGHTEST_KG, HEAVIEST_KG),
            ("height_cm", SHORTEST_CM, TALLEST_CM),
            ("offset_cm", -FARTHEST_OFFSET_CM, FARTHEST_OFFSET_CM),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise UsageError(
                    f"{name} = {value} lies outside {low:g} … {high:g}, what the simulated table can carry"
                )

    @property
    def inertia_kg_m2(self) -> float:
        """Moment of inertia about the table's pivot."""
        gyration_m = GYRATION_OF_HEIGHT * self.height_cm / 100.0
        return self.mass_kg * (gyration_m**2 + (self.offset_cm / 100.0) ** 2)

    @property
    def moment_nm(self) -> float:
        """Torque of the weight about the pivot at level, positive where it turns head-down."""
        return self.mass_kg * GRAVITY_M_S2 * self.offset_cm / 100.0


@dataclass(frozen=True, slots=True)
class PlantConstants:
    """The table, its drive and its brake; torques, inertias and frictions as they are felt at the pivot.

    The drive is a 24 V geared motor of some 100:1 with a velocity loop at 1 kHz, sized as the hazard page asks: it
    holds twice the rated load (2 × 135 kg × 15 cm = 397 Nm). All figures are of machines of this size, chosen so
    that the hazard page's own come out: 100 kg at 10 cm runs away at 19°/s after 0.1 s and 94°/s after 0.5 s.
    """

    table_inertia_kg_m2: float = 11.0  # a 30 kg steel frame 2.1 m long: m·l²/12; with the drive and 100 kg: 29.6
    table_moment_nm: float = 0.0  # the bare board is balanced; positive turns head-down
    drive_inertia_kg_m2: float = 1.5  # rotor 1.5e-4 kg m² × 100²
    bearing_friction_nm: float = 4.0  # two plummer blocks, 170 kg on a 30 mm shaft, seals
    bearing_viscous_nm_s_rad: float = 2.0
    drive_friction_nm: float = 8.0  # brushes, seals and first gear stage: 0.2 A at no load
    drive_viscous_nm_s_rad: float = 10.0
    gear_friction: float = 0.1  # part of the load that the teeth add or take; 1 is the border of self-locking
    backlash_deg: float = 0.3
    torque_nm_a: float = 40.0  # motor constant × ratio, before the teeth take their share; also back-EMF in V s/rad
    winding_ohm: float = 0.8  # motor and wires: sets how hard a shorted motor drags, 40²/0.8 = 2,000 Nm s/rad
    stall_ma: int = 12_000  # current limit: 480 Nm
    powered_ma: int = 300  # driver and switching ripple at no torque
    top_speed_deg_s: float = 3.0  # the fastest set-point that the loop takes; of a bare motor its no-load speed
    loop_gain_nm_s_rad: float = 10_000.0  # 40 Hz with the heaviest rated person, from a loop at 1 kHz
    loop_integral_nm_rad: float = 500_000.0  # a brake that opens under the rated load costs 0.02°
    thermal_budget_ma2_s: float = 6e9  # above this the driver folds back by itself
    thermal_leak_ma2: float = 25e6  # 5 A for ever
    folded_ma: int = 7_200  # what a hot driver still gives
    brake_nm: float = 400.0  # spring brake, twice the rated load
    brake_setting_ms: int = 50  # from command to full grip; the limit is 60
    brake_dead_ms: int = 25  # of which nothing grips yet: the coil's field decays
    brake_release_ms: int = 30
    brake_on_motor_side: bool = True
    hard_stop_low_deg: float = -70.0
    hard_stop_high_deg: float = 90.0
    end_down_deg: float = -65.0
    end_up_deg: float = 88.0
    battery_mas: float = 25.2e6  # 7 Ah, a pair of common 12 V blocks; 0: none fitted
    battery_low_share: float = 0.2  # below this its check fails
    crank_deg_s: float = 2.0  # one turn a second at 180:1
    crank_nm: float = 600.0  # 100 N on a 25 cm crank, through that gear, losses taken off
    crank_start_deg_s2: float = 4.0  # an arm gets going

    def __post_init__(self) -> None:
        """Refuse what would make the equations meaningless.

        Raises:
            ValueError: an inertia is not positive, a friction is negative, or the brake's dead time is none.
        """
        if min(self.table_inertia_kg_m2, self.drive_inertia_kg_m2, self.torque_nm_a, self.winding_ohm) <= 0.0:
            raise ValueError("inertias, motor constant and winding must be positive")
        if min(self.bearing_friction_nm, self.drive_friction_nm, self.backlash_deg, self.gear_friction) < 0.0:
            raise ValueError("friction and backlash cannot be negative")
        if not 0 <= self.brake_dead_ms < self.brake_setting_ms or self.brake_release_ms < 1:
            raise ValueError("a brake's dead time is a part of its setting time")

    @property
    def stall_nm(self) -> float:
        """Torque at the current limit."""
        return self.stall_ma / 1000.0 * self.torque_nm_a

    @property
    def short_nm_s_rad(self) -> float:
        """Drag of the shorted motor: what its own voltage drives through its winding."""
        return self.torque_nm_a**2 / self.winding_ohm

    @property
    def no_load_rad_s(self) -> float:
        """Speed at which the bare motor's back-EMF takes up the whole supply."""
        return math.radians(self.top_speed_deg_s)

    @property
    def backlash_rad(self) -> float:
        """The whole gap between drive and table."""
        return math.radians(self.backlash_deg)
