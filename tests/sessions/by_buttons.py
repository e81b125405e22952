"""Whole sessions worked by one scripted hand at the panel: nothing but switches, and what the panel shows.

A hand needs a session (its last snapshot), the switches, and a way to let time pass; so the same scripts run in one
process, over a wire and on pins. A press is said again in every tenth of a second, as hands on a socket need it.
"""

from collections.abc import Callable
from typing import Final, Protocol

from safety.signals import Demand, Guide, Region, Snapshot, State

TICK_S: Final = 0.01
TAP_S: Final = 0.3
REPEAT_S: Final = 0.1
SIDES: Final = ("left", "right")
Question = Callable[[Snapshot], bool]


class HasSnapshot(Protocol):
    """A session, as far as a hand knows of it."""

    snapshot: Snapshot | None
    finished: bool


class Switches(Protocol):
    """What a hand can touch; `firmware_bridge.hands.Hands` has all of it."""

    def press(self, button: str) -> None:
        """Hold a button down."""
        ...

    def release(self, button: str) -> None:
        """Let go of it."""
        ...

    def strap(self, side: str, closed: bool) -> None:
        """Close or open a strap."""
        ...

    def estop(self, pressed: bool) -> None:
        """Press or pull the emergency stop."""
        ...


class Hand:
    """One hand at the panel.

    Args:
        session: what shows the last snapshot.
        hands: the switches.
        forward: lets so many seconds pass, at least one tick.
    """

    def __init__(self, session: HasSnapshot, hands: Switches, forward: Callable[[float], object]) -> None:
        """Begin with nothing held."""
        self.session = session
        self.hands = hands
        self.seen: list[Snapshot] = []
        self._forward = forward
        self._held: dict[str, float] = {}
        self._t_s = 0.0

    # What it sees

    def now(self) -> Snapshot:
        """The last tick."""
        assert self.session.snapshot is not None, "no time has passed yet"
        return self.session.snapshot

    @property
    def angle_deg(self) -> float:
        """The judge's angle."""
        angle = self.now().decision.angle_cdeg
        assert angle is not None, "nobody knows the angle"
        return angle / 100

    @property
    def codes(self) -> list[str]:
        """The causes in force."""
        return [cause.code for cause in self.now().decision.causes]

    # What it does

    def wait(self, seconds: float) -> None:
        """Let time pass, with whatever is held."""
        end_s = self._t_s + seconds
        while self._t_s < end_s - TICK_S / 2:
            self._tick()

    def until(self, question: Question, at_most_s: float = 30.0, what: str = "") -> Snapshot:
        """Let time pass until the panel shows something."""
        end_s = self._t_s + at_most_s
        while not (self.session.snapshot is not None and question(self.session.snapshot)):
            assert self._t_s < end_s, (
                f"{what or 'what was awaited'} did not come within {at_most_s:g} s: {self._told()}"
            )
            self._tick()
        return self.now()

    def guided(self, guide: Guide, at_most_s: float = 30.0) -> Snapshot:
        """Let time pass until the panel waits for this."""
        return self.until(lambda seen: seen.wish.guide is guide, at_most_s, f"the step {guide.value}")

    def state(self, state: State, at_most_s: float = 60.0) -> Snapshot:
        """Let time pass until the session is in this state."""
        return self.until(lambda seen: seen.wish.state is state, at_most_s, state.value)

    def hold(self, button: str) -> None:
        """Press a button and keep it pressed."""
        self._held[button] = self._t_s
        self.hands.press(button)

    def let_go(self, button: str) -> None:
        """Let go of a button."""
        del self._held[button]
        self.hands.release(button)

    def tap(self, button: str, seconds: float = TAP_S) -> None:
        """Press a button for a moment."""
        self.hold(button)
        self.wait(seconds)
        self.let_go(button)
        self.wait(seconds)

    def _tick(self) -> None:
        self._forward(TICK_S)
        self._t_s += TICK_S
        self.seen.append(self.now())
        for button, since_s in self._held.items():
            if self._t_s - since_s >= REPEAT_S:
                self._held[button] = self._t_s
                self.hands.press(button)

    def _told(self) -> str:
        wish = self.now().wish
        return f"{wish.state.value}, waiting for {wish.guide.value or 'nothing'}, {self.codes}, {self._held}"

    # The way through a session

    def test_lamps(self) -> None:
        """Look at the lamps, hear the tone, and say so."""
        self.guided(Guide.LAMP_TEST)
        self.wait(1.2)
        self.tap("CONFIRM")
        assert self.now().wish.guide is not Guide.LAMP_TEST

    def choose(self, plan: str = "") -> None:
        """Where plans are to choose from, step to this one, or keep the one that is shown, and say so."""
        if self.now().wish.guide is Guide.CHOOSE_PLAN:
            while plan and self.now().wish.plan != plan:
                shown = self.now().wish.plan
                self.tap("PLAN_UP")
                assert self.now().wish.plan != shown, f"{plan} is not to be had"
            self.until(lambda seen: seen.wish.left_ms == 0)
            self.tap("CONFIRM")
            assert self.now().wish.guide is not Guide.CHOOSE_PLAN

    def strap_in(self) -> None:
        """Close one strap after the other, once both were seen open."""
        self.guided(Guide.CLOSE_STRAPS)
        for side in SIDES:
            self.hands.strap(side, True)
            self.wait(0.5)
        self.until(lambda seen: seen.decision.proofs.straps_proven, 5.0, "the straps' proof")

    def come_to_level(self) -> None:
        """Hold TILT until the table has come from above to level, announced by a tone."""
        if self.now().decision.region == Region.ABOVE:
            self.guided(Guide.LEVEL)
            self.hold("TILT")
            self.announced()
            self.until(lambda seen: seen.decision.region == Region.LEVEL and seen.decision.still, 90.0, "level")
            self.let_go("TILT")

    def try_the_patients_button(self) -> None:
        """Let the patient press the own button once."""
        self.guided(Guide.PATIENT_BUTTON)
        self.tap("PATIENT", 0.5)
        assert self.now().decision.proofs.patient_button

    def confirm_twice(self) -> None:
        """Confirm the straps, then read the plan back and confirm afresh; ARM follows."""
        self.guided(Guide.CONFIRM_STRAPS)
        self.until(lambda seen: seen.wish.left_ms == 0)
        self.tap("CONFIRM")
        self.guided(Guide.READ_BACK)
        self.until(lambda seen: seen.wish.left_ms == 0)
        assert self.now().decision.armed is None
        self.tap("CONFIRM")
        self.state(State.STRAPPED, 5.0)

    def start(self) -> None:
        """Everything from the first tick to `strapped`."""
        self.test_lamps()
        self.choose()
        self.strap_in()
        self.come_to_level()
        self.try_the_patients_button()
        self.confirm_twice()

    def announced(self) -> None:
        """See that a tone sounds before anything moves, for at least half a second, and that motion follows."""
        begun = self.until(lambda seen: seen.wish.tone, 1.0, "the tone").t_ms
        while self.now().wish.tone:
            assert self.now().decision.command.velocity_cdeg_s == 0, "it moved while the tone sounded"
            self._tick()
        assert self.now().t_ms - begun >= 500
        self.until(lambda seen: seen.decision.command.velocity_cdeg_s != 0, 1.0, "the motion")

    def tilt(self) -> None:
        """Wait until it has stood, and hold TILT down to the set's angle."""
        self.guided(Guide.TILT)
        self.hold("TILT")
        self.announced()
        self.state(State.HOLDING)
        self.let_go("TILT")

    def tilt_with_a_pause(self) -> None:
        """Hold TILT, let go half-way, see it stop there, and hold it again to the set's angle."""
        self.guided(Guide.TILT)
        self.hold("TILT")
        self.announced()
        self.until(lambda seen: self.angle_deg < -6)
        self.let_go("TILT")
        self.wait(1.5)
        stood_deg = self.angle_deg
        self.guided(Guide.TILT_AGAIN)
        self.wait(2.0)
        assert abs(self.angle_deg - stood_deg) < 0.3, "it went on without a button"
        assert self.now().wish.state is State.TILTING
        self.hold("TILT")
        self.announced()
        self.state(State.HOLDING)
        self.let_go("TILT")

    def ask_for_less(self) -> None:
        """Press PLAN_DOWN in a hold: 5° toward level, announced, and it stays there."""
        before_deg = self.now().wish.planned_cdeg / 100
        self.hold("PLAN_DOWN")
        self.wait(0.1)
        self.let_go("PLAN_DOWN")
        assert self.now().wish.planned_cdeg / 100 == before_deg + 5
        self.announced()
        self.until(lambda seen: seen.decision.still and abs(self.angle_deg - before_deg - 5) < 0.5, 20.0, "5° less")
        assert self.now().wish.state is State.HOLDING
        self.wait(2.0)
        assert abs(self.angle_deg - before_deg - 5) < 0.5

    def stay(self, seconds: float) -> None:
        """Stay with the patient for so long, renewing presence."""
        end_ms = self.now().t_ms + seconds * 1000
        while self.now().t_ms < end_ms:
            self.tap("PRESENCE")
            assert self.now().decision.presence_ms <= 1000
            self.wait(min(10.0, max((end_ms - self.now().t_ms) / 1000, TICK_S)))

    def watch(self, question: Question, at_most_s: float, what: str) -> None:
        """Renew presence now and then until the panel shows something."""
        end_ms = self.now().t_ms + at_most_s * 1000
        while not question(self.now()):
            assert self.now().t_ms < end_ms, f"{what} did not come within {at_most_s:g} s: {self._told()}"
            if self.now().decision.presence_ms >= 12_000 and self.now().decision.region >= Region.BELOW:
                self.tap("PRESENCE")
            self._tick()

    def touch_return(self) -> None:
        """One touch of RETURN: a tone, then level, without anybody holding anything."""
        self.tap("RETURN", 0.2)
        assert self.now().decision.returning
        assert self.now().decision.tone
        self.state(State.RESTING)
        assert abs(self.angle_deg) <= 1

    def rest(self) -> None:
        """Wait until the rest is over."""
        assert self.now().wish.guide is Guide.REST
        self.guided(Guide.END, self.now().wish.left_ms / 1000 + 5)

    def raise_to(self, to_deg: float) -> None:
        """Hold RAISE to +30°, where it stands for 10 s; a press before that moves nothing; then to the end."""
        self.hold("RAISE")
        self.announced()
        self.until(lambda seen: self.angle_deg > 29 and seen.decision.still, 60.0, "+30°")
        self.wait(2.0)
        assert 29 < self.angle_deg < 31
        self.let_go("RAISE")
        self.wait(0.5)
        self.hold("RAISE")
        self.wait(3.0)
        assert 29 < self.angle_deg < 31, "it was raised before its pause was over"
        self.let_go("RAISE")
        self.wait(10.0)
        self.hold("RAISE")
        self.announced()
        self.until(lambda seen: self.angle_deg >= to_deg, 60.0, f"{to_deg:g}°")
        self.let_go("RAISE")
        self.until(lambda seen: seen.decision.still)

    def end(self) -> None:
        """CONFIRM ends the session; the straps are opened."""
        self.guided(Guide.END)
        self.tap("CONFIRM")
        self.state(State.IDLE, 5.0)
        self.unstrap()

    def unstrap(self) -> None:
        """Open both straps and let the patient off."""
        assert self.now().wish.guide is Guide.OPEN
        for side in SIDES:
            self.hands.strap(side, False)
        end_s = self._t_s + 8
        while not self.session.finished:
            assert self._t_s < end_s, "the session did not end"
            self._tick()


def a_visit_ended_by_return(hand: Hand) -> None:
    """Everything the panel can do in one visit, ended by RETURN; of a plan that holds for a minute or more."""
    hand.start()
    hand.tilt_with_a_pause()
    hand.ask_for_less()
    hand.stay(22.0)
    assert hand.now().decision.demand == Demand.ALLOW
    hand.touch_return()
    hand.rest()
    hand.raise_to(40.0)
    hand.end()


def a_visit_of_sets(hand: Hand, sets: int) -> None:
    """A plan of so many sets, each to its end; a short hold is expected."""
    hand.start()
    for number in range(1, sets + 1):
        hand.tilt()
        assert hand.now().wish.set_number == number
        hand.watch(lambda seen: seen.wish.state is State.RESTING, 120.0, "the rest")
        hand.until(
            lambda seen: seen.wish.left_ms == 0 or seen.wish.state is State.STRAPPED, 130.0, "the end of the rest"
        )
    hand.end()
