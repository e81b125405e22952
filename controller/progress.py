"""Progress of a session in plain lines: one line a change, for pipes, logs and terminals that cannot draw."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from config.plan import Plan
from controller.recording import moment_of
from controller.sentences import message, prompt, refusal, what_now
from safety.signals import Alarm, Cause, Contacts, Demand, Readings, Snapshot

REAL_TIME: Final = "real time"
# Time, state and angle before the words of a line.
STAMP_COLUMNS: Final = 35


@dataclass(frozen=True, slots=True)
class Heading:
    """What a session's picture says of the session as a whole.

    `cap_cdeg` is negative; `planned_s` about how long the visit takes; `note` seed, table and guard; `pace` how fast
    it is shown; `about` tells the plan, `person` for whom it is, empty where that is not known.
    """

    plan: str
    profile: str
    note: str
    cap_cdeg: int
    sets: int
    planned_s: int
    manual_return_text: str
    pace: str = REAL_TIME
    about: str = ""
    person: str = ""

    def of(self, plan: Plan) -> Self:
        """Return the same for another plan."""
        return replace(
            self,
            plan=plan.name,
            cap_cdeg=plan.cap_cdeg,
            sets=plan.sets,
            planned_s=plan.planned_s,
            about=about(plan),
        )


def about(plan: Plan) -> str:
    """Return what is read back of a plan: `first-visit, 1 set of −20° for 1:00, rest 2:00, 2°/s`."""
    sets = "1 set" if plan.sets == 1 else f"{plan.sets} sets"
    held = f"{degrees(plan.cap_cdeg)} for {clock(plan.hold_s * 1000)}"
    stages = f", in steps of {plan.staged.step_cdeg / 100:g}°" if plan.staged else ""
    return f"{plan.name}, {sets} of {held}, rest {clock(plan.rest_s * 1000)}, {plan.speed_cdeg_s / 100:g}°/s{stages}"


def clock(t_ms: int) -> str:
    """Return a time as minutes and seconds: `1:09`."""
    return f"{t_ms // 60_000}:{t_ms // 1000 % 60:02d}"


def degrees(angle_cdeg: int | None) -> str:
    """Return an angle for people: `−20.0°`, `+75.0°`, `0.0°`; `?` where nobody knows it."""
    if angle_cdeg is None:
        return "?"
    tenths = round(angle_cdeg / 10)
    return f"{'−' if tenths < 0 else '+' if tenths > 0 else ''}{abs(tenths) / 10:.1f}°"


def straps_in_words(said: Readings) -> str:
    """Return both straps in a word or two."""
    left, right = said.strap_left, said.strap_right
    if left is right:
        return _contacts(left)
    return f"left {_contacts(left)}, right {_contacts(right)}"


def _contacts(contacts: Contacts | None) -> str:
    return "unknown" if contacts is None else contacts.name.lower()


class PlainLines:
    """Tells what changed since the last look; `lines` takes the snapshots since then."""

    def __init__(self, heading: Heading) -> None:
        """Begin with nothing told."""
        self._heading = heading
        self._last: Snapshot | None = None
        self._told: dict[tuple[str, str], Demand] = {}
        self._asked: set[str] = set()
        self._alarm = Alarm.NONE

    def lines(self, snapshots: Sequence[Snapshot]) -> Iterator[str]:
        """Yield one line for each change of state, cause, prompt or refusal."""
        last = self._last
        for snapshot in snapshots:
            decision = snapshot.decision
            if (
                last is None
                or snapshot.wish.state is not last.wish.state
                or decision.causes is not last.decision.causes
                or decision.prompts is not last.decision.prompts
                or decision.refusals is not last.decision.refusals
            ):
                for words in self._changes(last, snapshot):
                    yield f"{self._stamp(snapshot)}  {words}"
            last = snapshot
        self._last = last

    def _stamp(self, snapshot: Snapshot) -> str:
        at = f"{clock(snapshot.t_ms)}.{snapshot.t_ms // 100 % 10}"
        return f"{at:>7}  {snapshot.wish.state:<16}  {degrees(snapshot.decision.angle_cdeg):>6}"

    def _changes(self, last: Snapshot | None, snapshot: Snapshot) -> Iterator[str]:
        decision = snapshot.decision
        worst = {(cause.code, cause.by): cause.demand for cause in decision.causes}
        for cause in decision.causes:
            if cause.demand > self._told.get((cause.code, cause.by), Demand.ALLOW):
                yield self._alarm_line(cause, snapshot)
        self._told = {key: max(demand, self._told.get(key, demand)) for key, demand in worst.items()}
        if decision.alarm is Alarm.NONE and self._alarm is not Alarm.NONE:
            yield "the alarm is over"
        self._alarm = decision.alarm
        asked = {*decision.prompts, *(cause.code for cause in decision.refusals)}
        for code in decision.prompts:
            if code not in self._asked:
                yield prompt(code)
        for cause in decision.refusals:
            if cause.code not in self._asked:
                yield f"refused: {cause.code} {refusal(cause)}"
        self._asked = asked
        if last is None or (snapshot.wish.state is not last.wish.state and not decision.causes):
            yield what_now(snapshot, self._heading.manual_return_text)
        elif snapshot.wish.state is not last.wish.state:
            yield f"now {snapshot.wish.state.replace('_', ' ')}"

    def _alarm_line(self, cause: Cause, snapshot: Snapshot) -> str:
        moment, way_back = moment_of(snapshot.decision), self._heading.manual_return_text
        return f"{cause.alarm.name} {cause.code}: {message(cause, way_back, moment, snapshot.readings)}"
