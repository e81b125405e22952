"""What people in the room do: e-stop (H20), patient's button (H22), presence (H24), wrong buttons (H25, H26).

Only a fresh press counts: a button held at boot, or held too long, is ignored until it is released.
"""

from typing import Final

import msgspec

from config.limits import Limits
from safety.signals import (
    ACK,
    CONFIRM,
    PLAN_DOWN,
    PLAN_UP,
    RAISE,
    STOP,
    TILT,
    Alarm,
    Arm,
    Cause,
    Contacts,
    Demand,
    Readings,
)

SLOW_FRESH_MS: Final = 150
PROMPT_MS: Final = 20_000
NO_DEEPENING_MS: Final = 30_000
RETURN_MS: Final = 40_000
ACK_MS: Final = 500
RESET_MS: Final = 2000
STUCK_MARGIN_MS: Final = 60_000
USELESS_MS: Final = 5000
CAP_MS: Final = 600_000

UNSEEN: Final = 0
SEEN_CLOSED: Final = 1
SEEN_OPEN: Final = 2
PROVEN: Final = 3

RELEASED: Final = 0
PRESSED: Final = 1
HELD_AFTER: Final = 2

CLOSED: Final = Contacts.CLOSED
MOVES: Final = TILT | RAISE
KEYS: Final = PLAN_UP | PLAN_DOWN


class People(msgspec.Struct, frozen=True, gc=False):
    """Buttons and circuits as last seen, and what they have led to.

    `pressed` holds this step's fresh presses, `held` the buttons that count, `ignored` those that do not until
    they are released. `estop` is RELEASED, PRESSED (CUT) or HELD_AFTER (released and acknowledged: HOLD).
    """

    booted: bool = False
    raw: int = 0
    held: int = 0
    pressed: int = 0
    ignored: int = 0
    ack_ms: int = 0
    move_ms: int = 0
    presence_ms: int = CAP_MS
    estop: int = RELEASED
    patient: int = UNSEEN
    patient_open: bool = True
    patient_pressed: bool = False
    stuck: bool = False
    crossed: bool = False


def follow(was: People, readings: Readings, held_ms: int, armed: Arm | None, limits: Limits) -> People:
    """Take in one new frame; a button held in it and in the one before was held for `held_ms`.

    Unknown buttons are not held, and were not let go of either: a held one that is seen again is no fresh press. An
    unknown patient's or e-stop circuit counts as open, but proves nothing.
    """
    recent = 0 <= readings.slow_age_ms <= SLOW_FRESH_MS
    buttons = readings.buttons if recent else None
    raw = was.raw if buttons is None else buttons
    elapsed_ms = readings.elapsed_ms
    opened = readings.patient_button is not False or not recent
    estop_open = readings.estop is not CLOSED
    if raw == was.raw and not raw and not was.pressed and not was.patient_pressed and opened is was.patient_open:
        if not estop_open and was.estop == RELEASED and was.booted and (was.patient or opened):
            presence_ms = was.presence_ms + elapsed_ms
            if presence_ms > CAP_MS:
                presence_ms = CAP_MS
            return People(True, 0, 0, 0, 0, 0, 0, presence_ms, RELEASED, was.patient, opened)
    fresh = raw & ~was.raw if was.booted else 0
    ignored = (was.ignored if was.booted else raw) & raw
    move_ms = min(was.move_ms + held_ms, CAP_MS) if raw & MOVES & was.raw else 0
    limit_ms = STUCK_MARGIN_MS + (armed.travel_limit_ms if armed is not None else above_travel_ms(limits))
    stuck = (was.stuck and raw & MOVES != 0) or not move_ms <= limit_ms
    if stuck:
        ignored |= raw & MOVES
    if estop_open:
        ignored |= raw & ACK
    held = 0 if buttons is None else raw & ~ignored
    ack_ms = min(was.ack_ms + held_ms, RESET_MS) if held & ACK & was.raw else 0
    presence_ms = 0 if fresh else min(was.presence_ms + elapsed_ms, CAP_MS)
    crossed = held & MOVES == MOVES or held & KEYS == KEYS
    if estop_open:
        estop = PRESSED
    elif was.estop == PRESSED and ack_ms >= ACK_MS:
        estop = HELD_AFTER
    else:
        estop = was.estop
    patient = was.patient
    if not opened:
        if patient in (UNSEEN, SEEN_OPEN):
            patient = SEEN_CLOSED if patient == UNSEEN else PROVEN
    elif patient == SEEN_CLOSED and recent and readings.patient_button is True:
        patient = SEEN_OPEN
    return People(
        was.booted or buttons is not None,
        raw,
        held,
        fresh & ~ignored,
        ignored,
        ack_ms,
        move_ms,
        presence_ms,
        estop,
        patient,
        opened,
        opened and not was.patient_open,
        stuck,
        crossed,
    )


