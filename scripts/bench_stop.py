"""Measure the time from an e-stop's frame to the stop frame, over a line to a table in another process.

The host is the real serial bridge, codec and judge. Run by bench_link.py, which takes a table's frames from here.
"""

import gc
import os
import random
import select
import socket
import statistics
import struct
import subprocess
import sys
import time
import tty
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Final

from cobs import cobs

from config.limits import Limits
from firmware_bridge import protocol
from firmware_bridge.ports import SerialPort, connect
from firmware_bridge.protocol import TableConstants
from firmware_bridge.serial_bridge import SerialBridge
from safety.judge import step
from safety.judged import INITIAL
from safety.signals import DEMAND_STOP, Contacts, Host, Signals, Wish

TRIALS: Final = 250
CONSTANTS: Final = TableConstants.of(Limits(), brake_on_motor_side=True)
Row = tuple[str, str, str]


def on_wire(frame: bytes) -> bytes:
    """Return a frame as it goes over the wire."""
    return bytes(cobs.encode(frame + zlib.crc32(frame).to_bytes(4, "little"))) + b"\0"


def telemetry(sequence: int, clock_ms: int, angle_cdeg: int = 0, *, estop: int = 0, echo: int = 0) -> bytes:
    """Return telemetry of an unarmed table that is well, but for the e-stop's contacts."""
    return on_wire(
        protocol.LAYOUTS[protocol.TELEMETRY].pack(
            protocol.TELEMETRY, sequence & 0xFFFF, clock_ms, echo, angle_cdeg, angle_cdeg + 4, 0, 0, 0, 0,
            protocol.MAINS | protocol.BATTERY_GOOD, estop << protocol.ESTOP_SHIFT, 0, 0, 0, 0, bytes(5), 0, 0,
        )
    )  # fmt: skip


def reply(sequence: int, clock_ms: int, nonce: int) -> bytes:
    """Return the answer to a handshake of a table that holds our constants."""
    return on_wire(
        protocol.LAYOUTS[protocol.HELLO_REPLY].pack(
            protocol.HELLO_REPLY, sequence & 0xFFFF, protocol.VERSION, bytes(3), 1, 1, clock_ms, nonce, CONSTANTS.hash,
            *(value for _, value in protocol.HARD_LIMITS),
        )
    )  # fmt: skip


class Monotonic:
    """This machine's monotonic clock."""

    def now_ms(self) -> int:
        """Return milliseconds."""
        return time.monotonic_ns() // 1_000_000


def host(kind: str, where: str, when: str) -> int:
    """Be the control loop at the other end of a line: read, judge, write, until the line is gone."""
    clock = Monotonic()
    opener: Callable[[str], SerialPort] = connect
    if kind == "socketpair":
        stream = socket.socket(fileno=int(where))
        stream.setblocking(False)
        opener = lambda _: SerialPort("a socketpair", stream)  # noqa: E731
    bridge = SerialBridge.open(where, CONSTANTS, clock, connect=opener)
    wish, limits, us, quiet = Wish(), Limits(), Host(True, True, True, 0), Signals()
    judged = INITIAL
    gc.collect()
    gc.freeze()
    due_ms = clock.now_ms()
    while bridge.trouble is None:
        due_ms += 10
        if when == "on a tick":
            # As control loops do that look at their ports when their time has come.
            time.sleep(max(0, due_ms - clock.now_ms()) / 1000)
            readings = bridge.read(clock.now_ms(), us)
        else:
            readings = bridge.read(clock.now_ms() + 10, us)
        judged, decision = step(judged, readings, wish, limits)
        bridge.write(decision.command, quiet)
        if decision.demand >= DEMAND_STOP and readings.estop is Contacts.CLOSED:
            judged = INITIAL  # between two trials the judge begins anew
    return 0


