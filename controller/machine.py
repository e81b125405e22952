"""The state machine of a session: it wishes, the judge decides; the table of its states is in `controller.states`."""

from collections.abc import Callable
from typing import Final

from transitions import Machine, MachineError

from config.errors import IllegalStepError
from config.limits import Limits
from controller.motion_profile import REACHED_CDEG, MotionProfile
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
from safety.signals import (
    CONFIRM,
    DEMAND_ALLOW,
    DEMAND_RETURN,
    DEMAND_STOP,
    RAISE,
    RETURN,
    TILT,
    Arm,
    Cause,
    Decision,
    Readings,
    Region,
    State,
    Wish,
)

LEVEL: Final = Region.LEVEL
UNKNOWN: Final = Region.UNKNOWN
LEVEL_CDEG: Final = 100
BELOW: Final = Region.BELOW


class SessionMachine:
    """One session of one plan on one table.

    Args:
        steps: the plan, as `walker.steps_of` copies it.
        limits: the table's limits.
        arm: makes the ARM request when the plan has been read back; its argument is the number of the try, from 1.
    """

    def __init__(self, steps: Steps, limits: Limits, arm: Callable[[int], Arm]) -> None:
        """Begin in `idle`, with nothing asked for."""
        self.steps = steps
        self.walk = Walk()
        self._target_cdeg = steps.target_cdeg
        self.illegal = 0
        self.sets_done = 0
        self.ended_by_person = False
        self.refusals: tuple[Cause, ...] = ()
        self.state: State = IDLE
        self._limits = limits
        self._arm = arm
        self._tries = 0
        self._asked = False
        self._armed: Arm | None = None
        self._buttons = 0
        self._was_below = False
        self._profile = MotionProfile(limits.deceleration_cdeg_s2, limits.first_degree_cdeg_s)
        self._stop_because = ""
        self._return_because = ""
        self._acknowledge = False
        self._machine = Machine(
            model=self,
            states=list(State),
            transitions=[dict(row) for row in TABLE],
            initial=IDLE,
            auto_transitions=False,
            queued=True,
            after_state_change="_entered",
        )

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

    def stop(self, because: str) -> None:
        """Ask for a stop, as the panel's STOP does; `because` is recorded."""
        self._stop_because = because

    def bring_patient_back(self, because: str) -> None:
        """Ask for a return, as one touch of RETURN does; `because` is recorded."""
        self._return_because = because
        self.ended_by_person = True

    def acknowledge(self) -> None:
        """Ask for the sound to pause."""
        self._acknowledge = True

    def _entered(self) -> None:
        """After every change of state a new motion begins."""
        self._profile.rest()

    # One tick ---------------------------------------------------------------------------------------------------

    def decide(self, readings: Readings, decision: Decision) -> Wish:
        """Return what the session would like now, after following what the judge last decided."""
        self._follow(decision)
        buttons = readings.buttons or 0
        pressed = buttons & ~self._buttons
        self._buttons = buttons
        angle = decision.angle_cdeg
        state = self.state
        velocity = 0
        plan_return = False
        disarm = False
        arm = None
        left_ms = 0
        elapsed_ms = readings.elapsed_ms
        if state is HOLDING:
            walk = self.walk
            self.walk = walk = Walk(walk.number, walk.stage, walk.waited_ms, walk.held_ms + elapsed_ms)
            left_ms = self.steps.hold_ms - walk.held_ms
            plan_return = left_ms <= 0
        elif state is TILTING:
            velocity, left_ms = self._tilt(angle, buttons, pressed, elapsed_ms)
            if pressed & RETURN and decision.region == LEVEL:
                self.ended_by_person = True
                self.fire("turn_back")
        elif state is RETURNING:
            plan_return = True
            if angle is not None:
                velocity = self._profile.toward(0, angle, self.steps.speed_cdeg_s, elapsed_ms)
        elif state is RESTING:
            walk = self.walk
            self.walk = walk = Walk(walk.number, walk.stage, 0, 0, walk.rested_ms + elapsed_ms)
            left_ms = self.steps.rest_ms - walk.rested_ms
            if buttons:
                velocity = self._above_level(angle, buttons, elapsed_ms)
            if left_ms <= 0:
                disarm = pressed & CONFIRM != 0
                if self._armed is None and not disarm:
                    self.fire("disarm")
                elif not disarm and self._another_set(decision):
                    self.fire("next_set")
        elif state is STRAPPED and self.ended_by_person:
            disarm = decision.still
        elif buttons and angle is not None and state is not EMERGENCY_RETURN:
            velocity, disarm = self._by_buttons(state, angle, buttons, pressed, elapsed_ms)
        if state is IDLE:
            arm = self._ask_to_arm(decision, buttons, pressed)
        elif not velocity and not buttons and state is not RETURNING and self._profile.start_cdeg is not None:
            self._profile.rest()
        return self._wish(velocity, plan_return, arm, disarm, left_ms)

    def _wish(self, velocity: int, plan_return: bool, arm: Arm | None, disarm: bool, left_ms: int) -> Wish:
        """Put a wish together; requests of the host are passed on once."""
        stop_because, return_because = self._stop_because, self._return_because
        acknowledge, state, walk = self._acknowledge, self.state, self.walk
        if stop_because or acknowledge:
            self._stop_because, self._acknowledge = "", False
        if return_because and state not in (TILTING, HOLDING, STOPPED):
            self._return_because = ""
        # The angle to which the plan goes now.
        planned_cdeg = 0
        if state is HOLDING:
            planned_cdeg = self._target_cdeg
        elif state is TILTING:
            planned_cdeg = self.steps.stages_cdeg[walk.stage]
        return Wish(
            velocity,
            plan_return,
            arm,
            disarm,
            stop_because,
            return_because,
            acknowledge,
            state,
            walk.number,
            planned_cdeg,
            left_ms if left_ms > 0 else 0,
        )

    def _tilt(self, angle: int | None, buttons: int, pressed: int, elapsed_ms: int) -> tuple[int, int]:
        """Velocity on the way down, and the milliseconds left of a stage's wait."""
        if angle is None:
            return self._profile.rest(), 0
        target = self.steps.stages_cdeg[self.walk.stage]
        # A stage once reached stays reached: noise at its edge does not start its wait anew.
        if not self.walk.waited_ms and angle - target > REACHED_CDEG:
            if self._return_because:
                return self._profile.rest(), 0
            held = buttons & TILT != 0 or (self._armed is not None and not self._armed.held_tilt)
            if not held:
                return self._profile.rest(), 0
            return min(self._profile.toward(target, angle, self.steps.speed_cdeg_s, elapsed_ms), 0), 0
        self._profile.rest()
        if target == self._target_cdeg:
            self.fire("reached")
            return 0, self.steps.hold_ms
        walk = self.walk
        self.walk = walk = Walk(walk.number, walk.stage, walk.waited_ms + elapsed_ms, walk.held_ms)
        left_ms = self.steps.stage_wait_ms - walk.waited_ms
        by_itself = self._armed is not None and not self._armed.held_tilt
        if left_ms <= 0 and (pressed & TILT or by_itself):
            self.walk = walk.next_stage()
        return 0, left_ms

    def _by_buttons(self, state: State, angle: int, buttons: int, pressed: int, elapsed_ms: int) -> tuple[int, bool]:
        """Velocity and DISARM as buttons ask for them in `idle`, `strapped` and `stopped`."""
        if pressed & CONFIRM and (state is STRAPPED or state is STOPPED) and self._armed is not None:
            return 0, True
        if self.ended_by_person and angle <= LEVEL_CDEG:
            return 0, False
        if buttons & TILT and state is not IDLE:
            begins = state is STRAPPED and angle <= self._limits.first_degree_cdeg_s
            if begins or (state is STOPPED and self._was_below):
                velocity = self._profile.toward(self._stage_target(), angle, self.steps.speed_cdeg_s, elapsed_ms)
                return min(velocity, 0), False
        return self._above_level(angle, buttons, elapsed_ms), False

    def _stage_target(self) -> int:
        """Where the present descent goes first."""
        return self.steps.stages_cdeg[min(self.walk.stage, len(self.steps.stages_cdeg) - 1)]

    def _above_level(self, angle: int | None, buttons: int, elapsed_ms: int) -> int:
        """Velocity for positioning above level by a held button; the judge keeps the stops and pauses."""
        if angle is None:
            return 0
        speed = self._limits.above_cdeg_s
        if buttons & TILT and angle > 0:
            return min(self._profile.toward(0, angle, speed, elapsed_ms), 0)
        if buttons & RAISE:
            return max(self._profile.toward(self._limits.boarding_cdeg, angle, speed, elapsed_ms), 0)
        return 0

    def _ask_to_arm(self, decision: Decision, buttons: int, pressed: int) -> Arm | None:
        """Ask once when the plan has been read back, and again at each further press of CONFIRM."""
        if decision.refusals:
            self.refusals = decision.refusals
        if pressed & CONFIRM:
            self._asked = False
        # A button held while arming would be refused as stuck (H25), CONFIRM's own too.
        if (
            self._asked
            or buttons
            or self.ended_by_person
            or not decision.proofs.read_back
            or decision.armed is not None
        ):
            return None
        self._asked = True
        self._tries += 1
        return self._arm(self._tries)

    def _another_set(self, decision: Decision) -> bool:
        """Whether the plan has a set left and nothing ended the session."""
        return (
            self.walk.number < self.steps.sets
            and not self.ended_by_person
            and decision.demand == DEMAND_ALLOW
            and decision.armed is not None
            and not decision.over
        )

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
            if below or (decision.command.velocity_cdeg_s < 0 and decision.region == LEVEL):
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
            self.refusals = ()
            self.walk = Walk()
            self._was_below = False
            self.fire("armed")
        elif armed is None and self.state in (STRAPPED, RESTING, STOPPED):
            self._asked = True
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
