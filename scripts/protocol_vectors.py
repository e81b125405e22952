"""Writes docs/protocol-vectors.json: every kind of frame with its fields and bytes, and bad frames with their reasons.

The frames are packed here from the layouts alone, by neither side's code, so that both sides can be held against them.

    python scripts/protocol_vectors.py          write the file
    python scripts/protocol_vectors.py --check  say whether it is what would be written; exit 1 if not
"""

import argparse
import json
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cobs import cobs

from config.limits import Limits
from firmware_bridge import protocol
from firmware_bridge.protocol import TableConstants

VECTORS: Final = Path(__file__).resolve().parent.parent / "docs" / "protocol-vectors.json"
Fields = dict[str, int | list[int]]

NAMES: Final = {
    "HELLO": (protocol.HELLO, ("version", "nonce")),
    "COMMAND": (
        protocol.COMMAND,
        ("echo", "session_id", "velocity_cdeg_s", "demand", "stop_cause", "flags", "lamps", "buzzer"),
    ),
    "ARM": (
        protocol.ARM,
        (
            "echo",
            "session_id",
            "config_hash",
            "cap_cdeg",
            "set_limit_s",
            "travel_limit_s",
            "hold_today_s",
            "speed_cdeg_s",
            "sets",
            "flags",
        ),
    ),
    "DISARM": (protocol.DISARM, ("echo", "session_id")),
    "CONFIGURE": (
        protocol.CONFIGURE,
        (
            "echo",
            "config_hash",
            "heat_budget",
            "heat_limit",
            "heat_leak",
            "cap_cdeg",
            "boarding_cdeg",
            "backlash_cdeg",
            "stall_ma",
            "idle_ma",
            "speed_cdeg_s",
            "degraded_cdeg_s",
            "slow_cdeg_s",
            "above_cdeg_s",
            "first_degree_cdeg_s",
            "deceleration_cdeg_s2",
            "lease_ms",
            "tone_ms",
            "brake_ms",
            "flags",
        ),
    ),
    "HELLO_REPLY": (
        protocol.HELLO_REPLY,
        ("version", "firmware", "reset_cause", "boot_count", "clock_ms", "nonce", "config_hash", "hard_limits"),
    ),
    "TELEMETRY": (
        protocol.TELEMETRY,
        (
            "clock_ms",
            "echo",
            "angle_a_cdeg",
            "angle_b_cdeg",
            "applied_cdeg_s",
            "current_ma",
            "buttons",
            "rejected",
            "switches",
            "contacts",
            "outputs",
            "state_demand",
            "first_cause",
            "first_value",
            "causes",
            "session_id",
            "inverted_s",
        ),
    ),
    "ANSWER": (
        protocol.ANSWER,
        ("request", "request_sequence", "accepted", "refusals", "config_hash", "session_id"),
    ),
}
CONSTANTS: Final = TableConstants.of(Limits(), brake_on_motor_side=True)


def packed(kind: str, sequence: int, fields: Fields) -> bytes:
    """Return a frame before COBS, its check sum included."""
    number, names = NAMES[kind]
    values: list[int | bytes] = []
    for name in names:
        value = fields[name]
        if name == "firmware":
            assert isinstance(value, list)
            values.append(bytes(value))
        elif isinstance(value, list):
            values += value
        elif name in ("causes", "refusals"):
            values.append(value.to_bytes(5, "little"))
        else:
            values.append(value)
    assert tuple(fields) == names
    frame = protocol.LAYOUTS[number].pack(number, sequence, *values)
    return frame + zlib.crc32(frame).to_bytes(4, "little")


def on_wire(frame: bytes) -> bytes:
    """Return a frame as it goes over the wire."""
    return bytes(cobs.encode(frame)) + b"\0"


