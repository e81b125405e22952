"""The switches of a simulated table, as people work them, near or far; no real table has such a seam."""

import contextlib
import select
import socket
import time
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from config.errors import DeviceMissingError, UnknownNameError, UsageError
from firmware_bridge.hands_messages import (
    LEASE_MS,
    Crank,
    Estop,
    Inject,
    Look,
    Press,
    Release,
    Reply,
    Request,
    Strap,
    Truth,
    Watch,
)
from safety.signals import BUTTONS

RENEW_MS: Final = LEASE_MS * 3 // 10
PATIENT: Final = "PATIENT"
SIDES: Final = ("left", "right")
ANSWER_S: Final = 5.0
_READ_AT_ONCE: Final = 65536


class Hands(Protocol):
    """What a person in the room can do to a simulated table.

    Buttons are named as in `safety.signals.BUTTONS`, or `PATIENT` for the patient's own; sides are `left`
    and `right`.
    """

    def press(self, button: str) -> None:
        """Hold a button down until it is released; pressing a held button changes nothing."""
        ...

    def release(self, button: str) -> None:
        """Let go of a button."""
        ...

    def strap(self, side: str, closed: bool) -> None:
        """Close or open the strap of one side."""
        ...

    def estop(self, pressed: bool) -> None:
        """Press or pull the emergency stop."""
        ...

    def crank(self, turning: bool) -> None:
        """Work the manual return, which needs no power: it turns the table slowly toward level while worked."""
        ...

    def inject(self, fault: str) -> None:
        """Provoke a fault, written as on the command line: `NAME[+DURATION][:key=value,…]`, from now on."""
        ...


class HandsGoneError(DeviceMissingError, ConnectionError):
    """There is no simulated table at the other end of the `hands` socket, or not any more."""


class HandsClient(Hands):
    """Hands on a simulated table in another process, by its `hands` socket.

    A press is leased: call `renew` at least every 100 ms while anything is held, and whatever is held is let go when
    this process is gone. Nothing here waits for the table but `look` and `inject`; what could not be done, or
    was refused, stands in `trouble`.

    Args:
        path: of the socket.
        now: a monotonic clock, in seconds.

    Attributes:
        truth: what the simulation said of itself last, None before `watch` was answered.
        trouble: what went wrong last, in a sentence; empty while all is well.

    Raises:
        HandsGoneError: nobody is there.
    """

    def __init__(self, path: str, now: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._now = now
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise HandsGoneError(
                f"no simulated table has its hands at {path} ({error.strerror or error}): start one with "
                "inversion-table sim --table wire"
            ) from error
        self._socket.setblocking(False)
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(Reply).decode
        self._out = b""
        self._in = b""
        self._held: dict[str, float] = {}
        self._cranked_s: float | None = None
        self._unanswered = 0
        self._answers: list[Reply] = []
        self._keep_answers = False
        self.truth: Truth | None = None
        self.trouble = ""

    def press(self, button: str) -> None:
        """Hold a button down as long as `renew` is called, until it is released. Raises UnknownNameError."""
        known_button(button)
        self._held[button] = self._now()
        self._post(Press(button))

    def release(self, button: str) -> None:
        """Let go of a button. Raises UnknownNameError."""
        known_button(button)
        self._held.pop(button, None)
        self._post(Release(button))

    def strap(self, side: str, closed: bool) -> None:
        """Close or open the strap of one side. Raises UnknownNameError."""
        if side not in SIDES:
            raise UnknownNameError("strap", side, SIDES)
        self._post(Strap(side, closed))

    def estop(self, pressed: bool) -> None:
        """Press or pull the emergency stop."""
        self._post(Estop(pressed))

    def crank(self, turning: bool) -> None:
        """Work the manual return as long as `renew` is called, or leave it."""
        self._cranked_s = self._now() if turning else None
        self._post(Crank(turning))

    def inject(self, fault: str) -> None:
        """Provoke a fault, and wait until the table has it.

        Raises:
            UsageError: the table cannot have it, or it is written wrongly.
            HandsGoneError: the table is gone or does not answer.
        """
        answer = self._ask(Inject(fault))
        if not answer.ok:
            raise UsageError(answer.error)

    def inject_later(self, fault: str) -> None:
        """Provoke a fault without waiting for the answer; a refusal comes to stand in `trouble`."""
        self._post(Inject(fault))

    def look(self) -> Truth:
        """Ask for what the simulation knows, and wait for it. Raises HandsGoneError."""
        truth = self._ask(Look()).simulated_truth
        if truth is None:
            raise HandsGoneError(f"what answers at {self._path} is no simulated table")
        return truth

    def watch(self) -> None:
        """Have `truth` kept up with the simulation, each time `renew` is called."""
        self._post(Watch())

    def renew(self) -> None:
        """Say again what is held, and take in what the table said. Costs some microseconds; never waits."""
        now = self._now()
        for button, said_s in self._held.items():
            if now - said_s >= RENEW_MS / 1000:
                self._held[button] = now
                self._post(Press(button))
        if self._cranked_s is not None and now - self._cranked_s >= RENEW_MS / 1000:
            self._cranked_s = now
            self._post(Crank(True))
        self._flush()
        self._take()

    def close(self) -> None:
        """Let go of everything at once: what is held, its lease ends. Doing so twice is allowed."""
        self._held.clear()
        self._cranked_s = None
        self._socket.close()

    # The line.

    def _post(self, request: Request) -> None:
        self._out += self._encode(request) + b"\n"
        self._unanswered += 1
        self._flush()

    def _flush(self) -> None:
        if not self._out:
            return
        with contextlib.suppress(BlockingIOError):
            try:
                self._out = self._out[self._socket.send(self._out) :]
            except BlockingIOError:
                raise
            except OSError:
                self._gone()

    def _take(self) -> None:
        while True:
            try:
                data = self._socket.recv(_READ_AT_ONCE)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._gone()
                return
            *lines, self._in = (self._in + data).split(b"\n")
            for line in lines:
                self._hear(line)

    def _hear(self, line: bytes) -> None:
        try:
            reply = self._decode(line)
        except msgspec.DecodeError:
            self.trouble = f"what answers at {self._path} is no simulated table"
            return
        if reply.simulated_truth is not None:
            self.truth = reply.simulated_truth
        if reply.ok is None:
            return
        self._unanswered -= 1
        if self._keep_answers:
            self._answers.append(reply)
        elif not reply.ok:
            self.trouble = reply.error

    def _ask(self, request: Request) -> Reply:
        """Send a request and wait for its answer, which is the one after all those that are still to come."""
        before = self._unanswered
        self._answers, self._keep_answers = [], True
        until_s = self._now() + ANSWER_S
        try:
            self._post(request)
            while len(self._answers) <= before:
                self.renew()
                if self._socket.fileno() < 0 or self._now() >= until_s:
                    raise HandsGoneError(self.trouble or f"the simulated table at {self._path} does not answer")
                if len(self._answers) <= before:
                    select.select([self._socket], [], [], RENEW_MS / 1000)
        finally:
            self._keep_answers = False
        for earlier in self._answers[:before]:
            self.trouble = earlier.error or self.trouble
        return self._answers[before]

    def _gone(self) -> None:
        """Note that the table is gone; what is said from now on goes nowhere."""
        self.trouble = f"the simulated table at {self._path} is gone"
        self._out = b""
        self._socket.close()


def known_button(button: str) -> None:
    """Refuse what is no button. Raises UnknownNameError."""
    if button != PATIENT and button not in BUTTONS:
        raise UnknownNameError("button", button, [*BUTTONS, PATIENT])
