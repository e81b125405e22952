"""One session from the first tick to its end: what it came to, and when it is over.

The same for every table: whoever composes it brings a bridge, a clock and what the host knows of itself.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from config.limits import Limits
from config.plan import Plan
from config.screening import Screening
from controller.loop import TICK_MS, Clock, ControlLoop
from controller.machine import SessionMachine
from controller.panel_screening import Asking, declaration_of
from controller.permits import declared
from controller.walker import Steps, steps_of
from firmware_bridge.bridge import Bridge
from safety import arming
from safety.signals import Arm, Cause, Contacts, Demand, Host, Permit, Region, Snapshot, State

IDLE: Final = State.IDLE
STANDS: Final = State.STOPPED
LEVEL: Final = Region.LEVEL
OPEN: Final = Contacts.OPEN
NOBODY_ACTS_MS: Final = 120_000
NOBODY_ARMS_MS: Final = 600_000
# Beside these, for each question of the screening list that is answered at the panel.
A_QUESTION_MS: Final = 30_000
STRAPS_STAY_MS: Final = 5_000
LEVEL_CDEG: Final = 150
KNOWN_MS: Final = 1000
# Far more than anybody tries to arm in one visit; the number of a try goes into the session id.
MOST_TRIES: Final = 1000

COMPLETED: Final = "completed"
TRIPPED: Final = "tripped"
STOPPED: Final = "stopped"
REFUSED: Final = "refused"

EXIT_COMPLETED: Final = 0
EXIT_TRIPPED: Final = 3
EXIT_REFUSED: Final = 4
EXIT_STOPPED: Final = 6
EXIT_NOT_LEVEL: Final = 7

# The words of the clinic's record for how a session ended, by the first cause.
REASONS: Final[dict[str, str]] = {
    "H01": "sensor",
    "H02": "sensor",
    "H03": "time",
    "H04": "strap",
    "H05": "strap",
    "H06": "strap",
    "H08": "sensor",
    "H09": "sensor",
    "H10": "sensor",
    "H11": "drive",
    "H12": "drive",
    "H13": "drive",
    "H14": "obstruction",
    "H15": "obstruction",
    "H16": "drive",
    "H18": "link",
    "H19": "host",
    "H20": "e-stop",
    "H21": "power",
    "H22": "patient button",
    "H24": "presence",
    "H25": "other",
    "H26": "supervisor",
    "H36": "other",
    "STOP": "supervisor",
}
PERSONS_CODES: Final = ("STOP", "H22", "H26")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a session ended.

    `result` is `completed`, `tripped`, `stopped` or `refused`; `end_reason` the record's word for it; `exit_code` what
    the command line ends with. `causes` are the trips, in the order in which they came, `refusals` why ARM was not
    accepted. `at_level` is by the best reading; whoever was raised to get off counts too, once the straps are open.
    """

    result: str
    end_reason: str
    exit_code: int
    at_level: bool
    causes: tuple[Cause, ...]
    refusals: tuple[Cause, ...]


def arm_of(plan: Plan, limits: Limits, permit: Permit, held_tilt: bool, strap_wait: bool, number: int) -> Arm:
    """Return the ARM request of a plan; the session id follows from plan, person and `number`, and is never 0."""
    session_id = zlib.crc32(f"{plan.hash} {permit.pseudonym} {number}".encode()) or 1
    return Arm(
        session_id=session_id,
        plan_hash=plan.hash,
        cap_cdeg=plan.cap_cdeg,
        hold_s=plan.hold_s,
        set_limit_s=plan.set_limit_s(limits),
        sets=plan.sets,
        rest_s=plan.rest_s,
        speed_cdeg_s=min(plan.speed_cdeg_s, limits.speed_cdeg_s),
        travel_limit_ms=plan.travel_limit_ms,
        used_today_s=permit.inverted_today_s,
        permit=permit,
        strap_wait=strap_wait,
        held_tilt=held_tilt,
    )


def allowed(plans: Sequence[Plan], limits: Limits, permit_for: Callable[[Plan], Permit]) -> tuple[Plan, ...]:
    """Return the plans that these limits and the person's history allow; the first stays, and ARM says why it may not.

    Two plans of one name would be one on the panel, so that each name stays once.
    """
    found = [plans[0]]
    for plan in plans[1:]:
        arm = arm_of(plan, limits, permit_for(plan), True, False, 1)
        against = list(plan.contradictions(limits, "this table's limit")) or arming.of_plan(arm, limits)
        if not against and not arming.beyond_history(arm) and all(plan.name != other.name for other in found):
            found.append(plan)
    return tuple(found)


