"""The table's side of the link, in C, as tests work it."""

from typing import Any

from cffi import FFI
from cobs import cobs

from firmware_bridge import protocol
from firmware_bridge.frames import HostFrames
from tests.firmware_bridge.building import FIRMWARE
from tests.firmware_bridge.wire import NAMES, on_wire, packed

SOURCES = [FIRMWARE / "frame.c", FIRMWARE / "table_link.c", FIRMWARE / "panel_lights.c"]
REASONS = ("cobs", "length", "crc", "type", "version", "sequence", "value", "stale", "busy")
Built = tuple[FFI, Any]


class Table:
    """A table's side of the link, with a guard that says what it is told to say."""

    def __init__(self, built: Built) -> None:
        self.ffi, self.lib = built
        self.link = self.ffi.new("table_link_t *")
        self.pins = self.ffi.new("guard_pins_t *")
        self.out = self.ffi.new("guard_out_t *")
        self.command = self.ffi.new("guard_command_t *")
        self.request = self.ffi.new("guard_request_t *")
        self.identity = self.ffi.new("table_link_identity_t *", {"firmware": [1, 2, 3], "reset_cause": 1})
        self.now_ms = 0
        self.echo = -1  # number of the newest telemetry that was sent
        self.lib.table_link_begin(self.link, self.identity)

    def takes(self, wire: bytes) -> bool:
        """Whether the guard gets a command out of these bytes that it may follow."""
        command = self.take(wire)
        return bool(command.fresh and command.demand <= 5)

    def take(self, wire: bytes) -> Any:
        """Hand bytes to the table, and take what comes out for the guard."""
        for byte in wire:
            self.lib.table_link_byte(self.link, byte, self.now_ms)
        self.lib.table_link_take(self.link, self.command, self.request)
        return self.command

    def settle(self, answer: int = 0, **said: int) -> None:
        self.out.answer = answer
        for name, value in said.items():
            setattr(self.out, name, value)
        self.lib.table_link_settle(self.link, self.out)
        self.out.answer = 0

    def sent(self, wait_ms: int = 0) -> bytes:
        """Every frame that is due after a wait."""
        self.now_ms = (self.now_ms + wait_ms) & 0xFFFFFFFF
        wire = self.ffi.new("uint8_t[58]")
        stream = b""
        while length := self.lib.table_link_next(self.link, self.pins, self.out, self.now_ms, wire):
            stream += bytes(wire[0:length])
            if self.link.sent_type == protocol.TELEMETRY:
                self.echo = int(self.link.sent_sequence)
        return stream

    def rejected(self) -> dict[str, int]:
        return {reason: count for reason, count in zip(REASONS, self.link.rejected, strict=True) if count}

    def greet(self, nonce: int = 7, version: int = protocol.VERSION) -> bytes:
        """Shake hands; return what the table answers."""
        self.sent()
        hello = on_wire(packed("HELLO", 10, {"version": version, "nonce": nonce}))
        self.take(hello)
        self.settle()
        return self.sent()

    def ready(self) -> HostFrames:
        """Shake hands, and return a host whose frames are taken; `echo` is what they echo."""
        self.greet()
        self.sent(10)
        return HostFrames(11)


def pieces(stream: bytes) -> list[bytes]:
    return [cobs.decode(piece) for piece in stream.split(b"\0") if piece]


def fields_of(kind: str, frame: bytes) -> dict[str, Any]:
    _, _, *values = protocol.LAYOUTS[getattr(protocol, kind)].unpack(frame[:-4])
    return dict(zip(NAMES[kind], values, strict=False))
