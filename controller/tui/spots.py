"""Where on the screen the mouse works a button: the words that the panel has for it, underlined."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.text import Text

from controller.panel_pictures import TABLE_COLUMNS
from controller.panel_view import COLUMNS

# What stands on the screen for each key of `controller.keys`.
WORDS: Final = {
    r"\bTILT\b": "t",
    r"\bRAISE\b": "u",
    r"\bRETURN\b": "r",
    r"\bSTOP\b": "s",
    r"\bPRESENCE\b": " ",
    r"\bACK\b": "a",
    r"\bCONFIRM\b": "c",
    r"\+(?=-[ \[]PLAN)": "+",
    r"(?<=\+)-(?=[ \[]PLAN)": "-",
    r"\bleft strap\b": "1",
    r"\bright strap\b": "2",
    r"p patient.s button\b": "p",
    r"\be e-stop\b": "e",
    r"\bm crank\b": "m",
    r"\bA RESET\b": "A",
}
ON_ALL: Final = "sra"
FIRST_COLUMN: Final = TABLE_COLUMNS + 1


class Spot(NamedTuple):
    """A word of the screen: its line, its columns up to `end`, and the key that it stands for."""

    line: int
    start: int
    end: int
    key: str


def spots_of(rows: Sequence[Text], first: int, last: int, keys: str = "") -> list[Spot]:
    """Find the words among the lamps, in the lines from `first` up to `last`; with `keys` only these.

    They are underlined where they stand.
    """
    spots = []
    for line in range(first, min(last, len(rows))):
        row = rows[line]
        for pattern, key in WORDS.items():
            if keys and key not in keys:
                continue
            for found in re.finditer(pattern, row.plain):
                if FIRST_COLUMN <= found.start() < COLUMNS:
                    row.stylize("underline", found.start(), found.end())
                    spots.append(Spot(line, found.start(), found.end(), key))
    return spots


def key_at(spots: Sequence[Spot], x: int, y: int) -> str:
    """Return the key under the mouse, empty where there is none."""
    return next((spot.key for spot in spots if spot.line == y and spot.start <= x < spot.end), "")
