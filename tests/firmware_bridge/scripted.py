"""A scripted table at the other end of a line, in virtual time or behind a pseudo-terminal, made from the page."""

from collections.abc import Callable
from typing import Any

from cobs import cobs

from config.limits import Limits
from firmware_bridge import protocol
from firmware_bridge.errors import LinkLostError
from firmware_bridge.ports import SerialPort
from firmware_bridge.protocol import TableConstants
from tests.firmware_bridge.wire import NAMES, answer, reply, telemetry

CONSTANTS = TableConstants.of(Limits(), brake_on_motor_side=True)


class ScriptedTable:
    """Answers handshakes and requests, and sends telemetry, as long as it is told to.

    `heard` are the frames that came, as (kind, fields); `said` are changed fields of its telemetry.
    """

    def __init__(self, clock_ms: int = 60_000) -> None:
        self.clock_ms = clock_ms
        self.boot_count = 5
        self.reset_cause = 1
        self.config_hash = CONSTANTS.hash
        self.hello: dict[str, Any] = {}  # changed fields of its HELLO_REPLY
        self.said: dict[str, int] = {}
        self.refusals = 0
        self.greets = True
        self.answers = True
        self.sends = True
        self.sequence = 40_000
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.out = b""
        self._rest = b""
        self._due_ms = clock_ms

    def reset(self, cause: int = 4) -> None:
        """Boot anew, as after a watchdog's bite."""
        self.boot_count += 1
        self.reset_cause = cause
        self.clock_ms = self._due_ms = 0
        self.sequence = 0
        self.said.pop("session_id", None)

    def tick(self) -> None:
        """Let a millisecond pass."""
        self.clock_ms += 1
        if self.clock_ms >= self._due_ms:
            self._due_ms = self.clock_ms + 10
            if self.sends:
                self.out += telemetry(self._number(), self.clock_ms, **self.said)

    def take(self, data: bytes) -> None:
        """Take bytes from the host."""
        *pieces, self._rest = (self._rest + data).split(b"\0")
        for piece in pieces:
            if piece:
                self._hear(cobs.decode(piece))

    def commands(self) -> list[dict[str, Any]]:
        return self.kinds("COMMAND")

    def kinds(self, kind: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.heard if name == kind]

    def _number(self) -> int:
        self.sequence = (self.sequence + 1) & 0xFFFF
        return self.sequence

    def _hear(self, frame: bytes) -> None:
        (kind,) = (name for name in NAMES if getattr(protocol, name) == frame[0])
        _, sequence, *values = protocol.LAYOUTS[frame[0]].unpack(frame[:-4])
        fields = {"sequence": sequence, **dict(zip(NAMES[kind], values, strict=True))}
        self.heard.append((kind, fields))
        if kind == "COMMAND":
            self.said["echo"] = sequence
        elif kind == "HELLO":
            if self.greets:
                told = {"boot_count": self.boot_count, "reset_cause": self.reset_cause, "config_hash": self.config_hash}
                self.out += reply(self._number(), self.clock_ms, fields["nonce"], **{**told, **self.hello})
        elif self.answers:
            self._answer(kind, frame[0], fields)

    def _answer(self, kind: str, number: int, fields: dict[str, Any]) -> None:
        if not self.refusals:
            if kind == "CONFIGURE":
                self.config_hash = fields["config_hash"]
            else:
                self.said["session_id"] = fields["session_id"] if kind == "ARM" else 0
        self.out += answer(
            self._number(), number, fields["sequence"], accepted=not self.refusals, refusals=self.refusals
        )


class VirtualLine:
    """A clock that waiting turns, and ports at whose other end is a scripted table."""

    def __init__(self, table: Any) -> None:
        self.table = table
        self.ms = 1_000_000
        self.ports: list[VirtualPort] = []
        self.opening: Callable[[], None] | None = None
        self.nonces = 0

    def now_ms(self) -> int:
        return self.ms

    def pass_ms(self, ms: int) -> None:
        for _ in range(ms):
            self.ms += 1
            self.table.tick()

    def sleep(self, seconds: float) -> None:
        self.pass_ms(round(1000 * seconds))

    def nonce(self) -> int:
        self.nonces += 1
        return self.nonces

    def connect(self, where: str) -> SerialPort:
        if self.opening is not None:
            self.opening()
        port = VirtualPort(self, where)
        self.ports.append(port)
        return port


class VirtualPort(SerialPort):
    """A port in virtual time; `unplugged` is a yanked cable, `lost` bytes of the host's go nowhere."""

    def __init__(self, line: VirtualLine, name: str) -> None:
        self.name = name
        self.notes = ()
        self.dropped = 0
        self.unplugged = False
        self.deaf = False
        self.garbage = b""
        self.closed = False
        self._line = line
        line.table.out = b""

    def wait(self, wait_ms: int) -> bytes:
        line, table = self._line, self._line.table
        for _ in range(wait_ms + 1):
            if self.unplugged:
                raise LinkLostError(f"{self.name} is gone")
            if self.garbage:
                table.out, data = b"", self.garbage
                line.pass_ms(1)
                return data
            if table.out:
                data, table.out = bytes(table.out), b""
                return data
            if wait_ms:
                line.pass_ms(1)
                wait_ms -= 1
        return b""

    def send(self, frame: bytes) -> None:
        if self.unplugged:
            raise LinkLostError(f"{self.name} is gone")
        if not self.deaf:
            self._line.table.take(frame)

    def close(self) -> None:
        self.closed = True
