"""Framing and the check sum, in C, held against the libraries and the page."""

import random
import zlib
from pathlib import Path
from typing import Any

import pytest
from cobs import cobs

from firmware_bridge import protocol
from safety.signals import ALL_LAMPS
from tests.firmware_bridge.building import FIRMWARE
from tests.firmware_bridge.table_side import REASONS, Built
from tests.firmware_bridge.wire import DOCUMENT, FRAMES, NAMES

pytestmark = pytest.mark.needs("cc")


NOTHING, READY = 0, 1


def parsed(built: Built, stream: bytes) -> list[bytes | int]:
    """What the parser makes of a stream: a frame's bytes, or why there is none."""
    ffi, lib = built
    parser = ffi.new("frame_parser_t *")
    lib.frame_begin(parser)
    found: list[bytes | int] = []
    for byte in stream:
        result = lib.frame_take(parser, byte)
        if result == READY:
            found.append(bytes(parser.bytes[0 : parser.length]))
        elif result != NOTHING:
            found.append(result)
    return found


@pytest.mark.parametrize("example", FRAMES, ids=lambda example: str(example["name"]))
def test_every_example_of_the_page_is_made_and_taken_byte_by_byte(built: Built, example: dict[str, Any]) -> None:
    ffi, lib = built
    frame, wire = bytes.fromhex(example["frame"]), bytes.fromhex(example["wire"])
    made = ffi.new("uint8_t[58]")
    length = lib.frame_make(made, frame[0], int.from_bytes(frame[1:3], "little"), frame[3:-4], len(frame) - 7)
    assert bytes(made[0:length]) == wire
    assert parsed(built, wire) == [frame]


def test_framing_and_check_sum_are_those_of_the_libraries(built: Built) -> None:
    ffi, lib = built
    source = random.Random(1)
    made = ffi.new("uint8_t[58]")
    for _ in range(2000):
        body = bytes(source.choice((0, 0, 1, 255, source.randrange(256))) for _ in range(source.randrange(50)))
        kind, sequence = source.randrange(256), source.randrange(0x10000)
        frame = bytes([kind]) + sequence.to_bytes(2, "little") + body
        frame += zlib.crc32(frame).to_bytes(4, "little")
        assert lib.frame_crc32(body, len(body)) == zlib.crc32(body)
        length = lib.frame_make(made, kind, sequence, body, len(body))
        assert bytes(made[0:length]) == bytes(cobs.encode(frame)) + b"\0"


def test_a_body_that_is_too_long_is_not_sent(built: Built) -> None:
    ffi, lib = built
    made = ffi.new("uint8_t[58]")
    assert lib.frame_make(made, 1, 1, bytes(49), 49) == 58
    assert lib.frame_make(made, 1, 1, bytes(50), 50) == 0


def test_after_any_garbage_the_next_whole_frame_is_taken(built: Built) -> None:
    wire = bytes.fromhex(FRAMES[0]["wire"])
    source = random.Random(2)
    for _ in range(500):
        garbage = source.randbytes(source.randrange(200))
        assert parsed(built, garbage + b"\0" + wire)[-1] == bytes.fromhex(FRAMES[0]["frame"])


def test_the_parser_refuses_what_the_library_refuses(built: Built) -> None:
    source = random.Random(3)
    for _ in range(3000):
        piece = bytes(
            source.choice((1, 2, 3, 5, 57, 58, source.randrange(1, 256))) for _ in range(source.randrange(1, 70))
        )
        (verdict,) = parsed(built, piece + b"\0")
        assert not isinstance(verdict, bytes)
        try:
            length = len(cobs.decode(piece))
            expected = 3 if length < 7 or length > 56 else 4
        except cobs.DecodeError:
            expected = 2
        assert verdict == (3 if len(piece) > 57 else expected)


def test_both_sides_have_the_same_numbers(tmp_path: Path) -> None:
    header = (FIRMWARE / "table_link.h").read_text(encoding="utf-8")
    frame = (FIRMWARE / "frame.h").read_text(encoding="utf-8")
    for name, value in (
        ("VERSION", protocol.VERSION),
        ("PERIOD_MS", protocol.TELEMETRY_MS),
        ("FRESH_MS", protocol.FRESH_MS),
        ("PERSON", protocol.PERSON),
        ("LOWEST_BUZZER", protocol.LOWEST_BUZZER_HZ // protocol.BUZZER_STEP_HZ),
    ):
        assert f"#define TABLE_LINK_{name} {value}u" in header
    assert f"#define TABLE_LINK_LAMPS 0x{ALL_LAMPS:04X}u" in header
    for name in NAMES:
        assert f"#define TABLE_LINK_{name} 0x{getattr(protocol, name):02X}u" in header
    for name, value in (("OVERHEAD", protocol.OVERHEAD), ("LARGEST", protocol.LARGEST)):
        assert f"#define FRAME_{name} {value}u" in frame
    assert DOCUMENT["protocol"] == protocol.VERSION
    assert REASONS == protocol.REASONS
