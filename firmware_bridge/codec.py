"""What the table says over the serial link, without any input or output: bytes in, frozen events out.

`HostCodec.feed` takes any split of the stream and returns what whole, valid, new frames say; the others are counted
by reason in `HostCodec.rejected`. docs/protocol.md is the page that both sides keep. Nothing here knows a port or a
clock: the time at which bytes came is handed in, in whole milliseconds of one monotonic clock. What the host sends is
made in `firmware_bridge.frames`.
"""

import struct
import zlib
from functools import lru_cache
from typing import Final

import msgspec
from cobs import cobs

from firmware_bridge import protocol
from firmware_bridge.protocol import hazard_codes
from safety.signals import Contacts, Demand, Guard, GuardState, Host, Readings

# The two clocks may drift apart by a percent: a ceramic resonator is good for half of that, the host for far less.
DRIFT_PERCENT: Final = 1
# After a second's silence no more is allowed for; then a handshake tells the age of a sample.
DRIFTS_FOR_MS: Final = 1000
# A sample that comes this much earlier than it can have been taken is of another time.
EARLY_MS: Final = 1000

# Telemetry; buttons, switches, outputs and what the guard says in one piece, because they seldom change.
_TELEMETRY: Final = struct.Struct("<BHI2xhhhH21s4x")
_SELDOM: Final = struct.Struct("<HxBBBBBh5sIH")
_ANSWER: Final = protocol.LAYOUTS[protocol.ANSWER]
_REPLY: Final = protocol.LAYOUTS[protocol.HELLO_REPLY]
_VERSION_AT: Final = 3
_ECHO_AT, _REFUSED_AT = 7, 19
# Names that the path of every frame uses; an attribute of a module would be looked up anew each time.
_decode, _crc32, _unpack = cobs.decode, zlib.crc32, _TELEMETRY.unpack
_RESIDUE: Final = protocol.CRC_RESIDUE
_TOO_LONG: Final = protocol.LONGEST_ON_WIRE
# Between two zeros; COBS puts one byte before a frame as short as ours.
_PIECE_LONG: Final = protocol.LENGTHS[protocol.TELEMETRY] + 1
_TYPE: Final = protocol.TELEMETRY
# Moments are counted in hundredths of a millisecond, so that one percent of a millisecond is a whole one.
_OLDEST: Final = 100 * protocol.FRESH_MS
_CREEP: Final = 100 + DRIFT_PERCENT
_MOST_CREEP: Final = DRIFT_PERCENT * DRIFTS_FOR_MS
_TOO_EARLY: Final = -100 * EARLY_MS
_CLOCK_ROUND: Final = 2**32
_NEWEST_AHEAD: Final = protocol.NEWEST_AHEAD
_NO_ANGLE: Final = protocol.NO_ANGLE
_NO_CURRENT: Final = protocol.NO_CURRENT

STATES: Final = (
    GuardState.IDLE,
    GuardState.ARMED,
    GuardState.STOP,
    GuardState.RETURN,
    GuardState.HOLD,
    GuardState.CUT,
)
_DEMANDS: Final = tuple(Demand)
_CAUSES: Final = protocol.LAST_HAZARD + 1
_REQUESTS: Final = (protocol.ARM, protocol.DISARM, protocol.CONFIGURE)
_EITHER: Final = (Contacts.CLOSED, Contacts.OPEN, Contacts.DISCREPANT)
# What a byte of contacts (left, right, e-stop), of switches and of outputs (brake set, drive power) means, made once;
# a byte that is not here is not of this version.
CONTACTS: Final = {
    left | right << 2 | estop << 4: (_EITHER[left], _EITHER[right], _EITHER[estop])
    for left in range(3)
    for right in range(3)
    for estop in range(3)
}
SWITCHES: Final = {
    byte: (
        bool(byte & protocol.PATIENT_OPEN),
        bool(byte & protocol.LEVEL_BELOW),
        bool(byte & protocol.END_DOWN),
        bool(byte & protocol.END_UP),
        bool(byte & protocol.MAINS),
        bool(byte & protocol.BATTERY_GOOD),
        bool(byte & protocol.DRIVE_FAULT),
    )
    for byte in range(0x80)
}
OUTPUTS: Final = {
    byte: (not byte & protocol.BRAKE_RELEASED, bool(byte & protocol.DRIVE_POWER))
    for byte in range(0x40)
    if byte >> protocol.TONE_SHIFT & 3 < protocol.TONES
}

# Left, right, e-stop; buttons; patient, below, end down, end up, mains, battery, drive fault; brake set, drive power;
# the guard.
Seldom = tuple[Contacts, Contacts, Contacts, int, bool, bool, bool, bool, bool, bool, bool, bool, bool, Guard]

_codes_of = lru_cache(maxsize=256)(hazard_codes)


