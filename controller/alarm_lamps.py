"""The panel's lamps beside those of the alarms: what is lit, what flashes slowly because it is waited for, what fast.

A button's lamp flashes slowly while that button is what the panel waits for, and is steady while it is held then; it is
steady too where what it stands for goes on: RETURN during a return, STOP while a person's STOP is in force. A strap's
lamp is lit while the strap is closed and trusted, dark while it is open, flashes slowly while it is waited for, and
fast while its contacts disagree.
"""

from typing import Final

from safety.signals import (
    DEMAND_HOLD,
    DEMAND_STOP,
    LAMP_ARMED,
    LAMP_CONFIRM,
    LAMP_PLAN,
    LAMP_PRESENCE,
    LAMP_RETURN,
    LAMP_STOP,
    LAMP_STRAP_LEFT,
    LAMP_STRAP_RIGHT,
    LAMP_TILT,
    PLAN_DOWN,
    Contacts,
    Decision,
    Guide,
    Readings,
    Region,
    Wish,
)

CLOSED: Final = Contacts.CLOSED
OPEN: Final = Contacts.OPEN
ABOVE: Final = Region.ABOVE
BELOW: Final = Region.BELOW
INVERTED: Final = Region.INVERTED
NOBODY_WAITS: Final = Guide.NOTHING
CLOSE_STRAPS: Final = Guide.CLOSE_STRAPS
# A strap that is closed is what is in the way here.
TO_OPEN: Final = (Guide.OPEN_STRAPS, Guide.OPEN)
RELEASE: Final = Guide.RELEASE
BRING_TO_LEVEL: Final = Guide.LEVEL
MOTION_LAMPS: Final = LAMP_TILT | LAMP_RETURN

# The buttons that each step waits for. Which one brings the table to level depends on where it is.
WAITED_FOR: Final[dict[Guide, int]] = {
    Guide.SCREENING: LAMP_CONFIRM | LAMP_PLAN,
    Guide.CHOOSE_PLAN: LAMP_PLAN | LAMP_CONFIRM,
    Guide.CONFIRM_STRAPS: LAMP_CONFIRM,
    Guide.READ_BACK: LAMP_CONFIRM,
    Guide.TILT: LAMP_TILT,
    Guide.TILT_AGAIN: LAMP_TILT,
    Guide.END: LAMP_CONFIRM,
}


def lamps_of(readings: Readings, wish: Wish, decision: Decision) -> tuple[int, int, int]:
    """Return the lamps that are steadily lit, those that flash slowly and those that flash fast; no alarm's."""
    steady, slow, fast = 0, 0, 0
    guide = wish.guide
    if guide is not NOBODY_WAITS:
        if guide is RELEASE:
            slow = held(readings.buttons)
        else:
            pressed = held(readings.buttons)
            waited = WAITED_FOR.get(guide, 0)
            if guide is BRING_TO_LEVEL:
                # In the last degree, where either would do, the one that is held.
                waited = toward_level(decision.region) or pressed & MOTION_LAMPS
            steady = waited & pressed
            slow = waited & ~steady
    if decision.armed is not None:
        steady |= LAMP_ARMED
    if decision.returning:
        steady |= LAMP_RETURN
    doubted = ""
    for cause in decision.causes:
        if cause.code == "H06":
            doubted = cause.where or "both"
        elif cause.code == "H24":
            slow |= LAMP_PRESENCE
        elif cause.code == "STOP":
            steady |= LAMP_STOP
    for code in decision.prompts:
        if code == "H24":
            slow |= LAMP_PRESENCE
        elif code == "H25":
            slow |= held(readings.buttons)
    demand = decision.demand
    if (demand is DEMAND_STOP or demand is DEMAND_HOLD) and not decision.returning:
        if decision.region is INVERTED or decision.region is BELOW:
            slow |= LAMP_RETURN

    needed = guide is CLOSE_STRAPS or decision.armed is not None
    for contacts, side, lamp in (
        (readings.strap_left, "left", LAMP_STRAP_LEFT),
        (readings.strap_right, "right", LAMP_STRAP_RIGHT),
    ):
        if contacts is OPEN:
            if needed:
                slow |= lamp
        elif contacts is not CLOSED or (doubted and doubted in (side, "both")):
            fast |= lamp
        elif guide in TO_OPEN:
            slow |= lamp
        else:
            steady |= lamp
    return steady & ~slow, slow, fast


def toward_level(region: Region) -> int:
    """Return the lamp of the button that brings the table to level from where it is."""
    if region is ABOVE:
        return LAMP_TILT
    return LAMP_RETURN if region in (BELOW, INVERTED) else 0


def held(buttons: int | None) -> int:
    """Return the lamps of the buttons that are held; PLAN UP and PLAN DOWN share one."""
    if not buttons:
        return 0
    return (buttons & 0xFF) << 4 | (LAMP_PLAN if buttons & PLAN_DOWN else 0)