def above_travel_ms(limits: Limits) -> int:
    """How long a whole travel above level takes at its limit."""
    return limits.boarding_cdeg * 1000 // limits.above_cdeg_s


def without_news(was: People, elapsed_ms: int) -> People:
    """A step without a new frame: nothing is pressed, presence grows older."""
    return msgspec.structs.replace(
        was, pressed=0, patient_pressed=False, presence_ms=min(was.presence_ms + elapsed_ms, CAP_MS)
    )


def without_ack(was: People) -> People:
    """A held ACK answers what it was pressed for: it counts again after its release."""
    if not was.raw & ACK:
        return was
    return msgspec.structs.replace(was, ignored=was.ignored | ACK, held=was.held & ~ACK, ack_ms=0)


def forgotten(was: People) -> People:
    """After DISARM the patient's button has to be shown again."""
    return msgspec.structs.replace(was, patient=UNSEEN)


def after_reset(was: People) -> People:
    """RESET ends the HOLD that an acknowledged e-stop left."""
    return msgspec.structs.replace(was, estop=RELEASED)


def causes(people: People, readings: Readings, armed: bool, below: bool, host_stop: bool, now: list[Cause]) -> None:
    """Add every cause of this file; the first expression is the all-clear of the checks that follow it."""
    if people.estop == RELEASED and not (people.raw or host_stop or people.stuck or people.crossed):
        if not (people.patient_open and (armed or below)) and not (below and people.presence_ms >= NO_DEEPENING_MS):
            return
    estop(people, readings, now)
    patient_button(people, armed, below, now)
    nobody_here(people, below, now)
    stuck_buttons(people, now)
    two_commands(people, now)
    stop_asked(people, host_stop, now)


def estop(people: People, readings: Readings, now: list[Cause]) -> None:
    """H20: either contact open is a CUT at once; released and acknowledged it stays a HOLD until RESET."""
    if people.estop == PRESSED:
        count = {Contacts.OPEN: 2, Contacts.DISCREPANT: 1}.get(readings.estop, 0) if readings.estop is not None else 2
        now.append(Cause("H20", Demand.CUT, Alarm.HIGH, count, 0, "contacts open"))
    elif people.estop == HELD_AFTER:
        now.append(Cause("H20", Demand.HOLD, Alarm.HIGH, 0, 0, "released"))


def patient_button(people: People, armed: bool, below: bool, now: list[Cause]) -> None:
    """H22: the patient's circuit is open, pressed or broken, while armed or below level."""
    if people.patient_open and (armed or below):
        now.append(Cause("H22", Demand.RETURN, Alarm.MEDIUM, 1, 0, "circuit open"))


def nobody_here(people: People, below: bool, now: list[Cause]) -> None:
    """H24: below −1° and no press in the room: no deepening after 30 s, RETURN after 40 s."""
    if below and not people.presence_ms < NO_DEEPENING_MS:
        late = not people.presence_ms < RETURN_MS
        demand = Demand.RETURN if late else Demand.NO_DEEPENING
        limit_s = (RETURN_MS if late else NO_DEEPENING_MS) // 1000
        now.append(Cause("H24", demand, Alarm.MEDIUM, people.presence_ms // 1000, limit_s, "s"))


def stuck_buttons(people: People, now: list[Cause]) -> None:
    """H25: TILT or RAISE held longer than any planned travel and 60 s."""
    if people.stuck:
        now.append(Cause("H25", Demand.STOP, Alarm.MEDIUM, people.move_ms // 1000, STUCK_MARGIN_MS // 1000, "s"))


def two_commands(people: People, now: list[Cause]) -> None:
    """H26: TILT with RAISE, or both plan keys."""
    if people.crossed:
        now.append(Cause("H26", Demand.STOP, Alarm.LOW, 2, 1, "buttons"))


def confirm_pressed(people: People) -> bool:
    """Whether CONFIRM was freshly pressed in this step."""
    return people.pressed & CONFIRM != 0


def stop_asked(people: People, host_asks: bool, now: list[Cause]) -> None:
    """A person's STOP: the button while it is held, or a fresh request of the host."""
    if people.held & STOP:
        now.append(Cause("STOP", Demand.STOP, Alarm.LOW, 1, 0, "pressed", "panel"))
    elif host_asks:
        now.append(Cause("STOP", Demand.STOP, Alarm.LOW, 1, 0, "asked"))
