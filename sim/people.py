"""The people around a simulated table: a supervisor and a patient who work its switches as people do.

They see what a screen and the panel's lamps show, one `Snapshot` after another, and act through `Hands`; they know
nothing of the plant. They look ten times a second, and between two looks and two movements of a finger nothing of
them runs, so that a tick costs a fraction of a microsecond.

What they do, in order, as the panel asks for it: the supervisor tells that the lamps are lit, closes the straps, one
after the other, lowers the table to level by a held TILT, has the patient try the own button, confirms the straps,
chooses the plan, reads it back and confirms afresh; waits until the table has been still long enough and holds TILT
down to the target; shows presence while the patient is below level; and after the last rest confirms, opens the
straps and lets the patient off. What they do in trouble is told at `Supervisor._mend`.
"""

from firmware_bridge.hands import Hands
from safety.signals import Guide, Snapshot
from sim.habits import Fingers, Habits
from sim.supervisor import Supervisor

LOOK_MS = 500
TAP_MS = 500
AGAIN_MS = 3000


class Patient:
    """The one on the table, who tries the own button when asked to."""

    def __init__(self, hands: Hands) -> None:
        """Begin with the button untouched."""
        self.wake_ms = 0
        self._fingers = Fingers(hands)
        self._look_ms = 0

    def wake(self, snapshot: Snapshot) -> None:
        """Do what is to be done at `wake_ms`, and set the next one."""
        now_ms = snapshot.t_ms
        fingers = self._fingers
        fingers.advance(now_ms)
        if now_ms >= self._look_ms:
            asked = snapshot.wish.guide is Guide.PATIENT_BUTTON
            if asked:
                fingers.tap("PATIENT", now_ms, TAP_MS)
            self._look_ms = now_ms + (AGAIN_MS if asked else LOOK_MS)
        self.wake_ms = fingers.due_ms if fingers.due_ms < self._look_ms else self._look_ms


class People:
    """Supervisor and patient of one session; give `observe` to the control loop.

    `observe` costs 0.1 µs in a tick in which nobody looks or moves.
    """

    def __init__(self, hands: Hands, habits: Habits | None = None) -> None:
        """Put them beside and on a table."""
        self.supervisor = Supervisor(hands, habits or Habits())
        self.patient = Patient(hands)
        self._wake_ms = 0

    @property
    def done(self) -> bool:
        """Whether the patient may get off: at level, the straps open."""
        return self.supervisor.done

    def observe(self, snapshot: Snapshot) -> None:
        """See one tick, and act if it is time to."""
        if snapshot.t_ms >= self._wake_ms:
            supervisor, patient = self.supervisor, self.patient
            if snapshot.t_ms >= supervisor.wake_ms:
                supervisor.wake(snapshot)
            if snapshot.t_ms >= patient.wake_ms:
                patient.wake(snapshot)
            self._wake_ms = supervisor.wake_ms if supervisor.wake_ms < patient.wake_ms else patient.wake_ms
