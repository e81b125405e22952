"""What a table is: geometry, drive, brake, battery, sensors and switches, as measured on that one table.

These figures have no defaults: what nobody measured is not assumed. Ends come from `config.limits` where the hazard
page sets them; the others only keep a slip of the pen out.
"""

from typing import Annotated, Literal

from config import limits
from config.quantities import Model, degrees, degrees_per_second, whole


class Geometry(Model):
    """Where the table turns and how far.

    `boarding_cdeg` is the highest angle to which a person is raised. `hard_stop_down_cdeg` and `hard_stop_up_cdeg` are
    where the frame itself ends the motion. `pivot_height_mm` is the height of the pivot over the floor and
    `head_end_mm` the distance from the pivot to the head end of the board: together they say whether the head clears
    the floor. `board_kg` is what turns without a person, `board_offset_mm` how far its centre of mass lies from the
    pivot toward the head.
    """

    boarding_cdeg: Annotated[int, degrees(*limits.BOUNDS["boarding_cdeg"])]
    hard_stop_down_cdeg: Annotated[int, degrees(limits.HARD_STOP_CDEG, -200)]
    hard_stop_up_cdeg: Annotated[int, degrees(100, limits.SENSOR_HIGH_CDEG)]
    pivot_height_mm: Annotated[int, whole("mm", 300, 2000)]
    head_end_mm: Annotated[int, whole("mm", 300, 2000)]
    board_kg: Annotated[int, whole("kg", 5, 200)]
    board_offset_mm: Annotated[int, whole("mm", -200, 200)]


class Drive(Model):
    """The geared actuator, seen from the table's side of the gear.

    `top_speed_cdeg_s` is what it turns without a load at full voltage, `backlash_cdeg` the whole gap of the gear,
    `stall_ma` is the current limit, `idle_ma` the current below which it is taken not to pull at all,
    `continuous_ma` what it bears for ever, `thermal_budget_a2_s` how much of the square of the current above that
    it can take until it is hot, of which `thermal_reserve_percent` is kept for a return. `torque_nm_a` is the torque
    at the table for each ampere. `rated_load_kg`, with its centre of mass `rated_offset_mm` from the pivot, is what the
    table promises to carry. `self_locking` means that no such load turns the drive backwards.
    """

    top_speed_cdeg_s: Annotated[int, degrees_per_second(80, 6000)]
    backlash_cdeg: Annotated[int, degrees(*limits.BOUNDS["backlash_cdeg"])]
    stall_ma: Annotated[int, whole("mA", *limits.BOUNDS["stall_ma"])]
    idle_ma: Annotated[int, whole("mA", *limits.BOUNDS["idle_ma"])]
    continuous_ma: Annotated[int, whole("mA", 100, 60_000)]
    thermal_budget_a2_s: Annotated[int, whole("A²·s", 1, 1_000_000)]
    thermal_reserve_percent: Annotated[int, whole("%", 10, 90)]
    torque_nm_a: Annotated[int, whole("Nm/A", 1, 1000)]
    rated_load_kg: Annotated[int, whole("kg", 20, 250)]
    rated_offset_mm: Annotated[int, whole("mm", 10, 400)]
    self_locking: bool


class Brake(Model):
    """The spring-applied brake.

    `set_ms` passes from the command until it grips, `side` says whether it grips before the gear (`motor`) or behind
    it (`table`), `hold_nm` what it holds at the table.
    """

    set_ms: Annotated[int, whole("ms", *limits.BOUNDS["brake_ms"])]
    side: Literal["motor", "table"]
    hold_nm: Annotated[int, whole("Nm", 10, 10_000)]


class Battery(Model):
    """What drives the return when the mains are lost.

    `fitted` says whether there is one, `capacity_mah` what it holds; 0 where none is fitted.
    """

    fitted: bool
    capacity_mah: Annotated[int, whole("mAh", 0, 200_000)]


class Sensors(Model):
    """The two angle sensors, both on the table's side of the gear.

    `bits` are those left after oversampling, `noise_cdeg` the root mean square of the noise, `skew_us` the time
    between the samples of A and B. `b_slope` is `opposite`: B falls where A rises, so that a shared stuck channel
    cannot agree.
    """

    bits: Annotated[int, whole("bits", 12, 24)]
    noise_cdeg: Annotated[int, degrees(0, 5)]
    skew_us: Annotated[int, whole("µs", 0, 10_000)]
    b_slope: Literal["opposite"]


class Switches(Model):
    """The switches that the table itself works.

    The level cam is closed below `level_cdeg`. The end switches at `end_down_cdeg` and `end_up_cdeg` block outward
    motion by wire.
    """

    level_cdeg: Annotated[int, degrees(-100, 0)]
    end_down_cdeg: Annotated[int, degrees(limits.END_SWITCH_DOWN_CDEG, -200)]
    end_up_cdeg: Annotated[int, degrees(100, limits.END_SWITCH_UP_CDEG)]
