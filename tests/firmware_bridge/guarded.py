"""The guard behind the table's side of the link, all in C as on the microcontroller, at the end of a virtual line."""

from typing import Any

from cffi import FFI

from firmware_bridge import protocol
from firmware_bridge.guard_build import GUARD_SOURCES
from tests.firmware_bridge.building import FIRMWARE
from tests.firmware_bridge.table_side import SOURCES

GUARDED = [*SOURCES, *(FIRMWARE / source for source in GUARD_SOURCES if source.startswith("guard"))]


class GuardedTable:
    """A table that does not move, as its microcontroller sees it; tests set its pins.

    It stands in for `ScriptedTable` at the end of a `VirtualLine`.
    """

    def __init__(self, built: tuple[FFI, Any], angle_cdeg: int = 0) -> None:
        self.ffi, self.lib = built
        new = self.ffi.new
        self.link, self.guard, self.out_ = new("table_link_t *"), new("guard_t *"), new("guard_out_t *")
        self.command, self.request = new("guard_command_t *"), new("guard_request_t *")
        self.pins = new(
            "guard_pins_t *",
            {
                "angle_a_cdeg": angle_cdeg,
                "angle_b_cdeg": angle_cdeg,
                "strap_left": 1,
                "strap_right": 1,
                "mains": True,
                "battery": True,
            },
        )
        self.clock_ms = 60_000
        self.out = b""
        self._wire = new("uint8_t[58]")
        self.lib.table_link_begin(self.link, new("table_link_identity_t *", {"firmware": [1, 0, 0], "reset_cause": 1}))
        self.lib.guard_init(self.guard, self.pins)

    def take(self, data: bytes) -> None:
        for byte in data:
            self.lib.table_link_byte(self.link, byte, self.clock_ms)

    def tick(self) -> None:
        lib, link = self.lib, self.link
        self.clock_ms += 1
        lib.table_link_take(link, self.command, self.request)
        lib.guard_step(self.guard, self.pins, self.command, self.request, self.out_)
        lib.table_link_settle(link, self.out_)
        while length := lib.table_link_next(link, self.pins, self.out_, self.clock_ms, self._wire):
            self.out += bytes(self._wire[0:length])
            if link.sent_type == protocol.TELEMETRY:
                lib.guard_sent(self.guard, link.sent_sequence)
