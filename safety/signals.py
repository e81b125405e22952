"""The values that pass between bridge, judge, controller, people and records: immutable, integers, each known or None.

Angles are centidegrees, 0 level, negative head-down; velocities centidegrees a second; times milliseconds.
A value that nobody measured is None, never a guess: None never counts as healthy.
"""

import enum
from typing import Final

import msgspec


class Demand(enum.IntEnum):
    """What the safety layer demands, in rising order; the worst wins."""

    ALLOW = 0
    NO_DEEPENING = 1
    STOP = 2
    RETURN = 3
    HOLD = 4
    CUT = 5


# Before Python 3.12 a member read off its class costs ten times a plain name.
DEMAND_ALLOW: Final = Demand.ALLOW
DEMAND_NO_DEEPENING: Final = Demand.NO_DEEPENING
DEMAND_STOP: Final = Demand.STOP
DEMAND_RETURN: Final = Demand.RETURN
DEMAND_HOLD: Final = Demand.HOLD
DEMAND_CUT: Final = Demand.CUT


class Alarm(enum.IntEnum):
    """Alarm priority after IEC 60601-1-8, in rising order."""

    NONE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3


class Region(enum.IntEnum):
    """Where the table is: level is within ±1°, inverted deeper than −5°."""

    UNKNOWN = 0
    ABOVE = 1
    LEVEL = 2
    BELOW = 3
    INVERTED = 4


class Contacts(enum.IntEnum):
    """Two contacts that should agree: both closed, both open, or one of each."""

    CLOSED = 0
    OPEN = 1
    DISCREPANT = 2


class State(enum.StrEnum):
    """The states of a session; what leads in and out of each is told in `controller.machine`."""

    IDLE = "idle"
    STRAPPED = "strapped"
    TILTING = "tilting"
    HOLDING = "holding"
    RETURNING = "returning"
    RESTING = "resting"
    EMERGENCY_RETURN = "emergency_return"
    STOPPED = "stopped"


class GuardState(enum.StrEnum):
    """What the second judge says of itself; ABSENT where there is none."""

    ABSENT = "absent"
    IDLE = "idle"
    ARMED = "armed"
    STOP = "stop"
    RETURN = "return"
    HOLD = "hold"
    CUT = "cut"


class Issuer(enum.StrEnum):
    """Who vouches for a permit."""

    CLINIC = "clinic"
    DECLARED = "declared"
    SIMULATED = "simulated"


# Panel buttons, one bit each, in `Readings.buttons`. The patient's own button is not among them.
TILT: Final = 1
RAISE: Final = 2
RETURN: Final = 4
STOP: Final = 8
PRESENCE: Final = 16
ACK: Final = 32
CONFIRM: Final = 64
PLAN_UP: Final = 128
PLAN_DOWN: Final = 256
BUTTONS: Final[dict[str, int]] = {
    "TILT": TILT,
    "RAISE": RAISE,
    "RETURN": RETURN,
    "STOP": STOP,
    "PRESENCE": PRESENCE,
    "ACK": ACK,
    "CONFIRM": CONFIRM,
    "PLAN_UP": PLAN_UP,
    "PLAN_DOWN": PLAN_DOWN,
}

# Lamps, one bit each, in `Signals.lamps`: alarm lamps, one in each button, for each strap, armed, the patient's own.
LAMP_RED: Final = 0x0001
LAMP_YELLOW: Final = 0x0002
LAMP_CYAN: Final = 0x0004
LAMP_ARMED: Final = 0x0008
LAMP_TILT: Final = 0x0010
LAMP_RAISE: Final = 0x0020
LAMP_RETURN: Final = 0x0040
LAMP_STOP: Final = 0x0080
LAMP_PRESENCE: Final = 0x0100
LAMP_ACK: Final = 0x0200
LAMP_CONFIRM: Final = 0x0400
LAMP_PLAN: Final = 0x0800
LAMP_STRAP_LEFT: Final = 0x1000
LAMP_STRAP_RIGHT: Final = 0x2000
LAMP_BREATHE: Final = 0x4000
LAMP_NAMES: Final = (
    "RED YELLOW CYAN ARMED TILT RAISE RETURN STOP PRESENCE ACK CONFIRM PLAN STRAP_LEFT STRAP_RIGHT BREATHE"
)
LAMPS: Final = {name: 1 << bit for bit, name in enumerate(LAMP_NAMES.split())}
ALL_LAMPS: Final = 0x7FFF


