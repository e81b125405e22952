"""The panel of one session, as pure functions of inputs and time: what it waits for, and what a press there means.

Whoever stands at the table is guided through the start, one step after the other. One press is one answer: CONFIRM
tells that the lamps were all lit only while the judge takes no CONFIRM for the straps, and a read-back counts only
while the panel has been asking for it, with one plan unchanged, for a second.
"""

from typing import Final

import msgspec

from safety import straps
from safety.latches import PRESS_CLEARED
from safety.moving import RAISE_PAUSE_CDEG, RAISE_PAUSE_MS, STILL_BEFORE_TILT_MS, STOOD_MS
from safety.people import USELESS_MS
from safety.signals import (
    CONFIRM,
    DEMAND_ALLOW,
    DEMAND_NO_DEEPENING,
    DEMAND_STOP,
    PLAN_DOWN,
    PLAN_UP,
    RAISE,
    RETURN,
    STOP,
    TILT,
    Contacts,
    Decision,
    Guide,
    Readings,
    Region,
    State,
)
from safety.straps import NEW_SIDE, PROVEN, SEEN_OPEN, Side

# How long the lamps must have been seen, and a plan read, before CONFIRM says so; a shorter look is none.
LOOK_MS: Final = 1000
LEVEL_CDEG: Final = 100
DEGREE_CDEG: Final = 100
PLAN_KEYS: Final = PLAN_UP | PLAN_DOWN
CAP_MS: Final = 600_000

OPEN: Final = Contacts.OPEN
IDLE: Final = State.IDLE
STRAPPED: Final = State.STRAPPED
TILTING: Final = State.TILTING
STOPPED: Final = State.STOPPED
RESTING: Final = State.RESTING
LEVEL: Final = Region.LEVEL
LAMP_TEST: Final = Guide.LAMP_TEST
CHOOSE_PLAN: Final = Guide.CHOOSE_PLAN
READ_BACK: Final = Guide.READ_BACK
ARMING: Final = Guide.ARMING
OPEN_STRAPS: Final = Guide.OPEN_STRAPS
RELEASE: Final = Guide.RELEASE
NOTHING: Final = Guide.NOTHING
BRING_TO_LEVEL: Final = Guide.LEVEL
# Beyond level by so little, what comes after it stays asked for: a table let go of at the edge reads now so, now so.
AT_THE_EDGE_CDEG: Final = 120
AFTER_LEVEL: Final = (Guide.PATIENT_BUTTON, Guide.CONFIRM_STRAPS, READ_BACK, ARMING)


class Desk(msgspec.Struct, frozen=True, gc=False):
    """What the panel remembers of the start of a session.

    `old` has the buttons that were held when the panel was first seen, until each is let go of. `vain_ms` is for how
    long buttons have been held that move nothing. `lamps_tested` stays for as long as the program runs. `choice` is the
    number of the plan shown, from 0, and `chosen` whether somebody told that it is to be that one. `shown_ms` counts
    how long `guide` has been what it is; a plan stepped on to starts it anew. `left_ms` is what is left of a time that
    runs.
    """

    booted: bool = False
    old: int = 0
    vain_ms: int = 0
    lamps_tested: bool = False
    choice: int = 0
    chosen: bool = False
    left: Side = NEW_SIDE
    right: Side = NEW_SIDE
    closed_ms: int = 0
    read_back: bool = False
    guide: Guide = NOTHING
    shown_ms: int = 0
    left_ms: int = 0


def step_plan(choice: int, buttons: int, pressed: int, last: int) -> int:
    """Return the plan that is shown after this tick: PLAN_UP is the next, PLAN_DOWN the one before, without a jump.

    Both keys at once say nothing here (H26 stops the table).
    """
    keys = buttons & PLAN_KEYS
    if keys == PLAN_UP and pressed & PLAN_UP:
        return min(choice + 1, last)
    if keys == PLAN_DOWN and pressed & PLAN_DOWN:
        return max(choice - 1, 0)
    return choice


