"""A terminal's keys, read without waiting, and the terminal put back as it was on every way out.

While it is entered, keys come one by one and are not echoed. Ctrl-C stays what it was. Ctrl-S no longer freezes the
screen, since a program that waits for its screen does not control a table. In the background (`&`, `bg`) nothing is
read and nothing is set: whoever is in the foreground has the terminal.
"""

import contextlib
import errno
import os
import select
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, Self, TextIO

AT_ONCE: Final = 1024
ESCAPE: Final = "\x1b"
# What comes after ESC [ and ESC O in the sequence of an arrow or function key, up to its last character.
_LAST_OF_A_SEQUENCE: Final = range(0x40, 0x7F)
# Asks a terminal to say where pasted text begins and ends; those that cannot leave it alone.
TELL_PASTES, TELL_NO_PASTES = b"\x1b[?2004h", b"\x1b[?2004l"
PASTE_BEGINS, PASTE_ENDS = "[200~", "[201~"


def keyboard_of(stream: TextIO | None) -> "Keyboard | None":
    """Return the keyboard of a terminal; None where `stream` is none, or this system has no such terminals."""
    try:
        import termios  # noqa: F401 only Unix has it

        if stream is None or not stream.isatty():
            return None
        return Keyboard(stream.fileno())
    except (ImportError, OSError, ValueError):
        return None


class Keyboard:
    """The keys of one terminal; a context manager.

    Args:
        fd: the terminal.
        suspend: called before the program is stopped by Ctrl-Z, to let go of everything; None: Ctrl-Z is left alone.

    Attributes:
        gone: there is no terminal any more.
    """

    def __init__(self, fd: int, suspend: Callable[[], None] | None = None) -> None:
        self.fd = fd
        self.suspend = suspend
        self.gone = False
        self._before: list[Any] | None = None
        self._handlers: dict[int, object] = {}
        self._asked_to_stop = False
        self._skipping = ""
        self._pasting = False

    def __enter__(self) -> Self:
        """Take the keys."""
        # A program in the background that touches its terminal is stopped, unless it ignores these two.
        self._handle(signal.SIGTTIN, signal.SIG_IGN)
        self._handle(signal.SIGTTOU, signal.SIG_IGN)
        if self.suspend is not None:
            self._handle(signal.SIGTSTP, self._note_stop)
        self._take_over()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back as it was."""
        self._give_back()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._handlers.clear()

    def read(self) -> str:
        """Return the keys since the last time, a character each. Never waits.

        Arrow and function keys are left out, and what is pasted.
        """
        if self._asked_to_stop:
            self._stop()
        if self.gone or not self._in_front():
            # When this program comes to the front again, its shell will have set the terminal to its own liking.
            self._before = None
            return ""
        if self._before is None:
            self._take_over()
        try:
            if not select.select([self.fd], [], [], 0)[0]:
                return ""
            data = os.read(self.fd, AT_ONCE)
        except OSError:
            data = b""
        if not data:
            # There was something to read, and it is nothing: the end, unless another program was given the front.
            self.gone = self._in_front() or self.gone
            return ""
        return "".join(filter(self._is_a_key, data.decode("utf-8", "replace")))

    def _is_a_key(self, character: str) -> bool:
        """Whether a character is a key by itself, and no part of an arrow key's sequence."""
        if self._skipping == ESCAPE:
            # Alt with a key, or the beginning of a sequence.
            self._skipping = "[" if character in "[O" else ""
            return False
        if self._skipping:
            self._skipping += character
            if ord(character) in _LAST_OF_A_SEQUENCE:
                self._pasting = self._skipping == PASTE_BEGINS or (self._pasting and self._skipping != PASTE_ENDS)
                self._skipping = ""
            return False
        if character == ESCAPE:
            self._skipping = ESCAPE
            return False
        return not self._pasting

    # The terminal.

    def _in_front(self) -> bool:
        """Whether this program is the one that the terminal listens to."""
        try:
            return os.tcgetpgrp(self.fd) == os.getpgrp()
        except OSError as error:
            # A terminal that controls no programs keeps none of them from reading.
            self.gone = error.errno != errno.ENOTTY
            return not self.gone

    def _take_over(self) -> None:
        import termios

        if not self._in_front():
            return
        with contextlib.suppress(termios.error):
            before = termios.tcgetattr(self.fd)
            mode = [*before[:6], list(before[6])]
            mode[0] &= ~termios.IXON
            mode[3] &= ~(termios.ICANON | termios.ECHO)
            # With both 0 a read returns at once, with nothing where nothing was typed.
            mode[6][termios.VMIN], mode[6][termios.VTIME] = 0, 0
            # What was typed before was not meant for the panel.
            termios.tcsetattr(self.fd, termios.TCSAFLUSH, mode)
            self._before = before
            self._pasting = False
            self._ask(TELL_PASTES)

    def _give_back(self) -> None:
        import termios

        before, self._before = self._before, None
        if before is not None and self._in_front():
            self._ask(TELL_NO_PASTES)
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self.fd, termios.TCSAFLUSH, before)

    def _ask(self, what: bytes) -> None:
        # Standard input may be open for reading only, or the terminal gone.
        with contextlib.suppress(OSError):
            os.write(self.fd, what)

    # Ctrl-Z and its end.

    def _handle(self, number: int, handler: Any) -> None:
        # Outside the main thread nothing can be handled; where it is ignored from outside it stays so.
        with contextlib.suppress(ValueError):
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, handler)

    def _note_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_to_stop = True

    def _stop(self) -> None:
        """Do what Ctrl-Z asks for; returns when somebody has continued the program."""
        self._asked_to_stop = False
        assert self.suspend is not None
        self.suspend()
        self._give_back()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._note_stop)
        self._take_over()
