"""What the figures of one profile must be to one another: each may be allowed and the whole still impossible."""

import itertools
import math
from collections.abc import Iterator

from config.device_limits import DeviceLimits
from config.limits import LONGEST_BLIND_RETURN_MS
from config.quantities import Contradiction, deg
from config.table import Battery, Brake, Drive, Geometry, Switches

# Invariant 1 of the hazard page: never deeper than the cap, 2° and a stopping distance of 1°.
OVERSHOOT_CDEG = 300
# What is left between the head end of the board and the floor.
FLOOR_CLEARANCE_MM = 20
GRAVITY_M_S2 = 9.81


def angles(geometry: Geometry, switches: Switches, limits: DeviceLimits) -> Iterator[Contradiction]:
    """Yield where angles are out of order: software stops first, then the end switch, then the frame."""
    up, down = switches.end_up_cdeg, switches.end_down_cdeg
    if not down + OVERSHOOT_CDEG <= limits.cap_cdeg:
        yield Contradiction(
            ("limits.cap_deg", "switches.end_down_deg"),
            deg(limits.cap_cdeg),
            f"{deg(down + OVERSHOOT_CDEG)} ° or less deep: 3° before the end switch at {deg(down)} °",
            "is deeper than the end switch leaves room for",
        )
    if not geometry.boarding_cdeg + OVERSHOOT_CDEG <= up:
        yield Contradiction(
            ("geometry.boarding_deg", "switches.end_up_deg"),
            deg(geometry.boarding_cdeg),
            f"up to {deg(up - OVERSHOOT_CDEG)} °: 3° before the end switch at {deg(up)} °",
            "is higher than the end switch leaves room for",
        )
    if not geometry.hard_stop_down_cdeg < down:
        yield Contradiction(
            ("switches.end_down_deg", "geometry.hard_stop_down_deg"),
            deg(down),
            f"less deep than the hard stop at {deg(geometry.hard_stop_down_cdeg)} °",
            "lies beyond the hard stop",
        )
    if not up < geometry.hard_stop_up_cdeg:
        yield Contradiction(
            ("switches.end_up_deg", "geometry.hard_stop_up_deg"),
            deg(up),
            f"lower than the hard stop at {deg(geometry.hard_stop_up_cdeg)} °",
            "lies beyond the hard stop",
        )
    reach_mm = geometry.head_end_mm * math.sin(math.radians(-geometry.hard_stop_down_cdeg / 100))
    if not reach_mm + FLOOR_CLEARANCE_MM <= geometry.pivot_height_mm:
        yield Contradiction(
            ("geometry.pivot_height_mm", "geometry.head_end_mm", "geometry.hard_stop_down_deg"),
            str(geometry.pivot_height_mm),
            f"{math.ceil(reach_mm) + FLOOR_CLEARANCE_MM} mm or more",
            "the head end would come to the floor before the hard stop",
        )


def speeds(drive: Drive, limits: DeviceLimits) -> Iterator[Contradiction]:
    """Yield where a slower motion is allowed to be faster than a faster one."""
    order = (
        ("drive.top_speed_deg_s", drive.top_speed_cdeg_s),
        ("limits.speed_deg_s", limits.speed_cdeg_s),
        ("limits.degraded_deg_s", limits.degraded_cdeg_s),
        ("limits.slow_deg_s", limits.slow_cdeg_s),
    )
    for (faster, most), (slower, speed) in itertools.pairwise(order):
        if not speed <= most:
            bound = f"up to {deg(most)} °/s, which is {faster}"
            yield Contradiction((slower, faster), deg(speed), bound, f"is faster than {faster}")


def strength(drive: Drive, brake: Brake, battery: Battery) -> Iterator[Contradiction]:
    """Yield where drive, brake or battery cannot do what the rated load asks of them."""
    yield from _currents(drive)
    load_nm = drive.rated_load_kg * GRAVITY_M_S2 * drive.rated_offset_mm / 1000
    load_keys = ("drive.rated_load_kg", "drive.rated_offset_mm")
    rated = f"the rated load ({drive.rated_load_kg} kg at {drive.rated_offset_mm} mm, {load_nm:.0f} Nm)"
    # H12 of the hazard page: the drive holds twice the rated load; so does the brake, which has nothing behind it.
    if not drive.stall_ma * drive.torque_nm_a >= 2000 * load_nm:
        yield Contradiction(
            ("drive.stall_ma", "drive.torque_nm_a", *load_keys),
            str(drive.stall_ma),
            f"{math.ceil(2000 * load_nm / drive.torque_nm_a)} mA or more",
            f"the drive does not hold twice {rated}",
        )
    if not brake.hold_nm >= 2 * load_nm:
        yield Contradiction(
            ("brake.hold_nm", *load_keys),
            str(brake.hold_nm),
            f"{math.ceil(2 * load_nm)} Nm or more",
            f"the brake does not hold twice {rated}",
        )
    pull_a = load_nm / drive.torque_nm_a
    heat_a2_s = (pull_a**2 - (drive.continuous_ma / 1000) ** 2) * LONGEST_BLIND_RETURN_MS / 1000
    if not drive.thermal_budget_a2_s * drive.thermal_reserve_percent >= 100 * heat_a2_s:
        yield Contradiction(
            ("drive.thermal_budget_a2_s", "drive.thermal_reserve_percent", "drive.continuous_ma", *load_keys),
            str(drive.thermal_budget_a2_s),
            f"{math.ceil(100 * heat_a2_s / drive.thermal_reserve_percent)} A²·s or more",
            f"the {drive.thermal_reserve_percent} % kept of it are too little for a return of {rated}",
        )
    needed_mah = math.ceil(drive.stall_ma * LONGEST_BLIND_RETURN_MS / 3_600_000)
    if battery.fitted and not battery.capacity_mah >= needed_mah:
        yield Contradiction(
            ("battery.capacity_mah", "battery.fitted", "drive.stall_ma"),
            str(battery.capacity_mah),
            f"{needed_mah} mAh or more",
            "is too little for a return at the current limit",
        )
    if battery.capacity_mah != 0 and not battery.fitted:
        yield Contradiction(
            ("battery.capacity_mah", "battery.fitted"),
            str(battery.capacity_mah),
            "0 where battery.fitted = false",
            "no battery is fitted",
        )


def _currents(drive: Drive) -> Iterator[Contradiction]:
    """Yield where the currents of the drive are out of order."""
    if not drive.idle_ma < drive.stall_ma:
        yield Contradiction(
            ("drive.idle_ma", "drive.stall_ma"),
            str(drive.idle_ma),
            f"less than drive.stall_ma, which is {drive.stall_ma} mA",
            "a drive that turns freely would look blocked",
        )
    if not drive.continuous_ma <= drive.stall_ma:
        yield Contradiction(
            ("drive.continuous_ma", "drive.stall_ma"),
            str(drive.continuous_ma),
            f"up to drive.stall_ma, which is {drive.stall_ma} mA",
            "is more than the drive ever takes",
        )
