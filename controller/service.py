"""The control process at work: one loop for as long as it lives, one visit after another on it, and who may ask what.

With nothing offered the table stands by. An offer of a plan with its permit, or the screening list that is answered at
the panel, makes the next session (`controller.visits`); what the judge remembers outlives them all. No request is a
motion: what is armed was confirmed at the panel, and what tilts is a button held there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import msgspec

from config.limits import Limits
from controller import messages as say
from controller import offers
from controller.events import NO_EVENTS, Values, Watcher
from controller.leaving import Leaving
from controller.loop import TICK_MS, Clock
from controller.messages import Answer, Event, Request, Welcome
from controller.messages import Service as Condition
from controller.realtime import Lateness
from controller.sentences import refusal
from controller.visits import Rules, Visits
from firmware_bridge.bridge import Bridge
from safety import asking
from safety.arming import refusal as refused_for
from safety.judged import Judged
from safety.signals import Cause, Host, Region, Snapshot, State

WARN_MS: Final = 3_000
"""A return that was asked for on an old picture is announced for so long; DESIGN §9."""
MOMENTS: Final = 512
"""How many snapshots' moments are remembered: more than come in 500 ms, edges and all."""
LOOK_TICKS: Final = 10
DATE_TICKS: Final = 1_000
STARTING_TICKS: Final = 500
"""The recorder's own start is no trouble to tell of."""
MOST_TOLD: Final = 20
"""Requests that become events of their own, in one second."""
LONGEST_WORDS: Final = 200
IDLE: Final = State.IDLE
HOME: Final = (Region.LEVEL, Region.ABOVE)
RECORDED: Final = "everything is recorded again"
ON_ITS_WAY_OUT: Final = "the control process is about to end: offer the plan again when it was started anew"
NOT_NOW: Final = (
    "a plan is offered or a visit under way already: wait for its end, or take the offer back with `disarm`"
)
NOT_AT_REST: Final = (
    "the table is not at rest, or an alarm stands: bring the patient to level, clear the alarm with ACK held for "
    "2 seconds, then offer the plan again"
)
NOTHING_TO_DISARM: Final = "nothing is armed and nothing offered: there is nothing to disarm"
NOT_HOME: Final = "the table is not at level and still: bring the patient back first, then disarm"
SAID_ONCE: Final = "hello is the first word of a connection, and is said once"


class Records(Protocol):
    """The recorder, as the control process has it; `controller.recorder.RecorderLink` is one."""

    ok: bool
    trouble: str

    def observe(self, snapshot: Snapshot, events: Sequence[Event], judged: Judged) -> None:
        """Take one tick; never blocks."""
        ...

    def news(self) -> list[str]:
        """Return what people must be told, each sentence once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One table, and all that its service has to know of it.

    `wall_ms` labels moments (milliseconds since 1970), `clock_ok` judges such a date, in seconds, while nothing is
    armed. `news` and `trouble` are the line's: what people must be told once, and what is wrong with it now. `about`
    goes into the first event. `real_time` says what was not permitted of being on time, `on_armed` is told when the
    table is armed and disarmed. `configuration` is what a client
    may read.
    """

    bridge: Bridge
    clock: Clock
    limits: Limits
    host: Host
    rules: Rules
    welcome: Welcome
    wall_ms: Callable[[], int]
    records: Records | None = None
    clock_ok: Callable[[int], bool] = lambda wall_s: wall_s > 0
    news: Callable[[], list[str]] = list
    trouble: Callable[[], str] = str
    real_time: Callable[[], str] = str
    on_armed: Callable[[bool], None] = lambda armed: None
    manual_return_text: str = ""
    about: Values = field(default_factory=dict)
    configuration: Mapping[str, Any] = field(default_factory=dict)


