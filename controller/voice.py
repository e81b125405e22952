"""How the program speaks: to people on stderr, results on stdout; a reader who goes away never stops anything.

A terminal can be closed, a pipe can end and a disk that stderr was sent to can be full, all in the middle of a
session. Then the words are lost, and nothing else is.
"""

import contextlib
import os
import sys
from collections.abc import Mapping
from typing import TextIO

LEAST_COLUMNS = 72
LEAST_LINES = 18


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

    def say(self, words: str) -> None:
        """Tell people one or more lines."""
        if not _written(self._people, words):
            self._people = None

    def hand_over(self, result: str) -> None:
        """Give a result to whatever reads stdout."""
        if not _written(self._results, result):
            self._results = None


def _written(stream: TextIO | None, words: str) -> bool:
    if stream is None:
        return False
    try:
        stream.write(f"{words}\n")
        stream.flush()
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        return _written(stream, words.encode(encoding, "replace").decode(encoding))
    except (OSError, ValueError):
        silence(stream)
        return False
    return True


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
        "°█⠿─".encode(stream.encoding or "ascii")
    except (OSError, ValueError):
        return False
    return size.columns >= LEAST_COLUMNS and size.lines >= LEAST_LINES
