"""A terminal's keys as hands: repetitions are one press, a key that stays away lets go, and nothing sticks."""

import pytest

from controller.keys import ACK_MS, FIRST_S, KEYS, REPEAT_S, RESET_MS, TAP_MS, Keys
from firmware_bridge.hands import PATIENT
from safety.signals import BUTTONS, Command, Contacts, Decision, Demand, Guide, Readings, Snapshot, State, Wish
from tests.controller.typist import LOOK_MS, AtTheKeyboard, Finger, WatchedHands


class Desk:
    """Keys over hands that only take notes; `pace` is how much faster the table's time goes than the finger's."""

    def __init__(self, finger: Finger | None = None, pace: float = 1.0) -> None:
        self.finger = finger or Finger()
        self.hands = WatchedHands()
        self.takeovers = 0
        self.keys = Keys(self.finger, self.hands, self._take_over, lambda: self.finger.now_ms / 1000)
        self._pace = pace
        self._table_ms = 0

    def _take_over(self) -> None:
        assert not self.hands.done, "whoever worked the panel stands aside before the first key does anything"
        self.takeovers += 1

    def wait(self, milliseconds: int) -> None:
        for _ in range(milliseconds // LOOK_MS):
            self.finger.now_ms += LOOK_MS
            before_ms, self._table_ms = self._table_ms, round(self.finger.now_ms * self._pace)
            for t_ms in range(before_ms + 10, self._table_ms + 1, 10):
                self.hands.now_ms = t_ms
                self.keys.observe(told(t_ms))
            self.keys.look(told(self._table_ms))

    def type(self, keys: str) -> None:
        self.finger.tap(keys)
        self.wait(LOOK_MS)

    @property
    def words(self) -> list[str]:
        return [what for _, what in self.hands.done]

    def lasted_ms(self, button: str) -> int:
        """For how long a button was held, in the table's time, the last time."""
        pressed = max(t_ms for t_ms, what in self.hands.done if what == f"+{button}")
        released = max(t_ms for t_ms, what in self.hands.done if what == f"-{button}")
        assert released > pressed
        return released - pressed


def told(t_ms: int, strap: Contacts = Contacts.OPEN) -> Snapshot:
    readings = Readings(10, strap_left=strap, strap_right=strap, estop=Contacts.CLOSED)
    return Snapshot(t_ms // 10, t_ms, readings, Wish(), Decision(Command()))


def test_every_button_has_one_key() -> None:
    worked = [key.does for key in KEYS.values()]
    for name in (*BUTTONS, PATIENT):
        assert worked.count(name) == (2 if name == "ACK" else 1), name


# Holding.


@pytest.mark.parametrize("first_ms", [250, 500, 660])
@pytest.mark.parametrize("each_ms", [30, 50, 100])
@pytest.mark.parametrize("key", ["t", "u", "r", "p", "m"])
def test_a_key_held_down_holds_its_button_without_a_gap(first_ms: int, each_ms: int, key: str) -> None:
    desk = Desk(Finger(first_ms, each_ms))
    desk.finger.press(key)
    desk.wait(10_000)
    assert len(desk.words) == 1
    assert desk.words[0].startswith("+")


def test_a_held_button_is_let_go_of_soon_after_the_finger() -> None:
    desk = Desk()
    desk.finger.press("t")
    desk.wait(3000)
    desk.finger.let_go()
    desk.wait(round(REPEAT_S * 1000) + LOOK_MS)
    assert desk.words == ["+TILT", "-TILT"]


@pytest.mark.parametrize("held_ms", [0, 100, 400, 600])
def test_a_short_press_is_let_go_of_before_a_finger_could_have_held_it(held_ms: int) -> None:
    desk = Desk()
    desk.finger.press("t")
    desk.wait(held_ms)
    desk.finger.let_go()
    desk.wait(2000)
    assert desk.words == ["+TILT", "-TILT"]
    # The longest overhang: the first repetition came just before the finger left.
    assert desk.lasted_ms("TILT") <= held_ms + FIRST_S * 1000 + LOOK_MS


def test_a_line_that_stalls_lets_go_though_the_finger_stays() -> None:
    desk = Desk()
    desk.finger.press("t")
    desk.wait(2000)
    desk.finger._down = ""  # nothing comes through any more
    desk.wait(400)
    assert desk.words == ["+TILT", "-TILT"]


def test_repetitions_that_come_in_one_heap_are_one_press() -> None:
    desk = Desk()
    desk.type("t" * 40)
    desk.wait(round(REPEAT_S * 1000) + LOOK_MS)
    assert desk.words == ["+TILT", "-TILT"]


def test_a_terminal_that_goes_away_lets_go_at_once() -> None:
    desk = Desk()
    desk.finger.press("t")
    desk.wait(1000)
    desk.finger.gone = True
    desk.wait(LOOK_MS)
    assert desk.words == ["+TILT", "-TILT"]
    assert not desk.keys.held


def test_another_key_lets_go_of_the_one_before() -> None:
    desk = Desk()
    desk.finger.press("t")
    desk.wait(1000)
    desk.finger.press("u")
    desk.wait(1000)
    assert desk.words == ["+TILT", "-TILT", "+RAISE"]


@pytest.mark.parametrize(("key", "button"), [(" ", "PRESENCE"), ("p", PATIENT)])
def test_presence_and_the_patients_button_let_go_of_nothing(key: str, button: str) -> None:
    desk = Desk()
    desk.finger.press("t")
    desk.wait(1000)
    desk.type(key)
    assert desk.keys.held == {"TILT", button}


def test_tilt_goes_on_through_presence_if_its_key_is_down_again_in_time() -> None:
    desk = Desk()
    desk.finger.press("t")
    desk.wait(1000)
    desk.type(" ")
    desk.wait(500)
    desk.finger.press("t")
    desk.wait(1500)
    assert [words for words in desk.words if "TILT" in words] == ["+TILT"]


def test_presence_alone_keeps_nothing_held() -> None:
    desk = Desk()
    desk.finger.press("t")
    desk.wait(1000)
    for _ in range(8):
        desk.type(" ")
        desk.wait(150)
    assert "-TILT" in desk.words


# Tapping.


@pytest.mark.parametrize(("key", "button"), [("\n", "CONFIRM"), ("c", "CONFIRM"), ("s", "STOP"), ("A", "ACK")])
def test_a_key_held_down_is_one_press_of_a_button_that_is_not_held(key: str, button: str) -> None:
    desk = Desk()
    desk.finger.press(key)
    desk.wait(5000)
    assert desk.words == [f"+{button}", f"-{button}"]


def test_two_presses_are_two() -> None:
    desk = Desk()
    desk.type("\n")
    desk.wait(1000)
    desk.type("\n")
    desk.wait(1000)
    assert desk.words == ["+CONFIRM", "-CONFIRM"] * 2


@pytest.mark.parametrize("each_ms", [250, 350, 500])
def test_who_taps_impatiently_is_answered_at_every_second_tap(each_ms: int) -> None:
    desk = Desk()
    for _ in range(7):
        desk.type("\n")
        desk.wait(each_ms - LOOK_MS)
    assert desk.words == ["+CONFIRM", "-CONFIRM"] * 4


def test_a_key_held_down_while_the_program_looks_late_is_one_press() -> None:
    desk = Desk()
    desk.finger.press("\n")
    desk.wait(500)
    for late_ms in (300, 50, 250, 400):
        desk.finger.now_ms += late_ms
        desk.wait(LOOK_MS)
    assert desk.words == ["+CONFIRM", "-CONFIRM"]


def test_answers_typed_quickly_each_reach_the_table() -> None:
    desk = Desk()
    desk.type("-\n-\n+\n")
    desk.wait(3000)
    taps = ["PLAN_DOWN", "CONFIRM", "PLAN_DOWN", "CONFIRM", "PLAN_UP", "CONFIRM"]
    assert desk.words == [f"{sign}{button}" for button in taps for sign in "+-"]


def test_a_heap_of_different_keys_works_nothing_but_a_stop() -> None:
    desk = Desk()
    desk.type("t1\nu2c-rtt")
    desk.wait(2000)
    assert desk.words == []
    desk.type("tttttttt s")
    desk.wait(2000)
    assert desk.words == ["+STOP", "-STOP"]


@pytest.mark.parametrize("key", ["s", "e"])
def test_a_stop_waits_for_no_other_key(key: str) -> None:
    desk = Desk()
    desk.type(f"+\n+\nt{key}")
    assert desk.words[0] in ("+STOP", "e-stop pressed")
    desk.wait(2000)
    assert "+TILT" not in desk.words


@pytest.mark.parametrize("pace", [0.5, 1.0, 4.0, 20.0])
def test_taps_are_as_long_for_the_table_at_any_pace(pace: float) -> None:
    desk = Desk(pace=pace)
    for key, button, least_ms in (("\n", "CONFIRM", TAP_MS), ("a", "ACK", ACK_MS), ("A", "ACK", RESET_MS)):
        desk.type(key)
        desk.wait(6000)
        # A tick, not a look: an acknowledgement must not grow into a reset where a session is shown faster.
        assert least_ms <= desk.lasted_ms(button) <= least_ms + 10 * max(1, pace)


def test_ack_held_down_is_held_on_for_a_reset() -> None:
    desk = Desk()
    desk.finger.press("a")
    desk.wait(RESET_MS + 300)
    assert desk.words == ["+ACK"]


def test_a_hold_is_the_fingers_time_at_any_pace() -> None:
    desk = Desk(pace=10)
    desk.finger.press("t")
    desk.wait(2000)
    desk.finger.let_go()
    desk.wait(1000)
    assert desk.words == ["+TILT", "-TILT"]
    assert 20_000 <= desk.lasted_ms("TILT") <= 23_000


# Straps and emergency stop.


def test_straps_and_emergency_stop_turn_round_once_a_press() -> None:
    desk = Desk()
    for key in "1", "2", "e", "1", "e":
        desk.finger.press(key)
        desk.wait(3000)
        desk.finger.let_go()
    assert desk.words == ["left closed", "right closed", "e-stop pressed", "left open", "e-stop pulled"]


def test_a_strap_that_somebody_else_closed_is_opened() -> None:
    desk = Desk()
    desk.finger.tap("1")
    desk.keys.look(told(0, strap=Contacts.CLOSED))
    assert desk.words == ["left open"]


# Who works the panel.


def test_the_first_key_takes_over_once_and_a_key_that_means_nothing_does_not() -> None:
    desk = Desk()
    desk.type("xyz?;\t")
    assert (desk.takeovers, desk.keys.in_charge, desk.words) == (0, False, [])
    desk.type(" ")
    desk.type("T")
    assert (desk.takeovers, desk.keys.in_charge) == (1, True)
    assert "+TILT" in desk.words


# Whole sessions.


def test_a_whole_session_by_keys() -> None:
    desk = AtTheKeyboard()
    desk.prepare()
    desk.wait(5500)
    desk.finger.press("t")
    while desk.look().decision.angle_cdeg is None or desk.last.decision.angle_cdeg > -1000:  # type: ignore[operator]
        pass
    desk.finger.let_go()
    desk.wait(3000)
    assert -1300 < (desk.last.decision.angle_cdeg or 0) < -1000, "let go of, it stops"
    assert desk.last.decision.still
    desk.wait(5500)
    desk.hold_until("t", State.HOLDING)
    desk.finger.tap(" ")
    desk.until(State.RESTING)
    while not desk.session.finished:
        guide = desk.look().wish.guide
        if guide is Guide.END:
            desk.finger.tap("\n")
            desk.wait(1000)
        elif guide is Guide.OPEN:
            desk.finger.tap("12")
            desk.wait(1000)
    outcome = desk.session.outcome()
    assert (outcome.result, outcome.exit_code, outcome.causes) == ("completed", 0, ())


def test_whoever_presses_a_key_in_mid_tilt_takes_the_panel_from_the_simulated_supervisor() -> None:
    desk = AtTheKeyboard(by_hand=False)
    desk.until(State.TILTING)
    desk.wait(3000)
    desk.finger.tap(" ")
    desk.wait(2000)
    assert desk.taken_over
    assert desk.last.decision.still, "the simulated supervisor let go of TILT"
    assert not desk.last.readings.buttons
    desk.finger.tap("r")
    desk.until(State.RESTING)
    assert desk.last.readings.strap_left is Contacts.CLOSED


def test_with_nobody_at_the_keyboard_any_more_the_patient_comes_back_and_the_session_ends() -> None:
    desk = AtTheKeyboard(by_hand=False)
    desk.until(State.HOLDING)
    desk.finger.tap(" ")
    desk.wait(400_000)
    assert desk.session.finished
    assert desk.session.outcome().at_level


def test_the_emergency_stop_by_key_then_acknowledged_and_brought_back_by_the_held_key() -> None:
    desk = AtTheKeyboard(by_hand=False)
    desk.until(State.HOLDING)
    desk.finger.tap("e")
    desk.wait(1000)
    assert desk.is_under(Demand.CUT)
    desk.finger.tap("e")
    desk.wait(1000)
    desk.finger.tap("a")
    desk.wait(1500)
    assert desk.is_under(Demand.HOLD)
    desk.hold_until("r", State.RESTING)
    desk.finger.tap("A")
    desk.wait(3500)
    assert not desk.last.decision.causes, "reset at level"
