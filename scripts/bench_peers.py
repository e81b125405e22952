"""Reads 24 bytes of telemetry with the parsers of other projects; run by bench_link.py in an environment of its own.

Each peer parses a stream in its own wire format, from its own entry point, into numbers; where a library reads from a
port by itself, it reads from one that holds the whole stream already, so that no waiting is measured. Talks in lines:
first one of JSON that says who is here, then microseconds a message for each name that it is given.
"""

import asyncio
import collections
import gc
import importlib
import importlib.metadata
import json
import struct
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

MESSAGES: Final = 300
# What our own reference frame holds: a clock, two angles, a velocity, a current, buttons, six bytes, another number.
PAYLOAD: Final = struct.Struct("<IhhhHH6BI")
VALUES: Final = (123_456, -1234, -1230, -200, 4321, 1, 1, 2, 3, 4, 5, 6, 0xCAFE0001)
BODY: Final = PAYLOAD.pack(*VALUES)
Run = Callable[[], object]


class Port:
    """A serial port at which everything has arrived already."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream
        self._at = 0
        self.at_end: Callable[[], None] = lambda: None

    def read(self, size: int = 1) -> bytes:
        """Return the next bytes."""
        at = self._at
        self._at = at + size
        return self._stream[at : at + size]

    def inWaiting(self) -> int:  # noqa: N802 the name is pyserial's
        """Return how many bytes are left, and say so when none is."""
        left = len(self._stream) - self._at
        if left <= 0:
            self.at_end()
        return left

    def close(self) -> None:
        """Do nothing."""


def pymodbus() -> Run:
    """RTU: twelve holding registers a message, from the framer's buffer to the response's numbers."""
    framer = importlib.import_module("pymodbus.framer").FramerRTU(
        importlib.import_module("pymodbus.pdu").DecodePDU(False)
    )
    response = importlib.import_module("pymodbus.pdu.register_message").ReadHoldingRegistersResponse
    registers = list(struct.unpack(">12H", BODY))
    wire = framer.buildFrame(response(registers=registers, dev_id=1))

    def run() -> object:
        buffer, last = b"", None
        for _ in range(MESSAGES):
            buffer += wire
            used, last = framer.handleFrame(buffer, 1, 0)
            buffer = buffer[used:]
        assert last is not None
        assert last.registers == registers
        return last

    return run


def pyfirmata2() -> Run:
    """Firmata: twelve reports of an analog pin a message, by the board's own handler."""
    package = importlib.import_module("pyfirmata2")

    class Board(package.Board):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self.sp: Port | None = None
            self.samplerThread, self.name = None, "bench"
            self.setup_layout(package.BOARDS["arduino_mega"])
            for pin in self.analog:
                pin.reporting = True

        def exit(self) -> None:
            """There is nothing to leave."""

    board = Board()
    wire = b"".join(bytes((0xE0 | pin, 100 + pin, 3)) for pin in range(12))

    def run() -> object:
        board.sp = Port(wire * MESSAGES)
        iterate = board.iterate
        for _ in range(12 * MESSAGES):
            iterate()
        assert board.analog[11].value == round((3 << 7 | 111) / 1023, 4)
        return board

    return run


def telemetrix() -> Run:
    """One I2C report of 24 bytes a message, received and reported by its own two loops, unpacked by struct."""
    package = importlib.import_module("telemetrix.telemetrix")
    report = importlib.import_module("telemetrix.private_constants").PrivateConstants.I2C_READ_REPORT
    client = object.__new__(package.Telemetrix)
    client.ip_address, client.sleep_tune, client.shutdown_on_exception = None, 0.0, False
    client.run_event, client.the_deque = threading.Event(), collections.deque()
    client.report_dispatch = {report: client._i2c_read_report}
    client.run_event.set()
    message = bytes((report, 0, len(BODY), 0x50, 0)) + BODY
    wire = bytes((len(message),)) + message

    def run() -> object:
        told: list[tuple[int, ...]] = []

        def heard(data: list[Any]) -> None:
            told.append(PAYLOAD.unpack(bytes(data[5:-1])))
            client.shutdown_flag = len(told) == MESSAGES

        client.i2c_callback = heard
        client.serial_port = Port(wire * MESSAGES)
        client.serial_port.at_end = lambda: setattr(client, "shutdown_flag", True)
        client.shutdown_flag = False
        client._serial_receiver()
        client.shutdown_flag = False
        client._reporter()
        assert told[-1] == VALUES
        return told

    return run


