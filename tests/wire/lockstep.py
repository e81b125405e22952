"""A real pseudo-terminal with the simulated table at one end and real pyserial at the other, in virtual time.

Waiting for bytes is what turns the clock: whoever waits has the table simulate the milliseconds, in this process or in
another one. What was written is always read before time goes on, so that every run is the same on any machine.
"""

import select
import socket
from collections.abc import Callable
from typing import Protocol

from firmware_bridge import ports
from firmware_bridge.ports import SerialPort
from sim.wire import PseudoTerminal
from sim.wire_hands import HandsServer
from sim.wired import WiredTable

# Nothing waits for so long unless something is broken.
PATIENCE_S = 30
REQUEST = 16


class Stepper(Protocol):
    """Whoever can let the table's time pass."""

    def step(self, most_ms: int, sent: int) -> tuple[int, int]:
        """Let up to `most_ms` pass, but only to the next frame; return how many, and the bytes written since ever.

        `sent` are the host's bytes since ever, all of which the table takes in first.
        """
        ...


class TableEnd(Stepper):
    """The table's end of the line; `deaf` is a cable that is out: nothing passes either way."""

    def __init__(self, table: WiredTable) -> None:
        self.table = table
        self.line = PseudoTerminal()
        self.hands: HandsServer | None = None
        self.written = self.heard = 0
        self.hosts = 0

    def step(self, most_ms: int, sent: int) -> tuple[int, int]:
        while self.heard < sent:
            assert select.select([self.line], [], [], PATIENCE_S)[0], "what the host sent never came"
            data = self.line.read()
            self.heard += len(data)
            self.table.hear(data)
        for passed in range(most_ms):
            if self._millisecond():
                return passed + 1, self.written
        return most_ms, self.written

    def alone(self, ms: int, each: Callable[[], None] = lambda: None) -> None:
        """Let time pass without a host."""
        for _ in range(ms):
            self._millisecond()
            each()

    def _millisecond(self) -> bool:
        if self.hands is not None:
            self._serve(self.hands)
        frame = self.table.pass_ms()
        if frame and self.hosts:
            self.line.write(frame)
            self.written += len(frame)
            return True
        return False

    def _serve(self, hands: HandsServer) -> None:
        for descriptor in select.select(hands.descriptors, [], [], 0)[0]:
            hands.serve(descriptor)
        hands.tell(self.table.clock.ms)
        hands.end_leases()

    def close(self) -> None:
        self.line.close()
        if self.hands is not None:
            self.hands.close()


class Lockstep:
    """A host's clock and ports; `path` is that of the line."""

    def __init__(self, stepper: Stepper, path: str, *, sent: int = 0, written: int = 0) -> None:
        self.path = path
        self.ms = 1_000_000
        self.sent, self.read = sent, written
        self._stepper = stepper
        self._nonces = 0
        self.ports: list[LockstepPort] = []

    @classmethod
    def at(cls, end: TableEnd) -> "Lockstep":
        """A host of this process, at this end of a table."""
        end.hosts += 1
        return cls(end, end.line.path, sent=end.heard, written=end.written)

    def now_ms(self) -> int:
        return self.ms

    def sleep(self, seconds: float) -> None:
        self.pass_ms(round(1000 * seconds))

    def nonce(self) -> int:
        self._nonces += 1
        # Two hosts, one after the other, must not use the same ones.
        return self.ms * 1000 + self.sent + self._nonces & 0xFFFFFFFF

    def pass_ms(self, ms: int) -> int:
        """Let time pass, at most to the next frame; return how many bytes are there to be read."""
        elapsed, written = self._stepper.step(ms, self.sent)
        self.ms += elapsed
        return written - self.read

    def connect(self, where: str) -> SerialPort:
        port = LockstepPort(self, ports.connect(where))
        self.ports.append(port)
        return port


class LockstepPort(SerialPort):
    """A real port, opened by pyserial; waiting on it turns the clock."""

    def __init__(self, lockstep: Lockstep, real: SerialPort) -> None:
        self.name = real.name
        self.notes = real.notes
        self.dropped = 0
        self._lockstep = lockstep
        self._real = real

    def wait(self, wait_ms: int) -> bytes:
        lockstep = self._lockstep
        coming = lockstep.pass_ms(wait_ms)
        data = b""
        while len(data) < coming:
            piece = self._real.wait(PATIENCE_S * 1000)
            assert piece, "what the table sent never came"
            data += piece
        lockstep.read += len(data)
        return data

    def send(self, frame: bytes) -> None:
        self._real.send(frame)
        self._lockstep.sent += len(frame)

    def close(self) -> None:
        self._real.close()


class FarStepper(Stepper):
    """Steps a table in another process; its other end is `serve`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def step(self, most_ms: int, sent: int) -> tuple[int, int]:
        self._connection.sendall(b"%7d %8d" % (most_ms, sent))
        answer = self._connection.recv(REQUEST, socket.MSG_WAITALL)
        elapsed, written = answer.split()
        return int(elapsed), int(written)


def serve(end: TableEnd, connection: socket.socket, until: Callable[[], bool]) -> bool:
    """Step a table for a host in another process until a question is answered yes; false if the host ended first."""
    connection.settimeout(PATIENCE_S)
    while not until():
        try:
            request = connection.recv(REQUEST, socket.MSG_WAITALL)
        except ConnectionError:
            return False
        if len(request) < REQUEST:
            return False
        most_ms, sent = request.split()
        connection.sendall(b"%7d %8d" % end.step(int(most_ms), int(sent)))
    return True
