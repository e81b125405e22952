"""A whole simulated table, put together from a profile, a seed and a patient."""

import math
import random
from dataclasses import dataclass, field
from typing import NamedTuple

from config.limits import Limits
from config.profile import Profile
from firmware_bridge.guard_build import guard_library
from firmware_bridge.ramp import Ramp
from sim.actuation import Actuation
from sim.body import GRAVITY_M_S2, Person, PlantConstants
from sim.bridge import InProcessBridge
from sim.clock import VirtualClock
from sim.guarded import GuardedActuation
from sim.hooks import LinkHooks
from sim.panel import Panel
from sim.plant import Plant
from sim.sensors import SensorConstants, Sensors

_CDEG = 18000.0 / math.pi
# Teeth that lose as much as the load pushes: the border at which a load no longer turns the gear.
_SELF_LOCKING, _BACK_DRIVABLE = 1.0, 0.1


class Truth(NamedTuple):
    """What the table really does, which no sensor knows: centidegrees, and centidegrees a second."""

    angle_cdeg: int
    velocity_cdeg_s: int


@dataclass(slots=True, kw_only=True)
class TableParts:
    """What every simulated table is made of, whatever the way to it, and everything that can be done to it.

    `hands` is for people, `clock` for whoever asks the time; `plant`, `sensors` and `panel` are for faults and tests:
    each has `hooks`, see `sim.hooks`; `link` holds those between host and table. `active` holds the faults in force, by
    name, in the order in which they began; faults keep it themselves.
    """

    clock: VirtualClock
    plant: Plant
    sensors: Sensors
    panel: Panel
    link: LinkHooks
    active: dict[str, object] = field(default_factory=dict)

    @property
    def hands(self) -> Panel:
        """The switches, as people work them."""
        return self.panel

    @property
    def injected(self) -> str:
        """Names of the faults in force, joined by `+`."""
        return "+".join(self.active)

    def truth(self) -> Truth:
        """Return where the table really is and how fast it really moves."""
        motion = self.plant.motion
        return Truth(round(motion.angle_rad * _CDEG), round(motion.speed_rad_s * _CDEG))

    def recorded(self) -> tuple[float, float, str]:
        """Return what a recorder asks for in every tick: the truth, unrounded, and `injected`."""
        motion, active = self.plant.motion, self.active
        return motion.angle_rad * _CDEG, motion.speed_rad_s * _CDEG, "+".join(active) if active else ""


@dataclass(slots=True, kw_only=True)
class SimulatedTable(TableParts):
    """One simulated table in this very process; `bridge` is for the control loop, and reading it lets time pass."""

    actuation: Actuation | GuardedActuation
    bridge: InProcessBridge

    def forward_alone(self, duration_ms: int) -> None:
        """Let time pass without a host: plant, people's grips and guard go on, nobody reads and nobody commands."""
        self.bridge.pass_alone(duration_ms)


def plant_constants(profile: Profile) -> PlantConstants:
    """Return the plant that a profile describes; what it does not say keeps the simulated table's own figure."""
    geometry, drive, brake, switches = profile.geometry, profile.drive, profile.brake, profile.switches
    teeth = _SELF_LOCKING if drive.self_locking else _BACK_DRIVABLE
    return PlantConstants(
        table_inertia_kg_m2=geometry.board_kg
        * ((2.0 * geometry.head_end_mm / 1000.0) ** 2 / 12.0 + (geometry.board_offset_mm / 1000.0) ** 2),
        table_moment_nm=geometry.board_kg * GRAVITY_M_S2 * geometry.board_offset_mm / 1000.0,
        gear_friction=teeth,
        backlash_deg=drive.backlash_cdeg / 100.0,
        # The profile says what arrives at the table, the plant takes the teeth's share off by itself.
        torque_nm_a=drive.torque_nm_a * (1.0 + teeth),
        stall_ma=drive.stall_ma,
        powered_ma=2 * drive.idle_ma,
        top_speed_deg_s=drive.top_speed_cdeg_s / 100.0,
        thermal_budget_ma2_s=drive.thermal_budget_a2_s * 1e6,
        thermal_leak_ma2=float(drive.continuous_ma**2),
        folded_ma=round(0.6 * drive.stall_ma),
        brake_nm=float(brake.hold_nm),
        brake_setting_ms=brake.set_ms,
        brake_dead_ms=brake.set_ms // 2,
        brake_on_motor_side=brake.side == "motor",
        hard_stop_low_deg=geometry.hard_stop_down_cdeg / 100.0,
        hard_stop_high_deg=geometry.hard_stop_up_cdeg / 100.0,
        end_down_deg=switches.end_down_cdeg / 100.0,
        end_up_deg=switches.end_up_cdeg / 100.0,
        battery_mas=profile.battery.capacity_mah * 3600.0,
    )


