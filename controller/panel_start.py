"""The start of a session at the panel: screening list, lamp test, choice of the plan, straps, read-back, and ARM.

What a press means is told in `controller.panel` and `controller.panel_screening`; here it is remembered from tick to
tick, and turned into the one request that arms.
"""

from collections.abc import Callable

from controller import panel, panel_screening
from controller.panel import Desk
from controller.panel_screening import Asking
from controller.walker import Steps
from safety.arming import refusal
from safety.signals import PLAN_DOWN, PLAN_UP, Arm, Cause, Decision, Guide, Readings

ArmOf = Callable[[int, Steps], Arm]
Declare = Callable[[Asking], tuple[Steps, ...]]

ARMING = Guide.ARMING


class Start:
    """One start, up to ARM; over once a session was armed.

    Args:
        plans: the plans that may be chosen; the first is shown first.
        arm: makes the ARM request of the number of the try, from 1, and of a plan.
        questions: how many items of the screening list are answered here first; 0: none are.
        declare: takes the answers in, and returns the plans that they allow, the first plan among them.
        lamps_tested: whether somebody has told this program already that every lamp is lit and the tone sounds.

    Attributes:
        steps: the plan that is shown, and once it is armed that one.
        refusals: why the table was not armed, the last time.
        guide: what the panel waits for; `left_ms` is what is left of a time that runs.
        declined: whether whoever answered the screening list ended the visit over a refusal.
    """

    def __init__(
        self, plans: tuple[Steps, ...], arm: ArmOf, questions: int, declare: Declare | None, lamps_tested: bool
    ) -> None:
        """Begin with the first plan."""
        self.plans = plans
        self.steps = plans[0]
        self.refusals: tuple[Cause, ...] = ()
        self.guide = Guide.NOTHING
        self.left_ms = 0
        self.over = False
        self.declined = False
        self._arm = arm
        self._desk = Desk(lamps_tested=lamps_tested)
        self._questions = questions
        self._declare = declare
        self._asking = panel_screening.FIRST
        self._tries = 0
        self._asked = False

    @property
    def lamps_tested(self) -> bool:
        """Whether somebody at the panel has told that every lamp is lit and the tone sounds."""
        return self._desk.lamps_tested

    @property
    def question(self) -> int:
        """The number of the question that is asked, from 1; 0: none is."""
        return self._asking.number if self.guide is Guide.SCREENING else 0

    @property
    def answer(self) -> int | None:
        """What is chosen there so far; None before anything is."""
        return self._asking.answer if self.guide is Guide.SCREENING else None

    def tick(self, readings: Readings, decision: Decision, buttons: int, pressed: int) -> Arm | None:
        """Go on with the start by one tick in `idle`; returns ARM once, when a plan has been read back."""
        if decision.refusals:
            self.refusals = decision.refusals
        self.left_ms = 0
        if self.over:
            self.guide = Guide.OPEN
            return None
        if self._questions and not self._asking.done:
            self._screen(decision, buttons, pressed, readings.elapsed_ms)
            return None
        if self._asked:
            # ARM is on its way: what it names is what is shown.
            pressed &= ~(PLAN_UP | PLAN_DOWN)
        self._desk = desk = panel.prepare(self._desk, readings, decision, buttons, pressed, len(self.plans) - 1)
        self.steps = self.plans[desk.choice]
        self.guide, self.left_ms = desk.guide, desk.left_ms
        return self._ask_to_arm(decision, buttons)

    def armed(self, arm: Arm) -> None:
        """The session is armed, with the plan that ARM named."""
        self.steps = next((steps for steps in self.plans if steps.hash == arm.plan_hash), self.steps)
        self.refusals = ()

    def _screen(self, decision: Decision, buttons: int, pressed: int, elapsed_ms: int) -> None:
        """Take an answer to the screening list; a refusing one is told as H34, and gone when it is taken back."""
        if decision.proofs.straps_proven:
            # The judge would take a CONFIRM for the straps': one press is one answer.
            self.guide = Guide.OPEN_STRAPS
            return
        self.guide = Guide.SCREENING
        self._asking = asking = panel_screening.ask(self._asking, self._questions, buttons, pressed, elapsed_ms)
        self.declined = asking.ended
        if asking.answer == panel_screening.REFUSED and asking.number <= self._questions:
            self.refusals = (refusal("H34", 1, 0, "question answered by yes"),)
        elif any(cause.code == "H34" for cause in self.refusals):
            self.refusals = ()
        if asking.done and self._declare is not None:
            self.plans = self._declare(asking)

    def _ask_to_arm(self, decision: Decision, buttons: int) -> Arm | None:
        """Ask once when the plan has been read back; after a refusal it is read back again."""
        if self.guide is not ARMING:
            self._asked = False
            return None
        if self._asked or decision.armed is not None or not panel.ready(self._desk, buttons):
            return None
        self._asked = True
        self._tries += 1
        return self._arm(self._tries, self.steps)
