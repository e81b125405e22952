"""One session after another on one loop: which one is on it now, how the next one begins, and how a visit ends.

Nobody has to act in between: a session ends where the patient is at level, nothing moves and nothing is armed; where
that does not come about it goes on, however long it takes. Whatever ends, the next thing on the loop is the standby.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from config.limits import Limits
from config.plan import Plan
from config.screening import Screening
from controller.events import Values, Watcher
from controller.loop import Clock, ControlLoop
from controller.machine import SessionMachine
from controller.session import Session
from controller.standby import Standby
from firmware_bridge.bridge import Bridge
from safety.signals import Contacts, Demand, Host, Permit, Region, Snapshot, State

ASK_AGAIN_MS: Final = 10_000
IDLE: Final = State.IDLE
STANDS: Final = State.STOPPED
LEVEL: Final = Region.LEVEL
ABOVE: Final = Region.ABOVE
OPEN: Final = Contacts.OPEN
STOP: Final = Demand.STOP
WORDS: Final = {
    "completed": "as planned",
    "tripped": "by the safety layer",
    "stopped": "by a person",
    "refused": "without being armed",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """How sessions on this table run.

    `held_tilt` and `strap_wait` are the profile's. With `screening` the list is answered at the panel, and `plans` are
    those that may be chosen there; without it sessions come by offers alone. `salt` makes the session ids of this run
    of the program others than those of the runs before it.
    """

    held_tilt: bool = True
    strap_wait: bool = False
    screening: Screening | None = None
    plans: Sequence[Plan] = ()
    salt: int = 0


class Visits:
    """What is on the loop: a session, or the standby between two of them.

    Attributes:
        loop: the loop, one for all.
        session: the session that is on it; None in standby.
        number: of the last visit, from 1; one at the panel counts from the moment it is armed.
    """

    def __init__(
        self, bridge: Bridge, clock: Clock, limits: Limits, host: Host, rules: Rules, watcher: Watcher
    ) -> None:
        """Begin in standby; nothing moves before the first tick."""
        self._limits = limits
        self._rules = rules
        self._watcher = watcher
        self.standby = Standby(limits, lamps_tested=False, strapped=False, forget=False)
        self.loop = ControlLoop(bridge, self.standby, limits, clock, host)
        self.session: Session | None = None
        self.number = 0
        self._sessions = 0
        self._counted = False
        self._asked_ms = -ASK_AGAIN_MS
        self._lamps_tested = False

    @property
    def machine(self) -> SessionMachine:
        """The machine that is on the loop."""
        return self.standby if self.session is None else self.session.machine

    @property
    def offered(self) -> bool:
        """Whether an offer waits at the panel."""
        session = self.session
        return session is not None and self._counted and not session.was_armed

    @property
    def open_to_offers(self) -> bool:
        """Whether a plan may be offered now: in standby, or where nobody has begun to answer at the panel."""
        session = self.session
        if session is None:
            return True
        seen = session.snapshot
        if self._counted or session.was_armed:
            return False
        return seen is None or (seen.wish.question <= 1 and seen.wish.answer is None and session.machine.state is IDLE)

    def offer(self, plan: Plan, permit: Permit) -> None:
        """Put a plan before the panel, for a person; what is on the loop gives way."""
        self._begin(plan, permit)
        self.number += 1
        self._counted = True
        self._tell("offered", f"The plan {plan.name} is offered for {permit.pseudonym}.", plan, permit.pseudonym)

    def withdraw(self, because: str) -> None:
        """Take the offer back before it is armed."""
        session = self.session
        if session is not None and self.offered:
            plan = session.plan
            self._tell("withdrawn", f"The plan {plan.name} is no longer offered: {because}.", plan, "")
            self._stand_by(session, forget=True)

    def close(self) -> None:
        """Tell how a visit ended that is still under way, with the patient at level: the control process ends."""
        if self.session is not None and self._counted:
            self._tell_the_end(self.session)

    def follow(self, snapshot: Snapshot) -> None:
        """Take in a tick: whether a session is over, or the panel may begin the next one."""
        session = self.session
        if session is None:
            if self._rules.screening is not None and self._rules.plans and self._is_at_rest(snapshot):
                self._begin(self._rules.plans[0], None)
            return
        session.see(snapshot)
        if session.was_armed and not self._counted:
            self._counted = True
            self.number += 1
            armed = snapshot.decision.armed
            person = "" if armed is None else armed.permit.pseudonym
            plan = session.plan
            self._tell("offered", f"The plan {plan.name} was chosen at the panel for {person}.", plan, person)
        if session.finished:
            self._finish(session, snapshot)

    # ------------------------------------------------------------------------------------------------------------------

    def _begin(self, plan: Plan, permit: Permit | None) -> None:
        loop, rules = self.loop, self._rules
        self._sessions += 1
        self._counted = False
        self.session = Session(
            loop.bridge,
            loop.clock,
            plan,
            self._limits,
            permit,
            loop.host,
            plans=rules.plans if permit is None else (),
            screening=rules.screening if permit is None else None,
            held_tilt=rules.held_tilt,
            strap_wait=rules.strap_wait,
            lamps_tested=self._lamps_tested,
            loop=loop,
            visit=rules.salt + self._sessions,
        )

    def _finish(self, session: Session, snapshot: Snapshot) -> None:
        """End a session that is over; one that is still armed is disarmed first, and one in trouble goes on."""
        decision = snapshot.decision
        home = (decision.region is LEVEL or decision.region is ABOVE) and decision.still
        if decision.armed is not None:
            if home and not decision.inverted_ms and snapshot.t_ms - self._asked_ms >= ASK_AGAIN_MS:
                self._asked_ms = snapshot.t_ms
                session.machine.ask_to_disarm()
            return
        state = snapshot.wish.state
        if not (state is IDLE or (state is STANDS and home)):
            return
        if self._counted:
            self._tell_the_end(session)
        self._stand_by(session, forget=not session.was_armed)

    def _tell_the_end(self, session: Session) -> None:
        outcome = session.outcome()
        plan = session.plan
        text = f"The visit with the plan {plan.name} ended {WORDS[outcome.result]}."
        values: Values = {"result": outcome.result, "end_reason": outcome.end_reason, "exit": outcome.exit_code}
        step = "ended"
        if not session.was_armed and not outcome.causes and not outcome.refusals:
            step, text = "withdrawn", f"The plan {plan.name} is no longer offered: nobody armed it."
            values = {}
        self._tell(step, text, plan, "", values)

    def _stand_by(self, session: Session, forget: bool) -> None:
        """Put the standby on the loop."""
        self._lamps_tested = self._lamps_tested or session.machine.start.lamps_tested
        seen = session.snapshot
        strapped = False
        if seen is not None and session.was_armed:
            strapped = not (seen.readings.strap_left is OPEN and seen.readings.strap_right is OPEN)
        self.standby = Standby(self._limits, self._lamps_tested, strapped, forget)
        self.loop.machine = self.standby
        self.session = None
        self._counted = False

    def _is_at_rest(self, snapshot: Snapshot) -> bool:
        """Whether a session may begin at the panel: nothing is wrong, and nobody is to be let off first."""
        decision = snapshot.decision
        guard = snapshot.readings.guard
        return (
            decision.armed is None
            and decision.demand < STOP
            and snapshot.wish.state is IDLE
            and not snapshot.wish.guide
            and (guard is None or not guard.session_id)
        )

    def _tell(self, step: str, text: str, plan: Plan, person: str, values: Values | None = None) -> None:
        told: Values = {"step": step, "visit": self.number, "plan": plan.name, "person": person or None}
        self._watcher.add(self.loop.t_ms, "visit", text, values=told | (values or {}))
