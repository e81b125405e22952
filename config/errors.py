"""The errors of this project: one root, leaves that are also builtins.

InversionTableError
├── UsageError (ValueError)                a mistake in arguments or input                     exit 2
│   └── UnknownNameError (LookupError)     a name that is not among the known ones             exit 2
├── ConfigurationError (ValueError)        a file of ours that cannot be used, every reason    exit 2
├── RefusedError (RuntimeError)            the table refuses to start, every reason            exit 4
├── DeviceMissingError (OSError)           a needed tool or device is not there                exit 5
├── IllegalStepError (RuntimeError)        a step that the present state does not have         exit 1
└── TooLateError (TimeoutError)            something awaited did not happen in its time        exit 1

`exit_code` is what the command line ends with when such an error reaches it.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST_PROBLEMS_TOLD = 100
_LONGEST_TEXT = 80


def shorten(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Return `text` on one line, unprintable characters escaped, cut to `longest` characters."""
    # Cut before escaping too: the text may be a whole file that somebody took for a name.
    cut = text[: longest + 1]
    printable = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
    return printable if len(printable) <= longest else printable[: longest - 1] + "…"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word most like `word`, or an empty string when none is near."""
    # Comparing costs the product of the lengths, and the word may come from a hostile file.
    found = difflib.get_close_matches(word[:_LONGEST_TEXT], list(known), n=1, cutoff=0.55)
    return found[0] if found else ""


class InversionTableError(Exception):
    """Anything that this project raises on purpose; its text is a sentence for the person."""

    exit_code = 1


class UsageError(InversionTableError, ValueError):
    """A mistake in arguments or input; nothing moved."""

    exit_code = 2


class UnknownNameError(UsageError, LookupError):
    """A name that is not among the known ones.

    Args:
        kind: what is named, such as `plan` or `fault`.
        name: what was asked for.
        known: every name there is.
        hint: one more sentence, or nothing.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(sorted(known))
        self.nearest = nearest(name, self.known)
        self.hint = hint
        super().__init__(kind, name, self.known, hint)

    def __str__(self) -> str:
        """Say what is unknown, what is near, and what there is."""
        guess = f" Did you mean {self.nearest}?" if self.nearest else ""
        listed = f" Known: {', '.join(self.known)}." if self.known else " There is none."
        return f'no {self.kind} is called "{shorten(self.name)}".{guess}{listed}{" " + self.hint if self.hint else ""}'


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in one file: where, what stands there, what is allowed, and the nearest known word.

    `key` is a dotted path as in TOML (`drive.stall_ma`), empty where the file as a whole is meant; `value` is
    what stands there, as text; `bound` what is allowed, with its unit. Any but `file` and `message` may be empty.
    """

    file: str
    key: str
    value: str
    bound: str
    message: str
    nearest: str = ""

    def __str__(self) -> str:
        """Return the one line that is printed."""
        where = f"{self.file}: " if self.file else ""
        what = f"{self.key} = {self.value}: " if self.key and self.value else f"{self.key}: " if self.key else ""
        allowed = f" (allowed: {self.bound})" if self.bound else ""
        guess = f"; did you mean {self.nearest}?" if self.nearest else ""
        return f"{where}{what}{self.message}{allowed}{guess}"


class ConfigurationError(InversionTableError, ValueError):
    """A file of ours that cannot be used; `problems` holds every reason, the text one line for each."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Return one line a problem; after a hundred the rest is counted."""
        lines = [str(problem) for problem in self.problems[:MOST_PROBLEMS_TOLD]]
        left = len(self.problems) - len(lines)
        return "\n".join([*lines, f"… and {left} more"] if left else lines)


class RefusedError(InversionTableError, RuntimeError):
    """The table refuses to start; the text has every reason, and nothing moved."""

    exit_code = 4


class DeviceMissingError(InversionTableError, OSError):
    """A needed tool or device is not there; the text names it and what brings it."""

    exit_code = 5


class IllegalStepError(InversionTableError, RuntimeError):
    """A step that the present state does not have; nothing was changed."""


class TooLateError(InversionTableError, TimeoutError):
    """Something awaited did not happen in its time."""
