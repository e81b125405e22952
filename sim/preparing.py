"""What the supervisor of a simulated session does before it is armed: whatever the panel asks for, step by step."""

from collections.abc import Callable

from firmware_bridge.hands import Hands
from safety.signals import Guide, Region, Snapshot
from sim.habits import Fingers, Habits

SIDES = ("left", "right")

# How quick people are. What the table asks of them is in the hazard table: H07.
LAMPS_MS = 2000
STRAPS_OPEN_MS = 1500
ONE_STRAP_MS = 1500
PROOF_MS = 8000
CONFIRM_AFTER_MS = 1000
PATIENCE_MS = 60_000
READING_MS = 4000
QUESTION_MS = 1200
KEY_MS = 700
STALLED_MS = 15_000
AGAIN_MS = 5000
TRIES = 4
READING = (Guide.CHOOSE_PLAN, Guide.READ_BACK)


class Preparing:
    """One who does what `Guide` says, tries again what did not help, and at last gives up; `why` says over what."""

    def __init__(self, hands: Hands, fingers: Fingers, habits: Habits) -> None:
        """Begin beside a table with open straps, the patient on it."""
        self.why = ""
        self._hands = hands
        self._fingers = fingers
        self._habits = habits
        self._guide = Guide.NOTHING
        self._guided_ms = 0
        self._plan = ""
        self._question = 0
        self._answered = False
        self._ready_ms = STRAPS_OPEN_MS
        self._straps_closed = 0
        self._strapped_ms = 0
        self._tries: dict[Guide, int] = {}
        self._tried_ms = -AGAIN_MS

    def look(self, snapshot: Snapshot, now_ms: int, stalled: bool) -> None:
        """Do what is to be done now; `stalled`: the table has not moved for some time."""
        wish = snapshot.wish
        guide = wish.guide
        if wish.plan != self._plan or wish.question != self._question:
            # What was pressed has helped; what is to be read is another thing.
            self._plan, self._question, self._guide = wish.plan, wish.question, Guide.NOTHING
            self._answered = False
            self._tries.clear()
        if guide is not self._guide:
            self._guide, self._guided_ms = guide, now_ms
        shown_ms = now_ms - self._guided_ms
        if self._fingers.held or (guide is Guide.LEVEL and snapshot.decision.region == Region.ABOVE):
            self._lower(snapshot, now_ms, stalled)
        elif guide is Guide.RELEASE:
            self._fingers.drop_all()
            self._wait_for(shown_ms, "a button is held that nobody holds")
        elif guide is Guide.LAMP_TEST:
            if shown_ms > LAMPS_MS:
                self._again(now_ms, self._confirm, "the lamps cannot be confirmed")
        elif guide is Guide.SCREENING:
            if shown_ms > QUESTION_MS:
                self._again(now_ms, self._answer, "the screening list cannot be answered", KEY_MS)
        elif guide is Guide.OPEN_STRAPS or guide is Guide.CLOSE_STRAPS:
            self._strap_in(guide, now_ms)
        elif guide is Guide.PATIENT_BUTTON:
            self._wait_for(shown_ms, "the patient's button is not proven")
        elif guide is Guide.CONFIRM_STRAPS:
            if wish.left_ms <= 0 and shown_ms > CONFIRM_AFTER_MS:
                self._again(now_ms, self._confirm, "the straps are not confirmed")
        elif guide in READING and self._habits.plan and wish.plan != self._habits.plan:
            self._again(now_ms, self._next_plan, "the plan cannot be chosen", KEY_MS)
        elif (guide in READING or guide is Guide.ARMING) and shown_ms > READING_MS:
            self._again(now_ms, self._confirm, "the table does not arm")

    def _strap_in(self, guide: Guide, now_ms: int) -> None:
        """Open what is to be seen open, then close one strap after the other; over again where that proves nothing."""
        if guide is Guide.CLOSE_STRAPS and not self._close_straps(now_ms):
            return
        if now_ms - max(self._strapped_ms, self._guided_ms) > PROOF_MS:
            self._again(now_ms, self._open_straps, "the straps are not proven")

    def _close_straps(self, now_ms: int) -> bool:
        """Close one strap after the other, when both have been open for long enough; true when they are closed."""
        if now_ms < self._ready_ms:
            return False
        if not self._strapped_ms:
            self._hands.strap(SIDES[self._straps_closed], True)
            self._straps_closed += 1
            self._ready_ms = now_ms + ONE_STRAP_MS
            if self._straps_closed == len(SIDES):
                self._strapped_ms = now_ms
            return False
        return True

    def _open_straps(self, now_ms: int) -> None:
        for side in SIDES:
            self._hands.strap(side, False)
        self._straps_closed = 0
        self._strapped_ms = 0
        self._ready_ms = now_ms + STRAPS_OPEN_MS

    def _lower(self, snapshot: Snapshot, now_ms: int, stalled: bool) -> None:
        """Hold TILT until the table has come to level; where it does not start, let go and press anew."""
        if snapshot.decision.region == Region.LEVEL and snapshot.decision.still:
            self._fingers.let_go()
        elif stalled and self._fingers.held and now_ms - self._fingers.held_ms > STALLED_MS:
            self._fingers.let_go()
            self._again(now_ms, self._wait, "the table does not come to level")
        elif now_ms >= self._ready_ms:
            self._fingers.hold("TILT", now_ms)

    def _confirm(self, now_ms: int) -> None:
        self._fingers.tap("CONFIRM", now_ms)

    def _answer(self, now_ms: int) -> None:
        """Nothing on the list applies, and there is no history: "no" or the least to each question, then CONFIRM.

        Where a key chooses nothing, as at the last look, CONFIRM is what is left.
        """
        self._fingers.tap("CONFIRM" if self._answered else "PLAN_DOWN", now_ms)
        self._answered = True

    def _next_plan(self, now_ms: int) -> None:
        self._fingers.tap("PLAN_UP", now_ms)

    def _wait(self, now_ms: int) -> None:
        self._ready_ms = now_ms + AGAIN_MS

    def _wait_for(self, shown_ms: int, in_vain: str) -> None:
        if shown_ms > PATIENCE_MS:
            self.why = in_vain

    def _again(self, now_ms: int, act: Callable[[int], None], in_vain: str, every_ms: int = AGAIN_MS) -> None:
        """Do what a step asks for, and again if it did not help; at last give the session up."""
        if now_ms - self._tried_ms < every_ms:
            return
        self._tried_ms = now_ms
        self._tries[self._guide] = tries = self._tries.get(self._guide, 0) + 1
        if tries <= TRIES:
            act(now_ms)
        else:
            self.why = in_vain
