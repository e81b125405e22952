"""The screening list answered at the panel: no press too many, none too few, and each can be taken back."""

import datetime as dt

import pytest

from config.errors import RefusedError
from config.loading import load_plan, load_screening
from controller import panel_screening
from controller.panel_screening import FIRST, REFUSED, Asking, ask, declaration_of, question_text
from controller.permits import declared
from controller.session import Session
from safety.signals import ACK, CONFIRM, PLAN_DOWN, PLAN_UP, Guide, Issuer, State
from sim.habits import Habits
from sim.pytest_plugin import WALL_S, Rig
from tests.sessions.by_buttons import Hand

LIST = load_screening()
ITEMS = 3


def tap(asking: Asking, button: int, items: int = ITEMS, held_ms: int = 200) -> Asking:
    asking = ask(asking, items, button, button, 10)
    for _ in range(held_ms // 10):
        asking = ask(asking, items, button, 0, 10)
    return ask(asking, items, 0, 0, 10)


def answer(asking: Asking, *buttons: int, items: int = ITEMS) -> Asking:
    for button in buttons:
        asking = tap(asking, button, items)
    return asking


def all_no(items: int = ITEMS) -> Asking:
    """Every item answered by no; the seconds head-down today come next."""
    return answer(FIRST, *(PLAN_DOWN, CONFIRM) * items, items=items)


def test_an_answer_is_chosen_and_then_confirmed() -> None:
    chosen = answer(FIRST, PLAN_DOWN)
    assert (chosen.number, chosen.answer) == (1, 0)
    assert answer(chosen, CONFIRM).number == 2


def test_confirm_alone_answers_nothing_however_often() -> None:
    assert answer(FIRST, *(CONFIRM,) * 5).number == 1


def test_a_chosen_answer_is_changed_by_the_other_key() -> None:
    assert answer(FIRST, PLAN_UP, PLAN_DOWN, CONFIRM).said == (0,)


@pytest.mark.parametrize("keys", [PLAN_UP | PLAN_DOWN, PLAN_DOWN | CONFIRM, PLAN_UP | ACK])
def test_two_buttons_at_once_answer_nothing(keys: int) -> None:
    chosen = answer(FIRST, PLAN_DOWN)
    both = tap(chosen, keys)
    assert (both.number, both.answer, both.said) == (1, 0, ())


def test_a_key_pressed_while_the_other_is_held_answers_nothing() -> None:
    asking = ask(FIRST, ITEMS, PLAN_DOWN, PLAN_DOWN, 10)
    assert ask(asking, ITEMS, PLAN_DOWN | PLAN_UP, PLAN_UP, 10).answer == 0


def test_a_confirmed_yes_refuses_and_is_taken_back_by_ack() -> None:
    refused = answer(FIRST, PLAN_DOWN, CONFIRM, PLAN_UP, CONFIRM)
    assert (refused.number, refused.answer, refused.ended) == (2, REFUSED, False)
    assert answer(refused, PLAN_DOWN).answer == REFUSED, "a refusal is not undone by a plan key"
    back = tap(refused, ACK, held_ms=600)
    assert (back.number, back.answer) == (2, 1)
    assert answer(back, PLAN_DOWN, CONFIRM).number == 3
    assert answer(refused, CONFIRM).ended


def test_ack_held_goes_one_question_back_and_no_further() -> None:
    third = answer(FIRST, *(PLAN_DOWN, CONFIRM) * 2)
    back = tap(third, ACK, held_ms=5000)
    assert (back.number, back.answer, back.said) == (2, 0, (0,))
    assert tap(third, ACK, held_ms=400).number == 3


def test_without_a_history_the_last_look_comes_at_once() -> None:
    last = answer(all_no(), PLAN_DOWN, CONFIRM, PLAN_DOWN, CONFIRM)
    assert question_text(LIST, last.number - ITEMS + len(LIST.items)).startswith("All answers")
    assert not answer(last, CONFIRM).done, "a last look takes a second"
    for _ in range(100):
        last = ask(last, ITEMS, 0, 0, 10)
    assert answer(last, CONFIRM).done


def test_going_back_from_the_last_look_passes_over_what_was_not_asked() -> None:
    last = answer(all_no(), PLAN_DOWN, CONFIRM, PLAN_DOWN, CONFIRM)
    back = tap(last, ACK, held_ms=600)
    assert (back.number, back.answer) == (ITEMS + 2, 0)


@pytest.mark.parametrize(
    ("presses", "value"),
    [([PLAN_DOWN], 0), ([PLAN_UP], 30), ([PLAN_UP] * 4 + [PLAN_DOWN], 90), ([PLAN_UP] * 60, 900)],
)
def test_seconds_are_chosen_in_steps_of_half_a_minute_within_their_bounds(presses: list[int], value: int) -> None:
    assert answer(all_no(), *presses).answer == value


def test_what_is_declared_names_every_item_and_no_person() -> None:
    items = len(LIST.items)
    asking = answer(
        all_no(items),
        PLAN_UP,
        PLAN_UP,
        CONFIRM,
        PLAN_UP,
        CONFIRM,
        *(PLAN_UP,) * 3,
        CONFIRM,
        PLAN_UP,
        CONFIRM,
        items=items,
    )
    for _ in range(100):
        asking = ask(asking, items, 0, 0, 10)
    asking = answer(asking, CONFIRM, items=items)
    said = declaration_of(asking, LIST, WALL_S)
    assert said.answers == {item.id: False for item in LIST.items}
    assert (said.inverted_today_s, said.last_deg, said.last_hold_s) == (60, -20.0, 60)
    assert said.date == dt.date.fromtimestamp(WALL_S)
    assert said.pseudonym.startswith(f"visit-{said.date:%Y%m%d}-")
    permit = declared(load_plan("short"), LIST, said, WALL_S)
    assert (permit.issuer, permit.last_cdeg) == (Issuer.DECLARED, -2000)


def test_nothing_is_declared_before_the_end() -> None:
    with pytest.raises(AssertionError):
        declaration_of(FIRST, LIST, WALL_S)


def test_a_yes_is_refused_whatever_the_panel_made_of_it() -> None:
    items = len(LIST.items)
    said = (*(0,) * (items - 1), 1, 0, 0, None, None)
    with pytest.raises(RefusedError, match="applies to this person"):
        declared(
            load_plan("short"), LIST, declaration_of(Asking(items + 5, None, said, done=True), LIST, WALL_S), WALL_S
        )


def test_every_number_has_words() -> None:
    items = len(LIST.items)
    words = [question_text(LIST, number) for number in range(1, items + 6)]
    assert all(words)
    assert len(set(words)) == items + 5
    assert question_text(LIST, 0) == question_text(LIST, items + 6) == ""
    assert panel_screening.answer_text(items, 1, REFUSED).startswith("yes")
    assert panel_screening.answer_text(items, items + 3, 20) == "-20°"
    assert panel_screening.answer_text(items, items + 1, 90) == "90 s"


# On a table


def at_the_panel() -> tuple[Rig, Hand]:
    """A table whose supervisor answers the list at the panel."""
    rig = Rig("first-visit", habits=Habits(boards_at_deg=0.0), people=False, guard=False)
    loop = rig.session.loop
    limits = type(loop.limits)(issuers=("declared",), screening_version=LIST.version)
    rig.session = Session(
        rig.table.bridge,
        rig.table.clock,
        load_plan("first-visit"),
        limits,
        None,
        loop.host,
        plans=[load_plan("standard"), load_plan("short")],
        screening=LIST,
    )
    return rig, Hand(rig.session, rig.hands, lambda seconds: rig.forward(seconds=seconds))


def say(hand: Hand, *buttons: str) -> None:
    for button in buttons:
        hand.tap(button, 0.05)


def test_a_visit_declared_at_the_panel_is_armed_by_that_declaration() -> None:
    rig, hand = at_the_panel()
    hand.wait(0.1)
    for number, _ in enumerate(LIST.items, start=1):
        assert (hand.now().wish.guide, hand.now().wish.question) == (Guide.SCREENING, number)
        say(hand, "PLAN_DOWN", "CONFIRM")
    say(hand, "PLAN_DOWN", "CONFIRM", "PLAN_DOWN", "CONFIRM")
    hand.wait(1.1)
    say(hand, "CONFIRM")
    # Without a history the standard plan is not offered.
    assert [steps.name for steps in rig.session.machine.start.plans] == ["first-visit", "short"]
    hand.start()
    armed = hand.now().decision.armed
    assert armed is not None
    assert armed.permit.issuer is Issuer.DECLARED
    assert armed.permit.pseudonym.startswith("visit-")
    assert armed.permit.last_cdeg is None


def test_a_refusing_answer_is_told_and_ends_the_visit_by_a_second_confirm() -> None:
    rig, hand = at_the_panel()
    say(hand, "PLAN_UP", "CONFIRM")
    assert (hand.now().wish.question, hand.now().wish.answer) == (1, REFUSED)
    assert [cause.code for cause in rig.result.refusals] == ["H34"]
    assert hand.session.finished is False
    say(hand, "CONFIRM")
    hand.wait(0.5)
    assert rig.session.finished
    assert (rig.result.result, rig.result.exit_code) == ("refused", 4)


def test_an_answer_is_never_the_straps_confirm() -> None:
    _, hand = at_the_panel()
    hand.wait(1.5)
    for side in ("left", "right"):
        hand.hands.strap(side, True)
    say(hand, "PLAN_DOWN", "CONFIRM")
    hand.wait(6.0)
    assert hand.now().wish.guide is Guide.OPEN_STRAPS
    say(hand, "PLAN_DOWN", "CONFIRM", "PLAN_DOWN", "CONFIRM")
    hand.hands.strap("left", False)
    hand.wait(0.5)
    assert (hand.now().wish.guide, hand.now().wish.question) == (Guide.SCREENING, 2)
    assert not hand.now().decision.proofs.straps_confirmed


def test_simulated_people_answer_the_list_and_are_armed_by_it() -> None:
    rig, _ = at_the_panel()
    asked: set[int] = set()
    rig.session.loop.observers += [rig.people.observe, lambda seen: asked.add(seen.wish.question)]
    rig.forward(until=State.STRAPPED)
    armed = rig.snapshot.decision.armed
    assert armed is not None
    assert (armed.permit.issuer, armed.permit.inverted_today_s, armed.permit.last_cdeg) == (Issuer.DECLARED, 0, None)
    assert asked == {0, *range(1, len(LIST.items) + 3), len(LIST.items) + 5}