class Guide(enum.StrEnum):
    """What the panel waits for: the next step of whoever stands at it."""

    NOTHING = ""
    SCREENING = "screening"
    LAMP_TEST = "lamp-test"
    RELEASE = "release-buttons"
    CHOOSE_PLAN = "choose-plan"
    OPEN_STRAPS = "open-straps"
    CLOSE_STRAPS = "close-straps"
    LEVEL = "bring-to-level"
    PATIENT_BUTTON = "patient-button"
    CONFIRM_STRAPS = "confirm-straps"
    READ_BACK = "read-back"
    ARMING = "arming"
    WAIT_STILL = "wait-still"
    TILT = "tilt"
    TILT_AGAIN = "tilt-again"
    STAGE = "stage"
    HOLD = "hold"
    RETURNING = "returning"
    REST = "rest"
    END = "end"
    OPEN = "let-off"


class Guard(msgspec.Struct, frozen=True, gc=False):
    """What the microcontroller's own judge reports in each frame; `session_id` 0 means not armed.

    `causes` are codes, the first cause first; `first_value` is what was measured when that one came. `refused` holds
    the codes that spoke against the last ARM or DISARM, until the next one is asked or accepted. `inverted_s` is its
    own count of this set's time below −5°.
    """

    state: GuardState
    demand: Demand = Demand.ALLOW
    causes: tuple[str, ...] = ()
    session_id: int = 0
    refused: tuple[str, ...] = ()
    first_value: int = 0
    inverted_s: int = 0


class Host(msgspec.Struct, frozen=True, gc=False):
    """What the host knows of itself; the loop hands it to `Bridge.read`, which passes it on unchanged.

    `wall_s` is a label (seconds since 1970), judged at arming. `started_table`: the program started the table, and only
    simulated people are on it. `unfinished`: the last run ended in mid-session, and level was not reached since.
    """

    clock_ok: bool = False
    config_ok: bool = False
    started_table: bool = False
    wall_s: int = 0
    records_ok: bool = False
    unfinished: bool = False


class Readings(msgspec.Struct, frozen=True, gc=False):
    """What the table says, at one instant.

    `elapsed_ms` is the time since the last step; `age_ms` the age of angles, straps and e-stop, `slow_age_ms`
    of everything else; `sequence` numbers the frame, so that an unchanged number is no new frame.
    `level_switch` is true where it says "below" (a break says so too); `end_down`, `end_up` are true when
    reached; `patient_button` is true when its circuit is open: pressed or broken, which mean the same;
    `buttons` has a bit for each panel button held. `applied_cdeg_s` is the set-point the drive follows now,
    after every ramp. `battery` is true when the battery passed its check, `drive_fault` when the drive says so.
    """

    elapsed_ms: int
    sequence: int = 0
    age_ms: int = 0
    slow_age_ms: int = 0
    angle_a_cdeg: int | None = None
    angle_b_cdeg: int | None = None
    applied_cdeg_s: int | None = None
    strap_left: Contacts | None = None
    strap_right: Contacts | None = None
    estop: Contacts | None = None
    buttons: int | None = None
    patient_button: bool | None = None
    level_switch: bool | None = None
    end_down: bool | None = None
    end_up: bool | None = None
    mains: bool | None = None
    battery: bool | None = None
    current_ma: int | None = None
    drive_fault: bool | None = None
    brake_set: bool | None = None
    drive_power: bool | None = None
    guard: Guard | None = None
    host: Host = Host()


class Permit(msgspec.Struct, frozen=True, gc=False):
    """Leave to arm one plan for one person.

    Angles are negative centidegrees. `last_cdeg` and `last_hold_s` are the deepest angle and longest hold last
    reached safely, None without a history. `valid_until_s` is seconds since 1970.
    """

    plan_hash: str
    pseudonym: str
    screening_version: int
    valid_until_s: int
    inverted_today_s: int
    prescribed_cdeg: int
    prescribed_hold_s: int
    last_cdeg: int | None
    last_hold_s: int | None
    issuer: Issuer


class Arm(msgspec.Struct, frozen=True, gc=False):
    """What ARM asks for: one session of one plan. Once accepted it can only be tightened, until DISARM.

    `held_tilt` says whether a tilt runs only while TILT is held. `strap_wait` is the policy `wait` of H04.
    """

    session_id: int
    plan_hash: str
    cap_cdeg: int
    hold_s: int
    set_limit_s: int
    sets: int
    rest_s: int
    speed_cdeg_s: int
    travel_limit_ms: int
    used_today_s: int
    permit: Permit
    strap_wait: bool = False
    held_tilt: bool = True