class Table:
    """The table's end of a line, with nothing behind it: it shakes hands, tells of an e-stop and waits for the stop."""

    def __init__(self, end: int) -> None:
        self._end = end
        self._sequence = 0
        self._rest = b""
        self._started_ns = time.monotonic_ns()

    def tell(self, *, estop: int = 0) -> None:
        """Send telemetry."""
        self._sequence += 1
        self._send(telemetry(self._sequence, self._clock_ms(), estop=estop))

    def _clock_ms(self) -> int:
        # As a board that has run for a minute when its port is opened.
        return 60_000 + (time.monotonic_ns() - self._started_ns) // 1_000_000

    def _send(self, data: bytes) -> None:
        with suppress(BlockingIOError):
            os.write(self._end, data)

    def demands(self, until_ns: int) -> Iterator[int]:
        """Yield the demand of each COMMAND that comes before a moment; shake hands whenever that is asked."""
        while (left_ns := until_ns - time.monotonic_ns()) > 0:
            if not select.select([self._end], [], [], left_ns / 1e9)[0]:
                return
            *pieces, self._rest = (self._rest + os.read(self._end, 4096)).split(b"\0")
            for piece in filter(None, pieces):
                frame = cobs.decode(piece)
                if frame[0] == protocol.HELLO:
                    self._sequence += 1
                    self._send(reply(self._sequence, self._clock_ms(), struct.unpack_from("<I", frame, 4)[0]))
                elif frame[0] == protocol.COMMAND:
                    yield frame[11]

    def calm(self, ms: float) -> None:
        """Let time pass as an ordinary table does, telemetry every 10 ms, then a moment more at random."""
        until_ns = time.monotonic_ns() + int(ms * 1e6)
        while (now_ns := time.monotonic_ns()) < until_ns:
            self.tell()
            for _ in self.demands(min(now_ns + 10_000_000, until_ns)):
                pass

    def trial(self, chance: random.Random) -> float | None:
        """Open the e-stop at any moment between two frames; return milliseconds until the stop is here."""
        self.calm(20)
        self.tell()
        for _ in self.demands(time.monotonic_ns() + chance.randrange(10_000_000)):
            pass
        started_ns = time.monotonic_ns()
        self.tell(estop=1)
        for demand in self.demands(started_ns + 100_000_000):
            if demand >= DEMAND_STOP:
                return (time.monotonic_ns() - started_ns) / 1e6
        return None


def reaction(kind: str, when: str) -> list[float] | str:
    """Return the milliseconds of every trial over one kind of line, or why there are none."""
    chance = random.Random(1)
    with ExitStack() as stack:
        if kind == "pty":
            end, far = os.openpty()
            tty.setraw(far)
            stack.callback(os.close, far)
            where, passed = os.ttyname(far), []
        else:
            ours, theirs = socket.socketpair()
            end, where, passed = ours.detach(), str(theirs.fileno()), [theirs.fileno()]
            stack.callback(theirs.close)
        stack.callback(os.close, end)
        os.set_blocking(end, False)
        child = subprocess.Popen(
            [sys.executable, __file__, kind, where, when], pass_fds=passed, stderr=subprocess.PIPE, text=True
        )
        assert child.stderr
        stack.callback(child.stderr.close)
        stack.callback(child.wait)
        stack.callback(child.kill)
        table = Table(end)
        for _ in range(100):
            table.calm(100)
            if child.poll() is not None:
                return last_line(child.stderr.read())
            if any(True for _ in table.demands(time.monotonic_ns() + 1_000_000)):
                break
        table.calm(300)
        times = [table.trial(chance) for _ in range(TRIALS)]
    answered = [took for took in times if took is not None]
    if len(answered) < TRIALS * 0.9:
        return f"{TRIALS - len(answered)} of {TRIALS} e-stops were not answered within 100 ms"
    return answered


def reaction_rows() -> tuple[list[Row], list[str]]:
    """Measure the way from a frame to a stop, over both kinds of line and at both moments of judging."""
    rows, notes = [], []
    for kind in ("pty", "socketpair"):
        for when in ("on arrival", "on a tick"):
            measured = reaction(kind, when)
            if isinstance(measured, str):
                notes.append(f"frame → stop over a {kind}, {when}: not measured, {measured}")
                continue
            p50, p99 = statistics.median(measured), statistics.quantiles(measured, n=100)[98]
            goal = "p50 ≤ 0.35 ms" if when == "on arrival" else "(what judging on arrival saves)"
            rows.append(
                (f"e-stop frame → stop frame over a {kind}, {when}", f"{p50:.2f} ms", f"p99 {p99:.2f} ms; {goal}")
            )
    return rows, notes


def last_line(text: str) -> str:
    """Return the last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no word why")


if __name__ == "__main__":
    sys.exit(host(*sys.argv[1:4]))
