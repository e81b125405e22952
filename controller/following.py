"""The session's state, and how it follows the judge: what the judge forces, and what its echo says."""

from typing import Final

from transitions import Machine, MachineError

from config.errors import IllegalStepError
from controller.announced import AnnouncedMotion
from controller.panel_start import Start
from controller.states import (
    EMERGENCY_RETURN,
    HOLDING,
    IDLE,
    RESTING,
    RETURNING,
    STOPPED,
    STRAPPED,
    TABLE,
    TILTING,
    TRIGGERS,
)
from controller.walker import Steps, Walk
from safety.signals import DEMAND_RETURN, DEMAND_STOP, Arm, Cause, Decision, Region, State

LEVEL: Final = Region.LEVEL
UNKNOWN: Final = Region.UNKNOWN
BELOW: Final = Region.BELOW


class Following:
    """Where a session stands; the judge's last decision moves it, tick by tick.

    Attributes:
        start: the way to ARM: what was refused, which plan is shown and then armed.
        state: where the session stands; `walk` where in the plan.
        sets_done: how many sets were held to their end.
        ended_by_person: whether somebody ended the session.
        illegal: how many steps were tried that the state did not have.
    """

    def __init__(self, start: Start, motion: AnnouncedMotion) -> None:
        """Begin in `idle`."""
        self.start = start
        self.walk = Walk()
        self.illegal = 0
        self.sets_done = 0
        self.ended_by_person = False
        self.state: State = IDLE
        self._motion = motion
        self._target_cdeg = start.steps.target_cdeg
        self._armed: Arm | None = None
        self._was_below = False
        self._lowers = False
        self._return_because = ""
        self._machine = Machine(
            model=self,
            states=list(State),
            transitions=[dict(row) for row in TABLE],
            initial=IDLE,
            auto_transitions=False,
            queued=True,
            after_state_change="_entered",
        )

    @property
    def steps(self) -> Steps:
        """The plan that is shown, and from ARM on the one that is armed."""
        return self.start.steps

    @property
    def refusals(self) -> tuple[Cause, ...]:
        """Why the table was not armed, the last time."""
        return self.start.refusals

    def fire(self, event: str) -> None:
        """Take one step of the table.

        Raises:
            IllegalStepError: the present state has no such step; nothing is changed.
        """
        if event not in TRIGGERS:
            self.illegal += 1
            raise IllegalStepError(f"there is no step called {event}; there are: {', '.join(TRIGGERS)}")
        try:
            getattr(self, event)()  # the library hangs each trigger of the table on its model
        except MachineError as error:
            self.illegal += 1
            raise IllegalStepError(f"{event} is not possible in state {self.state.value}") from error

    def is_armed(self) -> bool:
        """Whether the judge has accepted an ARM that still stands."""
        return self._armed is not None

    def _entered(self) -> None:
        """After every change of state a new motion begins; but `tilt` is entered by a motion, which goes on."""
        if self.state is not TILTING:
            self._motion.rest()

    # Following the judge ------------------------------------------------------------------------------------------

    def _follow(self, decision: Decision) -> None:
        """Let the judge's last decision move the machine: what it forces, and what its echo says."""
        state = self.state
        demand = decision.demand
        if self._armed is not decision.armed:
            self._rearmed(decision.armed)
            state = self.state
        below = decision.region >= BELOW
        if below:
            self._was_below = True
        if demand >= DEMAND_STOP:
            self._forced(state, decision, below)
        elif state is RESTING or state is IDLE:
            return
        elif state is STRAPPED and not self.ended_by_person:
            # Lowering from above comes to level too, and begins no set.
            if below or (decision.command.velocity_cdeg_s < 0 and decision.region == LEVEL and not self._lowers):
                self.walk = self.walk.next_set()
                self.fire("tilt")
        elif state is TILTING or state is HOLDING:
            if decision.returning or (not below and (state is HOLDING or self._return_because)):
                self.fire("turn_back")
        elif state is STOPPED:
            self._cleared(decision, below)
        state = self.state
        if (state is RETURNING or state is EMERGENCY_RETURN) and not decision.returning:
            known = decision.region is not UNKNOWN
            if known and not below and decision.still:
                self._arrive()

    def _rearmed(self, armed: Arm | None) -> None:
        """Take note of the echo of ARM or DISARM."""
        self._armed = armed
        if armed is not None and self.state is IDLE:
            self.start.armed(armed)
            self._target_cdeg = self.steps.target_cdeg
            self.walk = Walk()
            self._was_below = False
            self.fire("armed")
        elif armed is None and self.state in (STRAPPED, RESTING, STOPPED):
            self.start.over = True
            self.fire("disarm")

    def _forced(self, state: State, decision: Decision, below: bool) -> None:
        """Follow a demand of STOP or worse."""
        if decision.returning:
            if decision.causes and any(cause.demand >= DEMAND_RETURN for cause in decision.causes):
                if state is not EMERGENCY_RETURN:
                    self.fire("bring_back")
            elif state in (TILTING, HOLDING, STOPPED):
                self.ended_by_person = True
                self.fire("turn_back")
        elif state is STOPPED:
            level = decision.region is not UNKNOWN and not below and decision.still
            if level and self._was_below and self._armed is not None:
                self._arrive()
        elif state is RESTING:
            if below:
                self.fire("halt")
        elif state is not EMERGENCY_RETURN or below:
            self.fire("halt")

    def _cleared(self, decision: Decision, below: bool) -> None:
        """Leave `stopped` once nothing stops the table any more."""
        if below:
            if decision.returning:
                self.fire("turn_back")
            elif decision.command.velocity_cdeg_s < 0:
                self.fire("tilt")
            elif self.walk.held_ms:
                self.fire("resume")
        elif self._was_below and self._armed is not None:
            if decision.still:
                self._arrive()
        else:
            self.fire("clear")

    def _arrive(self) -> None:
        """Rest at level; the set is over."""
        if self.walk.held_ms >= self.steps.hold_ms:
            self.sets_done += 1
        self.walk = Walk(number=self.walk.number)
        self._was_below = False
        self.fire("arrived")