class Service:
    """One table, served.

    Attributes:
        state: how the control process itself is; replaced when something of it changes.
        snapshot: the last tick, None before the first; `happened` are the events that came with it.
        welcome: what a client is told first.
        watcher: makes and keeps the events.
        lateness: how far apart the ticks were.
        clients: how many are connected; the local socket's business.
    """

    def __init__(self, served: Served) -> None:
        """Begin in standby; nothing moves before the first tick."""
        self.state = Condition()
        self.snapshot: Snapshot | None = None
        self.happened: list[Event] = NO_EVENTS
        self.welcome = served.welcome
        self.watcher = Watcher(served.wall_ms)
        self.lateness = Lateness()
        self.clients = 0
        self._served = served
        self._visits = Visits(served.bridge, served.clock, served.limits, served.host, served.rules, self.watcher)
        self._loop = self._visits.loop
        self.watcher.alarms = self._loop.alarms
        self._moments = [0] * MOMENTS
        self._number = 0
        self._armed = False
        self._leaving: Leaving | None = None
        self._records = self._line = ""
        self._told_s = 0
        self._told = {"request": 0, "refused": 0, "stop": 0}
        self.watcher.add(0, "boot", f"The control process of {served.welcome.title} began.", values=served.about)

    def count_clients(self, clients: int) -> None:
        """Learn how many clients are connected, so that the next frame tells it."""
        self.clients = clients
        self.state = msgspec.structs.replace(self.state, clients=clients)

    # One tick ---------------------------------------------------------------------------------------------------

    def tick(self) -> Snapshot:
        """Run one tick, see what it came to, and hand it to the recorder."""
        loop, served = self._loop, self._served
        snapshot = loop.tick(served.clock.now_ms() + TICK_MS)
        self.snapshot = snapshot
        number, t_ms = snapshot.number, snapshot.t_ms
        self._number = number
        self._moments[number % MOMENTS] = t_ms
        self.lateness.note(t_ms, snapshot.readings.elapsed_ms)
        self._visits.follow(snapshot)
        if (snapshot.decision.armed is not None) is not self._armed:
            self._armed = not self._armed
            served.on_armed(self._armed)
        if self._leaving is not None:
            self._leaving.follow(snapshot, self._visits.machine)
        if number % LOOK_TICKS == 1:
            self._look(snapshot)
        self.happened = happened = self.watcher.observe(snapshot)
        if served.records is not None:
            served.records.observe(snapshot, happened, loop.judged)
        return snapshot

    # The end ----------------------------------------------------------------------------------------------------

    def leave(self, because: str) -> None:
        """Bring the patient back and be ready to end; asked again it says why it still waits."""
        if self._leaving is None:
            self._leaving = Leaving(because, self._served.manual_return_text)
            self._visits.withdraw(f"{because}: the control process ends")
            if self.snapshot is None or self.snapshot.decision.region not in HOME or self._armed:
                self._visits.machine.bring_patient_back(because)
            self._note("request", f"{because}: the control process ends as soon as the patient is at level.", "host")
        if self.snapshot is not None:
            self._leaving.follow(self.snapshot, self._visits.machine)
            self._look(self.snapshot)

    def finish(self) -> Snapshot:
        """Run the last tick, which records that it was the last one."""
        because = "" if self._leaving is None else self._leaving.because
        if self.may_leave:
            self._visits.close()
        self.watcher.add(self._loop.t_ms, "end", "The control process ends.", values={"because": because})
        return self.tick()

    @property
    def may_leave(self) -> bool:
        """Whether the process may end now, after it was asked to."""
        return self._leaving is not None and self._leaving.may

    @property
    def takes_offers(self) -> bool:
        """Whether a plan may be offered now, whatever the plan."""
        snapshot, loop = self.snapshot, self._loop
        return (
            snapshot is not None
            and snapshot.wish.state is IDLE
            and not self._armed
            and self._leaving is None
            and self._visits.open_to_offers
            and (self._served.records is None or loop.host.records_ok)
        )

    # Requests ---------------------------------------------------------------------------------------------------

    def handle(self, request: Request, by: str, root_or_owner: bool) -> Answer:
        """Do what is asked for, if it may be, and answer; takes microseconds, but for an offer to a table at rest.

        `by` is what the client is called in records, `root_or_owner` whether its user is this process's own, or root.
        """
        if isinstance(request, say.Stop | say.Return):
            return self._bring_back(request, by)
        if isinstance(request, say.Offer | say.Disarm | say.Acknowledge):
            against = asking.someone_else(asking.CHANGES, root_or_owner, self._picture_ms(request.seen))
            if against is not None:
                return self._refused(request.id, by, (_of_someone_else(against),), (against.code,))
            if isinstance(request, say.Offer):
                return self._offer(request, by)
            return self._disarm(request, by) if isinstance(request, say.Disarm) else self._acknowledge(request, by)
        if isinstance(request, say.Configuration):
            return Answer(request.id, True, value=self._served.configuration)
        if isinstance(request, say.Events):
            return Answer(request.id, True, value=self.watcher.since(request.since, min(request.most, say.MOST_EVENTS)))
        if isinstance(request, say.Watch):
            return Answer(request.id, True)
        return Answer(0, False, (SAID_ONCE,))

    def _picture_ms(self, seen: int) -> int:
        """Return the age of a snapshot; of one that never was, or long ago, more than any limit."""
        if not (0 < seen <= self._number and self._number - seen < MOMENTS):
            return asking.NEVER_SENT_MS
        return self._loop.t_ms - self._moments[seen % MOMENTS]

    def _bring_back(self, request: say.Stop | say.Return, by: str) -> Answer:
        """STOP and RETURN, for whoever asks and whatever they have seen."""
        because = f"{request.because[:LONGEST_WORDS] or 'asked for'} ({by})"
        machine = self._visits.machine
        if isinstance(request, say.Stop):
            machine.stop(because)
            self._note("request", f"STOP: {because}.", by)
        else:
            old = asking.is_stale(self._picture_ms(request.seen))
            machine.bring_patient_back(because, WARN_MS if old else 0)
            self._note("request", f"RETURN: {because}.", by, values={"announced_ms": WARN_MS if old else 0})
        return Answer(request.id, True)

    def _acknowledge(self, request: say.Acknowledge, by: str) -> Answer:
        self._visits.machine.acknowledge()
        self._note("request", f"The alarm's sound is to pause ({by}).", by)
        return Answer(request.id, True)

    def _offer(self, request: say.Offer, by: str) -> Answer:
        """Put a plan before the panel; everything that speaks against it is told at once."""
        snapshot = self.snapshot
        if self._leaving is not None:
            return self._refused(request.id, by, (ON_ITS_WAY_OUT,))
        # Before anything is read: whoever floods an armed table with plans costs it nothing.
        if snapshot is None or self._armed or not self._visits.open_to_offers:
            return self._refused(request.id, by, (NOT_NOW,))
        if snapshot.wish.state is not IDLE:
            codes = tuple(cause.code for cause in snapshot.decision.causes)
            return self._refused(request.id, by, (NOT_AT_REST,), codes)
        plan = offers.read(request.plan)
        if isinstance(plan, offers.Against):
            return self._refused(request.id, by, plan.why, plan.codes)
        readings = msgspec.structs.replace(snapshot.readings, host=self._dated())
        against = offers.against(plan, request.permit, self._served.limits, readings)
        if against is not None:
            return self._refused(request.id, by, against.why, against.codes)
        self._visits.offer(plan, request.permit)
        self._note("request", f"The plan {plan.name} is offered ({by}).", by)
        self._look(snapshot)
        return Answer(request.id, True, value={"visit": self._visits.number, "plan_hash": plan.hash})

    def _disarm(self, request: say.Disarm, by: str) -> Answer:
        """Take an offer back, or end a session as CONFIRM at the panel does."""
        because = f"{request.because[:LONGEST_WORDS] or 'asked for'} ({by})"
        snapshot = self.snapshot
        if snapshot is None:
            return self._refused(request.id, by, (NOTHING_TO_DISARM,))
        if self._visits.offered:
            self._visits.withdraw(because)
        elif not self._armed:
            return self._refused(request.id, by, (NOTHING_TO_DISARM,))
        else:
            decision = snapshot.decision
            if decision.region not in HOME or not decision.still:
                return self._refused(request.id, by, (NOT_HOME,), ("H32",))
            if decision.inverted_ms:
                rest = refused_for("H32", 0, self._served.limits.rest_s, "s of rest, level and still")
                return self._refused(request.id, by, (refusal(rest),), ("H32",))
            self._visits.machine.ended_by_person = True
            self._visits.machine.ask_to_disarm()
        self._note("request", f"DISARM: {because}.", by)
        self._look(snapshot)
        return Answer(request.id, True)

    def _refused(self, number: int, by: str, why: tuple[str, ...], codes: tuple[str, ...] = ()) -> Answer:
        self._note("refused", f"Refused to {by}: {'; '.join(why)}", by, codes[0] if codes else "")
        return Answer(number, False, why, codes)

    def _note(self, kind: str, text: str, by: str, code: str = "", values: Values | None = None) -> None:
        """Make an event of a request; of whoever asks all the time only some."""
        t_ms = self._loop.t_ms
        second = t_ms // 1000
        if second != self._told_s:
            self._told_s, self._told = second, dict.fromkeys(self._told, 0)
        # Whoever floods with something else cannot hide a stop or a return.
        count = "stop" if text.startswith(("STOP", "RETURN")) else kind
        told = self._told[count] = self._told[count] + 1
        if told <= MOST_TOLD:
            more: Values = {"more_follow": 1} if told == MOST_TOLD else {}
            self.watcher.add(t_ms, kind, text, code, by, (values or {}) | more)

    # Now and then -----------------------------------------------------------------------------------------------

    def _look(self, snapshot: Snapshot) -> None:
        """Look at what changes seldom: the recorder, the line, the date, what the process itself says."""
        served, loop, visits = self._served, self._loop, self._visits
        host, t_ms = loop.host, snapshot.t_ms
        if served.records is not None:
            host = self._recorded(served.records, host, snapshot)
        for words in served.news():
            self.watcher.add(t_ms, "line", words)
        decision = snapshot.decision
        if not self._armed and snapshot.number % DATE_TICKS < LOOK_TICKS:
            host = self._dated(host)
        if host.unfinished and decision.region in HOME and decision.still and not decision.returning:
            host = msgspec.structs.replace(host, unfinished=False)
        if host is not loop.host:
            loop.host = host
        leaving = self._leaving
        state = Condition(
            visit=visits.number,
            offered=visits.offered,
            overruns=self.lateness.overruns,
            late_ms=self.lateness.worst_ms,
            records=self._records,
            line=served.trouble(),
            real_time=served.real_time(),
            leaving=leaving is not None,
            stays="" if leaving is None else leaving.stays(snapshot),
            clients=self.clients,
        )
        if state != self.state:
            self.state = state

    def _recorded(self, records: Records, host: Host, snapshot: Snapshot) -> Host:
        """H33: what cannot be recorded is told, and the judge knows."""
        for words in records.news():
            self.watcher.add(snapshot.t_ms, "records", words)
        trouble = "" if records.ok else records.trouble
        if trouble != self._records:
            if self._records and not trouble and snapshot.number > STARTING_TICKS:
                self.watcher.add(snapshot.t_ms, "records", RECORDED)
            elif trouble and snapshot.number > STARTING_TICKS:
                self.watcher.add(snapshot.t_ms, "records", trouble, "H33")
            self._records = trouble
        if records.ok is host.records_ok:
            return host
        return msgspec.structs.replace(host, records_ok=records.ok)

    def _dated(self, host: Host | None = None) -> Host:
        """Return what the host knows of itself, with today's date: it is judged at arming, and left alone after."""
        wall_s = self._served.wall_ms() // 1000
        host = host or self._loop.host
        return msgspec.structs.replace(host, wall_s=wall_s, clock_ok=self._served.clock_ok(wall_s))


def _of_someone_else(cause: Cause) -> str:
    """Return H35 in a sentence for whoever asked."""
    if cause.limit == 1:
        return (
            "only the user that the control process runs as, or root, may ask for that: ask as that user; "
            "STOP and RETURN are for everybody"
        )
    if cause.value >= asking.NEVER_SENT_MS:
        return "the request names no picture of the table that was sent lately: look at the table, then ask again"
    return (
        f"the picture that this was asked on is {cause.value} ms old, more than {cause.limit} ms: look at the table, "
        "then ask again"
    )
