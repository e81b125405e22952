"""Reading the command line: whole names only, one clear sentence for each mistake, the nearest known name."""

import argparse
import math
import re
from collections.abc import Callable
from typing import NoReturn

from config.errors import UnknownNameError, UsageError, nearest, shorten

FASTEST = 1000.0
_CHOICE = re.compile(r"argument (\S+): invalid choice: '(.*)' \(choose from (.*)\)", re.DOTALL)


class Parser(argparse.ArgumentParser):
    """A parser that raises `UsageError` where argparse would print and exit."""

    def error(self, message: str) -> NoReturn:
        """Refuse; the sentence says where help is."""
        choice = _CHOICE.fullmatch(message)
        if choice is not None:
            known = [word.strip("' ") for word in choice[3].split(",")]
            what = {"COMMAND": "command"}.get(choice[1], choice[1])
            raise UnknownNameError(what, choice[2], known, f"See {self.prog} --help.")
        if message.startswith("the following arguments are required: COMMAND"):
            raise UsageError(f"say what to do: see {self.prog} --help")
        raise UsageError(f"{shorten(message, 300)}; see {self.prog} --help")

    def refuse_unknown(self, words: list[str]) -> NoReturn:
        """Refuse what this parser does not know, with the option that is most like it."""
        word = words[0].partition("=")[0]
        near = nearest(word, self._option_string_actions) if word.startswith("-") else ""
        guess = f"; did you mean {near}?" if near else ""
        raise UsageError(f'nothing here is called "{shorten(word)}"{guess} (see {self.prog} --help)')


def add_example(parser: argparse.ArgumentParser, *examples: str) -> None:
    """Put examples at the end of a command's help."""
    parser.epilog = "\n  ".join(["example:" if len(examples) == 1 else "examples:", *examples])
    parser.formatter_class = argparse.RawDescriptionHelpFormatter


def typed(read: Callable[[str], object]) -> Callable[[str], object]:
    """Return a reader for argparse whose ValueErrors become sentences of their own."""

    def reader(text: str) -> object:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return reader


def read_speed(text: str) -> float:
    """Read how many times faster than life a session is shown. Raises ValueError."""
    number = text.removesuffix("x").removesuffix("×")
    try:
        speed = float(number)
    except ValueError:
        raise ValueError(f'"{shorten(text)}" is no number; write 10 for ten times real time') from None
    if not (math.isfinite(speed) and 0.1 <= speed <= FASTEST):
        raise ValueError(f"{shorten(text)} lies outside 0.1 … {FASTEST:g} (--fast does not wait at all)")
    return speed


def read_seed(text: str) -> int:
    """Read a seed: a whole number from 0. Raises ValueError."""
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise ValueError(f'"{shorten(text)}" is no seed; write a whole number from 0')
    return int(text)


def read_patient(text: str) -> dict[str, float]:
    """Read `mass_kg=75,height_cm=175,offset_cm=3`, any of them. Raises ValueError."""
    patient: dict[str, float] = {}
    known = ("mass_kg", "height_cm", "offset_cm")
    for pair in text.split(","):
        key, equals, number = pair.partition("=")
        key = key.strip()
        if not equals:
            raise ValueError(f'"{shorten(pair)}" is not key=value; write mass_kg=75,height_cm=175,offset_cm=3')
        if key not in known:
            near = nearest(key, known)
            guess = f"; did you mean {near}?" if near else f"; there are {', '.join(known)}"
            raise ValueError(f'a patient has no "{shorten(key)}"{guess}')
        if key in patient:
            raise ValueError(f"{key} is given twice")
        try:
            patient[key] = float(number)
        except ValueError:
            raise ValueError(f'{key} = "{shorten(number)}" is no number') from None
        if not math.isfinite(patient[key]):
            raise ValueError(f"{key} = {shorten(number)} is no number that a body can have")
    return patient