def good() -> Iterator[tuple[str, str, int, Fields]]:
    """Yield name, kind, sequence number and fields of each frame."""
    yield "a handshake begins", "HELLO", 0, {"version": protocol.VERSION, "nonce": 0xDEADBEEF}
    for name, sequence, values in (
        ("zero velocity, nothing armed", 1, (0, 0, 0, 0, 0, 0, 0, 0)),
        (
            "deeper at 2°/s, presence fresh; lamps ARMED and TILT",
            0x1234,
            (0x00FF, 0xCAFE0001, -200, 0, 0, 0x02, 0x18, 0),
        ),
        ("the plan's way back, tone at 600 Hz, alarm low", 0xFFFF, (0xFFFF, 0xCAFE0001, 150, 0, 0, 0x15, 0x004C, 60)),
        ("a person's STOP, alarm low", 0, (256, 0xCAFE0001, 0, 2, 99, 0x10, 0x0004, 0)),
        (
            "return slowly because of H04, alarm high, every lamp, the highest pitch",
            0x0100,
            (0, 0xFFFFFFFF, 90, 3, 4, 0x34, 0x7FFF, 255),
        ),
    ):
        yield name, "COMMAND", sequence, dict(zip(NAMES["COMMAND"][1], values, strict=True))
    yield (
        "arm −20°, one set",
        "ARM",
        2,
        {
            "echo": 77,
            "session_id": 0x01020304,
            "config_hash": CONSTANTS.hash,
            "cap_cdeg": -2000,
            "set_limit_s": 190,
            "travel_limit_s": 41,
            "hold_today_s": 120,
            "speed_cdeg_s": 200,
            "sets": 1,
            "flags": protocol.HELD_TILT,
        },
    )
    yield "disarm", "DISARM", 3, {"echo": 78, "session_id": 0x01020304}
    constants = [getattr(CONSTANTS, name) for name in CONSTANTS.__struct_fields__[:-2]]
    flags = protocol.BATTERY | protocol.BRAKE_ON_MOTOR_SIDE
    configured = (79, CONSTANTS.hash, *constants, flags)
    yield "configure", "CONFIGURE", 4, dict(zip(NAMES["CONFIGURE"][1], configured, strict=True))
    yield (
        "the handshake's answer",
        "HELLO_REPLY",
        500,
        {
            "version": protocol.VERSION,
            "firmware": [1, 2, 3],
            "reset_cause": 1,
            "boot_count": 17,
            "clock_ms": 4_294_967_290,
            "nonce": 0xDEADBEEF,
            "config_hash": CONSTANTS.hash,
            "hard_limits": [value for _, value in protocol.HARD_LIMITS],
        },
    )
    for name, sequence, told in TELEMETRY:
        yield name, "TELEMETRY", sequence, dict(zip(NAMES["TELEMETRY"][1], told, strict=True))
    answer = NAMES["ANSWER"][1]
    yield "armed", "ANSWER", 504, dict(zip(answer, (3, 2, 1, 0, CONSTANTS.hash, 0x01020304), strict=True))
    refusals = 1 << 7 | 1 << 23 | 1 << 30 | 1 << 36
    yield "refused: H07, H23, H30, H36", "ANSWER", 505, dict(zip(answer, (3, 2, 0, refusals, 0, 0), strict=True))


TELEMETRY: Final = (
    ("boarding, straps open", 501, (0, 0, 2012, 2009, 0, 0, 0, 0, 0x30, 0x05, 0, 0x00, 0, 0, 0, 0, 0)),
    (
        "tilting at −12.34°, TILT held",
        502,
        (123_456, 0x1234, -1234, -1230, -200, 4321, 1, 3, 0x32, 0, 0x03, 0x01, 0, 0, 0, 0xCAFE0001, 9),
    ),
    (
        "a strap opens: the guard returns because of H04, H06 too; sensor B and the current are lost",
        0xFFFF,
        (
            4_294_967_295,
            0xFFFF,
            -3000,
            -0x8000,
            90,
            0xFFFF,
            0x1FF,
            255,
            0x7F,
            0x09,
            0x37,
            0x33,
            4,
            1,
            1 << 4 | 1 << 6,
            0xFFFFFFFF,
            601,
        ),
    ),
    (
        "a person's STOP, H36 besides; e-stop discrepant",
        0,
        (256, 0, -100, -100, 0, 0, 8, 0, 0x30, 0x20, 0, 0x22, 99, 0, 1 | 1 << 36, 1, 0),
    ),
)


