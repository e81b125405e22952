"""The simulated table behind a pseudo-terminal, in real time: what any serial client sees, and its hands beside it.

One thread turns the table's clock, a millisecond at a time, as the machine's clock goes; where the process is late it
simulates the milliseconds that it missed, in order, none left out.
"""

import contextlib
import errno
import os
import select
import termios
import time
import tty
from collections.abc import Callable
from typing import Final, Protocol

from sim.clock import VirtualClock
from sim.table import Truth
from sim.wire_hands import HandsServer

# After so many milliseconds made up for, hands and signals are looked after again.
AT_ONCE_MS: Final = 200
# Where a table that outlives its controller is looked at, whether anybody is still there.
_LOOK_MS: Final = 100
# Who was left inverted and is not brought back keeps a table for so long; then nobody comes any more.
_LONGEST_ALONE_MS: Final = 3_600_000
_LEVEL_CDEG: Final = -100
_STILL_CDEG_S: Final = 20
_NS: Final = 1_000_000
_READ_AT_ONCE: Final = 4096
_NOBODY: Final = (errno.EIO, errno.ENXIO)


def real_ms() -> int:
    """Return milliseconds on this machine's monotonic clock."""
    return time.monotonic_ns() // _NS


class PseudoTerminal:
    """A pseudo-terminal whose far end a client opens by `path`; this end never waits.

    Raises:
        OSError: the system has none left.
    """

    def __init__(self) -> None:
        self._near, self._far = os.openpty()
        # Until it is raw, a terminal would send back what comes and spoil bytes that mean something to it.
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        self.path = os.ttyname(self._far)
        # Our own hold on the far end keeps it from hanging up, and raw, while no client has it open.

    def fileno(self) -> int:
        """Return what to wait on."""
        return self._near

    def read(self, most: int = _READ_AT_ONCE) -> bytes:
        """Return what came, nothing if nothing did."""
        try:
            return os.read(self._near, most)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno in _NOBODY:
                return b""
            raise

    def write(self, data: bytes) -> None:
        """Send bytes; where nobody reads they go nowhere, as on a wire, and what is old goes first."""
        for _ in range(2):
            try:
                data = data[os.write(self._near, data) :]
            except BlockingIOError:
                pass
            except OSError as error:
                if error.errno not in _NOBODY:
                    raise
                return
            if not data:
                return
            with contextlib.suppress(OSError, termios.error):
                termios.tcflush(self._far, termios.TCIFLUSH)

    def close(self) -> None:
        """Hang up."""
        for descriptor in (self._near, self._far):
            with contextlib.suppress(OSError):
                os.close(descriptor)


class LineTable(Protocol):
    """A simulated table behind a line, as whoever turns its clock sees it."""

    clock: VirtualClock
    each_ms: list[Callable[[int], None]]

    @property
    def room(self) -> int:
        """How many bytes may be handed to `hear` now."""
        ...

    def hear(self, data: bytes) -> None:
        """Take in bytes from the line."""
        ...

    def pass_ms(self) -> bytes:
        """Let one millisecond pass, and return what was sent in it."""
        ...

    def truth(self) -> Truth:
        """Return where the table really is and how fast it really moves."""
        ...


class WireServer:
    """Keeps one simulated table going in real time, its line and its hands served, until it is told to stop.

    `also` are further descriptors that end it when something happens on them, such as a parent's pipe.
    """

    def __init__(
        self,
        table: LineTable,
        line: PseudoTerminal,
        hands: HandsServer,
        now_ns: Callable[[], int] = time.monotonic_ns,
        alone_ms: int | None = None,
    ) -> None:
        """Begin the table's time now; after `alone_ms` without a controller, the patient at level and still, end it."""
        self._table = table
        self._line = line
        self._hands = hands
        self._now_ns = now_ns
        self._start_ns = now_ns() - table.clock.ms * _NS
        self._stopping = False
        self._alone_ms = alone_ms
        self._heard_ms = self._away_ms = table.clock.ms
        table.each_ms.append(hands.tell)

    def stop(self) -> None:
        """End `run` soon; may be called from a signal's handler."""
        self._stopping = True

    def run(self, ends: int | None = None) -> None:
        """Go on until `stop`, or until something happens on the descriptor `ends`."""
        while not self._stopping:
            ready = self._wait(ends)
            if ends is not None and ends in ready:
                return
            for descriptor in ready:
                self._hands.serve(descriptor)
            self._catch_up()
            self._hands.end_leases()
            if self._alone_ms is not None and self._is_left(self._alone_ms):
                return

    def _is_left(self, alone_ms: int) -> bool:
        """Whether no controller has come for so long, with nobody on the table who has to be brought back."""
        now_ms = self._table.clock.ms
        if now_ms < self._away_ms + _LOOK_MS:
            return False
        angle_cdeg, velocity_cdeg_s = self._table.truth()
        if angle_cdeg < _LEVEL_CDEG or not -_STILL_CDEG_S < velocity_cdeg_s < _STILL_CDEG_S:
            self._away_ms = now_ms
        quiet_ms = now_ms - max(self._heard_ms, self._away_ms)
        return quiet_ms >= alone_ms or now_ms - self._heard_ms >= _LONGEST_ALONE_MS

    def _wait(self, ends: int | None) -> list[int]:
        """Wait until the next millisecond is due or somebody wants something."""
        poll = select.poll()
        for descriptor in (*self._hands.descriptors, *(() if ends is None else (ends,))):
            poll.register(descriptor, select.POLLIN)
        due_ns = self._start_ns + (self._table.clock.ms + 1) * _NS
        wait_ms = max(0, -(-(due_ns - self._now_ns()) // _NS))
        return [descriptor for descriptor, _ in poll.poll(wait_ms)]

    def _catch_up(self) -> None:
        """Simulate every millisecond that is due, at most `AT_ONCE_MS` of them."""
        table, line = self._table, self._line
        due_ms = (self._now_ns() - self._start_ns) // _NS
        for _ in range(min(due_ms - table.clock.ms, AT_ONCE_MS)):
            room = table.room
            if room:
                data = line.read(room)
                if data:
                    self._heard_ms = table.clock.ms
                    table.hear(data)
            frame = table.pass_ms()
            if frame:
                line.write(frame)
