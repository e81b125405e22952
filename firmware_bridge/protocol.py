"""The numbers of the serial protocol: types, layouts, flags and reasons, as docs/protocol.md tells them.

Everything is little-endian. A frame is `COBS(type u8, sequence u16, body, crc32 u32)` and a zero byte; the layouts
below begin with type and sequence number and leave the check sum out. `firmware/table_link.h` holds the same numbers
for the table's side, and a test compares the two.
"""

import struct
import zlib
from typing import Final, Self

import msgspec

from config import limits
from config.limits import Limits

VERSION: Final = 2
BAUD: Final = 115_200
# Type, sequence number and check sum are in every frame; nothing longer than LARGEST (before COBS) is a frame.
OVERHEAD: Final = 7
LARGEST: Final = 56
LONGEST_ON_WIRE: Final = LARGEST + 2
# What zlib.crc32 says of any whole frame, its own check sum included.
CRC_RESIDUE: Final = 0x2144DF1C
# Of two sequence numbers the newer is less than half the circle ahead.
SEQUENCES: Final = 0x10000
NEWEST_AHEAD: Final = 0x7FFF
FRESH_MS: Final = 150
TELEMETRY_MS: Final = 10

HELLO: Final = 0x01
COMMAND: Final = 0x02
ARM: Final = 0x03
DISARM: Final = 0x04
CONFIGURE: Final = 0x05
HELLO_REPLY: Final = 0x81
TELEMETRY: Final = 0x82
ANSWER: Final = 0x83

NO_ANGLE: Final = -0x8000
NO_CURRENT: Final = 0xFFFF
PERSON: Final = 99  # the number of a stop that a person asked for
PERSON_CODE: Final = "STOP"
HAZARDS: Final = 40  # bits of a set of causes; bit 0 is a person's STOP
LAST_HAZARD: Final = 36

LAYOUTS: Final[dict[int, struct.Struct]] = {
    HELLO: struct.Struct("<BHBI"),
    COMMAND: struct.Struct("<BHHIhBBBHB"),
    ARM: struct.Struct("<BHHIIhHHHhBB"),
    DISARM: struct.Struct("<BHHI"),
    CONFIGURE: struct.Struct("<BHHIIIIhhhHHhhhhhhHHHB"),
    HELLO_REPLY: struct.Struct("<BHB3sBHIII12h"),
    TELEMETRY: struct.Struct("<BHIHhhhHHBBBBBBh5sIH"),
    ANSWER: struct.Struct("<BHBHB5sII"),
}
# How every request begins, and all of DISARM: echo, and what it names.
REQUEST: Final = LAYOUTS[DISARM]
LENGTHS: Final = {number: layout.size + 4 for number, layout in LAYOUTS.items()}

# COMMAND flags; bits 4 and 5 hold the alarm's priority, the others are zero.
PLAN_RETURN: Final = 0x01
PRESENCE_FRESH: Final = 0x02
TONE: Final = 0x04
ALARM_SHIFT: Final = 4
# COMMAND: lamps, whose bits are those of safety/signals.py, and the buzzer in tens of hertz: silent, or from what
# IEC 60601-1-8 names as the lowest pulse frequency of an alarm up to what its byte can say.
BUZZER_STEP_HZ: Final = 10
LOWEST_BUZZER_HZ: Final = 150
HIGHEST_BUZZER_HZ: Final = 2550
# ARM flags.
STRAP_WAIT: Final = 0x01
HELD_TILT: Final = 0x02
# CONFIGURE flags.
BATTERY: Final = 0x01
BRAKE_ON_MOTOR_SIDE: Final = 0x02
# TELEMETRY: buttons; their bits are those of safety/signals.py.
ALL_BUTTONS: Final = 0x1FF
# TELEMETRY: switches.
PATIENT_OPEN: Final = 0x01
LEVEL_BELOW: Final = 0x02
END_DOWN: Final = 0x04
END_UP: Final = 0x08
MAINS: Final = 0x10
BATTERY_GOOD: Final = 0x20
DRIVE_FAULT: Final = 0x40
# TELEMETRY: contacts, two bits each: 0 both closed, 1 both open, 2 discrepant.
LEFT_SHIFT: Final = 0
RIGHT_SHIFT: Final = 2
ESTOP_SHIFT: Final = 4
# TELEMETRY: outputs; bits 2 and 3 hold the guard's tone, 4 and 5 its alarm's priority. The guard's state stands in the
# low half of its byte, its demand in the high half.
BRAKE_RELEASED: Final = 0x01
DRIVE_POWER: Final = 0x02
TONE_SHIFT: Final = 2
TONES: Final = 3

# Why a frame was not taken.
REASONS: Final = ("cobs", "length", "crc", "type", "version", "sequence", "value", "stale", "busy")
RESET_CAUSES: Final = ("an unknown cause", "power-on", "the reset line", "brown-out", "the watchdog")

