"""How the program speaks: to people on stderr, results on stdout; a reader who goes away never stops anything.

A terminal can be closed, a pipe can end and a disk that stderr was sent to can be full, all in the middle of a
session. Then the words are lost, and nothing else is.
"""

import contextlib
import os
import sys
import textwrap
from collections.abc import Mapping
from typing import TextIO

NOT_TAKEN = "the results could not be written to stdout"
LEAST_COLUMNS = 72
WIDEST = 100
# What the panel in a terminal needs.
PICTURE_COLUMNS, PICTURE_LINES = 80, 23
# For terminals that have only ASCII.
IN_ASCII = str.maketrans(
    {"−": "-", "°": " deg", "×": "x", "…": "...", "→": "->", "²": "2", "Ω": "Ohm", "µ": "u", "“": '"', "”": '"'}
)


class Voice:
    """The two streams of a program. Raises nothing: what cannot be said is dropped."""

    def __init__(self, people: TextIO | None = None, results: TextIO | None = None) -> None:
        """Speak on the given streams, or on stderr and stdout as they are now."""
        self._people = sys.stderr if people is None else people
        self._results = sys.stdout if results is None else results

    @property
    def people(self) -> TextIO | None:
        """Where people read; None where the program was started without it."""
        return self._people

    @property
    def width(self) -> int:
        """How long a line may be: as wide as the terminal, within reason."""
        columns = self._columns
        return WIDEST if columns is None else min(max(columns, LEAST_COLUMNS), WIDEST)

    @property
    def _columns(self) -> int | None:
        """How wide the terminal is; None where there is none, or it does not say."""
        try:
            return None if self._people is None else os.get_terminal_size(self._people.fileno()).columns or None
        except (OSError, ValueError):
            return None

    def say(self, words: str, indent: int = 0) -> None:
        """Tell people one or more lines; what is too long for a terminal goes on below, `indent` columns in."""
        columns = self._columns
        if columns is not None:
            words = "\n".join(_folded(line, columns, indent) for line in words.split("\n"))
        if _written(self._people, words) is not None:
            self._people = None

    def hand_over(self, result: str) -> bool:
        """Give a result to whatever reads stdout; people are told where it cannot be taken, unless the reader left.

        Returns whether it was taken; a reader who left has had enough, which is as good.
        """
        failed = _written(self._results, result)
        if failed is None:
            return True
        self._results = None
        if isinstance(failed, BrokenPipeError):
            return True
        told = failed.strerror if isinstance(failed, OSError) else failed
        self.say(f"{NOT_TAKEN}: {told}; send them somewhere else")
        return False


def _folded(line: str, columns: int, indent: int) -> str:
    """Return a line in several that fit, broken between words; one with a long word, such as a path, stays whole."""
    if len(line) <= columns or any(len(word) > columns // 2 for word in line.split()):
        return line
    after = " " * (indent if indent <= columns // 2 else 4)
    return textwrap.fill(
        line, columns, subsequent_indent=after, break_long_words=False, break_on_hyphens=False, replace_whitespace=False
    )


def _written(stream: TextIO | None, words: str) -> Exception | None:
    """Write and flush; return what went wrong."""
    if stream is None:
        return None
    encoding = stream.encoding or "ascii"
    try:
        words.encode(encoding)
    except UnicodeEncodeError:
        words = words.translate(IN_ASCII).encode(encoding, "replace").decode(encoding)
    try:
        stream.write(f"{words}\n")
        stream.flush()
    except (OSError, ValueError) as error:
        silence(stream)
        return error
    return None


def silence(stream: TextIO) -> None:
    """Send a broken stream's remaining words to nowhere, or the interpreter would complain about them at its end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def flush_all() -> None:
    """Write out what print() still holds; a reader who has gone away is no mistake."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):
                silence(stream)


def full_picture(stream: TextIO | None, environment: Mapping[str, str]) -> bool:
    """Whether a picture that is drawn anew in place can be shown: a real terminal, large enough, that can draw.

    Without a terminal, with TERM=dumb or with CI set it is a plain line a change.
    """
    if stream is None or environment.get("CI") or environment.get("TERM", "dumb") in ("dumb", ""):
        return False
    try:
        if not stream.isatty():
            return False
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return False
    return size.columns >= PICTURE_COLUMNS and size.lines >= PICTURE_LINES


def draws_ascii_only(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a picture must do without blocks and dots: the encoding has none, or the console's own font."""
    try:
        "°█⠿●−".encode(stream.encoding or "ascii")
    except ValueError:
        return True
    return environment.get("TERM", "").startswith(("linux", "vt"))
