"""The supervisor of a simulated session: what one does on the way through it, and in trouble."""

from collections.abc import Callable

from firmware_bridge.hands import Hands
from safety.signals import Contacts, Demand, Guide, Readings, Region, Snapshot, State
from sim.habits import LOOK_MS, NEVER_MS, TAP_MS, Fingers, Habits, Policy
from sim.preparing import SIDES, Preparing

# How quick people are. What the table asks of them is in the hazard table: H20, H24, Latches, Regions.
STILL_MS = 5000
# A tone of up to 3 s, and what the table takes to begin after it.
START_MS = 6000
STALLED_MS = 15_000
STALLED_CDEG = 20
ACK_MS = 700
RESET_MS = 2200
AGAIN_MS = 5000
PATIENCE_MS = 10_000
CRANK_AFTER_MS = 20_000
LAST_RESORT_MS = 60_000
CRANKED_MS = 60_000
STALE_MS = 1000
TRIES = 4


class Supervisor:
    """The one who works the panel, the straps and, if nothing else is left, the hand crank.

    `done` turns true when the patient may get off: at level, straps open. `gave_up` says why a supervisor
    stopped trying to do a session, `gone` that there is no supervisor any more.
    """

    def __init__(self, hands: Hands, habits: Habits) -> None:
        """Begin beside a table with open straps, the patient on it."""
        self.done = False
        self.gone = False
        self.gave_up = ""
        self.wake_ms = 0
        self._hands = hands
        self._habits = habits
        self._fingers = Fingers(hands)
        self._preparing = Preparing(hands, self._fingers, habits)
        self._presence_ms = round(habits.presence_every_s * 1000)
        self._look_ms = 0
        self._state = State.IDLE
        self._entered_ms = 0
        self._armed_once = False
        self._asked_less = False
        self._tries = 0
        self._tried_ms = -AGAIN_MS
        self._let_go_ms = 0
        self._trouble_ms = NEVER_MS
        self._moved_from: int | None = None
        self._moved_ms = 0
        self._cranks = False
        self._cranked_ms = 0
        self._by_eye = False
        self._lowers = False
        self._resets = 0
        self._ends = 0
        self._routine: dict[State, Callable[[Snapshot, int], None]] = {
            State.IDLE: self._prepare,
            State.STRAPPED: self._tilt,
            State.TILTING: self._tilt_on,
            State.HOLDING: self._stay,
            State.RETURNING: self._let_go,
            State.RESTING: self._rest,
            State.EMERGENCY_RETURN: self._let_go,
            State.STOPPED: self._rest,
        }

    def wake(self, snapshot: Snapshot) -> None:
        """Do what is to be done at `wake_ms`, and set the next one."""
        now_ms = snapshot.t_ms
        fingers = self._fingers
        fingers.advance(now_ms)
        if now_ms >= self._look_ms:
            self._look_ms = now_ms + LOOK_MS
            if not (self.gone or self.done):
                self._look(snapshot, now_ms)
        self.wake_ms = fingers.due_ms if fingers.due_ms < self._look_ms else self._look_ms

    def leave(self) -> None:
        """Let go of everything and walk away for good."""
        self._fingers.drop_all()
        self._crank(False)
        self.gone = True

    def _look(self, snapshot: Snapshot, now_ms: int) -> None:
        """Look at the screen once, and do what is most pressing."""
        decision, state = snapshot.decision, snapshot.wish.state
        if state is not self._state:
            self._state = state
            self._entered_ms = now_ms
            self._forget_tries()
        if decision.angle_cdeg != self._moved_from:
            self._watch_motion(decision.angle_cdeg, now_ms)
        if decision.armed is not None:
            self._armed_once = True
        if decision.demand >= Demand.STOP:
            if self._trouble_ms == NEVER_MS:
                self._trouble_ms = now_ms
                self._forget_tries()
            if now_ms - self._trouble_ms >= self._habits.reaction_ms:
                self._mend(snapshot, now_ms)
        else:
            if self._trouble_ms != NEVER_MS:
                self._trouble_ms = NEVER_MS
                self._by_eye = False
                self._forget_tries()
                self._crank(False)
            self._routine[state](snapshot, now_ms)
        if decision.presence_ms >= self._presence_ms and not (self.gone or _is_home(snapshot)):
            self._fingers.tap("PRESENCE", now_ms)

    # The way through a session

    def _prepare(self, snapshot: Snapshot, now_ms: int) -> None:
        """Idle: do what the panel asks for; after a session, open the straps and let the patient off."""
        if self._armed_once or snapshot.wish.guide is Guide.OPEN:
            self._let_off("")
            return
        self._preparing.look(snapshot, now_ms, self._stalled(now_ms))
        if self._preparing.why:
            self._let_off(self._preparing.why)

    def _tilt(self, snapshot: Snapshot, now_ms: int) -> None:
        """Strapped: once everything has been still for long enough, hold TILT until the table goes.

        A session that is over, or a table that will not go, is ended by CONFIRM.
        """
        fingers = self._fingers
        if snapshot.decision.over or self._tries >= TRIES:
            fingers.let_go()
            self._end_session(now_ms)
        elif fingers.held:
            if now_ms - fingers.held_ms > START_MS:
                fingers.let_go()
                self._tries += 1
                self._let_go_ms = now_ms
            else:
                fingers.hold("TILT", now_ms)
        elif self._may_tilt(snapshot, now_ms):
            fingers.hold("TILT", now_ms)

    def _tilt_on(self, snapshot: Snapshot, now_ms: int) -> None:
        """Tilting: hold TILT to the end of the stage, and press it anew for the next one."""
        fingers = self._fingers
        if fingers.held:
            if snapshot.decision.still and now_ms - fingers.held_ms > START_MS:
                fingers.let_go()
                self._let_go_ms = now_ms
            else:
                fingers.hold("TILT", now_ms)
        elif snapshot.decision.demand < Demand.NO_DEEPENING and snapshot.wish.guide is not Guide.STAGE:
            if self._may_tilt(snapshot, now_ms):
                fingers.hold("TILT", now_ms)
        elif snapshot.decision.demand and now_ms - self._let_go_ms > PATIENCE_MS:
            self._now_and_then(now_ms, "RETURN", TAP_MS)

    def _may_tilt(self, snapshot: Snapshot, now_ms: int) -> bool:
        """Whether the table and this supervisor have been at rest for long enough to press TILT."""
        wait_ms = STILL_MS + self._habits.reaction_ms
        rested_ms = min(snapshot.decision.still_ms, now_ms - self._entered_ms, now_ms - self._let_go_ms)
        return rested_ms >= wait_ms

    def _let_go(self, _snapshot: Snapshot, _now_ms: int) -> None:
        self._fingers.let_go()

    def _stay(self, _snapshot: Snapshot, now_ms: int) -> None:
        """Holding: stay with the patient, and ask for less where the patient does, once."""
        self._fingers.let_go()
        after_ms = round(self._habits.less_after_s * 1000)
        if after_ms and not self._asked_less and now_ms - self._entered_ms >= after_ms and not self._fingers.tapped:
            self._asked_less = True
            self._fingers.tap("PLAN_DOWN", now_ms)

    def _rest(self, snapshot: Snapshot, now_ms: int) -> None:
        """Resting: when the rest is over, confirm that the session is; before another set the table goes on by itself.

        Stopped, with nothing that stops it any more: back to level.
        """
        self._fingers.let_go()
        if not _is_home(snapshot):
            self._now_and_then(now_ms, "RETURN", TAP_MS)
        elif snapshot.wish.left_ms <= 0 and now_ms - self._entered_ms > self._habits.reaction_ms:
            self._end_session(now_ms)

    def _let_off(self, why: str) -> None:
        """Open the straps and let the patient off; without `why` because the visit is over."""
        self._fingers.drop_all()
        self._crank(False)
        for side in SIDES:
            self._hands.strap(side, False)
        self.gave_up = why
        self.done = True

    # In trouble

    def _mend(self, snapshot: Snapshot, now_ms: int) -> None:
        """Do what helps. Below level: what brings the patient back; at level or above: what clears the alarm.

        Under STOP press RETURN; under RETURN watch; under HOLD hold RETURN. A pressed emergency stop is pulled and
        acknowledged. Twenty seconds after any other CUT, or where nothing moves though it should, work the crank.
        """
        policy = self._habits.in_trouble
        if policy is Policy.LEAVE:
            self.leave()
        elif policy is Policy.WATCH:
            self._fingers.let_go()
        else:
            if snapshot.readings.estop is not Contacts.CLOSED:
                self._hands.estop(False)
            if _is_home(snapshot) or self._sees_level(snapshot.readings, now_ms):
                self._clear(snapshot, now_ms)
            else:
                self._bring_back(snapshot, now_ms)

    def _bring_back(self, snapshot: Snapshot, now_ms: int) -> None:
        decision = snapshot.decision
        patience_ms = CRANK_AFTER_MS if decision.demand >= Demand.HOLD else LAST_RESORT_MS
        if self._cranks or (self._stalled(now_ms) and now_ms - self._trouble_ms >= patience_ms):
            self._fingers.let_go()
            self._crank(True, now_ms)
        elif decision.demand == Demand.HOLD:
            self._fingers.hold("RETURN", now_ms)
        else:
            self._fingers.let_go()
            if decision.demand == Demand.STOP and not decision.returning:
                self._now_and_then(now_ms, "RETURN", TAP_MS)
            elif decision.demand == Demand.CUT and any(cause.code == "H20" for cause in decision.causes):
                self._now_and_then(now_ms, "ACK", ACK_MS)

    def _clear(self, snapshot: Snapshot, now_ms: int) -> None:
        """At level or above: RESET; if the alarm will not clear, lower to level and end the session anyhow."""
        decision = snapshot.decision
        if self._armed_once and decision.armed is None:
            self._let_off("")
        elif self._lowers and decision.region == Region.ABOVE:
            # Where the drive does not lower, the crank does.
            if self._cranks or (self._stalled(now_ms) and now_ms - self._fingers.held_ms >= STALLED_MS):
                self._fingers.let_go()
                self._crank(True, now_ms)
            else:
                self._fingers.hold("TILT", now_ms)
        else:
            self._crank(False)
            self._fingers.let_go()
            if not decision.still:
                return
            if self._resets < TRIES:
                if self._now_and_then(now_ms, "ACK", RESET_MS):
                    self._resets += 1
            elif decision.region == Region.ABOVE:
                self._lowers = True
            elif snapshot.wish.left_ms <= 0 and now_ms - self._tried_ms > AGAIN_MS:
                self._end_session(now_ms)

    def _crank(self, turning: bool, now_ms: int = 0) -> None:
        if turning != self._cranks:
            self._cranks = turning
            self._cranked_ms = now_ms
            self._hands.crank(turning)

    def _sees_level(self, readings: Readings, now_ms: int) -> bool:
        """Whether whoever works the crank sees that the table is level, whatever the angle sensors make of it."""
        if self._cranks and not self._by_eye:
            blind = readings.age_ms > STALE_MS or readings.level_switch is None
            waited_ms = now_ms - self._cranked_ms
            self._by_eye = waited_ms >= CRANKED_MS if blind else readings.level_switch is False and waited_ms >= LOOK_MS
        return self._by_eye

    # Small habits

    def _forget_tries(self) -> None:
        self._tries = 0
        self._tried_ms = -AGAIN_MS

    def _end_session(self, now_ms: int) -> None:
        """CONFIRM, which ends a session at level; if that is in vain, let the patient off all the same."""
        if now_ms - self._tried_ms < AGAIN_MS:
            return
        self._tried_ms = now_ms
        self._ends += 1
        if self._ends <= TRIES and self._armed_once:
            self._fingers.tap("CONFIRM", now_ms)
        else:
            self._let_off("the session does not end" if self._armed_once else "the alarm does not clear")

    def _now_and_then(self, now_ms: int, button: str, for_ms: int) -> bool:
        """Tap a button, and again some seconds later if it did not help; true when it was tapped now."""
        if now_ms - self._tried_ms < AGAIN_MS or self._fingers.tapped:
            return False
        self._tried_ms = now_ms
        self._fingers.tap(button, now_ms, for_ms)
        return True

    def _watch_motion(self, angle_cdeg: int | None, now_ms: int) -> None:
        """Notice when the table last moved, as far as an eye sees it."""
        was = self._moved_from
        if angle_cdeg is None or was is None or not -STALLED_CDEG < angle_cdeg - was < STALLED_CDEG:
            self._moved_from = angle_cdeg
            self._moved_ms = now_ms

    def _stalled(self, now_ms: int) -> bool:
        return now_ms - self._moved_ms > STALLED_MS


def _is_home(snapshot: Snapshot) -> bool:
    """Whether the table is at level or above, as the screen has it, or as the mark of the level switch has it."""
    region = snapshot.decision.region
    if region == Region.UNKNOWN:
        return snapshot.readings.level_switch is False
    return region == Region.LEVEL or region == Region.ABOVE