def prepare(was: Desk, readings: Readings, decision: Decision, buttons: int, pressed: int, last: int) -> Desk:
    """Take one tick in `idle` into account, up to the moment when ARM may be asked for (`ready`).

    Args:
        was: the desk as it was.
        readings: this tick's.
        decision: the judge's last.
        buttons: the buttons held.
        pressed: those of them that were pressed afresh in this tick.
        last: the number of the last plan that may be chosen.
    """
    elapsed_ms = readings.elapsed_ms
    old = (was.old if was.booted else buttons) & buttons
    moving = decision.command.velocity_cdeg_s != 0
    vain_ms = min(was.vain_ms + elapsed_ms, CAP_MS) if buttons and not moving else 0
    choice = step_plan(was.choice, buttons, pressed, last) if pressed & PLAN_KEYS else min(was.choice, last)
    left = straps.follow_side(was.left, readings.strap_left, elapsed_ms, watched=False)
    right = straps.follow_side(was.right, readings.strap_right, elapsed_ms, watched=False)
    proofs = decision.proofs
    closed_ms = min(was.closed_ms + elapsed_ms, CAP_MS) if left.stage == right.stage == PROVEN else 0
    shown_ms = min(was.shown_ms + elapsed_ms, CAP_MS)
    lamps_tested, chosen, read_back = was.lamps_tested, was.chosen or not last, was.read_back
    if pressed == CONFIRM == buttons and shown_ms >= LOOK_MS:
        # Asked for by this very guide, and by no other: one press is one answer.
        if was.guide is LAMP_TEST and not proofs.straps_proven:
            lamps_tested = True
        elif was.guide is CHOOSE_PLAN and not proofs.straps_proven:
            chosen = True
        elif was.guide is READ_BACK and proofs.straps_confirmed:
            read_back = True
    if choice != was.choice or not proofs.straps_confirmed or (decision.refusals and was.guide is ARMING):
        read_back = False
    desk = Desk(
        was.booted or readings.buttons is not None,
        old,
        vain_ms,
        lamps_tested,
        choice,
        chosen,
        left,
        right,
        closed_ms,
        read_back,
        was.guide,
    )
    guide, left_ms = awaited(desk, readings, decision, buttons)
    if guide is not was.guide or choice != was.choice:
        shown_ms = 0
    if guide is LAMP_TEST or guide is CHOOSE_PLAN or guide is READ_BACK:
        left_ms = LOOK_MS - shown_ms
    return Desk(
        desk.booted,
        old,
        vain_ms,
        lamps_tested,
        choice,
        chosen,
        left,
        right,
        closed_ms,
        read_back,
        guide,
        shown_ms,
        left_ms if left_ms > 0 else 0,
    )


def awaited(desk: Desk, readings: Readings, decision: Decision, buttons: int) -> tuple[Guide, int]:
    """Return the first step of the start that is not done, and the milliseconds left of a time that it takes.

    `desk.guide` is what was awaited before.
    """
    proofs = decision.proofs
    if desk.old or desk.vain_ms >= USELESS_MS or (desk.read_back and buttons & ~CONFIRM):
        return RELEASE, 0
    if not (desk.lamps_tested and desk.chosen):
        # With the straps proven a CONFIRM would be theirs.
        return (OPEN_STRAPS if proofs.straps_proven else CHOOSE_PLAN if desk.lamps_tested else LAMP_TEST), 0
    if not proofs.straps_proven:
        return strap_step(desk)
    if off_level(desk.guide, decision):
        return BRING_TO_LEVEL, 0
    if not proofs.patient_button or readings.patient_button is not False:
        return Guide.PATIENT_BUTTON, 0
    if not proofs.straps_confirmed:
        return Guide.CONFIRM_STRAPS, straps.CONFIRM_AFTER_MS - desk.closed_ms
    return (ARMING if desk.read_back else READ_BACK), 0


def off_level(was: Guide, decision: Decision) -> bool:
    """Whether the table is to be brought to level: until it has come to rest there, and not for noise at the edge."""
    if was is BRING_TO_LEVEL and decision.command.velocity_cdeg_s:
        return True
    if decision.region is LEVEL:
        return False
    angle = decision.angle_cdeg
    return not (was in AFTER_LEVEL and angle is not None and 0 < angle <= AT_THE_EDGE_CDEG)


def strap_step(desk: Desk) -> tuple[Guide, int]:
    """Open each strap for 1 s, then close it for 2 s; what is left of either."""
    left, right = desk.left, desk.right
    if left.stage >= SEEN_OPEN and right.stage >= SEEN_OPEN and desk.closed_ms < LOOK_MS:
        waiting = [
            straps.CLOSED_PROOF_MS - side.since_ms
            for side in (left, right)
            if side.stage != PROVEN and side.contacts is Contacts.CLOSED
        ]
        return Guide.CLOSE_STRAPS, max(waiting, default=0)
    waiting = [
        straps.OPEN_PROOF_MS - side.since_ms
        for side in (left, right)
        if side.stage < SEEN_OPEN and side.contacts is OPEN
    ]
    return OPEN_STRAPS, max(waiting, default=0)


def ready(desk: Desk, buttons: int) -> bool:
    """Whether ARM may be asked for; a button held while arming would be refused as stuck (H25), CONFIRM's own too."""
    return desk.guide is ARMING and not buttons


# Leave: whether a press of TILT or RAISE is one that the judge follows --------------------------------------------


