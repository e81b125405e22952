"""The frames that the host sends over the serial link; what comes back is read by `firmware_bridge.codec`."""

import struct
import zlib
from functools import lru_cache
from typing import Final

from cobs import cobs

from firmware_bridge import protocol
from firmware_bridge.protocol import TableConstants, hazard_number
from safety.signals import ALL_LAMPS, Arm, Command, Signals

_pack_command: Final = protocol.LAYOUTS[protocol.COMMAND].pack
_number_of = lru_cache(maxsize=256)(hazard_number)
_STEP_HZ: Final = protocol.BUZZER_STEP_HZ


class HostFrames:
    """Makes the host's frames and numbers them.

    `echo` is everywhere the sequence number of the newest telemetry that the sender has taken: the table takes
    nothing that echoes telemetry older than `protocol.FRESH_MS`.
    """

    def __init__(self, sequence: int = 0) -> None:
        """Begin to count at `sequence`; any number will do."""
        self._next = sequence & 0xFFFF

    @property
    def sequence(self) -> int:
        """The number of the frame that was made last."""
        return (self._next - 1) & 0xFFFF

    def hello(self, nonce: int) -> bytes:
        """Return a HELLO; `nonce` has 32 bits and was never used before."""
        return _made(protocol.LAYOUTS[protocol.HELLO].pack(protocol.HELLO, self._number(), protocol.VERSION, nonce))

    def command(self, command: Command, signals: Signals) -> bytes:
        """Return a COMMAND with the velocity, demand and marks of `command`, and the panel's lamps and sounds.

        Raises:
            ValueError: a lamp or a pitch that the protocol does not know.
        """
        if signals.lamps & ~ALL_LAMPS or (signals.buzzer_hz and not _is_pitch(signals.buzzer_hz)):
            raise ValueError(_not_of_a_panel(signals))
        flags = (
            protocol.PLAN_RETURN * command.plan_return
            | protocol.PRESENCE_FRESH * command.presence_fresh
            | protocol.TONE * signals.tone
            | signals.alarm << protocol.ALARM_SHIFT
        )
        return _made(
            _pack_command(
                protocol.COMMAND,
                self._number(),
                command.echo & 0xFFFF,
                command.session_id,
                command.velocity_cdeg_s,
                command.demand,
                _number_of(command.stop_cause),
                flags,
                signals.lamps,
                signals.buzzer_hz // _STEP_HZ,
            )
        )

    def arm(self, arm: Arm, config_hash: int, echo: int) -> bytes:
        """Return an ARM that names the table's constants by their hash.

        Raises:
            ValueError: a figure is greater than the frame can carry.
        """
        flags = protocol.STRAP_WAIT * arm.strap_wait | protocol.HELD_TILT * arm.held_tilt
        return self._request(
            protocol.ARM,
            echo,
            arm.session_id,
            config_hash,
            arm.cap_cdeg,
            arm.set_limit_s,
            -(-arm.travel_limit_ms // 1000),
            arm.used_today_s + arm.hold_s * arm.sets,
            arm.speed_cdeg_s,
            arm.sets,
            flags,
        )

    def disarm(self, session_id: int, echo: int) -> bytes:
        """Return a DISARM of this session."""
        return self._request(protocol.DISARM, echo, session_id)

    def configure(self, constants: TableConstants, echo: int) -> bytes:
        """Return a CONFIGURE with one table's constants.

        Raises:
            ValueError: a constant is greater than the frame can carry.
        """
        packed = constants.packed()
        head = protocol.REQUEST.pack(protocol.CONFIGURE, self._number(), echo & 0xFFFF, constants.hash)
        return _made(head + packed)

    def _request(self, kind: int, echo: int, *fields: int) -> bytes:
        try:
            return _made(protocol.LAYOUTS[kind].pack(kind, self._number(), echo & 0xFFFF, *fields))
        except struct.error as error:
            raise ValueError(f"a figure of this request does not fit its frame: {error}") from error

    def _number(self) -> int:
        sequence = self._next
        self._next = (sequence + 1) & 0xFFFF
        return sequence


def _made(frame: bytes) -> bytes:
    """Return a frame as it goes over the wire: with its check sum, free of zeros but the one at its end."""
    return bytes(cobs.encode(frame + zlib.crc32(frame).to_bytes(4, "little"))) + b"\0"


def _is_pitch(buzzer_hz: int) -> bool:
    return protocol.LOWEST_BUZZER_HZ <= buzzer_hz <= protocol.HIGHEST_BUZZER_HZ and buzzer_hz % _STEP_HZ == 0


def _not_of_a_panel(signals: Signals) -> str:
    """Return what of these signals no COMMAND can carry."""
    if signals.lamps & ~ALL_LAMPS:
        return f"lamps are {signals.lamps:#x}, and {ALL_LAMPS:#x} are all that a panel has"
    lowest, highest = protocol.LOWEST_BUZZER_HZ, protocol.HIGHEST_BUZZER_HZ
    return f"buzzer_hz is {signals.buzzer_hz}: 0, or {lowest} to {highest} in steps of {_STEP_HZ}"