class Wish(msgspec.Struct, frozen=True, gc=False):
    """What the session would like in this tick: a velocity, this tick's requests, and where the session stands.

    `plan_return` marks the plan's own way back. The reasons `stop_because` and `return_because` are empty
    when nothing is asked. `state` to `answer` are for people and records; the judge does not read them. `tone`
    asks for the tone before a motion; `plan` names the chosen plan, `guide` says what the panel waits for, `question`
    which question of the screening list, 0 without one, and `answer` what is chosen there so far, None without any.
    """

    velocity_cdeg_s: int = 0
    plan_return: bool = False
    arm: Arm | None = None
    disarm: bool = False
    stop_because: str = ""
    return_because: str = ""
    acknowledge: bool = False
    state: State = State.IDLE
    set_number: int = 0
    planned_cdeg: int = 0
    left_ms: int = 0
    tone: bool = False
    plan: str = ""
    guide: Guide = Guide.NOTHING
    question: int = 0
    answer: int | None = None


class Cause(msgspec.Struct, frozen=True, gc=False):
    """One reason for a demand: hazard code, what was measured against which limit, and who found it.

    `where` names the side or sensor, where there are two: `left`, `right`, `both`; `A`, `B`, `both`.
    """

    code: str
    demand: Demand
    alarm: Alarm
    value: int
    limit: int
    unit: str
    by: str = "host"
    slow: bool = False
    where: str = ""


class Command(msgspec.Struct, frozen=True, gc=False):
    """What the bridge is told; it expires by itself when it is not renewed within the lease.

    `send` is false when the host has no fresh valid frame: then nothing is sent, not even zero. `plan_return` marks the
    plan's own way back, `presence_fresh` that somebody in the room pressed lately: the guard cannot know either.
    """

    velocity_cdeg_s: int = 0
    demand: Demand = Demand.ALLOW
    send: bool = True
    arm: Arm | None = None
    disarm: bool = False
    reset: bool = False
    stop_cause: str = ""
    echo: int = 0
    session_id: int = 0
    plan_return: bool = False
    presence_fresh: bool = False


class Signals(msgspec.Struct, frozen=True, gc=False):
    """Lamps and buzzer for the panel, as they are at this instant: who flashes and pulses them is `controller.alarms`.

    `alarm` is the priority shown, `tone` is the one before and during a motion; a table that has a judge of its own
    shows and sounds the stronger of these and its own. `lamps` has a bit for each lamp that is lit now, `buzzer_hz` is
    the pitch that sounds now (0: silent), in steps of 10 Hz up to 2,550.
    """

    alarm: Alarm = Alarm.NONE
    tone: bool = False
    lamps: int = 0
    buzzer_hz: int = 0


class Proofs(msgspec.Struct, frozen=True, gc=False):
    """What has been shown to work since the last DISARM, for guidance and arming."""

    straps_proven: bool = False
    straps_confirmed: bool = False
    read_back: bool = False
    patient_button: bool = False


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What the judge decided in one step, and why.

    `causes` has the first cause first; `prompts` are codes to be shown that demand nothing yet; `refusals` are
    the reasons why this tick's ARM, DISARM or start of a set was not accepted. `angle_cdeg` is the judge's
    best angle, None when both sensors are lost. `returning` is true while a return is under way, the plan's own
    included. `still_ms` is 0 while it moves. `inverted_ms` counts the present set, `presence_ms` the time since anybody
    in the room pressed; `over` says that a latched cause ended the session, so that no set starts before a new ARM.
    """

    command: Command
    demand: Demand = Demand.ALLOW
    causes: tuple[Cause, ...] = ()
    alarm: Alarm = Alarm.NONE
    region: Region = Region.UNKNOWN
    angle_cdeg: int | None = None
    still_ms: int = 0
    armed: Arm | None = None
    returning: bool = False
    tone: bool = False
    prompts: tuple[str, ...] = ()
    refusals: tuple[Cause, ...] = ()
    proofs: Proofs = Proofs()
    inverted_ms: int = 0
    presence_ms: int = 0
    over: bool = False

    @property
    def still(self) -> bool:
        """Whether the table is still: set-point zero and under 0.2°/s over 500 ms."""
        return self.still_ms > 0


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """One tick as others see it; `t_ms` counts from the loop's start on its monotonic clock, `signals` were put out."""

    number: int
    t_ms: int
    readings: Readings
    wish: Wish
    decision: Decision
    signals: Signals = Signals()