def leave(
    was: int, state: State, decision: Decision, buttons: int, pressed: int, by_itself: bool, raise_pause_ms: int
) -> int:
    """Return which of TILT and RAISE moves the table now, by a press that the judge will follow; else 0.

    The rules are the judge's own, so that no tone announces what does not come: afresh, from rest (5 s at level),
    nothing in the way. A press lasts as long as it is held; where a tilt runs `by_itself`, until something stops it.
    """
    angle, demand = decision.angle_cdeg, decision.demand
    if angle is None or buttons & (RETURN | STOP):
        return 0
    above = angle > LEVEL_CDEG
    if pressed & (TILT | RAISE):
        if demand != DEMAND_ALLOW and not (state is STOPPED and clears_by_press(decision)):
            return 0
        if pressed & TILT:
            if above:
                return TILT
            fits = decision.armed is not None and not decision.over and decision.still_ms >= stands_for_ms(decision)
            return TILT if fits else 0
        return RAISE if not decision.inverted_ms and not raise_pauses(angle, raise_pause_ms) else 0
    kept = was & buttons
    if was & TILT and by_itself and not above and (state is STRAPPED or state is TILTING or state is STOPPED):
        kept = TILT
    if demand == DEMAND_ALLOW or (demand == DEMAND_NO_DEEPENING and (above or kept == RAISE)):
        return kept
    return 0


def clears_by_press(decision: Decision) -> bool:
    """Whether a press of TILT or RAISE ends what stops the table: a person's STOP, or a button that was let go of."""
    return (
        decision.demand == DEMAND_STOP
        and decision.still_ms >= STOOD_MS
        and all(cause.code in PRESS_CLEARED for cause in decision.causes)
    )


def raise_pauses(angle_cdeg: int, pause_ms: int) -> bool:
    """Whether the table is to stand at +30° for longer before it is raised further (H32)."""
    return pause_ms < RAISE_PAUSE_MS and -DEGREE_CDEG <= angle_cdeg - RAISE_PAUSE_CDEG <= DEGREE_CDEG


def lifts_to(angle_cdeg: int | None, boarding_cdeg: int) -> int:
    """Return to where one press of RAISE lifts: to +30°, where it pauses, and from there to the boarding angle."""
    pauses = angle_cdeg is not None and angle_cdeg < RAISE_PAUSE_CDEG - DEGREE_CDEG
    return min(RAISE_PAUSE_CDEG, boarding_cdeg) if pauses else boarding_cdeg


def raise_pause_ms(was_ms: int, readings: Readings, angle_cdeg: int | None) -> int:
    """Return for how long the table has stood at +30°, up to the 10 s that it has to."""
    if angle_cdeg is None or not -DEGREE_CDEG <= angle_cdeg - RAISE_PAUSE_CDEG <= DEGREE_CDEG:
        return 0
    return min(was_ms + readings.elapsed_ms, RAISE_PAUSE_MS) if readings.applied_cdeg_s == 0 else was_ms


# What the panel waits for once the session is armed -----------------------------------------------------------------


def at_rest_at_level(decision: Decision, leaving: int, buttons: int, over: bool) -> tuple[Guide, int]:
    """In `strapped`: wait until it has stood for 5 s, then TILT; a session that is over is ended by CONFIRM."""
    if over or decision.over:
        return Guide.END, 0
    if buttons & TILT and not leaving:
        return RELEASE, 0
    left_ms = STILL_BEFORE_TILT_MS - decision.still_ms
    return (Guide.WAIT_STILL, left_ms) if left_ms > 0 and not leaving else (Guide.TILT, 0)


def on_the_way_down(decision: Decision, leaving: int, buttons: int, waiting: bool, wait_ms: int) -> tuple[Guide, int]:
    """In `tilting`: TILT while it goes, the wait of a stage, or TILT to be pressed anew once it stands."""
    if waiting and wait_ms > 0:
        return Guide.STAGE, wait_ms
    if leaving:
        return Guide.TILT, 0
    if buttons & TILT and not waiting:
        return RELEASE, 0
    left_ms = stands_for_ms(decision) - decision.still_ms
    return (Guide.WAIT_STILL, left_ms) if left_ms > 0 and not waiting else (Guide.TILT_AGAIN, 0)


def stands_for_ms(decision: Decision) -> int:
    """Return for how long the table has to have stood before TILT is pressed: 5 s at level, 1 s below."""
    angle = decision.angle_cdeg
    return STOOD_MS if angle is not None and angle < -LEVEL_CDEG else STILL_BEFORE_TILT_MS


def stood_still(decision: Decision, leaving: int, buttons: int) -> tuple[Guide, int]:
    """In `stopped`: let go of what stops it; with nothing in the way any more, below level, TILT goes on.

    What else is in the way the alarm tells.
    """
    if buttons and decision.demand == DEMAND_STOP and all(cause.code in PRESS_CLEARED for cause in decision.causes):
        return RELEASE, 0
    if decision.demand == DEMAND_ALLOW and decision.region >= Region.BELOW:
        return (Guide.TILT if leaving else Guide.TILT_AGAIN), 0
    return NOTHING, 0


def travel_ms(distance_cdeg: int, speed_cdeg_s: int) -> int:
    """Return about how long a way takes at a speed, in milliseconds; 0 where either is none."""
    if distance_cdeg <= 0 or speed_cdeg_s <= 0:
        return 0
    return distance_cdeg * 1000 // speed_cdeg_s
