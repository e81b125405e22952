"""A real terminal's keys: read one by one without waiting, and the terminal as it was after every way out."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from controller.keyboard import TELL_NO_PASTES, TELL_PASTES, Keyboard, keyboard_of


class Terminal(NamedTuple):
    leader: int
    follower: int

    @property
    def modes(self) -> list[Any]:
        return termios.tcgetattr(self.follower)

    def shown(self, length: int) -> bytes:
        """The next so many bytes that the terminal is given to show; an echo would be among them."""
        seen = b""
        while len(seen) < length:
            seen += os.read(self.leader, length - len(seen))
        return seen

    def type(self, keys: bytes) -> None:
        os.write(self.leader, keys)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    yield Terminal(leader, follower)
    for end in (leader, follower):
        try:
            os.close(end)
        except OSError:
            continue


def test_keys_come_without_a_line_without_an_echo_and_without_waiting(terminal: Terminal) -> None:
    with Keyboard(terminal.follower) as keyboard:
        assert keyboard.read() == ""
        terminal.type(b"t ")
        assert keyboard.read() == "t "
        assert keyboard.read() == ""
        assert not terminal.modes[3] & (termios.ECHO | termios.ICANON)
        assert terminal.modes[3] & termios.ISIG, "Ctrl-C stays what it was"
        assert not terminal.modes[0] & termios.IXON, "Ctrl-S would stop the program that controls the table"
    assert terminal.shown(len(TELL_PASTES + TELL_NO_PASTES)) == TELL_PASTES + TELL_NO_PASTES, "and no echo"


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (b"\x1b[At\x1b[1;5Cu", "tu"),
        (b"\x1bOPs", "s"),
        (b"\x1btr", "r"),
        ("ä°t".encode(), "ä°t"),
        (b"\xfft", "\ufffdt"),
    ],
)
def test_an_arrow_or_function_key_is_no_letter(terminal: Terminal, typed: bytes, keys: str) -> None:
    with Keyboard(terminal.follower) as keyboard:
        terminal.type(typed)
        assert keyboard.read() == keys


@pytest.mark.parametrize(
    "pasted",
    [
        b"\x1b[200~tue \n\x1b[201~",
        b"\x1b[200~t\x1b[A\x1b[31mu\x1b[201~",
        b"\x1b[200~" + bytes(range(0x20, 0x7F)) + b"\x1b[201~",
    ],
)
def test_what_is_pasted_works_no_key_and_the_next_key_does(terminal: Terminal, pasted: bytes) -> None:
    with Keyboard(terminal.follower) as keyboard:
        terminal.type(pasted)
        assert keyboard.read() == ""
        terminal.type(b"s")
        assert keyboard.read() == "s"


def test_a_key_whose_repetitions_come_in_a_heap_is_that_key(terminal: Terminal) -> None:
    with Keyboard(terminal.follower) as keyboard:
        terminal.type(b"t" * 40)
        assert keyboard.read() == "t" * 40


def test_the_terminal_is_asked_to_tell_of_pastes_and_then_no_more(terminal: Terminal) -> None:
    with Keyboard(terminal.follower):
        assert terminal.shown(len(TELL_PASTES)) == TELL_PASTES
    assert terminal.shown(len(TELL_NO_PASTES)) == TELL_NO_PASTES


def test_a_sequence_that_comes_in_two_pieces_is_no_letter_either(terminal: Terminal) -> None:
    with Keyboard(terminal.follower) as keyboard:
        terminal.type(b"\x1b[")
        assert keyboard.read() == ""
        terminal.type(b"At")
        assert keyboard.read() == "t"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_the_terminal_is_as_it_was_after_an_exception(terminal: Terminal, error: type[BaseException]) -> None:
    before, handlers = terminal.modes, [signal.getsignal(one) for one in (signal.SIGTTIN, signal.SIGTTOU)]

    def fail_in_the_middle() -> None:
        with Keyboard(terminal.follower):
            assert terminal.modes != before
            raise error

    with pytest.raises(error):
        fail_in_the_middle()
    assert terminal.modes == before
    assert [signal.getsignal(one) for one in (signal.SIGTTIN, signal.SIGTTOU)] == handlers


def test_a_terminal_that_is_closed_is_gone_and_nothing_is_raised(terminal: Terminal) -> None:
    with Keyboard(terminal.follower) as keyboard:
        os.close(terminal.leader)
        assert [keyboard.read(), keyboard.read()] == ["", ""]
        assert keyboard.gone


def test_what_is_no_terminal_has_no_keyboard() -> None:
    with Path(os.devnull).open() as nothing:
        assert keyboard_of(nothing) is None
    assert keyboard_of(None) is None


IN_THE_BACKGROUND = """
import fcntl, os, pty, sys, termios
leader, follower = pty.openpty()
if os.fork() == 0:
    os.setsid()
    fcntl.ioctl(follower, termios.TIOCSCTTY, 0)
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)  # in the background of the terminal that it has
        from controller.keyboard import Keyboard
        before = termios.tcgetattr(follower)
        os.write(leader, b"t\\n")
        with Keyboard(follower) as keyboard:
            read, during = keyboard.read(), termios.tcgetattr(follower)
        os._exit(0 if (read, during, keyboard.gone) == ("", before, False) else 1)
    _, status = os.waitpid(child, os.WUNTRACED)
    os._exit(99 if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status))
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_in_the_background_nothing_is_read_nothing_is_set_and_nothing_stops() -> None:
    ran = subprocess.run([sys.executable, "-c", IN_THE_BACKGROUND], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"99: it was stopped; {ran.stderr}"
