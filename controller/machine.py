"""The state machine of a session: it wishes, the judge decides; the table of its states is in `controller.states`."""

from typing import Final

from config.limits import INVERTED_CDEG, RETURN_AIM_CDEG, Limits
from controller import panel
from controller.announced import AnnouncedMotion
from controller.following import Following
from controller.motion_profile import REACHED_CDEG
from controller.panel_start import ArmOf, Declare, Start
from controller.states import (
    EMERGENCY_RETURN,
    HOLDING,
    IDLE,
    RESTING,
    RETURNING,
    STOPPED,
    STRAPPED,
    TILTING,
)
from controller.walker import Steps, Walk
from safety.moving import RAISE_PAUSE_CDEG
from safety.signals import (
    CONFIRM,
    DEMAND_ALLOW,
    PLAN_DOWN,
    PLAN_UP,
    RAISE,
    RETURN,
    TILT,
    Arm,
    Decision,
    Guide,
    Readings,
    Region,
    State,
    Wish,
)

LEVEL: Final = Region.LEVEL
UNKNOWN: Final = Region.UNKNOWN
LEVEL_CDEG: Final = 100
BELOW: Final = Region.BELOW
NOTHING: Final = Guide.NOTHING
# One press of LESS; a hold that would end above -5° by it is a return.
LESS_CDEG: Final = 500
LESS_IS_RETURN: Final = "less than 5° of inversion was asked for"


