"""The screening list answered at the panel, as a pure function of presses and time.

One question after the other: PLAN_UP chooses "yes" or more, PLAN_DOWN "no" or less, as often as one likes; CONFIRM
gives the answer that is shown and goes on; ACK held for half a second goes one question back. After the items come the
seconds head-down today, whether there is a history, how deep and how long it was, and a last look at the whole. Nothing
is chosen beforehand, so that CONFIRM alone answers nothing. A confirmed "yes" to an item refuses (H34): a second
CONFIRM ends the visit, ACK takes the answer back.
"""

import datetime as dt
from typing import Final

import msgspec

from config.screening import Screening
from controller.permits import Declaration
from safety.people import ACK_MS
from safety.signals import ACK, CONFIRM, PLAN_DOWN, PLAN_UP, Wish

NO: Final = 0
YES: Final = 1
REFUSED: Final = 2
LOOK_MS: Final = 1000
CAP_MS: Final = 600_000


class Scale(msgspec.Struct, frozen=True, gc=False):
    """What may be answered: from `low` to `high`, in `step`s."""

    low: int
    high: int
    step: int


YES_OR_NO: Final = Scale(NO, YES, 1)
TODAY_S: Final = Scale(0, 900, 30)
DEPTH_DEG: Final = Scale(5, 60, 5)
HOLD_S: Final = Scale(30, 300, 30)
# What is asked after the items of the list, in this order.
AFTER_THE_ITEMS: Final = (
    "For how many seconds was the person head-down today?",
    "Was the person ever tilted head-down before, safely?",
    "How deep, in degrees?",
    "For how many seconds was that held?",
    "All answers are given. CONFIRM declares them.",
)
TODAY, HISTORY, DEPTH, HOLD, REVIEW = range(len(AFTER_THE_ITEMS))


class Asking(msgspec.Struct, frozen=True, gc=False):
    """Where the questions stand.

    `number` is the question's, from 1; `answer` what is chosen there, None before anything is (REFUSED: a confirmed
    "yes"); `said` the answers confirmed so far, None where a question was passed over. `done` says that all of it was
    declared, `ended` that a refusal was.
    """

    number: int = 1
    answer: int | None = None
    said: tuple[int | None, ...] = ()
    shown_ms: int = 0
    ack_ms: int = 0
    went_back: bool = False
    done: bool = False
    ended: bool = False


FIRST: Final = Asking()


def scale_of(items: int, number: int) -> Scale | None:
    """Return what may be answered to a question of a list with so many items; None at the last look."""
    after = number - items - 1
    if after < 0 or after == HISTORY:
        return YES_OR_NO
    return {TODAY: TODAY_S, DEPTH: DEPTH_DEG, HOLD: HOLD_S}.get(after)


def question_text(screening: Screening, number: int) -> str:
    """Return the words of a question; empty where there is none of that number."""
    items = screening.items
    if 1 <= number <= len(items):
        return items[number - 1].question
    after = number - len(items) - 1
    return AFTER_THE_ITEMS[after] if 0 <= after < len(AFTER_THE_ITEMS) else ""


def answer_text(items: int, number: int, answer: int | None) -> str:
    """Return what is chosen at a question, in a word or two; empty before anything is."""
    scale = scale_of(items, number)
    if answer is None or scale is None:
        return ""
    if scale is YES_OR_NO:
        return {NO: "no", YES: "yes"}.get(
            answer, "yes, and this refuses (H34): ACK held takes it back, CONFIRM ends the visit"
        )
    return f"{-answer}°" if scale is DEPTH_DEG else f"{answer} s"


def what_is_asked(screening: Screening, wish: Wish) -> str:
    """Return the words of the question that the panel asks, and what is answered so far."""
    items = len(screening.items)
    told = question_text(screening, wish.question)
    if wish.question <= items:
        told = f"{wish.question} of {items}: {told}"
    if scale_of(items, wish.question) is None:
        return told
    answer = answer_text(items, wish.question, wish.answer)
    if not answer:
        return f"{told} Choose the answer with the plan keys, then press CONFIRM."
    return f"{told} Answer: {answer}. CONFIRM gives it, the plan keys change it."


