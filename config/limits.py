"""The limits of one table as plain integers, and the ceilings that no configuration may exceed.

This file imports nothing but the standard library, because the safety layer reads it in every step and must
stay free of everything that reads files. Units end names: `_cdeg` hundredths of a degree (0 level, negative
head-down), `_cdeg_s` hundredths of a degree a second, `_ms` milliseconds, `_s` seconds, `_ma` milliamperes.

A profile may make a table stricter than these figures, never looser: `Limits` refuses what lies beyond a
ceiling, whoever builds it.
"""

from dataclasses import dataclass, fields

# Ceilings and fixed words of the hazard page. Each is the outermost value that any table may have.
DEEPEST_CAP_CDEG = -6000
DEVICE_LIMIT_CDEG = -6200
END_SWITCH_DOWN_CDEG = -6500
HARD_STOP_CDEG = -7000
END_SWITCH_UP_CDEG = 8800
HIGHEST_BOARDING_CDEG = 8500
SENSOR_LOW_CDEG = -7200
SENSOR_HIGH_CDEG = 9200
LEVEL_BAND_CDEG = 100
INVERTED_CDEG = -500
RETURN_AIM_CDEG = -50
SLOW_UNTIL_CDEG = -150
LONGEST_SET_S = 540
LONGEST_HOLD_S = 300
MOST_SETS = 3
MOST_HOLD_A_DAY_S = 900
SHORTEST_REST_S = 60
SET_MARGIN_S = 10
FASTEST_CDEG_S = 200
FASTEST_DEGRADED_CDEG_S = 100
FASTEST_ABOVE_CDEG_S = 150
FIRST_DEGREE_CDEG_S = 50
LONGEST_LEASE_MS = 250
LONGEST_BRAKE_MS = 60
LONGEST_RELAY_DROP_MS = 250
LONGEST_COMMISSIONING_DAYS = 365
LONGEST_BLIND_RETURN_MS = 80_000
FIRST_VISIT_CDEG = -2000
FIRST_VISIT_HOLD_S = 120
STEP_CDEG = 1000
STEP_HOLD_S = 60

# Where each limit may lie, ends included. A test compares the ends with the constants above.
BOUNDS: dict[str, tuple[int, int]] = {
    "cap_cdeg": (DEEPEST_CAP_CDEG, -100),
    "boarding_cdeg": (0, HIGHEST_BOARDING_CDEG),
    "speed_cdeg_s": (10, FASTEST_CDEG_S),
    "degraded_cdeg_s": (10, FASTEST_DEGRADED_CDEG_S),
    "slow_cdeg_s": (80, FASTEST_DEGRADED_CDEG_S),
    "above_cdeg_s": (10, FASTEST_ABOVE_CDEG_S),
    "first_degree_cdeg_s": (10, FIRST_DEGREE_CDEG_S),
    "set_limit_s": (1, LONGEST_SET_S),
    "hold_limit_s": (1, LONGEST_HOLD_S),
    "sets_limit": (1, MOST_SETS),
    "hold_a_day_s": (1, MOST_HOLD_A_DAY_S),
    "rest_s": (SHORTEST_REST_S, 3600),
    "lease_ms": (20, LONGEST_LEASE_MS),
    "backlash_cdeg": (0, 200),
    "stall_ma": (100, 60_000),
    "idle_ma": (1, 10_000),
    "thermal_budget_ma2_s": (1, 2**53),
    "thermal_leak_ma2": (1, 2**53),
    "thermal_reserve_permille": (100, 900),
    "deceleration_cdeg_s2": (20, 1000),
    "tone_ms": (500, 3000),
    "brake_ms": (1, LONGEST_BRAKE_MS),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one table allows, as the safety layer reads it.

    `cap_cdeg` is the deepest plan angle, `boarding_cdeg` the highest angle to which a person is raised,
    `speed_cdeg_s` the fastest automatic motion, `degraded_cdeg_s` the fastest return on a doubtful sensor,
    `slow_cdeg_s` the speed of a slow return after its first degree, `stall_ma` the drive's current limit,
    `idle_ma` the current below which the drive is taken not to pull at all.
    The thermal model integrates the square of the current: `thermal_budget_ma2_s` is what the drive can take,
    `thermal_leak_ma2` the square of the current that it bears for ever, `thermal_reserve_permille` the part
    of the budget kept for a return.

    Raises:
        ValueError: a value lies outside `BOUNDS`, with every offence named.
    """

    cap_cdeg: int = DEEPEST_CAP_CDEG
    boarding_cdeg: int = 7500
    speed_cdeg_s: int = FASTEST_CDEG_S
    degraded_cdeg_s: int = FASTEST_DEGRADED_CDEG_S
    slow_cdeg_s: int = 90
    above_cdeg_s: int = FASTEST_ABOVE_CDEG_S
    first_degree_cdeg_s: int = FIRST_DEGREE_CDEG_S
    set_limit_s: int = LONGEST_SET_S
    hold_limit_s: int = LONGEST_HOLD_S
    sets_limit: int = MOST_SETS
    hold_a_day_s: int = MOST_HOLD_A_DAY_S
    rest_s: int = SHORTEST_REST_S
    lease_ms: int = 150
    backlash_cdeg: int = 30
    stall_ma: int = 12_000
    idle_ma: int = 150
    thermal_budget_ma2_s: int = 6_000_000_000
    thermal_leak_ma2: int = 25_000_000
    thermal_reserve_permille: int = 400
    deceleration_cdeg_s2: int = 60
    tone_ms: int = 1000
    brake_ms: int = LONGEST_BRAKE_MS
    has_battery: bool = True
    issuers: tuple[str, ...] = ("simulated",)
    screening_version: int = 1
    profile_hash: str = ""

    def __post_init__(self) -> None:
        """Refuse anything beyond a ceiling."""
        wrong = [
            f"{name} = {getattr(self, name)} lies outside {low} … {high}"
            for name, (low, high) in BOUNDS.items()
            if not low <= getattr(self, name) <= high and not (name == "slow_cdeg_s" and self._one_slow_speed)
        ]
        if wrong:
            raise ValueError("; ".join(wrong))

    @property
    def _one_slow_speed(self) -> bool:
        """Whether this is a table that relays switch at one speed, below that of any slow return."""
        low, high = BOUNDS["speed_cdeg_s"]
        return low <= self.slow_cdeg_s == self.degraded_cdeg_s == self.speed_cdeg_s <= high


LIMIT_NAMES = tuple(field.name for field in fields(Limits))
