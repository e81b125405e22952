"""Which fault, in which phase of a session, leads to what: the hazard page, as a table of runs.

Every kind of the catalogue stands here with every phase. What a fault cannot do in a phase is told with its reason;
so is what it does that nobody has to notice there.
"""

from dataclasses import dataclass

from config.plan import Plan
from safety.signals import Alarm, Demand
from sim.body import Person
from sim.habits import Habits
from tests.sessions.runs import AT_LEVEL, BRIEF

IDLE, STRAPPED, TILTING, HOLDING, RETURNING, RESTING = "idle strapped tilting holding returning resting".split()
PHASES = (IDLE, STRAPPED, TILTING, HOLDING, RETURNING, RESTING)

WHEN = {
    IDLE: "idle+3s",
    STRAPPED: "strapped+2s",
    TILTING: "tilting+6s",
    HOLDING: "holding+3s",
    RETURNING: "returning+4s",
    RESTING: "resting+5s",
}
"""When a fault comes in each phase; at these moments the table tilts at −7°, and returns at −9°."""


@dataclass(frozen=True, slots=True)
class Trips:
    """One of `codes` is the first cause, with this demand and alarm; `worst` is demanded sooner or later."""

    codes: tuple[str, ...]
    demand: Demand
    alarm: Alarm
    worst: Demand | None = None


@dataclass(frozen=True, slots=True)
class Shows:
    """The cause is among those shown, whether it came first or not; the demand in force is at least this."""

    code: str
    alarm: Alarm
    at_least: Demand


@dataclass(frozen=True, slots=True)
class Minor:
    """A cause that stops nothing, but is shown, and is gone again or harmless."""

    code: str
    demand: Demand
    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Prompts:
    """A code is shown as a prompt, and nothing trips while that is all."""

    code: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The table never arms; `code` is among the reasons, or empty where nobody gets as far as asking."""

    code: str = ""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing happens, and nothing has to: `because`."""

    because: str


@dataclass(frozen=True, slots=True)
class Impossible:
    """The fault cannot come in this phase: `because`."""

    because: str


Expectation = Trips | Shows | Minor | Prompts | Refused | Quiet | Impossible


@dataclass(frozen=True, slots=True)
class Case:
    """One fault in one phase; `when` and the rest only where they differ from the usual."""

    fault: str
    phase: str
    expects: Expectation
    when: str = ""
    plan: str | Plan = BRIEF
    habits: Habits = AT_LEVEL
    person: Person | None = None
    watch_s: float = 0.0
    label: str = ""

    @property
    def id(self) -> str:
        """What the test is called."""
        return f"{self.fault.partition(':')[0]}-{self.phase}{'-' + self.label if self.label else ''}"

    @property
    def text(self) -> str:
        """The fault as the command line has it."""
        name, colon, values = self.fault.partition(":")
        return f"{name}@{self.when or WHEN[self.phase]}{colon}{values}"

    @property
    def text_now(self) -> str:
        """The fault as hands inject it when its moment has come: without the moment, with its duration."""
        name, at_and_more = self.text.split("@")
        when, colon, values = at_and_more.partition(":")
        lasts = when.split("+")[2:]
        return "+".join([name, *lasts]) + colon + values

    @property
    def is_usual(self) -> bool:
        """Whether it needs nothing but the usual session: plan, people and boot."""
        return self.plan is BRIEF and self.habits == AT_LEVEL and self.person is None and self.when != "idle"


def trip(code: str, demand: Demand, alarm: Alarm, worst: Demand | None = None) -> Trips:
    """The usual expectation; several codes are joined by `/`."""
    return Trips(tuple(code.split("/")), demand, alarm, worst)


STOP, RETURN, HOLD, CUT = Demand.STOP, Demand.RETURN, Demand.HOLD, Demand.CUT
LOW, MEDIUM, HIGH = Alarm.LOW, Alarm.MEDIUM, Alarm.HIGH
NEARLY_LEVEL = "tilting+3.5s"
BALANCED = Person(offset_cm=0.0)
UPRIGHT = Habits(boards_at_deg=75.0)
NOT_DRIVEN = Quiet("after the last way back nothing drives the table")
NOT_OUTWARD = Quiet("nothing goes outward any more")
AT_ARMING = Quiet("judged once, at arming")
BEFORE_THE_FIRST_TICK = Impossible("only what is switched on can boot")
ON_PAPER = Impossible("the permit is read once, at arming")


def everywhere(fault: str, expects: Expectation, **kept: Expectation) -> list[Case]:
    """The same expectation in every phase, but for those named."""
    return [Case(fault, phase, kept.get(phase, expects)) for phase in PHASES]


def at_arming(fault: str, code: str, otherwise: Expectation) -> list[Case]:
    """A fault that only arming can see, there from the very start."""
    early = Case(fault, IDLE, Refused(code), when="idle")
    return [early, *(Case(fault, phase, otherwise) for phase in PHASES[1:])]


