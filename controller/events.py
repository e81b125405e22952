"""What happened, in words: each tick is compared with the one before it, and what changed becomes an event.

Where nothing changed, which is nearly always, a tick costs some comparisons by identity and no event. Events keep their
order; the last 1,000 of them stay in memory for whoever asks what happened since.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from controller.alarms import Alarms
from controller.messages import Event
from controller.recording import moment_of
from controller.sentences import message, refusal
from safety.link import CLEAN_MS, LATE_MS
from safety.signals import BUTTONS, Alarm, Arm, Cause, Command, Contacts, Decision, Readings, Snapshot, Wish

KEPT: Final = 1000
Values = dict[str, int | str | None]
NO_VALUES: Final[Values] = {}
NO_EVENTS: Final[list[Event]] = []
NOTHING_SEEN: Final = Snapshot(0, 0, Readings(0), Wish(), Decision(Command(send=False)))

DISCREPANT: Final = Contacts.DISCREPANT
STRAP: Final = {Contacts.CLOSED: "closed", Contacts.OPEN: "open", None: "unknown"}
ESTOP: Final = {
    Contacts.CLOSED: "pulled",
    Contacts.OPEN: "pressed",
    Contacts.DISCREPANT: "half pressed: one contact says open, the other closed",
    None: "unknown",
}
PATIENT: Final = {True: "pressed, or its circuit is broken", False: "let go", None: "unknown"}
MAINS: Final = {True: "there", False: "gone", None: "unknown"}


class Watcher:
    """Makes the events of one run of the control process.

    Args:
        wall_ms: the label of an event's moment, milliseconds since 1970.

    Attributes:
        recent: the last events, the oldest first.
        alarms: the engine of the same loop, for what is said of a pause of the sound; None: nothing is said of it.
    """

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        """Begin with nothing seen."""
        self.recent: deque[Event] = deque(maxlen=KEPT)
        self.alarms: Alarms | None = None
        self._wall_ms = wall_ms
        self._number = 0
        self._last = NOTHING_SEEN
        self._new: list[Event] = []
        self._straps: dict[str, Contacts | None] = {}
        self._paused = False
        self._late = 0
        self._late_worst_ms = 0
        self._clean_ms = 0

    def since(self, number: int, most: int) -> list[Event]:
        """Return the events after `number` that are still in memory, the oldest first, at most `most`."""
        recent = self.recent
        if not recent or most <= 0:
            return []
        first = max(number + 1 - recent[0].number, 0)
        return [recent[place] for place in range(first, min(first + most, len(recent)))]

    def add(
        self, t_ms: int, kind: str, text: str, code: str = "", by: str = "host", values: Values = NO_VALUES
    ) -> Event:
        """Make an event; it is among the ones that the next `observe` or `take` returns."""
        self._number += 1
        event = Event(self._number, t_ms, self._wall_ms(), kind, text, code, by, values)
        self.recent.append(event)
        self._new.append(event)
        return event

    def take(self) -> list[Event]:
        """Return the events since the last time."""
        if not self._new:
            return NO_EVENTS
        new, self._new = self._new, []
        return new

    def observe(self, snapshot: Snapshot) -> list[Event]:
        """Take in one tick, and return what has happened since the last one; nobody may change the list."""
        last = self._last
        self._last = snapshot
        wish, decision, readings = snapshot.wish, snapshot.decision, snapshot.readings
        seen, said = last.decision, last.readings
        if readings.elapsed_ms > LATE_MS or self._late:
            self._lateness(snapshot)
        if not last.number:
            # How everything stands at first is nothing that happened.
            self._straps = {"left": readings.strap_left, "right": readings.strap_right}
        elif (
            readings.buttons != said.buttons
            or readings.strap_left is not said.strap_left
            or readings.strap_right is not said.strap_right
            or readings.estop is not said.estop
            or readings.patient_button is not said.patient_button
            or readings.mains is not said.mains
        ):
            self._inputs(snapshot.t_ms, said, readings)
        if decision.armed is not seen.armed:
            self._armed(snapshot.t_ms, seen.armed, decision.armed)
        if decision.refusals is not seen.refusals and decision.refusals:
            for cause in decision.refusals:
                self._found(snapshot.t_ms, "refused", refusal(cause), cause)
        if decision.demand is not seen.demand:
            values: Values = {"from": seen.demand.name, "to": decision.demand.name}
            self.add(snapshot.t_ms, "demand", f"The judge demands {decision.demand.name}.", values=values)
        if decision.causes is not seen.causes:
            self._causes(snapshot, seen.causes)
        if wish.state is not last.wish.state:
            values = {"from": last.wish.state.value, "to": wish.state.value}
            self.add(snapshot.t_ms, "state", f"The session is {wish.state.value}.", values=values)
        if snapshot.signals.alarm is not last.signals.alarm:
            self._alarm(snapshot)
        alarms = self.alarms
        if alarms is not None and alarms.state.paused is not self._paused:
            self._paused = alarms.state.paused
            left_s = alarms.pause_left_ms // 1000
            text = f"The alarm's sound is paused for {left_s} s." if self._paused else "The alarm may sound again."
            self.add(snapshot.t_ms, "alarm", text, values={"paused_s": left_s})
        return self.take()

    # What changed -----------------------------------------------------------------------------------------------

    def _inputs(self, t_ms: int, was: Readings, now: Readings) -> None:
        changed = (was.buttons or 0) ^ (now.buttons or 0)
        if changed:
            for name, bit in BUTTONS.items():
                if changed & bit:
                    held = (now.buttons or 0) & bit != 0
                    self._input(t_ms, name, f"{name} is {'pressed' if held else 'let go'}.", int(held))
        elif now.buttons is None or was.buttons is None:
            known = now.buttons is not None
            self._input(t_ms, "buttons", f"The panel's buttons are {'known again' if known else 'unknown'}.", None)
        for side, after in (("left", now.strap_left), ("right", now.strap_right)):
            # Between open and closed one contact is ahead of the other; where that lasts it is H06.
            if after is not DISCREPANT and after is not self._straps[side]:
                self._straps[side] = after
                text = f"The {side} strap is {STRAP[after]}."
                self._input(t_ms, f"strap_{side}", text, None if after is None else after.name.lower())
        if was.estop is not now.estop:
            stands = None if now.estop is None else now.estop.name.lower()
            self._input(t_ms, "estop", f"The emergency stop is {ESTOP[now.estop]}.", stands)
        if was.patient_button is not now.patient_button:
            text = f"The patient's button is {PATIENT[now.patient_button]}."
            self._input(t_ms, "PATIENT", text, None if now.patient_button is None else int(now.patient_button))
        if was.mains is not now.mains:
            text = f"Mains power is {MAINS[now.mains]}."
            self._input(t_ms, "mains", text, None if now.mains is None else int(now.mains))

    def _input(self, t_ms: int, name: str, text: str, value: int | str | None) -> None:
        self.add(t_ms, "input", text, by="panel", values={"input": name, "is": value})

    def _armed(self, t_ms: int, was: Arm | None, now: Arm | None) -> None:
        if now is None:
            assert was is not None
            self.add(t_ms, "armed", "The table is disarmed.", values={"session": was.session_id, "armed": 0})
            return
        permit = now.permit
        text = f"The table is armed for {permit.pseudonym}: down to {-now.cap_cdeg / 100:g}° head-down, {now.sets} ×."
        self.add(
            t_ms,
            "armed",
            text,
            values={
                "session": now.session_id,
                "armed": 1,
                "plan": now.plan_hash,
                "person": permit.pseudonym,
                "issuer": permit.issuer.value,
                "cap_cdeg": now.cap_cdeg,
                "sets": now.sets,
                "hold_s": now.hold_s,
            },
        )

    def _causes(self, snapshot: Snapshot, was: tuple[Cause, ...]) -> None:
        """Say which causes came, which ask for more than before, and which went."""
        decision = snapshot.decision
        if len(was) == len(decision.causes):
            # What was measured changes from tick to tick; who found what does not.
            for old, cause in zip(was, decision.causes, strict=True):
                if old.code != cause.code or old.demand is not cause.demand or old.by != cause.by:
                    break
            else:
                return
        before = {(cause.code, cause.by): cause for cause in was}
        for cause in decision.causes:
            known = before.pop((cause.code, cause.by), None)
            if known is None or cause.demand > known.demand:
                text = message(cause, "", moment_of(decision), snapshot.readings)
                self._found(snapshot.t_ms, "cause", text, cause)
        for code, by in before:
            self.add(snapshot.t_ms, "cleared", f"{code} is over.", code, by)

    def _found(self, t_ms: int, kind: str, text: str, cause: Cause) -> None:
        values: Values = {
            "demand": cause.demand.name,
            "alarm": cause.alarm.name,
            "value": cause.value,
            "limit": cause.limit,
            "unit": cause.unit,
            "where": cause.where,
        }
        self.add(t_ms, kind, text, cause.code, cause.by, values)

    def _alarm(self, snapshot: Snapshot) -> None:
        alarm = snapshot.signals.alarm
        text = "No alarm is shown any more." if alarm is Alarm.NONE else f"The alarm {alarm.name} is shown."
        self.add(snapshot.t_ms, "alarm", text, values={"alarm": alarm.name})

    def _lateness(self, snapshot: Snapshot) -> None:
        """H27: the first late tick of a row is told at once, and the row when 1 s was clean again."""
        gap_ms = snapshot.readings.elapsed_ms
        if gap_ms > LATE_MS:
            self._clean_ms = 0
            self._late += 1
            self._late_worst_ms = max(self._late_worst_ms, gap_ms)
            if self._late == 1:
                text = f"A tick came {gap_ms} ms after the one before, instead of 10."
                self.add(snapshot.t_ms, "late", text, "H27", values={"gap_ms": gap_ms, "ticks": 1})
            return
        self._clean_ms += gap_ms
        if self._clean_ms >= CLEAN_MS:
            if self._late > 1:
                text = f"{self._late} ticks were late, the worst by {self._late_worst_ms} ms; they are on time again."
                values: Values = {"gap_ms": self._late_worst_ms, "ticks": self._late}
                self.add(snapshot.t_ms, "late", text, "H27", values=values)
            self._late = self._late_worst_ms = 0