class HelloReply(msgspec.Struct, frozen=True, gc=False):
    """What the table says of itself; of another protocol version only `version` is known.

    `config_hash` names the constants that it holds, 0 for none. `hard_limits` are in the order of
    `protocol.HARD_LIMITS`. `clock_ms` is its sample clock, which begins at 0 when it boots.
    """

    version: int
    firmware: tuple[int, int, int] = (0, 0, 0)
    reset_cause: int = 0
    boot_count: int = 0
    clock_ms: int = 0
    config_hash: int = 0
    hard_limits: tuple[int, ...] = ()


class Answer(msgspec.Struct, frozen=True, gc=False):
    """The answer to the request with this type and sequence number; `refused` names every hazard against it."""

    request: int
    sequence: int
    accepted: bool
    refused: tuple[str, ...]
    config_hash: int
    session_id: int


Event = Readings | HelloReply | Answer
_NO_HOST: Final = Host()


class HostCodec:
    """One host's side of one link.

    Attributes:
        rejected: how many frames were not taken, by reason (`protocol.REASONS`).
        open: whether a handshake of our version succeeded; before, telemetry is not taken.
    """

    def __init__(self) -> None:
        """Begin with a closed link: nothing is taken before a handshake."""
        self.rejected: dict[str, int] = dict.fromkeys(protocol.REASONS, 0)
        self.open = False
        self._newest = bytes(_PIECE_LONG)
        self._rest = b""
        self._long = 0  # of telemetry between two zeros, while the link is open
        self._nonce: int | None = None
        self._count = 0  # the newest sequence number taken, not going round; its low 16 bits are the wire's
        self._clock_ms = 0  # the table's, in the newest frame
        self._due = 0  # ours, in hundredths, when that sample would have come had it been no time on the way
        self._blob = b""
        self._learned: Seldom = (*CONTACTS[0], 0, *SWITCHES[0], *OUTPUTS[0], Guard(GuardState.ABSENT))
        self._refused: tuple[str, ...] = ()

    @property
    def echo(self) -> int:
        """The number of the last COMMAND that the table took, as the newest telemetry says."""
        return int.from_bytes(self._newest[_ECHO_AT : _ECHO_AT + 2], "little")

    @property
    def refused_by_table(self) -> int:
        """How many of our frames the table has not taken, modulo 256, as the newest telemetry says."""
        return self._newest[_REFUSED_AT]

    def expect(self, nonce: int) -> None:
        """A HELLO with this nonce goes out now; only a reply that repeats it opens the link, and only once."""
        self._nonce = nonce

    def refuse(self, codes: tuple[str, ...]) -> None:
        """From now on let the guard's report say that these codes spoke against the last request; none: forget it."""
        self._refused = codes
        self._blob = b""

    def close(self) -> None:
        """Take no telemetry before the next handshake, and forget the piece of a frame that came."""
        self.open = False
        self._long = 0
        self._nonce = None
        self._rest = b""

    def feed(self, data: bytes, now_ms: int, elapsed_ms: int = 0, host: Host = _NO_HOST) -> list[Event]:
        """Take what came at `now_ms`, and return what its whole, valid, new frames say, oldest first.

        A telemetry frame becomes `Readings`, with `elapsed_ms` and `host` as handed in; its age is that of the sample.
        """
        pieces = (self._rest + data if self._rest else data).split(b"\0")
        rest = pieces.pop()
        # Whatever has grown longer than a frame is none; one byte too many is enough to know it by.
        self._rest = rest[:_TOO_LONG] if rest else rest
        events: list[Event] = []
        for piece in pieces:
            # This is the path of every frame, a hundred times a second: kept in one piece, names local, lookups few.
            if len(piece) != self._long:
                self._take_piece(piece, now_ms, events)
                continue
            try:
                frame = _decode(piece)
            except cobs.DecodeError:
                self._reject("cobs")
                continue
            if _crc32(frame) != _RESIDUE:
                self._reject("crc")
                continue
            kind, sequence, clock_ms, a_cdeg, b_cdeg, applied_cdeg_s, current_ma, blob = _unpack(frame)
            if kind != _TYPE:
                self._take_other(frame, now_ms, events)
                continue
            count = self._count
            ahead = (sequence - count) & 0xFFFF
            if not 0 < ahead <= _NEWEST_AHEAD:
                self._reject("sequence")
                continue
            if blob != self._blob and not self._learn(blob):
                self._reject("value")
                continue
            passed_ms = clock_ms - self._clock_ms
            if passed_ms < 0:
                passed_ms += _CLOCK_ROUND
            due = self._due + (passed_ms * _CREEP if passed_ms < DRIFTS_FOR_MS else passed_ms * 100 + _MOST_CREEP)
            now = now_ms * 100
            late = now - due
            if late <= 0:
                if late < _TOO_EARLY:
                    self._reject("stale")
                    continue
                due = now
                age_ms = 0
            elif late <= _OLDEST:
                age_ms = late // 100
            else:
                self._reject("stale")
                continue
            self._due = due
            self._clock_ms = clock_ms
            self._count = count = count + ahead
            self._newest = frame
            left, right, estop, buttons, patient, below, down, up, mains, battery, fault, brake_set, power, guard = (
                self._learned
            )
            events.append(
                Readings(
                    elapsed_ms,
                    count,
                    age_ms,
                    age_ms,
                    None if a_cdeg == _NO_ANGLE else a_cdeg,
                    None if b_cdeg == _NO_ANGLE else b_cdeg,
                    applied_cdeg_s,
                    left,
                    right,
                    estop,
                    buttons,
                    patient,
                    below,
                    down,
                    up,
                    mains,
                    battery,
                    None if current_ma == _NO_CURRENT else current_ma,
                    fault,
                    brake_set,
                    power,
                    guard,
                    host,
                )
            )
        return events

    def _learn(self, blob: bytes) -> bool:
        """Take in what seldom changes; false, and nothing changed, where it is not of this version."""
        buttons, switches, contacts, outputs, state_demand, *guards = _SELDOM.unpack(blob)
        first, value, causes, session_id, inverted_s = guards
        state, demand = state_demand & 0x0F, state_demand >> 4
        if not (switches in SWITCHES and contacts in CONTACTS and outputs in OUTPUTS):
            return False
        if not (state < len(STATES) and demand < len(_DEMANDS) and buttons <= protocol.ALL_BUTTONS):
            return False
        bits = int.from_bytes(causes, "little")
        if bits >> _CAUSES or not (first <= protocol.LAST_HAZARD or first == protocol.PERSON):
            return False
        codes = _codes_of(bits, first)
        guard = Guard(STATES[state], _DEMANDS[demand], codes, session_id, self._refused, value, inverted_s)
        self._learned = (*CONTACTS[contacts], buttons, *SWITCHES[switches], *OUTPUTS[outputs], guard)
        self._blob = blob
        return True

    def _take_piece(self, piece: bytes, now_ms: int, events: list[Event]) -> None:
        """Take what stood between two zeros and is not as long as telemetry."""
        if not piece:
            return
        if len(piece) >= _TOO_LONG:
            self._reject("length")
            return
        try:
            frame = _decode(piece)
        except cobs.DecodeError:
            self._reject("cobs")
            return
        if len(frame) < protocol.OVERHEAD:
            self._reject("length")
        elif _crc32(frame) != _RESIDUE:
            self._reject("crc")
        else:
            self._take_other(frame, now_ms, events)

    def _take_other(self, frame: bytes, now_ms: int, events: list[Event]) -> None:
        """Take a whole frame that is no telemetry, or comes too early: there are few of them."""
        kind, length = frame[0], len(frame)
        if kind not in (protocol.HELLO_REPLY, protocol.TELEMETRY, protocol.ANSWER):
            self._reject("type")
        elif kind == protocol.HELLO_REPLY and length > protocol.OVERHEAD:
            self._take_reply(frame, now_ms, events)
        elif length != protocol.LENGTHS[kind]:
            self._reject("length")
        elif not self.open:
            self._reject("version")
        else:
            self._take_answer(frame, events)

    def _take_answer(self, frame: bytes, events: list[Event]) -> None:
        _, sequence, request, asked, accepted, refusals, config_hash, session_id = _ANSWER.unpack_from(frame)
        ahead = (sequence - self._count) & 0xFFFF
        if not 0 < ahead <= _NEWEST_AHEAD:
            self._reject("sequence")
        elif accepted > 1 or request not in _REQUESTS or (bits := int.from_bytes(refusals, "little")) >> _CAUSES:
            self._reject("value")
        else:
            self._count += ahead
            refused = hazard_codes(bits)
            events.append(Answer(request, asked, bool(accepted), refused, config_hash, session_id))

    def _take_reply(self, frame: bytes, now_ms: int, events: list[Event]) -> None:
        """Take a handshake's answer; it begins sequence numbers and the comparison of clocks anew."""
        version = frame[_VERSION_AT]
        if version != protocol.VERSION:
            self._reject("version")
            # Another version's reply may be built otherwise; it is told at most once for each HELLO.
            if self._nonce is not None:
                events.append(HelloReply(version))
                self._nonce = None
            return
        if len(frame) != protocol.LENGTHS[protocol.HELLO_REPLY]:
            self._reject("length")
            return
        _, sequence, _, firmware, cause, boot_count, clock_ms, nonce, config_hash, *limits = _REPLY.unpack_from(frame)
        if nonce != self._nonce:
            self._reject("sequence")
            return
        self._nonce = None
        self.open = True
        self._long = _PIECE_LONG
        self._count += (sequence - self._count) & 0xFFFF
        self._clock_ms = clock_ms
        self._due = now_ms * 100
        self._blob = b""
        major, minor, patch = firmware
        reply = HelloReply(version, (major, minor, patch), cause, boot_count, clock_ms, config_hash, tuple(limits))
        events.append(reply)

    def _reject(self, reason: str) -> None:
        self.rejected[reason] += 1
