"""What a supervisor declares of a person before a real table may be armed: in a file, or asked at the terminal."""

from typing import NoReturn, TextIO

from config.errors import UsageError
from config.loading import load_declared
from config.plan import Plan
from config.screening import Screening
from controller.permits import Declaration

YES, NO = ("y", "yes"), ("n", "no")
NOWHERE = (
    "nobody can be asked here, since this is no terminal: give the answers to the screening list with --declared FILE "
    "(a form is in config/declared.toml; inversion-table check reads it)"
)


def from_file(path: str) -> Declaration:
    """Return what a file declares. Raises ConfigurationError, with every mistake in it."""
    said = load_declared(path)
    return Declaration(
        pseudonym=said.pseudonym,
        answers=dict(said.answers),
        inverted_today_s=said.inverted_today_s,
        last_deg=None if said.last is None else said.last.angle_cdeg / 100,
        last_hold_s=None if said.last is None else said.last.hold_s,
        screening_version=said.screening_version,
        date=said.date,
    )


def refuse_to_ask() -> NoReturn:
    """Say that there is nobody to ask. Raises UsageError."""
    raise UsageError(NOWHERE)


def at_terminal(screening: Screening, plan: Plan, answers: TextIO, questions: TextIO) -> Declaration:
    """Ask a supervisor for everything, one question after another.

    Raises:
        UsageError: the terminal was closed in the middle.
    """
    asked = _Asked(answers, questions)
    asked.tell(
        f"Before {plan.name} ({plan.cap_cdeg / 100:g}°, {plan.hold_s} s) on a real table the supervisor answers for "
        f"the person: {screening.title}. Ctrl-C ends it; nothing moves."
    )
    pseudonym = asked.text("What is the person called in the records (a pseudonym)?")
    said = {item.id: asked.yes(item.question) for item in screening.items}
    inverted_today_s = asked.number("For how many seconds was the person head-down today?", 0, 86_400)
    last_deg = last_hold_s = None
    if asked.yes("Was the person ever tilted head-down before, safely?"):
        last_deg = -abs(asked.number("How deep, in degrees?", -90, 90))
        last_hold_s = asked.number("For how many seconds was that held?", 0, 3600)
    return Declaration(pseudonym, said, inverted_today_s, last_deg, last_hold_s)


class _Asked:
    """Questions and answers on a terminal; each is asked again until it is answered."""

    def __init__(self, answers: TextIO, questions: TextIO) -> None:
        self._answers = answers
        self._questions = questions

    def tell(self, words: str) -> None:
        self._questions.write(f"{words}\n")
        self._questions.flush()

    def text(self, question: str) -> str:
        while True:
            self._questions.write(f"{question} ")
            self._questions.flush()
            line = self._answers.readline()
            if not line:
                raise UsageError(f'the terminal was closed before "{question}" was answered; nothing moved')
            if line.strip():
                return line.strip()

    def yes(self, question: str) -> bool:
        while True:
            word = self.text(f"{question} [y/n]").lower()
            if word in YES + NO:
                return word in YES
            self.tell("Write y or n.")

    def number(self, question: str, low: int, high: int) -> int:
        while True:
            word = self.text(question)
            if word.removeprefix("-").isdecimal() and low <= int(word) <= high:
                return int(word)
            self.tell(f"Write a whole number, {low} … {high}.")