def python_can() -> Run:
    """The serial interface: three frames of eight bytes a message, unpacked by struct."""
    bus = importlib.import_module("can.interfaces.serial.serial_can").SerialBus("loop://")
    bus._ser.close()
    sent: list[bytes] = []

    class Sink:
        write = staticmethod(sent.append)

    bus._ser = Sink()
    message = importlib.import_module("can").Message
    for number in range(3):
        bus.send(message(arbitration_id=0x100 + number, is_extended_id=False, data=BODY[8 * number : 8 * number + 8]))
    wire = b"".join(sent)

    def run() -> object:
        bus._ser = Port(wire * MESSAGES)
        values: tuple[int, ...] = ()
        for _ in range(MESSAGES):
            values = PAYLOAD.unpack(bus.recv(0).data + bus.recv(0).data + bus.recv(0).data)
        assert values == VALUES
        return values

    return run


def moteus() -> Run:
    """A reply of 24 bytes a message in the text form of its USB adapter, by its own reader, to its own values."""
    device_module = importlib.import_module("moteus.fdcanusb_device")
    protocol = importlib.import_module("moteus.protocol")
    reply = (
        b"\x24\x08\x00" + struct.pack("<8h", 10, -1234, -1230, -200, 43, 1, 2, 3) + b"\x23\x0d" + bytes((120, 30, 0))
    )
    assert len(reply) == 24
    line = b"rcv 8001 " + reply.hex().upper().encode() + b" E B F\r\n"
    device = object.__new__(device_module.FdcanusbDevice)
    device._stream_data, device._debug_log, device._checksum_active, device._max_line_length = b"", None, False, 512
    device._subscriptions, device._receive_queue, device._receive_waiters, device._max_buffer_size = {}, [], [], 1000

    class Arriving:
        async def read(self, _size: int, *, block: bool = True) -> bytes:
            return line

    device._serial = Arriving()

    def run() -> object:
        last = None
        for _ in range(MESSAGES):
            finish(device._process_one_line())
            last = protocol.parse_message(device._receive_queue.pop())
        assert last is not None
        assert len(last.values) == 11
        return last

    return run


def finish(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine that never has to wait."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waited")


PEERS: Final[dict[str, tuple[str, Callable[[], Run]]]] = {
    "pymodbus RTU": ("pymodbus", pymodbus),
    "pyfirmata2": ("pyfirmata2", pyfirmata2),
    "telemetrix": ("telemetrix", telemetrix),
    "python-can": ("python-can", python_can),
    "moteus": ("moteus", moteus),
}


def main() -> int:
    """Say who is here, then measure whoever is named, a line each, until there are no more lines."""
    runs: dict[str, Run] = {}
    told: dict[str, dict[str, str]] = {"here": {}, "missing": {}}
    asyncio.set_event_loop(asyncio.new_event_loop())
    for name, (package, make) in PEERS.items():
        try:
            runs[name] = make()
            runs[name]()
            told["here"][name] = importlib.metadata.version(package)
        except Exception as error:  # noqa: BLE001 whatever a peer's release does, the others are measured
            told["missing"][name] = f"{type(error).__name__}: {error}"
    print(json.dumps(told), flush=True)
    gc.collect()
    gc.disable()
    for asked in sys.stdin:
        started = time.process_time_ns()
        runs[asked.strip()]()
        print((time.process_time_ns() - started) / MESSAGES / 1000, flush=True)
        gc.collect()
    return 0


if __name__ == "__main__":
    sys.exit(main())
