"""The one client of a control process: small, synchronous, no thread; `panel`, `status` and the console all use it.

```python
with Client(path, "console") as client:
    client.watch(every_ms=100)
    for one in client.receive(patience_s=1.0):
        ...
    answer = client.bring_back("the patient feels sick")
```

docs/api.md tells what passes over the socket.
"""

import contextlib
import select
import socket
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from config.errors import DeviceMissingError
from controller import messages as say
from controller.messages import LONGEST_REPLY, VERSION, Answer, Frame, News, Reply, Request, Welcome
from safety.signals import Permit

MOST_KEPT: Final = 2_000
"""Frames and events that nobody has taken with `receive`; older ones are dropped."""
TO_START: Final = "start one with: inversion-table serve"


class ClientError(DeviceMissingError):
    """There is no control process to speak with, or it refuses to; says what to do."""


class ClientGoneError(ClientError):
    """The control process closed the connection, or died."""


class Client:
    """A connection to the control process at a socket; a context manager.

    Args:
        path: of the socket, `<socket folder>/<table id>.sock`.
        name: what this client is called in events and records.
        patience_s: how long an answer is awaited.

    Attributes:
        welcome: who answered: table, profile, version, guard.
        newest: the newest frame that came, None before the first.

    Raises:
        ClientError: nobody answers there, or another version, or this client is not let in.
    """

    welcome: Welcome

    def __init__(self, path: Path, name: str, patience_s: float = 2.0) -> None:
        self.newest: Frame | None = None
        self._patience_s = patience_s
        self._number = 0
        self._kept: deque[Frame | News] = deque(maxlen=MOST_KEPT)
        self._buffer = bytearray(LONGEST_REPLY)
        self._view = memoryview(self._buffer)
        self._decode = msgspec.json.Decoder(Reply).decode
        self._encode = msgspec.json.Encoder().encode
        self._where = path
        self._line = _connected(path, patience_s)
        try:
            self.welcome = self._greet(name)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let the connection go. Doing so twice is allowed."""
        self._line.close()

    def fileno(self) -> int:
        """Return the socket's number, to be waited on with `select`; −1 after `close`."""
        return self._line.fileno()

    # What comes -------------------------------------------------------------------------------------------------

    def receive(self, patience_s: float = 0.0) -> list[Frame | News]:
        """Return every frame and event that has come, oldest first; waits at most `patience_s` for the first.

        Raises:
            ClientGoneError: the control process is gone; what came before its end was returned earlier.
        """
        until_s = time.monotonic() + patience_s
        while True:
            try:
                while (came := self._take()) is not None:
                    self._keep(came)
            except ClientGoneError:
                # What was said before the end is told first; the end is there to be found again.
                if not self._kept:
                    raise
            if self._kept or not self._waited(until_s):
                break
        found = list(self._kept)
        self._kept.clear()
        return found

    # What is asked ----------------------------------------------------------------------------------------------

    def watch(self, every_ms: int = 100, events: bool = True) -> Answer:
        """Ask for frames, one in `every_ms` (10 to 10,000) at the most, and for events; 0: for neither any more."""
        return self._ask(say.Watch(self._next(), every_ms, events))

    def offer(self, plan: dict[str, Any], permit: Permit) -> Answer:
        """Put a plan, by the keys of a plan file, with its permit before the panel, where it is confirmed."""
        return self._ask(say.Offer(self._next(), self._seen, plan, permit))

    def disarm(self, because: str) -> Answer:
        """Take the offer back, or disarm the table at level."""
        return self._ask(say.Disarm(self._next(), self._seen, because))

    def stop(self, because: str) -> Answer:
        """Stop the table."""
        return self._ask(say.Stop(self._next(), self._seen, because))

    def bring_back(self, because: str) -> Answer:
        """Bring the patient back to level."""
        return self._ask(say.Return(self._next(), self._seen, because))

    def acknowledge(self) -> Answer:
        """Pause the alarm's sound."""
        return self._ask(say.Acknowledge(self._next(), self._seen))

    def configuration(self) -> Answer:
        """Ask for profile, limits, screening list's version and plans: `value` has them."""
        return self._ask(say.Configuration(self._next()))

    def events(self, since: int = 0, most: int = 100) -> Answer:
        """Ask for at most `most` (100 at the most) events after number `since`: `value` is the list."""
        return self._ask(say.Events(self._next(), since, most))

    # Packets ----------------------------------------------------------------------------------------------------

    @property
    def _seen(self) -> int:
        """The newest snapshot's number: what whoever asks has before their eyes."""
        with contextlib.suppress(ClientGoneError):
            while (came := self._take()) is not None:
                self._keep(came)
        return 0 if self.newest is None else self.newest.snapshot.number

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _greet(self, name: str) -> Welcome:
        self._send(say.Hello(VERSION, name))
        until_s = time.monotonic() + self._patience_s
        while True:
            came = self._take()
            if isinstance(came, Welcome):
                return came
            if isinstance(came, Answer):
                raise ClientError(f"the control process at {self._where} refuses: {'; '.join(came.why)}")
            if came is None and not self._waited(until_s):
                raise ClientError(self._silent())

    def _ask(self, request: Request) -> Answer:
        """Send a request and return its answer. Raises ClientError."""
        self._send(request)
        until_s = time.monotonic() + self._patience_s
        while True:
            came = self._take()
            if isinstance(came, Answer):
                if came.id in (0, self._number):
                    return came
            elif came is not None:
                self._keep(came)
            elif not self._waited(until_s):
                raise ClientError(self._silent())

    def _send(self, message: Request | say.Hello) -> None:
        data = self._encode(message)
        if len(data) > say.LONGEST_REQUEST:
            raise ClientError(
                f"a request of {len(data)} bytes is too long: at most {say.LONGEST_REQUEST} bytes; shorten the plan"
            )
        try:
            if not select.select([], [self._line], [], self._patience_s)[1]:
                raise ClientError(self._silent())
            self._line.send(data)
        except (OSError, ValueError) as error:
            if isinstance(error, ClientError):
                raise
            raise self._gone() from error

    def _take(self) -> Reply | None:
        """Return the next packet, None where none is there now. Raises ClientError."""
        try:
            length = self._line.recv_into(self._buffer)
        except BlockingIOError:
            return None
        except OSError as error:
            raise self._gone() from error
        if length == 0:
            raise self._gone()
        try:
            return self._decode(self._view[:length])  # type: ignore[no-any-return]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ClientError(
                f"what the control process at {self._where} says cannot be understood ({error}): see that it and this "
                "program are of one version"
            ) from error

    def _keep(self, came: Reply) -> None:
        if isinstance(came, Frame):
            self.newest = came
        if isinstance(came, Frame | News):
            self._kept.append(came)

    def _waited(self, until_s: float) -> bool:
        """Wait for something to come; false when the time is over."""
        left_s = until_s - time.monotonic()
        if left_s <= 0:
            return False
        try:
            return bool(select.select([self._line], [], [], left_s)[0])
        except (OSError, ValueError) as error:
            raise self._gone() from error

    def _gone(self) -> ClientGoneError:
        return ClientGoneError(
            f"the control process at {self._where} is gone; a patient who is not at level is brought back by the "
            f"table's guard: go to the table, then {TO_START}"
        )

    def _silent(self) -> str:
        return (
            f"the control process at {self._where} does not answer within {self._patience_s:g} s: look at the table; "
            "if this stays, restart it"
        )


def _connected(path: Path, patience_s: float) -> socket.socket:
    """Connect. Raises ClientError."""
    if not hasattr(socket, "SOCK_SEQPACKET"):
        raise ClientError("the control process runs on Linux only, and so do its clients")
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        line.settimeout(patience_s)
        line.connect(str(path))
        line.setblocking(False)
    except OSError as error:
        line.close()
        raise ClientError(_why_not(path, error, patience_s)) from error
    return line


def _why_not(path: Path, error: OSError, patience_s: float) -> str:
    if isinstance(error, FileNotFoundError):
        return f"no control process is at {path}: {TO_START}"
    if isinstance(error, ConnectionRefusedError):
        return f"the control process that was at {path} is not there any more: {TO_START}"
    if isinstance(error, PermissionError):
        return f"you may not reach the control process at {path}: ask as the user that it runs as, or as root"
    if isinstance(error, TimeoutError | BlockingIOError):
        return f"the control process at {path} takes no connection within {patience_s:g} s: look at the table"
    return f"the control process at {path} cannot be reached ({error.strerror or error}): {TO_START}"