def bad() -> Iterator[tuple[str, str, bytes, str]]:
    """Yield name, who is to refuse it, bytes and reason; each is refused on an open link where 10 was taken last."""
    names = NAMES["COMMAND"][1]
    command = packed("COMMAND", 11, dict(zip(names, (500, 0, 0, 0, 0, 0, 0, 0), strict=True)))
    telemetry = packed("TELEMETRY", 11, dict(zip(NAMES["TELEMETRY"][1], TELEMETRY[0][2], strict=True)))
    yield "a code byte that points beyond the end", "both", b"\x05\x01\x02\0", "cobs"
    yield "cut off in the middle", "table", on_wire(command)[:5] + b"\0", "cobs"
    yield "shorter than any frame", "both", on_wire(b"\x02\x01"), "length"
    yield "longer than any frame", "both", b"\x01" * 70 + b"\0", "length"
    yield "one bit wrong", "table", on_wire(command[:8] + bytes([command[8] ^ 1]) + command[9:]), "crc"
    yield "one bit wrong", "host", on_wire(telemetry[:8] + bytes([telemetry[8] ^ 1]) + telemetry[9:]), "crc"
    yield "a type that nobody knows", "both", on_wire(sealed(b"\x7f\x0b\x00")), "type"
    yield "its own frame comes back", "host", on_wire(command), "type"
    yield "its own frame comes back", "table", on_wire(telemetry), "type"
    yield "a COMMAND of version 1, without lamps and buzzer", "table", on_wire(sealed(command[:-7])), "length"
    yield "a COMMAND with a byte too many", "table", on_wire(sealed(command[:-4] + b"\0")), "length"
    yield "telemetry with a byte too few", "host", on_wire(sealed(telemetry[:-5])), "length"
    for sequence, what in ((10, "the same again"), (9, "an older one"), (10 + 0x8000, "half a circle ahead")):
        number = sequence.to_bytes(2, "little")
        yield f"{what}, number {sequence}", "table", on_wire(sealed(command[:1] + number + command[3:-4])), "sequence"
        yield (
            f"{what}, number {sequence}",
            "host",
            on_wire(sealed(telemetry[:1] + number + telemetry[3:-4])),
            "sequence",
        )
    yield "demand 6", "table", on_wire(sealed(command[:11] + b"\x06" + command[12:-4])), "value"
    yield "stop cause 37", "table", on_wire(sealed(command[:12] + b"\x25" + command[13:-4])), "value"
    yield (
        "a flag that is not of this version",
        "table",
        on_wire(sealed(command[:13] + b"\x40" + command[14:-4])),
        "value",
    )
    yield "a sixteenth lamp", "table", on_wire(sealed(command[:15] + b"\x80" + command[16:-4])), "value"
    yield "a buzzer at 140 Hz", "table", on_wire(sealed(command[:16] + b"\x0e")), "value"
    for name, at, byte in (
        ("a tenth button", 18, 0x02),
        ("a switch that is not of this version", 20, 0x80),
        ("a strap's contacts 3", 21, 0x03),
        ("the guard's tone 3", 22, 0x0C),
        ("the guard's state 6", 23, 0x06),
        ("the guard's demand 6", 23, 0x60),
        ("first cause 37", 24, 37),
        ("a cause 37 among the causes", 31, 0x20),
    ):
        yield name, "host", on_wire(sealed(telemetry[:at] + bytes([byte]) + telemetry[at + 1 : -4])), "value"
    for name, request, accepted, refusals in (
        ("an answer to a COMMAND", protocol.COMMAND, 1, 0),
        ("an answer that is neither yes nor no", protocol.ARM, 2, 0),
        ("an answer for a cause 37", protocol.ARM, 0, 1 << 37),
    ):
        told = (request, 2, accepted, refusals, 0, 0)
        answer = packed("ANSWER", 11, dict(zip(NAMES["ANSWER"][1], told, strict=True)))
        yield name, "host", on_wire(answer), "value"
    hello = packed("HELLO", 11, {"version": protocol.VERSION, "nonce": 1})
    yield "a HELLO of this version with a byte too many", "table", on_wire(sealed(hello[:-4] + b"\0")), "length"


def sealed(frame: bytes) -> bytes:
    """Return a frame with its check sum."""
    return frame + zlib.crc32(frame).to_bytes(4, "little")


def text() -> str:
    """Return the whole file."""
    frames = []
    for name, kind, sequence, fields in good():
        frame = packed(kind, sequence, fields)
        frames.append(
            {
                "name": name,
                "type": kind,
                "sequence": sequence,
                "fields": fields,
                "frame": frame.hex(),
                "wire": on_wire(frame).hex(),
            }
        )
    refused = [
        {"name": name, "refused_by": who, "wire": wire.hex(), "reason": reason} for name, who, wire, reason in bad()
    ]
    whole = {
        "protocol": protocol.VERSION,
        "crc32": {"of": b"123456789".hex(), "is": zlib.crc32(b"123456789")},
        "constants": {"packed": CONSTANTS.packed().hex(), "hash": CONSTANTS.hash},
        "frames": frames,
        "refused": refused,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description="Write or compare docs/protocol-vectors.json.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is not up to date")
    if not parser.parse_args(arguments).check:
        VECTORS.write_text(text(), encoding="utf-8")
        return 0
    if VECTORS.exists() and VECTORS.read_text(encoding="utf-8") == text():
        return 0
    print("docs/protocol-vectors.json is not up to date: python scripts/protocol_vectors.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
