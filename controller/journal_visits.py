"""The visits of a run, as they show in its ticks: when one began and ended, what it came to, how deep it went.

The control process says in `visit` events when a plan is offered and when its visit has ended (`values`: `step`, one
of `offered`, `withdrawn`, `ended`; `plan`, `person`, `result`, `end_reason`). Without them a visit is what lies between
ARM and DISARM, and its result is worked out as a session does it. Angles are centidegrees, negative head-down.
"""

from dataclasses import dataclass, field
from typing import Final

from controller.messages import Event
from safety.signals import Demand, Region, Snapshot

COMPLETED: Final = "completed"
TRIPPED: Final = "tripped"
STOPPED: Final = "stopped"
WITHDRAWN: Final = "withdrawn"
CUT_OFF: Final = "cut off"
"""The control process was killed, or lost its power, before the visit had ended."""

PERSONS_CODES: Final = ("STOP", "H22", "H26")
BELOW: Final = (Region.BELOW, Region.INVERTED)


@dataclass(slots=True)
class Visit:
    """One visit. `number` is the journal's own, 0 until it is written; `ended_ms` is None while it lasts.

    `causes` are the codes of what stopped the table or brought it back, the first one first. Labels are milliseconds
    since 1970.
    """

    first_tick: int
    began_ms: int
    number: int = 0
    last_tick: int = 0
    ended_ms: int | None = None
    plan: str = ""
    person: str = ""
    result: str = ""
    end_reason: str = ""
    deepest_cdeg: int | None = None
    inverted_ms: int = 0
    sets: int = 0
    causes: list[str] = field(default_factory=list)
    armed: bool = False


class VisitBook:
    """Follows the visits of one run, tick by tick."""

    def __init__(self, visit: Visit | None = None) -> None:
        """Begin with a visit that is open already, or with none."""
        self.open = visit
        self._last: Visit | None = None
        self._changed: list[Visit] = []
        self._sets_planned = 0
        self._earlier_ms = 0 if visit is None else visit.inverted_ms
        self._set_ms = 0
        self._last_tick = 0

    def changed(self) -> list[Visit]:
        """Return the visits that changed since the last time this was asked."""
        changed, self._changed = self._changed, []
        if self.open is not None and self.open not in changed:
            changed.append(self.open)
        return changed

    def happened(self, event: Event) -> None:
        """Take an event; those of the kind `visit` begin and end visits."""
        if event.kind != "visit":
            return
        said = {key: str(value) for key, value in event.values.items() if value is not None}
        step = said.get("step", "")
        if step == "offered" and self.open is None:
            # It was said between the tick before and the one that it came with.
            self._begin(max(1, self._last_tick), event.wall_ms)
        visit = self.open or self._last
        if visit is None:
            return
        visit.plan = said.get("plan", visit.plan)
        visit.person = said.get("person", visit.person)
        if step in ("withdrawn", "ended"):
            visit.result = said.get("result", "") or (WITHDRAWN if step == "withdrawn" else visit.result)
            visit.end_reason = said.get("end_reason", visit.end_reason)
            # Whoever lies on the table is let off after DISARM, and that is part of the visit.
            visit.last_tick = max(visit.last_tick, self._last_tick)
            self._end(visit, event.wall_ms)
        elif visit not in self._changed:
            self._changed.append(visit)

    def take(self, snapshot: Snapshot, wall_ms: int) -> None:
        """Take the next tick; `wall_ms` is its label."""
        self._last_tick = snapshot.number
        decision = snapshot.decision
        armed, visit = decision.armed, self.open
        if visit is None:
            if armed is None:
                return
            visit = self._begin(snapshot.number, wall_ms)
        visit.last_tick = snapshot.number
        if armed is not None:
            visit.armed = True
            visit.plan = snapshot.wish.plan or visit.plan
            visit.person = armed.permit.pseudonym
            visit.sets = snapshot.wish.set_number
            self._sets_planned = armed.sets
        angle = decision.angle_cdeg
        if angle is not None and (visit.deepest_cdeg is None or angle < visit.deepest_cdeg):
            visit.deepest_cdeg = angle
        if decision.inverted_ms < self._set_ms:
            self._earlier_ms += self._set_ms
        self._set_ms = decision.inverted_ms
        visit.inverted_ms = self._earlier_ms + self._set_ms
        for cause in decision.causes:
            if cause.demand >= Demand.STOP and cause.code not in visit.causes:
                visit.causes.append(cause.code)
        if visit.armed and armed is None and decision.region not in BELOW:
            self._end(visit, wall_ms)

    def _begin(self, tick: int, wall_ms: int) -> Visit:
        self.open = Visit(tick, wall_ms, last_tick=tick)
        self._earlier_ms = self._set_ms = 0
        return self.open

    def _end(self, visit: Visit, wall_ms: int) -> None:
        visit.ended_ms = wall_ms
        if not visit.result:
            visit.result = self._worked_out(visit)
        self._last, self.open = visit, None
        if visit not in self._changed:
            self._changed.append(visit)

    def _worked_out(self, visit: Visit) -> str:
        """What it came to, by what was seen; the control process may know better and says so later."""
        if any(code not in PERSONS_CODES for code in visit.causes):
            return TRIPPED
        return COMPLETED if not visit.causes and visit.armed and visit.sets >= self._sets_planned else STOPPED