# The ceilings compiled into both sides, in the order of HELLO_REPLY.
HARD_LIMITS: Final = (
    ("deepest_cap_cdeg", limits.DEEPEST_CAP_CDEG),
    ("device_limit_cdeg", limits.DEVICE_LIMIT_CDEG),
    ("highest_boarding_cdeg", limits.HIGHEST_BOARDING_CDEG),
    ("fastest_cdeg_s", limits.FASTEST_CDEG_S),
    ("fastest_degraded_cdeg_s", limits.FASTEST_DEGRADED_CDEG_S),
    ("fastest_above_cdeg_s", limits.FASTEST_ABOVE_CDEG_S),
    ("first_degree_cdeg_s", limits.FIRST_DEGREE_CDEG_S),
    ("longest_set_s", limits.LONGEST_SET_S),
    ("most_sets", limits.MOST_SETS),
    ("most_hold_a_day_s", limits.MOST_HOLD_A_DAY_S),
    ("longest_lease_ms", limits.LONGEST_LEASE_MS),
    ("longest_brake_ms", limits.LONGEST_BRAKE_MS),
)

_CONSTANTS: Final = struct.Struct("<IIIhhhHHhhhhhhHHHB")
# The microcontroller counts heat in steps of 1024 mA² for 80 ms, so that 32 bits are enough; greater is cut to _MOST.
_HEAT_MA2_MS: Final = 1024 * 80
_HEAT_MA2: Final = 1024
_MOST: Final = 2**32 - 1


class TableConstants(msgspec.Struct, frozen=True):
    """This one table's constants, as CONFIGURE brings them to it; units end the names, signs as everywhere.

    `heat_budget` and `heat_limit` are in 1024 mA² for 80 ms: what the drive can take, and from where on only the
    reserve for a return is left; `heat_leak`, in 1024 mA², is what it bears for ever. `brake_on_motor_side` says that
    the brake grips before the gear.
    """

    heat_budget: int
    heat_limit: int
    heat_leak: int
    cap_cdeg: int
    boarding_cdeg: int
    backlash_cdeg: int
    stall_ma: int
    idle_ma: int
    speed_cdeg_s: int
    degraded_cdeg_s: int
    slow_cdeg_s: int
    above_cdeg_s: int
    first_degree_cdeg_s: int
    deceleration_cdeg_s2: int
    lease_ms: int
    tone_ms: int
    brake_ms: int
    has_battery: bool
    brake_on_motor_side: bool

    @classmethod
    def of(cls, table: Limits, *, brake_on_motor_side: bool) -> Self:
        """Return the constants of a table with these limits."""
        budget = min(table.thermal_budget_ma2_s * 1000 // _HEAT_MA2_MS, _MOST)
        return cls(
            budget,
            budget * (1000 - table.thermal_reserve_permille) // 1000,
            min(table.thermal_leak_ma2 // _HEAT_MA2, _MOST),
            table.cap_cdeg,
            table.boarding_cdeg,
            table.backlash_cdeg,
            table.stall_ma,
            table.idle_ma,
            table.speed_cdeg_s,
            table.degraded_cdeg_s,
            table.slow_cdeg_s,
            table.above_cdeg_s,
            table.first_degree_cdeg_s,
            table.deceleration_cdeg_s2,
            table.lease_ms,
            table.tone_ms,
            table.brake_ms,
            table.has_battery,
            brake_on_motor_side,
        )

    def packed(self) -> bytes:
        """Return them as they stand in a CONFIGURE frame.

        Raises:
            ValueError: a constant is greater than the frame can carry.
        """
        *numbers, has_battery, brake_on_motor_side = msgspec.structs.astuple(self)
        try:
            return _CONSTANTS.pack(*numbers, BATTERY * has_battery | BRAKE_ON_MOTOR_SIDE * brake_on_motor_side)
        except struct.error as error:
            raise ValueError(f"the microcontroller cannot hold a constant of this table: {error} ({self})") from error

    @property
    def hash(self) -> int:
        """What ARM names: CRC-32 of the packed constants; never 0, which means none."""
        return zlib.crc32(self.packed()) or 1


def hazard_code(number: int) -> str:
    """Return `H07` for 7, and the code of a person's stop for its number."""
    return PERSON_CODE if number == PERSON else f"H{number:02}"


def hazard_number(code: str) -> int:
    """Return the number of a code, 0 for none."""
    if not code:
        return 0
    return PERSON if code == PERSON_CODE else int(code[1:])


def hazard_codes(bits: int, first: int = 0) -> tuple[str, ...]:
    """Return the codes of a set of hazards, the first one first, the others by number."""
    codes = [PERSON_CODE if number == 0 else hazard_code(number) for number in range(HAZARDS) if bits >> number & 1]
    if first:
        leader = hazard_code(first)
        codes = [leader, *(code for code in codes if code != leader)]
    return tuple(codes)
