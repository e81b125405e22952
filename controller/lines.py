"""Plain lines for whoever reads over the shoulder of a program that must never wait for a reader.

A line is written only where the stream takes it at once. What a stopped terminal or a full pipe does not take waits;
when too much waits, the oldest is left out, and said to be.
"""

import os
import select
from collections import deque
from typing import Final, TextIO

from controller.voice import IN_ASCII

MOST_WAITING: Final = 200
# A pipe that says it has room takes so many bytes at once (PIPE_BUF on Linux).
LONGEST: Final = 4096


class Lines:
    """The lines of one stream; nothing is raised, and nothing waits."""

    def __init__(self, stream: TextIO | None) -> None:
        """Write to this stream from now on; None: nobody reads."""
        self._waiting: deque[bytes] = deque()
        self._left_out = 0
        self._file = -1
        self._poll = select.poll()
        self._encoding = "ascii"
        try:
            if stream is not None:
                self._file = stream.fileno()
                self._encoding = stream.encoding or "ascii"
                self._poll.register(self._file, select.POLLOUT)
        except (OSError, ValueError):
            self._file = -1

    def say(self, words: str) -> None:
        """Write a line as soon as it can be."""
        if self._file < 0:
            return
        try:
            data = words.encode(self._encoding)
        except UnicodeEncodeError:
            data = words.translate(IN_ASCII).encode(self._encoding, "replace")
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self._left_out += 1
        self._waiting.append(data[: LONGEST - 1] + b"\n")

    def pump(self) -> bool:
        """Write one line if there is one and the stream takes it; return whether more wait."""
        waiting = self._waiting
        if not waiting:
            return False
        try:
            ready = self._poll.poll(0)
            if not ready:
                return True
            if not ready[0][1] & select.POLLOUT:
                raise OSError("nobody reads any more")
            if self._left_out:
                told = f"({self._left_out} lines were left out: nobody read them)\n".encode(self._encoding, "replace")
                self._left_out = 0
                waiting.appendleft(told)
            os.write(self._file, waiting[0])
            waiting.popleft()
        except BlockingIOError:
            return True
        except (OSError, ValueError):
            # Whoever read is gone; the program is not there for them.
            self._file = -1
            waiting.clear()
        return bool(waiting)

    def finish(self) -> None:
        """Write what waits, as far as somebody reads."""
        while self._waiting:
            before = len(self._waiting)
            if self.pump() and len(self._waiting) == before:
                return