def sensor_constants(profile: Profile) -> SensorConstants:
    """Return the sensors that a profile describes."""
    sensors = profile.sensors
    constants = SensorConstants()
    # Readings are whole centidegrees, 20,000 of them: finer than 16 bits makes no difference.
    words = 1 << min(sensors.bits, 16)
    step_deg = (constants.high_deg - constants.low_deg) / words
    # The profile's noise is what a reader sees, quantisation included.
    noise_deg = math.sqrt(max(0.0, (sensors.noise_cdeg / 100.0) ** 2 - step_deg**2 / 12.0))
    return SensorConstants(
        words=words,
        noise_deg=noise_deg,
        skew_ms=sensors.skew_us / 1000.0,
        cam_deg=profile.switches.level_cdeg / 100.0,
    )


def assemble(
    plant: PlantConstants,
    sensors: SensorConstants,
    person: Person,
    *,
    lease_ms: int = 150,
    seed: int = 0,
    start_deg: float = 0.0,
    guard: Limits | None = None,
) -> SimulatedTable:
    """Put a table together from its constants; `build` does it from a profile.

    With `guard` the second judge carries out the commands, with these limits; None: there is none.

    Raises:
        UsageError: `start_deg` lies beyond a hard stop.
        DeviceMissingError: there is to be a guard, and no C compiler.
    """
    clock = VirtualClock()
    body = Plant(plant, person, start_deg)
    eyes = Sensors(sensors, body, random.Random(f"sensors {seed}"))
    panel = Panel(clock, body, eyes.hooks, random.Random(f"contacts {seed}"))
    actuation: Actuation | GuardedActuation
    if guard is None:
        actuation = Actuation(body, Ramp(), lease_ms)
    else:
        actuation = GuardedActuation(body, eyes, panel, guard)
    bridge = InProcessBridge(clock, body, eyes, panel, actuation)
    return SimulatedTable(
        bridge=bridge, clock=clock, plant=body, sensors=eyes, panel=panel, actuation=actuation, link=bridge.hooks
    )


def build(
    profile: Profile,
    *,
    seed: int = 0,
    mass_kg: float = 75.0,
    height_cm: float = 175.0,
    offset_cm: float = 3.0,
    start_deg: float = 0.0,
    guard: bool | None = None,
) -> SimulatedTable:
    """Build the simulated table of a profile, with one person on it; one seed gives one run.

    Args:
        profile: the table.
        seed: of noise, mounting and bouncing.
        mass_kg: 20–250.
        height_cm: 80–230.
        offset_cm: centre of mass from the pivot, −40…+40, positive toward the head.
        start_deg: where the table stands when it is switched on, between the hard stops.
        guard: whether the second judge, its host build, is in the loop; None: it is where there is a C compiler or a
            library that was built before.

    Raises:
        UsageError: the person or the angle is beyond what the plant was made for.
        DeviceMissingError: there is to be a guard, and no C compiler; or a compiler, and it cannot build the guard.
    """
    if guard is None:
        guard = guard_library() is not None
    person = Person(mass_kg, height_cm, offset_cm)
    return assemble(
        plant_constants(profile),
        sensor_constants(profile),
        person,
        lease_ms=profile.limits_table.lease_ms,
        seed=seed,
        start_deg=start_deg,
        guard=profile.limits() if guard else None,
    )
