"""A serial client of another make, written from docs/protocol.md alone: it imports nothing of this project.

Sans-I/O: `take` is given the bytes that came, and the time in milliseconds; it returns the bytes to send.
It shakes hands, hands the table its constants, arms one session, tilts to a target, holds, returns, and disarms.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

HELLO, COMMAND, ARM, DISARM, CONFIGURE = 0x01, 0x02, 0x03, 0x04, 0x05
HELLO_REPLY, TELEMETRY, ANSWER = 0x81, 0x82, 0x83
BODY_LENGTHS = {HELLO_REPLY: 43, TELEMETRY: 35, ANSWER: 17}
VERSION = 2
PLAN_RETURN, PRESENCE_FRESH = 1, 2
ARMED_LAMP, RETURN_LAMP, SILENT = 0x0008, 0x0040, 0
HELLO_EVERY_MS, ASK_EVERY_MS, ASK_FOR_MS, CONFIGURE_EVERY_MS, SILENCE_MS = 100, 50, 1000, 1000, 150

# This table's data sheet: 12 A for 41.7 s from cold (6000 A²s), of which 40 % are kept for a return; 5 A for ever.
CONSTANTS = struct.pack(
    "<IIIhhhHHhhhhhhHHHB",
    *(73_242_187, 43_945_312, 24_414),
    *(-6000, 7500, 30),
    *(12_000, 150),
    *(200, 100, 90, 150, 50),
    60,
    *(150, 1000, 60),
    3,
)
CONFIG_HASH = zlib.crc32(CONSTANTS) or 1


def stuffed(data: bytes) -> bytes:
    """COBS for frames that are too short to have a block of 254 bytes: a count in the place of each zero."""
    return b"".join(bytes([len(piece) + 1]) + piece for piece in data.split(b"\0"))


def unstuffed(data: bytes) -> bytes | None:
    """Undo it; None where the blocks do not end where the data does."""
    out, at = b"", 0
    while at < len(data):
        length = data[at]
        if length == 0 or at + length > len(data):
            return None
        out += data[at + 1 : at + length]
        at += length
        if at < len(data):
            out += b"\0"
    return out


@dataclass
class Telemetry:
    """What the table said last."""

    sequence: int
    clock_ms: int
    echo: int
    angle_cdeg: int
    applied_cdeg_s: int
    outputs: int
    state: int
    causes: int
    session_id: int


@dataclass
class Client:
    """One session: down to `target_cdeg`, `hold_ms` there, and back.

    `done` once DISARM was accepted; `refused` are the hazards that the last refusal named; `step` is where it stands.
    """

    target_cdeg: int
    hold_ms: int
    session_id: int = 0x51DE
    step: str = "greeting"
    refused: list[int] = field(default_factory=list)
    hard_limits: tuple[int, ...] = ()
    told: Telemetry | None = None
    _rest: bytes = b""
    _sequence: int = 1000
    _newest: int | None = None
    _nonce: int = 0
    _greeted_ms: int = -HELLO_EVERY_MS
    _heard_ms: int = 0
    _asked_ms: int = -ASK_EVERY_MS
    _asking_ms: int = 0
    _asked: set[int] = field(default_factory=set)
    _config_hash: int = 0
    _reached_ms: int | None = None

    @property
    def done(self) -> bool:
        """Whether the session was disarmed."""
        return self.step == "done"

    def take(self, data: bytes, now_ms: int) -> bytes:
        """Take what came; return what is to be sent."""
        fresh = False
        for frame in self._frames(data):
            kind, sequence = struct.unpack_from("<BH", frame)
            body = frame[3:-4]
            if kind == HELLO_REPLY:
                self._take_reply(sequence, body)
            elif self._newest is not None and 1 <= (sequence - self._newest) & 0xFFFF <= 32_767:
                self._newest = sequence
                if kind == TELEMETRY:
                    self._take_telemetry(sequence, body)
                    self._heard_ms, fresh = now_ms, True
                elif kind == ANSWER:
                    self._take_answer(body)
        if self.step == "greeting":
            return self._greet(now_ms)
        out = b""
        if fresh:
            out += self._command(now_ms)
        if now_ms - self._heard_ms <= SILENCE_MS:
            out += self._ask(now_ms)
        return out

    # Frames.

    def _frames(self, data: bytes) -> Iterator[bytes]:
        *pieces, self._rest = (self._rest + data).split(b"\0")
        for piece in pieces:
            frame = unstuffed(piece) if piece else None
            if frame is None or not 7 <= len(frame) <= 56 or zlib.crc32(frame) != 0x2144DF1C:
                continue
            if BODY_LENGTHS.get(frame[0]) == len(frame) - 7:
                yield frame

    def _frame(self, kind: int, body: bytes) -> bytes:
        self._sequence = (self._sequence + 1) & 0xFFFF
        frame = struct.pack("<BH", kind, self._sequence) + body
        return stuffed(frame + struct.pack("<I", zlib.crc32(frame))) + b"\0"

    # What comes.

    def _take_reply(self, sequence: int, body: bytes) -> None:
        version, _, _, _, _, nonce, config_hash, *hard_limits = struct.unpack("<B3sBHIII12h", body)
        if self.step != "greeting" or version != VERSION or nonce != self._nonce:
            return
        self._newest, self._config_hash, self.hard_limits = sequence, config_hash, tuple(hard_limits)
        self.step = "arming" if config_hash == CONFIG_HASH else "configuring"

    def _take_telemetry(self, sequence: int, body: bytes) -> None:
        clock_ms, echo, angle, _, applied, _, _, _, _, _, outputs, state, _, _ = struct.unpack_from(
            "<IHhhhHHBBBBBBh", body
        )
        causes = int.from_bytes(body[24:29], "little")
        session_id, _ = struct.unpack_from("<IH", body, 29)
        self.told = Telemetry(sequence, clock_ms, echo, angle, applied, outputs, state & 15, causes, session_id)

    def _take_answer(self, body: bytes) -> None:
        request, sequence, accepted, refusals, config_hash, session_id = struct.unpack("<BHB5sII", body)
        if sequence not in self._asked:
            return
        bits = int.from_bytes(refusals, "little")
        self.refused = [number for number in range(40) if bits >> number & 1]
        self._config_hash = config_hash
        if accepted and request == CONFIGURE and config_hash == CONFIG_HASH:
            self._next("arming")
        elif accepted and request == ARM and session_id == self.session_id:
            self._next("tilting")
        elif accepted and request == DISARM and session_id == 0:
            self._next("done")

    def _next(self, step: str) -> None:
        self.step = step
        self._asked.clear()
        self._reached_ms = None

    # What goes.

    def _greet(self, now_ms: int) -> bytes:
        if now_ms - self._greeted_ms < HELLO_EVERY_MS:
            return b""
        self._greeted_ms = now_ms
        self._nonce += 0x01010101
        return self._frame(HELLO, struct.pack("<BI", VERSION, self._nonce))

    def _command(self, now_ms: int) -> bytes:
        """One COMMAND for each telemetry frame; silence where there is none."""
        told = self.told
        assert told is not None
        velocity, flags = self._velocity(told, now_ms), PRESENCE_FRESH
        if self.step == "returning":
            flags |= PLAN_RETURN
        lamps = RETURN_LAMP if self.step == "returning" else ARMED_LAMP if told.session_id else 0
        body = struct.pack("<HIhBBBHB", told.sequence, told.session_id, velocity, 0, 0, flags, lamps, SILENT)
        return self._frame(COMMAND, body)

    def _velocity(self, told: Telemetry, now_ms: int) -> int:
        """The wish: fast far from where it is to end, slow near it."""
        if self.step == "tilting":
            left = told.angle_cdeg - self.target_cdeg
            if left > 20:
                return -200 if left > 500 else -50
            if told.applied_cdeg_s == 0:
                self._next("holding")
            return 0
        if self.step == "holding":
            self._reached_ms = now_ms if self._reached_ms is None else self._reached_ms
            if now_ms - self._reached_ms >= self.hold_ms:
                self._next("returning")
            return 0
        if self.step == "returning":
            if told.angle_cdeg < -70:
                return 200 if told.angle_cdeg < -500 else 50
            if told.applied_cdeg_s == 0:
                self._next("disarming")
        return 0

    def _ask(self, now_ms: int) -> bytes:
        """Ask for what this step needs, every 50 ms; CONFIGURE anew every second where it was refused."""
        pause_ms = CONFIGURE_EVERY_MS if self.step == "configuring" and self.refused else ASK_EVERY_MS
        if self.step not in ("configuring", "arming", "disarming") or now_ms - self._asked_ms < pause_ms:
            return b""
        self._asked_ms = now_ms
        assert self.told is not None or self.step == "configuring"
        if self.told is None:
            return b""
        echo = struct.pack("<H", self.told.sequence)
        if self.step == "configuring":
            frame = self._frame(CONFIGURE, echo + struct.pack("<I", CONFIG_HASH) + CONSTANTS)
        elif self.step == "arming":
            planned = struct.pack("<IIhHHHhBB", self.session_id, CONFIG_HASH, self.target_cdeg, 60, 30, 10, 200, 1, 2)
            frame = self._frame(ARM, echo + planned)
        else:
            frame = self._frame(DISARM, echo + struct.pack("<I", self.session_id))
        self._asked.add(self._sequence)
        return frame