CASES: list[Case] = [
    # H01, H02, H36: what both sensors say together
    *everywhere("angles-shift", trip("H01", RETURN, MEDIUM), idle=Refused(), strapped=Quiet("within the cap"),
                tilting=Quiet("the way down ends by the reading"), returning=Quiet("within the cap"),
                resting=Quiet("within the cap")),
    *everywhere("device-limit", Shows("H02", HIGH, HOLD)),
    Case("raised-too-far", IDLE, trip("H36", STOP, MEDIUM), when="idle+0.5s", habits=UPRIGHT, watch_s=10),
    Case("raised-too-far:by_deg=1.8", IDLE, Quiet("people climb on"), when="idle+0.5s", habits=UPRIGHT, label="a sag"),
    *(Case("raised-too-far", phase, Impossible("at or below level")) for phase in PHASES[1:]),
    # H03, H24: time and people
    Case("supervisor-dawdles", IDLE, trip("STOP", STOP, LOW)),
    Case("supervisor-dawdles", STRAPPED, trip("STOP", STOP, LOW)),
    Case("supervisor-dawdles", TILTING, trip("STOP", STOP, LOW, RETURN), watch_s=60),
    Case("supervisor-dawdles", HOLDING, trip("STOP", STOP, LOW, RETURN), watch_s=60),
    Case("supervisor-dawdles", RETURNING, trip("STOP", STOP, LOW)),
    Case("supervisor-dawdles", RESTING, trip("STOP", STOP, LOW)),
    Case("supervisor-leaves", IDLE, Refused()),
    Case("supervisor-leaves", STRAPPED, Quiet("at level nobody is needed"), watch_s=60),
    Case("supervisor-leaves", TILTING, trip("H24", RETURN, MEDIUM)),
    Case("supervisor-leaves", HOLDING, trip("H24", RETURN, MEDIUM), plan="first-visit"),
    Case("supervisor-leaves", HOLDING, Prompts("H24"), label="of a short hold"),
    Case("supervisor-leaves", RETURNING, Quiet("level is reached before anybody is missed")),
    Case("supervisor-leaves", RESTING, Quiet("at level nobody is needed")),
    # H04 to H07: straps
    Case("strap-opens", IDLE, Refused(), when="idle"),
    Case("strap-opens", STRAPPED, trip("H05", STOP, MEDIUM)),
    Case("strap-opens", TILTING, trip("H04", RETURN, HIGH)),
    Case("strap-opens", TILTING, trip("H05", STOP, MEDIUM), when=NEARLY_LEVEL, label="above -5"),
    Case("strap-opens:side=left", HOLDING, trip("H04", RETURN, HIGH), label="left"),
    Case("strap-opens:side=right", HOLDING, trip("H04", RETURN, HIGH), label="right"),
    Case("strap-opens", HOLDING, trip("H04", RETURN, HIGH)),
    Case("strap-opens", RETURNING, trip("H04", RETURN, HIGH)),
    Case("strap-opens", RESTING, trip("H05", STOP, MEDIUM)),
    Case("strap-contact-fails", IDLE, Refused(), when="idle"),
    Case("strap-contact-fails", STRAPPED, Minor("H06", Demand.NO_DEEPENING, MEDIUM)),
    Case("strap-contact-fails", TILTING, trip("H06", RETURN, MEDIUM)),
    Case("strap-contact-fails", TILTING, Minor("H06", Demand.NO_DEEPENING, MEDIUM), when=NEARLY_LEVEL,
         label="above -5", watch_s=3),
    Case("strap-contact-fails:contact=2,side=right", HOLDING, trip("H06", RETURN, MEDIUM)),
    Case("strap-contact-fails", RETURNING, trip("H06", RETURN, MEDIUM)),
    Case("strap-contact-fails", RESTING, Minor("H06", Demand.NO_DEEPENING, MEDIUM)),
    *at_arming("strap-stuck-closed", "", Quiet("a closed strap reads as it is")),
    # H08 to H10: angles
    *everywhere("angle-lost", trip("H08", RETURN, HIGH)),
    Case("angle-lost:sensor=b", HOLDING, trip("H08", RETURN, HIGH), label="b"),
    *everywhere("angle-drifts:rate_deg_s=0.8", trip("H08", RETURN, HIGH)),
    *everywhere("angle-jumps", trip("H08", RETURN, HIGH)),
    Case("level-switch-stuck", IDLE, Refused("H08"), when="idle", habits=UPRIGHT),
    *(Case("level-switch-stuck", phase, Quiet("in session it has no say")) for phase in PHASES[1:]),
    *everywhere("both-angles-lost", trip("H09", CUT, HIGH)),
    *everywhere("angle-freezes", trip("H08/H10", CUT, HIGH), returning=trip("H08/H10", CUT, HIGH),
                tilting=trip("H08/H10", CUT, HIGH), resting=NOT_DRIVEN),
    *(Case("angle-freezes:sensor=a", phase, trip("H08/H10", RETURN, HIGH), label="a") for phase in PHASES[1:5]),
    *(Case("drive-dead", phase, trip("H10", HOLD, HIGH), person=BALANCED) for phase in PHASES[:5]),
    Case("drive-dead", RESTING, NOT_DRIVEN),
    Case("drive-dead", TILTING, trip("H11/H13", CUT, HIGH), label="head-heavy"),
    # H11 to H16: drive, brake, way
    *everywhere("drive-reversed", trip("H11", CUT, HIGH), resting=NOT_DRIVEN),
    *everywhere("brake-slips", trip("H12/H13", HOLD, HIGH)),
    *everywhere("drive-overspeeds", trip("H13", CUT, HIGH), resting=NOT_DRIVEN),
    *everywhere("drive-runs-away", trip("H11/H12/H13", CUT, HIGH), resting=NOT_DRIVEN),
    *everywhere("obstruction", trip("H14", STOP, MEDIUM), holding=NOT_OUTWARD, returning=NOT_OUTWARD,
                resting=NOT_OUTWARD),
    Case("obstruction-homeward", IDLE, Quiet("it stands above level")),
    Case("obstruction-homeward", STRAPPED, Quiet("it stands above level")),
    Case("obstruction-homeward", TILTING, trip("H15", HOLD, HIGH), when="tilting+6s+25s"),
    Case("obstruction-homeward", HOLDING, trip("H15", HOLD, HIGH), when="holding+3s+20s"),
    Case("obstruction-homeward", RETURNING, trip("H15", HOLD, HIGH), when="returning+4s+10s"),
    Case("obstruction-homeward", RESTING, NOT_DRIVEN),
    *everywhere("drive-hot", trip("H16", RETURN, MEDIUM)),
    *everywhere("drive-fault", trip("H16", RETURN, MEDIUM)),
    # H18, H19, H27, H28: link, boot, host
    *everywhere("frames-stop", trip("H18", STOP, MEDIUM)),
    *everywhere("frames-repeat", trip("H18", STOP, MEDIUM)),
    Case("boots-below", IDLE, Shows("H19", HIGH, HOLD), when="idle"),
    *(Case("boots-below", phase, BEFORE_THE_FIRST_TICK) for phase in PHASES[1:]),
    *everywhere("host-late", Minor("H27", Demand.NO_DEEPENING, LOW)),
    *(Case("host-late:gap_ms=1500", phase, trip("H17", STOP, MEDIUM), label="hung") for phase in PHASES[1:]),
    *at_arming("clock-wrong", "H28", AT_ARMING),
    *at_arming("configuration-unproven", "H30", AT_ARMING),
    Case("wrong-plan", IDLE, Refused("H31"), when="idle"),
    *(Case("wrong-plan", phase, ON_PAPER) for phase in PHASES[1:]),
    Case("permit-expired", IDLE, Refused("H34"), when="idle"),
    *(Case("permit-expired", phase, ON_PAPER) for phase in PHASES[1:]),
    # H20 to H26, H32: e-stop, mains, buttons
    *everywhere("estop-pressed", trip("H20", CUT, HIGH)),
    *everywhere("estop-contact-fails", trip("H20", CUT, HIGH)),
    Case("estop-contact-fails:contact=2", HOLDING, trip("H20", CUT, HIGH), label="second"),
    *everywhere("mains-lost", trip("H21", RETURN, MEDIUM)),
    *(Case("mains-lost:battery=no", phase, trip("H21", HOLD, HIGH), label="no battery") for phase in PHASES),
    *everywhere("patient-presses", trip("H22", RETURN, MEDIUM), idle=Quiet("trying the button is wanted")),
    *everywhere("patient-button-broken", trip("H22", RETURN, MEDIUM), idle=Refused()),
    *at_arming("patient-button-untested", "", Quiet("welded closed it reads as not pressed, as at any time")),
    *(Case("button-stuck", phase, Prompts("H25")) for phase in (HOLDING, RETURNING, RESTING)),
    Case("button-stuck", IDLE, Prompts("H25"), when="idle"),
    *(Case("button-stuck", phase, trip("H25", STOP, MEDIUM), watch_s=125) for phase in (STRAPPED, TILTING)),
    *everywhere("buttons-together", trip("H26", STOP, LOW)),
    Case("raised-early", IDLE, Impossible("nobody was inverted: raising by hand is meant")),
    Case("raised-early", STRAPPED, Impossible("nobody was inverted: raising by hand is meant")),
    Case("raised-early", TILTING, trip("H26", STOP, LOW)),
    *(Case("raised-early", phase, Prompts("H25"), watch_s=75) for phase in (HOLDING, RETURNING, RESTING)),
]  # fmt: skip
