"""The switches of a simulated table, as people work them; no real table has such a seam."""

from typing import Protocol


class Hands(Protocol):
    """What a person in the room can do to a simulated table.

    Buttons are named as in `safety.signals.BUTTONS`, or `PATIENT` for the patient's own; sides are `left`
    and `right`.
    """

    def press(self, button: str) -> None:
        """Hold a button down until it is released; pressing a held button changes nothing."""
        ...

    def release(self, button: str) -> None:
        """Let go of a button."""
        ...

    def strap(self, side: str, closed: bool) -> None:
        """Close or open the strap of one side."""
        ...

    def estop(self, pressed: bool) -> None:
        """Press or pull the emergency stop."""
        ...

    def crank(self, turning: bool) -> None:
        """Work the manual return, which needs no power: it turns the table slowly toward level while worked."""
        ...

    def inject(self, fault: str) -> None:
        """Provoke a fault, written as on the command line: `NAME[+DURATION][:key=value,…]`, from now on."""
        ...
