"""The ankle straps: their proof (H07), opening (H04, H05) and contacts that disagree (H06).

Each strap has two contacts. A strap is proven by being seen open for 1 s and then closed for 2 s since the last
DISARM; the supervisor's CONFIRM counts 3 s later, and a second, separate CONFIRM is the read-back of the plan.
"""

from typing import Final

import msgspec

from safety.signals import Alarm, Cause, Contacts, Demand

OPEN_PROOF_MS: Final = 1000
CLOSED_PROOF_MS: Final = 2000
CONFIRM_AFTER_MS: Final = 3000
BETWEEN_CONFIRMS_MS: Final = 1000
DISAGREE_MS: Final = 200
FASTENING_MS: Final = 3000
CAP_MS: Final = 5000

UNSEEN: Final = 0
SEEN_OPEN: Final = 1
PROVEN: Final = 2

CLOSED: Final = Contacts.CLOSED
OPEN: Final = Contacts.OPEN


class Side(msgspec.Struct, frozen=True, gc=False):
    """One strap: how far its proof has come, how long it has been as it is, and whether its contacts are mistrusted.

    `mistrusted` clears by both contacts open, then both closed. `excused` is a strap that was open when RESET was
    given: it is no new alarm until it was closed again.
    """

    contacts: Contacts | None = None
    since_ms: int = 0
    stage: int = UNSEEN
    mistrusted: bool = False
    seen_open: bool = False
    excused: bool = False


NEW_SIDE: Final = Side()
SIDES: Final = ("", "left", "right", "both")


class Straps(msgspec.Struct, frozen=True, gc=False):
    """Both straps and the two presses of CONFIRM that lead to arming."""

    left: Side = NEW_SIDE
    right: Side = NEW_SIDE
    proven_ms: int = 0
    confirmed: bool = False
    read_back: bool = False
    confirmed_ms: int = 0

    @property
    def proven(self) -> bool:
        """Whether both straps were seen open, then closed, since DISARM."""
        return self.left.stage == PROVEN and self.right.stage == PROVEN

    @property
    def closed(self) -> bool:
        """Whether both straps are closed now and nobody mistrusts their contacts."""
        return is_shut(self.left) and is_shut(self.right)


def is_shut(side: Side) -> bool:
    """Whether one strap is closed, by both its contacts, and trusted."""
    return side.contacts is CLOSED and not side.mistrusted


def follow_side(was: Side, contacts: Contacts | None, elapsed_ms: int, watched: bool) -> Side:
    """Take in one strap's contacts; unknown contacts count as disagreeing. `watched`: armed or inverted."""
    if contacts is was.contacts:
        if was.since_ms >= CAP_MS and not (watched and contacts is not CLOSED and contacts is not OPEN):
            return was
        since_ms = min(was.since_ms + elapsed_ms, CAP_MS)
    else:
        since_ms = 0
    stage, mistrusted, seen_open = was.stage, was.mistrusted, was.seen_open
    if contacts is OPEN:
        seen_open = True
        if stage == PROVEN:
            stage = UNSEEN
        if since_ms >= OPEN_PROOF_MS:
            stage = SEEN_OPEN
    elif contacts is CLOSED:
        if stage == SEEN_OPEN and since_ms >= CLOSED_PROOF_MS:
            stage = PROVEN
        if mistrusted and seen_open:
            mistrusted = False
    elif watched and since_ms > DISAGREE_MS and not mistrusted:
        mistrusted, seen_open = True, False
    return Side(contacts, since_ms, stage, mistrusted, seen_open, was.excused and contacts is not CLOSED)


