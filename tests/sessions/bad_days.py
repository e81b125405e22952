"""What goes wrong around the panel in a hold, and what a table then has to do: the same in process, on a wire, on pins.

Each begins in a hold of a plan to −20° or −12° that the scripted hand itself came to, and ends at level. `inject`
starts a fault by its name, as `--fault` writes it.
"""

from collections.abc import Callable
from typing import Final

from safety.signals import BUTTONS, Alarm, Demand, Region, State
from tests.sessions.by_buttons import Hand

Inject = Callable[[str], object]
Script = Callable[[Hand, Inject], None]
AT_ONCE: Final = {"RETURN": Demand.RETURN, "STOP": Demand.STOP}
MOVES: Final = ("TILT", "RAISE")


def into_a_hold(hand: Hand) -> Hand:
    """The whole start and a tilt, by the hand alone."""
    hand.start()
    hand.tilt()
    hand.wait(1.0)
    return hand


def came_home(hand: Hand, at_most_s: float = 90.0) -> None:
    """See that the table comes to rest at level."""
    hand.until(lambda seen: seen.decision.region == Region.LEVEL and seen.decision.still, at_most_s, "level")


def went_no_deeper(hand: Hand) -> None:
    """See that it never went deeper than the plan's cap and half a degree."""
    armed = next(seen.decision.armed for seen in hand.seen if seen.decision.armed is not None)
    assert min(seen.decision.angle_cdeg or 0 for seen in hand.seen) > armed.cap_cdeg - 50


def a_button_sticks(button: str) -> Script:
    """A button is held for good: the patient comes back all the same, by it or for want of a fresh press."""

    def script(hand: Hand, inject: Inject) -> None:
        hand.hold(button)
        hand.wait(0.5)
        assert hand.now().readings.buttons == BUTTONS[button]
        assert hand.now().decision.demand == AT_ONCE.get(button, Demand.ALLOW)
        hand.wait(6.0)
        assert ("H25" in hand.now().decision.prompts) is (button in MOVES)
        hand.until(lambda seen: seen.decision.returning or seen.decision.region == Region.LEVEL, 45.0, "the way back")
        came_home(hand)
        went_no_deeper(hand)

    return script


def the_patients_button(how: str) -> Script:
    """The patient's button is `pressed` for a moment, `held`, or its wire is `cut`: back at once, and it is over."""

    def script(hand: Hand, inject: Inject) -> None:
        if how == "pressed":
            hand.tap("PATIENT", 0.2)
        elif how == "held":
            hand.hold("PATIENT")
        else:
            inject("patient-button-broken")
        hand.wait(0.3)
        assert (hand.codes, hand.now().decision.alarm) == (["H22"], Alarm.MEDIUM)
        assert hand.now().decision.returning
        came_home(hand)
        hand.until(lambda seen: seen.wish.state in (State.RESTING, State.STOPPED), 5.0)
        assert hand.now().decision.over
        stood = hand.angle_deg
        hand.tap("TILT", 3.0)
        assert abs(hand.angle_deg - stood) < 0.5

    return script


def an_emergency_stop(hand: Hand, inject: Inject) -> None:
    """Pressed, pulled, acknowledged, back by a held RETURN, reset."""
    hand.hands.estop(True)
    hand.wait(0.3)
    assert (hand.codes, hand.now().decision.demand, hand.now().decision.alarm) == (["H20"], Demand.CUT, Alarm.HIGH)
    assert hand.now().wish.state is State.STOPPED
    hand.wait(2.0)
    stood = hand.angle_deg
    hand.hands.estop(False)
    hand.wait(1.0)
    assert hand.now().decision.demand == Demand.CUT, "a pulled button alone clears nothing"
    hand.tap("ACK", 0.7)
    assert hand.now().decision.demand == Demand.HOLD
    assert abs(hand.angle_deg - stood) < 0.5
    hand.hold("RETURN")
    hand.wait(4.0)
    hand.let_go("RETURN")
    hand.wait(1.5)
    half_way = hand.angle_deg
    assert half_way > stood + 1
    hand.wait(1.0)
    assert abs(hand.angle_deg - half_way) < 0.3, "it went on without a held button"
    hand.hold("RETURN")
    came_home(hand)
    hand.let_go("RETURN")
    hand.tap("ACK", 2.3)
    assert hand.codes == []


def nobody_is_there(hand: Hand, inject: Inject) -> None:
    """No press in the room: a prompt, no deepening, the way back; each at its second."""
    hand.tap("PRESENCE", 0.2)
    hand.wait(21.0)
    assert (hand.now().decision.prompts, hand.codes) == (("H24",), [])
    hand.wait(10.0)
    assert (hand.codes, hand.now().decision.demand) == (["H24"], Demand.NO_DEEPENING)
    hand.until(lambda seen: seen.decision.returning, 12.0, "the way back")
    came_home(hand)


def a_strap_contact_fails(side: str, contact: int, stuck: str) -> Script:
    """One of a strap's two contacts stays open, or stays closed when the strap opens: back, and the side is named."""

    def script(hand: Hand, inject: Inject) -> None:
        inject(f"strap-contact-fails:side={side},contact={contact},stuck={stuck}")
        if stuck == "closed":
            hand.wait(1.0)
            assert hand.codes == [], "both contacts say closed, and so does the strap"
            hand.hands.strap(side, False)
        hand.wait(0.5)
        (cause,) = hand.now().decision.causes
        assert (cause.code, cause.demand, cause.alarm, cause.where) == ("H06", Demand.RETURN, Alarm.MEDIUM, side)
        came_home(hand)

    return script