def ask(was: Asking, items: int, buttons: int, pressed: int, elapsed_ms: int) -> Asking:
    """Take one tick of the panel into account; two buttons at once answer nothing.

    Args:
        was: where the questions stood.
        items: how many items the list has.
        buttons: the buttons held.
        pressed: those of them that were pressed afresh in this tick.
        elapsed_ms: since the last tick.
    """
    if was.done or was.ended:
        return was
    shown_ms = min(was.shown_ms + elapsed_ms, CAP_MS)
    if buttons == ACK:
        ack_ms = 0 if pressed else min(was.ack_ms + elapsed_ms, CAP_MS)
        if ack_ms >= ACK_MS and not was.went_back:
            return _back(was, items)
        return msgspec.structs.replace(was, shown_ms=shown_ms, ack_ms=ack_ms)
    was = msgspec.structs.replace(was, shown_ms=shown_ms, ack_ms=0, went_back=was.went_back and buttons & ACK != 0)
    if not pressed or pressed != buttons:
        return was
    scale = scale_of(items, was.number)
    if pressed == CONFIRM:
        return _confirmed(was, items)
    if scale is None or pressed not in (PLAN_UP, PLAN_DOWN) or (was.answer == REFUSED and scale is YES_OR_NO):
        return was
    return msgspec.structs.replace(was, answer=_stepped(scale, was.answer, pressed == PLAN_UP))


def _stepped(scale: Scale, answer: int | None, up: bool) -> int:
    if scale is YES_OR_NO:
        return YES if up else NO
    if answer is None:
        return scale.low + scale.step if up else scale.low
    return min(answer + scale.step, scale.high) if up else max(answer - scale.step, scale.low)


def _confirmed(was: Asking, items: int) -> Asking:
    """Give the answer that is shown: go on, refuse, or declare the whole."""
    after = was.number - items - 1
    if after == REVIEW:
        return msgspec.structs.replace(was, done=True) if was.shown_ms >= LOOK_MS else was
    if was.answer is None:
        return was
    if after < 0 and was.answer == REFUSED:
        return msgspec.structs.replace(was, ended=True)
    if after < 0 and was.answer == YES:
        return msgspec.structs.replace(was, answer=REFUSED)
    said = (*was.said, was.answer)
    if after == HISTORY and was.answer == NO:
        said = (*said, None, None)
    return Asking(len(said) + 1, None, said)


def _back(was: Asking, items: int) -> Asking:
    """Take back: a refusing answer becomes a chosen one again, else the question before is asked once more."""
    if was.answer == REFUSED and was.number <= items:
        return msgspec.structs.replace(was, answer=YES, ack_ms=0, went_back=True)
    said = was.said
    while said and said[-1] is None:
        said = said[:-1]
    if not said:
        return msgspec.structs.replace(was, answer=None, ack_ms=0, went_back=True)
    return Asking(len(said), said[-1], said[:-1], went_back=True)


def declaration_of(asking: Asking, screening: Screening, wall_s: int) -> Declaration:
    """Return what was declared; the person is called after the visit's day and minute, and by nothing else.

    Args:
        asking: the questions, done.
        screening: the list that was asked.
        wall_s: when, in seconds since 1970; a label.
    """
    said, items = asking.said, screening.items
    assert asking.done, "nothing is declared before the last CONFIRM"
    today_s, history, depth_deg, hold_s = said[len(items) :]
    now = dt.datetime.fromtimestamp(wall_s)
    return Declaration(
        pseudonym=f"visit-{now:%Y%m%d-%H%M}",
        answers={item.id: answer == YES for item, answer in zip(items, said, strict=False)},
        inverted_today_s=today_s or 0,
        last_deg=-float(depth_deg) if history and depth_deg is not None else None,
        last_hold_s=hold_s if history else None,
        screening_version=screening.version,
        date=now.date(),
    )