class SessionMachine(Following):
    """One session on one table: of one plan, or of whichever is chosen at the panel.

    Args:
        plans: the plans that may be chosen, as `walker.steps_of` copies them; the first is shown first.
        limits: the table's limits.
        arm: makes the ARM request when a plan has been read back, of the number of the try, from 1, and of the plan.
        questions: how many items of the screening list are answered at the panel first; 0: none are.
        declare: takes the answers in, and returns the plans that they allow, the first plan among them.
        lamps_tested: whether somebody has told this program already that every lamp is lit and the tone sounds.
    """

    def __init__(
        self,
        plans: tuple[Steps, ...],
        limits: Limits,
        arm: ArmOf,
        *,
        questions: int = 0,
        declare: Declare | None = None,
        lamps_tested: bool = False,
    ) -> None:
        """Begin in `idle`, with nothing asked for."""
        super().__init__(Start(plans, arm, questions, declare, lamps_tested), AnnouncedMotion(limits))
        self._limits = limits
        self._buttons = 0
        self._leave = 0
        self._eases = False
        self._raise_pause_ms = 0
        self._lifts_to_cdeg = RAISE_PAUSE_CDEG
        self._stop_because = ""
        self._acknowledge = False
        self._ends = False
        self._warn_ms = 0

    def stop(self, because: str) -> None:
        """Ask for a stop, as the panel's STOP does; `because` is recorded."""
        self._stop_because = because

    def bring_patient_back(self, because: str, warn_ms: int = 0) -> None:
        """Ask for a return, as one touch of RETURN does; `because` is recorded.

        For `warn_ms` a tone sounds first, in which the table goes no deeper: whoever asks has seen an old picture.
        """
        # Whoever asks again does not put off what was asked for before.
        self._warn_ms = min(self._warn_ms, warn_ms) if self._return_because else warn_ms
        self._return_because = because
        self.ended_by_person = True

    def ask_to_disarm(self) -> None:
        """Ask for DISARM, as CONFIRM at the end of a session does; unarmed, everything has to be proven anew."""
        self._ends = True

    def acknowledge(self) -> None:
        """Ask for the sound to pause."""
        self._acknowledge = True

    # One tick ---------------------------------------------------------------------------------------------------

    def decide(self, readings: Readings, decision: Decision) -> Wish:
        """Return what the session would like now, after following what the judge last decided."""
        self._follow(decision)
        buttons = readings.buttons or 0
        pressed = buttons & ~self._buttons
        self._buttons = buttons
        angle = decision.angle_cdeg
        state = self.state
        motion = self._motion
        motion.begin_tick()
        self._raise_pause_ms = panel.raise_pause_ms(self._raise_pause_ms, readings, angle)
        if buttons or self._leave:
            if pressed & TILT:
                self._lowers = angle is not None and angle > LEVEL_CDEG
            if pressed & RAISE:
                self._lifts_to_cdeg = panel.lifts_to(angle, self._limits.boarding_cdeg)
            by_itself = self._armed is not None and not self._armed.held_tilt
            self._leave = panel.leave(self._leave, state, decision, buttons, pressed, by_itself, self._raise_pause_ms)
        velocity = left_ms = 0
        plan_return = disarm = False
        arm = None
        guide = NOTHING
        elapsed_ms = readings.elapsed_ms
        if state is HOLDING:
            velocity, left_ms = self._hold(angle, buttons, pressed, elapsed_ms)
            plan_return = left_ms <= 0
            guide = Guide.HOLD
        elif state is TILTING:
            velocity, left_ms, guide = self._tilt(decision, buttons, pressed, elapsed_ms)
            if pressed & RETURN and decision.region == LEVEL:
                self.ended_by_person = True
                self.fire("turn_back")
        elif state is RETURNING:
            plan_return, guide = True, Guide.RETURNING
            if angle is not None:
                velocity = motion.profile.toward(0, angle, self.steps.speed_cdeg_s, elapsed_ms)
                left_ms = panel.travel_ms(RETURN_AIM_CDEG - angle, self.steps.speed_cdeg_s)
        elif state is EMERGENCY_RETURN:
            guide = Guide.RETURNING
            if angle is not None:
                # It begins more slowly than it goes on: a time to level worked out from that would frighten.
                left_ms = panel.travel_ms(
                    RETURN_AIM_CDEG - angle, max(readings.applied_cdeg_s or 0, self._limits.slow_cdeg_s)
                )
        elif state is RESTING:
            walk = self.walk
            self.walk = walk = Walk(walk.number, walk.stage, 0, 0, walk.rested_ms + elapsed_ms)
            left_ms = self.steps.rest_ms - walk.rested_ms
            guide = Guide.REST if left_ms > 0 else Guide.END
            if buttons:
                velocity = self._above_level(angle, elapsed_ms)
            if left_ms <= 0:
                disarm = pressed & CONFIRM != 0
                if self._armed is None and not disarm:
                    self.fire("disarm")
                elif not disarm and self._another_set(decision):
                    self.fire("next_set")
        elif state is STRAPPED:
            over = self.ended_by_person
            guide, left_ms = panel.at_rest_at_level(decision, self._leave & TILT, buttons, over)
            if over:
                disarm = decision.still
            elif (buttons or self._leave) and angle is not None:
                velocity, disarm = self._by_buttons(state, angle, pressed, elapsed_ms)
        elif state is STOPPED:
            guide, left_ms = panel.stood_still(decision, self._leave & TILT, buttons)
            if (buttons or self._leave) and angle is not None:
                velocity, disarm = self._by_buttons(state, angle, pressed, elapsed_ms)
        elif state is IDLE:
            if self._leave and angle is not None and not (self.ended_by_person and angle <= LEVEL_CDEG):
                velocity = self._above_level(angle, elapsed_ms)
            start = self.start
            start.over = start.over or self.ended_by_person
            arm = start.tick(readings, decision, buttons, pressed)
            guide, left_ms = start.guide, start.left_ms
        if state is not RETURNING:
            motion.end_tick()
            if motion.sounding:
                left_ms = motion.left_ms if state is not HOLDING else left_ms
        if self._warn_ms:
            self._warn_ms = 0 if decision.returning else max(self._warn_ms - elapsed_ms, 0)
        if self._ends:
            self._ends, disarm = False, True
        return self._wish(velocity, plan_return, arm, disarm, left_ms, guide)

    def _wish(
        self, velocity: int, plan_return: bool, arm: Arm | None, disarm: bool, left_ms: int, guide: Guide
    ) -> Wish:
        """Put a wish together; requests of the host are passed on once."""
        stop_because, return_because = self._stop_because, self._return_because
        acknowledge, state, walk = self._acknowledge, self.state, self.walk
        if stop_because or acknowledge:
            self._stop_because, self._acknowledge = "", False
        warns = self._warn_ms > 0
        if warns:
            return_because = ""
        elif return_because and state not in (TILTING, HOLDING, STOPPED):
            self._return_because = ""
        # The angle to which the plan goes now.
        planned_cdeg = 0
        if state is HOLDING:
            planned_cdeg = self._target_cdeg
        elif state is TILTING:
            planned_cdeg = self._stage_target()
        start = self.start
        question, answer = (start.question, start.answer) if state is IDLE else (0, None)
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
            self._motion.sounding or warns,
            start.steps.name,
            guide,
            question,
            answer,
        )

    def _hold(self, angle: int | None, buttons: int, pressed: int, elapsed_ms: int) -> tuple[int, int]:
        """Count the hold; PLAN_DOWN is LESS: 5° toward level, announced, and never the other way.

        Returns the velocity and what is left of the hold, in milliseconds.
        """
        walk = self.walk
        self.walk = walk = Walk(walk.number, walk.stage, walk.waited_ms, walk.held_ms + elapsed_ms)
        left_ms = self.steps.hold_ms - walk.held_ms
        if pressed & PLAN_DOWN and not buttons & PLAN_UP:
            if self._target_cdeg + LESS_CDEG > INVERTED_CDEG:
                self._return_because = LESS_IS_RETURN
            else:
                self._target_cdeg += LESS_CDEG
                self._eases = True
        if not self._eases or angle is None or left_ms <= 0 or self._return_because:
            return 0, left_ms
        if angle >= self._target_cdeg - REACHED_CDEG:
            # Once there it stays: noise about the new angle is no reason to move.
            self._eases = False
            return 0, left_ms
        speed = min(self.steps.speed_cdeg_s, self._limits.slow_cdeg_s)
        return max(self._motion.toward(self._target_cdeg, angle, speed, elapsed_ms), 0), left_ms

    def _tilt(self, decision: Decision, buttons: int, pressed: int, elapsed_ms: int) -> tuple[int, int, Guide]:
        """Velocity on the way down, the milliseconds left of what is waited for, and what the panel waits for."""
        angle, leave = decision.angle_cdeg, self._leave & TILT
        if angle is None:
            return 0, 0, NOTHING
        target = self._stage_target()
        # A stage once reached stays reached: noise at its edge does not start its wait anew.
        if not self.walk.waited_ms and angle - target > REACHED_CDEG:
            guide, left_ms = panel.on_the_way_down(decision, leave, buttons, False, 0)
            if self._return_because or not leave:
                return 0, left_ms, guide
            return (
                self._downward(target, angle, elapsed_ms),
                panel.travel_ms(angle - target, self.steps.speed_cdeg_s),
                guide,
            )
        self._motion.rest()
        if target == self._target_cdeg:
            self.fire("reached")
            return 0, self.steps.hold_ms, Guide.HOLD
        walk = self.walk
        self.walk = walk = Walk(walk.number, walk.stage, walk.waited_ms + elapsed_ms, walk.held_ms)
        left_ms = self.steps.stage_wait_ms - walk.waited_ms
        by_itself = self._armed is not None and not self._armed.held_tilt
        if left_ms <= 0 and ((leave and pressed & TILT) or by_itself):
            self.walk = walk.next_stage()
        elif not by_itself:
            # A stage ends the press.
            self._leave = 0
        guide, left_ms = panel.on_the_way_down(decision, self._leave & TILT, buttons, True, left_ms)
        return 0, left_ms, guide

    def _downward(self, target: int, angle: int, elapsed_ms: int) -> int:
        """Velocity toward a deeper angle, never toward a shallower one."""
        if target >= angle:
            return 0
        return min(self._motion.toward(target, angle, self.steps.speed_cdeg_s, elapsed_ms), 0)

    def _by_buttons(self, state: State, angle: int, pressed: int, elapsed_ms: int) -> tuple[int, bool]:
        """Velocity and DISARM as buttons ask for them in `strapped` and `stopped`."""
        if pressed & CONFIRM and self._armed is not None:
            return 0, True
        if self.ended_by_person and angle <= LEVEL_CDEG:
            return 0, False
        if self._leave & TILT and not self._lowers:
            begins = state is STRAPPED and angle <= self._limits.first_degree_cdeg_s
            if begins or (state is STOPPED and self._was_below):
                return self._downward(self._stage_target(), angle, elapsed_ms), False
        return self._above_level(angle, elapsed_ms), False

    def _stage_target(self) -> int:
        """Where the present descent goes first; no deeper than LESS has left of the target."""
        stages = self.steps.stages_cdeg
        return max(stages[min(self.walk.stage, len(stages) - 1)], self._target_cdeg)

    def _above_level(self, angle: int | None, elapsed_ms: int) -> int:
        """Velocity for positioning above level by a held button; the judge keeps the stops and pauses."""
        if angle is None:
            return 0
        speed = self._limits.above_cdeg_s
        if self._leave & TILT and angle > 0:
            return min(self._motion.toward(0, angle, speed, elapsed_ms), 0)
        if self._leave & RAISE:
            return max(self._motion.toward(self._lifts_to_cdeg, angle, speed, elapsed_ms), 0)
        return 0

    def _another_set(self, decision: Decision) -> bool:
        """Whether the plan has a set left and nothing ended the session."""
        return (
            self.walk.number < self.steps.sets
            and not self.ended_by_person
            and decision.demand == DEMAND_ALLOW
            and decision.armed is not None
            and not decision.over
        )
