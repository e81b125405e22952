"""Contacts bounce and disagree for a moment, hands work them, and what is broken about them shows."""

import random
from itertools import pairwise

import pytest

from config.errors import UnknownNameError, UsageError
from safety.signals import BUTTONS, RETURN, TILT, Contacts
from sim.contacts import LONGEST_BOUNCE_MS, SECOND_CONTACT_MS, Contact, Pair
from tests.sim.driving import Drive, table_for


@pytest.fixture
def drive() -> Drive:
    return table_for()


def chain_open(drive: Drive) -> bool:
    return drive.table.plant.estop_open


def pressed(drive: Drive) -> bool | None:
    return drive.readings.patient_button


def estop(drive: Drive) -> Contacts | None:
    return drive.readings.estop


def strap(drive: Drive, side: str) -> Contacts | None:
    return drive.readings.strap_left if side == "left" else drive.readings.strap_right


def test_an_edge_bounces_for_at_most_five_milliseconds_and_then_stays() -> None:
    toggles = 0
    for seed in range(50):
        contact = Contact(random.Random(seed), closed=False)
        contact.move(True, 100.0)
        seen = [contact.settle(100.0 + t / 10.0) for t in range(200)]
        assert all(seen[round(10 * LONGEST_BOUNCE_MS) :])
        toggles += sum(first != second for first, second in pairwise(seen))
    assert toggles > 50


def test_a_contact_that_is_moved_back_at_once_ends_where_it_was() -> None:
    contact = Contact(random.Random(0), closed=False)
    contact.move(True, 0.0)
    contact.move(False, 1.0)
    assert not contact.settle(10.0)
    assert not contact.pending


def test_two_contacts_of_a_buckle_disagree_for_some_tens_of_milliseconds_at_most() -> None:
    longest = 0
    for seed in range(50):
        pair = Pair(random.Random(seed), closed=False)
        pair.move(True, 0.0)
        apart = [t for t in range(100) if pair.settle(float(t)) is Contacts.DISCREPANT]
        assert pair.value is Contacts.CLOSED
        longest = max(longest, len(apart))
    assert 20 < longest <= SECOND_CONTACT_MS + LONGEST_BOUNCE_MS


def test_straps_are_open_at_first_and_read_closed_once_both_contacts_are(drive: Drive) -> None:
    drive.rest(0.1)
    assert strap(drive, "left") is Contacts.OPEN
    drive.table.hands.strap("left", True)
    drive.rest(0.1)
    assert strap(drive, "left") is Contacts.CLOSED
    assert strap(drive, "right") is Contacts.OPEN
    assert drive.table.panel.strapped("left")
    drive.table.hands.strap("left", False)
    drive.rest(0.1)
    assert strap(drive, "left") is Contacts.OPEN


@pytest.mark.parametrize("button", list(BUTTONS))
def test_each_button_has_its_bit(drive: Drive, button: str) -> None:
    drive.table.hands.press(button)
    drive.table.hands.press(button)
    drive.rest(0.05)
    assert drive.readings.buttons == BUTTONS[button]
    assert drive.table.panel.held() == {button}
    drive.table.hands.release(button)
    drive.rest(0.05)
    assert drive.readings.buttons == 0


def test_the_patients_button_opens_its_circuit(drive: Drive) -> None:
    drive.rest(0.05)
    assert not pressed(drive)
    drive.table.hands.press("PATIENT")
    drive.rest(0.05)
    assert pressed(drive)
    assert drive.readings.buttons == 0
    drive.table.hands.release("PATIENT")
    drive.rest(0.05)
    assert not pressed(drive)


@pytest.mark.parametrize(("circuit", "reads"), [("open", True), ("closed", False)])
def test_a_broken_or_welded_circuit_of_the_patient_reads_so(drive: Drive, circuit: str, reads: bool) -> None:
    drive.table.panel.hooks.patient_circuit = circuit
    drive.table.hands.press("PATIENT")
    drive.rest(0.05)
    assert drive.readings.patient_button is reads


def test_buttons_stick_held_and_stick_open(drive: Drive) -> None:
    hooks, hands = drive.table.panel.hooks, drive.table.hands
    hooks.stuck_held = TILT
    hooks.stuck_open = RETURN
    hands.press("RETURN")
    drive.rest(0.05)
    assert drive.readings.buttons == TILT
    hooks.clear()
    drive.rest(0.05)
    assert drive.readings.buttons == RETURN


def test_when_everybody_has_gone_the_panel_is_released_and_the_patient_can_still_press(drive: Drive) -> None:
    drive.table.hands.press("TILT")
    drive.table.hands.press("PATIENT")
    drive.table.panel.hooks.deserted = True
    drive.rest(0.05)
    assert drive.readings.buttons == 0
    assert pressed(drive)


@pytest.mark.parametrize(
    ("forced", "reads"),
    [
        (("open", None), Contacts.DISCREPANT),
        ((None, "open"), Contacts.DISCREPANT),
        (("open", "open"), Contacts.OPEN),
        (("closed", "closed"), Contacts.CLOSED),
    ],
)
def test_contacts_of_a_strap_can_be_forced_one_by_one(
    drive: Drive, forced: tuple[str | None, str | None], reads: Contacts
) -> None:
    drive.table.hands.strap("right", True)
    drive.rest(0.1)
    drive.table.sensors.hooks.strap_right = forced
    drive.rest(0.02)
    assert strap(drive, "right") is reads
    drive.table.sensors.hooks.strap_right = (None, None)
    drive.rest(0.02)
    assert strap(drive, "right") is Contacts.CLOSED


def test_the_emergency_stop_opens_the_chain_at_once_and_reads_open_after_its_bounce(drive: Drive) -> None:
    drive.table.hands.estop(True)
    assert chain_open(drive)
    drive.rest(0.1)
    assert estop(drive) is Contacts.OPEN
    drive.table.hands.estop(False)
    drive.rest(0.1)
    assert estop(drive) is Contacts.CLOSED
    assert not chain_open(drive)


def test_one_forced_contact_of_the_emergency_stop_opens_the_chain_and_a_welded_one_does_not_close_it(
    drive: Drive,
) -> None:
    hooks = drive.table.sensors.hooks
    hooks.estop = ("open", None)
    drive.rest(0.02)
    assert estop(drive) is Contacts.DISCREPANT
    assert chain_open(drive)
    hooks.estop = ("closed", None)
    drive.table.hands.estop(True)
    drive.rest(0.1)
    assert estop(drive) is Contacts.DISCREPANT
    assert chain_open(drive)


def test_unknown_buttons_and_sides_are_refused(drive: Drive) -> None:
    with pytest.raises(UnknownNameError, match="TILT"):
        drive.table.hands.press("TILTT")
    with pytest.raises(UnknownNameError, match="left"):
        drive.table.hands.strap("lefft", True)


def test_a_table_without_faults_says_so_when_one_is_injected(drive: Drive) -> None:
    with pytest.raises(UsageError, match="without faults"):
        drive.table.hands.inject("strap-opens")


def test_a_contact_cannot_be_forced_into_a_word_that_is_none() -> None:
    with pytest.raises(ValueError, match="shut"):
        Pair(random.Random(0), closed=True).force("shut", None)