def follow(
    was: Straps, left: Contacts | None, right: Contacts | None, confirm_pressed: bool, elapsed_ms: int, watched: bool
) -> Straps:
    """Take in one new frame; `confirm_pressed` is a fresh press of CONFIRM."""
    new_left = follow_side(was.left, left, elapsed_ms, watched)
    new_right = follow_side(was.right, right, elapsed_ms, watched)
    if not (new_left.stage == PROVEN and new_right.stage == PROVEN):
        if new_left is was.left and new_right is was.right and not was.proven_ms:
            return was
        return Straps(new_left, new_right)
    if was.read_back and new_left is was.left and new_right is was.right:
        return was
    # The step that completes the proof is its first moment, not a part of the wait.
    proven_ms = min(was.proven_ms + elapsed_ms, CAP_MS) if was.proven else 0
    confirmed_ms = min(was.confirmed_ms + elapsed_ms, CAP_MS) if was.confirmed else 0
    confirmed, read_back = was.confirmed, was.read_back
    if confirm_pressed:
        if not confirmed:
            confirmed = proven_ms >= CONFIRM_AFTER_MS
        elif confirmed_ms >= BETWEEN_CONFIRMS_MS:
            read_back = True
    return Straps(new_left, new_right, proven_ms, confirmed, read_back, confirmed_ms)


def forgotten(straps: Straps) -> Straps:
    """After DISARM every proof starts over; what the contacts say now is kept."""
    left = Side(straps.left.contacts, 0, UNSEEN, straps.left.mistrusted, straps.left.seen_open)
    right = Side(straps.right.contacts, 0, UNSEEN, straps.right.mistrusted, straps.right.seen_open)
    return Straps(left, right)


def excused(straps: Straps) -> Straps:
    """After RESET an open strap is no new alarm at level; below −5° it is one, and no motion starts with it."""
    left, right = straps.left, straps.right
    return msgspec.structs.replace(
        straps,
        left=msgspec.structs.replace(left, excused=left.contacts is OPEN),
        right=msgspec.structs.replace(right, excused=right.contacts is OPEN),
    )


def causes(straps: Straps, inverted: bool, armed: bool, wait: bool, now: list[Cause]) -> None:
    """Add every cause of this file; the first expression is the all-clear of the checks that follow it."""
    left, right = straps.left, straps.right
    if left.contacts is not OPEN and right.contacts is not OPEN and not left.mistrusted and not right.mistrusted:
        return
    open_strap(straps, inverted, armed, wait, now)
    contacts_disagree(straps, inverted, now)


def open_strap(straps: Straps, inverted: bool, armed: bool, wait: bool, now: list[Cause]) -> None:
    """H04 below −5°: a slow return, STOP first while `wait` allows it. H05 else, while armed: STOP."""
    left, right = straps.left.contacts is OPEN, straps.right.contacts is OPEN
    if not (left or right):
        return
    if inverted:
        demand = Demand.STOP if wait else Demand.RETURN
        side = side_of(left, right)
        now.append(Cause("H04", demand, Alarm.HIGH, left + right, 0, "straps open", slow=True, where=side))
        return
    left, right = left and not straps.left.excused, right and not straps.right.excused
    if armed and (left or right):
        now.append(Cause("H05", Demand.STOP, Alarm.MEDIUM, left + right, 0, "straps open", where=side_of(left, right)))


def side_of(left: bool, right: bool) -> str:
    """What a cause calls the straps that are meant."""
    return SIDES[left + 2 * right]


def contacts_disagree(straps: Straps, inverted: bool, now: list[Cause]) -> None:
    """H06: contacts of one strap disagreed for more than 200 ms while armed or inverted."""
    left, right = straps.left.mistrusted, straps.right.mistrusted
    if left or right:
        demand = Demand.RETURN if inverted else Demand.NO_DEEPENING
        unit = "straps whose contacts disagree"
        now.append(Cause("H06", demand, Alarm.MEDIUM, left + right, 0, unit, where=side_of(left, right)))


def check_the_buckle(straps: Straps) -> bool:
    """Whether a strap's contacts disagree for more than 3 s while it is being fastened: a prompt, no more."""
    left, right = straps.left, straps.right
    return (left.contacts is Contacts.DISCREPANT and left.since_ms > FASTENING_MS) or (
        right.contacts is Contacts.DISCREPANT and right.since_ms > FASTENING_MS
    )