class Session:
    """One session on one table, tick by tick: of one plan, or of whichever is chosen at the panel.

    Args:
        bridge: the table.
        clock: the monotonic clock that goes with it.
        plan: what is to be done, unless another of `plans` is chosen.
        limits: within which limits.
        permit: by whose leave; None where the screening list is answered at the panel.
        host: what the host knows of itself.
        plans: further plans that may be chosen at the panel, where the limits and the person's history allow them.
        permit_for: makes the permit of each of them, since a permit is for one plan; needed with `plans` and a permit.
        screening: the list to be answered at the panel first; the permits are then `declared`.
        held_tilt: the profile's rule on how a tilt runs; `strap_wait` that on a strap that opens below level.
        strap_wait: see there.
        lamps_tested: whether somebody has told this program already that every lamp is lit and the tone sounds.
        loop: the loop of the sessions before this one, which then goes on with this one's machine; None: a new one.
        visit: which session of that loop this is, so that no two of them have one session id.

    Raises:
        ValueError: there is neither a permit nor a screening list; or plans to choose from, and no `permit_for`.
    """

    def __init__(
        self,
        bridge: Bridge,
        clock: Clock,
        plan: Plan,
        limits: Limits,
        permit: Permit | None,
        host: Host,
        *,
        plans: Sequence[Plan] = (),
        permit_for: Callable[[Plan], Permit] | None = None,
        screening: Screening | None = None,
        held_tilt: bool = True,
        strap_wait: bool = False,
        lamps_tested: bool = False,
        loop: ControlLoop | None = None,
        visit: int = 0,
    ) -> None:
        """Begin with an idle machine; nothing moves before the first tick."""
        self._limits = limits
        self._host = host
        self._screening = screening if permit is None else None
        self._permits: dict[str, Permit] = {}
        offered = [plan, *(other for other in plans if other != plan)]
        if permit is not None:
            self._permits[plan.hash] = permit
            if len(offered) > 1:
                if permit_for is None:
                    raise ValueError("plans to choose from need permit_for: a permit is for one plan")
                self._permits |= {other.hash: permit_for(other) for other in offered[1:]}
                offered = list(allowed(offered, limits, lambda one: self._permits[one.hash]))
        elif screening is None:
            raise ValueError("a session needs a permit, or a screening list that is answered at the panel")
        self._plans = {steps_of(one): one for one in offered}

        def arm(number: int, steps: Steps) -> Arm:
            number += visit * MOST_TRIES
            return arm_of(self._plans[steps], limits, self._permits[steps.hash], held_tilt, strap_wait, number)

        self.machine = SessionMachine(
            tuple(self._plans),
            limits,
            arm,
            questions=0 if self._screening is None else len(self._screening.items),
            declare=self._declare,
            lamps_tested=lamps_tested,
        )
        if loop is None:
            loop = ControlLoop(bridge, self.machine, limits, clock, host)
        else:
            loop.machine = self.machine
        self.loop = loop
        self.snapshot: Snapshot | None = None
        self.finished = False
        self.gave_up = ""
        self.causes: list[Cause] = []
        self._clock = clock
        self._began_ms = loop.t_ms
        self._was_armed = False
        self._quiet_ms = 0
        self._buttons = 0
        self._straps_ms = 0
        self._patience_ms = max(one.rest_s for one in offered) * 1000 + NOBODY_ACTS_MS
        questions = 0 if self._screening is None else len(self._screening.items)
        self._arms_within_ms = NOBODY_ARMS_MS + questions * A_QUESTION_MS

    @property
    def was_armed(self) -> bool:
        """Whether the table has been armed in this session."""
        return self._was_armed

    @property
    def plan(self) -> Plan:
        """The plan that is shown at the panel, and from ARM on the one that is armed."""
        return self._plans[self.machine.steps]

    def _declare(self, asking: Asking) -> tuple[Steps, ...]:
        """Make the permits of what was declared at the panel, and return the plans that they allow."""
        assert self._screening is not None
        screening, wall_s = self._screening, self._host.wall_s
        declaration = declaration_of(asking, screening, wall_s)
        plans = list(self._plans.values())
        self._permits = {plan.hash: declared(plan, screening, declaration, wall_s) for plan in plans}
        within = allowed(plans, self._limits, lambda plan: self._permits[plan.hash])
        return tuple(steps for steps, plan in self._plans.items() if plan in within)

    def tick(self) -> Snapshot:
        """Run one tick and see whether the session is over."""
        snapshot = self.loop.tick(self._clock.now_ms() + TICK_MS)
        self.see(snapshot)
        return snapshot

    def see(self, snapshot: Snapshot) -> None:
        """Take in a tick of the loop, and see whether the session is over."""
        self.snapshot = snapshot
        decision = snapshot.decision
        if decision.causes:
            self._note(decision.causes)
        self._watch(snapshot)

    def bring_patient_back(self, because: str) -> None:
        """Ask for the return and for the end of the session."""
        self.machine.bring_patient_back(because)

    def give_up(self, because: str) -> None:
        """Say that nobody will arm or help any more; the session ends as soon as the table is at rest."""
        self.gave_up = because

    def _note(self, causes: tuple[Cause, ...]) -> None:
        """Keep each cause of STOP and worse once, in the order in which they came."""
        for cause in causes:
            if cause.demand >= Demand.STOP and all(cause.code != old.code for old in self.causes):
                self.causes.append(cause)

    def _watch(self, snapshot: Snapshot) -> None:
        """Decide whether the session is over."""
        readings, decision = snapshot.readings, snapshot.decision
        armed = decision.armed is not None
        if armed:
            self._was_armed = True
        buttons = readings.buttons or 0
        turning = decision.command.velocity_cdeg_s or readings.applied_cdeg_s or decision.returning
        # A button that is stuck is nobody who acts.
        moving = (turning and readings.age_ms <= KNOWN_MS) or buttons != self._buttons
        self._buttons = buttons
        self._quiet_ms = 0 if moving else self._quiet_ms + readings.elapsed_ms
        state = snapshot.wish.state
        if not armed and (state is IDLE or (state is STANDS and decision.region is LEVEL)):
            if self._was_armed or self.machine.ended_by_person:
                self._straps_ms = 0 if moving else self._straps_ms + readings.elapsed_ms
                opened = readings.strap_left is OPEN and readings.strap_right is OPEN
                # Whoever is being raised to get off is waited for, also at the pause of +30°.
                stay_ms = NOBODY_ACTS_MS if decision.region is Region.ABOVE else STRAPS_STAY_MS
                self.finished = not moving and (opened or self._straps_ms >= stay_ms)
            elif (self.gave_up or self.machine.start.declined) and not moving:
                self.finished = True
            elif snapshot.t_ms - self._began_ms >= self._arms_within_ms:
                self.finished = not moving
        elif self.gave_up and not moving and decision.still and decision.region in (Region.LEVEL, Region.ABOVE):
            self.finished = True
        if self._quiet_ms >= self._patience_ms:
            self.finished = True

    def outcome(self) -> Outcome:
        """Say what the session came to; before its end, what it has come to so far."""
        snapshot = self.snapshot
        angle = None if snapshot is None else snapshot.decision.angle_cdeg
        at_level = angle is not None and -LEVEL_CDEG <= angle <= LEVEL_CDEG
        if snapshot is not None and not at_level:
            # Raised to get off, by a held button and after its rest, with the straps open: nobody has to act.
            decision, readings = snapshot.decision, snapshot.readings
            opened = readings.strap_left is OPEN and readings.strap_right is OPEN
            at_level = opened and decision.region is Region.ABOVE and decision.demand == Demand.ALLOW
            at_level = at_level and decision.armed is None and decision.still
        causes, refusals = tuple(self.causes), self.machine.refusals
        if not self._was_armed and not causes:
            result, reason, code = REFUSED, "refused", EXIT_REFUSED
            if self.machine.ended_by_person:
                result, reason, code = STOPPED, "supervisor", EXIT_STOPPED
            return Outcome(result, reason, code, at_level, causes, refusals)
        trips = [cause for cause in causes if cause.code not in PERSONS_CODES]
        # The patient's button ends the session, also in the last set's return.
        asked = any(cause.code == "H22" for cause in causes)
        if trips:
            first = causes[0].code
            result, reason, code = TRIPPED, REASONS.get(first, "other"), EXIT_TRIPPED
        elif self.machine.sets_done >= self.plan.sets and not (self.machine.ended_by_person or asked):
            result, reason, code = COMPLETED, "completed", EXIT_COMPLETED
        else:
            first = causes[0].code if causes else "STOP"
            result, reason, code = STOPPED, REASONS.get(first, "supervisor"), EXIT_STOPPED
        return Outcome(result, reason, code if at_level else EXIT_NOT_LEVEL, at_level, causes, refusals)
