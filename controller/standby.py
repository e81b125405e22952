"""The session of a table for which nothing is offered: it arms nobody, and a hand on the panel may position it.

Whatever the judge forces it follows as any session does: a return that an earlier run of the program left under way is
watched to its end, and a table that is still armed from then is disarmed once the patient has rested at level.
"""

from typing import Final

from config.limits import Limits
from controller.machine import SessionMachine
from controller.panel_start import Start
from controller.walker import Steps
from safety.signals import Arm, Contacts, Decision, Guide, Readings, Region, Wish

ASK_AGAIN_MS: Final = 10_000
OPEN: Final = Contacts.OPEN
REST: Final = (Region.LEVEL, Region.ABOVE)


class NothingOffered(Start):
    """A start without a plan: it waits, and lets off whoever is still strapped in from the visit before."""

    def __init__(self, steps: Steps, lamps_tested: bool, strapped: bool) -> None:
        """Begin; `strapped` says that somebody is to be let off first."""
        super().__init__((steps,), _refuse, 0, None, lamps_tested)
        self._strapped = strapped

    def tick(self, readings: Readings, decision: Decision, buttons: int, pressed: int) -> Arm | None:
        """Wait."""
        if decision.refusals:
            self.refusals = decision.refusals
        if self._strapped and readings.strap_left is OPEN and readings.strap_right is OPEN:
            self._strapped = False
        self.guide = Guide.OPEN if self._strapped else Guide.NOTHING
        return None


class Standby(SessionMachine):
    """Waits in `idle` until a plan is offered.

    Args:
        limits: the table's.
        lamps_tested: whether somebody has told this program already that every lamp is lit and the tone sounds.
        strapped: whether somebody is still to be let off.
        forget: whether all that was proven for the visit before is to be proven anew.
    """

    def __init__(self, limits: Limits, lamps_tested: bool, strapped: bool, forget: bool) -> None:
        """Begin in `idle`."""
        steps = Steps("", "", 0, (0,), 0, 0, limits.rest_s * 1000, limits.speed_cdeg_s)
        super().__init__((steps,), limits, _refuse)
        self.start = NothingOffered(steps, lamps_tested, strapped)
        self._wait_ms = 0
        if forget:
            self.ask_to_disarm()

    def bring_patient_back(self, because: str, warn_ms: int = 0) -> None:
        """Ask for a return; there is no session that it would end."""
        super().bring_patient_back(because, warn_ms)
        self.ended_by_person = False

    def decide(self, readings: Readings, decision: Decision) -> Wish:
        """Wish as a session does; also DISARM, where the guard is still armed for somebody who is gone."""
        guard = readings.guard
        if guard is not None and guard.session_id and decision.armed is None and decision.region in REST:
            self._wait_ms -= readings.elapsed_ms
            if self._wait_ms <= 0 and decision.still and not decision.inverted_ms:
                self._wait_ms = ASK_AGAIN_MS
                self.ask_to_disarm()
        return super().decide(readings, decision)


def _refuse(_number: int, _steps: Steps) -> Arm:
    raise AssertionError("nothing is offered that could be armed")
