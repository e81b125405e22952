"""How the control process ends: with the patient at level, nothing moving, and the table disarmed where it can be."""

from typing import Final

from controller.machine import SessionMachine
from controller.progress import degrees
from safety.signals import DEMAND_CUT, DEMAND_HOLD, DEMAND_STOP, Region, Snapshot

BELOW: Final = (Region.UNKNOWN, Region.BELOW, Region.INVERTED)
DISARM_MS: Final = 3_000
"""For so long the guard's answer to DISARM is awaited; a table that stays armed is disarmed by the next run."""


class Leaving:
    """The wish of somebody that the program ends, `because` of a signal.

    Attributes:
        may: whether it may end now.
    """

    def __init__(self, because: str, manual_return_text: str) -> None:
        """Begin to wait."""
        self.because = because
        self.may = False
        self._manual = manual_return_text
        self._left_ms = DISARM_MS
        self._asked = False

    def follow(self, snapshot: Snapshot, machine: SessionMachine) -> None:
        """Take in a tick."""
        decision, readings = snapshot.decision, snapshot.readings
        moving = decision.command.velocity_cdeg_s or readings.applied_cdeg_s or decision.returning
        if decision.region in BELOW or moving or not decision.still:
            self.may = False
        elif decision.armed is None or decision.inverted_ms or self._left_ms <= 0:
            self.may = True
        else:
            self._left_ms -= readings.elapsed_ms
            if not self._asked:
                self._asked = True
                machine.ask_to_disarm()

    def stays(self, snapshot: Snapshot) -> str:
        """Return why the program does not end yet, in a sentence; empty where it does."""
        if self.may:
            return ""
        decision = snapshot.decision
        angle = degrees(decision.angle_cdeg)
        if decision.region is Region.UNKNOWN:
            why = "nobody knows the angle: look at the table"
        elif decision.region not in BELOW:
            why = "comes to rest" if decision.armed is None or not decision.still else "is being disarmed"
            return f"{self.because}: still here for a moment, while the table {why}."
        elif decision.demand is DEMAND_CUT:
            why = f"the patient is at {angle} and the drive is cut: {self._manual}"
        elif decision.demand is DEMAND_HOLD:
            why = f"the patient is at {angle} and the table is held: hold RETURN at the panel until it is level"
        elif decision.demand is DEMAND_STOP and not decision.returning:
            why = f"the patient is at {angle} and the table is stopped: press RETURN at the panel"
        else:
            why = f"the patient is at {angle}, on the way to level"
        return f"{self.because}: still here, because {why}. Leaving now would leave a person on a tilted table."
